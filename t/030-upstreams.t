# What each kind of upstream receives, byte for byte: the identity that the
# gateway found, and none that a client claims in whatever spelling.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client qw(field fields request_bytes);
use ModuleTest;
use Received qw(expected_head pass_directives);
use Upstreams;

Upstreams::start;

my $ROOM = $Upstreams::room;
my $CONF = $ENV{TEST_NGINX_CONF};
my @KINDS = qw(fastcgi proxy grpc uwsgi scgi);

# --- configuration ------------------------------------------------------------

sub locations_of {
    my ($kind) = @_;
    my $pass = pass_directives($kind, $ROOM);
    # a page has no body, whatever the request says
    my $page = $pass =~ s/.*CONTENT_LENGTH.*\n//r;
    return <<"CONF";
location /$kind/on { identgw on; $pass
    location /$kind/on/off { identgw off; $pass }
}
location /$kind/optional { identgw optional; $pass }
location /$kind/off { identgw off; $pass
    location /$kind/off/on { identgw on; $pass }
}
location /$kind/session { identgw on; identgw_pass_session on; $pass }
location /$kind/basic {
    identgw on;
    satisfy any;
    auth_basic machines;
    auth_basic_user_file $ROOM/htpasswd;
    $pass
}
location /$kind/small { client_max_body_size 1; error_page 413 /$kind/page; }
location /$kind/closed { identgw on; identgw_signin off;
    error_page 401 /$kind/page; }
location /$kind/broken { identgw on; error_page 502 503 /$kind/page; }
location /$kind/absent { error_page 404 /$kind/page; }
location /$kind/page { internal; identgw off; $page }
CONF
}

# a request that nginx refuses before it has a location
sub refusing_server_of {
    my ($kind) = @_;
    my $pass = pass_directives($kind, $ROOM);
    return <<"CONF";
server {
    listen unix:$ROOM/refusing-$kind;
    $Received::CARES{careless}
    identgw on;
    include $CONF/idp.conf;
    error_page 400 405 414 494 /page;
    location /page { internal; identgw off; $pass }
}
CONF
}

sub write_file {
    my ($name, $text) = @_;
    open my $out, '>', "$ROOM/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
}

write_file('htpasswd', "robot:{PLAIN}secret\n");
write_file('locations.conf', join '', map { locations_of($_) } @KINDS);
write_file('file', "a static file\n");

our $HttpConfig = join "\n",
    (map { "upstream echo_$_ { server unix:$ROOM/$_.sock; keepalive 4; }" }
        qw(http fastcgi grpc)),
    (map { <<"CONF" } sort keys %Received::CARES),
server {
    listen unix:$ROOM/$_;
    listen unix:$ROOM/$_-http2 http2;
    $Received::CARES{$_}
    root $ROOM/nowhere;
    include $CONF/idp.conf;
    include $ROOM/locations.conf;
}
CONF
    (map { refusing_server_of($_) } @KINDS), <<"CONF";
map \$http_x_user \$seen_by_map { default \$http_x_user; }
server {
    listen unix:$ROOM/static;
    $Received::CARES{careless}
    include $CONF/idp.conf;
    add_header Seen "\$http_x_user|\$http_authorization|\$remote_user" always;
    add_header Mapped \$seen_by_map always;
    # what is looked at early must not stay what it was
    set \$early "\$http_x_user|\$http_authorization|\$remote_user";
    location /on { identgw on; alias $ROOM/file; }
    location /optional { identgw optional; alias $ROOM/file; }
    location /off { alias $ROOM/file; }
}
CONF

# --- what a client may claim --------------------------------------------------

my @NAMES = qw(X-User X-Email X-First-Name);

# The spellings of a name with other bytes for its "-".
sub with_separators {
    my ($name, @bytes) = @_;
    return map { $name =~ s/-/$_/gr } @bytes;
}

