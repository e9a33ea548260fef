# Guessing gets slow, for whoever guesses; nobody is kept out by others.
use strict;
use warnings;
use lib 't/lib';
use FastCGI;
use IO::Socket::UNIX;
use Idp qw(header json wait_for);
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

my $PASSWORD = 'correct horse battery';
my $FREE = 5; # guesses of one network before it has to wait
my $idp = Idp->start(env => { STATEMENT_TIMEOUT => '30s' });

sub socket_of { return $idp->room . "/identprov-$_[0].sock" }

# As nginx would say it, from wherever the test wants.
sub post_params {
    my ($path, $from, $body, @more) = @_;
    return [ REQUEST_METHOD => 'POST', SCRIPT_NAME => '', PATH_INFO => $path,
        CONTENT_TYPE => 'application/json', CONTENT_LENGTH => length $body,
        REQUEST_ID => 'f' x 32, REMOTE_ADDR => $from, @more ];
}

sub post {
    my ($path, $from, $fields, %with) = @_;
    my $body = JSON::PP->new->utf8->encode($fields);
    return FastCGI::ask(socket_of($with{at} // 0),
        post_params($path, $from, $body, @{ $with{params} || [] }), $body);
}

# So many logins on their way before the first answer is read: statuses.
sub at_once {
    my ($count, $password) = @_;
    my $body = JSON::PP->new->utf8->encode(
        { username => 'anna', password => $password });
    my $bytes = FastCGI::record(FastCGI::BEGIN_REQUEST, pack 'nCx5', 1, 0)
        . FastCGI::stream(FastCGI::PARAMS, FastCGI::encode_params(
            @{ post_params('/login', '192.0.2.1', $body) }))
        . FastCGI::stream(FastCGI::INPUT, $body);
    my @sockets = map { IO::Socket::UNIX->new(Peer => socket_of($_ % 2))
            or die "no connection: $!\n" } 1 .. $count;
    FastCGI::write_all($_, $bytes) for @sockets;
    return map { (FastCGI::read_answer($_) // '') =~ /^Status: (\d+)/m ? $1 : 0 }
        @sockets;
}

sub login {
    my ($from, $name, $password, %with) = @_;
    return post('/login', $from,
        { username => $name, password => $password // $PASSWORD }, %with);
}

sub wrong { return login($_[0], $_[1], 'a wrong guess', @_[ 2 .. $#_ ]) }

sub register {
    my ($name, %with) = @_;
    return post('/register', $with{from} // '203.0.113.1', { username => $name,
            password => $PASSWORD, email => "$name\@example.org",
            first_name => 'Eve' }, %with);
}

sub statuses { return join ' ', map { $_->{status} } @_ }

# Nobody has guessed; or it is so long ago, for those who wait.
sub forget { $idp->sql('TRUNCATE identprov.throttle'); return }

sub go_by {
    my ($time) = @_;
    $idp->sql("UPDATE identprov.throttle SET free_at = free_at - interval '$time',"
            . " turn_at = turn_at - interval '$time'");
    return;
}

# However slow this machine is: who has to wait, waits a minute longer.
sub hold {
    $idp->sql(q(UPDATE identprov.throttle SET free_at = free_at
        + interval '1 minute' WHERE failures >= 5));
    return;
}

sub clock { return $idp->sql('SELECT extract(epoch FROM clock_timestamp())') }

sub is_slowed {
    my ($answer, $most, $what) = @_;
    my $retry = header($answer, 'Retry-After') // 0;
    is($answer->{status}, 429, $what);
    ok($retry >= 1 && $retry <= $most, "... for $retry s");
    is(json($answer)->{code}, 'too_many_requests', '... says so');
    is(header($answer, 'Cache-Control'), 'no-store', '... not to store');
    return;
}

is(register($_)->{status}, 201, "$_ registers") for qw(anna berta carl);

# --- one network -------------------------------------------------------------

for my $name ('anna', 'nobody') {
    my ($here, $beside, $there) = ('192.0.2.1', '192.0.2.200', '192.0.3.1');
    is(statuses(map { wrong($here, $name) } 1 .. $FREE), join(' ', (401) x $FREE),
        "$name: $FREE wrong passwords");
    hold();
    is_slowed(wrong($here, $name), 61, '... then it has to wait');
    is_slowed(login($here, $name), 61, '... with the right one, too');
    is_slowed(login($beside, uc $name), 61,
        '... and its neighbors, whatever the letters of the name');
    is_slowed(login($here, $name, undef, params =>
                [ HTTP_X_FORWARDED_FOR => $there, HTTP_X_REAL_IP => $there,
                    HTTP_FORWARDED => "for=$there" ]), 61,
        '... whatever headers say');
    is(wrong($there, $name)->{status}, 401, '... another network does not');
    is(wrong($here, "${name}2")->{status}, 401, '... nor for another name');
}
my $live = header(login('198.51.100.1', 'anna'), 'JSESSIONID');
ok($live, 'the user signs in from elsewhere meanwhile');
is(FastCGI::ask($idp->room . '/identprov-0.sock', [ REQUEST_METHOD => 'GET',
            SCRIPT_NAME => '', PATH_INFO => '/authenticate',
            REMOTE_ADDR => '192.0.2.1', HTTP_JSESSIONID => $live ], '')->{status},
    200, '... and the session works in the network that waits');

go_by('118 seconds'); # of both names
my $start = time;
ok(wait_for(30, 'the end of the delay',
        sub { login('192.0.2.1', 'anna')->{status} == 200 }),
    'after it the right password works');
is(statuses(map { wrong('192.0.2.1', 'anna') } 1 .. $FREE),
    join(' ', (401) x $FREE), '... and all is forgiven');
hold();
is(wrong('192.0.2.1', 'anna')->{status}, 429, '... once');

# The delays, by the database's clock.
forget();
for my $delay (0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30) {
    my $before = clock();
    is(wrong('192.0.2.1', 'anna')->{status}, 401, 'a guess');
    my $after = clock();
    my $free = $idp->sql('SELECT extract(epoch FROM max(free_at))'
            . ' FROM identprov.throttle');
    ok($before - 0.01 <= $free - $delay && $free - $delay <= $after + 0.01,
        "... makes the next one wait for $delay s");
    is_slowed(login('192.0.2.1', 'anna'), $delay, '... or the right one')
        if $delay >= 16;
    go_by("$delay seconds");
}
is(login('192.0.2.1', 'anna')->{status}, 200,
    'the longest delay is 30 s, and then the right password works');

forget();
wrong("2001:db8:0:1::$_", 'anna') for 1 .. $FREE;
hold();
is(wrong('2001:db8:0:1:ffff::1', 'anna')->{status}, 429,
    'a /64 is one network');
is(wrong('2001:db8:0:2::1', 'anna')->{status}, 401, '... the next is another');

# --- a restart, another process, many at once -----------------------------------

forget();
$idp->start_identprov(1);
is(statuses(map { wrong('192.0.2.1', 'anna', at => $_ % 2) } 1 .. $FREE),
    join(' ', (401) x $FREE), 'guesses at two processes');
$idp->sql(q(UPDATE identprov.throttle
    SET free_at = free_at + interval '5 minutes' WHERE failures = 5));
is($idp->end_part('KILL', "identprov-$_") & 127, 9, 'one is killed') for 0, 1;
$idp->end_part('KILL', 'postgres');
$idp->start_postgres;
$idp->start_identprov($_) for 0, 1;
is(statuses(map { wrong('192.0.2.1', 'anna', at => $_) } 0, 1), '429 429',
    '... all of it survives');

for my $password ('a wrong guess', $PASSWORD) {
    forget();
    $start = time;
    my %seen;
    $seen{$_}++ for at_once(100, $password);
    my $took = time - $start;
    my $may = $FREE + 1 + int log(1 + $took) / log 2;
    my $tried = ($seen{401} // 0) + ($seen{200} // 0);
    if ($password eq $PASSWORD) {
        cmp_ok($seen{200} // 0, '>=', 1, '100 right ones: some get in');
    } else {
        cmp_ok($tried, '<=', $may,
            "100 guesses at once are $tried (in ${\sprintf '%.1f', $took} s)");
        cmp_ok($tried, '>=', 1, '... and not none');
    }
    is(join(' ', grep { !/^(200|401|429|503)$/ } keys %seen), '',
        '... no other answer');
}

# --- a crowd -----------------------------------------------------------------

forget();
is(scalar(grep { wrong("198.51.$_.1", 'berta')->{status} == 401 } 1 .. 50), 50,
    'guesses from 50 networks');
is($idp->sql('SELECT max(failures) FROM identprov.throttle'), 50,
    '... count for the account');
$idp->sql(q(UPDATE identprov.throttle
    SET free_at = clock_timestamp() + interval '27 seconds' WHERE failures = 50));
for my $i (51 .. 70) {
    is_slowed(wrong("198.51.$i.1", 'berta'), 30, 'then others take turns');
}
my $victim = login('203.0.113.9', 'berta');
is_slowed($victim, 30, 'so does the user');
is(login('203.0.113.9', 'carl')->{status}, 200, '... for this name only');
wrong("198.51.$_.1", 'berta') for 100 .. 120;
go_by('28 seconds');
ok(wait_for(20, 'the turn', sub {
            wrong("198.51.$_.1", 'berta') for 121 .. 130;
            login('203.0.113.9', 'berta')->{status} == 200 }),
    '... whose turn comes however many go on guessing');

# --- no name is stored; what is over goes ---------------------------------------

unlike($idp->sql('SELECT t::text FROM identprov.throttle AS t'), qr/berta/,
    'the table has no name');
go_by('2 hours');
is($idp->sql('SELECT count(*) > 50 FROM identprov.throttle'), 't',
    'many networks have guessed');
$idp->end_part('TERM', 'identprov-1');
$idp->start_identprov(1, PRUNE_INTERVAL => '100ms');
ok(wait_for(20, 'the end of old counts', sub {
            $idp->sql(q(SELECT count(*) FROM identprov.throttle)) == 0 }),
    'what is forgotten is removed');

# --- registration ------------------------------------------------------------

$idp->end_part('TERM', 'identprov-1');
$idp->start_identprov(1, REGISTRATION_RATE => 3);
forget();
is(statuses(map { register("r$_", at => 1, from => "192.0.2.$_") } 1 .. 3),
    '201 201 201', 'three registrations a minute');
is_slowed(register('r4', at => 1, from => '192.0.2.4'), 20, 'the fourth');
is(register('a b', at => 1, from => '192.0.2.4')->{status}, 422,
    '... what is wrong is said for nothing');
is(register('r4', at => 1, from => '192.0.3.4')->{status}, 201,
    '... is welcome in another network');
go_by('20 seconds');
is(register('anna', at => 1, from => '192.0.2.4')->{status}, 409,
    'a name that is taken is said to be (and counts)');
is_slowed(register('r5', at => 1, from => '192.0.2.5'), 20, '... once in 20 s');

# --- a proxy that nginx was not told of -------------------------------------------

sub warnings_of { return scalar(() = $idp->log($_[0]) =~ /"event":"one_address"/g) }

$idp->end_part('TERM', 'identprov-1');
unlink $idp->room . '/identprov-1.log';
$idp->start_identprov(1);
sub logins {
    my ($times, $address) = @_;
    wrong($address->($_), "p$_", at => 1) for 1 .. $times;
    return;
}
logins(100, sub { '198.51.100.7' });
is(warnings_of(1), 0, 'all logins from one public address: no warning');
logins(100, sub { $_ % 10 ? '10.1.2.3' : "198.51.100.$_" });
is(warnings_of(1), 0, '... nine of ten from a private one: none');
logins(200, sub { $_ % 50 ? '10.1.2.3' : "198.51.100.$_" });
is(warnings_of(1), 1, '... nearly all: one');
like($idp->log(1), qr/"one_address".*10\.1\.2\.3.*set_real_ip_from/,
    '... that says what to do');

$idp->stops_cleanly;
done_testing;
