package Client;

# An HTTP client for the tests that sends exactly the bytes it is given:
# HTTP/1 on a connection that stays open, and HTTP/2 with prior knowledge. An
# address is a port of 127.0.0.1 or the path of a socket. With ca, the file of who
# has signed the server's certificate, over TLS.
use strict;
use warnings;
use Exporter qw(import);
use Http2;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

our @EXPORT_OK = qw(field fields request_bytes wait_for);

my $LIMIT = 15;    # seconds that an answer may take on a busy machine

sub new {
    my ($class, $address, %with) = @_;
    my $socket = $with{ca} ? tls($address, $with{ca})
        : $address =~ m{^/} ? IO::Socket::UNIX->new(Peer => $address)
        : IO::Socket::INET->new(PeerAddr => "127.0.0.1:$address");
    die "Client: $address: $!\n" if !$socket;
    $socket->blocking(0);
    my $self = bless { socket => $socket, address => $address, input => '',
        output => '', closed => 0, is_http2 => $with{http2},
        ca => $with{ca} }, $class;
    $self->{http2} = Http2->new('client') if $with{http2};
    return $self;
}

sub tls {
    my ($port, $ca) = @_;
    require IO::Socket::SSL;
    return IO::Socket::SSL->new(PeerAddr => "127.0.0.1:$port",
        SSL_ca_file => $ca, Timeout => $LIMIT);
}

