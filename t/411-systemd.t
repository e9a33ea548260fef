# The systemd units, as systemd sees them; and what the programs tell a service
# manager: that they are ready, that they still answer, and that they end.
use strict;
use warnings;
use lib 't/lib';
use EchoServer;
use FastCGI;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use Idp qw(header);
use POSIX ();
use Stack ();
use Socket;
use Test::More;
use Time::HiRes qw(sleep time);

my $build = $ENV{BUILD} || 'build';
my $room = tempdir('identgw-systemd-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $room;

# --- the units -----------------------------------------------------------------

# The programs at the path that the units name.
sub install_units {
    local %ENV = map { $_ => $ENV{$_} } grep { !/^(?:MAKE|MFLAGS)/ } keys %ENV;
    my $out = `make -s 'BUILD=$build' 'PREFIX=$room' 'MODULES=$room' 'NGINX_CONF=$room' install 2>&1`;
    is($?, 0, 'they are installed') or diag $out;
    return map { "$room/lib/systemd/system/$_" } qw(identprov.service
        identprov.socket userprofile.service userprofile.socket);
}

my @units = install_units();
SKIP: {
    skip 'there is no systemd-analyze', 3
        if system('command -v systemd-analyze > /dev/null') != 0;
    my $said = `systemd-analyze verify --man=no @units 2>&1`;
    is($said, '', 'systemd-analyze verify has nothing to say');
    for my $unit (grep { /service$/ } @units) {
        $said = `systemd-analyze security --offline=true --threshold=20 '$unit' 2>&1`;
        skip "systemd-analyze has no --offline", 1 if $said =~ /unrecognized option/;
        is($?, 0, 'exposure is 2.0 at most')
            or diag grep { !/\x{e2}\x{9c}\x{93}/ } split /^/, $said;
    }
}
for my $unit (@units) {
    my $text = Stack::slurp($unit);
    unlike($text, qr/\@[A-Z]+\@/, "$unit is whole");
    like($text, qr{^ConditionPathExists=/etc/identgw/}m,
        '... and wants its configuration');
}

# --- what is told ----------------------------------------------------------------

sub manager {
    my ($address) = @_;
    socket my $socket, AF_UNIX, SOCK_DGRAM, 0 or die "socket: $!";
    bind $socket, pack_sockaddr_un($address) or die "bind: $!";
    return $socket;
}

# What comes within so many seconds.
sub told {
    my ($manager, $sec) = @_;
    return '' if !IO::Select->new($manager)->can_read($sec);
    recv $manager, my $text, 1024, 0;
    return $text;
}

# Until there is nothing left.
sub told_so_far {
    my ($manager) = @_;
    my @all;
    while (my $text = told($manager, 0)) { push @all, $text }
    return @all;
}

sub get {
    my ($path, $query) = @_;
    return FastCGI::record(FastCGI::BEGIN_REQUEST, pack 'nCx5', 1, 0)
        . FastCGI::stream(FastCGI::PARAMS, FastCGI::encode_params(
            REQUEST_METHOD => 'GET', PATH_INFO => $path,
                QUERY_STRING => $query))
        . FastCGI::record(FastCGI::INPUT, '');
}

my $manager = manager("$room/notify");
my $idp;
{
    local $ENV{NOTIFY_SOCKET} = "$room/notify";
    local $ENV{WATCHDOG_USEC} = 1_000_000;
    local $ENV{WATCHDOG_PID};
    delete $ENV{WATCHDOG_PID};
    $idp = Idp->new(unmigrated => 1);
    my ($status, undef, $errors) = $idp->run(['serve', '--listen',
            "unix:$room/none.sock"]);
    is($status, 1, 'without a schema it does not serve');
    is(join(' ', told_so_far($manager)), '', '... and is never ready');
    ($status, undef, $errors) = $idp->run(['migrate']);
    is($status, 0, 'migrate') or diag $errors;
    is(join(' ', told_so_far($manager)), '', '... tells nothing');
    $idp->start_identprov(0);
}
is(told($manager, 30), 'READY=1', 'identprov is ready');
is(told($manager, 30), 'WATCHDOG=1', '... answers') for 1 .. 3;
my $pid = $idp->{pids}{'identprov-0'};
kill 'STOP', $pid;
sleep 0.2;
told_so_far($manager);
is(told($manager, 1.5), '', 'one that is stopped does not');
kill 'CONT', $pid;
is(told($manager, 30), 'WATCHDOG=1', '... until it goes on');
kill 'TERM', $pid;
my $text = '';
my $end = time + 30;
while ($text ne 'STOPPING=1' && time < $end) { $text = told($manager, 1) }
is($text, 'STOPPING=1', 'it says that it ends');
$idp->stops_cleanly;
is(join(' ', told_so_far($manager)), '', '... and then nothing');

# All threads busy: the process lives, and nobody is answered.
my $abstract = manager("\0identgw-notify-$$");
my $echo;
{
    local $ENV{NOTIFY_SOCKET} = "\@identgw-notify-$$";
    local $ENV{WATCHDOG_USEC} = 1_000_000;
    $echo = EchoServer::start(threads => 1);
}
is(told($abstract, 30), 'READY=1', 'a socket in the abstract namespace, too');
is(told($abstract, 30), 'WATCHDOG=1', 'a thread is free');
my $busy = IO::Socket::UNIX->new(Peer => $echo->{socket}) or die "connect: $!";
print $busy get('/sleep', 4000);
$busy->flush;
EchoServer::wait_until(
    sub { grep { $_->{path} eq '/sleep' } $echo->events('handled') });
sleep 0.1;
told_so_far($abstract);
my $silent = told($abstract, 1.2);
is($silent, '', 'no thread is free: the watchdog is not told otherwise');
is($echo->stop, 0, 'stopped');

{
    local $ENV{NOTIFY_SOCKET} = "$room/notify";
    local $ENV{WATCHDOG_USEC} = 1_000_000;
    local $ENV{WATCHDOG_PID} = 1;
    my $other = EchoServer::start(threads => 1);
    is(told($manager, 30), 'READY=1', 'WATCHDOG_PID is another process:');
    is(told($manager, 1.2), '', '... this one has none');
    is($other->stop, 0, 'stopped');
}
done_testing;
