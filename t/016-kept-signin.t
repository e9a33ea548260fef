# What is kept of sign-in answers, and for whom. The body is the User-Agent of
# the request for which the question was asked.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;

# A gateway whose sign-in answer has these header lines, and this body.
sub gateway {
    my ($lines, $body) = @_;
    $body //= '$http_user_agent';
    return <<"END";
include \$TEST_NGINX_CONF/idp.conf;
location = /idp/signin {
    internal;
    subrequest_output_buffer_size 16k;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_BODY $body;
    fastcgi_param PEER_ANSWER "$lines";
    include \$TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    identgw_signin /idp/signin;
    include \$TEST_NGINX_CONF/echo.conf;
}
END
}

repeat_each(1);
no_long_string();
run_tests();

__DATA__

=== TEST 1: an answer with X-Accel-Expires serves everybody without a session
--- config eval
main::gateway('X-Accel-Expires: 60|Vary: Accept|Content-Language: de'
    . '|WWW-Authenticate: Session realm=\"a\"'
    . '|WWW-Authenticate: Session realm=\"b\"|X-User: admin')
--- request eval
["GET /app/a", "GET /app/b?c", "POST /app/c\nbody", "HEAD /app/d", "GET /app/e"]
--- more_headers eval
[map { "User-Agent: $_" } 1 .. 5]
--- error_code eval
[(401) x 5]
--- raw_response_headers_like eval
[(CORE::join '.*\r\n', 'Content-Type: text/plain', 'Content-Length: 1',
    'Content-Language: de', 'Vary: Accept',
    'Identgw-Reason: no_session', 'WWW-Authenticate: Session realm="a"',
    'WWW-Authenticate: Session realm="b"') x 5]
--- raw_response_headers_unlike eval
[("X-User|X-Accel") x 5]
--- response_body eval
["1", "1", "1", "", "1"]
--- no_error_log
[error]
[warn]



=== TEST 2: one without it does not, nor one that forbids it or means nothing
--- http_config
map $http_user_agent $lines {
    "~none" "A: b";
    "~zero" "X-Accel-Expires: 0";
    "~words" "X-Accel-Expires: soon";
    "~twice" "X-Accel-Expires: 5|X-Accel-Expires: 5";
    "~cookie" "X-Accel-Expires: 5|Set-Cookie: for=one";
    "~kept" "X-Accel-Expires: 5";
}
--- config eval
main::gateway('$lines')
--- request eval
[("GET /app") x 12]
--- more_headers eval
[map { ("User-Agent: $_ 1", "User-Agent: $_ 2") }
    qw(none zero words twice cookie kept)]
--- error_code eval
[(401) x 12]
--- response_body eval
[(map { ("$_ 1", "$_ 2") } qw(none zero words twice cookie)), ("kept 1") x 2]
--- no_error_log
[error]



=== TEST 3: with a session the provider is asked, and what it says is not kept
--- config eval
main::gateway('X-Accel-Expires: 60')
--- request eval
[("GET /app") x 6]
--- more_headers eval
["User-Agent: 1\nJSESSIONID: unknown", "User-Agent: 2", "User-Agent: 3",
 "User-Agent: 4\nJSESSIONID: unknown", "User-Agent: 5\nCookie: JSESSIONID=unknown",
 "User-Agent: 6\nJSESSIONID: ok-me"]
--- error_code eval
[(401) x 5, 200]
--- response_headers eval
["Identgw-Reason: denied", ("Identgw-Reason: no_session") x 2,
 ("Identgw-Reason: denied") x 2, "!Identgw-Reason"]
--- response_body_like eval
[qr/^1$/, qr/^2$/, qr/^2$/, qr/^4$/, qr/^5$/, qr/^HTTP_X_USER=me$/m]
--- no_error_log
[error]



