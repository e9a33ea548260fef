# A reload changes the policy, all of it and at once for each request, and no
# request fails for it. What a location inherits, and what two servers share.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client qw(field fields wait_for);
use ModuleTest;
use Upstreams;

Upstreams::start;

my $ROOM = $Upstreams::room;
my $CONF = $ENV{TEST_NGINX_CONF};
my $PASS = "proxy_http_version 1.1; proxy_set_header Host \$host; "
    . "proxy_set_header Connection ''; proxy_pass http://echo_http;";

sub write_file {
    my ($name, $text) = @_;
    open my $out, '>', "$ROOM/$name.new" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
    rename "$ROOM/$name.new", "$ROOM/$name" or die "$name: $!\n";
}

# --- reload -------------------------------------------------------------------

my @POLICIES = (
    'identgw on;',
    'identgw off;',
    'identgw optional;',
    'identgw on; identgw_pass_session on;',
    'identgw on; identgw_session_name X-Session; '
        . 'identgw_authenticate /.identgw/other;',
    'identgw on; identgw_signin off;');

# What a request of that session looks like under each policy.
my @SIGNS = (
    'in', 'untouched', 'in', 'in with its session', 'out with text', 'in');

write_file('policy.conf', $POLICIES[0]);

our $ReloadConfig = <<"CONF";
upstream echo_http { server unix:$ROOM/http.sock; keepalive 4; }
server {
    listen unix:$ROOM/reload;
    include $CONF/idp.conf;
    location = /.identgw/other { internal; identgw off;
        fastcgi_param PEER_ROLE authenticate;
        fastcgi_param PEER_SESSION HTTP_X_SESSION; include $CONF/peer.conf; }
    location /app { include $ROOM/policy.conf; $PASS }
}
CONF

sub sign_of {
    my ($answer) = @_;
    return 'none' if !$answer;
    return 'out with text' if $answer->{status} == 401
        && $answer->{body} =~ /Please go to login/;
    return "status $answer->{status}" if $answer->{status} != 200;
    my $is_in = $answer->{body} =~ /^X-User: alice\r$/m;
    my $has_session = $answer->{body} =~ /^JSESSIONID: ok-alice\r$/m;
    return $is_in ? 'in' . ($has_session ? ' with its session' : '')
        : $has_session ? 'untouched' : 'nobody';
}

sub ask_once {
    return sign_of(eval { Client->new("$ROOM/reload")->get('/app', 'JSESSIONID',
                'ok-alice', 'Connection', 'close') });
}

# Asks all the time until the pipe closes; what was seen, counted.
sub start_load {
    pipe my $stop, my $hold or die "pipe: $!\n";
    pipe my $read, my $write or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        close $hold;
        close $read;
        my %seen;
        my $until = IO::Select->new($stop);
        $seen{ ask_once() }++ while !$until->can_read(0);
        print $write map { "$_=$seen{$_}\n" } sort keys %seen;
        close $write;
        POSIX::_exit(0);
    }
    return sub {
        close $hold;
        close $write;
        my %seen = map { chomp; split /=/ } <$read>;
        waitpid $pid, 0;
        return %seen;
    };
}

sub check_reload {
    my $pid = do {
        open my $in, '<', Test::Nginx::Util::server_root() . '/logs/nginx.pid'
            or die "pid: $!\n";
        <$in>;
    };
    chomp $pid;
    my $stop_load = start_load();
    for my $round (1 .. 2) {
        for my $i (1 .. $#POLICIES, 0) {
            write_file('policy.conf', $POLICIES[$i]);
            kill HUP => $pid;
            is(wait_for(sub { my $sign = ask_once();
                        $sign eq $SIGNS[$i] ? $sign : '' }),
                $SIGNS[$i], "now $POLICIES[$i]");
        }
    }
    my %seen = $stop_load->();
    my %is_known = map { $_ => 1 } @SIGNS;
    is_deeply([ grep { !$is_known{$_} } keys %seen ], [],
        'all along every request had an answer of one policy');
    cmp_ok($seen{in}, '>', 10, '... and there were some');
    write_file('policy.conf', 'identgw sometimes;');
    kill HUP => $pid;
    ok(wait_for(sub { error_log_has(qr/invalid value "sometimes"/) }),
        'a policy that makes no sense is refused');
    is(ask_once(), 'in', '... and the old one stays');
    write_file('policy.conf', $POLICIES[0]);
}

