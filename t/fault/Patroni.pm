package Patroni;

# Three hosts on loopback addresses, each with etcd, Patroni and its PostgreSQL,
# started with the files of docs/patroni: theirs but for addresses, directories
# and the hosts' names.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use History qw(now);
use Idp;
use POSIX ();
use Stack qw(slurp wait_for);
use Test::More ();
use Time::HiRes qw(sleep);

my $PG = $ENV{PG_BINDIR} || (sort glob '/usr/lib/postgresql/*/bin')[-1];
my $UNPRIVILEGED = $> == 0
    ? '--reuid=nobody --regid=nogroup --clear-groups' : '';
my $PASSWORD = 'a password of the tests';
my @HOSTS = qw(db1 db2 db3);
my $START_SEC = 180;
my @running;

# port: of the gateway, by which the addresses are chosen, too.
sub start {
    my ($class, $port) = @_;
    my $room = abs_path(tempdir('identgw-patroni-XXXXXX', TMPDIR => 1,
            CLEANUP => 1));
    chmod 0755, $room;
    my $self = bless { room => $room, owner => $$, pids => {}, port => $port,
        network => join('.', 127, $port >> 8, $port & 255) }, $class;
    push @running, $self;
    $self->furnish($_) for 0 .. $#HOSTS;
    $self->start_host($_) for @HOSTS;
    $self->await_hosts;
    Stack::spew("$room/password", "$PASSWORD\n");
    chmod 0600, "$room/password";
    $self->sql("CREATE ROLE $_ LOGIN PASSWORD '$PASSWORD'",
        "CREATE DATABASE $_ OWNER $_") for qw(identprov userprofile);
    return $self;
}

# --- the files --------------------------------------------------------------------

# Of docs/patroni, as host $number has it. A line that names another host is the
# same on all.
sub file {
    my ($self, $name, $number) = @_;
    my $host = $HOSTS[$number];
    my $room = "$self->{room}/$host";
    my $address = '10.0.0.1' . ($number + 1);
    my $text = '';
    for my $line (split /^/, slurp("docs/patroni/$name")) {
        $line =~ s/\bdb1\b/$host/, $line =~ s/\b10\.0\.0\.11\b/$address/
            if $line !~ /\b10\.0\.0\.12\b/;
        $text .= $line;
    }
    $text =~ s{\b10\.0\.0\.0/24}{127.0.0.0/8}g;
    $text =~ s/\b10\.0\.0\./$self->{network}./g;
    $text =~ s/127\.0\.0\.1:8081/127.0.0.1:$self->{port}/g;
    $text =~ s{/usr/lib/postgresql/\d+/bin}{$PG}g;
    $text =~ s{/var/lib/|/run/(?=postgresql)}{$room/}g;
    return $text;
}

sub furnish {
    my ($self, $number) = @_;
    my $room = "$self->{room}/$HOSTS[$number]";
    for my $directory ($room, "$room/etcd", "$room/postgresql") {
        mkdir $directory or die "$directory: $!\n";
        chmod 0700, $directory;
        chown +(getpwnam 'nobody')[ 2, 3 ], $directory if $> == 0;
    }
    Stack::spew("$room/$_", $self->file($_, $number))
        for map { s{.*/}{}r } glob 'docs/patroni/*';
    return;
}

# Of an .env file.
sub settings {
    my ($self, $host, $name) = @_;
    return map { /^(\w+)=(.*)$/ ? ($1 => $2) : () }
        split /\n/, slurp("$self->{room}/$host/$name.env");
}

# Of both programs, in the environment.
sub environment {
    my ($self) = @_;
    return ((map { $self->settings('db1', $_) } qw(identprov userprofile)),
        map { ("${_}_DATABASE_PASSWORD_FILE" => "$self->{room}/password") }
            qw(IDENTPROV USERPROFILE));
}

# --- hosts ------------------------------------------------------------------------

