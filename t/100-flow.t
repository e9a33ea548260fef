# The eight rows of the flow through real HTTP: at / and below a prefix, with
# the session in the header and in the cookie, two users at the same time.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Stack qw(header headers json);
use Test::More;

# identprov once more, below a prefix.
my $stack = Stack->start(conf => <<'CONF');
location ~ ^/auth(/(?:register|login|authenticate|logout|signin))$ {
    identgw_purge on;
    identgw off;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param SCRIPT_NAME /auth;
    fastcgi_param PATH_INFO $1;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param REQUEST_ID $request_id;
    fastcgi_param REMOTE_ADDR $remote_addr;
    fastcgi_param IDENTGW_SESSION_NAME JSESSIONID;
    fastcgi_hide_header Authorization;
    fastcgi_hide_header X-User;
    fastcgi_hide_header X-Email;
    fastcgi_hide_header X-First-Name;
    fastcgi_pass identprov;
}
CONF

my $signin = "Please go to login...\n";

sub in_header { return [ 'JSESSIONID', $_[0] ] }
sub in_cookie { return [ 'Cookie', "theme=dark; JSESSIONID=$_[0]; a=b" ] }

sub no_identity {
    my ($answer, $what) = @_;
    is_deeply([ map { headers($answer, $_) }
            qw(Authorization X-User X-Email X-First-Name) ],
        [], "$what: no identity in the answer's headers");
    return;
}

sub register {
    my ($prefix, $user) = @_;
    my $answer = $stack->post_json("$prefix/register", $user);
    is($answer->{status}, 201, "row 1, $user->{username}: registered");
    is(header($answer, 'Content-Type'), 'application/json', '... as JSON');
    my $got = json($answer);
    like(delete $got->{id}, qr/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
        '... with an id');
    ok(delete $got->{created_at}, '... and its time');
    ok(defined $got->{email_verified} && !delete $got->{email_verified},
        '... the e-mail not verified');
    is_deeply($got, { map { $_ => $user->{$_} }
            qw(username email first_name last_name) },
        '... the user that was sent, without the password');
    return;
}

sub login {
    my ($prefix, $user) = @_;
    my $answer = $stack->post_json("$prefix/login",
        { map { $_ => $user->{$_} } qw(username password) });
    is($answer->{status}, 200, "row 2, $user->{username}: logged in");
    my @ids = headers($answer, 'JSESSIONID');
    is(scalar @ids, 1, '... one JSESSIONID');
    like($ids[0], qr/^[A-Za-z0-9_-]{43}$/, '... of 32 random bytes');
    is_deeply([ headers($answer, 'Set-Cookie') ],
        [ "JSESSIONID=$ids[0]; Path=/; HttpOnly; SameSite=Lax" ],
        '... the same as a cookie');
    like(header($answer, 'Cache-Control'), qr/no-store/, '... not to store');
    is(json($answer)->{user}{username}, $user->{username}, '... the user');
    ok(json($answer)->{expires_at}, '... until when');
    unlike($answer->{body}, qr/\Q$ids[0]\E/, '... the id not in the body');
    return $ids[0];
}

sub authenticate {
    my ($prefix, $user, $session) = @_;
    my $answer = $stack->request('GET', "$prefix/authenticate",
        headers => $session);
    is($answer->{status}, 200, "row 3, $user->{username}: a token");
    my $got = json($answer);
    like($got->{token}, qr/^[\w-]+\.[\w-]+\.[\w-]{86}$/, '... compact JWS');
    is($got->{token_type}, 'Bearer', '... to bear');
    cmp_ok($got->{expires_in}, '<=', 300, '... for at most 5 minutes');
    cmp_ok($got->{expires_in}, '>', 200, '... and not much less');
    no_identity($answer, 'row 3');
    return;
}

# What the profile's answer must hold besides sub and updated_at.
sub is_profile {
    my ($answer, $status, $user, $profile, $what) = @_;
    is($answer->{status}, $status, $what)
        or diag($answer->{body});
    my $got = json($answer) || {};
    ok(delete $got->{sub}, '... with the subject');
    like(delete $got->{updated_at}, qr/^\d{10}$/, '... the time');
    is_deeply($got, { preferred_username => $user->{username}, %$profile },
        '... and exactly what was sent');
    is(header($answer, 'Content-Type'), 'application/json', '... as JSON');
    like(header($answer, 'Cache-Control'), qr/no-store/, '... not to store');
    no_identity($answer, $what);
    return;
}

