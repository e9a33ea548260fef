# Each allocation that nginx makes for a request fails in turn, for every kind of
# request and for a poll, and in reading the configuration: the answer is what it
# would have been, or 500, 502, 503, or none; nobody is let in, or told what is not
# so; the worker lives, with no more blocks and open files than before. Under the
# sanitizers each piece of a pool is an allocation (NGX_DEBUG_PALLOC).
#
#   INJECT=all  every one of them: make test-inject; else of most requests some
#   NAMES=      of the requests
use strict;
use warnings;
use lib 't/lib';
use Client qw(wait_for);
use Digest::SHA qw(sha256_hex);
use MiniIdp;
use Starved;
use Test::More;
use Time::HiRes qw(sleep time);

my @names = split /\s*,\s*/, $ENV{NAMES} // '';
my $is_all = ($ENV{INJECT} // '') eq 'all' || @names;
# What nginx says of it.
my $STARVED = qr/\((?:\d+, )?\d+\) failed|Cannot allocate memory/;
my $BOUND = 2; # seconds of the lease

my $idp = MiniIdp->new;

# interval: of polls.
sub gateway {
    my ($interval) = @_;
    my $pass = 'fastcgi_param ROLE echo; fastcgi_keep_conn on; '
        . 'fastcgi_buffer_size 16k; fastcgi_buffers 8 16k; '
        . "fastcgi_pass unix:@{[ $idp->socket ]};";
    return (http => 'identgw_zone 1m; upstream mini { server unix:'
            . $idp->socket . '; }',
        server => "identgw_revocations /.identgw/revocations $interval; "
            . 'identgw_cache_ttl 60s; fastcgi_next_upstream off; '
            . $idp->locations . <<"END");
location = /.identgw/signin { internal; return 200 "Please go to login...\\n"; }
location = /.identgw/kept { internal; add_header X-Accel-Expires 60;
    return 200 "Please go to login...\n"; }
location = /knock { identgw on; identgw_signin /.identgw/kept; $pass }
location = /in { identgw on; add_header X-Cache \$identgw_cache always; $pass }
location = /asked { identgw on; identgw_cache off; $pass }
location = /may { identgw optional; $pass }
location = /need { identgw on; identgw_require \$arg_need; $pass }
location = /browser { identgw on; identgw_signin /login redirect; $pass }
location = /mirrored { identgw on; mirror /in; $pass }
location = /free { $pass }
location = /status { identgw_status prometheus; }
END
}

my $gateway = Starved->start(gateway('interval=5m lease=10m'));
my $count = 0;

sub every {
    my ($name, %with) = @_;
    return if @names && !grep { $_ eq $name } @names;
    $gateway->every($name, step => $is_all ? 1 : 13, %with);
    return;
}

# The status, and what is wrong: with another than the right one there is nothing
# of a user in the answer.
sub judged {
    my ($answer, $right, $fine) = @_;
    my $status = $answer && $answer->{status} ? $answer->{status} : 'none';
    my $body = $answer ? $answer->{body} // '' : '';
    return ($status, $fine ? $fine->($answer, $body) : ())
        if $status eq $right;
    return ($status, $status =~ /^(?:none|50[0235])$/ ? () : "answered $status",
        $body =~ /^HTTP_/m ? "the application was asked: $body" : ());
}

sub sees {
    my ($user) = @_;
    return sub {
        my ($answer, $body) = @_;
        my ($seen) = $body =~ /^HTTP_X_USER=(.*)$/m;
        return ($seen // '') eq ($user // '') ? ()
            : 'the application saw ' . ($seen // 'nobody');
    };
}

# What a request is answered; it works again afterwards.
sub answers {
    my ($name, $right, $request, $fine, %with) = @_;
    my $ask = sub { scalar $gateway->get(@$request, 'Connection', 'close',
            'X-User', 'forged', $_[0] ? ('JSESSIONID', $_[0]) : ()) };
    every($name, try => sub { judged($ask->(@_), $right, $fine) },
        check => sub {
            my ($session) = @_;
            my ($status, @faults) = judged($ask->($session), $right, $fine);
            return (@faults, $status eq $right ? () : "then $status");
        }, %with);
    return;
}

# --- requests -----------------------------------------------------------------------

is(wait_for(sub { $gateway->seen('user-warm', '/in') =~ /^HIT/ }), 1, 'warm');
answers('warm', 200, [ '/in', 'JSESSIONID', 'user-warm' ], sees('warm'));
answers('warm, in a cookie', 200, [ '/in', 'Cookie', 'a=b; JSESSIONID=user-warm' ],
    sees('warm'));
# A header of identprov's without a name, a subrequest that is begun by half.
answers('cold', 200, ['/in'], sees('cold'), step => 1,
    prepare => sub { 'user-cold-' . ++$count });
answers('without the cache', 200, [ '/asked', 'JSESSIONID', 'user-warm' ],
    sees('warm'));
my $is_sentence = sub {
    return $_[1] =~ /^Please go to login/ ? () : "the body is $_[1]" };
answers('unknown', 401, [ '/in', 'JSESSIONID', 'nobody' ], $is_sentence);
answers('no session', 401, ['/in']);
answers('a kept 401', 401, ['/knock'], $is_sentence);
sub knock {
    return judged(scalar $gateway->get('/knock', 'Connection', 'close',
            'Accept', 'a/' . ++$count), 401, $is_sentence);
}
every('a 401 to be kept', try => \&knock, check => sub {
    my ($status, @faults) = knock();
    return (@faults, $status eq '401' ? () : "then $status");
});
answers('malformed', 401, [ '/in', 'JSESSIONID', '' ]);
answers('to the sign-in page', 302, [ '/browser', 'JSESSIONID', 'nobody',
        'Sec-Fetch-Mode', 'navigate', 'Sec-Fetch-Dest', 'document' ]);
answers('anonymous', 200, [ '/may', 'JSESSIONID', 'nobody' ], sees(undef));
answers('optional', 200, [ '/may', 'JSESSIONID', 'user-warm' ], sees('warm'));
answers('requirement', 403, [ '/need', 'JSESSIONID', 'user-warm' ]);
answers('requirement met', 200, [ '/need?need=1', 'JSESSIONID', 'user-warm' ],
    sees('warm'));
# nginx's own: ngx_http_subrequest() counts a reference before it posts the
# subrequest, and when that fails ngx_http_mirror_module answers 500 with it held.
answers('mirrored', 200, [ '/mirrored', 'JSESSIONID', 'user-warm' ],
    sees('warm'), leaks => 1);
answers('free', 200, ['/free'], sees(undef));
answers('status', 200, ['/status']);

# --- identity providers that fail -----------------------------------------------------

for my $case ([ 'no answer', 503, 'close' ],
    [ 'a verdict without a token', 502, "X-User: eve\r\n" ]) {
    my ($name, $status, $text) = @$case;
    $idp->put(answer => $text);
    # nginx 1.30 keeps the connections of every upstream, from now on this one.
    $gateway->get('/in', 'JSESSIONID', 'user-cold-' . ++$count, 'Connection', 'close');
    answers($name, $status, ['/in'], undef,
        prepare => sub { 'user-cold-' . ++$count });
    $idp->put(answer => undef);
}

# --- a write --------------------------------------------------------------------------

sub cross_site {
    my $client = $gateway->client;
    return scalar $client->ask('POST', '/in', [ 'Cookie', 'JSESSIONID=user-warm',
            'Sec-Fetch-Site', 'cross-site', 'Connection', 'close' ], 'a=b');
}
every('from another site', try => sub { judged(cross_site(), 403) });

# An answer that has left, whatever it is, has dropped the session here, if it was
# ended at all.
every('purge', prepare => sub {
    my $id = 'user-out-' . ++$count;
    return wait_for(sub { $gateway->seen($id, '/in') =~ /^HIT/ }) ? $id : '';
}, try => sub {
    judged(scalar $gateway->get('/logout', 'JSESSIONID', $_[0],
            'Connection', 'close'), 204);
}, check => sub {
    my ($id, $what) = @_;
    my $has_ended = grep { $_ eq sha256_hex($id) } $idp->lines('revoked');
    return $what ne 'none' && $has_ended
        && $gateway->seen($id, '/in') =~ /^HIT/
        ? 'it is served from the cache' : ();
});

# --- two at once ----------------------------------------------------------------------

# One asks, the other waits for it; each is served, or hears of it.
every('two for one session', prepare => sub {
    $idp->put(delay => 20);
    return 'user-both-' . ++$count;
}, try => sub {
    my @clients = map { $gateway->client } 1 .. 2;
    $_->write_bytes(Client::request_bytes('GET', '/in', [ 'JSESSIONID', $_[0],
                'Connection', 'close' ])) for @clients;
    my @judged = map { [ judged(scalar $_->answer(0), 200, sees('both')) ] }
        @clients;
    return (join('+', map { shift @$_ } @judged), map { @$_ } @judged);
});
$idp->put(delay => undef);
$gateway->is_clean($STARVED);

# --- polls ----------------------------------------------------------------------------

my $polls = Starved->start(gateway("interval=50ms lease=${BOUND}s"));

# What has failed is not taken for news: a logout is heard of all the same, or the
# cache is not used, within the lease.
sub heard {
    my ($id, $since) = @_;
    while (1) {
        my $began = time;
        return if $polls->seen($id, '/in') !~ /^HIT/;
        return 'it is served after the lease' if $began - $since > $BOUND;
        sleep 0.02;
    }
}

sub is_warm {
    my ($id) = @_;
    return wait_for(sub { $polls->seen($id, '/in') =~ /^HIT/ });
}

my $least = $polls->least_held if is_warm('user-first');
$polls->every('poll', step => $is_all ? 1 : 23, is_growing => 1,
    prepare => sub {
        my $id = 'user-poll-' . ++$count;
        is_warm($id) or die "$id is not warm\n";
        return [ $id, scalar $idp->polls ];
    }, try => sub {
        my ($id, $count) = @{ $_[0] };
        $idp->revoke($id);
        $_[0][2] = time; # it is out, from now on
        wait_for(sub { $idp->polls > $count + 2 || ($polls->orders)[2] });
        return ($polls->orders)[2] ? 'failed' : 'polled';
    }, check => sub { heard(@{ $_[0] }[ 0, 2 ]) })
    if !@names || grep { $_ eq 'poll' } @names;
is(wait_for(sub { $polls->least_held <= $least }), 1, '... and leaves nothing');
$polls->is_clean($STARVED);

# --- the configuration ------------------------------------------------------------------

# It is good, or a line says that there is no memory.
my $checked = Starved->new(gateway('interval=50ms lease=2s'));
$checked->write_conf;
$checked->every('nginx -t', step => $is_all ? 1 : 199, is_growing => 1,
    try => sub {
        my ($status, $text) = $checked->try_configuration;
        return ('good', $text =~ /test is successful/ ? () : $text) if !$status;
        return ('refused', $status == 256 ? () : "it ended with $status: $text",
            $text =~ /\S/ ? () : 'it says nothing');
    }) if !@names || grep { $_ eq 'nginx -t' } @names;

done_testing;
