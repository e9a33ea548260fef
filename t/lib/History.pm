package History;

# What a test of the revocation protocol did and saw, one operation a line, and
# the checker that reads it. Times are CLOCK_MONOTONIC's in seconds, of one
# machine, taken before the first byte is sent and after the last is read.
#
#   login  begin end node session user status
#   get    begin end node session user status     user: as whom; - if nobody
#   logout begin end node session -    status
#   change begin end node -       user version    of what the answer says of user
#   saw    begin end node session user version
#   fault  begin end node -       -    words
#
# session is a name that the test gives; a status of 0 is no answer. Any
# outcome of a logout or change but success may or may not have happened.
use strict;
use warnings;
use Exporter qw(import);
use IO::Handle;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

our @EXPORT_OK = qw(now);

my $NEVER = 9**9**9;

sub now { return clock_gettime(CLOCK_MONOTONIC) }

# Several processes may append to one file: each line is one write.
sub open_for_writing {
    my ($class, $path) = @_;
    open my $file, '>>', $path or die "history: $path: $!\n";
    return bless { file => $file }, $class;
}

sub note {
    my ($self, $kind, $begin, $end, @fields) = @_;
    my $line = join("\t", $kind, sprintf('%.6f', $begin),
        sprintf('%.6f', $end), @fields) . "\n";
    syswrite $self->{file}, $line or die "history: $!\n";
    return;
}

# --- the checker -------------------------------------------------------------

# { violations => [text...], counts => { what => n } } of the lines of a
# history; lease in seconds.
sub check {
    my ($class, $lease, @lines) = @_;
    my $self = bless { lease => $lease, session => {}, change => {},
        violations => [], counts => {} }, $class;
    my @operations = map { operation($_) } @lines;
    $self->learn($_) for @operations;
    for my $operation (@operations) {
        $self->count($operation);
        $self->judge($operation);
    }
    return $self;
}

sub judge {
    my ($self, $operation) = @_;
    $self->judge_get($operation) if $operation->{kind} eq 'get';
    $self->judge_sight($operation) if $operation->{kind} eq 'saw';
    return;
}

sub check_file {
    my ($class, $lease, $path) = @_;
    open my $file, '<', $path or die "history: $path: $!\n";
    return $class->check($lease, <$file>);
}

sub violations { return @{ $_[0]{violations} } }
sub counts { return $_[0]{counts} }

sub operation {
    my ($line) = @_;
    chomp $line;
    my %operation = (line => $line);
    @operation{qw(kind begin end node session user status)}
        = split /\t/, $line, 7;
    die "history: not a line: $line\n"
        if !defined $operation{status}
        || grep { $operation{$_} !~ /^\d+\.\d+$/ } qw(begin end);
    die "history: ends before it begins: $line\n"
        if $operation{end} < $operation{begin};
    return \%operation;
}

# When each session began and ended, when each change was made.
sub learn {
    my ($self, $operation) = @_;
    my $kind = $operation->{kind};
    if ($kind eq 'login' && $operation->{status} eq '200') {
        my $session = $self->session($operation->{session});
        die "history: two logins: $operation->{line}\n"
            if defined $session->{user};
        @$session{qw(user live)} = @$operation{qw(user end)};
    } elsif ($kind eq 'logout') {
        push @{ $self->session($operation->{session})->{logouts} },
            $operation;
    } elsif ($kind eq 'change') {
        push @{ $self->{change}{ $operation->{user} } }, $operation;
    }
    return;
}

sub session {
    my ($self, $name) = @_;
    return $self->{session}{$name} //= { logouts => [] };
}

sub count {
    my ($self, $operation) = @_;
    my ($kind, $status) = @$operation{qw(kind status)};
    $status =~ s/^\d+ // if $kind eq 'change';
    $self->{counts}{ $kind eq 'saw' ? $kind : "$kind $status" }++;
    return;
}

sub judge_get {
    my ($self, $get) = @_;
    if ($get->{status} eq '200') {
        $self->judge_entry($get);
    } elsif ($get->{status} eq '401') {
        $self->judge_refusal($get);
    }
    return;
}

# Who was let in: as whom, and whether that was still right.
sub judge_entry {
    my ($self, $get) = @_;
    my $session = $self->session($get->{session});
    $self->judge_identity($get, $session);
    $self->judge_after($get, $_)
        for grep { is_done($_) } @{ $session->{logouts} };
    return;
}

sub is_done { return $_[0]{status} eq '204' }

sub judge_identity {
    my ($self, $get, $session) = @_;
    if (!defined $session->{user}) {
        $self->found('in without a session', $get);
    } elsif ($get->{user} ne $session->{user}) {
        $self->found("in as another than $session->{user}", $get);
    }
    return;
}

sub judge_after {
    my ($self, $get, $logout) = @_;
    my $after = $get->{begin} - $logout->{end};
    if ($after > 0 && $get->{node} eq $logout->{node}) {
        $self->found('in on the node of the logout, after its answer', $get,
            $logout);
    } elsif ($after > $self->{lease}) {
        $self->found(sprintf('in %.3f s after a logout', $after), $get,
            $logout);
    }
    return;
}

# A session is live until the first logout of it begins, whatever came of that.
sub judge_refusal {
    my ($self, $get) = @_;
    my $session = $self->session($get->{session});
    my $until = $NEVER;
    for my $logout (@{ $session->{logouts} }) {
        $until = $logout->{begin} if $logout->{begin} < $until;
    }
    $self->found('401 for a session that was live', $get)
        if defined $session->{live}
        && $get->{begin} > $session->{live}
        && $get->{end} < $until;
    return;
}

# Versions of a user count up, one after the other.
sub judge_sight {
    my ($self, $saw) = @_;
    my ($least, $most) = (0, 0);
    for my $change (@{ $self->{change}{ $saw->{user} } || [] }) {
        my ($version, $outcome) = split / /, $change->{status};
        $least = $version
            if $version > $least
            && $outcome eq 'done'
            && $saw->{begin} > $change->{end} + $self->{lease};
        $most = $version
            if $version > $most && $change->{begin} < $saw->{end};
    }
    if ($saw->{status} < $least) {
        $self->found("what $saw->{user} was before change $least", $saw);
    } elsif ($saw->{status} > $most) {
        $self->found('a change from the future', $saw);
    }
    return;
}

sub found {
    my ($self, $what, @operations) = @_;
    push @{ $self->{violations} },
        join "\n    ", $what, map { $_->{line} } @operations;
    return;
}

1;
