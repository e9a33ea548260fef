#!/usr/bin/perl
# make test-faults: the applications' clock is stepped, forward and back, while
# people use them.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use History qw(now);
use Stack;
use Test::More;
use Time::HiRes qw(sleep);
use Trial;

plan skip_all => 'by NAMES=' if !Trial::is_wanted('clock');

# Up to userprofile's leeway, and far more.
my @SMALL = qw(+30s +0s -30s +0s);
my @LARGE = qw(+1h +0s);
my ($library) = glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
plan skip_all => 'no libfaketime (Debian: faketime)' if !$library;

# The programs as they are, with a clock that a file sets. Without the last
# variable libfaketime 0.9.10 has each timed wait return at once.
my $build = abs_path($ENV{BUILD} || 'build');
my $room = tempdir('identgw-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $room;
set_clock('+0s');
for my $file (map { s{.*/}{}r } glob "$build/*") {
    if ($file !~ /^(?:identprov|userprofile)$/) {
        symlink "$build/$file", "$room/$file" or die "$room/$file: $!\n";
        next;
    }
    Stack::spew("$room/$file", <<"END");
#!/bin/sh
export LD_PRELOAD='$library' FAKETIME_TIMESTAMP_FILE='$room/clock'
export FAKETIME_CACHE_DURATION=1 DONT_FAKE_MONOTONIC=1
export FAKETIME_FORCE_MONOTONIC_FIX=0
exec '$build/$file' "\$@"
END
    chmod 0755, "$room/$file";
}

sub set_clock {
    my ($step) = @_;
    Stack::spew("$room/clock.new", "$step\n");
    rename "$room/clock.new", "$room/clock" or die "$room/clock: $!\n";
    return;
}

my $trial = Trial->start(env => { BUILD => $room });
sub try {
    my ($step, %with) = @_;
    return $trial->try("clock $step", sub {
        set_clock($step);
        sleep 4;
        return now();
    }, %with);
}

try($_) for @SMALL;
# Tokens that the gateway had before are over, or of the future.
try($_, may => qr/^401 for a session that was live/) for @LARGE;
$trial->stack->stops_cleanly;
done_testing();
