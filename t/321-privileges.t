# Who serves may do what serving needs and no more: in the database, in the file
# system, and with what is in its memory.
use strict;
use warnings;
use lib 't/lib';
use Idp qw(header json wait_for);
use Stack ();
use Test::More;

my $build = $ENV{BUILD} || 'build';
my $idp = Idp->start;
my $room = $idp->room;
my $session = $idp->session('eva');

# --- in the database -----------------------------------------------------------

# Both applications in one database: each has its schema.
$idp->sql('CREATE ROLE userprofile_serve LOGIN');
sub userprofile {
    my ($env, @arguments) = @_;
    local %ENV = (%ENV,
        USERPROFILE_DATABASE => "host=$room/pg dbname=identprov user=postgres",
        USERPROFILE_SERVE_ROLE => 'userprofile_serve', %$env);
    my $text = qx('$build/userprofile' @arguments 2>&1);
    return ($? >> 8, $text);
}
is((userprofile({}, 'migrate'))[0], 0, 'userprofile migrates');

# What a role may do, as PostgreSQL sees it: "table privilege".
sub privileges {
    my ($role) = @_;
    return $idp->sql(<<"END");
SELECT string_agg(t.relname || ' ' || p.name, ', ' ORDER BY t.relname, p.number)
FROM pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE',
        'REFERENCES', 'TRIGGER']) WITH ORDINALITY AS p (name, number)
WHERE n.nspname IN ('identprov', 'userprofile') AND t.relkind IN ('r', 'v', 'S')
    AND CASE t.relkind WHEN 'S' THEN false
        ELSE has_table_privilege('$role', t.oid, p.name) END
END
}

is(privileges('userprofile_serve'), 'profile SELECT, profile INSERT,'
        . ' profile UPDATE, profile DELETE, schema_version SELECT',
    'userprofile: its own table');
my %may = map { $_ => 1 } split /, /, privileges('identprov_serve');
is(join(', ', grep { /^profile/ } keys %may), '', 'identprov: not the other one');
is_deeply([ grep { /^audit/ } sort keys %may ], ['audit INSERT'],
    '... the audit can only be added to');
is_deeply([ sort grep { /^signing_key/ } keys %may ],
    [ 'signing_key INSERT', 'signing_key SELECT' ],
    '... keys are made and read');
is_deeply([ grep { /TRUNCATE|REFERENCES|TRIGGER/ } keys %may ], [],
    '... and no table is changed as a table');

