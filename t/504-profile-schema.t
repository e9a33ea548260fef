# The database refuses by itself what the program would not write: whoever gets
# past the program's rules, or writes by hand, meets the schema's.
use strict;
use warnings;
use utf8;
use Encode ();
use lib 't/lib';
use Stack;
use Test::More;

my $stack = Stack->start;
my ($host) = $stack->setting('USERPROFILE_DATABASE') =~ /host=(\S+)/;
my $bindir = $ENV{PG_BINDIR} || (sort glob '/usr/lib/postgresql/*/bin')[-1];
binmode $_, ':utf8' for map { Test::More->builder->$_ }
    qw(output failure_output todo_output);

# The constraint that the statement breaks; '' when it goes through.
sub broken_by {
    my ($sql) = @_;
    Stack::spew("$stack->{var}/sql", Encode::encode('UTF-8', $sql));
    my $said = qx{'$bindir/psql' -h '$host' -U userprofile -X -q -f \\
        '$stack->{var}/sql' userprofile 2>&1};
    return $1 if $said =~ /constraint "(\w+)"/;
    return $said =~ /not-null|null value/ ? 'not null' : $said;
}

sub quoted {
    my ($text) = @_;
    return 'NULL' if !defined $text;
    return "E'" . $text =~ s/([\\'])/\\$1/gr . "'";
}

sub insert {
    my ($column, $value, $sub) = @_;
    my $is_sub = $column eq 'sub';
    return broken_by(
        'BEGIN; INSERT INTO userprofile.profile (sub'
        . ($is_sub ? '' : ", $column") . ') VALUES ('
        . ($is_sub ? '' : q{'s-1', }) . quoted($value) . '); ROLLBACK;');
}

my %good = (
    sub => [ 'a', 'x' x 255 ],
    given_name => [ 'José', 'é' x 128 ],
    picture => [ 'https://a', 'http://' . 'a' x 2041 ],
    birthdate => [ '1979-02-28', '0000-02-29', '1979' ],
    zoneinfo => [ 'Europe/Paris' ], locale => [ 'fr-CA' ],
    phone_number => [ '+1234567' ],
    bio => [ "a\nb\r\nc", 'x' x 4096 ], address_formatted => [ "a\nb" ],
    custom => [ '{}', '{"a":[1e300]}', '{"a":"' . 'x' x 16376 . '"}' ]);
my %bad = (
    sub => [ undef, '', 'x' x 256, "a\nb" ],
    given_name => [ '', 'x' x 129, "a\nb", "a\tb", "a\x{7f}", "a\x{85}" ],
    family_name => [ '', 'x' x 129, "\x01" ],
    nickname => [ '', 'x' x 129 ],
    picture => [ '', 'ftp://a', 'javascript:x', 'http://' . 'a' x 2042,
        "http://a\nb" ],
    website => [ '', 'a', 'https://' . 'a' x 2041 ],
    gender => [ '', 'x' x 65 ],
    birthdate => [ '', '79', '1979-2-28', "1979\n", '1979-02-28T00:00' ],
    zoneinfo => [ '', 'a b', '../x', 'x' x 65 ],
    locale => [ '', 'a b', 'x' x 36 ],
    phone_number => [ '', '123', '+0123456789', '+1234567890123456' ],
    address_formatted => [ '', 'x' x 1025, "a\x{b}" ],
    address_street_address => [ '', 'x' x 513, "a\x{1f}" ],
    address_locality => [ '', 'x' x 129, "a\nb" ],
    address_region => [ '', 'x' x 129 ],
    address_postal_code => [ '', 'x' x 33 ],
    address_country => [ '', 'x' x 129 ],
    bio => [ '', 'x' x 4097, "a\tb" ],
    custom => [ '[]', '1', 'null', '"x"', '{"a":"' . 'x' x 16377 . '"}' ]);

for my $column (sort keys %good) {
    is(insert($column, $_), '', "$column may be "
        . (length > 20 ? length($_) . ' characters' : $_ =~ s/[\r\n]/_/gr))
        for @{ $good{$column} };
}
for my $column (sort keys %bad) {
    for my $value (@{ $bad{$column} }) {
        my $shown = !defined $value ? 'NULL' : length $value > 20
            ? length($value) . ' characters'
            : $value =~ s/([\x00-\x1f\x7f-\x9f])/sprintf '\\x%02x', ord $1/ger;
        like(insert($column, $value), qr/^(not null|profile_\w+_check)$/,
            "$column is not <$shown>");
    }
}
is(broken_by(q{BEGIN; INSERT INTO userprofile.profile (sub) VALUES ('a');
        INSERT INTO userprofile.profile (sub) VALUES ('a'); ROLLBACK;}),
    'profile_pkey', 'one profile a subject');
is(qx{'$bindir/psql' -h '$host' -U userprofile -X -q -At -c \\
        "SELECT string_agg(DISTINCT data_type, ' ') FROM
        information_schema.columns WHERE table_schema = 'userprofile' AND
        table_name = 'profile'" userprofile},
    "json text timestamp with time zone\n", 'texts, times and one JSON');

$stack->stops_cleanly;
done_testing();
