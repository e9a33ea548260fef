# "satisfy any" and "satisfy all" with allow, deny, auth_basic and auth_request:
# who gets in is the same with every mixture, and who does not is told where to
# sign in.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

our $Basic = <<'CONF';
auth_basic staff;
auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/passwords;
CONF

# What a request comes with, and what each of them has to show for it.
our @CREDENTIALS = (
    [ '', 0, 0 ],
    [ 'JSESSIONID: ok-alice', 1, 0 ],
    [ 'JSESSIONID: unknown', 0, 0 ],
    [ 'Authorization: Basic YmFzaWM6cHc=', 0, 1 ],
    [ 'Authorization: Basic YmFzaWM6d3Jvbmc=', 0, 0 ],
    [ "JSESSIONID: ok-alice\nAuthorization: Basic YmFzaWM6cHc=", 1, 1 ],
    [ "JSESSIONID: unknown\nAuthorization: Basic YmFzaWM6cHc=", 0, 1 ],
    [ "JSESSIONID: ok-alice\nAuthorization: Basic YmFzaWM6d3Jvbmc=", 1, 0 ]);

# name => [lets the address in or not or has no opinion, asks for a password]
our %PLACES = (allow => [ 1, 0 ], deny => [ 0, 0 ], basic => [ undef, 1 ],
    'allow-basic' => [ 1, 1 ], 'deny-basic' => [ 0, 1 ]);
our @PLACES = sort keys %PLACES;

our $Config = 'include $TEST_NGINX_CONF/idp.conf;' . join '', map {
    my ($place, $how) = @$_;
    my ($allows, $asks) = @{ $PLACES{$place} };
    my $rule = !defined $allows ? '' : $allows ? 'allow all;' : 'deny all;';
    "location /$how/$place { satisfy $how; identgw on; $rule "
        . ($asks ? $Basic : '') . 'include $TEST_NGINX_CONF/echo.conf; }' . "\n"
} map { my $place = $_; map { [ $place, $_ ] } qw(any all) } @PLACES;

