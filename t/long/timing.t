#!/usr/bin/perl
# make test-timing: how long logins take that are refused. ATTEMPTS=1000 each of
# an unknown user, a wrong password, an empty one and a disabled account, in
# random order (SEED=): nobody may learn from the time which it was. Accounts
# whose stored hash has two passes of five fewer come along, and have to be told
# apart: else the test would find nothing.
use strict;
use warnings;
use lib 't/lib';
use FastCGI;
use Idp qw(header json);
use JSON::PP;
use List::Util qw(max min shuffle sum0);
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

# The cheapest that are allowed: what differs besides the hash weighs most.
my %COST = (HASH_MINIMUM => 'owasp', HASH_MEMORY => '7m', HASH_PASSES => 5);
my $FEWER_PASSES = 3;
my $ATTEMPTS = $ENV{ATTEMPTS} // 1000;
my $SEED = $ENV{SEED} // int rand 1e6;
my $EACH = 40;      # at one name; from 50 on networks have to take turns
my $PASSWORD = 'correct horse battery';

# Two kinds are told apart if that is no accident, and enough to be of use: who
# says of two answers which of them is of which kind is right in a share AUC of
# cases, or the medians are so far apart.
my $LEVEL = 0.01;           # of all pairs together
my $AUC = 0.57;             # below it Cliff's delta is called negligible
my $APART_MS = 0.5;
my $APART_SHARE = 0.01;     # of a login, if that is more

my @KINDS = ('unknown user', 'wrong password', 'empty password',
    'disabled account');
my $CONTROL = 'fewer passes';
my %SENT = ('empty password' => '', 'disabled account' => $PASSWORD);

diag("SEED=$SEED ATTEMPTS=$ATTEMPTS");
srand $SEED;
my $idp = Idp->start(env => \%COST);

# --- accounts ----------------------------------------------------------------

sub name_of {
    my ($kind, $attempt) = @_;
    return ($kind =~ tr/ /-/r) . '.' . int $attempt / $EACH;
}

