# The applications' FastCGI server (fcgi-common) against peers of all kinds.
use strict;
use warnings;
use EchoServer;
use FastCGI;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use Socket qw(SOCK_STREAM SOMAXCONN);
use Test::More;
use Time::HiRes qw(sleep time);

*get = \&EchoServer::get;
*post = \&EchoServer::post;
*request = \&EchoServer::request;
*ask = \&EchoServer::ask;

my $server = EchoServer::start(body_max => 1000);

sub code_of {
    my ($answer) = @_;
    return $answer ? eval { decode_json($answer->{body})->{code} } // '' : '';
}

# A refused request does not cost the connection: the next one is answered.
sub refused {
    my ($bytes, $status, $code, $title) = @_;
    my $socket = $server->connect_to;
    my $answer = ask($socket, $bytes);
    is(($answer->{status} // 0) . ' ' . code_of($answer), "$status $code",
        $title);
    like($answer->{head}, qr/^X-Content-Type-Options: nosniff\r?$/m,
        '... with what guards browsers');
    is((ask($socket, get('/echo')) // {})->{status}, 200, '... and goes on');
    return;
}

# Bytes that are no request: hung up, unanswered; others are served.
sub hung_up {
    my ($bytes, $title) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $socket = $server->connect_to;
    FastCGI::write_all($socket, $bytes);
    ok(EchoServer::is_hung_up($socket), "$title: hung up");
    is($server->status(get('/echo')), 200, '... and others are served');
    return;
}

subtest 'a request is answered' => sub {
    my $socket = $server->connect_to;
    my $answer = ask($socket, post('/echo', "a\0b", SCRIPT_NAME => '/auth/',
            QUERY_STRING => 'x=%20', HTTPS => 'on', REQUEST_ID => 'abc_1-2'));
    is($answer->{status}, 200, 'status');
    like($answer->{body},
        qr{^prefix=/auth\npath=/echo\nquery=x=%20\nid=abc_1-2\nhttps=1\n},
        'what a handler sees');
    like($answer->{body}, qr/\n\na\0b\z/, 'the body, byte for byte');
    my ($length) = $answer->{head} =~ /^Content-Length: (\d+)\r?$/m;
    is($length, length $answer->{body}, 'Content-Length');

    my $head = ask($socket, request([REQUEST_METHOD => 'HEAD',
                PATH_INFO => '/echo', REQUEST_ID => 'x']));
    my $same = ask($socket, request([REQUEST_METHOD => 'GET',
                PATH_INFO => '/echo', REQUEST_ID => 'x']));
    is($head->{body}, '', 'HEAD has no body');
    like($head->{head}, qr/^Content-Length: ${\(1 + length $same->{body})}\b/m,
        "but GET's length (HEAD is one byte longer in what is shown)");
};

subtest 'a connection is kept when the web server asks for it' => sub {
    my $socket = $server->connect_to;
    is((ask($socket, get('/echo')) // {})->{status}, 200, "request $_")
        for 1 .. 3;
    my $once = $server->connect_to;
    my $bytes = request([REQUEST_METHOD => 'GET', PATH_INFO => '/echo'], '',
        keep => 0);
    is(ask($once, $bytes)->{status}, 200, 'without: answered');
    ok(EchoServer::is_hung_up($once), 'and closed');
};

subtest 'a request may come in pieces of any size' => sub {
    my $bytes = post('/echo', 'x' x 100);
    for my $size (1, 7, 8, 9, 61) {
        my $socket = $server->connect_to;
        for (my $at = 0; $at < length $bytes; $at += $size) {
            syswrite $socket, substr $bytes, $at, $size;
        }
        my $answer = EchoServer::answer($socket);
        like($answer->{body} // '', qr/\n\nx{100}\z/, "pieces of $size");
    }
    my $padded = pack('CCnnCx', 1, 1, 1, 8, 5) . pack('nCx5', 1, 1) . "\0" x 5
        . join('', map { pack('CCnnCx', 1, 4, 1, 1, 255) . $_ . "\0" x 255 }
            split //, FastCGI::encode_params(REQUEST_METHOD => 'GET',
                PATH_INFO => '/echo'))
        . pack('CCnnCx', 1, 4, 1, 0, 3) . "\0\0\0"
        . pack('CCnnCx', 1, 5, 1, 0, 7) . "\0" x 7;
    is($server->status($padded), 200, 'records with padding');
};

subtest 'Content-Length must be true' => sub {
    my @length = (CONTENT_LENGTH => 1);
    for my $case (['3', 'four'], ['100', 'four'], ['-4', 'four'],
        ['4 ', 'four'], ['0x4', 'four'], ['+4', 'four'], ['', 'four'],
        ['18446744073709551620', 'four'], ['1', '']) {
        my ($length, $body) = @$case;
        refused(request([REQUEST_METHOD => 'POST', PATH_INFO => '/echo',
                    CONTENT_LENGTH => $length], $body),
            400, 'length_mismatch', "\"$length\" for \"$body\"");
    }
    is($server->status(request([REQUEST_METHOD => 'POST', PATH_INFO => '/echo',
                    CONTENT_LENGTH => '004'], 'four')), 200, '"004"');
    is($server->status(request([REQUEST_METHOD => 'POST',
                    PATH_INFO => '/echo'])), 200, 'absent for no body');
};

subtest 'a body over the limit is drained, and answered 413' => sub {
    is($server->status(post('/echo', 'x' x 1000)), 200, 'the limit itself');
    refused(post('/echo', 'x' x 1001), 413, 'body_too_large', 'one more');
    refused(post('/echo', 'x' x 3000000), 413, 'body_too_large', '3 MB');
    hung_up(post('/echo', 'x' x (17 << 20)), '17 MB');
};

subtest 'parameters that matter come once' => sub {
    for my $name (qw(REQUEST_METHOD SCRIPT_NAME PATH_INFO QUERY_STRING
        CONTENT_TYPE CONTENT_LENGTH REQUEST_ID REMOTE_ADDR HTTPS
        IDENTGW_INTERNAL IDENTGW_SESSION_NAME HTTP_HOST HTTP_JSESSIONID
        HTTP_AUTHORIZATION HTTP_X_USER HTTP_ORIGIN HTTP_CONTENT_TYPE)) {
        my $socket = $server->connect_to;
        my $answer = ask($socket, get('/echo', $name => 'a', $name => 'b'));
        is(code_of($answer), 'repeated_parameter', $name);
    }
    is($server->status(get('/echo', $_ => 'a', $_ => 'b')), 200, "but not $_")
        for qw(HTTP_TRACESTATE HTTP_BAGGAGE HTTP_PREFER HTTP_LINK);
    my $answer = ask($server->connect_to,
        get('/echo', HTTP_COOKIE => 'a=1', HTTP_ACCEPT => 'text/html',
            HTTP_COOKIE => 'b=2', HTTP_ACCEPT => '*/*', HTTP_COOKIE => 'a=3'));
    my ($cookie) = $answer->{body} =~ /^HTTP_COOKIE=(.*)/m;
    my ($accept) = $answer->{body} =~ /^HTTP_ACCEPT=(.*)/m;
    is($cookie, 'a=1; b=2; a=3', 'no cookie line is lost');
    is($accept, 'text/html, */*', 'a list header is joined');
};

subtest 'no control byte and no odd name gets through' => sub {
    for my $case ([HTTP_X_USER => "a\0b"], [HTTP_X_USER => "a\nb"],
        [HTTP_X_USER => "a\x7fb"], [PATH_INFO => "/echo\0"],
        [PATH_INFO => "/ec\tho"], [QUERY_STRING => "\x1b[0m"],
        ['HTTP_X_USER=root' => 'x'], ["HTTP_X\0" => 'x'], ['' => 'x'],
        ["HTTP_\xc3\xa9" => 'x'], ['HTTP_A B' => 'x']) {
        my $shown = join '=', map { s/([^ -~])/sprintf '\x%02x', ord $1/ger }
            @$case;
        my @path = $case->[0] eq 'PATH_INFO' ? () : (PATH_INFO => '/echo');
        refused(request([REQUEST_METHOD => 'GET', @path, @$case]),
            400, 'malformed_parameter', $shown);
    }
    is($server->status(get('/echo', HTTP_X => "a\tb")), 200,
        'a tab in a header is allowed');
    is($server->status(get('/echo', HTTP_X => "\xff\xfe")), 200,
        'so are bytes over 127');
    refused(get('echo'), 400, 'bad_path', 'a path without its slash');
};

subtest 'parameters have a limit' => sub {
    my @many = map { ("HTTP_$_" => 'x') } 1 .. 253;
    is($server->status(get('/echo', @many)), 200, '255 of them');
    refused(get('/echo', @many, HTTP_A => 1), 400, 'too_many_parameters',
        '256 of them');
    is($server->status(get('/echo', HTTP_A => 'x' x $_)), 200, "$_ bytes")
        for 60000, 65535, 65536, 130000;
    refused(get('/echo', HTTP_A => 'x' x 131072), 400, 'too_many_parameters',
        'more than 128 KiB');
    refused(get('/echo', map { ("HTTP_$_" => 'x' x 30000) } 1 .. 100), 400,
        'too_many_parameters', '3 MB');
};

subtest 'a request id is what nginx makes, or ours' => sub {
    for my $id ('', 'x' x 65, 'a b', "\xc3\xa9", '"') {
        my $answer = ask($server->connect_to,
            get('/echo', REQUEST_ID => $id));
        like($answer->{body}, qr/^id=[0-9a-f]{32}$/m, "\"$id\"");
    }
};

subtest 'what is no request costs one connection' => sub {
    my $params = FastCGI::stream(4, FastCGI::encode_params(
            REQUEST_METHOD => 'GET', PATH_INFO => '/echo'));
    my $begin = FastCGI::record(1, pack 'nCx5', 1, 1);
    my $lengths = pack 'NN', 0xfffffffe, 0xfffffffe;
    my $foreign = pack('CCnnCx', 1, 5, 2, 0, 0);
    hung_up('GET / HTTP/1.1' . "\r\n\r\n", 'HTTP');
    hung_up("\0" x 64, 'zeros');
    hung_up(pack('CCnnCx', 2, 1, 1, 8, 0), 'another version');
    hung_up(pack('CCnnCx', 1, 9, 0, 0, 0), 'FCGI_GET_VALUES');
    hung_up(pack('CCnnCx', 1, 77, 0, 0, 0), 'an unknown management record');
    hung_up(FastCGI::record(5, 'x'), 'input without a request');
    hung_up(FastCGI::record(1, 'x'), 'a short begin');
    hung_up(FastCGI::record(1, pack 'nCx5', $_, 1) . $params, "role $_")
        for 0, 2, 3, 9;
    hung_up($begin . $begin, 'a second begin');
    hung_up($begin . $params . $foreign, 'a foreign id');
    hung_up($begin . FastCGI::record(2, ''), 'an abort');
    hung_up($begin . $params . FastCGI::record(4, 'x'), 'late parameters');
    hung_up($begin . $params . FastCGI::record(8, 'x'), 'filter data');
    hung_up($begin . FastCGI::stream(4, $lengths) . FastCGI::record(5, ''),
        'two lengths of 2 GB');
    hung_up($begin . FastCGI::stream(4, $_) . FastCGI::record(5, ''),
        'pairs that end too early')
        for "\x05", "\x05\x05abc", "\x80", "\x01\x80\x00\x00", "\x01\x01a";
    is($server->ended, undef, 'the process is still the same');
};

subtest 'bytes behind a request end the connection, unread' => sub {
    my $before = $server->events('handled');
    my $socket = $server->connect_to;
    my $answer = ask($socket, get('/echo')
            . get('/echo', HTTP_X_USER => 'SMUGGLED'));
    is($answer->{status}, 200, 'the first is answered');
    ok(EchoServer::is_hung_up($socket), 'and nothing else');
    is($server->events('handled'), $before + 1, 'one request was handled');
    unlike($server->log_text, qr/SMUGGLED/, 'not the other');
};

subtest 'peers that leave or stall cost no one else anything' => sub {
    my $slow = EchoServer::start(threads => 2, timeout_ms => 700);
    my $bytes = post('/echo', 'x' x 200);
    for my $length (1, 8, 20, 60, length($bytes) - 1) {
        my $socket = $slow->connect_to;
        syswrite $socket, substr $bytes, 0, $length;
        close $socket;
    }
    my @stalled = map {
        my $socket = $slow->connect_to;
        syswrite $socket, substr $bytes, 0, 1 + $_ * 3;
        $socket;
    } 0 .. 31;
    is($slow->status(get('/echo')), 200, 'served beside 32 stalled peers');
    ok(EchoServer::is_hung_up($stalled[$_]), "stalled peer $_ is hung up on")
        for 0, 31;

    my $greedy = $slow->connect_to;
    syswrite $greedy, get('/large', QUERY_STRING => 20 << 20);
    is($slow->status(get('/echo')), 200, 'served beside one that never reads');
    ok(EchoServer::wait_until(sub { $slow->events('answer_lost') }),
        'which is hung up on, too');

    my $gone = $slow->connect_to;
    syswrite $gone, get('/sleep', QUERY_STRING => 200);
    close $gone;
    ok(EchoServer::wait_until(sub { 2 == $slow->events('answer_lost') }),
        'one that did not wait for its answer');
    is($slow->status(get('/echo')), 200, 'served after it');
    is($slow->stop, 0, 'and stopped as usual');
};

subtest '64 kept connections on 4 threads' => sub {
    my @sockets = map { $server->connect_to } 1 .. 64;
    for my $round (1 .. 3) {
        my $good = 0;
        for my $i (0 .. $#sockets) {
            syswrite $sockets[$i], get('/echo', HTTP_N => "n$i-$round");
        }
        for my $i (0 .. $#sockets) {
            my $answer = EchoServer::answer($sockets[$i]) or next;
            $good++ if $answer->{body} =~ /^HTTP_N=n$i-$round$/m;
        }
        is($good, 64, "round $round: each got its own answer");
    }
};

subtest 'routes' => sub {
    my $post = ask($server->connect_to, post('/sleep', ''));
    is($post->{status}, 405, 'a wrong method');
    like($post->{head}, qr/^Allow: OPTIONS, GET, HEAD\r?$/m, 'with Allow');
    my $options = ask($server->connect_to,
        request([REQUEST_METHOD => 'OPTIONS', PATH_INFO => '/echo']));
    is($options->{status}, 204, 'OPTIONS');
    like($options->{head}, qr/^Allow: OPTIONS, GET, HEAD, POST\r?$/m,
        'with Allow');
    unlike($options->{head}, qr/Content-Length/, 'and no length for no body');
    is($server->status(request([REQUEST_METHOD => $_, PATH_INFO => '/echo'])),
        405, "method $_") for 'TRACE', 'CONNECT', 'get', 'FOO', '';
    for my $path ('/', '/echo/', '/ECHO', '/echo/x', '//echo', '/internal') {
        is($server->status(get($path)), 404, "no $path");
    }
    is($server->status(get('/internal', IDENTGW_INTERNAL => '')), 404,
        'an internal path with an empty parameter');
    is($server->status(get('/internal', IDENTGW_INTERNAL => 1)), 200,
        'an internal path');
};

subtest 'answers' => sub {
    my $fail = ask($server->connect_to, get('/fail', REQUEST_ID => 'r1'));
    is($fail->{status}, 503, 'unavailable');
    like($fail->{head}, qr/^Retry-After: \d+\r?$/m, 'Retry-After');
    like($fail->{head}, qr/^Cache-Control: no-store\r?$/m, 'no-store');
    like($fail->{head}, qr{^Content-Type: application/problem\+json\r?$}m,
        'problem+json');
    is(decode_json($fail->{body})->{request_id}, 'r1', 'request id');
    my $split = ask($server->connect_to, get('/split'));
    is($split->{status}, 500, 'a header with a line end is not sent');
    unlike($split->{head} . $split->{body}, qr/Injected/, 'nor its second half');
    is($server->status(get('/nothing')), 500, 'no answer is 500');
    for my $size (0, 8000, 8192, 65536, 1 << 20) {
        my $answer = ask($server->connect_to,
            get('/large', QUERY_STRING => $size));
        is(length $answer->{body}, $size, "$size bytes");
    }
};

subtest 'JSON bodies' => sub {
    my $json = sub {
        my ($type, $body) = @_;
        my $answer = ask($server->connect_to,
            post('/json', $body, CONTENT_TYPE => $type));
        return "$answer->{status} " . (code_of($answer) || $answer->{body});
    };
    is($json->('application/json', '{"a":1}'), '200 {"a":1}', 'plain');
    is($json->("Application/JSON ; Charset=\"UTF-8\"", '{}'), '200 {}',
        'with charset');
    is($json->("application/json$_", '{}'), '200 {}', "with \"$_\"")
        for ';', '; ', ';v=1', '; profile="a;b" ; charset=utf-8', ';x="";';
    is($json->("application/json$_", '{}'), '415 unsupported_media_type',
        "with \"$_\"") for ';x', ';=1', ';x="a', ';x="\\""', '; x=1 y', ';x=1, y',
        ';x=1;charset=latin1', ';charset=utf-80';
    is(code_of(ask($server->connect_to, post('/json', '{}', CONTENT_TYPE =>
                    'application/json', HTTP_CONTENT_ENCODING => 'br'))),
        'unsupported_media_type', 'with a Content-Encoding');
    is($json->($_, '{}'), '415 unsupported_media_type', "type \"$_\"")
        for '', 'text/json', 'application/jsonx', 'application/json;charset=latin1',
        'application/json, text/plain', 'application/x-www-form-urlencoded';
    is($json->('application/json', $_), '400 not_an_object', "text $_")
        for '[]', '1', 'null', '"a"';
    is($json->('application/json', $_), '400 invalid_json', "text \"$_\"")
        for '', '{', '{} x', "{'a':1}";
    is($json->('application/json', '{"a":1,"\u0061":2}'),
        '400 duplicate_member', 'a member twice');
    is($json->('application/json', '{"a":"' . "\xff" . '"}'),
        '400 invalid_encoding', 'not UTF-8');
    is($json->('application/json', '[' x 17 . ']' x 17), '400 too_deep',
        '17 levels');
};

subtest 'SIGTERM lets finish what has begun' => sub {
    my $stopping = EchoServer::start(threads => 2);
    my @busy = map { $stopping->connect_to } 1 .. 2;
    my $idle = $stopping->connect_to;
    my $half = $stopping->connect_to;
    my $bytes = get('/echo');
    is(ask($idle, $bytes)->{status}, 200, 'a kept connection is idle');
    syswrite $half, substr $bytes, 0, 30;
    ok(EchoServer::wait_until(sub { 1 == $stopping->events('handled') }), 'on');
    syswrite $_, get('/sleep', QUERY_STRING => 600) for @busy;
    ok(EchoServer::wait_until(sub { 3 == $stopping->events('handled') }),
        'two requests are under way');
    my $queued = $stopping->connect_to;
    syswrite $queued, $bytes;
    kill 'TERM', $stopping->{pid};
    ok(EchoServer::wait_until(sub { !-e $stopping->{socket} }),
        'the socket goes at once');
    is((EchoServer::answer($_) // {})->{status}, 200, 'a busy one: answered')
        for @busy;
    is((EchoServer::answer($queued) // {})->{status}, 200,
        'a request that had come: answered');
    ok(EchoServer::is_hung_up($idle), 'the idle one: hung up');
    syswrite $half, substr $bytes, 30;
    is((EchoServer::answer($half) // {})->{status}, 200,
        'half a request: answered when its rest came');
    is($stopping->stop, 0, 'exit status 0');
};

subtest 'out of descriptors' => sub {
    my $poor = EchoServer::start(threads => 2, files => 32);
    my $kept = $poor->connect_to;
    is(ask($kept, get('/echo'))->{status}, 200, 'a connection from before');
    my @sockets = map { $poor->connect_to } 1 .. 40;
    ok(EchoServer::wait_until(sub { $poor->events('accept_failed') }),
        'it says so');
    my $used = cpu_ticks($poor->{pid});
    my $until = time + 1.5;
    my $served = 0;
    while (time < $until) {
        $served++ if ask($kept, get('/echo'));
        sleep 0.1;
    }
    cmp_ok($served, '>', 5, 'the connection is served meanwhile');
    cmp_ok(cpu_ticks($poor->{pid}) - $used, '<', 75, 'nothing spins');
    is(scalar($poor->events('accept_failed')), 1, 'said once');
    @sockets = ();
    is($poor->status(get('/echo')), 200, 'new ones are served again');
    is($poor->stop, 0, 'and stopped as usual');
};

sub cpu_ticks {
    my ($pid) = @_;
    open my $file, '<', "/proc/$pid/stat" or die;
    my @field = split ' ', <$file>;
    return $field[13] + $field[14];
}

subtest 'where it listens' => sub {
    my $mode = (stat $server->{socket})[2] & 07777;
    is(sprintf('%04o', $mode), '0660', 'a unix socket is for its group');

    my $second = EchoServer::start(address => "unix:$server->{socket}");
    is($second->stop >> 8, 1, 'a living one is not taken over');
    like($second->log_text, qr/another process listens there/, 'it says so');
    is($server->status(get('/echo')), 200, 'and the first goes on');

    my $path = "$server->{dir}/dead.sock";
    my $dead = IO::Socket::UNIX->new(Local => $path, Listen => 1);
    undef $dead;
    my $heir = EchoServer::start(address => "unix:$path");
    is($heir->ended, undef, 'a dead one is replaced');
    is($heir->stop, 0, 'stopped');
    ok(!-e $path, 'and removed at the end');

    my $file = "$server->{dir}/file";
    open my $out, '>', $file or die;
    close $out;
    for my $case (["unix:$file", qr/no socket/], ['unix:', qr/107 bytes/],
        ['unix:/' . 'x' x 108, qr/107 bytes/],
        ["unix:$server->{dir}/none/x", qr/No such file/],
        ['localhost', qr/HOST:PORT/], [':9000', qr/HOST:PORT/],
        ['127.0.0.1:http2x', qr/cannot_listen/], ['-', qr/LISTEN|listening/]) {
        my $wrong = EchoServer::start(address => $case->[0]);
        is($wrong->stop >> 8, 1, "refused: $case->[0]");
        like($wrong->log_text, $case->[1], '... and why');
    }
    ok(-f $file, 'a file that is no socket stays');
};

subtest 'TCP, descriptor 0 and systemd' => sub {
    my $free = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1');
    my $port = $free->sockport;
    close $free;
    my $tcp = EchoServer::start(address => "127.0.0.1:$port");
    my $socket = IO::Socket::INET->new("127.0.0.1:$port");
    is((ask($socket, get('/echo')) // {})->{status}, 200, 'HOST:PORT');
    is($tcp->stop, 0, 'stopped');

    my $path = "$server->{dir}/inherited.sock";
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 8);
    my $spawned = EchoServer::start(address => '-', stdin => $listener);
    $spawned->{socket} = $path;
    is($spawned->status(get('/echo')), 200, 'descriptor 0');
    is($spawned->stop, 0, 'stopped');
    ok(-S $path, 'a socket that is not ours stays');

    my $helper = '$ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; exec @ARGV';
    my $activated = fork // die;
    if (!$activated) {
        require POSIX;
        POSIX::dup2(fileno $listener, 3);
        open STDERR, '>', "$server->{dir}/activated.log" or die;
        $^F = 3;
        exec $^X, '-e', $helper, "$ENV{BUILD}/fixture/igw_echo", '-', 1, 100,
            1000;
    }
    $spawned->{socket} = $path;
    is($spawned->status(get('/echo')), 200, "systemd's LISTEN_FDS");
    kill 'TERM', $activated;
    waitpid $activated, 0;
    is($?, 0, 'stopped');
};

is($server->stop, 0, 'the server that met all this stops with status 0');
my @lines = split /\n/, $server->log_text;
is(scalar(grep { !eval { decode_json($_) } } @lines), 0,
    'each of its log lines is JSON');
done_testing();
