# What "nginx -t" refuses, and what is found out at the first use.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: a mode that there is not
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw maybe;
--- must_die
--- error_log
[emerg]
invalid value "maybe"
--- suppress_stderr



=== TEST 2: the mode twice
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on;
identgw off;
--- must_die
--- error_log
[emerg]
"identgw" directive is duplicate
--- suppress_stderr



=== TEST 3: a mode too many
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on off;
--- must_die
--- error_log
[emerg]
invalid number of arguments in "identgw" directive
--- suppress_stderr



=== TEST 4: identgw inside if
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app { if ($arg_a) { identgw off; } }
--- must_die
--- error_log
[emerg]
"identgw" directive is not allowed here
--- suppress_stderr



=== TEST 5: identgw inside limit_except
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app { limit_except GET { identgw off; } }
--- must_die
--- error_log
[emerg]
"identgw" directive is not allowed here
--- suppress_stderr



=== TEST 6: identgw_authenticate authenticate
--- config
identgw_authenticate authenticate;
--- must_die
--- error_log
[emerg]
invalid uri "authenticate" in "identgw_authenticate"
--- suppress_stderr



=== TEST 7: identgw_authenticate http://a/b
--- config
identgw_authenticate http://a/b;
--- must_die
--- error_log
[emerg]
invalid uri "http://a/b" in "identgw_authenticate"
--- suppress_stderr



=== TEST 8: identgw_authenticate @named
--- config
identgw_authenticate @named;
--- must_die
--- error_log
[emerg]
invalid uri "@named" in "identgw_authenticate"
--- suppress_stderr



=== TEST 9: identgw_authenticate /a?b=c
--- config
identgw_authenticate /a?b=c;
--- must_die
--- error_log
[emerg]
invalid uri "/a?b=c" in "identgw_authenticate"
--- suppress_stderr



=== TEST 10: identgw_authenticate /a#b
--- config
identgw_authenticate /a#b;
--- must_die
--- error_log
[emerg]
invalid uri "/a#b" in "identgw_authenticate"
--- suppress_stderr



=== TEST 11: identgw_authenticate /a%41
--- config
identgw_authenticate /a%41;
--- must_die
--- error_log
[emerg]
invalid uri "/a%41" in "identgw_authenticate"
--- suppress_stderr



=== TEST 12: identgw_authenticate /the uri
--- config
identgw_authenticate /$uri;
--- must_die
--- error_log
[emerg]
invalid uri "/$uri" in "identgw_authenticate"
--- suppress_stderr



=== TEST 13: identgw_authenticate /a//b
--- config
identgw_authenticate /a//b;
--- must_die
--- error_log
[emerg]
invalid uri "/a//b" in "identgw_authenticate"
--- suppress_stderr



=== TEST 14: identgw_authenticate /a/../b
--- config
identgw_authenticate /a/../b;
--- must_die
--- error_log
[emerg]
invalid uri "/a/../b" in "identgw_authenticate"
--- suppress_stderr



=== TEST 15: identgw_authenticate ''
--- config
identgw_authenticate '';
--- must_die
--- error_log
[emerg]
invalid uri "" in "identgw_authenticate"
--- suppress_stderr



=== TEST 16: identgw_authenticate '/a b'
--- config
identgw_authenticate '/a b';
--- must_die
--- error_log
[emerg]
invalid uri "/a b" in "identgw_authenticate"
--- suppress_stderr



=== TEST 17: identgw_authenticate twice
--- config
identgw_authenticate /a;
identgw_authenticate /b;
--- must_die
--- error_log
[emerg]
"identgw_authenticate" directive is duplicate
--- suppress_stderr



=== TEST 18: identgw_signin authenticate
--- config
identgw_signin authenticate;
--- must_die
--- error_log
[emerg]
invalid uri "authenticate" in "identgw_signin"
--- suppress_stderr



=== TEST 19: identgw_signin http://a/b
--- config
identgw_signin http://a/b;
--- must_die
--- error_log
[emerg]
invalid uri "http://a/b" in "identgw_signin"
--- suppress_stderr



