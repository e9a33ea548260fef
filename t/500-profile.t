# Reading, changing and removing a profile through the gateway: PATCH, DELETE,
# HEAD, OPTIONS, entity tags and the conditions on them.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Stack qw(header headers json);
use Test::More;

my $stack = Stack->start;
my @session = ('JSESSIONID', $stack->session('anna'));

# More headers come behind the body.
sub ask {
    my ($method, $data, @headers) = @_;
    return $stack->request($method, '/userprofile',
        headers => [ @session, @headers ]) if !defined $data;
    return $stack->send_json($method, '/userprofile', $data,
        headers => [ @session, @headers ]);
}

# The members that the user has set.
sub members {
    my ($answer) = @_;
    my $got = json($answer) || {};
    delete @$got{qw(sub preferred_username updated_at)};
    return $got;
}

sub is_problem {
    my ($answer, $status, $code, $what) = @_;
    is($answer->{status}, $status, $what) or diag($answer->{body});
    is((json($answer) || {})->{code}, $code, "... $code");
    is(header($answer, 'ETag'), undef, '... without an entity tag');
    return;
}

# What is stored stays $members.
sub stays {
    my ($members, $what) = @_;
    is_deeply(members(ask('GET')), $members, "... $what");
    return;
}

sub etag_of {
    my ($answer) = @_;
    return header($answer, 'ETag') // 'none';
}

# --- entity tags --------------------------------------------------------------

is_problem(ask('GET'), 404, 'no_profile', 'no profile yet');
is_problem(ask('GET', undef, 'If-None-Match', '*'), 404, 'no_profile',
    '... on no condition either');
is_problem(ask('DELETE'), 404, 'no_profile', '... to remove');
is_problem(ask('PATCH', {}), 404, 'no_profile', '... to patch');

my $made = ask('POST', { nickname => 'a' });
is($made->{status}, 201, 'created');
my $first = etag_of($made);
like($first, qr/^"[\w-]{22}"$/, '... with a strong entity tag');
is(etag_of(ask('GET')), $first, '... which GET has, too');
my $head = ask('HEAD');
is("$head->{status}:$head->{body}", '200:', 'HEAD has no body');
is(etag_of($head), $first, '... the same entity tag');
is(header($head, 'Content-Length'), length ask('GET')->{body},
    '... and the length of the body');

my $put = ask('PUT', { nickname => 'b' });
my $second = etag_of($put);
isnt($second, $first, 'a write makes a new entity tag');
is(etag_of(ask('GET')), $second, '... that stays');
$put = ask('PUT', { nickname => 'a' });
isnt(etag_of($put), $first, 'what is as it was before has another one');
isnt(etag_of(ask('PUT', { nickname => 'a' })), etag_of($put),
    '... and so has what is written anew as it is');

# --- If-None-Match on GET -----------------------------------------------------

my $now = etag_of(ask('GET'));
for my $method (qw(GET HEAD)) {
    for my $list ($now, "W/$now", '*', qq("x", $now), qq(,"x",W/$now ,)) {
        my $answer = ask($method, undef, 'If-None-Match', $list);
        is($answer->{status}, 304, "$method, If-None-Match: $list");
        is($answer->{body}, '', '... no body');
        is(etag_of($answer), $now, '... the entity tag');
        like(header($answer, 'Cache-Control'), qr/no-store/,
            '... not to store');
    }
    for my $list ($first, '"x"', qq("x", $first), 'W/"' . 'x' x 3000 . '"') {
        my $answer = ask($method, undef, 'If-None-Match', $list);
        is($answer->{status}, 200, "$method, no match: "
            . substr $list, 0, 40);
        is(etag_of($answer), $now, '... the entity tag');
    }
    # Some versions of nginx let only one line through to where they are one.
    like(ask($method, undef, 'If-None-Match', '"x"',
            'If-None-Match', $now)->{status},
        qr/^(304|400)$/, "$method: two lines are one list");
    is(ask($method, undef, 'If-Match', $now)->{status}, 200,
        "$method, If-Match");
    is(ask($method, undef, 'If-Match', $first)->{status}, 412,
        "$method, If-Match with an old one");
    is(ask($method, undef, 'If-Modified-Since',
            'Fri, 31 Dec 2100 23:59:59 GMT')->{status},
        200, "$method: a time is no condition here");
}