sub start_host {
    my ($self, $host) = @_;
    my $room = "$self->{room}/$host";
    my %env = $self->settings($host, 'etcd');
    $env{ETCD_INITIAL_CLUSTER_STATE} = 'existing'
        if -d $env{ETCD_DATA_DIR};
    $self->begin($host, 'etcd', \%env, 'etcd');
    $self->begin($host, 'patroni', {}, 'patroni', "$room/config.yml");
    return;
}

# At home in the host's directory, as PostgreSQL is.
sub begin {
    my ($self, $host, $name, $env, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        chdir "$self->{room}/$host";
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$self->{room}/$host-$name.log";
        open STDERR, '>&', \*STDOUT;
        $ENV{$_} = $env->{$_} for keys %$env;
        exec 'setpriv', split(' ', $UNPRIVILEGED), '--pdeathsig', 'KILL',
            '--', @command or POSIX::_exit(127);
    }
    $self->{pids}{$pid} = $host;
    return;
}

# Until two follow the primary, one of them synchronously.
sub await_hosts {
    my ($self) = @_;
    wait_for($START_SEC, 'three hosts', sub {
        ($self->ask(q(SELECT count(*), bool_or(sync_state = 'sync')
            FROM pg_stat_replication WHERE state = 'streaming')) // '')
            eq '2|t';
    });
    return;
}

# All its processes, at once.
sub kill_host {
    my ($self, $host) = @_;
    end_all("$self->{room}/$host");
    for my $pid (grep { $self->{pids}{$_} eq $host } keys %{ $self->{pids} }) {
        waitpid $pid, 0;
        delete $self->{pids}{$pid};
    }
    return;
}

sub end_all {
    my ($directory) = @_;
    wait_for(30, "the end of all in $directory", sub {
        my @pids = grep { (readlink("/proc/$_/cwd") // '')
                =~ m{^\Q$directory\E(?:/|$)} }
            map { m{^/proc/(\d+)$} ? $1 : () } glob '/proc/[0-9]*';
        kill KILL => @pids;
        !@pids;
    });
    return;
}

# --- the database -----------------------------------------------------------------

# Of the host that is primary; undef while there is none.
sub ask {
    my ($self, @statements) = @_;
    my $password = slurp('docs/patroni/config.yml')
        =~ /superuser:\n.*\n +password: (.*)\n/ ? $1 : '';
    my $hosts = join ',', map { "$self->{network}.1$_" } 1 .. @HOSTS;
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>>', "$self->{room}/psql.log";
        $ENV{PGPASSWORD} = $password;
        exec "$PG/psql", '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1',
            (map { ('-c', $_) } @statements),
            "host=$hosts user=postgres dbname=postgres connect_timeout=5"
            . ' target_session_attrs=read-write' or POSIX::_exit(127);
    }
    my $text = join '', <$out>;
    close $out or return;
    chomp $text;
    return $text;
}

sub sql {
    my ($self, @statements) = @_;
    return $self->ask(@statements) // die "psql: @statements: failed\n";
}

# The host's name.
sub primary {
    my ($self) = @_;
    my ($number) = $self->sql('SELECT inet_server_addr()') =~ /(\d)$/;
    return $HOSTS[ $number - 1 ];
}

# Until another one has been promoted: since when, at the earliest.
sub await_promotion {
    my ($self) = @_;
    my $since = now();
    wait_for(120, 'the promotion', sub {
        return 1 if defined $self->ask('SELECT 1');
        $since = now();
        return 0;
    });
    return $since;
}

# --- the end ----------------------------------------------------------------------

sub stop {
    my ($self) = @_;
    return if $self->{is_over}++;
    end_all($self->{room});
    waitpid $_, 0 for keys %{ $self->{pids} };
    return;
}

END {
    my $status = $?;
    my $failed = $status != 0 || !Test::More->builder->is_passing;
    for my $self (grep { $_->{owner} == $$ } @running) {
        Idp::explain($self) if $failed;
        $self->stop;
    }
    $? = $status;
}

1;
