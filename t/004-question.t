# What the identity provider is asked, and what it is not told.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: the question is clean
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["POST /app?secret=1\nthe body", "GET /questions?ok-clean"]
--- more_headers eval
["Cookie: a=1; JSESSIONID=ok-clean; b=2
User-Agent: the agent
Authorization: Basic ZXZpbDpwdw==
X-User: admin
X-Request-Id: forged
X-Forwarded-For: 10.1.1.1
X-Real-IP: 10.1.1.1
X-Original-URI: /forged
X-Identgw-Reason: ok
Range: bytes=0-1
If-None-Match: *
If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT
Accept: text/html
Accept-Language: de
Accept-Encoding: gzip
Content-Type: text/plain
Origin: http://evil.example
Referer: http://evil.example/
Sec-Fetch-Site: none
X-Other: other", ""]
--- error_code eval
[200, 200]
--- response_body_like eval
["HTTP_X_USER=clean\n",
"^== authenticate
FCGI_ROLE=RESPONDER
HTTP_HOST=localhost
HTTP_JSESSIONID=ok-clean
HTTP_USER_AGENT=the agent
HTTP_X_REQUEST_ID=([0-9a-f]{32})
QUERY_STRING=
REQUEST_ID=\\1
REQUEST_METHOD=GET
REQUEST_URI=/.identgw/authenticate
\$"]
--- no_error_log
[error]



=== TEST 2: the sign-in question adds what a page is chosen by, and why it is asked
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["POST /app/%41?secret=1&b\nthe body", "GET /questions?no-such"]
--- more_headers eval
["Cookie: a=1; JSESSIONID=no-such; b=2
User-Agent: the agent
X-User: admin
X-Original-URI: /forged
X-Identgw-Hint: forged
X-Identgw-Reason: ok
Range: bytes=0-1
If-None-Match: *
Accept: text/html
Accept-Language: de
Accept-Encoding: gzip
Origin: http://evil.example
Sec-Fetch-Site: none
Sec-Fetch-Mode: navigate
Sec-Fetch-Dest: document
X-Other: other", ""]
--- error_code eval
[401, 200]
--- response_body_like eval
["^<p>Please go to login...</p>\$",
"^== authenticate
.*== signin
FCGI_ROLE=RESPONDER
HTTP_ACCEPT=text/html
HTTP_ACCEPT_LANGUAGE=de
HTTP_HOST=localhost
HTTP_JSESSIONID=no-such
HTTP_SEC_FETCH_DEST=document
HTTP_SEC_FETCH_MODE=navigate
HTTP_SEC_FETCH_SITE=none
HTTP_USER_AGENT=the agent
HTTP_X_IDENTGW_REASON=denied
HTTP_X_ORIGINAL_URI=/app/%41\\?secret=1&b
HTTP_X_REQUEST_ID=([0-9a-f]{32})
QUERY_STRING=
REQUEST_ID=\\1
REQUEST_METHOD=GET
REQUEST_URI=/.identgw/signin
\$"]
--- no_error_log
[error]



=== TEST 3: without a session nobody asks authenticate
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app/none", "GET /questions?/app/none"]
--- error_code eval
[401, 200]
--- response_body_like eval
["login", "^== signin
FCGI_ROLE=RESPONDER
HTTP_HOST=localhost
HTTP_X_IDENTGW_REASON=no_session
HTTP_X_ORIGINAL_URI=/app/none
HTTP_X_REQUEST_ID=\\w+
QUERY_STRING="]
--- no_error_log
[error]



=== TEST 4: a bearer token instead of a session is hinted at
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app/bearer", "GET /questions?/app/bearer"]
--- more_headers
Authorization: bearer some.jwt.token
--- error_code eval
[401, 200]
--- response_body_like eval
["login", "HTTP_HOST=localhost\nHTTP_X_IDENTGW_HINT=bearer\nHTTP_X_IDENTGW_REASON=no_session\n"]
--- no_error_log
[error]



=== TEST 5: the question's request id is the client request's
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    fastcgi_param PEER_ALL 1;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: request-id
--- response_body_like: HTTP_X_FIRST_NAME=([0-9a-f]{32})\n.*REQUEST_ID=\1\n
--- no_error_log
[error]



=== TEST 6: variables that the question evaluates stay its own
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param SEEN "$remote_user|$http_cookie|$cookie_a|$http_x_other|$content_length|$content_type|$args|$http_user_agent|$proxy_add_x_forwarded_for|$host";
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    fastcgi_param SEEN "$remote_user|$http_cookie|$cookie_a|$http_x_other|$content_length|$content_type|$args|$http_user_agent|$proxy_add_x_forwarded_for|$host";
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["POST /app?arg\nthe body", "GET /questions?ok-variables"]
--- more_headers eval
["Cookie: a=1
JSESSIONID: ok-variables
User-Agent: the agent
Authorization: Basic ZXZpbDpwdw==
X-Forwarded-For: 10.1.1.1
Content-Type: text/plain
X-Other: other", ""]
--- response_body_like eval
["SEEN=\\|a=1\\|1\\|other\\|8\\|text/plain\\|arg\\|the agent\\|10.1.1.1, 127.0.0.1\\|localhost\n",
"SEEN=\\|\\|\\|\\|\\|\\|\\|the agent\\|127.0.0.1\\|localhost\n"]
--- no_error_log
[error]



=== TEST 7: HTTP/1.0 without a Host
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"GET /app HTTP/1.0\r\nJSESSIONID: ok-old\r\n\r\n"
--- response_body_like: HTTP_X_USER=old\n
--- no_error_log
[error]



=== TEST 8: a body in chunks reaches the upstream, not the provider
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"POST /app HTTP/1.1\r\nHost: a\r\nJSESSIONID: ok-chunks\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
--- response_body_like: HTTP_X_USER=chunks\nREQUEST_METHOD=POST\n\nhello$
--- no_error_log
[error]



=== TEST 9: through proxy_pass
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/idp;
    location / {
        add_header Authorization "Bearer a.b.c";
        add_header X-User "$request_method $request_uri [$http_cookie]";
        add_header X-Email "[$http_range][$content_length][$http_x_forwarded_for]";
        add_header X-First-Name "$http_jsessionid";
        return 200 "";
    }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    proxy_pass http://unix:$TEST_NGINX_CONF/idp;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
POST /app
the body
--- more_headers
JSESSIONID: by-proxy
Cookie: a=1
Range: bytes=0-0
--- response_body eval
"CONTENT_LENGTH=8
HTTP_AUTHORIZATION=Bearer a.b.c
HTTP_CONTENT_LENGTH=8
HTTP_COOKIE=a=1
HTTP_RANGE=bytes=0-0
HTTP_X_EMAIL=[][][]
HTTP_X_FIRST_NAME=by-proxy
HTTP_X_USER=GET /idp/authenticate []
REQUEST_METHOD=POST

the body"
--- no_error_log
[error]
