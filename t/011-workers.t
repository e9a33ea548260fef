# Several workers, users at once, clients that go away.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
master_on();
workers(2);
run_tests();

__DATA__

=== TEST 1: two users on one connection, let in and refused in turn
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /optional {
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
[("GET /app", "GET /optional", "GET /app", "GET /optional") x 5]
--- more_headers eval
[("JSESSIONID: ok-alice", "Cookie: JSESSIONID=ok-bob", "X-User: admin",
  "X-User: admin") x 5]
--- error_code eval
[(200, 200, 401, 200) x 5]
--- response_body_like eval
[("HTTP_X_USER=alice\n", "HTTP_X_USER=bob\n", "login",
  "^REQUEST_METHOD=GET\n\$") x 5]
--- no_error_log
[error]
[alert]
exited on signal



=== TEST 2: many connections, each with a user of its own
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 30]
--- more_headers eval
[map { "JSESSIONID: ok-user$_" } 1 .. 30]
--- response_body_like eval
[map { "HTTP_AUTHORIZATION=Bearer token.of.user$_\n.*HTTP_X_USER=user$_\n" }
 1 .. 30]
--- no_error_log
[error]
[alert]
exited on signal



=== TEST 3: a client that goes away while the provider thinks
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: slow-300
--- timeout: 0.1
--- abort
--- wait: 0.4
--- ignore_response
--- no_error_log
[alert]
[crit]
exited on signal



=== TEST 4: a client that goes away while its sign-in page is made
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /slow/signin {
    internal;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param HTTP_JSESSIONID slow-300;
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_signin /slow/signin;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
POST /app
a body
--- timeout: 0.1
--- abort
--- wait: 0.4
--- ignore_response
--- no_error_log
[alert]
[crit]
exited on signal



=== TEST 5: the provider that takes its time is waited for
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /app", "GET /app"]
--- more_headers eval
["JSESSIONID: slow-200", "JSESSIONID: ok-quick"]
--- response_body_like eval
["HTTP_X_USER=slow\n", "HTTP_X_USER=quick\n"]
--- no_error_log
[error]
