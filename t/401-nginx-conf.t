# nginx.conf.example: what its comments promise, on the running stack; the lines
# for one's own service as they stand there, without their "#+".
use strict;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use POSIX ();
use Stack qw(header headers json);
use Test::More;

my $conf = Stack::slurp('nginx.conf.example');

# --- what can be read in the file ------------------------------------------

# "location ... {...}" by its words before the brace; none is nested.
my %location = map { /^ *location ([^{]+) \{\n(.*?)^ *\}/ms ? ($1 => $2) : () }
    $conf =~ /^( +location [^{]+ \{\n.*?^ +\}\n)/msg;

sub questions { return grep { m{^= /\.identgw/} } keys %location }

is(scalar questions(), 3, 'there are three internal locations');
for my $name (sort keys %location) {
    my $text = $location{$name};
    my $is_question = $name =~ m{^= /\.identgw/};
    is($text =~ /^ *internal;$/m, $is_question, "$name is internal or not");
    is($text =~ /IDENTGW_INTERNAL/, $is_question, "$name: IDENTGW_INTERNAL");
    unlike($text, qr/fastcgi_param HTTP_|add_header/,
        "$name sets no request header and loses no answer's");
    next if !$is_question;
    like($text, qr/^ *fastcgi_param REQUEST_METHOD GET;$/m, '... its method');
    like($text, qr/^ *fastcgi_pass_request_body off;$/m, '... without a body');
    like($text, qr/^ *identgw off;$/m, '... not itself protected');
}

# --- one's own service -----------------------------------------------------

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16)
    or die "listen: $!";
my $pid = fork // die "fork: $!";
if ($pid == 0) {
    setpgrp 0, 0;
    $SIG{TERM} = 'DEFAULT';
    close STDOUT;
    serve_echo($listener);
    POSIX::_exit(0);
}

# Answers each request with its own head.
sub serve_echo {
    my ($from) = @_;
    while (my $peer = $from->accept) {
        my $head = '';
        while (my $line = <$peer>) {
            last if $line eq "\r\n";
            $head .= $line;
        }
        print $peer "HTTP/1.1 200 OK\r\nConnection: close\r\n",
            'Content-Length: ', length $head, "\r\n\r\n", $head;
        close $peer;
    }
    return;
}

my ($own) = $conf =~ /^( *#\+ location \/app\/ \{\n(?: *#\+ .*\n)*)/m;
$own =~ s/^ *#\+ //mg;
cmp_ok($own =~ tr/\n//, '<=', 12, 'ten lines or so for a service of one\'s own');
my $port = $listener->sockport;
is($own =~ s/127\.0\.0\.1:3000/127.0.0.1:$port/, 1, '... with its address');

my $stack = Stack->start(conf => $own, env => { IDENTGW_LOGIN_RATE => '5r/s' });
$stack->add_helper($pid);
my $id = $stack->session('anna');

my $answer = $stack->request('GET', '/app/x?y=1');
is($answer->{status}, 401, 'the service is closed');
like($answer->{body}, qr/^Please go to login\.\.\./, '... and says where to go');

$answer = $stack->request('GET', '/app/x?y=1', headers => [
        JSESSIONID => $id, 'X-User' => 'admin', 'X_User' => 'admin',
        Authorization => 'Bearer forged' ]);
is($answer->{status}, 200, 'with a session it is open');
like($answer->{body}, qr{^GET /app/x\?y=1 HTTP/1\.1\r$}m, '... as asked');
my @lines = split /\r\n/, $answer->{body};
is_deeply([ grep { /^X.User:/i } @lines ], ['X-User: anna'],
    '... with the user, once');
is_deeply([ grep { /^X-Email:/i } @lines ], ['X-Email: anna@example.org'],
    '... the e-mail');
is_deeply([ grep { /^X-First-Name:/i } @lines ], ['X-First-Name: Anna'],
    '... the first name');
is(scalar(grep { /^Authorization: Bearer ey[\w-]+\.[\w-]+\.[\w-]+$/ } @lines), 1,
    '... a token');
is(scalar(grep { /^Authorization:/i } @lines), 1, '... and only that');
unlike($answer->{body}, qr/\Q$id\E/, '... and without the session id');
is(scalar(grep { /^X-Request-Id: [0-9a-f]{32}$/ } @lines), 1,
    '... with the request id');

# --- answers ---------------------------------------------------------------

my %always = (
    'X-Content-Type-Options' => qr/^nosniff$/,
    'Referrer-Policy' => qr/^same-origin$/,
    'X-Frame-Options' => qr/^DENY$/,
    'Cross-Origin-Opener-Policy' => qr/^same-origin$/,
    'Cross-Origin-Resource-Policy' => qr/^same-origin$/,
    'Content-Security-Policy' => qr/^default-src 'none';.*frame-ancestors 'none'$/,
    'Server' => qr/^nginx$/,
);
my %case = (
    'an answer' => [ 200, $stack->request('GET', '/signin') ],
    'a refusal' => [ 401, $stack->request('GET', '/userprofile') ],
    'a page' => [ 200, $stack->request('GET', '/signin',
            headers => [ Accept => 'text/html' ]) ],
    'a page that refuses' => [ 401, $stack->request('GET', '/app/x',
            headers => [ Accept => 'text/html' ]) ],
    'a wrong method' => [ 405, $stack->request('PUT', '/login') ],
    'a user\'s answer' => [ 404, $stack->request('GET', '/userprofile',
            headers => [ JSESSIONID => $id ]) ],
);
for my $name (sort keys %case) {
    my ($status, $got) = @{ $case{$name} };
    is($got->{status}, $status, "$name: $status");
    my @bad = grep { (header($got, $_) // '') !~ $always{$_} } sort keys %always;
    is_deeply(\@bad, [], '... with the headers of identprov and userprofile');
}
delete $always{Server};
$answer = $stack->request('GET', '/app/x', headers => [ JSESSIONID => $id ]);
is_deeply([ grep { defined header($answer, $_) } sort keys %always ], [],
    'a service of one\'s own chooses its headers itself');
is($stack->request('GET', '/nothing')->{status}, 404, 'an unknown path');
is($stack->request('POST', '/login', body => 'x' x 200_000)->{status}, 413,
    'a huge body');
is($stack->request('GET', '/')->{status}, 404, 'the home page is for browsers');
is($stack->request('GET', '/', headers => [ Accept => 'text/html' ])->{status},
    200, '... and there for them');

is($stack->request('GET', $_)->{status}, 404, "$_ is not for clients")
    for map { s/^= //r } sort(questions());

$answer = $stack->request('GET', '/authenticate', headers => [ JSESSIONID => $id ]);
is($answer->{status}, 200, '/authenticate answers the client');
like(json($answer)->{token}, qr/^ey/, '... with the token in the body');
is_deeply([ map { headers($answer, $_) } qw(Authorization X-User X-Email
        X-First-Name X-Accel-Expires) ], [], '... and no identity header');

my @answers = map { $stack->post_json('/login', {}) } 1 .. 40;
my ($refused) = grep { $_->{status} == 429 } @answers;
is($stack->request('GET', '/login', headers => [ Accept => 'text/html' ])->{status},
    200, '... the page is not limited');
ok($refused, 'too many logins from one address are refused');
is_deeply([ headers($refused, 'Retry-After') ], ['1'], '... for a while');
is(json($refused)->{code}, 'too_many_requests', '... with a problem document');

# --- the log ---------------------------------------------------------------

my @log = map { JSON::PP->new->utf8->decode($_) } split /^/, $stack->log('access');
my ($protected) = grep { $_->{target} eq '/app/x?y=1' && $_->{status} == 200 } @log;
my ($question) = grep { $_->{uri} eq '/.identgw/authenticate' } @log;
is($protected->{user}, 'anna', 'the log says who it was');
is($question->{id}, $protected->{id}, '... and joins the question to the request');
my ($login) = grep { $_->{target} eq '/login' && $_->{status} == 200 } @log;
like($stack->log('identprov'), qr/"event":"login","request_id":"$login->{id}"/,
    'identprov logs the same id as the gateway');
unlike(join('', map { $stack->log($_) } qw(access nginx-error identprov userprofile)),
    qr/\Q$id\E/, 'no log holds the session id');

$stack->stops_cleanly;
like(Stack::slurp("$stack->{var}/run.err"), qr{
    ^client\s+->\s+gateway\s+GET\ /app/x\?y=1\n
    gateway\s+->\s+identprov\s+GET\ /authenticate\n
    gateway\s+<-\s+identprov\s+200\s+\d+\ ms\n
    gateway\s+->\s+127\.0\.0\.1:$port\s+GET\ /app/x\?y=1\n
    gateway\s+<-\s+127\.0\.0\.1:$port\s+200\s+\d+\ ms\n
    client\s+<-\s+gateway\s+200\s+\d+\ ms\s+user\ anna\n
    }mx, 'the arrows show the way of a request');
done_testing;
