# What the command line does, and what a start says that cannot be.
use strict;
use warnings;
use lib 't/lib';
use Idp qw(header json wait_for);
use JSON::PP;
use Test::More;

my $idp = Idp->new(unmigrated => 1);
my $room = $idp->room;
my @serve = ('serve', '--listen', "unix:$room/none.sock");

# A command that fails with one line of standard error, or so many.
sub fails_with {
    my ($arguments, $env, $pattern, $what, $lines) = @_;
    my ($status, $out, $errors) = $idp->run($arguments, env => $env,
        stdin => "correct horse\n");
    is($status, 1, $what);
    is($out, '', '... prints nothing');
    is($errors =~ tr/\n//, $lines // 1, '... few lines') or diag($errors);
    like($errors, $pattern, '... that says why');
    unlike($errors, qr/correct|passphrase of the/, '... and tells no secret');
    return;
}

# --- schema ------------------------------------------------------------------

fails_with(\@serve, {}, qr/its command `migrate`/, 'serve without a schema');
fails_with(\@serve, { DATABASE => "host=$room/nowhere" },
    qr/database_unavailable/, 'serve without a database', 2);
my ($status, $out, $errors) = $idp->run(['migrate']);
is($status, 0, 'migrate') or diag($errors);
like($out, qr/0001-accounts/, '... says what it applied');
($status, $out) = $idp->run(['migrate']);
is("$status$out" =~ /0001/ ? 1 : 0, 0, 'migrate again: nothing to do');
fails_with(['migrate'], { DATABASE => "host=$room/nowhere" },
    qr/identprov: migrate: /, 'migrate without a database');

# --- the passphrase ----------------------------------------------------------

my %files = (
    short => [ 'x' x 15, 0600 ], open => [ 'x' x 40, 0644 ],
    writable => [ 'x' x 40, 0620 ], long => [ 'x' x 1025, 0600 ],
    lines => [ "x\ny" x 16, 0600 ], empty => [ '', 0600 ]);
$idp->make_passphrase("$room/$_", @{ $files{$_} }) for keys %files;
mkdir "$room/directory";
for my $file (sort(keys %files), 'directory', 'missing') {
    fails_with(\@serve, { KEY_PASSPHRASE_FILE => "$room/$file" },
        qr{\Q$room/$file\E.*umask 077; head -c 32 /dev/urandom},
        "the passphrase file is $file");
}
fails_with(\@serve, { KEY_PASSPHRASE_FILE => undef },
    qr/IDENTPROV_KEY_PASSPHRASE_FILE is not set.*umask 077/,
    'no passphrase file');
is($idp->sql('SELECT count(*) FROM identprov.signing_key'), 0,
    'none of them made a key');
$idp->make_passphrase("$room/least", 'x' x 16, 0640);
$idp->make_passphrase("$room/other", 'another passphrase of ours');

# --- keys --------------------------------------------------------------------

($status, $out, $errors) = $idp->run([ 'key', 'export' ]);
is($status, 0, 'key export') or diag($errors);
my $set = decode_json($out);
is(scalar @{ $set->{keys} }, 1, '... makes the first key');
is($set->{keys}[0]{d}, undef, '... and keeps the private half');
is(($idp->run([ 'key', 'export' ]))[1], $out, '... once');
like($idp->sql('SELECT private_pem FROM identprov.signing_key'),
    qr/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/,
    'the stored key is encrypted');
open my $pem, '>', "$room/key.pem" or die $!;
print $pem $idp->sql('SELECT private_pem FROM identprov.signing_key'), "\n";
close $pem;
my $open = "openssl pkey -in $room/key.pem -noout -passin";
is(system("$open file:$room/other 2>/dev/null") == 0 ? 1 : 0, 0,
    '... another passphrase does not open it');
is(system("$open file:$room/passphrase") == 0 ? 1 : 0, 1, '... its own does');
fails_with(\@serve, { KEY_PASSPHRASE_FILE => "$room/other" },
    qr{passphrase in \Q$room/other\E does not open}, 'serve with another');
is(($idp->run([ 'key', 'export' ], env =>
                { KEY_PASSPHRASE_FILE => "$room/missing" }))[1], $out,
    'key export needs no passphrase when there is a key');

$idp->start_nginx;
for my $round (1 .. 3) {
    $idp->sql('DELETE FROM identprov.signing_key');
    $idp->launch_identprov($_) for 0 .. 2;
    $idp->await_identprov($_) for 0 .. 2;
    my %seen = map { $idp->request('GET', "$_/.well-known/jwks.json")->{body}
            => 1 } '', '/1', '/2';
    is(scalar keys %seen, 1, 'three that start at once agree on the key');
    is($idp->sql('SELECT count(*) FROM identprov.signing_key'), 1,
        '... of which there is one');
    $idp->end_part('TERM', "identprov-$_") for 0 .. 2;
}

# --- user add ----------------------------------------------------------------

sub user_add {
    my ($password, @arguments) = @_;
    return $idp->run([ 'user', 'add', @arguments ], stdin => $password);
}

my @eva = ('--username', 'Eva', '--email', 'eva@example.org', '--first-name',
    'Eva');
($status, $out, $errors) = user_add("correct horse\n", @eva);
is($status, 0, 'user add') or diag($errors);
like($out, qr/^[0-9a-f-]{36} Eva\n$/, '... prints id and name');
($status, $out, $errors) = user_add("correct horse\n", @eva);
is("$status$errors", "1identprov: this username is taken, or was once\n",
    '... once');
($status, $out, $errors) = user_add('correct horse', '--username=Ida',
    '--email=ida@example.org', '--first-name=Ida', '--last-name=Roe');
is($status, 0, 'user add with = and a password without a newline')
    or diag($errors);
($status, $out, $errors) = user_add("password123\n", '--username', 'ido',
    '--email', 'ido@example.org', '--first-name', 'Ido');
is("$status$errors",
    "1identprov: password is one that everybody tries first\n",
    'user add with a common password');
($status, $out, $errors) = user_add("short\n", '--username', 'a b', '--email',
    'nowhere');
is($status, 1, 'user add with nothing right');
is(join(' ', map { /^identprov: (\w+)/ } split /\n/, $errors),
    'username password email first_name', '... names every field');
unlike($errors, qr/short$/m, '... not the password');
is((user_add('', @eva))[0], 1, 'user add without a password');
is((user_add('x' x 5000, '--username', 'long', @eva[ 2 .. 5 ]))[0], 1,
    '... with an endless one');
is((user_add("correct horse\n", @eva, '--password', 'x'))[0], 2,
    'a password is no argument');
is((user_add("correct horse\n", @eva, '--username', 'x'))[0], 2,
    'nor is a name given twice');
is($idp->sql('SELECT count(*) FROM identprov.account'), 2, 'two accounts');

# At a terminal: what it shows, after the answers to the two prompts.
sub at_terminal {
    my ($first, $second, @arguments) = @_;
    my $script = "$room/terminal.py";
    Stack::spew($script, <<'END');
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[3], sys.argv[3:])
shown = b''
for answer in sys.argv[1:3]:
    while not shown.endswith(b': '):
        shown += os.read(fd, 1000)
    os.write(fd, answer.encode() + b'\n')
    shown += b'>'
try:
    while True:
        more = os.read(fd, 1000)
        if not more:
            break
        shown += more
except OSError:
    pass
sys.stdout.write(shown.decode())
sys.exit(os.waitpid(pid, 0)[1] >> 8)
END
    my $env = $idp->environment;
    local @ENV{ keys %$env } = values %$env;
    open my $in, '-|', $ENV{PYTHON} || '/usr/bin/python3', $script, $first,
        $second, ($ENV{BUILD} || 'build') . '/identprov', 'user', 'add',
        @arguments;
    my $shown = join '', <$in>;
    close $in;
    return ($? >> 8, $shown);
}

