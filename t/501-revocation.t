#!/usr/bin/perl
# Nobody is let in after a logout: each race of the protocol once, and some
# seconds of random traffic. SEED= repeats the latter; make test-revocation is
# longer, and tries gateways that lack an ingredient, too.
use strict;
use warnings;
use lib 't/lib';
use History;
use Races;
use Test::More;
use Traffic;
use TwoGateways;

my $seed = $ENV{SEED} // int rand 1e6;
note "SEED=$seed";
my $gateways = TwoGateways->start(lease => 2, interval => 0.1);

sub is_safe {
    my ($what) = @_;
    my @violations = $gateways->verdict->violations;
    splice @violations, 5 if @violations > 5;
    is("@violations", '', $what) or diag("SEED=$seed");
    return;
}

for my $name (sort keys %Races::RACE) {
    Races::run($gateways, $name);
    is_safe("the race \"$name\" lets nobody in");
}

Traffic::run($gateways, 5, $seed);
is_safe('random traffic lets nobody in');

my %count = %{ $gateways->verdict->counts };
note join ', ', map { "$_: $count{$_}" } sort keys %count;
for my $what ('get 200', 'get 401', 'logout 204') {
    cmp_ok($count{$what} // 0, '>', 10, "there were some of $what");
}
my $results = $gateways->cache_results;
cmp_ok($results->{HIT} // 0, '>', 10, 'and hits');
ok($gateways->stop, 'nothing is left running');
done_testing();
