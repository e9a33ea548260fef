# A filled database is upgraded while the old version serves, and goes on.
use strict;
use warnings;
use lib 't/lib';
use Idp qw(header json wait_for);
use JSON::PP;
use POSIX ();
use Stack ();
use Test::More;
use Time::HiRes qw(sleep);

my $build = $ENV{BUILD} || 'build';
my $next = "$build/fixture/identprov_next";
my $idp = Idp->start(env => { THREADS => 4 });
my $session = $idp->session('eva');
$idp->sql(q(INSERT INTO identprov.session (hash, account_id, created_at,
    last_used_at, expires_at)
    SELECT sha256(convert_to(i::text, 'UTF8')), a.id, now(), now(),
    now() + interval '1 hour'
    FROM identprov.account AS a, generate_series(1, 20000) AS i));
my $version = $idp->sql('SELECT max(version) FROM identprov.schema_version');

# Everything that the old version does, again and again.
sub use_it {
    my ($round) = @_;
    my $user = "user$$-$round";
    my $id = eval { $idp->session($user) } or return "register, login: $@";
    my @with = (headers => [ 'JSESSIONID', $id ]);
    my @got = map { $idp->request(@$_, @with)->{status} }
        [ GET => '/authenticate' ], [ POST => '/logout' ],
        [ GET => '/authenticate' ], [ GET => '/readyz' ];
    push @got, $idp->request('GET', '/authenticate',
        headers => [ 'JSESSIONID', $session ])->{status};
    return "@got" eq '200 204 401 200 200' ? '' : "@got";
}

my $pid = open(my $users, '-|') // die "fork: $!\n";
if (!$pid) {
    my (@wrong, $rounds);
    for ($rounds = 0; !-e $idp->room . '/enough'; $rounds++) {
        my $wrong = use_it($rounds);
        push @wrong, $wrong if $wrong;
        Stack::spew($idp->room . '/begun', '') if $rounds == 2;
    }
    print encode_json({ rounds => $rounds, wrong => \@wrong });
    close STDOUT;
    POSIX::_exit(0);
}
wait_for(120, 'the users', sub { -e $idp->room . '/begun' });

sub run_next {
    my (@arguments) = @_;
    my $env = $idp->environment;
    local @ENV{ keys %$env } = values %$env;
    my $text = qx('$next' @arguments 2>&1);
    return ($? >> 8, $text);
}
my ($status, $text) = run_next('migrate');
is($status, 0, 'the next version migrates while the old one serves')
    or diag($text);
like($text, qr/-next$/m, '... what is its own');
is($idp->sql('SELECT max(version) FROM identprov.schema_version'),
    $version + 1, '... to its version');
is(use_it('after'), '', 'the old version goes on');
$idp->start_identprov(1);
is($idp->request('GET', '/1/authenticate',
        headers => [ 'JSESSIONID', $session ])->{status}, 200,
    '... and can be started again');
($status, $text) = $idp->run(['migrate']);
is($status, 0, 'its own migrate has nothing to do');
is($idp->sql('SELECT max(version) FROM identprov.schema_version'),
    $version + 1, '... and takes nothing back');
Stack::spew($idp->room . '/enough', '');
my $result = decode_json(join '', <$users>);
cmp_ok($result->{rounds}, '>=', 3, 'users came all the time');
is_deeply($result->{wrong}, [], '... and nobody noticed');

# Two versions on are too many, and so is a schema that is not there yet.
$idp->sql("INSERT INTO identprov.schema_version (version, name) VALUES ("
        . ($version + 2) . ", 'later')");
($status, undef, $text) = $idp->run([ 'serve', '--listen',
        'unix:' . $idp->room . '/none.sock' ]);
is($status, 1, 'a schema of two versions later: no start');
like($text, qr/has version @{[ $version + 2 ]}, this program runs on/,
    '... which says why');
$idp->sql("DELETE FROM identprov.schema_version WHERE version > $version");
($status, $text) = run_next('serve', '--listen',
    'unix:' . $idp->room . '/none.sock');
is($status, 1, 'the next version on the old schema: no start');
like($text, qr/its command `migrate`/, '... which says how to mend it');
$idp->stops_cleanly;
done_testing;
