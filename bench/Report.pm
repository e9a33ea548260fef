package Report;

# What was measured, as Markdown, and as a plot beside it.
use strict;
use warnings;
use Bench;
use Exporter qw(import);
use Load qw(has_counters);
use Plot;
use POSIX qw(strftime);
use Stack qw(slurp);

our @EXPORT = qw(report_head report_load report_churn report_zones report_latency
    report_lag report_slot report_instructions);

my @PARTS = qw(nginx provider postgres application);

# What the ratio of a to b should be, by the part of the run.
my %GOALS = (
    instructions => [
        { of => 'instructions', a => 'off', b => 'none', at_most => 1.01 },
    ],
    load => [
        { of => 'throughput', a => 'on', b => 'none', at_least => 0.55 },
        { of => 'throughput', a => 'on', b => 'auth_request_tuned', at_least => 1.2 },
        { of => 'throughput', a => '401', b => 'on', at_least => 2.5 },
        { of => 'throughput', a => 'warm', b => 'floor', at_least => 0.97 },
        { of => 'cpu:all', a => 'warm', b => 'floor', at_most => 1.05 },
        { of => 'cpu:nginx', a => 'warm', b => 'floor', at_most => 1.05 },
        { of => 'cpu:nginx', a => 'warm', b => 'lua', at_most => 1 },
        { of => 'cpu:nginx', a => 'warm', b => 'auth_request_cached', at_most => 1 },
        { of => 'cpu:nginx', a => 'warm', b => 'auth_request', at_most => 1 },
    ],
    churn => [
        { of => 'throughput', a => 'warm', b => 'floor', at_least => 0.80 },
        { of => 'throughput', a => 'warm', b => 'lua', at_least => 1 },
        { of => 'throughput', a => 'warm', b => 'auth_request_cached', at_least => 1 },
    ],
);

use constant {
    ZONE_AT_LEAST => 0.95,    # of the throughput with one session
    LATENCY_AT_MOST_US => 10, # over the floor
};

