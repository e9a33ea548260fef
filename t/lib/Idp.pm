package Idp;

# identprov behind a plain nginx on a PostgreSQL of its own, for tests that
# choose its settings, run several of it, or kill what it stands on. Requests
# are Stack's.
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use FastCGI;
use IPC::Open2 qw(open2);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX ();
use Stack qw(header json slurp wait_for);
use Test::More ();
use Time::HiRes qw(sleep time);

our @ISA = qw(Stack);
our @EXPORT_OK = qw(header json wait_for);

my $TOP = abs_path(dirname(abs_path(__FILE__)) . '/../..');
my $BUILD = abs_path($ENV{BUILD} || "$TOP/build");
my $PG = $ENV{PG_BINDIR} || (sort glob '/usr/lib/postgresql/*/bin')[-1];
my $NGINX = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
my @UNPRIVILEGED = $> == 0
    ? qw(setpriv --reuid=nobody --regid=nogroup --clear-groups) : ();
my $COUNT = 3; # programs that nginx knows
my $NO_CONNECTION = 2; # the exit status of a psql that has lost its own
my @running;

# env: settings of every program, without their prefix; postgres: more options of
# PostgreSQL; programs: the directory of identprov. Nothing runs yet but
# PostgreSQL, with a migrated database.
sub new {
    my ($class, %with) = @_;
    my $room = tempdir('identgw-idp-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $room;
    my $self = bless { room => $room, owner => $$, pids => {},
        postgres_options => $with{postgres} || [],
        programs => $with{programs} || $BUILD }, $class;
    push @running, $self;
    $self->{env} = {
        DATABASE => "host=$room/pg dbname=identprov user=postgres",
        SERVE_ROLE => 'identprov_serve',
        KEY_PASSPHRASE_FILE => "$room/passphrase",
        REGISTRATION => 'open',
        REGISTRATION_RATE => 60_000,
        HASH_MINIMUM => 'none',
        HASH_MEMORY => '64k',
        HASH_PASSES => 1,
        %{ $with{env} || {} } };
    $self->make_passphrase("$room/passphrase", 'a passphrase of the tests');
    mkdir "$room/pg" or die "$room/pg: $!\n";
    if ($> == 0) {
        my ($uid, $gid) = (getpwnam 'nobody')[ 2, 3 ];
        chown $uid, $gid, "$room/pg";
    }
    $self->quietly(@UNPRIVILEGED, "$PG/initdb", '-D', "$room/pg/data", '-A',
        'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C.UTF-8',
        '--no-sync');
    $self->start_postgres;
    $self->quietly("$PG/createdb", '-h', "$room/pg", '-U', 'postgres',
        'identprov');
    $self->sql('CREATE ROLE identprov_serve LOGIN');
    if (!$with{unmigrated}) {
        my ($status, undef, $errors) = $self->run(['migrate']);
        die "migrate: $errors\n" if $status;
    }
    return $self;
}

# PostgreSQL, one identprov, nginx.
sub start {
    my ($class, %with) = @_;
    my $self = $class->new(%with);
    $self->start_identprov(0);
    $self->start_nginx;
    return $self;
}

sub room { return $_[0]{room} }

sub make_passphrase {
    my ($self, $file, $text, $mode) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    chmod $mode // 0600, $file;
    print $out "$text\n";
    close $out or die "$file: $!\n";
    return;
}

sub quietly {
    my ($self, @command) = @_;
    my $pid = $self->spawn_logged('setup', {}, @command);
    waitpid $pid, 0;
    return if $? == 0;
    die "@command failed:\n", slurp("$self->{room}/setup.log"), "\n";
}

sub spawn_logged {
    my ($self, $name, $env, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    chdir '/';
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$self->{room}/$name.log";
    open STDERR, '>&', \*STDOUT;
    $ENV{$_} = $env->{$_} for keys %$env;
    exec @command or POSIX::_exit(127);
}

# Settings with their prefix; undef takes one away.
sub environment {
    my ($self, %more) = @_;
    my %env = (%{ $self->{env} }, %more);
    return { map { defined $env{$_} ? ("IDENTPROV_$_" => $env{$_}) : () }
            keys %env };
}

# After a kill the next start waits for what the killed one left behind.
sub start_postgres {
    my ($self) = @_;
    my $room = $self->{room};
    my $is_ready = "$PG/pg_isready -q -h '$room/pg' -U postgres";
    wait_for(60, 'PostgreSQL', sub {
        return 1 if $self->is_alive('postgres') && system($is_ready) == 0;
        $self->launch_postgres if !$self->is_alive('postgres');
        return 0;
    });
    return;
}

sub launch_postgres {
    my ($self) = @_;
    my $room = $self->{room};
    $self->{pids}{postgres} = $self->spawn_logged('postgres', {},
        @UNPRIVILEGED, "$PG/postgres", '-D', "$room/pg/data", '-k',
        "$room/pg", '-c', 'listen_addresses=', '-c', 'max_connections=80',
        '-c', 'shared_buffers=16MB', @{ $self->{postgres_options} });
    return;
}

# Number $which of the programs, with other settings if there are any. It is
# the role that only serves; the command line is the owner.
sub start_identprov {
    my ($self, $which, %env) = @_;
    $self->launch_identprov($which, %env);
    $self->await_identprov($which);
    return;
}

sub launch_identprov {
    my ($self, $which, %env) = @_;
    my $settings = $self->environment(%env);
    $settings->{IDENTPROV_DATABASE} =~
        s/\Q$self->{room}\E\/pg.*\Kuser=postgres/user=identprov_serve/;
    $self->{pids}{"identprov-$which"} = $self->spawn_logged(
        "identprov-$which", $settings, "$self->{programs}/identprov",
        'serve', '--listen', "unix:$self->{room}/identprov-$which.sock");
    return;
}

sub await_identprov {
    my ($self, $which) = @_;
    my $socket = "$self->{room}/identprov-$which.sock";
    wait_for(60, "identprov $which", sub {
        IO::Socket::UNIX->new(Peer => $socket) || !$self->is_alive(
            "identprov-$which");
    });
    $self->is_alive("identprov-$which") or die "identprov $which ended\n";
    chmod 0666, $socket;
    return;
}

sub is_alive {
    my ($self, $name) = @_;
    my $pid = $self->{pids}{$name} or return 0;
    return waitpid($pid, POSIX::WNOHANG()) == 0;
}

# Ends a part and waits for it: its wait status.
sub end_part {
    my ($self, $signal, $name) = @_;
    my $pid = delete $self->{pids}{$name} or die "no $name\n";
    $self->end_psql if $name eq 'postgres';
    kill $signal, $pid;
    my $end = time + 30;
    while (time < $end) {
        return $? if waitpid($pid, POSIX::WNOHANG()) == $pid;
        sleep 0.02;
    }
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return -1;
}

# --- nginx -------------------------------------------------------------------

# /       the first program            /auth/  the same under a prefix
# /N/     program N                    /tls/   the first, as over TLS
# /in/    the first, internal          /sid/   the first, another session name
sub start_nginx {
    my ($self) = @_;
    my $room = $self->{room};
    mkdir "$room/nginx";
    chmod 0777, "$room/nginx";
    for my $try (1 .. 20) {
        $self->{port} = free_port();
        unlink "$room/nginx.pid";
        Stack::spew("$room/nginx.conf", $self->nginx_conf);
        $self->{pids}{nginx} = $self->spawn_logged('nginx', {}, $NGINX, '-p',
            "$room/nginx", '-c', "$room/nginx.conf", '-e',
            "$room/nginx-error.log", '-g', 'daemon off;');
        wait_for(20, 'nginx', sub {
            !$self->is_alive('nginx') || -s "$room/nginx.pid";
        });
        return if $self->is_alive('nginx');
    }
    die "nginx does not start\n";
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => 0, Listen => 1) or die "no port: $!\n";
    return $socket->sockport;
}

sub nginx_conf {
    my ($self) = @_;
    my $room = $self->{room};
    my %with = (
        auth => '', in => 'fastcgi_param IDENTGW_INTERNAL 1;',
        tls => 'fastcgi_param HTTPS on;',
        sid => 'fastcgi_param IDENTGW_SESSION_NAME sid;');
    my $locations = join '',
        (map { location($room, $_, 0, $with{$_}) } sort keys %with),
        (map { location($room, $_, $_, '') } 1 .. $COUNT - 1),
        location($room, '', 0, '');
    return <<"END";
@{[ $> == 0 ? 'user root;' : '' ]}
worker_processes 1;
pid $room/nginx.pid;
error_log $room/nginx-error.log info;
events { worker_connections 256; }
http {
    access_log $room/access.log;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    client_max_body_size 2m;
    fastcgi_buffer_size 8k;
    fastcgi_buffers 8 8k;
    server {
        listen 127.0.0.1:$self->{port};
        $locations
    }
}
END
}

sub location {
    my ($room, $name, $which, $more) = @_;
    my $prefix = length $name ? "/$name" : '';
    return <<"END";
        location ~ ^$prefix(/.*)\$ {
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_param SCRIPT_NAME "$prefix";
            fastcgi_param PATH_INFO \$1;
            fastcgi_param QUERY_STRING \$query_string;
            fastcgi_param CONTENT_TYPE \$content_type;
            fastcgi_param CONTENT_LENGTH \$content_length;
            fastcgi_param REQUEST_ID \$request_id;
            fastcgi_param REMOTE_ADDR \$remote_addr;
            $more
            fastcgi_pass unix:$room/identprov-$which.sock;
        }
END
}

# --- the rest ----------------------------------------------------------------

# Runs the program: exit status, standard output, standard error. Input is
# with{stdin}, settings with{env}.
sub run {
    my ($self, $arguments, %with) = @_;
    waitpid $self->begin_command($arguments, %with), 0;
    return ($? >> 8, map { slurp("$self->{room}/run-$_") } qw(out err));
}

# Its pid.
sub begin_command {
    my ($self, $arguments, %with) = @_;
    my %file = map { $_ => "$self->{room}/run-$_" } qw(in out err);
    Stack::spew($file{in}, $with{stdin} // '');
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', $file{in};
        open STDOUT, '>', $file{out};
        open STDERR, '>', $file{err};
        my $env = $self->environment(%{ $with{env} || {} });
        $ENV{$_} = $env->{$_} for keys %$env;
        alarm 60; # a server that should not have started
        exec "$self->{programs}/identprov", @$arguments or POSIX::_exit(127);
    }
    return $pid;
}

# What psql prints, unaligned; rows on lines. One psql is there for all that this
# process asks, until its connection is lost: to begin one costs far more.
sub sql {
    my ($self, $sql) = @_;
    utf8::encode($sql) if utf8::is_utf8($sql);
    my $text = $self->psql_says($sql);
    $text = $self->psql_says($sql) if $self->{psql_status} == $NO_CONNECTION;
    die "psql: $sql failed\n" if $self->{psql_status};
    chomp $text;
    return $text;
}

sub psql_says {
    my ($self, $sql) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $psql = $self->{psql}{$$} //= $self->begin_psql;
    my $end = "--- the end of $$ ---\n";
    print { $psql->{in} } "$sql\n;\n\\echo $end";
    my $text = '';
    while (defined(my $line = readline $psql->{out})) {
        $self->{psql_status} = 0;
        return $text if $line eq $end;
        $text .= $line;
    }
    $self->{psql_status} = $self->end_psql;
    return $text;
}

sub begin_psql {
    my ($self) = @_;
    my %psql;
    $psql{pid} = open2($psql{out}, $psql{in}, "$PG/psql", '-h',
        "$self->{room}/pg", '-U', 'postgres', '-X', '-q', '-At', '-v',
        'ON_ERROR_STOP=1', 'identprov');
    $psql{in}->autoflush(1);
    return \%psql;
}

# Its exit status.
sub end_psql {
    my ($self) = @_;
    my $psql = delete $self->{psql}{$$} or return 0;
    close $psql->{in};
    close $psql->{out};
    waitpid $psql->{pid}, 0;
    return $? >> 8 || $? & 127;
}

# What program $which says to a question of the gateway's own.
sub ask_internally {
    my ($self, $which, $path, $query) = @_;
    return FastCGI::ask("$self->{room}/identprov-$which.sock",
        [ REQUEST_METHOD => 'GET', SCRIPT_NAME => '', PATH_INFO => $path,
            QUERY_STRING => $query, REQUEST_ID => '0' x 32,
            IDENTGW_INTERNAL => 1 ], '');
}

# --- a standby ---------------------------------------------------------------

# A hot standby of what runs; the directory of its socket.
sub add_standby {
    my ($self) = @_;
    my $room = $self->{room};
    my $data = "$room/pg/standby";
    $self->quietly(@UNPRIVILEGED, "$PG/pg_basebackup", '-h', "$room/pg", '-U',
        'postgres', '-D', $data, '-R', '-c', 'fast');
    mkdir "$room/pg/of-standby" or die "$room/pg/of-standby: $!\n";
    chmod 0777, "$room/pg/of-standby";
    $self->{pids}{standby} = $self->spawn_logged('standby', {}, @UNPRIVILEGED,
        "$PG/postgres", '-D', $data, '-k', "$room/pg/of-standby", '-c',
        'listen_addresses=', '-c', 'max_connections=80', '-c',
        'shared_buffers=16MB');
    my $is_ready = "$PG/pg_isready -q -h '$room/pg/of-standby' -U postgres";
    wait_for(300, 'the standby', sub { system($is_ready) == 0 });
    return "$room/pg/of-standby";
}

# Until the standby has all that the primary has written.
sub catch_up {
    my ($self) = @_;
    my $at = $self->sql('SELECT pg_current_wal_lsn()');
    wait_for(300, 'the standby', sub { $self->sql(
        "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= '$at'")
    });
    return;
}

sub promote {
    my ($self) = @_;
    $self->quietly(@UNPRIVILEGED, "$PG/pg_ctl", '-D',
        "$self->{room}/pg/standby", '-w', 'promote');
    return;
}

# A psql that stays: a handle for statements.
sub open_psql {
    my ($self) = @_;
    open my $out, '|-', "$PG/psql", '-h', "$self->{room}/pg", '-U',
        'postgres', '-X', '-q', '-o', '/dev/null', 'identprov'
        or die "psql: $!\n";
    $out->autoflush(1);
    return $out;
}

# The same request many times at once: their answers.
sub at_once {
    my ($self, $count, $request) = @_;
    my @pipes;
    for my $i (0 .. $count - 1) {
        my $pid = open(my $in, '-|') // die "fork: $!\n";
        if (!$pid) {
            my $answer = $request->($i);
            print JSON::PP->new->utf8->encode($answer);
            close STDOUT;
            POSIX::_exit(0);
        }
        push @pipes, $in;
    }
    local $/;
    return map { JSON::PP->new->utf8->decode(scalar readline $_) } @pipes;
}

sub log {
    my ($self, $which) = @_;
    return slurp("$self->{room}/identprov-$which.log");
}

sub is_database { return $_[0] =~ /^(?:postgres|standby)$/ ? 1 : 0 }

sub stop {
    my ($self) = @_;
    my $is_clean = 1;
    $self->end_psql;
    for my $name (sort { is_database($a) <=> is_database($b) }
        keys %{ $self->{pids} }) {
        my $status = $self->end_part(
            is_database($name) ? 'INT' : 'TERM', $name);
        $is_clean &&= $status == 0;
    }
    return $is_clean;
}

# For a test's last claim.
sub stops_cleanly {
    my ($self) = @_;
    Test::More::ok($self->stop, 'all ends on SIGTERM')
        or $self->explain;
    return;
}

sub explain {
    my ($self) = @_;
    Stack::show_logs(glob "$self->{room}/*.log");
    return;
}

END {
    my $status = $?;
    my $failed = $status != 0 || !Test::More->builder->is_passing;
    for my $self (@running) {
        next if $self->{owner} != $$ || !%{ $self->{pids} };
        $self->explain if $failed;
        $self->stop;
    }
    $? = $status;
}

1;
