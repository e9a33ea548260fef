package Hostile;

# Clients that do not do as clients do: slow ones, half-open ones, and ones that
# leave in the middle of everything. None of them waits for an answer that would
# be of interest.
use strict;
use warnings;
use History qw(now);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep);

my $LONG = "GET /userprofile HTTP/1.1\r\nHost: slow\r\nJSESSIONID: "
    . 'A' x 43 . "\r\nX-Long: " . 'x' x 4000;
my $BODY = "POST /login HTTP/1.1\r\nHost: slow\r\nContent-Type: "
    . "application/json\r\nContent-Length: 4000\r\n\r\n" . ' ' x 3999;

# Seconds of connections that send nothing, or a byte now and then; to the
# gateway, and to the applications behind it.
sub dawdle {
    my ($stack, $seconds) = @_;
    my @clients;
    for (1 .. 80) {
        push @clients, { socket => tcp($stack), text => $_ } for '', $LONG,
            $BODY;
    }
    for my $part (qw(identprov userprofile)) {
        for my $text ('', pack('C2n2C2', 1, 1, 1, 8, 0, 0) . "\0" x 8) {
            push @clients, map { { socket => unix($stack, $part),
                    text => $text } } 1 .. 40;
        }
    }
    my $end = now() + $seconds;
    while (now() < $end) {
        for my $client (grep { $_->{socket} && length $_->{text} } @clients) {
            local $SIG{PIPE} = 'IGNORE';
            syswrite $client->{socket}, substr $client->{text}, 0, 1, '';
        }
        sleep 0.3;
    }
    return;
}

sub tcp {
    my ($stack) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $stack->port);
}

sub unix {
    my ($stack, $part) = @_;
    return IO::Socket::UNIX->new(Peer => $stack->socket($part));
}

# Seconds of requests whose clients are gone before there is an answer: after a
# part of the request, or all of it; by a FIN or a reset.
sub leave {
    my ($stack, $seconds) = @_;
    my $session = $stack->session('leaver' . int 1e6 * rand);
    my $end = now() + $seconds;
    my @pids = map {
        my $pid = fork // die "fork: $!\n";
        if (!$pid) {
            srand $_;
            leave_once($stack, $session) while now() < $end;
            POSIX::_exit(0);
        }
        $pid;
    } 1 .. 3;
    waitpid $_, 0 for @pids;
    return;
}

sub leave_once {
    my ($stack, $session) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $socket = tcp($stack) or return;
    my $text = request($session);
    my $length = rand() < 0.5 ? length $text : int rand length $text;
    syswrite $socket, substr $text, 0, $length;
    sleep rand 0.03 if rand() < 0.7;
    setsockopt $socket, SOL_SOCKET, SO_LINGER, pack 'i2', 1, 0
        if rand() < 0.5;
    close $socket;
    sleep rand 0.01;
    return;
}

sub request {
    my ($session) = @_;
    my ($method, $target) = @{ ([ 'POST', '/login' ], [ 'POST', '/register' ],
            [ 'GET', '/userprofile' ], [ 'POST', '/userprofile' ],
            [ 'PUT', '/userprofile' ], [ 'PATCH', '/userprofile' ],
            [ 'DELETE', '/userprofile' ], [ 'GET', '/whoami' ],
            [ 'GET', '/authenticate' ])[ rand 9 ] };
    my $body = $method =~ /^P/ ? '{"nickname":"' . 'x' x rand 200 . '"}' : '';
    return "$method $target HTTP/1.1\r\nHost: leaver\r\n"
        . "JSESSIONID: $session\r\nContent-Type: application/json\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

1;
