# The library's PostgreSQL connection against a server of its own: the unit
# test common_pg, with a database that it may spoil.
use strict;
use warnings;
use Idp;
use Test::More;

my $postgres = Idp->new(unmigrated => 1);
my $room = $postgres->room;
local $ENV{IGW_TEST_DATABASE} = "host=$room/pg dbname=identprov user=postgres";
local $ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
my $status = system "$ENV{BUILD}/unit/common_pg >$room/out 2>$room/err";
open my $out, '<', "$room/out" or die;
my @lines = <$out>;
for (@lines) {
    my ($not, $title) = /^(not )?ok \d+ - (\w+)/ or next;
    ok(!$not, $title);
}
cmp_ok(scalar(grep { /^ok/ } @lines), '>=', 20, 'all of its tests have run');
is($status, 0, 'and passed') or diag(`tail -n 40 $room/out $room/err`);
done_testing();