sub hash_of {
    my ($passes) = @_;
    $idp->start_identprov(1, HASH_PASSES => $passes, HASH_MINIMUM => 'none');
    my $answer = $idp->post_json('/1/register', { username => "of-$passes",
            password => $PASSWORD, first_name => 'Eva',
            email => "of-$passes\@example.org" });
    die "register: $answer->{body}\n" if $answer->{status} != 201;
    $idp->end_part('TERM', 'identprov-1');
    return $idp->sql(q(SELECT password_hash FROM identprov.account
        WHERE username = ') . "of-$passes'");
}

my %hash = map { $_ => hash_of($_) } $COST{HASH_PASSES}, $FEWER_PASSES;
my @lines;
for my $kind (@KINDS[ 1 .. $#KINDS ], $CONTROL) {
    my $passes = $kind eq $CONTROL ? $FEWER_PASSES : $COST{HASH_PASSES};
    for (my $i = 0; $i < $ATTEMPTS; $i += $EACH) {
        my $name = name_of($kind, $i);
        push @lines, encode_json({ username => $name, first_name => 'Eva',
            email => "$name\@example.org", password_hash => $hash{$passes},
            disabled => $kind =~ /disabled/ ? JSON::PP::true : JSON::PP::false });
    }
}
my ($status, undef, $errors) = $idp->run([qw(user import)],
    stdin => join "\n", @lines, '');
is($status, 0, scalar(@lines) . ' accounts') or diag($errors);

# --- attempts ----------------------------------------------------------------

# Milliseconds; each attempt at a name comes from a network of its own.
sub attempt {
    my ($kind, $n) = @_;
    my $body = encode_json({ username => name_of($kind, $n),
        password => $SENT{$kind} // 'a wrong guess here' });
    my $params = [ REQUEST_METHOD => 'POST', SCRIPT_NAME => '',
        PATH_INFO => '/login', CONTENT_TYPE => 'application/json',
        CONTENT_LENGTH => length $body, REQUEST_ID => 'f' x 32,
        REMOTE_ADDR => '192.0.' . $n % $EACH . '.1' ];
    my $begin = clock_gettime(CLOCK_MONOTONIC);
    my $answer = FastCGI::ask($idp->room . '/identprov-0.sock', $params, $body);
    my $took = clock_gettime(CLOCK_MONOTONIC) - $begin;
    $answer->{status} == 401
        or BAIL_OUT("$kind: $answer->{status} $answer->{body}");
    return 1000 * $took;
}

attempt('warm-up', $_) for 1 .. $EACH - 1;
my %took;
for my $n (0 .. $ATTEMPTS - 1) {
    push @{ $took{$_} }, attempt($_, $n) for shuffle(@KINDS, $CONTROL);
}

# --- statistics --------------------------------------------------------------

sub quantile {
    my ($values, $share) = @_;
    my @sorted = sort { $a <=> $b } @$values;
    return $sorted[ min(int($share * @sorted), $#sorted) ];
}

# Mann and Whitney: (AUC, p), by the normal approximation, which is exact
# enough from some tens of values on; there are no ties to speak of.
sub compare {
    my ($one, $other) = @_;
    my @all = sort { $a->[0] <=> $b->[0] }
        (map { [ $_, 1 ] } @$one), (map { [ $_, 0 ] } @$other);
    my ($n, $m) = (scalar @$one, scalar @$other);
    my $ranks = sum0 map { $_ + 1 } grep { $all[$_][1] } 0 .. $#all;
    my $u = $ranks - $n * ($n + 1) / 2;
    my $z = ($u - $n * $m / 2) / sqrt($n * $m * ($n + $m + 1) / 12);
    return ($u / ($n * $m), 2 * beyond(abs $z));
}

# The normal distribution's share beyond z: Abramowitz and Stegun, 26.2.17.
sub beyond {
    my ($z) = @_;
    my $t = 1 / (1 + 0.2316419 * $z);
    my $sum = 0;
    $sum = ($sum + $_) * $t for 1.330274429, -1.821255978, 1.781477937,
        -0.356563782, 0.319381530;
    return exp(-$z * $z / 2) / sqrt(2 * 3.14159265358979) * $sum;
}

sub is_told_apart {
    my ($one, $other, $pairs) = @_;
    my ($auc, $p) = compare($took{$one}, $took{$other});
    my @medians = map { quantile($took{$_}, 0.5) } $one, $other;
    my $apart = abs($medians[0] - $medians[1]);
    my $most = max($APART_MS, $APART_SHARE * min(@medians));
    diag(sprintf '%-16s / %-16s medians %.3f ms apart, AUC %.3f, p %.2g',
        $one, $other, $apart, $auc, $p);
    return $p < $LEVEL / $pairs
        && ($apart > $most || abs($auc - 0.5) > $AUC - 0.5);
}

diag(sprintf '%-16s %8s %8s %8s %8s %8s', 'ms', '5 %', '25 %', 'median', '75 %',
    '95 %');
for my $kind (@KINDS, $CONTROL) {
    diag(sprintf '%-16s' . ' %8.3f' x 5, $kind,
        map { quantile($took{$kind}, $_) } 0.05, 0.25, 0.5, 0.75, 0.95);
}
my @pairs = map { my $i = $_; map { [ @KINDS[ $i, $_ ] ] } $i + 1 .. $#KINDS }
    0 .. $#KINDS;
for my $pair (@pairs) {
    ok(!is_told_apart(@$pair, scalar @pairs), "$pair->[0] and $pair->[1] take"
            . ' the same time');
}
ok(is_told_apart($_, $CONTROL, 1), "$_ and a hash of $CONTROL do not")
    for @KINDS;

is($idp->sql(q(SELECT count(*) FROM identprov.audit
    WHERE event = 'login_failed')), $ATTEMPTS * (@KINDS + 1) + $EACH - 1,
    'each attempt was one, none was throttled');
$idp->stops_cleanly;
done_testing;
