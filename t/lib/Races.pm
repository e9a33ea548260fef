package Races;

# The races that the ingredients of the revocation protocol are there for, each
# made to happen: a gateway that lacks the ingredient loses it. All end with
# requests that must not be let in.
use strict;
use warnings;
use History qw(now);
use POSIX ();
use Stack qw(wait_for);
use Time::HiRes qw(sleep);
use TwoGateways;

# The word of IDENTGW_FAULTS that switches an ingredient off => its race.
our %RACE = (
    generation => \&answer_after_purge,
    lease => \&nobody_tells,
    one_poll => \&two_polls,
    purge => \&no_purge,
    sent => \&slow_poll,
    stream => \&lease_before_rows,
);

# Whose sessions race.
my $USER = 'user-' . (TwoGateways::USERS - 1);

sub run {
    my ($gateways, $name) = @_;
    my $session = $gateways->take_session($USER);
    $RACE{$name}->($gateways, $session);
    for my $node (qw(a b)) {
        my $relay = $gateways->relay($node);
        $relay->mend;
        for my $kind (qw(ask poll other)) {
            $relay->release($kind, $_) for qw(question answer);
        }
    }
    return;
}

# Until the node serves the session from its cache.
sub warm {
    my ($gateways, $node, $session) = @_;
    wait_for(30, "a hit of $session->{name} on $node", sub {
        $gateways->get($node, $session);
        my ($last) = reverse split /\n/,
            $gateways->gateway($node)->log('access.log');
        return ($last // '') =~ /^HIT ok /;
    });
    return;
}

sub wait_for_held {
    my ($relay, $kind, $part) = @_;
    my $end = now() + 30;
    while (!$relay->waiting($kind, $part)) {
        die "waited in vain for $kind $part\n" if now() > $end;
        sleep 0.005;
    }
    return;
}

# Requests for more than a lease.
sub insist {
    my ($gateways, $node, $session) = @_;
    my $end = now() + 1.25 * $gateways->{lease};
    while (now() < $end) {
        $gateways->get($node, $session);
        sleep 0.02;
    }
    return;
}

# A question was answered "in", and the answer is still on its way when the
# session ends on the same node.
sub answer_after_purge {
    my ($gateways, $session) = @_;
    my $relay = $gateways->relay('a');
    warm($gateways, 'a', $gateways->take_session($USER));
    $relay->hold('ask', 'answer');
    my $pid = $gateways->get_meanwhile('a', $session);
    wait_for_held($relay, 'ask', 'answer');
    $relay->hold('poll', 'question');
    $gateways->logout('a', $session);
    $relay->release('ask', 'answer');
    waitpid $pid, 0;
    $gateways->get('a', $session) for 1 .. 20;
    return;
}

# The feed cannot be reached.
sub nobody_tells {
    my ($gateways, $session) = @_;
    warm($gateways, 'a', $session);
    $gateways->relay('a')->cut;
    $gateways->logout('b', $session);
    insist($gateways, 'a', $session);
    return;
}

sub no_purge {
    my ($gateways, $session) = @_;
    warm($gateways, 'a', $session);
    $gateways->relay('a')->hold('poll', 'question');
    $gateways->logout('a', $session);
    $gateways->get('a', $session) for 1 .. 5;
    return;
}

# A poll's answer, from before the logout, is under way for half as long as it
# may be; then nothing comes any more.
sub slow_poll {
    my ($gateways, $session) = @_;
    my $relay = $gateways->relay('a');
    warm($gateways, 'a', $session);
    $relay->hold('poll', 'answer');
    my $pid = keep_asking($gateways, 'a', $session);
    wait_for_held($relay, 'poll', 'answer');
    my $begin = now();
    $gateways->logout('b', $session);
    my $left = $begin + 0.5 * $gateways->{lease} / 4 - now();
    sleep $left if $left > 0;
    $relay->hold('poll', 'question');
    $relay->release('poll', 'answer');
    insist($gateways, 'a', $session);
    end($pid);
    return;
}

# Two polls, whose answers are from before the logout, are under way; the first
# is given up, and another one leaves, which never gets anywhere. Then the
# second one's answer arrives.
sub two_polls {
    my ($gateways, $session) = @_;
    my $relay = $gateways->relay('a');
    warm($gateways, 'a', $session);
    $relay->hold('poll', 'answer');
    my $pid = keep_asking($gateways, 'a', $session);
    wait_a_while($gateways, sub { $relay->waiting('poll', 'answer') > 1 });
    $relay->hold('poll', 'question');
    $gateways->logout('b', $session);
    wait_a_while($gateways, sub { $relay->waiting('poll', 'question') });
    $relay->release_one('poll', 'answer');
    insist($gateways, 'a', $session);
    end($pid);
    return;
}

# The poll that has the logout's row leaves after it, and is the last one that
# is answered.
sub lease_before_rows {
    my ($gateways, $session) = @_;
    my $relay = $gateways->relay('a');
    warm($gateways, 'a', $session);
    $relay->hold('poll', 'question');
    wait_for_held($relay, 'poll', 'question');
    $gateways->logout('b', $session);
    wait_a_while($gateways, sub { !$relay->waiting('poll', 'question') });
    wait_for_held($relay, 'poll', 'question');
    $relay->release_one('poll', 'question');
    insist($gateways, 'a', $session);
    return;
}

# For what not every gateway does, as long as a poll or two may take.
sub wait_a_while {
    my ($gateways, $is_so) = @_;
    my $end = now() + 0.6 * $gateways->{lease};
    sleep 0.005 while !$is_so->() && now() < $end;
    return;
}

# A gateway polls while it is asked.
sub keep_asking {
    my ($gateways, $node, $session) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    $SIG{TERM} = 'DEFAULT';
    while (1) {
        $gateways->get($node, $session);
        sleep 0.02;
    }
}

sub end {
    my ($pid) = @_;
    kill TERM => $pid;
    waitpid $pid, 0;
    return;
}

1;
