# The locations that the module asks: where they are found, and what is found
# out at their first use only.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: a prefix location is found
--- config
location /.identgw/ { internal; fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 2: ^~ keeps a regex location away
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



=== TEST 3: a regex location is found
--- config
location ~ ^/\.identgw/ { internal; fastcgi_param PEER_ROLE signin; include $TEST_NGINX_CONF/peer.conf; }
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]



=== TEST 4: sign-in off needs no location
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



=== TEST 5: a location of another server may be missing
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



=== TEST 6: everything at http level
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



=== TEST 7: an authenticate location that is not known before its first use
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



=== TEST 8: an authenticate location that rewrites itself into a protected one
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



=== TEST 9: a sign-in location that is not known before its first use
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



=== TEST 10: the internal locations are no way in for a client
--- config
include $TEST_NGINX_CONF/idp.conf;
--- request eval
["GET /.identgw/authenticate", "GET /.identgw/signin", "GET /.identgw/"]
--- more_headers
JSESSIONID: ok-client
--- error_code eval
[404, 404, 404]



=== TEST 11: a variable that there is not
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_require $no_such_thing;
}
--- must_die
--- suppress_stderr
--- error_log
[emerg]
unknown "no_such_thing" variable
