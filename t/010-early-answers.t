# What the rewrite phase answers, before nginx's access checks.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: every directive that answers needs a session, and answers with one
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on;
location /text {
    return 200 "text\n";
}
location /moved {
    return 307 /place;
}
location /url {
    return https://other.example/place;
}
location /redirect {
    rewrite ^ /place redirect;
}
location /permanent {
    rewrite ^ /place permanent;
}
location /absolute {
    rewrite ^ http://other.example/place;
}
location /if {
    if ($arg_a) {
        set $a 1;
    }
    if ($request_method = GET) {
        return 200 "text\n";
    }
}
location ~ ^/regex$ {
    return 200 "text\n";
}
location /outer {
    location /outer/inner {
        return 200 "text\n";
    }
}
location /gone {
    return 410;
}
--- request eval
[map { my $n = $_; map { "GET /$n" } 1 .. 2 }
 qw(text moved url redirect permanent absolute if regex outer/inner gone)]
--- more_headers eval
[("X-User: admin\nAuthorization: Bearer forged",
  "X-User: admin\nJSESSIONID: ok-early") x 10]
--- error_code eval
[map { (401, $_) } 200, 307, 302, 302, 301, 302, 200, 200, 200, 410]
--- response_headers eval
[map { ("!Location\nIdentgw-Reason: no_session\nCache-Control: no-store\nWWW-Authenticate: Session realm=\"identgw\"",
        "!Identgw-Reason") } 1 .. 10]
--- response_body_like eval
[map { ("^Please go to login...\n\$", $_) } "^text\n\$", "307", "302", "302",
 "301", "302", "^text\n\$", "^text\n\$", "^text\n\$", "410"]
--- no_error_log
[error]



=== TEST 2: the answer may speak of the user, and "if" may ask for the user
--- config
include $TEST_NGINX_CONF/idp.conf;
location /hello {
    identgw on;
    set $early $http_x_user;
    return 200 "$identgw_user $http_x_user $early $identgw_reason\n";
}
location /if {
    identgw on;
    if ($http_x_user != "one") {
        return 403 "not you, $identgw_user\n";
    }
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /hello", "GET /if", "GET /if"]
--- more_headers eval
["X-User: admin\nJSESSIONID: ok-one", "X-User: one\nJSESSIONID: ok-two",
 "X-User: two\nJSESSIONID: ok-one"]
--- error_code eval
[200, 403, 200]
--- response_body_like eval
["^one one one ok\n\$", "^not you, two\n\$", "HTTP_X_USER=one\n"]
--- no_error_log
[error]



=== TEST 3: optional: as a user or as nobody
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw optional;
    return 200 "[$identgw_user] $identgw_reason\n";
}
--- request eval
[("GET /") x 5]
--- more_headers eval
["X-User: admin", "X-User: admin\nJSESSIONID: ok-opt", "JSESSIONID: unknown",
 "JSESSIONID: status-403", "JSESSIONID: status-503"]
--- error_code eval
[200, 200, 200, 403, 503]
--- response_body_like eval
["^\\[\\] anonymous\n\$", "^\\[opt\\] ok\n\$", "^\\[\\] anonymous\n\$", "403", "503"]
--- no_error_log
[alert]



=== TEST 4: every outcome of the question keeps its status
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    return 200 "secret\n";
}
--- request eval
[("GET /") x 7]
--- more_headers eval
[map { "JSESSIONID: $_" } "unknown", "status-403", "status-429", "status-500",
 "status-302", "close", "lack-X-User"]
--- error_code eval
[401, 403, 429, 503, 502, 503, 502]
--- response_headers eval
[map { "Identgw-Reason: $_" } qw(denied forbidden throttled idp_unavailable
 idp_invalid idp_unavailable idp_invalid)]
--- response_body_unlike eval
[("secret") x 7]
--- no_error_log
[alert]



