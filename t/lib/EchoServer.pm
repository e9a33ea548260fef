package EchoServer;

# t/fixture/igw_echo as a process, and raw FastCGI connections to it.
use strict;
use warnings;
use File::Temp qw(tempdir);
use FastCGI;
use IO::Select;
use IO::Socket::UNIX;
use JSON::PP qw(decode_json);
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

my $LIMIT = 10;    # seconds until a wait fails

# Options: program, threads, body_max, timeout_ms, address, files (ulimit -n).
sub start {
    my (%option) = @_;
    my $dir = tempdir(CLEANUP => 1);
    my $self = bless {
        dir => $dir, socket => "$dir/echo.sock", log => "$dir/log", %option
    };
    my @command = ("$ENV{BUILD}/fixture/" . ($option{program} // 'igw_echo'),
        $option{address} // "unix:$self->{socket}", $option{threads} // 4,
        $option{body_max} // 65536, $option{timeout_ms} // 10000);
    unshift @command, '/bin/sh', '-c', "ulimit -n $option{files}; exec \"\$@\"",
        'sh' if $option{files};
    defined($self->{pid} = fork) or die "fork: $!\n";
    if (!$self->{pid}) {
        open STDERR, '>>', $self->{log} or die;
        open STDOUT, '>&', \*STDERR or die;
        open STDIN, '<', '/dev/null' or die if !$option{stdin};
        open STDIN, '<&', $option{stdin} or die if $option{stdin};
        exec @command or POSIX::_exit(127);
    }
    wait_until(sub { $self->log_text =~ /"event":"started"/ || $self->ended })
        or die "igw_echo does not start\n";
    return $self;
}

sub log_text {
    my ($self) = @_;
    open my $file, '<', $self->{log} or return '';
    local $/;
    return scalar(<$file>) // '';
}

sub events {
    my ($self, $name) = @_;
    return grep { $_->{event} eq $name }
        map { decode_json($_) } split /\n/, $self->log_text;
}

# The exit status when the process has ended by itself, else undef.
sub ended {
    my ($self) = @_;
    return $self->{ended} if defined $self->{ended};
    return if waitpid($self->{pid}, WNOHANG) != $self->{pid};
    return $self->{ended} = $?;
}

# SIGTERM, and the exit status; SIGKILL when it does not end.
sub stop {
    my ($self) = @_;
    kill 'TERM', $self->{pid} if !defined $self->ended;
    if (!wait_until(sub { defined $self->ended })) {
        kill 'KILL', $self->{pid};
        waitpid $self->{pid}, 0;
        return $self->{ended} = 'killed';
    }
    return $self->{ended};
}

sub DESTROY {
    my ($self) = @_;
    local ($?, $!, $@);
    $self->stop if defined $self->{pid} && !defined $self->{ended};
    return;
}

sub wait_until {
    my ($condition) = @_;
    my $end = time + $LIMIT;
    while (time < $end) {
        return 1 if $condition->();
        sleep 0.02;
    }
    return 0;
}

sub connect_to {
    my ($self) = @_;
    return IO::Socket::UNIX->new(Peer => $self->{socket});
}

# The bytes of one request: params as a list, body, and what may be overridden.
sub request {
    my ($params, $body, %option) = @_;
    $body //= '';
    return FastCGI::record(1, pack 'nCx5', $option{role} // 1,
            $option{keep} // 1)
        . FastCGI::stream(4, FastCGI::encode_params(@$params))
        . FastCGI::stream(5, $body);
}

sub get {
    my ($path, @more) = @_;
    return request([REQUEST_METHOD => 'GET', PATH_INFO => $path, @more]);
}

sub post {
    my ($path, $body, @more) = @_;
    return request([REQUEST_METHOD => 'POST', PATH_INFO => $path,
            CONTENT_LENGTH => length $body, @more], $body);
}

# One answer: { status, head, body }; undef when the peer hangs up before.
sub answer {
    my ($socket) = @_;
    my $text = eval {
        local $SIG{ALRM} = sub { die "no answer in time\n" };
        alarm $LIMIT;
        my $got = FastCGI::read_answer($socket);
        alarm 0;
        $got;
    };
    alarm 0;
    return if !defined $text;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($status) = $head =~ /^Status: (\d+)/m;
    return { status => $status, head => $head, body => $body };
}

sub ask {
    my ($socket, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    FastCGI::write_all($socket, $bytes) or return;
    return answer($socket);
}

# The status of one request on a connection of its own, 0 for none.
sub status {
    my ($self, $bytes) = @_;
    my $socket = $self->connect_to or return 0;
    my $answer = ask($socket, $bytes) or return 0;
    return $answer->{status};
}

# Whether the peer hangs up before the limit, without sending anything.
sub is_hung_up {
    my ($socket, $limit) = @_;
    IO::Select->new($socket)->can_read($limit // $LIMIT) or return 0;
    my $count = sysread $socket, my $byte, 1;
    return !$count;
}

1;
