package Faults;

# What can go wrong with a stack, by name. Each takes the stack, happens by the
# seed of srand, and returns how long it has been over: the cause is gone.
use strict;
use warnings;
use History qw(now);
use Hostile;
use IO::Socket::UNIX;
use List::Util qw(shuffle);
use Stack qw(children wait_for);
use Time::HiRes qw(sleep);

my @PARTS = qw(postgres identprov userprofile nginx);
my $PSQL = ($ENV{PG_BINDIR} || (sort glob '/usr/lib/postgresql/*/bin')[-1])
    . '/psql';

my %FAULT = (
    'kill-worker' => \&kill_workers,
    'kill-nginx' => sub { kill_parts($_[0], 'nginx') },
    'kill-identprov' => sub { kill_parts($_[0], 'identprov') },
    'kill-userprofile' => sub { kill_parts($_[0], 'userprofile') },
    'kill-postgres' => sub { kill_parts($_[0], 'postgres') },
    'kill-all' => sub { kill_parts($_[0], shuffle @PARTS) },
    'stop-postgres' => \&stop_postgres,
    'cut-connections' => \&cut_connections,
    'max-connections' => \&take_connections,
    'disk-full' => \&fill_disk,
    'slow-clients' => sub { Hostile::dawdle($_[0], 6); now() },
    'leaving-clients' => sub { Hostile::leave($_[0], 5); now() },
    (map {
        my $part = $_;
        ("descriptors-$part" => sub { limit($_[0], $part, 'nofile') })
    } @PARTS),
    (map {
        my $part = $_;
        ("memory-$part" => sub { limit($_[0], $part, 'as') })
    } @PARTS),
);

sub names { return sort keys %FAULT }

sub run {
    my ($stack, $name) = @_;
    return $FAULT{$name}->($stack);
}

# Around a fault.
sub prepare {
    my ($stack, $name) = @_;
    move_database($stack, 1) if $name eq 'disk-full';
    return;
}

sub clean_up {
    my ($stack, $name) = @_;
    move_database($stack, 0) if $name eq 'disk-full';
    return;
}

# As an init would: what is not there is started again.
sub init {
    my ($stack) = @_;
    $stack->restart_parts(@PARTS)
        if grep { !defined $stack->pid_of($_) } @PARTS;
    return;
}

# --- processes that end -----------------------------------------------------------

sub kill_parts {
    my ($stack, @parts) = @_;
    my $since = now();
    $stack->kill_part('KILL', $_) for @parts;
    init($stack);
    return $since;
}

sub kill_workers {
    my ($stack) = @_;
    for (1 .. 5) {
        my @workers = children($stack->pid_of('nginx'));
        kill KILL => $workers[ rand @workers ] if @workers;
        sleep 0.2 + rand 0.5;
    }
    return now();
}

# --- PostgreSQL -------------------------------------------------------------------

sub stop_postgres {
    my ($stack) = @_;
    my $postgres = $stack->pid_of('postgres');
    kill STOP => $postgres;
    my @all = ($postgres, children($postgres));
    kill STOP => @all;
    sleep 10;
    kill CONT => @all;
    return now();
}

sub sql {
    my ($stack, $sql) = @_;
    my $directory = $stack->setting('IDENTGW_SOCKETS') . '/sql';
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec $PSQL, '-h', $directory, '-U', 'postgres', '-X', '-q', '-c', $sql
            or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return $? == 0;
}

my $CUT = q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename LIKE '%serve');

sub cut_connections {
    my ($stack) = @_;
    for (1 .. 12) {
        sql($stack, $CUT);
        sleep rand 0.4;
    }
    return now();
}

# All that there are, again and again, while those of the applications are cut.
sub take_connections {
    my ($stack) = @_;
    my @taken;
    my $end = now() + 4;
    while (now() < $end) {
        while (my $connection = connection($stack)) {
            push @taken, $connection;
        }
        pop @taken;
        sql($stack, $CUT);
    }
    die "there is no limit of connections\n" if @taken < 20;
    return now();
}