# --- If-Match -----------------------------------------------------------------

for my $case (
    [ 'PUT', { nickname => 'c' } ], [ 'PATCH', { nickname => 'c' } ],
    [ 'DELETE' ]) {
    my ($method, $data) = @$case;
    $now = etag_of(ask('PUT', { nickname => 'as it was', bio => 'x' }));
    for my $list ($first, '"x"', "W/$now", qq("x", "y", W/$now),
        lc $now eq $now ? uc $now : lc $now, '""') {
        is_problem(ask($method, $data, 'If-Match', $list), 412,
            'precondition_failed', "$method, If-Match: $list");
    }
    for my $list ('', ',', 'x', $now =~ s/"//gr, "'x'", "*, $now", "$now *",
        "$now $now", substr($now, 1), substr($now, 0, -1), "w/$now",
        "W/ $now", '"a b"', "$now, *") {
        is_problem(ask($method, $data, 'If-Match', $list), 400,
            'malformed_condition', "$method, If-Match: $list");
    }
    is(ask($method, $data, 'If-Match', $now, 'If-Match', '*')->{status}, 400,
        "$method: * in one of two lines");
    is_problem(ask($method, $data, 'If-None-Match', $now), 412,
        'precondition_failed', "$method, If-None-Match");
    is_problem(ask($method, $data, 'If-None-Match', '*'), 412,
        'precondition_failed', "$method, If-None-Match: *");
    is_problem(ask($method, $data, 'If-Match', $now, 'If-None-Match', $now),
        412, 'precondition_failed', "$method: both must hold");
    is(etag_of(ask('GET')), $now, '... and nothing has changed');

    my $answer = ask($method, $data, 'If-Match', qq("x", $now));
    is($answer->{status}, $method eq 'DELETE' ? 204 : 200,
        "$method with the right one");
    is_problem(ask($method, $data, 'If-Match', $now), 412,
        'precondition_failed', '... which is right but once');
    ask('POST', { nickname => 'new' }) if $method eq 'DELETE';
    isnt(etag_of(ask('GET')), $now, '... and never again');
    is(ask($method, $data, 'If-Match', '*')->{status}, $answer->{status},
        "$method, If-Match: *");
}

is_problem(ask('PUT', {}, 'If-Match', '*'), 412, 'precondition_failed',
    'If-Match: * of what is not there');
is_problem(ask('PATCH', {}, 'If-Match', $now), 412, 'precondition_failed',
    '... an entity tag of it');
is_problem(ask('DELETE', undef, 'If-Match', $now), 412,
    'precondition_failed', '... to remove it');
is_problem(ask('PUT', {}, 'If-None-Match', '"x"'), 404, 'no_profile',
    '... a condition that holds of it');

# --- If-None-Match on POST ----------------------------------------------------

is_problem(ask('POST', {}, 'If-Match', '*'), 412, 'precondition_failed',
    'POST to what must be there and is not');
is(ask('POST', { nickname => 'd' }, 'If-None-Match', '*')->{status}, 201,
    'POST if there is none');
is_problem(ask('POST', { nickname => 'e' }, 'If-None-Match', '*'), 412,
    'precondition_failed', '... there is one');
is_problem(ask('POST', { nickname => 'e' }), 409, 'profile_exists',
    '... and without the condition');
is_problem(ask('POST', { nickname => 'e' }, 'If-Match', '*'), 409,
    'profile_exists', '... or with one that holds');
