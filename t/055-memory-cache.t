# The memory of the workers stays flat while sessions are cached, give way,
# expire and are revoked. IDENTGW_REQUESTS and IDENTGW_CHECKER as in
# 054-memory.t.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field wait_for);
use Gateway;
use MiniIdp;
use POSIX ();
use Test::More;

my $REQUESTS = $ENV{IDENTGW_CHECKER} ? 800 : $ENV{IDENTGW_REQUESTS} || 4000;
my $CLIENTS = 2;
my $PARTS = 8;          # memory is looked at after each
my $GROWTH_KB = 256;    # from the second part's end to the last one's; the
                        # heap may grow once, which it does by 132

my $idp = MiniIdp->new;
my $PASS = 'fastcgi_param ROLE echo; fastcgi_keep_conn on; fastcgi_pass mini;';
my $gateway = Gateway->start(
    http => $idp->upstream . 'identgw_zone 256k; access_log off;',
    server => 'identgw_revocations /.identgw/revocations interval=100ms '
        . 'lease=8s; identgw_signin off; ' . $idp->locations . <<"END");
location /brief { identgw on; identgw_cache_ttl 1s; $PASS }
location /optional { identgw optional; $PASS }
location /uncached { identgw on; identgw_cache off; $PASS }
END

# The status of the n-th request, and what it asks.
sub request_of {
    my ($n) = @_;
    my $some = 'user-alice-' . int($n / 7) % 40;
    my @kinds = (
        [ 200, '/app', 'JSESSIONID', $some ],
        [ 200, '/app', 'Cookie', "JSESSIONID=$some" ],
        [ 200, '/brief', 'JSESSIONID', $some ],
        [ 200, '/optional', 'JSESSIONID', $some ],
        [ 200, '/app', 'JSESSIONID', $some ],
        [ 200, '/app', 'JSESSIONID', $some, 'Connection', 'close' ],
        [ 200, '/app', 'JSESSIONID', 'user-part-' . int($n / $REQUESTS) ],
        $n % 5 ? [ 200, '/app', 'JSESSIONID', $some ]
        : $n % 3 ? [ 401, '/app', 'JSESSIONID', "nobody-$n" ]
        : $n % 2 ? [ 200, '/app', 'JSESSIONID', "user-new-$n" ]
        : [ 200, '/uncached', 'JSESSIONID', $some ]);
    return @{ $kinds[$n % @kinds] };
}

sub run_client {
    my ($first, $count) = @_;
    my $client = $gateway->client;
    my @wrong;
    for my $n ($first .. $first + $count - 1) {
        $client = $gateway->client if $n % 97 == 0;
        $client->get('/logout', 'JSESSIONID', "user-bob-$n") if $n % 211 == 0;
        my ($status, @request) = request_of($n);
        my $answer = $client->get(@request);
        my $is = $answer ? $answer->{status} : 'nothing';
        push @wrong, "@request: $is, not $status" if $is ne $status;
    }
    return @wrong;
}

# Many requests by several clients at once; what went wrong.
sub run_clients {
    my ($from, $count) = @_;
    my @pipes = map {
        my $first = $from + $_ * $count;
        open my $pipe, '-|' // die "fork: $!\n" or do {
            print map { "$_\n" } run_client($first, $count / $CLIENTS);
            close STDOUT;
            POSIX::_exit(0);
        };
        $pipe;
    } 1 .. $CLIENTS;
    return map { my @lines = <$_>; close $_; @lines } @pipes;
}

# What no file is behind, in KB.
sub memory_of {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/statm" or return 0;
    my (undef, $resident, $shared) = split ' ', <$in>;
    return ($resident - $shared) * POSIX::sysconf(POSIX::_SC_PAGESIZE()) / 1024;
}

my @workers = $gateway->workers;
my (%memory, @wrong);
for my $part (1 .. $PARTS) {
    push @wrong, run_clients($part * $REQUESTS, $REQUESTS / $PARTS);
    $idp->revoke("user-part-$part");
    push @{ $memory{$_} }, memory_of($_) for @workers;
}
is(join("\n", @wrong[ 0 .. ($#wrong > 9 ? 9 : $#wrong) ]), '',
    "$REQUESTS requests are answered as they should");
cmp_ok(scalar $idp->questions, '<', $REQUESTS / 2, 'most without a question');
for my $worker (@workers) {
    my @kb = @{ $memory{$worker} };
    note("a worker's memory: @kb KB");
    cmp_ok($kb[-1] - $kb[1], '<=', $GROWTH_KB, "it is flat: @kb KB")
        if !$ENV{IDENTGW_CHECKER};
}
is_deeply([ $gateway->workers ], \@workers, 'they are the same workers');
$gateway->is_clean;
done_testing;
