# The 401 is complete, whatever the request was.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: the page that the provider chooses, with status 401
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/signin {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_ANSWER "Vary: Accept|Content-Language: de|Content-Security-Policy: default-src 'none'|X-User: admin|X-Accel-Expires: 10|Cache-Control: public|Identgw-Reason: ok|Set-Cookie: JSESSIONID=; Max-Age=0|ETag: a|Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT";
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_signin /idp/signin;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
Accept: text/html
--- error_code: 401
--- response_headers
Content-Type: text/html; charset=utf-8
Content-Length: 29
Vary: Accept
Content-Language: de
Content-Security-Policy: default-src 'none'
Cache-Control: no-store
Identgw-Reason: no_session
Set-Cookie: JSESSIONID=; Max-Age=0
WWW-Authenticate: Session realm="identgw"
!X-User
!ETag
!Last-Modified
!Accept-Ranges
--- response_body
<p>Please go to login...</p>
--- no_error_log
[error]
[warn]



=== TEST 2: HEAD gets the same header and no body, and GET after it the body
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["HEAD /app", "GET /app", "HEAD /app"]
--- error_code eval
[401, 401, 401]
--- response_headers eval
[("Content-Length: 22\nIdentgw-Reason: no_session\nContent-Type: text/plain") x 3]
--- response_body eval
["", "Please go to login...\n", ""]
--- no_error_log
[error]



=== TEST 3: a POST whose body is refused leaves the connection usable
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /after {
    return 200 "after\n";
}
--- pipelined_requests eval
["POST /app\n" . ("b" x 300000), "GET /after"]
--- error_code eval
[401, 200]
--- response_body eval
["Please go to login...\n", "after\n"]
--- no_error_log
[error]



=== TEST 4: chunks on their way are drained, too
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /after {
    return 200 "after\n";
}
--- raw_request eval
["POST /app HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
 "lo\r\n0\r\n\r\nGET /after HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"]
--- raw_request_middle_delay: 0.1
--- error_code: 401
--- response_body
Please go to login...
--- access_log
"GET /after HTTP/1.1" 200 6
--- no_error_log
[error]



=== TEST 5: who expects 100 Continue gets 401 at once, and only that
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    lingering_timeout 100ms;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
--- error_code: 401
--- raw_response_headers_unlike: 100 Continue
--- response_body
Please go to login...
--- no_error_log
[error]



=== TEST 6: the same with an id that the provider does not know
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    lingering_timeout 100ms;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nJSESSIONID: gone\r\nConnection: close\r\n\r\n"
--- error_code: 401
--- raw_response_headers_unlike: 100 Continue
--- response_body
Please go to login...
--- no_error_log
[error]



=== TEST 7: who is let in does get 100 Continue
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
["POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nJSESSIONID: ok-hundred\r\nConnection: close\r\n\r\n",
 "hello"]
--- raw_request_middle_delay: 0.2
--- error_code: 100
--- response_body_like: HTTP/1.1 200 OK.*HTTP_X_USER=hundred\nREQUEST_METHOD=POST\n\nhello\r\n
--- no_error_log
[error]



=== TEST 8: HTTP/1.0 and no keep-alive
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"GET /app HTTP/1.0\r\n\r\n"
--- error_code: 401
--- raw_response_headers_like: Content-Length: 22\r\n.*Connection: close\r\n
--- response_body
Please go to login...
--- no_error_log
[error]



=== TEST 9: the provider's challenges, all of them, in place of the module's
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_ANSWER 'WWW-Authenticate: Session realm="theirs"|WWW-Authenticate: Bearer';
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
JSESSIONID: gone
--- error_code: 401
--- raw_response_headers_like: WWW-Authenticate: Session realm="theirs"\r\nWWW-Authenticate: Bearer\r\n
--- raw_response_headers_unlike: realm="identgw"
--- no_error_log
[error]



=== TEST 10: a challenge of the sign-in answer
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/signin {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_ANSWER 'WWW-Authenticate: Session realm="signin"';
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_signin /idp/signin;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_headers
WWW-Authenticate: Session realm="signin"
--- no_error_log
[error]



=== TEST 11: a sign-in location that fails leaves the module's own words
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/signin {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_ANSWER "Status: 503";
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_signin /idp/signin;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /app"]
--- more_headers eval
["", "Authorization: Bearer some.jwt"]
--- error_code eval
[401, 401]
--- response_headers eval
[("Content-Type: text/plain\nIdentgw-Reason: no_session\nCache-Control: no-store\nWWW-Authenticate: Session realm=\"identgw\"") x 2]
--- response_body_like eval
['^Please go to login...
This needs a session: sign in, then send the session id as the request header
"JSESSIONID" or as the cookie of that name.
$',
'"JSESSIONID" or as the cookie of that name.
A bearer token is not a credential here.
$']
--- error_log
identgw: signin "/idp/signin" gave no answer to serve, result 0, status 503



=== TEST 12: the same when nobody listens there
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/signin {
    internal;
    fastcgi_pass unix:$TEST_NGINX_CONF/nobody-listens;
}
location /app {
    identgw on;
    identgw_signin /idp/signin;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_body_like: ^Please go to login...\nThis needs a session
--- error_log
identgw: signin "/idp/signin" gave no answer to serve



=== TEST 13: a sign-in page that does not fit its buffer is not served by halves
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/signin {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_BODY "01234567890123456789";
    subrequest_output_buffer_size 19;
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_signin /idp/signin;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_body_like: ^Please go to login...\nThis needs a session
--- error_log
identgw: the answer of "/idp/signin" is bigger than its "subrequest_output_buffer_size"
identgw: signin "/idp/signin" gave no answer to serve



=== TEST 14: and one that just fits is
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/signin {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_BODY "01234567890123456789";
    subrequest_output_buffer_size 20;
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_signin /idp/signin;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_body chop
01234567890123456789
--- no_error_log
[error]



=== TEST 15: identgw_signin off leaves the page to error_page
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_signin off;
    include $TEST_NGINX_CONF/echo.conf;
}
location /paged {
    identgw on;
    identgw_signin off;
    error_page 401 /own-page;
    include $TEST_NGINX_CONF/echo.conf;
}
location /redirected {
    identgw on;
    identgw_signin off;
    error_page 401 =302 http://login.example/;
    include $TEST_NGINX_CONF/echo.conf;
}
location = /own-page {
    return 200 "own page\n";
}
--- request eval
["GET /app", "GET /paged", "GET /redirected", "HEAD /paged"]
--- error_code eval
[401, 401, 302, 401]
--- response_headers eval
[("WWW-Authenticate: Session realm=\"identgw\"\nIdentgw-Reason: no_session\nCache-Control: no-store") x 2,
 "!WWW-Authenticate\nLocation: http://login.example/\nCache-Control: no-store",
 "Identgw-Reason: no_session"]
--- response_body_like eval
["401 Authorization Required", "^own page\n\$", "302 Found", "^\$"]
--- no_error_log
[error]



=== TEST 16: an error page that is protected does not lend its status to the 401
--- config
include $TEST_NGINX_CONF/idp.conf;
error_page 404 =200 /protected;
location /protected {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /missing {
    return 404;
}
--- request eval
["GET /missing", "GET /missing"]
--- more_headers eval
["", "JSESSIONID: ok-page"]
--- error_code eval
[401, 200]
--- response_body_like eval
["^Please go to login", "HTTP_X_USER=page\n"]
--- no_error_log
[error]



=== TEST 17: server-level error pages do not replace the sign-in answer
--- config
include $TEST_NGINX_CONF/idp.conf;
error_page 401 =200 /instead;
location = /instead {
    return 200 "instead\n";
}
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_body
Please go to login...
--- no_error_log
[error]



=== TEST 18: expires and add_header of the location do not make the 401 cacheable
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    expires 1h;
    add_header X-Own "own" always;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- error_code: 401
--- response_headers
Cache-Control: no-store
X-Own: own
!Expires
--- no_error_log
[error]



=== TEST 19: the sign-in answer passes gzip, ssi and sub filters of the location
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    gzip on;
    gzip_types text/plain;
    gzip_min_length 1;
    ssi on;
    ssi_types text/plain;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
Accept-Encoding: gzip
--- error_code: 401
--- response_body
Please go to login...
--- no_error_log
[error]



=== TEST 20: pipelined requests, refused and let in, of two users
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["POST /app\nfirst body", "GET /app", "POST /app\nsecond", "GET /app", "GET /app"]
--- more_headers eval
["JSESSIONID: gone", "JSESSIONID: ok-alice", "JSESSIONID: ok-bob", "", "JSESSIONID: ok-alice"]
--- error_code eval
[401, 200, 200, 401, 200]
--- response_body_like eval
["login", "HTTP_X_USER=alice\n", "HTTP_X_USER=bob\nREQUEST_METHOD=POST\n\nsecond\$",
 "login", "HTTP_X_USER=alice\n"]
--- no_error_log
[error]
