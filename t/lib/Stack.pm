package Stack;

# The stack that `make run` starts, for a test: Stack->start, requests over
# plain sockets (so that a test sends exactly what it says), Stack->stop. The
# end of the test stops it, too.
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use FastCGI;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(children header headers json slurp wait_for);

my $TOP = abs_path(dirname(abs_path(__FILE__)) . '/../..');
my @running;

# Settings of scripts/run by name; conf and http are texts for the server and
# the http block of nginx.conf. IDENTGW_RESTART=hand is always set.
sub start {
    my ($class, %with) = @_;
    my $var = tempdir('identgw-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $var;
    my $self = bless { var => $var, helpers => [], owner => $$ }, $class;
    my %env = (
        PORT => 0,
        VAR => "$var/stack",
        BUILD => $ENV{BUILD} || "$TOP/build",
        IDENTGW_RESTART => 'hand',
        IDENTGW_LOGIN_RATE => '1000r/s',
        IDENTPROV_REGISTRATION_RATE => 60_000,
        %{ $with{env} || {} });
    for my $name (qw(conf http)) {
        next if !defined $with{$name};
        my $file = "$var/extra-$name";
        spew($file, $with{$name} =~ s/\@VAR\@/$var/gr);
        $env{ $name eq 'conf' ? 'IDENTGW_EXTRA_CONF' : 'IDENTGW_EXTRA_HTTP' }
            = $file;
    }
    push @running, $self;
    $self->{pid} = $self->spawn(\%env, "$TOP/scripts/run");
    $self->{url} = $self->wait_until_ready;
    ($self->{port}) = $self->{url} =~ /:(\d+)$/;
    return $self;
}

sub spawn {
    my ($self, $env, @command) = @_;
    pipe $self->{stdout}, my $write or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setpgrp 0, 0;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>&', $write;
        open STDERR, '>', "$self->{var}/run.err";
        $ENV{$_} = $env->{$_} for keys %$env;
        exec @command or POSIX::_exit(127);
    }
    close $write;
    return $pid;
}

sub wait_until_ready {
    my ($self) = @_;
    my $select = IO::Select->new($self->{stdout});
    my $end = time + 120;
    my $text = '';
    while (time < $end && $text !~ /^ready: (\S+)$/m) {
        next if !$select->can_read(1);
        sysread $self->{stdout}, $text, 4096, length $text or last;
    }
    return $1 if $text =~ /^ready: (\S+)$/m;
    $self->explain;
    die "the stack did not come up\n";
}

sub var { return $_[0]{var} . '/stack' }
sub url { return $_[0]{url} }
sub port { return $_[0]{port} }
sub log { return slurp($_[0]->var . "/log/$_[1].log") }
sub socket { return $_[0]->setting('IDENTGW_SOCKETS') . "/$_[1].sock" }

