# The request's id: everybody hears the same one, and no two requests share one.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field wait_for);
use Gateway;
use MiniIdp;
use Test::More;

use constant { WORKERS => 3, REQUESTS => 300 };

my $idp = MiniIdp->new;
my $gateway = Gateway->start(
    workers => WORKERS,
    http => 'log_format ids $request_id; log_format early $early;'
        . $idp->upstream,
    server => 'access_log ROOM/ids.log ids; identgw_signin off; '
        . $idp->locations . <<'END');
location /early {
    access_log ROOM/early.log early;
    set $early $request_id;
    identgw on;
    fastcgi_pass mini;
}
END

sub logged { return split /\n/, $gateway->log($_[0]) }

# Each on a connection of its own, so that all workers have some.
my @heard = map { field($gateway->get('/app'), 'X-Request-Id') } 1 .. REQUESTS;
my %count;
$count{$_}++ for @heard;
is(scalar(grep { !/^[0-9a-f]{32}$/ } @heard), 0, 'ids have 128 bits');
is(scalar(keys %count), REQUESTS, 'no two requests have the same');
ok(wait_for(sub { (() = logged('ids.log')) == REQUESTS }), 'all are logged');
is_deeply([ sort +logged('ids.log') ], [ sort @heard ], 'the log has the same ids');

my $early = field($gateway->get('/early'), 'X-Request-Id');
ok(wait_for(sub { (() = logged('early.log')) == 1 }), 'one more is logged');
is_deeply([ logged('early.log') ], [$early], 'an id that was read before is kept');

$gateway->reload;
my @later = map { field($gateway->get('/app'), 'X-Request-Id') } 1 .. REQUESTS;
is(scalar(grep { $count{$_} } @later), 0, 'workers after a reload have others');

$gateway->is_clean;
done_testing;