=== TEST 20: identgw_signin @named
--- config
identgw_signin @named;
--- must_die
--- error_log
[emerg]
invalid uri "@named" in "identgw_signin"
--- suppress_stderr



=== TEST 21: identgw_signin /a?b=c
--- config
identgw_signin /a?b=c;
--- must_die
--- error_log
[emerg]
invalid uri "/a?b=c" in "identgw_signin"
--- suppress_stderr



=== TEST 22: identgw_signin /a#b
--- config
identgw_signin /a#b;
--- must_die
--- error_log
[emerg]
invalid uri "/a#b" in "identgw_signin"
--- suppress_stderr



=== TEST 23: identgw_signin /a%41
--- config
identgw_signin /a%41;
--- must_die
--- error_log
[emerg]
invalid uri "/a%41" in "identgw_signin"
--- suppress_stderr



=== TEST 24: identgw_signin /the uri
--- config
identgw_signin /$uri;
--- must_die
--- error_log
[emerg]
invalid uri "/$uri" in "identgw_signin"
--- suppress_stderr



=== TEST 25: identgw_signin /a//b
--- config
identgw_signin /a//b;
--- must_die
--- error_log
[emerg]
invalid uri "/a//b" in "identgw_signin"
--- suppress_stderr



=== TEST 26: identgw_signin /a/../b
--- config
identgw_signin /a/../b;
--- must_die
--- error_log
[emerg]
invalid uri "/a/../b" in "identgw_signin"
--- suppress_stderr



=== TEST 27: identgw_signin ''
--- config
identgw_signin '';
--- must_die
--- error_log
[emerg]
invalid uri "" in "identgw_signin"
--- suppress_stderr



=== TEST 28: identgw_signin '/a b'
--- config
identgw_signin '/a b';
--- must_die
--- error_log
[emerg]
invalid uri "/a b" in "identgw_signin"
--- suppress_stderr



=== TEST 29: identgw_signin twice
--- config
identgw_signin /a;
identgw_signin /b;
--- must_die
--- error_log
[emerg]
"identgw_signin" directive is duplicate
--- suppress_stderr



=== TEST 30: identgw_signin off and a uri
--- config
identgw_signin off;
identgw_signin /b;
--- must_die
--- error_log
[emerg]
"identgw_signin" directive is duplicate
--- suppress_stderr



=== TEST 31: authenticate cannot be off
--- config
identgw_authenticate off;
--- must_die
--- error_log
[emerg]
invalid uri "off" in "identgw_authenticate"
--- suppress_stderr



=== TEST 32: session name 'a b'
--- config
identgw_session_name 'a b';
--- must_die
--- error_log
[emerg]
invalid session name "a b"
--- suppress_stderr



=== TEST 33: session name a=b
--- config
identgw_session_name a=b;
--- must_die
--- error_log
[emerg]
invalid session name "a=b"
--- suppress_stderr



=== TEST 34: session name 'a:b'
--- config
identgw_session_name 'a:b';
--- must_die
--- error_log
[emerg]
invalid session name "a:b"
--- suppress_stderr



=== TEST 35: session name ''
--- config
identgw_session_name '';
--- must_die
--- error_log
[emerg]
invalid session name ""
--- suppress_stderr



=== TEST 36: session name ?
--- config
identgw_session_name é;
--- must_die
--- error_log
[emerg]
invalid session name "é"
--- suppress_stderr



=== TEST 37: session name Cookie
--- config
identgw_session_name Cookie;
--- must_die
--- error_log
[emerg]
session name "Cookie" is a header with a meaning of its own
--- suppress_stderr



=== TEST 38: session name Authorization
--- config
identgw_session_name Authorization;
--- must_die
--- error_log
[emerg]
session name "Authorization" is a header with a meaning of its own
--- suppress_stderr



=== TEST 39: session name host
--- config
identgw_session_name host;
--- must_die
--- error_log
[emerg]
session name "host" is a header with a meaning of its own
--- suppress_stderr



