# Every answer of identprov, and what each of its endpoints refuses.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use FastCGI;
use Idp qw(header json);
use JSON::PP;
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $idp = Idp->start;
my $SENTENCE = 'Please go to login...';
my $UUID = qr/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-
    [0-9a-f]{12}$/x;
my %ivan = (
    username => 'Иван',
    password => 'correct horse',
    email => 'Ivan@Example.org',
    first_name => 'Иван',
    last_name => 'Петров');

sub register { return $idp->post_json($_[1] // '/register', $_[0]) }

sub login {
    my ($username, $password, @headers) = @_;
    return $idp->post_json('/login',
        { username => $username, password => $password },
        headers => \@headers);
}

sub is_problem {
    my ($answer, $status, $code, $what) = @_;
    is($answer->{status}, $status, $what) or diag($answer->{body});
    my $problem = json($answer) // {};
    is(header($answer, 'Content-Type'), 'application/problem+json',
        '... a problem');
    is($problem->{status}, $status, '... of its status');
    is($problem->{code}, $code, "... $code");
    like($problem->{request_id}, qr/^[0-9a-f]{32}$/, '... and request id');
    is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
    return $problem;
}

# All of an answer but the time and the request id.
sub without_ids {
    my ($got) = @_;
    my @pairs = @{ $got->{headers} };
    my $text = "$got->{status}\n";
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $text .= "$name: $value\n" if $name !~ /^(?:Date|X-Request-Id)$/i;
    }
    return $text . $got->{body} =~ s/"request_id":"\w+"//r;
}

sub fields {
    my ($problem) = @_;
    return { map { $_->{field} => $_->{code} } @{ $problem->{errors} } };
}

# What identprov itself says, before nginx takes X-Accel-Expires off.
sub ask {
    my ($method, $path, @headers) = @_;
    return FastCGI::ask($idp->room . '/identprov-0.sock',
        [ REQUEST_METHOD => $method, SCRIPT_NAME => '', PATH_INFO => $path,
            REQUEST_ID => '0' x 32, REMOTE_ADDR => '127.0.0.1', @headers ],
        '');
}

# --- register ----------------------------------------------------------------

my $answer = register(\%ivan);
is($answer->{status}, 201, 'register') or diag($answer->{body});
my $ivan = json($answer);
is(join(' ', sort keys %$ivan),
    'created_at email email_verified first_name id last_name username',
    '... answers with these members and no other');
like($ivan->{id}, $UUID, '... a UUID');
is($ivan->{$_}, $ivan{$_}, "... $_ as given")
    for qw(username email first_name last_name);
ok(!$ivan->{email_verified}, '... an e-mail that nobody has verified');
like($ivan->{created_at}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    '... a time');
is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
is(header($answer, 'Set-Cookie'), undef, '... without a session');

for my $name ('Иван', 'иВАН', 'Ива́н' =~ s/\x{301}//r) {
    is_problem(register({ %ivan, username => $name }), 409, 'username_taken',
        "$name is taken");
}
$answer = register({ %ivan, username => 'ivan2', email => 'IVAN@example.ORG' });
is($answer->{status}, 201, 'an e-mail that is not verified blocks nobody');
$idp->sql(q(UPDATE identprov.account SET email_verified = true
    WHERE username = 'ivan2'));
is_problem(register({ %ivan, username => 'ivan3',
            email => 'ivan@EXAMPLE.org' }), 409, 'email_taken', 'one that is verified does');
is($idp->sql(q(SELECT count(*) FROM identprov.issued_username)), 2,
    '... and the refused name is not used up');
is(register({ %ivan, username => 'ivan3', email => 'i3@example.org' })
    ->{status}, 201, '... but free');

$idp->sql(q(DELETE FROM identprov.account WHERE username = 'ivan3'));
is_problem(register({ %ivan, username => 'IVAN3', email => 'x@example.org' }),
    409, 'username_taken',
    'the name of a deleted account is never issued again');

$answer = register({ %ivan, username => 'nolast', email => 'n@example.org',
    last_name => '' });
is(json($answer)->{last_name}, '', 'a last name may be empty');
delete $ivan{last_name};
$answer = register({ %ivan, username => 'nolast2', email => 'n2@example.org' });
is(json($answer)->{last_name}, '', '... or left out');

my @taken = $idp->at_once(50, sub {
    return register({ %ivan, username => 'together',
            email => "together$_[0]\@example.org" });
});
is(scalar(grep { $_->{status} == 201 } @taken), 1,
    'of 50 registrations of one name at once, one succeeds');
is(scalar(grep { $_->{status} != 201 && $_->{status} != 409
            && $_->{status} != 503 } @taken), 0, '... no other is odd');
is($idp->sql(q(SELECT count(*) FROM identprov.account
    WHERE username_key = 'together')), 1, '... and there is one account');

my $problem = is_problem(register({ username => 'a b', password => 'short',
            email => 'nowhere', first_name => "x\x{1}", last_name => 5,
            id => 1, role => 'admin' }),
    422, 'invalid_fields', 'everything that is wrong is said at once');
is_deeply(fields($problem), {
        username => 'invalid_character', password => 'too_short',
        email => 'invalid_email', first_name => 'control_character',
        last_name => 'wrong_type', id => 'unknown_field',
        role => 'unknown_field' }, '... by name');
is(scalar @{ $problem->{errors} }, 7, '... once each');
$problem = is_problem(register({}), 422, 'invalid_fields', 'an empty object');
is_deeply(fields($problem), { map { $_ => 'required' }
            qw(username password email first_name) }, '... lacks these');
for my $value (JSON::PP::null, JSON::PP::true, 7, 1.5, [], {}) {
    my $text = JSON::PP->new->allow_nonref->encode($value);
    is_deeply(fields(json(register({ %ivan, username => $value }))),
        { username => 'wrong_type' }, "a username that is $text");
}
for my $field (qw(username password email first_name last_name)) {
    for my $control ("\x{1}", "\n", "\x1b", "\x7f", "\x{85}") {
        is_deeply(fields(json(register(
                    { %ivan, $field => "correct${control}horse" }))),
            { $field => 'control_character' },
            sprintf '%s with U+%04X', $field, ord $control);
    }
}
is_deeply(fields(json(register(
            { %ivan, password => 'my ИВАН password' }))),
    { password => 'own_words' }, 'a password with the username in it');
is_deeply(fields(json(register({ %ivan, password => 'PassWord123' }))),
    { password => 'common_password' }, 'a common password');
is_deeply(fields(json(register({ %ivan, last_name => 'Петров',
            password => 'Mr Петров' }))),
    { password => 'own_words' }, 'the last name');
is_deeply(fields(json(register({ %ivan, password => 'for IdentGW now' }))),
    { password => 'own_words' }, "the service's name");
$problem = json(register({ map { ("x$_" => 1) } 1 .. 2000 }));
is(scalar @{ $problem->{errors} }, 36, 'of 2,000 unknown members 32 are named');

# --- what is no JSON object --------------------------------------------------

my @bodies = (
    [ '{', 400, 'invalid_json' ],
    [ '', 400, 'invalid_json' ],
    [ '[]', 400, 'not_an_object' ],
    [ '"x"', 400, undef ],
    [ '{"username":"a","username":"b"}', 400, 'duplicate_member' ],
    [ '{"a":' x 17 . '1' . '}' x 17, 400, 'too_deep' ],
    [ "{\"username\":\"\xff\"}", 400, 'invalid_encoding' ],
    [ '{"a":1} x', 400, 'invalid_json' ],
);
for my $path ('/register', '/login') {
    for my $body (@bodies) {
        my ($text, $status, $code) = @$body;
        $answer = $idp->post_json($path, $text);
        $code //= json($answer)->{code};
        is_problem($answer, $status, $code, "$path: " . substr $text, 0, 20);
    }
    is_problem($idp->post_json($path, '{"a":"' . 'x' x 66_000 . '"}'), 413,
        'body_too_large', "$path: 66,000 bytes");
    for my $type (undef, 'text/plain',
        'multipart/form-data; boundary=x', 'application/jsonx',
        'application/json; charset=latin1') {
        $answer = $idp->request('POST', $path, body => '{}',
            headers => [ defined $type ? ('Content-Type', $type) : () ]);
        is_problem($answer, 415, 'unsupported_media_type',
            "$path: " . ($type // 'no type'));
    }
}

# --- paths and methods -------------------------------------------------------

for my $path ('/', '/registers', '/register/', '/Register', '/login/x',
    '/authenticate.css', '/.well-known/', '/revocations', '/metrics') {
    is_problem($idp->request('GET', $path), 404, 'not_found', "GET $path");
}
my %allowed = (
    '/register' => 'POST', '/login' => 'POST', '/logout' => 'POST',
    '/authenticate' => 'GET, HEAD', '/signin' => 'GET, HEAD',
    '/.well-known/jwks.json' => 'GET, HEAD', '/healthz' => 'GET, HEAD',
    '/readyz' => 'GET, HEAD');
for my $path (sort keys %allowed) {
    for my $method (qw(GET POST PUT PATCH DELETE FOO)) {
        next if $allowed{$path} =~ /\b$method\b/;
        $answer = $idp->request($method, $path);
        is_problem($answer, 405, 'method_not_allowed', "$method $path");
        like(header($answer, 'Allow'), qr/\b\Q$allowed{$path}\E\b/,
            '... says what is allowed');
    }
}

# --- login -------------------------------------------------------------------

$answer = login('иван', 'correct horse');
is($answer->{status}, 200, 'login, the name in other letters');
my $session = header($answer, 'JSESSIONID');
like($session, qr/^[A-Za-z0-9_-]{43}$/, '... a session id as header');
is(header($answer, 'Set-Cookie'),
    "JSESSIONID=$session; Path=/; HttpOnly; SameSite=Lax",
    '... and as cookie');
is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
my $body = json($answer);
is(join(' ', sort keys %$body), 'expires_at user',
    '... user and end in the body, no more');
is_deeply($body->{user}, $ivan, '... the user as registered');
like($body->{expires_at}, qr/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
    '... and when the session ends');
unlike($answer->{body}, qr/\Q$session\E/, '... the id is not in the body');

is(header($idp->post_json('/tls/login',
            { username => 'Иван', password => 'correct horse' }),
        'Set-Cookie') =~ s/=[^;]*//r,
    'JSESSIONID; Path=/; HttpOnly; SameSite=Lax; Secure',
    'over TLS the cookie is Secure');

register({ %ivan, username => 'gone', email => 'gone@example.org' });
$idp->sql(q(UPDATE identprov.account SET disabled = true
    WHERE username = 'gone'));
my @refused = (
    [ 'Иван', 'Correct horse' ], [ 'Иван', 'correct horse ' ],
    [ 'Иван', '' ], [ 'nobody', 'correct horse' ], [ 'nobody', '' ],
    [ '', 'correct horse' ], [ '', '' ], [ 'gone', 'correct horse' ],
    [ 'gone', 'wrong' ], [ 'Иван', 'x' x 5000 ],
    [ 'x' x 5000, 'correct horse' ], [ 'ivan3', 'correct horse' ],
    [ q(' OR 1=1 --), 'correct horse' ]);
my %seen;
for my $try (@refused) {
    $answer = login(@$try);
    is($answer->{status}, 401, "login as '" . substr($try->[0], 0, 9)
            . "' with '" . substr($try->[1], 0, 14) . "'");
    is(header($answer, 'WWW-Authenticate'), 'Session realm="identgw"',
        '... is challenged');
    is(header($answer, 'Set-Cookie'), undef, '... without a cookie');
    is(header($answer, 'JSESSIONID'), undef, '... without a session');
    $seen{ without_ids($answer) }++;
}
is(scalar keys %seen, 1, '... all with one head and one body')
    or diag(join "\n\n", keys %seen);

is_deeply(fields(json($idp->post_json('/login', { username => 1, x => 2 }))),
    { username => 'wrong_type', password => 'required', x => 'unknown_field' },
    'a login with wrong members');
is_deeply(fields(json(login('Иван', "correct\x{1}horse"))),
    { password => 'control_character' }, 'a control character in a password');
is_problem(login('Иван', "correct horse\0"), 400, 'invalid_encoding',
    'a NUL is no text at all');
is_problem($idp->request('GET', '/login?username=ivan2&password=x'), 405,
    'method_not_allowed', 'no login by query');
register({ %ivan, username => 'fi', email => 'fi@example.org',
        password => "\x{fb01}ve e\x{301}toiles" });
is(login('fi', $_)->{status}, 200, 'a password is one in every normal form')
    for "five \x{e9}toiles", "\x{fb01}ve e\x{301}toiles",
    "\x{ff46}ive\x{a0}\x{e9}toiles";

# --- authenticate ------------------------------------------------------------

$answer = $idp->request('GET', '/authenticate',
    headers => [ 'JSESSIONID', $session ]);
is($answer->{status}, 200, 'authenticate');
$body = json($answer);
is(join(' ', sort keys %$body), 'expires_in token token_type', '... its body');
is($body->{token_type}, 'Bearer', '... a bearer token');
is($body->{expires_in}, 300, '... for five minutes');
is(header($answer, 'Authorization'), "Bearer $body->{token}",
    '... the same in Authorization');
is(header($answer, 'X-User'), "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd",
    '... X-User as UTF-8');
is(header($answer, 'X-Email'), 'Ivan@Example.org', '... X-Email');
is(header($answer, 'X-First-Name'), "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd",
    '... X-First-Name as UTF-8');
is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
is(header(ask('GET', '/authenticate', HTTP_JSESSIONID => $session),
        'X-Accel-Expires'), 240, '... a gateway may keep it for four minutes');

is($idp->request('GET', '/authenticate',
        headers => [ 'Cookie', "a=b; JSESSIONID=$session" ])->{status},
    200, 'with the cookie');
$answer = $idp->request('HEAD', '/authenticate',
    headers => [ 'JSESSIONID', $session ]);
is("$answer->{status}$answer->{body}", 200, 'HEAD: the same without a body');

my @not_in = (
    [ [], 'nothing' ],
    [ [ 'JSESSIONID', '' ], 'an empty header' ],
    [ [ 'JSESSIONID', 'A' x 43 ], 'an id that never was' ],
    [ [ 'JSESSIONID', "${session}x" ], 'a longer id' ],
    [ [ 'JSESSIONID', substr $session, 0, 42 ], 'a shorter id' ],
    [ [ 'JSESSIONID', lc $session ], 'an id in other letters' ],
    [ [ 'JSESSIONID', 'x' x 600 ], 'a far longer id' ],
    [ [ 'JSESSIONID', '', 'Cookie', "JSESSIONID=$session" ],
        'an empty header beside a good cookie' ],
    [ [ 'JSESSIONID', 'A' x 43, 'Cookie', "JSESSIONID=$session" ],
        'an unknown header beside a good cookie' ],
    [ [ 'Cookie', "JSESSIONID=$session; JSESSIONID=x" ],
        'two different cookies' ],
    [ [ 'Cookie', "JSESSIONID=x; JSESSIONID=$session" ],
        '... in the other order' ],
    [ [ 'Cookie', 'JSESSIONID=x', 'Cookie', "JSESSIONID=$session" ],
        'two different cookies on two lines' ],
    [ [ 'Authorization', "Bearer $body->{token}" ], 'a bearer token' ],
    [ [ 'Authorization', "Bearer $session" ], 'the id as a bearer token' ]);
for my $try (@not_in) {
    $answer = $idp->request('GET', '/authenticate', headers => $try->[0]);
    $problem = is_problem($answer, 401, 'no_session', $try->[1]);
    is(header($answer, 'WWW-Authenticate'), 'Session realm="identgw"',
        '... is challenged');
    like($problem->{detail}, qr/header or cookie JSESSIONID.*bearer token/,
        '... and told what to send');
    is(header($answer, $_), undef, "... no $_")
        for qw(Authorization X-User X-Email X-First-Name);
}
# Since 1.23 nginx makes one value of two.
like($idp->request('GET', '/authenticate', headers =>
            [ 'JSESSIONID', $session, 'JSESSIONID', $session ])->{status},
    qr/^40[01]$/, 'the header twice is no request, or no session');
is($idp->request('GET', "/authenticate?JSESSIONID=$session")->{status}, 401,
    'an id in the query is none');

# The longest that the rules allow, in the widest characters.
my %wide = (
    username => "\x{10400}" x 64, password => "\x{1f600}" x 128,
    email => 'e' x 62 . '@' . join('.', ('d' x 63) x 3),
    first_name => "\x{1f642}" x 100, last_name => '"' x 100);
is(register(\%wide)->{status}, 201, 'the longest of all');
$answer = $idp->request('GET', '/authenticate', headers => [ 'JSESSIONID',
        header(login(@wide{qw(username password)}), 'JSESSIONID') ]);
is($answer->{status}, 200, '... has a session');
is(length header($answer, 'X-First-Name'), 400, '... and whole headers');
cmp_ok(length json($answer)->{token}, '<=', 4096, '... and a token for all');

# --- another name of the session ---------------------------------------------

$answer = $idp->post_json('/sid/login',
    { username => 'Иван', password => 'correct horse' });
my $other = header($answer, 'sid');
like(header($answer, 'Set-Cookie'), qr/^sid=\Q$other\E; /,
    'the gateway names header and cookie');
is($idp->request('GET', '/sid/authenticate',
        headers => [ 'SID', $other ])->{status}, 200, '... reads the header');
is($idp->request('GET', '/sid/authenticate',
        headers => [ 'Cookie', "sid=$other" ])->{status}, 200,
    '... and the cookie');
is($idp->request('GET', '/sid/authenticate',
        headers => [ 'JSESSIONID', $other ])->{status}, 401,
    '... and no other');
like(json($idp->request('GET', '/sid/authenticate'))->{detail},
    qr/header or cookie sid;/, '... and says so');

# --- sign-in -----------------------------------------------------------------

my @accepts = (
    [ undef, 'text/plain; charset=utf-8' ],
    [ '*/*', 'text/plain; charset=utf-8' ],
    [ 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
        'text/html; charset=utf-8' ],
    [ 'application/json', 'application/problem+json' ]);
for my $where ('', '/in') {
    for my $accept (@accepts) {
        my ($line, $type) = @$accept;
        $answer = $idp->request('GET', "$where/signin",
            headers => [ defined $line ? ('Accept', $line) : () ]);
        my $is_problem = $type =~ /problem/;
        is(header($answer, 'Content-Type'), $type,
            "sign-in for " . ($line // 'no Accept'));
        is($answer->{status}, $is_problem && !$where ? 401 : 200,
            "... $where");
        like($answer->{body}, qr/\Q$SENTENCE\E/, '... with the sentence');
        is(header($answer, 'Vary'), join(', ', 'Accept',
                $type =~ /html/ ? 'Accept-Language' : (),
                'Sec-Fetch-Mode', 'Sec-Fetch-Dest'), '... varies');
        is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
        next if !$is_problem;
        is(json($answer)->{status}, 401, '... a problem of status 401');
        like(json($answer)->{detail}, qr/JSESSIONID.*bearer token is not/,
            '... that says what to send');
    }
}
is(header(ask('GET', '/signin', IDENTGW_INTERNAL => 1), 'X-Accel-Expires'), 60,
    'a gateway may keep the sign-in text');
is(header(ask('GET', '/signin', IDENTGW_INTERNAL => 1,
            HTTP_ACCEPT => $_), 'X-Accel-Expires'), undef, "... but no $_")
    for 'text/html', 'application/json';
is(header(ask('GET', '/signin'), 'X-Accel-Expires'), undef,
    '... and nobody else is told');
is($idp->request('GET', '/signin')->{body}, "$SENTENCE\n",
    'plain text is the sentence and a newline');

my $hint = $idp->request('GET', '/in/signin',
    headers => [ 'X-Identgw-Hint', 'bearer' ])->{body};
like($hint,
    qr/^\Q$SENTENCE\E\n.*bearer token.*header or cookie JSESSIONID\.\n$/,
    'a client that sent a bearer token reads what to send');

# --- keys and health ---------------------------------------------------------

$answer = $idp->request('GET', '/.well-known/jwks.json');
is(header($answer, 'Content-Type'), 'application/json', 'the key set');
like(header($answer, 'Cache-Control'), qr/max-age=\d+/, '... may be kept');
my @keys = @{ json($answer)->{keys} };
is(scalar @keys, 1, '... one key');
is(join(' ', sort keys %{ $keys[0] }), 'alg crv kid kty use x y',
    '... with public members only');
is(json($idp->request('GET', '/healthz'))->{status}, 'live', 'it lives');
is(json($idp->request('GET', '/readyz'))->{status}, 'ready', 'it is ready');
$idp->sql('UPDATE identprov.schema_version SET version = version + 7');
is_problem($idp->request('GET', '/readyz'), 503, 'not_ready',
    'another schema is not ready');
is_problem($idp->request('GET', '/in/readyz'), 503, 'wrong_schema',
    '... the reason is said internally');
$idp->sql('UPDATE identprov.schema_version SET version = version - 7');

# --- logout ------------------------------------------------------------------

my $cleared = 'JSESSIONID=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0;'
    . ' Expires=Thu, 01 Jan 1970 00:00:00 GMT';
my $by_cookie = header(login('Иван', 'correct horse'), 'JSESSIONID');
for my $try ([ 'JSESSIONID', $session, 'Cookie', "JSESSIONID=$by_cookie" ],
    [ 'JSESSIONID', $session ], [], [ 'JSESSIONID', 'x' x 600 ],
    [ 'Cookie', 'JSESSIONID=a; JSESSIONID=b' ]) {
    $answer = $idp->request('POST', '/logout', headers => $try);
    is("$answer->{status}$answer->{body}", 204, 'logout with ' . @$try / 2
            . ' lines');
    is(header($answer, 'Set-Cookie'), $cleared, '... clears the cookie');
    is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
}
my ($one, $two) = map {
    header(login('Иван', 'correct horse'), 'JSESSIONID') } 1, 2;
$idp->request('POST', '/logout',
    headers => [ 'Cookie', "JSESSIONID=$one; JSESSIONID=$two" ]);
is($idp->request('GET', '/authenticate', headers => [ 'JSESSIONID', $_ ])
        ->{status}, 401, 'of two cookies each session is over')
    for $one, $two;
for my $id ($session, $by_cookie) {
    is($idp->request('GET', '/authenticate', headers => [ 'JSESSIONID', $id ])
            ->{status}, 401, 'header\'s and cookie\'s session are both over');
}
is(header($idp->request('POST', '/tls/logout'), 'Set-Cookie') =~ s/;.*//r,
    'JSESSIONID=', 'over TLS, too');
like(header($idp->request('POST', '/tls/logout'), 'Set-Cookie'), qr/; Secure;/,
    '... with the same attributes');

# --- under a prefix, and closed ----------------------------------------------

is(register({ %ivan, username => 'pre', email => 'p@example.org' },
        '/auth/register')->{status}, 201, 'all works under a prefix');
is($idp->request('GET', '/auth/signin')->{body}, "$SENTENCE\n", '...');

$idp->start_identprov(1, REGISTRATION => undef);
is_problem(register({ %ivan, username => 'late' }, '/1/register'), 403,
    'registration_closed', 'registration is closed unless it is opened');

unlike($idp->log(0), qr/$_/, 'the log has no such secret')
    for qw(correct horse eyJ), map { quotemeta } $session, $other, $by_cookie;
is(scalar(grep { !eval { decode_json($_) } } split /\n/, $idp->log(0)), 0,
    '... and is JSON on every line');
$idp->stops_cleanly;
done_testing;
