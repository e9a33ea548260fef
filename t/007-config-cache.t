# What "nginx -t" refuses of the zone, the feed and the cache.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;
use Refused;

no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: two zones
--- http_config
identgw_zone 1m;
identgw_zone 2m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{there is one "identgw_zone" already, in \S+/nginx\.conf:\d+; one is enough for all servers in \S+/nginx\.conf:\d+}]


=== TEST 2: no size
--- http_config
identgw_zone ;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_zone" directive in \S+/nginx\.conf:\d+}]


=== TEST 3: a size that is none
--- http_config
identgw_zone much;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid zone size "much", it must be one such as "16m" in \S+/nginx\.conf:\d+}]


=== TEST 4: a size below zero
--- http_config
identgw_zone -1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid zone size "-1m", it must be one such as "16m" in \S+/nginx\.conf:\d+}]


=== TEST 5: a zone without memory
--- http_config
identgw_zone 0;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{zone of "0" is too small to be useful, it must be 196k at least in \S+/nginx\.conf:\d+}]


=== TEST 6: a zone that is too small
--- http_config
identgw_zone 192k;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{zone of "192k" is too small to be useful, it must be 196k at least in \S+/nginx\.conf:\d+}]


=== TEST 7: a zone that is too small for its entries
--- http_config
identgw_zone 1m entry=32k;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{zone of "1m" is too small to be useful, it must be 416\dk at least in \S+/nginx\.conf:\d+}]


=== TEST 8: an entry of 255
--- http_config
identgw_zone 1m entry=255;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid "entry=255" of "identgw_zone", it must be a size between 256 and 32k in \S+/nginx\.conf:\d+}]


=== TEST 9: an entry of 33k
--- http_config
identgw_zone 1m entry=33k;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid "entry=33k" of "identgw_zone", it must be a size between 256 and 32k in \S+/nginx\.conf:\d+}]


=== TEST 10: an entry of 0
--- http_config
identgw_zone 1m entry=0;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid "entry=0" of "identgw_zone", it must be a size between 256 and 32k in \S+/nginx\.conf:\d+}]


=== TEST 11: an entry of x
--- http_config
identgw_zone 1m entry=x;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid "entry=x" of "identgw_zone", it must be a size between 256 and 32k in \S+/nginx\.conf:\d+}]


=== TEST 12: an entry of -1
--- http_config
identgw_zone 1m entry=-1;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid "entry=-1" of "identgw_zone", it must be a size between 256 and 32k in \S+/nginx\.conf:\d+}]


=== TEST 13: an entry without a size
--- http_config
identgw_zone 1m entry=;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid parameter "entry=", it must be "entry=size" in \S+/nginx\.conf:\d+}]


=== TEST 14: another parameter of the zone
--- http_config
identgw_zone 1m size=1k;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid parameter "size=1k", it must be "entry=size" in \S+/nginx\.conf:\d+}]


=== TEST 15: a parameter too many
--- http_config
identgw_zone 1m entry=1k entry=2k;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_zone" directive in \S+/nginx\.conf:\d+}]


=== TEST 16: a zone in a server
--- config
identgw_zone 1m;
--- error_log eval
["[emerg]", qr{"identgw_zone" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 17: a zone in a location
--- config
location /a { identgw_zone 1m; }
--- error_log eval
["[emerg]", qr{"identgw_zone" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 18: a zone without a feed
--- http_config
identgw_zone 1m;
--- config
location /a { return 204; }
--- error_log eval
["[emerg]", qr{"identgw_zone" in \S+/nginx\.conf:\d+ needs to know of revocations, add "identgw_revocations" with the internal location of identprov\'s feed to a server}]


=== TEST 19: a feed without a zone
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{"identgw_revocations" in \S+/nginx\.conf:\d+ is of no use without a zone, add "identgw_zone" to "http" or remove it}]


=== TEST 20: a feed twice in a server
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{there is one "identgw_revocations" already, in \S+/nginx\.conf:\d+; it serves the zone of all servers, and another server may only repeat it in \S+/nginx\.conf:\d+}]


=== TEST 21: another feed in another server
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    location /feed { internal; return 503; }
    identgw_revocations /feed2;
}
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{there is one "identgw_revocations" already, in \S+/nginx\.conf:\d+; it serves the zone of all servers, and another server may only repeat it in \S+/nginx\.conf:\d+}]


=== TEST 22: another interval in another server
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    location /feed { internal; return 503; }
    identgw_revocations /feed interval=300ms;
}
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{there is one "identgw_revocations" already, in \S+/nginx\.conf:\d+; it serves the zone of all servers, and another server may only repeat it in \S+/nginx\.conf:\d+}]


