package Relay;

# Stands between a gateway and identprov, a process of its own: passes requests
# on, one to a connection, and holds, delays or cuts them as a test says. A
# request is an "ask" (/authenticate), a "poll" (/revocations) or "other".
use strict;
use warnings;
use IO::Handle;
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM SOL_SOCKET SO_PEERCRED);
use Time::HiRes qw(time);

# Listens at $path; connects to one of @servers, by chance.
sub start {
    my ($class, $path, @servers) = @_;
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 511)
        or die "relay: $path: $!\n";
    chmod 0666, $path or die "relay: $path: $!\n";
    socketpair my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "relay: $!\n";
    my $pid = fork // die "relay: fork: $!\n";
    if (!$pid) {
        close $mine;
        open STDOUT, '>', '/dev/null';
        my $relay = bless { listener => $listener, control => $its,
            servers => \@servers, calls => [], held => {}, is_cut => 0,
            percent => 0, most => 0, parent => getppid }, $class;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM);
        $SIG{PIPE} = 'IGNORE';
        eval { $relay->run; 1 } or print STDERR "relay: $@";
        POSIX::_exit(0);
    }
    close $its;
    $mine->autoflush(1);
    return bless { control => $mine, pid => $pid }, $class;
}

# Each of these is in force when it returns.
#
# hold KIND question|answer: what comes from now on waits
# release KIND question|answer: passes on all that waits; nothing waits any more
# release_one KIND question|answer: passes on the oldest only
# waiting KIND question|answer: how many do
# client KIND question|answer: the process that the oldest of them is to or from
# cut, mend: connections are closed, and none is accepted
# delay SEED PERCENT SECONDS: so many questions and answers wait up to that time
sub hold { return $_[0]->tell('hold', @_[1, 2]) }
sub release { return $_[0]->tell('release', @_[1, 2]) }
sub release_one { return $_[0]->tell('release_one', @_[1, 2]) }
sub waiting { return $_[0]->tell('waiting', @_[1, 2]) }
sub client { return $_[0]->tell('client', @_[1, 2]) }
sub cut { return $_[0]->tell('cut') }
sub mend { return $_[0]->tell('mend') }
sub delay { return $_[0]->tell('delay', @_[1 .. 3]) }

sub tell {
    my ($self, @words) = @_;
    my $control = $self->{control};
    print $control "@words\n";
    my $answer = <$control> // die "relay: it is gone\n";
    chomp $answer;
    return $answer;
}

# Its end comes with its parent's, too.
sub stop {
    my ($self) = @_;
    $self->tell('stop');
    waitpid $self->{pid}, 0;
    return;
}

# --- the process -----------------------------------------------------------------

sub run {
    my ($self) = @_;
    while (getppid == $self->{parent}) {
        my $select = IO::Select->new($self->{control}, $self->{listener});
        for my $call (@{ $self->{calls} }) {
            $select->add(grep { $_ } @$call{qw(client server)});
        }
        my %is_ready = map { $_ => 1 } $select->can_read($self->patience);
        if ($is_ready{ $self->{control} }) {
            $self->obey or return;
        }
        $self->accept_call if $is_ready{ $self->{listener} };
        for my $call (@{ $self->{calls} }) {
            $self->hear($call, \%is_ready);
            $self->pass_on($call);
        }
        @{ $self->{calls} } = grep { !$_->{is_over} } @{ $self->{calls} };
    }
}

# Seconds until something that is delayed is due, or one.
sub patience {
    my ($self) = @_;
    my $first = time + 1;
    for my $part (map { @$_{qw(question answer)} } @{ $self->{calls} }) {
        $first = $part->{due}
            if length $part->{bytes} && !$part->{is_held}
            && $part->{due} < $first;
    }
    my $left = $first - time;
    return $left < 0.001 ? 0.001 : $left;
}

sub accept_call {
    my ($self) = @_;
    my $client = $self->{listener}->accept or return;
    if ($self->{is_cut}) {
        close $client;
        return;
    }
    push @{ $self->{calls} }, { client => $client, server => undef,
        kind => '', question => part(), answer => part() };
    return;
}

sub part { return { bytes => '', is_held => 0, due => 0, is_ended => 0 } }

