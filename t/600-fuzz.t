# What reads bytes from outside, fed with what libFuzzer makes of the corpus in
# t/fuzz: under ASan and UBSan, each with something that has to be so for every
# input. `make fuzz` gives each a minute.
#
#   SECONDS=5  for each program
#   NAMES=     of the programs; all of them by default
use strict;
use warnings;
use File::Path qw(make_path);
use POSIX ();
use Test::More;

my $seconds = $ENV{SECONDS} || 5;
my $room = ($ENV{BUILD} || 'build') . '/fuzzing';
my @names = split ' ', $ENV{NAMES} // '';
@names = map { m{([^/]+)\.c$} } glob 't/fuzz/*.c' if !@names;

sub tail {
    my ($path) = @_;
    open my $in, '<:raw', $path or return;
    my @lines = <$in>;
    return @lines > 60 ? @lines[-60 .. -1] : @lines;
}

for my $name (@names) {
    # What it found interesting before comes again, behind what is in the tree.
    my $grown = "$room/corpus/$name";
    my $log = "$room/$name.log";
    make_path($grown);
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>', $log;
        open STDOUT, '>&', \*STDERR;
        exec "$room/fuzz/$name", "-max_total_time=$seconds", '-timeout=10',
            '-rss_limit_mb=1024', '-print_final_stats=1',
            "-artifact_prefix=$room/$name-", $grown, "t/fuzz/corpus/$name"
            or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $status = $?;
    my ($runs) = map { /^stat::number_of_executed_units:\s*(\d+)/ ? $1 : () } tail($log);
    ok($status == 0 && ($runs // 0) > 100,
        sprintf '%s: %d inputs in %d s', $name, $runs // 0, $seconds)
        or diag("the input is $room/$name-*\n", tail($log));
}

done_testing();
