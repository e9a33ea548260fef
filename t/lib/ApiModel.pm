package ApiModel;

# What docs/http-api.md promises of accounts and sessions, as a small model of who
# is registered, who is signed in where, and what a session has become; ApiProfiles
# has the profiles. A step is { op, numbers }: it makes its choices with the
# numbers, out of what there is at that moment, so that any steps of a sequence
# make a sequence. It asks and returns what is wrong with the answer.
use strict;
use warnings;
use utf8;
use ApiProfiles;
use Client qw(field fields);
use Digest::SHA qw(sha256_hex);
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use Time::HiRes qw(sleep time);
use Unicode::Normalize qw(NFC);

our @ISA = qw(ApiProfiles);

use constant {
    LEASE_SEC => 2, # of nginx.conf.example
    FREE_FAILURES => 4, # wrong passwords that cost nothing
    SESSIONS_MAX => 64, # of an account
};

our %OPERATIONS = (
    register => 6, login => 12, authenticate => 8, logout => 6, password => 5,
    account => 4, change_account => 5, delete_account => 2, sessions => 4,
    end_others => 2, end_session => 4, wait_for_feed => 1, many_logins => 1,
    %ApiProfiles::OPERATIONS);

my @NAMES = ('anna', 'Иван', '太郎', "Jose\x{301}");
my @FIRST = ('Anna', 'Иван', '太郎', "Jose\x{301}", "O'Neil-Smith");
my @LAST = ('', 'Smith', "Mu\x{308}ller", 'Петров');
my @PASSWORDS = map { "correct horse $_" } 0 .. 3;
my @BAD_PASSWORDS = ([ 'short', 'too_short' ], [ 'x' x 129, 'too_long' ],
    [ 'Password1', 'common_password' ], [ "with\x{1}control", 'control_character' ]);

# asks: a function of method, target, headers, body: an answer as Client has it.
# name: what the users' names begin with.
sub new {
    my ($class, %with) = @_;
    my $self = bless { %with, sessions => [], log => [] }, $class;
    $self->{users} = [ map { { name => "$with{name}-$_", count => 0,
            failures => 0, sessions => [], tags => {} } } @NAMES ];
    return $self;
}

sub take {
    my ($self, $step) = @_;
    @$self{qw(numbers at)} = ($step->{numbers}, 0);
    push @{ $self->{log} }, "# $step->{op}";
    my $what = "do_$step->{op}";
    return grep { defined } $self->$what;
}

# One of those, as the step's next number says.
sub choose {
    my ($self, @all) = @_;
    return if !@all;
    return $all[ $self->{numbers}[ $self->{at}++ ] % @all ];
}

# One time of so many.
sub once_in {
    my ($self, $count) = @_;
    return $self->choose(1, (0) x ($count - 1));
}

# --- requests -------------------------------------------------------------------

