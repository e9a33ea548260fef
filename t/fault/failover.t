#!/usr/bin/perl
# make test-faults: the primary is killed while people write, and its synchronous
# standby promoted. Nothing that was acknowledged is lost, no logout is missed,
# and nothing is restarted.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use FastCGI;
use History qw(now);
use Pair;
use Stack;
use Test::More;
use Time::HiRes qw(sleep);
use Trial;

plan skip_all => 'by NAMES=' if !Trial::is_wanted('failover');

my $BACK_SEC = 5; # after the promotion has begun
my $DOWN_SEC = 2;
my $SESSIONS = 20;

my $pair = Pair->start;
my $trial = Trial->start(env => {
    IDENTPROV_DATABASE => $pair->conninfo('identprov'),
    USERPROFILE_DATABASE => $pair->conninfo('userprofile') });
my $stack = $trial->stack;

# The first line of what the feed says.
sub poll {
    my ($cursor) = @_;
    my $answer = FastCGI::ask($stack->socket('identprov'), [
            REQUEST_METHOD => 'GET', SCRIPT_NAME => '',
            PATH_INFO => '/revocations', QUERY_STRING => "since=$cursor",
            REQUEST_ID => '0' x 32, IDENTGW_INTERNAL => 1 ], '');
    return $answer->{body} =~ /^(cursor|reset) (\S+)\n/;
}

my (@cursors, @ended, @alive);

# Sessions that are used by nobody else, and a cursor after each logout.
sub before {
    my ($users) = @_;
    $users->begin_user("$users->{name}-kept");
    is($users->register, 201, 'somebody new');
    for my $number (1 .. $SESSIONS) {
        $users->{session} = undef;
        $users->login;
        my $session = $users->{session};
        is($users->get, 200, "session $number is in the cache");
        push @alive, $session;
        next if $number % 2;
        push @ended, pop @alive;
        $number % 4 ? $users->logout : $users->logout_elsewhere;
        $users->{session} = undef;
        push @cursors, (poll($cursors[-1] // ''))[1];
    }
    return;
}

sub status_of {
    my ($users, $session) = @_;
    local $users->{session} = $session;
    return $users->get;
}

my @pids = map { $stack->pid_of($_) } qw(identprov userprofile nginx);
$trial->try('failover', sub {
    my (undef, $users) = @_;
    before($users);
    my $last = $alive[0];
    $users->{session} = $last;
    my $status = $users->logout_elsewhere;
    $pair->kill_primary;
    is($status, 204, 'a logout, and the primary is killed');
    push @ended, shift @alive;
    sleep $DOWN_SEC;
    my $since = now();
    $pair->promote;
    return $since;
}, back => $BACK_SEC);

my $users = Users->new(at => $stack->port, name => 'after',
    file => "$stack->{var}/history-1");
is(status_of($users, $_), 200, "$_->{name} goes on") for @alive;
is(status_of($users, $_), 401, "$_->{name} has ended") for @ended;
for my $cursor (@cursors) {
    my ($word, $next) = poll($cursor);
    is($word, 'reset', "the old cursor $cursor");
    is((poll($next))[0], 'cursor', '... the new one serves');
}
Trial::is_right($users->verdict);
is_deeply([ map { $stack->pid_of($_) } qw(identprov userprofile nginx) ],
    \@pids, 'nothing was restarted');
$stack->stops_cleanly;
done_testing();
