package Refused;

# For files whose blocks are configurations that "nginx -t" refuses: a block
# with an error log and without a request must die of it.
#
#   use Refused;    after Test::Nginx::Socket
use strict;
use warnings;
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

1;
