# Requests that miss the same verdict at the same time ask once.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field fields request_bytes wait_for);
use Gateway;
use List::Util qw(max);
use MiniIdp;
use Test::More;
use Time::HiRes qw(sleep time);

my $N = 20;
my $idp = MiniIdp->new;
my $gateway = Gateway->start(workers => 1, http => 'identgw_zone 1m;' . $idp->upstream,
    server => 'identgw_revocations /.identgw/revocations interval=100ms '
        . 'lease=3s;' . $idp->locations . <<"END");
location = /.identgw/again { internal; identgw off; fastcgi_keep_conn on;
    fastcgi_param ROLE authenticate;
    fastcgi_pass mini; }
location /again { identgw on; identgw_authenticate /.identgw/again;
    identgw_signin off; add_header X-Cache \$identgw_cache always; }
location /bypass { identgw on; identgw_cache off; identgw_signin off; }
location = /purge { identgw_purge on; return 204; }
location /returned { identgw on; identgw_signin off;
    return 200 "HTTP_X_USER=\$identgw_user\\n"; }
END

# Sends requests at once, on connections of their own, when nginx has taken
# all of them.
sub send_all {
    my ($n, $target, @headers) = @_;
    my @clients = map { $gateway->client } 1 .. $n;
    my $i = 0;
    $_->write_bytes(request_bytes('GET', ref $target ? $target->[$i++]
                : $target, \@headers)) for @clients;
    return @clients;
}

