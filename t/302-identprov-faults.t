# What was acknowledged stays acknowledged when PostgreSQL is killed; what
# cannot be known is 503; nothing secret is written anywhere.
use strict;
use warnings;
use lib 't/lib';
use Idp qw(header json wait_for);
use Test::More;

my $CANARY = 'canary-' . join '', map { chr(97 + rand 26) } 1 .. 20;
my $idp = Idp->start(env => { LOG_LEVEL => 'debug' });

sub register {
    my ($name) = @_;
    return $idp->post_json('/register', { username => $name,
            password => $CANARY, email => "$name\@example.org",
            first_name => $name });
}

sub login {
    my ($name, $password) = @_;
    return $idp->post_json('/login',
        { username => $name, password => $password // $CANARY });
}

sub id_of { return header($_[0], 'JSESSIONID') }

sub authenticate {
    return $idp->request('GET', '/authenticate',
        headers => [ 'JSESSIONID', $_[0] ]);
}

sub logout {
    return $idp->request('POST', '/logout',
        headers => [ 'JSESSIONID', $_[0] ]);
}

sub is_unavailable {
    my ($answer, $what) = @_;
    is($answer->{status}, 503, $what) or diag($answer->{body});
    like(header($answer, 'Retry-After'), qr/^[1-9]\d*$/,
        '... with Retry-After');
    is(header($answer, 'Set-Cookie'), undef, '... the cookie untouched');
    return;
}

sub crash { return $idp->end_part('KILL', 'postgres') }

# --- a crash right after the answer ------------------------------------------

my @secrets;
is(register('eva')->{status}, 201, 'eva');
my $revoked = id_of(login('eva'));
for my $round (1 .. 3) {
    my $answer = register("user$round");
    crash();
    is($answer->{status}, 201, "round $round: registered, then a crash");
    $idp->start_postgres;

    $answer = login("user$round");
    crash();
    is($answer->{status}, 200, '... the account is there; a crash');
    my $id = id_of($answer);
    push @secrets, $id;
    is_unavailable(authenticate($id), '... PostgreSQL down: authenticate');
    $idp->start_postgres;

    $answer = authenticate($id);
    is($answer->{status}, 200, '... the session is there');
    push @secrets, json($answer)->{token};
    $answer = logout($id);
    crash();
    is($answer->{status}, 204, '... logged out, then a crash');
    $idp->start_postgres;
    is(authenticate($id)->{status}, 401, '... the session does not come back');
}

# --- down --------------------------------------------------------------------

my $id = id_of(login('eva'));
push @secrets, $id, $revoked;
is(logout($revoked)->{status}, 204, 'logged out');
crash();
is_unavailable(authenticate($id), 'down: a good session');
is_unavailable(authenticate($revoked), '... one that is over');
is_unavailable(authenticate('A' x 43), '... one that never was');
is_unavailable(register('late'), '... registration');
is_unavailable(login('eva'), '... login');
is_unavailable(login('eva', 'wrong'), '... login with a wrong password');
is_unavailable(login('nobody'), '... login of nobody');
is_unavailable(logout($id), '... logout, which is not done');
is_unavailable($idp->request('GET', '/readyz'), '... not ready');
is($idp->request('GET', '/authenticate')->{status}, 401,
    '... without an id it is known');
is($idp->request('POST', '/logout')->{status}, 204, '... there, too');
is($idp->request('GET', '/healthz')->{status}, 200, '... but alive');
is($idp->request('GET', '/signin')->{status}, 200, '... sign-in works');
is($idp->request('GET', '/.well-known/jwks.json')->{status}, 200,
    '... and the keys are there');
$idp->start_postgres;
is(authenticate($id)->{status}, 200, 'back without a restart of identprov');
is(authenticate($revoked)->{status}, 401, '... nothing came back with it');
is($idp->request('GET', '/readyz')->{status}, 200, '... ready');

# A restart that nobody is to see: every thread's connection is broken.
is($idp->end_part('INT', 'postgres'), 0, 'PostgreSQL is stopped properly');
$idp->start_postgres;
is(join(' ', map { authenticate($id)->{status} } 1 .. 20),
    join(' ', (200) x 20), '... and started: no session notices');
my $postgres = $idp->{pids}{postgres};
my @processes = ($postgres, grep { $_ } split /\s+/,
    `ps -o pid= --ppid $postgres`);
is(kill('STOP', @processes), scalar @processes, 'PostgreSQL hangs');
is_unavailable(authenticate($id), '... which is 503');
kill 'CONT', @processes;
ok(wait_for(20, 'the session', sub { authenticate($id)->{status} == 200 }),
    '... until it goes on');

# --- a database that does not commit -------------------------------------------
# As with a synchronous standby that is gone: whoever writes waits, in half of
# the threads; who only asks does not notice.

sub set_standby {
    my ($name) = @_;
    $idp->sql("ALTER SYSTEM SET synchronous_standby_names = '$name'");
    $idp->sql('SELECT pg_reload_conf()');
    wait_for(20, 'the setting', sub {
        $idp->sql('SHOW synchronous_standby_names') eq $name });
    return;
}

my @ids = map { id_of(login('eva')) } 1 .. 8;
push @secrets, @ids;
set_standby('nobody');
my $pid = open my $writers, '-|';
if (!$pid) {
    print join ' ', map { $_->{status} } $idp->at_once(24,
        sub { $_[0] % 3 ? logout($ids[ $_[0] / 3 ]) : login("user$_[0]") });
    close STDOUT;
    POSIX::_exit(0);
}
wait_for(20, 'writers that wait', sub { $idp->sql(
    q(SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep')) });
my %asked;
$asked{ authenticate($id)->{status} }++ for 1 .. 40;
cmp_ok($idp->sql(q(SELECT count(*) FROM pg_stat_activity
    WHERE wait_event = 'SyncRep')), '>=', 1, 'while writers wait');
is_deeply(\%asked, { 200 => 40 }, '... whoever asks is answered');
set_standby('');
my @written = split / /, <$writers>;
is(scalar(grep { !/^(200|204|401|503)$/ } @written), 0,
    '... and each writer has an answer') or diag("@written");
$idp->sql('ALTER SYSTEM RESET synchronous_standby_names');
wait_for(20, 'a login', sub {
    my $answer = login('eva');
    push @secrets, id_of($answer) if $answer->{status} == 200;
    return $answer->{status} == 200;
});

# --- the end -----------------------------------------------------------------

$idp->sql(q(UPDATE identprov.session SET created_at = now() - interval '1 day',
    last_used_at = now() - interval '5 minutes'));
is(authenticate($id)->{status}, 200, 'a session is used');
is($idp->end_part('TERM', 'identprov-0'), 0, '... SIGTERM ends identprov');
is($idp->sql(q(SELECT count(*) FROM identprov.session
    WHERE last_used_at > now() - interval '1 minute')), 1,
    '... which has recorded it');

# --- no secret anywhere ------------------------------------------------------

my $files = join ' ', grep { -e } map { $idp->room . "/$_" }
    qw(identprov-0.log postgres.log nginx-error.log access.log pg/data);
push @secrets, $CANARY, 'PRIVATE KEY-----' =~ s/^/BEGIN /r,
    'a passphrase of the tests';
is(scalar(grep { !length($_ // '') } @secrets), 0,
    scalar(@secrets) . ' secrets are known');
Stack::spew($idp->room . '/secrets', join "\n", @secrets, '');
is(qx(grep -rlaF -f '${\$idp->room}/secrets' $files), '',
    '... and none is in a log or a table');
Stack::spew($idp->room . '/setup.log', "x $secrets[0] x\n");
like(qx(grep -rlaF -f '${\$idp->room}/secrets' '${\$idp->room}/setup.log'),
    qr/setup/, '... where it would be found');
$idp->stops_cleanly;
done_testing;