is_problem(ask('POST', { nickname => 'e' }, 'If-None-Match', '"*"x'), 400,
    'malformed_condition', '... or with one that is none');
stays({ nickname => 'd' }, 'nothing has changed');

# --- PATCH --------------------------------------------------------------------

my %all = (
    given_name => 'José', birthdate => '1979-02-28', bio => "a\nb",
    address => { locality => 'Paris', region => 'IDF', country => 'FR' },
    custom => { a => { b => [ 1, { c => undef } ], d => undef, e => 'f' },
        g => 1 });
ask('PUT', \%all);
for my $case (
    [ {}, {}, 'nothing' ],
    [ { bio => undef }, { bio => undef }, 'a member away' ],
    [ { nickname => undef }, {}, 'a member away that was not there' ],
    [ { bio => 'new', nickname => 'n' }, { bio => 'new', nickname => 'n' },
        'members set' ],
    [ { address => { region => undef, postal_code => '75001' } },
        { address => { locality => 'Paris', country => 'FR',
                postal_code => '75001' } }, 'below address' ],
    [ { address => {} }, {}, 'nothing below address' ],
    [ { address => undef }, { address => undef }, 'the address away' ],
    [ { address => { locality => undef, region => undef,
                country => undef } }, { address => undef },
        'its last members away' ],
    [ { custom => {} }, {}, 'nothing below custom' ],
    [ { custom => undef }, { custom => undef }, 'custom away' ],
    [ { custom => { g => undef, h => { i => undef, j => { k => undef },
                    l => [ undef ] } } },
        { custom => { %{ $all{custom} }{a}, h => { j => {}, l => [undef] } } },
        'at depth of custom' ],
    [ { custom => { a => { e => undef, b => { x => 1 } } } },
        { custom => { a => { d => undef, b => { x => 1 } }, g => 1 } },
        'another type at depth' ],
    [ { custom => { a => 0 } }, { custom => { a => 0, g => 1 } },
        'an object becomes a number' ],
    [ { custom => { g => { x => 1, y => undef } } },
        { custom => { a => $all{custom}{a}, g => { x => 1 } } },
        'a number becomes an object' ],
    [ { given_name => "Jose\x{301}" }, {}, 'text in another normal form' ]) {
    my ($patch, $change, $what) = @$case;
    my %expected = (%all, %$change);
    delete @expected{ grep { !defined $expected{$_} } keys %expected };
    ask('PUT', \%all);
    my $answer = ask('PATCH', $patch);
    is($answer->{status}, 200, "PATCH: $what") or diag($answer->{body});
    is_deeply(members($answer), \%expected, '... as RFC 7396 has it');
    is($answer->{body}, ask('GET')->{body}, '... and so it is stored');
}
ask('PUT', { nickname => 'bare' });
is_deeply(members(ask('PATCH', { custom => { a => { b => undef } },
                address => { locality => 'Rome' } })),
    { nickname => 'bare', custom => { a => {} },
        address => { locality => 'Rome' } }, 'PATCH makes what was not there');
is_deeply(members(ask('PATCH', { address => { locality => undef } })),
    { nickname => 'bare', custom => { a => {} } },
    '... an address without members is none');

ask('PUT', \%all);
for my $case (
    [ { bio => 1 }, '/bio' ], [ { address => [] }, '/address' ],
    [ { address => { locality => 1, x => undef } },
        '/address/locality /address/x' ],
    [ { custom => 'x' }, '/custom' ], [ { custom => [] }, '/custom' ],
    [ { nope => undef }, '/nope' ], [ { sub => undef }, '/sub' ],
    [ { updated_at => 1, birthdate => 'x', 'a/b~c' => 2, bio => undef },
        '/a~1b~0c /birthdate /updated_at' ]) {
    my ($patch, $pointers) = @$case;
    my $answer = ask('PATCH', $patch);
    is_problem($answer, 422, 'invalid_fields', "PATCH: not $pointers");
    is(join(' ', sort map { $_->{pointer} } @{ json($answer)->{errors} }),
        $pointers, '... each named by its pointer');
}
stays(\%all, 'all as it was');
for my $body ('null', '[]', '"x"', '1') {
    is_problem(ask('PATCH', $body), 400, 'not_an_object', "PATCH with $body");
}
is_problem(ask('PATCH', '{"bio":"a","bio":null}'), 400, 'duplicate_member',
    'a patch with one member twice');
