# A browser without a session is sent to the sign-in page.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

# rows of: headers ("|" between lines, "-" for none) => status
add_block_preprocessor(sub {
    my $block = shift;
    if (my $rows = $block->rows) {
        my @rows = map { [split /\s*=>\s*/] } grep { /\S/ } split /\n/, $rows;
        $block->set_value('request', [('GET /app') x @rows]);
        $block->set_value('more_headers', [map {
            $_->[0] eq '-' ? '' : join "\n", split /\s*\|\s*/, $_->[0]
        } @rows]);
        $block->set_value('error_code', [map { $_->[1] } @rows]);
        $block->set_value('response_headers', [map { $_->[1] == 302
            ? "Identgw-Reason: no_session\nCache-Control: no-store\nVary: Accept, Sec-Fetch-Mode, Sec-Fetch-Dest\n!WWW-Authenticate"
            : "!Location\nIdentgw-Reason: no_session\nWWW-Authenticate: Session realm=\"identgw\"" } @rows]);
    }
    # rows of: request target => return_to
    if (my $targets = $block->targets) {
        my @rows = map { [split /\s*=>\s*/] } grep { /\S/ } split /\n/, $targets;
        $_->[0] =~ s/<(\w\w)>/chr hex $1/ge for @rows;
        $_->[0] =~ s/LONG(\d+)/'x' x $1/e for @rows;
        $_->[1] =~ s/LONG(\d+)/'x' x $1/e for @rows;
        $block->set_value('request', [map { "GET $_->[0]" } @rows]);
        $block->set_value('more_headers', 'Accept: text/html');
        $block->set_value('error_code', [(302) x @rows]);
        $block->set_value('raw_response_headers_like',
            [map { "Location: /login\\?return_to=\Q$_->[1]\E\r\n" } @rows]);
    }
});

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: navigations are, everything else gets the 401
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- rows
- => 401
Accept: */* => 401
Accept: application/json => 401
Accept: text/html => 302
Accept: application/xhtml+xml, Text/HTML;q=0.9, */*;q=0.8 => 302
Accept: text/html5 => 401
Accept: xtext/html => 401
Accept: application/json, x/text/html => 401
Sec-Fetch-Mode: navigate => 302
Sec-Fetch-Mode: navigate | Sec-Fetch-Dest: document | Accept: */* => 302
Sec-Fetch-Mode: navigate | Sec-Fetch-Dest: iframe | Accept: text/html => 401
Sec-Fetch-Mode: cors | Accept: text/html => 401
Sec-Fetch-Mode: no-cors | Sec-Fetch-Dest: image | Accept: text/html => 401
Sec-Fetch-Mode: cors | Sec-Fetch-Mode: navigate | Accept: text/html => 401
Sec-Fetch-Site: none | Accept: text/html => 401
Sec-Fetch-Dest: document | Accept: text/html => 401
Upgrade: websocket | Accept: text/html => 401
--- no_error_log
[error]



=== TEST 2: only GET and HEAD
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /app", "HEAD /app", "POST /app\nbody", "PUT /app\nbody", "DELETE /app", "OPTIONS /app"]
--- more_headers
Sec-Fetch-Mode: navigate
Accept: text/html
--- error_code eval
[302, 302, 401, 401, 401, 401]
--- response_body_like eval
["302 Found", "^\$", ("Please go to login") x 4]
--- no_error_log
[error]



=== TEST 3: the reason may be any of a 401, and of nothing else
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[("GET /app") x 6]
--- more_headers eval
[map { "Accept: text/html\n$_" } "JSESSIONID: unknown", "JSESSIONID: a\nJSESSIONID: b",
 "JSESSIONID: status-403", "JSESSIONID: status-503", "JSESSIONID: status-302", "JSESSIONID: ok-in"]
--- error_code eval
[302, 302, 403, 503, 502, 200]
--- response_headers eval
["Identgw-Reason: denied", "Identgw-Reason: bad_session", ("!Location") x 4]
--- no_error_log
[alert]



=== TEST 4: return_to is a path of this host
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
absolute_redirect off;
identgw on;
location / {
    include $TEST_NGINX_CONF/echo.conf;
}
location = /login {
    identgw off;
}
--- targets
/ => /
/app => /app
/app/x.html?a=1&b=2 => /app/x.html%3Fa%3D1%26b%3D2
/app?a=%20%23+x => /app%3Fa%3D%2520%2523%2Bx
/a%C3%A4?%C3%A4 => /a%25C3%25A4%3F%25C3%25A4
/a<C3><A4> => /a%25C3%25A4
/app?q="<3E><5C>{}|^` => /app%3Fq%3D%2522%253E%255C%257B%257D%257C%255E%2560
/app?u=http://other.example/&v=//x => /app%3Fu%3Dhttp%3A//other.example/%26v%3D//x
/app?a=%0D%0AX: => /
//evil.example/ => /
//evil.example => /
/<5C>evil.example => /
/%5Cevil.example => /
/%2Fevil.example => /
/%2f%2fevil.example => /
/a/..//evil.example => /
/a/%2e%2e//evil.example => /
/./x => /
/a/. => /
/a/..?x => /
/a/%2E => /
/.hidden?a=/../ => /.hidden%3Fa%3D/../
/a/...//b => /
/a/.../..b/c. => /a/.../..b/c.
/a//b => /
/a%0D%0ASet-Cookie:a => /
/a%09b => /
/a%7Fb => /
http://evil.example/x => /x
http://evil.example//x => /
/a?LONG2045 => /a%3FLONG2045
/a?LONG2046 => /
/a?%zz%z => /a%3F%25zz%25z
--- no_error_log
[alert]



=== TEST 5: the original path, whatever it was rewritten to
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login?theme=dark&x=a%20b redirect;
location /app {
    rewrite ^ /inner?y=1? last;
}
location /inner {
    identgw on;
    try_files /nothing @inner;
}
location @inner {
    identgw on;
    return 200 "inner\n";
}
--- request
GET /app?a=1
--- more_headers
Accept: text/html
--- error_code: 302
--- raw_response_headers_like: Location: http://localhost(?::\d+)?/login\?theme=dark&x=a%20b&return_to=/app%3Fa%3D1\r\n
--- no_error_log
[error]



=== TEST 6: return in a protected location is no way around it
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
absolute_redirect off;
location /app {
    identgw on;
    return 200 "secret\n";
}
--- request
GET /app
--- more_headers
Accept: text/html
--- error_code: 302
--- response_headers
Location: /login?return_to=/app
--- no_error_log
[error]



=== TEST 7: levels: the body's location and the redirect are settings of their own
--- http_config
identgw_signin /login redirect;
--- config
include $TEST_NGINX_CONF/idp.conf;
absolute_redirect off;
identgw on;
location = /login {
    identgw off;
    return 200 "log in\n";
}
location / {
    include $TEST_NGINX_CONF/echo.conf;
}
location /other {
    identgw_signin /login?other redirect;
    include $TEST_NGINX_CONF/echo.conf;
}
location /off {
    identgw_signin off redirect;
    include $TEST_NGINX_CONF/echo.conf;
}
location /body {
    identgw_signin off;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
["GET /", "GET /other", "GET /off", "GET /body", "GET /body"]
--- more_headers eval
[("Accept: text/html") x 4, ""]
--- error_code eval
[302, 302, 401, 302, 401]
--- response_headers eval
["Location: /login?return_to=/", "Location: /login?other&return_to=/other",
 "!Location", "Location: /login?return_to=/body", "!Location"]
--- response_body_like eval
["302", "302", "go to login", "302", "401 Authorization Required"]
--- no_error_log
[error]



=== TEST 8: optional redirects nobody
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
location / {
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request
GET /
--- more_headers
Accept: text/html
--- response_body_like: REQUEST_METHOD=GET
--- no_error_log
[error]
