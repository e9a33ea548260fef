package Load;

# Requests to the targets: single ones, and load by wrk, with what it costs.
use strict;
use warnings;
use Bench;
use Exporter qw(import);
use IO::Socket::INET;
use Parts;
use Stack qw(slurp wait_for);

our @EXPORT = qw(ask connect_to check request_headers wrk load rounds has_counters);

use constant {
    ANSWER_SEC => 20,
    COUNTER => 'instructions',  # of perf
};

# What every request says; its session, if it has one, comes in the cookie.
my @HEADERS = (
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Accept: application/json',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate',
);
my $OTHER_COOKIE = 'theme=dark';

my $has_counters;

sub request_headers {
    my ($target, $id) = @_;
    my $cookie = $target->{status} ? $OTHER_COOKIE
        : "$OTHER_COOKIE; JSESSIONID=" . ($id // session());
    return @HEADERS, "Cookie: $cookie";
}

sub connect_to {
    my ($nginx) = @_;
    my $socket = eval {
        wait_for(ANSWER_SEC, $nginx->{name}, sub {
            IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $nginx->{port});
        });
    };
    return $socket // die "bench: $@", said($nginx->{name});
}

# What an nginx has said.
sub said {
    my ($name) = @_;
    return map { eval { slurp($_) } // () } "$dir/$name.log", "$dir/$name/error.log";
}

# One request of many on a connection: status, body and head of the answer.
sub exchange {
    my ($socket, $target, $path, $id) = @_;
    local $SIG{ALRM} = sub { die "bench: $target->{name}: no answer\n" };
    alarm ANSWER_SEC;
    print $socket join "\r\n", "GET $path HTTP/1.1", 'Host: 127.0.0.1',
        request_headers($target, $id), '', '';
    my ($head, $body) = ('', '');
    while (defined(my $line = <$socket>)) {
        $head .= $line;
        last if $line eq "\r\n";
    }
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    read $socket, $body, $length if $length;
    alarm 0;
    my ($status) = $head =~ m{^HTTP/1\.1 (\d+) };
    return $status // 0, $body, $head;
}

# The same, for the answer that should come: its body.
sub ask {
    my ($socket, $target, $path) = @_;
    my $want = $target->{status} // 200;
    my ($status, $body, $head) = exchange($socket, $target, $path);
    return $body if $status == $want;
    die "bench: $target->{name} answered not with $want:\n$head\n",
        said($target->{name});
}

# That the application hears of the user what it should.
sub check {
    my ($target, $nginx) = @_;
    my $seen = ask(connect_to($nginx), $target, '/seen');
    return if $target->{status};
    my $token = qr/Bearer [\w-]+\.[\w-]+\.[\w-]+/;
    my $wanted = $target->{identity}
        ? qr/^$token\nivan\nivan\@example\.org\nIvan\n/ : qr/^\n\n\n\n/;
    $seen =~ $wanted
        or die "bench: with $target->{name} the application sees:\n$seen";
    return;
}

# By target: a result for each round. gateways: by target's name; provider:
# who is asked; the rest is of load().
sub rounds {
    my ($targets, $gateway, $what, %with) = @_;
    my %results;
    my @turn = @$targets;
    for my $round (1 .. $set{ROUNDS}) {
        progress("$what, round $round of $set{ROUNDS}");
        for my $target (@turn) {
            my $name = $target->{as} // $target->{name};
            push @{ $results{$name} }, load($target, $gateway->{$name}, %with);
        }
        push @turn, shift @turn;
    }
    return \%results;
}

# { throughput, p50_us, p99_ms, errors, cpu => microseconds a request by part,
# all of them under "all", instructions if there are counters }
sub load {
    my ($target, $gateway, %with) = @_;
    my $provider = $with{provider};
    my %pid = (nginx => $gateway->{pid}, provider => pid_of($provider),
        application => pid_of('application'),
        $provider eq 'identprov' ? (postgres => pid_of('postgres')) : ());
    my $perf = has_counters() && start_perf(family($pid{nginx}));
    my %before = map { $_ => cpu_ns($pid{$_}) } keys %pid;
    my $result = wrk($target, $gateway, %with);
    for my $part (keys %pid) {
        my $now = cpu_ns($pid{$part});
        $result->{cpu}{$part} += 0;
        for my $pid (keys %$now) {
            my $us = ($now->{$pid} - ($before{$part}{$pid} // 0)) / 1000;
            $result->{cpu}{$_} += $us / $result->{requests} for $part, 'all';
        }
    }
    $result->{instructions} = stop_perf($perf) / $result->{requests} if $perf;
    return $result;
}

# seconds; connections; sessions => [how many, their prefix, "turn" or "random"]
# instead of the one session.
sub wrk {
    my ($target, $gateway, %with) = @_;
    my $seconds = $with{seconds} // $set{SECONDS};
    my $connections = $with{connections} // $set{CONNECTIONS};
    my @headers = request_headers($target);
    my @script;
    my @arguments;
    if ($with{sessions}) {
        my ($cookie) = map { /^Cookie: (.*=)/ ? $1 : () } @headers;
        @headers = grep { !/^Cookie/ } @headers;
        @script = ('-s', "$top/bench/sessions.lua");
        @arguments = ('--', @{ $with{sessions} }, $cookie);
    }
    return read_wrk($target, output('wrk', '-t1', "-c$connections", "-d${seconds}s",
        '--latency', @script, (map { ('-H', $_) } @headers),
        "http://127.0.0.1:$gateway->{port}/", @arguments));
}

sub read_wrk {
    my ($target, $text) = @_;
    my %us = (us => 1, ms => 1000, s => 1_000_000);
    my %result;
    ($result{requests}) = $text =~ /^ *(\d+) requests in /m;
    ($result{throughput}) = $text =~ /^Requests\/sec: *([\d.]+)/m;
    $result{requests} or die "bench: wrk on $target->{name}:\n$text\n";
    for my $percent (50, 99) {
        my ($value, $unit) = $text =~ /^ *$percent% *([\d.]+)(us|ms|s)/m;
        $result{"p${percent}_us"} = $value * $us{$unit};
    }
    ($result{errors}) = $text =~ /^ *(Socket errors: .*)$/m;
    my $refused = $text =~ /^ *Non-2xx or 3xx responses: (\d+)/m ? $1 : 0;
    $refused == ($target->{status} ? $result{requests} : 0)
        or die "bench: $target->{name}: $refused wrong answers:\n$text\n";
    return \%result;
}

# By process id: what a process and its children have used.
sub cpu_ns {
    my ($root) = @_;
    my %ns;
    for my $pid (family($root)) {
        for my $task (glob "/proc/$pid/task/*/schedstat") {
            my ($used) = eval { slurp($task) =~ /^(\d+)/ };
            $ns{$pid} += $used // 0;
        }
    }
    return \%ns;
}

sub family {
    my ($root) = @_;
    my %parent = map { m{^/proc/(\d+)/} ? ($1 => parent($1)) : () }
        glob '/proc/[0-9]*/stat';
    return $root, grep { $parent{$_} == $root } sort keys %parent;
}

sub parent {
    my ($pid) = @_;
    my ($parent) = eval { slurp("/proc/$pid/stat") =~ /^.*\) \S (\d+)/s };
    return $parent // 0;
}

# Counts in the user's and the kernel's mode, where the machine can.
sub has_counters {
    $has_counters //= has_program('perf')
        && output('perf', 'stat', '-x,', '-e', COUNTER, 'true') =~ /^\d+,/ ? 1 : 0;
    return $has_counters;
}

sub start_perf {
    my (@pids) = @_;
    my $pid = fork // die "bench: fork: $!\n";
    if ($pid == 0) {
        exec 'setpriv', '--pdeathsig', 'INT', '--', 'perf', 'stat', '-x,', '-e',
            COUNTER, '-o', "$dir/perf", '-p', join ',', @pids
            or POSIX::_exit(127);
    }
    wait_for(10, 'perf', sub { -e "$dir/perf" });
    return $pid;
}

sub stop_perf {
    my ($pid) = @_;
    kill 'INT', $pid;
    waitpid $pid, 0;
    my ($count) = slurp("$dir/perf") =~ /^(\d+),/m
        or die "bench: perf counted nothing\n";
    unlink "$dir/perf";
    return $count;
}

1;
