#!/usr/bin/perl
# make test-revocation: SECONDS=120 of random traffic, with killed databases,
# and then a gateway for each ingredient that the revocation protocol needs,
# which lacks it: the checker has to find out in the race that it is there for.
use strict;
use warnings;
use lib 't/lib';
use History;
use Races;
use Test::More;
use Traffic;
use TwoGateways;

my $TRIES = 5;
my $build = $ENV{BUILD} || 'build';
my $seed = $ENV{SEED} // int rand 1e6;
my $seconds = $ENV{SECONDS} || 120;
diag("SEED=$seed SECONDS=$seconds");

subtest 'the gateway as it is' => sub {
    my $gateways = TwoGateways->start(lease => 2, interval => 0.25,
        sessions => 100 + 2 * $seconds);
    Races::run($gateways, $_) for sort keys %Races::RACE;
    Traffic::run($gateways, $seconds, $seed, kills_database => 1);
    my @violations = $gateways->verdict->violations;
    is(scalar @violations, 0, 'lets nobody in');
    diag($_) for @violations;
    tell_counts($gateways);
    ok($gateways->stop, 'nothing is left running');
};

sub tell_counts {
    my ($gateways) = @_;
    my %count = %{ $gateways->verdict->counts };
    my %cache = %{ $gateways->cache_results };
    diag(join ', ', map { "$_: $count{$_}" } sort keys %count);
    diag(join ', ', map { "$_: $cache{$_}" } sort keys %cache);
    cmp_ok($count{$_} // 0, '>', $seconds, "requests: $_")
        for 'get 200', 'get 401';
    cmp_ok($cache{$_} // 0, '>', $seconds, "the cache: $_") for qw(HIT MISS);
    return if $seconds < 120;
    ok($count{"fault $_"}, "trouble: $_") for Traffic::troubles();
    return;
}

# The first violation that a race provokes, if it can be provoked.
sub violation {
    my ($gateways, $name) = @_;
    for (1 .. $TRIES) {
        Races::run($gateways, $name);
        my ($first) = $gateways->verdict->violations;
        return $first if defined $first;
    }
    return;
}

for my $name (sort keys %Races::RACE) {
    my $gateways = TwoGateways->start(lease => 4, interval => 0.25,
        faults => $name,
        module => "$build/faults/ngx_http_identgw_module.so");
    my $first = violation($gateways, $name);
    ok(defined $first, "a gateway without \"$name\" is found out");
    note $first // 'nothing was found';
    ok($gateways->stop, 'nothing is left running');
}
done_testing();
