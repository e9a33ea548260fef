# Random headers, random locations: every upstream receives exactly what it
# should. TEST_SEED repeats a run, TEST_SECONDS (8) bounds it.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client;
use ModuleTest;
use Received qw(expected_head fold pass_directives);
use Time::HiRes qw(time);
use Upstreams;

Upstreams::start;

my $ROOM = $Upstreams::room;
my $CONF = $ENV{TEST_NGINX_CONF};
my $SEED = $ENV{TEST_SEED} // (time ^ $$) % 1_000_000;
my $SECONDS = $ENV{TEST_SECONDS} // 8;
my @KINDS = qw(fastcgi proxy grpc uwsgi scgi);
my @CARES = sort keys %Received::CARES;

# path => [mode, whether the session is passed]
my %PATHS = (
    on => [ 'on', 0 ],
    session => [ 'on', 1 ],
    optional => [ 'optional', 0 ],
    open => [ 'off', 0 ]);

sub locations_of {
    my ($kind) = @_;
    my $pass = pass_directives($kind, $ROOM);
    return <<"CONF";
location /$kind/on { identgw on; $pass }
location /$kind/session { identgw on; identgw_pass_session on; $pass }
location /$kind/optional { identgw optional; $pass }
location /$kind/open { $pass }
CONF
}

open my $out, '>', "$ROOM/locations.conf" or die "locations.conf: $!\n";
print $out map { locations_of($_) } @KINDS;
close $out;

our $HttpConfig = join "\n",
    (map { "upstream echo_$_ { server unix:$ROOM/$_.sock; keepalive 4; }" }
        qw(http fastcgi grpc)),
    'keepalive_requests 1000000;', map { <<"CONF" } @CARES;
server {
    listen unix:$ROOM/$_;
    listen unix:$ROOM/$_-http2 http2;
    $Received::CARES{$_}
    include $CONF/idp.conf;
    include $ROOM/locations.conf;
}
CONF

# --- random requests ----------------------------------------------------------

sub one_of {
    return $_[ rand @_ ];
}

# What nginx does more with than pass it on.
my %IS_SPECIAL = map { $_ => 1 } qw(host connection content_length cookie
    transfer_encoding te upgrade keep_alive expect content_type authorization
    jsessionid x_forwarded_for accept user_agent referer range);

my @PARTS = qw(X User Email First Name Users Use Proxy Mail x-user X_ Remote
    Auth Session ID JSESSIONID Authorization 1 2 -);
my @BYTES = grep { !/[:\x7f]/ } map { chr } 0x21 .. 0xff;

sub random_name {
    my $name = one_of(
        sub { one_of(qw(X-User X-Email X-First-Name X-Groups Proxy)) },
        sub { join one_of('-', '_', '', '.'), map { one_of(@PARTS) }
                1 .. 1 + rand 3 },
        sub { join '', map { one_of(@BYTES) } 1 .. 1 + rand 12 })->();
    $name =~ s/[^A-Za-z0-9]/rand() < 0.3 ? one_of(@BYTES) : $&/ge
        if rand() < 0.5;
    $name =~ s/([A-Za-z])/rand() < 0.5 ? lc $1 : uc $1/ge if rand() < 0.5;
    return $IS_SPECIAL{ fold($name) } ? 'X-User' : $name;
}

sub random_value {
    return one_of('mallory', '', '0', 'a b', '%58', ', ', '"', 'x' x rand 300,
        join('', map { chr(0x21 + rand 0x5e) } 1 .. rand 20),
        join('', map { chr(0x80 + rand 0x80) } 1 .. rand 20)) =~ s/^ +| +\z//gr;
}

sub random_headers {
    my @headers = map { (random_name(), random_value()) }
        1 .. one_of(0, 1, 2, 5, 10, 21, 40, 90);
    my @names = grep { $_ % 2 == 0 } 0 .. $#headers;
    splice @headers, one_of(@names, scalar @headers), 0, one_of(
        [ 'Authorization', 'Bearer ' . random_value() ],
        [ 'AUTHORIZATION', 'mallory' ], [], [], [])->@*;
    return @headers;
}

# The headers that carry a session, and whose it is for the gateway.
sub random_session {
    my @header = (one_of(qw(JSESSIONID jsessionid JSessionId)), 'ok-alice');
    my $cookie = join one_of(';', '; '), one_of('a=b', 'c', ' =d', ''),
        'JSESSIONID=ok-bob', one_of('e=f', 'JSESSIONID=ok-bob', 'jsessionid=g');
    my @cookie = (one_of(qw(Cookie cookie)), $cookie);
    return one_of(
        sub { ([], undef) },
        sub { ([ @header ], 'alice') },
        sub { ([ @cookie ], 'bob') },
        sub { ([ @header, @cookie ], 'alice') },
        sub { ([ @header, @header ], undef) },
        sub { ([ @cookie, 'Cookie', 'JSESSIONID=ok-carol' ], undef) },
        sub { ([ 'JSESSIONID', 'nobody', @cookie ], undef) },
        sub { ([ 'Cookie', 'a=b; c="d"' ], undef) })->();
}

sub random_case {
    my ($client, $care) = @_;
    my ($session, $user) = random_session();
    my @headers = random_headers();
    my @at = (grep { $_ % 2 == 0 } 0 .. $#headers, scalar @headers);
    my $at = @headers ? one_of(@at) : 0;
    splice @headers, $at, 0, @$session;
    if ($client->{is_http2}) {
        $headers[ 2 * $_ ] =~ tr/A-Z/a-z/ for 0 .. @headers / 2 - 1;
    }
    my ($kind, $path) = (one_of(@KINDS), one_of(keys %PATHS));
    my ($mode, $pass) = @{ $PATHS{$path} };
    return { kind => $kind, care => $care, mode => $mode, pass => $pass,
        user => $user, method => one_of(qw(GET GET DELETE OPTIONS)),
        target => "/$kind/$path", headers => \@headers,
        is_http2 => $client->{is_http2} };
}

# What is wrong with the answer, or nothing.
sub fault_of {
    my ($client, $case) = @_;
    my $answer = $client->ask(@{$case}{qw(method target headers)})
        // return 'no answer';
    my $expected = $case->{mode} eq 'on' && !defined $case->{user} ? '401'
        : '200 ' . expected_head($case->{kind}, %$case);
    my $got = $answer->{status} == 401 ? '401'
        : "$answer->{status} $answer->{body}";
    return $got eq $expected ? () : "got\n$got\nexpected\n$expected";
}

sub check_headers {
    srand $SEED;
    my @clients = map { my $care = $_; ([ Client->new("$ROOM/$care"), $care ],
            [ Client->new("$ROOM/$care-http2", http2 => 1), $care ]) } @CARES;
    my ($count, @faults) = (0);
    for (my $end = time + $SECONDS; time < $end && @faults < 3; $count++) {
        my ($client, $care) = @{ one_of(@clients) };
        my $case = random_case($client, $care);
        my @fault = fault_of($client, $case);
        push @faults, join ' ', $care, $case->{is_http2} ? 'HTTP/2' : 'HTTP/1',
            "$case->{method} $case->{target}", @fault if @fault;
    }
    is(scalar @faults, 0, "$count random requests (TEST_SEED=$SEED)");
    diag($_) for @faults;
}

worker_connections(1024);
log_level('error');
no_long_string();
no_shuffle();
run_tests();

__DATA__

=== TEST 1: random headers against what should arrive
--- http_config eval: $::HttpConfig
--- config
--- check: headers