# As the role itself.
sub refused {
    my ($role, $sql, $what) = @_;
    my $psql = ($ENV{PG_BINDIR} // '/usr/bin') . '/psql';
    my $text = qx('$psql' -h '$room/pg' -U $role -X -At -v ON_ERROR_STOP=1 \\
        -c "$sql" identprov 2>&1);
    like($text, qr/permission denied|must be owner/, $what);
    return;
}
refused('identprov_serve', $_, "identprov's role cannot: $_") for
    'SELECT * FROM userprofile.profile', 'SELECT * FROM identprov.audit',
    'UPDATE identprov.audit SET detail = detail',
    'DELETE FROM identprov.audit',
    'UPDATE identprov.signing_key SET sign_from = now()',
    'UPDATE identprov.signing_key SET private_pem = private_pem',
    'DELETE FROM identprov.signing_key',
    'DELETE FROM identprov.issued_username',
    'UPDATE identprov.schema_version SET version = 1',
    'CREATE TABLE identprov.mine (x int)', 'CREATE SCHEMA mine',
    'ALTER TABLE identprov.account DROP CONSTRAINT account_username_check',
    'DROP TABLE identprov.session', 'CREATE ROLE other';
refused('userprofile_serve', $_, "userprofile's role cannot: $_") for
    'SELECT * FROM identprov.account', 'SELECT * FROM identprov.session',
    'SELECT * FROM identprov.signing_key',
    'CREATE TABLE userprofile.mine (x int)',
    'UPDATE userprofile.schema_version SET version = 1';

my ($status, $out, $errors) = $idp->run(['migrate'],
    env => { SERVE_ROLE => 'nobody_has_this' });
is($status, 1, 'migrate for a role that is not there');
like($errors, qr/nobody_has_this/, '... names it');
($status, $out, $errors) = $idp->run(['migrate'],
    env => { SERVE_ROLE => 'x"; DROP SCHEMA identprov; --' });
is($status, 1, 'migrate for what is no role');
is($idp->request('GET', '/authenticate',
        headers => [ 'JSESSIONID', $session ])->{status}, 200,
    '... changes nothing');
$idp->sql('GRANT DELETE ON identprov.audit TO identprov_serve');
($status) = $idp->run(['migrate']);
is(privileges('identprov_serve') =~ /audit DELETE/ ? 1 : 0, 0,
    'migrate takes back what is too much');

# --- secrets -------------------------------------------------------------------

my @serve = ('serve', '--listen', "unix:$room/none.sock");
for my $conninfo ("host=$room/pg password=canary dbname=identprov",
    'postgresql://identprov:canary@localhost/identprov',
    "host=$room/pg sslpassword=canary") {
    ($status, $out, $errors) = $idp->run(\@serve, env =>
            { DATABASE => $conninfo });
    is($status, 2, 'a password in the connection string');
    like($errors, qr/IDENTPROV_DATABASE is wrong: .* passfile=FILE/,
        '... is refused, with the mend');
    unlike($errors, qr/canary/, '... which does not repeat it');
}
{
    local $ENV{PGPASSWORD} = 'canary';
    ($status, $out, $errors) = $idp->run(\@serve);
    is($status, 2, 'PGPASSWORD is refused, too');
}
my ($code, $text) = userprofile({ USERPROFILE_DATABASE =>
        "host=$room/pg password=canary" }, 'serve');
is($code, 2, 'by userprofile, too');
unlike($text, qr/canary/, '... which does not repeat it');

# With SCRAM and a password file.
$idp->sql("ALTER ROLE identprov_serve PASSWORD 'only in the file'");
my $hba = $idp->sql('SHOW hba_file');
Stack::spew($hba, "local all postgres trust\n"
        . "local all all scram-sha-256\n");
$idp->sql('SELECT pg_reload_conf()');
Stack::spew("$room/pgpass", "*:*:*:identprov_serve:only in the file\n");
chmod 0600, "$room/pgpass";
$idp->start_identprov(1, DATABASE => "host=$room/pg dbname=identprov"
        . " user=identprov_serve passfile=$room/pgpass");
is($idp->request('GET', '/1/authenticate',
        headers => [ 'JSESSIONID', $session ])->{status}, 200,
    'the password comes from a file');

# And with a file that has nothing but the password.
sub password_file {
    my ($text, $mode) = @_;
    Stack::spew("$room/password", $text);
    chmod $mode // 0600, "$room/password";
    return;
}
my @bare = (DATABASE => "host=$room/pg dbname=identprov user=identprov_serve",
    DATABASE_PASSWORD_FILE => "$room/password");
for my $case ([ "only in\nthe file\n", 0600, qr/must hold one line/, 'two lines' ],
    [ 'x' x 1025, 0600, qr/at most 1024 bytes/, 'a long line' ],
    [ "only in the file\n", 0644, qr/is open to others/, 'a file for all' ],
    [ "only in the file\n", 0620, qr/is open to others/, 'a group that writes' ]) {
    password_file(@$case[0, 1]);
    ($status, $out, $errors) = $idp->run(\@serve, env => {@bare});
    is($status, 2, "$case->[3] as the password file");
    like($errors, qr{the database's password file \Q$room\E/password: .*$case->[2]},
        '... is refused with its name');
    unlike($errors, qr/only in/, '... and without the password');
}
password_file("\n");
($status, $out, $errors) = $idp->run(['check'], env => {@bare});
is($status, 1, 'an empty one is no password');
like($errors, qr/no password supplied/, '... as the database says');
password_file("only in the file", 0440);
$idp->start_identprov(2, @bare);
is($idp->request('GET', '/2/authenticate',
        headers => [ 'JSESSIONID', $session ])->{status}, 200,
    'the password comes from a file of its own');
my $pid = $idp->{pids}{'identprov-2'};
for my $file (qw(environ cmdline)) {
    my $shown = Stack::slurp("/proc/$pid/$file");
    unlike($shown, qr/only in the file|passphrase of the tests/,
        "... and is not in $file");
}

# --- in the file system ----------------------------------------------------------

SKIP: {
    skip 'only root may look at what cannot be dumped', 3 if $> != 0;
    # What this test has open itself was there before.
    my %inherited = map { (readlink // '') => 1 } glob '/proc/self/fd/*';
    my @written;
    for my $fd (map { m{(\d+)$} ? $1 : () } glob "/proc/$pid/fd/*") {
        my $path = readlink "/proc/$pid/fd/$fd" // next;
        my ($flags) = Stack::slurp("/proc/$pid/fdinfo/$fd") =~ /^flags:\s+(\d+)/m;
        push @written, $path if $fd > 2 && $path =~ m{^/(?!memfd:|dev/)}
            && oct($flags) & 3;
    }
    is_deeply([ grep { !$inherited{$_} } @written ], [],
        'no file is open to be written');

    # --- in memory ---------------------------------------------------------------

    like(Stack::slurp("/proc/$pid/limits"),
        qr/^Max core file size\s+0\s+0\s/m, 'there is no core file');
    is((stat "/proc/$pid/mem")[4], 0,
        'a process that cannot be dumped is closed to its own user');
}
$idp->stops_cleanly;
done_testing;
