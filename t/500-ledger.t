#!/usr/bin/perl
# The checker of accounts and profiles under faults (t/fault) finds each kind of
# violation, and nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/fault";
use Ledger;
use Test::More;
use Verdicts;

$Verdicts::checker = 'Ledger';

my $begin = <<'END_OF_HISTORY';
register 1 2 a - ivan 201
login 3 4 a s ivan 200
register 1 2 a - petr 201
login 3 4 a t petr 200
write 5 6 a s ivan POST ok 201 ivan/1
END_OF_HISTORY

# --- accounts -------------------------------------------------------------------

holds('who is registered logs in', $begin);

holds('of a race of two registrations one wins', <<'END_OF_HISTORY');
register 1 4 a - ivan 201
register 2 3 a - ivan 409
login 5 6 a s ivan 200
END_OF_HISTORY

holds('a registration of unknown outcome, either way', <<'END_OF_HISTORY');
register 1 2 a - ivan 0
login 3 4 a - ivan 401
register 5 6 a - ivan 503
login 7 8 a s ivan 200
register 9 10 a - ivan 409
END_OF_HISTORY

finds('a lost account', 'an acknowledged registration is lost',
    "${begin}login 7 8 a - ivan 401");

finds('one that was there, by a 409', 'an acknowledged registration is lost',
    <<'END_OF_HISTORY');
register 1 2 a - ivan 0
register 3 4 a - ivan 409
login 5 6 a - ivan 401
END_OF_HISTORY

finds('a refused registration', 'a refused registration took place',
    "register 1 2 a - eva 429\nlogin 3 4 a s eva 200");

finds('two accounts of a name', 'registered twice',
    "${begin}register 7 8 a - ivan 201");

finds('a name that is free', '409 for a name that nobody had',
    'register 1 2 a - eva 409');

# --- access ---------------------------------------------------------------------

finds('after a logout', 'in on the node of the logout, after its answer',
    $begin . <<'END_OF_HISTORY');
logout 7 8 a s - 204
read 9 10 a s ivan 200 ivan/1 ivan/1
END_OF_HISTORY

finds('after a logout elsewhere', 'in 2\.500 s after a logout',
    $begin . <<'END_OF_HISTORY');
logout 7 8 a s - 204
write 10.5 11 b s ivan DELETE ok 204 -
END_OF_HISTORY

holds('within the bound elsewhere', $begin . <<'END_OF_HISTORY');
logout 7 8 a s - 204
read 9.5 11 b s ivan 200 ivan/1 ivan/1
read 10.5 11 b s ivan 401 - -
END_OF_HISTORY

finds('nobody is in', 'in without a session',
    "${begin}read 7 8 a nobody nobody 404 - -");

finds('a live session', '401 for a session that was live',
    "${begin}read 7 8 a s ivan 401 - -");

finds('a live session that writes', '401 for a session that was live',
    "${begin}write 7 8 a s ivan PUT refused 401 ivan/2");

finds("another's data", 'data of another than petr',
    "${begin}read 7 8 a t petr 200 ivan/1 ivan/1");

for my $line ('get 7 8 a s ivan 500', 'read 7 8 a s ivan 403 - -',
    'write 7 8 a s ivan PUT refused 412 ivan/2', 'logout 7 8 a s - 200',
    'login 7 8 a - ivan 500', 'register 7 8 a - ivan 500') {
    finds($line, 'an answer out of place', $begin . $line);
}

holds('excuses', $begin . <<'END_OF_HISTORY');
get 7 8 a s - 503
read 7 8 a s ivan 0 - -
write 7 8 a s ivan PUT unknown 502 ivan/2
write 7 8 a s ivan PUT refused 429 ivan/3
logout 9 10 a s - 504
END_OF_HISTORY

# --- a profile, one operation after the other -------------------------------------

holds('all kinds of operations', $begin . <<'END_OF_HISTORY');
read 7 8 a s ivan 200 ivan/1 ivan/1
write 9 10 a s ivan POST refused 409 ivan/2
write 11 12 a s ivan PATCH ok 200 ivan/3
read 13 14 a s ivan 200 ivan/3 ivan/1
write 15 16 a s ivan PUT ok 200 ivan/4
read 17 18 a s ivan 200 ivan/4 ivan/4
write 19 20 a s ivan DELETE ok 204 -
read 21 22 a s ivan 404 - -
write 23 24 a s ivan PUT refused 404 ivan/5
write 25 26 a s ivan DELETE refused 404 -
write 27 28 a s ivan POST ok 201 ivan/6
read 29 30 a s ivan 200 ivan/6 ivan/6
END_OF_HISTORY

