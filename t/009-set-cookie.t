# Which cookies reach the client.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: Set-Cookie of the authenticate answer reaches the client that asked
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_ANSWER "Set-Cookie: JSESSIONID=renewed; Path=/|Set-Cookie: other=1";
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 5]
--- more_headers eval
["JSESSIONID: ok-renewed", "JSESSIONID: unknown", "JSESSIONID: status-403",
 "JSESSIONID: status-500", ""]
--- error_code eval
[200, 401, 403, 503, 401]
--- raw_response_headers_like eval
[("Set-Cookie: JSESSIONID=renewed; Path=/\r\nSet-Cookie: other=1\r\n") x 4, ""]
--- raw_response_headers_unlike eval
[("\x00") x 4, "Set-Cookie"]
--- no_error_log
[alert]



=== TEST 2: an upstream cannot set the session's cookie
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    fastcgi_param PEER_ANSWER "Set-Cookie: a=JSESSIONID=1|Set-Cookie: JSESSIONID=stolen; Path=/|set-cookie: JSESSIONID = stolen|Set-Cookie: jsessionid=other|Set-Cookie: JSESSIONIDX=1|Set-Cookie: JSESSIONID";
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-upstream
--- raw_response_headers_like: Set-Cookie: a=JSESSIONID=1\r\nSet-Cookie: jsessionid=other\r\nSet-Cookie: JSESSIONIDX=1\r\nSet-Cookie: JSESSIONID\r\n
--- raw_response_headers_unlike: stolen
--- error_log
identgw: the upstream's Set-Cookie "JSESSIONID" has the session's name and was removed; give its cookie another name
--- no_error_log
[error]



=== TEST 3: nor to somebody anonymous, nor by X-Accel-Redirect into an open location
--- config
include $TEST_NGINX_CONF/idp.conf;
location /optional {
    identgw optional;
    fastcgi_param PEER_ANSWER "Set-Cookie: JSESSIONID=stolen|Set-Cookie: b=2";
    include $TEST_NGINX_CONF/echo.conf;
}
location /redirected {
    identgw on;
    fastcgi_param PEER_ANSWER "Set-Cookie: JSESSIONID=stolen|Set-Cookie: b=2|X-Accel-Redirect: /open";
    include $TEST_NGINX_CONF/echo.conf;
}
location /open {
    return 200 "open\n";
}
--- request eval
["GET /optional", "GET /redirected"]
--- more_headers eval
["", "JSESSIONID: ok-accel"]
--- error_code eval
[200, 200]
--- response_headers eval
["Set-Cookie: b=2", "Set-Cookie: b=2"]
--- no_error_log
[error]



=== TEST 4: where identgw is off, as before a login, it can
--- config
include $TEST_NGINX_CONF/idp.conf;
location /login {
    identgw off;
    fastcgi_param PEER_ANSWER "Set-Cookie: JSESSIONID=new|JSESSIONID: new";
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /login
--- response_headers
Set-Cookie: JSESSIONID=new
JSESSIONID: new
--- no_error_log
[error]
[warn]



=== TEST 5: the page of a refusal is the provider's to make, cookie and all
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_signin off;
    error_page 401 /login;
    include $TEST_NGINX_CONF/echo.conf;
}
location /login {
    fastcgi_param PEER_ANSWER "Set-Cookie: JSESSIONID=; Max-Age=0|Cache-Control: public|X-Request-Id: other";
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_headers
Set-Cookie: JSESSIONID=; Max-Age=0
Cache-Control: no-store
--- raw_response_headers_unlike: X-Request-Id: other
--- no_error_log
[error]
[warn]



=== TEST 6: a redirect inside the gateway does not send them twice
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_ANSWER "Set-Cookie: JSESSIONID=renewed";
    include $TEST_NGINX_CONF/peer.conf;
}
identgw_authenticate /idp/authenticate;
location /app {
    identgw on;
    try_files /nothing /second;
}
location /second {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-sent-once
--- response_headers
Set-Cookie: JSESSIONID=renewed
--- no_error_log
[error]
