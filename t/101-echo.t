# What arrives behind the gateway, byte for byte: bodies of all sizes through
# the question to identprov on kept connections; what userprofile is sent.
use strict;
use warnings;
use lib 't/lib';
use Echo qw(echo_of is_identity values_of);
use FastCGI;
use Stack qw(headers);
use Test::More;

my $stack = Echo->start;
my %user = %{ $stack->{user} };

# --- bodies --------------------------------------------------------------------

my $noise = join '', map { chr int rand 256 } 1 .. 65536;
my %connections;

sub body_for {
    my ($name, $size) = @_;
    my $body = substr $noise x 16, 0, $size;
    substr $body, 0, length $name, $name if $size > 8;
    return $body;
}

sub chunked {
    my ($body) = @_;
    my $out = '';
    while (length $body) {
        my $piece = substr $body, 0, 1 + int rand 40000, '';
        $out .= sprintf "%x\r\n%s\r\n", length $piece, $piece;
    }
    return "${out}0\r\n\r\n";
}

for my $target ('/echo', '/echo/unbuffered') {
    for my $size (0, 1, 8191, 8192, 65535, 65536, 1 << 20) {
        for my $name (qw(anna boris)) {
            my $body = body_for($name, $size);
            my $got = echo_of($stack, $target, body => $body, headers => [
                    'JSESSIONID', $user{$name}{id},
                    'Content-Type', 'application/x-noise' ]);
            is($got->{status}, 200, "$target, $size bytes for $name");
            ok($got->{body} eq $body, '... arrived as sent')
                or diag(length($got->{body} // ''), ' bytes');
            is_identity($got, $name, '... with the identity');
            is_deeply([ map { $got->{params}{$_}[0] }
                    qw(REQUEST_METHOD CONTENT_LENGTH CONTENT_TYPE) ],
                [ 'POST', $size, 'application/x-noise' ],
                '... and its own description');
            ok(!exists $got->{params}{HTTP_JSESSIONID},
                '... without the session id');
            $connections{ $got->{params}{ECHO_PID}[0] }++;
        }
    }
}
cmp_ok(scalar keys %connections, '<', 14, 'connections were kept')
    or diag(explain(\%connections));

for my $size (0, 1, 65536, 1 << 20) {
    my $body = body_for('anna', $size);
    my $got = echo_of($stack, '/echo', body => chunked($body),
        no_length => 1, headers => [ 'JSESSIONID', $user{anna}{id},
            'Transfer-Encoding', 'chunked' ]);
    ok($got->{body} eq $body, "$size bytes in chunks");
    is($got->{params}{CONTENT_LENGTH}[0], $size, '... have a length then');
    is_identity($got, 'anna', '... and an identity');
}

# --- many on one connection -------------------------------------------------------

my @order = map { rand() < 0.5 ? 'anna' : 'boris' } 1 .. 30;
my $text = '';
for my $index (0 .. $#order) {
    my $name = $order[$index];
    my $body = body_for($name, int rand 3000);
    $text .= "POST /echo?$index HTTP/1.1\r\nHost: a\r\n"
        . "JSESSIONID: $user{$name}{id}\r\n"
        . 'Content-Length: ' . length($body) . "\r\n"
        . ($index == $#order ? "Connection: close\r\n" : '') . "\r\n$body";
}
is_deeply([ $stack->exchange($text) =~ /^HTTP_X_USER=(\w+)$/mg ], \@order,
    'thirty requests of two users in a row, each with its own identity');

my $inner = "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
for my $filler (0, 3000, 70000) {
    my $body = "\r\n\r\n$inner" . 'x' x $filler . $inner;
    my $answer = $stack->raw("POST /echo HTTP/1.1\r\nHost: a\r\n"
            . 'Content-Length: ' . length($body) . "\r\n\r\n$body"
            . "GET /signin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    my $rest = $answer->{body};
    is($answer->{status}, 401, 'a body that no session came with');
    is(scalar(() = "$rest" =~ m{^HTTP/1\.1 }mg), 1,
        '... is not read as a request');
    like($rest, qr{^HTTP/1\.1 200 }m, '... and the next one is answered');
}

# --- the session id ------------------------------------------------------------

my $got = echo_of($stack, '/echo',
    headers => [ 'Cookie', "a=b; JSESSIONID=$user{anna}{id}; c=d" ]);
is_identity($got, 'anna', 'the session by cookie');
unlike(values_of($got), qr/\Q$user{anna}{id}\E/, '... stays outside');
is_deeply($got->{params}{HTTP_COOKIE}, [ 'a=b; c=d' ],
    '... other cookies do not');
$got = echo_of($stack, '/echo/session',
    headers => [ 'JSESSIONID', $user{anna}{id} ]);
is_deeply($got->{params}{HTTP_JSESSIONID}, [ $user{anna}{id} ],
    'identgw_pass_session hands it on');
for my $case (
    [ [ 'JSESSIONID', '' ], 'empty' ],
    [ [ ('JSESSIONID', $user{anna}{id}) x 2 ], 'two lines' ],
    [ [ 'JSESSIONID', 'x' x 513 ], 'too long' ],
    [ [ 'JSESSIONID', "a b" ], 'a blank' ],
    [ [ 'JSESSIONID', "caf\xc3\xa9" ], 'not ASCII' ],
    [ [ 'JSESSIONID', 'x', 'Cookie', "JSESSIONID=$user{anna}{id}" ],
        'the header alone counts' ],
    [ [ 'Cookie', "JSESSIONID=$user{anna}{id}; JSESSIONID=$user{boris}{id}" ],
        'two cookies' ],
    [ [ 'Cookie', "JSESSIONID=$user{anna}{id}",
            'Cookie', "JSESSIONID=$user{boris}{id}" ],
        'two cookies in two lines' ]) {
    my ($headers, $what) = @$case;
    is(echo_of($stack, '/echo', headers => $headers)->{status}, 401,
        "$what: no session");
}

# --- what userprofile receives -----------------------------------------------

my $log = "$stack->{var}/received";
$stack->add_helper(
    FastCGI::record_at($stack->socket('userprofile'), $log));
# A reload closes the connections that go past it.
kill 'HUP', $stack->pid_of('nginx');

my @forged = map { ($_, 'mallory') } qw(X-User X-Email X-First-Name x_user);
my @sent = (
    [ 'POST', '{"nickname": "A",  "custom":{"raw" : [1,  2]}}' ],
    [ 'GET', undef ],
    [ 'PUT', '{ "nickname" : "B" }' . ' ' x 20000 ]);
my @received;
for my $round (1 .. 10) {
    for my $row (@sent) {
        my ($method, $body) = @$row;
        my $answer = $stack->request($method, '/userprofile', body => $body,
            headers => [ 'JSESSIONID', $user{anna}{id}, @forged,
                'Content-Type', 'application/json' ]);
        like($answer->{status}, qr/^(200|201|409)$/, "$method /userprofile")
            or diag($answer->{body});
    }
    @received = FastCGI::recorded($log);
    last if @received >= 3;
}
cmp_ok(scalar @received, '>=', 3, 'userprofile was listened to');
for my $request (@received) {
    my @pairs = @{ $request->{params} };
    my %params;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @{ $params{$name} }, $value;
    }
    my $method = $params{REQUEST_METHOD}[0];
    $got = { params => \%params };
    is_identity($got, 'anna', "$method as received: the identity");
    is_deeply($params{HTTP_JSESSIONID}, [ $user{anna}{id} ],
        '... with the session, as the flow has it');
    my ($sent) = grep { $_->[0] eq $method } @sent;
    ok($request->{body} eq ($sent->[1] // ''), '... and the body as sent');
    like($params{REQUEST_ID}[0], qr/^[0-9a-f]{32}$/, '... and its id');
    is_deeply([ grep { @{ $params{$_} } > 1 } sort keys %params ], [],
        '... no parameter twice');
    ok(!exists $params{IDENTGW_INTERNAL}, '... none of the inner ones');
    unlike(values_of($got), qr/mallory/, '... nothing forged');
}

$stack->stops_cleanly;
done_testing();
