# Which session id a request carries, if any.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: header or cookie, and the header's name in any case
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 6]
--- more_headers eval
["JSESSIONID: ok-id", "jsessionid: ok-id", "Cookie: JSESSIONID=ok-id",
 "Cookie: a=b;JSESSIONID=ok-id;c=d", "Cookie:  a ;\tJSESSIONID\t= ok-id \t;",
 "cookie: a=1\nCookie: JSESSIONID=ok-id"]
--- error_code eval
[(200) x 6]
--- response_body_like eval
[("HTTP_X_USER=id\n") x 6]
--- no_error_log
[error]



=== TEST 2: no session, with cookies of similar names too
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 7]
--- more_headers eval
["", "Cookie: a=1", "Cookie: jsessionid=ok-id", "Cookie: JSESSIONID",
 "Cookie: XJSESSIONID=ok-id; JSESSIONIDX=ok-id; x=JSESSIONID=ok-id",
 "X-Jsessionid: ok-id", "Cookie: ;;;"]
--- error_code eval
[(401) x 7]
--- response_headers eval
[("Identgw-Reason: no_session") x 7]
--- no_error_log
[error]



=== TEST 3: the header alone counts, even malformed
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 3]
--- more_headers eval
["JSESSIONID: ok-header\nCookie: JSESSIONID=ok-cookie",
 "JSESSIONID: ok header\nCookie: JSESSIONID=ok-cookie",
 "JSESSIONID:\nCookie: JSESSIONID=ok-cookie"]
--- error_code eval
[200, 401, 401]
--- response_headers eval
["", "Identgw-Reason: bad_session", "Identgw-Reason: bad_session"]
--- response_body_like eval
["HTTP_X_USER=header\n", "login", "login"]
--- no_error_log
[error]



=== TEST 4: what is no id is never asked for
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 17]
--- more_headers eval
["JSESSIONID: ok-a\nJSESSIONID: ok-a", "JSESSIONID: ok-a\njsessionid: ok-b",
 "JSESSIONID: ok-" . ("a" x 510), "JSESSIONID: ok-\x01", "JSESSIONID: ok-\x7f",
 "JSESSIONID: ok-\xc3\xa9", "JSESSIONID: ok a", "JSESSIONID: ok-\ta",
 "Cookie: JSESSIONID=ok-a; JSESSIONID=ok-b",
 "Cookie: JSESSIONID=ok-a\nCookie: JSESSIONID=ok-b",
 "Cookie: JSESSIONID=", "Cookie: JSESSIONID=ok-a; JSESSIONID=",
 "Cookie: JSESSIONID=ok-\xff",
 # of a length at which bytes are looked at together
 "JSESSIONID: \x01k-" . ("a" x 40), "JSESSIONID: ok-" . ("a" x 20) . "\x7f",
 "JSESSIONID: ok-" . ("a" x 20) . " " . ("a" x 20),
 "Cookie: JSESSIONID=ok-aaaa\xe1" . ("a" x 20)]
--- error_code eval
[(401) x 17]
--- response_headers eval
[("Identgw-Reason: bad_session") x 17]
--- no_error_log
[error]
subrequest: "/.identgw/authenticate"
http subrequest "/.identgw/authenticate?"



=== TEST 5: 512 bytes, and the same cookie twice, are fine
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 3]
--- more_headers eval
["JSESSIONID: ok-" . ("a" x 509), "Cookie: JSESSIONID=ok-a; JSESSIONID=ok-a",
 "Cookie: JSESSIONID=ok-a\nCookie: x=1; JSESSIONID=ok-a"]
--- error_code eval
[(200) x 3]
--- no_error_log
[error]



=== TEST 6: another name, which CGI folds
--- config
underscores_in_headers on;
include $TEST_NGINX_CONF/idp.conf;
identgw_session_name X-My-Session;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_SESSION HTTP_X_MY_SESSION;
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
["X-My-Session: ok-named", "X_My_Session: ok-named",
 "Cookie: X-My-Session=ok-named",
 "X-My-Session: ok-named\nX_My_Session: ok-other", "JSESSIONID: ok-named"]
--- error_code eval
[200, 200, 200, 401, 401]
--- response_body_like eval
["HTTP_X_USER=named\nREQUEST_METHOD=GET\n\$",
 "HTTP_X_USER=named\nREQUEST_METHOD=GET\n\$",
 "HTTP_X_USER=named\nREQUEST_METHOD=GET\n\$", "login", "login"]
--- response_headers eval
["", "", "", "Identgw-Reason: bad_session", "Identgw-Reason: no_session"]
--- no_error_log
[error]



=== TEST 7: an id as odd as it may be arrives as it is
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_pass_session on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
Cookie: JSESSIONID=request-id!"#$%&'()*+,-./:<=>?@[\]^_`{|}~
--- response_body_like eval
quotemeta q(HTTP_COOKIE=JSESSIONID=request-id!"#$%&'()*+,-./:<=>?@[\]^_`{|}~)
--- no_error_log
[error]
