# docs/openapi.yaml describes what both applications really answer: every route
# with every status, and nothing else; but for a 500 of what asks no database,
# which only lack of memory makes (t/620-inject.t).
use strict;
use warnings;
use lib 't/lib';
use FastCGI;
use JSON::PP;
use IO::Select;
use List::Util qw(pairs);
use POSIX ();
use Stack qw(header headers json slurp wait_for);
use Test::More;

my $FORM = 'application/x-www-form-urlencoded';
my $PASSWORD = 'correct horse 7';
my $NEW = 'correct horse 9';
my $build = $ENV{BUILD} || 'build';
my $psql = ($ENV{PG_BINDIR} // '/usr/bin') . '/psql';
my $stack = Stack->start(env => { IDENTPROV_REGISTRATION_RATE => 4,
        IDENTPROV_JWKS_MAX_AGE => '5s', IDENTPROV_HASH_MINIMUM => 'none',
        IDENTPROV_HASH_MEMORY => '64k', IDENTPROV_HASH_PASSES => 1 });
my (@answers, @problems);

# Straight to the applications: what the gateway adds is not theirs. `as` is the
# path as it is described; undef: there is no such operation.
sub begin {
    my ($method, $path, %with) = @_;
    my $app = $with{app}
        // ($path =~ m{^/userprofile} ? 'userprofile' : 'identprov');
    my $body = $with{body} // '';
    my @params = (REQUEST_METHOD => $method, SCRIPT_NAME => '',
        PATH_INFO => $path, QUERY_STRING => '', REQUEST_ID => '0' x 32,
        REMOTE_ADDR => $with{from} // '127.0.0.1', HTTP_HOST => 'here',
        CONTENT_TYPE => $with{type} // ($body eq '' ? '' : 'application/json'),
        CONTENT_LENGTH => length $body, @{ $with{params} || [] });
    return { socket => FastCGI::begin($with{socket} // $stack->socket($app),
            \@params, $body), app => $app, method => $method,
        path => exists $with{as} ? $with{as} : $path };
}

sub finish {
    my ($asked) = @_;
    my $answer = FastCGI::answer_on($asked->{socket});
    note_answer($answer, map { $_ => $asked->{$_} } qw(app method path))
        if defined $asked->{path};
    push @problems, $answer->{body} if !defined $asked->{path};
    return $answer;
}

sub note_answer {
    my ($answer, %of) = @_;
    my @headers = @{ $answer->{headers} };
    push @answers, { %of, status => $answer->{status} + 0,
        body => $answer->{body}, type => header($answer, 'Content-Type'),
        headers => [ map { [ splice @headers, 0, 2 ] } 1 .. @headers / 2 ] };
    return;
}

sub request { return finish(begin(@_)) }

sub ask {
    my ($method, $path, %with) = @_;
    my $answer = request($method, $path, %with);
    is($answer->{status}, $with{status}, "$method $path: $with{status}")
        or diag($answer->{body});
    return $answer;
}

sub user {
    my ($name) = @_;
    return encode_json({ username => $name, password => $PASSWORD,
            email => "$name\@example.org", first_name => 'Eva' });
}

sub form {
    my (%field) = @_;
    return (type => $FORM,
        body => join '&', map { "$_=" . $field{$_} =~ tr/ /+/r } keys %field);
}

# What PostgreSQL does in another program's back, as the owner of its database.
sub sql {
    my ($app, $sql) = @_;
    my $database = $stack->setting(uc($app) . '_DATABASE');
    my $text = qx('$psql' -X -q -At -d '$database' -c '$sql');
    die "psql: $sql failed\n" if $?;
    return $text;
}

# Another one of a program, with other settings: its pid and socket.
sub start_another {
    my ($app, %env) = @_;
    my $socket = $stack->var . "/another-$app.sock";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        my $set = join ' ', map { "\U${app}_$_\E='$env{$_}'" } sort keys %env;
        exec 'sh', '-ec', "set -a; . '@{[ $stack->var ]}/env'; $set; exec"
            . " '$build/$app' serve --listen 'unix:$socket'" or POSIX::_exit(1);
    }
    ok(wait_for(60, "another $app", sub { -S $socket }), "another $app");
    return ($pid, $socket);
}