finds('a lost POST', 'an acknowledged write is lost',
    "${begin}read 7 8 a s ivan 404 - -");

finds('a lost POST, as a PUT sees it', 'an acknowledged write is lost',
    "${begin}write 7 8 a s ivan PUT refused 404 ivan/2");

finds('a lost PUT', 'an acknowledged write is lost',
    $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PUT ok 200 ivan/2
read 9 10 a s ivan 200 ivan/1 ivan/1
read 11 12 a s ivan 200 ivan/1 ivan/1
END_OF_HISTORY

finds('a lost PATCH', 'an acknowledged write is lost',
    $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PATCH ok 200 ivan/2
read 9 10 a s ivan 200 ivan/1 ivan/1
END_OF_HISTORY

finds('a lost DELETE', 'an acknowledged write is lost',
    $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan DELETE ok 204 -
read 9 10 a s ivan 200 ivan/1 ivan/1
END_OF_HISTORY

finds('a stale read', 'a read older than an acknowledged write',
    $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PUT ok 200 ivan/2
read 9 10 a s ivan 200 ivan/1 ivan/1
read 11 12 a s ivan 200 ivan/2 ivan/2
END_OF_HISTORY

finds('a refused write', 'a refused write is visible',
    $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PUT refused 429 ivan/2
read 9 10 a s ivan 200 ivan/2 ivan/2
END_OF_HISTORY

finds('half of each', 'a mixture of two writes', $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PUT ok 200 ivan/2
read 9 10 a s ivan 200 ivan/2 ivan/1
END_OF_HISTORY

finds('from nowhere', 'data that nobody had written',
    "${begin}read 7 8 a s ivan 200 ivan/9 ivan/9");

finds('from the future', 'data that nobody had written',
    $begin . <<'END_OF_HISTORY');
read 7 8 a s ivan 200 ivan/2 ivan/2
write 9 10 a s ivan PUT ok 200 ivan/2
END_OF_HISTORY

# --- concurrency ------------------------------------------------------------------

holds('a write is seen from its begin to its end, or not', $begin
    . <<'END_OF_HISTORY');
write 10 20 a s ivan PUT ok 200 ivan/2
read 11 12 a s ivan 200 ivan/1 ivan/1
read 13 14 a s ivan 200 ivan/2 ivan/2
END_OF_HISTORY

finds('once seen it stays', 'an acknowledged write is lost',
    $begin . <<'END_OF_HISTORY');
write 10 20 a s ivan PUT ok 200 ivan/2
read 11 12 a s ivan 200 ivan/2 ivan/2
read 13 14 a s ivan 200 ivan/1 ivan/1
END_OF_HISTORY

holds('two writes at once, in either order', $begin . <<'END_OF_HISTORY');
write 10 20 a s ivan PUT ok 200 ivan/2
write 11 19 a s ivan PATCH ok 200 ivan/3
read 21 22 a s ivan 200 ivan/3 ivan/2
write 30 40 a s ivan PUT ok 200 ivan/4
write 31 39 a s ivan PATCH ok 200 ivan/5
read 41 42 a s ivan 200 ivan/4 ivan/4
write 50 60 a s ivan DELETE ok 204 -
write 51 59 a s ivan POST ok 201 ivan/6
write 52 58 a s ivan PUT refused 404 ivan/7
read 61 62 a s ivan 200 ivan/6 ivan/6
END_OF_HISTORY

finds('two POSTs at once', 'no order explains an answer', <<'END_OF_HISTORY');
login 1 2 a s ivan 200
write 3 6 a s ivan POST ok 201 ivan/1
write 4 5 a s ivan POST ok 201 ivan/2
END_OF_HISTORY

# --- unknown outcomes -------------------------------------------------------------

holds('not done, done, done late', $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PUT unknown 503 ivan/2
write 9 10 a s ivan PATCH unknown 0 ivan/3
write 11 12 a s ivan PUT unknown 0 ivan/4
read 13 14 a s ivan 200 ivan/1 ivan/1
read 15 16 a s ivan 200 ivan/4 ivan/4
write 17 18 a s ivan PUT ok 200 ivan/5
read 19 20 a s ivan 200 ivan/3 ivan/5
write 21 22 a s ivan DELETE unknown 504 -
read 23 24 a s ivan 200 ivan/3 ivan/5
read 25 26 a s ivan 404 - -
END_OF_HISTORY

finds('but only once', 'an acknowledged write is lost',
    $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PUT unknown 503 ivan/2
read 9 10 a s ivan 200 ivan/2 ivan/2
write 11 12 a s ivan PUT ok 200 ivan/3
read 13 14 a s ivan 200 ivan/2 ivan/2
END_OF_HISTORY

finds('a DELETE that nobody asked for', 'an acknowledged write is lost',
    $begin . <<'END_OF_HISTORY');
write 7 8 a s ivan PUT unknown 503 ivan/2
read 9 10 a s ivan 404 - -
END_OF_HISTORY

# --- random ones --------------------------------------------------------------------

# What an honest profile answers to three clients at once: each operation has
# its effect between its begin and its end; a fifth of the answers gets lost.
sub random_history {
    my ($count) = @_;
    my ($text, $profile, @free) = ('', '', (1) x 3);
    for my $number (1 .. $count) {
        my ($who) = sort { $free[$a] <=> $free[$b] } 0 .. 2;
        my ($start, $moment, $stop) = sort { $a <=> $b }
            map { $free[$who] + 3 * rand } 1 .. 3;
        $_ = sprintf '%.6f', $_ for $start, $stop;
        $free[$who] = $stop + 0.001;
        $text .= join "\t", $moment, $start, $stop, $number, rand, rand;
        $text .= "\n";
    }
    my @lines = sort { (split /\t/, $a)[0] <=> (split /\t/, $b)[0] }
        split /\n/, $text;
    return map { answered(\$profile, split /\t/) } @lines;
}

sub answered {
    my ($profile, undef, $start, $stop, $number, $what, $luck) = @_;
    my @line = ($start, $stop, 'a', 's', 'ivan');
    if ($what < 0.5) {
        return join "\t", 'read', @line,
            $$profile eq '' ? '404 - -' : "200 $$profile";
    }
    my ($method) = (qw(POST PUT PUT PATCH DELETE))[ 10 * ($what - 0.5) ];
    my $value = $method eq 'DELETE' ? '-' : "ivan/$number";
    my $is_done = $method eq 'POST' ? $$profile eq '' : $$profile ne '';
    my $code = { POST => 201, DELETE => 204 }->{$method} // 200;
    $code = $method eq 'POST' ? 409 : 404 if !$is_done;
    my $outcome = $luck < 0.05 ? 'unknown' : $is_done ? 'ok' : 'refused';
    $code = 503 if $outcome eq 'unknown';
    $$profile = $method eq 'DELETE' ? ''
        : $method eq 'PATCH' ? $$profile =~ s/^\S+/$value/r
        : "$value $value" if $is_done && !($outcome eq 'unknown' && rand() < 0.5);
    return join "\t", 'write', @line, "$method $outcome $code $value";
}

my $seed = $ENV{SEED} // int rand 1e6;
note "SEED=$seed";
srand $seed;
my $login = join "\t", 'login', '0.1', '0.2', 'a', 's', 'ivan', 200;
my ($good, $caught) = (0, 0);
for (1 .. 20) {
    my @lines = ($login, random_history(60));
    my @found = Ledger->check($LEASE, @lines)->violations;
    $good += !@found;
    diag("SEED=$seed\n@found") if @found;

    # One read made wrong: as if the first value of all were back.
    my ($first) = map { m{POST ok 201 (\S+)} } @lines;
    my ($last) = grep { $lines[$_] =~ /^read.*\t200/ } reverse 0 .. $#lines;
    next if !defined $last || !defined $first;
    $lines[$last] =~ s/200 .*/200 $first $first/;
    $caught += !!Ledger->check($LEASE, @lines)->violations;
}
is($good, 20, 'twenty good histories of three clients');
cmp_ok($caught, '>=', 15, '... of which an old value makes bad ones');

done_testing();