=== TEST 40: session name X-Request-Id
--- config
identgw_session_name X-Request-Id;
--- must_die
--- error_log
[emerg]
session name "X-Request-Id" is a header with a meaning of its own
--- suppress_stderr



=== TEST 41: session name Sec-Fetch-Site
--- config
identgw_session_name Sec-Fetch-Site;
--- must_die
--- error_log
[emerg]
session name "Sec-Fetch-Site" is a header with a meaning of its own
--- suppress_stderr



=== TEST 42: session name X-Identgw-Reason
--- config
identgw_session_name X-Identgw-Reason;
--- must_die
--- error_log
[emerg]
session name "X-Identgw-Reason" is a header with a meaning of its own
--- suppress_stderr



=== TEST 43: session name Proxy
--- config
identgw_session_name Proxy;
--- must_die
--- error_log
[emerg]
session name "Proxy" is a header with a meaning of its own
--- suppress_stderr



=== TEST 44: session name Accept
--- config
identgw_session_name Accept;
--- must_die
--- error_log
[emerg]
session name "Accept" is a header with a meaning of its own
--- suppress_stderr



=== TEST 45: the session name twice
--- config
identgw_session_name A;
identgw_session_name B;
--- must_die
--- error_log
[emerg]
"identgw_session_name" directive is duplicate
--- suppress_stderr



=== TEST 46: a session name that is an identity header, even folded
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_identity_headers X-User;
identgw_session_name x_user;
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
session name "x_user" is an identity header, too, where "identgw" stands in
--- suppress_stderr



=== TEST 47: identity header Host
--- config
identgw_identity_headers Authorization Host;
--- must_die
--- error_log
[emerg]
"Host" cannot be an identity header
--- suppress_stderr



=== TEST 48: identity header Connection
--- config
identgw_identity_headers Authorization Connection;
--- must_die
--- error_log
[emerg]
"Connection" cannot be an identity header
--- suppress_stderr



=== TEST 49: identity header Content-Length
--- config
identgw_identity_headers Authorization Content-Length;
--- must_die
--- error_log
[emerg]
"Content-Length" cannot be an identity header
--- suppress_stderr



=== TEST 50: identity header Content-Type
--- config
identgw_identity_headers Authorization Content-Type;
--- must_die
--- error_log
[emerg]
"Content-Type" cannot be an identity header
--- suppress_stderr



=== TEST 51: identity header Transfer-Encoding
--- config
identgw_identity_headers Authorization Transfer-Encoding;
--- must_die
--- error_log
[emerg]
"Transfer-Encoding" cannot be an identity header
--- suppress_stderr



=== TEST 52: identity header TE
--- config
identgw_identity_headers Authorization TE;
--- must_die
--- error_log
[emerg]
"TE" cannot be an identity header
--- suppress_stderr



=== TEST 53: identity header Trailer
--- config
identgw_identity_headers Authorization Trailer;
--- must_die
--- error_log
[emerg]
"Trailer" cannot be an identity header
--- suppress_stderr



=== TEST 54: identity header Upgrade
--- config
identgw_identity_headers Authorization Upgrade;
--- must_die
--- error_log
[emerg]
"Upgrade" cannot be an identity header
--- suppress_stderr



=== TEST 55: identity header Keep-Alive
--- config
identgw_identity_headers Authorization Keep-Alive;
--- must_die
--- error_log
[emerg]
"Keep-Alive" cannot be an identity header
--- suppress_stderr



=== TEST 56: identity header Expect
--- config
identgw_identity_headers Authorization Expect;
--- must_die
--- error_log
[emerg]
"Expect" cannot be an identity header
--- suppress_stderr



=== TEST 57: identity header Cookie
--- config
identgw_identity_headers Authorization Cookie;
--- must_die
--- error_log
[emerg]
"Cookie" cannot be an identity header
--- suppress_stderr



=== TEST 58: identity header Set-Cookie
--- config
identgw_identity_headers Authorization Set-Cookie;
--- must_die
--- error_log
[emerg]
"Set-Cookie" cannot be an identity header
--- suppress_stderr