sub end_another {
    my ($pid) = @_;
    kill TERM => $pid;
    waitpid $pid, 0;
    is($?, 0, '... and it ends');
    return;
}

# The command line, with the settings of the stack but for these.
sub identprov {
    my ($set, @command) = @_;
    my $env = $stack->var . '/env';
    return system('sh', '-ec', ". '$env'; unset IDENTPROV_SERVE_ROLE;"
            . ' IDENTPROV_DATABASE=${IDENTPROV_OWNER_DATABASE:-$IDENTPROV_DATABASE};'
            . " export IDENTPROV_DATABASE; $set exec '$build/identprov' \"\$@\" >&2",
        'sh', @command);
}

# --- routes of the sources -----------------------------------------------------

my (@routes, @pages);
for my $app (qw(identprov userprofile)) {
    my $source = slurp("fcgi-$app/handlers.c");
    push @routes, map { [ $app, @$_ ] }
        pairs($source =~
            /^    \{ IGW_([A-Z]+), "([^"]+)",\s+\w+,\s+IGW_ROUTE_(?!PAGE)/mg);
    push @pages, map { [ $app, @$_ ] }
        pairs($source =~
            /^    \{ IGW_([A-Z]+), "([^"]+)",\s+\w+,\s+IGW_ROUTE_PAGE/mg);
}
$_->[2] =~ s/\*$/{id}/ for @routes, @pages;
cmp_ok(scalar @routes, '>=', 29, scalar(@routes) . ' routes');
cmp_ok(scalar @pages, '>=', 7, scalar(@pages) . ' of browsers alone');

# --- identprov -----------------------------------------------------------------

my @internal = (params => [ IDENTGW_INTERNAL => 1 ]);
ask(POST => '/register', status => 201, body => user('eva'));
ask(POST => '/register', status => 303, form(username => 'ida',
        password => $PASSWORD, email => 'ida@example.org', first_name => 'Ida'));
ask(POST => '/register', status => 409, body => user('eva'));
my $answer;
wait_for(60, 'the limit', sub {
    $answer = request(POST => '/register', body => user('eva'));
    return $answer->{status} == 429 });
is($answer->{status}, 429, 'too many registrations');
my $login = encode_json({ username => 'eva', password => $PASSWORD });
my @login = (username => 'eva', password => $PASSWORD);
ask(POST => '/login', status => 401, from => '192.0.2.1',
    body => '{"username":"eva","password":"wrong horse 8"}');
ask(POST => '/login', status => 303, form(@login));
my ($id, $other) = map { header(ask(POST => '/login', status => 200,
            body => $login), 'JSESSIONID') } 1, 2;
my @session = (params => [ HTTP_JSESSIONID => $id ]);
my @cookie = (params => [ HTTP_COOKIE => "JSESSIONID=$id",
        HTTP_SEC_FETCH_SITE => 'cross-site' ]);
my $got = ask(GET => '/authenticate', status => 200, @session);
ask(GET => '/signin', status => 200, params => [ HTTP_ACCEPT => $_ ])
    for '*/*', 'text/html';
my @json = (HTTP_ACCEPT => 'application/json');
ask(GET => '/signin', status => 401, params => \@json);
ask(GET => '/signin', status => 200, params => [ @json, IDENTGW_INTERNAL => 1 ]);
ask(GET => '/.well-known/jwks.json', status => 200);
ask(GET => '/revocations', status => 200, @internal);
ask(GET => '/revocations', status => 404);
for my $app (qw(identprov userprofile)) {
    ask(GET => '/metrics', status => 200, app => $app, @internal);
    ask(GET => '/metrics', status => 404, app => $app);
    ask(GET => '/healthz', status => 200, app => $app);
    ask(GET => '/readyz', status => 200, app => $app);
}

is(identprov('', qw(user verify-email ida)), 0, 'an address is verified');
my %mail = (email => 'ida@example.org');
ask(GET => '/account', status => 200, @session);
for my $method (qw(PATCH POST)) {
    my @to = ($method => '/account');
    ask(@to, status => 200, @session, body => '{"last_name":"Roe"}');
    ask(@to, status => 409, @session, body => encode_json(\%mail));
    ask(@to, status => 422, @session, body => '{"id":"x"}');
}
ask(POST => '/account', status => 303, @session, form(last_name => 'Roe'));

