#!/usr/bin/perl
# make test-faults: everything that can go wrong while people use the stack. Each
# fault ends with the checker of what they were told (Ledger), and with somebody
# new for whom all is as it should be. In another order each time: SEED= repeats
# one, NAMES= chooses, SECONDS= goes on for at least as long.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use Faults;
use History qw(now);
use List::Util qw(shuffle);
use Test::More;
use Trial;

my @names = grep { Trial::is_wanted($_) } Faults::names();
plan skip_all => 'by NAMES=' if !@names;
my $trial = Trial->start;
my $stack = $trial->stack;
my $end = now() + ($ENV{SECONDS} || 0);
do {
    for my $name (shuffle @names) {
        if ($name eq 'disk-full' && !Faults::can_mount($stack)) {
            diag("$name: skipped, mount is not permitted");
            next;
        }
        Faults::prepare($stack, $name);
        $trial->try($name, sub { Faults::run($stack, $name) });
        Faults::clean_up($stack, $name);
    }
} while (now() < $end);
$stack->stops_cleanly;
done_testing();
