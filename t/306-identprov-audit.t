# What is written down of what happens, and how it is read.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use FastCGI;
use Idp qw(header json wait_for);
use JSON::PP;
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $PASSWORD = 'yellow horse battery';
my $idp = Idp->start;

sub post {
    my ($path, $fields, %with) = @_;
    return $idp->post_json($path, $fields, headers => $with{headers} // []);
}

sub register {
    my ($name) = @_;
    return post('/register', { username => $name, password => $PASSWORD,
            email => "canary.$name\@example.org", first_name => 'Eve' });
}

sub login {
    my ($name, $password) = @_;
    return post('/login',
        { username => $name, password => $password // $PASSWORD });
}

# What the command prints, as rows of fields.
sub audit {
    my ($status, $out, $errors) = $idp->run([ 'audit', @_ ]);
    is($status, 0, "audit @_") or diag($errors);
    utf8::decode($out);
    return map { [ split / /, $_, 8 ] } split /\n/, $out;
}

sub events { return join ' ', map { $_->[1] } @_ }

# --- what is written -----------------------------------------------------------

my $id = json(register('Иван'))->{id};
my $answer = login('иван');
my $session = header($answer, 'JSESSIONID');
login('Иван', 'canary of a wrong one');
login('Canary', 'x');
$idp->sql(q(UPDATE identprov.account SET disabled = true));
login('Иван');
$idp->sql(q(UPDATE identprov.account SET disabled = false));
is(register('ИВАН')->{status}, 409, 'a registration that fails');

my @rows = audit();
like(join(' ', @{ shift @rows }[ 1 .. 7 ]),
    qr/^key_created - - - - - serve, [\w-]{43}$/, 'the first key is there');
is(events(@rows), 'registered login login_failed login_failed login_failed',
    'each event is there, and what did not happen is not');
like($_->[0], qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, '... with a time')
    for @rows;
is(join(' ', map { $_->[2] } @rows), 'Иван Иван Иван - Иван',
    '... the user, if there is one');
is(join(' ', map { $_->[3] } @rows), "$id $id $id - $id", '... the account');
is(join(' ', map { $_->[4] } @rows),
    '- ' . substr(sha256_hex($session), 0, 16) . ' - - -', '... the session');
like($_->[5], qr/^[0-9a-f]{32}$/, '... the request') for @rows;
is(join(' ', map { $_->[6] } @rows), join(' ', ('127.0.0.1') x 5),
    '... the address');
is(join(' ', map { $_->[7] } @rows),
    '- - wrong_password unknown_user disabled', '... and why');
my $dump = $idp->sql('SELECT e::text FROM identprov.audit AS e');
unlike($dump, qr/canary|yellow|\Q$session\E/i,
    'no password, no session, no address of mail, no name that was typed');
like($idp->log(0), qr/"request_id":"$rows[2][5]"[^\n]*"wrong_password"/,
    'the log of the program has the same request');

# --- how it is read -------------------------------------------------------------

register('berta');
login('berta', 'wrong') for 1 .. 3;
is(events(audit('--user', 'BERTA')),
    'registered login_failed login_failed login_failed', 'by user');
is(events(audit('--account', $id)),
    'registered login login_failed login_failed', 'by account');
is(events(audit('--event', 'login')), 'login', 'by event');
is(events(audit('--event=login_failed', '--user=иван')),
    'login_failed login_failed', 'by both');
is(events(audit('--limit', 2)), 'login_failed login_failed', 'the newest');
is((audit('--limit', 1))[0][2], 'berta', '... of all');
my $middle = $rows[2][0];
is(events(audit('--until', $middle)), 'key_created registered login', 'until a time');
is(events(audit('--since', $middle, '--user', 'иван')),
    'login_failed login_failed', 'since a time');
is(events(audit('--since', 'tomorrow')), '', 'words of PostgreSQL are times');
$idp->sql("DELETE FROM identprov.account WHERE id = '$id'");
is(join(' ', map { "$_->[1] $_->[2]" } audit('--account', $id)),
    'registered - login - login_failed - login_failed -',
    'an account that is gone leaves its entries, without a name');

for my $wrong ([ '--since', 'never' ], [ '--account', 'x' ],
    [ '--user', 'nobody' ], [ '--user', "\xff" ],
    [ '--user', 'иван', '--account', $id ]) {
    my ($status, $out, $errors) = $idp->run([ 'audit', @$wrong ]);
    is("$status$out", 1, "audit @$wrong fails");
    like($errors, qr/^identprov: audit: .*\n\z/, '... and says why');
    like($errors, qr/no such user/, '... who is not there')
        if $wrong->[0] eq '--user' && $wrong->[1] !~ /\xff/;
}
for my $wrong ([ '--event', 'nothing' ], [ '--limit', 0 ], [ '--limit', 'x' ],
    [ '--limit', 100001 ], ['more']) {
    is(($idp->run([ 'audit', @$wrong ]))[0], 2, "audit @$wrong is no usage");
}

# --- everything that happens to an account ------------------------------------------

my $dora = json(register('dora'))->{id};
my @ids = map { header(login('dora'), 'JSESSIONID') } 1 .. 4;
my @done = ('registered - -',
    map { 'login ' . substr(sha256_hex($_), 0, 16) . ' -' } @ids);

# One request with a session, and what the log has of it: event, session, detail.
sub happens {
    my ($method, $path, $fields, $status, $entry) = @_;
    my $got = $idp->send_json($method, $path, $fields // '',
        headers => [ 'JSESSIONID', $ids[0] ]);
    is($got->{status}, $status, "$method $path") or diag($got->{body});
    push @done, $entry;
    return;
}
sub sid { return substr sha256_hex($ids[ $_[0] ]), 0, 16 }

my $new = 'purple horse battery';
happens(DELETE => '/sessions/' . sid(1), undef, 204,
    'session_revoked ' . sid(1) . ' -');
happens(DELETE => '/sessions', undef, 204, 'sessions_revoked - -');
happens(PATCH => '/account', { first_name => 'Canary' }, 200,
    'account_changed - -');
happens(POST => '/password', { current => 'canary', new => $new }, 422,
    'password_failed - wrong_password');
happens(POST => '/password', { current => $PASSWORD, new => $new }, 204,
    'password_changed - -');
happens(POST => '/logout', undef, 204, 'logout ' . sid(0) . ' -');
is(login('dora', 'canary')->{status}, 401, 'a guess') for 1 .. 5;
is(login('dora', 'canary')->{status}, 429, '... too many');
push @done, ('login_failed - wrong_password') x 4,
    'login_failed - wrong_password, throttled for 1 s';
$idp->sql('TRUNCATE identprov.throttle');
$ids[0] = header(login('dora', $new), 'JSESSIONID');
push @done, 'login ' . sid(0) . ' -';
happens(DELETE => '/account', { password => 'canary' }, 422,
    'password_failed - wrong_password');
happens(DELETE => '/account', { password => $new }, 204, 'account_deleted - -');
@rows = audit('--account', $dora);
is_deeply([ map { join ' ', @{$_}[ 1, 4, 7 ] } @rows ], \@done,
    'all of it is there, and nothing else');
is(scalar(grep { $_->[5] !~ /^[0-9a-f]{32}$/ || $_->[6] ne '127.0.0.1' } @rows),
    0, '... each with its request and address');
my %requests = map { $_->[5] => 1 } @rows;
is(scalar keys %requests, scalar @rows, '... no two of one request');

my ($status, $out) = $idp->run([ qw(user add --username emil --first-name E
        --email canary@example.org) ], stdin => "$PASSWORD\n");
my ($emil) = $out =~ /^(\S+)/;
@done = ('registered');
for my $command ([ 'verify-email', 'account_changed' ],
    [ 'group', 'account_changed', '--add', 'x' ],
    [ 'group', 'account_changed', '--remove', 'x' ],
    [ 'logout', 'sessions_revoked' ], [ 'disable', 'account_disabled' ],
    [ 'enable', 'account_enabled' ], [ 'set-password', 'password_changed' ],
    [ 'delete', 'account_deleted' ]) {
    my ($name, $event, @more) = @$command;
    ($status) = $idp->run([ 'user', $name, 'emil', @more ],
        stdin => "$new\n");
    is($status, 0, "user $name");
    push @done, $event;
}
is_deeply([ map { join ' ', @{$_}[ 1, 4 .. 7 ] } audit('--account', $emil) ],
    [ map { "$_ - - - command line" } @done ],
    'what the command line does is there, too');
($status) = $idp->run([ qw(session revoke --all) ]);
is((audit('--limit', 1))[0][7], 'command line, all',
    '... also the end of all sessions');
$idp->run([qw(user import)], stdin => '{"username":"fritz","email":"f@example.org",'
        . '"first_name":"F","password_hash":"$2y$05$' . 'a' x 53 . '"}');
is(join(' ', @{ (audit('--user', 'fritz'))[0] }[ 1, 7 ]),
    'registered import', '... and imported accounts');
unlike($idp->sql('SELECT e::text FROM identprov.audit AS e'),
    qr/canary|yellow|purple/i, 'no password in all of it, and no name');

# --- nothing in an entry comes from the client as it is ---------------------------

my $body = '{"username":"x","password":"y"}';
for my $address ("192.0.2.1 login admin", "\xff\xfe", 'x' x 1000, '') {
    $answer = FastCGI::ask($idp->room . '/identprov-0.sock',
        [ REQUEST_METHOD => 'POST', SCRIPT_NAME => '', PATH_INFO => '/login',
            CONTENT_TYPE => 'application/json',
            CONTENT_LENGTH => length $body, REMOTE_ADDR => $address,
            REQUEST_ID => "a b\"c" ], $body);
    isnt($answer->{status}, 500, 'an odd address is none of our faults')
        or diag($answer->{body});
}
@rows = audit('--limit', 10);
is(scalar(grep { @$_ != 8 || $_->[6] !~ /^[!-~]{1,64}$/ } @rows), 0,
    '... each entry is one line of eight fields');

# --- an answer and its entry are one ----------------------------------------------

$idp->sql('ALTER TABLE identprov.audit ADD CONSTRAINT closed CHECK (false) NOT VALID');
$idp->sql('TRUNCATE identprov.throttle');
my $count = 'SELECT (SELECT count(*) FROM identprov.account),'
    . ' (SELECT count(*) FROM identprov.session)';
my $before = $idp->sql($count);
for my $try ([ 'register', register('carl') ], [ 'login', login('berta') ],
    [ 'a failing login', login('berta', 'wrong') ]) {
    my ($what, $got) = @$try;
    cmp_ok($got->{status}, '>=', 500, "$what that cannot be written down fails");
    is(header($got, 'Set-Cookie'), undef, '... without a session');
}
is($idp->sql($count), $before, '... and changes nothing');
$idp->sql('ALTER TABLE identprov.audit DROP CONSTRAINT closed');
is(login('berta')->{status}, 200, '... and all is well again');

$idp->stops_cleanly;
done_testing;
