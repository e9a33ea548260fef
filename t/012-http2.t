# The same over HTTP/2.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

# Test::Nginx writes "http2 on;" from 1.19.9, nginx reads it from 1.25.1.
my $version = \&Test::Nginx::Util::get_nginx_version;
no warnings 'redefine';
*Test::Nginx::Util::get_nginx_version = sub () {
    my $is = $version->();
    return $is < 1.025001 && $is > 1.019008 ? 1.019008 : $is;
};

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: in, out, and anonymous
--- http2
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
--- request eval
["GET /app", "GET /app", "GET /optional", "GET /app"]
--- more_headers eval
["jsessionid: ok-two\nX-User: admin", "X-User: admin", "X-User: admin",
 "Cookie: a=1; JSESSIONID=ok-crumb; b=2"]
--- error_code eval
[200, 401, 200, 200]
--- response_body_like eval
["^HTTP_AUTHORIZATION=Bearer token.of.two\n.*HTTP_X_USER=two\nREQUEST_METHOD=GET\n\$",
 "^Please go to login...\n\$", "^.*REQUEST_METHOD=GET\n\$",
 "HTTP_COOKIE=a=1; b=2\n.*HTTP_X_USER=crumb\n"]
--- response_body_unlike eval
["admin", "admin", "admin", "ok-crumb"]
--- response_headers eval
["!Identgw-Reason", "Identgw-Reason: no_session\nCache-Control: no-store\nWWW-Authenticate: Session realm=\"identgw\"", "", ""]
--- no_error_log
[error]
[alert]



=== TEST 2: HEAD
A refused POST is in 031-ways.t: after the stream's reset curl 7.88 may drop the answer.
--- http2
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
HEAD /app
--- error_code: 401
--- response_headers
Identgw-Reason: no_session
Content-Length: 22
--- response_body:
--- no_error_log
[error]
[alert]



=== TEST 3: folded names, both permissive directives
--- http2
--- config
underscores_in_headers on;
ignore_invalid_headers off;
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-folded
X_User: admin
X.User: admin
x!email: admin
--- response_body_like: HTTP_X_EMAIL=folded@example.org\nHTTP_X_FIRST_NAME=First folded\nHTTP_X_USER=folded\nREQUEST_METHOD=GET\n$
--- response_body_unlike: admin
--- no_error_log
[error]



=== TEST 4: the question is clean here, too
--- http2
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["POST /app?x=1\nbody", "GET /questions?ok-h2"]
--- more_headers eval
["JSESSIONID: ok-h2\nX-Other: other\nRange: bytes=0-1\nUser-Agent: the agent", ""]
--- response_body_like eval
["HTTP_X_USER=h2\nREQUEST_METHOD=POST\n\nbody\$",
"^== authenticate
FCGI_ROLE=RESPONDER
HTTP_HOST=[^\n]+
HTTP_JSESSIONID=ok-h2
HTTP_USER_AGENT=the agent
HTTP_X_REQUEST_ID=([0-9a-f]{32})
QUERY_STRING=
REQUEST_ID=\\1
REQUEST_METHOD=GET
REQUEST_URI=/.identgw/authenticate
\$"]
--- no_error_log
[error]



=== TEST 5: satisfy any, where nobody lets the request in
--- http2
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    satisfy any;
    deny all;
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /app"]
--- more_headers eval
["x-user: mallory", "jsessionid: ok-alice"]
--- error_code eval
[401, 200]
--- response_body_like eval
["^Please go to login...\n\$", "HTTP_X_USER=alice\n"]
--- response_headers eval
["Identgw-Reason: no_session\nWWW-Authenticate: Session realm=\"identgw\"", ""]
--- no_error_log
[error]
[alert]
