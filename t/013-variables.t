# The module's variables.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: the identity headers, by their names on the request
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_identity_headers Authorization X-User Remote-Email=X-Email;
location / {
    identgw on;
    return 200 "[$identgw_header_x_user][$identgw_header_remote_email][$identgw_header_Remote_EMail][$identgw_header_authorization][$identgw_header_x_email][$identgw_header_][$identgw_header_x]\n";
}
--- request
GET /
--- more_headers
X-User: admin
Remote-Email: admin
JSESSIONID: ok-var
--- response_body
[var][var@example.org][var@example.org][Bearer token.of.var][][][]
--- no_error_log
[error]



=== TEST 2: no value before the verdict, and its value afterwards
--- config
include $TEST_NGINX_CONF/idp.conf;
set $early "$identgw_header_x_user$identgw_session_key$identgw_user$identgw_reason";
location / {
    identgw on;
    fastcgi_param EARLY "[$early]";
    fastcgi_param LATE "[$identgw_header_x_user$identgw_user$identgw_reason]";
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /
--- more_headers
X-User: admin
JSESSIONID: ok-late
--- response_body_like
^EARLY=\[\]
(?s:.*)LATE=\[latelateok\]
--- no_error_log
[error]



=== TEST 3: an empty value, and an answer that is no verdict
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    error_page 502 /page;
    return 200 "[$identgw_header_x_email]\n";
}
location /page {
    return 200 "[$identgw_header_x_user][$identgw_user]\n";
}
--- request eval
["GET /", "GET /", "GET /"]
--- more_headers eval
["JSESSIONID: value-X-Email=", "JSESSIONID: lack-X-Email", "JSESSIONID: lack-X-First-Name"]
--- response_body eval
["[]\n", "[][]\n", "[][]\n"]
--- error_code eval
[200, 502, 502]



=== TEST 4: the key of a session, wherever its id came from
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw optional;
    return 200 "[$identgw_session_key]\n";
}
location /off {
    return 200 "[$identgw_session_key]\n";
}
--- request eval
["GET /", "GET /", "GET /", "GET /", "GET /", "GET /off"]
--- more_headers eval
["JSESSIONID: ok-key", "Cookie: a=b; JSESSIONID=ok-key", "JSESSIONID: unknown",
 "", "JSESSIONID: a\nJSESSIONID: b", "JSESSIONID: ok-key"]
--- response_body eval
use Digest::SHA qw(sha256_hex);
[map { "[" . ($_ && substr sha256_hex($_), 0, 16) . "]\n" }
 "ok-key", "ok-key", "unknown", "", "", ""]
--- no_error_log
[error]



=== TEST 5: the log of a refused request has them
--- http_config
log_format identity "$identgw_reason $identgw_session_key [$identgw_header_x_user]";
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    access_log logs/access.log identity;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /", "GET /"]
--- more_headers eval
["JSESSIONID: unknown", "JSESSIONID: ok-logged"]
--- error_code eval
[401, 200]
--- access_log eval
use Digest::SHA qw(sha256_hex);
[substr("denied " . sha256_hex("unknown"), 0, 23) . " [-]", ""]
--- no_error_log
[error]
