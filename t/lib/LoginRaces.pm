package LoginRaces;

# Logins that run into a change of their account: when both are done, no session
# of what was before is left.
use strict;
use warnings;
use FastCGI;
use JSON::PP;
use POSIX ();
use Stack qw(header);
use Test::More ();
use Time::HiRes qw(sleep);

my @PASSWORDS = ('correct horse battery', 'staple of another kind');
my $LOGINS = 3; # beside each change of a password
my $networks = 0;
my $seed = $ENV{SEED} // int rand 1e6;
srand $seed;
Test::More::diag("SEED=$seed");

# As from a network that was not here before: nobody has to wait.
sub begin {
    my ($idp, $path, $fields, @more) = @_;
    my $body = encode_json($fields);
    my $n = $networks++;
    return FastCGI::begin($idp->room . '/identprov-0.sock',
        [ REQUEST_METHOD => 'POST', SCRIPT_NAME => '', PATH_INFO => $path,
            CONTENT_TYPE => 'application/json',
            CONTENT_LENGTH => length $body, REQUEST_ID => 'f' x 32,
            REMOTE_ADDR => sprintf('10.%d.%d.1', $n >> 8 & 255, $n & 255),
            @more ], $body);
}

sub login {
    my ($idp, $name, $password) = @_;
    return begin($idp, '/login', { username => $name, password => $password });
}

sub is_alive {
    my ($idp, $id) = @_;
    return FastCGI::ask($idp->room . '/identprov-0.sock',
        [ REQUEST_METHOD => 'GET', SCRIPT_NAME => '',
            PATH_INFO => '/authenticate', HTTP_JSESSIONID => $id ], '')
        ->{status} != 401;
}

# The answers of logins: counts by status, and the ids of those that were in.
sub count {
    my ($seen, @answers) = @_;
    $seen->{ $_->{status} }++ for @answers;
    return map { header($_, 'JSESSIONID') } grep { $_->{status} == 200 } @answers;
}

sub counts {
    my ($seen) = @_;
    return join ', ', map { "$_: $seen->{$_}" } sort keys %$seen;
}

# Says what came of it; both ends of the race have to have been met.
sub judge {
    my ($idp, $what, $names, $left, $seen, $alive) = @_;
    Test::More::is($alive, 0, "after $what no login of before is in");
    Test::More::is($idp->sql("SELECT count(*) FROM identprov.session AS s
        JOIN identprov.account AS a ON a.id = s.account_id
        WHERE a.username LIKE '$names'"), $left, '... and no other session is there');
    Test::More::is(join(' ', sort keys %$seen), '200 401',
        '... of logins ' . counts($seen));
    return;
}

# A user changes the password while others sign in with the old one.
sub against_password {
    my ($idp, $count) = @_;
    my $answer = $idp->post_json('/register', { username => 'race',
            password => $PASSWORDS[0], email => 'race@example.org',
            first_name => 'Eva' });
    Test::More::is($answer->{status}, 201, 'somebody registers');
    my $own = $idp->login('race', $PASSWORDS[0]);
    my (%seen, $alive, $changed);
    for my $race (0 .. $count - 1) {
        my ($old, $new) = @PASSWORDS[ $race % 2, 1 - $race % 2 ];
        my @logins = map { login($idp, 'race', $old) } 2 .. 1 + rand $LOGINS;
        sleep rand 0.004;
        my $change = begin($idp, '/password', { current => $old, new => $new },
            HTTP_JSESSIONID => $own);
        sleep rand 0.002;
        push @logins, login($idp, 'race', $old) while @logins < $LOGINS;
        $changed += FastCGI::answer_on($change)->{status} == 204;
        my @ids = count(\%seen, map { FastCGI::answer_on($_) } @logins);
        $alive += grep { is_alive($idp, $_) } @ids;
    }
    Test::More::is($changed, $count, "$count passwords are changed");
    judge($idp, 'each change', 'race', 1, \%seen, $alive // 0);
    return;
}

# An account is disabled by the command line while its user signs in, again and
# again.
sub against_disabling {
    my ($idp, $count) = @_;
    my $password = $PASSWORDS[0];
    $idp->post_json('/register', { username => 'kept', password => $password,
            email => 'kept@example.org', first_name => 'Eva' });
    my $hash = $idp->sql(q(SELECT password_hash FROM identprov.account
        WHERE username = 'kept'));
    my ($status) = $idp->run([qw(user import)], stdin => join '', map {
            encode_json({ username => "off-$_", first_name => 'Eva',
                email => "off-$_\@example.org", password_hash => $hash }) . "\n"
        } 1 .. $count);
    Test::More::is($status, 0, "$count accounts");
    my (%seen, $alive, $disabled);
    for my $name (map { "off-$_" } 1 .. $count) {
        my $pid = $idp->begin_command([ qw(user disable), $name ]);
        my @ids;
        my $is_done = 0;
        while (!$is_done) {
            $is_done = waitpid($pid, POSIX::WNOHANG()) == $pid;
            push @ids, count(\%seen, map { FastCGI::answer_on($_) }
                    map { login($idp, $name, $password) } 1 .. 2);
        }
        $disabled += $? == 0;
        $alive += grep { is_alive($idp, $_) } @ids;
    }
    Test::More::is($disabled, $count, '... are disabled');
    judge($idp, 'disabling', 'off-%', 0, \%seen, $alive);
    return;
}

1;
