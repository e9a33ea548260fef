package Failover;

# A primary is killed while people write, and another one promoted: nothing that
# was acknowledged is lost, no logout is missed, and nothing is restarted.
use strict;
use warnings;
use FastCGI;
use Test::More;
use Trial;
use Users;

my $SESSIONS = 20;
my @PARTS = qw(identprov userprofile nginx);

# Settings for Trial: how long the hash of a password takes on a busy machine is
# not the question here.
sub settings {
    return (IDENTPROV_HASH_MINIMUM => 'none', IDENTPROV_HASH_MEMORY => '64k',
        IDENTPROV_HASH_PASSES => 1);
}

# with: kill, promote (which returns since when there is a primary again), back
# (the seconds from then until all works).
sub survives {
    my ($trial, %with) = @_;
    my $stack = $trial->stack;
    my $self = bless { stack => $stack, cursors => [], ended => [],
        alive => [] }, __PACKAGE__;
    my @pids = map { $stack->pid_of($_) } @PARTS;
    $trial->try('failover', sub {
        my (undef, $users) = @_;
        $self->before($users);
        $users->{session} = $self->{alive}[0];
        my $status = $users->logout_elsewhere;
        $with{kill}->();
        is($status, 204, 'a logout, and the primary is killed');
        push @{ $self->{ended} }, shift @{ $self->{alive} };
        return $with{promote}->();
    }, back => $with{back});
    $self->after;
    is_deeply([ map { $stack->pid_of($_) } @PARTS ], \@pids,
        'nothing was restarted');
    return;
}

# The first line of what the feed says.
sub poll {
    my ($self, $cursor) = @_;
    my $answer = FastCGI::ask($self->{stack}->socket('identprov'), [
            REQUEST_METHOD => 'GET', SCRIPT_NAME => '',
            PATH_INFO => '/revocations', QUERY_STRING => "since=$cursor",
            REQUEST_ID => '0' x 32, IDENTGW_INTERNAL => 1 ], '');
    return $answer->{body} =~ /^(cursor|reset) (\S+)\n/;
}

# Sessions that are used by nobody else, and a cursor after each logout.
sub before {
    my ($self, $users) = @_;
    my ($cursors, $ended, $alive) = @$self{qw(cursors ended alive)};
    $users->begin_user("$users->{name}-kept");
    is($users->register, 201, 'somebody new');
    for my $number (1 .. $SESSIONS) {
        $users->{session} = undef;
        $users->login;
        my $session = $users->{session};
        is($users->get, 200, "session $number is in the cache");
        push @$alive, $session;
        next if $number % 2;
        push @$ended, pop @$alive;
        $number % 4 ? $users->logout : $users->logout_elsewhere;
        $users->{session} = undef;
        push @$cursors, ($self->poll($cursors->[-1] // ''))[1];
    }
    return;
}

sub after {
    my ($self) = @_;
    my $stack = $self->{stack};
    my $users = Users->new(at => $stack->port, name => 'after',
        file => "$stack->{var}/history-1");
    for my $way ([ 200, 'goes on', $self->{alive} ],
        [ 401, 'has ended', $self->{ended} ]) {
        my ($status, $what, $sessions) = @$way;
        for my $session (@$sessions) {
            local $users->{session} = $session;
            is($users->get, $status, "$session->{name} $what");
        }
    }
    for my $cursor (@{ $self->{cursors} }) {
        my ($word, $next) = $self->poll($cursor);
        is($word, 'reset', "the old cursor $cursor");
        is(($self->poll($next))[0], 'cursor', '... the new one serves');
    }
    Trial::is_right($users->verdict);
    return;
}

1;
