# What "nginx -t" refuses of modes, uris and flags.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;
use Refused;

no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: a mode that there is not
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw maybe;
--- error_log
[emerg]
invalid value "maybe"



=== TEST 2: the mode twice
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on;
identgw off;
--- error_log
[emerg]
"identgw" directive is duplicate



=== TEST 3: a mode too many
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw on off;
--- error_log
[emerg]
invalid number of arguments in "identgw" directive



=== TEST 4: identgw inside if
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app { if ($arg_a) { identgw off; } }
--- error_log
[emerg]
"identgw" directive is not allowed here



=== TEST 5: identgw inside limit_except
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app { limit_except GET { identgw off; } }
--- error_log
[emerg]
"identgw" directive is not allowed here



=== TEST 6: identgw_authenticate authenticate
--- config
identgw_authenticate authenticate;
--- error_log
[emerg]
invalid uri "authenticate" in "identgw_authenticate"



=== TEST 7: identgw_authenticate http://a/b
--- config
identgw_authenticate http://a/b;
--- error_log
[emerg]
invalid uri "http://a/b" in "identgw_authenticate"



=== TEST 8: identgw_authenticate @named
--- config
identgw_authenticate @named;
--- error_log
[emerg]
invalid uri "@named" in "identgw_authenticate"



=== TEST 9: identgw_authenticate /a?b=c
--- config
identgw_authenticate /a?b=c;
--- error_log
[emerg]
invalid uri "/a?b=c" in "identgw_authenticate"



=== TEST 10: identgw_authenticate /a#b
--- config
identgw_authenticate /a#b;
--- error_log
[emerg]
invalid uri "/a#b" in "identgw_authenticate"



=== TEST 11: identgw_authenticate /a%41
--- config
identgw_authenticate /a%41;
--- error_log
[emerg]
invalid uri "/a%41" in "identgw_authenticate"



=== TEST 12: identgw_authenticate /the uri
--- config
identgw_authenticate /$uri;
--- error_log
[emerg]
invalid uri "/$uri" in "identgw_authenticate"



=== TEST 13: identgw_authenticate /a//b
--- config
identgw_authenticate /a//b;
--- error_log
[emerg]
invalid uri "/a//b" in "identgw_authenticate"



=== TEST 14: identgw_authenticate /a/../b
--- config
identgw_authenticate /a/../b;
--- error_log
[emerg]
invalid uri "/a/../b" in "identgw_authenticate"



=== TEST 15: identgw_authenticate ''
--- config
identgw_authenticate '';
--- error_log
[emerg]
invalid uri "" in "identgw_authenticate"



=== TEST 16: identgw_authenticate '/a b'
--- config
identgw_authenticate '/a b';
--- error_log
[emerg]
invalid uri "/a b" in "identgw_authenticate"



=== TEST 17: identgw_authenticate twice
--- config
identgw_authenticate /a;
identgw_authenticate /b;
--- error_log
[emerg]
"identgw_authenticate" directive is duplicate



=== TEST 18: identgw_signin authenticate
--- config
identgw_signin authenticate;
--- error_log
[emerg]
invalid uri "authenticate" in "identgw_signin"



=== TEST 19: identgw_signin http://a/b
--- config
identgw_signin http://a/b;
--- error_log
[emerg]
invalid uri "http://a/b" in "identgw_signin"



=== TEST 20: identgw_signin @named
--- config
identgw_signin @named;
--- error_log
[emerg]
invalid uri "@named" in "identgw_signin"



=== TEST 21: identgw_signin /a?b=c
--- config
identgw_signin /a?b=c;
--- error_log
[emerg]
invalid uri "/a?b=c" in "identgw_signin"



=== TEST 22: identgw_signin /a#b
--- config
identgw_signin /a#b;
--- error_log
[emerg]
invalid uri "/a#b" in "identgw_signin"



=== TEST 23: identgw_signin /a%41
--- config
identgw_signin /a%41;
--- error_log
[emerg]
invalid uri "/a%41" in "identgw_signin"



=== TEST 24: identgw_signin /the uri
--- config
identgw_signin /$uri;
--- error_log
[emerg]
invalid uri "/$uri" in "identgw_signin"



=== TEST 25: identgw_signin /a//b
--- config
identgw_signin /a//b;
--- error_log
[emerg]
invalid uri "/a//b" in "identgw_signin"



=== TEST 26: identgw_signin /a/../b
--- config
identgw_signin /a/../b;
--- error_log
[emerg]
invalid uri "/a/../b" in "identgw_signin"



=== TEST 27: identgw_signin ''
--- config
identgw_signin '';
--- error_log
[emerg]
invalid uri "" in "identgw_signin"



=== TEST 28: identgw_signin '/a b'
--- config
identgw_signin '/a b';
--- error_log
[emerg]
invalid uri "/a b" in "identgw_signin"



=== TEST 29: identgw_signin twice
--- config
identgw_signin /a;
identgw_signin /b;
--- error_log
[emerg]
"identgw_signin" directive is duplicate



=== TEST 30: identgw_signin off and a uri
--- config
identgw_signin off;
identgw_signin /b;
--- error_log
[emerg]
"identgw_signin" directive is duplicate



=== TEST 31: authenticate cannot be off
--- config
identgw_authenticate off;
--- error_log
[emerg]
invalid uri "off" in "identgw_authenticate"



=== TEST 32: pass_session that is neither on nor off
--- config
identgw_pass_session maybe;
--- error_log
[emerg]
invalid value "maybe" in "identgw_pass_session" directive



=== TEST 33: pass_session twice
--- config
identgw_pass_session on;
identgw_pass_session on;
--- error_log
[emerg]
"identgw_pass_session" directive is duplicate
