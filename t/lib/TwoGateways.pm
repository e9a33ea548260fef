package TwoGateways;

# Two gateways, a and b, over one database and two identprovs, with a relay
# between each gateway and the identprovs. What is asked of them goes into a
# history.
#
# Users are there from the start, and so are their sessions, for a login costs
# what a password's hash does: user-0 and so on, USERS of them.
use strict;
use warnings;
use Client;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Gateway;
use History qw(now);
use POSIX ();
use Relay;
use Stack;
use Test::More ();

use constant USERS => 13;

my $TOP = abs_path(dirname(abs_path(__FILE__)) . '/../..');
my $BUILD = abs_path($ENV{BUILD} || "$TOP/build");
my $PSQL = ($ENV{PG_BINDIR} || '/usr/lib/postgresql/15/bin') . '/psql';

my @running;

# lease and interval in seconds; sessions: how many of each user; module: another
# file of the module; faults: words of IDENTGW_FAULTS for it.
sub start {
    my ($class, %with) = @_;
    my $self = bless { lease => 2, interval => 0.25, faults => '',
        sessions => 100, module => "$BUILD/ngx_http_identgw_module.so",
        %with, taken => {}, changes => {}, owner => $$ }, $class;
    push @running, $self;
    $self->{stack} = Stack->start;
    $self->{room} = $self->{stack}{var};
    $self->fill_database;
    $self->{history_path} = "$self->{room}/history";
    $self->{history} = History->open_for_writing($self->{history_path});
    $self->start_second_identprov;
    for my $node (qw(a b)) {
        $self->{relay}{$node} = Relay->start("$self->{room}/relay-$node.sock",
            $self->{stack}->socket('identprov'), $self->second_socket);
        $self->{gateway}{$node} = $self->start_gateway($node);
    }
    return $self;
}

# For a test that fails: what the gateways have said, and no process stays.
END {
    my $status = $?;
    for my $self (grep { $_->{owner} == $$ && $_->{second} } @running) {
        Test::More::diag("--- gateway $_\n", $self->gateway($_)->log)
            for sort keys %{ $self->{gateway} };
        $self->stop_second_identprov('KILL');
    }
    $? = $status;
}

sub stack { return $_[0]{stack} }
sub relay { return $_[0]{relay}{ $_[1] } }
sub gateway { return $_[0]{gateway}{ $_[1] } }

# True: all went down in order.
sub stop {
    my ($self) = @_;
    $_->stop for values %{ $self->{gateway} }, values %{ $self->{relay} };
    $self->stop_second_identprov('TERM');
    return $self->{stack}->stop;
}

# --- the parts -------------------------------------------------------------------

# Names are "v0" until they are changed.
sub fill_database {
    my ($self) = @_;
    my $sql = <<'SQL';
WITH added AS (
    INSERT INTO identprov.account (username, username_key, email, email_key,
        first_name, password_hash)
    SELECT 'user-' || n, 'user-' || n, n || '@example.org',
        n || '@example.org', 'v0', '$argon2id$'
    FROM generate_series(0, USERS - 1) AS n
    RETURNING id, username
)
INSERT INTO identprov.session (hash, account_id, created_at, last_used_at,
    expires_at)
SELECT sha256(convert_to(username || '-' || rpad(k::text, 42
        - length(username), 'A'), 'UTF8')), id, now(), now(),
    now() + interval '12 hours'
FROM added, generate_series(1, SESSIONS) AS k
SQL
    $sql =~ s/USERS/USERS/e;
    $sql =~ s/SESSIONS/$self->{sessions}/;
    my $database = $self->{stack}->setting('IDENTPROV_DATABASE');
    system($PSQL, '-X', '-q', '-d', $database, '-v', 'ON_ERROR_STOP=1', '-c',
        $sql) == 0 or die "psql: $?\n";
    return;
}

# One of the user's that nobody has had: { name, id, user }; none when all are
# gone. Only one process may take those of a user.
sub take_session {
    my ($self, $user) = @_;
    my $k = ++$self->{taken}{$user};
    return if $k > $self->{sessions};
    my $session = { name => "$user/$k", user => $user,
        id => "$user-$k" . 'A' x (42 - length "$user$k") };
    my $now = now();
    $self->{history}->note('login', $now, $now, '-', $session->{name}, $user,
        200);
    return $session;
}

sub second_socket { return "$_[0]{room}/identprov-2.sock" }

sub start_second_identprov {
    my ($self) = @_;
    my $stack = $self->{stack};
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $ENV{$_} = $stack->setting($_)
            for qw(IDENTPROV_DATABASE IDENTPROV_KEY_PASSPHRASE_FILE);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', '/dev/null';
        open STDERR, '>>', "$self->{room}/identprov-2.log";
        exec "$BUILD/identprov", 'serve', '--listen',
            'unix:' . $self->second_socket or POSIX::_exit(127);
    }
    $self->{second} = $pid;
    return;
}

sub stop_second_identprov {
    my ($self, $signal) = @_;
    my $pid = delete $self->{second} or return;
    kill $signal, $pid;
    waitpid $pid, 0;
    return;
}

