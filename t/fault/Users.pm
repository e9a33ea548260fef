package Users;

# People who use a stack all the time, each process of them in a loop, and what
# they asked and were told as a history (Ledger). Two are always the same user,
# with a session each, and change one profile; another user comes every few
# seconds.
use strict;
use warnings;
use Client qw(field);
use FastCGI;
use History qw(now);
use JSON::PP;
use Ledger;
use POSIX ();
use Time::HiRes qw(sleep);

use constant {
    PAIRS => 3,
    USER_SEC => 4, # a user's life
    UNKNOWN_MAX => 3, # POSTs and DELETEs: the checker tries all their orders
    LEASE_SEC => 2,
    PASSWORD => 'correct horse 7 battery',
};

# at: the port; elsewhere: identprov's socket, for logouts of which the gateway
# has to be told; name: what the users' names begin with; file: the history.
sub new {
    my ($class, %with) = @_;
    my $self = bless { %with, pids => [], number => 'p' }, $class;
    $self->{history} = History->open_for_writing($with{file});
    return $self;
}

sub start {
    my ($self, $seed) = @_;
    $self->{began} = now();
    for my $who (0 .. 2 * PAIRS - 1) {
        my $pid = fork // die "fork: $!\n";
        if ($pid) {
            push @{ $self->{pids} }, $pid;
            next;
        }
        srand $seed * 100 + $who;
        $self->{number} = $who;
        my $is_over = 0;
        local $SIG{TERM} = sub { $is_over = 1 };
        eval { $self->act while !$is_over; 1 } or print STDERR "users: $@";
        POSIX::_exit($@ ? 1 : 0);
    }
    return;
}

# True: none of them has died.
sub stop {
    my ($self) = @_;
    my @pids = splice @{ $self->{pids} };
    my $is_good = 1;
    kill TERM => @pids;
    for my $pid (@pids) {
        waitpid $pid, 0;
        $is_good &&= $? == 0;
    }
    return $is_good;
}

# Everything that was written, as it is in the end.
sub look_at_all {
    my ($self) = @_;
    open my $in, '<', $self->{file} or die "$self->{file}: $!\n";
    my %user = map { /^register\t/ ? ((split /\t/)[5] => 1) : () } <$in>;
    for my $user (sort keys %user) {
        $self->begin_user($user);
        for (1 .. 5) {
            last if $self->login =~ /^(?:200|401)$/;
        }
        next if !$self->{session};
        $self->get;
        $self->read;
    }
    return scalar keys %user;
}

sub verdict {
    my ($self) = @_;
    return Ledger->check_file(LEASE_SEC, $self->{file});
}

# Whether somebody new could do all that there is to be done.
sub can_do_all {
    my ($self) = @_;
    $self->begin_user("$self->{name}-probe-" . ++$self->{probe});
    return $self->register == 201 && $self->login == 200
        && $self->get == 200 && $self->write('POST') == 201
        && $self->write('PUT') == 200 && $self->read == 200
        && $self->logout == 204 && $self->get_again == 401;
}

# By the session that has been ended.
sub get_again {
    my ($self) = @_;
    local $self->{session} = $self->{before};
    return $self->get;
}

# --- one of them ------------------------------------------------------------------

