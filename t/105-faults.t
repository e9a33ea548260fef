# What was acknowledged stays; what is down says so and never looks like a
# logged-out user; what comes back is used without a restart of the others.
use strict;
use warnings;
use lib 't/lib';
use Stack qw(header json wait_for);
use Test::More;

my $stack = Stack->start;
my $session = $stack->session('anna');
my @session = ('JSESSIONID', $session);
my $user = 0;

sub get_profile {
    return $stack->request('GET', '/userprofile', headers => \@session);
}

sub is_unavailable {
    my ($answer, $what) = @_;
    is($answer->{status}, 503, $what) or diag($answer->{body});
    like(header($answer, 'Retry-After'), qr/^[1-9]\d*$/,
        '... with Retry-After');
    like(header($answer, 'Cache-Control'), qr/no-store/, '... not to store');
    return;
}

sub works_again {
    my ($what) = @_;
    ok(wait_for(30, 'the profile', sub { get_profile()->{status} == 200 }),
        $what);
    return;
}

# --- nothing acknowledged is lost ------------------------------------------------

for my $round (1 .. 3) {
    my $nickname = "before crash $round";
    my $answer = $stack->send_json($round == 1 ? 'POST' : 'PUT',
        '/userprofile', { nickname => $nickname }, headers => \@session);
    my $postgres = $stack->pid_of('postgres');
    kill 'KILL', $postgres;
    is($answer->{status}, $round == 1 ? 201 : 200, "round $round: stored");
    wait_for(20, 'the end of PostgreSQL',
        sub { !defined $stack->pid_of('postgres') });

    is_unavailable($stack->post_json('/register', {
                username => 'nobody', password => 'correct horse battery',
                email => 'n@example.org', first_name => 'N' }),
        'PostgreSQL down: register');
    is_unavailable($stack->post_json('/login',
            { username => 'anna', password => 'wrong or right' }),
        '... login');
    is_unavailable($stack->request('GET', '/authenticate',
            headers => \@session), '... authenticate');
    is_unavailable($stack->request('GET', '/authenticate',
            headers => [ 'JSESSIONID', 'A' x 43 ]),
        '... authenticate with a session that never was');
    is_unavailable(get_profile(), '... a profile');
    is_unavailable($stack->send_json('PUT', '/userprofile', {},
            headers => \@session), '... a change');
    is_unavailable($stack->request('POST', '/logout', body => '',
            headers => \@session), '... logout');
    is($stack->request('GET', '/signin')->{status}, 200,
        '... while what needs no database works');

    $stack->restart_parts('postgres');
    $answer = get_profile();
    is($answer->{status}, 200, '... back at once, nobody was restarted')
        or diag($answer->{body});
    is(json($answer)->{nickname}, $nickname, '... nothing lost');
}

# --- a restart in order is not noticed --------------------------------------------

$stack->kill_part('INT', 'postgres');
$stack->restart_parts('postgres');
is($stack->send_json('PUT', '/userprofile', { nickname => 'after' },
        headers => \@session)->{status},
    200, 'PostgreSQL restarted: the first write works');
is($stack->request('GET', '/authenticate', headers => \@session)->{status},
    200, '... and so does the session');

# --- a logout that was acknowledged stays one -------------------------------------

my $other = $stack->login('anna', "correct horse $$ battery");
is($stack->request('POST', '/logout', body => '',
        headers => [ 'JSESSIONID', $other ])->{status},
    204, 'logged out');
$stack->kill_part('KILL', 'postgres');
$stack->restart_parts('postgres');
works_again('after a crash');
is($stack->request('GET', '/userprofile',
        headers => [ 'JSESSIONID', $other ])->{status},
    401, '... logged out for good');

# --- identprov down --------------------------------------------------------------

$stack->kill_part('KILL', 'identprov');
ok(wait_for(20, 'the end of the lease', sub { get_profile()->{status} != 200 }),
    'identprov down: who was known is served for a lease at most');
is_unavailable(get_profile(), '... then a protected request is not');
is_unavailable($stack->request('GET', '/userprofile',
        headers => [ 'JSESSIONID', 'A' x 43 ]),
    '... with a session that never was');
like($stack->post_json('/login', {})->{status}, qr/^50[234]$/, '... login');
my $answer = $stack->request('GET', '/userprofile');
is($answer->{status}, 401, '... who sends no session has none, all the same');
like($answer->{body}, qr/^Please go to login/, '... and is told so');
$stack->restart_parts('identprov');
works_again('identprov is back, the session too');

# --- userprofile down ------------------------------------------------------------

$stack->kill_part('KILL', 'userprofile');
like(get_profile()->{status}, qr/^50[234]$/, 'userprofile down');
is($stack->request('GET', '/authenticate', headers => \@session)->{status},
    200, '... the session is unharmed');
$stack->restart_parts('userprofile');
works_again('userprofile is back');

# --- a part that hangs ------------------------------------------------------------

my $postgres = $stack->pid_of('postgres');
my @backends = backends($postgres);
kill 'STOP', $postgres, @backends;
is_unavailable(get_profile(), 'PostgreSQL hangs: a protected request');
kill 'CONT', $postgres, @backends;
works_again('and goes on');

sub backends {
    my ($parent) = @_;
    return map { /^\s*(\d+)\s+\Q$parent\E$/ ? $1 : () }
        split /\n/, `ps -e -o pid= -o ppid=`;
}

$stack->stops_cleanly;
done_testing();
