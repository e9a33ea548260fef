# A warm session costs no question, and nobody is let in by the cache who
# should not be.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field fields wait_for);
use Gateway;
use JSON::PP ();
use MiniIdp;
use Test::More;
use Time::HiRes qw(sleep);

my $idp = MiniIdp->new;
my $FEED = 'identgw_revocations /.identgw/revocations interval=100ms lease=8s;';
my $PASS = "fastcgi_param ROLE echo; fastcgi_keep_conn on; "
    . "fastcgi_pass mini;";
my $CACHE = 'add_header X-Cache $identgw_cache always;';
my $gateway = Gateway->start(
    http => $idp->upstream . <<"END",
identgw_zone 1m;
map \$http_x_user \$is_admin { alice 1; default 0; }
server {
    listen unix:ROOM/accel;
    server_name accel;
    location / { identgw off; add_header X-Accel-Redirect /.identgw/authenticate;
        return 200 x; }
}
server {
    listen unix:ROOM/other;
    server_name other;
    @{[ $idp->locations ]}
}
END
    server => "$FEED identgw_signin off; " . $idp->locations . <<"END");
location = /.identgw/again { internal; identgw off; fastcgi_keep_conn on;
    fastcgi_param ROLE authenticate;
    fastcgi_pass mini; }
location /brief { identgw on; identgw_cache_ttl 1s; $CACHE $PASS }
location /never { identgw on; identgw_cache_ttl 0; $CACHE $PASS }
location /uncached { identgw on; identgw_cache off; $CACHE $PASS }
location /again { identgw on; identgw_authenticate /.identgw/again;
    $CACHE $PASS }
location /admin { identgw on; identgw_require \$is_admin; $CACHE $PASS }
location /optional { identgw optional; $CACHE $PASS }
location /open { identgw off; $CACHE $PASS }
location /to { identgw on; identgw_cache_ttl 5m; $CACHE
    location = /to/uncached { try_files /none \@uncached; }
    location = /to/brief { try_files /none \@brief; }
    location = /to/as_long { try_files /none \@as_long; } }