sub act {
    my ($self) = @_;
    my $generation = int((now() - $self->{began}) / USER_SEC);
    my $user = join '-', $self->{name}, int($self->{number} / 2), $generation;
    $self->begin_user($user) if ($self->{user} // '') ne $user;
    if (!$self->{is_known}) {
        $self->{is_known} = $self->register =~ /^(?:201|409)$/;
    } elsif (!$self->{session}) {
        $self->login;
    } else {
        $self->act_in_session;
    }
    sleep rand 0.02;
    return;
}

sub act_in_session {
    my ($self) = @_;
    my $what = rand;
    return $self->read if $what < 0.35;
    return $self->get if $what < 0.55;
    return $self->write($self->{unknown} < UNKNOWN_MAX
            ? (qw(POST PUT PUT PATCH PATCH DELETE))[ rand 6 ]
            : (qw(PUT PATCH))[ rand 2 ])
        if $what < 0.90;
    return $self->get_as_nobody if $what < 0.95;
    return $self->look_back if $what < 0.98;
    rand() < 0.5 ? $self->logout : $self->logout_elsewhere;
    return $self->look_back;
}

sub begin_user {
    my ($self, $user) = @_;
    @$self{qw(user session is_known unknown)} = ($user, undef, 0, 0);
    return;
}

# A session that has been ended, or not.
sub look_back {
    my ($self) = @_;
    my $before = $self->{before} or return;
    local $self->{session} = $before;
    return rand() < 0.5 ? $self->get : $self->read;
}

sub get_as_nobody {
    my ($self) = @_;
    local $self->{session} = { name => 'nobody', id => 'A' x 43,
        user => 'nobody' };
    return rand() < 0.5 ? $self->get : $self->read;
}

# --- operations: each notes a line, and returns the status -------------------------

sub register {
    my ($self) = @_;
    my $user = $self->{user};
    my ($answer, @times) = $self->ask('POST', '/register', { username => $user,
            password => PASSWORD, email => "$user\@example.org",
            first_name => 'F' });
    $self->note('register', @times, '-', $user,
        $answer->{is_refused} ? 429 : $answer->{status});
    return $answer->{status};
}

sub login {
    my ($self) = @_;
    my $user = $self->{user};
    my ($answer, @times) = $self->ask('POST', '/login',
        { username => $user, password => PASSWORD });
    my $id = field($answer, 'JSESSIONID');
    my $name = $answer->{status} == 200 && defined $id
        ? join '/', $user, $self->{number}, ++$self->{id} : '-';
    $self->{session} = $name eq '-' ? undef
        : { name => $name, id => $id, user => $user };
    $self->note('login', @times, $name, $user, $answer->{status});
    return $answer->{status};
}

sub logout {
    my ($self) = @_;
    my $session = $self->{session};
    my ($answer, @times) = $self->ask('POST', '/logout', '');
    $self->note('logout', @times, $session->{name}, '-', $answer->{status});
    return $self->after_logout($answer);
}

# As another gateway would.
sub logout_elsewhere {
    my ($self) = @_;
    my $session = $self->{session};
    my $begin = now();
    my $answer = eval { FastCGI::ask($self->{elsewhere}, [
                REQUEST_METHOD => 'POST', SCRIPT_NAME => '',
                PATH_INFO => '/logout', QUERY_STRING => '',
                CONTENT_LENGTH => 0, REQUEST_ID => '0' x 32,
                REMOTE_ADDR => '127.0.0.1',
                HTTP_JSESSIONID => $session->{id} ], '') }
        // { status => 0 };
    $self->{history}->note('logout', $begin, now(), 'b', $session->{name},
        '-', $answer->{status});
    return $self->after_logout($answer);
}

sub after_logout {
    my ($self, $answer) = @_;
    my $session = $self->{session};
    $self->{before} = $session;
    $self->{session} = undef if $answer->{status} == 204;
    return $answer->{status};
}

# What the application behind the gateway is told.
sub get {
    my ($self) = @_;
    my ($answer, @times) = $self->ask('GET', '/whoami');
    my $status = $answer->{status};
    my ($user) = $answer->{body} =~ /^\[([^\]]*)\]$/;
    $self->note('get', @times, $self->{session}{name},
        $status == 200 ? $user // '-' : '-', $status);
    return $status;
}

sub read {
    my ($self) = @_;
    my ($answer, @times) = $self->ask('GET', '/userprofile');
    my $status = $answer->{status};
    my $data = $status == 200
        ? eval { JSON::PP->new->utf8->decode($answer->{body}) } // {} : {};
    $self->note('read', @times, $self->{session}{name},
        $self->{session}{user}, join ' ', $status,
        map { $data->{$_} // '-' } qw(nickname bio));
    return $status;
}

sub write {
    my ($self, $method) = @_;
    my $value = $method eq 'DELETE' ? '-'
        : join '/', $self->{user}, $self->{number}, ++$self->{value};
    my $data = $method eq 'DELETE' ? ''
        : { nickname => $value, $method eq 'PATCH' ? () : (bio => $value) };
    my ($answer, @times) = $self->ask($method, '/userprofile', $data);
    my $outcome = outcome($answer);
    $self->{unknown}++
        if $outcome eq 'unknown' && $method =~ /^(?:POST|DELETE)$/;
    $self->note('write', @times, $self->{session}{name},
        $self->{session}{user}, join ' ', $method, $outcome,
        $answer->{status}, $value);
    return $answer->{status};
}

sub outcome {
    my ($answer) = @_;
    my $status = $answer->{status};
    return 'ok' if $status =~ /^2/;
    return 'refused' if $answer->{is_refused} || $status =~ /^4/
        || defined field($answer, 'Identgw-Reason');
    return 'unknown';
}

sub note {
    my ($self, $kind, $begin, $end, @rest) = @_;
    $self->{history}->note($kind, $begin, $end, 'a', @rest);
    return;
}

# The answer, begin, end. Status 0: none; is_refused: nothing was ever sent.
sub ask {
    my ($self, $method, $target, $data) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my @headers = ('Connection', 'close');
    push @headers, 'JSESSIONID', $self->{session}{id} if $self->{session};
    push @headers, 'Content-Type', 'application/json' if ref $data;
    my $body = ref $data ? JSON::PP->new->utf8->encode($data) : $data;
    my $begin = now();
    my $client = eval { Client->new($self->{at}) };
    my $answer = $client && $client->ask($method, $target, \@headers, $body);
    my $end = now();
    sleep 0.1 if !$answer || $answer->{status} >= 500;
    $answer //= { status => 0, headers => [], body => '',
        is_refused => !$client };
    return ($answer, $begin, $end);
}

1;
