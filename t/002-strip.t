# Client headers that claim an identity, and what is set instead of them.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: forged identity headers do not pass, in any mode
--- config
include $TEST_NGINX_CONF/idp.conf;
location /off {
    identgw off;
    include $TEST_NGINX_CONF/echo.conf;
}
location /optional {
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
location /unset {
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /off", "GET /optional", "GET /unset"]
--- more_headers
X-User: admin
x-user: admin2
X-EMAIL: admin@example.org
X-First-Name: Admin
X-Groups: admin
x.groups: admin
X-Other: stays
Proxy: http://evil.example/
--- response_body eval
["HTTP_X_OTHER=stays\nREQUEST_METHOD=GET\n",
 "HTTP_X_OTHER=stays\nREQUEST_METHOD=GET\n",
 "HTTP_X_OTHER=stays\nREQUEST_METHOD=GET\n"]
--- no_error_log
[error]



=== TEST 2: each identity header stands once, with the provider's value
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-once
X-User: admin
X-User: admin
X-Email: admin@example.org
Authorization: Bearer forged
X-First-Name:
--- response_body
HTTP_AUTHORIZATION=Bearer token.of.once
HTTP_X_EMAIL=once@example.org
HTTP_X_FIRST_NAME=First once
HTTP_X_USER=once
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 3: an empty value sets no header, and the client's does not stand in
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: value-X-Email=
X-Email: admin@example.org
--- response_body
HTTP_AUTHORIZATION=Bearer token.of.value
HTTP_X_FIRST_NAME=First value
HTTP_X_USER=value
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 4: names that CGI takes for the same, with both permissive directives
--- config
underscores_in_headers on;
ignore_invalid_headers off;
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /off {
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /app", "GET /off"]
--- more_headers
JSESSIONID: ok-folded
X_User: admin
X.User: admin
X-User_: not the same
x_uSeR: admin
X+User: admin
X_First-Name: Admin
X-First.Name: Admin
X!Email: admin@example.org
--- response_body eval
["HTTP_AUTHORIZATION=Bearer token.of.folded
HTTP_X_EMAIL=folded\@example.org
HTTP_X_FIRST_NAME=First folded
HTTP_X_USER=folded
HTTP_X_USER_=not the same
REQUEST_METHOD=GET
",
"HTTP_JSESSIONID=ok-folded
HTTP_X_USER_=not the same
REQUEST_METHOD=GET
"]
--- no_error_log
[error]



=== TEST 5: REMOTE_USER is not the client's to choose
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    set $before "$remote_user";
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-remote
Authorization: Basic ZXZpbDpwdw==
--- response_body
HTTP_AUTHORIZATION=Bearer token.of.remote
HTTP_X_EMAIL=remote@example.org
HTTP_X_FIRST_NAME=First remote
HTTP_X_USER=remote
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 6: Authorization passes untouched where identgw is off
--- config
include $TEST_NGINX_CONF/idp.conf;
location /off {
    identgw off;
    include $TEST_NGINX_CONF/echo.conf;
}
location /optional {
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /off", "GET /optional"]
--- more_headers
Authorization: Basic ZXZpbDpwdw==
--- response_body eval
["HTTP_AUTHORIZATION=Basic ZXZpbDpwdw==\nREMOTE_USER=evil\nREQUEST_METHOD=GET\n",
 "REQUEST_METHOD=GET\n"]
--- no_error_log
[error]



=== TEST 7: auth_basic beside a session, satisfy any
--- user_files
>>> passwords
basic:{PLAIN}pw
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    satisfy any;
    identgw on;
    auth_basic "staff";
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/passwords;
    fastcgi_param REASON $identgw_reason;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /app", "GET /app", "GET /app", "GET /app"]
--- more_headers eval
["Authorization: Basic YmFzaWM6cHc=\nX-User: admin\nJSESSIONID: unknown",
 "JSESSIONID: ok-session\nAuthorization: Basic YmFzaWM6cHc=",
 "JSESSIONID: ok-session",
 "Authorization: Basic YmFzaWM6d3Jvbmc="]
--- error_code eval
[200, 200, 200, 401]
--- response_body_like eval
["^REASON=anonymous\nREQUEST_METHOD=GET\n\$",
 "^HTTP_AUTHORIZATION=Bearer token.of.session\n.*HTTP_X_USER=session\nREASON=ok\nREQUEST_METHOD=GET\n\$",
 "^HTTP_AUTHORIZATION=Bearer token.of.session\n", "Please go to login"]
--- response_headers eval
["!Identgw-Reason\n!WWW-Authenticate\n!Cache-Control", "!Identgw-Reason",
 "!Identgw-Reason", "Identgw-Reason: no_session\nCache-Control: no-store"]
--- no_error_log
[alert]



=== TEST 8: auth_basic beside a session, satisfy all needs both
--- user_files
>>> passwords
basic:{PLAIN}pw
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    auth_basic "staff";
    auth_basic_user_file $TEST_NGINX_SERVER_ROOT/html/passwords;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /app", "GET /app", "GET /app"]
--- more_headers eval
["Authorization: Basic YmFzaWM6cHc=",
 "JSESSIONID: ok-both\nAuthorization: Basic YmFzaWM6cHc=",
 "JSESSIONID: ok-both"]
--- error_code eval
[401, 200, 401]
--- response_body_like eval
["Please go to login",
 "^HTTP_AUTHORIZATION=Bearer token.of.both\n.*HTTP_X_USER=both\nREQUEST_METHOD=GET\n\$",
 "401 Authorization Required"]
--- no_error_log
[alert]



=== TEST 9: map, set, log and limit keys see no forged header either
--- http_config
map $http_x_user $who { default "user:$http_x_user"; "" nobody; }
map $http_proxy $via { default "proxy:$http_proxy"; "" direct; }
--- config
include $TEST_NGINX_CONF/idp.conf;
set $early "$http_x_user";
location /off {
    return 200 "$who $via [$early] [$http_x_user]\n";
}
--- request
GET /off
--- more_headers
X-User: admin
Proxy: evil
--- response_body
nobody direct [] []
--- no_error_log
[error]



=== TEST 10: after the verdict $http_x_user and $http_authorization are the identity
--- http_config
map $http_x_user $who { default "user:$http_x_user"; "" nobody; }
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    set $early "[$http_x_user][$http_authorization]";
    fastcgi_param EARLY $early;
    fastcgi_param USER_IS $http_x_user;
    fastcgi_param TOKEN $http_authorization;
    fastcgi_param WHO $who;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-vars
X-User: admin
Authorization: Basic ZXZpbDpwdw==
--- response_body
EARLY=[][]
HTTP_AUTHORIZATION=Bearer token.of.vars
HTTP_X_EMAIL=vars@example.org
HTTP_X_FIRST_NAME=First vars
HTTP_X_USER=vars
REQUEST_METHOD=GET
TOKEN=Bearer token.of.vars
USER_IS=vars
WHO=user:vars
--- no_error_log
[error]



=== TEST 11: a variable that the configuration sets is left alone
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    set $http_x_tenant "mine";
    set $cookie_flavor "oat";
    fastcgi_param TENANT $http_x_tenant;
    fastcgi_param FLAVOR $cookie_flavor;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-set
X-Tenant: theirs
--- response_body_like: FLAVOR=oat\n.*TENANT=mine\n
--- no_error_log
[error]
[warn]



=== TEST 12: many headers over several parts of the list
--- config
large_client_header_buffers 8 16k;
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers eval
CORE::join "\n", "JSESSIONID: ok-many", map { ("X-User: a$_", "X-Keep-$_: $_") }
    100 .. 180
--- response_body eval
CORE::join '', "HTTP_AUTHORIZATION=Bearer token.of.many\n",
    "HTTP_X_EMAIL=many\@example.org\n", "HTTP_X_FIRST_NAME=First many\n",
    (map { "HTTP_X_KEEP_$_=$_\n" } 100 .. 180), "HTTP_X_USER=many\n",
    "REQUEST_METHOD=GET\n"
--- no_error_log
[error]



=== TEST 13: nothing but forged headers leaves an empty, sound list
--- config
include $TEST_NGINX_CONF/idp.conf;
location /off {
    fastcgi_param PEER_ALL 1;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"GET /off HTTP/1.0\r\nX-User: a\r\nX-User: b\r\nProxy: c\r\n\r\n"
--- response_body_like: ^FCGI_ROLE=RESPONDER\n(?:HTTP_HOST=localhost\n)?QUERY_STRING=\nREQUEST_ID=\w+\nREQUEST_METHOD=GET\nREQUEST_URI=/off\n$
--- no_error_log
[error]



=== TEST 14: Connection cannot take an identity header away
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    proxy_pass http://unix:$TEST_NGINX_CONF/upstream;
}
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/upstream;
    location / {
        return 200 "$http_connection|$http_x_user\n";
    }
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-hop
Connection: X-User, Authorization, close
--- response_body_like: ^(?:close)?\|hop\n$
--- no_error_log
[error]



=== TEST 15: a request that nginx refuses is stripped before its error page
--- config
include $TEST_NGINX_CONF/idp.conf;
error_page 400 =200 /named;
location /named {
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"GET / HTTP/1.1\r\nX-User: admin\r\nX-Other: stays\r\nConnection: close\r\n\r\n"
--- response_body
HTTP_X_OTHER=stays
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 16: the same with a named location
--- config
include $TEST_NGINX_CONF/idp.conf;
error_page 400 =200 @named;
location @named {
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"GET / HTTP/1.1\r\nX-User: admin\r\nX-Other: stays\r\nConnection: close\r\n\r\n"
--- response_body
HTTP_X_OTHER=stays
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 17: a server without any of the directives is left alone
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/other;
    location / {
        return 200 "$http_x_user\n";
    }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location /other {
    proxy_set_header X-User "set by nginx";
    proxy_pass http://unix:$TEST_NGINX_CONF/other;
}
--- request
GET /other
--- more_headers
X-User: admin
--- response_body
set by nginx
--- no_error_log
[error]



=== TEST 18: every byte in every header, the decision stays the same
--- config
ignore_invalid_headers off;
underscores_in_headers on;
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 158]
--- more_headers eval
[map { "JSESSIONID: ok-odd\nX-Odd: $_\nUser-Agent: $_\nAccept: $_\nX-User: $_" }
 map { chr } 1 .. 9, 11, 12, 14 .. 31, 127 .. 255]
--- error_code eval
[(200) x 158]
--- response_body_like eval
[("\nHTTP_X_USER=odd\n") x 158]
--- no_error_log
[error]
[alert]



=== TEST 19: nor do the directives of its server see anything
--- http_config
map $http_x_user $who { default "user:$http_x_user"; "" nobody; }
--- config
include $TEST_NGINX_CONF/idp.conf;
set $early "$http_x_user";
error_page 400 =200 /page;
location /page {
    return 200 "$who [$early] [$http_x_user]\n";
}
--- raw_request eval
"GET / HTTP/1.1\r\nX-User: admin\r\nConnection: close\r\n\r\n"
--- response_body
nobody [] []
--- no_error_log
[error]



=== TEST 20: no road between open locations brings a header back
--- config
include $TEST_NGINX_CONF/idp.conf;
location /rewritten {
    rewrite ^ /open last;
}
location /tried {
    try_files /nothing /open;
}
location /named {
    try_files /nothing @open;
}
location /paged {
    error_page 404 =200 /open;
    return 404;
}
location /accelerated {
    proxy_pass http://unix:$TEST_NGINX_CONF/accel;
}
location /open {
    include $TEST_NGINX_CONF/echo.conf;
}
location @open {
    include $TEST_NGINX_CONF/echo.conf;
}
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/accel;
    location / {
        add_header X-Accel-Redirect /open;
        return 200;
    }
}
--- request eval
[map { "GET /$_" } qw(rewritten tried named paged accelerated)]
--- more_headers
X-User: admin
X-Other: stays
--- response_body eval
[("HTTP_X_OTHER=stays\nREQUEST_METHOD=GET\n") x 5]
--- no_error_log
[error]



=== TEST 21: who was let in keeps the identity on every road, and is asked for once
--- config
include $TEST_NGINX_CONF/idp.conf;
location /start {
    try_files /nothing /app;
}
location /app {
    identgw on;
    proxy_pass http://unix:$TEST_NGINX_CONF/accel;
}
location /open {
    try_files /nothing @open;
}
location @open {
    error_page 418 = /again;
    proxy_intercept_errors on;
    proxy_pass http://unix:$TEST_NGINX_CONF/teapot;
}
location /again {
    identgw on;
    try_files /nothing /last;
}
location /last {
    include $TEST_NGINX_CONF/echo.conf;
}
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/accel;
    location / {
        add_header X-Accel-Redirect /open;
        return 200;
    }
}
server {
    listen unix:$TEST_NGINX_CONF/teapot;
    location / {
        return 418;
    }
}
--- request
GET /start
--- more_headers
JSESSIONID: ok-round
X-User: admin
X-Email: admin@example.org
Authorization: Basic ZXZpbDpwdw==
--- response_body
HTTP_AUTHORIZATION=Bearer token.of.round
HTTP_X_EMAIL=round@example.org
HTTP_X_FIRST_NAME=First round
HTTP_X_USER=round
REQUEST_METHOD=GET
--- grep_error_log: http subrequest "/.identgw/authenticate
--- grep_error_log_out
http subrequest "/.identgw/authenticate
--- no_error_log
[error]



=== TEST 22: a name that begins with no letter goes in all its spellings, too
--- config
ignore_invalid_headers off;
underscores_in_headers on;
identgw_identity_headers Authorization _user=X-User 9-lives=X-Email;
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /off {
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /off"]
--- more_headers
JSESSIONID: ok-odd
_User: admin
-user: admin
.USER: admin
!uSer: admin
9-Lives: admin
9_lives: admin
--- response_body eval
["HTTP_9_LIVES=odd\@example.org\nHTTP_AUTHORIZATION=Bearer token.of.odd\nHTTP__USER=odd\nREQUEST_METHOD=GET\n",
 "HTTP_JSESSIONID=ok-odd\nREQUEST_METHOD=GET\n"]
--- no_error_log
[error]
