package Pair;

# A PostgreSQL and its synchronous standby, with the applications' roles and
# databases: what is acknowledged is on both. The first is killed, the second
# promoted.
use strict;
use warnings;
use File::Temp qw(tempdir);
use POSIX ();
use Stack qw(wait_for);
use Test::More ();

my $PG = $ENV{PG_BINDIR} || (sort glob '/usr/lib/postgresql/*/bin')[-1];
my @UNPRIVILEGED = $> == 0
    ? qw(setpriv --reuid=nobody --regid=nogroup --clear-groups) : ();
my @running;

sub start {
    my ($class) = @_;
    my $room = tempdir('identgw-pair-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $self = bless { room => $room, pids => {}, owner => $$ }, $class;
    push @running, $self;
    for my $directory ($room, map { "$room/$_" } qw(one two)) {
        mkdir $directory;
        chmod 0755, $directory;
        chown +(getpwnam 'nobody')[ 2, 3 ], $directory if $> == 0;
    }
    $self->command("$PG/initdb", '-D', "$room/one/data", qw(-A trust -U postgres
        -E UTF8 --locale=C.UTF-8 --no-sync));
    $self->launch('one');
    $self->sql('one', "CREATE ROLE $_ LOGIN", "CREATE DATABASE $_ OWNER $_")
        for qw(identprov userprofile);
    $self->command("$PG/pg_basebackup", '-d',
        "host=$room/one user=postgres application_name=two", '-D',
        "$room/two/data", qw(-R -c fast --no-sync));
    $self->launch('two');
    $self->sql('one', q(ALTER SYSTEM SET synchronous_standby_names = 'two'),
        'SELECT pg_reload_conf()');
    wait_for(60, 'the standby', sub {
        $self->sql('one', 'SELECT sync_state FROM pg_stat_replication')
            eq 'sync';
    });
    return $self;
}

# To both, of the role and the database $name.
sub conninfo {
    my ($self, $name) = @_;
    return "host=$self->{room}/one,$self->{room}/two user=$name dbname=$name";
}

sub launch {
    my ($self, $which) = @_;
    my $room = "$self->{room}/$which";
    $self->{pids}{$which} = $self->begin($which, "$PG/postgres", '-D',
        "$room/data", '-k', $room, '-c', 'listen_addresses=', '-c',
        'max_connections=200', '-c', 'shared_buffers=32MB');
    wait_for(60, "PostgreSQL $which", sub {
        system("$PG/pg_isready -q -h '$room' -U postgres") == 0;
    });
    return;
}

sub begin {
    my ($self, $log, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    return $pid if $pid;
    setpgrp 0, 0;
    chdir '/';
    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$self->{room}/$log.log";
    open STDERR, '>&', \*STDOUT;
    exec @UNPRIVILEGED, @command or POSIX::_exit(127);
}

sub command {
    my ($self, @command) = @_;
    waitpid $self->begin('setup', @command), 0;
    return if $? == 0;
    die "@command failed:\n", Stack::slurp("$self->{room}/setup.log");
}

sub sql {
    my ($self, $which, @statements) = @_;
    open my $out, '-|', "$PG/psql", '-h', "$self->{room}/$which", '-U',
        'postgres', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1',
        map { ('-c', $_) } @statements or die "psql: $!\n";
    my $text = join '', <$out>;
    close $out or die "psql: @statements: $?\n";
    chomp $text;
    return $text;
}

# All its processes, at once.
sub kill_primary {
    my ($self) = @_;
    my $pid = delete $self->{pids}{one};
    kill 'KILL', $pid, -$pid;
    waitpid $pid, 0;
    return;
}

sub promote {
    my ($self) = @_;
    $self->command("$PG/pg_ctl", '-D', "$self->{room}/two/data", '-w',
        'promote');
    return;
}

sub stop {
    my ($self) = @_;
    my @pids = values %{ $self->{pids} };
    $self->{pids} = {};
    kill 'QUIT', @pids;
    waitpid $_, 0 for @pids;
    return;
}

END {
    my $status = $?;
    $_->stop for grep { $_->{owner} == $$ } @running;
    $? = $status;
}

1;
