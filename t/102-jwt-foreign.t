# Tokens and keys seen by implementations that are not ours: python3-jwcrypto,
# python3-jwt and the jose command verify ours, and userprofile judges theirs.
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use FastCGI;
use JSON::PP;
use Stack qw(header headers json slurp wait_for);
use Test::More;

my $python = $ENV{PYTHON} || '/usr/bin/python3';
my $stack = Stack->start;
my $dir = $stack->{var};

sub run_foreign {
    my @command = ($python, 't/lib/foreign_jwt.py', @_);
    open my $pipe, '-|', @command or die "$python: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe or die "@command: failed\n";
    return JSON::PP->new->decode($text);
}

# identprov's own command line, with the settings of the stack.
sub identprov {
    local %ENV = %ENV;
    $ENV{$_} = $stack->setting($_)
        for qw(IDENTPROV_DATABASE IDENTPROV_KEY_PASSPHRASE_FILE);
    my $build = $ENV{BUILD} || 'build';
    open my $pipe, '-|', "$build/identprov", @_ or die "identprov: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe or die "identprov @_: failed\n";
    return $text;
}

# --- ours, judged by others ----------------------------------------------------

my $session = $stack->session('anna', last_name => 'Ivanova');
my $answer = $stack->request('GET', '/authenticate',
    headers => [ 'JSESSIONID', $session ]);
my $token = json($answer)->{token};
Stack::spew("$dir/token", $token);

my $published = $stack->request('GET', '/.well-known/jwks.json');
is($published->{status}, 200, 'the JWKS is published');
like(header($published, 'Content-Type'),
    qr{^application/(jwk-set\+)?json}, '... as JSON');
like(header($published, 'Cache-Control'), qr/max-age=\d+/, '... cacheable');
Stack::spew("$dir/published.json", $published->{body});
Stack::spew("$dir/exported.json", identprov('key', 'export'));

for my $source (qw(published exported)) {
    my $text = slurp("$dir/$source.json");
    unlike($text, qr/"d"\s*:/, "$source: nothing private");
    my $got = run_foreign('verify', "$dir/token", "$dir/$source.json",
        'identprov', 'identgw');
    is_deeply($got->{jwcrypto}, $got->{pyjwt},
        "$source: jwcrypto and pyjwt verify the token");
    is_deeply($got->{header},
        { alg => 'ES256', typ => 'at+jwt', kid => $got->{thumbprint} },
        '... kid is the RFC 7638 thumbprint');
    is_deeply([ grep { $_ } @{ $got->{private} } ], [], '... public keys');
    my $rc = system "jose jws ver -i '$dir/token' -k '$dir/$source.json'"
        . " -O '$dir/payload' 2>/dev/null";
    is($rc, 0, '... and so does jose');
    is_deeply(eval { decode_json(slurp("$dir/payload")) }, $got->{pyjwt},
        '... with the same claims');
}

my $claims = run_foreign('verify', "$dir/token", "$dir/published.json",
    'identprov', 'identgw')->{pyjwt};
my %claims = %$claims;
is(delete $claims{iss}, 'identprov', 'iss');
is(delete $claims{aud}, 'identgw', 'aud');
like(delete $claims{sub}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    "sub is the user's UUID");
like(delete $claims{sid}, qr/^[0-9a-f]{16}$/, 'sid');
is($claims->{sid}, substr(sha256_hex($session), 0, 16),
    "... 16 digits of the session's hash");