sub start_gateway {
    my ($self, $node) = @_;
    return Gateway->start(module => $self->{module}, workers => 2,
        env => $self->{faults} eq ''
            ? {} : { IDENTGW_FAULTS => $self->{faults} },
        http => "identgw_zone 1m;\n" . application(),
        server => $self->server($node));
}

# It says whom it sees.
sub application {
    return <<'CONF';
server {
    listen unix:ROOM/app;
    access_log off;
    location / { return 200 "$http_x_user $http_x_first_name"; }
}
CONF
}

sub server {
    my ($self, $node) = @_;
    my $pass = "fastcgi_pass unix:$self->{room}/relay-$node.sock;";
    my $times = sprintf 'interval=%dms lease=%dms',
        map { 1000 * $self->{$_} } qw(interval lease);
    return <<"CONF";
identgw_revocations /.identgw/revocations $times;
identgw_cache_ttl 1h;
fastcgi_connect_timeout 2s;
fastcgi_read_timeout 10s;
fastcgi_buffer_size 32k;
fastcgi_buffers 8 32k;
location /app {
    identgw on;
    proxy_pass http://unix:ROOM/app:;
}
@{[ map { purging($_, $pass) } qw(logout account) ]}
@{[ map { internal($_, $pass) } qw(authenticate signin revocations) ]}
CONF
}

sub purging {
    my ($name, $pass) = @_;
    return <<"CONF";
location = /$name {
    identgw off;
    identgw_purge on;
    fastcgi_param CONTENT_TYPE \$content_type;
    fastcgi_param CONTENT_LENGTH \$content_length;
    @{[ params("/$name", '$request_method') ]} $pass
}
CONF
}

sub internal {
    my ($name, $pass) = @_;
    return <<"CONF";
location = /.identgw/$name {
    internal;
    identgw off;
    fastcgi_pass_request_body off;
    fastcgi_param IDENTGW_INTERNAL 1;
    @{[ params("/$name", 'GET') ]} $pass
}
CONF
}

sub params {
    my ($path, $method) = @_;
    return <<"CONF";
fastcgi_param REQUEST_METHOD $method;
fastcgi_param SCRIPT_NAME "";
fastcgi_param PATH_INFO $path;
fastcgi_param QUERY_STRING \$query_string;
fastcgi_param REQUEST_ID \$request_id;
fastcgi_param REMOTE_ADDR 127.0.0.1;
fastcgi_param SERVER_NAME gateway;
fastcgi_param IDENTGW_SESSION_NAME JSESSIONID;
CONF
}

# --- operations, each a line of the history -----------------------------------------

# The status.
sub get {
    my ($self, $node, $session) = @_;
    my ($status, $body, @times)
        = $self->request($node, 'GET', '/app', $session);
    my ($user, $version) = $body =~ /^(\S+) v(\d+)$/;
    my @what = ($node, $session->{name});
    $self->{history}->note('get', @times, @what,
        $status == 200 ? $user // '-' : '-', $status);
    $self->{history}->note('saw', @times, @what, $user, $version)
        if $status == 200 && defined $version;
    return $status;
}

# Another first name: the next version of the user. Only one process may change
# a user.
sub change {
    my ($self, $node, $session) = @_;
    my $version = ++$self->{changes}{ $session->{user} };
    my ($status, undef, @times) = $self->request($node, 'PATCH', '/account',
        $session, qq({"first_name":"v$version"}));
    $self->{history}->note('change', @times, $node, '-', $session->{user},
        "$version " . ($status == 200 ? 'done' : 'unknown'));
    return $status;
}

sub logout {
    my ($self, $node, $session) = @_;
    my ($status, undef, @times)
        = $self->request($node, 'POST', '/logout', $session, '');
    $self->{history}->note('logout', @times, $node, $session->{name}, '-',
        $status);
    return $status;
}

# Status, body, begin, end; a status of 0 is no answer.
sub request {
    my ($self, $node, $method, $target, $session, $body) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $begin = now();
    my $answer = eval {
        $self->{gateway}{$node}->client->ask($method, $target,
            [ 'JSESSIONID', $session->{id}, 'Connection', 'close',
                length $body // '' ? ('Content-Type', 'application/json') : ()
            ], $body);
    };
    return ($answer->{status} // 0, $answer->{body} // '', $begin, now());
}

# A get by a process of its own, which ends with it: its process id.
sub get_meanwhile {
    my ($self, $node, $session) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    $self->get($node, $session);
    POSIX::_exit(0);
}

sub note_fault {
    my ($self, $begin, $node, $words) = @_;
    $self->{history}->note('fault', $begin, now(), $node, '-', '-', $words);
    return;
}

# What the checker says of all that was done so far.
sub verdict {
    my ($self) = @_;
    return History->check_file($self->{lease}, $self->{history_path});
}

# How often each value of $identgw_cache was logged, in both gateways.
sub cache_results {
    my ($self) = @_;
    my %count;
    for my $gateway (values %{ $self->{gateway} }) {
        $count{$_}++ for $gateway->log('access.log') =~ m{^(\w+) .* /app$}mg;
    }
    return \%count;
}

1;