=== TEST 4: what the question says of the client tells answers apart
--- http_config
identgw_signin /idp/signin;
server {
    listen unix:$TEST_NGINX_CONF/other-server.sock;
    server_name localhost;
    include $TEST_NGINX_CONF/idp.conf;
    location = /idp/signin {
        internal;
        fastcgi_param REQUEST_METHOD GET;
        fastcgi_param PEER_ROLE signin;
        fastcgi_param PEER_BODY $http_user_agent;
        fastcgi_param PEER_ANSWER "X-Accel-Expires: 60";
        include $TEST_NGINX_CONF/peer.conf;
    }
    location /app {
        identgw on;
        include $TEST_NGINX_CONF/echo.conf;
    }
}
--- config
include $TEST_NGINX_CONF/idp.conf;
location /idp/another {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_BODY $http_user_agent;
    fastcgi_param PEER_ANSWER "X-Accel-Expires: 60";
    include $TEST_NGINX_CONF/peer.conf;
}
location /port/ {
    proxy_set_header Host localhost:81;
    proxy_pass http://unix:$TEST_NGINX_CONF/other-server.sock:/app/;
}
location /server/ {
    proxy_set_header Host localhost;
    proxy_pass http://unix:$TEST_NGINX_CONF/other-server.sock:/app/;
}
location = /idp/signin {
    internal;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    fastcgi_param PEER_BODY $http_user_agent;
    fastcgi_param PEER_ANSWER "X-Accel-Expires: 60";
    include $TEST_NGINX_CONF/peer.conf;
}
location /app {
    identgw on;
    include $TEST_NGINX_CONF/echo.conf;
    location /app/other {
        identgw_session_name other;
        include $TEST_NGINX_CONF/echo.conf;
    }
    location /app/another {
        identgw_signin /idp/another;
        include $TEST_NGINX_CONF/echo.conf;
    }
}
--- request eval
[("GET /app", "GET /app", "GET /app", "GET /app", "GET /app", "GET /app",
  "GET /app", "GET /app", "GET /app", "GET http://another/app",
  "GET /app/other", "GET /app/another", "GET /server/", "GET /port/") x 2]
--- more_headers eval
my $n = 0;
[map { "User-Agent: <" . ++$n . ">\n$_" } ("", "Accept: a/b", "Accept: a/c",
    "Accept: a/b\nAccept: a/c", "Accept-Language: ru", "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Dest: cors", "Authorization: Bearer a", "JSESSIONID: a b", "", "",
    "", "", "")
    x 2]
--- error_code eval
[(401) x 28]
--- response_body eval
[map { "<$_>" } 1 .. 14, 1 .. 14]
--- no_error_log
[error]



=== TEST 5: a large answer, or a question of many words, is not kept
--- http_config
large_client_header_buffers 4 16k;
--- config eval
main::gateway('X-Accel-Expires: 60')
--- request eval
[("GET /app") x 6]
--- more_headers eval
["User-Agent: " . "a" x 4097, "User-Agent: 2", "User-Agent: 3",
 "User-Agent: 4\nAccept: " . "a" x 512, "User-Agent: 5\nAccept: " . "a" x 512,
 "User-Agent: 6\nAccept: " . "a" x 300]
--- error_code eval
[(401) x 6]
--- response_body eval
["a" x 4097, 2, 2, 4, 5, 6]
--- no_error_log
[error]



=== TEST 6: many of them give way to each other
--- config eval
main::gateway('X-Accel-Expires: 60', '$http_accept')
--- request eval
[("GET /app") x 200]
--- more_headers eval
[map { "Accept: $_" } (1 .. 100) x 2]
--- error_code eval
[(401) x 200]
--- response_body eval
[(1 .. 100) x 2]
--- no_error_log
[error]



=== TEST 7: it ends
--- config eval
main::gateway('X-Accel-Expires: 1')
--- request eval
[("GET /app") x 5]
--- more_headers eval
["User-Agent: 1", "User-Agent: 2", "User-Agent: 3\nJSESSIONID: slow-1200",
 "User-Agent: 4", "User-Agent: 5"]
--- error_code eval
[401, 401, 200, 401, 401]
--- response_body_like eval
[qr/^1$/, qr/^1$/, qr/^HTTP_X_USER=/m, qr/^4$/, qr/^4$/]
--- no_error_log
[error]
