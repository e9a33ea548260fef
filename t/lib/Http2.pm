package Http2;

# HTTP/2 (RFC 9113) over a plain socket, for the tests: one side of a
# connection, client or server, that sends header names exactly as it is told.
# HPACK (RFC 7541) is written as literals, and read without dynamic table
# references, which nginx never makes.
use strict;
use warnings;

use constant {
    DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4, PING => 6,
    GOAWAY => 7, WINDOW_UPDATE => 8, CONTINUATION => 9,
    END_STREAM => 0x1, ACK => 0x1, END_HEADERS => 0x4
};

use constant PREFACE => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

my $FRAME_MAX = 16_384;
my $WINDOW = 65_535;
my $WINDOW_MAX = 0x7fffffff;

my @STATIC = map { [ split / /, $_, 2 ] } (
    ':authority ', ':method GET', ':method POST', ':path /',
    ':path /index.html', ':scheme http', ':scheme https', ':status 200',
    ':status 204', ':status 206', ':status 304', ':status 400',
    ':status 404', ':status 500', 'accept-charset ',
    'accept-encoding gzip, deflate', 'accept-language ', 'accept-ranges ',
    'accept ', 'access-control-allow-origin ', 'age ', 'allow ',
    'authorization ', 'cache-control ', 'content-disposition ',
    'content-encoding ', 'content-language ', 'content-length ',
    'content-location ', 'content-range ', 'content-type ', 'cookie ',
    'date ', 'etag ', 'expect ', 'expires ', 'from ', 'host ', 'if-match ',
    'if-modified-since ', 'if-none-match ', 'if-range ',
    'if-unmodified-since ', 'last-modified ', 'link ', 'location ',
    'max-forwards ', 'proxy-authenticate ', 'proxy-authorization ',
    'range ', 'referer ', 'refresh ', 'retry-after ', 'server ',
    'set-cookie ', 'strict-transport-security ', 'transfer-encoding ',
    'user-agent ', 'vary ', 'via ', 'www-authenticate ');

# Lengths of the Huffman codes of the bytes 0 to 255; the codes follow, for
# they are given out in the order of length and byte.
my @CODE_LENGTHS = qw(
    13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28
    28 28 28 28 28 28 28 28 6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6
    6 6 6 6 6 6 7 8 15 6 12 10 13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7
    7 7 8 7 8 13 19 13 14 6 15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7
    7 7 7 15 11 14 13 28 20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24
    24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 22 21 20 22 22 23 23 21 23
    22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 26
    26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21
    21 26 26 28 27 27 27 20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26
    27 26 26 27 27 27 27 27 28 27 27 27 27 27 26);
my %BYTE_OF = byte_of_code();

sub byte_of_code {
    my ($code, $length) = (0, 0);
    my %byte_of;
    my @order = sort { $CODE_LENGTHS[$a] <=> $CODE_LENGTHS[$b] || $a <=> $b }
        0 .. 255;
    for my $byte (@order) {
        $code <<= $CODE_LENGTHS[$byte] - $length;
        $length = $CODE_LENGTHS[$byte];
        $byte_of{ sprintf '%0*b', $length, $code++ } = chr $byte;
    }
    return %byte_of;
}

sub from_huffman {
    my ($bytes) = @_;
    my ($text, $code) = ('', '');
    for my $bit (split //, unpack 'B*', $bytes) {
        $code .= $bit;
        if (defined $BYTE_OF{$code}) {
            $text .= $BYTE_OF{$code};
            $code = '';
        }
    }
    return $text;
}

# --- HPACK --------------------------------------------------------------------

sub encode_string {
    my ($text) = @_;
    my $length = length $text;
    return chr($length) . $text if $length < 127;
    my $head = chr 127;
    for ($length -= 127; $length > 127; $length >>= 7) {
        $head .= chr($length & 127 | 128);
    }
    return $head . chr($length) . $text;
}

sub encode_headers {
    my (@pairs) = @_;
    my $block = '';
    while (my ($name, $value) = splice @pairs, 0, 2) {
        $block .= "\0" . encode_string($name) . encode_string($value);
    }
    return $block;
}

sub decode_headers {
    my ($block) = @_;
    my @pairs;
    my $at = 0;
    my $take_number = sub {
        my ($bits) = @_;
        my $mask = (1 << $bits) - 1;
        my $number = ord(substr $block, $at++, 1) & $mask;
        return $number if $number < $mask;
        for (my $shift = 0;; $shift += 7) {
            my $byte = ord substr $block, $at++, 1;
            $number += ($byte & 127) << $shift;
            return $number if $byte < 128;
        }
    };
    my $take_string = sub {
        my $is_huffman = ord(substr $block, $at, 1) & 128;
        my $length = $take_number->(7);
        my $bytes = substr $block, $at, $length;
        $at += $length;
        return $is_huffman ? from_huffman($bytes) : $bytes;
    };
    while ($at < length $block) {
        my $first = ord substr $block, $at, 1;
        if ($first & 128) {
            push @pairs, @{ $STATIC[ $take_number->(7) - 1 ] };
            next;
        }
        if (($first & 0xe0) == 0x20) {
            $take_number->(5);
            next;
        }
        my $index = $take_number->($first & 64 ? 6 : 4);
        my $name = $index ? $STATIC[ $index - 1 ][0] : $take_string->();
        push @pairs, $name, $take_string->();
    }
    return \@pairs;
}

# --- a connection -------------------------------------------------------------

