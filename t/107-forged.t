# Identity that no client can forge, in any spelling: with nginx's usual care
# for the names of headers, and with none.
use strict;
use warnings;
use lib 't/lib';
use Echo qw(echo_of identity is_identity values_of);
use Stack qw(header);
use Test::More;

my @spellings;
for my $name (qw(X-User X-Email X-First-Name)) {
    push @spellings, $name, lc $name, uc $name, $name =~ tr/-/_/r,
        $name =~ tr/-/./r, lc($name) =~ tr/-/_/r, $name =~ s/-/_/r,
        ucfirst lc $name, $name =~ tr/-/~/r, $name =~ tr/-/!/r,
        $name =~ tr/-/|/r, $name =~ tr/-/+/r;
}
my @forged = map { ($_, 'mallory') } @spellings;
my @attacks = ([], \@forged, [ map { ($_, '') } @spellings ],
    [ (map { ($_, 'mallory-1') } @spellings),
        (map { ($_, 'mallory-2') } @spellings) ]);

for my $care ('', "underscores_in_headers on;\nignore_invalid_headers off;\n") {
    my $stack = Echo->start($care);
    note($care ? 'every name of a header is let in' : 'the usual care');
    check_forged($stack);
    check_credentials($stack);
    check_odds($stack);
    $stack->stops_cleanly;
}

sub session_of {
    my ($stack, $name) = @_;
    return ('JSESSIONID', $stack->{user}{$name}{id});
}

sub check_forged {
    my ($stack) = @_;
    my @session = session_of($stack, 'anna');
    for my $forged (@attacks) {
        for my $headers ([ @$forged, @session ], [ @session, @$forged ]) {
            my $got = echo_of($stack, '/echo', headers => $headers);
            is_identity($got, 'anna',
                scalar(@$forged) / 2 . ' forged headers in vain');
            unlike(values_of($got), qr/mallory/, '... nowhere');
        }
    }
    for my $target ('/echo/optional', '/echo/off') {
        my $got = echo_of($stack, $target, headers => \@forged);
        is($got->{status}, 200, "$target without a session");
        is_deeply(identity($got), {}, '... is nobody');
        unlike(values_of($got), qr/mallory/, '... whatever the client says');
    }
    is_identity(echo_of($stack, '/echo/optional',
            headers => [ @forged, session_of($stack, 'boris') ]),
        'boris', '/echo/optional with a session');
    is(echo_of($stack, '/echo', headers => \@forged)->{status}, 401,
        'forged headers are no session');
    return;
}

sub check_credentials {
    my ($stack) = @_;
    my @session = session_of($stack, 'anna');
    for my $name (qw(Authorization authorization AUTHORIZATION)) {
        my $got = echo_of($stack, '/echo',
            headers => [ $name, 'Bearer eyJ.mallory.x', @session ]);
        is_identity($got, 'anna', "$name of the client");
        unlike(values_of($got), qr/mallory/, '... is dropped');
    }
    my $got = echo_of($stack, '/echo/optional',
        headers => [ 'Authorization', 'Bearer eyJ.mallory.x' ]);
    is_deeply(identity($got), {}, '... under optional, too');
    is_deeply(echo_of($stack, '/echo/off',
            headers => [ 'Authorization', 'Basic YTpi' ])
            ->{params}{HTTP_AUTHORIZATION},
        [ 'Basic YTpi' ], '... and under off it is the application\'s');
    return;
}

sub check_odds {
    my ($stack) = @_;
    my @session = session_of($stack, 'anna');
    my $got = echo_of($stack, '/echo',
        headers => [ 'Proxy', 'http://mallory.example', @session ]);
    ok(!exists $got->{params}{HTTP_PROXY}, 'no HTTP_PROXY for anybody');
    is_identity(echo_of($stack, '/echo', headers => [ @session,
                'Connection', 'X-User, Authorization, X-Email' ]),
        'anna', 'Connection takes nothing away');
    is_identity(echo_of($stack, '/echo', headers => [ @session,
                map { ('X-User', "mallory$_") } 1 .. 90 ]),
        'anna', 'ninety copies');
    $got = echo_of($stack, '/echo?X-User=m&HTTP_X_USER=m',
        headers => [ @session, 'IDENTGW-INTERNAL', 1, 'IDENTGW_INTERNAL', 1,
            'REMOTE-USER', 'mallory' ]);
    is_identity($got, 'anna', 'neither the query nor other names');
    ok(!exists $got->{params}{IDENTGW_INTERNAL}, '... make anybody internal');
    for my $headers ([ 'X-User', 'mallory' ], [ 'X_User', 'mallory' ],
        [ 'X-User', 'mallory', 'Authorization', 'Bearer x' ]) {
        my $answer = $stack->request('GET', '/authenticate',
            headers => [ @$headers, @session ]);
        is($answer->{status}, 200, 'identprov is not impressed either');
        is($stack->request('GET', '/userprofile',
                headers => [ @$headers, @session ])->{status},
            404, '... nor userprofile: anna has no profile');
    }
    return;
}

done_testing();
