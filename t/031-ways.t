# Every way into a protected location: nobody gets in without a session, who has
# one is asked about once, and the connection goes on.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client qw(field fields request_bytes wait_for);
use ModuleTest;
use Upstreams;

Upstreams::start;

my $ROOM = $Upstreams::room;
my $CONF = $ENV{TEST_NGINX_CONF};
my $PASS = "proxy_http_version 1.1; proxy_set_header Host \$host; "
    . "proxy_set_header Connection ''; proxy_pass http://echo_http;";

sub write_file {
    my ($name, $text) = @_;
    my @folders = split m{/}, $name;
    pop @folders;
    my $folder = $ROOM;
    mkdir $folder .= "/$_" for @folders;
    open my $out, '>', "$ROOM/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
}

write_file('www/index/page.html', "never served\n");
write_file('www/secret.txt', "a secret file\n");
write_file('www/ssi/one.html', '<!--# include virtual="/app/fragment" -->|');
write_file('www/ssi/many.html',
    join '|', map { "<!--# include virtual=\"/app/$_\" -->" } 1 .. 12);
write_file('www/ssi/wait.html', '<!--# include virtual="/app/w" wait="yes" -->|'
        . '<!--# include virtual="/app/v" set="v" --><!--# echo var="v" -->');
write_file('www/ssi/said.html', '<!--# include virtual="/said/early" -->|');
write_file('www/ssi/file.html', '<!--# include file="/secret.txt" -->|');
write_file('www/ssi/optional.html', '<!--# include virtual="/optional" -->|');
write_file('www/ssi/other.html', '<!--# include virtual="/other" -->|');
write_file('www/ssi/open.html', '<!--# include virtual="/open/x" -->|');
write_file('www/added.html', "the page\n");
write_file('files/long.txt',
    join '', map { sprintf "line %04d\n", $_ } 1 .. 500);

