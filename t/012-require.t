# Conditions on a request whose identity is known.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

add_block_preprocessor(sub {
    my $block = shift;
    return if defined $block->http_config;
    $block->set_value('http_config', <<'CONF');
map $http_x_user $is_staff {
    default "";
    ~^staff 1;
    none 0;
}
map $identgw_user $is_named {
    default 1;
    "" "";
}
map $http_x_user $is_nobody {
    default "";
    "" 1;
}
map $uri $captured {
    default "";
    ~^/app/(?<part>.*)$ $part;
}
CONF
});

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: each value must be neither empty nor 0
--- config
include $TEST_NGINX_CONF/idp.conf;
location /one {
    identgw on;
    identgw_require $is_staff;
    include $TEST_NGINX_CONF/echo.conf;
}
location /two {
    identgw on;
    identgw_require $is_named;
    identgw_require $is_staff $arg_a;
    include $TEST_NGINX_CONF/echo.conf;
}
location /text {
    identgw on;
    identgw_require x$arg_a;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /one", "GET /one", "GET /one", "GET /one", "GET /two", "GET /two?a=1",
 "GET /two?a=0", "GET /two?a=00", "GET /two?a=1", "GET /text"]
--- more_headers eval
["JSESSIONID: ok-staff", "JSESSIONID: ok-other\nX-User: staff",
 "JSESSIONID: ok-none", "X-User: staff", "JSESSIONID: ok-staff2",
 "JSESSIONID: ok-staff2", "JSESSIONID: ok-staff2", "JSESSIONID: ok-staff2",
 "JSESSIONID: ok-user", "JSESSIONID: ok-user"]
--- error_code eval
[200, 403, 403, 401, 403, 200, 403, 200, 403, 200]
--- response_headers eval
["!Identgw-Reason", ("Identgw-Reason: requirement\nCache-Control: no-store") x 2,
 "Identgw-Reason: no_session", "Identgw-Reason: requirement", "!Identgw-Reason",
 "Identgw-Reason: requirement", "!Identgw-Reason", "Identgw-Reason: requirement",
 "!Identgw-Reason"]
--- no_error_log
[error]



=== TEST 2: anonymous requests are not exempt
--- config
include $TEST_NGINX_CONF/idp.conf;
location /optional {
    identgw optional;
    identgw_require $is_named;
    include $TEST_NGINX_CONF/echo.conf;
}
location /any {
    satisfy any;
    allow all;
    identgw on;
    identgw_require $is_named;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /optional", "GET /any") x 2]
--- more_headers eval
[("X-User: admin") x 2, ("JSESSIONID: ok-named") x 2]
--- error_code eval
[403, 403, 200, 200]
--- response_headers eval
[("Identgw-Reason: requirement") x 2, ("!Identgw-Reason") x 2]
--- no_error_log
[error]



=== TEST 3: what was cached before the verdict does not decide
--- config
include $TEST_NGINX_CONF/idp.conf;
set $early "$is_nobody$is_staff";
location /nobody {
    identgw on;
    identgw_require $is_nobody;
    include $TEST_NGINX_CONF/echo.conf;
}
location /staff {
    identgw on;
    identgw_require $is_staff;
    fastcgi_param EARLY $early;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /nobody", "GET /staff", "GET /nobody", "GET /staff"]
--- more_headers eval
[("JSESSIONID: ok-staff") x 2, ("JSESSIONID: ok-other\nX-User: staff") x 2]
--- error_code eval
[403, 200, 403, 403]
--- response_body_like eval
["403", "EARLY=1\n", "403", "403"]
--- no_error_log
[error]



=== TEST 4: what was assigned decides, and captures stay as they were
--- config
include $TEST_NGINX_CONF/idp.conf;
location = /third {
    internal;
    proxy_pass http://unix:$TEST_NGINX_CONF/third:/;
    proxy_set_header Say $say;
}
location ~ ^/app/(?<named>.*)/(.*)$ {
    identgw on;
    set $assigned $arg_a;
    set $say $arg_third;
    auth_request /third;
    auth_request_set $third $upstream_http_x_third;
    identgw_require $assigned $named $third $captured;
    fastcgi_param SECOND $2;
    fastcgi_param NAMED $named;
    include $TEST_NGINX_CONF/echo.conf;
}
--- http_config
map $uri $captured {
    default "";
    ~^/app/x*(?<part>.*)$ $part;
}
server {
    listen unix:$TEST_NGINX_CONF/third;
    location / {
        add_header X-Third "$http_say";
        return 200 "";
    }
}
--- request eval
["GET /app/one/two?a=1&third=1", "GET /app/one/two?a=0&third=1",
 "GET /app/one/two?a=1&third=0", "GET /app/0/two?a=1&third=1",
 "GET /app//two?a=1&third=1"]
--- more_headers
JSESSIONID: ok-assigned
--- error_code eval
[200, 403, 403, 403, 404]
--- response_body_like eval
["NAMED=one\n.*SECOND=two\n", "403", "403", "403", "404"]
--- no_error_log
[alert]



=== TEST 5: the location that serves demands, after redirects, too
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    try_files /nothing @staff;
}
location @staff {
    identgw on;
    identgw_require $is_staff;
    include $TEST_NGINX_CONF/echo.conf;
}
location /free {
    identgw on;
    identgw_require $is_staff;
    rewrite ^ /elsewhere last;
}
location /elsewhere {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "GET /app", "GET /free"]
--- more_headers eval
["JSESSIONID: ok-staff", "JSESSIONID: ok-other", "JSESSIONID: ok-other"]
--- error_code eval
[200, 403, 200]
--- no_error_log
[error]



=== TEST 6: return obeys it
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    identgw_require $is_staff;
    return 200 "secret\n";
}
location /optional {
    identgw optional;
    identgw_require $is_named;
    return 200 "secret\n";
}
--- request eval
["GET /", "GET /", "GET /", "GET /optional", "GET /optional"]
--- more_headers eval
["JSESSIONID: ok-staff", "JSESSIONID: ok-other", "", "", "JSESSIONID: ok-named"]
--- error_code eval
[200, 403, 401, 403, 200]
--- response_headers eval
["", "Identgw-Reason: requirement", "Identgw-Reason: no_session",
 "Identgw-Reason: requirement", ""]