=== TEST 59: identity header Range
--- config
identgw_identity_headers Authorization Range;
--- must_die
--- error_log
[emerg]
"Range" cannot be an identity header
--- suppress_stderr



=== TEST 60: identity header If-None-Match
--- config
identgw_identity_headers Authorization If-None-Match;
--- must_die
--- error_log
[emerg]
"If-None-Match" cannot be an identity header
--- suppress_stderr



=== TEST 61: identity header If-Modified-Since
--- config
identgw_identity_headers Authorization If-Modified-Since;
--- must_die
--- error_log
[emerg]
"If-Modified-Since" cannot be an identity header
--- suppress_stderr



=== TEST 62: identity header Proxy
--- config
identgw_identity_headers Authorization Proxy;
--- must_die
--- error_log
[emerg]
"Proxy" cannot be an identity header
--- suppress_stderr



=== TEST 63: identity header Proxy-Authorization
--- config
identgw_identity_headers Authorization Proxy-Authorization;
--- must_die
--- error_log
[emerg]
"Proxy-Authorization" cannot be an identity header
--- suppress_stderr



=== TEST 64: identity header X-Forwarded-For
--- config
identgw_identity_headers Authorization X-Forwarded-For;
--- must_die
--- error_log
[emerg]
"X-Forwarded-For" cannot be an identity header
--- suppress_stderr



=== TEST 65: identity header X-Real-IP
--- config
identgw_identity_headers Authorization X-Real-IP;
--- must_die
--- error_log
[emerg]
"X-Real-IP" cannot be an identity header
--- suppress_stderr



=== TEST 66: identity header Forwarded
--- config
identgw_identity_headers Authorization Forwarded;
--- must_die
--- error_log
[emerg]
"Forwarded" cannot be an identity header
--- suppress_stderr



=== TEST 67: identity header Via
--- config
identgw_identity_headers Authorization Via;
--- must_die
--- error_log
[emerg]
"Via" cannot be an identity header
--- suppress_stderr



=== TEST 68: identity header Referer
--- config
identgw_identity_headers Authorization Referer;
--- must_die
--- error_log
[emerg]
"Referer" cannot be an identity header
--- suppress_stderr



=== TEST 69: identity header Origin
--- config
identgw_identity_headers Authorization Origin;
--- must_die
--- error_log
[emerg]
"Origin" cannot be an identity header
--- suppress_stderr



=== TEST 70: identity header Accept
--- config
identgw_identity_headers Authorization Accept;
--- must_die
--- error_log
[emerg]
"Accept" cannot be an identity header
--- suppress_stderr



=== TEST 71: identity header Accept-Encoding
--- config
identgw_identity_headers Authorization Accept-Encoding;
--- must_die
--- error_log
[emerg]
"Accept-Encoding" cannot be an identity header
--- suppress_stderr



=== TEST 72: identity header User-Agent
--- config
identgw_identity_headers Authorization User-Agent;
--- must_die
--- error_log
[emerg]
"User-Agent" cannot be an identity header
--- suppress_stderr



=== TEST 73: identity header Date
--- config
identgw_identity_headers Authorization Date;
--- must_die
--- error_log
[emerg]
"Date" cannot be an identity header
--- suppress_stderr



=== TEST 74: identity header Sec-Fetch-Site
--- config
identgw_identity_headers Authorization Sec-Fetch-Site;
--- must_die
--- error_log
[emerg]
"Sec-Fetch-Site" cannot be an identity header
--- suppress_stderr



=== TEST 75: identity header HTTP2-Settings
--- config
identgw_identity_headers Authorization HTTP2-Settings;
--- must_die
--- error_log
[emerg]
"HTTP2-Settings" cannot be an identity header
--- suppress_stderr



=== TEST 76: identity header X-Request-Id
--- config
identgw_identity_headers Authorization X-Request-Id;
--- must_die
--- error_log
[emerg]
"X-Request-Id" cannot be an identity header
--- suppress_stderr



