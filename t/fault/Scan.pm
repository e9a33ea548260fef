package Scan;

# A stack with TLS, as nginx.conf.example says it, for tools that look for holes.
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Stack qw(slurp);
use Test::More;
use Time::HiRes qw(sleep time);
use parent qw(Watch);


# What a scanner must find, or it looks for nothing.
my $PLANTED = <<'END';
location = /planted {
    identgw off;
    default_type text/html;
    if ($args ~ "%27|%22|'") {
        return 200 "PostgreSQL query failed: ERROR: syntax error at or near $args";
    }
    return 200 "<html><body>fine</body></html>";
}
END

sub start {
    my ($class) = @_;
    my $port = $ENV{TEST_NGINX_PORT} || 18_080;
    my ($tls, $inner) = ($port + 1, $port + 2);
    my $room = tempdir('identgw-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $room;
    my $example = slurp('nginx.conf.example');
    my ($zone) = $example =~ /^ *#\+ (limit_conn_zone .*)$/m;
    my $stack = Stack->start(
        env => { PORT => $port, IDENTPROV_HASH_MINIMUM => 'none',
            IDENTPROV_HASH_MEMORY => '64k', IDENTPROV_HASH_PASSES => 1 },
        conf => server_lines($example, $room, $tls)
            . "location = /whoami {\n    identgw on;\n"
            . "    proxy_pass http://127.0.0.1:$inner;\n}\n" . $PLANTED,
        http => "$zone\nserver {\n    listen 127.0.0.1:$inner;\n    access_log off;\n"
            . "    location / { return 200 \"[\$http_x_user]\"; }\n}\n");
    my $self = $class->new($stack);
    @$self{qw(room http https)} = ($room, "http://127.0.0.1:$port",
        "https://127.0.0.1:$tls");
    return $self;
}

# What nginx.conf.example has to be turned on in its server, for TLS and else, on
# a port and with a certificate of the test's.
sub server_lines {
    my ($example, $room, $port) = @_;
    system('openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256'
        . " -nodes -subj /CN=gateway.test -days 90 -keyout $room/gateway.key"
        . ' -addext subjectAltName=DNS:gateway.test,IP:127.0.0.1'
        . " -out $room/gateway.pem 2> $room/openssl.log") == 0
        or die "no certificate: see $room/openssl.log\n";
    my ($block) = $example =~ /^    server \{(.*?)^ +server_name/ms or die "no server\n";
    my $lines = join '', map { "$_\n" } $block =~ /^ *#\+ (.*)$/mg;
    $lines =~ s/listen 443 ssl/listen 127.0.0.1:$port ssl/
        or die "no listen\n";
    ($lines =~ s{/etc/ssl/\w+/(gateway\.\w+)}{$room/$1}g) == 2
        or die "no certificate\n";
    return $lines;
}

sub http { return $_[0]{http} }
sub https { return $_[0]{https} }
sub file { return "$_[0]{room}/$_[1]" }

# A tool that ends by itself or is ended after so many seconds: its exit status
# (124: it was), and what it has said, which is in the file of its name, too.
sub run {
    my ($self, $name, $seconds, @command) = @_;
    my $out = $self->file("$name.out");
    my $begun = time;
    my $pid = $self->begin($out, $seconds, @command);
    waitpid $pid, 0;
    diag(sprintf '%s: %.0f s', $name, time - $begun);
    return ($? >> 8, slurp($out));
}

sub begin {
    my ($self, $out, $seconds, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', $out;
    open STDERR, '>&', \*STDOUT;
    $ENV{HOME} = $self->{room};
    chdir $self->{room};
    exec 'timeout', '-k', 5, $seconds, @command;
    die "$command[0]: $!\n";
}

# What somebody at another address is told who asks for a path, often, until the
# process has ended: each status, and how often.
sub meanwhile {
    my ($self, $pid, $path) = @_;
    my %seen;
    until (waitpid($pid, POSIX::WNOHANG()) == $pid) {
        my $answer = $self->ask_from('127.0.0.2', $path);
        $seen{ $answer->{status} || 'none' }++;
        sleep 0.02;
    }
    return \%seen;
}

sub ask_from {
    my ($self, $address, $path) = @_;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Timeout => 10,
        PeerPort => $self->{stack}->port, LocalAddr => $address)
        or return { status => 'none' };
    print $socket "GET $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        . "JSESSIONID: $self->{session}\r\n\r\n";
    local $/;
    my $text = '';
    eval {
        local $SIG{ALRM} = sub { die "late\n" };
        alarm 10;
        $text = <$socket> // '';
        alarm 0;
    };
    return Stack::parse($text, 'GET');
}

1;
