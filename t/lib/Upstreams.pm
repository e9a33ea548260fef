package Upstreams;

# Applications of every kind that nginx can pass a request to, in one process.
# Each answers with the request as it received it: the head, byte for byte in
# its protocol's own order, and then the body.
#
#   http     the request's head as it came
#   fastcgi  NAME=value lines, an empty line; scgi and uwsgi alike
#   grpc     "name: value" lines, an empty line
#
# What is to be added to the answer's head comes in the query string:
# "answer=" and hexadecimal digits of header lines ("Status: 404" included).
# "upgrade=" makes http switch protocols and echo from then on. Every head is
# also kept, for received().
use strict;
use warnings;
use FastCGI;
use File::Temp qw(tempdir);
use Http2;
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOMAXCONN);

my %PROTOCOLS = (
    http => { take => \&take_http, answer => \&answer_http },
    fastcgi => { take => \&take_fastcgi, answer => \&answer_fastcgi },
    scgi => { take => \&take_scgi, answer => \&answer_cgi },
    uwsgi => { take => \&take_uwsgi, answer => \&answer_uwsgi },
    grpc => { take => \&take_grpc, answer => \&answer_grpc });

our $room = tempdir('identgw-upstreams.XXXXXX', TMPDIR => 1, CLEANUP => 0);
my $owner = $$;
my $pid;

sub start {
    chmod 0755, $room;
    my %listeners = map { $_ => listen_at("$room/$_.sock") } keys %PROTOCOLS;
    $pid = fork // die "Upstreams: fork: $!\n";
    if (!$pid) {
        $SIG{TERM} = 'DEFAULT';
        eval { serve(%listeners) };
        print STDERR "Upstreams: $@";
        POSIX::_exit(1);
    }
    $ENV{TEST_NGINX_ROOM} = $room;
    return;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        if ($pid) {
            kill TERM => $pid;
            waitpid $pid, 0;
        }
        system 'rm', '-rf', $room;
        $? = $status;
    }
}

sub listen_at {
    my ($path) = @_;
    my $listener = IO::Socket::UNIX->new(Local => $path, Listen => SOMAXCONN)
        or die "Upstreams: $path: $!\n";
    chmod 0666, $path;
    return $listener;
}

# What the applications have received since the last call, as
# [protocol, head, body length] in the order of the ends.
sub received {
    rename "$room/received", "$room/received.read" or return;
    open my $in, '<:raw', "$room/received.read" or return;
    my @received;
    while (my $line = <$in>) {
        my ($protocol, $size, $body_size) = split ' ', $line;
        my $head;
        read $in, $head, $size;
        push @received, [ $protocol, $head, $body_size ];
    }
    return @received;
}

sub keep {
    my ($protocol, $request) = @_;
    open my $out, '>>:raw', "$room/received" or return;
    my $text = sprintf "%s %d %d\n%s", $protocol, length $request->{head},
        length $request->{body}, $request->{head};
    syswrite $out, $text;
    return;
}

# --- the loop -----------------------------------------------------------------

