# Each recipe of docs/recipes.md, as it stands there, does what the page says:
# with a session, without, and with forged headers.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client qw(field fields);
use ModuleTest;
use Upstreams;

Upstreams::start;

my $ROOM = $Upstreams::room;
my $CONF = $ENV{TEST_NGINX_CONF};

# What stands on the page for what is the reader's own, and what the test has.
my %OURS = (
    'http://127.0.0.1:3000' => 'http://application',
    'http://127.0.0.1:3001' => 'http://application/other/',
    'grpc://127.0.0.1:50051' => 'grpc://service',
    '/var/www' => "$ROOM/www",
    '/etc/nginx/machines' => "$ROOM/machines",
    '/etc/ssl/certs/app.pem' => "$ROOM/cert.pem",
    '/etc/ssl/private/app.key' => "$ROOM/key.pem",
    'include identgw.conf' => "include $ROOM/idp.conf",
    'listen 80;' => "listen unix:$ROOM/gateway;",
    'listen 443 ssl;' => "listen unix:$ROOM/tls ssl;");

our @FORGED = ('X-User', 'mallory', 'x_user', 'mallory', 'X.Email', 'mallory',
    'X-First-Name', 'mallory', 'Proxy', 'http://mallory');
my @FORGED_GROUPS = ('X-Groups', 'admins', 'x_groups', 'admins', 'X-GROUPS',
    ',admins,');
my @ALICE = ('JSESSIONID', 'ok-alice');
my @COOKIE = ('Cookie', 'JSESSIONID=ok-alice');
my @NOBODY = ('JSESSIONID', 'nobody');
my @BEARER = ('Authorization', 'Bearer mallory');
my @MACHINE = ('Authorization', 'Basic cm9ib3Q6c2VjcmV0');
my @STRANGER = ('Authorization', 'Basic cm9ib3Q6bWFsbG9yeQ==');
my @SEEN_AS_ALICE = ('authorization: Bearer token.of.alice',
    'x-email: alice@example.org', 'x-first-name: First alice',
    'x-user: alice');

# Sessions and their groups: who is no admin, and who is.
my %OUTSIDE = ('ok-staff' => 'staff', 'ok-no' => 'noadmins',
    'ok-two' => 'admins2', 'ok-old' => 'old-admins,staff');
my %INSIDE = ('ok-admin' => 'admins', 'ok-first' => 'admins,staff',
    'ok-last' => 'staff,admins', 'ok-middle' => 'a,admins,z');
my @GROUPS = map { my %of = %$_; map { qq($_ "X-Groups: $of{$_}";) } sort
    keys %of } \%OUTSIDE, \%INSIDE;

# --- the page -----------------------------------------------------------------

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return <$in>;
}

sub spew {
    my ($name, $text) = @_;
    open my $out, '>', "$ROOM/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
    return;
}

# Heading => its block.
my $PAGE = slurp('docs/recipes.md');
my %RECIPES = $PAGE =~ /^## ([^\n]+)\n\n```nginx\n(.*?)^```$/msg;

