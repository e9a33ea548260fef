package Bench;

# What all parts of bench/run share: its settings, targets and place.
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use Stack qw(slurp);

our @EXPORT = qw($top $dir %set @TARGETS progress skip output has_program config
    target median ratios_of);

our $top = abs_path(dirname(abs_path(__FILE__)) . '/..');
our $dir;        # everything of this run
our %set;        # by name
our @TARGETS;    # { name, text, identity, session, status, needs }

sub progress {
    my (@text) = @_;
    print STDERR 'bench: ', @text, "\n";
    return;
}

# Says what is left out, and why.
sub skip {
    my (@text) = @_;
    progress('left out: ', @text);
    return;
}

sub target {
    my ($name) = @_;
    my ($found) = grep { $_->{name} eq $name } @TARGETS;
    return $found;
}

# Settings of the environment over these, by name.
sub read_settings {
    my (%default) = @_;
    %set = map { $_ => ($ENV{$_} // '') ne '' ? $ENV{$_} : $default{$_} }
        keys %default;
    for my $name (grep { $default{$_} =~ /^\d+$/ } keys %default) {
        $set{$name} =~ /^[\d ]+$/ or die "bench: $name=$set{$name} is no number\n";
    }
    $set{BUILD} = abs_path($set{BUILD}) // $set{BUILD};
    return;
}

sub has_program {
    my ($name) = @_;
    return scalar grep { -x "$_/$name" } split /:/, $ENV{PATH};
}

# Of configure.sh.
sub config {
    my ($name) = @_;
    my ($value) = slurp("$set{BUILD}/config.mk") =~ /^\Q$name\E = *(.*?)\s*$/m;
    return $value // '';
}

# What a command says, on stderr, too.
sub output {
    my (@command) = @_;
    my $pid = open(my $out, '-|') // die "bench: fork: $!\n";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec @command or POSIX::_exit(127);
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return $text;
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

# Of a value in each round of a target to that of another, in ascending order;
# the value is one of a result of load(), or "cpu:PART".
sub ratios_of {
    my ($results, $of, @names) = @_;
    my ($these, $those) = map { $results->{$_} || [] } @names;
    my ($part) = $of =~ /^cpu:(\w+)$/;
    my $get = sub { defined $part ? $_[0]{cpu}{$part} : $_[0]{$of} };
    return if !@$these || !@$those;
    return sort { $a <=> $b }
        map { $get->($these->[$_]) / $get->($those->[$_]) } 0 .. $#$these;
}

1;
