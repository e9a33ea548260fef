# What fails in the middle of an operation: each call of malloc, libpq, OpenSSL and
# the like that it makes, one after the other, in programs with the sanitizers.
# Whoever asks hears 500 or 503 (or nothing, when there is no memory to read with),
# or is served as if nothing had happened; never what is not so. What was
# acknowledged is in the database, and nothing is there by half.
#
#   INJECT=all  every operation, and the command line: make test-inject
#   NAMES=      of the operations
use strict;
use warnings;
use lib 't/lib';
use Idp qw(header json wait_for);
use Injection;
use Stack ();
use Test::More;

my $PASSWORD = 'correct horse 7';
my $ACCOUNT = "(SELECT id FROM identprov.account WHERE username = 'eva')";
my %is_short = map { $_ => 1 } 'authenticate', 'a dead session', 'login',
    'wrong password', 'PUT profile';
my @names = split /\s*,\s*/, $ENV{NAMES} // '';
my $is_all = ($ENV{INJECT} // '') eq 'all' && !@names;

my $both = Injection->new;
is($both->start_program('identprov'), undef, 'identprov runs');

sub every {
    my ($name, @with) = @_;
    return if !(@names ? grep { $_ eq $name } @names
        : $is_all || $is_short{$name});
    $both->every($name, @with);
    return;
}

sub idp { return $both->ask('identprov', @_) }

# What `try` of an operation says of an answer: its status, and what is wrong with
# it, by `fine`, when it is one of the right ones.
sub judged {
    my ($answer, $right, $fine) = @_;
    my $status = $answer->{status};
    $both->end_orders;
    return ($status, $fine ? $fine->($answer) : ())
        if $status =~ /^(?:$right)$/;
    return ($status, $status =~ /^(?:0|500|503)$/ ? is_problem($answer)
        : "answered $status: $answer->{body}");
}

# As docs/openapi.yaml has it; without memory for that, an empty 500.
sub is_problem {
    my ($answer) = @_;
    my $status = $answer->{status};
    return if $status == 0 || $status == 500 && $answer->{body} eq '';
    return differs(header($answer, 'Retry-After') // 'none', $status == 503
            ? qr/^[1-9]\d*$/ : 'none', 'Retry-After') if header($answer,
        'Content-Type') =~ m{^text/html} && $answer->{body} =~ m{</html>\s*$};
    my $problem = json($answer) // {};
    return (differs(header($answer, 'Content-Type') // 'none',
            'application/problem+json', 'the type'),
        differs($problem->{status} // 'none', $status, 'its status'),
        differs(header($answer, 'Retry-After') // 'none', $status == 503
            ? qr/^[1-9]\d*$/ : 'none', 'Retry-After'));
}

# What is wrong when a is not b, or b a pattern that a matches.
sub differs {
    my ($a, $b, $what) = @_;
    return if ref $b ? $a =~ $b : $a eq $b;
    return "$what: is $a, not $b";
}

sub user {
    my ($name, $password) = @_;
    return { username => $name, password => $password // $PASSWORD,
        email => "$name\@example.org", first_name => 'Eva' };
}

sub login {
    my ($name, $password) = @_;
    return idp(POST => '/login', json => { username => $name,
            password => $password // $PASSWORD });
}

sub session {
    my $answer = login('eva');
    return header($answer, 'JSESSIONID')
        // die "login: $answer->{status} $answer->{body}\n" . $both->reports;
}

sub authenticate {
    return idp(GET => '/authenticate', session => $_[0]);
}

# A live session is 200, a dead one 401.
sub is_session {
    my ($id, $status, $what) = @_;
    return differs(authenticate($id)->{status}, $status, $what);
}

# Eva with $count sessions, and nothing else that has happened.
sub fresh {
    my ($count) = @_;
    $both->sql('DELETE FROM identprov.session; DELETE FROM identprov.audit;'
            . ' DELETE FROM identprov.throttle; DELETE FROM identprov.revocation');
    my @ids = map { session() } 1 .. $count;
    $both->sql('DELETE FROM identprov.audit');
    return \@ids;
}

# Sessions, revocations and entries of the audit in one text.
sub happened {
    return $both->sql(q(SELECT (SELECT count(*) FROM identprov.session)
        || ' ' || (SELECT count(*) FROM identprov.revocation)
        || ' ' || coalesce((SELECT string_agg(event, ',' ORDER BY number)
            FROM identprov.audit), '')));
}

# Eva as she was, and nothing that has happened: the version of her password.
sub fresh_account {
    $both->sql('DELETE FROM identprov.audit; UPDATE identprov.account'
            . " SET disabled = false WHERE username = 'eva'");
    return $both->sql('SELECT credential_version FROM identprov.account'
            . " WHERE username = 'eva'");
}

# A column of hers, and what has happened.
sub account_of {
    my ($column) = @_;
    return $both->sql("SELECT $column FROM identprov.account WHERE username ="
            . " 'eva'") . ' ' . $both->sql(q(SELECT coalesce(string_agg(event,
                ',' ORDER BY number), '') FROM identprov.audit));
}

# --- identprov ------------------------------------------------------------------

is(idp(POST => '/register', json => user('eva'))->{status}, 201, 'eva');

my $stay = session();
every('authenticate', try => sub {
    judged(authenticate($stay), 200, sub {
        my ($answer) = @_;
        return differs(join(' ', map { header($answer, $_) // 'none' }
                qw(X-User X-Email X-First-Name Authorization Identgw-Epoch)),
            qr/^eva eva\@example.org Eva Bearer [\w-]+\.[\w-]+\.[\w-]+ \d+\.\d+$/,
            'the answer') });
}, check => sub { is_session($stay, 200, 'the session later') });

my $dead = session();
is(idp(POST => '/logout', session => $dead)->{status}, 204, 'a dead session');
every('a dead session', try => sub { judged(authenticate($dead), 401) },
    check => sub { is_session($dead, 401, 'it later') });

every('register', prepare => sub { fresh(0); "user$_[0]" }, try => sub {
    judged(idp(POST => '/register', json => user($_[0])), 201, sub {
        differs(json($_[0])->{username}, qr/^user/, 'the name') });
}, check => sub {
    my ($name, $status) = @_;
    my $is_there = $both->sql(
        "SELECT count(*) FROM identprov.account WHERE username = '$name'");
    return (($status == 201 && !$is_there ? 'it is not stored' : undef),
        differs(happened(), $is_there ? '0 0 registered' : '0 0 ', 'there'),
        differs(idp(POST => '/register', json => user($name))->{status},
            $is_there ? 409 : 201, 'again'));
});

every('login', prepare => sub { fresh(1)->[0] }, try => sub {
    my ($old) = @_;
    judged(idp(POST => '/login', session => $old, json => {
                username => 'eva', password => $PASSWORD }), 200, sub {
        my ($answer) = @_;
        my $id = header($answer, 'JSESSIONID') // 'none';
        return (differs(header($answer, 'Set-Cookie') // 'none',
                qr/^JSESSIONID=\Q$id\E;/, 'the cookie'),
            is_session($id, 200, 'the new session'),
            is_session($old, 401, 'the old session')) });
}, check => sub {
    my ($old, $status) = @_;
    my $got = happened();
    return (differs($got, $status == 200 ? qr/^1 1 session_revoked,login$/
            : qr/^1 (?:0 |1 session_revoked,login)$/, 'there'),
        is_session($old, $got =~ /^1 0/ ? 200 : 401, 'the old session later'),
        differs(login('eva')->{status}, 200, 'login again'));
});

every('wrong password', prepare => sub { fresh(0) },
    try => sub { judged(login('eva', 'wrong horse 8'), 401) },
    check => sub {
        my (undef, $status) = @_;
        return (differs(happened(), $status == 401 ? '0 0 login_failed'
                : qr/^0 0 (?:login_failed)?$/, 'there'),
            $both->sql('DELETE FROM identprov.throttle') // '' ? 'sql' : undef,
            differs(login('eva')->{status}, 200, 'the right one'));
    });

every('login by a form', prepare => sub { fresh(0) }, try => sub {
    judged(idp(POST => '/login', params => [ HTTP_ACCEPT => 'text/html' ],
            form => 'username=eva&password=correct+horse+7&return_to=/x'), 303,
        sub { differs(header($_[0], 'Location') // 'none', '/x', 'Location') });
}, check => sub { differs(login('eva')->{status}, 200, 'login again') });

every('logout', prepare => sub { fresh(1)->[0] }, try => sub {
    judged(idp(POST => '/logout', session => $_[0]), 204);
}, check => sub {
    my ($id, $status) = @_;
    my $got = happened();
    return (differs($got, $status == 204 ? '0 1 logout'
            : qr/^(?:1 0 |0 1 logout)$/, 'there'),
        is_session($id, $got =~ /^1/ ? 200 : 401, 'the session later'),
        differs(idp(POST => '/logout', session => $id)->{status}, 204, 'again'),
        is_session($id, 401, 'the session after that'));
});

every('sessions', prepare => sub { fresh(2)->[0] }, try => sub {
    judged(idp(GET => '/sessions', session => $_[0]), 200, sub {
        differs(scalar @{ json($_[0])->{sessions} }, 2, 'sessions') });
}, check => sub {
    differs(idp(GET => '/sessions', session => $_[0])->{status}, 200, 'again') });

# Ends the others of two sessions by one request.
sub revoke {
    my ($name, $path) = @_;
    every($name, prepare => sub {
        my ($id, $other) = @{ fresh(2) };
        my $of = $both->sql(q(SELECT left(encode(hash, 'hex'), 16) FROM)
                . " identprov.session WHERE hash = sha256('$other')");
        return [ $id, $other, $path =~ s/ID/$of/r ];
    }, try => sub {
        my ($id, undef, $to) = @{ $_[0] };
        judged(idp(DELETE => $to, session => $id), 204);
    }, check => sub {
        my ($id, $other) = @{ $_[0] };
        my $got = happened();
        return (differs($got, $_[1] == 204 ? qr/^1 1 sessions?_revoked$/
                : qr/^(?:2 0 |1 1 sessions?_revoked)$/, 'there'),
            is_session($id, 200, 'the own session'),
            is_session($other, $got =~ /^2/ ? 200 : 401, 'the other'));
    });
    return;
}
revoke('end a session', '/sessions/ID');
revoke('end all other sessions', '/sessions');

my @passwords = ($PASSWORD, 'correct horse 9');
every('password', prepare => sub {
    my @ids = @{ fresh(0) };
    @ids = map { header(login('eva', $passwords[0]), 'JSESSIONID') } 1, 2;
    $both->sql('DELETE FROM identprov.audit');
    return \@ids;
}, try => sub {
    my ($id) = @{ $_[0] };
    judged(idp(POST => '/password', session => $id,
            json => { current => $passwords[0], new => $passwords[1] }), 204);
}, check => sub {
    my ($id, $other) = @{ $_[0] };
    my $got = happened();
    my $is_new = $got =~ /password_changed/;
    @passwords = reverse @passwords if $is_new;
    return (differs($got, $_[1] == 204 ? qr/^1 [12] password_changed$/
            : qr/^(?:2 0 |1 [12] password_changed)$/, 'there'),
        is_session($other, $is_new ? 401 : 200, 'the other session'),
        differs(login('eva', $passwords[0])->{status}, 200, 'login'),
        differs(login('eva', $passwords[1])->{status}, 401, 'the other one'));
});
if ($passwords[0] ne $PASSWORD) {
    my $id = header(login('eva', $passwords[0]), 'JSESSIONID');
    is(idp(POST => '/password', session => $id, json => {
                current => $passwords[0], new => $PASSWORD })->{status}, 204,
        'the password is what it was');
}

every('account', prepare => sub { fresh(1)->[0] }, try => sub {
    judged(idp(GET => '/account', session => $_[0]), 200, sub {
        differs(json($_[0])->{username}, 'eva', 'the account') });
}, check => sub {
    differs(idp(GET => '/account', session => $_[0])->{status}, 200, 'again') });

every('PATCH account', prepare => sub { [ fresh(1)->[0], "name$_[0]" ] },
    try => sub {
        my ($id, $name) = @{ $_[0] };
        judged(idp(PATCH => '/account', session => $id,
                json => { last_name => $name }), 200, sub {
            differs(json($_[0])->{last_name}, $name, 'the answer') });
    }, check => sub {
        my ($id, $name) = @{ $_[0] };
        my $is_there = $both->sql("SELECT last_name = '$name' FROM"
                . " identprov.account WHERE id = $ACCOUNT") eq 't';
        return (($_[1] == 200 && !$is_there ? 'it is not stored' : undef),
            differs(happened(), $is_there ? qr/^1 \d account_changed$/
                : '1 0 ', 'there'),
            differs(idp(PATCH => '/account', session => $id,
                    json => { last_name => 'Roe' })->{status}, 200, 'again'));
    });

every('DELETE account', prepare => sub {
    my $name = "gone$_[0]";
    my $answer = idp(POST => '/register', json => user($name));
    $answer->{status} == 201 or die "register: $answer->{status}\n";
    fresh(0);
    my $id = header(login($name), 'JSESSIONID');
    $both->sql('DELETE FROM identprov.audit');
    return [ $name, $id ];
}, try => sub {
    my ($name, $id) = @{ $_[0] };
    judged(idp(DELETE => '/account', session => $id,
            json => { password => $PASSWORD }), 204);
}, check => sub {
    my ($name, $id) = @{ $_[0] };
    my $is_there = $both->sql(
        "SELECT count(*) FROM identprov.account WHERE username = '$name'");
    return (($_[1] == 204 && $is_there ? 'it is there' : undef),
        differs(happened(), $is_there ? '1 0 ' : '0 1 account_deleted', 'there'),
        is_session($id, $is_there ? 200 : 401, 'the session'),
        differs(idp(POST => '/register', json => user($name))->{status}, 409,
            'the name'));
});

my $feed = qr/\A(?:cursor|reset) \S+\n(?:[0-9a-f]{64}\n)*end \d+\n\z/;
for my $since ('no cursor', 'a cursor') {
    my @internal = (params => [ IDENTGW_INTERNAL => 1 ]);
    my ($cursor) = idp(GET => '/revocations', @internal)->{body} =~ /^\w+ (\S+)/;
    my $path = '/revocations' . ($since eq 'a cursor' ? "?since=$cursor" : '');
    every("feed since $since", try => sub {
        judged(idp(GET => $path, @internal), 200, sub {
            differs($_[0]{body}, $feed, 'the feed') });
    }, check => sub {
        differs(idp(GET => $path, @internal)->{body}, $feed, 'again') });
}

# What is read is the same each time, or not there.
sub same {
    my ($name, $program, $path, %with) = @_;
    my $right = $both->ask($program, GET => $path, %with);
    my $body = delete $with{body} // $right->{body};
    every($name, try => sub {
        judged($both->ask($program, GET => $path, %with), $right->{status},
            sub { differs($_[0]{body}, $body, 'the body') });
    }, check => sub { differs($both->ask($program, GET => $path,
            %with)->{body}, $right->{body}, 'again') });
    return;
}
my @html = (params => [ HTTP_ACCEPT => 'text/html' ]);
same('JWKS', 'identprov', '/.well-known/jwks.json');
same('sign-in page', 'identprov', '/signin', @html);
same('sign-in problem', 'identprov', '/signin',
    body => qr/^\{.*"Please go to login\.\.\..*\}$/s,
    params => [ HTTP_ACCEPT => 'application/json', IDENTGW_INTERNAL => 1 ]);
same('register page', 'identprov', '/register', @html);
same('no such route', 'identprov', '/nowhere');
same('readiness', 'identprov', '/readyz');
$stay = session();
same('account page', 'identprov', '/account', @html, session => $stay);

every('metrics', try => sub {
    judged(idp(GET => '/metrics', params => [ IDENTGW_INTERNAL => 1 ]), 200,
        sub { differs($_[0]{body}, qr/^identprov_threads \d+$/m, 'metrics') });
});

every('register with faults', try => sub {
    judged(idp(POST => '/register', json => { username => '', email => 'x',
                password => 'short', no => 1 }), 422, sub {
        differs(scalar @{ json($_[0])->{errors} }, qr/^[45]$/, 'faults') });
});

# --- userprofile -----------------------------------------------------------------

$both->migrate_userprofile;
is($both->start_program('userprofile'), undef, 'userprofile runs');
$stay = session();
my @token = (HTTP_X_USER => 'eva',
    HTTP_AUTHORIZATION => header(authenticate($stay), 'Authorization'));

sub profile {
    my ($method, $json, @more) = @_;
    my @type = $method eq 'PATCH' ? (type => 'application/merge-patch+json') : ();
    return $both->ask('userprofile', $method => '/userprofile', json => $json,
        @type, params => [ @token, @more ]);
}

sub stored {
    return $both->sql("SELECT coalesce(bio, '') || ' ' || coalesce(nickname, '')"
            . ' || custom::text FROM userprofile.profile');
}

# The profile before; '' for none.
sub set_profile {
    my ($bio) = @_;
    $both->sql('DELETE FROM userprofile.profile');
    return '' if !defined $bio;
    my $answer = profile(POST => { bio => $bio, custom => { a => [ 1 ] } });
    $answer->{status} == 201 or die "POST: $answer->{status}\n";
    return stored();
}

# A write of the profile: stored whole, or not at all.
sub write_profile {
    my ($name, $method, $right, $before, $json, @more) = @_;
    every($name, prepare => sub { set_profile($before) }, try => sub {
        judged(profile($method => $json, @more), $right, $json && sub {
            differs(json($_[0])->{nickname}, $json->{nickname}, 'answer') });
    }, check => sub {
        my ($old, $status) = @_;
        my $now = stored();
        my $new = !$json ? '' : ($method eq 'PATCH' ? 'b' : '')
            . qq| $json->{nickname}\{"a":[2]}|;
        return (differs($now, $status eq $right ? $new
                : qr/^(?:\Q$old\E|\Q$new\E)$/, 'stored'),
            differs(profile('GET')->{status}, $now eq '' ? 404 : 200, 'GET'));
    });
    return;
}
my %json = (nickname => 'E', custom => { a => [ 2 ] });
write_profile('POST profile', POST => 201, undef, \%json);
write_profile('PUT profile', PUT => 200, 'b', \%json);
write_profile('PUT profile if it matches', PUT => 200, 'b', \%json,
    HTTP_IF_MATCH => '*');
write_profile('PATCH profile', PATCH => 200, 'b', \%json);
write_profile('DELETE profile', DELETE => 204, 'b', undef);

every('GET profile', prepare => sub { set_profile('b') }, try => sub {
    judged(profile('GET'), 200, sub {
        differs(json($_[0])->{bio}, 'b', 'the profile') });
}, check => sub { differs(profile('GET')->{status}, 200, 'again') });

# A token that has not been seen before, and one of another's.
every('new token', prepare => sub {
    set_profile('b');
    @token[3] = header(authenticate($stay), 'Authorization');
}, try => sub { judged(profile('GET'), 200) },
    check => sub { differs(profile('GET')->{status}, 200, 'again') });
every('forged token', try => sub {
    judged($both->ask('userprofile', GET => '/userprofile', params => [
                HTTP_X_USER => 'eva', HTTP_AUTHORIZATION =>
                    $token[3] =~ s/\.\K(?=[\w-]+$)/A/r ]), 401);
});

# --- the end ----------------------------------------------------------------------

is($both->end_part('TERM', 'userprofile'), 0, 'userprofile ends on SIGTERM');
is($both->end_part('TERM', 'identprov-0'), 0, '... and so does identprov');

# --- from the start ----------------------------------------------------------------

# Up, and as it should be within the second in which keys are read again; or
# ended, with a word about it.
sub is_right {
    my ($program) = @_;
    return idp(GET => '/readyz')->{status} == 200 if $program eq 'identprov';
    return profile('GET')->{status} =~ /^(?:200|404)$/;
}
for my $program (qw(identprov userprofile)) {
    every("start of $program", everywhere => 1, try => sub {
        my $status = $both->start_program($program);
        return ('refused', Injection::wrong_end($status,
                Stack::slurp($both->log_of($program)))) if defined $status;
        return 'started';
    }, check => sub {
        my (undef, $what) = @_;
        return if $what eq 'refused';
        my $is_right = eval {
            wait_for(20, $program, sub { is_right($program) }) };
        return ($is_right ? undef : 'it stays wrong', differs(
                $both->end_part('TERM', Injection::part($program)), 0, 'end'));
    });
}

# --- the command line --------------------------------------------------------------

sub command {
    my ($command, %with) = @_;
    every($command, everywhere => 1, prepare => $with{prepare}, try => sub {
        my ($status, $out, $errors) = $both->run([ split(/ /, $command),
                @{ $with{more} ? $with{more}->($_[0]) : [] } ],
            stdin => $with{stdin});
        return $status ? ('refused', Injection::wrong_end($status << 8, $errors))
            : ('done', differs($out, $with{out} // qr//, 'output'));
    }, check => $with{check});
    return;
}

my $keys = 'SELECT count(*) FROM identprov.signing_key';
command('check', out => qr/^signing keys: ok$/m);
command('key list', out => qr/ES256/);
command('key export', out => qr/^\{"keys":\[\{.*\}\]\}$/);
command('key rotate', prepare => sub {
    $both->sql('DELETE FROM identprov.audit');
    return $both->sql($keys);
}, check => sub {
    my ($before, $what) = @_;
    my $added = $both->sql($keys) - $before;
    my $audited = $both->sql("SELECT count(*) FROM identprov.audit"
            . " WHERE event = 'key_rotated'");
    $both->sql('DELETE FROM identprov.signing_key WHERE sign_from > now()');
    return (differs($added, $audited, 'added'),
        $what eq 'done' ? differs($added, 1, 'added') : ());
});
command('audit', out => qr/^/);
command('user list', out => qr/^\{.*"eva".*\}$/m);
command('user show eva', out => qr/^\{.*"eva".*\}$/m);
command('user group eva --add staff', out => qr/staff/);
command('user disable eva', prepare => sub { fresh_account() },
    check => sub {
        my ($before, $what) = @_;
        my $now = account_of('disabled');
        return $what eq 'done' ? differs($now, 't account_disabled', 'eva')
            : differs($now, qr/^(?:f |t account_disabled)$/, 'eva');
    });
command('user set-password eva', stdin => "correct horse 5\n",
    prepare => sub { fresh_account() }, check => sub {
        my ($before, $what) = @_;
        return $what eq 'done' ? differs(account_of('credential_version'),
            ($before + 1) . ' password_changed', 'eva') : differs(
            account_of('credential_version'),
            qr/^(?:$before |@{[ $before + 1 ]} password_changed)$/, 'eva');
    });
command('user add --email x@example.org --first-name Xenia', stdin =>
        "correct horse 5\n", more => sub { [ '--username', $_[0] ] },
    prepare => sub { fresh_account(); "added$_[0]" }, check => sub {
        my ($name, $what) = @_;
        my $is_there = $both->sql("SELECT count(*) FROM identprov.account"
                . " WHERE username = '$name'");
        return ($what eq 'done' ? differs($is_there, 1, 'it') : (),
            differs($both->sql(q(SELECT count(*) FROM identprov.audit)),
                $is_there, 'audit'));
    });
command('migrate');

# --- the end -------------------------------------------------------------------------

is($both->reports, '', 'the sanitizers have nothing to say');
$both->stops_cleanly;
done_testing;