# The block with our names, in its parts: [text, whether it belongs to http].
# A block with servers of its own is http's as a whole.
sub parts_of {
    my ($heading) = @_;
    my $text = $RECIPES{$heading} // die "docs/recipes.md: no $heading\n";
    for my $theirs (reverse sort keys %OURS) {
        $text =~ s/\Q$theirs\E(?![\w.])/$OURS{$theirs}/g;
    }
    return [ $text, 1 ] if $text =~ /^server \{/m;
    my @parts = $text =~ /^(\S[^\n]*(?:;|\{\n.*?^\})\n)/msg;
    die "docs/recipes.md: $heading is not understood\n"
        if join('', @parts) ne $text;
    return map { [ $_, /^(?:map|upstream) / ? 1 : 0 ] } @parts;
}

sub complete_recipe {
    my ($block) = @_;
    my $heading = $block->recipe // return;
    chomp $heading;
    my @parts = parts_of($heading);
    my $http = join '', map { $_->[0] } grep { $_->[1] } @parts;
    my $server = join '', map { $_->[0] } grep { !$_->[1] } @parts;
    $http .= <<"CONF" if $http !~ /^server \{/m;
server {
    listen unix:$ROOM/gateway;
    listen unix:$ROOM/gateway-http2 http2;
    include $ROOM/idp.conf;
    @{[ $block->server // '' ]}
    $server
}
CONF
    $block->set_value('config', "include $ROOM/idp.conf;\n");
    $block->set_value('http_config', <<"CONF" . $http);
upstream application { server unix:$ROOM/http.sock; keepalive 4; }
upstream service { server unix:$ROOM/grpc.sock; keepalive 4; }
map \$http_jsessionid \$groups {
    default "X-Groups: ";
    @GROUPS
    ok-unknowing "";
}
underscores_in_headers on;
ignore_invalid_headers off;
CONF
    return;
}

add_block_preprocessor(\&complete_recipe);

my $WITH_GROUPS = 'fastcgi_param PEER_ANSWER $groups;';
spew('idp.conf', slurp("$CONF/idp.conf")
    =~ s/(?=fastcgi_param PEER_ROLE authenticate;)/$WITH_GROUPS\n/r);
spew('machines', "robot:{PLAIN}secret\n");
mkdir "$ROOM/www" or die "www: $!\n";
mkdir "$ROOM/www/reports" or die "www/reports: $!\n";
spew('www/reports/1.txt', "a report\n");
system('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
    . " -batch -days 1 -subj /CN=app.example -keyout $ROOM/key.pem"
    . " -out $ROOM/cert.pem 2> $ROOM/openssl.log") == 0
    or die "no certificate: see $ROOM/openssl.log\n";

# --- what is claimed ----------------------------------------------------------

# Who the application thinks it was: every line that may tell, sorted.
sub identity_of {
    my ($answer) = @_;
    my ($head) = $answer->{body} =~ /^(.*?)(?:\r?\n){2}/s;
    return [ sort map { s/^([^:]+)/\L$1/r } grep {
        /^(?:authorization|proxy|cookie|jsessionid|x[^a-z0-9]user
            |x[^a-z0-9]email|x[^a-z0-9]first[^a-z0-9]name
            |x[^a-z0-9]groups):/xi
    } split /\r?\n/, $head // '' ];
}

# A new connection; what has been received before is forgotten.
sub gateway {
    Upstreams::received();
    return Client->new("$ROOM/gateway");
}

sub is_alice {
    my ($what, $answer) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($answer->{status}, 200, "$what is let in");
    is_deeply(identity_of($answer), \@SEEN_AS_ALICE,
        '... as alice and nobody else');
    Upstreams::received();
}

sub is_nobody {
    my ($what, $answer) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($answer->{status}, 200, "$what is let in");
    is_deeply(identity_of($answer), [], '... as nobody');
    Upstreams::received();
}

sub is_refused {
    my ($what, $answer, $status, $reason) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($answer->{status}, $status, "$what is $status");
    is(field($answer, 'Identgw-Reason'), $reason, "... with $reason");
    is(scalar(my @received = Upstreams::received()), 0,
        '... and reaches no application');
}

sub line_of {
    my ($answer, $name) = @_;
    return join ', ', $answer->{body} =~ /^\Q$name\E: *(.*?)\r?$/mgi;
}

# --- the recipes --------------------------------------------------------------

sub check_page {
    my @headings = $PAGE =~ /^## (.+)$/mg;
    my %run = map { $_ => 1 } slurp(__FILE__) =~ /^--- recipe: (.+)$/mg;
    is_deeply([ sort keys %run ], [ sort @headings ],
        'every heading has a block here');
    is_deeply([ sort keys %RECIPES ], [ sort @headings ],
        'every heading has a recipe');
    my ($contents) = $PAGE =~ /\n\n(\[.*?)\n\n## /s;
    is_deeply([ map { s/\s+/ /gr } $contents =~ /\[([^]]+)\]/g ],
        \@headings, 'the list of contents is complete');
    for my $heading (@headings) {
        my $lines = () = $RECIPES{$heading} =~ /\n/g;
        ok($lines >= 3 && $lines <= 15, "$heading has $lines lines");
    }
    my $all = join '', values %RECIPES;
    is_deeply([ grep { index($all, $_) < 0 } sort keys %OURS ], [],
        'what is replaced stands there');
}

sub check_application {
    my $client = gateway();
    is_refused('no session', $client->get('/', @FORGED, @BEARER), 401,
        'no_session');
    is_refused('an unknown session', $client->get('/', @FORGED, @NOBODY), 401,
        'denied');
    my $answer = $client->get('/', @FORGED, @BEARER, @ALICE, 'X-Forwarded-For',
        'mallory', 'X-Forwarded-Proto', 'mallory', 'X-Request-Id', 'mallory');
    is_alice('the header', $answer);
    unlike($answer->{body}, qr/mallory/, '... nothing of what is claimed');
    is(line_of($answer, 'Host'), 'gateway', '... the host is the client\'s');
    is(line_of($answer, 'X-Forwarded-Proto'), 'http', '... and the scheme');
    is_alice('the cookie', $client->get('/', @FORGED, @COOKIE));
}

sub check_socket {
    my @upgrade = ('Connection', 'Upgrade, X-User', 'Upgrade', 'websocket');
    my @evil = ('Origin', 'https://mallory.example');
    my $path = '/socket?upgrade=';
    is_refused('an upgrade without session',
        gateway()->get($path, @upgrade, @FORGED), 401, 'no_session');
    is_refused('another site\'s upgrade',
        gateway()->get($path, @upgrade, @COOKIE, @evil), 403, 'cross_site');
    my $client = gateway();
    $client->write_bytes(Client::request_bytes('GET', $path, [ @upgrade,
        @FORGED, @COOKIE, 'Origin', 'http://gateway' ]));
    is($client->answer->{status}, 101, 'this site\'s upgrade is let in');
    my $seen = { body => $client->take_until("\r\n\r\n") };
    is_deeply(identity_of($seen), \@SEEN_AS_ALICE, '... as alice');
    is(lc join(' ', map { line_of($seen, $_) } qw(Host Connection Upgrade)),
        'gateway upgrade websocket', '... and as an upgrade');
    $client->write_bytes('hello');
    is($client->take(5), 'hello', '... and the socket speaks');
    my $answer = gateway()->get('/socket', @ALICE);
    is(line_of($answer, 'Connection'), '', 'a request that is none stays so');
    is_alice('... it', $answer);
}

sub check_grpc {
    my $client = Client->new("$ROOM/gateway-http2", http2 => 1);
    my @forged = map { lc } @FORGED;
    my @grpc = ('content-type', 'application/grpc', 'te', 'trailers');
    my $path = '/shop.Orders/Get';
    my $answer = $client->ask('POST', $path, [ @grpc, @forged ], "\0" x 5);
    is_refused('a call without session', $answer, 401, 'no_session');
    unlike($answer->{body}, qr/go to login/, '... with nginx\'s own text');
    is($client->get('/questions?/shop.Orders/Get')->{body}, '',
        '... and no question for it');
    $answer = $client->ask('POST', $path, [ @grpc, @forged, 'jsessionid',
        'ok-alice', 'authorization', 'Bearer mallory' ], "\0\0\0\0\x01x");
    is_alice('a call', $answer);
    like(line_of($answer, 'x-request-id'), qr/^[0-9a-f]{32}$/, '... by its id');
    like($answer->{body}, qr/\0\0\0\0\x01x\z/, '... with its message');
}

sub check_static {
    my $client = gateway();
    my $file = '/reports/1.txt';
    for my $path ($file, '/reports/none.txt', '/x/..%2freports/1.txt') {
        is_refused("$path without session", $client->get($path, @FORGED), 401,
            'no_session');
    }
    my $answer = $client->get($file, @ALICE);
    is("$answer->{status} $answer->{body}", "200 a report\n", 'a file');
    is(field($answer, 'Cache-Control'), 'private, no-cache',
        '... that is not kept unasked');
    my @known = ('If-None-Match', field($answer, 'ETag'));
    is($client->get($file, @ALICE, @known)->{status}, 304, 'a known file');
    is_refused('a known file without session', $client->get($file, @known),
        401, 'no_session');
    is($client->get('/reports/none.txt', @ALICE)->{status}, 404, 'no file');
}

sub check_optional {
    my $client = gateway();
    is_nobody('a guest', $client->get('/shop/', @FORGED, @BEARER));
    my $answer = $client->get('/shop/', @FORGED, @NOBODY);
    is_nobody('an ended session', $answer);
    is(field($answer, 'Vary'), 'JSESSIONID, Cookie', '... for this one only');
    $answer = $client->get('/shop/', @FORGED, @ALICE);
    is_alice('a user', $answer);
    is(line_of($answer, 'Host'), 'gateway', '... of this host');
    is_refused('a user of a provider that is down', $client->get('/shop/',
            'JSESSIONID', 'status-500'), 503, 'idp_unavailable');
}

sub check_admin {
    local @FORGED = (@FORGED, @FORGED_GROUPS);
    my $client = gateway();
    my $path = '/admin/';
    is_refused('no session', $client->get($path, @FORGED), 401, 'no_session');
    for my $id ('ok-alice', sort keys %OUTSIDE) {
        is_refused($OUTSIDE{$id} // 'no group', $client->get($path, @FORGED,
                'JSESSIONID', $id), 403, 'requirement');
    }
    for my $id (sort keys %INSIDE) {
        my $answer = $client->get($path, @FORGED, 'JSESSIONID', $id);
        is($answer->{status}, 200, "$INSIDE{$id} is let in");
        is(line_of($answer, 'X-Groups'), $INSIDE{$id}, '... with these groups');
        unlike($answer->{body}, qr/mallory/, '... and no other identity');
        Upstreams::received();
    }
    is_refused('a provider without X-Groups', $client->get($path, @FORGED,
            'JSESSIONID', 'ok-unknowing'), 502, 'idp_invalid');
}

sub check_cors {
    my $client = gateway();
    my @other = ('Origin', 'https://app.example');
    my $answer = $client->ask('OPTIONS', '/api/things', [ @other, @FORGED,
        'JSESSIONID', 'ok-preflight', 'Access-Control-Request-Method', 'PUT' ]);
    is($answer->{status}, 204, 'a preflight is answered');
    is(field($answer, 'Access-Control-Allow-Origin'), 'https://app.example',
        '... for that site');
    like(field($answer, 'Access-Control-Allow-Methods'), qr/\bPUT\b/,
        '... with that method');
    like(field($answer, 'Access-Control-Allow-Headers'), qr/JSESSIONID/,
        '... with the session\'s header');
    is(scalar(my @received = Upstreams::received()), 0,
        '... and reaches no application');
    is($client->get('/questions?ok-preflight')->{body}, '',
        '... nor the identity provider');
    is($client->get('/.preflight')->{status}, 404,
        'its location is nobody else\'s');
    $answer = $client->get('/api/things', @other, @FORGED);
    is(field($answer, 'Access-Control-Allow-Origin'), 'https://app.example',
        'the other site may read a refusal');
    is_refused('no session', $answer, 401, 'no_session');
    is_refused('a write with the cookie', $client->ask('PUT', '/api/things',
        [ @other, @COOKIE ], 'x'), 403, 'cross_site');
    is_alice('a write with the header', $client->ask('PUT', '/api/things',
        [ @other, @FORGED, @ALICE ], 'x'));
}

sub check_basic {
    my $client = gateway();
    for my $wrong ([], [@STRANGER], [@NOBODY, @STRANGER], [@BEARER]) {
        my $answer = $client->get('/api/', @FORGED, @$wrong);
        is($answer->{status}, 401, 'neither session nor password');
    }
    is(scalar(my @received = Upstreams::received()), 0,
        '... reaches no application');
    is_nobody('a machine', $client->get('/api/', @FORGED, @MACHINE));
    is_nobody('a machine with an ended session',
        $client->get('/api/', @FORGED, @NOBODY, @MACHINE));
    is_alice('a session', $client->get('/api/', @FORGED, @ALICE));
    is_alice('a session and a wrong password',
        $client->get('/api/', @FORGED, @ALICE, @STRANGER));
    is_alice('a session and a password',
        $client->get('/api/', @FORGED, @ALICE, @MACHINE));
}

sub check_hosts {
    my $client = gateway();
    my %other = ('shop.example/' => 0, 'shop.example/wiki/' => 1,
        'blog.example/' => 1);
    for my $target (sort keys %other) {
        my ($host, $path) = $target =~ m{^([^/]+)(/.*)};
        is_refused("$target without session", $client->get($path, 'Host',
            $host, @FORGED), 401, 'no_session');
        my $answer = $client->get($path, 'Host', $host, @FORGED, @ALICE);
        is_alice($target, $answer);
        is($answer->{body} =~ m{^GET /other/} ? 1 : 0, $other{$target},
            '... at its application');
        Upstreams::received();
    }
}

sub check_https {
    my $client = gateway();
    for my $headers ([], [ 'JSESSIONID', 'ok-unasked' ],
        [ @FORGED, 'Host', 'mallory.example' ]) {
        my $answer = $client->get('/a?b=c', @$headers);
        is($answer->{status}, 301, 'http is a redirect to everybody');
        is(field($answer, 'Location'), 'https://app.example/a?b=c',
            '... to https');
    }
    is(curl('questions?ok-unasked')->{body}, '', '... and nobody was asked');
    is_refused('https without session', curl(''), 401, 'no_session');
    my $answer = curl('', 'JSESSIONID: ok-alice', 'X-User: mallory',
        'Authorization: Bearer mallory');
    is_alice('https', $answer);
    is(field($answer, 'Strict-Transport-Security'), 'max-age=31536000',
        '... and nothing else from now on');
}

# Status and the rest, from the head on, of a GET over TLS.
sub curl {
    my ($target, @headers) = @_;
    open my $in, '-|', 'curl', '-ski', '--unix-socket', "$ROOM/tls",
        (map { ('-H', $_) } @headers), "https://app.example/$target"
        or die "curl: $!\n";
    local $/;
    my ($head, $body) = split /\r\n\r\n/, <$in> // '', 2;
    close $in;
    my $answer = Client::read_head($head // '');
    $answer->{body} = $body // '';
    return $answer;
}

no_long_string();
no_root_location();
run_tests();

__DATA__

=== TEST 1: in front of an HTTP application
--- recipe: An HTTP application
--- check: application



=== TEST 2: WebSocket
--- recipe: WebSocket
--- check: socket



=== TEST 3: gRPC
--- recipe: gRPC
--- check: grpc



=== TEST 4: static files
--- recipe: Static files
--- check: static



=== TEST 5: guests and users
--- recipe: Optional login
--- check: optional



=== TEST 6: an area for some groups
--- recipe: An admin area
--- check: admin



=== TEST 7: another site's script, and its preflights
--- recipe: CORS with preflight
--- check: cors



=== TEST 8: preflights where every location is closed
--- recipe: CORS with preflight
--- server: identgw on;
--- check: cors



=== TEST 9: a password in place of a session
--- recipe: Basic auth for machines
--- check: basic



=== TEST 10: several applications and hosts
--- recipe: Several applications and hosts
--- check: hosts



=== TEST 11: from http to https
--- recipe: From http to https
--- check: https



=== TEST 12: the page is whole
--- config
--- check: page