sub hear {
    my ($self, $call, $is_ready) = @_;
    return if $call->{is_over};
    my ($client, $server) = @$call{qw(client server)};
    if ($is_ready->{$client}) {
        my $is_first = $call->{kind} eq '';
        $self->take($call, $client, 'question') or return end($call);
        if ($is_first) {
            $call->{kind} = kind($call->{question}{bytes});
            $self->choose_time($call, 'question');
        }
    }
    if ($server && $is_ready->{$server}) {
        my $is_first = !length $call->{answer}{bytes};
        if (!$self->take($call, $server, 'answer')) {
            $call->{answer}{is_ended} = 1;
            close delete $call->{server};
        } elsif ($is_first && !$call->{answer}{due}) {
            $self->choose_time($call, 'answer');
        }
    }
    return;
}

sub take {
    my ($self, $call, $socket, $part) = @_;
    return sysread $socket, $call->{$part}{bytes}, 65536,
        length $call->{$part}{bytes};
}

sub kind {
    my ($bytes) = @_;
    return $bytes =~ m{/revocations} ? 'poll'
        : $bytes =~ m{/authenticate} ? 'ask' : 'other';
}

sub choose_time {
    my ($self, $call, $part) = @_;
    $call->{$part}{is_held} = $self->{held}{"$call->{kind} $part"} // 0;
    $call->{$part}{due} = time
        + (rand 100 < $self->{percent} ? rand $self->{most} : 0);
    return;
}

sub pass_on {
    my ($self, $call) = @_;
    return if $call->{is_over};
    if (is_due($call->{question})) {
        $call->{server} ||= $self->connect_server or return end($call);
        write_all($call->{server}, $call->{question}) or return end($call);
    }
    if (is_due($call->{answer})) {
        write_all($call->{client}, $call->{answer}) or return end($call);
    }
    end($call) if $call->{answer}{is_ended} && !length $call->{answer}{bytes};
    return;
}

sub is_due {
    my ($part) = @_;
    return length $part->{bytes} && !$part->{is_held} && time >= $part->{due};
}

sub connect_server {
    my ($self) = @_;
    my @servers = @{ $self->{servers} };
    my $first = int rand @servers;
    for my $n (map { ($first + $_) % @servers } 0 .. $#servers) {
        my $socket = IO::Socket::UNIX->new(Peer => $servers[$n]);
        return $socket if $socket;
    }
    return;
}

sub write_all {
    my ($socket, $part) = @_;
    while (length $part->{bytes}) {
        my $count = syswrite $socket, $part->{bytes} or return 0;
        substr $part->{bytes}, 0, $count, '';
    }
    return 1;
}

sub end {
    my ($call) = @_;
    close $_ for grep { $_ } @$call{qw(client server)};
    $call->{is_over} = 1;
    return;
}

sub obey {
    my ($self) = @_;
    my $line = $self->{control}->getline // return 0;
    my ($verb, @words) = split ' ', $line;
    my $result = $verb eq 'stop' ? 'ok'
        : $self->can("do_$verb")->($self, @words);
    syswrite $self->{control}, ($result // 'ok') . "\n";
    return $verb ne 'stop';
}

sub do_hold {
    my ($self, $kind, $part) = @_;
    $self->{held}{"$kind $part"} = 1;
    return;
}

sub do_release {
    my ($self, $kind, $part) = @_;
    $self->{held}{"$kind $part"} = 0;
    $_->{$part}{is_held} = 0 for $self->who_waits($kind, $part);
    return;
}

sub do_release_one {
    my ($self, $kind, $part) = @_;
    my ($first) = $self->who_waits($kind, $part);
    $first->{$part}{is_held} = 0 if $first;
    return;
}

sub do_waiting {
    my ($self, $kind, $part) = @_;
    return scalar(() = $self->who_waits($kind, $part));
}

sub do_client {
    my ($self, $kind, $part) = @_;
    my ($first) = $self->who_waits($kind, $part);
    my $who = $first && getsockopt $first->{client}, SOL_SOCKET, SO_PEERCRED;
    return $who ? (unpack 'i3', $who)[0] : 0;
}

sub who_waits {
    my ($self, $kind, $part) = @_;
    return grep {
        $_->{kind} eq $kind && $_->{$part}{is_held} && length $_->{$part}{bytes}
    } @{ $self->{calls} };
}

sub do_cut {
    my ($self) = @_;
    $self->{is_cut} = 1;
    end($_) for @{ $self->{calls} };
    return;
}

sub do_mend {
    my ($self) = @_;
    $self->{is_cut} = 0;
    return;
}

sub do_delay {
    my ($self, $seed, $percent, $seconds) = @_;
    srand $seed;
    @$self{qw(percent most)} = ($percent, $seconds);
    return;
}

1;