my @lea = ('--username', 'Lea', '--email', 'lea@example.org', '--first-name',
    'Lea');
($status, $out) = at_terminal('tulip field', 'tulip fiend', @lea);
is($status, 1, 'at a terminal two different passwords') or diag($out);
like($out, qr/two different passwords/, '... are refused');
($status, $out) = at_terminal('tulip field', 'tulip field', @lea);
is($status, 0, '... the same twice is taken') or diag($out);
unlike($out, qr/tulip/, '... and never shown');

$idp->start_identprov(0, REGISTRATION => undef);
my $login = $idp->post_json('/login',
    { username => 'eva', password => 'correct horse' });
is($login->{status}, 200, 'who was added can log in');

# --- usage -------------------------------------------------------------------

is(($idp->run(['--help']))[0], 0, '--help');
is(($idp->run(['nonsense']))[0], 2, 'an unknown command');
is(($idp->run([ @serve, 'more' ]))[0], 2, 'an argument too many');
for my $wrong ([ THREADS => 1 ], [ SESSION_NAME => 'a b' ],
    [ PASSWORD_MIN => 7 ], [ TOKEN_TTL => '5' ], [ UNHEARD_OF => 1 ],
    [ REGISTRATION => 'Open' ]) {
    my ($name, $value) = @$wrong;
    ($status, undef, $errors) = $idp->run(\@serve, env => { $name => $value });
    is($status, 2, "IDENTPROV_$name=$value is refused");
    like($errors, qr/IDENTPROV_$name/, '... by name');
}
for my $cost ([ '19m', 2 ], [ '46m', 1 ], [ '12m', 3 ], [ '9m', 4 ],
    [ '7m', 5 ], [ '64m', 7 ]) {
    my %env = (HASH_MINIMUM => undef, HASH_MEMORY => $cost->[0],
        HASH_PASSES => $cost->[1]);
    is(($idp->run([ 'key', 'export' ], env => \%env))[0], 0,
        "hashes of $cost->[0] and $cost->[1] passes are dear enough");
    for my $less ([ HASH_PASSES => $cost->[1] - 1 ],
        [ HASH_MEMORY => substr($cost->[0], 0, -1) * 1024 - 1 . 'k' ]) {
        next if $less->[1] eq 0 || $cost->[0] eq '64m';
        ($status, undef, $errors) = $idp->run([ 'key', 'export' ],
            env => { %env, @$less });
        is("$status$errors" =~ /^2IDENTPROV_HASH_MEMORY and/ ? 1 : 0, 1,
            "... with $less->[0]=$less->[1] they are not") or diag($errors);
    }
}
($status, undef, $errors) = $idp->run([ 'serve', '--listen',
        "unix:$room/identprov-0.sock" ]);
is($status, 1, 'a socket that another one listens on');
is(scalar(grep { !/"cheap_hashes"/ } split /\n/, $errors), 1,
    '... is one line') or diag($errors);
like($errors, qr/"cheap_hashes".*HASH_MINIMUM=none/,
    '... beside the warning that hashes of the tests are cheap');
$idp->stops_cleanly;
done_testing;
