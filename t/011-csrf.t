# Another site cannot write with the session's cookie.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

BEGIN {
    my $room = $ENV{TEST_NGINX_CONF};
    system('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256'
        . " -nodes -batch -days 1 -subj /CN=a -keyout $room/key.pem"
        . " -out $room/cert.pem 2> $room/openssl.log") == 0
        or die "no certificate: see $room/openssl.log\n";
}

# A row: headers beside the cookie, "|" between two lines, and the status. "*"
# asks /other, "-" is for no header.
add_block_preprocessor(sub {
    my $block = shift;
    my $rows = $block->rows or return;
    my @rows = map { [split /\s*=>\s*/] } grep { /\S/ } split /\n/, $rows;
    my $method = $block->method // 'POST';
    chomp $method;
    my $cookie = $block->session // 'Cookie: JSESSIONID=ok-csrf';
    chomp $cookie;
    $block->set_value('request',
        [map { $_->[0] =~ /^\*/ ? "$method /other" : "$method /app" } @rows]);
    $block->set_value('more_headers', [map {
        my $lines = $_->[0];
        $lines =~ s/^[*-] ?//;
        join "\n", $cookie, split /\s*\|\s*/, $lines;
    } @rows]);
    $block->set_value('error_code', [map { $_->[1] } @rows]);
    $block->set_value('response_headers',
        [map { $_->[1] == 403 ? "Identgw-Reason: cross_site\nCache-Control: no-store"
               : '!Identgw-Reason' } @rows]);
});

repeat_each(2);
no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: what a write with the cookie may come from
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- rows
- => 200
Sec-Fetch-Site: same-origin => 200
Sec-Fetch-Site: none => 200
Sec-Fetch-Site: same-site => 403
Sec-Fetch-Site: cross-site => 403
Sec-Fetch-Site: => 403
Sec-Fetch-Site: Same-Origin => 403
Sec-Fetch-Site: same-origin, none => 403
Sec-Fetch-Site: same-origin | Sec-Fetch-Site: same-origin => 403
Sec-Fetch-Site: cross-site | Sec-Fetch-Site: none => 403
Sec-Fetch-Site: same-origin | Origin: https://evil.example => 200
Sec-Fetch-Site: same-origin | Origin: null => 200
Sec-Fetch-Site: cross-site | Origin: http://localhost => 403
Origin: http://localhost => 200
Origin: HTTP://LOCALHOST:80 => 200
Origin: https://localhost => 403
Origin: http://localhost:8080 => 403
Origin: http://localhost.evil.example => 403
Origin: http://evil.example/localhost => 403
Origin: http://evil.example => 403
Origin: null => 403
Origin: => 403
Origin: localhost => 403
Origin: http://localhost/ => 403
Origin: http://localhost http://evil.example => 403
Origin: http://localhost | Origin: http://localhost => 403
--- no_error_log
[error]



=== TEST 2: a session in the header needs no check
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- session
JSESSIONID: ok-csrf
--- rows
Sec-Fetch-Site: cross-site | Origin: https://evil.example => 200
Origin: null | Cookie: JSESSIONID=ok-other => 200
--- no_error_log
[error]



=== TEST 3: reading needs no check
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- method: GET
--- rows
Sec-Fetch-Site: cross-site | Origin: https://evil.example => 200
Origin: null => 200
--- no_error_log
[error]



=== TEST 4: but an upgrade does
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- method: GET
--- rows
Upgrade: websocket | Origin: https://evil.example => 403
Upgrade: websocket | Sec-Fetch-Site: cross-site => 403
Upgrade: websocket | Origin: http://localhost => 200
Upgrade: websocket => 200
--- no_error_log
[error]



=== TEST 5: every method but three is a write
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- request eval
[map { "$_ /app" } qw(HEAD OPTIONS PUT DELETE PATCH PROPFIND MKCOL QUERY)]
--- more_headers
Cookie: JSESSIONID=ok-csrf
Sec-Fetch-Site: cross-site
--- error_code eval
[200, 200, (403) x 6]
--- no_error_log
[error]



=== TEST 6: nobody is asked, and no session is no matter of sites
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /optional {
    identgw optional;
    include $TEST_NGINX_CONF/echo.conf;
}
location /answers {
    identgw on;
    return 200 "secret\n";
}
--- request eval
["POST /app", "POST /optional", "POST /answers", "GET /questions?ok-unasked",
 "POST /app", "POST /optional"]
