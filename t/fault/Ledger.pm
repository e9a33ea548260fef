package Ledger;

# A history of accounts and profiles beside that of sessions (History), and the
# checker of it. More kinds of lines:
#
#   register begin end node -       user status
#   write    begin end node session user "METHOD OUTCOME STATUS VALUE"
#   read     begin end node session user "STATUS NICKNAME BIO"
#
# user is whose session it is. A VALUE is "user/number" and is written once in
# all the history: POST and PUT put it into both members, PATCH into nickname; a
# DELETE has none (-). OUTCOME is ok, refused (certainly not done) or unknown.
# Any number of clients may write to one profile at a time: what they were
# answered must be what one of them after the other would have been.
use strict;
use warnings;
use History;

our @ISA = qw(History);

# What may be answered, besides an excuse: it is the other rules' business
# whether it is right.
my %ANSWERS = (
    register => qr/^(?:201|409)$/,
    login => qr/^(?:200|401)$/,
    get => qr/^(?:200|401)$/,
    logout => qr/^204$/,
    read => qr/^(?:200|401|404) /,
    write => qr/^(?:POST\ \w+\ (?:201|409) | (?:PUT|PATCH)\ \w+\ (?:200|404)
        | DELETE\ \w+\ (?:204|404) | \w+\ \w+\ 401)\ /x,
);
my $EXCUSE = qr/(?:^|\w+ )(?:0|429|502|503|504)(?: |$)/;

# --- which operations -----------------------------------------------------------

sub learn {
    my ($self, $operation) = @_;
    my ($kind, $user) = @$operation{qw(kind user)};
    $self->SUPER::learn($operation);
    if ($kind eq 'register') {
        push @{ $self->{registered}{$user} }, $operation;
    } elsif ($kind eq 'write') {
        @$operation{qw(method outcome code value)}
            = split / /, $operation->{status};
        $self->{written}{ $operation->{value} } = $operation
            if $operation->{value} ne '-';
        push @{ $self->{profile}{$user} }, $operation;
    } elsif ($kind eq 'read') {
        @$operation{qw(code nickname bio)} = split / /, $operation->{status};
        $self->{seen}{$_} = 1 for @$operation{qw(nickname bio)};
        push @{ $self->{profile}{$user} }, $operation;
    }
    return;
}

# POST 201, read 404: values are too many to be counted.
sub count {
    my ($self, $operation) = @_;
    return $self->SUPER::count($operation)
        if !defined $operation->{code};
    $self->{counts}{ join ' ', grep { defined } $operation->{kind},
            @$operation{qw(method code)} }++;
    return;
}

sub judge {
    my ($self, $operation) = @_;
    my $kind = $operation->{kind};
    $self->SUPER::judge($operation);
    $self->found('an answer out of place', $operation)
        if $ANSWERS{$kind}
        && $operation->{status} !~ $ANSWERS{$kind}
        && $operation->{status} !~ $EXCUSE;
    $self->judge_login($operation) if $kind eq 'login';
    $self->judge_access($operation) if defined $operation->{code};
    $self->judge_content($operation)
        if $kind eq 'read' && $operation->{code} eq '200';
    return;
}

sub check {
    my ($class, @arguments) = @_;
    my $self = $class->SUPER::check(@arguments);
    $self->judge_registrations($_) for sort keys %{ $self->{registered} };
    $self->judge_profile($_) for sort keys %{ $self->{profile} };
    return $self;
}

# --- accounts -------------------------------------------------------------------

sub judge_registrations {
    my ($self, $user) = @_;
    my @all = @{ $self->{registered}{$user} };
    my @done = grep { $_->{status} eq '201' } @all;
    $self->found('registered twice', @done) if @done > 1;
    for my $taken (grep { $_->{status} eq '409' } @all) {
        $self->found('409 for a name that nobody had', $taken)
            if !grep { $_ != $taken && $_->{status} ne '409'
                && $_->{begin} < $taken->{end} } @all;
    }
    return;
}

sub judge_login {
    my ($self, $login) = @_;
    my @all = @{ $self->{registered}{ $login->{user} } || [] };
    if ($login->{status} eq '401') {
        my ($lost) = grep { $_->{status} =~ /^(?:201|409)$/
                && $_->{end} < $login->{begin} } @all;
        $self->found('an acknowledged registration is lost', $lost, $login)
            if $lost;
    } elsif ($login->{status} eq '200' && @all) {
        $self->found('a refused registration took place', $login)
            if !grep { is_possible($_) && $_->{begin} < $login->{end} } @all;
    }
    return;
}

sub is_possible { return $_[0]{status} =~ /^(?:201|409|0|50[234])$/ }

# --- access ---------------------------------------------------------------------

sub judge_access {
    my ($self, $operation) = @_;
    if ($operation->{code} eq '401') {
        $self->judge_refusal($operation);
    } elsif ($operation->{code} =~ /^(?:20[014]|404|409)$/) {
        $self->judge_entry($operation);
    }
    return;
}

sub judge_content {
    my ($self, $read) = @_;
    my @values = @$read{qw(nickname bio)};
    my @writes = map { $self->{written}{$_} } @values;
    if (grep { m{^([^/]*)/} && $1 ne $read->{user} } @values) {
        $self->found("data of another than $read->{user}", $read);
    } elsif (grep { !defined || $_->{begin} > $read->{end} } @writes) {
        $self->found('data that nobody had written', $read);
    } elsif (my ($refused) = grep { $_->{outcome} eq 'refused' } @writes) {
        $self->found('a refused write is visible', $refused, $read);
    } elsif ($writes[0] != $writes[1] && $writes[0]{method} ne 'PATCH') {
        $self->found('a mixture of two writes', @writes, $read);
    } else {
        return;
    }
    $read->{is_judged} = 1;
    return;
}

