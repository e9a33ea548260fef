# The revocation feed: what it says, to whom, and that it misses nothing.
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Idp qw(header json wait_for);
use Test::More;
use Time::HiRes qw(time);

my $PASSWORD = 'correct horse battery';
my $HASH = qr/[0-9a-f]{64}/;
my $idp = Idp->start(env => { STATEMENT_TIMEOUT => '2s' });

sub register {
    my ($name, $at) = @_;
    my $answer = $idp->post_json(($at // '') . '/register', {
            username => $name, password => $PASSWORD,
            email => "$name\@example.org", first_name => $name });
    die "register: $answer->{body}\n" if $answer->{status} != 201;
    return;
}

sub login {
    my ($name, %with) = @_;
    my $answer = $idp->post_json(($with{at} // '') . '/login',
        { username => $name, password => $PASSWORD },
        headers => $with{headers} // []);
    return header($answer, 'JSESSIONID') // die "login: $answer->{body}\n";
}

sub logout {
    my ($id, $at) = @_;
    return $idp->request('POST', ($at // '') . '/logout',
        headers => [ 'JSESSIONID', $id ])->{status};
}

sub ask {
    my ($id, $at) = @_;
    return $idp->request('GET', ($at // '') . '/authenticate',
        headers => [ 'JSESSIONID', $id ]);
}

sub get {
    my ($cursor, $at) = @_;
    my $query = defined $cursor ? "?since=$cursor" : '';
    return $idp->request('GET', ($at // '/in') . "/revocations$query");
}

# { kind, cursor, hashes } of an answer that is one, else its status.
sub poll {
    my $answer = get(@_);
    return { kind => $answer->{status} } if $answer->{status} != 200;
    my ($kind, $cursor, $hashes, $count) = $answer->{body} =~
        /\A(cursor|reset) ([\w.-]{1,8192})\n((?:$HASH\n)*)end (\d+)\n\z/
        or die "no feed: $answer->{body}\n";
    my @hashes = split /\n/, $hashes;
    die "wrong count: $answer->{body}\n" if @hashes != $count;
    return { kind => $kind, cursor => $cursor, hashes => \@hashes };
}

sub is_news {
    my ($poll, $ids, $what) = @_;
    is($poll->{kind}, 'cursor', $what);
    is_deeply([ sort @{ $poll->{hashes} // [] } ],
        [ sort map { sha256_hex($_) } @$ids ], '... ' . @$ids . ' revoked');
    return $poll->{cursor};
}

sub is_reset {
    my ($poll, $what) = @_;
    is($poll->{kind}, 'reset', $what);
    is_deeply($poll->{hashes}, [], '... without a hash');
    return $poll->{cursor};
}

# A cursor with another part: what nobody has handed out, but well made.
sub forged {
    my ($cursor, %part) = @_;
    my @names = qw(system timeline start snapshot);
    my @parts = split /\./, $cursor;
    pop @parts;
    my %have = (map({ $names[$_] => $parts[$_] } 0 .. 3), %part);
    my $text = join '.', map { $have{$_} } @names;
    return $text . '.' . substr sha256_hex($text), 0, 16;
}

sub snapshot_of {
    my ($cursor) = @_;
    return (split /\./, $cursor)[3] =~ tr/-_/:,/r;
}

register('anna');

# --- who is answered ---------------------------------------------------------

my ($hidden, $unknown) = map { $idp->request('GET', $_) }
    '/revocations?since=', '/unknown';
is($hidden->{status}, 404, 'nobody outside is answered');
is($hidden->{body} =~ s/"request_id":"\w+"//r,
    $unknown->{body} =~ s/"request_id":"\w+"//r,
    '... as if nothing were there');
my $answer = get();
is($answer->{status}, 200, 'the gateway is');
is(header($answer, 'Content-Type'), 'text/plain', '... in plain text');
is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
is($idp->request('POST', '/in/revocations')->{status}, 405, '... by GET');

# --- what it says ------------------------------------------------------------

my $cursor = is_reset(poll(), 'without a cursor');
like($cursor, qr/^\d+\.[0-9A-F]{8}\.\d+\.\d+-\d+-[\d_]*\.[0-9a-f]{16}$/,
    '... and there is one now');
my ($system, $timeline) = split /\./, $cursor;
is($system, $idp->sql('SELECT system_identifier FROM pg_control_system()'),
    '... with the system identifier');
is($timeline, '00000001', '... and timeline');

my @ids = map { login('anna') } 1 .. 3;
is(header(ask($ids[0]), 'Identgw-Epoch'), "$system.$timeline",
    'an authenticate answer has the epoch');
$cursor = is_news(poll($cursor), [], 'logins');
is(logout($ids[0]), 204, 'a logout');
my $before = $cursor;
$cursor = is_news(poll($before), [ $ids[0] ], '... is told');
is_news(poll($before), [ $ids[0] ], '... to each reader');
is_news(poll($cursor), [], '... once');
is(logout($ids[0]), 204, 'the same again');
is(logout('A' x 43), 204, '... and of a session that never was');
is(ask($ids[1])->{status}, 200, '... and an ask');
$cursor = is_news(poll($cursor), [], '... tell nothing');

my $new = login('anna',
    headers => [ 'JSESSIONID', $ids[1], 'Cookie', "JSESSIONID=$ids[2]" ]);
$cursor = is_news(poll($cursor), [ @ids[ 1, 2 ] ],
    'a login ends the sessions that come along');
$idp->start_identprov(1, SESSION_MAX => 2);
my ($second, $third) = map { login('anna', at => '/1') } 1, 2;
$cursor = is_news(poll($cursor), [$new], 'the oldest that gives way');

# --- commits out of order ----------------------------------------------------

sub psql_does {
    my ($psql, $sql) = @_;
    my $mark = 'done-' . int rand 1e9;
    print $psql "$sql;\nSET application_name = '$mark';\n";
    wait_for(120, $mark, sub { $idp->sql("SELECT count(*) FROM pg_stat_activity
            WHERE application_name = '$mark' AND state LIKE 'idle%'") });
    return;
}

my @slow = map { $idp->open_psql } 1, 2;
my @late = map { sprintf '%064x', $_ } 1, 2;
for my $i (0, 1) {
    psql_does($slow[$i], 'BEGIN; INSERT INTO identprov.revocation (hash)'
            . " VALUES ('\\x$late[$i]')");
}
is(logout($second), 204, 'while others are under way: a logout');
$cursor = is_news(poll($cursor), [$second], '... is told');
$cursor = is_news(poll($cursor), [], '... and nothing else');
psql_does($slow[1], 'COMMIT');
$answer = poll($cursor);
is_deeply($answer->{hashes}, [ $late[1] ],
    'the later of them commits: it is told');
psql_does($slow[0], 'COMMIT');
$answer = poll($answer->{cursor});
is_deeply($answer->{hashes}, [ $late[0] ], '... the earlier: told, too');
$cursor = is_news(poll($answer->{cursor}), [], '... once');
close $_ for @slow;

# --- cursors that are none ---------------------------------------------------

is_news(poll("$cursor&x=y"), [], 'a good one, with something else');
is_reset(poll(''), 'an empty cursor');
is_reset(poll("$cursor&since=$cursor"), '... two');
is_reset(poll($_), "... $_") for 'x', '....', '%00',
    '1.1.1.1-1-.0123456789abcdef';
like($idp->ask_internally(0, '/revocations', 'since=' . '-' x 9000)->{body},
    qr/\Areset /, '... one that is too long');
my $torn = 0;
for my $len (1 .. length($cursor) - 1) {
    $torn += poll(substr $cursor, 0, $len)->{kind} eq 'reset';
}
is($torn, length($cursor) - 1, '... torn at any place');
for my $part ([ system => $system + 1 ], [ timeline => '00000002' ],
    [ timeline => '00000000' ], [ start => 1 ], [ snapshot => 'x' ],
    [ snapshot => '5-4-' ], [ snapshot => '' ]) {
    is_reset(poll(forged($cursor, @$part)), "... another @$part");
}
is_news(poll(forged($cursor)), [], '... while one made the same way is good');
my ($xmin, $xmax) = snapshot_of($cursor) =~ /^(\d+):(\d+):/;
my $far = $xmax + 1000;
is_reset(poll(forged($cursor, snapshot => "$xmin-$far-")),
    '... from the future');
is_reset(poll(forged($cursor, snapshot => "$far-$far-")),
    '... wholly');
is_reset(poll(forged($cursor, snapshot => '3-3-')), '... from before the floor');

# --- how many ----------------------------------------------------------------

sub revoke_some {
    my ($count) = @_;
    $idp->sql('INSERT INTO identprov.revocation (hash)'
            . ' SELECT sha256(i::text::bytea)'
            . " FROM generate_series(1, $count) AS i");
    return;
}

$cursor = poll($cursor)->{cursor};
revoke_some(1000);
my $thousand = poll($cursor);
is($thousand->{kind}, 'cursor', 'of 1,000 rows');
is(scalar @{ $thousand->{hashes} }, 1000, '... all are told');
revoke_some(1);
is_reset(poll($cursor), '1,001 are too many');
$cursor = is_news(poll($thousand->{cursor}), [1], '... for who knows 1,000 not');

# --- the floor ---------------------------------------------------------------

my $count = 'SELECT count(*) FROM identprov.revocation';
my $psql = $idp->open_psql;
psql_does($psql, 'BEGIN; INSERT INTO identprov.revocation (hash)'
        . " VALUES ('\\x$late[0]')");
revoke_some(2500);
my $old = poll()->{cursor};
$idp->end_part('TERM', 'identprov-1');
$idp->start_identprov(1, PRUNE_INTERVAL => '300ms');
ok(wait_for(120, 'the end of the rows', sub { $idp->sql($count) == 0 }),
    'old rows are removed');
is_reset(poll($old), '... who has not polled since forgets everything');
$cursor = poll()->{cursor};
my $floor = 'SELECT floor FROM identprov.revocation_floor';
my $was = $idp->sql($floor);
wait_for(120, 'another floor', sub { $idp->sql($floor) ne $was });
$cursor = poll($cursor)->{cursor};
psql_does($psql, 'COMMIT');
$answer = poll($cursor);
ok($answer->{kind} eq 'reset' || "@{ $answer->{hashes} }" eq $late[0],
    "a transaction older than the floor commits: it is told ($answer->{kind})");
close $psql;
ok(wait_for(120, 'the end of that row', sub { $idp->sql($count) == 0 }),
    '... and removed in its time');
$idp->end_part('TERM', 'identprov-1');

# --- crashes -----------------------------------------------------------------
# Transactions that were aborted leave no trace on the disk: after a crash
# their ids are handed out again.

sub use_up_ids {
    $idp->sql(join ' ', ('BEGIN; SELECT pg_current_xact_id(); ROLLBACK;') x 20);
    return;
}

# The process that writes to the disk what nobody waits for is stopped first.
sub stop_writer {
    my $pid = $idp->sql(q(SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'walwriter'));
    kill 'STOP', $pid;
    return $pid;
}

sub crash_all {
    my ($writer) = @_;
    $idp->end_part('KILL', 'postgres');
    kill 'KILL', $writer if $writer;
    $idp->start_postgres;
    return;
}

# One killed process makes the others start afresh under the same postmaster.
sub crash_one {
    my ($writer) = @_;
    kill 'KILL', $writer;
    wait_for(60, 'the recovery', sub {
        eval { $idp->sql(qq(SELECT count(*) FROM pg_stat_activity
            WHERE backend_type = 'walwriter' AND pid <> $writer)) } });
    return;
}

sub next_id { return $idp->sql('SELECT pg_current_xact_id()') }

for my $crash ([ 'all of PostgreSQL', \&crash_all ],
    [ 'one of its processes', \&crash_one ]) {
    my ($what, $do) = @$crash;
    my $writer = stop_writer();
    use_up_ids();
    my ($unsafe) = $idp->sql('SELECT pg_current_snapshot()') =~ /:(\d+):/;
    $do->($writer);
    cmp_ok(next_id(), '<', $unsafe,
        "kill -9 of $what: ids below a snapshot come again");

    my $id = login('anna');
    $writer = stop_writer();
    use_up_ids();
    $cursor = poll()->{cursor};
    my ($safe) = snapshot_of($cursor) =~ /:(\d+):/;
    $do->($writer);
    cmp_ok(next_id(), '>=', $safe, '... but below a cursor never');
    is(logout($id), 204, '... a logout after it');
    use_up_ids() for 1 .. 3;
    $answer = poll($cursor);
    ok($answer->{kind} eq 'reset'
            || grep({ $_ eq sha256_hex($id) } @{ $answer->{hashes} }),
        "... is told ($answer->{kind})");
}

my $id = login('anna');
$cursor = poll()->{cursor};
is(logout($id), 204, 'a logout, then kill -9');
crash_all();
ok(wait_for(60, 'an answer', sub { ask($id)->{status} != 503 }),
    '... PostgreSQL is back');
is(ask($id)->{status}, 401, '... it holds');
$answer = poll($cursor);
ok($answer->{kind} eq 'reset'
        || grep({ $_ eq sha256_hex($id) } @{ $answer->{hashes} }),
    '... and is told');

# --- a backup comes back -----------------------------------------------------

my $data = $idp->room . '/pg/data';
$id = login('anna');
$idp->end_part('INT', 'postgres');
is(system('cp', '-a', $data, "$data.backup"), 0, 'a copy of the database');
$idp->start_postgres;
$cursor = poll()->{cursor};
is(logout($id), 204, '... then a logout');
$cursor = is_news(poll($cursor), [$id], '... that is told');
$idp->end_part('INT', 'postgres');
rename $data, "$data.lost" or die "$data: $!\n";
rename "$data.backup", $data or die "$data: $!\n";
$idp->start_postgres;
is(ask($id)->{status}, 200, 'the copy comes back, and the session with it');
is_reset(poll($cursor), '... a cursor from before is none');
use_up_ids() for 1 .. 5;
is(logout($id), 204, '... when ids have been used again: a logout');
is_reset(poll($cursor), '... it is none, still');

# --- a database that does not commit -----------------------------------------

$id = login('anna');
$idp->sql(<<'END');
INSERT INTO identprov.session (hash, account_id, created_at, last_used_at,
    expires_at)
SELECT sha256(('stuck-' || i || '-' || j)::bytea), id, now(), now(),
    now() + interval '1 hour'
FROM identprov.account, generate_series(1, 3) AS i, generate_series(0, 11) AS j
WHERE username = 'anna'
END
$cursor = poll()->{cursor};
$idp->start_identprov(1, SYNC_HEARTBEAT => '1s', STATEMENT_TIMEOUT => '500ms');
ok(wait_for(120, 'the heartbeat', sub { ask($id, '/1')->{status} == 200 }),
    'with a heartbeat asks are answered');
$idp->sql($_) for q(ALTER SYSTEM SET synchronous_standby_names = 'nobody'),
    'SELECT pg_reload_conf()';
wait_for(120, 'the setting', sub { $idp->sql(
    'SHOW synchronous_standby_names') eq 'nobody' });
ok(wait_for(120, 'the end of it', sub { ask($id, '/1')->{status} == 503 }),
    'the standby is gone: not without a heartbeat');
is(header(ask($id, '/1'), 'X-User'), undef, '... and nobody is named');
is(json($idp->ask_internally(1, '/readyz', ''))->{code}, 'no_commit',
    '... which is why it is not ready');
is(ask($id)->{status}, 200, '... who wants none is answered');
is(poll($cursor)->{kind}, 503, '... nothing is said by the feed');
my @polls = $idp->at_once(12, sub { return $idp->ask_internally(1,
                '/revocations', '') });
is(join(' ', map { $_->{status} } @polls), join(' ', (503) x 12),
    '... to nobody, of many');
for my $round (1 .. 3) {
    $idp->at_once(12, sub { return $idp->request('POST', '/1/logout',
                headers => [ 'JSESSIONID', "stuck-$round-$_[0]" ]) });
}
my @seconds = map { my $begin = time; ask($id); time - $begin } 1 .. 5;
cmp_ok((sort { $a <=> $b } @seconds)[2], '<', 2, '... while asks are answered');
my $stuck = q(SELECT count(*) FROM pg_stat_activity
    WHERE wait_event = 'SyncRep' AND application_name = 'identprov');
ok(wait_for(120, 'the end of those that wait', sub { ask($id, '/1');
            $idp->sql($stuck) <= 16 }),
    '... and few connections wait for the standby');
is(logout($id), 503, '... a logout is not acknowledged');
$idp->sql($_) for 'ALTER SYSTEM RESET synchronous_standby_names',
    'SELECT pg_reload_conf()';
ok(wait_for(120, 'the feed', sub { poll($cursor)->{kind} eq 'cursor' }),
    'the standby is back: the feed');
is(logout($id), 204, '... logouts');
ok(wait_for(120, 'the heartbeat', sub { ask($id, '/1')->{status} == 401 }),
    '... and asks');
is_deeply([ grep { $_ eq sha256_hex($id) } @{ poll($cursor)->{hashes} } ],
    [ sha256_hex($id) ], '... it is told');
$idp->end_part('TERM', 'identprov-1');

# --- fail-over ---------------------------------------------------------------

$id = login('anna');
my $standby = $idp->add_standby;
my %there = (DATABASE => "host=$standby dbname=identprov user=postgres");
$idp->launch_identprov(1, %there,
    DATABASE => "$there{DATABASE} target_session_attrs=any");
$idp->await_identprov(1);
is(get(undef, '/1')->{status}, 404, 'on a standby nobody outside is answered');
is($idp->ask_internally(1, '/revocations', '')->{status}, 503,
    '... the gateway neither');
$idp->end_part('TERM', 'identprov-1');

$cursor = poll()->{cursor};
is(logout($id), 204, 'a logout on the primary');
$idp->catch_up;
$idp->promote;
$idp->start_identprov(1, %there);
my $promoted = $idp->ask_internally(1, '/revocations', "since=$cursor");
like($promoted->{body}, qr/\Areset $system\.00000002\.\S+\nend 0\n\z/,
    'the standby is promoted: another epoch, and a reset');
is(ask($id, '/1')->{status}, 401, '... the logout holds there');
is(header(ask(login('anna', at => '/1'), '/1'), 'Identgw-Epoch'),
    "$system.00000002", '... authenticate answers have the new epoch');
is(header(ask(login('anna')), 'Identgw-Epoch'), "$system.00000001",
    '... those of the living old primary the old one');

$idp->stops_cleanly;
done_testing;
