package Sessions;

# The parts of bench/run that are about many sessions, and about their end.
use strict;
use warnings;
use Bench;
use Exporter qw(import);
use Load;
use Parts;
use Stack qw(wait_for);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(churn zones latency lag slot);

use constant {
    CHURN_SESSIONS => 5000,
    CHURN_REQUESTS => 50_000,  # of each target in each round: 10 % are misses
    CHURN_TTL_SEC => 30,
    FILL_CONNECTIONS => 64,
    FILL_RATE => 8_000,        # sessions a second, or one more turn
    WARM_RATE => 16_000,       # of those that are in
    LAG_END_SEC => 20,
    LAG_STEP_SEC => 0.001,
};

# Of 43 bytes, as identprov's are.
sub prefix {
    my ($name) = @_;
    return substr("$name-" . 'x' x 35, 0, 35);
}

# Sessions in turn that are new to each round, for as long as each of them comes
# ten times. By target: results with "misses".
sub churn {
    my ($targets, $workers) = @_;
    my %gateway = map { $_->{name} => start_gateway($_, as => "churn-$_->{name}",
        workers => $workers, provider => 'constant', ttl => CHURN_TTL_SEC) } @$targets;
    my %seconds;
    for my $target (@$targets) {
        my $nginx = $gateway{ $target->{name} };
        check($target, $nginx);
        my $first = wrk($target, $nginx, seconds => 2,
            sessions => [CHURN_SESSIONS, prefix('first'), 'turn']);
        my $seconds = CHURN_REQUESTS / $first->{throughput};
        $seconds{ $target->{name} } = $seconds < 1 ? 1 : int($seconds + 0.5);
    }
    my %results;
    my @turn = @$targets;
    for my $round (1 .. $set{ROUNDS}) {
        progress("churn, worker processes: $workers, round $round of $set{ROUNDS}");
        for my $target (@turn) {
            my $nginx = $gateway{ $target->{name} };
            my $before = asked($nginx);
            my $result = load($target, $nginx, provider => 'constant',
                seconds => $seconds{ $target->{name} },
                sessions => [CHURN_SESSIONS, prefix("round-$round"), 'turn']);
            $result->{misses} = (asked($nginx) - $before) / $result->{requests};
            push @{ $results{ $target->{name} } }, $result;
        }
        push @turn, shift @turn;
    }
    stop($_) for values %gateway;
    return \%results;
}

# How often the provider was asked so far.
sub asked {
    my ($nginx) = @_;
    my ($status, $body) = Load::exchange(connect_to($nginx), { name => 'asked' },
        '/.bench/asked');
    $status == 200 && $body =~ /^(\d+)$/ or die "bench: /.bench/asked: $status\n";
    return $1;
}

# "warm" with so many sessions in its zone, all of them used. By number.
sub zones {
    my ($workers) = @_;
    my $warm = target('warm');
    my (%gateway, @targets);
    for my $count (split ' ', $set{SESSIONS}) {
        my $name = "zone-$count";
        my $nginx = start_gateway($warm, as => $name, workers => $workers,
            provider => 'constant', zone => zone_size());
        check($warm, $nginx);
        fill($warm, $nginx, $count, $workers);
        $gateway{$count} = $nginx;
        push @targets, { %$warm, as => $count, sessions => [$count, prefix('zone'), 'random'] };
    }
    my %results;
    my @turn = @targets;
    for my $round (1 .. $set{ROUNDS}) {
        progress("zones, worker processes: $workers, round $round of $set{ROUNDS}");
        for my $target (@turn) {
            my $nginx = $gateway{ $target->{as} };
            my $before = asked($nginx);
            my $result = load($target, $nginx, provider => 'constant',
                sessions => $target->{sessions});
            $result->{misses} = (asked($nginx) - $before) / $result->{requests};
            push @{ $results{ $target->{as} } }, $result;
        }
        push @turn, shift @turn;
    }
    stop($_) for values %gateway;
    return \%results;
}

# For the most sessions: of three slots each, one in 3,000 gives way.
sub zone_size {
    my ($most) = sort { $b <=> $a } split ' ', $set{SESSIONS};
    my $megabytes = int($most * 3 / 1000) + 1;
    return ($megabytes < 64 ? 64 : $megabytes) . 'm';
}