is_problem(ask('PATCH', '{"custom":{"a":1,"\u0061":null}}'), 400,
    'duplicate_member', '... or at depth');

# The 16 KiB of custom hold for what comes of a merge.
ask('PUT', { custom => { x => 'y' x 16376 } });
is_problem(ask('PATCH', { custom => { z => 1 } }), 422, 'invalid_fields',
    'custom grows by PATCH to more than 16 KiB');
is(length members(ask('GET'))->{custom}{x}, 16376, '... stays as it was');
is(ask('PATCH', { custom => { x => 'y' x 16370, z => 1 } })->{status}, 200,
    '... to 16 KiB');
is(ask('PATCH', { custom => { x => undef } })->{status}, 200,
    '... and shrinks');
is_deeply(members(ask('GET')), { custom => { z => 1 } }, '... to what is left');

# --- types of a patch, methods ------------------------------------------------

for my $case (
    [ 'application/merge-patch+json', 200 ], [ 'application/json', 200 ],
    [ 'Application/Merge-Patch+JSON; charset=UTF-8', 200 ],
    [ 'application/json-patch+json', 415 ], [ 'text/plain', 415 ]) {
    my ($type, $status) = @$case;
    my $answer = $stack->request('PATCH', '/userprofile', body => '{}',
        headers => [ @session, 'Content-Type', $type ]);
    is($answer->{status}, $status, "PATCH of $type");
    is(header($answer, 'Accept-Patch'), 'application/merge-patch+json',
        '... says what it takes') if $status == 415;
}
is($stack->request('PUT', '/userprofile', body => '{}', headers => [
            @session, 'Content-Type', 'application/merge-patch+json'
        ])->{status}, 415, 'a patch is nothing to PUT');

my $options = ask('OPTIONS');
is($options->{status}, 204, 'OPTIONS');
is_deeply([ sort split /, /, header($options, 'Allow') ],
    [ sort qw(OPTIONS GET HEAD POST PUT PATCH DELETE) ], '... says what is');
is(header($options, 'Accept-Patch'), 'application/merge-patch+json',
    '... and of which kind a patch is');
for my $method (qw(TRACE FOO)) {
    my $answer = ask($method);
    is($answer->{status}, 405, "$method is not allowed");
    next if $method eq 'TRACE'; # nginx refuses it by itself
    is(header($answer, 'Allow'), header($options, 'Allow'), '... says what is');
}

# --- DELETE -------------------------------------------------------------------

my $gone = ask('DELETE');
is("$gone->{status}:$gone->{body}", '204:', 'DELETE');
is(header($gone, 'Content-Length'), undef, '... has no length either');
is_problem(ask('GET'), 404, 'no_profile', '... what is gone is gone');
is_problem(ask('DELETE'), 404, 'no_profile', '... and cannot go again');
is(ask('POST', {})->{status}, 201, '... but come again');
is_deeply(members(ask('GET')), {}, '... empty');

my @other = ('JSESSIONID', $stack->session('boris'));
$stack->post_json('/userprofile', { bio => "Boris's" }, headers => \@other);
is(ask('DELETE', undef)->{status}, 204, 'one profile goes');
is($stack->request('GET', '/userprofile', headers => \@other)->{status}, 200,
    "... another's stays");

my @wrong = grep { /"level":"error"/ } split /^/, $stack->log('userprofile');
is_deeply(\@wrong, [], 'no error is logged');
$stack->stops_cleanly;
done_testing();
