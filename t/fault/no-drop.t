#!/usr/bin/perl
# make test-no-drop: while clients send REQUESTS=100000, nginx is reloaded and
# upgraded, both applications are replaced and restarted, and the key of the
# tokens and the certificate rotate. Not one request fails, and a logout holds.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use Client qw(field);
use Cwd qw(abs_path);
use JSON::PP;
use List::Util qw(shuffle sum0);
use POSIX ();
use Rolling;
use Stack qw(wait_for);
use Test::More;
use Time::HiRes qw(sleep time);

my $CLIENTS = 4;
my $LEASE = 2; # seconds: nginx.conf.example's
my $PASSWORD = 'correct horse 7 battery';
my $BUILD = abs_path($ENV{BUILD} || 'build');
my $count = $ENV{REQUESTS} || 100_000;
my $seed = $ENV{SEED} || int rand 1e6;
diag("SEED=$seed");
srand $seed;

my $port = $ENV{TEST_NGINX_PORT} || 18_080;
my ($inner, $outer, $inner_here, $tls) = map { $port + $_ } 1 .. 4;
my %env = (IDENTPROV_REGISTRATION => 'open',
    IDENTPROV_JWKS_MAX_AGE => '5s', IDENTPROV_HASH_MINIMUM => 'none',
    IDENTPROV_HASH_MEMORY => '64k', IDENTPROV_HASH_PASSES => 1,
    USERPROFILE_JWKS_URL => "http://127.0.0.1:$port/.well-known/jwks.json");
my $stack = Stack->start(
    env => { %env, PORT => $port },
    conf => "location = /whoami {\n    identgw on;\n"
        . "    proxy_pass http://127.0.0.1:$inner;\n}\n",
    http => "server {\n    listen 127.0.0.1:$inner;\n    access_log off;\n"
        . "    location / { return 200 \"[\$http_x_user]\"; }\n}\n");
my $rolling = Rolling->start($stack, port => $outer, tls => $tls,
    inner => $inner, inner_here => $inner_here, env => \%env);

my $upgrading = $stack->var . '/upgrading';

# --- clients ----------------------------------------------------------------------

# Each request is a connection of its own; or one that is kept, on which a GET
# that met its end is asked again, as browsers do. Half of them are over TLS.
my $kept;

sub connect_gateway {
    return eval { rand() < 0.5 ? Client->new($outer)
            : Client->new($tls, ca => $rolling->ca) };
}

sub ask {
    my ($method, $target, $session, $data) = @_;
    my @headers = $session ? ('JSESSIONID', $session) : ();
    push @headers, 'Content-Type', 'application/json' if ref $data;
    my $body = ref $data ? encode_json($data) : $data;
    if ($method eq 'GET' && rand() < 0.5) {
        my $is_new = !$kept;
        $kept //= connect_gateway();
        my $answer = $kept && $kept->ask($method, $target, \@headers);
        return $answer if $answer;
        $kept = undef;
        return { status => 0, headers => [], body => '' } if $is_new;
    }
    my $client = connect_gateway();
    return $client && $client->ask($method, $target,
        [ @headers, 'Connection', 'close' ], $body)
        || { status => 0, headers => [], body => '' };
}

my %failed;

# Its answer; what else it is than it should be is counted.
sub must {
    my ($status, @request) = @_;
    my $answer = ask(@request);
    $failed{"@request[0, 1] $answer->{status}"}++
        if $answer->{status} != $status;
    return $answer;
}

# After a logout. While the old nginx serves beside the new one each has a zone
# of its own, and the other's knows within the lease.
sub await_out {
    my ($session) = @_;
    my $end = time + $LEASE;
    my $may_be_late = -e $upgrading;
    while (time < $end) {
        return if ask('GET', '/whoami', $session)->{status} == 401;
        last if !$may_be_late;
    }
    must(401, 'GET', '/whoami', $session);
    return;
}

