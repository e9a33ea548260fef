package Starved;

# A gateway of one worker in which the n-th allocation fails: a Gateway with
# t/inject/malloc.c preloaded.
use strict;
use warnings;
use Client qw(wait_for);
use Gateway;
use POSIX ();
use Stack ();
use Test::More ();
use Time::HiRes qw(sleep);

our @ISA = qw(Gateway);

my $FIXTURES = $ENV{IDENTGW_FIXTURES} || ($ENV{BUILD} || 'build') . '/fixture';
my $ORDERS = 'L3 l';
my $WRONG_MAX = 8; # then no more of a request is tried

sub new {
    my ($class, %with) = @_;
    my $self = $class->SUPER::new(%with, workers => 1);
    my $room = $self->room;
    $self->{orders} = "$room/orders";
    Stack::spew($self->{orders}, pack $ORDERS, 0, 0, 0, 0);
    return $self;
}

# Of what is started here: its own environment, not nginx's configuration.
sub environment {
    my ($self) = @_;
    my $options = join ':', grep { length } $ENV{ASAN_OPTIONS} // '',
        'verify_asan_link_order=0:allocator_may_return_null=1';
    return (LD_PRELOAD => Cwd::abs_path("$FIXTURES/malloc.so"),
        IGW_INJECT => $self->{orders}, ASAN_OPTIONS => $options);
}

sub launch {
    my ($self) = @_;
    local %ENV = (%ENV, $self->environment);
    return $self->SUPER::launch;
}

# What "nginx -t" ends with, and what it says.
sub try_configuration {
    my ($self) = @_;
    my $room = $self->room;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        %ENV = (%ENV, $self->environment);
        open STDERR, '>', "$room/t.err";
        open STDOUT, '>&', \*STDERR;
        exec $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx', '-t', '-p', $room,
            '-c', "$room/nginx.conf", '-e', "$room/t.log" or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($?, Stack::slurp("$room/t.err"));
}

sub workers {
    my ($self) = @_;
    return $self->{pid} ? $self->SUPER::workers : ();
}

# From now on: nothing is counted, or call $n fails.
sub obey {
    my ($self, $n) = @_;
    open my $file, '+<:raw', $self->{orders} or die "orders: $!\n";
    syswrite $file, pack 'L3', $n, 0, 0;
    close $file or die "orders: $!\n";
    return;
}

# Back to nothing: whether something failed since the last orders.
sub end_orders {
    my ($self) = @_;
    my (undef, undef, $failed) = $self->orders;
    $self->obey(0);
    return $failed;
}

sub orders { return unpack $ORDERS, Stack::slurp($_[0]{orders}) }

# Blocks that nginx has.
sub held { return ($_[0]->orders)[3] }

# What the worker has open.
sub open_files {
    my ($self) = @_;
    my ($worker) = $self->workers;
    return scalar(() = glob '/proc/' . ($worker // 0) . '/fd/*');
}

# Every n, each $step-th at least: `try` does the request and says what it came to
# and what is wrong with that; `check` says what is wrong afterwards, when there is
# memory again. One claim: for no n is anything wrong, the worker is the same, and
# all that it had taken for the request is given back, but for `leaks` calls.
sub every {
    my ($self, $name, %with) = @_;
    my ($n, $leaks, @wrong, %seen) = (0, $with{leaks} // 0);
    my @worker = $self->workers;
    my $step = $with{step} // 1;
    while (@wrong < $WRONG_MAX) {
        $n += $n ? $step : 1;
        my $state = $with{prepare} ? $with{prepare}->() : undef;
        my %before = $with{is_growing} ? () : $self->settled;
        $self->obey($n);
        my ($what, @faults) = $with{try}->($state);
        my $has_failed = $self->end_orders;
        $seen{$what}++;
        push @faults, $with{check}->($state, $what) if $with{check};
        my @left = $with{is_growing} ? () : $self->differences(%before);
        push @faults, @left if @left && $leaks-- <= 0;
        push @faults, 'another worker' if "@worker" ne join ' ', $self->workers;
        @worker = $self->workers;
        push @wrong, map { "call $n, $what: $_" } grep { defined } @faults;
        last if !$has_failed;
    }
    Test::More::is(scalar @wrong, 0, "$name: " . ($n - 1) . ' calls ('
            . join(', ', map { "$_ x $seen{$_}" } sort keys %seen) . ')')
        or Test::More::diag(join "\n", @wrong);
    return;
}

# How much the worker has: when it does not change any more.
sub settled {
    my ($self) = @_;
    my ($same, $before) = (0, '');
    for (1 .. 2000) {
        my %now = (held => $self->held, files => $self->open_files);
        my $text = "$now{held} $now{files}";
        $same = $text eq $before ? $same + 1 : 0;
        return %now if $same == 3;
        $before = $text;
        sleep 0.002;
    }
    die "the worker is never done\n";
}

# Of one that has always something to do: the fewest blocks in a while.
sub least_held {
    my ($self) = @_;
    my $least = $self->held;
    for (1 .. 100) {
        sleep 0.003;
        my $held = $self->held;
        $least = $held if $held < $least;
    }
    return $least;
}

# Of what it has now and had before: nothing, after a while.
sub differences {
    my ($self, %before) = @_;
    my %now;
    for (1 .. 200) {
        %now = $self->settled;
        return if $now{held} <= $before{held}
            && $now{files} <= $before{files};
        sleep 0.01;
    }
    return map { $now{$_} > $before{$_}
        ? "$_: $now{$_}, were $before{$_}" : () } sort keys %now;
}

1;
