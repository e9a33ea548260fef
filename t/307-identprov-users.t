# The command line of accounts and sessions: what it does, and that gateways are
# told; logins that race it.
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256 sha256_hex);
use Idp qw(header json wait_for);
use JSON::PP;
use LoginRaces;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $PASSWORD = 'correct horse battery';
my $OTHER = 'staple of another kind';
my $idp = Idp->start(env => { STATEMENT_TIMEOUT => '30s' });

sub register {
    my ($name) = @_;
    my $answer = $idp->post_json('/register', { username => $name,
            password => $PASSWORD, email => "$name\@example.org",
            first_name => ucfirst $name });
    die "register: $answer->{body}\n" if $answer->{status} != 201;
    return json($answer)->{id};
}

sub login {
    my ($name, $password) = @_;
    return $idp->post_json('/login',
        { username => $name, password => $password // $PASSWORD });
}

sub id_of { return header($_[0], 'JSESSIONID') // die "no session\n" }

sub ask {
    return $idp->request('GET', '/in/authenticate',
        headers => [ 'JSESSIONID', $_[0] ]);
}

sub user { return $idp->run([ 'user', @_ ]) }

sub does {
    my ($arguments, $output, $what, %with) = @_;
    my ($status, $out, $errors) = $idp->run($arguments, %with);
    is($status, 0, $what) or diag($errors);
    is($out, $output, '... prints that') if defined $output;
    return $out;
}

sub fails {
    my ($arguments, $status, $error, $what, %with) = @_;
    my @got = $idp->run($arguments, %with);
    is($got[0], $status, $what);
    like($got[2], $error, '... says why');
    return $got[1];
}

my $cursor = '';

sub told {
    my ($kind, $next, @hashes) = split /\s+/, $idp->request('GET',
        "/in/revocations?since=$cursor")->{body};
    $cursor = $next;
    return $kind eq 'reset' ? $kind
        : join ' ', sort @hashes[ 0 .. $#hashes - 2 ];
}

sub is_told {
    my ($ids, $what) = @_;
    is(told(), join(' ', sort map { sha256_hex($_) } @$ids), $what);
    return;
}

my $anna_id = register('anna');
register('berta');
my @ids = map { id_of(login('anna')) } 1, 2;
my $berta = id_of(login('berta'));
told();

# --- wrong usage -------------------------------------------------------------

for my $command (qw(show disable enable logout set-password verify-email group
    delete)) {
    fails([ 'user', $command ], 2, qr/NAME is missing/, "user $command alone");
    fails([ 'user', $command, 'anna', 'x' ], 2, qr/unknown argument "x"/,
        '... with too much');
    fails([ 'user', $command, 'nobody' ], 1, qr/no user "nobody"/,
        '... of nobody');
}
fails([ 'session', 'revoke' ], 2, qr/--all/, 'session revoke needs --all');
fails([ 'user', 'show', "\xff" ], 1, qr/UTF-8|no user/, 'no UTF-8');
is(told(), '', '... nothing is told');

# --- show and list -----------------------------------------------------------

my $account = JSON::PP->new->decode(does([qw(user show ANNA)], undef,
    'an account is found in any case'));
is($account->{id}, $anna_id, '... and shown');
is_deeply([ sort keys %$account ], [ qw(created_at disabled email
    email_verified first_name groups id last_name sessions username) ],
    '... with its members');
is(scalar @{ $account->{sessions} }, 2, '... and its sessions');
my @names = map { JSON::PP->new->decode($_)->{username} }
    split /\n/, does([qw(user list)], undef, 'all accounts are listed');
is("@names", 'anna berta', '... in order');

# --- what changes an answer --------------------------------------------------

does([qw(user verify-email anna)], '', 'an address is verified');
is_told(\@ids, '... gateways are told');
is(JSON::PP->new->decode(does([qw(user show anna)], undef, '...'))
        ->{email_verified}, JSON::PP::true, '... it is');
does([qw(user group anna --add staff)], "staff\n", 'a group');
is_told(\@ids, '... gateways are told');
is(header(ask($ids[0]), 'X-Groups'), 'staff', '... it is answered');
does([qw(user group anna --add admin --remove staff)], "admin\n",
    'another one');
does([qw(user group anna --add admin)], "admin\n", '... once');
does([qw(user group anna)], "admin\n", 'nothing is changed');
fails([ qw(user group anna --add), $_ ], 1, qr/a group has/, "no group: $_")
    for 'a,b', 'a b', '', "\xd1\x91", 'x' x 65;
does([ qw(user group berta --add), "group-$_" ], undef, "group $_")
    for 1 .. 32;
fails([qw(user group berta --add one-more)], 1, qr/32 at most/, '... is one'
        . ' too many');
is(ask($berta)->{status}, 200, '... of which there is a token');
does([qw(user group anna --remove admin)], "\n", 'none is left');
told();

does([qw(user logout anna)], '', 'an account is logged out');
is_told(\@ids, '... gateways are told');
is(ask($_)->{status}, 401, '... a session is over') for @ids;
is(ask($berta)->{status}, 200, '... others are not');

@ids = map { id_of(login('anna')) } 1, 2;
does([qw(user disable anna)], '', 'an account is disabled');
is_told(\@ids, '... gateways are told');
is(ask($ids[0])->{status}, 401, '... its sessions are over');
is(login('anna')->{status}, 401, '... nobody signs in');
does([qw(user enable anna)], '', 'it is enabled');
is(ask($ids[0])->{status}, 401, '... its sessions stay over');
@ids = map { id_of(login('anna')) } 1, 2;
told();

fails([qw(user set-password anna)], 1, qr/password/, 'too short a password',
    stdin => "short\n");
fails([qw(user set-password anna)], 1, qr/password/, '... none', stdin => '');
is(ask($ids[0])->{status}, 200, '... changes nothing');
does([qw(user set-password anna)], '', 'another password',
    stdin => "$OTHER\n");
is_told(\@ids, '... gateways are told');
is(login('anna')->{status}, 401, '... the old one is none');
my $id = id_of(login('anna', $OTHER));

does([qw(session revoke --all)], "2 sessions have ended\n",
    'every session is ended');
is(ask($_)->{status}, 401, '... one is over') for $id, $berta;

$id = id_of(login('anna', $OTHER));
told();
does([qw(user delete anna)], '', 'an account is deleted');
is_told([$id], '... gateways are told');
is(ask($id)->{status}, 401, '... its session is over');
fails([qw(user show anna)], 1, qr/no user "anna"/, '... it is gone');
fails([ qw(user add --username anna --email a@example.org --first-name A) ], 1,
    qr/taken/, '... and its name', stdin => "$PASSWORD\n");
like($idp->sql("SELECT string_agg(event, ' ' ORDER BY number)
    FROM identprov.audit WHERE account_id = '$anna_id'
    AND detail = 'command line'"), qr/account_disabled \S+ \S+ account_deleted$/, 'all of it is in the audit log');

# --- check -------------------------------------------------------------------

like(does(['check'], undef, 'check'), qr/^commits: ok, epoch \d+\.00000001\nsigning/m,
    '... finds nothing');
fails(['check'], 1, qr/database/, '... no database',
    env => { DATABASE => 'host=/nowhere dbname=x' });
fails(['check'], 1, qr/passphrase/i, '... no passphrase',
    env => { KEY_PASSPHRASE_FILE => '/nowhere' });

# --- import ------------------------------------------------------------------

sub line {
    my ($name, $hash, %more) = @_;
    return JSON::PP->new->encode({ username => $name,
            email => "$name\@example.org", first_name => 'I',
            password_hash => $hash, %more }) . "\n";
}

sub ab64 { return encode_base64($_[0], '') =~ tr/+/./r =~ s/=+$//r }

# RFC 8018 by Perl's own means: independent of what is tested.
sub pbkdf2 {
    my ($hmac, $password, $salt, $rounds) = @_;
    my $u = $hmac->($salt . pack('N', 1), $password);
    my $out = $u;
    for (2 .. $rounds) {
        $u = $hmac->($u, $password);
        $out ^= $u;
    }
    return $out;
}

my ($derived, $sha1, $sha512) = map { pbkdf2($_, $PASSWORD, 'saltsaltsalt', 1000) }
    \&Digest::SHA::hmac_sha256, \&Digest::SHA::hmac_sha1, \&Digest::SHA::hmac_sha512;
my %hash = (
    # htpasswd -nbBC 5, with the same password
    bcrypt => '$2y$05$'
        . 'XmzrdiEKZieB79oRPj37m.vOv3.p0LSKqAosB/yjmrNwoMS6K8R/e',
    bcrypta => crypt($PASSWORD, '$2a$04$' . 'abcdefghijklmnopqrstuu'),
    bcryptb => crypt($PASSWORD, '$2b$04$' . 'abcdefghijklmnopqrstuu'),
    passlib => '$pbkdf2-sha256$1000$' . ab64('saltsaltsalt') . '$'
        . ab64($derived),
    passlib1 => '$pbkdf2$1000$' . ab64('saltsaltsalt') . '$' . ab64($sha1),
    passlib512 => '$pbkdf2-sha512$1000$' . ab64('saltsaltsalt') . '$'
        . ab64($sha512),
    django => 'pbkdf2_sha256$1000$saltsaltsalt$' . encode_base64($derived, ''),
    django1 => 'pbkdf2_sha1$1000$saltsaltsalt$' . encode_base64($sha1, ''),
    django512 => 'pbkdf2_sha512$1000$saltsaltsalt$'
        . encode_base64($sha512, ''),
    # argon2 -id -t 2 -k 64 -p 4 -e, with the same password
    lanes => '$argon2id$v=19$m=64,t=2,p=4$'
        . 'c2FsdHNhbHRzYWx0$GeyTAMOZFUemO5Tf4pJcVm069dIc+1N91UuQjx4257Q',
    own => '$argon2id$v=19$m=128,t=3,p=1$'
        . 'c2FsdHNhbHRzYWx0$VS99m11oQMpJmJmd6GPuMo79Ea63gsM8bPGP+gWNhig');
my @new = sort keys %hash;
does([qw(user import)], scalar(@new) . " accounts added, 0 refused\n",
    'accounts of other programs', stdin => join '', "\n",
    map { line($_, $hash{$_}) } @new);
for my $name (@new) {
    is(login($name, $OTHER)->{status}, 401, "$name: a wrong password");
    is(login($name)->{status}, 200, '... the right one');
    like($idp->sql("SELECT password_hash FROM identprov.account
        WHERE username = '$name'"), qr/^\$argon2id\$v=19\$m=64,t=1,p=1\$/,
        '... is hashed anew');
    is(login($name)->{status}, 200, '... and is the same');
}

# bcrypt reads 72 bytes: what is behind them may be a typing error.
my $beginning = 'correct horse ' x 5 . 'ba';
my $bcrypt = crypt("${beginning}ttery", '$2b$04$' . 'abcdefghijklmnopqrstuu');
does([qw(user import)], "1 accounts added, 0 refused\n", 'a long password',
    stdin => line('long', $bcrypt));
is(login('long', $_->[0])->{status}, $_->[1], $_->[2]) for
    [ "${beginning}trety", 200, '... its end is not known' ],
    [ "${beginning}ttery", 200, '... and not replaced by a wrong one' ],
    [ $beginning . 'x' x 500, 200, '... however long' ],
    [ 'x' . $beginning, 401, '... its beginning is' ],
    [ 'x' x 600, 401, '... however long' ];
is($idp->sql("SELECT password_hash FROM identprov.account
    WHERE username = 'long'"), $bcrypt, '... the hash stays as it was');

does([qw(user import)], "1 accounts added, 0 refused\n", 'all members',
    stdin => line('full', $hash{passlib}, last_name => 'L',
        email_verified => JSON::PP::true, disabled => JSON::PP::true,
        groups => [ 'a', 'b' ]));
$account = JSON::PP->new->decode(does([qw(user show full)], undef, '...'));
is_deeply([ @{$account}{qw(last_name email_verified disabled groups)} ],
    [ 'L', JSON::PP::true, JSON::PP::true, [ 'a', 'b' ] ], '... are taken');
my @bad = (
    [ line('full', $hash{own}, email => 'f@example.org'), 'username is taken' ],
    [ line('x1', $hash{own}, email => 'full@example.org',
            email_verified => JSON::PP::true), 'email is taken' ],
    [ line('x2', $hash{own}, x => 1), 'x is not known' ],
    [ line('x3', $hash{own}, disabled => 'no'), 'disabled must be' ],
    [ line('x4', $hash{own}, groups => 'a'), 'groups must be' ],
    [ line('x5', $hash{own}, groups => ['a b']), 'account_groups_check' ],
    [ line('x 6', $hash{own}, email => 'x6@example.org'), 'username' ],
    [ line('x7', $hash{own}, email => 1), 'email must be a string' ],
    [ "{\n", 'JSON' ], [ "[]\n", 'object' ], [ "{}\n", 'must all be there' ],
    map { [ line('y', $_), 'password_hash is none' ] } '', 'plain', '$1$x$y',
    '$2y$17$' . 'a' x 53, '$2y$05$' . 'a' x 52, '$2y$05$' . '!' x 53,
    '$pbkdf2-sha256$0$c2FsdA$' . ab64($derived),
    '$pbkdf2-sha256$10000001$c2FsdA$' . ab64($derived),
    '$pbkdf2-sha256$1000$c2FsdA$' . ab64(substr $derived, 1),
    '$pbkdf2-md5$1000$c2FsdA$' . ab64($derived),
    'pbkdf2_sha256$1000$' . 's' x 129 . '$' . encode_base64($derived, ''),
    '$argon2id$v=19$m=1048577,t=1,p=1$c2FsdHNhbHQ$' . ab64($derived),
    '$argon2id$v=19$m=1048576,t=5,p=1$c2FsdHNhbHQ$' . ab64($derived),
    '$argon2id$v=19$m=64,t=1,p=17$c2FsdHNhbHQ$' . ab64($derived),
    '$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$' . ab64($derived));
my ($status, $out, $errors) = $idp->run([qw(user import)],
    stdin => join '', map { $_->[0] } @bad, [ line('z', $hash{passlib}) ]);
is($status, 1, 'lines that are wrong');
is($out, '1 accounts added, ' . @bad . " refused\n", '... stop no others');
my @errors = split /\n/, $errors;
like($errors[$_], qr/^identprov: line @{[ $_ + 1 ]}: .*\Q$bad[$_][1]\E/,
    "... line @{[ $_ + 1 ]}: $bad[$_][1]") for 0 .. $#bad;

# --- logins against changes: make test-races has 1,000 ----------------------------

LoginRaces::against_password($idp, 100);
LoginRaces::against_disabling($idp, 15);

$idp->stops_cleanly;
done_testing;