# The status for a request with that credential there.
sub status_of {
    my ($how, $place, $credential) = @_;
    my (undef, $session, $password) = @$credential;
    my ($allows, $asks) = @{ $PLACES{$place} };
    my @said = ($session, $asks ? $password : (), $allows // ());
    return 200 if $how eq 'any' && grep { $_ } @said;
    return 200 if $how eq 'all' && !grep { !$_ } @said;
    return 401 if $how eq 'any' || !$session;
    return defined $allows && !$allows && (!$asks || $password) ? 403
        : $asks && !$password ? '40[13]' : 403;
}

our @Mixtures = map { my $place = $_; map { [ $place, $_ ] } @CREDENTIALS }
    @PLACES;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: satisfy any: one of them is enough, a session makes an identity, and a 401 is the sign-in answer
--- user_files
>>> passwords
basic:{PLAIN}pw
--- config eval: $::Config
--- pipelined_requests eval
[map { "GET /any/$_->[0]" } @::Mixtures]
--- more_headers eval
[map { "X-User: mallory\n$_->[1][0]" } @::Mixtures]
--- error_code eval
[map { main::status_of('any', @$_) } @::Mixtures]
--- response_body_like eval
[map { my $in = main::status_of('any', @$_) == 200;
    !$in ? '^Please go to login...\n\z'
        : $_->[1][1] ? '^HTTP_AUTHORIZATION=Bearer token.of.alice\n.*HTTP_X_USER=alice\nREQUEST_METHOD=GET\n\z'
        : '^REQUEST_METHOD=GET\n\z' } @::Mixtures]
--- response_headers eval
[map { my $in = main::status_of('any', @$_) == 200;
    my $asks = $::PLACES{$_->[0]}[1];
    $in ? "!WWW-Authenticate\n!Identgw-Reason"
        : 'Identgw-Reason: ' . ($_->[1][0] =~ /unknown/ ? 'denied' : 'no_session')
        . "\nCache-Control: no-store\nContent-Type: text/plain\nWWW-Authenticate: "
        . ($asks ? 'Basic realm="staff", ' : '') . 'Session realm="identgw"'
    } @::Mixtures]
--- no_error_log
[alert]
[crit]



=== TEST 2: satisfy all: all of them are needed
--- user_files
>>> passwords
basic:{PLAIN}pw
--- config eval: $::Config
--- pipelined_requests eval
[map { "GET /all/$_->[0]" } @::Mixtures]
--- more_headers eval
[map { "X-User: mallory\n$_->[1][0]" } @::Mixtures]
--- error_code_like eval
[map { '^' . main::status_of('all', @$_) . '$' } @::Mixtures]
--- response_body_like eval
[map { main::status_of('all', @$_) eq 200 ? '^HTTP_AUTHORIZATION=Bearer token.of.alice\n.*HTTP_X_USER=alice\nREQUEST_METHOD=GET\n\z'
        : $_->[1][1] ? '40[13] (Forbidden|Authorization Required)'
        : '^Please go to login...\n\z' } @::Mixtures]
--- no_error_log
[alert]
[crit]



=== TEST 3: the body of who nobody lets in is drained, the connection goes on
--- user_files
>>> passwords
basic:{PLAIN}pw
--- config eval: $::Config
--- pipelined_requests eval
["POST /any/deny-basic\n" . 'b' x 200_000, "GET /any/deny",
 "GET /any/deny-basic"]
--- more_headers eval
["", "JSESSIONID: ok-alice", ""]
--- error_code eval
[401, 200, 401]
--- response_body_like eval
["^Please go to login...\n\\z", "HTTP_X_USER=alice", "^Please go to login...\n\\z"]
--- no_error_log
[alert]
[crit]



=== TEST 4: browsers are sent to the sign-in page, once nobody lets them in
--- user_files
>>> passwords
basic:{PLAIN}pw
--- config eval
"include \$TEST_NGINX_CONF/idp.conf;
location /login { return 200 'page'; }
location /app {
    satisfy any;
    identgw on;
    identgw_signin /login redirect;
    $::Basic
    include \$TEST_NGINX_CONF/echo.conf;
}"
--- request eval
["GET /app?a=b", "GET /app", "GET /app"]
--- more_headers eval
["Accept: text/html", "Accept: text/html\nAuthorization: Basic YmFzaWM6cHc=",
 "Accept: */*"]
--- error_code eval
[302, 200, 401]
--- response_headers eval
["Location: http://localhost:$ENV{TEST_NGINX_SERVER_PORT}/login?return_to=/app%3Fa%3Db\nIdentgw-Reason: no_session",
 "!Location", "!Location"]
--- no_error_log
[alert]



=== TEST 5: identgw_signin off leaves the page to error_page
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin off;
location /app {
    satisfy any;
    deny all;
    identgw on;
    error_page 401 /page;
    include $TEST_NGINX_CONF/echo.conf;
}
location /bare {
    satisfy any;
    deny all;
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location = /page {
    return 200 "the page\n";
}
--- request eval
["GET /app", "GET /bare"]
--- error_code eval
[401, 401]
--- response_body_like eval
["^the page\n\\z", "401 Authorization Required"]
--- response_headers eval
[("Identgw-Reason: no_session\nWWW-Authenticate: Session realm=\"identgw\"") x 2]
--- no_error_log
[alert]



=== TEST 6: what is no missing session is not answered with where to sign in
--- user_files
>>> passwords
basic:{PLAIN}pw
--- config eval
"include \$TEST_NGINX_CONF/idp.conf;
location /app {
    satisfy any;
    identgw on;
    $::Basic
    include \$TEST_NGINX_CONF/echo.conf;
}
location /optional {
    satisfy any;
    identgw optional;
    $::Basic
    include \$TEST_NGINX_CONF/echo.conf;
}
location /off {
    satisfy any;
    $::Basic
    include \$TEST_NGINX_CONF/echo.conf;
}"
--- request eval
["GET /app", "GET /app", "GET /app", "POST /app", "GET /optional", "GET /off",
 "GET /optional"]
--- more_headers eval
["JSESSIONID: status-403", "JSESSIONID: status-500", "JSESSIONID: status-302",
 "Cookie: JSESSIONID=ok-alice\nSec-Fetch-Site: cross-site",
 "", "", "JSESSIONID: ok-alice"]
--- error_code eval
[401, 503, 502, 401, 401, 401, 200]
--- response_body_unlike eval
[("Please go to login") x 7]
--- response_headers eval
["Identgw-Reason: forbidden", "Identgw-Reason: idp_unavailable",
 "Identgw-Reason: idp_invalid", "Identgw-Reason: cross_site",
 ("!Identgw-Reason\nWWW-Authenticate: Basic realm=\"staff\"") x 2, ""]
--- no_error_log
[alert]
[crit]



=== TEST 7: with auth_request beside
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /says-yes {
    internal;
    return 204;
}
location = /says-no {
    internal;
    return 401;
}
location /yes {
    satisfy any;
    identgw on;
    auth_request /says-yes;
    include $TEST_NGINX_CONF/echo.conf;
}
location /no {
    satisfy any;
    identgw on;
    auth_request /says-no;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /yes", "GET /no", "GET /no", "POST /no\nabc"]
--- more_headers eval
["X-User: mallory", "X-User: mallory", "JSESSIONID: ok-alice", ""]
--- error_code eval
[200, 401, 200, 401]
--- response_body_like eval
["^REQUEST_METHOD=GET\n\\z", "^Please go to login...\n\\z", "HTTP_X_USER=alice\n",
 "^Please go to login...\n\\z"]
--- no_error_log
[alert]
[crit]



=== TEST 8: levels: satisfy of the server, protection of a nested location
--- http_config
satisfy any;
--- config
include $TEST_NGINX_CONF/idp.conf;
deny all;
location /outer {
    location /outer/app {
        identgw on;
        include $TEST_NGINX_CONF/echo.conf;
    }
}
location /open {
    allow all;
    try_files /absent @app;
}
location @app {
    allow all;
    satisfy all;
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /outer/app", "GET /outer/app", "GET /open"]
--- more_headers eval
["", "JSESSIONID: ok-alice", ""]
--- error_code eval
[401, 200, 401]
--- response_body_like eval
["^Please go to login...\n\\z", "HTTP_X_USER=alice", "^Please go to login...\n\\z"]
--- no_error_log
[alert]
