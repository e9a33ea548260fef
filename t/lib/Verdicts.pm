# What a checker of histories says of one written down in a test.
#
#   $Verdicts::checker = 'History';   # or another package with check()
#   holds('what', "get 1 2 a s ivan 200\n...");
#   finds('what', qr/in the one violation/ or 'the whole of it', "...");
#
# Lines: KIND BEGIN END NODE SESSION USER STATUS...; times in seconds.
package Verdicts;
use strict;
use warnings;
use Exporter qw(import);
use Test::More;

our @EXPORT = qw(holds finds $LEASE);
our $LEASE = 2; # seconds
our $checker;

sub violations {
    my ($text) = @_;
    my @lines = map { join "\t", split ' ', $_, 7 } grep { /\S/ } split /\n/,
        $text;
    s/\t(\d+)(?=\t)/\t$1.0/g for @lines;
    return map { /^(.*)/ } $checker->check($LEASE, @lines)->violations;
}

sub holds {
    my ($what, $text) = @_;
    is_deeply([ violations($text) ], [], $what);
    return;
}

sub finds {
    my ($what, $violation, $text) = @_;
    my @found = violations($text);
    $violation = qr/^$violation$/ if !ref $violation;
    is(scalar @found, 1, "$what: one violation") or diag(join "\n", @found);
    like($found[0] // '', $violation, $what);
    return;
}

1;
