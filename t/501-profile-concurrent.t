# Fifty clients that change one profile at the same time: with If-Match every
# success is visible at the end and none is lost; with PATCH each one's member
# arrives; what was removed stays so. Nothing is ever half of two writes.
use strict;
use warnings;
use lib 't/lib';
use List::Util qw(sum);
use Stack qw(header json);
use Test::More;
use Time::HiRes qw(sleep);

my $CLIENTS = 50;
my $stack = Stack->start;
my @session = ('JSESSIONID', $stack->session('anna'));

sub ask {
    my ($method, $data, @headers) = @_;
    return $stack->send_json($method, '/userprofile', $data // '',
        headers => [ @session, @headers ]);
}

# Runs a piece of work in as many processes; what each returned, as texts.
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

# --- read, add a mark, write if nobody else has: until it is in ---------------

sub add_mark {
    my ($method, $mark) = @_;
    my $refused = 0;
    for (1 .. 10 * $CLIENTS) {
        my $got = ask('GET');
        my $marks = json($got)->{custom}{marks};
        my $answer = ask($method, { custom => { marks => [ @$marks, $mark ] } },
            'If-Match', header($got, 'ETag'));
        return $refused if $answer->{status} == 200
            && json($answer)->{custom}{marks}[-1] eq $mark;
        return "$answer->{status} $answer->{body}"
            if $answer->{status} != 412;
        $refused++;
        sleep rand 0.1;
    }
    return 'never got in';
}

for my $case ([ 'PUT', $CLIENTS ], [ 'PATCH', 10 ]) {
    my ($method, $count) = @$case;
    ask('DELETE');
    ask('POST', { custom => { marks => [] } });
    my @results = at_once($count, sub { add_mark($method, "m$_[0]") });
    is_deeply([ grep { !/^\d+$/ } @results ], [],
        "$method, If-Match: each of $count clients gets in");
    cmp_ok(sum(map { /^(\d+)$/ ? $1 : 0 } @results), '>', 0,
        '... some of them after a 412');
    my $marks = json(ask('GET'))->{custom}{marks};
    is_deeply([ sort @$marks ], [ sort map { "m$_" } 1 .. $count ],
        '... and every success is there, once');
}

# --- one entity tag, many writers: one of them wins ---------------------------

for my $round (1 .. 3) {
    my $etag = header(ask('GET'), 'ETag');
    my @statuses = at_once(8, sub {
        return ask($_[0] % 2 ? 'PUT' : 'PATCH', { nickname => "n$_[0]" },
            'If-Match', $etag)->{status};
    });
    is_deeply([ sort @statuses ], [ 200, (412) x 7 ],
        "round $round: of eight with one entity tag one wins");
}
my @statuses = at_once(8, sub {
    return ask('DELETE', undef, 'If-Match', '*')->{status};
});
is_deeply([ sort @statuses ], [ 204, (412) x 7 ], 'one DELETE of eight');
@statuses = at_once(8, sub {
    return ask('POST', { nickname => "n$_[0]" }, 'If-None-Match', '*')
        ->{status};
});
is_deeply([ sort @statuses ], [ 201, (412) x 7 ],
    'one POST of eight where there is none');

# --- patches without a condition ----------------------------------------------

my @results = at_once($CLIENTS, sub {
    return ask('PATCH', { custom => { "p$_[0]" => $_[0] } })->{status};
});
is_deeply(\@results, [ (200) x $CLIENTS ],
    "PATCH: $CLIENTS clients change a member each");
is_deeply(json(ask('GET'))->{custom}, { map { ("p$_" => $_) } 1 .. $CLIENTS },
    '... and all of them are there');

# --- PATCH, DELETE and POST at once -------------------------------------------

# Whole: a POST's two members stand for each other, a PATCH's too.
sub is_whole {
    my ($got) = @_;
    return ($got->{nickname} // '-') eq ($got->{custom}{nickname} // '-')
        && ($got->{bio} // '-') eq ($got->{address}{locality} // '-');
}

ask('DELETE');
my %fine = (POST => qr/^(201|409)$/, PATCH => qr/^(200|404)$/,
    DELETE => qr/^(204|404)$/, GET => qr/^(200|404)$/);
@results = at_once(8, sub {
    my ($number) = @_;
    my @wrong;
    my $mark;
    my %data = (
        POST => sub { +{ nickname => $mark, custom => { nickname => $mark } } },
        PATCH => sub { +{ bio => $mark, address => { locality => $mark } } },
        DELETE => sub { }, GET => sub { });
    for my $round (1 .. 25) {
        $mark = "$number-$round";
        my $method = (qw(POST PATCH DELETE GET))[ rand 4 ];
        my $answer = ask($method, $data{$method}->());
        push @wrong, "$method $answer->{status} $answer->{body}"
            if $answer->{status} !~ $fine{$method}
            || $answer->{status} =~ /^20[01]$/ && !is_whole(json($answer));
    }
    return join "\n", @wrong;
});
is_deeply(\@results, [ ('') x 8 ],
    'PATCH, DELETE, POST and GET in any order: each answer is whole');

$stack->stops_cleanly;
done_testing();
