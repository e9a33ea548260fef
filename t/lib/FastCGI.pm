package FastCGI;

# FastCGI 1.0 for the tests, apart from libfcgi: a client that sends one request,
# an echo application, and a recorder that stands between a client and an
# application and writes down what the application received.
use strict;
use warnings;
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOMAXCONN);

use constant {
    BEGIN_REQUEST => 1, END_REQUEST => 3,
    PARAMS => 4, INPUT => 5, OUTPUT => 6
};

my $PIECE = 32768;

sub record {
    my ($type, $content) = @_;
    return pack('CCnnCx', 1, $type, 1, length $content, 0) . $content;
}

sub stream {
    my ($type, $content) = @_;
    my $out = '';
    for (my $at = 0; $at < length $content; $at += $PIECE) {
        $out .= record($type, substr $content, $at, $PIECE);
    }
    return $out . record($type, '');
}

sub encode_length {
    my ($length) = @_;
    return $length < 128 ? pack 'C', $length : pack 'N', $length | 1 << 31;
}

sub encode_params {
    my @pairs = @_;
    my $out = '';
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $out .= encode_length(length $name) . encode_length(length $value)
            . $name . $value;
    }
    return $out;
}

sub decode_params {
    my ($bytes) = @_;
    my @pairs;
    my $at = 0;
    my $take_length = sub {
        my $length = unpack 'C', substr $bytes, $at++, 1;
        return $length if $length < 128;
        $length = unpack('N', substr $bytes, $at - 1, 4) & 0x7fffffff;
        $at += 3;
        return $length;
    };
    while ($at < length $bytes) {
        my $name_length = $take_length->();
        my $value_length = $take_length->();
        push @pairs, substr($bytes, $at, $name_length),
            substr($bytes, $at + $name_length, $value_length);
        $at += $name_length + $value_length;
    }
    return \@pairs;
}

# The first whole request in $$bytes, which it is taken from: { params, body }.
sub take_request {
    my ($bytes) = @_;
    my %stream = (PARAMS, '', INPUT, '');
    my %ended;
    my $at = 0;
    until ($ended{+PARAMS} && $ended{+INPUT}) {
        return if length($$bytes) < $at + 8;
        my (undef, $type, undef, $length, $padding)
            = unpack 'CCnnC', substr $$bytes, $at, 8;
        return if length($$bytes) < $at + 8 + $length + $padding;
        $stream{$type} .= substr $$bytes, $at + 8, $length;
        $ended{$type} = 1 if $length == 0;
        $at += 8 + $length + $padding;
    }
    substr $$bytes, 0, $at, '';
    return { params => decode_params($stream{+PARAMS}),
        body => $stream{+INPUT} };
}

# All records up to the end of the request; the text on OUTPUT.
sub read_answer {
    my ($socket) = @_;
    my ($bytes, $text) = ('', '');
    while (1) {
        while (length $bytes >= 8) {
            my (undef, $type, undef, $length, $padding)
                = unpack 'CCnnC', $bytes;
            last if length $bytes < 8 + $length + $padding;
            $text .= substr $bytes, 8, $length if $type == OUTPUT;
            substr $bytes, 0, 8 + $length + $padding, '';
            return $text if $type == END_REQUEST;
        }
        sysread $socket, $bytes, 65536, length $bytes or return;
    }
}

sub write_all {
    my ($socket, $bytes) = @_;
    my $at = 0;
    while ($at < length $bytes) {
        my $count = syswrite $socket, $bytes, length($bytes) - $at, $at;
        return 0 if !$count;
        $at += $count;
    }
    return 1;
}

# One request on a connection of its own: { status, headers => [...], body }.
sub ask {
    return answer_on(begin(@_));
}

# The same in two steps: what answer_on takes.
sub begin {
    my ($path, $params, $body) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $socket = IO::Socket::UNIX->new(Peer => $path)
        or die "$path: $!\n";
    write_all($socket, record(BEGIN_REQUEST, pack 'nCx5', 1, 0)
            . stream(PARAMS, encode_params(@$params))
            . stream(INPUT, $body));
    return $socket;
}

sub answer_on {
    my ($socket) = @_;
    my $text = read_answer($socket);
    return { status => 0, headers => [], body => '' } if !defined $text;
    my ($head, $rest) = split /\r\n\r\n/, $text, 2;
    my @headers = map { split /:\s*/, $_, 2 } split /\r\n/, $head;
    my ($status) = $head =~ /^Status: (\d+)/mi;
    return { status => $status || 200, headers => \@headers, body => $rest };
}

sub listen_at {
    my ($path) = @_;
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => SOMAXCONN)
        or die "$path: $!\n";
    chmod 0666, $path;
    return $listener;
}

# A process that answers each request with its parameters, an empty line and
# its body, connections kept. Its pid.
sub echo {
    my ($path) = @_;
    return serve($path, sub {
        my ($client) = @_;
        my $bytes = '';
        while (sysread $client, $bytes, 1 << 20, length $bytes) {
            while (my $request = take_request(\$bytes)) {
                my @pairs = (@{ $request->{params} }, ECHO_PID => $$);
                my $text = "Content-Type: application/octet-stream\r\n\r\n";
                while (my ($name, $value) = splice @pairs, 0, 2) {
                    $text .= "$name=$value\n";
                }
                write_all($client, stream(OUTPUT, "$text\n$request->{body}")
                        . record(END_REQUEST, "\0" x 8));
            }
        }
    });
}

# A process that takes over an application's socket: what comes in is passed
# on and appended to $log, a file per connection ($log.PID). Its pid.
sub record_at {
    my ($path, $log) = @_;
    rename $path, "$path.real" or die "$path: $!\n";
    return serve($path, sub {
        my ($client) = @_;
        my $application = IO::Socket::UNIX->new(Peer => "$path.real")
            or return;
        open my $file, '>>:raw', "$log.$$" or return;
        $file->autoflush(1);
        my $select = IO::Select->new($client, $application);
        while (my @ready = $select->can_read) {
            for my $from (@ready) {
                sysread $from, my $bytes, 1 << 20 or return;
                print $file $bytes if $from == $client;
                write_all($from == $client ? $application : $client, $bytes)
                    or return;
            }
        }
    });
}

# The requests that a recorder has written down.
sub recorded {
    my ($log) = @_;
    my @requests;
    for my $name (sort { -M $b <=> -M $a } glob "$log.*") {
        open my $file, '<:raw', $name or die "$name: $!\n";
        my $bytes = do { local $/; <$file> };
        while (my $request = take_request(\$bytes)) {
            push @requests, $request;
        }
    }
    return @requests;
}

# A process of its own per connection; the group ends with its leader.
sub serve {
    my ($path, $handle) = @_;
    my $listener = listen_at($path);
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    setpgrp 0, 0;
    $SIG{CHLD} = 'IGNORE';
    $SIG{TERM} = 'DEFAULT';
    while (1) {
        my $client = $listener->accept or next;
        my $child = fork;
        next if $child;
        close $listener;
        $handle->($client);
        POSIX::_exit(0);
    }
}

1;
