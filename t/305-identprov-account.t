# What users do with their own account and its sessions, and what of it the
# gateways are told.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Digest::SHA qw(sha256_hex);
use Encode qw(decode);
use Idp qw(header json wait_for);
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $PASSWORD = 'correct horse battery';
my $OTHER = 'staple of another kind';
my $SID = qr/^[0-9a-f]{16}$/;
my $TIME = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
my $idp = Idp->start(env => { STATEMENT_TIMEOUT => '30s' });

sub register {
    my ($name, %with) = @_;
    my $answer = $idp->post_json('/register', { username => $name,
            password => $PASSWORD, email => "$name\@example.org",
            first_name => ucfirst $name, %with });
    die "register: $answer->{body}\n" if $answer->{status} != 201;
    return json($answer)->{id};
}

sub login {
    my ($name, $password, @headers) = @_;
    return $idp->post_json('/login',
        { username => $name, password => $password // $PASSWORD },
        headers => \@headers);
}

sub id_of { return header($_[0], 'JSESSIONID') // die "no session\n" }

sub call {
    my ($id, $method, $path, $json, @headers) = @_;
    return $idp->request($method, $path,
        headers => [ defined $id ? ('JSESSIONID', $id) : (), @headers,
            $json ? ('Content-Type', 'application/json') : () ],
        $json ? (body => JSON::PP->new->utf8->encode($json)) : ());
}

sub status_of { return call($_[0], 'GET', '/authenticate')->{status} }
sub sid { return substr sha256_hex($_[0]), 0, 16 }

sub is_problem {
    my ($answer, $status, $code, $what) = @_;
    is($answer->{status}, $status, $what) or diag($answer->{body});
    is((json($answer) // {})->{code}, $code, "... $code");
    return json($answer) // {};
}

sub is_faulty {
    my ($answer, $faults, $what) = @_;
    my $problem = is_problem($answer, 422, 'invalid_fields', $what);
    is_deeply({ map { $_->{field} => $_->{code} } @{ $problem->{errors} } },
        $faults, '... each field');
    return;
}

my $cursor = '';

# What the feed has told since the last time.
sub told {
    my ($kind, $next, @hashes) = split /\s+/, $idp->request('GET',
        "/in/revocations?since=$cursor")->{body};
    $cursor = $next;
    return $kind if $kind eq 'reset';
    return join ' ', sort @hashes[ 0 .. $#hashes - 2 ];
}

# Among others, perhaps.
sub is_told {
    my ($ids, $what) = @_;
    my $text = told();
    is(scalar(grep { $text =~ /$_/ } map { sha256_hex($_) } @$ids),
        scalar @$ids, $what);
    return;
}

sub hashes { return join ' ', sort map { sha256_hex($_) } @_ }

my $anna_id = register('anna');
register('berta');

# --- who may -----------------------------------------------------------------

for my $route ([ 'GET', '/account' ], [ 'PATCH', '/account' ],
    [ 'DELETE', '/account' ], [ 'POST', '/account' ],
    [ 'POST', '/account/delete' ], [ 'POST', '/password' ],
    [ 'GET', '/sessions' ], [ 'DELETE', '/sessions' ],
    [ 'POST', '/sessions' ], [ 'DELETE', '/sessions/0123456789abcdef' ],
    [ 'POST', '/sessions/0123456789abcdef' ]) {
    is_problem(call(undef, @$route), 401, 'no_session',
        "@$route without a session");
    is_problem(call('A' x 43, @$route, undef, 'X-User', 'anna'), 401,
        'no_session', '... with one that never was, and a name');
}

# --- sessions ----------------------------------------------------------------

my @ids = map { id_of(login('anna', undef, 'User-Agent', "Browser $_")) }
    1 .. 3;
my $berta = id_of(login('berta'));
told();
my $answer = call($ids[0], 'GET', '/sessions');
is($answer->{status}, 200, 'a list of sessions');
is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
my $list = json($answer)->{sessions};
is(scalar @$list, 3, '... has the account\'s own');
is_deeply([ map { $_->{id} } @$list ], [ map { sid($_) } reverse @ids ],
    '... newest first, by the beginning of their hash');
is_deeply([ map { $_->{current} ? 1 : 0 } @$list ], [ 0, 0, 1 ],
    '... which of them asks');
is_deeply([ map { $_->{user_agent} } @$list ],
    [ 'Browser 3', 'Browser 2', 'Browser 1' ], '... from what');
is_deeply([ sort keys %{ $list->[0] } ], [ qw(address created_at current
    expires_at id last_used_at user_agent) ], '... and nothing else');
is($list->[0]{address}, '127.0.0.1', '... from where');
like($list->[0]{$_}, $TIME, "... $_")
    for qw(created_at last_used_at expires_at);
unlike($answer->{body}, qr/\Q$_\E/, '... no id of a session') for @ids;

is(call($ids[0], 'DELETE', '/sessions/' . sid($ids[1]))->{status}, 204,
    'one session is ended');
is(status_of($ids[1]), 401, '... it is over');
is(told(), hashes($ids[1]), '... and told of');
is_problem(call($ids[0], 'DELETE', "/sessions/$_"), 404, 'no_such_session',
    "no session $_") for sid($ids[1]), sid($berta), 'x', sha256_hex($ids[0]),
    '%ff', '0123456789abcde%ff';
is(status_of($berta), 200, '... somebody else\'s stays');
is(told(), '', '... nothing is told');
$answer = call($ids[2], 'DELETE', '/sessions/' . sid($ids[2]));
is($answer->{status}, 204, 'the own session is ended');
like(header($answer, 'Set-Cookie'), qr/^JSESSIONID=;.*Max-Age=0/,
    '... with its cookie');
is(status_of($ids[2]), 401, '... it is over');

@ids = ($ids[0], map { id_of(login('anna')) } 1, 2);
told();
is(call($ids[0], 'DELETE', '/sessions')->{status}, 204, 'all others are ended');
is(join(' ', map { status_of($_) } @ids, $berta), '200 401 401 200',
    '... and only these');
is(told(), hashes(@ids[ 1, 2 ]), '... and told of');
is(call($ids[0], 'DELETE', '/sessions')->{status}, 204, 'none is left');
is(told(), '', '... nothing is told');

# --- the account -------------------------------------------------------------

my $id = $ids[0];
$answer = call($id, 'GET', '/account');
is($answer->{status}, 200, 'the own account');
my $account = json($answer);
is_deeply([ sort keys %$account ], [ qw(created_at email email_verified
    first_name groups id last_name username) ], '... has its members');
is($account->{id}, $anna_id, '... is one\'s own');
is_deeply($account->{groups}, [], '... without groups');

$answer = call($id, 'PATCH', '/account',
    { first_name => 'Анна', last_name => 'Каренина' });
is($answer->{status}, 200, 'names are changed');
is(json($answer)->{last_name}, 'Каренина', '... as the answer says');
is(json($answer)->{email}, 'anna@example.org', '... the rest stays');
is(told(), hashes($id), '... and gateways forget the old ones');
is(decode('UTF-8', header(call($id, 'GET', '/in/authenticate'),
    'X-First-Name')), 'Анна',
    '... which are asked of no more');
is(json(call($id, 'PATCH', '/account', { last_name => '' }))->{last_name}, '',
    'a last name may go');
call($id, 'PATCH', '/account', { last_name => 'X' });
is(json($idp->request('PATCH', '/account', body => '{"last_name":null}',
        headers => [ 'JSESSIONID', $id, 'Content-Type',
            'application/merge-patch+json' ]))->{last_name}, '', '... by null, too');
is_faulty(call($id, 'PATCH', '/account', { first_name => undef, email => undef }),
    { first_name => 'wrong_type', email => 'wrong_type' }, '... but no other');
is(call($id, 'PATCH', '/account', {})->{status}, 200, 'nothing is changed');
is_faulty(call($id, 'PATCH', '/account', { first_name => '', email => 'x',
        username => 'other', groups => 'admin', id => 'x' }),
    { first_name => 'required', email => 'invalid_email', username => 'unknown_field',
        groups => 'unknown_field', id => 'unknown_field' },
    'every field that is wrong or not to be changed');
is_problem(call($id, 'PATCH', '/account', undef, 'Content-Type', 'text/plain'),
    415, 'unsupported_media_type', 'a text');

$idp->sql(q(UPDATE identprov.account SET email_verified = true));
$answer = call($id, 'PATCH', '/account', { email => 'Anna@Example.org' });
is(json($answer)->{email_verified}, JSON::PP::true,
    'the same address stays verified');
is(json($answer)->{email}, 'Anna@Example.org', '... in another spelling');
is_problem(call($id, 'PATCH', '/account', { email => 'BERTA@example.org' }),
    409, 'email_taken', 'somebody else\'s verified address');
$answer = call($id, 'PATCH', '/account', { email => 'new@example.org' });
is(json($answer)->{email_verified}, JSON::PP::false,
    'another address is not verified');
is(header(call($id, 'GET', '/in/authenticate'), 'X-Email'), 'new@example.org',
    '... and answered from now on');

# --- password ----------------------------------------------------------------

my @others = map { id_of(login('anna')) } 1, 2;
told();
sub password { return call($id, 'POST', '/password', { @_ }) }
is_faulty(password(), { current => 'required', new => 'required' },
    'no passwords');
is_faulty(password(current => $PASSWORD, new => 'short'),
    { new => 'too_short' }, 'too short a new one');
is_faulty(password(current => $PASSWORD, new => 'password1'),
    { new => 'common_password' }, 'a common one');
is_faulty(password(current => $PASSWORD, new => 'anna is my name'),
    { new => 'own_words' }, 'one with the own name');
is_faulty(password(current => $OTHER, new => $OTHER),
    { current => 'wrong_password' }, 'not the current one');
is_faulty(password(current => '', new => $OTHER),
    { current => 'wrong_password' }, '... an empty one');
is(login('anna')->{status}, 200, '... nothing has changed');
is(join(' ', map { status_of($_) } @others), '200 200', '... nor ended');
is(told(), '', '... nor been told');
push @others, id_of(login('anna'));
is(password(current => $PASSWORD, new => $OTHER)->{status}, 204,
    'the password is changed');
is(login('anna')->{status}, 401, '... the old one is none');
is(join(' ', map { status_of($_) } $id, @others), '200 401 401 401',
    '... all other sessions are over');
is_told(\@others, '... and told of');
is(login('anna', $OTHER)->{status}, 200, '... the new one is good');

# --- forms -------------------------------------------------------------------

sub form {
    my ($path, $text, @headers) = @_;
    return $idp->request('POST', $path, body => $text, headers => [
            'Content-Type', 'application/x-www-form-urlencoded', @headers ]);
}

sub is_sent_on {
    my ($got, $where, $what) = @_;
    is($got->{status}, 303, $what) or diag($got->{body});
    is(header($got, 'Location') =~ s{^http://[^/]+}{}r, $where,
        "... to $where");
    return;
}

my $port = $idp->{port};
my $credentials = 'username=anna&password=' . ($OTHER =~ s/ /+/gr);
$answer = form('/login', "$credentials&return_to=%2Fapp%3Fx%3D1%262");
is_sent_on($answer, '/app?x=1&2', 'a login by form');
is(header($answer, 'JSESSIONID'), undef, '... has no header for scripts');
my ($cookie) = header($answer, 'Set-Cookie') =~ /^JSESSIONID=([\w-]{43});/;
is(status_of($cookie), 200, '... but a cookie');
is($answer->{body}, '', '... and no body');
for my $case ([ '', '/' ], [ 'x', '/' ], [ 'http://evil.example/', '/' ],
    [ '//evil.example', '/' ], [ '/\\evil.example', '/' ], [ '/', '/' ],
    [ '/%0d%0aSet-Cookie:x', '/' ], [ '/a%2509b', '/a%09b' ], [ '/%09/x', '/' ],
    [ '/ё%20"', '/%D1%91%20%22' ], [ '/' . 'a' x 2047, '/' . 'a' x 2047 ],
    [ '/' . 'a' x 2048, '/' ], [ '/%2f/x', '/' ], [ '/.//x', '/.//x' ]) {
    my $to = $case->[0];
    utf8::encode($to);
    is_sent_on(form('/login', "$credentials&return_to=$to"), $case->[1],
        'return_to=' . substr $case->[0], 0, 30);
}
is_sent_on(form('/login', $credentials), '/', 'without return_to');
is_problem(form('/login', 'username=anna&password=x&return_to=/a'), 401,
    'login_failed', 'a wrong password by form');
is_problem(form('/login', "$credentials&username=anna"), 400,
    'duplicate_member', 'a field twice');
is_problem(form('/login', "$credentials&x=%4"), 400, 'invalid_form',
    'half a percent');
is_problem(form('/login', "$credentials&x=%ff"), 400, 'invalid_encoding',
    'no UTF-8');
is_faulty(form('/login', "$credentials%00"), { password => 'control_character' },
    'a NUL');
is_faulty(form('/login', ''), { username => 'required',
        password => 'required' }, 'an empty form');

is_sent_on(form('/register', 'username=carla&password=' . ($PASSWORD =~ s/ /+/gr)
        . '&email=c%2Bx@example.org&first_name=%D0%9A&return_to=/in'),
    '/in', 'a registration by form');
$answer = login('carla');
is(json($answer)->{user}{email}, 'c+x@example.org', '... is one');
my @cookie = ('Cookie', 'JSESSIONID=' . id_of($answer));
is_sent_on(form('/account', 'first_name=Carla&return_to=/me', @cookie), '/me',
    'names by form');
is_faulty(form('/account', 'first_name=', @cookie),
    { first_name => 'required' }, '... wrong ones');
is_sent_on(form('/password', 'current=' . ($PASSWORD =~ s/ /+/gr)
        . '&new=' . ($OTHER =~ s/ /+/gr), @cookie), '/', 'a password by form');
is_sent_on(form('/sessions', 'return_to=/s', @cookie), '/s',
    'all other sessions by form');
$answer = id_of(login('carla', $OTHER));
is_sent_on(form('/sessions/' . sid($answer), '', @cookie), '/', 'one session');
is(status_of($answer), 401, '... is over');
is_sent_on(form('/logout', 'return_to=/bye', @cookie), '/bye',
    'a logout by form');
is($idp->request('GET', '/authenticate', headers => \@cookie)->{status}, 401,
    '... is one');
is_sent_on(form('/logout', 'return_to=/bye'), '/bye', '... also without one');

# --- another site cannot write -----------------------------------------------

$id = id_of(login('anna', $OTHER));
@cookie = ('Cookie', "JSESSIONID=$id");
my $here = "http://127.0.0.1:$port";
my @foreign = ([ 'Sec-Fetch-Site', 'cross-site' ],
    [ 'Sec-Fetch-Site', 'same-site' ], [ 'Origin', 'http://evil.example' ],
    [ 'Origin', 'null' ], [ 'Origin', "https://127.0.0.1:$port" ],
    [ 'Origin', 'http://127.0.0.1' ], [ 'Origin', "$here.evil.example" ],
    [ 'Sec-Fetch-Site', 'cross-site', 'Origin', $here ]);
for my $says (@foreign) {
    for my $path (qw(/login /register /logout /account /account/delete
        /password /sessions)) {
        my $got = form($path, $credentials, @cookie, @$says);
        is($got->{status}, 403, "@$says: a form to $path");
    }
    is(form('/login', $credentials, @$says)->{status}, 403,
        '... without a cookie, too');
    is_problem(call(undef, 'DELETE', '/sessions', undef, @cookie, @$says), 403,
        'cross_site', '... a session in a cookie');
    is(call($id, 'DELETE', '/sessions', undef, @cookie, @$says)->{status}, 204,
        '... not one in the header');
    is(call(undef, 'GET', '/account', undef, @cookie, @$says)->{status}, 200,
        '... nor reading');
}
for my $says ([ 'Sec-Fetch-Site', 'same-origin' ], [ 'Sec-Fetch-Site', 'none' ],
    [ 'Origin', $here ], [ 'Origin', uc $here ],
    [ 'Sec-Fetch-Site', 'same-origin', 'Origin', 'http://evil.example' ]) {
    is(form('/sessions', '', @cookie, @$says)->{status}, 303,
        "@$says may write");
}
is(status_of($id), 200, 'the session is alive');

# --- deletion ----------------------------------------------------------------

@others = ($id, map { id_of(login('anna', $OTHER)) } 1, 2);
told();
is_faulty(call($id, 'DELETE', '/account', {}), { password => 'required' },
    'deletion without a password');
is_faulty(call($id, 'DELETE', '/account', { password => $PASSWORD }),
    { password => 'wrong_password' }, '... with a wrong one');
is(status_of($id), 200, '... deletes nothing');
$answer = call($id, 'DELETE', '/account', { password => $OTHER });
is($answer->{status}, 204, '... with the right one it does');
like(header($answer, 'Set-Cookie'), qr/Max-Age=0/, '... the cookie goes');
is(join(' ', map { status_of($_) } @others), '401 401 401',
    '... with all sessions');
is_told(\@others, '... of which is told');
is(login('anna', $OTHER)->{status}, 401, '... nobody signs in');
is_problem($idp->post_json('/register', { username => 'ANNA',
            password => $PASSWORD, email => 'a@example.org',
            first_name => 'A' }), 409, 'username_taken',
    '... and nobody gets the name');
my $dump = join '', map { $idp->sql("SELECT t::text FROM identprov.$_ AS t") }
    split /\s+/, $idp->sql(q(SELECT string_agg(tablename, ' ')
        FROM pg_tables WHERE schemaname = 'identprov'));
unlike($dump, qr/\Q$_\E/i, "... nothing of it is left: $_")
    for 'new@example.org', 'Анна';
unlike($dump, qr/\banna\b/i, '... nor the name');
is(status_of($berta), 200, '... others stay');

# --- groups ------------------------------------------------------------------

is(header(call($berta, 'GET', '/in/authenticate'), 'X-Groups'), '',
    'nobody is in a group unasked');
$idp->sql(q(UPDATE identprov.account SET groups = '{admin,staff}'
    WHERE username = 'berta'));
$answer = call($berta, 'GET', '/in/authenticate');
is(header($answer, 'X-Groups'), 'admin,staff', 'groups are in a header');
my $claims = JSON::PP->new->decode(decode_base64(
    (split /\./, json($answer)->{token})[1] =~ tr{-_}{+/}r));
is_deeply($claims->{groups}, [ 'admin', 'staff' ], '... and in the token');
is_deeply(json(call($berta, 'GET', '/account'))->{groups},
    [ 'admin', 'staff' ], '... and on the account');

# --- expired sessions --------------------------------------------------------

$idp->start_identprov(1, PRUNE_INTERVAL => '300ms');
$idp->sql('INSERT INTO identprov.session (hash, account_id, created_at,'
        . ' last_used_at, expires_at) SELECT sha256(i::text::bytea), id,'
        . " now() - interval '1 day', now() - CASE WHEN i % 2 = 0"
        . " THEN interval '31 minutes' ELSE interval '1 minute' END,"
        . " now() + CASE WHEN i % 4 = 1 THEN - interval '1 second'"
        . " ELSE interval '1 hour' END FROM identprov.account,"
        . " generate_series(1, 2800) AS i WHERE username = 'berta'");
my $count = 'SELECT count(*) FROM identprov.session'
    . q( WHERE created_at < now() - interval '23 hours');
ok(wait_for(120, 'the end of the old ones', sub { $idp->sql($count) == 700 }),
    'sessions that are over are removed');
is($idp->sql("$count AND (expires_at <= now() OR last_used_at <= now()"
            . " - interval '30 minutes')"), 0, '... and only these');
is(status_of($berta), 200, '... live ones stay');
$idp->end_part('TERM', 'identprov-1');

# --- cookies by setting ------------------------------------------------------

for my $case (
    [ {}, 'Path=/; HttpOnly; SameSite=Lax' ],
    [ { COOKIE_SECURE => 'always' },
        'Path=/; HttpOnly; SameSite=Lax; Secure' ],
    [ { COOKIE_SAMESITE => 'strict', COOKIE_DOMAIN => 'example.org' },
        'Path=/; HttpOnly; Domain=example.org; SameSite=Strict' ],
    [ { COOKIE_SAMESITE => 'none' },
        'Path=/; HttpOnly; SameSite=None; Secure' ],
    [ { SESSION_NAME => '__Host-sid' },
        'Path=/; HttpOnly; SameSite=Lax; Secure' ]) {
    my ($env, $attributes) = @$case;
    my $name = $env->{SESSION_NAME} // 'JSESSIONID';
    $idp->start_identprov(1, %$env);
    my $got = $idp->post_json('/1/login',
        { username => 'berta', password => $PASSWORD });
    my $new = header($got, $name);
    is(header($got, 'Set-Cookie'), "$name=$new; $attributes",
        join ' ', 'cookie by', %$env);
    $got = $idp->request('POST', '/1/logout', headers => [ $name, $new ]);
    like(header($got, 'Set-Cookie'), qr/^$name=; \Q$attributes\E; Max-Age=0/,
        '... cleared by the same');
    $idp->end_part('TERM', 'identprov-1');
}
for my $case ([ COOKIE_DOMAIN => 'a;b' ], [ COOKIE_SECURE => 'maybe' ],
    [ COOKIE_SAMESITE => 'no' ],
    [ COOKIE_DOMAIN => 'example.org', SESSION_NAME => '__Host-sid' ]) {
    my ($status, undef, $errors) = $idp->run(['serve'], env => { @$case });
    is($status, 2, "@$case is refused");
    like($errors, qr/IDENTPROV_$case->[0]/, '... by name');
}

$idp->stops_cleanly;
done_testing;
