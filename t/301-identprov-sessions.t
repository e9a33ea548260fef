# How sessions begin, how long they live, what ends them.
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use FastCGI;
use Idp qw(header json wait_for);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $idp = Idp->start(env => { STATEMENT_TIMEOUT => '30s' });
my $PASSWORD = 'correct horse battery';

sub register {
    my ($name) = @_;
    my $answer = $idp->post_json('/register', { username => $name,
            password => $PASSWORD, email => "$name\@example.org",
            first_name => ucfirst $name });
    die "register: $answer->{body}\n" if $answer->{status} != 201;
    return json($answer)->{id};
}

sub login {
    my ($name, %with) = @_;
    return $idp->post_json(($with{at} // '') . '/login',
        { username => $name, password => $with{password} // $PASSWORD },
        headers => $with{headers} // []);
}

sub id_of { return header($_[0], 'JSESSIONID') // die "no session\n" }

sub status_of {
    my ($id, $at) = @_;
    return $idp->request('GET', ($at // '') . '/authenticate',
        headers => [ 'JSESSIONID', $id ])->{status};
}

sub hash_of { return q('\x) . sha256_hex($_[0]) . q('::bytea) }

# Sets a time of a session to so much from now.
sub shift_time {
    my ($id, $column, $by) = @_;
    $idp->sql('UPDATE identprov.session SET created_at = now()'
            . " - interval '30 days', $column = now() + interval '$by'"
            . ' WHERE hash = ' . hash_of($id));
    return;
}

sub column {
    my ($id, $expression) = @_;
    return $idp->sql("SELECT $expression FROM identprov.session"
            . ' WHERE hash = ' . hash_of($id));
}

my $anna_id = register('anna');
register('berta');

# --- fixation ----------------------------------------------------------------

my $planted = 'A' x 43;
for my $headers ([ 'JSESSIONID', $planted ],
    [ 'Cookie', "JSESSIONID=$planted" ],
    [ 'JSESSIONID', $planted, 'Cookie', "JSESSIONID=$planted" ]) {
    my $id = id_of(login('anna', headers => $headers));
    isnt($id, $planted, "an id that came by $headers->[0] is not adopted");
    is(status_of($planted), 401, '... and opens nothing');
    is(status_of($id), 200, '... the new one does');
}
my $answer = login('anna');
is(header($answer, 'Set-Cookie') =~ s/;.*//r, 'JSESSIONID=' . id_of($answer),
    'header and cookie are one id');
isnt(id_of(login('anna')), id_of($answer), 'every login has another');

my ($first, $second) = map { id_of(login('anna')) } 1, 2;
my @both = ('JSESSIONID', $first, 'Cookie', "a=b; JSESSIONID=$second");
is(login('anna', password => 'wrong', headers => \@both)->{status}, 401,
    'a login that fails');
is(status_of($_), 200, '... ends no session') for $first, $second;
my $third = id_of(login('anna', headers => \@both));
is(status_of($_), 401, 'one that succeeds ends those that came with it')
    for $first, $second;
is(status_of($third), 200, '... and begins one');
my $berta = id_of(login('berta', headers => [ 'JSESSIONID', $third ]));
is(status_of($third), 401, '... also another user\'s');
is(status_of($berta), 200, '... for the one who knows the password');

# However many came: all end, or none.
my @many = map { id_of(login('anna')) } 1 .. 20;
my @cookies = map { "JSESSIONID=$_" } @many;
my $logout = $idp->request('POST', '/logout', headers => [ Cookie =>
        join '; ', @cookies, ('JSESSIONID=x') x 109 ]);
is($logout->{status}, 400, 'a logout with 129 cookies');
is(json($logout)->{code}, 'too_many_sessions', '... says so');
is(status_of($many[0]), 200, '... ends none');
is(login('anna', headers => [ Cookie => join '; ', @cookies,
        ('JSESSIONID=x') x 109 ])->{status}, 400, 'such a login is none');
$logout = $idp->request('POST', '/logout', headers => [ Cookie =>
        join '; ', ('JSESSIONID=x') x 108, @cookies ]);
is($logout->{status}, 204, 'one with 128');
is(scalar(grep { status_of($_) == 200 } @many), 0, '... ends all');

# --- what the database has ---------------------------------------------------

is(column($berta, 'count(*)'), 1,
    'a session is found by the SHA-256 of its id');
is(column($berta, 'octet_length(hash)'), 32, '... all of it');
my $dump = $idp->sql(q(SELECT s::text FROM identprov.session AS s
    UNION ALL SELECT a::text FROM identprov.account AS a));
unlike($dump, qr/\Q$berta\E/, '... the id is nowhere');
unlike($dump, qr/\Q$PASSWORD\E/, '... nor is the password');
like($dump, qr/\$argon2id\$v=19\$m=64,t=1,p=1\$/, '... but its Argon2id hash');

# --- limits, the clock turned in the database --------------------------------

my $id = id_of(login('anna'));
is(column($id, 'expires_at - created_at'), '12:00:00',
    'a session has 12 hours');
shift_time($id, 'last_used_at', '-00:29:50');
is(status_of($id), 200, 'used 29:50 ago: alive');
$id = id_of(login('anna'));
shift_time($id, 'last_used_at', '-00:30:01');
is(status_of($id), 401, 'used 30:01 ago: over');
$id = id_of(login('anna'));
shift_time($id, 'expires_at', '-1 second');
is(status_of($id), 401, 'past its absolute limit: over');

shift_time($id, 'expires_at', '100 seconds');
$answer = FastCGI::ask($idp->room . '/identprov-0.sock',
    [ REQUEST_METHOD => 'GET', SCRIPT_NAME => '', PATH_INFO => '/authenticate',
        REQUEST_ID => '0' x 32, HTTP_JSESSIONID => $id ], '');
my $life = json($answer)->{expires_in};
ok($life > 50 && $life <= 100, "a token ends with its session ($life s)");
is(header($answer, 'X-Accel-Expires'), $life - 60,
    '... and leaves the cache a minute before');

# --- use is recorded, at most once a minute ----------------------------------

my ($used, $other) = map { id_of(login('anna')) } 1, 2;
shift_time($_, 'last_used_at', '-5 minutes') for $used, $other;
is(status_of($used), 200, 'a session is used');
ok(wait_for(20, 'the record', sub {
            column($used, q(last_used_at > now() - interval '1 minute')) eq 't'
        }), '... which is recorded');
my $recorded = column($used, 'last_used_at');
is(status_of($used), 200, 'it is used again');
is(status_of($other), 200, '... and so is another');
wait_for(20, 'the record', sub {
    column($other, q(last_used_at > now() - interval '1 minute')) eq 't' });
is(column($used, 'last_used_at'), $recorded,
    '... which is recorded only for the other');
shift_time($used, 'last_used_at', '-5 minutes');
is($idp->request('POST', '/logout', headers => [ 'JSESSIONID', $used ])
        ->{status}, 204, 'a session ends while its use waits to be recorded');
is(status_of($used), 401, '... and stays so');

# --- short settings, the clock left alone ------------------------------------

$idp->start_identprov(1, SESSION_IDLE => '3s');
$id = id_of(login('anna', at => '/1'));
my $busy_until = time + 5;
my $is_alive = 1;
while (time < $busy_until) {
    $is_alive &&= status_of($id, '/1') == 200;
    sleep 0.2;
}
ok($is_alive, 'a session in use outlives its idle limit');
ok(wait_for(20, 'the end', sub { sleep 4; status_of($id, '/1') == 401 }),
    '... unused it does not');
$idp->end_part('TERM', 'identprov-1');

# --- how many ----------------------------------------------------------------

$idp->start_identprov(1, SESSION_MAX => 3, HASH_PASSES => 2);
$idp->sql("DELETE FROM identprov.session WHERE account_id = '$anna_id'");
my $live = 'SELECT count(*) FROM identprov.session'
    . " WHERE account_id = '$anna_id'";
my @ids = map { id_of(login('anna', at => '/1')) } 1 .. 5;
is(join(' ', map { status_of($_) } @ids), '401 401 200 200 200',
    'of five sessions the oldest two give way');
is($idp->sql("SELECT string_agg(event || ' ' || detail, ', ') FROM identprov.audit
    WHERE account_id = '$anna_id' AND detail = 'session limit'"),
    join(', ', ('session_revoked session limit') x 2), '... which is written down');
my @logins = $idp->at_once(12, sub { login('anna', at => '/1') });
my @good = grep { $_->{status} == 200 } @logins;
cmp_ok(scalar @good, '>=', 3, scalar(@good) . ' logins at once');
is($idp->sql($live), 3, '... leave three sessions');
is(scalar(grep { status_of(id_of($_)) == 200 } @good), 3,
    '... of those that were answered');
is(status_of($berta), 200, '... and other accounts alone');

# As many as the default allows, and a few more.
$idp->sql("DELETE FROM identprov.session WHERE account_id = '$anna_id'");
@ids = map { id_of(login('anna')) } 1 .. 67;
is(join('', map { status_of($_) == 200 ? 1 : 0 } @ids), '000' . '1' x 64,
    'unless told otherwise it is 64 sessions');

# --- a hash of other parameters ----------------------------------------------

my $hash_of_berta = q(SELECT substr(password_hash, 1, 28)
    FROM identprov.account WHERE username = 'berta');
is($idp->sql($hash_of_berta), '$argon2id$v=19$m=64,t=1,p=1$', 'an old hash');
is(login('berta', at => '/1', password => 'wrong')->{status}, 401,
    'a login that fails');
is($idp->sql($hash_of_berta), '$argon2id$v=19$m=64,t=1,p=1$', '... leaves it');
is(login('berta', at => '/1')->{status}, 200, 'one that succeeds');
is($idp->sql($hash_of_berta), '$argon2id$v=19$m=64,t=2,p=1$', '... renews it');
is(status_of($berta), 200, '... other sessions stay');
is(login('berta')->{status}, 200, '... and the password is the same');

# --- login against change ----------------------------------------------------

for my $change ('credential_version = credential_version + 1',
    'disabled = true') {
    my $psql = $idp->open_psql;
    print $psql "BEGIN; UPDATE identprov.account SET $change"
        . " WHERE username = 'berta';\n";
    wait_for(20, 'the change', sub { $idp->sql(
        q(SELECT count(*) FROM pg_stat_activity
            WHERE state = 'idle in transaction')) });
    my $pid = open my $in, '-|';
    if (!$pid) {
        print login('berta')->{status};
        close STDOUT;
        POSIX::_exit(0);
    }
    wait_for(20, 'the login', sub { $idp->sql(
        q(SELECT count(*) FROM pg_stat_activity
            WHERE wait_event_type = 'Lock')) });
    my $before = $idp->sql('SELECT count(*) FROM identprov.session');
    print $psql "COMMIT;\n";
    close $psql;
    is(scalar <$in>, 401, "$change: a login that has begun before is none");
    is($idp->sql('SELECT count(*) FROM identprov.session'), $before,
        '... and leaves no session');
}
is(status_of($berta), 401, 'a disabled account has no live session');

# --- a storm of logins -------------------------------------------------------
# Of unknown users and empty passwords: were they refused without a hash, the
# queue would never be full.

$idp->start_identprov(2, THREADS => 3, HASH_QUEUE => 2, HASH_MEMORY => '32m',
    HASH_PASSES => 4);
$id = id_of(login('anna', at => '/2'));
my $storm = open my $in, '-|';
if (!$storm) {
    my @answers = $idp->at_once(24,
        sub { login("nobody$_[0]", at => '/2', password => '') });
    print join ' ', map { $_->{status} . (header($_, 'Retry-After') // '') }
        @answers;
    close STDOUT;
    POSIX::_exit(0);
}
my %seen;
for (1 .. 50) {
    $seen{ status_of($id, '/2') }++;
    sleep 0.01;
}
my %ends;
$ends{$_}++ for split / /, scalar <$in>;
is_deeply(\%seen, { 200 => 50 }, 'in a storm of logins others are served');
is(join(' ', sort keys %ends), '401 5031',
    '... while what the queue does not hold is told to come again');

$idp->stops_cleanly;
done_testing;
