package Scan;

# A stack with TLS, as nginx.conf.example says it, for tools that look for holes;
# and whether it is as it was when they have gone.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use List::Util qw(max);
use POSIX ();
use Stack qw(slurp wait_for);
use Test::More;
use Time::HiRes qw(sleep time);

my @PROGRAMS = qw(identprov userprofile nginx postgres);
my $PASSWORD = 'correct horse 7 battery';
my $SLACK_KB = 8192; # of a process's own memory, and a quarter of what it had
my $SLACK_FILES = 16;
my $WAIT_SEC = 90;   # connections of clients and between the parts have ended

# What a scanner must find, or it looks for nothing.
my $PLANTED = <<'END';
location = /planted {
    identgw off;
    default_type text/html;
    if ($args ~ "%27|%22|'") {
        return 200 "PostgreSQL query failed: ERROR: syntax error at or near $args";
    }
    return 200 "<html><body>fine</body></html>";
}
END

sub start {
    my ($class) = @_;
    my $port = $ENV{TEST_NGINX_PORT} || 18_080;
    my ($tls, $inner) = ($port + 1, $port + 2);
    my $room = tempdir('identgw-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $room;
    my $example = slurp('nginx.conf.example');
    my ($zone) = $example =~ /^ *#\+ (limit_conn_zone .*)$/m;
    my $stack = Stack->start(
        env => { PORT => $port, IDENTPROV_HASH_MINIMUM => 'none',
            IDENTPROV_HASH_MEMORY => '64k', IDENTPROV_HASH_PASSES => 1 },
        conf => server_lines($example, $room, $tls)
            . "location = /whoami {\n    identgw on;\n"
            . "    proxy_pass http://127.0.0.1:$inner;\n}\n" . $PLANTED,
        http => "$zone\nserver {\n    listen 127.0.0.1:$inner;\n    access_log off;\n"
            . "    location / { return 200 \"[\$http_x_user]\"; }\n}\n");
    my $self = bless { stack => $stack, room => $room,
        http => "http://127.0.0.1:$port", https => "https://127.0.0.1:$tls" },
        $class;
    $self->{session} = $stack->session('eva', password => $PASSWORD);
    return $self;
}

# What nginx.conf.example has to be turned on in its server, for TLS and else, on
# a port and with a certificate of the test's.
sub server_lines {
    my ($example, $room, $port) = @_;
    system('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256'
        . " -nodes -subj /CN=gateway.test -days 90 -keyout $room/gateway.key"
        . ' -addext subjectAltName=DNS:gateway.test,IP:127.0.0.1'
        . " -out $room/gateway.pem 2> $room/openssl.log") == 0
        or die "no certificate: see $room/openssl.log\n";
    my ($block) = $example =~ /^    server \{(.*?)^ +server_name/ms or die "no server\n";
    my $lines = join '', map { "$_\n" } $block =~ /^ *#\+ (.*)$/mg;
    $lines =~ s/listen 443 ssl/listen 127.0.0.1:$port ssl/
        or die "no listen\n";
    ($lines =~ s{/etc/ssl/\w+/(gateway\.\w+)}{$room/$1}g) == 2
        or die "no certificate\n";
    return $lines;
}

sub stack { return $_[0]{stack} }
sub session { return $_[0]{session} }
sub http { return $_[0]{http} }
sub https { return $_[0]{https} }
sub file { return "$_[0]{room}/$_[1]" }

# A tool that ends by itself or is ended after so many seconds: its exit status
# (124: it was), and what it has said, which is in the file of its name, too.
sub run {
    my ($self, $name, $seconds, @command) = @_;
    my $out = $self->file("$name.out");
    my $begun = time;
    my $pid = $self->begin($out, $seconds, @command);
    waitpid $pid, 0;
    diag(sprintf '%s: %.0f s', $name, time - $begun);
    return ($? >> 8, slurp($out));
}

sub begin {
    my ($self, $out, $seconds, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', $out;
    open STDERR, '>&', \*STDOUT;
    $ENV{HOME} = $self->{room};
    chdir $self->{room};
    exec 'timeout', '-k', 5, $seconds, @command;
    die "$command[0]: $!\n";
}

# What somebody at another address is told who asks for a path, often, until the
# process has ended: each status, and how often.
sub meanwhile {
    my ($self, $pid, $path) = @_;
    my %seen;
    until (waitpid($pid, POSIX::WNOHANG()) == $pid) {
        my $answer = $self->ask_from('127.0.0.2', $path);
        $seen{ $answer->{status} || 'none' }++;
        sleep 0.02;
    }
    return \%seen;
}

sub ask_from {
    my ($self, $address, $path) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 10,
        PeerPort => $self->{stack}->port, LocalAddr => $address)
        or return { status => 'none' };
    print $socket "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        . "JSESSIONID: $self->{session}\r\n\r\n";
    local $/;
    my $text = '';
    eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm 10;
        $text = <$socket> // '';
        alarm 0;
    };
    return Stack::parse($text, 'GET');
}

# --- as it was -----------------------------------------------------------------

# Of every process but PostgreSQL's, whose memory is its own business: kilobytes
# of its own, and open files; by program and place.
sub load {
    my ($self) = @_;
    my %load;
    for my $name (grep { $_ ne 'postgres' } @PROGRAMS) {
        my $i = 0;
        for my $pid (sort { $a <=> $b } family($self->{stack}->pid_of($name))) {
            my ($kb) = slurp("/proc/$pid/status") =~ /^RssAnon:\s*(\d+)/m;
            $load{"$name " . $i++} = { pid => $pid, kb => $kb,
                files => scalar(() = glob "/proc/$pid/fd/*") };
        }
    }
    return \%load;
}

# nginx's workers work for a master.
sub family {
    my ($pid) = @_;
    return ($pid, split ' ', slurp("/proc/$pid/task/$pid/children"));
}

sub pids {
    my ($self) = @_;
    my $stack = $self->{stack};
    return join ' ', map { "$_:" . join ',', $_ eq 'postgres'
        ? $stack->pid_of($_) : family($stack->pid_of($_)) } @PROGRAMS;
}

# After something ordinary in quantity, which fills pools and caches.
sub remember {
    my ($self) = @_;
    $self->{pids} = $self->pids;
    $self->{before} = $self->load;
    return;
}

sub is_as_before {
    my ($self) = @_;
    is($self->pids, $self->{pids}, 'the same processes');
    $self->answers_right;
    is(join("\n", $self->failures), '', 'nothing has failed in the logs');
    my @more;
    eval { wait_for($WAIT_SEC, 'less', sub { !(@more = $self->more) }) };
    is(join("\n", @more), '', 'memory and open files are as before');
    return;
}

sub more {
    my ($self) = @_;
    my $now = $self->load;
    return map {
        my ($was, $is) = ($self->{before}{$_}, $now->{$_});
        my $kb = $was->{kb} + max($SLACK_KB, $was->{kb} / 4);
        (($is->{kb} > $kb ? "$_: $is->{kb} kB after $was->{kb}" : ()),
            ($is->{files} > $was->{files} + $SLACK_FILES
                ? "$_: $is->{files} files after $was->{files}" : ()))
    } sort keys %$now;
}

# Somebody new is served, somebody without a session is not.
sub answers_right {
    my ($self) = @_;
    my $stack = $self->{stack};
    my $name = 'new' . ++$self->{count};
    my $session = eval { $stack->session($name) } // diag($@);
    my @who = (headers => [ 'JSESSIONID', $session ]);
    is($stack->request('GET', '/whoami', @who)->{body}, "[$name]",
        'somebody new is who they are');
    is($stack->post_json('/userprofile', { nickname => $name },
            @who)->{status}, 201, '... has a profile');
    is($stack->request('GET', '/whoami', headers => [
                'JSESSIONID', $self->{session} ])->{body}, '[eva]',
        '... and eva is still in');
    is($stack->request('GET', '/whoami')->{status}, 401,
        'without a session nobody is');
    return;
}

# What says in the logs that something went wrong, whoever caused it; each once.
sub failures {
    my ($self) = @_;
    my %seen;
    for my $file (glob $self->{stack}->var . '/log/*') {
        my $name = $file =~ s{.*/}{}r;
        my $at = $self->{read}{$file} // 0;
        my $text = substr slurp($file), $at;
        $self->{read}{$file} = $at + length $text;
        my $is_wrong = $name eq 'access.log' ? qr/"status":"5(?!03)\d\d"/
            : qr/\[(?:alert|crit|emerg)\]|internal_error|no_answer
                |Sanitizer|runtime\serror|PANIC|FATAL/x;
        $seen{"$name: $_"} = 1 for grep { $_ =~ $is_wrong } split /\n/, $text;
    }
    my @failures = sort keys %seen;
    splice @failures, 5 if @failures > 5;
    return @failures;
}

1;