# A part's process id; undef while it is not running.
sub pid_of {
    my ($self, $part) = @_;
    open my $file, '<', $self->var . "/run/$part.pid" or return;
    my ($pid) = (<$file> // '') =~ /^(\d+)/;
    return $pid && kill(0, $pid) ? $pid : undef;
}

# Where things really are: VAR/env of scripts/run.
sub setting {
    my ($self, $name) = @_;
    my ($value) = slurp($self->var . '/env') =~ /^\Q$name\E='?(.*?)'?$/m
        or die "no $name in env\n";
    return $value;
}

sub kill_part {
    my ($self, $signal, $part) = @_;
    my $pid = $self->pid_of($part) or die "$part is not running\n";
    kill $signal, $pid or die "$part: $!\n";
    wait_for(20, "the end of $part", sub { !defined $self->pid_of($part) });
    return;
}

# Starts again whatever is not running.
sub restart_parts {
    my ($self, @parts) = @_;
    kill 'HUP', $self->{pid};
    wait_for(60, "the return of @parts",
        sub { !grep { !defined $self->pid_of($_) } @parts });
    return;
}

# FastCGI processes of the test, stopped with the stack.
sub add_helper {
    my ($self, $pid) = @_;
    push @{ $self->{helpers} }, $pid;
    return;
}

sub stop {
    my ($self) = @_;
    my %left = map { $_ => scalar $self->pid_of($_) }
        qw(postgres identprov userprofile nginx);
    for my $pid (splice @{ $self->{helpers} }) {
        kill 'TERM', -$pid;
        waitpid $pid, 0;
    }
    my $pid = delete $self->{pid} or return 0;
    kill 'TERM', $pid;
    my $end = time + 60;
    my $status;
    while (time < $end && !defined $status) {
        $status = $? if waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.02;
    }
    if (!defined $status) {
        kill 'KILL', -$pid;
        waitpid $pid, 0;
    }
    my @alive = grep { $left{$_} && kill 0, $left{$_} } sort keys %left;
    kill 'KILL', @left{@alive} if @alive;
    return defined $status && $status == 0 && !@alive;
}

# For a test's last claim.
sub stops_cleanly {
    my ($self) = @_;
    Test::More::ok($self->stop, 'SIGTERM stops the stack, nothing is left')
        or $self->explain;
    return;
}

# What the parts have said, for a test that failed.
sub explain {
    my ($self) = @_;
    show_logs("$self->{var}/run.err", glob $self->var . '/log/*.log');
    return;
}

# The ends of these files, for whoever looks why a test failed.
sub show_logs {
    for my $file (@_) {
        my @lines = split /^/, eval { slurp($file) } // '';
        splice @lines, 0, -25 if @lines > 25;
        Test::More::diag("--- $file\n", @lines);
    }
    return;
}

END {
    my $status = $?;
    my $failed = $status != 0 || !Test::More->builder->is_passing;
    for my $self (@running) {
        next if $self->{owner} != $$ || !$self->{pid};
        $self->explain if $failed;
        $self->stop;
    }
    $? = $status;
}
$SIG{$_} = sub { exit 1 } for qw(INT TERM);

# --- HTTP --------------------------------------------------------------------

# headers => [name, value, ...] as they stand; body => bytes; http => '1.0'.
# { status, headers => [name, value, ...], body }; status 0: no answer.
sub request {
    my ($self, $method, $target, %with) = @_;
    my @headers = @{ $with{headers} || [] };
    my $body = $with{body};
    push @headers, 'Content-Length', length $body
        if defined $body && !$with{no_length};
    my $text = "$method $target HTTP/1.1\r\n";
    $text .= "Host: 127.0.0.1:$self->{port}\r\n" if !$with{no_host};
    $text .= "Connection: close\r\n" if !$with{keep};
    while (my ($name, $value) = splice @headers, 0, 2) {
        $text .= "$name: $value\r\n";
    }
    return $self->raw("$text\r\n" . ($body // ''), method => $method);
}

# Sends bytes, reads to the end of the connection: the answer.
sub raw {
    my ($self, $bytes, %with) = @_;
    my $answer = $self->exchange($bytes, $with{timeout});
    return parse($answer, $with{method} // '');
}

# The same, whatever comes back as it stands.
sub exchange {
    my ($self, $bytes, $timeout) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 10)
        or return "connect: $!";
    my $answer = '';
    my $end = time + ($timeout || 30);
    my $both = IO::Select->new($socket);
    $socket->blocking(0);
    while (time < $end) {
        my ($readable, $writable) = IO::Select->select(
            $both, length $bytes ? $both : undef, undef, 1);
        if ($writable && @$writable) {
            my $count = syswrite $socket, $bytes, 65536;
            $bytes = defined $count ? substr($bytes, $count) : '';
        }
        next if !$readable || !@$readable;
        my $count = sysread $socket, $answer, 65536, length $answer;
        last if defined $count ? !$count : !$!{EAGAIN};
    }
    return $answer;
}

sub parse {
    my ($answer, $method) = @_;
    my ($head, $body) = split /\r\n\r\n/, $answer, 2;
    my ($line, @lines) = split /\r\n/, $head // '';
    my ($status) = ($line // '') =~ m{^HTTP/1\.[01] (\d{3})};
    return { status => 0, headers => [], body => $answer } if !$status;
    return parse($body, $method) if $status == 100;
    my @headers = map { split /:\s*/, $_, 2 } @lines;
    my $result = { status => $status, headers => \@headers,
        body => $body // '' };
    my $coding = header($result, 'Transfer-Encoding') // '';
    $result->{body} = dechunk($result->{body})
        if $coding eq 'chunked' && $method ne 'HEAD';
    return $result;
}

sub dechunk {
    my ($text) = @_;
    my $body = '';
    while ($text =~ s/^([0-9a-f]+)\r\n//i) {
        my $length = hex $1 or last;
        $body .= substr $text, 0, $length, '';
        $text =~ s/^\r\n//;
    }
    return $body;
}

# The values of a header, in any case of its name; header() joins them.
sub headers {
    my ($answer, $name) = @_;
    my @pairs = @{ $answer->{headers} };
    my @values;
    while (my ($each, $value) = splice @pairs, 0, 2) {
        push @values, $value if lc $each eq lc $name;
    }
    return @values;
}

sub header {
    my @values = headers(@_);
    return @values ? join ', ', @values : undef;
}

# The answer's JSON, undef when it is none.
sub json {
    my ($answer) = @_;
    return eval { JSON::PP->new->utf8->decode($answer->{body}) };
}

# --- the flow ----------------------------------------------------------------

sub post_json {
    my ($self, $target, $data, %with) = @_;
    return $self->send_json('POST', $target, $data, %with);
}

sub send_json {
    my ($self, $method, $target, $data, %with) = @_;
    my $body = ref $data ? JSON::PP->new->utf8->canonical->encode($data)
        : $data;
    return $self->request($method, $target, body => $body,
        headers => [ 'Content-Type', 'application/json',
            @{ $with{headers} || [] } ]);
}

# Registers a user and logs in: the session id.
sub session {
    my ($self, $username, %with) = @_;
    my $prefix = delete $with{prefix} // '';
    my %user = (
        username => $username,
        password => "correct horse $$ battery",
        email => lc($username) . '@example.org',
        first_name => ucfirst $username,
        %with);
    my $answer = $self->post_json("$prefix/register", \%user);
    die "register: $answer->{status} $answer->{body}\n"
        if $answer->{status} != 201;
    return $self->login($user{username}, $user{password}, $prefix);
}

sub login {
    my ($self, $username, $password, $prefix) = @_;
    my $answer = $self->post_json(($prefix // '') . '/login',
        { username => $username, password => $password });
    die "login: $answer->{status} $answer->{body}\n"
        if $answer->{status} != 200;
    return header($answer, 'JSESSIONID');
}

# --- small things ------------------------------------------------------------

sub wait_for {
    my ($seconds, $what, $is_done) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        my $result = $is_done->();
        return $result if $result;
        sleep 0.05;
    }
    die "waited $seconds s in vain for $what\n";
}

# Of a process: their numbers; none when it is gone.
sub children {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/task/$pid/children" or return;
    return split ' ', <$in> // '';
}

sub slurp {
    my ($name) = @_;
    open my $file, '<:raw', $name or die "$name: $!\n";
    local $/;
    return scalar <$file> // '';
}

sub spew {
    my ($name, $text) = @_;
    open my $file, '>:raw', $name or die "$name: $!\n";
    print $file $text;
    close $file or die "$name: $!\n";
    return;
}

1;
