package Checks;

# A block of Test::Nginx whose claim needs a client of its own: the section
# "--- check: name" runs main::check_name, which asks the nginx of that block
# and asserts. The block then needs no request, and its error log must hold
# nothing that is worse than [error].
#
#   use Checks;    after Test::Nginx::Socket
use strict;
use warnings;
use Test::Nginx::Socket ();
use Test::Nginx::Util ();

sub import {
    Test::Nginx::Util::add_block_preprocessor(\&complete_block);
    Test::Nginx::Socket::add_response_body_check(\&run_check);
    return;
}

sub complete_block {
    my ($block) = @_;
    return if !defined $block->check;
    $block->set_value('config', ($block->config // '') . <<'CONF');
location = /ready {
    identgw off;
    return 200 "ready\n";
}
CONF
    $block->set_value('request', "GET /ready\n");
    $block->set_value('response_body', "ready\n");
    $block->set_value('timeout', 10);
    $block->set_value('no_error_log', "[alert]\n[crit]\n[emerg]\n")
        if !defined $block->no_error_log;
    return;
}

sub run_check {
    my ($block) = @_;
    my $name = $block->check // return;
    $name =~ s/\s+\z//;
    my $check = main->can("check_$name") or die "Checks: no check_$name\n";
    eval { $check->($block); 1 }
        or Test::More::fail($block->name . " - the check died: $@");
    return;
}

1;
