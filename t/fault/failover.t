#!/usr/bin/perl
# make test-faults: the primary is killed while people write, and its synchronous
# standby promoted.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use Failover;
use History qw(now);
use Pair;
use Test::More;
use Time::HiRes qw(sleep);
use Trial;

plan skip_all => 'by NAMES=' if !Trial::is_wanted('failover');

my $DOWN_SEC = 2;

my $pair = Pair->start;
my $trial = Trial->start(env => { Failover::settings(),
    IDENTPROV_DATABASE => $pair->conninfo('identprov'),
    USERPROFILE_DATABASE => $pair->conninfo('userprofile') });
Failover::survives($trial, back => 5, kill => sub { $pair->kill_primary },
    promote => sub {
        sleep $DOWN_SEC;
        my $since = now();
        $pair->promote;
        return $since;
    });
$trial->stack->stops_cleanly;
done_testing();
