# scripts/run, what `make run` calls: it starts, it says what is wrong in one
# line, it keeps the data, and it leaves nothing behind however it ends.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use IO::Socket::INET;
use POSIX qw(O_NONBLOCK WNOHANG);
use Test::More;
use Time::HiRes qw(sleep time);

my $top = abs_path(dirname(abs_path(__FILE__)) . '/..');
my $build = $ENV{BUILD} || "$top/build";
my $room = tempdir('identgw-run-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $room;
my $owner = $$;
my @parts = qw(postgres identprov userprofile nginx);
my @started;

END {
    local $?;
    if ($$ == $owner) {
        kill 'KILL', $_->{pid} for grep { $_->{pid} } @started;
        waitpid $_->{pid}, 0 for grep { $_->{pid} } @started;
        wait_for(30, sub { !in_var($room) });
    }
}

# --- starting and ending ---------------------------------------------------

# Starts a run: {pid, var, url, out, err}; `as` are setpriv's options.
sub start {
    my ($name, %with) = @_;
    my $run = { var => $with{var} || "$room/$name/var",
        out => "$room/$name.out", err => "$room/$name.err" };
    make_path(dirname($run->{var}));
    unlink $run->{out};
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        @ENV{qw(BUILD VAR PORT)} = ($build, $run->{var}, $with{port} || 0);
        delete @ENV{qw(IDENTGW_RESTART IDENTPROV_DATABASE USERPROFILE_DATABASE)};
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $run->{out};
        open STDERR, '>', $run->{err};
        exec @{ $with{as} || [] }, "$top/scripts/run" or POSIX::_exit(127);
    }
    $run->{pid} = $pid;
    push @started, $run;
    return $run;
}

# Waits for the ready line or the end.
sub ready {
    my ($run) = @_;
    wait_for(120, sub {
        ($run->{url}) = text($run->{out}) =~ /\Aready: (\S+)\n\z/;
        return $run->{url} || has_ended($run);
    });
    return 1 if $run->{url};
    diag text($run->{err});
    return 0;
}

sub has_ended {
    my ($run) = @_;
    return 1 if !$run->{pid};
    return 0 if waitpid($run->{pid}, WNOHANG) != $run->{pid};
    $run->{status} = $?;
    $run->{pid} = 0;
    return 1;
}

# The exit status of a run that ends, by $signal or by itself.
sub ended {
    my ($run, $signal) = @_;
    kill $signal, $run->{pid} if $signal;
    wait_for(60, sub { has_ended($run) }) or return 'still running';
    my $killed = $run->{status} & 127;
    return $killed ? "signal $killed" : $run->{status} >> 8;
}

sub pid_of {
    my ($run, $part) = @_;
    return text("$run->{var}/run/$part.pid") =~ /^(\d+)$/m ? $1 : 0;
}

# Living processes at home in a directory: every part has its VAR as its own.
sub in_var {
    my ($dir) = @_;
    return grep {
        my $cwd = readlink("/proc/$_/cwd") // '';
        $cwd eq $dir || index($cwd, "$dir/") == 0;
    } map { m{^/proc/(\d+)$} ? $1 : () } glob '/proc/[0-9]*';
}

sub leaves_nothing {
    my ($run, $how) = @_;
    my ($port) = $run->{url} =~ /:(\d+)$/;
    wait_for(30, sub { !in_var($run->{var}) });
    is_deeply([in_var($run->{var})], [], "$how leaves no process");
    ok(!IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port),
        "$how leaves the port free");
    return;
}

sub wait_for {
    my ($sec, $is_done) = @_;
    my $end = time + $sec;
    while (time < $end) {
        return 1 if $is_done->();
        sleep 0.05;
    }
    return 0;
}

sub text {
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return <$in> // '';
}

sub said {
    my ($run) = @_;
    return text($run->{err});
}

# --- what the stack answers ------------------------------------------------

sub post {
    my ($run, $path, $json) = @_;
    return HTTP::Tiny->new(timeout => 20)->post("$run->{url}$path",
        { headers => { 'Content-Type' => 'application/json' }, content => $json });
}

sub get_status {
    my ($run, $path) = @_;
    return HTTP::Tiny->new(timeout => 20)->get("$run->{url}$path")->{status};
}

my $user = '{"username":"anna","password":"correct horse 7",'
    . '"email":"anna@example.org","first_name":"Anna"}';
my $login = '{"username":"anna","password":"correct horse 7"}';

# --- the claims ------------------------------------------------------------

my $first = start('first');
my $other = start('other');

subtest 'two copies run side by side' => sub {
    ok(ready($first) && ready($other), 'both say that they are ready')
        or BAIL_OUT('scripts/run does not come up');
    isnt($first->{url}, $other->{url}, 'each has its own port');
    is(post($first, '/register', $user)->{status}, 201, 'the first takes a user');
    is(post($other, '/login', $login)->{status}, 401, 'the other does not know her');
    is(get_status($_, '/userprofile'), 401, 'a closed location is closed')
        for $first, $other;
};

