# Signing keys: rotated without a moment at which a verifier that keeps the key
# set as long as it may refuses a valid token; agreed on by all processes.
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Idp qw(header json wait_for);
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use POSIX ();
use Stack qw(slurp);
use Test::More;
use Time::HiRes qw(sleep time);

my $MAX_AGE = 5;                # seconds that a key set may be kept
my $WAIT = $MAX_AGE + 5;        # that a new key is only published
my $TTL = 10;                   # of a token
my $idp = Idp->new(env => { JWKS_MAX_AGE => "${MAX_AGE}s",
        TOKEN_TTL => "${TTL}s", THREADS => 2 });
my $room = $idp->room;
my $python = $ENV{PYTHON} || '/usr/bin/python3';
$idp->make_passphrase("$room/copy", 'a passphrase of the tests');
$idp->make_passphrase("$room/other", 'another passphrase of ours');
my @processes = ('', '/1');

# The key set that a process publishes; undef while it publishes none.
sub try_keys {
    my ($process) = @_;
    my $answer = $idp->request('GET', "$process/.well-known/jwks.json");
    return if $answer->{status} != 200;
    my ($age) = header($answer, 'Cache-Control') =~ /^public, max-age=(\d+)$/;
    return { age => $age, at => time,
        kids => { map { $_->{kid} => $_ } @{ json($answer)->{keys} } } };
}

sub try_token {
    my ($process, $session) = @_;
    my $answer = $idp->request('GET', "$process/authenticate",
        headers => [ 'JSESSIONID', $session ]);
    return if $answer->{status} != 200;
    my $text = json($answer)->{token};
    my ($header, $claims) = map { decode_json(decode_base64url($_)) }
        (split /\./, $text)[ 0, 1 ];
    return { text => $text, kid => $header->{kid}, alg => $header->{alg},
        exp => $claims->{exp}, iat => $claims->{iat} };
}

# The same, however slow this machine is.
sub keys_of {
    my @from = @_;
    return wait_for(60, 'a key set', sub { try_keys(@from) });
}

sub token_of {
    my @from = @_;
    return wait_for(60, 'a token', sub { try_token(@from) });
}

# The rows of `key list`, by state.
sub listed {
    my ($status, $out, $errors) = $idp->run([ 'key', 'list' ]);
    is($status, 0, 'key list') or diag($errors);
    my %by;
    for my $line (split /\n/, $out) {
        my ($kid, $alg, $state, $created, $signs, $retires) = split ' ', $line;
        push @{ $by{$state} }, { kid => $kid, alg => $alg, signs => $signs,
            retires => $retires } if $kid ne 'KID';
    }
    return \%by;
}

