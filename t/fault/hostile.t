#!/usr/bin/perl
# make test-hostile: Debian's tools of those who attack, each for a minute or two
# against the whole stack. After each of them it is as it was, and what they say
# they found is nothing but what docs/security.md answers. NAMES= chooses.
use strict;
use warnings;
use lib 't/lib', 't/fault';
use JSON::PP;
use POSIX ();
use Scan;
use Stack qw(slurp);
use Test::More;
use Time::HiRes qw(sleep);
use Trial;

my $PAYLOADS = '/usr/lib/python3/dist-packages/wapitiCore/data/attacks';

my $scan = Scan->start;
my ($http, $https, $stack) = ($scan->http, $scan->https, $scan->stack);
my $session = $scan->session;
my $who = "JSESSIONID: $session";

# A subtest when the tool is here: what it does, and that nothing has come of it.
sub tool {
    my ($name, $program, $does) = @_;
    return if !Trial::is_wanted($name);
    if (system("command -v $program > /dev/null") != 0) {
        diag("not run: $name, $program is not here");
        return;
    }
    subtest $name => sub {
        $does->();
        $scan->is_as_before;
    };
    return;
}

# --- h2load: more at once than there are connections --------------------------------

my @storm = ('h2load', '-n', 20_000, '-c', 50, '-m', 100, '-H', $who,
    "$https/userprofile", "$https/account", "$https/login");

# All that it asked was answered, by what is right and by 429.
sub is_answered {
    my ($text) = @_;
    like($text, qr/^requests: 20000 .* 20000 done, .* 0 errored, 0 timeout$/m,
        'every request is answered') or diag($text);
    like($text, qr/^status codes: [1-9]\d* 2xx, 0 3xx, \d+ 4xx, 0 5xx$/m,
        '... by what is asked for or by 429') or diag($text);
    return;
}

is($stack->post_json('/userprofile', {}, headers => [ split /: /, $who ])
        ->{status}, 201, 'eva has a profile');
$scan->run('warm-up', 60, @storm);
$scan->remember;

tool('h2load', 'h2load', sub {
    my $out = $scan->file('h2load.out');
    my $seen = $scan->meanwhile($scan->begin($out, 120, @storm), '/userprofile');
    is_answered(slurp($out));
    is(join(' ', keys %$seen), 200, 'whoever is at another address is served')
        or diag(explain($seen));
});

# --- slowhttptest: connections that take their time ---------------------------------

my @slow = ('-c', 400, '-r', 200, '-l', 25, '-p', 5);
my %slow = (
    headers => [ '-H', '-i', 3, '-t', 'GET', '-u', "$http/userprofile" ],
    body => [ '-B', '-i', 3, '-s', 8192, '-t', 'POST', '-u', "$http/login" ],
    ranges => [ '-R', '-t', 'HEAD', '-a', 5, '-b', 3000, '-u', "$http/login" ],
    reading => [ '-X', '-w', 1, '-y', 8, '-n', 3, '-z', 1, '-k', 3,
        '-u', "$https/login" ]);
tool('slowhttptest', 'slowhttptest', sub {
    for my $name (sort keys %slow) {
        my $out = $scan->file("slow-$name.out");
        my $pid = $scan->begin($out, 60, 'slowhttptest', @slow,
            @{ $slow{$name} });
        my $seen = $scan->meanwhile($pid, '/userprofile');
        is(join(' ', keys %$seen), 200, "slow $name: others are served")
            or diag(explain($seen), slurp($out));
        unlike(slurp($out), qr/service available:\s*\S*NO/,
            '... says slowhttptest, too');
    }
});

# --- sqlmap: whether anything that comes gets into a statement ----------------------

my @json = ('-H', 'Content-Type: application/json');
my @eva = ('-H', $who);
my %target = (
    login => [ '-u', "$http/login", @json, '--data',
        '{"username":"eva*","password":"x*"}' ],
    form => [ '-u', "$http/login", '--data', 'username=eva&password=x' ],
    register => [ '-u', "$http/register", @json, '--data',
        '{"username":"kim*","password":"correct horse 7","first_name":"K"}' ],
    account => [ '-u', "$http/account", '--method', 'PATCH', @json, @eva,
        '--data', '{"first_name":"Eva*","last_name":"Roe*"}' ],
    profile => [ '-u', "$http/userprofile", '--method', 'PUT', @json, @eva,
        '--data', '{"nickname":"a*","custom":{"b":"c*"}}' ],
    session => [ '-u', "$http/userprofile", '-H', "$who*" ],
    cookie => [ '-u', "$http/authenticate", '--cookie', "JSESSIONID=$session*" ],
    path => [ '-u', "$http/sessions/0123*", '--method', 'DELETE', @eva ],
    query => [ '-u', "$http/login?return_to=/x&a=1" ]);