=== TEST 5: an address does not satisfy it
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    satisfy any;
    allow all;
    identgw on;
    return 200 "secret\n";
}
--- request eval
["GET /", "GET /"]
--- more_headers eval
["", "JSESSIONID: ok-any"]
--- error_code eval
[401, 200]
--- response_body eval
["Please go to login...\n", "secret\n"]
--- no_error_log
[error]



=== TEST 6: the body of a refused request is drained, the connection goes on
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    return 200 "to $identgw_user\n";
}
--- raw_request eval
"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" . "x" x 100000
. "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
. "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\n"
. "POST / HTTP/1.1\r\nHost: a\r\nJSESSIONID: ok-body\r\nContent-Length: 10\r\n\r\n0123456789"
. "GET / HTTP/1.1\r\nHost: a\r\nJSESSIONID: ok-last\r\nConnection: close\r\n\r\n"
--- ignore_response
--- access_log eval
qr/POST.*401.*HEAD.*401.*POST.*401.*POST.*200.*GET.*200/s
--- no_error_log
[error]



=== TEST 7: one question, however often the request is rewritten
--- config
include $TEST_NGINX_CONF/idp.conf;
location /a {
    identgw on;
    if ($arg_never) {
        return 204;
    }
    rewrite ^ /b last;
}
location /b {
    identgw on;
    if ($arg_never) {
        return 204;
    }
    try_files /nothing @c;
}
location @c {
    identgw on;
    return 200 "to $identgw_user\n";
}
--- request
GET /a
--- more_headers
JSESSIONID: ok-once
--- response_body
to once
--- grep_error_log: http subrequest "/.identgw/authenticate
--- grep_error_log_out
http subrequest "/.identgw/authenticate
--- no_error_log
[error]



=== TEST 8: error pages of open locations say nothing
--- config
include $TEST_NGINX_CONF/idp.conf;
location /open {
    error_page 404 /secret;
    return 404;
}
location /named {
    error_page 404 = @secret;
    return 404;
}
location /secret {
    identgw on;
    return 200 "secret\n";
}
location @secret {
    identgw on;
    return 200 "secret\n";
}
--- request eval
["GET /open", "GET /named", "GET /open"]
--- more_headers eval
["", "", "JSESSIONID: ok-page"]
--- error_code eval
[401, 401, 404]
--- response_body eval
["Please go to login...\n", "Please go to login...\n", "secret\n"]
--- no_error_log
[error]



