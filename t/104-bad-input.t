# What is not right is refused, by name, with the status that says whose fault
# it is; at userprofile and at identprov, through the gateway.
use strict;
use warnings;
use lib 't/lib';
use Stack qw(header json);
use Test::More;

my $stack = Stack->start;
my $session = $stack->session('anna');
my @session = ('JSESSIONID', $session);
my @json = ('Content-Type', 'application/json');

sub is_problem {
    my ($answer, $status, $code, $what) = @_;
    is($answer->{status}, $status, $what) or diag($answer->{body});
    my $problem = json($answer);
    is(header($answer, 'Content-Type'), 'application/problem+json',
        '... a problem');
    is($problem->{status}, $status, '... of its status');
    is($problem->{code}, $code, '... with a code') if defined $code;
    ok(length $problem->{$_}, "... and $_") for qw(type title detail);
    like($problem->{request_id}, qr/^[0-9a-f]{32}$/,
        '... and the request id');
    like(header($answer, 'Cache-Control'), qr/no-store/, '... not to store');
    return $problem;
}

sub fields {
    my ($problem) = @_;
    return { map { $_->{field} => $_->{code} } @{ $problem->{errors} } };
}

# --- what is no JSON, at all who take JSON ---------------------------------------

my $deep = ('{"custom":' x 17) . '1' . ('}' x 17);
my @syntax = (
    [ '', 'nothing' ],
    [ '{', 'an open object' ],
    [ '{"bio":"x"', 'cut off' ],
    [ "{'bio':'x'}", 'other quotes' ],
    [ '{"bio":"x",}', 'a comma too many' ],
    [ '{"bio":"x"} x', 'something behind' ],
    [ '{"bio":"x"}{"bio":"y"}', 'two documents' ],
    [ '{bio:1}', 'no quotes' ],
    [ '{"bio":01}', 'a bad number' ],
    [ '{"bio":NaN}', 'not a number' ],
    [ '{"custom":{"a":1e999}}', 'a number out of all bounds' ],
    [ "\xef\xbb\xbf{}", 'a byte order mark' ],
    [ '{"bio":"a","bio":"b"}', 'a duplicate key' ],
    [ '{"bio":"a","\u0062io":"b"}', 'a duplicate key by an escape' ],
    [ '{"custom":{"a":1,"a":2}}', 'a duplicate key inside' ],
    [ $deep, 'too deep' ],
    [ '[' x 20000, 'far too deep' ],
    [ "{\"bio\":\"\xff\"}", 'not UTF-8' ],
    [ "{\"bio\":\"\xc0\xaf\"}", 'overlong UTF-8' ],
    [ "{\"bio\":\"\xed\xa0\x80\"}", 'a surrogate in UTF-8' ],
    [ '{"bio":"\ud800"}', 'half of a pair' ],
    [ "{\"bio\":\"a\0b\"}", 'a NUL' ],
    [ '{"bio":"a\u0000b"}', 'a NUL by an escape' ],
    [ '{"a\u0000b":"c"}', 'a NUL in a name' ],
    [ "{\"bio\":\"a\x01b\"}", 'a raw control byte' ],
    [ '[]', 'an array' ],
    [ '"text"', 'a text' ],
    [ 'null', 'null' ]);

for my $case (@syntax) {
    my ($body, $what) = @$case;
    is_problem($stack->request('POST', '/userprofile', body => $body,
            headers => [ @json, @session ]), 400, undef, "profile: $what");
    is_problem($stack->request('POST', '/register', body => $body,
            headers => \@json), 400, undef, "register: $what");
    is_problem($stack->request('POST', '/login', body => $body,
            headers => \@json), 400, undef, "login: $what");
}