=== TEST 23: another lease in another server
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    location /feed { internal; return 503; }
    identgw_revocations /feed lease=3s;
}
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{there is one "identgw_revocations" already, in \S+/nginx\.conf:\d+; it serves the zone of all servers, and another server may only repeat it in \S+/nginx\.conf:\d+}]


=== TEST 24: the same feed in another server
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    location /feed { internal; return 503; }
    identgw_revocations /feed;
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed;
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]


=== TEST 25: no uri of the feed
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations ;
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_revocations" directive in \S+/nginx\.conf:\d+}]


=== TEST 26: a feed that is no path
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations feed;
--- error_log eval
["[emerg]", qr{invalid uri "feed" in "identgw_revocations", it must be the path of an internal location such as "/\.identgw/x", without arguments, variables and escapes in \S+/nginx\.conf:\d+}]


=== TEST 27: a feed of another host
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations http://127.0.0.1/feed;
--- error_log eval
["[emerg]", qr{invalid uri "http://127\.0\.0\.1/feed" in "identgw_revocations", it must be the path of an internal location such as "/\.identgw/x", without arguments, variables and escapes in \S+/nginx\.conf:\d+}]


=== TEST 28: a feed by a variable
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations $uri;
--- error_log eval
["[emerg]", qr{invalid uri "\$uri" in "identgw_revocations", it must be the path of an internal location such as "/\.identgw/x", without arguments, variables and escapes in \S+/nginx\.conf:\d+}]


=== TEST 29: a feed with arguments
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed?since=0;
--- error_log eval
["[emerg]", qr{invalid uri "/feed\?since=0" in "identgw_revocations", it must be the path of an internal location such as "/\.identgw/x", without arguments, variables and escapes in \S+/nginx\.conf:\d+}]


