# identgw_stale_if_error: who is served past the lease while identprov cannot
# be asked, and who is not.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field request_bytes wait_for);
use Gateway;
use JSON::PP ();
use MiniIdp;
use Test::More;
use Time::HiRes qw(sleep);

my $idp = MiniIdp->new;
my $SHOWN = 'identgw_signin off; add_header X-Cache $identgw_cache always; '
    . 'add_header X-Reason $identgw_reason always; fastcgi_param ROLE echo; '
    . 'fastcgi_keep_conn on; fastcgi_pass mini;';
my $gateway = Gateway->start(
    http => $idp->upstream . <<'END',
identgw_zone 1m;
map $identgw_reason $is_fresh { ok 1; default 0; }
END
    server => 'identgw_revocations /.identgw/revocations interval=50ms '
        . 'lease=1s; identgw_cache_ttl 5m;' . $idp->locations . <<"END");
location /stale { identgw on; identgw_stale_if_error 5m; $SHOWN }
location /brief { identgw on; identgw_stale_if_error 2s; $SHOWN }
location /optional { identgw optional; identgw_stale_if_error 5m; $SHOWN }
location /fresh { identgw on; identgw_stale_if_error 5m;
    identgw_require \$is_fresh; $SHOWN }
location /uncached { identgw on; identgw_stale_if_error 5m; identgw_cache off;
    $SHOWN }
location = /purge { identgw_purge on; return 204; }
location = /status { identgw off; identgw_status json; }
END

sub seen { return $gateway->seen(@_) }

sub is_warm {
    my (@ids) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(!(grep { my $id = $_;
                !wait_for(sub { seen($id) =~ /^HIT 200/ }) } @ids),
        "warm: @ids");
}

# Neither questions nor polls are answered, and the lease is over.
sub go_away {
    my ($id) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $idp->put(answer => 'close', feed => 'close');
    return ok(wait_for(sub { seen($id) =~ /503/ }), 'identprov is away');
}

sub come_back {
    $idp->put(answer => undef, feed => undef);
    return;
}

subtest 'who is remembered is served, after a question that failed' => sub {
    is_warm('user-alice');
    $idp->put(answer => 'close');
    is(seen('user-alice', '/stale'), 'HIT 200 alice', 'a hit in the lease');
    go_away('user-alice');
    my $questions = $idp->questions('user-alice');
    my $answer = $gateway->get('/stale', 'JSESSIONID', 'user-alice');
    is($answer->{status}, 200, 'in');
    like($answer->{body}, qr/^HTTP_X_USER=alice$/m, 'as she is');
    like($answer->{body}, qr/^HTTP_AUTHORIZATION=Bearer token\.of\.alice$/m,
        'with her token');
    is(field($answer, 'X-Cache'), 'STALE', '$identgw_cache');
    is(field($answer, 'X-Reason'), 'ok_stale', '$identgw_reason');
    cmp_ok($idp->questions('user-alice'), '>', $questions, 'it has asked');
    is(seen('user-alice', '/optional'), 'STALE 200 alice', 'optional, too');
    my $status = JSON::PP::decode_json($gateway->get('/status')->{body});
    is($status->{cache}{stale}, 2, 'it is counted');
};

subtest 'who is not, or where it is not said, is not' => sub {
    my $answer = $gateway->get('/app', 'JSESSIONID', 'user-alice');
    is($answer->{status}, 503, 'without the directive');
    is(field($answer, 'Identgw-Reason'), 'idp_unavailable', 'for that reason');
    ok(field($answer, 'Retry-After'), 'with Retry-After');
    is(seen('user-cold', '/stale'), 'MISS 503 -', 'who never came');
    is(seen('user-alice', '/uncached'), 'BYPASS 503 -', 'without the cache');
    is(seen('not valid', '/stale'), '- 401 -', 'a malformed session');
    is(seen('user-alice', '/fresh'), 'STALE 403 -',
        'where identgw_require asks for more');
};

