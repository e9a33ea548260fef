# Beside Debian's Lua module, loaded before this one and after it: it puts
# handlers into the same phases, and moves its own to the end of them.
use lib 't/lib';

my ($gateway, @lua);

BEGIN {
    ($gateway, $ENV{TEST_NGINX_LOAD_MODULES}) = ($ENV{TEST_NGINX_LOAD_MODULES}, '');
    @lua = map { "/usr/lib/nginx/modules/$_.so" } qw(ndk_http_module ngx_http_lua_module);
}

use Test::Nginx::Socket -e $lua[1] && $ENV{TEST_NGINX_BINARY} eq '/usr/sbin/nginx'
    ? 'no_plan' : (skip_all => 'without libnginx-mod-http-lua of this nginx');
use ModuleTest;

my @modules;

add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value(main_config => join '', map { "load_module $_;\n" } @modules);
});

no_long_string();
no_root_location();

@modules = (@lua, $gateway);
run_tests();
@modules = ($gateway, @lua);
run_tests();

__DATA__

=== TEST 1: what Lua answers in the rewrite phase is not for everybody
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    rewrite_by_lua_block { ngx.say("secret") ngx.exit(200) }
}
location /open {
    rewrite_by_lua_block { ngx.say(ngx.var.http_x_user or "nobody") ngx.exit(200) }
}
--- request eval
["GET /app", "GET /app", "GET /open"]
--- more_headers eval
["X-User: admin", "X-User: admin\nJSESSIONID: ok-early", "X-User: admin"]
--- error_code eval
[403, 403, 200]
--- response_body_like eval
["403 Forbidden", "403 Forbidden", "^nobody\n\$"]
--- no_error_log
[alert]



=== TEST 2: nor where it does not move itself to the end
--- http_config
rewrite_by_lua_no_postpone on;
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    rewrite_by_lua_block { ngx.say("secret") ngx.exit(200) }
}
location /open {
    rewrite_by_lua_block { ngx.say(ngx.var.http_x_user or "nobody") ngx.exit(200) }
}
--- request eval
["GET /app", "GET /app", "GET /open"]
--- more_headers eval
["X-User: admin", "X-User: admin\nJSESSIONID: ok-early", "X-User: admin"]
--- error_code eval
[403, 403, 200]
--- response_body_like eval
["403 Forbidden", "403 Forbidden", "^nobody\n\$"]
--- no_error_log
[alert]



=== TEST 3: return, rewrites and error pages ask first all the same
--- config
include $TEST_NGINX_CONF/idp.conf;
location /return {
    identgw on;
    rewrite_by_lua_block { ngx.ctx.seen = true }
    return 200 "to $identgw_user\n";
}
location /exec {
    rewrite_by_lua_block { return ngx.exec("/return") }
}
location /named {
    content_by_lua_block { return ngx.exec("@app") }
}
location /paged {
    error_page 418 =200 /app;
    access_by_lua_block { ngx.exit(418) }
}
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location @app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[map { my $road = $_; map { "GET /$road" } 1 .. 2 } qw(return exec named paged)]
--- more_headers eval
[("X-User: admin", "X-User: admin\nJSESSIONID: ok-road") x 4]
--- error_code eval
[(401, 200) x 4]
--- response_body_like eval
[map { ("^Please go to login...\n\$", $_) } ("^to road\n\$") x 2,
 ("\nHTTP_X_USER=road\nREQUEST_METHOD=GET\n\$") x 2]
--- no_error_log
[error]



=== TEST 4: Lua in the access phase hears of the user
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    access_by_lua_block {
        if ngx.var.identgw_user ~= "one" then ngx.exit(403) end
    }
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 3]
--- more_headers eval
["X-User: one\nJSESSIONID: ok-two", "X-User: two\nJSESSIONID: ok-one", "X-User: one"]
--- error_code eval
[403, 200, 401]
--- response_body_like eval
["403 Forbidden", "\nHTTP_X_USER=one\nREQUEST_METHOD=GET\n\$", "^Please go to login"]
--- no_error_log
[error]



=== TEST 5: a subrequest of Lua's inherits the verdict, or is refused
--- config
include $TEST_NGINX_CONF/idp.conf;
location /part {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /open {
    content_by_lua_block {
        local answer = ngx.location.capture("/part")
        ngx.say(answer.status, answer.body)
    }
}
location /app {
    identgw on;
    content_by_lua_block {
        local answer = ngx.location.capture("/part")
        ngx.say(answer.status, answer.body)
    }
}
--- request eval
["GET /open", "GET /app"]
--- more_headers
X-User: admin
JSESSIONID: ok-part
--- response_body_like eval
["^403", "^200.*\nHTTP_X_USER=part\n"]
--- no_error_log
[alert]
