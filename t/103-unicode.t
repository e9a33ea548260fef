# Names in any script arrive intact: in the JWT, in X-First-Name at the
# application, and in the profile.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Encode qw(decode encode);
use FastCGI;
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use Stack qw(header json wait_for);
use Test::More;

binmode $_, ':utf8' for map { Test::More->builder->$_ }
    qw(output failure_output todo_output);

my $stack = Stack->start(http => <<'HTTP', conf => <<'CONF');
upstream echo {
    server unix:@VAR@/echo.sock;
}
HTTP
location = /echo {
    identgw on;
    fastcgi_pass echo;
}
CONF
$stack->add_helper(FastCGI::echo("$stack->{var}/echo.sock"));

my $decomposed = "Jose\x{301}";
my @users = (
    [ 'ivan', 'Иван', 'Иванов', 'Иван' ],
    [ 'taro', '太郎', '山田', '太郎' ],
    [ 'jose', 'José', 'Peña', 'José' ],
    [ 'jose2', $decomposed, 'Peña', 'José' ],
    [ 'Иван', 'Иван', 'Петров', 'Иван' ],
    [ '太郎', '太郎', '鈴木', '太郎' ],
    [ 'josé', 'José', 'Núñez', 'José' ],
    [ 'ali', 'علي', 'رضایی', 'علي' ],
    [ 'emoji', 'Zoë 𝒳', "O'Neil-Ångström", 'Zoë 𝒳' ],
);

for my $user (@users) {
    my ($username, $first, $last, $kept) = @$user;
    my $email = 'user' . unpack('H*', encode('UTF-8', $username))
        . '@example.org';
    my $session = $stack->session($username, email => $email,
        first_name => $first, last_name => $last);
    my @headers = ('JSESSIONID', $session);

    my $token = json($stack->request('GET', '/authenticate',
            headers => \@headers))->{token};
    my $claims = decode_json(decode_base64url((split /\./, $token)[1]));
    is_deeply([ @$claims{qw(preferred_username given_name family_name
                    email)} ],
        [ $username, $kept, $last, $email ], "$username: in the JWT");

    my $echo = $stack->request('POST', '/echo', headers => \@headers,
        body => '');
    my %params = map { split /=/, $_, 2 }
        split /\n/, decode('UTF-8', $echo->{body});
    is_deeply([ @params{qw(HTTP_X_USER HTTP_X_FIRST_NAME HTTP_X_EMAIL)} ],
        [ $username, $kept, $email ], '... at the application');

    my $profile = {
        given_name => $first,
        nickname => "$username $last",
        bio => "$first\n$last\n",
        address => { locality => "$last ☕" },
        custom => { $first => [ $last, { $username => $first } ] }
    };
    my $answer = $stack->post_json('/userprofile', $profile,
        headers => \@headers);
    is($answer->{status}, 201, '... a profile') or diag($answer->{body});
    $answer = json($stack->request('GET', '/userprofile',
            headers => \@headers));
    delete @$answer{qw(sub updated_at)};
    is_deeply($answer, {
            %$profile,
            preferred_username => $username,
            given_name => $kept,
            bio => "$kept\n$last\n" },
        '... comes back, its text in NFC');
}

# A name compares by its folded form and keeps the spelling of its owner.
my $answer = $stack->post_json('/register', {
        username => 'ИВАН', password => 'another long password',
        email => 'else@example.org', first_name => 'И' });
is($answer->{status}, 409, 'ИВАН is taken by Иван');
is(json($answer)->{code}, 'username_taken', '... says so');
ok($stack->login('ИВАН', "correct horse $$ battery"),
    'and Иван may log in as ИВАН');

$stack->stops_cleanly;
done_testing();
