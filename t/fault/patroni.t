#!/usr/bin/perl
# make test-faults: the host of the primary is killed while people write, and
# Patroni promotes another one, as docs/operations.md shows it.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use Failover;
use Patroni;
use Test::More;
use Trial;

plan skip_all => 'by NAMES=' if !Trial::is_wanted('patroni');

my $port = $ENV{TEST_NGINX_PORT} || 18_080;
my $hosts = Patroni->start($port);
my $trial = Trial->start(env => { PORT => $port, Failover::settings(),
    $hosts->environment });
my $first = $hosts->primary;
Failover::survives($trial, back => 5,
    kill => sub { $hosts->kill_host($first) },
    promote => sub { $hosts->await_promotion });
isnt($hosts->primary, $first, 'another host is primary');
$hosts->start_host($first);
$hosts->await_hosts;
pass('the first one follows it');
$trial->stack->stops_cleanly;
done_testing();
