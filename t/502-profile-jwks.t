# The keys of userprofile by URL: fetched in the background, kept whatever
# becomes of the source, fetched again for an unknown kid, but not often. A
# token that has been accepted once is refused as soon as its key or its time
# is over.
use strict;
use warnings;
use lib 't/lib';
use FastCGI;
use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use JwksServer;
use Stack qw(header json slurp wait_for);
use Test::More;
use Time::HiRes qw(sleep time);

my $BUILD = $ENV{BUILD} || 'build';
my $python = $ENV{PYTHON} || '/usr/bin/python3';
my $tls_port = free_port();
my $tls = tempdir('identgw-tls-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $tls;
foreign('certificate', "$tls/cert.pem", "$tls/cert.key");
my $stack = Stack->start(http => <<"HTTP");
server {
    listen 127.0.0.1:$tls_port ssl;
    ssl_certificate $tls/cert.pem;
    ssl_certificate_key $tls/cert.key;
    root $tls;
}
HTTP
my $dir = $stack->{var};

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => 0, Listen => 1) or die "no port: $!\n";
    return $socket->sockport;
}

sub foreign {
    open my $pipe, '-|', $python, 't/lib/foreign_jwt.py', @_
        or die "$python: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe or die "foreign_jwt.py @_: failed\n";
    return JSON::PP->new->allow_nonref->decode($text);
}

# --- programs of our own beside the stack's -----------------------------------

sub environment {
    my (%more) = @_;
    my %env = (DATABASE => $stack->setting('USERPROFILE_DATABASE'),
        JWKS_RETRY => '1s', LEEWAY => '0s', %more);
    return { map { ("USERPROFILE_$_" => $env{$_}) } keys %env };
}

sub start_userprofile {
    my ($name, %settings) = @_;
    my $env = environment(%settings);
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setpgrp 0, 0;
        open STDERR, '>', "$dir/$name.err";
        %ENV = (%ENV, %$env);
        exec "$BUILD/userprofile", 'serve', '--listen', "unix:$dir/$name.sock"
            or POSIX::_exit(127);
    }
    $stack->add_helper($pid);
    wait_for(20, $name,
        sub { IO::Socket::UNIX->new(Peer => "$dir/$name.sock") });
    return $pid;
}

# What serve says to settings that it does not start with; its status.
sub refusal {
    my (%settings) = @_;
    my $env = environment(%settings);
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDERR, '>', "$dir/refusal.err";
        %ENV = (%ENV, %$env);
        alarm 30;
        exec "$BUILD/userprofile", 'serve', '--listen', "unix:$dir/no.sock"
            or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    return ($? >> 8) . ': ' . slurp("$dir/refusal.err");
}

my $instance = 'main';

