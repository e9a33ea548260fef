package JwksServer;

# An HTTP server of one document, which behaves as it is told: a test's source
# of keys. JwksServer->new, behave('hang'), publish($text), requests, stop.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep);

# What each behavior sends; none is waited for longer than a client waits.
my %WAYS = (
    serve => sub { answer($_[0], '200 OK', slurp("$_[1]/document")) },
    error => sub { answer($_[0], '500 Internal Server Error', 'no') },
    garbage => sub { answer($_[0], '200 OK', "\x00\xff<html>" x 100) },
    huge => sub { answer($_[0], '200 OK', ' ' x (8 << 20)) },
    closed => sub { },
    short => sub {
        print { $_[0] } "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
            slurp("$_[1]/document");
    },
    redirect => sub {
        answer($_[0], '302 Found', '', 'Location: /elsewhere');
    },
    foreign => sub {
        answer($_[0], '301 Moved', '', 'Location: http://192.0.2.1/jwks');
    },
    hang => sub { sleep 20 },
);

sub new {
    my ($class) = @_;
    my $dir = tempdir('identgw-jwks-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $self = bless { dir => $dir, owner => $$ }, $class;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => 0, Listen => 64) or die "JwksServer: $!\n";
    $self->{port} = $listener->sockport;
    $self->behave('serve');
    $self->publish('');
    open my $log, '>>', "$dir/requests" or die "$dir/requests: $!\n";
    $self->{pid} = fork // die "fork: $!\n";
    if (!$self->{pid}) {
        setpgrp 0, 0;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM);
        $SIG{CHLD} = 'IGNORE';
        $SIG{PIPE} = 'IGNORE';
        serve($dir, $listener);
        POSIX::_exit(0);
    }
    return $self;
}

sub url { return "http://127.0.0.1:$_[0]{port}/jwks" }

sub behave { return put($_[0], 'way', $_[1]) }
sub publish { return put($_[0], 'document', $_[1]) }

# The paths that were asked for since the last time.
sub requests {
    my ($self) = @_;
    my @all = split /\n/, slurp("$self->{dir}/requests");
    my @new = @all[ ($self->{seen} // 0) .. $#all ];
    $self->{seen} = @all;
    return @new;
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid};
    return if !$pid || $self->{owner} != $$;
    kill 'KILL', -$pid;
    waitpid $pid, 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    local $?;
    $self->stop;
    return;
}

sub serve {
    my ($dir, $listener) = @_;
    while (1) {
        my $client = $listener->accept or next;
        my $pid = fork;
        next if !defined $pid || $pid;
        my $line = <$client> // '';
        while (defined(my $header = <$client>)) {
            last if $header =~ /^\r?\n/;
        }
        open my $log, '>>', "$dir/requests";
        syswrite $log, ($line =~ /^GET (\S+)/ ? $1 : '?') . "\n";
        $WAYS{ slurp("$dir/way") }->($client, $dir);
        close $client;
        POSIX::_exit(0);
    }
    return;
}

sub answer {
    my ($client, $status, $body, @headers) = @_;
    print {$client} join "\r\n", "HTTP/1.1 $status",
        'Content-Type: application/json', 'Content-Length: ' . length $body,
        'Connection: close', @headers, '', $body;
    return;
}

sub put {
    my ($self, $name, $text) = @_;
    my $file = "$self->{dir}/$name";
    open my $out, '>', "$file.new" or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

sub slurp {
    my ($name) = @_;
    open my $in, '<:raw', $name or die "$name: $!\n";
    local $/;
    return scalar <$in> // '';
}

1;
