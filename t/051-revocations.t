# What the feed says is obeyed within its time, and nobody waits for it.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field wait_for);
use Gateway;
use MiniIdp;
use Test::More;
use Time::HiRes qw(sleep time);

my $idp = MiniIdp->new;
my $PATIENCE = 0.5; # seconds; a quarter of the lease
my $gateway = Gateway->start(
    http => 'identgw_zone 1m;' . $idp->upstream,
    server => 'identgw_revocations /.identgw/revocations interval=50ms '
        . 'lease=2s; identgw_cache_ttl 5m;' . $idp->locations . <<"END");
location /uncached { identgw on; identgw_cache off; identgw_signin off;
    add_header X-Cache \$identgw_cache always; fastcgi_param ROLE echo;
    fastcgi_pass mini; }
location = /hangs { identgw_purge on; proxy_pass http://unix:ROOM/nobody; }
location = /says { identgw_purge on; return 204; }
location = /also { identgw on; identgw_signin off; identgw_purge on;
    try_files /none /says; }
location = /lost { identgw_purge on; error_page 502 504 = \@lost;
    proxy_pass http://unix:ROOM/nobody; }
location \@lost { return 503; }
END

sub seen { return $gateway->seen(@_) }

sub is_warm {
    my ($id) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(wait_for(sub { seen($id) =~ /^HIT 200/ }), "$id is warm");
}

subtest 'a session that ends elsewhere' => sub {
    is_warm('user-alice');
    is_warm('user-bob');
    $idp->revoke('user-alice');
    ok(wait_for(sub { seen('user-alice') eq 'MISS 401 -' }), 'is out');
    is(seen('user-bob'), 'HIT 200 bob', 'no other is');
    my @polls = $idp->polls;
    is($polls[0][1], '', 'the first poll has no cursor');
    ok(wait_for(sub { ($idp->polls)[-1][1] eq '7001.00000001:1' }),
        'the next ones have the last answer\'s');
};

subtest 'many at once' => sub {
    my @ids = map { "user-many-$_" } 1 .. 300;
    seen($_) for @ids;
    is_warm($ids[-1]);
    $idp->revoke(@ids);
    ok(wait_for(sub { seen($ids[-1]) =~ /401/ }), 'the last is out');
    is((grep { seen($_) !~ /401/ } @ids), 0, 'so are all');
};

subtest 'a reset forgets all' => sub {
    is_warm("user-$_") for qw(bob carol);
    $idp->put(feed => "Content-Type: text/plain\r\n\r\n"
            . "reset 7001.00000001:999\nend 0\n");
    ok(wait_for(sub { ($idp->polls)[-1][1] eq '7001.00000001:999' }),
        'its cursor is taken');
    is(seen('user-carol'), 'MISS 200 carol', 'and all ask again');
    $idp->put(feed => undef, epoch => '7001.00000001');
};

subtest 'what is no poll ends the lease' => sub {
    my $text = "Content-Type: text/plain\r\n\r\n";
    my $whole = "cursor 7001.00000001:1\nend 0\n";
    my %feeds = (
        'an error' => "Status: 503\r\n$text$whole",
        'a redirect' => "Status: 302\r\nLocation: /\r\n$text$whole",
        'another type' => "Content-Type: text/html\r\n\r\n$whole",
        'a piece' => "${text}cursor 7001.00000001:1\n",
        'a wrong count' => "${text}cursor 7001.00000001:1\nend 1\n",
        'nothing' => $text,
        'too much' => "${text}cursor 7001.00000001:1\n"
            . ("00" x 32 . "\n") x 2500 . "end 2500\n",
        'no connection' => 'close',
        'an endless epoch' => "${text}reset " . '7' x 100 . ".00000001:1\nend 0\n",
        'a lower timeline' => "${text}reset 7001.00000000:1\nend 0\n");
    for my $name (sort keys %feeds) {
        is_warm('user-bob');
        $idp->put(feed => $feeds{$name});
        ok(wait_for(sub { seen('user-bob') eq 'MISS 200 bob' }), $name);
        is(seen('user-bob'), 'MISS 200 bob', '... and no way back in');
        $idp->put(feed => undef);
    }
    is_warm('user-bob');
};

subtest 'an epoch that only the cursor has' => sub {
    $idp->put(feed_header => "X-None: 1\r\n");
    my $polls = $idp->polls;
    ok(wait_for(sub { $idp->polls > $polls + 2 }), 'polls go on');
    is_warm('user-erin');
    is(seen('user-erin'), 'HIT 200 erin', 'and keep the lease');
    $idp->put(feed_header => "Identgw-Epoch: 9.00000001\r\n");
    ok(wait_for(sub { seen('user-erin') =~ /^MISS/ }),
        'a header that says something else counts');
    $idp->put(feed_header => undef);
};

subtest 'an answer of another epoch' => sub {
    is_warm('user-bob');
    $idp->put(feed => "Content-Type: text/plain\r\n\r\n"
            . "cursor 7001.00000001:1\nend 0\n", epoch => '9.00000001');
    is(seen('user-dave'), 'MISS 503 -', 'is 503 while the lease is valid');
    is(seen('user-dave', '/uncached'), 'BYPASS 503 -', '... without a cache, too');
    my $answer = $gateway->get('/app', 'JSESSIONID', 'user-dave');
    is(field($answer, 'Identgw-Reason'), 'idp_unavailable', 'with a reason');
    ok(field($answer, 'Retry-After'), 'and Retry-After');
    is(seen('nobody'), 'MISS 503 -', 'a 401 of it is no logout');
    is(seen('user-bob'), 'HIT 200 bob', 'what is cached is not touched');
    $idp->put(epoch => '7001.00000002');
    is(seen('user-dave'), 'MISS 503 -', 'a higher timeline is 503, too');
    is(seen('user-bob'), 'MISS 200 bob', 'and the end of all that is cached');
    is(seen('user-dave'), 'MISS 200 dave', 'without a lease all are asked');
    is(seen('user-dave'), 'MISS 200 dave', 'though the feed goes on as before');
    $idp->put(feed => undef);
    is_warm('user-dave');
    $idp->put(epoch => '7001.00000001');
    ok(wait_for(sub { seen('user-dave') eq 'MISS 200 dave' }),
        'a lower timeline never has a lease again');
    $idp->put(epoch => '9.00000001');
    is_warm('user-dave');
};

subtest 'a purge is there before its answer' => sub {
    for my $round (1 .. 5) {
        is_warm("user-out-$round");
        my $answer = $gateway->get('/logout', 'JSESSIONID', "user-out-$round");
        is($answer->{status}, 204, 'logged out');
        is(seen("user-out-$round"), 'MISS 401 -', 'out at once');
    }
    for my $case ([ '/says', 204 ], [ '/hangs', 502 ], [ '/lost', 503 ],
        [ '/also', 204 ]) {
        my ($target, $status) = @$case;
        is_warm('user-purged');
        my $answer = $gateway->get($target, 'JSESSIONID', 'user-purged');
        is($answer->{status}, $status, "$target is $status");
        is(seen('user-purged'), 'MISS 200 purged', '... and a purge');
    }
    is_warm("user-purged-$_") for 1 .. 4;
    $gateway->get('/says', 'JSESSIONID', 'user-purged-1', 'Cookie',
        'JSESSIONID=user-purged-2; x=y; JSESSIONID=user-purged-3');
    is(seen("user-purged-$_"), 'MISS 200 purged', "purged: id $_") for 1 .. 3;
    is(seen('user-purged-4'), 'HIT 200 purged', 'not purged: another');
    is_warm('user-purged-5');
    $gateway->get('/app', 'Cookie', 'JSESSIONID=user-purged-5');
    is(seen('user-purged-5'), 'HIT 200 purged', 'other locations purge none');
};

subtest 'what was asked for before a purge is not stored after it' => sub {
    is_warm('user-bob');
    $idp->put(delay => 1000);
    my $asking = $gateway->client;
    $asking->write_bytes(Client::request_bytes('GET', '/app',
            [ JSESSIONID => 'user-race' ]));
    ok(wait_for(sub { $idp->questions('user-race') == 1 }), 'asked');
    $gateway->get('/says', 'JSESSIONID', 'user-race');
    is($asking->answer(0)->{status}, 200, 'answered');
    $idp->put(delay => undef);
    is(seen('user-race'), 'MISS 200 race', 'and not stored');
    is_warm('user-race');
};

subtest 'identprov hangs, and nobody waits for a poll' => sub {
    is_warm('user-bob');
    $idp->put(feed => 'hang');
    my ($begin, $slowest, $n) = (time, 0, 0);
    my $before = $idp->polls;
    my @clients = map { $gateway->client } 1 .. 8;
    while (time < $begin + 3) {
        my $start = time;
        my $answer = $clients[ $n++ % 8 ]->get('/app', 'JSESSIONID',
            'user-bob');
        is($answer->{status}, 200, 'served') if $answer->{status} != 200;
        $slowest = time - $start if time - $start > $slowest;
        sleep 0.01;
    }
    my @polls = ($idp->polls)[ $before .. $before + 1e3 ];
    @polls = grep { defined } @polls;
    cmp_ok(scalar @polls, '<=', (time - $begin) / $PATIENCE + 2,
        'one poll at a time, each until its deadline');
    cmp_ok(@polls, '>=', 2, 'and they go on');
    cmp_ok($n, '>', 20, "requests went on: $n, the slowest in $slowest s");
    is(seen('user-bob'), 'MISS 200 bob', 'the lease is over');
    like($gateway->log, qr/has no answer in time/, 'the log says why');
    $idp->put(feed => undef);
    is_warm('user-bob');
    like($gateway->log, qr/works again/, 'and that it is over');
};

subtest 'an idle gateway polls nothing' => sub {
    my $idle = Gateway->start(http => 'identgw_zone 1m;' . $idp->upstream,
        server => 'identgw_revocations /.identgw/revocations interval=50ms '
            . 'lease=2s; identgw_cache_ttl 1s;' . $idp->locations);
    sleep 0.3;
    my $before = $idp->polls;
    ok(wait_for(sub { $idle->seen('user-idle') =~ /^HIT/ }), 'busy');
    $gateway->stop;
    sleep 1.3;
    my $polls = $idp->polls;
    cmp_ok($polls, '>', $before, 'it polled while it was busy');
    sleep 1;
    is(scalar $idp->polls, $polls, 'and stopped a ttl after the last request');
    like($idle->seen('user-idle'), qr/^(?:MISS|EXPIRED) 200 idle/,
        'the next request asks');
    ok(wait_for(sub { $idp->polls > $polls }), 'and polls begin again');
    ok(wait_for(sub { $idle->seen('user-idle') =~ /^HIT/ }), 'warm again');
    $idle->is_clean;
};

# What a server does to all its clients would end the feed: of a poll, none of
# it is true.
subtest 'what the server block does to clients does not concern a poll' => sub {
    my $strict = Gateway->start(
        http => 'identgw_zone 1m;' . $idp->upstream . <<'END',
map $http_user_agent $none { "" none; default ""; }
limit_req_zone $none zone=requests:1m rate=1r/m;
limit_conn_zone $server_name zone=connections:1m;
END
        server => <<'END' . $idp->locations);
identgw_revocations /.identgw/revocations interval=50ms lease=1s;
identgw_signin off;
if ($http_user_agent = "") { return 403; }
if ($remote_addr = "") { return 403; }
rewrite ^/.identgw/revocations /elsewhere;
limit_req zone=requests;
limit_conn connections 1;
END
    my @browser = ('User-Agent', 'x');
    my $is_hit = sub { $strict->seen('user-bob', '/app', @browser) =~ /^HIT 200/ };
    is($strict->get('/app')->{status}, 403, 'a client without User-Agent is sent away');
    ok(wait_for($is_hit), 'a session is warm');
    my $until = time + 2.5;
    my $hits = 1;
    while (time < $until) {
        $hits &&= $is_hit->();
        sleep 0.05;
    }
    ok($hits, '... and stays so, past the lease');
    $strict->is_clean;
};

$gateway->is_clean(qr/nobody failed/);
done_testing;