sub ask {
    my ($token, $user) = @_;
    return FastCGI::ask("$dir/$instance.sock", [
            REQUEST_METHOD => 'GET', SCRIPT_NAME => '',
            PATH_INFO => '/userprofile', REQUEST_ID => '0' x 32,
            HTTP_AUTHORIZATION => "Bearer $token",
            HTTP_X_USER => $user // 'ivan' ], '');
}

sub ready {
    return FastCGI::ask("$dir/$instance.sock", [ REQUEST_METHOD => 'GET',
            PATH_INFO => '/readyz', IDENTGW_INTERNAL => 1 ], '');
}

# 404, for the token is good and has no profile; or the reason.
sub verdict {
    my $answer = ask(@_);
    my ($reason) = (header($answer, 'WWW-Authenticate') // '')
        =~ /error="invalid_token", error_description="(\w+)"/;
    return $answer->{status} == 401 ? $reason : $answer->{status};
}

my %jwk;

sub jwks { return encode_json({ keys => [ @jwk{@_} ] }) }

sub token {
    my ($key, $seconds, %more) = @_;
    my $now = int time;
    return foreign('sign', "$dir/$key.key", encode_json({
                iss => 'identprov', aud => 'identgw', sub => 'ivan-1',
                preferred_username => 'ivan', iat => $now, nbf => $now,
                exp => $now + ($seconds // 3000), %more }));
}

$jwk{$_} = foreign('key', "$dir/$_.key") for qw(a b c);
my %token = map { $_ => token($_) } qw(a b c);
my $server = JwksServer->new;

# --- where keys may come from -------------------------------------------------

my $file = $stack->setting('USERPROFILE_JWKS_FILE');
for my $case (
    [ {}, qr/one of USERPROFILE_JWKS_FILE .* USERPROFILE_JWKS_URL/s ],
    [ { JWKS_URL => $server->url, JWKS_FILE => $file }, qr/one of/ ],
    [ { JWKS_URL => 'http://192.0.2.1/jwks' }, qr/http is for this machine/ ],
    [ { JWKS_URL => 'http://example.org/jwks' }, qr/http is for this/ ],
    [ { JWKS_URL => 'http://localhost.example.org/' }, qr/http is for this/ ],
    [ { JWKS_URL => 'http://127.0.0.1.example.org/' }, qr/http is for this/ ],
    [ { JWKS_URL => 'http://[::ffff:192.0.2.1]/' }, qr/http is for this/ ],
    [ { JWKS_URL => 'http://127.0.0.1@192.0.2.1/' }, qr/credentials/ ],
    [ { JWKS_URL => 'https://me:secret@192.0.2.1/' }, qr/credentials/ ],
    [ { JWKS_URL => 'ftp://127.0.0.1/jwks' }, qr/neither https nor http/ ],
    [ { JWKS_URL => "file://$file" }, qr/no absolute URL|neither https/ ],
    [ { JWKS_URL => '/jwks' }, qr/no absolute URL/ ],
    [ { JWKS_URL => 'jwks' }, qr/no absolute URL/ ],
    [ { JWKS_URL => $server->url, JWKS_RETRY => '1ms' }, qr/JWKS_RETRY/ ]) {
    my ($settings, $pattern) = @$case;
    my $said = refusal(%$settings);
    like($said, qr/^2: .*$pattern/s,
        'refused: '
            . join ' ', map { "$_=$settings->{$_}" } sort keys %$settings);
    unlike($said, qr/secret/, '... and no secret is told');
}

# --- before there are keys ----------------------------------------------------

$server->behave('hang');
my $pid = start_userprofile('main', JWKS_URL => $server->url,
    JWKS_REFRESH => '1h');
my $begin = time;
my $answer = ask($token{a});
is($answer->{status}, 503, 'no keys yet: 503');
ok(header($answer, 'Retry-After'), '... to be tried again');
is(json(ready())->{code}, 'no_keys', '... and not ready');
cmp_ok(time - $begin, '<', 4, '... at once, while the source hangs');
$server->publish(jwks('a'));
$server->behave('serve');
ok(wait_for(20, 'the first keys', sub { verdict($token{a}) eq 404 }),
    'keys come from the URL as soon as it has some');
is(ready()->{status}, 200, '... and then it is ready');

# --- whatever becomes of the source -------------------------------------------

sub count_complaints {
    return scalar(() = slurp("$dir/main.err") =~ /"keys_unusable"/g);
}

# An unknown kid makes it look again.
my @unknown = map { foreign('sign', "$dir/a.key", '{}', qq({"kid":"x$_"})) }
    1 .. 2;

sub provoke { return verdict($unknown[ rand @unknown ]) }

for my $way (qw(error garbage huge closed short redirect foreign hang)) {
    my $before = count_complaints();
    my $slowest = 0;
    $server->behave($way);
    is(provoke(), 'unknown_key', "$way: an unknown kid is refused");
    ok(wait_for(20, 'a complaint', sub {
                my $start = time;
                my $verdict = verdict($token{a});
                $slowest = time - $start if time - $start > $slowest;
                die "$way: $verdict\n" if $verdict ne 404;
                return count_complaints() > $before;
            }), '... the failure is logged, once, and the keys stay');
    cmp_ok($slowest, '<', 4, '... no request waited for it');
}
unlike(join(' ', $server->requests), qr/elsewhere/, 'no redirect is followed');
$server->behave('serve');
ok(wait_for(20, 'the keys', sub {
            slurp("$dir/main.err") =~ /"keys_loaded".*"keys_loaded"/s
        }), 'a source that is back is used again');

# --- unknown and withdrawn keys -----------------------------------------------

is(verdict($token{b}), 'unknown_key', "a key that is not published yet");
$server->publish(jwks('a', 'b'));
$server->requests;
ok(wait_for(20, 'the new key', sub { verdict($token{b}) eq 404 }),
    '... is used soon after it is, long before the refresh');
is(verdict($token{a}), 404, '... beside the old one');

$server->requests;
$begin = time;
my $asked = 0;
while (time - $begin < 3.5) {
    $asked++ if provoke() eq 'unknown_key';
    $asked++ if verdict('x' . rand) eq 'malformed';
}
my @fetches = $server->requests;
cmp_ok($asked, '>', 100, "$asked tokens with unknown keys");
cmp_ok(scalar @fetches, '<=', (time - $begin) + 1,
    '... make no more than a fetch a second, which JWKS_RETRY is');
cmp_ok(scalar @fetches, '>=', 2, '... but some');

is(verdict($token{a}), 404, 'a token that is remembered');
$server->publish(jwks('b'));
provoke();
ok(wait_for(20, 'the end of the key', sub {
            provoke();
            verdict($token{a}) eq 'unknown_key'
        }), '... is refused when its key has been withdrawn');
is(verdict($token{b}), 404, '... the other key stays');
$server->publish(jwks('a', 'b'));
ok(wait_for(20, 'the key', sub { verdict($token{a}) eq 404 }),
    '... and is good again when the key is back');

# A key of the same name, but another one.
my $impostor = encode_json({ keys => [
        { %{ $jwk{c} }, kid => $jwk{a}{kid} }, $jwk{b} ] });
$server->publish($impostor);
ok(wait_for(20, 'the other key', sub {
            provoke();
            verdict($token{a}) eq 'bad_signature'
        }), 'another key under the same kid: what is remembered is not enough');

# Keys that sign nothing here: HMAC, small RSA, none, another use, private.
$server->publish(encode_json({ keys => [
            { kty => 'oct', k => 'AAAA', kid => 'hmac', alg => 'HS256' },
            { kty => 'oct', k => 'AAAA', kid => $jwk{c}{kid} },
            { kty => 'none', alg => 'none', kid => 'none' },
            { kty => 'RSA', n => 'w' x 171, e => 'AQAB', kid => 'small' },
            { %{ $jwk{c} }, use => 'enc' },
            { %{ $jwk{c} }, alg => 'HS256' }, $jwk{b} ] }));
ok(wait_for(20, 'the keys', sub {
            provoke();
            verdict($token{a}) eq 'unknown_key'
        }), 'a set with keys of no use is used without them');
is(verdict($token{b}), 404, '... with the one that is of use');
is(verdict($token{c}), 'unknown_key', '... and not with those of another use');

# --- time ---------------------------------------------------------------------

my $exp = 5 + int time;
my $short = token('b', 0, exp => $exp);
is(verdict($short), 404, 'a token that is about to expire');
my @wrong;
while (1) {
    my $before = time;
    my $verdict = verdict($short);
    # The system's clock of whole seconds is a few milliseconds late.
    push @wrong, "$verdict at $before"
        if $verdict eq 404 && $before >= $exp + 0.05
        || $verdict eq 'expired' && time < $exp;
    last if $verdict ne 404 || $before > $exp + 5;
}
is_deeply(\@wrong, [], '... is accepted until its second, and not longer');
is(verdict($short), 'expired', '... and stays refused');
is(verdict(token('b', 3000, nbf => 60 + int time)), 'not_yet_valid',
    'a token of the future');

# --- more users than are remembered; names ------------------------------------

is(verdict($token{b}, $_), 'user_mismatch',
    "remembered, for <$_>") for 'Ivan', 'ivan ', 'ivanx', 'iva';
my $long = token('b', 3000, preferred_username => 'u' x 1500);
is(verdict($long, 'u' x 1500), 404, 'a name of 1,500 bytes')
    for 1 .. 2;
is(verdict($long, 'u' x 1499), 'user_mismatch',
    '... all of it');

# --- rotation under load ------------------------------------------------------

$instance = 'rotating';
$server->publish(jwks('a'));
start_userprofile('rotating', JWKS_URL => $server->url, JWKS_REFRESH => '1s');
wait_for(20, 'the keys', sub { verdict($token{a}) eq 404 });
Stack::spew("$dir/signer", 'a');
my $parent = $$;
my @clients = map {
    my $child = open(my $pipe, '-|') // die "fork: $!\n";
    if (!$child) {
        my ($count, %failed) = (0);
        until (-e "$dir/rotated" || getppid != $parent) {
            my $verdict = verdict($token{ slurp("$dir/signer") });
            $failed{$verdict}++ if $verdict ne 404;
            $count++;
        }
        print encode_json([ $count, \%failed ]);
        close STDOUT;
        POSIX::_exit(0);
    }
    $pipe;
} 1 .. 3;
# Publish, wait as long as it may take to spread, sign, retire.
for my $pair ([qw(a b)], [qw(b c)]) {
    my ($old, $new) = @$pair;
    $server->publish(jwks($old, $new));
    wait_for(20, 'the new key', sub { verdict($token{$new}) eq 404 });
    Stack::spew("$dir/signer.new", $new);
    rename "$dir/signer.new", "$dir/signer";
    sleep 0.3;
    $server->publish(jwks($new));
    wait_for(20, 'the end of the old', sub { verdict($token{$old}) ne 404 });
}
Stack::spew("$dir/rotated", '');
for my $pipe (@clients) {
    my ($count, $failed) = @{ decode_json(do { local $/; <$pipe> }) };
    is_deeply($failed, {}, "two rotations: none of $count requests failed");
}

# --- https --------------------------------------------------------------------

Stack::spew("$tls/jwks", jwks('a'));
for my $case ([ 'trusting', JWKS_CA_FILE => "$tls/cert.pem" ],
    [ 'wary' ]) {
    ($instance, my %more) = @$case;
    start_userprofile($instance, %more,
        JWKS_URL => "https://127.0.0.1:$tls_port/jwks");
    wait_for(20, 'the keys or a complaint',
        sub { slurp("$dir/$instance.err") =~ /"keys_/ });
    is(verdict($token{a}), %more ? 404 : 503,
        "https, $instance of its certificate");
}

# --- what it costs ------------------------------------------------------------

# The libraries of Debian 13 take some 2 MB more than those of 12.
my $IDLE_KB = 1024
    * ((eval { slurp('/etc/debian_version') } // '') =~ /^12/ ? 12 : 15);

sub memory_kb {
    my ($of) = @_;
    my ($rss) = slurp("/proc/$of/status") =~ /^VmRSS:\s*(\d+) kB/m;
    return $rss;
}

SKIP: {
    skip 'a sanitizer has memory of its own', 1
        if slurp("$BUILD/config.mk") =~ /^SANITIZE = *\S/m;
    my $idle = start_userprofile('idle', JWKS_URL => $server->url);
    $instance = 'idle';
    wait_for(20, 'keys', sub { ready()->{status} == 200 });
    my ($new, $used) = map { memory_kb($_) } $idle, $pid;
    cmp_ok($new, '<', $IDLE_KB, "idle, $new kB");
    cmp_ok($used, '<', $IDLE_KB + 2 * 1024, "$used kB after all this");
}
my $log = slurp("$dir/main.err");
unlike($log, qr/\Q$token{b}\E/, 'no token in the log');
kill 'TERM', $pid;
$begin = time;
is(waitpid($pid, 0), $pid, 'SIGTERM ends it');
cmp_ok(time - $begin, '<', 5, '... soon');
is($?, 0, '... well');

$server->stop;
$stack->stops_cleanly;
done_testing();