=== TEST 30: an interval of 9ms
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=9ms;
--- error_log eval
["[emerg]", qr{invalid time "interval=9ms", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 31: an interval of 601s
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=601s;
--- error_log eval
["[emerg]", qr{invalid time "interval=601s", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 32: an interval of x
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=x;
--- error_log eval
["[emerg]", qr{invalid time "interval=x", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 33: an interval of -1s
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=-1s;
--- error_log eval
["[emerg]", qr{invalid time "interval=-1s", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 34: interval without a time
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=;
--- error_log eval
["[emerg]", qr{invalid parameter "interval=", it must be "interval=time" or "lease=time" in \S+/nginx\.conf:\d+}]


=== TEST 35: a lease of 9ms
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed lease=9ms;
--- error_log eval
["[emerg]", qr{invalid time "lease=9ms", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 36: a lease of 601s
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed lease=601s;
--- error_log eval
["[emerg]", qr{invalid time "lease=601s", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 37: a lease of x
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed lease=x;
--- error_log eval
["[emerg]", qr{invalid time "lease=x", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 38: a lease of -1s
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed lease=-1s;
--- error_log eval
["[emerg]", qr{invalid time "lease=-1s", it must be between 10ms and 10m in \S+/nginx\.conf:\d+}]


=== TEST 39: lease without a time
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed lease=;
--- error_log eval
["[emerg]", qr{invalid parameter "lease=", it must be "interval=time" or "lease=time" in \S+/nginx\.conf:\d+}]


=== TEST 40: another parameter of the feed
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed every=1s;
--- error_log eval
["[emerg]", qr{invalid parameter "every=1s", it must be "interval=time" or "lease=time" in \S+/nginx\.conf:\d+}]


=== TEST 41: a parameter of the feed too many
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=1s lease=5s lease=6s;
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_revocations" directive in \S+/nginx\.conf:\d+}]


=== TEST 42: a lease as long as the interval
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=1s lease=1s;
--- error_log eval
["[emerg]", qr{the lease of 1000ms is not longer than the interval of 1000ms, it would end before the next poll; make it several intervals long in \S+/nginx\.conf:\d+}]


=== TEST 43: a lease shorter than the default interval
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed lease=100ms;
--- error_log eval
["[emerg]", qr{the lease of 100ms is not longer than the interval of 250ms, it would end before the next poll; make it several intervals long in \S+/nginx\.conf:\d+}]


=== TEST 44: an interval longer than the default lease
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; return 503; }
identgw_revocations /feed interval=3s;
--- error_log eval
["[emerg]", qr{the lease of 2000ms is not longer than the interval of 3000ms, it would end before the next poll; make it several intervals long in \S+/nginx\.conf:\d+}]


=== TEST 45: a feed in http
--- http_config
identgw_zone 1m;
identgw_revocations /feed;
--- config
location /a { return 204; }
--- error_log eval
["[emerg]", qr{"identgw_revocations" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 46: a feed in a location
--- http_config
identgw_zone 1m;
--- config
location = /feed { internal; identgw_revocations /feed; }
--- error_log eval
["[emerg]", qr{"identgw_revocations" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 47: no location of the feed
--- http_config
identgw_zone 1m;
--- config
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{location for identgw_revocations "/feed" does not exist, add it with "internal"; it is needed by "identgw_revocations" in \S+/nginx\.conf:\d+}]


=== TEST 48: a location of the feed in another server
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    location = /feed { internal; return 503; }
}
--- config
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{location for identgw_revocations "/feed" does not exist, add it with "internal"; it is needed by "identgw_revocations" in \S+/nginx\.conf:\d+}]


=== TEST 49: a location of the feed that is not internal
--- http_config
identgw_zone 1m;
--- config
location = /feed { return 503; }
identgw_revocations /feed;
--- error_log eval
["[emerg]", qr{location for identgw_revocations "/feed" is not "internal", add it, or clients could ask it themselves; it is needed by "identgw_revocations" in \S+/nginx\.conf:\d+}]


=== TEST 50: a location of the feed under identgw on
--- http_config
identgw_zone 1m;
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_revocations /feed;
location = /feed { internal; identgw on; }
--- error_log eval
["[emerg]", qr{location for identgw_revocations "/feed" is itself protected, add "identgw off" to it; it is needed by "identgw_revocations" in \S+/nginx\.conf:\d+}]


=== TEST 51: a location of the feed under identgw optional
--- http_config
identgw_zone 1m;
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_revocations /feed;
location = /feed { internal; identgw optional; }
--- error_log eval
["[emerg]", qr{location for identgw_revocations "/feed" is itself protected, add "identgw off" to it; it is needed by "identgw_revocations" in \S+/nginx\.conf:\d+}]


=== TEST 52: servers with other identity headers
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    include $TEST_NGINX_CONF/idp.conf;
    identgw_identity_headers Authorization X-User;
    location /app { identgw on; }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed;
location /app { identgw on; }
--- error_log eval
["[emerg]", qr{the server in \S+/nginx\.conf:\d+ has other identity headers than another one that uses "identgw_zone" in \S+/nginx\.conf:\d+; give all the same by one "identgw_identity_headers" in "http", or say "identgw_cache off" in this server}]


=== TEST 53: servers with other names of answers
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    include $TEST_NGINX_CONF/idp.conf;
    identgw_identity_headers Authorization X-User=X-Email X-Email X-First-Name;
    location /app { identgw on; }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed;
location /app { identgw on; }
--- error_log eval
["[emerg]", qr{the server in \S+/nginx\.conf:\d+ has other identity headers than another one that uses "identgw_zone" in \S+/nginx\.conf:\d+; give all the same by one "identgw_identity_headers" in "http", or say "identgw_cache off" in this server}]


=== TEST 54: servers with another order of identity headers
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    include $TEST_NGINX_CONF/idp.conf;
    identgw_identity_headers Authorization X-Email X-User X-First-Name;
    location /app { identgw on; }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed;
location /app { identgw on; }
--- error_log eval
["[emerg]", qr{the server in \S+/nginx\.conf:\d+ has other identity headers than another one that uses "identgw_zone" in \S+/nginx\.conf:\d+; give all the same by one "identgw_identity_headers" in "http", or say "identgw_cache off" in this server}]


=== TEST 55: other identity headers where the zone is not used
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    include $TEST_NGINX_CONF/idp.conf;
    identgw_identity_headers Authorization X-User;
    location /app { identgw on; identgw_cache off; }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed;
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]


=== TEST 56: the same identity headers, said twice
--- http_config
identgw_zone 1m;
server {
    listen unix:$TEST_NGINX_CONF/idle;
    include $TEST_NGINX_CONF/idp.conf;
    identgw_identity_headers Authorization X-User X-Email X-First-Name;
    location /app { identgw on; }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed;
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]


=== TEST 57: identgw_cache of another word
--- config
location /a { identgw_cache maybe; }
--- error_log eval
["[emerg]", qr{invalid value "maybe" in "identgw_cache" directive, it must be "on" or "off" in \S+/nginx\.conf:\d+}]


=== TEST 58: identgw_cache twice
--- config
location /a { identgw_cache on; identgw_cache off; }
--- error_log eval
["[emerg]", qr{"identgw_cache" directive is duplicate in \S+/nginx\.conf:\d+}]


=== TEST 59: identgw_cache without a word
--- config
location /a { identgw_cache; }
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_cache" directive in \S+/nginx\.conf:\d+}]


=== TEST 60: identgw_cache inside if
--- config
location /a { if ($arg_a) { identgw_cache on; } }
--- error_log eval
["[emerg]", qr{"identgw_cache" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 61: identgw_cache inside limit_except
--- config
location /a { limit_except GET { identgw_cache on; } }
--- error_log eval
["[emerg]", qr{"identgw_cache" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 62: identgw_purge of another word
--- config
location /a { identgw_purge maybe; }
--- error_log eval
["[emerg]", qr{invalid value "maybe" in "identgw_purge" directive, it must be "on" or "off" in \S+/nginx\.conf:\d+}]


=== TEST 63: identgw_purge twice
--- config
location /a { identgw_purge on; identgw_purge off; }
--- error_log eval
["[emerg]", qr{"identgw_purge" directive is duplicate in \S+/nginx\.conf:\d+}]


=== TEST 64: identgw_purge without a word
--- config
location /a { identgw_purge; }
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_purge" directive in \S+/nginx\.conf:\d+}]


=== TEST 65: identgw_purge inside if
--- config
location /a { if ($arg_a) { identgw_purge on; } }
--- error_log eval
["[emerg]", qr{"identgw_purge" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 66: identgw_purge inside limit_except
--- config
location /a { limit_except GET { identgw_purge on; } }
--- error_log eval
["[emerg]", qr{"identgw_purge" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 67: identgw_purge at the server
--- config
identgw_purge on;
--- error_log eval
["[emerg]", qr{"identgw_purge" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 68: identgw_purge in http
--- http_config
identgw_purge on;
--- config
location /a { return 204; }
--- error_log eval
["[emerg]", qr{"identgw_purge" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 69: identgw_cache_ttl soon
--- config
location /a { identgw_cache_ttl soon; }
--- error_log eval
["[emerg]", qr{"identgw_cache_ttl" directive invalid value in \S+/nginx\.conf:\d+}]


=== TEST 70: identgw_cache_ttl -1
--- config
location /a { identgw_cache_ttl -1; }
--- error_log eval
["[emerg]", qr{"identgw_cache_ttl" directive invalid value in \S+/nginx\.conf:\d+}]


=== TEST 71: identgw_cache_ttl longer than a day
--- config
location /a { identgw_cache_ttl 86401s; }
--- error_log eval
["[emerg]", qr{time "86401s" of "identgw_cache_ttl" is too long, it must be 1d at most in \S+/nginx\.conf:\d+}]


=== TEST 72: identgw_cache_ttl twice
--- config
location /a { identgw_cache_ttl 1s; identgw_cache_ttl 1s; }
--- error_log eval
["[emerg]", qr{"identgw_cache_ttl" directive is duplicate in \S+/nginx\.conf:\d+}]


=== TEST 73: identgw_cache_ttl without a time
--- config
location /a { identgw_cache_ttl; }
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_cache_ttl" directive in \S+/nginx\.conf:\d+}]


=== TEST 74: identgw_cache_ttl inside if
--- config
location /a { if ($arg_a) { identgw_cache_ttl 1s; } }
--- error_log eval
["[emerg]", qr{"identgw_cache_ttl" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 75: identgw_stale_if_error soon
--- config
location /a { identgw_stale_if_error soon; }
--- error_log eval
["[emerg]", qr{"identgw_stale_if_error" directive invalid value in \S+/nginx\.conf:\d+}]


=== TEST 76: identgw_stale_if_error -1
--- config
location /a { identgw_stale_if_error -1; }
--- error_log eval
["[emerg]", qr{"identgw_stale_if_error" directive invalid value in \S+/nginx\.conf:\d+}]


=== TEST 77: identgw_stale_if_error longer than a day
--- config
location /a { identgw_stale_if_error 86401s; }
--- error_log eval
["[emerg]", qr{time "86401s" of "identgw_stale_if_error" is too long, it must be 1d at most in \S+/nginx\.conf:\d+}]


=== TEST 78: identgw_stale_if_error twice
--- config
location /a { identgw_stale_if_error 1s; identgw_stale_if_error 1s; }
--- error_log eval
["[emerg]", qr{"identgw_stale_if_error" directive is duplicate in \S+/nginx\.conf:\d+}]


=== TEST 79: identgw_stale_if_error without a time
--- config
location /a { identgw_stale_if_error; }
--- error_log eval
["[emerg]", qr{invalid number of arguments in "identgw_stale_if_error" directive in \S+/nginx\.conf:\d+}]


=== TEST 80: identgw_stale_if_error inside if
--- config
location /a { if ($arg_a) { identgw_stale_if_error 1s; } }
--- error_log eval
["[emerg]", qr{"identgw_stale_if_error" directive is not allowed here in \S+/nginx\.conf:\d+}]


=== TEST 81: the smallest of all
--- http_config
identgw_zone 104k entry=256;
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed interval=10ms lease=11ms;
location /app { identgw on; identgw_cache_ttl 0; identgw_stale_if_error 0; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]


=== TEST 82: the largest of all
--- http_config
identgw_zone 8m entry=32k;
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed lease=10m interval=599999ms;
location /app { identgw on; identgw_cache_ttl 1d; identgw_stale_if_error 1d; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]


=== TEST 83: a zone of the least size
--- http_config
identgw_zone 196k;
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /feed { internal; return 503; }
identgw_revocations /feed;
location /app { identgw on; }
--- request
GET /app
--- error_code: 401
--- no_error_log
[error]
[emerg]