sub statuses {
    my (@clients) = @_;
    my %seen;
    $seen{ ($_->answer(0) // { status => 'none' })->{status} }++
        for @clients;
    return join ' ', map { "$seen{$_} x $_" } sort keys %seen;
}

sub asked {
    my ($id, $n) = @_;
    return wait_for(sub { $idp->questions($id) >= $n });
}

ok(wait_for(sub { $gateway->seen('user-warm') =~ /^HIT/ }), 'polls come');

subtest 'many make one question' => sub {
    $idp->put(delay => 1000);
    my @clients = send_all($N, '/app', JSESSIONID => 'user-many');
    my @answers = map { $_->answer(0) } @clients;
    is((grep { $_->{status} == 200 } @answers), $N, 'all are in');
    is((grep { $_->{body} =~ /^HTTP_X_USER=many$/m } @answers), $N, 'as her');
    is($idp->questions('user-many'), 1, 'one question');
    is((grep { field($_, 'X-Cache') eq 'MISS' } @answers), $N, 'no hit');
};

subtest 'all that is a verdict is shared' => sub {
    my $n = 0;
    for my $case ([ '401', "Status: 401\r\nWWW-Authenticate: X realm=a\r\n" ],
        [ '403', "Status: 403\r\n" ]) {
        my $id = 'user-refused-' . $n++;
        $idp->put(answer => $case->[1]);
        my @clients = send_all($N, '/app', JSESSIONID => $id);
        my @answers = map { $_->answer(0) } @clients;
        is((grep { $_->{status} == $case->[0] } @answers), $N,
            "all get $case->[0]");
        is($idp->questions($id), 1, '... from one question');
        is((grep { (field($_, 'WWW-Authenticate') // '') eq 'X realm=a' }
                    @answers), $case->[0] == 401 ? $N : 0, '... as it came');
    }
    $idp->put(answer => undef);
};

subtest 'Set-Cookie is not' => sub {
    $idp->put(extra => "Set-Cookie: a=b\r\n");
    my @clients = send_all($N, '/app', JSESSIONID => 'user-cookie');
    my @cookies = map { fields($_->answer(0), 'Set-Cookie') } @clients;
    is("@cookies", 'a=b', 'it is for who asked');
    $idp->put(extra => undef);
};

subtest 'what is no verdict is not: each asks' => sub {
    $idp->put(answer => "Status: 500\r\n", delay => 10);
    my @clients = send_all(5, '/app', JSESSIONID => 'user-failed');
    is(statuses(@clients), '5 x 503', 'all fail');
    is($idp->questions('user-failed'), 5, 'each with a question of its own');
    $idp->put(answer => undef, delay => 1000);
};

subtest 'equal requests only' => sub {
    my @clients = (send_all(3, '/app', JSESSIONID => 'user-one'),
        send_all(3, '/app', JSESSIONID => 'user-two'),
        send_all(3, '/again', JSESSIONID => 'user-one'),
        send_all(3, '/bypass', JSESSIONID => 'user-one'));
    asked('user-one', 5);
    statuses(@clients);
    is($idp->questions('user-one'), 5, 'by policy; and without the cache');
    is($idp->questions('user-two'), 1, 'by session');
};

subtest 'after a purge nobody joins' => sub {
    my @clients = send_all(3, '/app', JSESSIONID => 'user-purged');
    asked('user-purged', 1);
    is($gateway->get('/purge', 'JSESSIONID', 'user-purged')->{status}, 204,
        'while it is asked');
    push @clients, send_all(3, '/app', JSESSIONID => 'user-purged');
    is(statuses(@clients), '6 x 200', 'all are in');
    is($idp->questions('user-purged'), 3,
        'by a question each, and one of those who waited before');
};

# The answer to the first question is from before the logout.
subtest 'who waits is not let in by an answer that is late' => sub {
    my %logouts = (
        here => sub { $gateway->get('/logout', 'JSESSIONID', $_[0]) },
        elsewhere => sub {
            $idp->revoke($_[0]);
            my $rows = $idp->lines('revoked');
            wait_for(sub { ($idp->polls)[-1][1] =~ /:$rows$/ });
        });
    for my $where (sort keys %logouts) {
        my $id = "user-late-$where";
        my ($first) = send_all(1, '/app', JSESSIONID => $id);
        asked($id, 1);
        my @others = send_all(4, '/app', JSESSIONID => $id);
        sleep 0.1;
        $logouts{$where}->($id);
        is($idp->questions($id), 1, "a logout $where, while it is asked");
        is(statuses($first), '1 x 200', 'who asked before is in');
        is(statuses(@others), '4 x 401', 'who waited is not');
        is($idp->questions($id), 2, '... by a question of their own');
        is($gateway->seen($id), 'MISS 401 -', 'nothing is stored');
    }
};

subtest "$N at once, at 50 ms a question" => sub {
    $idp->put(delay => 50);
    my $begin = time;
    my @clients = send_all($N, '/app', JSESSIONID => 'user-cold');
    my @took = map { my $client = $_;
        is($client->answer(0)->{status}, 200, 'in'); time - $begin } @clients;
    is($idp->questions('user-cold'), 1, 'one question');
    note(sprintf 'the median took %.0f ms',
        1000 * (sort { $a <=> $b } @took)[ $N / 2 ]);
    $idp->put(delay => 1000);
};

subtest 'who asks leaves: the oldest goes on' => sub {
    my ($first, @others) = send_all(1, '/app', JSESSIONID => 'user-leaves');
    asked('user-leaves', 1);
    @others = send_all(5, '/app', JSESSIONID => 'user-leaves');
    sleep 0.2;
    close $first->{socket};
    asked('user-leaves', 2);
    close +(shift @others)->{socket};
    is(statuses(@others), '4 x 200', 'all others are in');
    is($idp->questions('user-leaves'), 3, 'each leave costs a question');
};

subtest 'who waits leaves' => sub {
    my @clients = send_all(6, '/app', JSESSIONID => 'user-follows');
    asked('user-follows', 1);
    sleep 0.1;
    close $_->{socket} for splice @clients, 1, 3;
    is(statuses(@clients), '3 x 200', 'the others are in');
    is($idp->questions('user-follows'), 1, 'by one question');
};

subtest 'everybody leaves' => sub {
    my @clients = send_all(6, '/app', JSESSIONID => 'user-gone');
    asked('user-gone', 1);
    close $_->{socket} for @clients;
    sleep 0.2;
    $idp->put(delay => undef);
    like($gateway->seen('user-gone'), qr/200 gone/, 'the next one is served');
    $idp->put(delay => 1000);
};

subtest 'each waits for its own time' => sub {
    $idp->put(delay => 60_000);
    my @clients = send_all(1, '/app', JSESSIONID => 'user-hangs');
    asked('user-hangs', 1);
    my $begin = time;
    my @others = send_all(2, '/app', JSESSIONID => 'user-hangs');
    sleep 1;
    my ($later) = send_all(1, '/app', JSESSIONID => 'user-hangs');
    $idp->put(delay => undef);
    is(statuses(@others), '2 x 200', 'who waited a lease asks for itself');
    my $took = time - $begin;
    cmp_ok($took, '>=', 2.9, "after a lease: $took s");
    cmp_ok($took, '<', 12, '... and not when the first one gives up');
    is(statuses($later), '1 x 200', 'who came later as well');
    close $_->{socket} for @clients;
    $idp->put(delay => 1000);
};

subtest 'a verdict is not shared when it is a lease old' => sub {
    $idp->put(delay => 4000);
    my @clients = send_all(1, '/app', JSESSIONID => 'user-slow');
    asked('user-slow', 1);
    sleep 2;
    push @clients, send_all(1, '/app', JSESSIONID => 'user-slow');
    sleep 0.5;
    $idp->put(delay => 10);
    is(statuses(@clients), '2 x 200', 'both are in');
    is($idp->questions('user-slow'), 2, 'by a question each');
    $idp->put(delay => 1000);
};

subtest 'a "return" waits, too, and HTTP/2' => sub {
    my @clients = send_all(6, '/returned', JSESSIONID => 'user-return');
    my @bodies = map { $_->answer(0)->{body} } @clients;
    is("@bodies", join(' ', ("HTTP_X_USER=return\n") x 6), 'all are in');
    is($idp->questions('user-return'), 1, 'by one question');

    my $client = Client->new($gateway->room . '/h2', http2 => 1);
    my @ids = map { $client->{http2}->send_message([ ':method', 'GET',
            ':scheme', 'http', ':path', '/app', ':authority', 'gateway',
            'jsessionid', 'user-h2' ]) } 1 .. 6;
    my @streams = map { $client->stream_of($_) } @ids;
    is((grep { $_->{body} =~ /^HTTP_X_USER=h2$/m } @streams), 6, 'HTTP/2');
    is($idp->questions('user-h2'), 1, '... by one question');
};

is($gateway->seen('user-many'), 'HIT 200 many', 'the zone goes on');
$gateway->is_clean;
done_testing;
