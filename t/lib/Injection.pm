package Injection;

# Both applications, in which the n-th call of what can fail fails: programs with
# the sanitizers that are linked with t/inject/inject.c. identprov is Idp's;
# userprofile is beside it, in the same database. Requests go straight to them.
use strict;
use warnings;
use FastCGI;
use Idp qw(header json wait_for);
use JSON::PP;
use POSIX ();
use Stack ();
use Test::More ();

our @ISA = qw(Idp);

my $PROGRAMS = ($ENV{BUILD} || 'build') . '/fuzzing/inject';
my $ORDERS = 'L4 a48';
my $ANSWER_SEC = 20;
my $WRONG_MAX = 8; # then no more of an operation is tried

sub new {
    my ($class) = @_;
    my $self = $class->SUPER::new(programs => Cwd::abs_path($PROGRAMS),
        env => { PRUNE_INTERVAL => '1d', TOKEN_TTL => '1h' });
    my $room = $self->room;
    my $options = "log_path=$room/report:exitcode=99";
    @ENV{qw(ASAN_OPTIONS UBSAN_OPTIONS IGW_INJECT)}
        = ($options, "print_stacktrace=1:$options", "$room/orders");
    $self->obey(0);
    return $self;
}

# What the programs do from now on: nothing, or let call $n fail.
sub obey {
    my ($self, $n, %with) = @_;
    my $path = $self->room . '/orders';
    open my $file, -e $path ? '+<:raw' : '>:raw', $path or die "$path: $!\n";
    syswrite $file, pack $ORDERS, $n, $with{everywhere} // 0, 0, 0, '';
    close $file or die "$path: $!\n";
    return;
}

# Back to nothing: the name of what failed, if anything did, since the last orders.
sub end_orders {
    my ($self) = @_;
    my ($n, undef, undef, $failed, $name)
        = unpack $ORDERS, Stack::slurp($self->room . '/orders');
    $self->obey(0);
    $self->{failed} = $failed ? $name =~ s/\0.*//sr : undef if $n;
    return $self->{failed};
}