sub error_log_has {
    my ($pattern) = @_;
    open my $in, '<', Test::Nginx::Util::server_root() . '/logs/error.log'
        or return 0;
    return scalar grep { $_ =~ $pattern } <$in>;
}

# --- inheritance --------------------------------------------------------------

sub idp {
    my ($path, %param) = @_;
    my $params = join '', map { "fastcgi_param $_ $param{$_}; " }
        sort keys %param;
    return "location = $path { internal; identgw off; $params"
        . "include $CONF/peer.conf; }\n";
}

my $SIGNIN_OTHER = idp('/other/signin', PEER_ROLE => 'signin',
    PEER_BODY => '"the other text"');
my $OTHER = idp('/other/authenticate', PEER_ROLE => 'authenticate',
    PEER_SESSION => 'HTTP_X_SESSION');

our $LevelsConfig = <<"CONF";
upstream echo_http { server unix:$ROOM/http.sock; keepalive 4; }
identgw on;
identgw_authenticate /other/authenticate;
identgw_signin /other/signin;
identgw_session_name X-Session;
identgw_identity_headers Authorization Remote-User=X-User;
identgw_pass_session on;
server {
    listen unix:$ROOM/http;
    $OTHER $SIGNIN_OTHER
    location / { $PASS }
    location /off { identgw off; $PASS
        location /off/on { identgw on; $PASS }
        location /off/if {
            if (\$arg_x) { proxy_pass http://echo_http; } $PASS } }
    location /optional { identgw optional; $PASS
        location /optional/inner { $PASS
            location ~ /deep\$ { $PASS } } }
    location /withheld { identgw_pass_session off; $PASS
        location /withheld/not { identgw_pass_session on; $PASS } }
    location /signin { identgw_signin off; $PASS
        location /signin/again { identgw_signin /other/signin; $PASS } }
    location /name { identgw_session_name JSESSIONID;
        identgw_authenticate /plain/authenticate; $PASS
        location /name/inner { $PASS } }
@{[ idp('/plain/authenticate', PEER_ROLE => 'authenticate') ]}
}
server {
    listen unix:$ROOM/server;
    include $CONF/idp.conf;
    identgw optional;
    identgw_authenticate /.identgw/authenticate;
    identgw_signin /.identgw/signin;
    identgw_session_name JSESSIONID;
    identgw_identity_headers Authorization X-User X-Email X-First-Name;
    identgw_pass_session off;
    location / { $PASS }
    location /on { identgw on; $PASS
        location /on/inner { $PASS } }
}
server {
    listen unix:$ROOM/inherits;
    identgw off;
    location / { $PASS }
    location /on { identgw on; $PASS }
    $OTHER $SIGNIN_OTHER
}
CONF

# A server without the module's directives, beside one that has them.
our $AloneConfig = <<"CONF";
upstream echo_http { server unix:$ROOM/http.sock; keepalive 4; }
server {
    listen unix:$ROOM/alone;
    location / { $PASS }
}
server {
    listen unix:$ROOM/beside;
    include $CONF/idp.conf;
    location / { $PASS }
    location /on { identgw on; $PASS }
}
server {
    listen unix:$ROOM/beside;
    server_name other.example;
    identgw_identity_headers Authorization X-Other=X-User;
    include $CONF/idp.conf;
    location / { identgw on; $PASS }
}
CONF

my @CLAIMS = map { ("$_", 'mallory') } qw(X-User X-Email X-First-Name
    Remote-User X-Other Authorization Proxy);

# Asks with the session "ok-alice" in both ways, and every claim: the status
# and what the application got of all that, sorted.
sub seen_at {
    my ($server, $path, @more) = @_;
    my $answer = Client->new("$ROOM/$server")->get($path, @CLAIMS, @more);
    return "$answer->{status} " . (split /\n/, $answer->{body})[0]
        if $answer->{status} != 200;
    my %claimed = map { lc $CLAIMS[ 2 * $_ ] => 1 } 0 .. $#CLAIMS / 2;
    return join ' ', sort map { my ($name, $value) = /^([^:]+): (.*)\r$/;
            $name && ($claimed{ lc $name } || $name =~ /session/i)
                ? lc($name) . "=$value" : () } split /\n/, $answer->{body};
}

my $BY_X = 'authorization=Bearer token.of.alice';
my $LEFT = 'x-other=mallory';
my @X = ('X-Session', 'ok-alice');
my @J = ('JSESSIONID', 'ok-alice');
my $HTTP_IN = "$BY_X remote-user=alice $LEFT";
my $SERVER_IN = "$BY_X remote-user=mallory x-email=alice\@example.org "
    . 'x-first-name=First alice x-other=mallory x-user=alice';

sub is_seen {
    my ($expected, $server, $path, @more) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is(seen_at($server, $path, @more), $expected,
        "$server: $path" . (@more ? " with $more[0]" : ''));
}

sub check_levels {
    my $out = '401 the other text';
    my $in = "$HTTP_IN x-session=ok-alice";
    my $anonymous = $LEFT;
    my $off = "authorization=mallory $LEFT";
    for my $path (qw(/ /off/on /withheld/not /signin/again)) {
        is_seen($in, 'http', $path, @X);
        is_seen($out, 'http', $path);
        is_seen($out, 'http', $path, @J);
    }
    for my $path (qw(/off /off/if /off/if?x=1)) {
        is_seen("$off x-session=ok-alice", 'http', $path, @X);
        is_seen($off, 'http', $path);
    }
    for my $path (qw(/optional /optional/inner /optional/inner/deep)) {
        is_seen($in, 'http', $path, @X);
        is_seen($anonymous, 'http', $path);
    }
    is_seen($HTTP_IN, 'http', '/withheld', @X);
    is_seen('401 <html>' . "\r", 'http', '/signin');
    for my $path (qw(/name /name/inner)) {
        is_seen("$BY_X jsessionid=ok-alice remote-user=alice $LEFT", 'http',
            $path, @J);
        is_seen($out, 'http', $path, @X);
    }
    for my $path (qw(/ /on /on/inner)) {
        is_seen($SERVER_IN, 'server', $path, @J);
    }
    is_seen('remote-user=mallory x-other=mallory', 'server', '/');
    is_seen('401 Please go to login...', 'server', '/on');
    is_seen('401 Please go to login...', 'server', '/on/inner');
    is_seen("$off x-session=ok-alice", 'inherits', '/', @X);
    is_seen($in, 'inherits', '/on', @X);
    is_seen($out, 'inherits', '/on');
}

sub check_alone {
    my $all = 'authorization=mallory proxy=mallory remote-user=mallory '
        . 'x-email=mallory x-first-name=mallory x-other=mallory x-user=mallory';
    is_seen($all, 'alone', '/');
    is_seen('authorization=mallory remote-user=mallory x-other=mallory',
        'beside', '/');
    is_seen($SERVER_IN, 'beside', '/on', @J);
    is_seen('401 Please go to login...', 'beside', '/on');
    my @other = ('Host', 'other.example');
    is_seen("$BY_X remote-user=mallory x-other=alice", 'beside', '/on', @other, @J);
    is_seen('401 Please go to login...', 'beside', '/on', @other);
}

worker_connections(1024);
log_level('info');
no_long_string();
no_shuffle();
master_on();
workers(2);
run_tests();

__DATA__

=== TEST 1: reload under load
--- http_config eval: $::ReloadConfig
--- config
--- check: reload
--- error_log
[emerg]
--- no_error_log
[alert]
[crit]



=== TEST 2: what http, server, location and nested location inherit
--- http_config eval: $::LevelsConfig
--- config
identgw off;
--- check: levels



=== TEST 3: servers with different settings, and one with none
--- http_config eval: $::AloneConfig
--- config
--- check: alone
