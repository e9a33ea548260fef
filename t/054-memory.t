# The memory of the workers stays flat under requests of all kinds.
# IDENTGW_REQUESTS says how many; make test-memory has 100,000. A checker, as
# of make test-asan, keeps memory for itself.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client;
use ModuleTest;
use POSIX ();
use Stack qw(children);

my $REQUESTS = $ENV{IDENTGW_CHECKER} ? 800 : $ENV{IDENTGW_REQUESTS} || 4000;
my $CLIENTS = 4;
my $PARTS = 8;          # memory is looked at after each
my $GROWTH_KB = 256;    # from the second part's end to the last one's; the
                        # heap may grow once, which it does by 132

my $PORT = $ENV{TEST_NGINX_PORT} + 1;
my $PORT2 = $ENV{TEST_NGINX_PORT} + 2;
my $CONF = $ENV{TEST_NGINX_CONF};
my $LONG = 'b' x 100_000;

our $HttpConfig = <<"CONF";
access_log off;
keepalive_requests 300;
client_body_buffer_size 16k;
map \$http_x_user \$is_admin { default 0; root 1; }
server {
    listen 127.0.0.1:$PORT reuseport;
    listen 127.0.0.1:$PORT2 reuseport http2;
    include $CONF/idp.conf;
    fastcgi_buffers 16 16k;
    location /app { identgw on; include $CONF/echo.conf; }
    location /optional { identgw optional; include $CONF/echo.conf; }
    location /off { include $CONF/echo.conf; }
    location /own { identgw on; identgw_pass_session on;
        include $CONF/echo.conf; }
    location /browser { identgw on; identgw_signin /off redirect;
        include $CONF/echo.conf; }
    location /bare { identgw on; identgw_signin off; include $CONF/echo.conf; }
    location /said { identgw on; return 200 "\$identgw_user\\n"; }
    location /admin { identgw on; identgw_require \$is_admin;
        include $CONF/echo.conf; }
    location /again { identgw on; rewrite ^/again/(.*) /app/\$1 last; }
    location /try { identgw on; try_files /absent \@app; }
    location \@app { identgw on; include $CONF/echo.conf; }
    location /page { identgw on; error_page 401 403 = /off/page;
        identgw_signin off; include $CONF/echo.conf; }
    location /ssi { ssi on; ssi_types *; identgw optional;
        return 200 '<!--# include virtual="/app/1" --><!--# include
            virtual="/optional/2" -->'; }
    location /mirror { identgw on; mirror /app; include $CONF/echo.conf; }
    location /any { identgw on; satisfy any; deny all;
        include $CONF/echo.conf; }
    location /nobody { identgw on; identgw_authenticate /.identgw/nobody;
        include $CONF/echo.conf; }
    location = /.identgw/nobody { internal; fastcgi_pass unix:$CONF/nobody; }
    location = /status { identgw_status json; }
}
CONF

# [status, method, path, headers, body]
my $USER = [ 'JSESSIONID', 'ok-alice' ];
my $CRUMB = [ 'Cookie', 'a=1; JSESSIONID=ok-bob; b=2', 'X-User', 'mallory' ];
my $STRANGER = [ 'JSESSIONID', 'unknown' ];
my @KINDS = (
    [ 200, 'GET', '/app/1', $USER ],
    [ 200, 'GET', '/app/2', $CRUMB ],
    [ 200, 'HEAD', '/app/3', $CRUMB ],
    [ 200, 'POST', '/app/4', $USER, 'a body' ],
    [ 200, 'PUT', '/app/5', $USER, $LONG ],
    [ 200, 'GET', '/own', $CRUMB ],
    [ 200, 'GET', '/app/6', [ @$USER, 'Connection', 'close' ] ],
    [ 200, 'GET', '/optional', $USER ],
    [ 200, 'GET', '/optional', $STRANGER ],
    [ 200, 'GET', '/optional', [ map { ("X-$_", $_) } 1 .. 40 ] ],
    [ 200, 'GET', '/off', $USER ],
    [ 200, 'POST', '/off', [ 'X_User', 'mallory' ], $LONG ],
    [ 401, 'GET', '/app/7' ],
    [ 401, 'HEAD', '/app/8', $STRANGER ],
    [ 401, 'POST', '/app/9', $STRANGER, $LONG ],
    [ 401, 'GET', '/app/10', [ 'JSESSIONID', 'a b' ] ],
    [ 401, 'GET', '/app/11', [ 'Connection', 'close' ] ],
    [ 401, 'GET', '/bare' ],
    [ 401, 'GET', '/any', $STRANGER ],
    [ 302, 'GET', '/browser?a=b', [ 'Accept', 'text/html' ] ],
    [ 403, 'POST', '/app/12', [ @$CRUMB, 'Sec-Fetch-Site', 'cross-site' ],
        'a body' ],
    [ 403, 'GET', '/app/13', [ 'JSESSIONID', 'status-403' ] ],
    [ 403, 'GET', '/admin', $USER ],
    [ 200, 'GET', '/admin', [ 'JSESSIONID', 'ok-root' ] ],
    [ 429, 'GET', '/app/14', [ 'JSESSIONID', 'status-429' ] ],
    [ 502, 'GET', '/app/15', [ 'JSESSIONID', 'status-302' ] ],
    [ 502, 'GET', '/app/16', [ 'JSESSIONID', 'lack-X-User' ] ],
    [ 502, 'GET', '/app/17', [ 'JSESSIONID', 'babble' ] ],
    [ 503, 'GET', '/app/18', [ 'JSESSIONID', 'status-500' ] ],
    [ 503, 'POST', '/app/19', [ 'JSESSIONID', 'close' ], 'a body' ],
    [ 503, 'GET', '/nobody', $USER ],
    [ 200, 'GET', '/said', $USER ],
    [ 401, 'GET', '/said' ],
    [ 200, 'GET', '/again/x', $USER ],
    [ 200, 'GET', '/try/x', $CRUMB ],
    [ 200, 'GET', '/page', $STRANGER ],
    [ 200, 'GET', '/ssi', $USER ],
    [ 200, 'GET', '/ssi' ],
    [ 200, 'GET', '/mirror', $USER ],
    [ 200, 'GET', '/any', $USER ],
    [ 413, 'POST', '/app/20', [ @$USER, 'Content-Length', 2_000_000,
            'Connection', 'close' ] ],
    [ 404, 'GET', '/absent', $USER ],
    [ 200, 'GET', '/status' ]);

sub ask {
    my ($client, $n) = @_;
    my ($status, $method, $path, $headers, $body) = @{ $KINDS[$n % @KINDS] };
    my $i = 0;
    my @pairs = map { $i++ % 2 ? $_ : lc } @{ $headers // [] };
    my $answer = $client->ask($method, $path, \@pairs, $body);
    my $is = $answer ? $answer->{status} : 'nothing';
    return $is eq $status ? () : ("$method $path: $is, not $status");
}

# Leaves before the answer.
sub leave {
    my ($n) = @_;
    Client->new($PORT)->write_bytes(Client::request_bytes('GET',
            $n % 2 ? '/app' : '/ssi', $n % 3 ? $USER : []));
    return;
}

sub run_client {
    my ($first, $count) = @_;
    my $http1 = Client->new($PORT);
    my $http2 = Client->new($PORT2, http2 => 1);
    my @wrong;
    for my $n ($first .. $first + $count - 1) {
        $http1 = Client->new($PORT) if $n % 97 == 0;
        $http2 = Client->new($PORT2, http2 => 1) if $n % 89 == 0;
        my $is_http2 = $n % 10 == 0
            && !grep { /^Connection|^Content-Length/ }
            @{ $KINDS[$n % @KINDS][3] // [] };
        leave($n) if $n % 50 == 0;
        push @wrong, ask($is_http2 ? $http2 : $http1, $n);
    }
    return @wrong;
}

# Many requests by several clients at once; what went wrong.
sub run_clients {
    my ($count) = @_;
    my @pipes = map {
        my $first = $_ * 11;
        open my $pipe, '-|' // die "fork: $!\n" or do {
            print map { "$_\n" } run_client($first, $count / $CLIENTS);
            close STDOUT;
            POSIX::_exit(0);
        };
        $pipe;
    } 1 .. $CLIENTS;
    return map { my @lines = <$_>; close $_; @lines } @pipes;
}

# What no file is behind, in KB.
sub memory_of {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/statm" or return 0;
    my (undef, $resident, $shared) = split ' ', <$in>;
    return ($resident - $shared) * POSIX::sysconf(POSIX::_SC_PAGESIZE()) / 1024;
}

sub check_memory {
    open my $in, '<', Test::Nginx::Util::server_root() . '/logs/nginx.pid'
        or die "pid: $!\n";
    chomp(my $master = <$in>);
    my @workers = children($master);
    is(scalar @workers, 2, 'two workers');
    my (%memory, %wrong);
    for (1 .. $PARTS) {
        $wrong{$_}++ for run_clients($REQUESTS / $PARTS);
        push @{ $memory{$_} }, memory_of($_) for @workers;
    }
    is(join('', map { "$wrong{$_} times $_" } sort keys %wrong), '',
        "$REQUESTS requests are answered as they should");
    for my $worker (@workers) {
        my @kb = @{ $memory{$worker} };
        Test::More::note("a worker's memory: @kb KB");
        cmp_ok($kb[-1] - $kb[1], '<=', $GROWTH_KB, "it is flat: @kb KB")
            if !$ENV{IDENTGW_CHECKER};
    }
    is_deeply([ children($master) ], \@workers, 'they are the same workers');
}

master_on();
workers(2);
worker_connections(256);
log_level('crit');
no_long_string();
run_tests();

__DATA__

=== TEST 1: requests of all kinds
--- http_config eval: $::HttpConfig
--- config
--- check: memory
--- timeout: 1800
--- no_error_log
[alert]
[emerg]
