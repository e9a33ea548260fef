package Refused;

# For files whose blocks are configurations that "nginx -t" refuses: a block
# with an error log and without a request must die of it.
#
#   use Refused;    after Test::Nginx::Socket and ModuleTest
#
# Most can be a paragraph: lines of configuration for a server, or for http
# when the first one begins with "http: ", and then, indented, what nginx says
# of the last one, or of the one that ends with "# here". It becomes a block
# that must die with exactly that, the file and the line behind it.
#
#   Refused::blocks(<DATA>);
use strict;
use warnings;
use Test::Base ();
use Test::Nginx::Util ();

sub import {
    Test::Nginx::Util::add_block_preprocessor(sub {
            my ($block) = @_;
            return if !defined $block->error_log || defined $block->request;
            $block->set_value('must_die', '');
            $block->set_value('suppress_stderr', '');
        });
    return;
}

sub blocks {
    my $text = join '', @_;
    my $n = 0;
    Test::Base::spec_string(join "\n", map { block_of(++$n, $_) }
            split /\n{2,}/, $text =~ s/\A\n+|\n+\z//gr);
    return;
}

sub block_of {
    my ($n, $paragraph) = @_;
    my @lines = split /\n/, $paragraph;
    my @conf = grep { !/^ / } @lines;
    my $message = join ' ', map { /^ +(.*)/ ? $1 : () } @lines;
    die "Refused: no message: $paragraph\n" if $message eq '';
    my ($line) = grep { $conf[ $_ - 1 ] =~ /# here$/ } 1 .. @conf;
    $line //= @conf;
    my $title = "@conf" =~ s/ # here//r;
    my $section = $conf[0] =~ s/^http: // ? 'http_config' : 'config';
    my $path = "$ENV{TEST_NGINX_CONF}/refused-$n.conf";
    write_file($path, join "\n", @conf, '');
    return <<"END";
=== TEST $n: $title
--- http_config
@{[ $section eq 'http_config' ? "include $path;" : '' ]}
--- config
@{[ $section eq 'config' ? "include $path;" : '' ]}
--- error_log
[emerg]
: $message in $path:$line
END
}

sub write_file {
    my ($path, $text) = @_;
    $text =~ s/\$TEST_NGINX_CONF/$ENV{TEST_NGINX_CONF}/g;
    open my $out, '>', $path or die "Refused: $path: $!\n";
    print $out $text;
    close $out or die "Refused: $path: $!\n";
    return;
}

1;