sub is_signin {
    my ($answer, $what, $method) = @_;
    is($answer->{status}, 401, $what);
    is($answer->{body}, ($method // 'GET') eq 'HEAD' ? '' : $signin,
        '... the sign-in text');
    like(header($answer, 'Content-Type'), qr{^text/plain}, '... as text');
    is(header($answer, 'Content-Length'), length $signin, '... its length');
    like(header($answer, 'WWW-Authenticate'), qr/^Session realm="identgw"/,
        '... complete');
    like(header($answer, 'Cache-Control'), qr/no-store/, '... not to store');
    like(header($answer, 'X-Request-Id'), qr/^[0-9a-f]{32}$/, '... with id');
    no_identity($answer, $what);
    return;
}

my $round = 0;
for my $prefix ('', '/auth') {
    for my $carry (\&in_header, \&in_cookie) {
        $round++;
        my @users = map { +{
            username => "$_$round",
            password => "correct horse $$ battery",
            email => "$_$round\@example.org",
            first_name => ucfirst $_,
            last_name => 'Tester'
        } } qw(anna boris);
        note("round $round: at $prefix/, ",
            $carry == \&in_header ? 'header' : 'cookie');

        register($prefix, $_) for @users;
        my @ids = map { login($prefix, $_) } @users;
        isnt($ids[0], $ids[1], 'each user has a session of its own');
        my @sessions = map { $carry->($_) } @ids;
        authenticate($prefix, $users[$_], $sessions[$_]) for 0, 1;

        is_deeply([ map { $stack->request('GET', '/userprofile',
                    headers => $_)->{status} } @sessions ],
            [ 404, 404 ], 'no profile before there is one');
        is($stack->send_json('PUT', '/userprofile', {},
                headers => $sessions[0])->{status},
            404, 'nothing to replace');

        my @profiles = map { +{
            given_name => $_->{first_name},
            website => "https://$_->{username}.example.org/",
            address => { locality => "Town of $_->{username}" },
            custom => { tags => [ $_->{username}, 1, JSON::PP::true ] }
        } } @users;
        is_profile($stack->post_json('/userprofile', $profiles[$_],
                headers => $sessions[$_]),
            201, $users[$_], $profiles[$_], "row 4, user $_: created")
            for 0, 1;
        is($stack->post_json('/userprofile', $profiles[1],
                headers => $sessions[0])->{status},
            409, 'a second POST is a conflict');
        is_profile($stack->request('GET', '/userprofile',
                headers => $sessions[$_]),
            200, $users[$_], $profiles[$_], "row 5, user $_: read")
            for 1, 0;
        my $head = $stack->request('HEAD', '/userprofile',
            headers => $sessions[0]);
        is("$head->{status}:$head->{body}", '200:', 'HEAD has no body');

        my $new = { nickname => 'Новая', birthdate => '0000-02-29' };
        is_profile($stack->send_json('PUT', '/userprofile', $new,
                headers => $sessions[0]),
            200, $users[0], $new, 'row 6: replaced whole');
        is_profile($stack->request('GET', '/userprofile',
                headers => $sessions[$_]),
            200, $users[$_], $_ ? $profiles[1] : $new,
            "row 6, user $_: what stands there") for 0, 1;

        my $logout = $stack->request('POST', "$prefix/logout",
            headers => $sessions[0], body => '');
        is($logout->{status}, 204, 'row 7: logged out');
        is($logout->{body}, '', '... nothing more to say');
        like(header($logout, 'Set-Cookie'),
            qr/^JSESSIONID=; Path=\/; .*HttpOnly; SameSite=Lax/,
            '... the cookie is cleared');

        is_signin($stack->request($_, '/userprofile',
                headers => $sessions[0], $_ eq 'PUT' ? (body => '{}') : ()),
            "row 8: $_ after logout", $_) for qw(GET HEAD PUT);
        is($stack->request('GET', "$prefix/authenticate",
                headers => $sessions[0])->{status},
            401, 'no token either');
        is_profile($stack->request('GET', '/userprofile',
                headers => $sessions[1]),
            200, $users[1], $profiles[1], "the other's session goes on");

        my $again = login($prefix, $users[0]);
        isnt($again, $ids[0], 'a new login is a new session');
        is_profile($stack->request('GET', '/userprofile',
                headers => $carry->($again)),
            200, $users[0], $new, 'which finds the profile again');
        is($stack->request('GET', '/userprofile',
                headers => $sessions[0])->{status},
            401, 'the old one stays ended');
    }
}

is_signin($stack->request('GET', '/userprofile'), 'no session at all');
is_signin($stack->request('POST', '/userprofile', body => 'x' x 50000),
    'no session, and a body on its way');
my $answer = $stack->request('GET', '/signin');
is("$answer->{status}:$answer->{body}", "200:$signin", '/signin itself');

my @warnings = grep { /\[(warn|error|crit|alert|emerg)\]/ }
    split /^/, $stack->log('nginx-error');
is_deeply(\@warnings, [], 'nothing to complain of in the error log');
$stack->stops_cleanly;
done_testing();
