package Sequences;

# Steps of a sequence from a seed, and the shortest sequence that still shows what
# one has shown. A step is { op, numbers }.
use strict;
use warnings;
use Digest::SHA qw(sha256);

use constant {
    LENGTH => 40,
    NUMBERS => 16, # choices of a step
    TRIES_MAX => 80, # of shorter ones
};

# The same for a seed on every machine. operations: weights by name.
sub generate {
    my ($seed, $operations) = @_;
    my @names = map { ($_) x $operations->{$_} } sort keys %$operations;
    return [ map {
        my ($op, @numbers) = unpack 'n*', sha256("$seed $_");
        { op => $names[ $op % @names ], numbers => [ @numbers, @numbers ] }
    } 1 .. LENGTH ];
}

# What $run->($steps) says is { at, faults, log }, at the step with the faults, or
# nothing when there were none. Steps are left out, many at a time, then one at a
# time, as long as something is found; the last of such findings.
sub shrink {
    my ($steps, $found, $run) = @_;
    my $tries = 0;
    my @steps = @$steps[ 0 .. min($found->{at}, $#$steps) ];
    for (my $size = int(@steps / 2); $size >= 1; $size = int($size / 2)) {
        for (my $at = @steps - $size; $at >= 0;) {
            last if ++$tries > TRIES_MAX;
            my @fewer = @steps;
            splice @fewer, $at, $size;
            my $again = $run->(\@fewer);
            if ($again) {
                $found = $again;
                @steps = @fewer[ 0 .. min($again->{at}, $#fewer) ];
                $at = min($at, @steps - $size + 1);
            }
            $at -= $again ? 1 : $size;
        }
    }
    return $found;
}

sub min { return $_[0] < $_[1] ? $_[0] : $_[1] }

1;