# --- an order that explains all answers -----------------------------------------

# A profile as it is read; '' is none. What it becomes by an operation, nothing
# if that cannot have been answered so.
sub after {
    my ($profile, $operation) = @_;
    my ($kind, $code) = @$operation{qw(kind code)};
    if ($kind eq 'read') {
        my $seen = $code eq '200' ? "$operation->{nickname} $operation->{bio}"
            : '';
        return $seen eq $profile ? $profile : undef;
    }
    my ($method, $value) = @$operation{qw(method value)};
    my $is_done = $method eq 'POST' ? $profile eq '' : $profile ne '';
    return if $operation->{outcome} ne 'unknown'
        && $is_done != ($operation->{outcome} eq 'ok');
    return $profile if !$is_done;
    return '' if $method eq 'DELETE';
    return $profile =~ s/^\S+/$value/r if $method eq 'PATCH';
    return "$value $value";
}

# Whether it says something of the profile, or may have changed it so that
# somebody could see it.
sub counts_for {
    my ($self, $operation) = @_;
    return if $operation->{is_judged};
    my ($kind, $code) = @$operation{qw(kind code)};
    return $code =~ /^(?:200|404)$/ if $kind eq 'read';
    return $code =~ /^(?:404|409)$/ if $operation->{outcome} eq 'refused';
    return 1 if $operation->{outcome} eq 'ok';
    return $operation->{method} =~ /^(?:POST|DELETE)$/
        || $self->{seen}{ $operation->{value} };
}

# Goes through the calls and returns in the order of their times with all the
# states that the profile can be in: each is what it is and which of the
# operations under way have had their effect. One of unknown outcome stays
# under way for ever.
sub judge_profile {
    my ($self, $user) = @_;
    my @operations = grep { $self->counts_for($_) }
        @{ $self->{profile}{$user} };
    my @events;
    for my $i (0 .. $#operations) {
        my $operation = $operations[$i];
        push @events, [ $operation->{begin}, 0, $i ];
        push @events, [ $operation->{end}, 1, $i ]
            if ($operation->{outcome} // '') ne 'unknown';
    }
    my %pending;
    my @states = ([ '', {} ]);
    for my $event (sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] }
        @events) {
        my (undef, $is_return, $i) = @$event;
        $pending{$i} = $operations[$i];
        next if !$is_return;
        my @next = $self->states_after($i, \%pending, @states);
        delete $pending{$i};
        if (!@next) {
            $self->found_disorder($operations[$i], @operations);
            @next = resumed($operations[$i], @states);
        }
        @states = @next;
    }
    return;
}

# The states in which operation $i has had its effect, whatever others have, too.
sub states_after {
    my ($self, $i, $pending, @states) = @_;
    my (%known, @done);
    while (my $state = shift @states) {
        my ($profile, $had) = @$state;
        next if $known{ join ' ', $profile, '|', sort keys %$had }++;
        if ($had->{$i}) {
            my %rest = %$had;
            delete $rest{$i};
            push @done, [ $profile, \%rest ];
            next;
        }
        for my $j ($self->candidates($had, $pending)) {
            my $next = after($profile, $pending->{$j}) // next;
            next if $pending->{$j}{outcome} && $pending->{$j}{outcome} eq 'unknown'
                && $next eq $profile;
            push @states, [ $next, { %$had, $j => 1 } ];
        }
    }
    return @done;
}

# Who may come next. Of unknown outcome and with an effect that nobody can tell
# from another's: the first of them will do. (And one without an effect is as
# one that is still to come.) Without this the states double with each.
sub candidates {
    my ($self, $had, $pending) = @_;
    my %first;
    return grep {
        my $operation = $pending->{$_};
        ($operation->{outcome} // '') ne 'unknown'
            || $operation->{value} ne q(-) && $self->{seen}{ $operation->{value} }
            || !$first{ $operation->{method} }++;
    } sort { $a <=> $b } grep { !$had->{$_} } keys %$pending;
}

# After a violation: as if this answer were right, or as if it had not been.
sub resumed {
    my ($operation, @states) = @_;
    my $code = $operation->{code};
    my $profile = $operation->{kind} eq 'read' && $code eq '200'
        ? "$operation->{nickname} $operation->{bio}"
        : $code =~ /^20[01]$/ ? "$operation->{value} $operation->{value}"
        : $code =~ /^(?:204|404)$/ ? '' : undef;
    return @states if !defined $profile;
    return @states, map { [ $profile, $_->[1] ] } @states;
}

# The last write that was acknowledged before: was it seen later?
sub found_disorder {
    my ($self, $operation, @operations) = @_;
    my ($write) = sort { $b->{end} <=> $a->{end} }
        grep { $_->{kind} eq 'write' && $_->{outcome} eq 'ok'
            && $_->{end} < $operation->{begin} } @operations;
    return $self->found('no order explains an answer', $operation)
        if !$write;
    my $is_seen = grep { $_->{kind} eq 'read'
            && $_->{begin} > $operation->{end}
            && ($_->{nickname} eq $write->{value}
                || $_->{bio} eq $write->{value}) } @operations;
    $self->found($is_seen ? 'a read older than an acknowledged write'
        : 'an acknowledged write is lost', $write, $operation);
    return;
}

1;
