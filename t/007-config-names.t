# What "nginx -t" refuses of the names of sessions and identity headers.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;
use Refused;

no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: session name 'a b'
--- config
identgw_session_name 'a b';
--- error_log
[emerg]
invalid session name "a b"



=== TEST 2: session name a=b
--- config
identgw_session_name a=b;
--- error_log
[emerg]
invalid session name "a=b"



=== TEST 3: session name 'a:b'
--- config
identgw_session_name 'a:b';
--- error_log
[emerg]
invalid session name "a:b"



=== TEST 4: session name ''
--- config
identgw_session_name '';
--- error_log
[emerg]
invalid session name ""



=== TEST 5: session name ?
--- config
identgw_session_name é;
--- error_log
[emerg]
invalid session name "é"



=== TEST 6: session name Cookie
--- config
identgw_session_name Cookie;
--- error_log
[emerg]
session name "Cookie" is a header with a meaning of its own



=== TEST 7: session name Authorization
--- config
identgw_session_name Authorization;
--- error_log
[emerg]
session name "Authorization" is a header with a meaning of its own



=== TEST 8: session name host
--- config
identgw_session_name host;
--- error_log
[emerg]
session name "host" is a header with a meaning of its own



=== TEST 9: session name X-Request-Id
--- config
identgw_session_name X-Request-Id;
--- error_log
[emerg]
session name "X-Request-Id" is a header with a meaning of its own



=== TEST 10: session name Sec-Fetch-Site
--- config
identgw_session_name Sec-Fetch-Site;
--- error_log
[emerg]
session name "Sec-Fetch-Site" is a header with a meaning of its own



=== TEST 11: session name X-Identgw-Reason
--- config
identgw_session_name X-Identgw-Reason;
--- error_log
[emerg]
session name "X-Identgw-Reason" is a header with a meaning of its own



=== TEST 12: session name Proxy
--- config
identgw_session_name Proxy;
--- error_log
[emerg]
session name "Proxy" is a header with a meaning of its own



=== TEST 13: session name Accept
--- config
identgw_session_name Accept;
--- error_log
[emerg]
session name "Accept" is a header with a meaning of its own



=== TEST 14: the session name twice
--- config
identgw_session_name A;
identgw_session_name B;
--- error_log
[emerg]
"identgw_session_name" directive is duplicate



=== TEST 15: a session name that is an identity header, even folded
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_identity_headers X-User;
identgw_session_name x_user;
location /app { identgw on; }
--- error_log
[emerg]
session name "x_user" is an identity header, too, choose another by "identgw_session_name" where "identgw" stands in



=== TEST 16: identity header Host
--- config
identgw_identity_headers Authorization Host;
--- error_log
[emerg]
"Host" cannot be an identity header



=== TEST 17: identity header Connection
--- config
identgw_identity_headers Authorization Connection;
--- error_log
[emerg]
"Connection" cannot be an identity header



=== TEST 18: identity header Content-Length
--- config
identgw_identity_headers Authorization Content-Length;
--- error_log
[emerg]
"Content-Length" cannot be an identity header



=== TEST 19: identity header Content-Type
--- config
identgw_identity_headers Authorization Content-Type;
--- error_log
[emerg]
"Content-Type" cannot be an identity header



=== TEST 20: identity header Transfer-Encoding
--- config
identgw_identity_headers Authorization Transfer-Encoding;
--- error_log
[emerg]
"Transfer-Encoding" cannot be an identity header



=== TEST 21: identity header TE
--- config
identgw_identity_headers Authorization TE;
--- error_log
[emerg]
"TE" cannot be an identity header



=== TEST 22: identity header Trailer
--- config
identgw_identity_headers Authorization Trailer;
--- error_log
[emerg]
"Trailer" cannot be an identity header



=== TEST 23: identity header Upgrade
--- config
identgw_identity_headers Authorization Upgrade;
--- error_log
[emerg]
"Upgrade" cannot be an identity header



=== TEST 24: identity header Keep-Alive
--- config
identgw_identity_headers Authorization Keep-Alive;
--- error_log
[emerg]
"Keep-Alive" cannot be an identity header



=== TEST 25: identity header Expect
--- config
identgw_identity_headers Authorization Expect;
--- error_log
[emerg]
"Expect" cannot be an identity header



=== TEST 26: identity header Cookie
--- config
identgw_identity_headers Authorization Cookie;
--- error_log
[emerg]
"Cookie" cannot be an identity header



=== TEST 27: identity header Set-Cookie
--- config
identgw_identity_headers Authorization Set-Cookie;
--- error_log
[emerg]
"Set-Cookie" cannot be an identity header



=== TEST 28: identity header Range
--- config
identgw_identity_headers Authorization Range;
--- error_log
[emerg]
"Range" cannot be an identity header



=== TEST 29: identity header If-None-Match
--- config
identgw_identity_headers Authorization If-None-Match;
--- error_log
[emerg]
"If-None-Match" cannot be an identity header



