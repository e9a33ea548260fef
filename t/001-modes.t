# Modes, and what each answer of the identity provider becomes.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: with a valid session the upstream gets the identity
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-alice
--- error_code: 200
--- response_body
HTTP_AUTHORIZATION=Bearer token.of.alice
HTTP_X_EMAIL=alice@example.org
HTTP_X_FIRST_NAME=First alice
HTTP_X_USER=alice
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 2: without a session there is a 401 with the sign-in text
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_headers
Identgw-Reason: no_session
Cache-Control: no-store
WWW-Authenticate: Session realm="identgw"
Content-Type: text/plain
--- raw_response_headers_like: X-Request-Id: [0-9a-f]{32}\r\n
--- response_body
Please go to login...
--- no_error_log
[error]



=== TEST 3: a session that the provider does not know is denied
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: unknown
--- error_code: 401
--- response_headers
Identgw-Reason: denied
--- response_body
Please go to login...
--- no_error_log
[error]



=== TEST 4: off asks nobody and sets nothing
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw off;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-off
--- error_code: 200
--- response_body
HTTP_JSESSIONID=ok-off
REQUEST_METHOD=GET
--- no_error_log
[error]
http subrequest



=== TEST 5: optional lets a request without a session in as anonymous
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw optional;
    fastcgi_param REASON $identgw_reason;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 200
--- response_body
REASON=anonymous
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 6: optional withholds an id that is no session, with pass_session too
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw optional;
    identgw_pass_session on;
    fastcgi_param REASON $identgw_reason;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /app?1", "GET /app?2", "GET /app?3"]
--- more_headers eval
["JSESSIONID: unknown", "Cookie: a=1; JSESSIONID=unknown; b=2",
 "JSESSIONID: one\nJSESSIONID: two"]
--- response_body eval
["REASON=anonymous\nREQUEST_METHOD=GET\n",
 "HTTP_COOKIE=a=1; b=2\nREASON=anonymous\nREQUEST_METHOD=GET\n",
 "REASON=anonymous\nREQUEST_METHOD=GET\n"]
--- no_error_log
[error]



=== TEST 7: optional identifies a request with a valid session
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw optional;
    fastcgi_param REASON $identgw_reason;
    fastcgi_param NAME $identgw_user;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-opt
--- response_body
HTTP_AUTHORIZATION=Bearer token.of.opt
HTTP_X_EMAIL=opt@example.org
HTTP_X_FIRST_NAME=First opt
HTTP_X_USER=opt
NAME=opt
REASON=ok
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 8: the status map
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
[map { "GET /app" } 1 .. 16]
--- more_headers eval
[map { "JSESSIONID: status-$_" }
 qw(200 204 299 300 302 304 400 401 403 404 410 429 500 502 503 599)]
--- error_code eval
[200, 200, 200, 502, 502, 502, 502, 401, 403, 502, 502, 429, 503, 503, 503,
 503]
--- response_headers eval
[("") x 3, ("Identgw-Reason: idp_invalid\nCache-Control: no-store") x 4,
 "Identgw-Reason: denied\nCache-Control: no-store",
 "Identgw-Reason: forbidden\nCache-Control: no-store",
 ("Identgw-Reason: idp_invalid\nCache-Control: no-store") x 2,
 "Identgw-Reason: throttled\nCache-Control: no-store",
 ("Identgw-Reason: idp_unavailable\nRetry-After: 5\nCache-Control: no-store")
 x 4]
--- no_error_log
[alert]
[crit]



=== TEST 9: optional is stopped by everything but a missing session
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
[map { "GET /app" } 1 .. 7]
--- more_headers eval
[map { "JSESSIONID: $_" }
 qw(status-401 status-403 status-429 status-500 status-404 lack-X-User close)]
--- error_code eval
[200, 403, 429, 503, 502, 502, 503]
--- no_error_log
[alert]
[crit]



=== TEST 10: 429 keeps the provider's Retry-After
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_ANSWER "Retry-After: 17";
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /app", "GET /app", "GET /app"]
--- more_headers eval
["JSESSIONID: status-429", "JSESSIONID: status-503", "JSESSIONID: status-403"]
--- error_code eval
[429, 503, 403]
--- response_headers eval
["Retry-After: 17", "Retry-After: 17", "!Retry-After"]
--- no_error_log
[alert]



=== TEST 11: no connection to the provider is 503, never 401
--- config
location = /.identgw/authenticate {
    internal;
    fastcgi_pass unix:$TEST_NGINX_CONF/nobody-listens;
}
location = /.identgw/signin {
    internal;
    fastcgi_pass unix:$TEST_NGINX_CONF/nobody-listens;
}
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-alice
--- error_code: 503
--- response_headers
Identgw-Reason: idp_unavailable
Retry-After: 5
Cache-Control: no-store
--- error_log
identgw: authenticate failed with status 502



