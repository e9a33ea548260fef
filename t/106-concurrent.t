# Many at once: of several POSTs one makes the profile, and of several PUTs the
# last one wins, whole, never a mixture. Nobody sees another's answer.
use strict;
use warnings;
use lib 't/lib';
use Stack qw(json);
use Test::More;

my $stack = Stack->start;
my @session = ('JSESSIONID', $stack->session('anna'));

# Runs a piece of work in several processes; what each returned, as texts.
sub at_once {
    my ($count, $work) = @_;
    my @pipes = map {
        my $number = $_;
        my $pid = open(my $pipe, '-|') // die "fork: $!\n";
        if (!$pid) {
            print $work->($number);
            close STDOUT;
            POSIX::_exit(0);
        }
        $pipe;
    } 1 .. $count;
    return map { local $/; my $pipe = $_; scalar <$pipe> // '' } @pipes;
}

sub document {
    my ($mark) = @_;
    return {
        nickname => $mark, bio => $mark x 200, gender => $mark,
        address => { locality => $mark, formatted => $mark x 100 },
        custom => { $mark => $mark }
    };
}

# The mark of an answer that is one whole document, else a text that says so.
sub mark_of {
    my ($answer) = @_;
    my $got = json($answer) or return "status $answer->{status}";
    my $mark = $got->{nickname} // '';
    delete @$got{qw(sub preferred_username updated_at)};
    my $is_whole = JSON::PP->new->canonical->encode($got)
        eq JSON::PP->new->canonical->encode(document($mark));
    return $is_whole ? $mark : "a mixture: $answer->{body}";
}

my @statuses = at_once(8, sub {
    return $stack->post_json('/userprofile', document("P$_[0]"),
        headers => \@session)->{status};
});
is_deeply([ sort @statuses ], [ 201, (409) x 7 ], 'one POST of eight wins');
like(mark_of($stack->request('GET', '/userprofile', headers => \@session)),
    qr/^P\d$/, 'and is stored whole');

my @results = at_once(6, sub {
    my ($number) = @_;
    my @wrong;
    for my $round (1 .. 15) {
        my $mark = "W${number}R$round";
        my $put = mark_of($stack->send_json('PUT', '/userprofile',
                document($mark), headers => \@session));
        my $get = mark_of($stack->request('GET', '/userprofile',
                headers => \@session));
        push @wrong, "$mark: PUT $put" if $put ne $mark;
        push @wrong, "$mark: GET $get" if $get !~ /^[PW]\d(R\d+)?$/;
    }
    return join "\n", @wrong;
});
is_deeply(\@results, [ ('') x 6 ], 'no answer is a mixture');
like(mark_of($stack->request('GET', '/userprofile', headers => \@session)),
    qr/^W\dR15$/, 'one of the last ones stays');

# --- nobody ever sees another's answer ---------------------------------------------

my @names = qw(boris clara dmitri emma);
my %id = map { $_ => $stack->session($_) } @names;
$stack->post_json('/userprofile', document("of $_"),
    headers => [ 'JSESSIONID', $id{$_} ]) for @names;

sub give_up_early {
    my ($name) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $stack->port) or return;
    print $socket "GET /userprofile HTTP/1.1\r\nHost: a\r\n"
        . "JSESSIONID: $id{$name}\r\n\r\n";
    $socket->flush;
    return close $socket;
}

@results = at_once(6, sub {
    my @wrong;
    for (1 .. 60) {
        my $name = $names[ rand @names ];
        if (rand() < 0.3) {
            give_up_early($name);
            next;
        }
        my $answer = $stack->request('GET', '/userprofile',
            headers => [ 'JSESSIONID', $id{$name} ]);
        my $got = json($answer) || {};
        push @wrong, "$name: $answer->{status} $answer->{body}"
            if ($got->{preferred_username} // '') ne $name
            || mark_of($answer) ne "of $name";
    }
    return join "\n", @wrong;
});
is_deeply(\@results, [ ('') x 6 ],
    'each of many clients, some of which hang up, sees the own profile');

$stack->stops_cleanly;
done_testing();