# The server's processes, and whether each is idle.
sub backends {
    my ($self) = @_;
    return map { split /\|/ } split /\n/, $self->sql(q(SELECT pid,
        coalesce(state = 'idle', false) FROM pg_stat_activity
        WHERE datname = 'identprov' AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'));
}

# What is still under way in the database, of a connection that was given up when
# something of libpq's failed, ends: one process of before is gone.
sub settle {
    my ($self, %before) = @_;
    my $is_lost = ($self->{failed} // '') =~ /^PQ/ && %before;
    wait_for(30, 'the database', sub {
        my %now = $self->backends;
        return !(grep { $_ ne 't' } values %now)
            && (!$is_lost || grep { !exists $now{$_} } keys %before);
    });
    return;
}

# --- the programs -------------------------------------------------------------

# What userprofile is started with; it trusts identprov's keys.
sub userprofile_env {
    my ($self) = @_;
    my $room = $self->room;
    Stack::spew("$room/jwks.json", $self->ask('identprov',
            GET => '/.well-known/jwks.json')->{body}) if !-e "$room/jwks.json";
    return { USERPROFILE_DATABASE => $self->{env}{DATABASE},
        USERPROFILE_JWKS_FILE => "$room/jwks.json" };
}

sub launch_userprofile {
    my ($self) = @_;
    my @command = ("$self->{programs}/userprofile", 'serve', '--listen',
        'unix:' . $self->socket('userprofile'));
    $self->{pids}{userprofile} = $self->spawn_logged('userprofile',
        $self->userprofile_env, @command);
    return;
}

sub migrate_userprofile {
    my ($self) = @_;
    my $pid = $self->spawn_logged('userprofile', $self->userprofile_env,
        "$self->{programs}/userprofile", 'migrate');
    waitpid $pid, 0;
    die "userprofile migrate: $?\n" if $?;
    return;
}

sub part { return $_[0] eq 'identprov' ? 'identprov-0' : $_[0] }

sub socket { return $_[0]->room . '/' . part($_[1]) . '.sock' }

sub launch_program {
    my ($self, $program) = @_;
    return $program eq 'identprov' ? $self->launch_identprov(0)
        : $self->launch_userprofile;
}

# Until it answers, or has ended: its wait status then.
sub start_program {
    my ($self, $program) = @_;
    my $status;
    Stack::spew($self->log_of($program), '');
    $self->launch_program($program);
    my $pid = $self->{pids}{ part($program) };
    # Orders are for the start alone: what runs makes calls for ever.
    wait_for(60, $program, sub {
        $status = $? if waitpid($pid, POSIX::WNOHANG()) == $pid;
        return defined $status || Stack::slurp($self->log_of($program))
            =~ /"event":"started"/ });
    $self->end_orders;
    wait_for(60, $program, sub {
        $self->ask($program, GET => '/healthz')->{status} == 200 })
        if !defined $status;
    delete $self->{pids}{ part($program) } if defined $status;
    return $status;
}

sub log_of { return $_[0]->room . '/' . part($_[1]) . '.log' }

# What is wrong with how a program ended that could not do what it should.
sub wrong_end {
    my ($status, $text) = @_;
    return "it ended with $status" if $status !~ /^(?:256|512)$/;
    return $text =~ /\S/ ? () : 'it says nothing';
}

# One request: path, with{json} or {form} and {session}, or FastCGI's {params}.
sub ask {
    my ($self, $program, $method, $path, %with) = @_;
    my ($target, $query) = split /\?/, $path, 2;
    my $body = $with{json} ? JSON::PP->new->utf8->canonical->encode($with{json})
        : $with{form} // '';
    my @params = (REQUEST_METHOD => $method, SCRIPT_NAME => '',
        PATH_INFO => $target, QUERY_STRING => $query // '',
        REQUEST_ID => '0' x 32, REMOTE_ADDR => '127.0.0.1', HTTP_HOST => 'here',
        CONTENT_LENGTH => length $body,
        CONTENT_TYPE => $with{type} // ($with{json} ? 'application/json'
            : $with{form} ? 'application/x-www-form-urlencoded' : ''),
        $with{session} ? (HTTP_JSESSIONID => $with{session}) : (),
        @{ $with{params} || [] });
    my $answer = eval {
        local $SIG{ALRM} = sub { die "no answer\n" };
        alarm $ANSWER_SEC;
        FastCGI::ask($self->socket($program), \@params, $body);
    };
    alarm 0;
    return $answer // { status => 599, headers => [], body => $@ };
}

# --- every n --------------------------------------------------------------------

# `try` does the operation and says what is wrong with how it ended, or nothing;
# it has what `prepare` made for this n. `check` says what is wrong afterwards,
# when all works again. One claim: for no n is anything wrong.
sub every {
    my ($self, $name, %with) = @_;
    my ($n, @wrong, %seen) = (0);
    while (@wrong < $WRONG_MAX) {
        $n++;
        my $state = $with{prepare} ? $with{prepare}->($n) : undef;
        my %before = $with{everywhere} ? () : $self->backends;
        $self->obey($n, everywhere => $with{everywhere});
        my ($what, @faults) = $with{try}->($state);
        my $failed = $self->end_orders;
        $seen{$what}++;
        $self->settle(%before);
        push @faults, $with{check}->($state, $what) if $with{check};
        push @faults, $self->deaths;
        push @wrong, map { "call $n, " . ($failed // 'none') . ": $_" }
            grep { defined } @faults;
        last if !defined $failed;
    }
    Test::More::is(scalar @wrong, 0, "$name: " . ($n - 1) . ' calls ('
            . join(', ', map { "$_ x $seen{$_}" } sort keys %seen) . ')')
        or Test::More::diag(join "\n", @wrong);
    return;
}

# A program that is gone is said once, and started again.
sub deaths {
    my ($self) = @_;
    my @gone = grep { $self->{pids}{ part($_) }
            && !$self->is_alive(part($_)) } qw(identprov userprofile);
    $self->start_program($_) for @gone;
    return map { "$_ is dead" } @gone;
}

# What the sanitizers had to say, of all programs that have ended.
sub reports {
    my ($self) = @_;
    return join '', map { Stack::slurp($_) } glob $self->room . '/report.*';
}

1;
