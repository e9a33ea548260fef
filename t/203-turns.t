# Requests that may write take turns: they cannot have all threads, and those
# that are slow cannot hold up the others.
use strict;
use warnings;
use EchoServer;
use FastCGI;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep time);

my $THREADS = 4;
my $SLOW_MAX = 3; # of the fixture
my $server = EchoServer::start(threads => $THREADS, timeout_ms => 20000);
my $name = 0;

# A request on its way, with a name of its own: its connection.
sub begin {
    my ($path, $ms) = @_;
    my $socket = $server->connect_to;
    $name++;
    FastCGI::write_all($socket, EchoServer::post($path, '', QUERY_STRING => $ms,
            HTTP_X_USER => "r$name"));
    return $socket;
}

# Whom a handler has seen since the last time, in order.
my $told = 0;
sub seen {
    my @all = map { "$_->{path} $_->{user}" }
        grep { defined $_->{user} } $server->events('handled');
    return @all[ $told .. $#all ];
}

sub begun { return scalar(my @seen = seen()) }

sub forget { $told += begun(); $name = 0; return }

sub is_quick {
    my ($what) = @_;
    my $start = time;
    is($server->status(EchoServer::get('/echo')), 200, $what);
    return;
}

sub status { my $answer = EchoServer::answer($_[0]) // {}; return $answer->{status} }

subtest 'at most half of the threads are in them' => sub {
    my @sockets = map { begin('/write', 1000) } 1 .. 6;
    ok(EchoServer::wait_until(sub { begun() == 2 }), 'two of six have begun');
    is_quick('others are served');
    is(begun(), 2, '... while the rest waits');
    is(join(' ', map { status($_) } @sockets), join(' ', (200) x 6),
        'each is answered');
    is(join(' ', sort(seen())), join(' ', map { "/write r$_" } 1 .. 6), '... once');
    is_deeply([ map { $server->status(EchoServer::post('/write', '',
                        QUERY_STRING => 0)) } 1 .. 20 ], [ (200) x 20 ],
        'a turn that is over is free again');
    forget();
};

subtest 'who has waited keeps the connection' => sub {
    my @sockets = map { begin('/write', 300) } 1 .. 4;
    is(join(' ', map { status($_) } @sockets), '200 200 200 200', 'four');
    is(EchoServer::ask($_, EchoServer::get('/echo'))->{status}, 200,
        'the same connection, again') for @sockets;
    my $both = $server->connect_to;
    my @more = map { begin('/write', 300) } 1, 2;
    sleep 0.1;
    FastCGI::write_all($both, EchoServer::post('/write', '', QUERY_STRING => 0)
            . EchoServer::get('/echo'));
    is(status($both), 200, 'one that had more behind it is answered');
    ok(EchoServer::is_hung_up($both), '... and closed');
    status($_) for @more;
    forget();
};

subtest 'slow ones wait behind the others, and not too many' => sub {
    my @first = map { begin('/slow', 2500) } 1, 2;
    EchoServer::wait_until(sub { begun() == 2 });
    my @slow = map { begin('/slow', 0) } 1 .. $SLOW_MAX;
    sleep 0.5;
    my $late = begin('/slow', 0);
    my $quick = begin('/write', 0);
    my $answer = EchoServer::answer($late);
    is($answer->{status}, 503, 'a slow one that finds the line full');
    like($answer->{head}, qr/^Retry-After: [1-9]/m, '... may come again');
    is(decode_json($answer->{body})->{code}, 'busy', '... says why');
    like($answer->{head}, qr/^X-Content-Type-Options: nosniff\r?$/m,
        '... with what guards browsers');
    is(EchoServer::ask($late, EchoServer::get('/echo'))->{status}, 200,
        '... the connection stays');
    is(status($_), 200, 'all others are answered') for @first, @slow, $quick;
    my @order = seen();
    cmp_ok((grep { $order[$_] =~ /write/ } 0 .. $#order)[0], '<=', 3,
        'a quick one goes first') or diag("@order");
    forget();
};

subtest 'who leaves the line is missed by nobody' => sub {
    my @stay = map { begin('/write', 500) } 1 .. 2;
    close begin('/write', 0) for 1 .. 10;
    my $last = begin('/write', 0);
    is(status($_), 200, 'answered') for @stay, $last;
    is_deeply([ map { $server->status(EchoServer::post('/write', '',
                        QUERY_STRING => 0)) } 1 .. 4 ], [ (200) x 4 ],
        'no turn is lost');
    forget();
};

subtest 'the end waits for the line' => sub {
    my @sockets = map { begin('/write', 400) } 1 .. 6;
    EchoServer::wait_until(sub { begun() == 2 });
    sleep 0.2;
    kill 'TERM', $server->{pid};
    is(join(' ', map { status($_) // 'none' } @sockets),
        join(' ', (200) x 6), 'what has come is answered');
    is($server->stop, 0, 'then it ends');
};

my $seed = time ^ $$;
srand $seed;
subtest "many at once, seed $seed" => sub {
    my $one = EchoServer::start(threads => 3, timeout_ms => 20000);
    $server = $one;
    my @pids = map {
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            srand $seed + $_;
            my $bad = 0;
            my $socket = $one->connect_to;
            for (1 .. 150) {
                my $path = (qw(/write /slow /echo))[ rand 3 ];
                my $answer = EchoServer::ask($socket, $path eq '/echo'
                    ? EchoServer::get($path)
                    : EchoServer::post($path, '', QUERY_STRING => int rand 3));
                my $status = $answer ? $answer->{status} : 0;
                $bad++ if $status != 200 && !($path eq '/slow' && $status == 503);
                $socket = $one->connect_to if !$answer || rand() < 0.1;
            }
            POSIX::_exit($bad ? 1 : 0);
        }
        $pid;
    } 1 .. 8;
    my $bad = 0;
    for my $pid (@pids) {
        waitpid $pid, 0;
        $bad++ if $?;
    }
    is($bad, 0, 'every request has an answer');
    is($one->stop, 0, 'it ends');
};

done_testing;
