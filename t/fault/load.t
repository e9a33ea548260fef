#!/usr/bin/perl
# make test-load: CLIENTS=10000 keep connections open, ACTIVE=2000 of them ask all
# the time and the others now and then, for SECONDS=600. Nothing is answered but
# by what was asked for, or by a 429 or 503 that is meant; memory and open files
# stay what they are.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use Cwd qw(abs_path);
use Stack qw(children slurp wait_for);
use Test::More;
use Time::HiRes qw(sleep time);
use Watch;

my ($clients, $active, $seconds) = map { $ENV{ $_->[0] } || $_->[1] }
    [ CLIENTS => 10_000 ], [ ACTIVE => 2000 ], [ SECONDS => 600 ];
my $PAUSE_MS = 50_000; # nginx closes what has been idle for 75 s
my $SETTLED = 0.25;    # of the time, from when on memory is watched
my $BEGIN_SEC = 8;
my $USERS = 50;

my $inner = ($ENV{TEST_NGINX_PORT} || 18_080) + 1;
my $stack = Stack->start(
    env => { IDENTPROV_HASH_MINIMUM => 'none', IDENTPROV_HASH_MEMORY => '64k',
        IDENTPROV_HASH_PASSES => 1 },
    conf => "location = /whoami {\n    identgw on;\n"
        . "    proxy_pass http://127.0.0.1:$inner;\n}\n",
    http => "server {\n    listen 127.0.0.1:$inner backlog=4096;\n    access_log off;\n"
        . "    client_header_timeout 60s;\n" # or this one gives up after 10 s
        . "    location / { return 200 \"[\$http_x_user]\"; }\n}\n");
my $watch = Watch->new($stack);

# One of two workers may get all of them, each with one to what answers it.
my $conf = $stack->var . '/nginx.conf';
my $connections = 2 * $clients;
Stack::spew($conf, slurp($conf)
        =~ s/worker_connections \d+;/worker_connections $connections;/r
        =~ s/^(?=events)/worker_rlimit_nofile $connections;\n/mr);
my %old = map { $_ => 1 } children($stack->pid_of('nginx'));
kill HUP => $stack->pid_of('nginx');
wait_for(30, 'new workers',
    sub { !grep { $old{$_} } children($stack->pid_of('nginx')) });

my @sessions = map { $stack->session("load$_") } 1 .. $USERS;
is($stack->post_json('/userprofile', { nickname => 'n' },
        headers => [ 'JSESSIONID', $_ ])->{status}, 201, 'a profile')
    for @sessions;

# wrk on so many connections: its process and the file of what it says.
sub load {
    my ($name, $count, $pause_ms) = @_;
    my $out = $stack->var . "/load-$name";
    my $pid = fork // die "fork: $!\n";
    return { pid => $pid, out => $out } if $pid;
    open STDOUT, '>', $out;
    open STDERR, '>&', \*STDOUT;
    exec 'wrk', '-t', 1, '-c', $count, '-d', "${seconds}s", '--timeout', '20s',
        '-s', abs_path('t/fault/load.lua'), $stack->url, '--', $count, $pause_ms,
        @sessions;
    die "wrk: $!\n";
}

$watch->remember;
my $busy = bless { %$watch }, ref $watch;
my @loads = load('idle', $clients - $active, $PAUSE_MS);
sleep $BEGIN_SEC; # each has asked: nginx waits 10 s for a first request
push @loads, load('active', $active, 0);
sleep $seconds * $SETTLED;
$busy->remember;
sleep $seconds * (1 - $SETTLED) - $BEGIN_SEC - 2;
is(join("\n", grep { / kB / } $busy->more), '', 'memory is what it was');
for my $load (@loads) {
    waitpid $load->{pid}, 0;
    is($?, 0, 'the load has ended');
    my $text = slurp($load->{out});
    my %status = $text =~ /^status\t(\d+)\t(\d+)$/mg;
    my %error = $text =~ /^error\t(\w+)\t(\d+)$/mg;
    my %latency = map { $_ / 1 } $text =~ /^latency\t([\d.]+)\t([\d.]+)$/mg;
    delete $error{status};
    diag($load->{out} =~ s/.*-//r, ': ',
        join(', ', map { "$_: $status{$_}" } sort keys %status),
        map { sprintf '; %s %%: %.0f ms', $_, $latency{$_} / 1000 }
            sort { $a <=> $b } keys %latency);
    cmp_ok($status{200} // 0, '>', 0, 'requests are served');
    is(join(' ', grep { !/^(?:200|429|503)$/ } sort keys %status), '',
        '... or refused on purpose');
    is(join(' ', map { "$_: $error{$_}" } grep { $error{$_} } sort keys %error),
        '', '... and every one is answered') or diag($text);
}
my @files;
eval { wait_for(90, 'fewer files',
        sub { !(@files = grep { / files / } $watch->more) }) };
is(join("\n", @files), '', 'open files are as before');
is($watch->pids, $watch->{pids}, 'the same processes');
$watch->answers_right;
is(join("\n", $watch->failures), '', 'nothing has failed in the logs');
$stack->stops_cleanly;
done_testing();