--- no_error_log
[error]



=== TEST 7: subrequests obey it
--- user_files
>>> page.html
[<!--# include virtual="/part" -->][<!--# include virtual="/said" -->]
--- config
include $TEST_NGINX_CONF/idp.conf;
ssi on;
location = /page.html {
    identgw on;
}
location /part {
    identgw on;
    identgw_require $is_staff;
    include $TEST_NGINX_CONF/echo.conf;
}
location /said {
    identgw on;
    identgw_require $is_staff;
    return 200 "said";
}
--- request eval
["GET /page.html", "GET /page.html"]
--- more_headers eval
["JSESSIONID: ok-staff", "JSESSIONID: ok-other"]
--- response_body_like eval
["^\\[.*HTTP_X_USER=staff\n.*\\]\\[said\\]", "^\\[<html>.*403 Forbidden.*\\]\\[<html>.*403"]
--- no_error_log
[alert]



=== TEST 8: nested locations inherit it, replace it, or are open
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    identgw_require $is_staff;
    include $TEST_NGINX_CONF/echo.conf;
    location /inherit {
        include $TEST_NGINX_CONF/echo.conf;
    }
    location /replace {
        identgw_require $is_named;
        include $TEST_NGINX_CONF/echo.conf;
    }
    location /open {
        identgw off;
        include $TEST_NGINX_CONF/echo.conf;
    }
    location /if {
        if ($arg_x) {
            set $dummy 1;
        }
        include $TEST_NGINX_CONF/echo.conf;
    }
}
--- request eval
["GET /inherit", "GET /replace", "GET /open", "GET /if?x=1"]
--- more_headers
JSESSIONID: ok-other
--- error_code eval
[403, 200, 200, 403]
--- no_error_log
[error]



=== TEST 9: the page of this refusal
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    identgw_require $is_staff;
    error_page 403 /page;
    include $TEST_NGINX_CONF/echo.conf;
}
location /page {
    return 200 "$identgw_reason for $identgw_user\n";
}
--- request
GET /
--- more_headers
JSESSIONID: ok-other
--- error_code: 403
--- response_headers
Identgw-Reason: requirement
--- response_body
requirement for other
--- no_error_log
[error]