my $list = ask(GET => '/sessions', status => 200, @session);
my @sids = map { $_->{id} } grep { !$_->{current} } @{ json($list)->{sessions} };
my %one = (as => '/sessions/{id}');
ask(DELETE => "/sessions/$sids[0]", status => 204, %one, @session);
ask($_ => "/sessions/$sids[0]", status => 404, %one, @session)
    for qw(DELETE POST);
ask(POST => "/sessions/$sids[1]", status => 204, %one, @session);
$other = header(request(POST => '/login', body => $login), 'JSESSIONID');
($list) = json(request(GET => '/sessions', @session));
(@sids) = map { $_->{id} } grep { !$_->{current} } @{ $list->{sessions} };
ask(POST => "/sessions/$sids[0]", status => 303, %one, @session, form());
ask($_ => '/sessions', status => 204, @session) for qw(DELETE POST);
ask(POST => '/sessions', status => 303, @session, form());

my %change = (current => $PASSWORD, new => $NEW);
ask(POST => '/password', status => 422, @session,
    body => '{"current":"wrong horse 8","new":"correct horse 9"}');
ask(POST => '/password', status => 204, @session, body => encode_json(\%change));
ask(POST => '/password', status => 303, @session,
    form(current => $NEW, new => $PASSWORD));

# --- userprofile -----------------------------------------------------------------

my @token = (HTTP_X_USER => 'eva',
    HTTP_AUTHORIZATION => header($got, 'Authorization'));
sub profile {
    my ($method, $status, $body, @more) = @_;
    return ask($method => '/userprofile', status => $status, body => $body,
        params => [ @token, @more ], $method eq 'PATCH' && $status == 200
        ? (type => 'application/merge-patch+json') : ());
}
profile(GET => 404);
profile($_ => 404, '{}') for qw(PUT PATCH);
profile(DELETE => 404);
profile(POST => 201,
    '{"nickname":"E","address":{"country":"DE"},"custom":{"a":[1]}}');
profile(POST => 409, '{}');
my $etag = header(profile(GET => 200), 'ETag');
profile(GET => 304, '', HTTP_IF_NONE_MATCH => $etag);
profile(PUT => 200, '{"bio":"x"}');
profile($_ => 422, '{"sub":"x"}') for qw(POST PUT PATCH);
profile(PATCH => 200, '{"bio":"y"}');
profile($_ => 412, $_ =~ /^P/ ? '{}' : '', HTTP_IF_MATCH => $etag)
    for qw(GET POST PUT PATCH DELETE);
profile(DELETE => 204);

# --- what the gateway answers in its place ------------------------------------------

sub at_gateway {
    my ($method, $status, @headers) = @_;
    my $answer = $stack->request($method, '/userprofile', body => '{}',
        headers => [ 'Content-Type', 'application/json', @headers ]);
    is($answer->{status}, $status, "$method /userprofile at the gateway: $status");
    note_answer($answer, app => 'userprofile', method => $method,
        path => '/userprofile');
    return;
}
at_gateway($_ => 401) for qw(GET POST PUT PATCH DELETE);
at_gateway(GET => 401, Accept => 'text/html');
at_gateway($_ => 403, Cookie => "JSESSIONID=$id", 'Sec-Fetch-Site' => 'cross-site')
    for qw(POST PUT PATCH DELETE);

# --- pages -------------------------------------------------------------------------