our $HttpConfig = <<"CONF";
upstream echo_http { server unix:$ROOM/http.sock; keepalive 4; }
upstream echo_fastcgi { server unix:$ROOM/fastcgi.sock; keepalive 4; }
client_max_body_size 11m;
keepalive_requests 10000;
server {
    listen unix:$ROOM/files.server;
    root $ROOM/files;
    if (\$http_x_user = '') { return 403; }
    add_header Of-User \$http_x_user;
}
server {
    listen unix:$ROOM/ways;
    listen unix:$ROOM/ways-http2 http2;
    root $ROOM/www;
    include $CONF/idp.conf;
    rewrite ^/by-server\$ /app/by-server;

    location /app { identgw on; $PASS }
    location /optional { identgw optional; $PASS
        proxy_set_header Basic-User \$remote_user; }
    location /other { identgw optional; identgw_session_name OTHER; $PASS }
    location = /.identgw/other { internal; identgw off;
        fastcgi_param PEER_ROLE authenticate;
        fastcgi_param PEER_SESSION HTTP_OTHER; include $CONF/peer.conf; }
    location /open { $PASS }
    location = /secret.txt { identgw on; }
    location \@app { identgw on; $PASS }
    location \@file { identgw on; try_files /secret.txt =404; }
    location \@open { $PASS }

    # internal redirects
    location /index/ { identgw on; index page.html; }
    location = /index/page.html { identgw on; $PASS }
    location /hidden/ { internal; identgw on; alias $ROOM/www/; }
    location /tries { identgw on; try_files /absent \@app; }
    location /tries-open { try_files /absent \@app; }
    location /tries-file { try_files /absent /secret.txt; }
    location /tries-out { identgw on; try_files /absent \@open; }
    location /two { identgw on; try_files /absent \@two; }
    location \@two { identgw on; identgw_session_name OTHER;
        identgw_authenticate /.identgw/other; $PASS }
    location /two-optional { identgw on; try_files /absent \@two-optional; }
    location \@two-optional { identgw optional; identgw_session_name OTHER;
        identgw_authenticate /.identgw/other; $PASS }
    location /fails { error_page 404 /app/page; return 404; }
    location /fails-on { identgw on; proxy_intercept_errors on;
        error_page 404 = /app/page; $PASS }
    location /fails-named { error_page 404 = \@app; return 404; }
    location /tries-said { try_files /absent /said; }
    location /fails-said { error_page 404 /said/secret; return 404; }
    location /fails-said-200 { error_page 404 =200 /said/secret; return 404; }
    location /loops { identgw on; identgw_signin off; error_page 401 /app/x;
        $PASS }

    # rewrites
    location /old { rewrite ^ /app/new last; }
    location /old-on { identgw on; rewrite ^ /app/new last; }
    location /old-break { identgw on; rewrite ^ /app/new break; $PASS }
    location /old-if {
        if (\$request_method = GET) { rewrite ^ /app/new last; } }
    location /old-out { identgw on; rewrite ^ /open/new last; }
    location /nested { location /nested/in { identgw on; $PASS
            location ~ \\.deep\$ { $PASS }
            location /nested/in/out { identgw off; $PASS } } $PASS }
    location ~* ^/regex/.*\\.x\$ { identgw on; $PASS }
    location ^~ /strong/ { identgw on; $PASS }
    location = /exact { identgw on; $PASS }
    location /methods { identgw on; limit_except GET { deny all; } $PASS }
    location /iffy { identgw on; if (\$arg_x) { add_header Iffy 1; } $PASS }

    # what is said in the rewrite phase
    location /said { identgw on; return 200 "a said secret\\n"; }
    location /said-if { identgw on;
        if (\$arg_x = 1) { return 200 "a said secret\\n"; } $PASS }
    location /said-far { identgw on; return 302 /a-said-secret; }
    location /said-moved { identgw on; rewrite ^ /a-said-secret permanent; }
    location /said-closed { identgw on; return 444; }

    # subrequests
    location /ssi/ { ssi on; }
    location /ssi-on/ { identgw on; ssi on; alias $ROOM/www/ssi/; }
    location /ssi-optional/ { identgw optional; ssi on; alias $ROOM/www/ssi/; }
    location /ssi-other/ { identgw on; identgw_session_name OTHER;
        identgw_authenticate /.identgw/other; ssi on;
        alias $ROOM/www/ssi/; }
    location /added { alias $ROOM/www/added.html; default_type text/html;
        add_before_body /app/before; add_after_body /app/after; }
    location /added-on { identgw on; alias $ROOM/www/added.html;
        default_type text/html;
        add_before_body /app/before; add_after_body /app/after; }
    location /mirrored { identgw on; mirror /sink; $PASS }
    location /mirrored-in { mirror /sink-on; $PASS }
    location /mirrored-on { identgw on; mirror /sink-on; $PASS }
    location /sink { internal; $PASS }
    location /sink-on { internal; identgw on; $PASS }
    location /asks { auth_request /app/asked; $PASS }
    location /after { identgw on; post_action /sink; $PASS }
    location /after-in { post_action /sink-on; $PASS }
    location /after-on { identgw on; post_action /sink-on; $PASS }
    location /slices { identgw on; slice 100; proxy_http_version 1.1;
        proxy_set_header Range \$slice_range;
        proxy_pass http://unix:$ROOM/files.server:/; }

    # bodies and protocols
    location /stream { identgw on; proxy_request_buffering off; $PASS }
    location /fastcgi { identgw on; fastcgi_keep_conn on;
        fastcgi_param REQUEST_METHOD \$request_method;
        fastcgi_param REQUEST_URI \$request_uri;
        fastcgi_param CONTENT_LENGTH \$content_length if_not_empty;
        fastcgi_pass echo_fastcgi; }
    location /socket { identgw on; proxy_http_version 1.1;
        proxy_set_header Upgrade \$http_upgrade;
        proxy_set_header Connection upgrade; proxy_pass http://echo_http; }
}
CONF

# --- helpers ------------------------------------------------------------------

my $count = 0;

# A user of whom nobody has asked yet, and the session.
sub new_user {
    my $name = 'u' . ++$count;
    return ($name, 'JSESSIONID', "ok-$name");
}

# How often identprov was asked about a user since the last time.
sub questions_about {
    my ($client, $user) = @_;
    my $answer = Client->new($client->{address},
        http2 => $client->{is_http2})->get("/questions?ok-$user");
    return scalar(() = $answer->{body} =~ /^== authenticate$/mg);
}

sub both_clients {
    return (Client->new("$ROOM/ways"),
        Client->new("$ROOM/ways-http2", http2 => 1));
}

sub label {
    my ($client, $target) = @_;
    return ($client->{is_http2} ? 'HTTP/2 ' : '') . $target;
}

my @FORGED = qw(x-user mallory x-email mallory authorization mallory);

# With a session the application gets its identity, after one question.
sub enters {
    my ($client, $target, $status) = @_;
    my ($user, @session) = new_user();
    @session = map { lc } @session if $client->{is_http2};
    my $what = label($client, $target);
    my $answer = $client->get($target, @FORGED, @session);
    is($answer->{status}, $status // 200, "$what with a session");
    like($answer->{body}, qr/^X-User: $user\r$/m, '... has its identity');
    unlike($answer->{body}, qr/mallory/, '... no other');
    is(questions_about($client, $user), 1, '... after one question');
    return $answer;
}

# Without one it gets nothing at all.
sub stays_out {
    my ($client, $target, $status) = @_;
    my $what = label($client, $target);
    Upstreams::received();
    my $answer = $client->get($target, @FORGED);
    is($answer->{status}, $status // 401, "$what without a session");
    unlike(join('|', @{ $answer->{headers} }, $answer->{body}),
        qr/secret|^X-User/m, '... says nothing');
    is_deeply([ Upstreams::received() ], [], '... and passes nothing on');
    return $answer;
}

sub enters_with_session_only {
    my (@targets) = @_;
    for my $client (both_clients()) {
        for my $target (@targets) {
            my ($path, $status) = ref $target ? @$target : $target;
            enters($client, $path, $status);
            stays_out($client, $path);
        }
    }
}

sub hex_of {
    return unpack 'H*', join "\n", @_;
}

# --- the ways -----------------------------------------------------------------

sub check_redirects {
    my $to_app = hex_of('X-Accel-Redirect: /app/accel');
    my $missing = hex_of('Status: 404 Not Found');
    enters_with_session_only(qw(/index/ /tries /tries-open /fails-named),
        [ '/fails', 404 ], "/app?answer=$to_app", "/fails-on?answer=$missing");
    for my $client (both_clients()) {
        enters($client, "/open?answer=$to_app");
        is($client->get("/open?answer=$to_app")->{status}, 401,
            'an application cannot let others in');
        for my $file ('/tries-file', map { "/open?answer=" . hex_of(
                    "X-Accel-Redirect: $_") } qw(/hidden/secret.txt @file)) {
            my ($user, @session) = new_user();
            my $answer = $client->get($file, map { lc } @session);
            is($answer->{body}, "a secret file\n", "a file of $user");
            is(questions_about($client, $user), 1, '... after one question');
            $answer = $client->get($file);
            is($answer->{status}, 401, '... and of nobody else');
            unlike($answer->{body}, qr/secret/, '... not a byte');
        }
        is($client->get('/hidden/secret.txt')->{status}, 404,
            'internal stays internal');
        is($client->get('/loops')->{status}, 401,
            'a protected page for a 401 is a plain 401');
        my ($user, @session) = new_user();
        like($client->get('/tries-out', map { lc } @session)->{body},
            qr/^X-User: $user\r$/m, 'from on into an open location');
        is($client->get('/tries-out')->{status}, 401, '... after the check');
    }
}

# A request that goes on under another policy has that one's verdict alone.
sub check_policies {
    for my $client (both_clients()) {
        for my $target (qw(/two /two-optional)) {
            my ($first, @first) = new_user();
            my ($second) = new_user();
            @first = map { lc } @first;
            my $answer = $client->get($target, @FORGED, @first, 'other',
                "ok-$second");
            is_deeply([ $answer->{body} =~ /^X-User: (.*)\r$/mg ], [ $second ],
                label($client, "$target: the second policy's user"));
            is_deeply([ map { questions_about($client, $_) } $first, $second ],
                [ 1, 1 ], '... after a question each');
            $answer = $client->get($target, @FORGED, @first);
            is($answer->{status}, $target eq '/two' ? 401 : 200,
                '... without the second\'s session');
            unlike($answer->{body}, qr/^X-User|Bearer|mallory/m,
                '... nobody, not the first policy\'s user');
            stays_out($client, $target);
        }
    }
}

sub check_rewrites {
    enters_with_session_only(qw(/old /old-on /old-break /old-if /by-server
        /regex/a.x /REGEX/b.X /strong/x.x /exact /nested/in /nested/in/a.deep
        /methods /iffy /iffy?x=1));
    for my $client (both_clients()) {
        for my $target (qw(/old-out /nested/in/out /nested)) {
            my $answer = $client->get($target, @FORGED);
            is($answer->{status}, 200, "$target is open");
            unlike($answer->{body}, qr/X-User/i, '... but for nobody');
        }
        for my $path ('/app/../app/x', '//app', '/./app', '/%61pp', '/app%2fx',
            '/open/../app', '/app;x', '/app/%2e%2e/app', '/open/%2e%2e/app',
            '/app?/open', '/app/.', '/APP/../app/%00', '/strong//x',
            '/exact?', '/exact#x', '/nested/out/../in') {
            Upstreams::received();
            my $answer = $client->get($path, @FORGED);
            isnt($answer->{status}, 200, "$path is closed");
            is_deeply([ Upstreams::received() ], [], '... to all');
        }
        my ($user, @session) = new_user();
        my $answer = $client->ask('DELETE', '/methods',
            [ map { lc } @session ]);
        is($answer->{status}, 403, 'limit_except still limits');
    }
}

sub check_returns {
    my %said = ('/said' => 200, '/said-if?x=1' => 200, '/said-far' => 302,
        '/said-moved' => 301, '/fails-said' => 404, '/fails-said-200' => 200,
        '/tries-said' => 200);
    for my $client (both_clients()) {
        for my $target (sort keys %said) {
            stays_out($client, $target);
            my ($user, @session) = new_user();
            my $answer = $client->get($target, map { lc } @session);
            is($answer->{status}, $said{$target},
                label($client, "$target with a session"));
            like(join('|', @{ $answer->{headers} }, $answer->{body}),
                qr/said.secret/, '... is told');
            is(questions_about($client, $user), 1, '... after one question');
        }
        enters($client, '/said-if?x=2');
        stays_out($client, '/said-closed');
    }
    my ($user, @session) = new_user();
    ok(!defined Client->new("$ROOM/ways")->get('/said-closed', @session),
        'return 444 closes the connection');
}

sub check_ssi {
    for my $client (both_clients()) {
        for my $page (qw(one many wait)) {
            enters($client, "/ssi-on/$page.html");
            Upstreams::received();
            my $answer = $client->get("/ssi/$page.html", @FORGED);
            is($answer->{status}, 200, "an open page with $page fragment");
            unlike($answer->{body}, qr/^X-/m, '... lacks what is protected');
            is_deeply([ Upstreams::received() ], [], '... and asks nobody');
            my ($user, @session) = new_user();
            $answer = $client->get("/ssi-optional/$page.html", @FORGED);
            unlike($answer->{body}, qr/^X-/m, '... an anonymous one, too');
            $answer = $client->get("/ssi-other/$page.html", 'other',
                "ok-$user");
            is($answer->{status}, 200, 'a page of another policy');
            unlike($answer->{body}, qr/^X-/m,
                '... has not this one\'s verdict');
            is(questions_about($client, $user), 1, '... but its own');
        }
        for my $page (qw(said file)) {
            unlike($client->get("/ssi/$page.html")->{body}, qr/secret/,
                "$page: no secret by a fragment");
        }
        my ($user, @session) = new_user();
        @session = map { lc } @session;
        like($client->get('/ssi-on/open.html', @FORGED, @session)->{body},
            qr/^X-User: $user\r$/m, 'an open fragment of a protected page');
        my $body = $client->get('/ssi/open.html', @FORGED)->{body};
        like($body, qr/^authorization: mallory\r$/m,
            'an open fragment of an open page');
        unlike($body, qr/^X-User/mi, '... has no claims');
        $body = $client->get('/ssi/optional.html', @FORGED, @session)->{body};
        like($body, qr{^GET /optional}, 'an optional fragment of an open page');
        unlike($body, qr/mallory|ok-|X-User/i, '... is for nobody');
        $body = $client->get('/ssi/optional.html', 'authorization',
            'Basic bWFsbG9yeTpzZWNyZXQ=')->{body};
        unlike($body, qr/mallory|Basic/i, '... nor for a user of Basic');
        $body = $client->get('/ssi-on/other.html', @session)->{body};
        like($body, qr{^GET /other}, 'an optional fragment of another policy');
        unlike($body, qr/^X-User/mi, '... is for nobody');
    }
}

sub check_addition {
    for my $client (both_clients()) {
        my $answer = enters($client, '/added-on');
        like($answer->{body},
            qr{^GET /app/before .*^the page\n.*^GET /app/after }ms,
            'before and after');
        Upstreams::received();
        $answer = $client->get('/added', @FORGED);
        unlike($answer->{body}, qr/^X-/m, 'nothing is added to an open page');
        is_deeply([ Upstreams::received() ], [], '... nor asked for');
        my ($user, @session) = new_user();
        $answer = $client->get('/asks', map { lc } @session);
        is($answer->{status}, 403, 'auth_request does not come in');
        is(questions_about($client, $user), 0, '... nor asks');
    }
}

# The heads that the application got on that path, once there are $n of all.
sub heads_of {
    my ($path, $n, @received) = @_;
    wait_for(sub { push @received, Upstreams::received(); @received >= $n });
    return grep { m{^\S+ \Q$path\E } } map { $_->[1] } @received;
}

sub check_beside {
    for my $client (both_clients()) {
        my $name = $client->{is_http2} ? 'HTTP/2: ' : '';
        for my $beside (qw(mirrored after)) {
            Upstreams::received();
            my ($user, @session) = new_user();
            @session = map { lc } @session;
            # nginx may have closed a body's file before a post_action
            my $answer = $client->ask('POST', "/$beside",
                [ @FORGED, @session ], $beside eq 'after' ? '' : 'x' x 3000);
            is($answer->{status}, 200, "$name$beside");
            my ($head) = heads_of('/sink', 2);
            like($head, qr/^X-User: $user\r$/m, '... with the identity');
            unlike($head, qr/mallory|ok-/, '... alone');
            is(questions_about($client, $user), 1, '... of one question');
            ($user, @session) = new_user();
            $client->get("/$beside-on", @FORGED, map { lc } @session);
            like((heads_of('/sink-on', 2))[0], qr/^X-User: $user\r$/m,
                "$name$beside into a protected location");
            is(questions_about($client, $user), 1, '... of one question');
            is($client->get("/$beside-in", @FORGED)->{status}, 200,
                "$name$beside from an open location");
            ($user, @session) = new_user();
            is($client->get("/$beside-in", @FORGED, map { lc } @session)
                    ->{status}, 200, '... with a session, too');
            is(questions_about($client, $user), 0,
                '... which is not asked for');
            is($client->get("/$beside", @FORGED)->{status}, 401,
                "$name$beside without a session");
            is($client->get('/open/last')->{status}, 200, '... and one more');
            my @received = wait_for(sub { my @all = Upstreams::received();
                    @all ? \@all : undef })->@*;
            my @heads = map { $_->[1] } @received;
            is_deeply([ grep { m{/sink-on} } @heads ], [],
                '... never comes in');
            unlike(join('', @heads), qr/^x-(?:user|email):/mi,
                '... and nobody is anybody');
        }
    }
}

sub check_slices {
    for my $client (both_clients()) {
        my ($user, @session) = new_user();
        my $answer = $client->get('/slices/long.txt', map { lc } @session);
        is($answer->{status}, 200, 'fifty slices');
        is(length $answer->{body}, 5000, '... are one file');
        is(field($answer, 'Of-User'), $user, '... of the user');
        is(questions_about($client, $user), 1, '... after one question');
        is($client->get('/slices/long.txt')->{status}, 401, '... of no other');
    }
}

# --- protocols ----------------------------------------------------------------

sub check_socket {
    my @upgrade = ('Upgrade', 'websocket', 'Connection', 'Upgrade',
        'Sec-WebSocket-Version', 13, 'Sec-WebSocket-Key', 'AAAA');
    my $client = Client->new("$ROOM/ways");
    my $answer = $client->get('/socket?upgrade=1', @upgrade, @FORGED);
    is($answer->{status}, 401, 'no upgrade without a session');
    is($client->get('/open')->{status}, 200, '... the connection goes on');
    my ($user, @session) = new_user();
    $answer = $client->get('/socket?upgrade=1', @upgrade, @FORGED, @session);
    is($answer->{status}, 101, 'an upgrade with one');
    like($client->take_until("\r\n\r\n"), qr/^X-User: $user\r$/m,
        '... has the identity');
    is(questions_about($client, $user), 1, '... after one question');
    for my $message ("\x81\x05hello", 'y' x 100_000) {
        $client->write_bytes($message);
        is($client->take(length $message), $message, '... and talks');
    }
    $client->end_input;
    ok($client->gets_closed, '... to its end');
}

sub check_old {
    my ($user, @session) = new_user();
    my $client = Client->new("$ROOM/ways");
    $client->write_bytes("GET /app HTTP/1.0\r\n\r\n");
    my $answer = $client->answer;
    is($answer->{status}, 401, 'HTTP/1.0 without a Host or a session');
    like($answer->{body}, qr/Please go to login/, '... gets the whole answer');
    ok($client->gets_closed, '... and is closed');
    $client = Client->new("$ROOM/ways");
    $client->write_bytes("GET /app HTTP/1.0\r\nX-User: m\r\n"
            . "JSESSIONID: ok-$user\r\n\r\n");
    $answer = $client->answer;
    is($answer->{status}, 200, 'HTTP/1.0 with a session');
    like($answer->{body}, qr/^X-User: $user\r$/m, '... has the identity');
    is(questions_about($client, $user), 1, '... after one question');
    $client = Client->new("$ROOM/ways");
    $client->write_bytes(request_bytes('GET', '/app',
            [ 'JSESSIONID', "ok-$user", 'Connection', 'keep-alive' ], undef,
            '1.0') x 2);
    is($client->answer->{status}, 200, 'HTTP/1.0 that stays') for 1 .. 2;
    $client = Client->new("$ROOM/ways");
    $client->write_bytes("GET /app\r\n");
    ok(wait_for(sub { $client->is_closed }), 'HTTP/0.9 has an end');
    like($client->{input}, qr/Please go to login/, '... and a sign-in text');
}

sub check_rows {
    my $client = Client->new("$ROOM/ways");
    my (@expected, $bytes, @users);
    for my $i (1 .. 30) {
        my ($user, @session) = new_user();
        my $body = $i % 3 ? undef : 'b' x (1000 * $i);
        my $has_session = $i % 2;
        push @users, $user if $has_session;
        push @expected, $has_session ? "200 $user" : '401 -';
        $bytes .= request_bytes($body ? 'POST' : 'GET', '/app',
            [ @FORGED, $has_session ? @session : () ], $body);
    }
    $client->write_bytes($bytes);
    my @got;
    for (1 .. 30) {
        my $answer = $client->answer // last;
        my ($user) = $answer->{body} =~ /^X-User: (\S+)\r$/m;
        push @got, "$answer->{status} " . ($user // '-');
    }
    is_deeply(\@got, \@expected, 'thirty requests in a row, each its own');
    is_deeply([ map { questions_about($client, $_) } @users ],
        [ map { 1 } @users ], '... and one question each');
}

sub check_streams {
    my $client = Client->new("$ROOM/ways-http2", http2 => 1);
    my $http2 = $client->{http2};
    my (%expected, %got, @users);
    for my $i (1 .. 60) {
        my ($user, @session) = new_user();
        my $has_session = $i % 3;
        push @users, $user if $has_session;
        my $body = $i % 2 ? undef : 'b' x (500 * $i);
        my $id = $http2->send_message([ ':method', $body ? 'POST' : 'GET',
                ':scheme', 'http', ':path', '/app', ':authority', 'gateway',
                @FORGED, $has_session ? map { lc } @session : () ], $body);
        $expected{$id} = $has_session ? "200 $user" : '401 -';
    }
    for my $id (keys %expected) {
        my $stream = $client->stream_of($id) // next;
        my ($user) = $stream->{body} =~ /^X-User: (\S+)\r$/m;
        $got{$id} = "$stream->{messages}[-1][1] " . ($user // '-');
    }
    is_deeply(\%got, \%expected, 'sixty streams at once, each its own');
    is_deeply([ map { questions_about($client, $_) } @users ],
        [ map { 1 } @users ], '... and one question each');
}

# --- bodies -------------------------------------------------------------------

my @SIZES = (0, 1, 1023, 8192, 16_384, 65_535, 65_536, 1 << 20, 10 << 20);

sub check_bodies {
    for my $client (both_clients()) {
        for my $path (qw(/app /stream /fastcgi)) {
            my @wrong;
            for my $size (@SIZES) {
                my ($user, @session) = new_user();
                my $body = pack("N", $size) x ($size / 4 + 1);
                substr $body, $size, length $body, '';
                my $answer = $client->ask('POST', $path,
                    [ map { lc } @session ], $body);
                my $asked = questions_about($client, $user);
                push @wrong, $size if !$answer || $answer->{status} != 200
                    || $asked != 1 || substr($answer->{body},
                        length($answer->{body}) - $size) ne $body;
            }
            is_deeply(\@wrong, [],
                label($client, "$path: bodies of all sizes"));
        }
    }
}

sub chunked {
    my ($body) = @_;
    my $text = '';
    my $at = 0;
    for (my $size = 1; $at < length $body; $size *= 7) {
        my $piece = substr $body, $at, $size;
        $at += $size;
        $text .= sprintf "%x\r\n%s\r\n", length $piece, $piece;
    }
    return "${text}0\r\n\r\n";
}

sub check_chunks {
    my $client = Client->new("$ROOM/ways");
    my @chunked = ('Transfer-Encoding', 'chunked');
    for my $path (qw(/app /stream /fastcgi)) {
        for my $size (0, 10, 300_000, 10 << 20) {
            my ($user, @session) = new_user();
            my $body = 'c' x $size;
            $client->write_bytes(request_bytes('POST', $path,
                    [ @chunked, @session ]) . chunked($body));
            my $answer = $client->answer;
            is($answer->{status}, 200, "$path: $size bytes in chunks");
            my $arrived = substr $answer->{body},
                length($answer->{body}) - $size;
            ok($arrived eq $body, '... arrive');
            is(questions_about($client, $user), 1, '... after one question');
            $client->write_bytes(request_bytes('POST', $path, \@chunked)
                    . chunked($body));
            is($client->answer->{status}, 401, '... are refused');
        }
    }
    is($client->get('/open')->{status}, 200, 'all on one connection');
    ok($client->{address} && !$client->{is_last}, '... which goes on');
}

sub check_refused_bodies {
    for my $size (@SIZES) {
        my $client = Client->new("$ROOM/ways");
        $client->write_bytes(request_bytes('POST', '/app', \@FORGED,
                'r' x $size));
        my $answer = $client->answer;
        is($answer->{status}, 401, "a refused body of $size bytes");
        like($answer->{body}, qr/Please go to login/, '... is told why');
        $client->finish_writing;
        $client->write_bytes(request_bytes('GET', '/open/next', []));
        like($client->answer->{body}, qr{^GET /open/next },
            '... and is no next request');
        $client = Client->new("$ROOM/ways-http2", http2 => 1);
        $answer = $client->ask('POST', '/app', \@FORGED, 'r' x $size);
        is($answer->{status}, 401, '... in HTTP/2, too');
        like($answer->{body}, qr/Please go to login/, '... is told why');
        my $http2 = $client->{http2};
        my $id = $http2->send_message([ ':method', 'GET', ':scheme', 'http',
                ':path', '/open/next', ':authority', 'gateway' ]);
        my $stream = $client->stream_of($id);
        like($stream->{body}, qr{^GET /open/next },
            '... and the connection goes on');
    }
}

sub check_expecting {
    my $client = Client->new("$ROOM/ways");
    my @expect = ('Expect', '100-continue', 'Content-Length', 5);
    my $answer;
    for my $body ('hello', 'h' x (10 << 20), 'in chunks') {
        my $sent = $body eq 'in chunks' ? chunked('c' x (10 << 20)) : $body;
        $client->write_bytes(request_bytes('POST', '/app', [ @expect[ 0, 1 ],
                    $body eq 'in chunks' ? ('Transfer-Encoding', 'chunked')
                    : ('Content-Length', length $body) ]));
        $answer = $client->answer;
        is($answer->{status}, 401, 'who expects to go on is refused');
        is_deeply($answer->{interim}, [], '... at once');
        $client->write_bytes($sent);
        $client->finish_writing;
        $client->write_bytes(request_bytes('GET', '/open/next', []));
        like($client->answer->{body}, qr{^GET /open/next },
            '... and what it sends nevertheless is drained');
    }
    for my $path (qw(/app /stream /fastcgi)) {
        my ($user, @session) = new_user();
        $client->write_bytes(request_bytes('POST', $path,
                [ @expect, @session ]));
        is($client->take_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n",
            "$path: who has a session goes on");
        $client->write_bytes('hello');
        $answer = $client->answer;
        is($answer->{status}, 200, '... and is answered');
        like($answer->{body}, qr/hello\z/, '... with its body');
        is(questions_about($client, $user), 1, '... after one question');
    }
    $client->write_bytes(request_bytes('POST', '/app', [ 'Expect', 'wonders',
                'Content-Length', 0 ]));
    is($client->answer->{status}, 401, 'another expectation changes nothing');
}

sub check_methods {
    for my $client (both_clients()) {
        for my $method (qw(HEAD OPTIONS PUT DELETE PATCH PROPFIND)) {
            my ($user, @session) = new_user();
            my $answer = $client->ask($method, '/app',
                [ @FORGED, map { lc } @session ]);
            is($answer->{status}, 200,
                label($client, "$method with a session"));
            is(questions_about($client, $user), 1, '... one question');
            like($answer->{body}, $method eq 'HEAD' ? qr/^\z/
                : qr/^X-User: $user\r$/m, '... of the user');
            $answer = $client->ask($method, '/app', \@FORGED);
            is($answer->{status}, 401, "$method without");
            ok(defined field($answer, 'WWW-Authenticate'),
                '... with a challenge');
            like($answer->{body}, $method eq 'HEAD' ? qr/^\z/
                : qr/Please go to login/, '... and its body');
            cmp_ok(field($answer, 'Content-Length'), '>', 10,
                '... of a length');
        }
        Upstreams::received();
        my $answer = $client->ask('HEAD', '/open');
        is($answer->{status}, 200, 'the connection goes on');
    }
}

worker_connections(1024);
log_level('info');
no_long_string();
no_shuffle();
run_tests();

__DATA__

=== TEST 1: internal redirects, try_files, error pages, X-Accel-Redirect
--- http_config eval: $::HttpConfig
--- config
--- check: redirects



=== TEST 2: rewrites, regex and nested locations, spellings of a path
--- http_config eval: $::HttpConfig
--- config
--- check: rewrites



=== TEST 3: "return" and redirects of a protected location
--- http_config eval: $::HttpConfig
--- config
--- check: returns



=== TEST 4: fragments of server-side includes
--- http_config eval: $::HttpConfig
--- config
--- check: ssi



=== TEST 5: addition, and auth_request beside
--- http_config eval: $::HttpConfig
--- config
--- check: addition



=== TEST 6: mirror and post_action
--- http_config eval: $::HttpConfig
--- config
--- check: beside



=== TEST 7: slices
--- http_config eval: $::HttpConfig
--- config
--- check: slices



=== TEST 8: an upgrade to WebSocket
--- http_config eval: $::HttpConfig
--- config
--- check: socket



=== TEST 9: HTTP/1.0 and 0.9
--- http_config eval: $::HttpConfig
--- config
--- check: old



=== TEST 10: requests in a row on one connection
--- http_config eval: $::HttpConfig
--- config
--- check: rows



=== TEST 11: streams at once on one connection
--- http_config eval: $::HttpConfig
--- config
--- check: streams



=== TEST 12: bodies of 0 bytes to 10 MiB
--- http_config eval: $::HttpConfig
--- config
--- check: bodies



=== TEST 13: bodies in chunks
--- http_config eval: $::HttpConfig
--- config
--- check: chunks



=== TEST 14: the body of a refused request is drained
--- http_config eval: $::HttpConfig
--- config
--- check: refused_bodies



=== TEST 15: Expect: 100-continue
--- http_config eval: $::HttpConfig
--- config
--- check: expecting



=== TEST 16: methods
--- http_config eval: $::HttpConfig
--- config
--- check: methods



=== TEST 17: a request under two policies
--- http_config eval: $::HttpConfig
--- config
--- check: policies
