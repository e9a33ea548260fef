# A worker is killed in the midst of each change to the zone, with the lock in
# its hand, at each of the points that ngx_http_identgw_faults_crash() names:
# the zone goes on, for the other worker and for the next one.
use strict;
use warnings;
use lib 't/lib';
use Client qw(wait_for);
use File::Temp qw(tempdir);
use Gateway;
use MiniIdp;
use Test::More;

my $build = $ENV{IDENTGW_BUILD} || $ENV{BUILD} || 'build';
my $module = "$build/faults/ngx_http_identgw_module.so";
my $room = tempdir('identgw-crash.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0777, $room;
my $idp = MiniIdp->new;
my $gateway = Gateway->start(workers => 2, module => $module,
    env => { IDENTGW_CRASH => $room },
    http => 'identgw_zone 1m;' . $idp->upstream,
    server => 'identgw_revocations /.identgw/revocations interval=50ms '
        . 'lease=2s; identgw_cache_ttl 5m;' . $idp->locations . <<'END');
location = /purge { identgw_purge on; return 204; }
END
my ($round, $sessions) = (0, 0);

# "nothing": the worker that had the request is gone.
sub seen { return eval { $gateway->seen(@_) } // 'nothing' }

sub is_warm {
    my ($id) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(wait_for(sub { seen($id) =~ /^HIT 200/ }), "$id is warm");
}

sub purge {
    eval { $gateway->get('/purge', 'JSESSIONID', $_[0]) };
    return;
}

# A poll's points come by themselves.
my %DRIVE = (
    lookup => sub { seen('user-warm') },
    put_filled => sub { seen('user-put' . ++$sessions) },
    put_wiped => sub { seen('user-put' . ++$sessions) },
    revoke => sub { purge('user-victim') },
    wipe => sub { seen('user-victim'); purge('user-victim') },
    forget => sub {
        seen('user-warm');
        $idp->put(epoch => '7001.' . sprintf '%08d', ++$sessions + 1);
    },
    map { $_ => sub { seen('user-warm') } }
        qw(cursor poll_begun poll_cursor poll_rows));

# All that the source has are tried.
my %points = map { $_ => 1 } map {
    open my $in, '<', $_ or die "$_: $!\n";
    map { /faults_crash\("(\w+)"\)/ ? $1 : () } <$in>
} glob 'ngx_http_identgw_module/*.c';
is("@{[ sort keys %points ]}", "@{[ sort keys %DRIVE ]}", 'the points');

for my $point (sort keys %DRIVE) {
    subtest "killed at \"$point\"" => sub {
        my $id = 'user-round' . ++$round;
        is_warm($_) for 'user-warm', 'user-victim', "$id-in", "$id-out";
        my @before = $gateway->workers;
        $idp->revoke("$id-out");
        open my $file, '>', "$room/$point" or die "$point: $!\n";
        close $file;
        ok(wait_for(sub { $DRIVE{$point}->(); !-e "$room/$point" }),
            'a worker comes to it');
        ok(wait_for(sub { my @now = $gateway->workers;
                    @now == 2 && "@now" ne "@before" }), 'another is there');
        ok(wait_for(sub { seen("$id-out") eq 'MISS 401 -' }),
            'who was out by then is told of');
        is(seen("$id-out"), 'MISS 401 -', '... once and for all');
        for my $name ('user-warm', 'user-victim', "$id-in") {
            is_warm($name);
            my ($user) = $name =~ /^user-([^-]+)/;
            is(seen($name), "HIT 200 $user", '... as who it is');
        }
        purge("$id-in");
        is(seen("$id-in"), "MISS 200 round$round", 'a purge is one');
    };
}

my $killed = () = $gateway->log =~ /exited on signal 9/g;
is($killed, scalar keys %DRIVE, 'each point has cost a worker');
$gateway->is_clean(qr/exited on signal 9|shared memory zone|unlocked/);
done_testing;
