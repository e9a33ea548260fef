# What "nginx -t" refuses of the locations that the module asks, and what is
# found out at the first use.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;
use Refused;

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: no authenticate location
--- config
location /app { identgw on; }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" does not exist, add it with "internal"; it is needed by "identgw" in



=== TEST 2: no sign-in location
--- config
location = /.identgw/authenticate { internal; }
location /app { identgw on; }
--- error_log
[emerg]
location for identgw_signin "/.identgw/signin" does not exist



=== TEST 3: optional needs them, too
--- config
location /app { identgw optional; }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" does not exist



=== TEST 4: an authenticate location that is not internal
--- config
location = /.identgw/authenticate { return 204; }
location /app { identgw on; }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is not "internal", clients could ask it themselves



=== TEST 5: a prefix location that is not internal
--- config
location /.identgw/ { return 204; }
location /app { identgw on; }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is not "internal"



=== TEST 6: a regex location that is not internal
--- config
location /.identgw/ { internal; }
location ~ authenticate$ { return 204; }
location /app { identgw on; }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is not "internal"



=== TEST 7: a nested location that is itself protected
--- config
location /.identgw/ { internal; location /.identgw/auth { identgw on; } }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is itself protected



=== TEST 8: a regex location nested in a prefix one
--- config
location /.identgw/ { internal; location ~ auth { identgw on; } }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is itself protected



=== TEST 9: a sign-in location that is not internal
--- config
location = /.identgw/authenticate { internal; }
location /.identgw/signin { return 200; }
location /app { identgw on; }
--- error_log
[emerg]
location for identgw_signin "/.identgw/signin" is not "internal"



=== TEST 10: an authenticate location that is itself protected
--- config
identgw on;
location /.identgw/ { internal; }
--- error_log
[emerg]
location for identgw_authenticate "/.identgw/authenticate" is itself protected, add "identgw off" to it



=== TEST 11: a sign-in location that is itself protected
--- config
location = /.identgw/authenticate { internal; }
location = /.identgw/signin { internal; identgw optional; }
location /app { identgw on; }
--- error_log
[emerg]
location for identgw_signin "/.identgw/signin" is itself protected



=== TEST 12: a prefix location is found
--- config
location /.identgw/ { internal; fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 13: ^~ keeps a regex location away
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



=== TEST 14: a regex location is found
--- config
location ~ ^/\.identgw/ { internal; fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 15: sign-in off needs no location
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



=== TEST 16: a location of another server may be missing
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



=== TEST 17: everything at http level
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



=== TEST 18: an authenticate location that is not known before its first use
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



=== TEST 19: an authenticate location that rewrites itself into a protected one
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



=== TEST 20: a sign-in location that is not known before its first use
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



=== TEST 21: the internal locations are no way in for a client
--- config
include $TEST_NGINX_CONF/idp.conf;
--- request eval
["GET /.identgw/authenticate", "GET /.identgw/signin", "GET /.identgw/"]
--- more_headers
JSESSIONID: ok-client
--- error_code eval
[404, 404, 404]