for my $target (qw(/userprofile /register /login)) {
    for my $type ('text/plain', 'application/xml', 'application/jsonx',
        'multipart/form-data; boundary=x', 'text/json', 'json', undef) {
        is_problem($stack->request('POST', $target, body => '{}',
                headers => [ @session,
                    defined $type ? ('Content-Type', $type) : () ]),
            415, undef, "$target: " . ($type // 'no type'));
    }
    my $answer = $stack->request('POST', $target, body => '{"x":1}', headers
            => [ @session, 'Content-Type', 'Application/JSON; charset=utf-8' ]);
    is($answer->{status}, 422, "$target: a type with a parameter is fine");
    is_problem($stack->request('POST', $target,
            body => '{"bio":"' . 'x' x 70000 . '"}',
            headers => [ @json, @session ]), 413, undef,
        "$target: more than 64 KiB");
}

# --- fields --------------------------------------------------------------------

my $problem = is_problem($stack->post_json('/userprofile', {
            given_name => 7, family_name => "a\nb", nickname => 'x' x 129,
            picture => 'javascript:alert(1)', birthdate => '2023-02-29',
            phone_number => '555', locale => '', custom => [],
            address => { region => [], planet => 'Earth' },
            role => 'admin', sub => 'somebody', gender => undef },
        headers => \@session), 422, undef, 'everything wrong');
is_deeply(fields($problem), {
        given_name => 'wrong_type', family_name => 'control_character',
        nickname => 'too_long', picture => 'invalid_format',
        birthdate => 'invalid_format', phone_number => 'invalid_format',
        locale => 'too_short', custom => 'wrong_type',
        '/address/region' => 'wrong_type',
        '/address/planet' => 'unknown_field',
        role => 'unknown_field', sub => 'read_only',
        gender => 'wrong_type' }, '... is told at once, by name');
is($stack->request('GET', '/userprofile', headers => \@session)->{status},
    404, '... and nothing was stored');
is_problem($stack->post_json('/userprofile',
        { custom => { x => 'y' x 16380 } }, headers => \@session),
    422, undef, 'custom of more than 16 KiB');
is($stack->post_json('/userprofile', { custom => { x => 'y' x 16376 } },
        headers => \@session)->{status}, 201, 'custom of 16 KiB');
is_problem($stack->send_json('PUT', '/userprofile', { nope => 1 },
        headers => \@session), 422, undef, 'PUT looks as closely');
is(length json($stack->request('GET', '/userprofile',
            headers => \@session))->{custom}{x},
    16376, '... and leaves what was there');

$problem = is_problem($stack->post_json('/register', {
            username => '', email => 'nowhere', first_name => "a\x7f",
            nope => 1 }), 422, undef, 'register: everything wrong');
my $fields = fields($problem);
is_deeply([ sort keys %$fields ],
    [ qw(email first_name nope password username) ],
    '... is told at once, by name');
$problem = is_problem($stack->post_json('/register', {
            username => 'anna', password => 'correct horse battery',
            email => 'other@example.org', first_name => 'Anna' }),
    409, 'username_taken', 'a taken name');
is_problem($stack->post_json('/login', { username => 'anna' }), 422, undef,
    'login without a password');
my %bodies = map {
    my ($username, $password) = @$_;
    my $answer = $stack->post_json('/login',
        { username => $username, password => $password });
    is($answer->{status}, 401, "login as $username");
    delete json($answer)->{request_id};
    my $problem = json($answer);
    delete $problem->{request_id};
    (JSON::PP->new->canonical->encode($problem) => 1);
} [ 'anna', 'wrong password' ], [ 'nobody', 'wrong password' ],
    [ 'nobody', 'x' ];
is(scalar keys %bodies, 1, 'a wrong login does not say what was wrong');

# --- paths and methods ---------------------------------------------------------

for my $case (
    [ 'TRACK', '/userprofile' ],
    [ 'GET', '/register' ], [ 'PUT', '/login' ], [ 'POST', '/authenticate' ],
    [ 'GET', '/logout' ], [ 'POST', '/.well-known/jwks.json' ],
    [ 'FOO', '/userprofile' ]) {
    my ($method, $target) = @$case;
    my $answer = $stack->request($method, $target,
        headers => [ @json, @session ],
        $method =~ /^(GET|FOO)$/ ? () : (body => '{}'));
    is_problem($answer, 405, undef, "$method $target");
    like(header($answer, 'Allow'), qr/GET|POST/, '... and what is allowed');
}
for my $target (qw(/userprofile/x /userprofile/ /nope /readyz
        /.well-known/nope /.identgw/authenticate /.identgw/signin)) {
    is($stack->request('GET', $target, headers => \@session)->{status},
        404, "$target does not exist");
}
for my $target ("/userprofile%00", "/userprofile%0a", "/userprofile/..%2fx",
    "/userprofile\\..") {
    my $answer = $stack->request('GET', $target, headers => \@session);
    like($answer->{status}, qr/^40[04]$/, "$target is nothing");
}

# --- framing and the wrong credentials -------------------------------------------

my $raw = sub {
    my ($head, $body) = @_;
    return $stack->raw("POST /userprofile HTTP/1.1\r\nHost: a\r\n"
            . "Connection: close\r\nContent-Type: application/json\r\n"
            . "JSESSIONID: $session\r\n$head\r\n$body");
};
is($raw->("Content-Length: 2\r\nContent-Length: 3\r\n", '{} ')->{status},
    400, 'two lengths');
is($raw->("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "2\r\n{}\r\n0\r\n\r\n")->{status}, 400, 'a length and chunks');
is($raw->("Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")
        ->{status}, 409, 'chunks alone are fine');
is($raw->("Content-Length: -1\r\n", '')->{status}, 400,
    'a negative length');
is($raw->("X-User : mallory\r\n", '')->{status}, 400, 'a blank before colon');

my $token = json($stack->request('GET', '/authenticate',
        headers => \@session))->{token};
for my $headers ([ 'Authorization', "Bearer $token" ],
    [ 'Authorization', "Bearer $token", 'X-User', 'anna' ]) {
    my $answer = $stack->request('GET', '/userprofile',
        headers => [ @$headers, 'Accept', 'application/json' ]);
    is($answer->{status}, 401, 'a bearer token is no session');
    like(json($answer)->{detail} // '', qr/JSESSIONID/,
        '... and the detail says what to send');
}
like($stack->request('GET', '/userprofile',
        headers => [ 'Authorization', "Bearer $token" ])->{body},
    qr/^Please go to login\.\.\.\n.*JSESSIONID/s, '... in plain text, too');

for my $part (qw(identprov userprofile)) {
    my @wrong = grep { !eval { JSON::PP->new->utf8->decode($_) } }
        split /^/, $stack->log($part);
    is_deeply(\@wrong, [], "$part logs JSON, a line an event");
    unlike($stack->log($part), qr/correct horse|\Q$session\E|\Q$token\E/,
        '... and no secret');
}

$stack->stops_cleanly;
done_testing();