my @SPELLINGS = map {
    ($_, lc, uc, ucfirst lc, s/([aeiou])/\U$1/gr, s/([b-t])/\U$1/gr,
        with_separators($_, qw(_ . ! ~ ' * | + $ % & ^ `)),
        with_separators(lc, qw(_ .)), with_separators(uc, '_'), s/-/_/r)
} @NAMES;
my @OTHER_BYTES = grep { !/[A-Za-z0-9:\x7f-]/ } map { chr } 0x21 .. 0xff;
my @NEAR_MISSES = qw(X-Users X-Use XUser X-User- X--User X-User-Agent My-X-User
    X-First X-First-Names X-E-Mail Proxy-X Proxies Authorizations
    X-Authorization JSESSIONIDS Jsession-Id Cookies);

sub claiming {
    my ($value, @names) = @_;
    return [ map { ($_, $value) } @names ];
}

# Sets of headers; @SINGLE are tried in one mode, @MANY in all.
my @SINGLE = map { claiming('mallory', $_) } @SPELLINGS;
for (my @bytes = @OTHER_BYTES; @bytes;) {
    my @some = splice @bytes, 0, 30;
    push @SINGLE, claiming('mallory', map { with_separators($_, @some) }
            qw(x-user x-first-name));
}
my @MANY = (
    [],
    claiming('mallory', @SPELLINGS),
    claiming('', @SPELLINGS),
    claiming("\xff\x80 ", 'x-user', 'X_Email', 'X.First.Name'),
    claiming('m' x 4000, 'X-User'),
    [ 'X-User', 'mallory', 'X-User', 'mallory' ],
    [ map { ('X-User', "mallory$_", "X-Kept-$_", $_) } 1 .. 40 ],
    [ map { ($SPELLINGS[ $_ % @SPELLINGS ], $_, "Kept-$_", '') } 1 .. 150 ],
    [ map { ("K-$_", $_) } 1 .. 45 ],
    claiming('kept', @NEAR_MISSES, map { lc } @NEAR_MISSES),
    claiming('kept', map { tr/-/_/r } @NEAR_MISSES),
    claiming('http://mallory.example', qw(Proxy proxy PROXY pRoXy)),
    [ 'Cookie', 'a=b; X-User=mallory;c=d', 'Accept', '*/*', 'User-Agent', '',
        'Proxy-Authorization', 'Basic kept' ],
    [ 'Remote-User', 'kept', 'REMOTE_USER', 'kept', 'Identgw-Internal', 1 ],
    map { [ map { ('Connection', $_) } @$_ ] }
        [ 'X-User' ], [ 'keep-alive' ], [ 'keep-alive, Kept ,Kept' ], [ '' ],
        [ 'x-user ,X-EMAIL,, Kept,X_First.Name,Authorization' ], [ ',' ],
        [ 'Kept', 'X-User' ], [ ' X-User,keep-alive', "X-Email\t, Kept" ],
        [ 'Authorization, X-First-Names' ]);
my @CREDENTIALS = (
    'Basic bWFsbG9yeTpzZWNyZXQ=', 'Basic', 'Basic bWFsbG9yeQ==',
    'Bearer eyJ.mallory.x', 'bearer x', 'Digest username="mallory"', '',
    "Bearer \xff", 'mallory', 'Bearer ' . 'x' x 3000);

# path, mode, session id, user, whether the session is passed
my %MODES = (
    on => [ 'on', 'on', 'ok-alice', 'alice' ],
    optional => [ 'optional', 'optional', 'ok-alice', 'alice' ],
    anonymous => [ 'optional', 'optional', undef, undef ],
    unknown => [ 'optional', 'optional', 'nobody', undef ],
    off => [ 'off', 'off', undef, undef ],
    'off with a session' => [ 'off', 'off', 'ok-alice', undef ],
    'on below off' => [ 'off/on', 'on', 'ok-alice', 'alice' ],
    'off below on' => [ 'on/off', 'off', undef, undef ],
    'passed session' => [ 'session', 'on', 'ok-alice', 'alice', 1 ],
    'session beside Basic' => [ 'basic', 'on', 'ok-alice', 'alice' ]);

# --- comparing ----------------------------------------------------------------

# In HTTP/2 names are in lower case, and a connection is nobody's business.
sub sendable {
    my ($headers, $is_http2) = @_;
    return @$headers if !$is_http2;
    my @pairs = @$headers;
    my @lower;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @lower, $name =~ tr/A-Z/a-z/r, $value =~ s/^\s+|\s+$//gr
            if lc $name ne 'connection';
    }
    return @lower;
}

# The session in the middle of the other headers.
sub with_session {
    my ($id, @headers) = @_;
    return @headers if !defined $id;
    my $at = 2 * int(@headers / 4);
    return (@headers[ 0 .. $at - 1 ], 'JSESSIONID', $id,
        @headers[ $at .. $#headers ]);
}

# Counts what differs from what it should be; asserts once.
sub compare {
    my ($what, $kind, $cases) = @_;
    my ($count, @wrong) = (0);
    for my $case (@$cases) {
        my ($client, $care, $mode_name, $headers, %more) = @$case;
        my ($path, $mode, $id, $user, $pass) = @{ $MODES{$mode_name} };
        my $is_http2 = $client->{is_http2};
        my %is = (care => $care, mode => $mode, user => $user, pass => $pass,
            is_http2 => $is_http2, method => 'GET', target => "/$kind/$path",
            headers => [ sendable([ with_session($id, @$headers) ],
                    $is_http2) ], %more);
        my $answer = $client->ask($is{method}, $is{target}, $is{headers});
        my $got = $answer ? "$answer->{status} $answer->{body}" : 'no answer';
        my $expected = '200 ' . expected_head($kind, %is);
        $count++;
        push @wrong, [ "$care, $mode_name, $is{method}, "
                . ($is_http2 ? 'HTTP/2' : 'HTTP/1.1'), $got, $expected ]
            if $got ne $expected;
    }
    is(scalar @wrong, 0, "$kind: $what ($count requests)");
    for my $wrong (@wrong[ 0 .. ($#wrong < 2 ? $#wrong : 2) ]) {
        diag("$wrong->[0]: got\n$wrong->[1]\nexpected\n$wrong->[2]");
    }
}

my %CLIENTS;

sub clients {
    my ($care) = @_;
    return ($CLIENTS{$care} ||= Client->new("$ROOM/$care"),
        $CLIENTS{"$care-http2"} ||= Client->new("$ROOM/$care-http2",
            http2 => 1));
}

sub check_kind {
    my ($kind) = @_;
    %CLIENTS = ();
    Upstreams::received();
    my @careless = clients('careless');
    compare('each spelling', $kind, [ map { my $headers = $_;
        map { [ $_, 'careless', 'on', $headers ] } @careless } @SINGLE ]);
    for my $care (sort keys %Received::CARES) {
        compare("$care with names", $kind, [ map { my $client = $_;
            map { my $mode = $_;
                map { [ $client, $care, $mode, $_ ] } @MANY
            } $care eq 'careless' ? sort keys %MODES : qw(on anonymous off)
        } clients($care) ]);
    }
    check_methods($kind);
    check_credentials($kind);
    check_cookies($kind);
    check_closed($kind);
}

sub check_methods {
    my ($kind) = @_;
    my @cors = ('Origin', 'https://mallory.example',
        'Access-Control-Request-Method', 'PUT',
        'Access-Control-Request-Headers', 'X-User');
    compare('other methods', $kind, [ map { my $client = $_;
        map { my $mode = $_;
            map { [ $client, 'careless', $mode,
                [ @cors, @{ $MANY[1] } ], method => $_ ] }
            qw(OPTIONS DELETE PROPFIND)
        } qw(on anonymous off), 'off below on', 'passed session'
    } clients('careless') ]);
}

sub check_credentials {
    my ($kind) = @_;
    my @careless = clients('careless');
    my @of_client = map { my $value = $_;
        map { [ $_, $value, 'X-User', 'mallory' ] }
            qw(Authorization authorization AUTHORIZATION) } @CREDENTIALS;
    compare('a client\'s Authorization is dropped', $kind, [
        map { my $client = $_;
            map { my $mode = $_;
                map { [ $client, 'careless', $mode, $_ ] } @of_client
            } qw(on anonymous unknown), 'on below off'
        } @careless ]);
    compare('a client\'s Authorization is its own under off', $kind, [
        map { my $client = $_;
            map { my $headers = $_;
                [ $client, 'careless', 'off', $headers,
                    remote_user => remote_user($headers->[1]) ]
            } @of_client
        } @careless ]);
    my $right = [ 'Authorization', 'Basic cm9ib3Q6c2VjcmV0', 'X-User', 'm' ];
    my $wrong = [ 'Authorization', 'Basic bWFsbG9yeTpzZWNyZXQ=' ];
    local $MODES{'no session beside Basic'} = [ 'basic', 'on', undef, undef ];
    compare('auth_basic lets in, and its header stays inside', $kind, [
        map { [ $_, 'careless', 'no session beside Basic', $right ] }
            @careless ]);
    compare('a session and a password', $kind, [
        map { my $client = $_;
            map { [ $client, 'careless', 'session beside Basic', $_ ] }
                $right, $wrong
        } @careless ]);
    for my $client (@careless) {
        my $answer = $client->get("/$kind/basic", 'authorization',
            $wrong->[1]);
        is($answer->{status}, 401, 'neither a session nor the password');
    }
}

# What nginx makes of a Basic header: the name before ":".
sub remote_user {
    my ($value) = @_;
    my ($code) = $value =~ /^Basic +(\S+)/ or return undef;
    return unpack('u', chr(32 + length($code) * 3 / 4)
            . $code =~ tr{A-Za-z0-9+/=}{ -_`}r) =~ /^([^:]*):/ ? $1 : undef;
}

sub check_cookies {
    my ($kind) = @_;
    my @lines = ('JSESSIONID=ok-alice', 'a=b; JSESSIONID=ok-alice',
        'JSESSIONID=ok-alice; a=b', 'a=b;JSESSIONID=ok-alice;c="d e"',
        'JSESSIONID=ok-alice; JSESSIONID=ok-alice',
        ' x ; JSESSIONID = ok-alice',
        'JSESSIONIDS=1; JSESSIONID=ok-alice; jsessionid=2');
    my @modes = ('on by cookie', 'passed by cookie', 'optional by cookie');
    local @MODES{@modes} = ([ 'on', 'on', undef, 'alice' ],
        [ 'session', 'on', undef, 'alice', 1 ],
        [ 'optional', 'optional', undef, 'alice' ]);
    my $mallory = claiming('mallory', @SPELLINGS);
    compare('the session in a cookie', $kind, [ map { my $client = $_;
        map { my $mode = $_;
            map { [ $client, 'careless', $mode,
                [ 'A', 1, 'Cookie', $_, @$mallory, 'Z', 9 ] ] } @lines
        } @modes
    } clients('careless') ]);
}

sub check_closed {
    my ($kind) = @_;
    Upstreams::received();
    my ($count, $closed) = (0, 0);
    for my $client (clients('careless')) {
        for my $headers (@MANY, map { [ 'authorization', $_ ] } @CREDENTIALS) {
            for my $path (qw(on off/on session basic)) {
                my $answer = $client->ask('GET', "/$kind/$path",
                    [ sendable($headers, $client->{is_http2}) ]);
                $count++;
                $closed++ if $answer && $answer->{status} == 401;
            }
        }
    }
    is($closed, $count, "$kind: no claim is a session");
    is(scalar(my @received = Upstreams::received()), 0,
        "$kind: ... nor is it passed on");
}

# What the upstream of an error page gets: nothing that the client claims.
sub check_pages {
    my $mallory = claiming('mallory', @SPELLINGS);
    for my $kind (@KINDS) {
        my $client = Client->new("$ROOM/careless");
        my @claims = (@$mallory, 'Kept', 'kept');
        is_page($kind, 413, [], $client->ask('POST', "/$kind/small", \@claims,
                'a body'));
        is_page($kind, 404, \@claims, $client->get("/$kind/absent", @claims));
        is_page($kind, 401, \@claims, $client->get("/$kind/closed", @claims,
                'Authorization', $CREDENTIALS[0]));
        my @lack = ('JSESSIONID', 'lack-X-User');
        is_page($kind, 502, [ @claims, @lack ], $client->get("/$kind/broken",
                @claims, @lack));
        check_refusing($kind, \@claims);
    }
}

sub is_page {
    my ($kind, $status, $headers, $answer) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($answer->{status}, $status, "$kind: the page of $status");
    my $is_cgi = $kind =~ /gi$/;
    my %path = (401 => 'closed', 404 => 'absent', 502 => 'broken');
    my $target = $is_cgi && $path{$status} ? $path{$status} : 'page';
    my $expected = expected_head($kind, care => 'careless', mode => 'off',
        method => 'GET', target => "/$kind/$target", headers => $headers);
    is($answer->{body}, $expected, '... to whom the client is nobody')
        if @$headers;
    unlike($answer->{body}, qr/mallory/, '... nowhere');
}

# What nginx itself refuses is never in a location.
sub check_refusing {
    my ($kind, $claims) = @_;
    my $claimed = request_bytes('GET', '/', $claims) =~ s/^Host.*?\n//mr;
    my %refused = (
        'no Host' => $claimed,
        'a bad line' => $claimed =~ s/\r\n\z/bad line\0\r\n\r\n/r,
        'a large line' => $claimed =~ s/\r\n\z/L: @{[ 'l' x 9000 ]}\r\n\r\n/r,
        'TRACE' => $claimed =~ s/^GET/TRACE/r =~ s/\r\n\z/Host: h\r\n\r\n/r);
    for my $what (sort keys %refused) {
        my $client = Client->new("$ROOM/refusing-$kind");
        $client->write_bytes($refused{$what});
        my $answer = $client->answer // { status => 0, body => '' };
        like($answer->{status}, qr/^40[05]$|^494$/, "$kind: $what is refused");
        like($answer->{body}, qr/kept: kept\r?$|HTTP_KEPT=kept$/mi,
            '... with a page');
        unlike($answer->{body}, qr/mallory/, '... that is told nothing');
    }
}

sub check_static {
    my $client = Client->new("$ROOM/static");
    for my $claims (@MANY, claiming('mallory', @SPELLINGS, 'Authorization')) {
        my $answer = $client->get('/on', @$claims);
        isnt($answer->{status}, 200, 'a file is not for everybody');
        unlike($answer->{body}, qr/static/, '... not even its contents');
    }
    my @claims = (@{ claiming('mallory', @SPELLINGS) }, 'Authorization',
        'Basic bWFsbG9yeTpzZWNyZXQ=');
    my %seen = (
        on => 'alice|Bearer token.of.alice|', optional => '||',
        off => '|Basic bWFsbG9yeTpzZWNyZXQ=|mallory');
    for my $mode (sort keys %seen) {
        my $answer = $client->get("/$mode", @claims,
            $mode eq 'on' ? ('JSESSIONID', 'ok-alice') : ());
        is($answer->{body}, "a static file\n", "a file under $mode");
        is(field($answer, 'Seen'), $seen{$mode}, '... and its variables');
        is(field($answer, 'Mapped'), $mode eq 'on' ? 'alice' : undef,
            '... and what is made of them');
    }
}

sub check_fastcgi { check_kind('fastcgi') }
sub check_proxy { check_kind('proxy') }
sub check_grpc { check_kind('grpc') }
sub check_uwsgi { check_kind('uwsgi') }
sub check_scgi { check_kind('scgi') }

worker_connections(1024);
log_level('info');
no_long_string();
no_shuffle();
run_tests();

__DATA__

=== TEST 1: fastcgi_pass gets the gateway's identity and no other
--- http_config eval: $::HttpConfig
--- config
--- check: fastcgi



=== TEST 2: proxy_pass gets the gateway's identity and no other
--- http_config eval: $::HttpConfig
--- config
--- check: proxy



=== TEST 3: grpc_pass gets the gateway's identity and no other
--- http_config eval: $::HttpConfig
--- config
--- check: grpc



=== TEST 4: uwsgi_pass gets the gateway's identity and no other
--- http_config eval: $::HttpConfig
--- config
--- check: uwsgi



=== TEST 5: scgi_pass gets the gateway's identity and no other
--- http_config eval: $::HttpConfig
--- config
--- check: scgi



=== TEST 6: the pages of errors get no claimed identity either
--- http_config eval: $::HttpConfig
--- config
--- check: pages



=== TEST 7: static files, and the variables beside them
--- http_config eval: $::HttpConfig
--- config
--- check: static