# Until all of them are in, each time from the first; and then some more for
# each worker to have seen nearly every page: the first time is a page fault.
sub fill {
    my ($target, $nginx, $count, $workers) = @_;
    progress("filling a zone with $count sessions");
    my $before = asked($nginx);
    turn($target, $nginx, $count, FILL_RATE)
        while asked($nginx) - $before < $count;
    turn($target, $nginx, $count, WARM_RATE) for 1 .. 4 * ($workers - 1);
    return;
}

# As many sessions one after the other as come at this rate.
sub turn {
    my ($target, $nginx, $count, $rate) = @_;
    wrk($target, $nginx, sessions => [$count, prefix('zone'), 'turn'],
        connections => FILL_CONNECTIONS, seconds => 1 + int($count / $rate));
    return;
}

# One connection. By target: a result for each round.
sub latency {
    my ($targets) = @_;
    my %gateway = map { $_->{name} => start_gateway($_, as => "one-$_->{name}",
        provider => 'constant') } @$targets;
    for my $target (@$targets) {
        check($target, $gateway{ $target->{name} });
        wrk($target, $gateway{ $target->{name} }, seconds => 1, connections => 1);
    }
    my $results = rounds($targets, \%gateway, 'one connection',
        provider => 'constant', connections => 1);
    stop($_) for values %gateway;
    return $results;
}

# Milliseconds from the answer to a logout at one gateway to the last request
# that the other one lets in, while that is under load.
sub lag {
    my $warm = target('warm');
    my $nginx = start_gateway($warm, as => 'lag');
    check($warm, $nginx);
    my $load = fork // die "bench: fork: $!\n";
    if ($load == 0) {
        eval { wrk($warm, $nginx, seconds => 3600) };
        POSIX::_exit(0);
    }
    my @lags;
    my $ok = eval {
        for my $number (1 .. $set{LOGOUTS}) {
            progress("logout $number of $set{LOGOUTS}") if $number % 25 == 1;
            push @lags, lag_of_one($nginx);
            sleep 0.05 + rand 0.25;
        }
        1;
    };
    my $fault = $@;
    end_of($load);
    stop($nginx);
    die $fault if !$ok;
    return sort { $a <=> $b } @lags;
}

sub lag_of_one {
    my ($nginx) = @_;
    my $id = another_session();
    my $socket = connect_to($nginx);
    my $warm = target('warm');
    for (1 .. 2) {
        my ($status) = Load::exchange($socket, $warm, '/', $id);
        $status == 200 or die "bench: a live session got $status\n";
    }
    my $answer = stack()->request('POST', '/logout', headers => ['JSESSIONID', $id]);
    $answer->{status} == 204 or die "bench: the logout got $answer->{status}\n";
    my $start = time;
    my $last = $start;
    while (time - $start < LAG_END_SEC) {
        my $sent = time;
        my ($status) = Load::exchange($socket, $warm, '/', $id);
        return 1000 * ($last - $start) if $status == 401;
        $last = $sent;
        sleep LAG_STEP_SEC;
    }
    die "bench: a session lives on after its logout\n";
}

# wrk is a child of the process that waits for it.
sub end_of {
    my ($pid) = @_;
    kill 'KILL', grep { $_ != $pid } Load::family($pid);
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return;
}

# Whether a token of identprov's fits into one slot of 1 KiB: the second request
# is a hit. The bytes of its headers, and what $identgw_cache says.
sub slot {
    my $warm = target('warm');
    my $nginx = start_gateway($warm, as => 'slot');
    my $socket = connect_to($nginx);
    my $seen = ask($socket, $warm, '/seen');
    my $bytes = length join '', (split /\n/, $seen)[0 .. 3];
    my $said = eval {
        wait_for(10, 'a hit', sub {
            my (undef, undef, $head) = Load::exchange($socket, $warm, '/.bench/cache');
            my ($cache) = $head =~ /^X-Cache: (\w+)/m;
            return ($cache // '') eq 'HIT' ? $cache : '';
        });
    } // 'no HIT';
    stop($nginx);
    return { bytes => $bytes, said => $said };
}

1;
