# identprov's keys rotate while userprofile, which has them from the gateway's
# own URL, is under load: not one request fails.
use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use Stack qw(json slurp wait_for);
use Test::More;
use Time::HiRes qw(sleep time);

my $BUILD = $ENV{BUILD} || 'build';

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        LocalPort => 0, Listen => 1) or die "no port: $!\n";
    return $socket->sockport;
}

# Of every identprov process: a rotation goes by the longest.
my %times = (IDENTPROV_JWKS_MAX_AGE => '5s', IDENTPROV_TOKEN_TTL => '10s');
my $port = free_port();
my $stack = Stack->start(env => {
        PORT => $port, %times,
        USERPROFILE_JWKS_URL => "http://127.0.0.1:$port/.well-known/jwks.json"
    });
my $dir = $stack->{var};

sub identprov {
    local %ENV = (%ENV, %times);
    $ENV{$_} = $stack->setting($_)
        for qw(IDENTPROV_DATABASE IDENTPROV_KEY_PASSPHRASE_FILE);
    open my $pipe, '-|', "$BUILD/identprov", @_ or die "identprov: $!\n";
    my $text = do { local $/; <$pipe> };
    close $pipe or die "identprov @_: failed\n";
    return $text;
}

# The kid that signs now.
sub signer {
    my ($session) = @_;
    my $answer = $stack->request('GET', '/authenticate',
        headers => [ 'JSESSIONID', $session ]);
    my ($header) = split /\./, (json($answer) || {})->{token} // '';
    return (eval { decode_json(decode_base64url($header)) } || {})->{kid};
}

my @sessions = map { $stack->session("user$_") } 1 .. 3;
wait_for(30, 'keys', sub {
    $stack->post_json('/userprofile', { nickname => 'n' },
        headers => [ 'JSESSIONID', $sessions[0] ])->{status} =~ /^(201|409)$/
});
$stack->post_json('/userprofile', { nickname => 'n' },
    headers => [ 'JSESSIONID', $_ ]) for @sessions[ 1, 2 ];

my $parent = $$;
my @clients = map {
    my $session = $_;
    my $child = open(my $pipe, '-|') // die "fork: $!\n";
    if (!$child) {
        my ($count, %failed) = (0);
        until (-e "$dir/enough" || getppid != $parent) {
            my $answer = $stack->request('GET', '/userprofile',
                headers => [ 'JSESSIONID', $session ]);
            $failed{"$answer->{status} $answer->{body}"}++
                if $answer->{status} != 200;
            $count++;
            sleep 0.01;
        }
        print encode_json([ $count, \%failed ]);
        close STDOUT;
        POSIX::_exit(0);
    }
    $pipe;
} @sessions;

my $first = signer($sessions[0]);
identprov('key', 'rotate');
my $second;
ok(wait_for(60, 'the new key', sub {
            $second = signer($sessions[0]);
            $second && $second ne $first
        }), 'a new key signs');
ok(wait_for(90, 'the end of the old key', sub {
            my ($state) = identprov('key', 'list')
                =~ /^\Q$first\E\s+\S+\s+(\S+)/m;
            ($state // 'retired') eq 'retired'
        }), 'the old one is retired');
sleep 1;
Stack::spew("$dir/enough", '');
for my $pipe (@clients) {
    my ($count, $failed) = @{ decode_json(do { local $/; <$pipe> }) };
    is_deeply($failed, {}, "none of $count requests failed");
    cmp_ok($count, '>', 20, '... of which there were some');
}
like($stack->log('userprofile'), qr/"keys_loaded".*"keys_loaded"/s,
    'userprofile has followed');
unlike($stack->log('userprofile'), qr/"token_refused"/, '... and refused none');

$stack->stops_cleanly;
done_testing();