# Verifiers that look at the key set again only when they must, each of them at
# another time; every token that lives is shown to all of them, again and again.
sub verify_all {
    my ($session) = @_;
    my @verifiers = map { { at => 0, age => 0 } } 1 .. 8;
    my (@tokens, %seen, @refused, $checks);
    for (my $round = 0; -d $room && !-e "$room/enough"; $round++) {
        my $process = $processes[ $round % @processes ];
        my $token = try_token($process, $session);
        $token ? push @tokens, $token : push @refused, "no token, $process";
        $seen{ $token->{kid} }++ if $token;
        @tokens = grep { $_->{exp} > time } @tokens;
        my $oldest = $verifiers[ $round % @verifiers ];
        for my $verifier (@verifiers) {
            next if time < $verifier->{at} + $verifier->{age}
                && !($verifier == $oldest && $round < 16);
            my $keys = try_keys($processes[ int rand @processes ])
                or push @refused, 'no keys';
            %$verifier = %$keys if $keys;
        }
        for my $verifier (@verifiers) {
            push @refused, map { "$_->{kid} $_->{iat}" }
                grep { $checks++; !$verifier->{kids}{ $_->{kid} } } @tokens;
        }
        sleep 0.1;
    }
    return { seen => [ sort keys %seen ], checks => $checks,
        refused => [ @refused[ 0 .. ($#refused > 4 ? 4 : $#refused) ] ] };
}

sub in_background {
    my ($do) = @_;
    my $pid = open(my $in, '-|') // die "fork: $!\n";
    return $in if $pid;
    print encode_json($do->());
    close STDOUT;
    POSIX::_exit(0);
}

# --- a key is rotated ----------------------------------------------------------

$idp->start_identprov(0);
$idp->start_identprov(1, KEY_PASSPHRASE_FILE => "$room/copy");
$idp->start_nginx;
my $session = $idp->session('eva');
my $first = token_of('', $session);
is($first->{alg}, 'ES256', 'the first key is for ES256');
my $list = listed();
is($list->{signing}[0]{kid}, $first->{kid}, '... and signs');
is($list->{signing}[0]{retires}, '-', '... for good');

my ($status, $out, $errors) = $idp->run([ 'key', 'rotate' ],
    env => { KEY_PASSPHRASE_FILE => "$room/other" });
is($status, 1, 'key rotate with another passphrase');
like($errors, qr/^identprov: the passphrase in \S+ does not open [^\n]+\n\z/,
    '... says so in one line');
is(scalar keys %{ keys_of('')->{kids} }, 1, '... and makes no key');

my $verifiers = in_background(sub { verify_all($session) });
sleep 1;
($status, $out, $errors) = $idp->run([ 'key', 'rotate' ],
    env => { KEY_ALGORITHM => 'RS256' });
my $rotated_at = time;
is($status, 0, 'key rotate') or diag($errors);
my ($second) = $out =~ /^(\S{43}) +RS256 +next /m;
ok(defined $second, '... prints the next key') or diag($out);
for my $process (@processes) {
    ok(wait_for(60, 'the new key', sub { keys_of($process)->{kids}{$second} }),
        "process '$process' publishes it");
}
is($idp->sql('SELECT round(extract(epoch FROM sign_from - created_at))'
            . " FROM identprov.signing_key WHERE kid = '$second'"), $WAIT,
    '... long before it signs');
wait_for(60, 'its first token', sub {
    token_of('', $session)->{kid} eq $second });
my $signs_at = time;
cmp_ok($signs_at - $rotated_at, '>=', $WAIT - 1,
    'the new key signs when every kept key set has it');
ok(wait_for(60, 'the other process', sub {
            token_of('/1', $session)->{kid} eq $second
        }), '... in both processes');
my $new = token_of('', $session);
is($new->{alg}, 'RS256', '... with its own algorithm');
is_deeply([ keys %{ keys_of('')->{kids} } ] > 1 ? 1 : 0, 1,
    'the old key is still published');
$list = listed();
is($list->{old}[0]{kid}, $first->{kid}, '... and old in the list');

# --- another process was told more ---------------------------------------------

$idp->start_identprov(2, TOKEN_TTL => '30m', JWKS_MAX_AGE => '10m');
is($idp->sql('SELECT DISTINCT token_ttl_ms, jwks_max_age_ms'
        . ' FROM identprov.signing_key'), '1800000|600000',
    'what the longest tokens need is written down');
is(keys_of('/2')->{age}, 600, '... before it is acted on');
my $long = token_of('/2', $session);
cmp_ok($long->{exp} - time, '>', 1700, '... for tokens, too');
Stack::spew("$room/token", $long->{text});
Stack::spew("$room/set", ($idp->run([ 'key', 'export' ]))[1]);
my $foreign = decode_json(`$python t/lib/foreign_jwt.py verify $room/token \\
    $room/set identprov identgw` || '{}');
is($foreign->{header}{alg}, 'RS256', 'others verify a token of it');
is($foreign->{thumbprint}, $second, '... its kid is the thumbprint');
is_deeply($foreign->{jwcrypto}, $foreign->{pyjwt}, '... and agree about it');
$idp->end_part('TERM', 'identprov-2');
($status, $out) = $idp->run([ 'key', 'rotate' ]);
my ($third) = $out =~ /^(\S{43}) +ES256 +next /m;
cmp_ok($idp->sql('SELECT extract(epoch FROM sign_from - now())'
            . " FROM identprov.signing_key WHERE kid = '$third'"), '>', 700,
    'a key waits for the longest time that any process has stated');
$idp->sql("DELETE FROM identprov.signing_key WHERE kid = '$third'");
$idp->sql('UPDATE identprov.signing_key SET token_ttl_ms = 10000,'
        . ' jwks_max_age_ms = 5000');

# --- and retires ----------------------------------------------------------------

wait_for(120, 'the end of the old key', sub {
    !grep { keys_of($_)->{kids}{ $first->{kid} } } @processes });
cmp_ok(time - $signs_at, '>', $TTL,
    'the old key is published until its last token is over');
is(listed()->{retired}[0]{kid}, $first->{kid}, '... retired in the list');
Stack::spew("$room/enough", '');
my $verified = decode_json(join '', <$verifiers>);
cmp_ok($verified->{checks}, '>', 1000, 'tokens were verified all the time');
is_deeply([ grep { !/^no / } @{ $verified->{refused} } ], [],
    '... and none was refused');
is_deeply([ sort @{ $verified->{seen} } ], [ sort $first->{kid}, $second ],
    '... of both keys');

# --- many at once, and a process that cannot open the new one -------------------

$idp->make_passphrase("$room/copy", 'a passphrase that is wrong');
my @ends = map {
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $env = $idp->environment;
        @ENV{ keys %$env } = values %$env;
        open STDOUT, '>', '/dev/null';
        exec(($ENV{BUILD} || 'build') . '/identprov', 'key', 'rotate');
    }
    $pid;
} 1 .. 3;
is(join(' ', map { waitpid $_, 0; $? } @ends), '0 0 0', 'three rotate at once');
$list = listed();
is(scalar @{ $list->{next} }, 3, '... three keys');
is($list->{retired}, undef, '... and what had retired is gone');
is($idp->sql("SELECT count(*) FROM identprov.signing_key"
        . " WHERE kid = '$first->{kid}'"), 0, '... with its private half');
ok(wait_for(60, 'them', sub { keys %{ keys_of('/1')->{kids} } == 4 }),
    'a process that cannot open them publishes them');
$idp->sql('UPDATE identprov.signing_key SET sign_from = now()'
        . ' WHERE sign_from > now()');
wait_for(60, 'their time', sub {
    token_of('', $session)->{kid} ne $second });
ok(wait_for(60, 'the end of the one that is open', sub {
            $idp->request('GET', '/1/authenticate',
                headers => [ 'JSESSIONID', $session ])->{status} == 503
        }), '... signs nothing when their time has come');
is($idp->log(1) =~ s/"keys_unusable"//gr, $idp->log(1) =~ s/"keys_unusable"//r,
    '... and says so once');
is($idp->request('GET', '/in/readyz')->{status}, 200, 'the other one is ready');
$idp->make_passphrase("$room/copy", 'a passphrase of the tests');
ok(wait_for(60, 'it to recover', sub { try_token('/1', $session) }),
    '... until the passphrase is right again');

# --- a key that has leaked --------------------------------------------------------

# What the audit log has about keys, since the last time; what has retired, not
# unless it is wanted.
my $audited = 0;
sub audited {
    my ($wanted) = @_;
    my @rows = split /\n/, $idp->sql("SELECT event || ' ' || detail
        FROM identprov.audit WHERE event LIKE 'key%' ORDER BY number");
    my @new = grep { $wanted || !/^key_retired / } @rows[ $audited .. $#rows ];
    $audited = @rows;
    return join "\n", @new;
}

my $cursor = '';
sub told {
    my ($kind, $next, @hashes) = split /\s+/, $idp->request('GET',
        "/in/revocations?since=$cursor")->{body};
    $cursor = $next;
    return $kind eq 'reset' ? $kind : join ' ', @hashes[ 0 .. $#hashes - 2 ];
}

# The new signing key's kid, of both processes.
sub withdrawn {
    my ($kid) = @_;
    ($status, $out, $errors) = $idp->run([ qw(key withdraw), $kid ]);
    is($status, 0, 'key withdraw') or diag($errors);
    unlike($out, qr/^\Q$kid\E/m, '... prints the others');
    ok(wait_for(60, 'them', sub {
                !grep { keys_of($_)->{kids}{$kid} } @processes }),
        '... no process publishes it');
    my %signing = map { token_of($_, $session)->{kid} => 1 } @processes;
    is(join(' ', keys %signing), ($out =~ /^(\S+) +\S+ +signing/m)[0],
        '... all sign with another one');
    return (keys %signing)[0];
}

my @log = split /\n/, audited('all');
is($log[0], "key_created serve, $first->{kid}",
    'the audit log has the first key');
is_deeply([ @log[ 1, 2 ] ], [ map { "key_rotated command line, $_" } $second,
        $third ], '... and the others');
is(scalar(grep { /^key_rotated / } @log), 5, '... all of them');
is(join(' ', grep { /^key_retired / } @log),
    "key_retired command line, $first->{kid}", '... and what has retired');
my $leaked = token_of('', $session)->{kid};
is(($idp->run([qw(key withdraw)]))[0], 2, 'key withdraw needs a kid');
($status, $out, $errors) = $idp->run([ qw(key withdraw), $first->{kid} ]);
is("$status $errors", "1 identprov: there is no signing key $first->{kid}\n",
    '... of a key that is there');
is(audited(), '', '... and nothing is done');

told();
my $made = withdrawn($leaked);
is(audited(), "key_withdrawn command line, $leaked\n"
        . "key_created command line, $made", '... the audit log has it');
is(told(), sha256_hex($session), '... and gateways forget its tokens');

($status, $out) = $idp->run([qw(key rotate)]);
my ($next) = $out =~ /^(\S+) +\S+ +next /m;
audited();
is(withdrawn($made), $next, 'the next key signs before its time');
is(audited(), "key_withdrawn command line, $made", '... and none is made');

$idp->sql('INSERT INTO identprov.session (hash, account_id, created_at,'
        . ' last_used_at, expires_at) SELECT sha256(i::text::bytea), id, now(),'
        . " now(), now() + interval '1 hour' FROM identprov.account,"
        . ' generate_series(1, 1000) AS i');
told();
my ($old) = map { $_->{kid} } @{ listed()->{old} };
is(withdrawn($old), $next, 'one that does not sign any more');
is(audited(), "key_withdrawn command line, $old", '... is all that is gone');
is(told(), 'reset', '... of many sessions gateways forget all');

# --- without a database ----------------------------------------------------------

my $before = keys_of('');
is($before->{age}, $MAX_AGE, 'with the database, the key set may be kept');
$idp->end_part('KILL', 'postgres');
my @ages;
wait_for(60, 'the end of the view', sub {
    my $keys = try_keys('');
    push @ages, $keys->{age} if $keys;
    return !$keys;
});
cmp_ok($ages[0], '>', 0, 'without one, it is published');
is($ages[-1], 0, '... to be kept for less and less time');
is($idp->request('GET', '/.well-known/jwks.json')->{status}, 503,
    '... and not at all when there could be a key that is not in it');
is($idp->request('GET', '/healthz')->{status}, 200, '... alive');
$idp->start_postgres;
ok(wait_for(60, 'the keys', sub { try_keys('') }), 'and back');
$idp->stops_cleanly;
done_testing;