# What it is sure of. Answers differ by request_id and token, so that it may take
# something for an injection, and then says itself that it was none.
my $FOUND = qr/identified the following|shows that [^\n]* might be injectable/;

sub sqlmap {
    my ($name, @with) = @_;
    my (undef, $text) = $scan->run("sqlmap-$name", 60, 'sqlmap', '--batch',
        '--disable-coloring', '--flush-session', '--dbms', 'PostgreSQL',
        '--level', 3, '--risk', 2, '--time-sec', 2,
        '--timeout', 10, '--ignore-code=401,404,409,422,429',
        '--output-dir', $scan->file("sqlmap-$name"), @with);
    return $text;
}

tool('sqlmap', 'sqlmap', sub {
    like(sqlmap('planted', '-u', "$http/planted?a=1"), $FOUND,
        'it finds what was planted');
    for my $name (sort keys %target) {
        my $text = sqlmap($name, @{ $target{$name} });
        unlike($text, $FOUND, "$name: nothing is found") or diag($text);
        like($text, qr/tested parameters do not appear to be injectable/,
            '... though all was tried') or diag($text);
    }
});

# --- wapiti: pages, forms and what they are sent ------------------------------------

# What it says of what is meant to be as it is: docs/security.md.
my %answered = map { $_ => 1 } ('Cross Site Request Forgery',
    'HTTP Secure Headers');

# Debian 12's has a pattern for -x that its Python refuses.
my $WAPITI = <<'END';
import re
from wapitiCore.main.wapiti import wapiti_main
from wapitiCore.net import crawler
crawler.wildcard_translate = lambda text: re.compile(
    ".*".join(map(re.escape, text.split("*"))) + r"\Z", re.S)
wapiti_main()
END

# sqlmap has more of SQL that answers late than its blindsql, which may hang.
tool('wapiti', 'wapiti', sub {
    my @start = map { ('-s', "$http$_") } qw(/login /register /account /sessions
        /password /account/delete /userprofile /login?return_to=/x
        /planted?a=1);
    my @not = map { ('-x', "$http$_") } '/logout', '/sessions/*';
    my ($script, $file) = map { $scan->file($_) } 'scan.py', 'wapiti.json';
    Stack::spew($script, $WAPITI);
    my ($status, $text) = $scan->run('wapiti', 300, '/usr/bin/python3', $script,
        '-u', "$http/", @start, @not, '-H', $who, '-m', join(',', qw(backup
            cookieflags crlf csp csrf exec file htaccess http_headers methods
            permanentxss redirect shellshock sql xss xxe)),
        '--max-scan-time', 240, '--flush-session', '--no-bugreport', '-t', 5,
        '-S', 'normal', '-v', 1, '--store-session', $scan->file('wapiti'),
        '-f', 'json', '-o', $file);
    my $report = eval { decode_json(slurp($file)) } || {};
    my %found = map { %{ $report->{$_} || {} } } qw(vulnerabilities anomalies);
    my ($planted, @others) = (0);
    for my $kind (sort keys %found) {
        for my $finding (@{ $found{$kind} }) {
            my $is_planted = $finding->{path} =~ m{^/planted};
            $planted ||= $is_planted && $kind =~ /SQL/;
            diag("answered: $kind: $finding->{path}: $finding->{info}")
                if $answered{$kind};
            push @others, "$kind: $finding->{method} $finding->{path}: "
                . $finding->{info} if !$is_planted && !$answered{$kind};
        }
    }
    is($status, 0, 'it has ended');
    ok($planted, '... has found what was planted') or diag($text);
    is(join("\n", @others), '', '... and nothing else');
});

# --- ffuf: names and values from lists ----------------------------------------------