# A side of a connection: bytes go in by read_bytes, come out of take_output.
sub new {
    my ($class, $role) = @_;
    my $self = bless {
        role => $role, input => '', output => '', window => $WINDOW,
        initial_window => $WINDOW, streams => {}, next_id => 1
    }, $class;
    $self->{output} = PREFACE if $role eq 'client';
    $self->{preface_due} = $role eq 'server';
    $self->frame(SETTINGS, 0, 0, pack 'nN', 4, $WINDOW_MAX);
    $self->frame(WINDOW_UPDATE, 0, 0, pack 'N', $WINDOW_MAX - $WINDOW);
    return $self;
}

sub frame {
    my ($self, $type, $flags, $id, $payload) = @_;
    $self->{output} .= substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $id) . $payload;
    return;
}

sub take_output {
    my ($self) = @_;
    my $output = $self->{output};
    $self->{output} = '';
    return $output;
}

# Sends a message on a stream, a new one without $id; its id.
sub send_message {
    my ($self, $headers, $body, $id) = @_;
    if (!$id) {
        $id = $self->{next_id};
        $self->{next_id} += 2;
    }
    my $stream = $self->stream($id);
    my $block = encode_headers(@$headers);
    my $is_empty = !length($body // '');
    my $type = HEADERS;
    do {
        my $piece = substr $block, 0, $FRAME_MAX, '';
        my $flags = (length $block ? 0 : END_HEADERS)
            | ($is_empty && $type == HEADERS ? END_STREAM : 0);
        $self->frame($type, $flags, $id, $piece);
        $type = CONTINUATION;
    } while (length $block);
    $stream->{unsent} = \$body if !$is_empty;
    $stream->{sent} = 0;
    $self->send_body($id);
    return $id;
}

sub stream {
    my ($self, $id) = @_;
    return $self->{streams}{$id} ||= {
        id => $id, block => '', messages => [], body => '',
        window => $self->{initial_window}
    };
}

# As much of the body as the peer's windows allow.
sub send_body {
    my ($self, $id) = @_;
    my $stream = $self->{streams}{$id};
    while (my $unsent = $stream->{unsent}) {
        my $left = length($$unsent) - $stream->{sent};
        my ($size) = sort { $a <=> $b } $left, $FRAME_MAX, $self->{window},
            $stream->{window};
        return if $size <= 0;
        $self->frame(DATA, $size == $left ? END_STREAM : 0, $id,
            substr $$unsent, $stream->{sent}, $size);
        $stream->{sent} += $size;
        $stream->{window} -= $size;
        $self->{window} -= $size;
        delete $stream->{unsent} if $size == $left;
    }
    return;
}

# Takes in bytes; the streams that have ended thereby. A stream has headers
# (the last block of them), body, and reset when the peer reset it.
sub read_bytes {
    my ($self, $bytes) = @_;
    $self->{input} .= $bytes;
    if ($self->{preface_due}) {
        return if length $self->{input} < length PREFACE;
        substr $self->{input}, 0, length PREFACE, '';
        $self->{preface_due} = 0;
    }
    my @ended;
    while (length $self->{input} >= 9) {
        my ($high, $low, $type, $flags, $id) = unpack 'CnCCN', $self->{input};
        my $length = $high << 16 | $low;
        last if length $self->{input} < 9 + $length;
        my $payload = substr $self->{input}, 9, $length;
        substr $self->{input}, 0, 9 + $length, '';
        my $stream = $self->read_frame($type, $flags, $id, $payload);
        push @ended, $stream if $stream;
    }
    return @ended;
}

# The stream, when the frame ends it.
sub read_frame {
    my ($self, $type, $flags, $id, $payload) = @_;
    if ($type == SETTINGS) {
        $self->read_settings($payload) if !($flags & ACK);
        return;
    }
    if ($type == PING) {
        $self->frame(PING, ACK, 0, $payload) if !($flags & ACK);
        return;
    }
    if ($type == WINDOW_UPDATE) {
        my $holder = $id ? $self->stream($id) : $self;
        $holder->{window} += unpack 'N', $payload;
        $self->send_body($_) for sort { $a <=> $b } keys %{ $self->{streams} };
        return;
    }
    if ($type == GOAWAY) {
        $self->{goaway} = unpack 'x4N', $payload;
        return;
    }
    return if $type != DATA && $type != HEADERS && $type != CONTINUATION
        && $type != RST_STREAM;
    my $stream = $self->stream($id);
    if ($type == RST_STREAM) {
        $stream->{reset} = unpack 'N', $payload;
        delete $stream->{unsent};
        return $stream->{ended}++ ? undef : $stream;
    }
    if ($type == DATA) {
        $stream->{body} .= $payload;
    } else {
        $stream->{block} .= $payload;
        $stream->{is_last} = $flags & END_STREAM if $type == HEADERS;
        if ($flags & END_HEADERS) {
            push @{ $stream->{messages} }, decode_headers($stream->{block});
            $stream->{block} = '';
        }
    }
    my $ends = $type == DATA ? $flags & END_STREAM
        : $flags & END_HEADERS && $stream->{is_last};
    return $ends && !$stream->{ended}++ ? $stream : undef;
}

sub read_settings {
    my ($self, $payload) = @_;
    my @pairs = unpack '(nN)*', $payload;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        next if $name != 4;
        $_->{window} += $value - $self->{initial_window}
            for values %{ $self->{streams} };
        $self->{initial_window} = $value;
    }
    $self->frame(SETTINGS, ACK, 0, '');
    return;
}

1;
