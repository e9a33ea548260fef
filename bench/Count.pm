package Count;

# Instructions of nginx, by callgrind: the difference of two numbers of requests.
use strict;
use warnings;
use Bench;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Path qw(make_path);
use Load;
use Parts;
use Stack qw(slurp);

our @EXPORT = qw(count_all);

use constant {
    FIRST_REQUESTS => 100,  # of both counts
    POOL_STEP => 256,
};

# By target: a result for each round. What malloc does depends on the sizes of
# all that lives at the time, by more than is counted here: each round has
# pools of another size.
sub count_all {
    my %results;
    for my $round (1 .. $set{COUNTS}) {
        progress("counting instructions, round $round of $set{COUNTS}");
        push @{ $results{ $_->{name} } }, { instructions => count($_, 4096 + POOL_STEP * ($round - 1)) }
            for @TARGETS;
    }
    return \%results;
}

# Of a request; the size of its pool in bytes.
sub count {
    my ($target, $pool) = @_;
    my ($few, $many) = map { total($target, $_, $pool) }
        FIRST_REQUESTS, FIRST_REQUESTS + $set{REQUESTS};
    return ($many - $few) / $set{REQUESTS};
}

sub total {
    my ($target, $count, $pool) = @_;
    my $place = $set{PROFILE} ne '' ? $set{PROFILE} : $dir;
    make_path($place);
    my $file = abs_path($place) . "/callgrind.$target->{name}.$count";
    my $nginx = start_gateway($target, directives => 'master_process off;',
        provider => 'constant', pool => $pool, feed => 'interval=60s lease=120s',
        wrapper => ['valgrind', '--tool=callgrind', "--callgrind-out-file=$file"]);
    check($target, $nginx);
    my $socket = connect_to($nginx);
    ask($socket, $target, '/') for 1 .. $count;
    stop($nginx);
    my ($total) = slurp($file) =~ /^totals: (\d+)/m
        or die "bench: $file has no total\n";
    return $total;
}

1;
