# A 2xx that is no verdict, and one that is.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
run_tests();

__DATA__

=== TEST 1: a header that is missing, there twice, or not what it must be
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 32]
--- more_headers eval
[map { "JSESSIONID: $_" } qw(
    lack-Authorization lack-X-User lack-X-Email lack-X-First-Name
    twice-Authorization twice-X-User twice-X-Email twice-x-first-name
    twice-X_User
    value-X-User= value-X-User=a%01b value-X-Email=a%09b
    value-X-First-Name=%7F value-X-First-Name=a%1B value-X-Email=a%0Db
    value-Authorization= value-Authorization=Bearer
    value-Authorization=Bearer%20 value-Authorization=Basic%20abc
    value-Authorization=bearer%20abc value-Authorization=Bearerabc
    value-Authorization=Bearer%20a%20b value-Authorization=Bearer%20a,b
    value-Authorization=Bearer%20%C3%A9 value-Authorization=Bearer%20a%22
    value-Authorization=Bearer%20a%01 value-Authorization=Bearer%20abc,efghijk
    value-Authorization=Bearer%20abcdefg%09ij
    value-Authorization=Bearer%20abcdefghij,
    token-0 token-4097 token-5000)]
--- error_code eval
[(502) x 32]
--- response_headers eval
[("Identgw-Reason: idp_invalid\nCache-Control: no-store") x 32]
--- no_error_log
[alert]
[crit]



=== TEST 2: the error log says what is wrong
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: lack-X-Email
--- error_code: 502
--- error_log
identgw: authenticate answer lacks an identity header (header for "X-Email")
--- no_error_log
[alert]



=== TEST 3: what is allowed
--- config
include $TEST_NGINX_CONF/idp.conf;
large_client_header_buffers 4 16k;
location /app {
    identgw on;
    fastcgi_buffer_size 16k;
    fastcgi_buffers 4 16k;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 6]
--- more_headers eval
[map { "JSESSIONID: $_" } qw(
    token-1 token-4096 value-X-Email= value-X-First-Name=
    value-X-User=%C3%A9%FF%20x value-Authorization=Bearer%20aZ09-._~+/=)]
--- error_code eval
[(200) x 6]
--- response_body_like eval
["HTTP_AUTHORIZATION=Bearer t\n",
 "HTTP_AUTHORIZATION=Bearer t{4096}\n",
 "HTTP_X_FIRST_NAME=First value\nHTTP_X_USER=value\n",
 "HTTP_X_EMAIL=value\@example.org\nHTTP_X_USER=value\n",
 "HTTP_X_USER=\xc3\xa9\xff x\n",
 "HTTP_AUTHORIZATION=Bearer aZ09-._~\\+/=\n"]
--- no_error_log
[error]



=== TEST 4: a NUL byte does not end a value
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /app
--- more_headers
JSESSIONID: value-X-User=root%00x
--- error_code: 502
--- no_error_log
[alert]



=== TEST 5: fastcgi_hide_header in the provider's location hides nothing from the gateway
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_hide_header X-User;
    fastcgi_hide_header Authorization;
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
JSESSIONID: ok-hidden
--- response_body_like: HTTP_X_USER=hidden\n
--- no_error_log
[error]



=== TEST 6: a long body of the answer is read and thrown away
--- http_config
include $TEST_NGINX_CONF/http.conf;
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_keep_conn on;
    fastcgi_pass peer;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
[("GET /app") x 4]
--- more_headers eval
["JSESSIONID: body-1000000", "JSESSIONID: body-0", "JSESSIONID: body-4096",
 "JSESSIONID: body-100000"]
--- response_body_like eval
[("^HTTP_AUTHORIZATION=Bearer token.of.body\n.*REQUEST_METHOD=GET\n\$") x 4]
--- no_error_log
[error]



=== TEST 7: the connection to the provider is kept
--- http_config
include $TEST_NGINX_CONF/http.conf;
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /idp/authenticate {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_keep_conn on;
    fastcgi_pass peer;
}
location /app {
    identgw on;
    identgw_authenticate /idp/authenticate;
    include $TEST_NGINX_CONF/echo.conf;
}
--- pipelined_requests eval
["GET /app", "POST /app\nhello", "GET /app"]
--- more_headers
JSESSIONID: count
--- error_code eval
[200, 200, 200]
--- response_body_like eval
["HTTP_X_FIRST_NAME=[1-9]\n", ("HTTP_X_FIRST_NAME=[2-9]\n") x 2]
--- no_error_log
[error]



=== TEST 8: identprov's answer is not confused with that of another subrequest
--- user_files
>>> page.html
[<!--# include virtual="/part1" -->][<!--# include virtual="/part2" -->]
--- config
include $TEST_NGINX_CONF/idp.conf;
ssi on;
location = /page.html {
    identgw on;
}
location /part1 {
    identgw on;
    fastcgi_param PEER_ANSWER "X-User: mallory|Authorization: Bearer evil|Set-Cookie: JSESSIONID=x";
    include $TEST_NGINX_CONF/echo.conf;
}
location /part2 {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /page.html
--- more_headers
JSESSIONID: ok-parts
--- response_body_like: ^\[HTTP_AUTHORIZATION=Bearer token.of.parts\n.*HTTP_X_USER=parts\nREQUEST_METHOD=GET\n\]\[HTTP_AUTHORIZATION=Bearer token.of.parts\n.*HTTP_X_USER=parts\n
--- response_headers
!Set-Cookie
--- no_error_log
[error]