--- more_headers eval
[("Origin: null\nCookie: JSESSIONID=ok-unasked") x 4, ("Origin: null") x 2]
--- error_code eval
[403, 403, 403, 200, 401, 200]
--- response_headers eval
[("Identgw-Reason: cross_site") x 3, ("") x 3]
--- response_body_like eval
[("403 Forbidden") x 3, "^\$", "login", "REQUEST_METHOD=POST"]
--- no_error_log
[error]



=== TEST 7: other origins can be named, also to a browser that tells the site
--- config
include $TEST_NGINX_CONF/idp.conf;
identgw_csrf https://app.example http://App.example:8080 https://[2001:db8::1];
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
location /other {
    identgw on;
    identgw_csrf on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- rows
Origin: https://app.example => 200
Origin: https://APP.example:443 => 200
Origin: http://app.example:8080 => 200
Origin: https://[2001:DB8::1]:443 => 200
Origin: http://localhost => 200
Sec-Fetch-Site: cross-site | Origin: https://app.example => 200
Sec-Fetch-Site: same-site | Origin: http://app.example:8080 => 200
Sec-Fetch-Site: cross-site => 403
Sec-Fetch-Site: cross-site | Origin: https://evil.example => 403
Origin: http://app.example => 403
Origin: https://app.example:8443 => 403
Origin: https://sub.app.example => 403
Origin: https://app.example.evil.example => 403
Sec-Fetch-Site: cross-site | Sec-Fetch-Site: cross-site | Origin: https://app.example => 403
* Origin: https://app.example => 403
* Origin: http://localhost => 200
--- no_error_log
[error]



=== TEST 8: off, and back on in a nested location
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    identgw_csrf off;
    include $TEST_NGINX_CONF/echo.conf;
    location /other {
        identgw_csrf on;
        include $TEST_NGINX_CONF/echo.conf;
    }
}
--- rows
Origin: null => 200
Sec-Fetch-Site: cross-site => 200
* Origin: null => 403
--- no_error_log
[error]



=== TEST 9: the origin of a request is its Host, with the port
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- rows
Host: a.example:8080 | Origin: http://a.example:8080 => 200
Host: A.example:80 | Origin: http://a.EXAMPLE => 200
Host: a.example:8080 | Origin: http://a.example => 403
Host: a.example | Origin: http://a.example:8080 => 403
Host: a.example:443 | Origin: http://a.example => 403
Host: a.example | Origin: http://localhost => 403
Host: [::1]:8080 | Origin: http://[::1]:8080 => 200
Host: [::1] | Origin: http://[::1]:80 => 200
Host: [::1] | Origin: http://[::2] => 403
--- no_error_log
[error]



=== TEST 10: and its scheme
--- http_config
server {
    listen unix:$TEST_NGINX_CONF/tls ssl;
    ssl_certificate $TEST_NGINX_CONF/cert.pem;
    ssl_certificate_key $TEST_NGINX_CONF/key.pem;
    include $TEST_NGINX_CONF/idp.conf;
    location / {
        identgw on;
        include $TEST_NGINX_CONF/echo.conf;
    }
}
--- config
location / {
    proxy_set_header Host $http_host;
    proxy_pass https://unix:$TEST_NGINX_CONF/tls:;
}
--- rows
Origin: https://localhost => 200
Origin: https://localhost:443 => 200
Origin: http://localhost => 403
Origin: https://localhost:80 => 403
- => 200
--- no_error_log
[error]



=== TEST 11: a request without a host is from nowhere
--- config
include $TEST_NGINX_CONF/idp.conf;
location / {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- raw_request eval
"POST / HTTP/1.0\r\nCookie: JSESSIONID=ok-1\r\nOrigin: http://localhost\r\n\r\n"
--- error_code: 403
--- no_error_log
[error]



=== TEST 12: a spelling that an application may fold is odd
--- http_config
underscores_in_headers on;
ignore_invalid_headers off;
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- rows
Sec_Fetch_Site: none => 403
Sec.Fetch-Site: same-origin => 403
Sec-Fetch-Site: none | Sec_Fetch_Site: none => 403
--- no_error_log
[error]



=== TEST 13: the location that serves decides
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_csrf off;
    try_files /nothing /strict;
}
location /strict {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
}
--- rows
Origin: http://evil.example => 403
Origin: http://localhost => 200
--- no_error_log
[error]



=== TEST 14: in subrequests, too
--- config
include $TEST_NGINX_CONF/idp.conf;
location /app {
    identgw on;
    identgw_csrf off;
    mirror /strict;
    include $TEST_NGINX_CONF/echo.conf;
}
location /strict {
    identgw on;
    proxy_pass http://127.0.0.1:1;
}
--- rows
Origin: http://evil.example => 200
--- error_log
identgw: subrequest "/strict" into a protected location refused, another site
--- no_error_log
connect() failed
