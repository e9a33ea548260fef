# The programs of docs/upstreams.md, as they stand there, behind the gateway and
# against forged tokens: Python with PyJWT; Node with jose, where node and npm
# are there and npm can install it.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Encode qw(encode);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP;
use JwksServer;
use Stack qw(header json slurp wait_for);
use Test::More;

my $BUILD = $ENV{BUILD} || 'build';
my $python = $ENV{PYTHON} || '/usr/bin/python3';
my $page = slurp('docs/upstreams.md');
my $dir = tempdir('identgw-upstreams-XXXXXX', TMPDIR => 1, CLEANUP => 1);

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

# The program in this language, in a file of $dir.
sub program {
    my ($language, $name) = @_;
    my ($text) = $page =~ /^```$language\n(.*?)^```$/ms
        or die "docs/upstreams.md has no $language\n";
    Stack::spew("$dir/$name", $text);
    return "$dir/$name";
}

# Whether jose is in $BUILD/upstreams, if need be installed there now.
sub has_jose {
    my $room = "$BUILD/upstreams";
    return 1 if -d "$room/node_modules/jose";
    mkdir $room;
    my $failed = system "cd '$room' && timeout 120 npm install --prefix ."
        . ' --silent --no-audit --no-fund --no-package-lock jose@5'
        . ' > npm.log 2>&1';
    return !$failed && -d "$room/node_modules/jose";
}

sub why_no_node {
    return 'no node and npm here' if system 'node --version > /dev/null 2>&1';
    return 'no npm here' if system 'npm --version > /dev/null 2>&1';
    return has_jose() ? '' : 'npm cannot install jose here';
}

my %port = map { $_ => free_port() } qw(node python node2 python2);
my $stack = Stack->start(conf => join '', map { <<"CONF" } qw(node python));
location /$_/ {
    proxy_pass http://127.0.0.1:$port{$_};
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host \$host;
}
CONF

sub start_program {
    my ($port, $jwks_url, @command) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        setpgrp 0, 0;
        open STDERR, '>>', "$dir/log";
        open STDOUT, '>&', \*STDERR;
        %ENV = (%ENV, PORT => $port, JWKS_URL => $jwks_url);
        exec @command or POSIX::_exit(127);
    }
    $stack->add_helper($pid);
    wait_for(60, $command[0], sub {
        IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
    });
    return;
}

# Past the gateway, as whoever is in the same network could.
sub ask_directly {
    my ($port, @headers) = @_;
    return bless({ port => $port }, 'Stack')->request('GET', '/',
        headers => \@headers);
}

# What these libraries pass over where userprofile does not: header members
# that are unknown or, with a single key, missing; lengths and spellings; which
# of two members counts; types that can be read as the right one. And a token
# that is over while the test goes on.
my $lenient = qr/^(?:jku$|x5u$|b64\ false|no\ kid|over\ 4096|duplicate
    |(?:exp|nbf|sub)\ (?:a|true|with|too|empty)\b|unused\ bits
    |payload\ not\ UTF-8|a\ blank\ behind|byte\ order\ mark|valid:\ expired)/x;

my $server = JwksServer->new;
my $key = foreign('key', "$dir/key");
$server->publish(encode_json({ keys => [ $key ] }));
my @tokens = @{ foreign('tokens', "$dir/key", encode_json({
                iss => 'identprov', aud => 'identgw', sub => 'foreign',
                preferred_username => 'ivan' })) };
my @session = ('JSESSIONID', $stack->session('anna'));
my @unicode = ('JSESSIONID', $stack->session('иван',
        email => 'ivan@example.org'));

sub check_program {
    my ($name, @command) = @_;
    start_program($port{$name}, $stack->url . '/.well-known/jwks.json',
        @command);
    my $answer = $stack->request('GET', "/$name/", headers => \@session);
    is($answer->{status}, 200, "$name: behind the gateway");
    like($answer->{body}, qr/^Hello anna, [0-9a-f-]{36}$/,
        '... knows the user');
    like($stack->request('GET', "/$name/", headers => \@unicode)->{body},
        qr/^Hello ${\encode('UTF-8', 'иван')}, /, '... in any script');
    is($stack->request('GET', "/$name/")->{status}, 401,
        '... and nobody else comes in');

    my $port = $port{"${name}2"};
    start_program($port, $server->url, @command);
    for my $each (@tokens) {
        my ($what, $token) = @$each;
        next if $what =~ $lenient;
        $answer = ask_directly($port, 'Authorization', "Bearer $token",
            'X-User', 'ivan');
        my $expected = $what =~ /^valid/ ? qr/^200$/
            : $what eq '64 KiB' ? qr/^4[03]1$/ : qr/^401$/;
        like($answer->{status}, $expected, "$name: $what");
    }
    my ($valid) = map { $_->[1] } grep { $_->[0] eq 'valid' } @tokens;
    for my $case ([], [ 'X-User', 'ivan' ],
        [ 'Authorization', "Bearer $valid" ],
        [ 'Authorization', "Bearer $valid", 'X-User', 'Ivan' ],
        [ 'Authorization', "Bearer $valid", 'X-User', 'ivan', 'X-User', 'b' ],
        [ 'Authorization', "Basic $valid", 'X-User', 'ivan' ]) {
        $answer = ask_directly($port, @$case);
        is($answer->{status}, 401, "$name: "
            . (join ' ', map { substr $_, 0, 16 } @$case) || 'nothing');
        like(header($answer, 'WWW-Authenticate'),
            qr/^Bearer error="invalid_token"/, '... and says so');
    }
    return;
}

check_program('python', $python, program('python', 'upstream.py'));

SKIP: {
    my $why = why_no_node();
    if ($why) {
        diag("SKIP docs/upstreams.md for Node: $why");
        skip $why, 1;
    }
    # An ES module finds its packages beside itself.
    my $file = program('js', 'upstream.mjs');
    symlink((($BUILD =~ m{^/}) ? $BUILD : "$ENV{PWD}/$BUILD")
        . '/upstreams/node_modules', "$dir/node_modules");
    check_program('node', 'node', $file);
}

$server->behave('error');
my $no_keys = free_port();
start_program($no_keys, $server->url, $python, "$dir/upstream.py");
is(ask_directly($no_keys, 'Authorization', "Bearer $tokens[0][1]", 'X-User',
        'ivan')->{status}, 503, 'no keys is nobody\'s fault who asks');

$server->stop;
$stack->stops_cleanly;
done_testing();