sub report_head {
    my ($version) = slurp("$top/Makefile") =~ /^VERSION = (\S+)/m;
    my ($cpu) = slurp('/proc/cpuinfo') =~ /^model name\s*: (.*)$/m;
    my ($nginx) = output(config('NGINX'), '-v') =~ m{(nginx/\S+)};
    my ($postgres) = output(config('PG_BINDIR') . '/postgres', '-V') =~ /([\d.]+)/;
    my @others = map { (output($_, '--version') =~ /^(.*?\d[\d.]*)/)[0] // () }
        qw(wrk valgrind);
    return "# What the session check costs\n\n",
        strftime('%Y-%m-%d %H:%M', gmtime), ' UTC, identgw ', $version // '',
        ", $nginx, PostgreSQL $postgres, ", join(', ', @others), ".\n",
        $cpu // 'unknown processor', ', ', cores(), ' cores, ',
        join(' ', (POSIX::uname())[0, 2]), ', load average before: ',
        (split ' ', slurp('/proc/loadavg'))[0], ".\n\n",
        table(['target', 'what it is'], map { [$_->{name}, $_->{text}] } @TARGETS),
        "\nThe request: GET with 6 headers, the session in a cookie. The application:",
        " bench/constant.c,\nwhich answers with 6 bytes, asked with fastcgi_pass on",
        ' kept connections. No access log. Everything, the',
        "\nload by wrk included, runs on the one machine. Made by `make bench`.\n";
}

sub cores {
    return scalar(() = slurp('/proc/cpuinfo') =~ /^processor/mg);
}

sub report_load {
    my ($results, $provider, $threads, $workers) = @_;
    my $title = "Provider: $provider with $threads threads;"
        . " worker processes of nginx: $workers";
    return "\n## $title\n\n",
        "Medians of $set{ROUNDS} rounds of $set{SECONDS} s with ",
        "$set{CONNECTIONS} connections; lowest and highest of the rounds' ratios;\n",
        "CPU time of a request by part, in microseconds.\n\n",
        load_table($results, names_of($results), $TARGETS[0]{name}),
        goals('load', $results),
        plots($results, "load-$provider-$threads-$workers", $title);
}

sub report_churn {
    my ($results, $workers) = @_;
    my $title = "5,000 sessions in turn, new in each round; worker processes of"
        . " nginx: $workers";
    return "\n## $title\n\n",
        "Each session comes about ten times in a round, the lifetime in all caches is",
        " 30 s. Provider: constant.\n\n",
        load_table($results, names_of($results), 'floor'), goals('churn', $results),
        plots($results, "churn-$workers", $title);
}

sub names_of {
    my ($results) = @_;
    return [grep { $results->{$_} } map { $_->{name} } @TARGETS];
}

sub load_table {
    my ($results, $names, $base) = @_;
    $base = $names->[0] if !$results->{$base};
    my @parts = (grep({ exists $results->{$base}[0]{cpu}{$_} } @PARTS), 'all');
    my $has_misses = exists $results->{$base}[0]{misses};
    my @lines = (['target', 'requests/s', "of $base", 'lowest', 'highest', '99 % ms',
        $has_misses ? 'misses' : (), @parts, "nginx of $base", "all of $base",
        has_counters() ? 'instructions by perf' : ()]);
    for my $name (@$names) {
        my @rounds = @{ $results->{$name} };
        my @ratios = ratios_of($results, 'throughput', $name, $base);
        push @lines, [$name, number(0, map { $_->{throughput} } @rounds),
            number(2, @ratios), (map { number(2, $_) } @ratios[0, -1]),
            number(1, map { $_->{p99_us} / 1000 } @rounds),
            $has_misses ? number(3, map { $_->{misses} } @rounds) : (),
            (map { my $part = $_; number(1, map { $_->{cpu}{$part} } @rounds) }
                @parts),
            (map { number(2, ratios_of($results, "cpu:$_", $name, $base)) }
                'nginx', 'all'),
            has_counters() ? number(0, map { $_->{instructions} } @rounds) : ()];
    }
    return table(@lines), map {
        my $name = $_;
        map { $_->{errors} ? "\n$name: $_->{errors}\n" : () } @{ $results->{$name} };
    } @$names;
}

# Throughput and CPU by part.
sub plots {
    my ($results, $file, $title) = @_;
    my $names = names_of($results);
    my @parts = grep { exists $results->{ $names->[0] }[0]{cpu}{$_} } @PARTS;
    my @bars = map {
        my @values = sort { $a <=> $b } map { $_->{throughput} } @{ $results->{$_} };
        { name => $_, value => median(@values), low => $values[0], high => $values[-1] }
    } @$names;
    my @stacks = map {
        my $name = $_;
        { name => $name, values => [map {
            my $part = $_;
            median(map { $_->{cpu}{$part} } @{ $results->{$name} })
        } @parts] }
    } @$names;
    return picture($file, $title, bars("Requests per second. $title", \@bars))
        . picture("$file-cpu", 'CPU by part',
            stacks("CPU of a request, microseconds. $title", \@parts, \@stacks));
}

sub report_zones {
    my ($results, $workers) = @_;
    my @counts = split ' ', $set{SESSIONS};
    my @lines = (['sessions', 'requests/s', "of $counts[0]", 'lowest', 'highest',
        'misses', 'nginx', 'verdict']);
    for my $count (@counts) {
        my @rounds = @{ $results->{$count} };
        my @ratios = ratios_of($results, 'throughput', $count, $counts[0]);
        push @lines, [$count, number(0, map { $_->{throughput} } @rounds),
            (map { number(3, @$_) } [@ratios], [$ratios[0]], [$ratios[-1]]),
            number(4, map { $_->{misses} } @rounds),
            number(1, map { $_->{cpu}{nginx} } @rounds),
            verdict(median(@ratios) >= ZONE_AT_LEAST)];
    }
    my $title = "Sessions in the zone; worker processes of nginx: $workers";
    my @bars = map {
        my @values = sort { $a <=> $b } map { $_->{throughput} } @{ $results->{$_} };
        { name => $_, value => median(@values), low => $values[0], high => $values[-1] }
    } @counts;
    return "\n## $title\n\n`warm`, with all of them used at random; at least ",
        ZONE_AT_LEAST, " of the throughput with $counts[0] is wanted.\n\n",
        table(@lines), picture("zones-$workers", $title,
            bars("Requests per second. $title", \@bars));
}

sub report_latency {
    my ($results) = @_;
    my $names = names_of($results);
    my @lines = (['target', '50 % us', 'over floor', '99 % us', 'verdict']);
    for my $name (@$names) {
        my @rounds = @{ $results->{$name} };
        my $over = median(map {
            $rounds[$_]{p50_us} - $results->{floor}[$_]{p50_us}
        } 0 .. $#rounds);
        push @lines, [$name, number(0, map { $_->{p50_us} } @rounds),
            number(0, $over), number(0, map { $_->{p99_us} } @rounds),
            $name eq 'warm' ? verdict($over <= LATENCY_AT_MOST_US) : ''];
    }
    my $title = 'One connection';
    my @bars = map {
        my @values = sort { $a <=> $b } map { $_->{p50_us} } @{ $results->{$_} };
        { name => $_, value => median(@values), low => $values[0], high => $values[-1] }
    } @$names;
    return "\n## $title\n\nProvider: constant. At most ", LATENCY_AT_MOST_US,
        " us over the floor are wanted of `warm`.\n\n", table(@lines),
        picture('latency', $title, bars('Median latency, microseconds', \@bars));
}

sub report_lag {
    my (@lags) = @_;
    my $at = sub { $lags[int($#lags * $_[0] + 0.5)] };
    my $title = 'From a logout at one gateway to the last request that another lets in';
    return "\n## $title\n\n", scalar(@lags), ' logouts, the other gateway under load',
        " by $set{CONNECTIONS} connections, `interval=250ms lease=2s`; milliseconds",
        " after the answer.\n\n",
        table(['50 %', '99 %', 'max'],
            [map { sprintf '%.0f', $_ } $at->(0.5), $at->(0.99), $lags[-1]]),
        picture('lag', $title, steps('Share of logouts that are known, by milliseconds',
            \@lags));
}

sub report_slot {
    my ($slot) = @_;
    return "\n## A slot\n\nA session with identprov's ES256 token, $slot->{bytes}",
        ' bytes of identity headers, in a zone with `entry=1k`: the second',
        " request says `$slot->{said}`: ", verdict($slot->{said} eq 'HIT'), ".\n";
}

sub report_instructions {
    my ($results) = @_;
    my $base = $TARGETS[0]{name};
    my @lines = (['target', 'instructions', 'lowest', 'highest', "of $base",
        $results->{floor} ? 'of floor' : ()]);
    for my $name (map { $_->{name} } @TARGETS) {
        my @counts = sort { $a <=> $b } map { $_->{instructions} } @{ $results->{$name} };
        push @lines, [$name, number(0, @counts), (map { number(0, $_) } @counts[0, -1]),
            map { number(3, ratios_of($results, 'instructions', $name, $_)) }
                $base, $results->{floor} ? 'floor' : ()];
    }
    my @bars = map {
        my @values = sort { $a <=> $b } map { $_->{instructions} } @{ $results->{$_} };
        { name => $_, value => median(@values), low => $values[0], high => $values[-1] }
    } map { $_->{name} } @TARGETS;
    return "\n## Instructions of nginx\n\n",
        "Of a request, outside of the kernel, as callgrind counts $set{REQUESTS}",
        " requests on one connection;\nmedians of $set{COUNTS} rounds. Provider:",
        " constant.\n\n", table(@lines), goals('instructions', $results),
        picture('instructions', 'Instructions of nginx',
            bars('Instructions of nginx for a request', \@bars));
}

sub goals {
    my ($what, $results) = @_;
    my @lines = (['goal', 'wanted', 'measured', 'lowest', 'highest', 'verdict']);
    for my $goal (@{ $GOALS{$what} }) {
        my @ratios = ratios_of($results, $goal->{of}, $goal->{a}, $goal->{b}) or next;
        my $ratio = median(@ratios);
        my ($wanted, $is_met) = defined $goal->{at_least}
            ? ("at least $goal->{at_least}", $ratio >= $goal->{at_least})
            : ("at most $goal->{at_most}", $ratio <= $goal->{at_most});
        push @lines, ["$goal->{of} of $goal->{a} to $goal->{b}", $wanted,
            number(3, $ratio), (map { number(3, $_) } @ratios[0, -1]), verdict($is_met)];
    }
    return @lines > 1 ? ("\n", table(@lines)) : ();
}

sub verdict {
    my ($is_met) = @_;
    return $is_met ? 'met' : 'missed';
}

# Beside the report, and a line that shows it there.
sub picture {
    my ($name, $title, $svg) = @_;
    return '' if $set{OUT} eq '';
    my ($place) = $set{OUT} =~ m{^(.*/)};
    Stack::spew(($place // '') . "$name.svg", $svg);
    return "\n![$title]($name.svg)\n";
}

# The median, with so many places.
sub number {
    my ($places, @values) = @_;
    return sprintf '%.*f', $places, median(@values);
}

# Lines as a Markdown table that is one to the eye, too.
sub table {
    my (@lines) = @_;
    my @width = (0) x @{ $lines[0] };
    for my $line (@lines) {
        for my $i (0 .. $#width) {
            $width[$i] = length $line->[$i] if length $line->[$i] > $width[$i];
        }
    }
    splice @lines, 1, 0, [map { '-' x $_ } @width];
    return map {
        my $line = $_;
        '| ' . join(' | ', map {
            sprintf '%*s', $line->[$_] =~ /^[\d.-]+$/ ? $width[$_] : -$width[$_],
                $line->[$_]
        } 0 .. $#width) . " |\n";
    } @lines;
}

1;
