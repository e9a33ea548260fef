# What "nginx -t" refuses of the rules in a location.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;
use Refused;

no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: identgw_csrf twice
--- config
identgw_csrf on;
identgw_csrf off;
--- error_log
[emerg]
"identgw_csrf" directive is duplicate



=== TEST 2: identgw_csrf without a value
--- config
identgw_csrf;
--- error_log
[emerg]
invalid number of arguments in "identgw_csrf" directive



=== TEST 3: identgw_csrf with on and an origin
--- config
identgw_csrf on https://app.example;
--- error_log
[emerg]
invalid origin "on", it must be what browsers send, such as "https://app.example:8443", without a path in



=== TEST 4: an origin with a path
--- config
identgw_csrf https://app.example/;
--- error_log
[emerg]
invalid origin "https://app.example/"



=== TEST 5: an origin without a scheme
--- config
identgw_csrf app.example;
--- error_log
[emerg]
invalid origin "app.example"



=== TEST 6: an origin of another scheme
--- config
identgw_csrf ftp://app.example;
--- error_log
[emerg]
invalid origin "ftp://app.example"



=== TEST 7: no host
--- config
identgw_csrf https://;
--- error_log
[emerg]
invalid origin "https://"



=== TEST 8: only a port
--- config
identgw_csrf https://:443;
--- error_log
[emerg]
invalid origin "https://:443"



=== TEST 9: no port behind the colon
--- config
identgw_csrf https://app.example:;
--- error_log
[emerg]
invalid origin "https://app.example:"



=== TEST 10: too high a port
--- config
identgw_csrf https://app.example:65536;
--- error_log
[emerg]
invalid origin "https://app.example:65536"



=== TEST 11: a wildcard
--- config
identgw_csrf https://*.app.example;
--- error_log
[emerg]
invalid origin "https://*.app.example"



=== TEST 12: a user
--- config
identgw_csrf https://user@app.example;
--- error_log
[emerg]
invalid origin "https://user@app.example"



=== TEST 13: null
--- config
identgw_csrf null;
--- error_log
[emerg]
invalid origin "null"



=== TEST 14: half an address
--- config
identgw_csrf https://[::1;
--- error_log
[emerg]
invalid origin "https://[::1"



=== TEST 15: a variable
--- config
identgw_csrf https://$host;
--- error_log
[emerg]
invalid origin "https://$host"



=== TEST 16: identgw_csrf inside if
--- config
location / { if ($arg_a) { identgw_csrf off; } }
--- error_log
[emerg]
"identgw_csrf" directive is not allowed here



=== TEST 17: identgw_require where nobody applies it
--- config
location /app {
    identgw_require $arg_a;
}
--- error_log eval
["[emerg]", qr{"identgw_require" has no effect under "identgw off", add "identgw on" or "identgw optional" to its location in \S+/nginx\.conf:\d+}]



=== TEST 18: identgw_require without a value
--- config
location /app {
    identgw on;
    identgw_require;
}
--- error_log
[emerg]
invalid number of arguments in "identgw_require" directive



=== TEST 19: identgw_require at the server
--- config
identgw_require $arg_a;
--- error_log
[emerg]
"identgw_require" directive is not allowed here



=== TEST 20: identgw_require of a variable that there is not
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_require $no_such_thing;
}
--- error_log
[emerg]
unknown "no_such_thing" variable



=== TEST 21: identgw_require inside if
--- config
location /app {
    identgw on;
    if ($arg_a) {
        identgw_require $arg_a;
    }
}
--- error_log
[emerg]
"identgw_require" directive is not allowed here



=== TEST 22: identgw_signin with another parameter
--- config
identgw_signin /login redirected;
--- error_log
[emerg]
invalid parameter "redirected"



=== TEST 23: two redirects
--- config
identgw_signin /login redirect;
identgw_signin /login2 redirect;
--- error_log
[emerg]
"identgw_signin" directive is duplicate



=== TEST 24: a redirect to another host
--- config
identgw_signin https://sso.example/ redirect;
--- error_log
[emerg]
invalid uri "https://sso.example/" in "identgw_signin ... redirect", it must be the path of a page of this server



=== TEST 25: a redirect to another host without its scheme
--- config
identgw_signin //sso.example/ redirect;
--- error_log
[emerg]
invalid uri "//sso.example/" in "identgw_signin ... redirect"



=== TEST 26: a redirect with a variable
--- config
identgw_signin /login?$args redirect;
--- error_log
[emerg]
invalid uri "/login?$args" in "identgw_signin ... redirect"



=== TEST 27: a redirect to a fragment
--- config
identgw_signin /login?a#b redirect;
--- error_log
[emerg]
invalid uri "/login?a#b" in "identgw_signin ... redirect"



=== TEST 28: a redirect into a protected location
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login?a=1 redirect;
location / {
    identgw on;
}
--- error_log eval
["[emerg]", qr{location for identgw_signin "/login\?a=1" redirect is itself protected, browsers would go in circles; add "identgw off" to it; it is needed by "identgw" in \S+/nginx\.conf:\d+}]



=== TEST 29: a redirect into an internal location
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /.identgw/signin redirect;
location /app {
    identgw on;
}
--- error_log
[emerg]
location for identgw_signin "/.identgw/signin" redirect is "internal", browsers could not ask it



=== TEST 30: a redirect to a protected server without a location
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
identgw on;
--- error_log
[emerg]
location for identgw_signin "/login" redirect is itself protected
