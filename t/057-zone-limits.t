# What the zone does when a verdict is too large for it, and when there are
# more sessions than slots.
use strict;
use warnings;
use lib 't/lib';
use Client qw(wait_for);
use Gateway;
use JSON::PP ();
use MiniIdp;
use POSIX ();
use Test::More;

my $SESSIONS = $ENV{IDENTGW_CHECKER} ? 600 : 3000;
my $CLIENTS = 3;
my $idp = MiniIdp->new;
my $gateway = Gateway->start(workers => 2,
    http => 'identgw_zone 196k;' . $idp->upstream,
    server => 'identgw_revocations /.identgw/revocations interval=50ms '
        . 'lease=8s; identgw_cache_ttl 5m;' . $idp->locations . <<'END');
location = /status { identgw off; identgw_status json; }
END

sub seen { return $gateway->seen(@_) }

sub status {
    return JSON::PP::decode_json($gateway->get('/status')->{body})->{cache};
}

sub is_warm {
    my ($id) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(wait_for(sub { seen($id) =~ /^HIT 200/ }), "$id is warm");
}

subtest 'a verdict that does not fit' => sub {
    is_warm('user-small');
    my $name = 'x' x 400;
    is(seen("user-$name"), "MISS 200 $name", "is served, time $_") for 1 .. 5;
    is($idp->questions("user-$name"), 5, 'by a question each');
    is(status()->{full}, 5, 'each is counted');
    my @warnings = grep { /does not fit/ } split /^/, $gateway->log;
    is(scalar @warnings, 1, 'one warning a minute');
    like($warnings[0], qr/\[warn\].* an identity of \d+ bytes does not fit into an entry of "identgw_zone" and is asked for with every request; raise its "entry=", which is 1024/,
        'it says what to do');
    is(seen('user-small'), 'HIT 200 small', 'others are cached as before');

    # four values, each with the name in it
    my ($fits) = grep { seen("user-$_") && seen("user-$_") =~ /^HIT/ }
        map { 'y' x $_ } reverse 200 .. 260;
    ok($fits, 'one of ' . length($fits // '') . ' letters fits');
    is(seen("user-${fits}y"), "MISS 200 ${fits}y", 'one more does not');
    is(seen("user-${fits}y"), "MISS 200 ${fits}y", '... ever');
};

# Each of its sessions once, and between them some that others use, too: how
# many answers were wrong, as lines.
sub run_client {
    my ($number) = @_;
    my $client = $gateway->client;
    my $part = $SESSIONS / $CLIENTS;
    for my $n ($number * $part + 1 .. ($number + 1) * $part) {
        for my $name ("s$n", 'hot' . $n % 10, 's' . ($n - $n % 7)) {
            my $answer = $client->get('/app', 'JSESSIONID', "user-$name");
            my $body = $answer ? $answer->{body} : 'nothing';
            my ($user) = $body =~ /^HTTP_X_USER=(.*)$/m;
            print "$name: ", $user // $body, "\n"
                if ($user // '') ne $name
                || $body !~ /^HTTP_AUTHORIZATION=Bearer token\.of\.$name$/m;
        }
    }
    return;
}

subtest "$SESSIONS sessions in two workers" => sub {
    my @pipes = map {
        my $number = $_;
        open my $pipe, '-|' // die "fork: $!\n" or do {
            run_client($number);
            close STDOUT;
            POSIX::_exit(0);
        };
        $pipe;
    } 0 .. $CLIENTS - 1;
    my @wrong = map { my @lines = <$_>; close $_; @lines } @pipes;
    is("@wrong[ 0 .. ($#wrong > 9 ? 9 : $#wrong) ]", '',
        'each is who it is, each time');
    my $now = status();
    cmp_ok($now->{slots}, '<', 200, "slots: $now->{slots}");
    cmp_ok($now->{entries}, '<=', $now->{slots}, 'no more entries than slots');
    cmp_ok($now->{entries}, '>', $now->{slots} / 2, '... and most are used');
    cmp_ok($now->{evictions}, '>', $SESSIONS - 400, 'the others gave way');
    cmp_ok($now->{requests}{hit}, '>', 100, 'and there were hits');
    cmp_ok($now->{bytes}, '<', $now->{slots} * 1024, 'the bytes are right');
};

subtest 'revocations are as they were' => sub {
    my @ids = map { "user-late$_" } 1 .. 40;
    seen($_) for @ids;
    is_warm($ids[-1]);
    $idp->revoke(@ids);
    ok(wait_for(sub { seen($ids[-1]) =~ /401/ }), 'the last one is out');
    is((grep { seen($_) !~ / 401 / } @ids), 0, 'so are all');
};

$gateway->is_clean;
done_testing;