# The text of a request; headers is a flat list of names and values.
sub request_bytes {
    my ($method, $target, $headers, $body, $version) = @_;
    my $text = "$method $target HTTP/" . ($version // '1.1') . "\r\n";
    my @pairs = @{ $headers // [] };
    unshift @pairs, 'Host', 'gateway'
        if !grep { $_ % 2 == 0 && lc $pairs[$_] eq 'host' } 0 .. $#pairs;
    push @pairs, 'Content-Length', length $body if defined $body;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $text .= "$name: $value\r\n";
    }
    return "$text\r\n" . ($body // '');
}

# Sends a request and reads its answer, on a new connection if the server has
# closed this one: { status, headers => [...], head, body, interim => [...] },
# or nothing when there is none.
sub ask {
    my ($self, $method, $target, $headers, $body) = @_;
    return $self->ask_http2($method, $target, $headers, $body)
        if $self->{is_http2};
    %$self = %{ Client->new($self->{address}, ca => $self->{ca}) }
        if $self->{is_last} || $self->is_closed;
    $self->write_bytes(request_bytes($method, $target, $headers, $body));
    return $self->answer($method eq 'HEAD');
}

sub get {
    my ($self, $target, @headers) = @_;
    return $self->ask('GET', $target, \@headers);
}

sub write_bytes {
    my ($self, $bytes) = @_;
    $self->{output} .= $bytes;
    $self->exchange(0);
    return;
}

# Waits until all bytes have left; false when they never do.
sub finish_writing {
    my ($self) = @_;
    my $end = time + $LIMIT;
    1 while length $self->{output} && !$self->{closed} && time < $end
        && $self->exchange($end - time);
    return $self->{output} eq '';
}

# No more will be sent.
sub end_input {
    my ($self) = @_;
    shutdown $self->{socket}, 1;
    return;
}

sub is_closed {
    my ($self) = @_;
    $self->exchange(0);
    return $self->{closed};
}

# Whether the peer closes the connection within the limit, without more bytes.
sub gets_closed {
    my ($self) = @_;
    my $end = time + $LIMIT;
    1 while !$self->{closed} && time < $end && $self->exchange($end - time);
    return $self->{closed} && $self->{input} eq '';
}

# One round of writing and reading; whether something happened in time.
sub exchange {
    my ($self, $seconds) = @_;
    return 0 if $self->{closed};
    local $SIG{PIPE} = 'IGNORE';
    my $socket = $self->{socket};
    my $read = IO::Select->new($socket);
    my $write = length $self->{output} ? IO::Select->new($socket) : undef;
    my ($readable, $writable) = IO::Select->select($read, $write, undef,
        $seconds);
    if ($writable && @$writable) {
        my $count = syswrite $socket, $self->{output};
        $count //= $!{EAGAIN} ? 0 : length $self->{output};
        substr $self->{output}, 0, $count, '';
    }
    if ($readable && @$readable) {
        my $count = sysread $socket, $self->{input}, 1 << 18,
            length $self->{input};
        $self->{closed} = 1 if defined $count ? !$count : !$!{EAGAIN};
    }
    return ($readable && @$readable) || ($writable && @$writable);
}

# --- HTTP/1 -------------------------------------------------------------------

# The next answer on the connection; $is_head: it has no body whatever it says.
sub answer {
    my ($self, $is_head) = @_;
    my @interim;
    while (1) {
        my $head = $self->take_until("\r\n\r\n") // return;
        my $answer = read_head($head);
        if ($answer->{status} >= 100 && $answer->{status} < 200
            && $answer->{status} != 101) {
            push @interim, $answer->{status};
            next;
        }
        $answer->{interim} = \@interim;
        $answer->{body} = $self->take_body($answer, $is_head) // return;
        $self->{is_last} = grep { /^close$/i } fields($answer, 'Connection');
        return $answer;
    }
}

sub read_head {
    my ($head) = @_;
    my ($first, @lines) = split /\r\n/, $head;
    my ($status) = $first =~ m{^HTTP/1\.[01] (\d{3})};
    return { status => $status // 0, head => $head,
        headers => [ map { /^([^:]*):[ \t]*(.*?)[ \t]*$/s } @lines ] };
}

sub take_body {
    my ($self, $answer, $is_head) = @_;
    return '' if $is_head || $answer->{status} =~ /^(?:101|204|304)$/;
    my ($length) = fields($answer, 'Content-Length');
    return $self->take($length) if defined $length;
    if (join(',', fields($answer, 'Transfer-Encoding')) =~ /chunked/i) {
        my $body = '';
        while (1) {
            my $line = $self->take_until("\r\n") // return;
            my $size = hex $line =~ s/[^0-9a-f].*//sir;
            my $piece = $self->take($size + 2) // return;
            return $body if $size == 0;
            $body .= substr $piece, 0, $size;
        }
    }
    my $end = time + $LIMIT;
    1 while !$self->{closed} && time < $end && $self->exchange($end - time);
    return $self->take(length $self->{input});
}

sub take {
    my ($self, $length) = @_;
    my $end = time + $LIMIT;
    while (length $self->{input} < $length) {
        return if $self->{closed} || time > $end;
        $self->exchange($end - time);
    }
    return substr $self->{input}, 0, $length, '';
}

sub take_until {
    my ($self, $mark) = @_;
    my $end = time + $LIMIT;
    my $at;
    while (($at = index $self->{input}, $mark) < 0) {
        return if $self->{closed} || time > $end;
        $self->exchange($end - time);
    }
    return substr $self->{input}, 0, $at + length $mark, '';
}

# --- HTTP/2 -------------------------------------------------------------------

sub ask_http2 {
    my ($self, $method, $target, $headers, $body) = @_;
    %$self = %{ Client->new($self->{address}, http2 => 1) }
        if $self->is_closed || defined $self->{http2}{goaway};
    my $id = $self->{http2}->send_message([ ':method', $method, ':scheme',
            'http', ':path', $target, ':authority', 'gateway',
            @{ $headers // [] } ], $body);
    my $stream = $self->stream_of($id) // return;
    delete $self->{http2}{streams}{$id};
    my $message = $stream->{messages}[-1] // return { status => 0,
        headers => [], body => '', reset => $stream->{reset} };
    my (undef, $status, @fields) = @$message;
    return { status => $status, headers => \@fields,
        body => $stream->{body}, reset => $stream->{reset} };
}

sub stream_of {
    my ($self, $id) = @_;
    my $http2 = $self->{http2};
    my $end = time + $LIMIT;
    while (1) {
        $self->{output} .= $http2->take_output;
        $self->exchange(0);
        my $stream = $http2->{streams}{$id};
        return $stream if $stream->{ended};
        return if $self->{closed} || time > $end;
        $self->exchange($end - time) if $self->{input} eq '';
        $http2->read_bytes($self->{input});
        $self->{input} = '';
    }
}

# --- what an answer holds -----------------------------------------------------

# All values of a header, in order.
sub fields {
    my ($answer, $name) = @_;
    my @pairs = @{ $answer->{headers} };
    my @values;
    while (my ($key, $value) = splice @pairs, 0, 2) {
        push @values, $value if lc $key eq lc $name;
    }
    return @values;
}

sub field {
    my ($answer, $name) = @_;
    my @values = fields($answer, $name);
    return @values ? join ', ', @values : undef;
}

# Waits until $condition gives something true, which is returned.
sub wait_for {
    my ($condition) = @_;
    my $end = time + $LIMIT;
    while (1) {
        my $value = $condition->();
        return $value if $value || time > $end;
        select undef, undef, undef, 0.02;
    }
}

1;