subtest 'what identprov says counts' => sub {
    for my $case ([ '503', 'STALE 200 alice' ], [ '500', 'STALE 200 alice' ],
        [ '429', 'MISS 429 -' ], [ '404', 'MISS 502 -' ],
        [ '302', 'MISS 502 -' ]) {
        my ($status, $seen) = @$case;
        $idp->put(answer => "Status: $status\r\n");
        is(seen('user-alice', '/stale'), $seen, "a $status");
    }
    $idp->put(answer => "X-User: alice\r\n");
    is(seen('user-alice', '/stale'), 'MISS 502 -', 'half an answer');
    $idp->put(answer => "Status: 401\r\n");
    is(seen('user-alice', '/stale'), 'MISS 401 -', 'a 401');
    $idp->put(answer => 'close');
    is(seen('user-alice', '/stale'), 'MISS 503 -', '... for good');
    come_back();
    is_warm('user-alice');
};

subtest 'as long as it says, after the lease' => sub {
    is_warm('user-alice');
    go_away('user-alice');
    is(seen('user-alice', '/brief'), 'STALE 200 alice', 'for two seconds');
    ok(wait_for(sub { seen('user-alice', '/brief') eq 'MISS 503 -' }),
        'then no more');
    is(seen('user-alice', '/stale'), 'STALE 200 alice', 'elsewhere, longer');
    come_back();
    is_warm('user-alice');
};

subtest 'never an identity that is past its time' => sub {
    $idp->put(extra => "X-Accel-Expires: 4\r\n");
    ok(wait_for(sub { seen('user-short') =~ /^HIT/ }), 'warm for 4 s');
    $idp->put(extra => undef);
    is_warm('user-long');
    go_away('user-long');
    like(seen('user-short', '/stale'), qr/^STALE 200 short|^\w+ 503/, 'now');
    $idp->put(delay => 4000);
    like(seen('user-short', '/stale'), qr/^\w+ 503 -$/,
        'not when it ends while the question is asked');
    $idp->put(delay => undef);
    like(seen('user-short', '/stale'), qr/^\w+ 503 -$/, 'nor later');
    is(seen('user-long', '/stale'), 'STALE 200 long', 'a longer one goes on');
    come_back();
};

subtest 'never who is known to be out' => sub {
    my @ids = map { "user-$_" } qw(fed purged reset kept);
    is_warm(@ids);
    $idp->put(answer => 'close');
    $idp->revoke('user-fed');
    ok(wait_for(sub { seen('user-fed', '/stale') eq 'MISS 503 -' }),
        'the feed told of it');
    is(seen('user-kept', '/stale'), 'HIT 200 kept', 'while the lease goes on');
    go_away('user-kept');
    is(seen('user-fed', '/stale'), 'MISS 503 -', '... nor after the lease');
    is(seen('user-purged', '/stale'), 'STALE 200 purged', 'stale');
    $gateway->get('/purge', 'JSESSIONID', 'user-purged');
    is(seen('user-purged', '/stale'), 'MISS 503 -', 'purged here');
    is(seen('user-reset', '/stale'), 'STALE 200 reset', 'stale');
    $idp->put(feed => "Content-Type: text/plain\r\n\r\n"
            . "reset 7001.00000001:0\nend 0\n");
    ok(wait_for(sub { seen('user-reset', '/stale') eq 'MISS 503 -' }),
        'a reset');
    come_back();
    $idp->put(revoked => '');
};

subtest 'each of those who wait falls back' => sub {
    $idp->put(epoch => '7001.00000001');
    is_warm('user-wait');
    go_away('user-wait');
    $idp->put(delay => 200);
    my @clients = map { $gateway->client } 1 .. 5;
    $_->write_bytes(request_bytes('GET', '/stale',
            [ JSESSIONID => 'user-wait' ])) for @clients;
    my @statuses = map { ($_->answer(0) // {})->{status} // 'none' } @clients;
    is("@statuses", join(' ', (200) x 5), 'all are in');
    $idp->put(delay => undef);
    come_back();
    is_warm('user-wait');
    is(seen('user-wait', '/stale'), 'HIT 200 wait', 'all is as before');
};

$gateway->is_clean;
done_testing;
