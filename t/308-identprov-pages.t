# Pages as browsers get them, without one: who gets a page and who does not,
# languages, and what an operator replaces. t/610-browser.t uses them.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Digest::SHA qw(sha256_base64);
use Encode qw(decode encode);
use Idp qw(header json);
use JSON::PP;
use Stack;
use Test::More;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
my $FORM = 'application/x-www-form-urlencoded';
my $idp = Idp->start;

sub get {
    my ($path, @headers) = @_;
    return $idp->request('GET', $path, headers => [ Accept => $BROWSER, @headers ]);
}

sub post {
    my ($path, $body, @headers) = @_;
    return $idp->request('POST', $path, body => encode('UTF-8', $body),
        headers => [ 'Content-Type', $FORM, @headers ]);
}

sub is_page {
    my ($answer, $status, $what) = @_;
    is($answer->{status}, $status, $what) or diag($answer->{body});
    is(header($answer, 'Content-Type'), 'text/html; charset=utf-8', '... a page');
    is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
    my ($style) = $answer->{body} =~ m{<style>(.*)</style>}s;
    is(header($answer, 'Content-Security-Policy'), "default-src 'none';"
            . " style-src 'sha256-" . sha256_base64($style) . "=';"
            . " img-src 'self' data:; form-action 'self'; base-uri 'none';"
            . " frame-ancestors 'none'", '... that may do nothing');
    unlike($answer->{body}, qr/<script|style=| on\w+=|\{\{[#^>]/i, '... and does not');
    return decode('UTF-8', $answer->{body});
}

# --- who gets a page ---------------------------------------------------------

my $count = 0;
my %is_page = (
    $BROWSER => 1, 'text/html' => 1, 'text/html, application/json;q=0.9' => 1,
    '*/*' => 0, 'application/json' => 0, 'text/plain' => 0, '' => 0,
    'application/json, text/html' => 0, 'text/*' => 0,
    'application/json, text/plain, */*' => 0);
for my $accept (sort keys %is_page) {
    my @headers = (Accept => $accept);
    my $is = $is_page{$accept};
    my $what = "Accept: $accept";
    is($idp->request('GET', '/', headers => \@headers)->{status},
        $is ? 200 : 404, "$what: GET /");
    my $answer = $idp->request('GET', '/register', headers => \@headers);
    is($answer->{status}, $is ? 200 : 405, '... GET /register');
    is(header($answer, 'Allow'), $is ? undef : 'OPTIONS, POST', '... Allow');
    $answer = $idp->request('GET', '/account', headers => \@headers);
    is($answer->{status}, 401, '... GET /account');
    like(header($answer, 'Content-Type'), $is ? qr/html/ : qr/problem/, '... of its type');
    $answer = post('/login', 'username=x' . ++$count . '&password=y', @headers);
    is($answer->{status}, 401, '... POST /login');
    like(header($answer, 'Content-Type'), $is ? qr/html/ : qr/problem/, '... of its type');
}
is($idp->request('GET', '/')->{status}, 404, 'without Accept: no page');
for my $path (qw(/password /account/delete /sessions /sessions/0123456789abcdef)) {
    my $answer = get($path);
    is("$answer->{status} " . header($answer, 'Location'), '303 /account',
        "$path leads to the account");
}

# --- what is in it -----------------------------------------------------------

my $page = is_page(get('/signin?return_to=/a%3Fb%3D%22%3E%3Cs%3E'), 200, 'the sign-in page');
like($page, qr/Please go to login\.\.\./, '... has the sentence');
like($page, qr/name="return_to" value="\/a\?b=%22%3E%3Cs%3E"/, '... and where to go');
$page = is_page(get('/in/signin', 'X-Original-URI' => '/app/x?y=1'), 200,
    'the body of a 401');
like($page, qr{value="/app/x\?y=1"}, '... leads back');
$page = is_page(get('/signin', 'X-Original-URI' => '/app/x'), 200,
    'a client\'s own X-Original-URI');
like($page, qr{name="return_to" value="/"}, '... leads nowhere');

my $evil = q{"><script>alert('1')</script>&amp;`{{t.logout}}};
my $encoded = join '', map { sprintf '%%%02X', ord } split //, $evil;
$page = is_page(post('/register', "username=$encoded&email=$encoded&first_name="
            . "$encoded&last_name=$encoded&password=geheimnis&return_to=$encoded",
        Accept => $BROWSER), 422, 'what is typed into a form') =~ s/.*<main//sr;
unlike($page, qr/alert\('|<script|Sign out/, '... is no markup');
is(() = $page =~ /value="&quot;&gt;&lt;script&gt;alert\(&#39;1&#39;\)&lt;\/script&gt;&amp;amp;&#96;\{\{t\.logout\}\}"/g,
    4, '... but kept as it is') or diag($page);
unlike($page, qr/geheimnis/, '... without the password');

is(post('/register', 'username=anna&email=anna@example.org&password=correct+horse'
            . '&first_name=Анна&return_to=/signin?done=registered', Accept => $BROWSER)
        ->{status}, 303, 'registered');
my $answer = post('/login', 'username=anna&password=correct+horse', Accept => $BROWSER);
is($answer->{status}, 303, 'signed in');
my ($id) = header($answer, 'Set-Cookie') =~ /JSESSIONID=([^;]+)/;
my @session = (Cookie => "JSESSIONID=$id");
$page = is_page(get('/', @session), 200, 'home');
like($page, qr/Hello, Анна/, '... by name');
$page = is_page(get('/account', @session, 'User-Agent' => 'x'), 200, 'the account');
like($page, qr/anna\@example\.org/, '... with its address');
$answer = $idp->request('GET', '/account', headers => \@session);
is(json($answer)->{username}, 'anna', '... which is JSON for others');
$page = is_page(post('/account', 'email=x', @session, Accept => $BROWSER,
        'Sec-Fetch-Site' => 'cross-site'), 403, 'another site');
unlike($page, qr/anna/, '... gets nothing');
$answer = post('/logout', 'return_to=/logout', @session, Accept => $BROWSER);
is("$answer->{status} " . header($answer, 'Location'), '303 /logout', 'signed out');
$page = is_page(get('/account', @session), 401, 'the account then');
unlike($page, qr/anna/, '... shows nothing');

# --- languages ---------------------------------------------------------------

sub texts { return JSON::PP->new->utf8->decode(Stack::slurp("fcgi-common/pages/$_[0].json")) }

my ($en, $ru) = map { texts($_) } qw(en ru);
is(join(' ', sort keys %$ru), join(' ', sort keys %$en), 'Russian has every text');
for my $key (sort keys %$en) {
    is(join(' ', sort $ru->{$key} =~ /\{\{.*?\}\}/g),
        join(' ', sort $en->{$key} =~ /\{\{.*?\}\}/g), "... $key with its values")
        if "$ru->{$key}$en->{$key}" =~ /\{\{/;
}
for my $case ([ 'ru' => 'ru' ], [ 'ru-RU,ru;q=0.9,en;q=0.8' => 'ru' ],
    [ 'de, ru;q=0.5' => 'ru' ], [ 'en, ru' => 'en' ], [ 'de' => 'en' ]) {
    $answer = get('/signin', 'Accept-Language' => $case->[0]);
    like($answer->{body}, qr/<html lang="$case->[1]"/, "$case->[0]: $case->[1]");
    is(header($answer, 'Content-Language'), $case->[1], '... and says so');
    like(header($answer, 'Vary'), qr/Accept-Language/, '... and that it varies');
}

# --- what is known of errors ---------------------------------------------------

my %known = map { $_ => 1 } keys %$en;
my @codes = map { Stack::slurp($_) =~ /(?:refuse|refuse_length|fault)\(\w+,\s+"(\w+)"/g }
    glob 'fcgi-identprov/rules*.c fcgi-identprov/form.c';
cmp_ok(scalar @codes, '>=', 8, 'codes of fields');
ok($known{"error_$_"} || $_ eq 'wrong_type', "... $_ has its text") for @codes;

# --- what an operator replaces -------------------------------------------------

my $dir = $idp->room . '/pages';
mkdir $dir or die "$dir: $!\n";
chmod 0755, $dir;
Stack::spew("$dir/de.json", '{"lang":"de","dir":"ltr","signin_title":"Anmelden"}');
Stack::spew("$dir/en.json", '{"service":"Acme & Co"}');
Stack::spew("$dir/style.css", "p { color: red }\r\n");
Stack::spew("$dir/header.html", "<header>{{>logo.html}} {{t.service}}</header>\n");
Stack::spew("$dir/logo.html", '<img src="/logo.svg" alt="">');
Stack::spew("$dir/README", 'not looked at');
$idp->end_part('TERM', 'identprov-0');
$idp->{env}{PAGES} = $dir;
$idp->start_identprov(0);
$page = is_page(get('/signin', 'Accept-Language' => 'de'), 200, 'with pages of one\'s own');
like($page, qr/<html lang="de"/, '... another language');
like($page, qr/<h1>Anmelden</, '... its text');
like($page, qr/>Password</, '... English where it has none');
like($page, qr/<header><img src="\/logo\.svg" alt=""> Acme &amp; Co</, '... another header');
like($page, qr/<style>p \{ color: red \}\n</, '... another style');

my %wrong = (
    'signin.html' => [ "{{#problem}}\n{{name}}", qr/signin\.html: line 2: problem: this section is not closed/ ],
    'header.html' => [ '{{t.nothing}}', qr/header\.html: line 1: t\.nothing: there is no such text/ ],
    'layout.html' => [ '{{>nothing.html}}', qr/layout\.html: line 1: nothing\.html: there is no such file/ ],
    'field.html' => [ "\n{{>deep.html}}",
        qr/(?:deep\.html: line 1: field\.html|field\.html: line 2: deep\.html): so the file would be within itself/,
        'deep.html', '{{>field.html}}' ],
    'register.html' => [ '{{>page}}', qr/register\.html: line 1: page: so the file would be within itself/ ],
    'logout.html' => [ "\n{{>layout.html}}", qr/logout\.html: line 2: layout\.html: so the file would be within itself/ ],
    'de.json' => [ '{"a":1}', qr/de\.json: is not one object of texts/ ],
    'en.json' => [ '{"a":"b","a":"c"}', qr{pages/en\.json: } ],
    'style.css' => [ '', qr/style\.css: it is empty/ ],
    'home.html' => [ "\xff", qr/home\.html: it is not UTF-8/ ],
);
$idp->end_part('TERM', 'identprov-0');
for my $name (sort keys %wrong) {
    my ($text, $said, %more) = @{ $wrong{$name} };
    my $old = -e "$dir/$name" ? Stack::slurp("$dir/$name") : undef;
    Stack::spew("$dir/$_", $more{$_}) for keys %more;
    Stack::spew("$dir/$name", $text);
    my ($status, undef, $errors) = $idp->run([ 'serve', '--listen',
            'unix:' . $idp->room . '/wrong.sock' ]);
    isnt($status, 0, "a wrong $name stops the start");
    like($errors, $said, '... and is named');
    defined $old ? Stack::spew("$dir/$name", $old) : unlink "$dir/$name";
    unlink map { "$dir/$_" } keys %more;
}
done_testing;