=== TEST 9: subrequests inherit the verdict, or are refused
--- user_files
>>> page.html
[<!--# include virtual="/part" -->]
--- config
include $TEST_NGINX_CONF/idp.conf;
ssi on;
location = /page.html {
    identgw on;
}
location = /open.html {
    alias $TEST_NGINX_SERVER_ROOT/html/page.html;
}
location /part {
    identgw on;
    return 200 "to $identgw_user";
}
--- request eval
["GET /page.html", "GET /open.html"]
--- more_headers eval
["JSESSIONID: ok-ssi", "JSESSIONID: ok-ssi"]
--- response_body_like eval
["^\\[to ssi\\]", "403 Forbidden"]
--- no_error_log
[alert]



=== TEST 10: a preflight passes without a session and without an identity
--- config
include $TEST_NGINX_CONF/idp.conf;
location /api {
    identgw on;
    if ($request_method = OPTIONS) {
        rewrite ^ /.preflight last;
    }
    include $TEST_NGINX_CONF/echo.conf;
}
location = /.preflight {
    internal;
    identgw off;
    add_header Access-Control-Allow-Origin https://app.example;
    add_header Access-Control-Allow-Methods "GET, POST";
    add_header Seen "[$http_x_user$http_x_email$identgw_user]";
    return 204;
}
--- request eval
["OPTIONS /api", "OPTIONS /api", "GET /api", "POST /api", "OPTIONS /.preflight"]
--- more_headers eval
["Origin: https://app.example\nAccess-Control-Request-Method: POST\nX-User: admin\nX_Email: a",
 "Origin: https://app.example\nJSESSIONID: ok-preflight\nX-User: admin", "", "", ""]
--- error_code eval
[204, 204, 401, 401, 404]
--- response_headers eval
[("Access-Control-Allow-Origin: https://app.example\nSeen: []") x 2, ("!Seen") x 3]
--- grep_error_log: http subrequest "/.identgw/authenticate
--- grep_error_log_out eval
["", "", "", "", ""]
--- no_error_log
[error]



=== TEST 11: nor does one that an application answers
--- config
include $TEST_NGINX_CONF/idp.conf;
location /api {
    identgw on;
    if ($request_method = OPTIONS) {
        rewrite ^ /.preflight last;
    }
    include $TEST_NGINX_CONF/echo.conf;
}
location = /.preflight {
    internal;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
OPTIONS /api
--- more_headers
Origin: https://app.example
X-User: admin
X-Email: admin
Proxy: http://evil.example
--- response_body
HTTP_ORIGIN=https://app.example
REQUEST_METHOD=OPTIONS
--- no_error_log
[error]



=== TEST 12: with a return beside it, the preflight needs a session, too
--- config
include $TEST_NGINX_CONF/idp.conf;
location /api {
    identgw on;
    if ($request_method = OPTIONS) {
        rewrite ^ /.preflight last;
    }
    return 200 "api\n";
}
location = /.preflight {
    internal;
    return 204;
}
--- request eval
["OPTIONS /api", "OPTIONS /api", "GET /api"]
--- more_headers eval
["", "JSESSIONID: ok-pre", "JSESSIONID: ok-pre"]
--- error_code eval
[401, 204, 200]
--- no_error_log
[error]



=== TEST 13: a server's own return is open
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on;
if ($arg_plain) {
    return 301 https://$host$request_uri;
}
location / {
    return 200 "secret\n";
}
--- request eval
["GET /x?plain=1", "GET /x"]
--- error_code eval
[301, 401]
--- no_error_log
[error]



=== TEST 14: a server's own rewrite runs once where there is no location
--- config
rewrite ^/a/(.*)$ /a/x$1;
--- request
GET /a/b
--- error_code: 404
--- error_log
html/a/xb" failed
--- no_error_log
rewrite or internal redirection cycle



=== TEST 15: rewrites that do not answer ask nobody too early
--- config
include $TEST_NGINX_CONF/idp.conf;
location /a {
    identgw on;
    rewrite ^/a(.*)$ /open$1 last;
}
location /break {
    identgw on;
    rewrite ^/break(.*)$ /broken$1 break;
    include $TEST_NGINX_CONF/echo.conf;
}
location /open {
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /a", "GET /break"]
--- more_headers eval
["X-User: admin", "X-User: admin"]
--- error_code eval
[200, 401]
--- response_body eval
["REQUEST_METHOD=GET\n", "Please go to login...\n"]
--- no_error_log
[error]



=== TEST 16: the page of a refusal may be a return of a protected location
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on;
identgw_signin off;
location /app {
    error_page 401 /why;
    return 200 "secret\n";
}
location /why {
    return 200 "because $identgw_reason\n";
}
--- request eval
["GET /app", "GET /why"]
--- error_code eval
[401, 401]
--- response_body_like eval
["^because no_session\n\$", "401 Authorization Required"]
--- no_error_log
[error]



=== TEST 17: but not what that page leads to
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin off;
location /app {
    identgw on;
    error_page 401 = @page;
    include $TEST_NGINX_CONF/echo.conf;
}
location @page {
    try_files /nothing /secret;
}
location /rewritten {
    identgw on;
    error_page 401 /page;
    include $TEST_NGINX_CONF/echo.conf;
}
location /page {
    rewrite ^ /secret last;
}
location /secret {
    identgw on;
    return 200 "secret\n";
}
--- request eval
["GET /app", "GET /rewritten"]
--- error_code eval
[401, 401]
--- response_body_unlike eval
["secret", "secret"]
--- no_error_log
[error]
