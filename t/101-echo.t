# What arrives behind the gateway, byte for byte: bodies of all sizes through
# the question to identprov on kept connections, and identity that no client
# can forge.
use strict;
use warnings;
use lib 't/lib';
use FastCGI;
use Stack qw(header headers json slurp);
use Test::More;

my $params = <<'CONF';
    client_max_body_size 2m;
    fastcgi_pass echo;
CONF

my $stack = Stack->start(http => <<'HTTP', conf => <<"CONF");
upstream echo {
    server unix:@VAR@/echo.sock;
    keepalive 4;
}
HTTP
location = /echo {
    identgw on;
$params}
location = /echo/unbuffered {
    identgw on;
    fastcgi_request_buffering off;
$params}
location = /echo/optional {
    identgw optional;
$params}
location = /echo/off {
    identgw off;
$params}
location = /echo/session {
    identgw on;
    identgw_pass_session on;
$params}
CONF
$stack->add_helper(FastCGI::echo("$stack->{var}/echo.sock"));

my %user = (
    anna => { id => $stack->session('anna'), first => 'Anna' },
    boris => { id => $stack->session('boris'), first => 'Boris' });

# The echo's answer: { status, params => { name => [values] }, body, pid }.
sub echo {
    my ($target, %with) = @_;
    my $answer = $stack->request($with{method} // 'POST', $target, %with);
    return { %$answer, params => {} } if $answer->{status} != 200;
    my ($head, $body) = split /\n\n/, $answer->{body}, 2;
    my %params;
    for my $line (split /\n/, $head) {
        my ($name, $value) = split /=/, $line, 2;
        push @{ $params{$name} }, $value;
    }
    return { status => 200, params => \%params, body => $body };
}

sub identity {
    my ($params) = @_;
    return { map { $_ => $params->{$_} } grep { exists $params->{$_} }
            qw(HTTP_AUTHORIZATION HTTP_X_USER HTTP_X_EMAIL
                HTTP_X_FIRST_NAME) };
}

sub is_identity {
    my ($got, $name, $what) = @_;
    my $identity = identity($got->{params});
    my $token = delete $identity->{HTTP_AUTHORIZATION};
    is_deeply($identity, {
            HTTP_X_USER => [ $name ],
            HTTP_X_EMAIL => [ "$name\@example.org" ],
            HTTP_X_FIRST_NAME => [ $user{$name}{first} ] },
        "$what: who it is, once each");
    is(scalar @{ $token || [] }, 1, '... one token');
    like($token->[0], qr/^Bearer [\w-]+\.[\w-]+\.[\w-]{86}$/, '... to bear');
    return;
}

# --- bodies --------------------------------------------------------------------

my $noise = join '', map { chr int rand 256 } 1 .. 65536;
my %connections;
for my $target ('/echo', '/echo/unbuffered') {
    for my $size (0, 1, 8191, 8192, 65535, 65536, 1 << 20) {
        for my $name (qw(anna boris)) {
            my $body = substr $noise x 16, 0, $size;
            substr $body, 0, length $name, $name if $size > 8;
            my $got = echo($target, body => $body, headers => [
                    'JSESSIONID', $user{$name}{id},
                    'Content-Type', 'application/x-noise' ]);
            is($got->{status}, 200, "$target, $size bytes for $name");
            ok($got->{body} eq $body, '... arrived as sent')
                or diag(length($got->{body} // ''), ' bytes');
            is_identity($got, $name, '... ');
            is_deeply([ map { $got->{params}{$_}[0] }
                    qw(REQUEST_METHOD CONTENT_LENGTH CONTENT_TYPE) ],
                [ 'POST', $size, 'application/x-noise' ],
                '... and so its description');
            ok(!exists $got->{params}{HTTP_JSESSIONID},
                '... without the session id');
            $connections{ $got->{params}{ECHO_PID}[0] }++;
        }
    }
}
cmp_ok(scalar keys %connections, '<', 14, 'connections were kept')
    or diag(explain(\%connections));

# --- forged headers --------------------------------------------------------------

my @spellings;
for my $name (qw(X-User X-Email X-First-Name)) {
    push @spellings, $name, lc $name, uc $name, $name =~ tr/-/_/r,
        $name =~ tr/-/./r, lc($name) =~ tr/-/_/r, $name =~ s/-/_/r,
        ucfirst lc $name;
}
my @forged = map { ($_, 'mallory') } @spellings;
my @attacks = ([], \@forged, [ map { ($_, '') } @spellings ],
    [ (map { ($_, 'mallory-1') } @spellings),
        (map { ($_, 'mallory-2') } @spellings) ]);

for my $forged (@attacks) {
    for my $order (0, 1) {
        my @session = ('JSESSIONID', $user{anna}{id});
        my $got = echo('/echo', headers => $order
            ? [ @$forged, @session ] : [ @session, @$forged ]);
        is($got->{status}, 200, scalar(@$forged) / 2 . ' forged headers');
        is_identity($got, 'anna', '... in vain');
        unlike(join('|', map { "$_=@{ $got->{params}{$_} }" }
                sort keys %{ $got->{params} }),
            qr/mallory/, '... and none of them anywhere else');
    }
}

for my $target ('/echo/optional', '/echo/off') {
    my $got = echo($target, headers => \@forged);
    is($got->{status}, 200, "$target without a session");
    is_deeply(identity($got->{params}), {}, '... is nobody');
    unlike(join('|', map { @$_ } values %{ $got->{params} }), qr/mallory/,
        '... whatever the client says');
}
is_identity(echo('/echo/optional',
        headers => [ @forged, 'JSESSIONID', $user{boris}{id} ]),
    'boris', 'optional with a session');

my $got = echo('/echo', headers => [ 'JSESSIONID', $user{anna}{id},
        'Authorization', 'Bearer eyJ.forged.token' ]);
is_identity($got, 'anna', "the client's token");
unlike($got->{params}{HTTP_AUTHORIZATION}[0], qr/forged/, '... is dropped');
$got = echo('/echo/optional',
    headers => [ 'Authorization', 'Bearer eyJ.forged.token' ]);
is_deeply(identity($got->{params}), {}, '... under optional, too');
$got = echo('/echo/off', headers => [ 'Authorization', 'Basic YTpi' ]);
is_deeply($got->{params}{HTTP_AUTHORIZATION}, [ 'Basic YTpi' ],
    'under off a credential is the application\'s');

for my $spelling (qw(authorization AUTHORIZATION)) {
    $got = echo('/echo', headers => [ $spelling, 'Bearer x',
            'JSESSIONID', $user{anna}{id} ]);
    is_identity($got, 'anna', "$spelling");
}
$got = echo('/echo', headers => [ 'Proxy', 'http://evil.example',
        'JSESSIONID', $user{anna}{id} ]);
ok(!exists $got->{params}{HTTP_PROXY}, 'no HTTP_PROXY for anybody');
$got = echo('/echo', headers => [ 'JSESSIONID', $user{anna}{id},
        'Connection', 'X-User, Authorization, X-Email' ]);
is_identity($got, 'anna', 'Connection takes nothing away');
$got = echo('/echo', headers => [ 'JSESSIONID', $user{anna}{id},
        map { ('X-User', "m$_") } 1 .. 90 ]);
is_identity($got, 'anna', 'ninety copies');
$got = echo('/echo?X-User=mallory&HTTP_X_USER=mallory', headers =>
        [ 'JSESSIONID', $user{anna}{id}, 'IDENTGW-INTERNAL', '1' ]);
is_identity($got, 'anna', 'the query says nothing');
ok(!exists $got->{params}{IDENTGW_INTERNAL}, 'nor is anybody internal');

# --- the session id ------------------------------------------------------------

$got = echo('/echo', headers =>
        [ 'Cookie', "a=b; JSESSIONID=$user{anna}{id}; c=d" ]);
is_identity($got, 'anna', 'by cookie');
unlike(join('|', map { @$_ } values %{ $got->{params} }),
    qr/\Q$user{anna}{id}\E/, 'the id stays outside');
is_deeply($got->{params}{HTTP_COOKIE}, [ 'a=b; c=d' ],
    '... other cookies do not');
$got = echo('/echo/session', headers => [ 'JSESSIONID', $user{anna}{id} ]);
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
    $got = echo('/echo', headers => $headers);
    is($got->{status}, 401, "$what: no session");
}

# --- what userprofile receives -----------------------------------------------

my $log = "$stack->{var}/received";
$stack->add_helper(
    FastCGI::record_at($stack->socket('userprofile'), $log));
# A reload closes the connections that go past it.
kill 'HUP', $stack->pid_of('nginx');
my @sent = (
    [ 'POST', '{"nickname": "A",  "custom":{"raw" : [1,  2]}}' ],
    [ 'GET', undef ],
    [ 'PUT', '{ "nickname" : "B" }' . ' ' x 20000 ]);
my @received;
for my $round (0 .. 9) {
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
    is_identity({ params => \%params }, 'anna', "$method as received");
    is_deeply($params{HTTP_JSESSIONID}, [ $user{anna}{id} ],
        '... with the session, as the flow has it');
    my ($sent) = grep { $_->[0] eq $method } @sent;
    ok($request->{body} eq ($sent->[1] // ''), '... and the body as sent');
    like($params{REQUEST_ID}[0], qr/^[0-9a-f]{32}$/, '... and its id');
    is_deeply([ grep { @{ $params{$_} } > 1 } sort keys %params ], [],
        '... no parameter twice');
    unlike(join('|', map { @$_ } values %params), qr/mallory/,
        '... nothing forged');
}

$stack->stops_cleanly;
done_testing();