# Requests of one user until there were $most: how many.
sub be_client {
    my ($number, $most) = @_;
    my $user = "rolling$number";
    my $done = 4;
    must(201, 'POST', '/register', undef, { username => $user,
            password => $PASSWORD, email => "$user\@example.org",
            first_name => 'F' });
    my $login = sub { field(must(200, 'POST', '/login', undef,
                { username => $user, password => $PASSWORD }), 'JSESSIONID') };
    my $session = $login->();
    must(201, 'POST', '/userprofile', $session, { nickname => 'n0' });
    while ($done++ < $most) {
        my $what = rand;
        if ($what < 0.6) {
            my $answer = must(200, 'GET', '/whoami', $session);
            $failed{'another user'}++ if $answer->{body} ne "[$user]";
        } elsif ($what < 0.85) {
            must(200, 'GET', '/userprofile', $session);
        } elsif ($what < 0.98) {
            must(200, (qw(PUT PATCH))[ rand 2 ], '/userprofile', $session,
                { nickname => "n$done" });
        } else {
            must(204, 'POST', '/logout', $session, '');
            await_out($session);
            $session = $login->();
            $done += 2;
        }
    }
    return $done;
}

my @pipes = map {
    my $number = $_;
    my $pid = open(my $pipe, '-|') // die "fork: $!\n";
    if (!$pid) {
        srand $seed * 10 + $number;
        my $done = eval { be_client($number, $count / $CLIENTS) } // 0;
        $failed{"died: $@"}++ if !$done;
        print encode_json([ $done, \%failed ]);
        close STDOUT;
        POSIX::_exit(0);
    }
    $pipe;
} 1 .. $CLIENTS;

# --- what happens meanwhile ---------------------------------------------------------

sub upgrade {
    Stack::spew($upgrading, '');
    $rolling->upgrade;
    sleep $LEASE; # who was told so just before the end
    unlink $upgrading;
    return;
}

sub rotate_key {
    local %ENV = (%ENV, %env);
    $ENV{$_} = $stack->setting($_)
        for qw(IDENTPROV_DATABASE IDENTPROV_KEY_PASSPHRASE_FILE);
    system("$BUILD/identprov key rotate > /dev/null") == 0
        or die "key rotate: $?\n";
    return;
}

# Who connects is shown the new certificate, with few exceptions: a worker of
# before may have taken their connection just then.
sub rotate_certificate {
    my $name = $rolling->rotate_certificate;
    wait_for(30, "the certificate $name", sub { shown_certificate() eq $name });
    sleep 0.5;
    my %shown = map { shown_certificate() => 1 } 1 .. 10;
    is(join(' ', sort keys %shown), $name, 'all are shown the new certificate');
    return;
}

sub shown_certificate {
    my $client = Client->new($tls, ca => $rolling->ca);
    return $client->{socket}->peer_certificate('commonName');
}

my %happens = (
    'reload nginx' => sub { $rolling->reload },
    'upgrade nginx' => \&upgrade,
    'rotate the key' => \&rotate_key,
    'rotate the certificate' => \&rotate_certificate,
    map {
        my $name = $_;
        ("replace $name" => sub { $rolling->replace($name) },
            "restart $name" => sub { $rolling->restart($name) });
    } qw(identprov userprofile));

my %times;
my $select = IO::Select->new(@pipes);
until ($select->can_read(0)) {
    for my $name (shuffle sort keys %happens) {
        $happens{$name}->();
        $times{$name}++;
        sleep rand 1;
    }
}

my $sent = 0;
for my $pipe (@pipes) {
    my ($done, $failed) = @{ decode_json(do { local $/; <$pipe> }) };
    is_deeply($failed, {}, "none of $done requests has failed")
        or diag(join "\n", map { "$_: $failed->{$_}" } sort keys %$failed);
    $sent += $done;
}
cmp_ok($sent, '>=', $count, 'all requests were sent');
diag(join ', ', "$sent requests", map { "$_: $times{$_}" } sort keys %times);
cmp_ok($times{$_} // 0, '>', 1, $_) for sort keys %happens;
$rolling->stop;
$stack->stops_cleanly;
done_testing();
