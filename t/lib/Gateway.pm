package Gateway;

# An nginx with the module for tests that reload it, kill its workers or run
# several: master, workers, a room of its own. Requests are Client's.
use strict;
use warnings;
use Client qw(field wait_for);
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use POSIX ();
use Stack qw(children);
use Test::More ();

my $TOP = abs_path(dirname(abs_path(__FILE__)) . '/../..');
my $BUILD = $ENV{IDENTGW_BUILD} || $ENV{BUILD} || "$TOP/build";
my $NGINX = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my @running;

# http, server: text of the configuration; workers: how many; main; module: the
# module's file; env: of the processes.
sub new {
    my ($class, %with) = @_;
    my $room = tempdir('identgw-gateway.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0777, $room;
    my $self = bless { workers => 2, http => '', server => '', main => '',
        module => "$BUILD/ngx_http_identgw_module.so", env => {}, %with,
        room => $room, owner => $$ }, $class;
    push @running, $self;
    return $self;
}

sub start {
    my ($class, %with) = @_;
    my $self = $class->new(%with);
    $self->write_conf;
    $self->launch;
    return $self;
}

sub room { return $_[0]{room} }
sub address { return "$_[0]{room}/http" }
sub client { return Client->new($_[0]->address, @_[ 1 .. $#_ ]) }

sub write_conf {
    my ($self, %with) = @_;
    %$self = (%$self, %with);
    open my $out, '>', "$self->{room}/nginx.conf" or die "conf: $!\n";
    print $out $self->conf;
    close $out or die "conf: $!\n";
    return;
}

sub conf {
    my ($self) = @_;
    my $room = $self->{room};
    s/\bROOM\b/$room/g for @$self{qw(http server main)};
    my $env = join '', map { "env $_;\n" } sort keys %{ $self->{env} };
    return <<"END";
@{[ $> == 0 ? 'user root;' : '' ]}
load_module $self->{module};
worker_processes $self->{workers};
pid $room/nginx.pid;
error_log $room/error.log info;
$env$self->{main}
events { worker_connections 1024; }
http {
    log_format test '\$identgw_cache \$identgw_reason \$request_uri';
    access_log $room/access.log test;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    $self->{http}
    server {
        listen unix:$room/http;
        listen unix:$room/h2 http2;
        $self->{server}
    }
}
END
}

sub launch {
    my ($self) = @_;
    my $room = $self->{room};
    $self->{pid} = fork // die "fork: $!\n";
    if (!$self->{pid}) {
        $ENV{$_} = $self->{env}{$_} for keys %{ $self->{env} };
        open STDIN, '<', '/dev/null';
        open STDERR, '>>', "$room/stderr.log";
        exec $NGINX, '-p', $room, '-c', "$room/nginx.conf", '-e',
            "$room/error.log", '-g', 'daemon off;' or POSIX::_exit(127);
    }
    wait_for(sub { $self->workers == $self->{workers}
                && eval { $self->client; 1 } })
        or die "nginx does not start:\n", $self->log;
    return;
}

# The pids of workers that take requests.
sub workers {
    my ($self) = @_;
    return grep { $self->title($_) eq 'nginx: worker process' }
        children($self->{pid});
}

sub title {
    my ($self, $pid) = @_;
    open my $in, '<', "/proc/$pid/cmdline" or return '';
    my $title = <$in> // '';
    return $self->logged_title($pid) if $title =~ /valgrind/;
    $title =~ s/[\0 ]+\z//;
    $title =~ s/^.*\0//s;    # what a loader of its own was called with
    return $title;
}

# Of a worker that cannot change its own.
sub logged_title {
    my ($self, $pid) = @_;
    my $log = $self->log;
    return $log =~ /start worker process $pid\n/
        && $log !~ / $pid#$pid: gracefully shutting down/
        ? 'nginx: worker process' : '';
}

# New workers have taken over; the old ones may still be busy.
sub reload {
    my ($self, %with) = @_;
    $self->write_conf(%with) if %with;
    my %old = map { $_ => 1 } $self->workers;
    kill HUP => $self->{pid};
    wait_for(sub { my @new = $self->workers;
            @new == $self->{workers} && !grep { $old{$_} } @new })
        or die "no reload:\n", $self->log;
    return;
}

sub log {
    my ($self, $name) = @_;
    open my $in, '<', "$self->{room}/" . ($name // 'error.log') or return '';
    local $/;
    return <$in> // '';
}

# What "nginx -t" says of the configuration.
sub check {
    my ($self) = @_;
    my $room = $self->{room};
    return scalar `$NGINX -t -p $room -c $room/nginx.conf -e $room/t.log 2>&1`;
}

sub get {
    my ($self, $target, @headers) = @_;
    return $self->client->get($target, @headers);
}

# "HIT 200 alice": the cache's part, the status, the user that the upstream saw.
sub seen {
    my ($self, $id, $target, @headers) = @_;
    my $answer = $self->get($target // '/app', 'JSESSIONID', $id, @headers)
        or return 'nothing';
    my ($user) = $answer->{body} =~ /^HTTP_X_USER=(.*)$/m;
    return join ' ', field($answer, 'X-Cache') || '-', $answer->{status},
        $user // '-';
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill TERM => $pid;
    if (!wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid })) {
        kill KILL => children($self->{pid}), $pid;
        waitpid $pid, 0;
    }
    $self->keep_log($ENV{TEST_NGINX_ERROR_LOG}) if $ENV{TEST_NGINX_ERROR_LOG};
    return;
}

# As Test::Nginx does, for whoever looks for more than the test.
sub keep_log {
    my ($self, $path) = @_;
    open my $out, '>>', $path or die "$path: $!\n";
    print $out $self->log, $self->log('stderr.log');
    close $out or die "$path: $!\n";
    return;
}

# For a test's last claim: what its log may hold besides $allowed.
sub is_clean {
    my ($self, $allowed) = @_;
    $self->stop;
    my @bad = grep { /\[(?:alert|crit|emerg)\]|exited on signal/ }
        split /^/, $self->log;
    @bad = grep { !/$allowed/ } @bad if defined $allowed;
    Test::More::is("@bad", '', 'nothing is wrong in the error log');
    return;
}

END {
    my $status = $?;
    $_->stop for grep { $_->{owner} == $$ } @running;
    $? = $status;
}

1;