# with: headers, json (encoded here), form (a flat list), body (as it stands).
sub ask {
    my ($self, $method, $target, %with) = @_;
    my @headers = @{ $with{headers} || [] };
    my $body = $with{body};
    if ($with{json}) {
        $body = JSON::PP->new->utf8->canonical->encode($with{json});
        push @headers, 'Content-Type', $with{type} // 'application/json';
    } elsif ($with{form}) {
        $body = form($with{form});
        push @headers, 'Content-Type', 'application/x-www-form-urlencoded';
    }
    # Who forges these gains nothing.
    push @headers, $self->choose([], [], [], [ 'X-User', 'admin' ],
        [ 'X_User', 'admin', 'x-email', 'a@b' ],
        [ 'Authorization', 'Bearer a.b.c' ])->@*;
    utf8::encode($_) for grep { utf8::is_utf8($_) } @headers, $target;
    my $answer = $self->{asks}->($method, $target, \@headers, $body)
        // { status => 0, headers => [], body => 'no answer' };
    push @{ $self->{log} }, "$method $target [@headers] " . ($body // '')
        . "\n    $answer->{status} " . short($answer->{body});
    return $answer;
}

sub short {
    my ($text) = @_;
    chomp $text;
    return length $text > 300 ? substr($text, 0, 300) . '...' : $text;
}

sub form {
    my @pairs = @{ $_[0] };
    my @parts;
    while (my ($name, $value) = splice @pairs, 0, 2) {
        utf8::encode($value);
        push @parts, "$name=" . $value =~ s/([^\w.~-])/sprintf '%%%02X', ord $1/egr;
    }
    return join '&', @parts;
}

sub json { return eval { JSON::PP->new->utf8->decode($_[0]{body}) } // {} }

# What is wrong when a is not b.
sub differs {
    my ($a, $b, $what) = @_;
    ($a, $b) = map { ref $_ ? JSON::PP->new->canonical->allow_nonref->encode($_)
            : $_ // 'none' } $a, $b;
    return if $a eq $b;
    return "$what: is $a, not $b";
}

# A status and, of a problem, its code; with{errors}: the codes of fields.
sub is_answered {
    my ($answer, $status, $code, %errors) = @_;
    return "answered $answer->{status}, not $status" . (defined $code
            ? " $code" : '') if $answer->{status} != $status;
    return if !defined $code;
    my $problem = json($answer);
    return (differs($problem->{code}, $code, 'code'),
        differs($problem->{status}, $status, 'status of the problem'),
        %errors ? differs({ map { $_->{field} => $_->{code} }
                @{ $problem->{errors} || [] } }, \%errors, 'fields') : ());
}

# --- who asks -------------------------------------------------------------------

# { session, headers, ids, is_cookie }: of a session that lives, mostly; of one
# that has ended, of one that never was, of nobody.
sub someone {
    my ($self) = @_;
    my @live = grep { $_->{is_live} } @{ $self->{sessions} };
    my @dead = grep { !$_->{is_live} } @{ $self->{sessions} };
    my $kind = $self->choose(('live') x 15, qw(dead dead never nobody malformed));
    my $session = $self->choose($kind eq 'live' && @live ? @live
        : $kind eq 'dead' && @dead ? @dead : undef);
    return { headers => [], sessions => [] } if $kind eq 'nobody';
    my $id = $session ? $session->{id} : $kind eq 'malformed' ? 'x,y' : 'A' x 43;
    my $way = $self->choose(qw(header header cookie cookie both));
    my @headers = $way eq 'cookie' ? () : ('JSESSIONID', $id);
    my $second = $self->choose(@live);
    push @headers, 'Cookie', "a=b; JSESSIONID=$id" if $way eq 'cookie';
    push @headers, 'Cookie', 'JSESSIONID=' . $second->{id}
        if $way eq 'both' && $second;
    return { session => $session, headers => \@headers,
        is_cookie => $way eq 'cookie', sessions => [ grep { defined } $session,
            $way eq 'both' ? $second : () ] };
}

# One who is signed in, or why not: 401.
sub is_in { return $_[0]{session} && $_[0]{session}{is_live} }

# Of a write, sometimes: as a browser says that another site makes it. That is
# refused where the session is in a cookie, and nothing has happened.
sub is_cross_site {
    my ($self, $who) = @_;
    return if !$self->once_in(12);
    push @{ $who->{headers} }, $self->choose([ 'Sec-Fetch-Site', 'cross-site' ],
        [ 'Origin', 'http://elsewhere.example' ])->@*;
    $who->{is_elsewhere} = 1;
    return $who->{is_cookie};
}

# Ends. `by`: in the same request as its own id, so that this gateway forgets it at
# once; others learn of it within the lease.
sub end {
    my ($self, $session, @by) = @_;
    return if !$session->{is_live};
    my $user = $session->{user};
    $session->{is_live} = 0;
    $session->{ended} = (grep { $_ == $session } @by) ? 0 : time;
    @{ $user->{sessions} } = grep { $_ != $session } @{ $user->{sessions} };
    return;
}

# All of an account, of which one is the request's own; that one stays.
sub end_others {
    my ($self, $own) = @_;
    my @others = grep { $_ != $own } @{ $own->{user}{sessions} };
    $self->end($_, $own) for @others;
    return;
}

# --- accounts -------------------------------------------------------------------

sub user { my ($self) = @_; return $self->choose(@{ $self->{users} }) }

sub shown {
    my ($user) = @_;
    return { id => $user->{id}, username => NFC($user->{name}),
        email => $user->{email}, email_verified => JSON::PP::false,
        first_name => NFC($user->{first}), last_name => NFC($user->{last}),
        created_at => $user->{created} };
}

sub do_register {
    my ($self) = @_;
    my $user = $self->user;
    my ($first, $last) = ($self->choose(@FIRST), $self->choose(@LAST));
    my $password = $self->choose(@PASSWORDS);
    my $email = 'u' . $self->choose(0 .. 2) . '@example.org';
    my $name = $self->choose($user->{name}, $user->{name}, uc $user->{name});
    my %data = (username => $name, password => $password, email => $email,
        first_name => $first, $last ne '' ? (last_name => $last) : ());
    my ($field, $value, $code) = @{ $self->choose((undef) x 8,
            [ email => 'nobody', 'invalid_email' ], [ color => 'red', 'unknown_field' ],
            [ password => @{ $self->choose(@BAD_PASSWORDS) } ]) || [] };
    $data{$field} = $value if defined $field;
    my $answer = $self->ask('POST', '/register', json => \%data);
    return is_answered($answer, 422, 'invalid_fields', $field => $code)
        if defined $field;
    return is_answered($answer, 409, 'username_taken') if $user->{count};
    my $shown = json($answer);
    @$user{qw(name email first last password id created count is_there)}
        = ($name, $email, $first, $last, $password,
        @$shown{qw(id created_at)}, 1, 1);
    return (is_answered($answer, 201),
        differs($shown, shown($user), 'account'));
}

# Of somebody who is registered, mostly with the right one; wrong ones only as
# often as they cost nothing.
sub password_of {
    my ($self, $user) = @_;
    my $is_wrong = $self->once_in(5) && $user->{failures} < FREE_FAILURES;
    return ($user->{password}, 1) if $user->{is_there} && !$is_wrong;
    return ($self->choose('wrong horse 1', '', 'a' x 200), 0);
}

sub do_login {
    my ($self) = @_;
    my $user = $self->user;
    return if !$user->{is_there} && $user->{failures} >= FREE_FAILURES;
    my ($password, $is_right) = $self->password_of($user);
    my $who = $self->choose({ headers => [], sessions => [] }, $self->someone);
    my $is_form = $self->once_in(4);
    my @data = (username => $user->{name}, password => $password);
    my $is_cross_site = $self->is_cross_site($who);
    my $is_refused = $is_cross_site
        || $is_form && $who->{is_elsewhere};
    my $answer = $self->ask('POST', '/login', headers => $who->{headers},
        $is_form ? (form => [ @data, return_to => '/here' ])
        : (json => {@data}));
    return is_answered($answer, 403, 'cross_site') if $is_refused;
    if (!$is_right) {
        $user->{failures}++;
        return is_answered($answer, 401, 'login_failed');
    }
    return $self->is_login($answer, $user, $who, $is_form);
}

sub is_login {
    my ($self, $answer, $user, $who, $is_form) = @_;
    my ($cookie) = map { /^JSESSIONID=([\w-]{43});/ ? $1 : () }
        fields($answer, 'Set-Cookie');
    my $id = $is_form ? $cookie : field($answer, 'JSESSIONID');
    $user->{failures} = 0;
    $self->end($_, @{ $who->{sessions} }) for @{ $who->{sessions} };
    $self->begin_session($user, $id // '');
    return (is_answered($answer, $is_form ? 303 : 200),
        defined $id && $id =~ /^[\w-]{43}$/ ? () : 'no session id',
        differs($cookie, $id, 'cookie'),
        $is_form ? differs(field($answer, 'Location'), '/here', 'Location')
        : differs(json($answer)->{user}, shown($user), 'user'));
}

# The oldest of too many gives way.
sub begin_session {
    my ($self, $user, $id) = @_;
    my $session = { id => $id, user => $user, is_live => 1,
        sid => substr(sha256_hex($id), 0, 16) };
    $self->end($user->{sessions}[0])
        if @{ $user->{sessions} } >= SESSIONS_MAX;
    push @{ $_->{sessions} }, $session for $self, $user;
    return;
}

# As many as let the oldest ones give way.
sub do_many_logins {
    my ($self) = @_;
    my $user = $self->user;
    return if !$user->{is_there};
    my @faults;
    for (1 .. SESSIONS_MAX - 2) {
        last if @faults;
        my $answer = $self->ask('POST', '/login', json => {
                username => $user->{name}, password => $user->{password} });
        $self->{at} = 1;
        pop @{ $self->{log} } if $_ > 1;
        @faults = $self->is_login($answer, $user, { sessions => [] }, 0);
    }
    return @faults;
}

sub do_authenticate {
    my ($self) = @_;
    return $self->is_authenticated($self->someone);
}

sub is_authenticated {
    my ($self, $who) = @_;
    my $answer = $self->ask('GET', '/authenticate',
        headers => $who->{headers});
    return is_answered($answer, 401, 'no_session') if !is_in($who);
    my $user = $who->{session}{user};
    my (undef, $payload) = split /\./, json($answer)->{token} // '';
    my $claims = json({ body => decode_base64url($payload // '') });
    my %is = (sub => $user->{id}, sid => $who->{session}{sid},
        preferred_username => NFC($user->{name}), email => $user->{email},
        email_verified => JSON::PP::false, given_name => NFC($user->{first}),
        family_name => NFC($user->{last}) || undef, groups => undef);
    return (is_answered($answer, 200),
        map { differs($claims->{$_}, $is{$_}, "claim $_") } sort keys %is);
}

sub do_logout {
    my ($self) = @_;
    my $who = $self->someone;
    my $is_cross_site = $self->is_cross_site($who);
    my $answer = $self->ask('POST', '/logout', headers => $who->{headers},
        body => '');
    return is_answered($answer, 403, 'cross_site') if $is_cross_site;
    $self->end($_, @{ $who->{sessions} }) for @{ $who->{sessions} };
    return is_answered($answer, 204);
}

# A write of one's own account; what is wrong with who may not, or nothing and the
# answer.
sub write_account {
    my ($self, $who, $method, $target, %with) = @_;
    my $is_cross_site = $self->is_cross_site($who);
    my $answer = $self->ask($method, $target, headers => $who->{headers}, %with);
    return ($answer, 1, is_answered($answer, 403, 'cross_site'))
        if $is_cross_site;
    return ($answer, 1, is_answered($answer, 401, 'no_session'))
        if !is_in($who);
    return ($answer, 0);
}

sub do_password {
    my ($self) = @_;
    my $who = $self->someone;
    my $user = is_in($who) ? $who->{session}{user} : {};
    my ($current, $is_right) = is_in($who) ? $self->password_of($user)
        : ('correct horse 0', 1);
    my $new = $self->choose(@PASSWORDS, undef);
    my $bad = $self->choose(@BAD_PASSWORDS);
    my ($answer, $is_over, @faults) = $self->write_account($who, 'POST',
        '/password', json => { current => $current, new => $new // $bad->[0] });
    return @faults if $is_over;
    return is_answered($answer, 422, 'invalid_fields', new => $bad->[1])
        if !defined $new;
    return $self->is_wrong_password($answer, $user, 'current') if !$is_right;
    @$user{qw(password failures)} = ($new, 0);
    $self->end_others($who->{session});
    return is_answered($answer, 204);
}

sub is_wrong_password {
    my ($self, $answer, $user, $field) = @_;
    $user->{failures}++;
    return is_answered($answer, 422, 'invalid_fields',
        $field => 'wrong_password');
}

sub do_account {
    my ($self) = @_;
    my $who = $self->someone;
    my $answer = $self->ask('GET', '/account', headers => $who->{headers});
    return is_answered($answer, 401, 'no_session') if !is_in($who);
    return $self->is_account($answer, $who->{session}{user});
}

sub is_account {
    my ($self, $answer, $user) = @_;
    return (is_answered($answer, 200), differs(json($answer),
            { %{ shown($user) }, groups => [] }, 'account'));
}

sub do_change_account {
    my ($self) = @_;
    my $who = $self->someone;
    my %data = %{ $self->choose({}, { first_name => $self->choose(@FIRST) },
            { last_name => $self->choose(@LAST) },
            { email => 'n' . $self->choose(0 .. 2) . '@example.net' },
            { first_name => 'Eva', email => 'eva@example.com' },
            { username => 'other', first_name => 'Eva' }) };
    my ($answer, $is_over, @faults) = $self->write_account($who, 'PATCH',
        '/account', json => \%data);
    return @faults if $is_over;
    return is_answered($answer, 422, 'invalid_fields', username => 'unknown_field')
        if exists $data{username};
    my $user = $who->{session}{user};
    $user->{first} = $data{first_name} if exists $data{first_name};
    $user->{last} = $data{last_name} if exists $data{last_name};
    $user->{email} = $data{email} if exists $data{email};
    return $self->is_account($answer, $user);
}

sub do_delete_account {
    my ($self) = @_;
    my $who = $self->someone;
    my $user = is_in($who) ? $who->{session}{user} : {};
    my ($password, $is_right) = is_in($who) ? $self->password_of($user)
        : ('correct horse 0', 1);
    my ($answer, $is_over, @faults) = $self->write_account($who, 'DELETE',
        '/account', json => { password => $password });
    return @faults if $is_over;
    return $self->is_wrong_password($answer, $user, 'password') if !$is_right;
    @$user{qw(is_there failures)} = (0, 0);
    $self->end_others($who->{session});
    $self->end($who->{session}, $who->{session});
    return is_answered($answer, 204);
}

# --- sessions -------------------------------------------------------------------

sub do_sessions {
    my ($self) = @_;
    my $who = $self->someone;
    my $answer = $self->ask('GET', '/sessions', headers => $who->{headers});
    return is_answered($answer, 401, 'no_session') if !is_in($who);
    my $is = join ' ', map { "$_->{id}/" . ($_->{current} ? 1 : 0) }
        @{ json($answer)->{sessions} || [] };
    return (is_answered($answer, 200), differs($is, join(' ', map {
                    "$_->{sid}/" . ($_ == $who->{session} ? 1 : 0) }
                reverse @{ $who->{session}{user}{sessions} }), 'sessions'));
}

sub do_end_others {
    my ($self) = @_;
    my $who = $self->someone;
    my ($answer, $is_over, @faults) = $self->write_account($who, 'DELETE',
        '/sessions');
    return @faults if $is_over;
    $self->end_others($who->{session});
    return is_answered($answer, 204);
}

sub do_end_session {
    my ($self) = @_;
    my $who = $self->someone;
    my $which = $self->choose(@{ $self->{sessions} });
    my ($answer, $is_over, @faults) = $self->write_account($who, 'DELETE',
        '/sessions/' . ($which ? $which->{sid} : '0' x 16));
    return @faults if $is_over;
    return is_answered($answer, 404, 'no_such_session')
        if !$which->{is_live} || $which->{user} != $who->{session}{user};
    $self->end($which, $who->{session});
    return is_answered($answer, 204);
}

# Until no gateway may serve what has ended.
sub do_wait_for_feed {
    my ($self) = @_;
    my ($last) = sort { $b <=> $a } 0, map { $_->{ended} // 0 }
        @{ $self->{sessions} };
    my $left = $last + LEASE_SEC - time;
    sleep $left if $left > 0;
    return;
}

# --- the end --------------------------------------------------------------------

# What is there in the end, all of it.
sub look_at_all {
    my ($self) = @_;
    @$self{qw(numbers at)} = ([ (0) x 1000 ], 0);
    push @{ $self->{log} }, '# look_at_all';
    my @faults;
    for my $session (@{ $self->{sessions} }) {
        my $who = { session => $session,
            headers => [ 'JSESSIONID', $session->{id} ] };
        $self->{at} = 0;
        @faults = grep { defined } $self->is_authenticated($who),
            $session->{is_live} ? $self->is_profile($who) : ();
        last if @faults;
    }
    return @faults;
}

1;