=== TEST 77: identity header X-Accel-Redirect
--- config
identgw_identity_headers Authorization X-Accel-Redirect;
--- must_die
--- error_log
[emerg]
"X-Accel-Redirect" cannot be an identity header
--- suppress_stderr



=== TEST 78: identity header content_length
--- config
identgw_identity_headers Authorization content_length;
--- must_die
--- error_log
[emerg]
"content_length" cannot be an identity header
--- suppress_stderr



=== TEST 79: a reserved identity header by another answer name
--- config
identgw_identity_headers Host=X-User;
--- must_die
--- error_log
[emerg]
"Host" cannot be an identity header
--- suppress_stderr



=== TEST 80: identity header =X-User
--- config
identgw_identity_headers =X-User;
--- must_die
--- error_log
[emerg]
invalid identity header "=X-User"
--- suppress_stderr



=== TEST 81: identity header X-User=
--- config
identgw_identity_headers X-User=;
--- must_die
--- error_log
[emerg]
invalid identity header "X-User="
--- suppress_stderr



=== TEST 82: identity header 'X User'
--- config
identgw_identity_headers 'X User';
--- must_die
--- error_log
[emerg]
invalid identity header "X User"
--- suppress_stderr



=== TEST 83: identity header X-User=a=b
--- config
identgw_identity_headers X-User=a=b;
--- must_die
--- error_log
[emerg]
invalid identity header "X-User=a=b"
--- suppress_stderr



=== TEST 84: identity header X-User:
--- config
identgw_identity_headers X-User:;
--- must_die
--- error_log
[emerg]
invalid identity header "X-User:"
--- suppress_stderr



=== TEST 85: identity header ''
--- config
identgw_identity_headers '';
--- must_die
--- error_log
[emerg]
invalid identity header ""
--- suppress_stderr



=== TEST 86: two identity headers that CGI folds into one
--- config
identgw_identity_headers X-User X_USER;
--- must_die
--- error_log
[emerg]
identity headers "X-User" and "X_USER" are the same to a CGI application
--- suppress_stderr



=== TEST 87: the identity headers twice
--- config
identgw_identity_headers X-User;
identgw_identity_headers X-User;
--- must_die
--- error_log
[emerg]
"identgw_identity_headers" directive is duplicate
--- suppress_stderr



=== TEST 88: identity headers in a location
--- config
location /a { identgw_identity_headers X-User; }
--- must_die
--- error_log
[emerg]
"identgw_identity_headers" directive is not allowed here
--- suppress_stderr



=== TEST 89: no identity headers
--- config
identgw_identity_headers;
--- must_die
--- error_log
[emerg]
invalid number of arguments in "identgw_identity_headers" directive
--- suppress_stderr



=== TEST 90: pass_session that is neither on nor off
--- config
identgw_pass_session maybe;
--- must_die
--- error_log
[emerg]
invalid value "maybe" in "identgw_pass_session" directive
--- suppress_stderr



=== TEST 91: pass_session twice
--- config
identgw_pass_session on;
identgw_pass_session on;
--- must_die
--- error_log
[emerg]
"identgw_pass_session" directive is duplicate
--- suppress_stderr



=== TEST 92: no authenticate location
--- config
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" does not exist, add it with "internal"; it is needed by "identgw" in
--- suppress_stderr



=== TEST 93: no sign-in location
--- config
location = /.identgw/authenticate { internal; }
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
location for identgw_signin "/.identgw/signin" does not exist
--- suppress_stderr



=== TEST 94: optional needs them, too
--- config
location /app { identgw optional; }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" does not exist
--- suppress_stderr



=== TEST 95: an authenticate location that is not internal
--- config
location = /.identgw/authenticate { return 204; }
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is not "internal", clients could ask it themselves
--- suppress_stderr



=== TEST 96: a prefix location that is not internal
--- config
location /.identgw/ { return 204; }
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is not "internal"
--- suppress_stderr



=== TEST 97: a regex location that is not internal
--- config
location /.identgw/ { internal; }
location ~ authenticate$ { return 204; }
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is not "internal"
--- suppress_stderr