sub serve {
    my (%listeners) = @_;
    my $parent = getppid;
    my $read = IO::Select->new(values %listeners);
    my $write = IO::Select->new;
    my %protocol_of = map { fileno $listeners{$_} => $_ } keys %listeners;
    my %connections;
    local $SIG{PIPE} = 'IGNORE';
    while (getppid == $parent) {
        my ($readable, $writable) = IO::Select->select($read, $write, undef, 1);
        for my $socket (@{ $readable // [] }, @{ $writable // [] }) {
            my $number = fileno $socket // next;
            if (my $protocol = $protocol_of{$number}) {
                my $client = $socket->accept or next;
                $client->blocking(0);
                $read->add($client);
                $connections{ fileno $client } = { socket => $client,
                    protocol => $protocol, input => '', output => '' };
                next;
            }
            my $connection = $connections{$number} // next;
            if (!work($connection)) {
                $_->remove($socket) for $read, $write;
                delete $connections{$number};
                close $socket;
                next;
            }
            my $change = length $connection->{output} ? 'add' : 'remove';
            $write->$change($socket);
        }
    }
    return;
}

# Reads, answers and writes what can be; false when the connection has ended.
sub work {
    my ($connection) = @_;
    my $count = sysread $connection->{socket}, $connection->{input}, 1 << 20,
        length $connection->{input};
    my $is_open = !defined $count && $!{EAGAIN} || $count;
    if ($connection->{is_tunnel}) {
        $connection->{output} .= $connection->{input};
        $connection->{input} = '';
    } elsif ($count) {
        my $protocol = $PROTOCOLS{ $connection->{protocol} };
        while (my $request = $protocol->{take}->($connection)) {
            keep($connection->{protocol}, $request);
            $protocol->{answer}->($connection, $request);
        }
    }
    if (length $connection->{output}) {
        my $written = syswrite $connection->{socket}, $connection->{output};
        substr $connection->{output}, 0, $written, '' if $written;
        return 0 if !defined $written && !$!{EAGAIN};
    }
    return $is_open && !($connection->{is_last} && $connection->{output} eq '');
}

# The header lines that the query string asks for.
sub wanted_lines {
    my ($target) = @_;
    my ($hex) = $target =~ /answer=([0-9a-f]+)/ or return ();
    return split /\r?\n/, pack 'H*', $hex;
}

# --- HTTP ---------------------------------------------------------------------

sub take_http {
    my ($connection) = @_;
    return if $connection->{is_tunnel};
    my $input = \$connection->{input};
    my $at = index $$input, "\r\n\r\n";
    return if $at < 0;
    my $head = substr $$input, 0, $at + 4;
    my $body;
    if ($head =~ /^Transfer-Encoding: chunked\r$/mi) {
        (my $size, $body) = take_chunks($input, $at + 4);
        return if !$size;
        substr $$input, 0, $size, '';
    } else {
        my ($length) = $head =~ /^Content-Length: (\d+)\r$/mi;
        $length //= 0;
        return if length $$input < $at + 4 + $length;
        $body = substr $$input, $at + 4, $length;
        substr $$input, 0, $at + 4 + $length, '';
    }
    my ($target) = $head =~ /^\S+ (\S+)/;
    return { head => $head, body => $body, target => $target // '' };
}

# The end of the chunked body in $$input from $at on, and the body. Nothing comes
# behind it; a match would copy all that has come, for each chunk.
sub take_chunks {
    my ($input, $at) = @_;
    my $body = '';
    return if substr($$input, -5) ne "0\r\n\r\n";
    while ((my $end = index $$input, "\r\n", $at) > 0) {
        my $size = hex substr $$input, $at, $end - $at;
        $at = $end + 2 + $size + 2;
        return if length $$input < $at;
        $body .= substr $$input, $end + 2, $size;
        return ($at, $body) if $size == 0;
    }
    return;
}

sub answer_http {
    my ($connection, $request) = @_;
    my $content = $request->{head} . $request->{body};
    my $status = '200 OK';
    my @lines;
    for my $line (wanted_lines($request->{target})) {
        if ($line =~ /^Status: (.*)/) {
            $status = $1;
        } else {
            push @lines, $line;
        }
    }
    if ($request->{target} =~ /upgrade=/) {
        $connection->{is_tunnel} = 1;
        $connection->{output} .= "HTTP/1.1 101 Switching Protocols\r\n"
            . "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n$content";
        return;
    }
    my $head = join "\r\n", "HTTP/1.1 $status",
        'Content-Type: application/octet-stream',
        'Content-Length: ' . length $content, @lines, '', '';
    $content = '' if $request->{head} =~ /^HEAD /;
    $connection->{output} .= $head . $content;
    $connection->{is_last} = 1
        if $request->{head} =~ /^Connection: close\r$/mi
        || $request->{head} =~ m{^\S+ \S+ HTTP/1\.0};
    return;
}

# --- FastCGI, SCGI and uwsgi --------------------------------------------------

sub request_of {
    my ($pairs, $body) = @_;
    my ($head, $target) = ('', '');
    my @pairs = @$pairs;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $head .= "$name=$value\n";
        $target = $value if $name eq 'REQUEST_URI';
    }
    return { head => "$head\n", body => $body, target => $target };
}

sub cgi_text {
    my ($request) = @_;
    return join "\r\n", wanted_lines($request->{target}),
        'Content-Type: application/octet-stream', '',
        $request->{head} . $request->{body};
}

sub take_fastcgi {
    my ($connection) = @_;
    my $request = FastCGI::take_request(\$connection->{input}) or return;
    return request_of($request->{params}, $request->{body});
}

sub answer_fastcgi {
    my ($connection, $request) = @_;
    $connection->{output} .= FastCGI::stream(FastCGI::OUTPUT,
        cgi_text($request))
        . FastCGI::record(FastCGI::END_REQUEST, "\0" x 8);
    return;
}

sub take_scgi {
    my ($connection) = @_;
    my $input = \$connection->{input};
    my ($size) = $$input =~ /^(\d+):/ or return;
    my $at = length($size) + 1;
    return if length $$input < $at + $size + 1;
    my @pairs = split /\0/, substr($$input, $at, $size), -1;
    pop @pairs;
    my %value = @pairs;
    my $length = $value{CONTENT_LENGTH} || 0;
    return if length $$input < $at + $size + 1 + $length;
    my $body = substr $$input, $at + $size + 1, $length;
    $$input = '';
    return request_of(\@pairs, $body);
}

sub take_uwsgi {
    my ($connection) = @_;
    my $input = \$connection->{input};
    return if length $$input < 4;
    my $size = unpack 'xv', $$input;
    return if length $$input < 4 + $size;
    my @pairs = unpack '(v/a v/a)*', substr $$input, 4, $size;
    my %value = @pairs;
    my $length = $value{CONTENT_LENGTH} || 0;
    return if length $$input < 4 + $size + $length;
    my $body = substr $$input, 4 + $size, $length;
    $$input = '';
    return request_of(\@pairs, $body);
}

sub answer_cgi {
    my ($connection, $request) = @_;
    $connection->{output} .= cgi_text($request);
    $connection->{is_last} = 1;
    return;
}

# nginx wants to see a status line, as of HTTP
sub answer_uwsgi {
    my ($connection, $request) = @_;
    my $text = cgi_text($request);
    my $status = $text =~ s/^Status: (.*?)\r\n//m ? $1 : '200 OK';
    $connection->{output} .= "HTTP/1.1 $status\r\n$text";
    $connection->{is_last} = 1;
    return;
}

# --- gRPC ---------------------------------------------------------------------

sub take_grpc {
    my ($connection) = @_;
    my $http2 = $connection->{http2} ||= Http2->new('server');
    my @ended = $http2->read_bytes($connection->{input});
    $connection->{input} = '';
    $connection->{output} .= $http2->take_output;
    push @{ $connection->{ended} }, grep { !defined $_->{reset} } @ended;
    my $stream = shift @{ $connection->{ended} } or return;
    my @pairs = @{ $stream->{messages}[0] };
    my ($head, $target) = ('', '');
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $head .= "$name: $value\n";
        $target = $value if $name eq ':path';
    }
    return { head => "$head\n", body => $stream->{body}, target => $target,
        id => $stream->{id} };
}

sub answer_grpc {
    my ($connection, $request) = @_;
    my $http2 = $connection->{http2};
    my $status = 200;
    my @more;
    for my $line (wanted_lines($request->{target})) {
        my ($name, $value) = split /: */, $line, 2;
        if ($name eq 'Status') {
            ($status) = $value =~ /^(\d+)/;
        } else {
            push @more, lc $name, $value;
        }
    }
    my $content = $request->{head} =~ /^:method: HEAD$/m ? ''
        : $request->{head} . $request->{body};
    $http2->send_message([ ':status', $status, 'content-type',
            'application/octet-stream', @more ], $content, $request->{id});
    $connection->{output} .= $http2->take_output;
    return;
}

1;