location \@uncached { identgw on; identgw_cache off; $CACHE $PASS }
location \@brief { identgw on; identgw_cache_ttl 1s; $CACHE $PASS }
location \@as_long { identgw on; identgw_cache_ttl 10m; $CACHE $PASS }
location = /jump { identgw off; try_files /none /.identgw/authenticate; }
location = /feed { identgw on; $CACHE try_files /none /.identgw/revocations; }
location = /accel { identgw off; proxy_pass http://unix:ROOM/accel; }
location = /status { identgw off; identgw_status; }
location = /json { identgw off; identgw_status json; }
location /returned { identgw on; $CACHE return 200 "HTTP_X_USER=\$identgw_user\\n"; }
location /ssi { identgw on; ssi on; ssi_types *; $CACHE alias /nowhere;
    return 200 '<!--#include virtual="/app/in" -->'; }
END

# Until the zone serves: a poll has come.
sub warm {
    my ($id, $target, @headers) = @_;
    return wait_for(sub { $gateway->seen($id, $target, @headers) =~ /^HIT/ });
}

sub seen { return $gateway->seen(@_) }

ok(warm('user-alice'), 'a session is asked about, and then it is not');
is(seen('user-alice'), 'HIT 200 alice', 'the upstream sees the user');
my $count = $idp->questions('user-alice');
is(seen('user-alice', "/app/$_"), 'HIT 200 alice', "hit $_") for 1 .. 5;
is($idp->questions('user-alice'), $count, 'without a question');

subtest 'the headers of a hit are those of a miss' => sub {
    my $of = sub { $gateway->get('/app', 'JSESSIONID', $_[0], 'X-User', 'eve',
            'X_Email', 'eve', 'Authorization', 'Basic eve')->{body} };
    my $fresh = $of->('user-carol-1');
    ok(warm('user-carol-1'), 'it is warm now');
    is($of->('user-carol-1'), $fresh, 'byte for byte');
    like($fresh, qr/^HTTP_AUTHORIZATION=Bearer token\.of\.carol$/m, 'token');
};

subtest 'the session in a cookie is the same session' => sub {
    my $answer = $gateway->get('/app', 'Cookie', 'a=b; JSESSIONID=user-alice');
    is(field($answer, 'X-Cache'), 'HIT', 'it is a hit');
    like($answer->{body}, qr/^HTTP_X_USER=alice$/m, 'of that user');
    $answer = $gateway->client->ask('POST', '/app', [ 'Cookie',
            'JSESSIONID=user-alice', 'Sec-Fetch-Site', 'cross-site' ], 'x');
    is($answer->{status}, 403, 'another site cannot write with a hit either');
    is(field($answer, 'Identgw-Reason'), 'cross_site', 'for that reason');
};

subtest 'who has no session is not looked for' => sub {
    is($gateway->seen('not valid'), '- 401 -', 'malformed');
    is(seen('nobody'), 'MISS 401 -', 'unknown');
    is(seen('nobody'), 'MISS 401 -', 'a 401 is not stored');
    my $answer = $gateway->get('/app');
    is(field($answer, 'X-Cache'), undef, 'none: the variable is empty');
    is(seen('user-alice', '/open'), '- 200 -', 'nor where identgw is off');
};

subtest 'an entry ends' => sub {
    ok(warm('user-brief', '/brief'), 'with a ttl of a second it is warm');
    ok(wait_for(sub { seen('user-brief', '/brief') =~ /^EXPIRED 200 brief/ }),
        '... and expired, however often it is used');
    is(seen('user-never', '/never'), 'MISS 200 never', 'ttl 0') for 1 .. 2;
};

subtest 'X-Accel-Expires lowers the ttl' => sub {
    my @cases = ([ 0, 0 ], [ -1, 0 ], [ 'soon', 0 ], [ '', 0 ], [ '@1', 0 ],
        [ '@', 0 ], [ 3600, 1 ], [ '@' . (time + 3600), 1 ],
        [ "3600\r\nX-Accel-Expires: 0", 0 ]);
    for my $i (0 .. $#cases) {
        my ($value, $is_stored) = @{ $cases[$i] };
        $idp->put(extra => "X-Accel-Expires: $value\r\n");
        seen("user-expires-$i");
        like(seen("user-expires-$i"), $is_stored ? qr/^HIT/ : qr/^MISS/,
            "\"$value\"" =~ s/\r\n.*/ and again/sr);
    }
    $idp->put(extra => "X-Accel-Expires: 1\r\n");
    seen('user-expires-soon');
    ok(wait_for(sub { seen('user-expires-soon') =~ /^EXPIRED/ }), 'a second');
    $idp->put(extra => undef);
};

subtest 'an answer without an epoch is not stored' => sub {
    $idp->put(epoch => '');
    is(seen('user-noepoch'), 'MISS 200 noepoch', "time $_") for 1 .. 3;
    $idp->put(epoch => '7001.00000001');
    $idp->put(extra => "Identgw-Epoch: 7001.00000001\r\n");
    is(seen('user-noepoch'), 'MISS 200 noepoch', 'nor one with two')
        for 1 .. 3;
    $idp->put(extra => undef);
    seen('user-noepoch');
    is(seen('user-noepoch'), 'HIT 200 noepoch', 'one with one is');
};

subtest 'Set-Cookie is for who asked' => sub {
    $idp->put(extra => "Set-Cookie: JSESSIONID=rolled\r\n");
    my $answer = $gateway->get('/app', 'JSESSIONID', 'user-cookie');
    is(field($answer, 'Set-Cookie'), 'JSESSIONID=rolled', 'of a question');
    $idp->put(extra => undef);
    $answer = $gateway->get('/app', 'JSESSIONID', 'user-cookie');
    is(field($answer, 'X-Cache'), 'HIT', 'a hit');
    is(field($answer, 'Set-Cookie'), undef, '... has none');
};

subtest 'what is no 2xx is not stored, nor what is no verdict' => sub {
    for my $answer ("Status: 403\r\n", "Status: 429\r\n", "Status: 500\r\n",
        "Status: 302\r\nLocation: /\r\n", "X-User: half\r\n", 'close') {
        $idp->put(answer => $answer);
        my $status = (split ' ', seen('user-odd'))[1];
        isnt($status, 200, (split /\r/, $answer)[0] . " is $status");
        $idp->put(answer => undef);
        is(seen('user-odd'), 'MISS 200 odd', '... and the next one asks');
        $idp->revoke('user-odd');
        wait_for(sub { seen('user-odd') =~ /401/ });
        $idp->put(revoked => '', epoch => '7001.00000001');
        wait_for(sub { seen('user-odd') =~ /^MISS 200/ });
        $gateway->get('/logout', 'JSESSIONID', 'user-odd');
        $idp->put(revoked => '');
    }
};

subtest 'different policies never share' => sub {
    ok(warm('user-policy'), 'warm under one');
    like(seen('user-policy', '/again'), qr/^MISS/, 'another authenticate uri');
    like(seen('user-policy', '/uncached'), qr/^BYPASS 200/, 'cache off');
    like(seen('user-policy'), qr/^HIT/, 'the first is warm as before');
    like(seen('user-policy', '/brief'), qr/^HIT/, 'so is another location');
    my $other = Client->new($gateway->room . '/other')->get('/app',
        'JSESSIONID', 'user-policy');
    is(field($other, 'X-Cache'), 'MISS', 'another server');
};

subtest 'a location never uses what is too old for it' => sub {
    ok(warm('user-old'), 'warm where 60 s are allowed');
    like(seen('user-old', '/never'), qr/^EXPIRED 200/, 'not where none are');
    ok(warm('user-old'), 'warm again');
    like(seen('user-old', '/to/as_long'), qr/^HIT 200/,
        'after an internal redirect, too');
    my $asked = $idp->questions('user-old');
    like(seen('user-old', '/to/uncached'), qr/^BYPASS 200/,
        '... but not to where nothing is used');
    is($idp->questions('user-old'), $asked + 1, '... that asks');
    ok(warm('user-old'), 'still warm');
    sleep 1.1;
    $asked = $idp->questions('user-old');
    like(seen('user-old'), qr/^HIT/, 'a second later, too');
    like(seen('user-old', '/to/brief'), qr/^EXPIRED 200/,
        '... but not for one of 1 s behind a redirect');
    like(seen('user-old', '/brief'), qr/^HIT 200/, '... which has asked');
    sleep 1.1;
    like(seen('user-old', '/brief'), qr/^EXPIRED 200/, '... and will again');
    is($idp->questions('user-old'), $asked + 2, 'as often as it says');
};

subtest 'no client is answered what the gateway asks' => sub {
    ok(warm('user-alice'), 'warm');
    for my $target (qw(/jump /feed /accel)) {
        my $answer = $gateway->get($target, 'JSESSIONID', 'user-alice');
        is($answer->{status}, 404, $target);
        is(field($answer, $_), undef, "... no $_")
            for qw(Authorization X-User Identgw-Epoch);
    }
};

subtest 'a hit is a verdict like any other' => sub {
    ok(warm("user-$_"), "$_ is warm") for qw(alice bob);
    like(seen('user-alice', '/admin'), qr/^HIT 200/, 'identgw_require: alice');
    like(seen('user-bob', '/admin'), qr/^HIT 403/, 'identgw_require: bob');
    like(seen('user-bob', '/optional'), qr/^HIT 200 bob/, 'optional');
    like(seen('nobody', '/optional'), qr/^MISS 200 -/, 'optional, nobody');
    like(seen('user-bob', '/returned'), qr/^HIT 200 bob/, 'return');
    like(seen('user-bob', '/ssi'), qr/^HIT 200 bob/, 'a subrequest');
};

subtest 'identgw_status tells of it' => sub {
    my $purges = sub { JSON::PP::decode_json($gateway->get('/json')->{body})
            ->{cache}{purges} };
    my $before = $purges->();
    seen("nobody-$_") for 1 .. 5;
    is($purges->(), $before, 'a session that was not here is not dropped');
    ok(warm('user-dropped'), 'one that is');
    $gateway->get('/logout', 'JSESSIONID', 'user-dropped');
    is($purges->(), $before + 1, '... is');
    $idp->put(revoked => '');
    my $text = $gateway->get('/status')->{body};
    my $cache = JSON::PP::decode_json($gateway->get('/json')->{body})->{cache};
    for my $result (qw(hit miss expired bypass)) {
        cmp_ok($cache->{requests}{$result}, '>', 0, $result);
        like($text, qr/^identgw_cache_requests_total\{result="$result"\} \d+$/m,
            '... as text');
    }
    cmp_ok($cache->{polls}{$_}, '>=', $_ eq 'failed' ? 0 : 1, "polls: $_")
        for qw(ok reset failed);
    cmp_ok($cache->{entries}, '>', 0, 'entries');
    cmp_ok($cache->{bytes}, '>', $cache->{entries}, 'bytes');
    like($text, qr/^identgw_lease_age_seconds \d+\.\d{3}$/m, 'its lease');
    like($text, qr/^identgw_feed_lag_seconds \d+\.\d{3}$/m, 'its lag');
};

subtest 'over HTTP/2' => sub {
    my $client = eval { Client->new($gateway->room . '/h2', http2 => 1) };
    my $answer = $client->get('/app', 'jsessionid', 'user-alice');
    is($answer->{status}, 200, 'in');
    like($answer->{body}, qr/^HTTP_X_USER=alice$/m, 'alice');
    is(field($answer, 'x-cache'), 'HIT', 'a hit');
};

$gateway->is_clean;
done_testing;
