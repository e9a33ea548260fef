# The profile's page through the gateway, as browsers get it and without one:
# the form and its errors, what is done at once elsewhere, other sites, and that
# who wants JSON sees nothing of all this. t/610-browser.t uses it.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Digest::SHA qw(sha256_base64);
use Encode qw(decode encode);
use FastCGI;
use Stack qw(header headers json slurp);
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $FORM = 'application/x-www-form-urlencoded';
my @HTML = (Accept =>
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8');
my $stack = Stack->start;
my @session = (Cookie => 'JSESSIONID=' . $stack->session('anna'));

sub get {
    my ($method, @headers) = @_;
    return $stack->request($method, '/userprofile',
        headers => [ @session, @headers ]);
}

sub escape { return encode('UTF-8', $_[0]) =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger }

sub form {
    my ($fields, @headers) = @_;
    return $stack->request('POST', '/userprofile',
        body => join('&', map { "$_=" . escape($fields->{$_}) } sort keys %$fields),
        headers => [ @session, 'Content-Type', $FORM, @HTML, @headers ]);
}

sub stored {
    my $got = json(get('GET')) || {};
    delete @$got{qw(sub preferred_username updated_at)};
    return $got;
}

sub is_page {
    my ($answer, $status, $what) = @_;
    is($answer->{status}, $status, $what) or diag($answer->{body});
    is(header($answer, 'Content-Type'), 'text/html; charset=utf-8', '... a page');
    is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
    my ($style) = $answer->{body} =~ m{<style>(.*)</style>}s;
    my $hash = sha256_base64($style // '');
    like(header($answer, 'Content-Security-Policy'),
        qr/^default-src 'none'; style-src 'sha256-\Q$hash\E=';/,
        '... that may do nothing');
    unlike($answer->{body}, qr/<script|style=| on\w+=|\{\{[#^>]/i, '... and does not');
    return decode('UTF-8', $answer->{body});
}

sub value {
    my ($page, $name) = @_;
    return $1 if $page =~ /<textarea id="$name"[^>]*>\n([^<]*)</;
    return $page =~ /name="$name"[^>]* value="([^"]*)"/ ? $1 : undef;
}

sub error_at {
    my ($page, $name) = @_;
    my ($text) = $page =~ m{id="$name-error">.*?</span> ([^<]*)<};
    return $text // '';
}

sub version { return value(decode('UTF-8', get('GET', @HTML)->{body}), 'version') =~ s/&quot;/"/gr }

sub goes_on {
    my ($answer, $done, $what) = @_;
    is("$answer->{status} " . header($answer, 'Location'),
        "303 /userprofile?done=$done", $what) or diag($answer->{body});
    my $page = is_page($stack->request('GET', "/userprofile?done=$done",
            headers => [ @session, @HTML ]), 200, '... to the page');
    like($page, qr/role="status"/, '... which says so');
    return $page;
}

# --- to make one ---------------------------------------------------------------

my $page = is_page(get('GET', @HTML), 200, 'no profile yet');
like($page, qr/You have no profile yet/, '... it says so');
like($page, qr/>Create the profile</, '... and makes one');
unlike($page, qr/value="delete"/, '... and has none to delete');
is(value($page, 'version'), '', '... of no version');
my @names = qw(given_name family_name nickname birthdate gender phone_number
    website picture locale zoneinfo bio street_address postal_code locality region
    country formatted);
is(value($page, $_), '', "... a field for $_") for @names;
my @labels = $page =~ /<label for="(\w+)">/g;
is("@labels", "@names", '... each with its label');
is(get('GET')->{status}, 404, 'who wants JSON: 404');
my $head = get('HEAD', @HTML);
is("$head->{status} $head->{body}", '200 ', 'HEAD is that without a body');
like(header($head, 'Content-Type'), qr/html/, '... of its type');

my %anna = (given_name => 'Анна', family_name => "O'Neill & <b>", nickname => '"><s>',
    birthdate => '1990-12-31', gender => 'female', phone_number => '+491701234567',
    website => 'https://example.org/?a=1&b=2', picture => 'https://example.org/me.png',
    locale => 'ru', zoneinfo => 'Europe/Paris', bio => "a\r\n\r\n{{t.logout}}`",
    street_address => "1 Road\r\nDoor 2", postal_code => '10115', locality => 'Berlin',
    region => 'BE', country => 'DE', formatted => "x\r\ny");
$page = goes_on(form({ %anna, version => '' }), 'created', 'made');
my %wanted = map { $_ => $anna{$_} =~ s/\r//gr } @names[0 .. 10];
$wanted{address} = { map { $_ => $anna{$_} =~ s/\r//gr } @names[11 .. 16] };
is_deeply(stored(), \%wanted, '... and stored as it was typed');
for my $name (@names) {
    my $html = $anna{$name} =~ s/\r//gr =~ s/&/&amp;/gr =~ s/</&lt;/gr
        =~ s/>/&gt;/gr =~ s/"/&quot;/gr =~ s/'/&#39;/gr =~ s/`/&#96;/gr;
    is(value($page, $name), $html, "... $name is shown") ;
}
like($page, qr/>Save</, '... to change it');
like($page, qr{href="/account"}, '... with the way to the account');

# --- to change it ----------------------------------------------------------------

is($stack->send_json('PATCH', '/userprofile', { custom => { a => [ 1, 'x' ] } },
        headers => \@session)->{status}, 200, 'what only JSON has');
my $version = version();
goes_on(form({ version => $version, nickname => '', bio => "z\n", country => '',
            given_name => 'A' }), 'saved', 'changed');
@wanted{qw(given_name bio custom)} = ('A', "z\n", { a => [ 1, 'x' ] });
delete $wanted{nickname};
delete $wanted{address}{country};
is_deeply(stored(), \%wanted, '... that, and nothing else');
$page = is_page(form({ version => $version, given_name => '<i>Old' }), 412,
    'what was changed elsewhere');
like($page, qr/role="alert">\s*<p>Your profile was changed elsewhere/, '... is said to be');
is(value($page, 'given_name'), '&lt;i&gt;Old', '... what was typed stays');
is_deeply(stored(), \%wanted, '... and nothing is changed');
is(value($page, 'version') =~ s/&quot;/"/gr, version(), '... with the version of now');
goes_on(form({ version => version(), given_name => 'Old' }), 'saved', '... again');
$wanted{given_name} = 'Old';
is_deeply(stored(), \%wanted, '... that is saved');
$page = is_page(form({ version => '', given_name => 'Twice' }), 409,
    'to make another one');
is(value($page, 'given_name'), 'Twice', '... what was typed stays');
isnt(value($page, 'version'), '', '... to change the one that is there');

# --- errors ----------------------------------------------------------------------

my %wrong = (
    given_name => [ 'x' x 129, qr/too long/, qr/длинно/ ],
    family_name => [ "a\x01b", qr/cannot be seen/, qr/знак/ ],
    picture => [ 'javascript:alert(1)', qr/no address/, qr/не адрес/ ],
    website => [ 'example.org', qr/no address/, qr/не адрес/ ],
    birthdate => [ '1990-02-30', qr/no date/, qr/не дата/ ],
    zoneinfo => [ '../../etc/passwd', qr/no time zone/, qr/не часовой пояс/ ],
    locale => [ 'x_', qr/no language/, qr/не язык/ ],
    phone_number => [ '0170', qr/no phone number/, qr/не номер/ ],
    postal_code => [ 'x' x 33, qr/too long/, qr/длинно/ ],
);
my %typed = map { $_ => $wrong{$_}[0] } keys %wrong;
$version = version();
for my $case ([ en => 1 ], [ ru => 2 ]) {
    my ($lang, $at) = @$case;
    $page = is_page(form({ %typed, nickname => 'stays', version => $version },
            'Accept-Language' => $lang), 422, "$lang: all wrong at once");
    like($page, qr/<html lang="$lang"/, '... in that language');
    for my $name (sort keys %wrong) {
        like(error_at($page, $name), $wrong{$name}[$at], "... $name, beside its field");
        like($page, qr/id="$name"[^>]* aria-invalid="true" aria-describedby="[^"]*$name-error"/,
            '... and joined to it');
        like($page, qr/<li><a href="#$name">/, '... and above');
    }
    is(() = $page =~ /aria-invalid/g, keys %wrong, '... and no other');
    is(value($page, 'nickname'), 'stays', '... what was right stays');
    is(value($page, 'website'), 'example.org', '... and what was wrong');
    is(value($page, 'version') =~ s/&quot;/"/gr, $version, '... of the same version');
}
is_deeply(stored(), \%wanted, 'nothing of it is stored');
my %hostile = (custom => '{}', sub => 'x', address => 'x', '"><script>' => 'y',
    version => '"><script>');
$page = is_page(form({ map { $_ => $hostile{$_} } grep { $_ ne 'version' } keys %hostile }), 422,
    'fields that the form has not');
like($page, qr/This field is not known here/, '... are refused');
unlike($page, qr/<script/, '... and no markup');
$page = is_page(form({ nickname => 'x', version => $hostile{version} }), 412, 'no version');
for my $body ('a=%', 'nickname=%ff', 'bio=a&bio=b') {
    $page = is_page($stack->request('POST', '/userprofile', body => $body,
            headers => [ @session, 'Content-Type', $FORM, @HTML ]), 400, "$body is no form");
    like($page, qr/did not arrive in one piece/, '... it says so');
}

# --- other sites -------------------------------------------------------------------

for my $from ([ 'Sec-Fetch-Site' => 'cross-site' ], [ 'Sec-Fetch-Site' => 'same-site' ],
    [ Origin => 'https://evil.test' ], [ Origin => 'null' ]) {
    is(form({ version => version(), nickname => 'evil' }, @$from)->{status}, 403,
        "@$from is refused");
}
for my $own ([ 'Sec-Fetch-Site' => 'same-origin' ],
    [ Origin => 'http://127.0.0.1:' . $stack->port ]) {
    goes_on(form({ version => version(), nickname => 'own' }, @$own), 'saved',
        "$own->[0]: one's own");
}
$wanted{nickname} = 'own';
is_deeply(stored(), \%wanted, 'nothing of theirs is stored');

# Behind a gateway that lets such through, userprofile refuses on its own.
sub ask_app {
    my (%with) = @_;
    my $token = 'Bearer ' . json($stack->request('GET', '/authenticate',
            headers => \@session))->{token};
    return FastCGI::ask($stack->socket('userprofile'), [ REQUEST_METHOD => 'POST',
            SCRIPT_NAME => '/me', PATH_INFO => '/userprofile', QUERY_STRING => '',
            REQUEST_ID => 'r', REMOTE_ADDR => '127.0.0.1', HTTP_HOST => 'here',
            CONTENT_TYPE => $FORM, CONTENT_LENGTH => length $with{body},
            HTTP_ACCEPT => 'text/html', HTTP_AUTHORIZATION => $token,
            HTTP_X_USER => $with{user} // 'anna', @{ $with{params} || [] } ], $with{body});
}
my $body = 'nickname=evil&version=' . escape(version());
$page = is_page(ask_app(body => $body, params => [ HTTP_ORIGIN => 'http://there' ]), 403,
    'without the gateway: another site');
like($page, qr/Another site wanted to do this/, '... is told so');
is_deeply(stored(), \%wanted, '... and changes nothing');
my $there = ask_app(body => $body, params => [ HTTP_ORIGIN => 'http://here' ]);
is(header($there, 'Location'), '/me/userprofile?done=saved', 'below a prefix: back there');
$page = is_page(ask_app(body => 'birthdate=x&version=' . escape(version())), 422,
    '... the form');
like($page, qr{<form method="post" action="/me/userprofile"}, '... leads there, too');
like(is_page(ask_app(body => 'a', user => 'bob'), 401,
        'a token of somebody else'), qr/Please sign in/, '... is no session');

# --- to delete it --------------------------------------------------------------------

$version = version();
is(form({ version => $version, bio => 'new' })->{status}, 303, 'changed elsewhere');
$page = is_page(form({ version => $version, action => 'delete' }), 412,
    'to delete what was changed elsewhere');
like($page, qr/so it was not deleted/, '... is not done');
is(value($page, 'bio'), 'new', '... and what there is now is shown');
my $same = version();
like(goes_on(form({ version => $same, action => 'delete' }), 'removed', 'deleted'),
    qr/You have no profile yet/, '... and gone');
is(get('GET')->{status}, 404, '... for JSON, too');
is(form({ version => $same, action => 'delete' })->{status}, 303, '... twice');
$page = is_page(form({ version => $same, nickname => 'typed' }), 404, 'to change it then');
like($page, qr/no profile any more/, '... is said to be late');
is(value($page, 'nickname'), 'typed', '... what was typed stays');
is(value($page, 'version'), '', '... to make a new one');

# --- who gets no page ------------------------------------------------------------------

for my $accept (undef, '*/*', 'application/json', 'application/json, text/plain, */*') {
    my @accept = defined $accept ? (Accept => $accept) : ();
    my $what = $accept // 'no Accept';
    my $answer = $stack->request('POST', '/userprofile', body => 'nickname=x',
        headers => [ @session, 'Content-Type', $FORM, @accept ]);
    is($answer->{status}, 415, "$what: a form is no profile");
    is(header($answer, 'Content-Type'), 'application/problem+json', '... and no page');
    for my $try ([ GET => '' ], [ POST => '{' ], [ PUT => '{}' ], [ PATCH => '{"sub":1}' ],
        [ DELETE => '' ], [ TRACE => '' ]) {
        $answer = $stack->request($try->[0], '/userprofile', body => $try->[1],
            headers => [ @session, 'Content-Type', 'application/json', @accept ]);
        unlike(header($answer, 'Content-Type'), qr/html/,  "... $try->[0] answers no page")
            if $try->[0] ne 'TRACE';
    }
}
my $signin = $stack->request('POST', '/userprofile', body => 'nickname=x',
    headers => [ 'Content-Type', $FORM, @HTML ]);
is_page($signin, 401, 'without a session');
like($signin->{body}, qr/name="return_to" value="\/userprofile"/, '... back to the page');

# --- without a database ------------------------------------------------------------------

$stack->kill_part('KILL', 'postgres');
$page = is_page(form({ nickname => 'kept?', version => '' }), 503,
    'without a database');
like($page, qr/cannot be answered at the moment/, '... it says so');
is(value($page, 'nickname'), 'kept?', '... what was typed stays');
$stack->restart_parts('postgres');
$stack->stops_cleanly;
done_testing;
