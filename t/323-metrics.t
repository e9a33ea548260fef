# /metrics and /readyz: what the programs say about themselves, to those inside.
use strict;
use warnings;
use lib 't/lib';
use FastCGI;
use Idp qw(header json wait_for);
use Stack ();
use Test::More;
use Time::HiRes qw(time);

my $idp = Idp->start(env => { THREADS => 3, HASH_SLOTS => 1 });
my $room = $idp->room;

# The metrics as { name{labels} => value }; dies on what Prometheus would not
# take.
sub parse {
    my ($text) = @_;
    my (%value, %type);
    for my $line (split /\n/, $text) {
        if ($line =~ /^# TYPE (\w+) (counter|gauge|histogram)$/) {
            die "twice: $1\n" if $type{$1}++;
            next;
        }
        next if $line =~ /^# HELP \w+ \S/;
        my ($name, $labels, $value) = $line =~
            /^([a-z_]+)(\{(?:[a-z]+="[^"\\]*",?)+\})? (\d+(?:\.\d+)?(?:e-?\d+)?)$/
            or die "no sample: $line\n";
        my ($family) = $name =~ /^(.*?)(?:_bucket|_sum|_count)?$/;
        die "no type: $line\n" if !$type{$name} && !$type{$family};
        die "twice: $line\n" if exists $value{ $name . ($labels // '') };
        $value{ $name . ($labels // '') } = $value;
    }
    return \%value;
}

sub metrics {
    my $answer = $idp->request('GET', '/in/metrics');
    is($answer->{status}, 200, '/metrics') or return {};
    is(header($answer, 'Content-Type'),
        'text/plain; version=0.0.4; charset=utf-8', '... as text');
    return parse($answer->{body});
}

is($idp->request('GET', '/metrics')->{status}, 404, 'nothing for outsiders');
my $before = metrics();
my $session = $idp->session('eva');
is($idp->request('GET', '/authenticate',
        headers => [ 'JSESSIONID', $session ])->{status}, 200, 'a session');
is($idp->request('GET', '/authenticate')->{status}, 401, 'none');
$idp->request('GET', '/nowhere') for 1 .. 3;
$idp->request('PUT', '/login', body => '');
$idp->request('GET', '/signin', headers => [ 'X-Bad', "a\x01b" ]);
my $after = metrics();

sub grew {
    my ($name, $by, $what) = @_;
    is(($after->{$name} // 0) - ($before->{$name} // 0), $by, $what // $name);
    return;
}
my $ask = 'route="/authenticate",method="GET"';
grew("identprov_requests_total{$ask,status=\"200\"}", 1);
grew("identprov_requests_total{$ask,status=\"401\"}", 1);
grew('identprov_requests_total{route="/register",method="POST",status="201"}', 1);
grew('identprov_requests_total{route="/login",method="POST",status="200"}', 1);
grew('identprov_requests_total{route="none",method="any",status="404"}', 3);
grew('identprov_requests_total{route="none",method="any",status="405"}', 1);
grew("identprov_request_seconds_count{$ask}", 2);
my @buckets = map { $after->{"identprov_request_seconds_bucket{$ask,le=\"$_\"}"} }
    qw(0.00025 0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5
    +Inf);
is_deeply([ grep { !defined } @buckets ], [], 'every bucket is there');
is_deeply([ sort { $a <=> $b } @buckets ], \@buckets, '... and never falls');
is($buckets[-1], $after->{"identprov_request_seconds_count{$ask}"},
    '... to the count');
cmp_ok($after->{"identprov_request_seconds_sum{$ask}"}, '>', 0, '... a sum');
grew('identprov_hashes_total', 2, 'one hash to register, one to log in');
is($after->{identprov_hash_slots}, 1, 'slots');
is($after->{identprov_hash_jobs}, 0, 'nobody waits');
is($after->{identprov_sessions}, 1, 'live sessions');
is($after->{'identprov_keys{state="signing"}'}, 1, 'keys');
is($after->{'identprov_keys{state="next"}'}, 0, '... none to come');
cmp_ok($after->{identprov_keys_age_seconds}, '<', 30, '... lately read');
is($after->{identprov_threads}, 3, 'threads');
is($after->{identprov_requests_in_progress}, 1, 'this request alone');
cmp_ok($after->{identprov_database_connections}, '>=', 1, 'connections');
cmp_ok($after->{identprov_database_statements_total}, '>',
    $before->{identprov_database_statements_total}, 'statements');
# With the sanitizers it is another program.
note("$after->{identprov_resident_memory_bytes} bytes are resident");
my $memory_max = ($ENV{IDENTGW_CHECKER} // '') eq '' ? 16 : 256;
cmp_ok($after->{identprov_resident_memory_bytes}, '<', $memory_max * 2**20,
    "memory: less than $memory_max MiB");
cmp_ok($after->{identprov_resident_memory_bytes}, '>', 2**20, '... of bytes');

# --- who waits -----------------------------------------------------------------------

# One thread of three writes, and one login waits for it; each hashes for some
# tenths of a second.
$idp->start_identprov(1, HASH_MEMORY => '16m', HASH_PASSES => 100,
    HASH_QUEUE => 1);
my $socket = "$room/identprov-1.sock";
my @common = (SCRIPT_NAME => '', QUERY_STRING => '', REQUEST_ID => '1' x 32,
    REMOTE_ADDR => '127.0.0.1');
sub direct {
    my $answer = FastCGI::ask($socket, [ @common, REQUEST_METHOD => 'GET',
            PATH_INFO => '/metrics', IDENTGW_INTERNAL => 1 ], '');
    return parse($answer->{body});
}
sub begin_login {
    my ($name) = @_;
    my $body = qq({"username":"$name","password":"wrong password"});
    return FastCGI::begin($socket, [ @common, REQUEST_METHOD => 'POST',
            PATH_INFO => '/login', CONTENT_TYPE => 'application/json',
            CONTENT_LENGTH => length $body ], $body);
}
my @logins = begin_login('nobody');
ok(wait_for(10, 'the hash', sub { direct()->{identprov_hash_jobs} == 1 }),
    'a login hashes');
my $began = time;
push @logins, begin_login('nobody.else');
ok(wait_for(10, 'the line', sub {
            direct()->{'identprov_requests_waiting{line="slow"}'} == 1 }),
    'another waits');
push @logins, begin_login('no.one');
my @statuses = map { FastCGI::answer_on($_)->{status} } @logins[ 0, 1 ];
my $waited = time - $began; # and hashed; the first hashed, too
push @statuses, FastCGI::answer_on($logins[2])->{status};
is("@statuses", '401 401 503', 'the line is full for the third');
my $line = direct();
is($line->{'identprov_requests_busy_total{line="slow"}'}, 1, '... it is counted');
is($line->{'identprov_requests_busy_total{line="quick"}'}, 0, '... where it was');
is($line->{'identprov_requests_waiting_max{line="slow"}'}, 1, '... and the limit');
is($line->{'identprov_requests_waiting{line="slow"}'}, 0, 'nobody waits any more');
is($line->{'identprov_requests_total{route="none",method="any",status="503"}'}, 1,
    'the answer is counted, too');
my $login = 'route="/login",method="POST"';
# What the first took is at least half of it.
cmp_ok($line->{"identprov_request_seconds_sum{$login}"}, '>=', 1.4 * $waited,
    'the time of a login has that of its wait');
$idp->end_part('TERM', 'identprov-1');

is($idp->request('POST', '/logout',
        headers => [ 'JSESSIONID', $session ])->{status}, 204, 'logged out');
my ($rotated) = $idp->run([ 'key', 'rotate' ]);
is($rotated, 0, 'a key to come');
ok(wait_for(10, 'it', sub { metrics()->{'identprov_keys{state="next"}'} == 1 }),
    '... is counted');
is(metrics()->{identprov_sessions}, 0, 'no session lives');

# --- what is missing ---------------------------------------------------------------

sub missing {
    my ($where) = @_;
    my $answer = $idp->request('GET', "$where/readyz");
    return $answer->{status} . ' ' . (json($answer)->{code} // 'none');
}
is(missing(''), '200 none', 'ready');
$idp->sql(q(INSERT INTO identprov.schema_version VALUES (1000, 'later')));
is(missing('/in'), '503 wrong_schema', 'a schema of much later');
is(missing(''), '503 not_ready', '... outsiders hear less');
$idp->sql('DELETE FROM identprov.signing_key WHERE sign_from > now()');
$idp->make_passphrase("$room/other", 'another passphrase of ours');
my ($withdrawn) = $idp->run([ qw(key withdraw),
        $idp->sql('SELECT kid FROM identprov.signing_key') ],
    env => { KEY_PASSPHRASE_FILE => "$room/other" });
is($withdrawn, 0, 'a key that this process cannot open');
my $all;
ok(wait_for(60, 'both', sub {
            $all = json($idp->request('GET', '/in/readyz'))->{detail};
            $all =~ /no_signing_key/ }), '... is missing, too');
like($all, qr/^wrong_schema: The [^.]+\. no_signing_key: No [^.]+\.$/,
    '... of two things each is named');
unlike($idp->request('GET', '/readyz')->{body}, qr/key|schema/,
    '... not to outsiders');
$idp->make_passphrase("$room/passphrase", 'another passphrase of ours');
$idp->sql('DELETE FROM identprov.schema_version WHERE version = 1000');
$idp->end_part('KILL', 'postgres');
is(missing('/in'), '503 database_unavailable', 'no database');
is(missing(''), '503 not_ready', '... outsiders hear less');
my $without = metrics();
ok(!exists $without->{identprov_sessions}, '... metrics go on, less sessions');
cmp_ok($without->{identprov_database_losses_total}, '>', 0, '... with losses');
$idp->start_postgres;
ok(wait_for(60, 'ready', sub { missing('') eq '200 none' }), 'and back');
$idp->stops_cleanly;

# --- userprofile -------------------------------------------------------------------

my $stack = Stack->start;
my $id = $stack->session('eva');
is($stack->request('GET', '/userprofile',
        headers => [ 'JSESSIONID', $id ])->{status}, 404, 'no profile yet');
my @question = (REQUEST_METHOD => 'GET', SCRIPT_NAME => '',
    PATH_INFO => '/metrics', QUERY_STRING => '', REQUEST_ID => '0' x 32,
    REMOTE_ADDR => '127.0.0.1');
is(FastCGI::ask($stack->socket('userprofile'), [@question], '')->{status}, 404,
    'userprofile: nothing for outsiders');
my $got = FastCGI::ask($stack->socket('userprofile'),
    [ @question, IDENTGW_INTERNAL => 1 ], '');
is($got->{status}, 200, 'userprofile has them, too');
is(parse($got->{body})->{'userprofile_requests_total{route="/userprofile",'
            . 'method="GET",status="404"}'}, 1, '... by route and status');
$stack->stops_cleanly;
done_testing;
