# What identgw_status counts, and how it says it.
use strict;
use warnings;
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use Checks;
use Client qw(field wait_for);
use JSON::PP;
use ModuleTest;

my $CONF = $ENV{TEST_NGINX_CONF};

our $HttpConfig = <<"CONF";
map \$http_x_user \$is_admin { default ""; admin 1; }
server {
    listen unix:$CONF/gateway;
    include $CONF/idp.conf;
    log_subrequest on;
    add_header Worker \$pid;
    location = /status { identgw_status; }
    location = /json { identgw_status json; }
    location = /named { identgw_status prometheus; }
    location = /protected { identgw on; identgw_status; }

    location /app { identgw on; include $CONF/echo.conf; }
    location /optional { identgw optional; include $CONF/echo.conf; }
    location /off { identgw off; include $CONF/echo.conf; }
    location /admin { identgw on; identgw_require \$is_admin;
        include $CONF/echo.conf; }
    location = /away/authenticate { internal;
        fastcgi_pass unix:$CONF/nobody-listens; }
    location /away { identgw on; identgw_authenticate /away/authenticate;
        include $CONF/echo.conf; }
    location = /slow/authenticate { internal;
        fastcgi_param PEER_ROLE authenticate; fastcgi_read_timeout 50ms;
        include $CONF/peer.conf; }
    location /slow { identgw on; identgw_authenticate /slow/authenticate;
        include $CONF/echo.conf; }
    location = /closed/authenticate { internal; return 503; }
    location /closed { identgw on; identgw_authenticate /closed/authenticate;
        include $CONF/echo.conf; }

    location /ssi { identgw on; ssi on; ssi_types *;
        fastcgi_param PEER_ROLE signin; fastcgi_param PEER_BODY
            '<!--#include virtual="/app"--><!--#include virtual="/app"-->';
        include $CONF/peer.conf; }
    location /tried { identgw on; try_files /none /app; }
    location /last { identgw optional; rewrite ^ /app last; }
    location /page { identgw on; identgw_signin off; error_page 401 /app;
        include $CONF/echo.conf; }
    location /missing { identgw on; error_page 404 = \@named; root /none; }
    location \@named { identgw on; include $CONF/echo.conf; }
    location = /other/authenticate { internal;
        fastcgi_param PEER_ROLE authenticate; include $CONF/peer.conf; }
    location /other { identgw on; identgw_authenticate /other/authenticate;
        try_files /none /app; }
    location /returned { identgw on; return 200 "\$identgw_user\\n"; }
}
CONF

# --- reading ------------------------------------------------------------------

my $NAME = qr/[a-zA-Z_:][a-zA-Z0-9_:]*/;
my $NUMBER = qr/[0-9]+(?:\.[0-9]+)?/;

sub ask {
    my ($method, $target, @headers) = @_;
    my $answer = Client->new("$CONF/gateway")
        ->ask($method, $target, [@headers, 'Connection', 'close'])
        or die "no answer to $method $target\n";
    return $answer;
}

