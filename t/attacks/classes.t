# Attacks that have worked on others, one or two of each class, made on the whole
# stack through its nginx. Each case is named after its class and what taught it;
# docs/security.md has the table, and which tests go deeper.
use strict;
use warnings;
use lib 't/lib';
use Digest::SHA qw(hmac_sha256);
use Echo qw(echo_of identity is_identity values_of);
use FastCGI;
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(decode_base64url encode_base64url);
use Stack qw(header headers json wait_for);
use Test::More;

my $PASSWORD = "correct horse $$ battery"; # of Stack's users
my $FORM = 'application/x-www-form-urlencoded';

# A provider that says what /rogue?... asks for, and identgw locations that believe
# it; every spelling of a header is let in.
my $stack = Echo->start(<<'CONF');
underscores_in_headers on;
ignore_invalid_headers off;
location = /.rogue {
    internal;
    identgw off;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_pass unix:@VAR@/rogue.sock;
}
location = /echo/rogue {
    identgw on;
    identgw_cache off;
    identgw_authenticate /.rogue;
    fastcgi_pass echo;
}
location = /echo/admin {
    identgw on;
    identgw_require $identgw_header_x_groups;
    fastcgi_pass echo;
}
CONF
my %id = map { $_ => $stack->{user}{$_}{id} } qw(anna boris);

