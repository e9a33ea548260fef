# What reads bytes from outside, fed with what libFuzzer makes of the corpus in
# t/fuzz: under ASan and UBSan, each with something that has to be so for every
# input. Without SECONDS the inputs are the same each time; `make fuzz` gives
# each a minute of new ones.
#
#   SECONDS=   for each program, with inputs that it found before
#   NAMES=     of the programs; all of them by default
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use POSIX ();
use Test::More;

my $seconds = $ENV{SECONDS};
my $room = ($ENV{BUILD} || 'build') . '/fuzzing';
my @names = split ' ', $ENV{NAMES} // '';
my $is_all = !@names;
@names = grep { $_ ne 'sequences' } @names; # t/601-sequences.t
@names = map { m{([^/]+)\.c$} } glob 't/fuzz/*.c' if $is_all;
plan skip_all => 'none of NAMES' if !@names;

sub tail {
    my ($path) = @_;
    open my $in, '<:raw', $path or return;
    my @lines = <$in>;
    return @lines > 60 ? @lines[-60 .. -1] : @lines;
}

for my $name (@names) {
    my $log = "$room/$name.log";
    # libFuzzer keeps what it finds interesting in the first directory.
    my $grown = $seconds ? "$room/corpus/$name" : tempdir(CLEANUP => 1);
    my @search = $seconds ? "-max_total_time=$seconds"
        : ('-seed=1', '-runs=20000', '-max_total_time=20');
    make_path($grown);
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>', $log;
        open STDOUT, '>&', \*STDERR;
        exec "$room/fuzz/$name", @search, '-timeout=10',
            '-rss_limit_mb=1024', '-print_final_stats=1',
            "-artifact_prefix=$room/$name-", $grown, "t/fuzz/corpus/$name"
            or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $status = $?;
    my ($runs) = map { /^stat::number_of_executed_units:\s*(\d+)/ ? $1 : () } tail($log);
    ok($status == 0 && ($runs // 0) > 100,
        sprintf '%s: %d inputs', $name, $runs // 0)
        or diag("the input is $room/$name-*\n", tail($log));
}

done_testing();
