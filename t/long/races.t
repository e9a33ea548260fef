#!/usr/bin/perl
# make test-races: RACES=1000 of logins against a new password, and as many
# against disabling. SEED= repeats the pauses between them.
use strict;
use warnings;
use lib 't/lib';
use Idp;
use LoginRaces;
use Test::More;

my $races = $ENV{RACES} // 1000;
my $idp = Idp->start(env => { STATEMENT_TIMEOUT => '30s' });
LoginRaces::against_password($idp, $races);
LoginRaces::against_disabling($idp, $races);
$idp->stops_cleanly;
done_testing;