my @html = (HTTP_ACCEPT => 'text/html');
for my $route (@pages) {
    my ($app, $method, $path) = @$route;
    my %to = (app => $app, as => $path);
    my $real = $path =~ s/\{id\}/0123456789abcdef/r;
    ask($method => $real, %to, params => \@html,
        status => $path =~ m{^/(?:account|password|sessions)} ? 303 : 200);
    ask($method => $real, status => 400, %to, params => [ HTTP_X_BAD => "a\x01b" ]);
    ask($method => $real, status => 413, %to, params => \@html, body => 'x' x 66_000);
    ask($method => $real, status => $path eq '/' ? 404 : 405, %to, as => undef);
}
my @browser = (params => [ HTTP_JSESSIONID => $id, @html ]);
ask(GET => '/account', status => 200, @browser);
ask(GET => '/account', status => 401, params => \@html);
ask(GET => '/sessions', status => 303, @browser);
profile(GET => 200, '', @html);
sub profile_form {
    my ($status, $version, %with) = @_;
    my $body = 'version=' . ($version =~ s/"/%22/gr) . "&$with{with}";
    return ask(POST => '/userprofile', status => $status, type => $FORM,
        body => $body, params => [ @token, @html, @{ $with{params} || [] } ]);
}
profile_form(404, '"x"', with => 'bio=x');
profile_form(422, '', with => 'birthdate=x');
profile_form(400, '', with => '%');
profile_form(303, '', with => 'bio=x');
profile_form(409, '', with => 'bio=x');
profile_form(412, '"x"', with => 'bio=x');
profile_form(403, '', with => 'bio=x',
    params => [ HTTP_SEC_FETCH_SITE => 'cross-site' ]);
profile_form(303, header(profile(GET => 200), 'ETag'), with => 'action=delete');

# One that is closed, and has one turn, and one place in the line of the slow.
{
    my ($pid, $socket) = start_another(identprov => REGISTRATION => 'closed',
        THREADS => 3, HASH_SLOTS => 1, HASH_QUEUE => 1,
        STATEMENT_TIMEOUT => '60s');
    my @at = (socket => $socket);
    ask(GET => '/register', status => 403, params => \@html, @at);
    open my $lock, '|-', $psql, '-Xqo', '/dev/null', '-d',
        $stack->setting('IDENTPROV_DATABASE') or die "psql: $!\n";
    $lock->autoflush(1);
    print $lock "BEGIN; LOCK identprov.account, identprov.revocation;\n";
    wait_for(60, 'the lock', sub { sql(identprov => 'SELECT 1 FROM pg_locks'
                . ' WHERE mode = $$AccessExclusiveLock$$ AND granted'
                . ' AND relation = $$identprov.revocation$$::regclass') });
    my @login_to = (POST => '/login', body => $login, @at);
    my @logins = map { begin(@login_to) } 1 .. 3;
    my @polls = map { begin(GET => '/revocations', @internal, @at) } 1, 2;
    for my $asked (\@logins, \@polls) {
        my ($first) = IO::Select->new(map { $_->{socket} } @$asked)->can_read(60);
        my ($refused) = grep { $_->{socket} == $first } @$asked;
        is(json(finish($refused))->{code}, 'busy',
            "$refused->{path}: 503, busy");
        @$asked = grep { $_ != $refused } @$asked;
    }
    ask($_->[0] => $_->[1], status => 503, body => '{}', @at)
        for [ POST => '/register' ], [ POST => '/password' ],
        [ DELETE => '/account' ], [ POST => '/account/delete' ];
    print $lock "COMMIT;\n";
    close $lock;
    is(join(' ', map { finish($_)->{status} } @logins, @polls), '200 200 200',
        'who was in the line is answered');
    end_another($pid);
}

# Of identprov, one whose database is never quick enough.
{
    my ($pid, $socket) = start_another(identprov => SYNC_HEARTBEAT => '1ms');
    my @readyz = (GET => '/readyz', @internal, socket => $socket);
    ok(wait_for(60, 'the code', sub {
                (json(request(@readyz))->{code} // '') eq 'no_commit' }),
        '... no_commit');
    end_another($pid);
}

# Of userprofile, one that has no keys.
{
    my ($pid, $socket) = start_another(userprofile => JWKS_FILE => '',
        JWKS_URL => 'http://127.0.0.1:9/');
    my @at = (app => 'userprofile', socket => $socket);
    for my $try ([ {}, 'not_ready' ], [ { @internal }, 'no_keys' ]) {
        my ($who, $code) = @$try;
        is(json(ask(GET => '/readyz', status => 503, %$who, @at))->{code}, $code,
            "... $code");
    }
    ask(GET => '/userprofile', status => 503, params => $_, @at)
        for [ @token ], [ @token, @html ];
    end_another($pid);
}

# --- of every route the same -------------------------------------------------------

my %takes_json = map { $_ => 1 } 'POST /register', 'POST /login',
    'PATCH /account', 'POST /account', 'DELETE /account',
    'POST /account/delete', 'POST /password',
    map { "$_ /userprofile" } qw(POST PUT PATCH);
for my $route (@routes) {
    my ($app, $method, $path) = @$route;
    my %to = (app => $app, as => $path);
    my $real = $path =~ s/\{id\}/0123456789abcdef/r;
    my @with = $app eq 'userprofile' ? @token : (HTTP_JSESSIONID => $id);
    my @who = (params => [ @with, IDENTGW_INTERNAL => 1 ]);
    ask($method => $real, status => 400, %to,
        params => [ @with, HTTP_X_BAD => "a\x01b" ]);
    ask($method => $real, status => 413, %to, @who, body => 'x' x 66_000);
    ask($method => $real, status => 403, %to, @cookie)
        if $app eq 'identprov' && $method ne 'GET';
    ask($method => $real, status => 401, %to)
        if $path =~ m{^/(?:authenticate|account|password|sessions|userprofile)};
    next if !$takes_json{"$method $path"};
    ask($method => $real, status => 415, %to, @who, body => '{}',
        type => 'text/plain');
    ask($method => $real, status => 400, %to, @who, body => '{');
    ask($method => $real, status => 422, %to, @who, body => '{"no":1}')
        if "$method $path" ne 'PATCH /userprofile';
}
for my $app (qw(identprov userprofile)) {
    my $path = $app eq 'identprov' ? '/login' : '/userprofile';
    ask(TRACE => $path, status => 405, app => $app, as => undef);
    ask(GET => '/nowhere', status => 404, app => $app, as => undef);
}
is(request(OPTIONS => '/userprofile', as => undef)->{body}, '', 'OPTIONS');
pop @problems;

# --- too many attempts -------------------------------------------------------------

my %from = (from => '198.51.100.1');
for my $try ([ POST => '/login',
        body => '{"username":"eva","password":"wrong horse 8"}' ],
    [ POST => '/password', @session, body => encode_json(\%change) ],
    [ DELETE => '/account', @session, body => '{"password":"wrong horse 8"}' ],
    [ POST => '/account/delete', @session,
        body => '{"password":"wrong horse 8"}' ]) {
    ok(wait_for(120, 'the limit',
            sub { request(@$try, %from)->{status} == 429 }),
        "@{$try}[0, 1] is throttled");
}
ask(DELETE => '/account', status => 422, @session, body => '{"password":"no"}');

# --- without a database ------------------------------------------------------------

# What request takes to ask a route for something that it has to look for.
sub of_route {
    my ($app, $method, $path) = @_;
    my %body = ('/register' => user('fay'), '/login' => $login,
        '/password' => encode_json(\%change),
        '/account' => '{"last_name":"X","password":"x"}',
        '/userprofile' => '{}');
    my @with = $app eq 'userprofile' ? @token : (HTTP_JSESSIONID => $id);
    return ($method => $path =~ s/\{id\}/0123456789abcdef/r, app => $app,
        as => $path, from => '203.0.113.1',
        params => [ @with, IDENTGW_INTERNAL => 1 ],
        body => $method eq 'GET' ? '' : $body{$path} // '{"password":"x"}');
}

$stack->kill_part('KILL', 'postgres');
my %no_database = map { $_ => 1 } qw(/signin /healthz /metrics);
my %is_firm = (%no_database,
    map { $_ => 1 } qw(/readyz /.well-known/jwks.json));
for my $route (grep { !$no_database{ $_->[2] } } @routes) {
    ok(wait_for(60, "503 to @$route", sub {
                request(of_route(@$route))->{status} == 503 }), "@$route: 503");
}
for my $path (qw(/ /logout)) {
    ok(wait_for(60, "503 to $path", sub { request(GET => $path,
                @browser)->{status} == 503 }), "GET $path: 503");
}
is(json(ask(GET => '/readyz', status => 503, app => $_, @internal))->{code},
    'database_unavailable', "... $_ tells why") for qw(identprov userprofile);
$stack->restart_parts('postgres');
wait_for(60, 'the database', sub {
    request(GET => '/account', @session)->{status} == 200 });

# --- a database in which nothing is where it was -------------------------------------

sql($_, "ALTER SCHEMA $_ RENAME TO elsewhere") for qw(identprov userprofile);
ask(of_route(@$_), status => 500) for grep { !$is_firm{ $_->[2] } } @routes;
ask(GET => $_, status => 500, @browser) for qw(/ /logout /account);
ask(GET => '/userprofile', status => 500, params => [ @token, @html ]);
is(json(ask(GET => '/readyz', status => 503, app => $_, @internal))->{code},
    'wrong_schema', "... $_ tells why") for qw(identprov userprofile);
sql($_, "ALTER SCHEMA elsewhere RENAME TO $_") for qw(identprov userprofile);

# --- the end of the account -----------------------------------------------------------

ask(DELETE => '/account', status => 204, @session,
    body => encode_json({ password => $PASSWORD }));
for my $kind (204, 303) {
    my $name = "user$kind";
    ask(POST => '/register', status => 201, from => '203.0.113.9',
        body => user($name));
    my $new = header(request(POST => '/login', from => '203.0.113.9', body =>
                encode_json({ username => $name, password => $PASSWORD })),
        'JSESSIONID');
    my @new = (params => [ HTTP_JSESSIONID => $new ]);
    ask(POST => '/account/delete', status => $kind, @new, $kind == 204
        ? (body => encode_json({ password => $PASSWORD }))
        : form(password => $PASSWORD));
}
ask(POST => '/logout', status => 204);
ask(POST => '/logout', status => 303, form(return_to => '/x'));

# --- a key that nobody there can open ------------------------------------------------

my $other_file = $stack->var . '/other-passphrase';
Stack::spew($other_file, "another passphrase of ours\n");
chmod 0600, $other_file;
sql(identprov => 'DELETE FROM identprov.signing_key WHERE sign_from > now()');
is(identprov("IDENTPROV_KEY_PASSPHRASE_FILE='$other_file'", qw(key withdraw),
        sql(identprov => 'SELECT kid FROM identprov.signing_key') =~ /(\S+)/), 0,
    'another key');
ok(wait_for(60, 'the code', sub { (json(request(GET => '/readyz', @internal))->{code}
            // '') eq 'no_signing_key' }), '... no_signing_key');

# --- judgement -------------------------------------------------------------------------

my %is_page_of_database = map { $_ => 1 } qw(/ /logout);
my @firm = ((grep { $is_firm{ $_->[2] } } @routes),
    grep { !$is_page_of_database{ $_->[2] } } @pages);
Stack::spew("$stack->{var}/answers", encode_json({ answers => \@answers,
            problems => \@problems, routes => [ @routes, @pages ], firm => \@firm }));
my $python = $ENV{PYTHON} || '/usr/bin/python3';
my $text = qx('$python' t/lib/openapi.py docs/openapi.yaml \\
    < '$stack->{var}/answers');
is($?, 0, 'they are judged');
my $wrong = decode_json($text || '["nothing"]');
is(scalar @$wrong, 0, scalar(@answers) . ' answers are as docs/openapi.yaml says')
    or diag(join "\n", @$wrong);
my %sent = map { $_ => 1 }
    map { slurp($_) =~ /\bigw_problem\(call, (\d{3}),/g } glob 'fcgi-*/*.c';
my %seen = map { $_->{status} => 1 } @answers;
is(join(' ', grep { !$seen{$_} } sort keys %sent), '405',
    'every status that is in the sources was answered')
    or diag(join ' ', sort keys %seen);
my %codes = map { $_ => 1 } 'unavailable', map {
    my $source = slurp($_);
    ($source =~ /\bigw_problem\(call, 503, "(\w+)"/g,
        $source =~ /^        \{ "(\w+)", "[A-Z]/mg)
} glob 'fcgi-common/*.c fcgi-*/handlers.c fcgi-*/revocations.c';
delete $codes{ json($_)->{code} } for grep { $_->{status} == 503
        && $_->{type} eq 'application/problem+json' } @answers;
is(join(' ', sort keys %codes), '', 'every code of 503 was answered');
$stack->stops_cleanly;
done_testing;
