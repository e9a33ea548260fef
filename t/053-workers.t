# The zone is that of all workers, over a reload and whoever of them dies.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field request_bytes wait_for);
use Gateway;
use MiniIdp;
use Test::More;
use Time::HiRes qw(sleep time);

my $idp = MiniIdp->new;
my %conf = (
    http => 'identgw_zone 1m;' . $idp->upstream,
    server => 'identgw_revocations /.identgw/revocations interval=50ms '
        . 'lease=4s;' . $idp->locations);
my $gateway = Gateway->start(%conf);

sub seen { return $gateway->seen(@_) }

sub is_warm {
    my ($id) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(wait_for(sub { seen($id) =~ /^HIT 200/ }), "$id is warm");
}

subtest 'a reload keeps it' => sub {
    is_warm('user-alice');
    my $questions = $idp->questions('user-alice');
    $gateway->reload;
    is(seen('user-alice'), 'HIT 200 alice', 'a hit');
    $gateway->reload(server => "$conf{server} location /more { }");
    is(seen('user-alice'), 'HIT 200 alice', 'with another location, too');
    is($idp->questions('user-alice'), $questions, 'nobody asked');
    $idp->revoke('user-alice');
    ok(wait_for(sub { seen('user-alice') =~ /401/ }), 'polls go on');
    $idp->put(revoked => '');
};

subtest 'another meaning makes another zone' => sub {
    my %cases = (
        'another size' => 'identgw_zone 2m;',
        'another entry' => 'identgw_zone 1m entry=2k;',
        'other headers' => 'identgw_zone 1m; '
            . 'identgw_identity_headers X-User X-Email;',
        'none' => '');
    for my $name (sort keys %cases) {
        my $found = $cases{$name} ? 'MISS' : 'BYPASS';
        is_warm('user-zone');
        $gateway->reload(http => $cases{$name} . $idp->upstream,
            server => $cases{$name} ? $conf{server} : $idp->locations);
        is(seen('user-zone'), "$found 200 zone", "$name: a $found");
        $gateway->reload(%conf);
        is(seen('user-zone'), 'MISS 200 zone', '... and empty again after it');
    }
};

subtest 'a worker that dies after a reload was refused' => sub {
    is_warm('user-refused');
    (my $wrong = $conf{server}) =~ s/internal;//;
    $gateway->write_conf(server => $wrong);
    my @old = $gateway->workers;
    kill HUP => $gateway->{pid};
    ok(wait_for(sub { $gateway->log =~ /\[emerg\].*identgw/ }),
        'the reload is refused');
    kill KILL => @old;
    my %old = map { $_ => 1 } @old;
    ok(wait_for(sub { my @new = $gateway->workers;
                @new == @old && !grep { $old{$_} } @new }), 'new ones come');
    is_warm('user-refused');
    is(seen('user-fresh'), 'MISS 200 fresh', 'they ask');
    is(seen('nobody'), 'MISS 401 -', '... and refuse');
    like($gateway->get('/app')->{body}, qr/401/, '... with a body');
    $gateway->get('/logout', 'JSESSIONID', 'user-refused');
    is(seen('user-refused'), 'MISS 401 -', '... and purge');
    $idp->put(revoked => '');
    $gateway->reload(%conf);
};

subtest 'a worker that ends does not use it' => sub {
    is_warm('user-ends');
    my $client = $gateway->client;
    my $request = request_bytes('GET', '/app', [ 'JSESSIONID', 'user-ends' ]);
    $client->write_bytes(substr $request, 0, 20);
    sleep 0.2; # a worker has begun to read
    $gateway->reload;
    $client->write_bytes(substr $request, 20);
    is(field($client->answer(0), 'X-Cache'), 'BYPASS', 'it asks');
    is_warm('user-ends');
};

subtest 'one poll at a time for all workers' => sub {
    my $own = MiniIdp->new;
    my $many = Gateway->start(%conf, workers => 4,
        http => 'identgw_zone 1m;' . $own->upstream);
    ok(wait_for(sub { $many->seen('user-four') =~ /^HIT/ }), 'warm');
    $own->put(feed => 'delay 300');
    my $before = $own->polls;
    my @clients = map { $many->client } 1 .. 16;
    ok(wait_for(sub {
                $_->get('/app', 'JSESSIONID', 'user-four') for @clients;
                $own->polls > $before + 7;
            }), 'polls come');
    $own->put(feed => undef);
    my @begun = map { $_->[0] } ($own->polls)[ $before + 1 .. $before + 7 ];
    is((grep { $begun[$_] - $begun[ $_ - 1 ] < 0.3 } 1 .. $#begun), 0,
        'none begins before the one before it has ended');
    $many->is_clean;
};

subtest 'workers are killed, again and again' => sub {
    my @ids = map { "user-kill$_" } 1 .. 40;
    my ($wrong, $served, $begin) = (0, 0, time);
    srand(my $seed = $ENV{SEED} // time);
    diag "seed $seed" if $ENV{HARNESS_IS_VERBOSE};
    for my $round (1 .. 15) {
        my @workers = $gateway->workers;
        my @pids = map { start_load(@ids) } 1 .. 2;
        sleep rand 0.2;
        kill KILL => $workers[ rand @workers ];
        for my $pid (@pids) {
            waitpid $pid, 0;
            $wrong += $? >> 8;
        }
        wait_for(sub { $gateway->workers == 2 });
    }
    is($wrong, 0, 'nobody was ever somebody else');
    is_warm($_) for @ids[ 0 .. 3 ];
    $idp->revoke($ids[0]);
    ok(wait_for(sub { seen($ids[0]) =~ /401/ }), 'polls go on');
};

# Two hundred requests: how many had the wrong user.
sub start_load {
    my (@ids) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    my $wrong = 0;
    for (1 .. 200) {
        my $id = $ids[ rand @ids ];
        my ($user) = $id =~ /-(.*)/;
        my $answer = eval { $gateway->get('/app', 'JSESSIONID', $id) } // next;
        $gateway->get('/logout', 'JSESSIONID', "user-none$_") if $_ % 10 == 0;
        next if $answer->{status} != 200;
        $wrong++ if $answer->{body} !~ /^HTTP_X_USER=$user$/m;
    }
    POSIX::_exit($wrong > 255 ? 255 : $wrong);
}

$gateway->is_clean(
    qr/exited on signal 9|shared memory zone|unlocked|not "internal"/);
done_testing;