sub session { return ('JSESSIONID', $_[0] // $id{anna}) }
sub cookie { return ('Cookie', 'JSESSIONID=' . ($_[0] // $id{anna})) }

sub attack {
    my ($class, $taught_by, $case) = @_;
    subtest "$class ($taught_by)" => $case;
    return;
}

# Whoever has no session gets nothing of the application behind.
sub is_kept_out {
    my ($answer, $what) = @_;
    ok($answer->{status} >= 300 && $answer->{body} !~ /ECHO_PID/,
        "$what: $answer->{status}") or diag($answer->{body});
    return;
}

sub login {
    my ($name, $password, @headers) = @_;
    return $stack->post_json('/login', { username => $name,
            password => $password }, headers => \@headers);
}

sub login_form {
    my ($fields, @headers) = @_;
    return $stack->request('POST', '/login', body => $fields,
        headers => [ 'Content-Type', $FORM, @headers ]);
}

# --- identity --------------------------------------------------------------------

attack('header aliases',
    'CVE-2026-52845, CVE-2025-64484, CVE-2026-39858' => sub {
        my @forged = map { ($_, 'mallory') } qw(X-User X_User x.user X-USER
            X_Email X.First-Name);
        my $got = echo_of($stack, '/echo', headers => [ @forged, session() ]);
        is_identity($got, 'anna', 'the session counts');
        unlike(values_of($got), qr/mallory/, '... and nothing else');
        is_deeply(identity(echo_of($stack, '/echo/optional',
                    headers => \@forged)), {}, 'without one: nobody');
    });

attack('identity taken away hop by hop',
    'CVE-2021-32813, CVE-2024-45410' => sub {
        is_identity(echo_of($stack, '/echo', headers => [ session(),
                    'Connection', 'close, X-User, Authorization, JSESSIONID' ]),
            'anna', 'Connection names them in vain');
    });

my @whole = ('Authorization: Bearer a.b.c', 'X-User: carl',
    'X-Email: carl@example.org', 'X-First-Name: Carl', 'X-Groups: ');
attack('missing identity headers', 'GHSA-7r4p-vjf4-gxv4' => sub {
    my %says = (
        'no X-User' => [ grep { !/^X-User/ } @whole ],
        'an empty one' => [ map { s/carl$//r } @whole ],
        'two of them' => [ @whole, 'X-User: dora' ],
        'no token' => [ grep { !/^Auth/ } @whole ],
        'nothing' => []);
    my @from_client = (session(), 'X-User', 'mallory', 'X-Email', 'm@x.org',
        'X-First-Name', 'M');
    is(ask_rogue(\@whole, @from_client)->{status}, 200, 'all of them: in');
    for my $name (sort keys %says) {
        my $answer = ask_rogue($says{$name}, @from_client);
        is($answer->{status}, 502, "$name: no verdict");
        is_kept_out($answer, '... nobody gets in');
    }
});

attack('a question that cannot be asked is no yes', 'GHSA-9g5w-hqr3-w2ph' => sub {
    for my $byte (0x80 .. 0xff) {
        my @odd = ('X-Odd', chr($byte) . 'x', 'User-Agent', "\xff" . chr $byte);
        my $status = $stack->request('GET', '/echo', headers => \@odd)->{status};
        next if $status == 401 && $byte % 16;
        is($status, 401, sprintf 'byte %02x and no session: out', $byte);
        is_identity(echo_of($stack, '/echo', headers => [ @odd, session() ]),
            'anna', '... with one: anna');
    }
});

attack('httpoxy', 'CVE-2016-5385' => sub {
    my $got = echo_of($stack, '/echo',
        headers => [ 'Proxy', 'http://mallory.example/', session() ]);
    ok(!exists $got->{params}{HTTP_PROXY}, 'no HTTP_PROXY');
});

# --- decisions ----------------------------------------------------------------------

attack('path confusion', 'CVE-2026-34908, CVE-2021-32637' => sub {
    my @kept = map { $stack->request('GET', $_) } '/echo', '//echo', '/./echo',
        '/%65cho', '/%2565cho', '/signin/../echo', '/signin/..%2fecho',
        '/signin/%2e%2e/echo', '/echo%00', '/echo;x=y', '/ECHO', '/echo?/signin',
        '/echo%2f', '/healthz/../echo', '/\echo', '/echo%0a',
        'http://127.0.0.1/echo', 'http://elsewhere/signin/../echo';
    is_kept_out($_, 'a path') for @kept;
    my $raw = $stack->exchange("GET echo HTTP/1.1\r\nHost: x\r\n\r\n");
    unlike($raw, qr/ECHO_PID/, 'what is no path');
    for my $target ('/.identgw/authenticate', '/%2eidentgw/authenticate',
        '/.identgw/revocations', '/revocations', '/metrics') {
        is($stack->request('GET', $target, headers => [ session() ])->{status},
            404, "$target is not for clients");
    }
});

attack('forwarded headers',
    'CVE-2026-40575, CVE-2026-34457, CVE-2025-29927' => sub {
        for my $header ([ 'X-Forwarded-Uri', '/signin' ],
            [ 'X-Original-URL', '/signin' ], [ 'X-Rewrite-URL', '/signin' ],
            [ 'X-Original-Method', 'OPTIONS' ],
            [ 'X-HTTP-Method-Override', 'OPTIONS' ],
            [ 'X-Forwarded-For', '127.0.0.1' ], [ 'X-Forwarded-User', 'anna' ],
            [ 'Forwarded', 'for=127.0.0.1;host=localhost' ],
            [ 'X-Accel-Redirect', '/echo' ], [ 'IDENTGW_INTERNAL', '1' ],
            [ 'X-Middleware-Subrequest', 'middleware:middleware' ],
            [ 'User-Agent', 'kube-probe/1.30' ],
            [ 'User-Agent', 'GoogleHC/1.0' ]) {
            is_kept_out($stack->request('GET', '/echo', headers => $header),
                $header->[0]);
        }
    });

attack('cache-key confusion', 'CVE-2021-32701, Okta 2024-10' => sub {
    is(echo_of($stack, '/echo', headers => [ session() ])->{status}, 200,
        'a verdict is in the cache') for 1 .. 2;
    is($stack->request('GET', '/echo/admin', headers => [ session() ])->{status},
        403, 'where more is demanded, it is not enough');
    for my $id ($id{anna} =~ s/.$/-/sr, substr($id{anna}, 0, -1),
        "$id{anna}A", lc $id{anna}, "$id{anna}=", substr($id{anna}, 0, 16)) {
        is_kept_out($stack->request('GET', '/echo', headers => [ session($id) ]),
            'nearly its id');
    }
});

attack('stale logout', 'CVE-2026-34454' => sub {
    for my $by ('header', 'cookie') {
        my $id = $stack->login('anna', $PASSWORD);
        my @with = $by eq 'cookie' ? cookie($id) : session($id);
        is_identity(echo_of($stack, '/echo', method => 'GET',
                headers => \@with), 'anna', "by $by: in") for 1 .. 2;
        my $answer = $stack->request('POST', '/logout', headers => \@with);
        is($answer->{status}, 204, '... out');
        like(header($answer, 'Set-Cookie'),
            qr/^JSESSIONID=;.*(?:Max-Age=0|expires=)/i, '... no cookie is left');
        is($stack->request('GET', '/echo', headers => \@with)->{status}, 401,
            '... and the next request is the first that is refused');
    }
});

attack('what a request leaves for the next user', 'ChatGPT 2023-03-20' => sub {
    my @wrong;
    for my $round (1 .. 40) {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $stack->port) or die "connect: $!\n";
        print $socket "GET /account HTTP/1.1\r\nHost: x\r\n"
            . "JSESSIONID: $id{anna}\r\n\r\n";
        close $socket; # without having read
        my $account = json($stack->request('GET', '/account',
                headers => [ session($id{boris}) ]));
        push @wrong, $account->{username} if $account->{username} ne 'boris';
    }
    is("@wrong", '', 'boris is always boris');
});

attack('web cache deception', 'Gil 2017' => sub {
    for my $target ('/userprofile/x.css', '/account/x.css', '/authenticate.css') {
        is($stack->request('GET', $target, headers => [ session() ])->{status},
            404, "$target is no page");
    }
    like(header($stack->request('GET', '/account', headers => [ session() ]),
            'Cache-Control'), qr/no-store/, 'and nothing about anna is stored');
});

# --- sessions -----------------------------------------------------------------------

attack('fixation', 'CVE-2026-7507, CVE-2025-12390' => sub {
    my $planted = 'P' x 43;
    my $answer = login('anna', $PASSWORD, cookie($planted));
    is($answer->{status}, 200, 'a login with a planted id');
    isnt(header($answer, 'JSESSIONID'), $planted, '... gets a new one');
    is($stack->request('GET', '/echo', headers => [ session($planted) ])->{status},
        401, '... the planted one is none');
    my $old = header($answer, 'JSESSIONID');
    is(login('anna', $PASSWORD, cookie($old))->{status}, 200,
        'a login with a live one');
    is($stack->request('GET', '/echo', headers => [ session($old) ])->{status},
        401, '... ends that');
});

attack('cross-site posts', 'ASVS 3.5.1, 7.6.2' => sub {
    my @sites = ([ 'Sec-Fetch-Site', 'cross-site' ],
        [ 'Sec-Fetch-Site', 'same-site' ], [ 'Origin', 'http://evil.example' ],
        [ 'Origin', 'null' ]);
    for my $site (@sites) {
        for my $target ('/echo', '/logout', '/account', '/userprofile') {
            is($stack->request('POST', $target, body => 'a=b', headers => [
                        cookie(), @$site, 'Content-Type', $FORM ])->{status},
                403, "$target from @$site");
        }
        is(login_form("username=anna&password=$PASSWORD" =~ tr/ /+/r,
                @$site)->{status}, 403, '... nobody is signed in from there');
    }
    is($stack->request('GET', '/account', headers => [ session() ])->{status},
        200, 'the session lives');
});

attack('open redirect', 'CVE-2020-5233, CVE-2020-11053' => sub {
    for my $to ('https://evil.example', '//evil.example', '/\\evil.example',
        '/%09/evil.example', '/%2f/evil.example', "/\t/evil.example",
        '\\\\evil.example', 'evil.example', 'javascript:alert(1)', '/%5cevil') {
        my $encoded = $to =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger;
        my $answer = login_form("username=anna&return_to=$encoded&password="
                . ($PASSWORD =~ tr/ /+/r));
        is($answer->{status}, 303, "return_to $encoded");
        # What is still encoded is no slash to a browser.
        like(header($answer, 'Location'), qr{^/(?![/\\\s])}, '... stays here');
    }
});

attack('CRLF', 'CVE-2019-11043, CWE-113' => sub {
    my $evil = '%0d%0aEvil:%20yes%0d%0a%0d%0a<x>';
    my @answers = (
        login_form("username=anna&return_to=/x$evil&password="
                . ($PASSWORD =~ tr/ /+/r)),
        map({ $stack->request('GET', $_) } "/signin$evil", "/signin?a=$evil",
            "/echo$evil", "/%0a", "/index.php%0a"),
        $stack->request('GET', '/signin', headers => [ 'X-Request-Id',
                "x\nEvil: yes" ]),
        $stack->post_json('/register', { username => "a\r\nEvil: yes",
                password => $PASSWORD, first_name => "b\r\nEvil: yes",
                email => "c\@example.org\r\nEvil: yes" }));
    is(scalar(grep { defined header($_, 'Evil') } @answers), 0,
        'no header of theirs');
    is($answers[-1]{status}, 422, 'no such name');
    is(scalar(() = $stack->log('identprov') =~ /^Evil/mg), 0,
        'nor a line of the log');
});

# --- guessing ------------------------------------------------------------------------

attack('enumeration', 'CVE-2018-15473, Keycloak #51887' => sub {
    my %seen;
    for my $try ([ 'anna', 'wrong horse 8' ], [ 'nobody', 'wrong horse 8' ],
        [ 'boris', 'wrong horse 8' ]) {
        my $answer = login(@$try);
        my @names = sort map { lc } grep { /^[A-Z]/ && !/^[A-Z]\w+,/ }
            @{ $answer->{headers} }[ map { 2 * $_ }
                0 .. $#{ $answer->{headers} } / 2 ];
        my $body = $answer->{body} =~ s/"request_id":"\w+"//r;
        $seen{ join "\n", $answer->{status}, @names, $body }++;
    }
    is(scalar keys %seen, 1, 'who is unknown looks like whose password is wrong')
        or diag(join "\n---\n", keys %seen);
    like((keys %seen)[0], qr/^401/, '... 401');
});

# From an address of another network.
sub login_from {
    my ($address, $name, $password) = @_;
    my $body = encode_json({ username => $name, password => $password });
    my $socket = IO::Socket::INET->new(LocalAddr => $address,
        PeerAddr => '127.0.0.1', PeerPort => $stack->port)
        or die "connect from $address: $!\n";
    print $socket "POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        . "Content-Type: application/json\r\nContent-Length: "
        . length($body) . "\r\n\r\n$body";
    local $/;
    return Stack::parse(scalar <$socket>, 'POST');
}

attack('lockout', 'GHSA-cq42-vhv7-xr7p' => sub {
    my $id = $stack->session('victor');
    my %seen;
    $seen{ login_from('127.9.9.9', 'victor', 'wrong horse 8')->{status} }++
        for 1 .. 20;
    ok($seen{401} < 10 && $seen{429}, 'who guesses is slowed')
        or diag(join ' ', %seen);
    is($stack->request('GET', '/echo', headers => [ session($id) ])->{status},
        200, 'the victim stays in');
    ok(wait_for(30, 'a login', sub {
                login_from('127.0.0.1', 'victor', $PASSWORD)->{status} == 200 }),
        '... and comes in again, from where nobody guesses');
});

# --- tokens -------------------------------------------------------------------------

sub token_of { return json($stack->request('GET', '/authenticate',
            headers => [ session() ]))->{token} }

# What userprofile says to a token, asked directly: the gateway lets none through.
sub asked_with {
    my ($token) = @_;
    return FastCGI::ask($stack->socket('userprofile'), [
            REQUEST_METHOD => 'GET', SCRIPT_NAME => '',
            PATH_INFO => '/userprofile', QUERY_STRING => '',
            REQUEST_ID => '0' x 32, HTTP_X_USER => 'anna',
            HTTP_AUTHORIZATION => "Bearer $token" ], '')->{status};
}

sub make_token {
    my ($header, $payload, $sign) = @_;
    my $text = encode_base64url(encode_json($header)) . ".$payload";
    return "$text." . encode_base64url($sign->($text));
}

attack('JWT confusion', 'CVE-2015-9235, CVE-2016-5431, CVE-2018-0114,'
        . ' CVE-2022-21449, CVE-2022-29217, CVE-2026-45363' => sub {
    my $token = token_of();
    my ($head, $payload, $signature) = split /\./, $token;
    my $good = decode_json(decode_base64url($head));
    my $jwk = json($stack->request('GET', '/.well-known/jwks.json'))->{keys}[0];
    my $keep = sub { decode_base64url($signature) };
    my $mac = sub { my ($key) = @_; sub { hmac_sha256($_[0], $key) } };
    is(asked_with($token), 404, 'the token itself is good');
    my %forged = (
        'alg none' => make_token({ %$good, alg => 'none' }, $payload, sub { '' }),
        'alg nOnE' => make_token({ %$good, alg => 'nOnE' }, $payload, $keep),
        'alg es256' => make_token({ %$good, alg => 'es256' }, $payload, $keep),
        'HS256 with the public key' => make_token({ %$good, alg => 'HS256' },
            $payload, $mac->(encode_json($jwk))),
        'HS256 with nothing' => make_token({ %$good, alg => 'HS256' }, $payload,
            $mac->('')),
        'an unknown kid' => make_token({ %$good, kid => 'x' }, $payload, $keep),
        'a kid that is a path' => make_token({ %$good, kid => '../../dev/null' },
            $payload, $mac->('')),
        'a key of its own' => make_token({ %$good, jwk => $jwk }, $payload,
            $keep),
        'zeros' => make_token($good, $payload, sub { "\0" x 64 }),
        'no signature' => "$head.$payload.",
        'a dot more' => "$token.",
        'another payload' => "$head." . encode_base64url(
            decode_base64url($payload) =~ s/anna/boris/r) . ".$signature",
        'another type' => make_token({ %$good, typ => 'JWT' }, $payload, $keep));
    is(asked_with($forged{$_}), 401, $_) for sort keys %forged;
    is_identity(echo_of($stack, '/echo', headers => [ session(),
                'Authorization', "Bearer $forged{'alg none'}" ]), 'anna',
        'through the gateway none comes anyway');
});

# --- framing and size ----------------------------------------------------------------

attack('request smuggling', 'CWE-444, CVE-2025-23016' => sub {
    my $inner = "GET /echo HTTP/1.1\r\nHost: x\r\nJSESSIONID: $id{boris}\r\n\r\n";
    my $chunks = "0\r\n\r\n$inner";
    my $length = length $chunks;
    my %heads = (
        'two lengths' => "Content-Length: 0\r\nContent-Length: $length\r\n",
        'a length and chunks' =>
            "Content-Length: $length\r\nTransfer-Encoding: chunked\r\n",
        'chunks that are none' => "Transfer-Encoding: xchunked\r\n",
        'a blank before the colon' => "Transfer-Encoding : chunked\r\n",
        'a length with a sign' => "Content-Length: +$length\r\n");
    for my $name (sort keys %heads) {
        my $raw = $stack->exchange("POST /signin HTTP/1.1\r\nHost: x\r\n"
                . "Connection: close\r\n$heads{$name}\r\n$chunks", 5);
        unlike($raw, qr/HTTP_X_USER/, "$name: nothing is smuggled");
    }
    # A body that is a FastCGI request, to a program that does not read it.
    my $record = FastCGI::record(FastCGI::BEGIN_REQUEST, pack 'nCx5', 1, 0)
        . FastCGI::stream(FastCGI::PARAMS, FastCGI::encode_params(
            REQUEST_METHOD => 'GET', PATH_INFO => '/metrics',
            IDENTGW_INTERNAL => 1)) . FastCGI::record(FastCGI::INPUT, '');
    my $answer = $stack->request('POST', '/login', body => 'x' x 66_000 . $record,
        headers => [ 'Content-Type', 'text/plain' ]);
    is($answer->{status}, 413, 'a body that is too long, with a request in it');
    unlike($stack->request('GET', '/signin')->{body}, qr/identprov_threads/,
        '... is not the answer to the next one') for 1 .. 8;
});

attack('oversized everything', 'CVE-2014-9034, CVE-2012-6687' => sub {
    my $many = 'x' x 100_000;
    my %answer = (
        'a session id' => $stack->request('GET', '/echo',
            headers => [ session('A' x 513) ]),
        'a header' => $stack->request('GET', '/echo',
            headers => [ 'X-Long', $many ]),
        'a path' => $stack->request('GET', "/$many"),
        'a cookie' => $stack->request('GET', '/echo',
            headers => [ 'Cookie', 'a=b; ' x 1200 . 'JSESSIONID=x' ]),
        'a body' => $stack->request('POST', '/register', body => $many x 20,
            headers => [ 'Content-Type', 'application/json' ]),
        'a password' => login('anna', 'x' x 60_000),
        'a name' => login('x' x 60_000, $PASSWORD),
        'brackets' => $stack->request('POST', '/login', body => '[' x 60_000,
            headers => [ 'Content-Type', 'application/json' ]),
        'members' => $stack->request('POST', '/login', body => '{' . join(',',
                map { qq("a$_":1) } 1 .. 5000) . '}',
            headers => [ 'Content-Type', 'application/json' ]));
    for my $name (sort keys %answer) {
        like($answer{$name}{status}, qr/^4(?:00|01|13|14|22|31)$/,
            "$name: $answer{$name}{status}");
    }
    is($stack->request('GET', '/account', headers => [ session() ])->{status},
        200, 'and all goes on');
});

# --- the end ----------------------------------------------------------------------------

$stack->stops_cleanly;
done_testing;

# /echo/rogue with a provider that says these lines.
sub ask_rogue {
    my ($lines, @headers) = @_;
    my $path = "$stack->{var}/rogue.sock";
    unlink $path;
    my $pid = FastCGI::serve($path, sub {
        my ($client) = @_;
        my $bytes = '';
        while (sysread $client, $bytes, 1 << 16, length $bytes) {
            next if !FastCGI::take_request(\$bytes);
            FastCGI::write_all($client, FastCGI::stream(FastCGI::OUTPUT,
                    join("\r\n", 'Status: 200', 'Content-Type: text/plain',
                        @$lines, '', '')) . FastCGI::record(
                    FastCGI::END_REQUEST, "\0" x 8));
        }
    });
    my $answer = $stack->request('GET', '/echo/rogue', headers => \@headers);
    kill 'TERM', -$pid;
    waitpid $pid, 0;
    return $answer;
}
