package Plot;

# Small pictures as SVG: bars, bars of parts, and a rising line of shares.
use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(bars stacks steps);

use constant {
    WIDTH => 720,
    LEFT => 170,      # for names
    RIGHT => 90,      # for numbers
    TOP => 40,
    ROW => 26,
    BAR => 16,
    BOTTOM => 34,
    STEPS_HEIGHT => 220,
    TICKS => 5,
};

my @COLORS = ('#2b6cb0', '#dd6b20', '#718096', '#38a169', '#805ad5');

# Of [{ name, value, low, high }...]; a thin line shows low to high.
sub bars {
    my ($title, $rows) = @_;
    my $scale = scale(map { $_->{high} } @$rows);
    my $text = axis($scale, scalar @$rows);
    for my $i (0 .. $#$rows) {
        my $row = $rows->[$i];
        my $y = TOP + $i * ROW;
        my $middle = $y + BAR / 2;
        $text .= name($row->{name}, $middle)
            . rect(LEFT, $y, x($scale, $row->{value}) - LEFT, $COLORS[0])
            . line(x($scale, $row->{low}), $middle, x($scale, $row->{high}), $middle)
            . value(x($scale, $row->{high}), $middle, $row->{value});
    }
    return picture($title, @$rows * ROW, $text);
}

# Of [{ name, values => [one for each part] }...].
sub stacks {
    my ($title, $parts, $rows) = @_;
    my @sums = map { my $sum = 0; $sum += $_ for @{ $_->{values} }; $sum } @$rows;
    my $scale = scale(@sums);
    my $text = axis($scale, scalar @$rows);
    for my $i (0 .. $#$rows) {
        my $y = TOP + $i * ROW;
        my $sum = 0;
        $text .= name($rows->[$i]{name}, $y + BAR / 2);
        for my $part (0 .. $#$parts) {
            my $from = x($scale, $sum);
            $sum += $rows->[$i]{values}[$part];
            $text .= rect($from, $y, x($scale, $sum) - $from, $COLORS[$part]);
        }
        $text .= value(x($scale, $sum), $y + BAR / 2, $sum);
    }
    my $x = LEFT;
    my $y = TOP + @$rows * ROW + BOTTOM - 4;
    for my $part (0 .. $#$parts) {
        $text .= rect($x, $y - 9, 10, $COLORS[$part], 10)
            . text($x + 14, $y, $parts->[$part]);
        $x += 110;
    }
    return picture($title, @$rows * ROW + 16, $text);
}

# The share of the values, in ascending order, up to each of them.
sub steps {
    my ($title, $values) = @_;
    my $scale = scale(@$values);
    my $text = grid($scale, STEPS_HEIGHT);
    for my $percent (0, 25, 50, 75, 100) {
        $text .= text(LEFT - 8, TOP + STEPS_HEIGHT * (1 - $percent / 100) + 4,
            "$percent %", 'end');
    }
    my @points = (LEFT . ',' . (TOP + STEPS_HEIGHT));
    for my $i (0 .. $#$values) {
        my $x = sprintf '%.1f', x($scale, $values->[$i]);
        push @points, map { sprintf '%s,%.1f', $x, TOP + STEPS_HEIGHT * (1 - $_ / @$values) }
            $i, $i + 1;
    }
    $text .= qq{<polyline points="@points" fill="none" stroke="$COLORS[0]" stroke-width="2"/>\n};
    return picture($title, STEPS_HEIGHT, $text);
}

# The end of the axis: a round number.
sub scale {
    my ($most) = sort { $b <=> $a } @_, 0;
    return 1 if $most <= 0;
    my $power = 10**int(log($most) / log(10));
    $power /= 10 if $power > $most;
    for my $step (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) {
        return $step * $power if $step * $power >= $most;
    }
    return 10 * $power;
}

sub x {
    my ($scale, $value) = @_;
    return LEFT + (WIDTH - LEFT - RIGHT) * $value / $scale;
}

sub axis {
    my ($scale, $rows) = @_;
    return grid($scale, $rows * ROW);
}

sub grid {
    my ($scale, $height) = @_;
    my $text = '';
    for my $tick (0 .. TICKS) {
        my $x = x($scale, $scale * $tick / TICKS);
        my $y = TOP + $height;
        $text .= qq{<line x1="$x" y1="@{[TOP - 4]}" x2="$x" y2="$y" stroke="#e2e8f0"/>\n}
            . text($x, $y + 14, short($scale * $tick / TICKS), 'middle');
    }
    return $text;
}

sub short {
    my ($value) = @_;
    return $value >= 100 || $value == int $value ? sprintf '%.0f', $value
        : sprintf '%.1f', $value;
}

sub name {
    my ($name, $y) = @_;
    return text(LEFT - 8, $y + 4, $name, 'end');
}

sub value {
    my ($x, $y, $value) = @_;
    return text($x + 6, $y + 4, short($value));
}

sub rect {
    my ($x, $y, $width, $color, $height) = @_;
    $height //= BAR;
    return sprintf qq{<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"/>\n},
        $x, $y, $width < 0 ? 0 : $width, $height, $color;
}

sub line {
    my (@at) = @_;
    return sprintf qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#1a202c"/>\n},
        @at;
}

sub text {
    my ($x, $y, $text, $anchor) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;');
    $text =~ s/([&<>])/$entity{$1}/g;
    return sprintf qq{<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>\n},
        $x, $y, $anchor // 'start', $text;
}

sub picture {
    my ($title, $height, $text) = @_;
    $height += TOP + BOTTOM;
    return qq{<svg xmlns="http://www.w3.org/2000/svg" width="@{[WIDTH]}" height="$height"}
        . qq{ font-family="sans-serif" font-size="12" fill="#1a202c">\n}
        . qq{<rect width="100%" height="100%" fill="#fff"/>\n}
        . qq{<g font-weight="bold">} . text(8, 20, $title) . "</g>\n$text</svg>\n";
}

1;
