# Whatever identprov does, nobody is let in by it who should not be: the status
# and the reason are right, and the client's connection goes on.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client qw(field fields request_bytes wait_for);
use FastCGI;
use ModuleTest;
use Provider qw(answer cgi end_of_request identity stdout);
use Upstreams;

# --- what identprov does ------------------------------------------------------

sub say {
    my ($socket, $bytes) = @_;
    return FastCGI::write_all($socket, $bytes);
}

sub reply {
    my ($lines, $body) = @_;
    return sub { answer($_[0], $lines, $body) };
}

# The bytes, and then the connection's end.
sub cut {
    my ($bytes) = @_;
    return sub { say($_[0], $bytes); return 0 };
}

my $MB = 1 << 20;
my $FINE = identity('fine');

# name => [what it does, status for the client, reason]
my %ACTS = (
    # nothing, or a part
    closes => [ cut(''), 503, 'idp_unavailable' ],
    cutrecord => [ cut(substr stdout(cgi($FINE)), 0, 5), 502, 'idp_invalid' ],
    cutheader => [ cut(FastCGI::record(FastCGI::OUTPUT,
                substr cgi($FINE), 0, 60)), 502, 'idp_invalid' ],
    cutline => [ cut(FastCGI::record(FastCGI::OUTPUT, "X-User: fi")),
        502, 'idp_invalid' ],
    cutend => [ cut(FastCGI::record(FastCGI::OUTPUT, cgi($FINE))),
        502, 'idp_invalid' ],
    cutbody => [ cut(FastCGI::record(FastCGI::OUTPUT,
                cgi("${FINE}Content-Length: 1000\r\n"))), 502, 'idp_invalid' ],
    cutpadding => [ cut(pack('CCnnCx', 1, 6, 1, 20, 200) . substr cgi($FINE),
                0, 20), 502, 'idp_invalid' ],
    endsatonce => [ cut(end_of_request()), 502, 'idp_invalid' ],
    empty => [ cut(stdout('') . end_of_request()), 502, 'idp_invalid' ],

    # not FastCGI, not CGI
    http => [ cut("HTTP/1.1 200 OK\r\n${FINE}\r\n"), 502, 'idp_invalid' ],
    version => [ cut("\2" . substr stdout(cgi($FINE)), 1), 502, 'idp_invalid' ],
    recordtype => [ cut(FastCGI::record(9, 'x')), 502, 'idp_invalid' ],
    otherid => [ cut(pack('CCnnCx', 1, 6, 7, 5, 0) . 'x: y ' ),
        502, 'idp_invalid' ],
    noise => [ cut(join '', map { chr($_ * 7 % 256) } 1 .. 500),
        502, 'idp_invalid' ],
    babbles => [ reply("this is no header\r\n$FINE"), 502, 'idp_invalid' ],
    noname => [ reply(": fine\r\n$FINE"), 502, 'idp_invalid' ],
    nul => [ reply("X-Nul: a\0b\r\n$FINE"), 502, 'idp_invalid' ],
    bareword => [ sub { say($_[0], stdout('fine') . end_of_request()) },
        502, 'idp_invalid' ],
    onlybody => [ sub { say($_[0], stdout("\r\n$FINE\r\n")
                    . end_of_request()) }, 502, 'idp_invalid' ],
    inbody => [ reply(identity('fine', 'X-User', undef),
            "X-User: fine\r\n\r\n"), 502, 'idp_invalid' ],

    # well-formed, and no verdict
    (map {
        my ($name, $label) = ($_, lc s/\W//gr);
        ("lacks$label" => [ reply(identity('fine', $name, undef)) ],
            "twice$label" => [ reply("$FINE$name: again\r\n") ],
            "alike$label" => [ reply($FINE . lc($name =~ tr/-/_/r)
                        . ": again\r\n") ],
            "same$label" => [ reply($FINE . join '', grep { /^\Q$name:/ }
                        split /(?<=\n)/, $FINE) ],
            map { my $byte = $_;
                (sprintf("byte%02x$label", $byte) => [ reply(identity('fine',
                        $name, 'Bearer a' . chr($byte) . 'b')) ])
            } 1 .. 8, 11, 12, 14 .. 31, 127)
    } qw(Authorization X-User X-Email X-First-Name)),
    tabuser => [ reply(identity('fine', 'X-User', "a\tb")) ],
    nobody => [ reply(identity('fine', 'X-User', '')) ],
    blank => [ reply(identity('fine', 'X-User', '   ')) ],
    (map { ("token$_->[0]" => [ reply(identity('fine', 'Authorization',
            $_->[1])) ]) } ([ 'none', '' ], [ 'bare', 'Bearer' ],
        [ 'empty', 'Bearer ' ], [ 'spaces', 'Bearer  a' ],
        [ 'two', 'Bearer a b' ],
        [ 'basic', 'Basic YTpi' ], [ 'case', 'bearer a' ],
        [ 'list', 'Bearer a,Bearer b' ], [ 'high', "Bearer a\xe9b" ],
        [ 'quote', 'Bearer "a"' ], [ 'long', 'Bearer ' . 'a' x 4097 ],
        [ 'huge', 'Bearer ' . 'a' x 65_536 ], [ 'raw', 'a.b.c' ])),
    manyheaders => [ reply($FINE . join '', map { "H-$_: $_\r\n" } 1 .. 3000) ],
    longheader => [ reply($FINE . 'H: ' . 'h' x 40_000 . "\r\n") ],

    # statuses that are none, and redirects of all kinds
    (map { ("status$_" => [ reply("Status: $_\r\n$FINE") ]) }
        qw(0 1 20 99 999 600 abc 0x200)),
    statusnegative => [ reply("Status: -200\r\n$FINE") ],
    statustwice => [ reply("Status: 401\r\nStatus: 200\r\n$FINE"), 401,
        'denied' ],
    location => [ reply("Location: /open\r\n$FINE") ],
    redirect => [ reply("Status: 302\r\nLocation: http://other.example/\r\n"
                . $FINE) ],
    (map { ("accel$_->[0]" => [ reply("X-Accel-Redirect: $_->[1]\r\n$FINE") ]) }
        ([ 'file', '/open.txt' ], [ 'return', '/said' ], [ 'app', '/open/x' ],
            [ 'named', '@open' ], [ 'self', '/.identgw/authenticate' ],
            [ 'other', '/.identgw/refused' ], [ 'missing', '/absent' ],
            [ 'protected', '/app' ], [ 'unsafe', '/../x' ], [ 'bare', 'x' ])),
    accelforanother => [ reply("X-Accel-Redirect: /open.txt\r\n") ],
    accelunknown => [ reply("Status: 401\r\nX-Accel-Redirect: /open.txt\r\n"
                . $FINE) ],

    # odd, and yet a verdict
    plain => [ reply($FINE), 200 ],
    linefeeds => [ sub { say($_[0], stdout(cgi($FINE) =~ tr/\r//dr)
                    . end_of_request()) }, 200 ],
    token4096 => [ reply(identity('fine', 'Authorization',
                'Bearer ' . 'a' x 4096)), 200 ],
    unicode => [ reply(identity('fine', 'X-First-Name', "\xd0\x98\xff")), 200 ],
    noemail => [ reply(identity('fine', 'X-Email', '', 'X-First-Name', '')),
        200 ],
    status204 => [ reply("Status: 204\r\n$FINE", ''), 200 ],
    nobody204 => [ sub { say($_[0], stdout("Status: 204\r\n$FINE\r\n")
                    . end_of_request()) }, 200 ],
    largebody => [ reply($FINE, 'b' x $MB), 200 ],
    trickle => [ sub { my ($socket) = @_;
            for my $byte (split //, cgi($FINE)) {
                say($socket, FastCGI::record(FastCGI::OUTPUT, $byte)) or return;
            }
            say($socket, end_of_request()) }, 200 ],
    padded => [ sub { my $text = cgi($FINE);
            say($_[0], pack('CCnnCx', 1, 6, 1, length $text, 255)
                    . $text . 'p' x 255 . end_of_request()) }, 200 ],
    complains => [ sub { say($_[0], FastCGI::record(7, 'X-User: complaint')
                    . stdout(cgi($FINE)) . FastCGI::record(7, '')
                    . end_of_request()) }, 200 ],
    accelothers => [ reply("X-Accel-Limit-Rate: 1\r\nX-Accel-Buffering: no\r\n"
                . "X-Accel-Charset: koi8-r\r\nX-Accel-Expires: 0\r\n$FINE"),
        200 ],
    notforclients => [ reply("Cache-Control: max-age=600\r\nETag: \"x\"\r\n"
                . "Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
                . "Content-Encoding: gzip\r\nRefresh: 0\r\nX-Secret: 1\r\n"
                . "Content-Range: bytes 0-1/2\r\n$FINE"), 200 ],

    # known refusals, however they are dressed
    denied => [ reply("Status: 401\r\n$FINE"), 401, 'denied' ],
    forbidden => [ reply("Status: 403\r\n$FINE"), 403, 'forbidden' ],
    throttled => [ reply("Status: 429\r\nRetry-After: 17\r\n$FINE"), 429,
        'throttled' ],
    unavailable => [ reply("Status: 503\r\nRetry-After: 9\r\n$FINE"), 503,
        'idp_unavailable' ]);
$_->[1] //= 502 for values %ACTS;
$_->[2] //= 'idp_invalid' for grep { $_->[1] == 502 } values %ACTS;

Upstreams::start;
my $ROOM = $Upstreams::room;
my $CONF = $ENV{TEST_NGINX_CONF};
my @SILENT;

Provider::start("$ROOM/provider.sock", "$ROOM/asked",
    (map { $_ => $ACTS{$_}[0] } keys %ACTS),
    status => sub { answer($_[0], "Status: $_[1]\r\n$FINE") },
    cookie => sub { answer($_[0], "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
                . identity($_[1])) },
    # keeps a connection for one request only, and does not say so
    once => sub { return $_[2] > 1 ? 0 : answer($_[0], identity($_[1])) },
    silent => sub { push @SILENT, $_[0]; sleep 20; return 0 },
    stalls => sub { say($_[0], FastCGI::record(FastCGI::OUTPUT,
                substr cgi($FINE), 0, 70)); sleep 20; return 0 },
    lingers => sub { say($_[0], FastCGI::record(FastCGI::OUTPUT, cgi($FINE)));
        sleep 20; return 0 });

# --- configuration ------------------------------------------------------------

my $PASS = "proxy_http_version 1.1; proxy_set_header Host \$host; "
    . "proxy_set_header Connection ''; proxy_pass http://echo_http;";

sub provider_at {
    my ($name, @more) = @_;
    return <<"CONF";
location = /.identgw/$name {
    internal;
    identgw off;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_buffer_size 16k;
    fastcgi_buffers 8 16k;
    fastcgi_keep_conn on;
    @more
}
CONF
}

sub write_file {
    my ($name, $text) = @_;
    open my $out, '>', "$ROOM/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
}

mkdir "$ROOM/www";
write_file('www/open.txt', "an open file\n");
write_file('locations.conf', <<"CONF" . join '',
root $ROOM/www;
location /app { identgw on; $PASS }
location /optional { identgw optional; $PASS }
location /open { $PASS }
location = /open.txt { }
location = /said { return 200 "said\\n"; }
location \@open { $PASS }
location \@app { identgw on; $PASS }
location /fails { proxy_intercept_errors on; error_page 404 = \@app; $PASS }
CONF
    (map { "location /$_ { identgw on; identgw_authenticate /.identgw/$_; "
            . "$PASS }\n" } qw(refused slow cached)),
    provider_at('refused', "fastcgi_pass unix:$ROOM/nobody.sock;"),
    provider_at('slow', 'fastcgi_read_timeout 300ms;',
        'fastcgi_pass provider;'),
    provider_at('cached', 'fastcgi_cache verdicts;',
        'fastcgi_cache_key $http_jsessionid;', 'fastcgi_cache_valid 200 1m;',
        'fastcgi_pass provider;'),
    <<"CONF");
location = /.identgw/signin {
    internal;
    identgw off;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    include $CONF/peer.conf;
}
CONF

our $HttpConfig = <<"CONF" . join '',
upstream echo_http { server unix:$ROOM/http.sock; keepalive 4; }
upstream provider { server unix:$ROOM/provider.sock; keepalive 4; }
fastcgi_cache_path $ROOM/cache keys_zone=verdicts:1m;
keepalive_requests 100000;
client_max_body_size 3m;
server {
    listen unix:$ROOM/plain;
    listen unix:$ROOM/plain-http2 http2;
    add_header Reason \$identgw_reason always;
    include $ROOM/locations.conf;
CONF
    provider_at('authenticate', 'fastcgi_pass provider;'), <<"CONF",
}
server {
    listen unix:$ROOM/pages;
    fastcgi_intercept_errors on;
    recursive_error_pages on;
    error_page 300 301 302 303 307 308 400 401 402 403 404 405 408 409 410 411
        412 413 414 415 416 421 429 494 495 496 497 500 501 502 503
        504 505 507 /page;
    location = /page { internal; $PASS }
    include $ROOM/locations.conf;
CONF
    provider_at('authenticate', 'fastcgi_pass provider;',
        'error_page 302 401 403 404 429 500 502 503 504 =200 /as-if;'),
    <<"CONF";
    location = /as-if { internal; fastcgi_param PEER_ROLE authenticate;
        fastcgi_param PEER_SESSION HTTP_X_IS; include $CONF/peer.conf; }
}
CONF

# --- checks -------------------------------------------------------------------

my $count = 0;

# The answer to a request with that session, and what is wrong with it.
sub ask_with {
    my ($client, $path, $session, $status, $reason) = @_;
    Upstreams::received();
    my $answer = $client->ask($count++ % 5 ? 'GET' : 'POST', $path,
        [ 'jsessionid', $session, 'x-user', 'mallory' ],
        $count % 5 == 1 ? 'a body' : undef)
        // return "$session: no answer, $status expected";
    my $reasons = join '|', fields($answer, 'Identgw-Reason');
    return "$session: $answer->{status} $reasons, not $status "
        . ($reason // '')
        if $answer->{status} != $status || $reasons ne ($reason // '');
    my @passed = Upstreams::received();
    my @faults = $reason ? faults_of_refusal($answer, @passed)
        : faults_of_entry($answer, @passed);
    push @faults, "the variable is " . field($answer, 'Reason')
        if $path =~ /app/ && $client->{address} =~ /plain/
        && (field($answer, 'Reason') // '') ne ($reason // 'ok');
    my $text = join '|', @{ $answer->{headers} }, $answer->{body};
    push @faults, 'identprov shows' if $text =~ /THE BODY|X-Secret|max-age=600
        |koi8|ETag|Refresh|Content-Range|Last-Modified/x;
    push @faults, 'the connection ends' if $client->{is_last};
    return map { "$session: $_" } @faults;
}

sub faults_of_refusal {
    my ($answer, @passed) = @_;
    my @faults;
    push @faults, 'passed on' if grep { $_->[1] !~ m{^GET /page } } @passed;
    push @faults, 'an identity' if "@{ $answer->{headers} } $answer->{body}"
        =~ /fine|X-User|mallory|Bearer/i;
    push @faults, 'cacheable'
        if (field($answer, 'Cache-Control') // '') ne 'no-store';
    push @faults, 'no id'
        if (field($answer, 'X-Request-Id') // '') !~ /^[0-9a-f]{32}\z/;
    my $challenge = field($answer, 'WWW-Authenticate') // '';
    push @faults, 'challenge'
        if $answer->{status} == 401 ? $challenge !~ /^Session / : $challenge;
    my $retry = field($answer, 'Retry-After') // '';
    push @faults, "Retry-After: $retry"
        if $answer->{status} == 503 ? $retry !~ /^\d+\z/
        : $retry ne '' && $answer->{status} != 429;
    return @faults;
}

sub faults_of_entry {
    my ($answer, @passed) = @_;
    my @faults;
    push @faults, 'not passed on' if @passed != 1;
    push @faults, 'no identity'
        if $answer->{body} !~ /^X-User: \S+\r$/m
        && $answer->{body} !~ m{^\S+ /optional };
    push @faults, 'mallory' if $answer->{body} =~ /mallory/;
    return @faults;
}

sub expectation {
    my ($status) = @_;
    return (200) if $status >= 200 && $status < 300;
    my %reason = (401 => 'denied', 403 => 'forbidden', 429 => 'throttled');
    return ($status, $reason{$status}) if $reason{$status};
    return $status >= 500 ? (503, 'idp_unavailable') : (502, 'idp_invalid');
}

sub check_statuses {
    for my $server (qw(plain pages)) {
        my $client = Client->new("$ROOM/$server");
        my @wrong = map { ask_with($client, '/app', "status-$_",
                expectation($_)) } 100 .. 599;
        is(join("\n", @wrong), '', "$server: all statuses");
    }
    my $client = Client->new("$ROOM/plain-http2", http2 => 1);
    my @wrong = map { ask_with($client, '/optional', "status-$_",
            $_ == 401 ? 200 : expectation($_)) } 100 .. 599;
    is(join("\n", @wrong), '',
        'optional: 401 is nobody, the others are the same');
}

sub check_acts {
    for my $server (qw(plain pages plain-http2)) {
        my $client = Client->new("$ROOM/$server",
            http2 => scalar($server =~ /http2/));
        my @wrong = map { ask_with($client, '/app', $_,
                @{ $ACTS{$_} }[ 1, 2 ]) } sort keys %ACTS;
        is(join("\n", @wrong), '',
            "$server: " . keys(%ACTS) . ' kinds of answers');
        @wrong = map { ask_with($client, '/optional', $_,
                $ACTS{$_}[1] == 401 ? 200 : @{ $ACTS{$_} }[ 1, 2 ]) }
            sort keys %ACTS;
        is(join("\n", @wrong), '', "$server: ... under optional");
        is($client->get('/open')->{status}, 200,
            '... and the connection goes on');
    }
    for my $act (qw(unavailable throttled)) {
        my $answer = Client->new("$ROOM/plain")->get('/app', 'JSESSIONID',
            $act);
        is(field($answer, 'Retry-After'), $act eq 'throttled' ? 17 : 9,
            "$act: identprov's Retry-After");
    }
}

# A busy machine may be slower than that location waits: it is asked again.
sub ask_in_time {
    my ($client, @expected) = @_;
    my @wrong;
    wait_for(sub { @wrong = ask_with($client, '/slow/app', @expected);
            !@wrong });
    return join "\n", @wrong;
}

sub check_silence {
    for my $server (qw(plain pages)) {
        my $client = Client->new("$ROOM/$server");
        for my $act (qw(silent stalls lingers)) {
            my @expected = $act eq 'lingers' ? (502, 'idp_invalid')
                : (503, 'idp_unavailable');
            is(ask_in_time($client, "$act-1", @expected), '',
                "$server: who is $act is given up");
        }
        is_deeply([ ask_with($client, '/refused/app', 'ok-x', 503,
                    'idp_unavailable') ], [], '... who does not listen, too');
        is(ask_in_time($client, 'ok-x', 200), '',
            '... and who is back is asked again');
    }
}

sub check_kept {
    my $client = Client->new("$ROOM/plain");
    for my $i (1 .. 10) {
        is_deeply([ ask_with($client, '/app', "once-x$i", 200) ], [],
            "a kept connection that is closed under the question, $i");
    }
    cmp_ok(Provider::questions_about('once-x10'), '<=', 2, '... is asked anew');
}

sub check_cookies {
    for my $path (qw(/app /optional)) {
        my $client = Client->new("$ROOM/plain");
        my $answer = $client->get($path, 'JSESSIONID', 'cookie-c');
        is_deeply([ fields($answer, 'Set-Cookie') ], [ 'a=1', 'b=2' ],
            'identprov\'s cookies reach who asked');
        is_deeply([ fields($client->get($path, 'JSESSIONID', 'ok-c'),
                    'Set-Cookie') ], [], '... and no other');
    }
}

# A body that was read before the question stays the application's.
sub check_bodies {
    my $missing = unpack 'H*', 'Status: 404 Not Found';
    my $client = Client->new("$ROOM/plain");
    for my $size (10, 100_000, 2 * $MB) {
        my $body = 'b' x $size;
        my $answer = $client->ask('POST', "/fails?answer=$missing",
            [ 'JSESSIONID', "ok-b$size" ], $body);
        like($answer->{body}, qr/^X-User: b$size\r$/m, "$size bytes");
        is(length(($answer->{body} =~ /\r\n\r\n(.*)/s)[0]), $size,
            '... reach the second application');
        is(Provider::questions_about("ok-b$size"), 1,
            '... and not the provider');
    }
}

# Clients that leave while identprov is asked take nobody along.
sub check_leaving {
    my $client = Client->new("$ROOM/plain");
    my $http2 = Client->new("$ROOM/plain-http2", http2 => 1);
    for my $round (1 .. 3) {
        my @leaving = map { Client->new("$ROOM/plain") } 1 .. 10;
        for my $i (0 .. $#leaving) {
            $leaving[$i]->write_bytes(request_bytes($i % 2 ? 'POST' : 'GET',
                    '/slow/app', [ 'JSESSIONID', "silent-$round$i" ],
                    $i % 2 ? 'b' x 5000 : undef)
                    . ($i % 3 ? '' : request_bytes('GET', '/open.txt', [])));
        }
        my @ids = map { $http2->{http2}->send_message([ ':method', 'GET',
                    ':scheme', 'http', ':path', '/slow/app', ':authority', 'g',
                    'jsessionid', "silent-h$round$_" ]) } 0 .. 9;
        $http2->write_bytes($http2->{http2}->take_output);
        ok(wait_for(sub { Provider::questions_about("silent-${round}9")
                        && Provider::questions_about("silent-h${round}9") }),
            'all are asked about');
        @leaving = ();
        $http2->{http2}->frame(Http2::RST_STREAM, 0, $_, pack 'N', 8)
            for @ids[ 0 .. 7 ];
        is_deeply([ ask_with($client, '/app', "ok-stays$round", 200) ], [],
            '... some leave, another is served');
        is($http2->stream_of($_)->{messages}[-1][1], 503,
            '... and who stays in HTTP/2 is answered') for @ids[ 8, 9 ];
    }
}

sub check_cached {
    my $client = Client->new("$ROOM/plain");
    for (1 .. 3) {
        is_deeply([ ask_with($client, '/cached/app', 'ok-cached', 200) ], [],
            'nginx\'s own cache may hold verdicts');
    }
    is(Provider::questions_about('ok-cached'), 1, '... for one question');
    is_deeply([ ask_with($client, '/cached/app', 'denied', 401, 'denied') ], [],
        '... of those who are known');
}

worker_connections(1024);
log_level('info');
no_long_string();
no_shuffle();
run_tests();

__DATA__

=== TEST 1: every status from 100 to 599
--- http_config eval: $::HttpConfig
--- config
--- check: statuses



=== TEST 2: parts of an answer, nonsense, and odd answers
--- http_config eval: $::HttpConfig
--- config
--- check: acts



=== TEST 3: no answer in time, and nobody there
--- http_config eval: $::HttpConfig
--- config
--- check: silence
--- error_log
[crit]
--- no_error_log
[alert]
[emerg]



=== TEST 4: a kept connection is closed under the question
--- http_config eval: $::HttpConfig
--- config
--- check: kept



=== TEST 5: cookies of an answer
--- http_config eval: $::HttpConfig
--- config
--- check: cookies



=== TEST 6: answers from a cache of nginx's own
--- http_config eval: $::HttpConfig
--- config
--- check: cached



=== TEST 7: clients leave while identprov is asked
--- http_config eval: $::HttpConfig
--- config
--- check: leaving



=== TEST 8: a body that was read before the question
--- http_config eval: $::HttpConfig
--- config
--- check: bodies