=== TEST 30: identity header If-Modified-Since
--- config
identgw_identity_headers Authorization If-Modified-Since;
--- error_log
[emerg]
"If-Modified-Since" cannot be an identity header



=== TEST 31: identity header Proxy
--- config
identgw_identity_headers Authorization Proxy;
--- error_log
[emerg]
"Proxy" cannot be an identity header



=== TEST 32: identity header Proxy-Authorization
--- config
identgw_identity_headers Authorization Proxy-Authorization;
--- error_log
[emerg]
"Proxy-Authorization" cannot be an identity header



=== TEST 33: identity header X-Forwarded-For
--- config
identgw_identity_headers Authorization X-Forwarded-For;
--- error_log
[emerg]
"X-Forwarded-For" cannot be an identity header



=== TEST 34: identity header X-Real-IP
--- config
identgw_identity_headers Authorization X-Real-IP;
--- error_log
[emerg]
"X-Real-IP" cannot be an identity header



=== TEST 35: identity header Forwarded
--- config
identgw_identity_headers Authorization Forwarded;
--- error_log
[emerg]
"Forwarded" cannot be an identity header



=== TEST 36: identity header Via
--- config
identgw_identity_headers Authorization Via;
--- error_log
[emerg]
"Via" cannot be an identity header



=== TEST 37: identity header Referer
--- config
identgw_identity_headers Authorization Referer;
--- error_log
[emerg]
"Referer" cannot be an identity header



=== TEST 38: identity header Origin
--- config
identgw_identity_headers Authorization Origin;
--- error_log
[emerg]
"Origin" cannot be an identity header



=== TEST 39: identity header Accept
--- config
identgw_identity_headers Authorization Accept;
--- error_log
[emerg]
"Accept" cannot be an identity header



=== TEST 40: identity header Accept-Encoding
--- config
identgw_identity_headers Authorization Accept-Encoding;
--- error_log
[emerg]
"Accept-Encoding" cannot be an identity header



=== TEST 41: identity header User-Agent
--- config
identgw_identity_headers Authorization User-Agent;
--- error_log
[emerg]
"User-Agent" cannot be an identity header



=== TEST 42: identity header Date
--- config
identgw_identity_headers Authorization Date;
--- error_log
[emerg]
"Date" cannot be an identity header



=== TEST 43: identity header Sec-Fetch-Site
--- config
identgw_identity_headers Authorization Sec-Fetch-Site;
--- error_log
[emerg]
"Sec-Fetch-Site" cannot be an identity header



=== TEST 44: identity header HTTP2-Settings
--- config
identgw_identity_headers Authorization HTTP2-Settings;
--- error_log
[emerg]
"HTTP2-Settings" cannot be an identity header



=== TEST 45: identity header X-Request-Id
--- config
identgw_identity_headers Authorization X-Request-Id;
--- error_log
[emerg]
"X-Request-Id" cannot be an identity header



=== TEST 46: identity header X-Accel-Redirect
--- config
identgw_identity_headers Authorization X-Accel-Redirect;
--- error_log
[emerg]
"X-Accel-Redirect" cannot be an identity header



=== TEST 47: identity header content_length
--- config
identgw_identity_headers Authorization content_length;
--- error_log
[emerg]
"content_length" cannot be an identity header



=== TEST 48: a reserved identity header by another answer name
--- config
identgw_identity_headers Host=X-User;
--- error_log
[emerg]
"Host" cannot be an identity header



=== TEST 49: identity header =X-User
--- config
identgw_identity_headers =X-User;
--- error_log
[emerg]
invalid identity header "=X-User"



=== TEST 50: identity header X-User=
--- config
identgw_identity_headers X-User=;
--- error_log
[emerg]
invalid identity header "X-User="



=== TEST 51: identity header 'X User'
--- config
identgw_identity_headers 'X User';
--- error_log
[emerg]
invalid identity header "X User"



=== TEST 52: identity header X-User=a=b
--- config
identgw_identity_headers X-User=a=b;
--- error_log
[emerg]
invalid identity header "X-User=a=b"



=== TEST 53: identity header X-User:
--- config
identgw_identity_headers X-User:;
--- error_log
[emerg]
invalid identity header "X-User:"



=== TEST 54: identity header ''
--- config
identgw_identity_headers '';
--- error_log
[emerg]
invalid identity header ""



=== TEST 55: two identity headers that CGI folds into one
--- config
identgw_identity_headers X-User X_USER;
--- error_log
[emerg]
identity headers "X-User" and "X_USER" are the same to a CGI application



=== TEST 56: the identity headers twice
--- config
identgw_identity_headers X-User;
identgw_identity_headers X-User;
--- error_log
[emerg]
"identgw_identity_headers" directive is duplicate



=== TEST 57: identity headers in a location
--- config
location /a { identgw_identity_headers X-User; }
--- error_log
[emerg]
"identgw_identity_headers" directive is not allowed here



=== TEST 58: no identity headers
--- config
identgw_identity_headers;
--- error_log
[emerg]
invalid number of arguments in "identgw_identity_headers" directive
