# No way around the access phase.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: satisfy any with allow: who is let in by address has no identity
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    satisfy any;
    allow 127.0.0.1;
    deny all;
    identgw on;
    fastcgi_param REASON $identgw_reason;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /app", "GET /app"]
--- more_headers eval
["X-User: admin\nAuthorization: Bearer forged",
 "X-User: admin\nJSESSIONID: unknown", "X-User: admin\nJSESSIONID: ok-any"]
--- error_code eval
[200, 200, 200]
--- response_body eval
["REASON=anonymous\nREQUEST_METHOD=GET\n",
 "REASON=anonymous\nREQUEST_METHOD=GET\n",
 "HTTP_AUTHORIZATION=Bearer token.of.any\nHTTP_X_EMAIL=any\@example.org\nHTTP_X_FIRST_NAME=First any\nHTTP_X_USER=any\nREASON=ok\nREQUEST_METHOD=GET\n"]
--- response_headers eval
[("!Identgw-Reason\n!WWW-Authenticate\n!Cache-Control") x 3]
--- no_error_log
[error]



=== TEST 2: satisfy any with deny: the session decides
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    satisfy any;
    deny all;
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /optional {
    satisfy any;
    deny all;
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /app", "GET /optional", "GET /optional"]
--- more_headers eval
["", "JSESSIONID: ok-denied-address", "", "JSESSIONID: ok-denied-address"]
--- error_code eval
[401, 200, 403, 200]
--- response_headers eval
["Identgw-Reason: no_session\nWWW-Authenticate: Session realm=\"identgw\"\nCache-Control: no-store",
 "", "", ""]
--- no_error_log
[alert]



=== TEST 3: satisfy all needs the address, too
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    deny all;
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-all
--- error_code: 403
--- no_error_log
[alert]



=== TEST 4: addition into a protected location: refused without a verdict
--- config
include $TEST_NGINX_CONF/idp.conf;
location /good {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /open {
    addition_types text/plain;
    add_after_body /good;
    add_header Content-Type text/plain;
    return 200 "open\n";
}
--- request eval
["GET /open", "GET /open"]
--- more_headers eval
["X-User: admin", "X-User: admin\nJSESSIONID: ok-add"]
--- response_body_unlike eval
[("HTTP_|REQUEST_METHOD") x 2]
--- response_body_like eval
[("^open\n.*403 Forbidden") x 2]
--- error_log
identgw: subrequest "/good" into a protected location refused



=== TEST 5: SSI into a protected location inherits the verdict, or is refused
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
location = /optional.html {
    identgw optional;
    alias $TEST_NGINX_SERVER_ROOT/html/page.html;
}
location /part {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /page.html", "GET /open.html", "GET /open.html", "GET /optional.html",
 "GET /optional.html"]
--- more_headers eval
["JSESSIONID: ok-ssi\nX-User: admin\nCookie: a=1; JSESSIONID=x",
 "X-User: admin", "X-User: admin\nJSESSIONID: ok-ssi",
 "X-User: admin", "X-User: admin\nJSESSIONID: ok-ssi"]
--- error_code eval
[(200) x 5]
--- response_body_like eval
["^\\[HTTP_AUTHORIZATION=Bearer token.of.ssi\nHTTP_COOKIE=a=1\nHTTP_X_EMAIL=ssi\@example.org\nHTTP_X_FIRST_NAME=First ssi\nHTTP_X_USER=ssi\nREQUEST_METHOD=GET\n\\]",
 "^\\[<html>.*403 Forbidden", "^\\[<html>.*403 Forbidden",
 "^\\[<html>.*403 Forbidden", "HTTP_X_USER=ssi\n"]
--- no_error_log
[alert]



=== TEST 6: a subrequest into an optional location without a verdict is anonymous
--- user_files
>>> page.html
[<!--# include virtual="/part" -->]
--- config
include $TEST_NGINX_CONF/idp.conf;
ssi on;
location = /page.html {
    set $early "$remote_user";
}
location /part {
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /page.html
--- more_headers
JSESSIONID: ok-part
Cookie: a=1; JSESSIONID=ok-part
Cookie: b=2
X-User: admin
Authorization: Basic ZXZpbDpwdw==
--- response_body_like: ^\[HTTP_COOKIE=a=1(?:\nHTTP_COOKIE=|; )b=2\nREQUEST_METHOD=GET\n\]\n$
--- no_error_log
[error]



=== TEST 7: a subrequest of another policy is not let in by this one
--- user_files
>>> page.html
[<!--# include virtual="/part" -->]
--- config
include $TEST_NGINX_CONF/idp.conf;
ssi on;
location = /idp/authenticate {
    internal;
    fastcgi_param PEER_ROLE authenticate;
    include $TEST_NGINX_CONF/peer.conf;
}
location = /page.html {
    identgw on;
}
location /part {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /page.html
--- more_headers
JSESSIONID: ok-policy
--- response_body_like: ^\[<html>.*403 Forbidden
--- error_log
identgw: subrequest "/part" into a protected location refused



=== TEST 8: mirror into a protected location
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    mirror /mirror;
    include $TEST_NGINX_CONF/echo.conf;
}
location /mirror {
    internal;
    identgw on;
    proxy_pass http://127.0.0.1:1;
}
--- request
GET /app
--- more_headers
X-User: admin
--- response_body
REQUEST_METHOD=GET
--- error_log
identgw: subrequest "/mirror" into a protected location refused
--- no_error_log
connect() failed



=== TEST 9: the verdict serves internal redirects and named locations: one question
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    try_files /nothing @app;
}
location @app {
    identgw on;
    error_page 418 = /final;
    proxy_intercept_errors on;
    proxy_pass http://unix:$TEST_NGINX_CONF/teapot;
}
location /final {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/teapot;
    location / {
        return 418;
    }
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-redirected
X-User: admin
Cookie: a=1; JSESSIONID=x
--- response_body
HTTP_AUTHORIZATION=Bearer token.of.redirected
HTTP_COOKIE=a=1
HTTP_X_EMAIL=redirected@example.org
HTTP_X_FIRST_NAME=First redirected
HTTP_X_USER=redirected
REQUEST_METHOD=GET
--- grep_error_log: http subrequest "/.identgw/authenticate
--- grep_error_log_out
http subrequest "/.identgw/authenticate
--- no_error_log
[error]



=== TEST 10: from an open location into a protected one, by every road
--- config
include $TEST_NGINX_CONF/idp.conf;
location /rewritten {
    rewrite ^ /app last;
}
location /tried {
    try_files /nothing /app;
}
location /named {
    try_files /nothing @app;
}
location /paged {
    error_page 404 =200 /app;
    return 404;
}
location /accelerated {
    proxy_pass http://unix:$TEST_NGINX_CONF/accel;
}
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location @app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/accel;
    location / {
        add_header X-Accel-Redirect /app;
        return 200;
    }
}
--- request eval
[(map { "GET /$_" } qw(rewritten tried named paged accelerated)) x 2]
--- more_headers eval
[("X-User: admin") x 5, ("X-User: admin\nJSESSIONID: ok-road") x 5]
--- error_code eval
[(401) x 5, (200) x 5]
--- response_body_like eval
[("^Please go to login...\n\$") x 5, ("HTTP_X_USER=road\nREQUEST_METHOD=GET\n") x 5]
--- no_error_log
[error]



=== TEST 11: a redirect into another policy asks again, with the same id
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_ANSWER "X-Other: 1";
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    try_files /nothing /second;
}
location /second {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
Cookie: JSESSIONID=ok-twice-asked
--- response_body_like: HTTP_X_USER=twice-asked\n
--- grep_error_log eval
qr{http subrequest "[^"]+}
--- grep_error_log_out
http subrequest "/.identgw/authenticate?
http subrequest "/idp/authenticate?
--- no_error_log
[error]



=== TEST 12: and an anonymous redirect into "on" is refused
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw optional;
    try_files /nothing /second;
}
location /second {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /app"]
--- more_headers eval
["", "JSESSIONID: unknown"]
--- error_code eval
[401, 401]
--- response_headers eval
["Identgw-Reason: no_session", "Identgw-Reason: denied"]
--- no_error_log
[error]



=== TEST 13: return and redirects in a protected location say nothing
--- config
include $TEST_NGINX_CONF/idp.conf;
location /secret {
    identgw on;
    return 200 "secret\n";
}
location /moved {
    identgw on;
    return 302 /secret-place;
}
location /rewritten {
    identgw on;
    rewrite ^ /secret-place redirect;
}
location /if {
    identgw on;
    if ($request_method = GET) {
        return 200 "secret\n";
    }
}
location /optional {
    identgw optional;
    return 200 "for all\n";
}
location /error {
    identgw on;
    return 404;
}
location /paged {
    identgw on;
    identgw_signin off;
    error_page 401 =200 /why;
    return 200 "secret\n";
}
location /why {
    return 200 "because: $identgw_reason\n";
}
--- request eval
[map { "GET /$_" } qw(secret moved rewritten if optional error paged)]
--- error_code eval
[401, 401, 401, 401, 200, 401, 200]
--- response_headers eval
[("Identgw-Reason: no_session\n!Location\nCache-Control: no-store") x 4, "", "", ""]
--- response_body_like eval
[("^Please go to login") x 4, "for all\n", "login", "because: no_session\n"]
--- no_error_log
[alert]



=== TEST 14: return serves once another location let the request in
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    try_files /nothing /answer;
}
location /answer {
    identgw on;
    return 200 "to $identgw_user\n";
}
--- request eval
["GET /app", "GET /app"]
--- more_headers eval
["JSESSIONID: ok-let-in", ""]
--- error_code eval
[200, 401]
--- response_body eval
["to let-in\n", "Please go to login...\n"]
--- no_error_log
[error]



=== TEST 15: the page of a refusal may be made by return, protected or not
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on;
identgw_signin off;
error_page 401 = @login;
location /app {
    include $TEST_NGINX_CONF/echo.conf;
}
location @login {
    return 302 /login;
}
--- request
GET /app
--- error_code: 302
--- raw_response_headers_like: Location: http://localhost(:\d+)?/login\r\n
--- response_headers
Identgw-Reason: no_session
Cache-Control: no-store
--- no_error_log
[error]



=== TEST 16: nginx's own redirect to the slash is no answer of the location
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app/ {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 301
--- no_error_log
[error]



=== TEST 17: if, limit_except and nested locations inherit the protection
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
    if ($arg_if) {
        set $dummy 1;
    }
    limit_except POST {
        allow all;
    }
    location /app/nested {
        include $TEST_NGINX_CONF/echo.conf;
    }
    location ~ \.php$ {
        include $TEST_NGINX_CONF/echo.conf;
    }
}
--- request eval
["GET /app", "GET /app?if=1", "PUT /app", "GET /app/nested", "GET /app/x.php"]
--- error_code eval
[(401) x 5]
--- no_error_log
[error]



=== TEST 18: odd paths end in the location that serves them
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    return 200 "open\n";
}
location /app/ {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[map { "GET $_" } qw(/app/ //app/ /app/../app/ /open/../app/x /%61pp/ /app%2f
 /./app/ /app/%2e%2e/app/ http://localhost/app/ /open/%2e%2e/app/)]
--- error_code eval
[(401) x 10]
--- no_error_log
[error]



=== TEST 19: post_action carries the verdict, or nothing
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    post_action /after;
    include $TEST_NGINX_CONF/echo.conf;
}
location /open {
    post_action /after;
    include $TEST_NGINX_CONF/echo.conf;
}
location = /after {
    identgw on;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_SESSION HTTP_X_USER;
    include $TEST_NGINX_CONF/peer.conf;
}
--- request eval
["GET /app", "GET /questions?after", "GET /open", "GET /questions?forged"]
--- more_headers eval
["JSESSIONID: ok-after", "", "X-User: forged\nJSESSIONID: ok-after2", ""]
--- error_code eval
[200, 200, 200, 200]
--- response_body_like eval
["HTTP_X_USER=after\n", "HTTP_X_USER=after\n", "REQUEST_METHOD=GET\n", "^\$"]
--- no_error_log
[alert]



=== TEST 20: auth_request beside it
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /third {
    internal;
    proxy_pass http://unix:$TEST_NGINX_CONF/third;
}
location /app {
    identgw on;
    auth_request /third;
    auth_request_set $seen $upstream_http_x_seen;
    fastcgi_param SEEN $seen;
    include $TEST_NGINX_CONF/echo.conf;
}
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/third;
    location / {
        add_header X-Seen "$http_x_user";
        return 200 "";
    }
}
--- request eval
["GET /app", "GET /app"]
--- more_headers eval
["X-User: admin\nJSESSIONID: ok-third", "X-User: admin"]
--- error_code eval
[200, 401]
--- response_body_like eval
["HTTP_X_USER=third\nREQUEST_METHOD=GET\nSEEN=third\n", "login"]
--- no_error_log
[error]