ok(length delete $claims{jti}, 'jti');
my ($iat, $nbf, $exp) = delete @claims{qw(iat nbf exp)};
cmp_ok(abs($iat - time), '<', 30, 'iat is now');
cmp_ok($nbf, '<=', $iat, 'nbf is not later');
is($exp - $iat, 300, 'exp is 5 minutes later');
ok(!delete $claims{email_verified}, 'the e-mail is not verified');
is_deeply(delete $claims{groups} // [], [], 'no groups yet');
is_deeply(\%claims, {
        preferred_username => 'anna', email => 'anna@example.org',
        given_name => 'Anna', family_name => 'Ivanova' },
    'and the user, nothing more');
my $second = json($stack->request('GET', '/authenticate',
        headers => [ 'JSESSIONID', $session ]))->{token};
isnt($second, $token, 'each token is another one');

# --- theirs, judged by us ------------------------------------------------------

my $socket = $stack->socket('userprofile');

my $query = '';

sub ask_userprofile {
    my ($bearer, $user, @more) = @_;
    my @params = (REQUEST_METHOD => 'GET', SCRIPT_NAME => '',
        PATH_INFO => '/userprofile', QUERY_STRING => $query,
        REQUEST_ID => '0' x 32, REMOTE_ADDR => '127.0.0.1');
    push @params, HTTP_AUTHORIZATION => $bearer if defined $bearer;
    push @params, HTTP_X_USER => $user if defined $user;
    return FastCGI::ask($socket, [ @params, @more ], '');
}

sub is_refused {
    my ($got, $challenge, $what) = @_;
    is($got->{status}, 401, "refused: $what") or diag($got->{body});
    like(header($got, 'WWW-Authenticate'), $challenge, '... and why');
    is(header($got, 'Content-Type'), 'application/problem+json',
        '... as a problem');
    is(json($got)->{request_id}, '0' x 32, '... with its id');
    return;
}

my $invalid = qr/^Bearer (?=.*error="invalid_token")/;
my $missing = qr/^Bearer (?!.*error)/;
is(ask_userprofile("Bearer $token", 'anna')->{status}, 404,
    'our token is good, there is no profile yet');
is_refused(ask_userprofile("Bearer $token", 'boris'), $invalid,
    'a good token with the X-User of another');
is_refused(ask_userprofile("Bearer $token", 'Anna'), $invalid,
    'X-User in another case');
is_refused(ask_userprofile("Bearer $token", undef), $missing, 'no X-User');
is_refused(ask_userprofile(undef, 'anna'), $missing, 'X-User alone');
is_refused(ask_userprofile('Basic YW5uYTph', 'anna'), $missing, 'Basic');
is_refused(ask_userprofile(undef, undef), $missing, 'nothing');
is(ask_userprofile("Bearer $token", 'anna', HTTP_X_USER => 'anna')
        ->{status}, 400, 'X-User twice');
is(ask_userprofile("Bearer $token", 'boris', HTTP_X_USER => 'anna')
        ->{status}, 400, 'X-User twice, once right');
is(ask_userprofile("Bearer $token", 'anna',
        HTTP_AUTHORIZATION => "Bearer $token")->{status},
    400, 'Authorization twice');
is_refused(ask_userprofile(undef, 'anna',
        HTTP_COOKIE => "JSESSIONID=$session", HTTP_JSESSIONID => $session),
    $missing, 'a session is no token');
$query = "access_token=$token";
is_refused(ask_userprofile(undef, 'anna'), $missing,
    'a token in the query is none');
$query = '';

my $key = run_foreign('key', "$dir/key");
my @tokens = @{ run_foreign('tokens', "$dir/key", encode_json({
                iss => 'identprov', aud => 'identgw',
                sub => 'foreign', preferred_username => 'ivan' })) };
my ($valid) = map { $_->[1] } grep { $_->[0] eq 'valid' } @tokens;
is_refused(ask_userprofile("Bearer $valid", 'ivan'), $invalid,
    'a key that we do not know');

# The file gets the foreign key beside ours; userprofile notices.
my $file = $stack->setting('USERPROFILE_JWKS_FILE');
my $before = slurp($file);
my $set = decode_json($before);
push @{ $set->{keys} }, $key;
Stack::spew("$file.new", encode_json($set));
chmod 0644, "$file.new";
rename "$file.new", $file or die "$file: $!\n";
ok(wait_for(15, 'the new key', sub {
            ask_userprofile("Bearer $valid", 'ivan')->{status} == 404
        }), 'a new key in the file is used, without a restart');
is(ask_userprofile("Bearer $token", 'anna')->{status}, 404,
    '... beside the old one');

for my $each (@tokens) {
    my ($name, $made) = @$each;
    if ($name =~ /^valid/) {
        is(ask_userprofile("Bearer $made", 'ivan')->{status}, 404,
            "accepted: $name");
        next;
    }
    is_refused(ask_userprofile("Bearer $made", 'ivan'), $invalid, $name);
}
is(ask_userprofile("Bearer $token\0x", 'anna')->{status}, 400,
    'NUL in Authorization');
is(ask_userprofile("Bearer $token", "anna\0")->{status}, 400,
    'NUL in X-User');

Stack::spew("$file.new", 'no JWKS');
rename "$file.new", $file or die "$file: $!\n";
wait_for(15, 'the complaint', sub {
    $stack->log('userprofile') =~ /"keys_unusable"/
});
is(ask_userprofile("Bearer $token", 'anna')->{status}, 404,
    'a bad file changes nothing');
Stack::spew("$file.new", $before);
rename "$file.new", $file or die "$file: $!\n";
ok(wait_for(15, 'the end of the foreign key', sub {
            ask_userprofile("Bearer $valid", 'ivan')->{status} == 401
        }), 'a key that left the file is not used any more');

my $text = $stack->log('userprofile') . $stack->log('identprov');
unlike($text, qr/\Q$token\E|\Q$valid\E/, 'no token in a log');
unlike($text, qr/\Q$session\E/, 'no session id either');
like($text, qr/"reason":"bad_signature"/, 'but the reason of a refusal');

$stack->stops_cleanly;
done_testing();
