package Rolling;

# A stack's gateway and applications as an init holds them: with listening
# sockets that stay while a process gives way to the next. Applications are the
# stack's own, each started here instead; the gateway is a second nginx.
use strict;
use warnings;
use Cwd qw(abs_path);
use IO::Socket::UNIX;
use POSIX ();
use Stack qw(children slurp wait_for);

my $BUILD = abs_path($ENV{BUILD} || 'build');
my $NGINX = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my $FIRST_FD = 3; # of sd_listen_fds(3)
my @running;

# port, tls, inner: of nginx, and of the application behind it; env: of the
# programs.
sub start {
    my ($class, $stack, %with) = @_;
    my $self = bless { stack => $stack, pids => {}, owner => $$, %with },
        $class;
    push @running, $self;
    for my $name (qw(identprov userprofile)) {
        $stack->kill_part('TERM', $name);
        $self->{listener}{$name} = IO::Socket::UNIX->new(
            Local => $stack->socket($name), Listen => 4096)
            or die "$name: $!\n";
        chmod 0666, $stack->socket($name);
        $self->{pids}{$name} = $self->start_program($name);
    }
    $self->start_nginx;
    return $self;
}

# --- applications -----------------------------------------------------------------

sub start_program {
    my ($self, $name) = @_;
    my $log = "$self->{stack}{var}/$name-" . ++$self->{count} . '.log';
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $self->become_program($name, $log);
        POSIX::_exit(127);
    }
    wait_for(60, $name, sub { -e $log && slurp($log) =~ /"started"/ });
    return $pid;
}

sub become_program {
    my ($self, $name, $log) = @_;
    my $stack = $self->{stack};
    %ENV = (%ENV, %{ $self->{env} });
    $ENV{$_} = $stack->setting($_) for qw(IDENTPROV_DATABASE
        IDENTPROV_KEY_PASSPHRASE_FILE USERPROFILE_DATABASE
        USERPROFILE_JWKS_FILE);
    s/user=(\w+)/user=$1_serve/ for @ENV{qw(IDENTPROV_DATABASE
        USERPROFILE_DATABASE)};
    delete $ENV{USERPROFILE_JWKS_FILE} if $ENV{USERPROFILE_JWKS_URL};
    open STDIN, '<', '/dev/null';
    open STDOUT, '>', $log;
    open STDERR, '>&', \*STDOUT;
    POSIX::dup2(fileno $self->{listener}{$name}, $FIRST_FD);
    @ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
    exec "$BUILD/$name", 'serve';
}

# The next one is there before the last one goes.
sub replace {
    my ($self, $name) = @_;
    my $last = $self->{pids}{$name};
    $self->{pids}{$name} = $self->start_program($name);
    end($last);
    return;
}

# As systemctl restart: the last one goes first, and who connects waits.
sub restart {
    my ($self, $name) = @_;
    end($self->{pids}{$name});
    $self->{pids}{$name} = $self->start_program($name);
    return;
}

sub end {
    my ($pid) = @_;
    kill TERM => $pid;
    wait_for(30, "the end of $pid",
        sub { waitpid($pid, POSIX::WNOHANG()) == $pid });
    die "$pid: status $?\n" if $?;
    return;
}

# --- nginx ------------------------------------------------------------------------

