# Whether the upstream sees the session id.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: by default the id leaves, header and cookies, and nothing else
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 11]
--- more_headers eval
["JSESSIONID: ok-gone", "Cookie: JSESSIONID=ok-gone",
 "Cookie: JSESSIONID=ok-gone; a=1", "Cookie: a=1; JSESSIONID=ok-gone",
 "Cookie: a=1;JSESSIONID=ok-gone;b=2",
 "Cookie: a=1 ;  JSESSIONID = ok-gone ; \tb=2;c",
 "Cookie: JSESSIONID=ok-gone; JSESSIONID=ok-gone; a=\"JSESSIONID=x\"; b=JSESSIONID=y",
 "Cookie: a=1\nCookie: JSESSIONID=ok-gone\nCookie: b=2; jsessionid=stays",
 "JSESSIONID: ok-gone\nCookie: JSESSIONID=another; JSESSIONID=third; JSESSIONIDX=stays",
 "JSESSIONID: ok-gone\nCookie: JSESSIONID; =x;;  a=1;",
 "JSESSIONID: ok-gone\nCookie: a=\xff\x01; b = 2 "]
--- response_body_like eval
[(map { "^HTTP_AUTHORIZATION=Bearer token.of.gone\n"
      . (@$_ ? "HTTP_COOKIE=" . (CORE::join '(?:\nHTTP_COOKIE=|; )',
                                 map { quotemeta } @$_) . "\n" : '')
      . "HTTP_X_EMAIL=gone\@example.org\nHTTP_X_FIRST_NAME=First gone\n"
      . "HTTP_X_USER=gone\nREQUEST_METHOD=GET\n\$" }
 [], [], ['a=1'], ['a=1'], ['a=1;b=2'], ["a=1 ; \tb=2;c"],
 ['a="JSESSIONID=x"; b=JSESSIONID=y'], ['a=1', 'b=2; jsessionid=stays'],
 ['JSESSIONIDX=stays'], ['JSESSIONID; =x;;  a=1;'], ["a=\xff\x01; b = 2"])]
--- no_error_log
[error]



=== TEST 2: with pass_session on everything stays as it was
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_pass_session on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /app"]
--- more_headers eval
["JSESSIONID: ok-stays", "Cookie: a=1; JSESSIONID=ok-stays ; b=2\nCookie: c=3"]
--- response_body_like eval
["\nHTTP_JSESSIONID=ok-stays\n",
 "\nHTTP_COOKIE=a=1; JSESSIONID=ok-stays ; b=2(?:\nHTTP_COOKIE=|; )c=3\n"]
--- no_error_log
[error]



=== TEST 3: nginx's own view of the cookies follows
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    set $early "$cookie_jsessionid|$http_cookie|$http_jsessionid";
    fastcgi_param EARLY $early;
    fastcgi_param LATE "$cookie_jsessionid|$http_cookie|$http_jsessionid|$cookie_b";
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-view
Cookie: a=1; JSESSIONID=ok-view
Cookie: b=2
--- response_body_like: ^EARLY=ok-view\|a=1; JSESSIONID=ok-view; b=2\|ok-view\n.*LATE=\|a=1; b=2\|\|2\n
--- no_error_log
[error]



=== TEST 4: through proxy_pass, too
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/upstream;
    location / {
        return 200 "[$http_jsessionid][$http_cookie][$http_x_user]\n";
    }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location /off {
    identgw on;
    proxy_pass http://unix:$TEST_NGINX_CONF/upstream;
}
location /on {
    identgw on;
    identgw_pass_session on;
    proxy_pass http://unix:$TEST_NGINX_CONF/upstream;
}
--- request eval
["GET /off", "GET /on"]
--- more_headers
JSESSIONID: ok-proxy
Cookie: a=1; JSESSIONID=ok-proxy
--- response_body eval
["[][a=1][proxy]\n", "[ok-proxy][a=1; JSESSIONID=ok-proxy][proxy]\n"]
--- no_error_log
[error]



=== TEST 5: who is let in without a session leaves the id behind
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    satisfy any;
    allow all;
    identgw on;
    identgw_pass_session on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: unknown
Cookie: a=1; JSESSIONID=unknown
--- response_body
HTTP_COOKIE=a=1
REQUEST_METHOD=GET
--- no_error_log
[error]



=== TEST 6: the body still arrives, byte for byte
--- config
include $TEST_NGINX_CONF/idp.conf;
client_body_buffer_size 1k;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
"PUT /app\n" . (CORE::join '', map { chr(1 + $_ % 254) } 0 .. 4999)
--- more_headers
JSESSIONID: ok-body
--- response_body_filters eval
sub { Digest::MD5::md5_hex(substr($_[0], index($_[0], "\n\n") + 2)) }
--- response_body eval
Digest::MD5::md5_hex(CORE::join '', map { chr(1 + $_ % 254) } 0 .. 4999)
--- no_error_log
[error]