# One that is logged in and does nothing; none when there is no more room.
sub connection {
    my ($stack) = @_;
    my $path = $stack->setting('IDENTGW_SOCKETS') . '/sql/.s.PGSQL.5432';
    my $socket = IO::Socket::UNIX->new(Peer => $path) or return;
    my $text = pack('N', 3 << 16)
        . join '', map { "$_\0" } qw(user postgres database postgres), '';
    syswrite $socket, pack('N', 4 + length $text) . $text;
    sysread $socket, my $answer, 1;
    return $answer eq 'R' ? $socket : undef;
}

# --- its disk ---------------------------------------------------------------------

my $DISK = 'size=160m,mode=0755';
my $mounted;

# Whether a small disk can be made.
sub can_mount {
    my ($stack) = @_;
    my $disk = "$stack->{var}/disk";
    mkdir $disk;
    system("mount -t tmpfs -o $DISK tmpfs '$disk' 2>/dev/null") == 0 or return;
    system 'umount', $disk;
    return 1;
}

# The database on a small disk of its own, which is full for a while.
sub fill_disk {
    my ($stack) = @_;
    my $disk = "$stack->{var}/disk";
    open my $out, '>', "$disk/filler" or die "$disk/filler: $!\n";
    1 while syswrite $out, "\0" x 65_536;
    sleep 6;
    close $out;
    unlink "$disk/filler";
    my $since = now();
    init($stack);
    return $since;
}

# Around the fault, while nobody is there: to the disk, and back from it.
sub move_database {
    my ($stack, $to_disk) = @_;
    my ($data, $disk) = ($stack->var . '/postgres', "$stack->{var}/disk");
    $stack->kill_part('INT', 'postgres');
    my @commands = $to_disk
        ? ("mount -t tmpfs -o $DISK tmpfs '$disk'",
            "cp -a '$data' '$disk/data'", "mv '$data' '$data.away'",
            "ln -s '$disk/data' '$data'")
        : ("rm '$data' && rm -r '$data.away'", "cp -a '$disk/data' '$data'",
            "umount '$disk'");
    $mounted = $to_disk ? $disk : undef;
    system($_) == 0 or die "$_: failed\n" for @commands;
    init($stack);
    return;
}

END {
    my $status = $?;
    system 'umount', '--lazy', $mounted if defined $mounted;
    $? = $status;
}

# --- limits -----------------------------------------------------------------------

# What each process of a part has now is all that it gets.
sub limit {
    my ($stack, $part, $what) = @_;
    my $main = $stack->pid_of($part);
    my @pids = ($part eq 'nginx' ? () : $main, children($main));
    my %before = map { $_ => soft_limit($_, $what) } @pids;
    for my $pid (@pids) {
        my $used = $what eq 'as' ? size_of($pid) : descriptors_of($pid);
        set_limit($pid, $what, $used) if $used;
    }
    sleep 4;
    set_limit($_, $what, $before{$_}) for grep { kill 0, $_ } @pids;
    my $since = now();
    init($stack);
    return $since;
}

sub soft_limit {
    my ($pid, $what) = @_;
    my $command = prlimit($pid) . " --$what --output=SOFT --noheadings";
    my ($soft) = split ' ', `$command`;
    return $soft // 'unlimited';
}

sub set_limit {
    my ($pid, $what, $value) = @_;
    system prlimit($pid) . " --$what=$value: 2>/dev/null";
    return;
}

# As the process's own user and group: not every root may do it to others.
sub prlimit {
    my ($pid) = @_;
    my $command = "prlimit --pid $pid";
    return $command if $> != 0;
    open my $in, '<', "/proc/$pid/status" or return $command;
    my ($uid, $gid) = join('', <$in>) =~ /^Uid:\t(\d+).*^Gid:\t(\d+)/ms;
    return "setpriv --reuid=$uid --regid=$gid --clear-groups $command";
}

sub size_of {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/statm" or return 0;
    my ($pages) = split ' ', <$in> // '';
    return 4096 * ($pages // 0);
}

# The highest: that is what the limit is about.
sub descriptors_of {
    my ($pid) = @_;
    my ($last) = sort { $b <=> $a } map { m{(\d+)$} } glob "/proc/$pid/fd/*";
    return ($last // -1) + 1;
}

1;