sub start_nginx {
    my ($self) = @_;
    my $stack = $self->{stack};
    my $var = $self->{nginx_var} = "$stack->{var}/rolling";
    mkdir $_ for $var, "$var/tmp", "$var/log";
    my $conf = slurp($stack->var . '/nginx.conf');
    my $extra = slurp("$stack->{var}/extra-http");
    s/127\.0\.0\.1:$self->{inner}/127.0.0.1:$self->{inner_here}/g
        for $extra, my $inside = slurp("$stack->{var}/extra-conf");
    my $tls = "listen 127.0.0.1:$self->{tls} ssl; ssl_certificate "
        . "$var/server.pem; ssl_certificate_key $var/server.key;";
    $conf =~ s/listen 127\.0\.0\.1:\d+/$tls listen 127.0.0.1:$self->{port}/;
    $conf =~ s/include \S+extra-http;/$extra/;
    $conf =~ s/include \S+extra-conf;/$inside/;
    $conf =~ s{\Q@{[ $stack->var ]}\E/(tmp|log)}{$var/$1}g;
    $self->make_ca;
    $self->make_certificate;
    Stack::spew("$var/nginx.conf", $conf);
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDERR, '>>', "$var/log/start.log";
        open STDOUT, '>&', \*STDERR;
        exec $NGINX, '-p', $var, '-c', "$var/nginx.conf", '-e',
            "$var/log/nginx-error.log" or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    die "nginx does not start:\n", slurp("$var/log/start.log") if $?;
    $self->{pids}{nginx} = $self->nginx_pid;
    return;
}

sub ca { return "$_[0]{nginx_var}/ca.pem" }

sub make_ca {
    my ($self) = @_;
    $self->openssl('req -x509 -subj /CN=the-ca -keyout ca.key -out ca.pem');
    return;
}

# The next one, with a key of its own, in place of the last.
sub make_certificate {
    my ($self) = @_;
    my $name = 'number-' . ++$self->{certificates};
    $self->openssl("req -x509 -CA ca.pem -CAkey ca.key -subj /CN=$name"
            . ' -addext subjectAltName=IP:127.0.0.1'
            . ' -keyout new.key -out new.pem');
    for my $ending (qw(key pem)) {
        my ($new, $file) = map { "$self->{nginx_var}/$_.$ending" }
            qw(new server);
        rename $new, $file or die "$file: $!\n";
    }
    return $name;
}

sub openssl {
    my ($self, $arguments) = @_;
    my $var = $self->{nginx_var};
    system("cd '$var' && openssl $arguments -newkey ec -pkeyopt"
            . ' ec_paramgen_curve:P-256 -nodes -batch -days 1'
            . ' 2>> log/openssl.log') == 0
        or die "openssl: see $var/log/openssl.log\n";
    return;
}

# Certificate and key are replaced, and nginx is told so: the new one's name.
sub rotate_certificate {
    my ($self) = @_;
    my $name = $self->make_certificate;
    $self->reload;
    return $name;
}

# Of the youngest one; undef while it starts.
sub nginx_pid {
    my ($self) = @_;
    my $file = "$self->{nginx_var}/tmp/nginx.pid";
    my ($pid) = (eval { slurp($file) } // '') =~ /^(\d+)$/m;
    return $pid && kill(0, $pid) ? $pid : undef;
}

sub reload {
    my ($self) = @_;
    my $pid = $self->{pids}{nginx};
    my %old = map { $_ => 1 } children($pid);
    kill HUP => $pid;
    wait_for(30, 'new workers',
        sub { 2 <= grep { !$old{$_} } children($pid) });
    return;
}

# To the same program, as nginx's documentation says.
sub upgrade {
    my ($self) = @_;
    my $old = $self->{pids}{nginx};
    kill USR2 => $old;
    my $new = wait_for(30, 'the new nginx', sub {
        my $pid = $self->nginx_pid;
        $pid && $pid != $old && children($pid) >= 2 && $pid;
    });
    kill QUIT => $old;
    wait_for(60, 'the end of the old nginx', sub { !kill 0, $old });
    $self->{pids}{nginx} = $new;
    return;
}

# --- the end ----------------------------------------------------------------------

sub stop {
    my ($self) = @_;
    my %pids = %{ $self->{pids} };
    $self->{pids} = {};
    if (my $nginx = delete $pids{nginx}) {
        kill TERM => $nginx;
        wait_for(30, 'the end of nginx', sub { !kill 0, $nginx });
    }
    end($_) for values %pids;
    return;
}

END {
    my $status = $?;
    $_->stop for grep { $_->{owner} == $$ } @running;
    $? = $status;
}

1;
