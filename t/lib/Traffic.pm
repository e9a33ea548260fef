package Traffic;

# Random clients of two gateways, and random trouble meanwhile. Sessions stand
# in places, a file that all clients read, those of a user in each; who owns a
# place logs out there and puts another session in it, or changes the user.
# What was in a place before is tried, too.
use strict;
use warnings;
use History qw(now);
use POSIX ();
use Time::HiRes qw(sleep);
use TwoGateways;

my $CLIENTS = 4;
my $PLACES = TwoGateways::USERS - 1;
my $SIZE = 160;

# kills_database: whether PostgreSQL is killed, too.
sub run {
    my ($gateways, $seconds, $seed, %with) = @_;
    my $self = bless { gateways => $gateways, end => now() + $seconds,
        path => "$gateways->{room}/places", %with }, __PACKAGE__;
    srand $seed;
    $self->fill;
    $gateways->relay($_)->delay($seed, 10, 1.2 * $gateways->{lease} / 4)
        for qw(a b);
    my @clients = map { $self->start_client($_, $seed) } 1 .. $CLIENTS;
    $self->trouble while now() < $self->{end};
    waitpid $_, 0 for @clients;
    for my $node (qw(a b)) {
        $gateways->relay($node)->delay($seed, 0, 0);
        $gateways->relay($node)->mend;
    }
    return;
}

sub fill {
    my ($self) = @_;
    for my $place (0 .. $PLACES - 1) {
        my $session = $self->{gateways}->take_session("user-$place");
        $self->put($place, $session, $session);
    }
    return;
}

sub put {
    my ($self, $place, $session, $before) = @_;
    my $text = sprintf "%-*s\n", $SIZE - 1, join ' ',
        map { @$_{qw(name id user)} } $session, $before;
    open my $file, -e $self->{path} ? '+<' : '>', $self->{path}
        or die "traffic: $!\n";
    sysseek $file, $place * $SIZE, 0;
    syswrite $file, $text;
    return;
}

# The session of a place, and the one before.
sub look_at {
    my ($self, $place) = @_;
    open my $file, '<', $self->{path} or die "traffic: $!\n";
    sysseek $file, $place * $SIZE, 0;
    my $text = '';
    sysread $file, $text, $SIZE;
    my @words = split ' ', $text;
    return (session(@words[0 .. 2]), session(@words[3 .. 5]));
}

sub session {
    my ($name, $id, $user) = @_;
    return { name => $name, id => $id, user => $user };
}

sub start_client {
    my ($self, $number, $seed) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    srand $seed * 100 + $number;
    $self->{number} = $number;
    eval { $self->act while now() < $self->{end}; 1 }
        or print STDERR "traffic: $@";
    POSIX::_exit(0);
}

sub act {
    my ($self) = @_;
    my $gateways = $self->{gateways};
    my $node = rand() < 0.5 ? 'a' : 'b';
    my $place = int rand $PLACES;
    my ($session, $before) = $self->look_at($place);
    my $is_mine = $place % $CLIENTS == $self->{number} % $CLIENTS;
    if ($is_mine && rand() < 0.1) {
        $self->renew($place, $node, $session);
    } elsif ($is_mine && rand() < 0.1) {
        $gateways->change($node, $session);
    } elsif (rand() < 0.01) {
        $gateways->get($node, { name => 'nobody', id => 'A' x 43 });
    } else {
        $gateways->get($node, rand() < 0.7 ? $session : $before);
    }
    sleep rand 0.02;
    return;
}

sub renew {
    my ($self, $place, $node, $session) = @_;
    my $gateways = $self->{gateways};
    $gateways->logout($node, $session);
    for my $other (qw(a b)) {
        $gateways->get($other, $session) if rand() < 0.7;
    }
    my $next = $gateways->take_session($session->{user});
    $self->put($place, $next, $session) if $next;
    return;
}

# --- trouble -------------------------------------------------------------------

my @TROUBLE = (
    [ 3, 'reload', sub { $_[0]->gateway($_[1])->reload } ],
    [ 3, 'kill a worker', sub {
        my @workers = $_[0]->gateway($_[1])->workers;
        kill KILL => $workers[ rand @workers ] if @workers;
    } ],
    [ 2, 'stop a worker', sub {
        my @workers = $_[0]->gateway($_[1])->workers;
        my $worker = $workers[ rand @workers ] or return;
        kill STOP => $worker;
        sleep rand 1.5 * $_[0]{lease};
        kill CONT => $worker;
    } ],
    [ 2, 'kill the first identprov', sub {
        $_[0]->stack->kill_part('KILL', 'identprov');
        $_[0]->stack->restart_parts('identprov');
    } ],
    [ 2, 'kill the second identprov', sub {
        $_[0]->stop_second_identprov('KILL');
        $_[0]->start_second_identprov;
    } ],
    [ 3, 'cut', sub {
        $_[0]->relay($_[1])->cut;
        sleep rand 1.5 * $_[0]{lease};
        $_[0]->relay($_[1])->mend;
    } ],
    [ 3, 'hold', sub {
        my @what = (qw(ask poll)[ rand 2 ], qw(question answer)[ rand 2 ]);
        $_[0]->relay($_[1])->hold(@what);
        sleep rand 1.5 * $_[0]{lease};
        $_[0]->relay($_[1])->release(@what);
    } ],
    [ 1, 'kill PostgreSQL', sub {
        $_[0]->stack->kill_part('KILL', 'postgres');
        $_[0]->stack->restart_parts('postgres');
    } ],
);

# The names of all trouble.
sub troubles { return map { $_->[1] } @TROUBLE }

sub trouble {
    my ($self) = @_;
    my @choice = map { ($_) x $_->[0] }
        grep { $_->[1] ne 'kill PostgreSQL' || $self->{kills_database} }
        @TROUBLE;
    my (undef, $name, $do) = @{ $choice[ rand @choice ] };
    my $node = qw(a b)[ rand 2 ];
    my $begin = now();
    $do->($self->{gateways}, $node);
    $self->{gateways}->note_fault($begin, $node, $name);
    sleep rand 1;
    return;
}

1;