# All that it asked: what it put in place of FUZZ, and the status. With more than
# one thread ffuf 1.1 loses some.
sub ffuf {
    my ($name, $words, @with) = @_;
    my ($list, $file) = map { $scan->file("ffuf-$name.$_") } qw(txt json);
    Stack::spew($list, join '', map { "$_\n" } @$words);
    $scan->run("ffuf-$name", 120, 'ffuf', '-s', '-t', 1,
        '-maxtime', 110, '-mc', 'all', '-w', $list, '-of', 'json', '-o', $file,
        @with);
    my $report = eval { decode_json(slurp($file)) };
    my @answers = map { [ $_->{input}{FUZZ}, $_->{status} ] }
        @{ $report->{results} || [] };
    is(scalar @answers, scalar @$words, "$name: all are answered");
    return @answers;
}

my %is_there = map { $_ => 1 } '', qw(register login logout password account
    account/delete sessions signin authenticate userprofile whoami planted
    .well-known/jwks.json);

tool('ffuf', 'ffuf', sub {
    my %names = map { $_ => 1 } keys %is_there, '.identgw/authenticate',
        '.identgw/signin', '.identgw/revocations', 'revocations', 'metrics',
        'readyz', 'healthz', (map { sprintf '%%%02x', $_ } 0 .. 255),
        map { -r $_ ? map { s{^/}{}r } grep { /^[!-~]+$/ && !/[#?]/ }
            split /\n/, slurp($_) : () }
        '/usr/share/sqlmap/data/txt/common-files.txt',
        "$PAYLOADS/busterPayloads.txt";
    delete $names{''};
    my @open = grep { $_->[1] !~ /^40[04]$/ && !$is_there{ $_->[0] } }
        ffuf('path', [ sort keys %names ], '-u', "$http/FUZZ", '-H', $who);
    is(join(' ', map { "$_->[0]: $_->[1]" } @open), '',
        '... and only what is known is there');
    my @values = grep { !/\n/ } ((map { chr } 32 .. 126, 128 .. 255),
        'A' x 43, 'A' x 8000, "$session.", substr($session, 0, 42),
        lc $session, "$session, $session", "'\"><script>alert(1)</script>",
        '${jndi:ldap://127.0.0.1/a}', '{{7*7}}', '../../etc/passwd', '$(id)',
        '%00', '%0d%0aX: y', '"}', '\\u0000', '\\ud800');
    my @in = grep { $_->[1] !~ /^40[01]$/ } ffuf('session', \@values,
        '-u', "$http/whoami", '-H', 'JSESSIONID: FUZZ');
    is(join(' ', map { "$_->[0]: $_->[1]" } @in), '', '... nobody is in');
    my @odd = grep { $_->[1] !~ /^(?:200|4\d\d)$/ } ffuf('body', \@values,
        '-u', "$http/userprofile", '-X', 'PUT', '-H', $who, '-H',
        'Content-Type: application/json', '-d', '{"nickname":"FUZZ"}');
    is(join(' ', map { "$_->[0]: $_->[1]" } @odd), '', '... taken or refused');
});

# --- testssl: nginx.conf.example's lines for TLS --------------------------------------

# What is the test's own certificate, or is left out on purpose: docs/security.md.
my $OWN = qr/^(?:cert_chain_of_trust|cert_revocation|cert_caa_record|cert_trust
    |cert_expirationStatus|cert_extlifeSpan|OCSP_stapling|DNS_CAArecord
    |cert_crlDistributionPoints|cert_ocspURL|engine_problem|cookie_.*)/x;

tool('testssl', 'testssl', sub {
    my $file = $scan->file('testssl.json');
    my ($status, $text) = $scan->run('testssl', 900, 'testssl', '--quiet',
        '--color', 0, '--warnings', 'batch', '--nodns', 'none', '-p', '-s',
        '-f', '-P', '-S', '-h', '-U', '--jsonfile', $file, $https);
    my $report = eval { decode_json(slurp($file)) } || [];
    my %seen = map { $_->{id} => $_ } @$report;
    ok($seen{$_}, "$_ was tried") or diag($text)
        for qw(TLS1_2 HSTS_time heartbleed ROBOT cipherlist_AVERAGE);
    my @bad = grep { $_->{severity} !~ /^(?:OK|INFO)$/ && $_->{id} !~ $OWN }
        @$report;
    is(join("\n", map { "$_->{id} $_->{severity}: $_->{finding}" } @bad), '',
        'nothing is wrong');
});

$stack->stops_cleanly;
done_testing();