=== TEST 98: a nested location that is itself protected
--- config
location /.identgw/ { internal; location /.identgw/auth { identgw on; } }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is itself protected
--- suppress_stderr



=== TEST 99: a regex location nested in a prefix one
--- config
location /.identgw/ { internal; location ~ auth { identgw on; } }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is itself protected
--- suppress_stderr



=== TEST 100: a sign-in location that is not internal
--- config
location = /.identgw/authenticate { internal; }
location /.identgw/signin { return 200; }
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
location for identgw_signin "/.identgw/signin" is not "internal"
--- suppress_stderr



=== TEST 101: an authenticate location that is itself protected
--- config
identgw on;
location /.identgw/ { internal; }
--- must_die
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is itself protected, add "identgw off" to it
--- suppress_stderr



=== TEST 102: a sign-in location that is itself protected
--- config
location = /.identgw/authenticate { internal; }
location = /.identgw/signin { internal; identgw optional; }
location /app { identgw on; }
--- must_die
--- error_log
[emerg]
location for identgw_signin "/.identgw/signin" is itself protected
--- suppress_stderr



=== TEST 103: a prefix location is found
--- config
location /.identgw/ { internal; fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 104: ^~ keeps a regex location away
--- config
location ^~ /.identgw/ { internal; fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location ~ authenticate$ { return 204; }
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 105: a regex location is found
--- config
location ~ ^/\.identgw/ { internal; fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 106: sign-in off needs no location
--- config
location = /.identgw/authenticate { internal; }
identgw_signin off;
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 107: a location of another server may be missing
--- http_config
identgw_session_name SID;
server { listen unix:$TEST_NGINX_CONF/idle; }
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 108: everything at http level
--- http_config
identgw on;
identgw_authenticate /ask;
identgw_signin /log-in;
identgw_session_name SID;
identgw_identity_headers X-User;
identgw_pass_session on;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    identgw off;
}
--- config
location = /ask { internal; identgw off; }
location = /log-in { internal; identgw off; return 200 "log in\n"; }
location /app { return 404; }
--- request
GET /app
--- error_code: 401
--- response_body
log in
--- no_error_log
[error]
[emerg]



=== TEST 109: an authenticate location that is not known before its first use
--- config
rewrite ^/ask$ /public last;
location = /ask { internal; }
location = /public { fastcgi_param PEER_ROLE authenticate; include $TEST_NGINX_CONF/peer.conf; }
location = /.identgw/signin { internal; }
location /app {
    identgw on;
    identgw_authenticate /ask;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-first
--- error_code: 502
--- response_headers
Identgw-Reason: idp_invalid
--- error_log
identgw: location "/public" of "/public" is not "internal"



=== TEST 110: an authenticate location that rewrites itself into a protected one
--- config
location = /ask { internal; rewrite ^ /protected last; }
location = /protected { identgw on; identgw_authenticate /ask; fastcgi_param PEER_ROLE authenticate; include $TEST_NGINX_CONF/peer.conf; }
location = /.identgw/signin { internal; }
location /app {
    identgw on;
    identgw_authenticate /ask;
}
--- request
GET /app
--- more_headers
JSESSIONID: ok-first
--- error_code: 502
--- error_log
identgw: location "/protected" of "/protected" is itself protected, it needs "identgw off"



=== TEST 111: a sign-in location that is not known before its first use
--- config
rewrite ^/log-in$ /public last;
location = /log-in { internal; }
location = /public { fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location = /.identgw/authenticate { internal; }
location /app {
    identgw on;
    identgw_signin /log-in;
}
--- request
GET /app
--- error_code: 401
--- response_body_like: ^Please go to login...\nThis needs a session
--- error_log
identgw: location "/public" of "/public" is not "internal"



=== TEST 112: the internal locations are no way in for a client
--- config
include $TEST_NGINX_CONF/idp.conf;
--- request eval
["GET /.identgw/authenticate", "GET /.identgw/signin", "GET /.identgw/"]
--- more_headers
JSESSIONID: ok-client
--- error_code eval
[404, 404, 404]