# The samples of a text in the Prometheus format: { 'name{labels}' => number },
# and what breaks its grammar.
sub parse_text {
    my ($text) = @_;
    my (%value, %type, %help, @faults);
    push @faults, 'no line feed at the end' if $text !~ /\n\z/;
    for my $line (split /\n/, $text) {
        if ($line =~ /^# HELP ($NAME) \S.*$/) {
            push @faults, "again: $line" if $help{$1}++;
        } elsif ($line =~ /^# TYPE ($NAME) (counter|histogram)$/) {
            push @faults, "late or again: $line" if !$help{$1} || $type{$1};
            $type{$1} = $2;
        } elsif ($line =~ /^($NAME)((?:\{$NAME="[^"\\]*"\})?) ($NUMBER)$/) {
            my ($name, $label, $number) = ($1, $2, $3);
            my $family = $name =~ s/_(?:bucket|sum|count)$//r;
            push @faults, "no type: $line"
                if ($type{$name} // '') ne 'counter'
                && ($type{$family} // '') ne 'histogram';
            push @faults, "again: $line" if exists $value{"$name$label"};
            $value{"$name$label"} = $number;
        } else {
            push @faults, "no line of this format: $line";
        }
    }
    return (\%value, @faults);
}

# The text and the JSON as one structure: { requests => {}, failures => {},
# buckets => {}, count =>, sum => }, requests and failures without zeros.
sub read_text {
    my ($value) = parse_text(ask('GET', '/status')->{body});
    my %seen = (requests => {}, failures => {}, buckets => {});
    my %part = (identgw_requests_total => 'requests',
        identgw_authenticate_failures_total => 'failures',
        identgw_authenticate_seconds_bucket => 'buckets');
    for my $key (keys %$value) {
        if ($key =~ /^(\w+)\{\w+="(.*)"\}$/) {
            $seen{ $part{$1} }{$2} = $value->{$key};
        }
    }
    $seen{$_} = $value->{"identgw_authenticate_seconds_$_"} for qw(sum count);
    return without_zeros(\%seen);
}

sub read_json {
    my $all = decode_json(ask('GET', '/json')->{body});
    my $seconds = $all->{authenticate}{seconds};
    return without_zeros({ %$seconds, requests => $all->{requests},
        failures => $all->{authenticate}{failures} });
}

sub without_zeros {
    my ($seen) = @_;
    for my $part (@$seen{qw(requests failures)}) {
        $part = { map { $part->{$_} ? ($_ => $part->{$_} + 0) : () }
                keys %$part };
    }
    return $seen;
}

# A request is counted after its answer: waits until they are so many.
sub is_counted {
    my ($requests, $failures, $asks, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $expected = 0;
    $expected += $_ for values %$requests;
    wait_for(sub {
            my $n = 0;
            $n += $_ for values %{ read_text()->{requests} };
            $n >= $expected;
        });
    my $seen = read_text();
    is_deeply($seen->{requests}, $requests, "$title: requests");
    is_deeply($seen->{failures}, $failures, "$title: failures");
    is($seen->{count}, $asks, "$title: asks");
    is($seen->{buckets}{'+Inf'}, $asks, "$title: ... all in a bucket");
    return $seen;
}

# --- checks -------------------------------------------------------------------

my @ALICE = (JSESSIONID => 'ok-alice');

# status, reason, asks, class of failure, then the request
my @SEQUENCE = (
    [200, 'ok', 1, '', 'GET', '/app', @ALICE],
    [200, 'ok', 1, '', 'HEAD', '/app', @ALICE],
    [200, 'ok', 1, '', 'GET', '/optional', Cookie => 'JSESSIONID=ok-bob'],
    [401, 'no_session', 0, '', 'GET', '/app'],
    [401, 'bad_session', 0, '', 'GET', '/app', @ALICE, @ALICE],
    [401, 'denied', 1, '', 'GET', '/app', JSESSIONID => 'unknown'],
    [403, 'forbidden', 1, '', 'GET', '/app', JSESSIONID => 'status-403'],
    [403, 'cross_site', 0, '', 'POST', '/app', Cookie => 'JSESSIONID=ok-bob',
        Origin => 'https://evil.example'],
    [429, 'throttled', 1, '', 'GET', '/app', JSESSIONID => 'status-429'],
    [403, 'requirement', 1, '', 'GET', '/admin', @ALICE],
    [503, 'idp_unavailable', 1, 'status', 'GET', '/app',
        JSESSIONID => 'status-500'],
    [503, 'idp_unavailable', 1, 'status', 'GET', '/optional',
        JSESSIONID => 'status-503'],
    [503, 'idp_unavailable', 1, 'status', 'GET', '/closed', @ALICE],
    [503, 'idp_unavailable', 1, 'unavailable', 'GET', '/away', @ALICE],
    [503, 'idp_unavailable', 1, 'unavailable', 'GET', '/slow',
        JSESSIONID => 'slow-1000'],
    [503, 'idp_unavailable', 1, 'unavailable', 'GET', '/app',
        JSESSIONID => 'close'],
    [502, 'idp_invalid', 1, 'invalid', 'GET', '/app', JSESSIONID => 'half'],
    [502, 'idp_invalid', 1, 'invalid', 'GET', '/app',
        JSESSIONID => 'status-404'],
    [502, 'idp_invalid', 1, 'invalid', 'GET', '/app',
        JSESSIONID => 'lack-X-User'],
    [200, 'anonymous', 0, '', 'GET', '/optional'],
    [200, 'anonymous', 1, '', 'GET', '/optional', JSESSIONID => 'unknown'],
    [200, '', 0, '', 'GET', '/off', @ALICE],
    [400, '', 0, '', 'GET', '/%zz']);

sub check_sequence {
    my (%requests, %failures);
    my $asks = 0;
    is_counted({}, {}, 0, 'at first');
    for my $round (1 .. 3) {
        for my $row (@SEQUENCE) {
            my ($status, $reason, $n, $class, @request) = @$row;
            is(ask(@request)->{status}, $status, "@request");
            $requests{$reason}++ if $reason;
            $failures{$class}++ if $class;
            $asks += $n;
        }
        is_counted(\%requests, \%failures, $asks, "round $round");
    }
}

sub check_once {
    my (%requests);
    my $asks = 0;
    for my $row ([200, 'ok', 1, '/ssi'], [200, 'ok', 1, '/tried'],
        [200, 'ok', 1, '/last'], [200, 'ok', 1, '/missing'],
        [200, 'ok', 2, '/other'], [200, 'ok', 1, '/returned'],
        [401, 'no_session', 0, '/returned'], [401, 'no_session', 0, '/page'],
        [401, 'no_session', 0, '/ssi'])
    {
        my ($status, $reason, $n, $path) = @$row;
        my @session = $n ? @ALICE : ();
        my $answer = ask('GET', $path, @session);
        is($answer->{status}, $status, "$path answers");
        is(() = $answer->{body} =~ /HTTP_X_USER=alice/g, 2, 'two fragments')
            if $path eq '/ssi' && $n;
        $requests{$reason}++;
        $asks += $n;
        is_counted(\%requests, {}, $asks, "$path with @session");
    }
}

sub check_gone {
    my $client = Client->new("$CONF/gateway");
    $client->write_bytes(Client::request_bytes('GET', '/app',
            [JSESSIONID => 'slow-1000']));
    is(ask('GET', '/app', JSESSIONID => 'slow-100')->{status}, 200, 'slow');
    undef $client;
    is(ask('GET', '/app', JSESSIONID => 'slow-1100')->{status}, 200, 'slower');
    is_counted({ ok => 2 }, {}, 2, 'without the one that went away');
}

# Connections until each of the two workers has one.
sub one_of_each_worker {
    my %by_worker;
    my @all;
    for (1 .. 500) {
        my @pair = map { Client->new("$CONF/gateway") } 1 .. 2;
        push @all, @pair;
        for my $client (@pair) {
            my $answer = $client->get('/status');
            $by_worker{ field($answer, 'Worker') } //= $client;
        }
        last if keys %by_worker == 2;
    }
    return values %by_worker;
}

sub check_workers {
    my @clients = one_of_each_worker();
    is(@clients, 2, 'two workers');
    for my $i (1 .. 10) {
        is($_->get('/app', @ALICE)->{status}, 200, 'let in') for @clients;
    }
    is_counted({ ok => 20 }, {}, 20, 'two workers');
    is($clients[0]->get('/status')->{body}, $clients[1]->get('/status')->{body},
        'both workers say the same');
}

sub worker_ids {
    my %seen = map { field(ask('GET', '/status'), 'Worker') => 1 } 1 .. 10;
    return \%seen;
}

sub check_reload {
    open my $in, '<', Test::Nginx::Util::server_root() . '/logs/nginx.pid'
        or die "pid: $!\n";
    chomp(my $pid = <$in>);
    for my $round (1 .. 3) {
        is(ask('GET', '/app', @ALICE)->{status}, 200, 'let in');
        is(ask('GET', '/app', JSESSIONID => 'close')->{status}, 503, 'not');
        is_counted({ ok => $round, idp_unavailable => $round },
            { unavailable => $round }, 2 * $round, "before reload $round");
        my $old = worker_ids();
        kill HUP => $pid;
        ok(wait_for(sub { !grep { $old->{$_} } keys %{ worker_ids() } }),
            "reload $round");
        is_counted({ ok => $round, idp_unavailable => $round },
            { unavailable => $round }, 2 * $round, "after reload $round");
    }
}

sub check_time {
    is(ask('GET', '/app', JSESSIONID => 'slow-300')->{status}, 200, 'slow');
    my $seen = is_counted({ ok => 1 }, {}, 1, 'a slow answer');
    is($seen->{buckets}{'0.2'}, 0, 'it took more than 0.2 s');
    cmp_ok($seen->{sum}, '>=', 0.29, 'the sum is in seconds');
    is(ask('GET', '/app', @ALICE)->{status}, 200, 'another');
    my $sum = $seen->{sum};
    $seen = is_counted({ ok => 2 }, {}, 2, 'two answers');
    cmp_ok($seen->{sum}, '>=', $sum, 'the sum grows');
    my @buckets = map { $seen->{buckets}{$_} }
        qw(0.001 0.002 0.005 0.01 0.02 0.05 0.1 0.2 0.5 1 2 5 +Inf);
    is(keys %{ $seen->{buckets} }, @buckets, 'the bounds');
    is_deeply([sort { $a <=> $b } @buckets], \@buckets, 'they are cumulative');
}

sub check_formats {
    ask('GET', '/app', JSESSIONID => $_)
        for qw(ok-alice unknown close half status-500 slow-20);
    my $reasons = { ok => 2, denied => 1, idp_unavailable => 2,
        idp_invalid => 1 };
    is_counted($reasons, { unavailable => 1, status => 1, invalid => 1 }, 6,
        'in text');
    my ($json, $text) = (read_json(), read_text());
    $_->{sum} += 0 for $json, $text;
    is_deeply($json, $text, 'JSON has the same');
    my $answer = ask('GET', '/status');
    my ($value, @faults) = parse_text($answer->{body});
    is_deeply(\@faults, [], 'the text keeps the format');
    is(field($answer, 'Content-Type'),
        'text/plain; version=0.0.4; charset=utf-8', 'its type');
    is(field($answer, 'Cache-Control'), 'no-store', 'not to be kept');
    is((grep { /^identgw_requests_total\{/ } keys %$value), 12,
        'every reason is there, also those that were never needed');
    is(ask('GET', '/named')->{body}, $answer->{body}, '"prometheus" is it');
    my $json = ask('GET', '/json');
    is(field($json, 'Content-Type'), 'application/json', 'the type of JSON');
    is(field($json, 'Cache-Control'), 'no-store', 'not to be kept either');
    for my $path (qw(/status /json)) {
        my $get = ask('GET', $path);
        my $head = ask('HEAD', $path);
        is($head->{status}, 200, "HEAD $path");
        is($head->{body}, '', '... has no body');
        is(field($head, 'Content-Length'), length $get->{body},
            '... and the length of GET');
        is(ask($_, $path)->{status}, 405, "$_ $path")
            for qw(POST PUT DELETE OPTIONS);
    }
    is(ask('GET', '/protected')->{status}, 401, 'it can be protected');
    like(ask('GET', '/protected', @ALICE)->{body}, qr/^# HELP/, '... by us');
}

log_level('info');
no_long_string();
no_shuffle();
worker_connections(1024);
master_on();
workers(2);
run_tests();

__DATA__

=== TEST 1: counts are exact
--- http_config eval: $::HttpConfig
--- config
--- check: sequence
--- no_error_log
[alert]
[emerg]



=== TEST 2: once a client request, whatever it passes on its way
--- http_config eval: $::HttpConfig
--- config
--- check: once



=== TEST 3: workers share the counters
--- http_config eval: $::HttpConfig
--- config
--- check: workers



=== TEST 4: a reload keeps the counters
--- http_config eval: $::HttpConfig
--- config
--- check: reload



=== TEST 5: the time of asks
--- http_config eval: $::HttpConfig
--- config
--- check: time



=== TEST 6: both formats, GET and HEAD only
--- http_config eval: $::HttpConfig
--- config
--- check: formats



=== TEST 7: a client that goes away before the answer is not counted
--- http_config eval: $::HttpConfig
--- config
--- check: gone



=== TEST 8: a body of a refused method, and the connection goes on
--- config
location = /status {
    identgw_status;
}
--- pipelined_requests eval
["POST /status\r\n\r\nabc", "GET /status"]
--- error_code eval
[405, 200]
--- response_body_like eval
["405 Not Allowed", "identgw_authenticate_seconds_count 0\n"]
--- no_error_log
[error]