subtest 'no worker of nginx can be caught in accept()' => sub {
    my $nginx = '/proc/' . pid_of($first, 'nginx');
    my @sockets = grep { (readlink("$nginx/fd/$_") // '') =~ /^socket:/ }
        map { m{/(\d+)$} } glob "$nginx/fd/*";
    ok(scalar @sockets, 'nginx has its socket');
    my @blocking = grep {
        text("$nginx/fdinfo/$_") =~ /^flags:\s+(\d+)/m && !(oct($1) & O_NONBLOCK);
    } @sockets;
    is_deeply(\@blocking, [], 'which does not block');
};

subtest 'what is taken is said in one line' => sub {
    my ($port) = $first->{url} =~ /:(\d+)$/;
    my $second = start('port', port => $port);
    is(ended($second), 1, 'a taken port ends the start');
    like(said($second), qr/\Arun: port $port of 127\.0\.0\.1: [^\n]*\n\z/,
        'with one line');
    $second = start('var', var => $first->{var});
    is(ended($second), 1, 'a VAR in use ends the start');
    like(said($second), qr/\Arun: \S+ is in use by another run \(process $first->{pid}\)\n\z/,
        'with one line');
    is(get_status($first, '/userprofile'), 401, 'the one that runs goes on');
};

subtest 'a part that ends by itself ends the run' => sub {
    kill 'KILL', pid_of($other, 'identprov');
    is(ended($other), 1, 'the status is an error');
    like(said($other), qr/^run: identprov ended by itself \(signal 9\)$/m,
        'it says which part it was');
    like(said($other), qr/^  \{.*"event":"started"/m, 'and the end of its log');
    leaves_nothing($other, 'it');
};

subtest 'SIGTERM ends it; a second start keeps the data' => sub {
    is(ended($first, 'TERM'), 0, 'the status is good');
    leaves_nothing($first, 'SIGTERM');
    my @files = grep { /\.(pid|sock)$/ } glob "$first->{var}/run/*";
    is_deeply(\@files, [], 'and neither a pid file nor a socket');
    $first = start('first');
    ok(ready($first), 'it starts again') or return;
    unlike(said($first), qr/making the database/, 'with the old database');
    is(post($first, '/login', $login)->{status}, 200, 'in which the user is');
};

subtest 'SIGKILL of the script leaves nothing, and it starts again' => sub {
    is(ended($first, 'KILL'), 'signal 9', 'it is killed');
    leaves_nothing($first, 'SIGKILL');
    $first = start('first');
    ok(ready($first), 'it starts again') or return;
    is(post($first, '/login', $login)->{status}, 200, 'with its data');
};

subtest 'SIGKILL of everything is overcome by the next start' => sub {
    kill 'KILL', $first->{pid}, map { pid_of($first, $_) } @parts;
    ended($first);
    $first = start('first');
    ok(ready($first), 'it starts again') or return;
    is(post($first, '/login', $login)->{status}, 200, 'with its data');
    is(ended($first, 'INT'), 0, 'SIGINT ends it');
    leaves_nothing($first, 'SIGINT');
};

subtest 'a VAR with a long path gets short sockets' => sub {
    my $run = start('long', var => "$room/" . 'long-' x 25 . '/var');
    ok(ready($run), 'it starts') or return;
    my ($sockets) = said($run) =~ m{the sockets are in (/tmp/identgw-\w+)};
    ok($sockets && -S "$sockets/identprov.sock", 'and says where they are');
    is(ended($run, 'TERM'), 0, 'it ends');
    ok(!-e $sockets, 'and removes them');
    leaves_nothing($run, 'it');
};

SKIP: {
    skip 'only root can become somebody else', 1 if $> != 0;
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my @as = ('setpriv', "--reuid=$uid", "--regid=$gid", '--clear-groups', '--');
    skip 'nobody cannot enter the build directory', 1
        if system(@as, 'test', '-x', "$build/identprov", '-a', '-r',
            "$top/scripts/run") != 0;
    subtest 'an ordinary user runs it, too' => sub {
        make_path("$room/user");
        chown $uid, $gid, "$room/user";
        my $run = start('user', as => \@as);
        ok(ready($run), 'it starts') or return;
        like(text('/proc/' . pid_of($run, $_) . '/status'),
            qr/^Uid:\s+$uid\s/m, "$_ is the user's")
            for @parts;
        is(get_status($run, '/userprofile'), 401, 'it answers');
        is(ended($run, 'TERM'), 0, 'it ends');
        leaves_nothing($run, 'it');
    };
}

done_testing;