=== TEST 12: a provider that is too slow is 503
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_read_timeout 50ms;
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: slow-1000
--- error_code: 503
--- response_headers
Identgw-Reason: idp_unavailable
--- error_log
identgw: authenticate failed with status 504



=== TEST 13: a provider that goes away is 503, one that talks nonsense is 502
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
[map { "GET /app" } 1 .. 4]
--- more_headers eval
[map { "JSESSIONID: $_" } qw(close half garbage babble)]
--- error_code eval
[503, 502, 502, 502]
--- response_headers eval
["Identgw-Reason: idp_unavailable", ("Identgw-Reason: idp_invalid") x 3]
--- no_error_log
[alert]



=== TEST 14: an error page of the provider's location does not become an answer
--- config
include $TEST_NGINX_CONF/idp.conf;
error_page 401 403 500 502 503 =200 /sorry;
location = /sorry {
    return 200 "sorry\n";
}
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_intercept_errors on;
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    identgw_signin /.identgw/signin;
    error_page 418 /none;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
[map { "GET /app" } 1 .. 3]
--- more_headers eval
[map { "JSESSIONID: status-$_" } qw(401 403 500)]
--- error_code eval
[401, 403, 503]
--- no_error_log
[alert]



=== TEST 15: Unicode arrives as the bytes it is
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
[map { "GET /app" } 1 .. 3]
--- more_headers eval
[map { "JSESSIONID: value-X-First-Name=$_" }
 '%D0%98%D0%B2%D0%B0%D0%BD', '%E5%A4%AA%E9%83%8E', 'Jos%C3%A9']
--- response_body_like eval
["HTTP_X_FIRST_NAME=\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd\n",
 "HTTP_X_FIRST_NAME=\xe5\xa4\xaa\xe9\x83\x8e\n",
 "HTTP_X_FIRST_NAME=Jos\xc3\xa9\n"]
--- no_error_log
[error]



=== TEST 16: variables are empty before the verdict, then it, also in the log
--- http_config
log_format verdict 'verdict:$identgw_reason:$identgw_user:$before';
map $identgw_reason$identgw_user $before { default $identgw_reason; "" none; }
--- config
include $TEST_NGINX_CONF/idp.conf;
access_log logs/verdict.log verdict;
location /app {
    identgw on;
    set $seen "seen:$identgw_reason:";
    fastcgi_param SEEN $seen;
    fastcgi_param REASON $identgw_reason;
    fastcgi_param NAME $identgw_user;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-var
--- response_body_like: NAME=var\nREASON=ok\nREQUEST_METHOD=GET\nSEEN=seen::\n
--- no_error_log
[error]



=== TEST 17: $identgw_reason of a refusal is known to the log and to error pages
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_signin off;
    set $early "$identgw_reason";
    error_page 401 /why;
    include $TEST_NGINX_CONF/echo.conf;
}
location = /why {
    return 200 "because: $identgw_reason\n";
}
--- request
GET /app
--- error_code: 401
--- response_headers
Identgw-Reason: no_session
WWW-Authenticate: Session realm="identgw"
--- response_body
because: no_session
--- no_error_log
[error]



=== TEST 18: other identity headers, renamed ones, and their first is the user
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_identity_headers Remote-User=X-User X-Email;
location /app {
    identgw on;
    fastcgi_param NAME $identgw_user;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-renamed
Remote_User: admin
Remote-User: admin
Authorization: Basic eDp5
--- response_body
HTTP_REMOTE_USER=renamed
HTTP_X_EMAIL=renamed@example.org
NAME=renamed
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 19: the access phase comes after client_max_body_size and limit_req
--- http_config
limit_req_zone $server_name zone=one:1m rate=1r/m;
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    client_max_body_size 4;
    limit_req zone=one;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
POST /app
12345
--- error_code: 413
--- no_error_log
[alert]



=== TEST 20: in front of proxy_pass, whatever the client claims to be
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/upstream;
    location / {
        return 200 "$http_authorization|$http_x_user|$http_jsessionid|\n";
    }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    proxy_pass http://unix:$TEST_NGINX_CONF/upstream;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-proxied
X-User: admin
Authorization: Bearer forged
--- response_body
Bearer token.of.proxied|proxied||
--- no_error_log
[error]



=== TEST 21: in front of static files
--- user_files
>>> page.html
the page
--- config
include $TEST_NGINX_CONF/idp.conf;
location /page.html {
    identgw on;
}
--- pipelined_requests eval
["GET /page.html", "GET /page.html"]
--- more_headers eval
["JSESSIONID: ok-static", ""]
--- error_code eval
[200, 401]
--- response_body eval
["the page\n", "Please go to login...\n"]
--- no_error_log
[error]
