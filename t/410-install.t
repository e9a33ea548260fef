# What `make install` installs: the manual pages are clean, and README.md's lines
# protect an application behind proxy_pass on the nginx that is installed.
use strict;
use warnings;
use lib 't/lib';
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Stack qw(header headers json wait_for);
use Test::More;

my $stack = Stack->start;
my $room = tempdir('identgw-install-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $room;
my $root = "$room/root";
my $etc = "$root/etc/nginx";
my $build = $ENV{BUILD} || 'build';
my $nginx = $ENV{IDENTGW_NGINX}
    || (Stack::slurp("$build/config.mk") =~ /^NGINX = *(.*)$/m ? $1 : 'nginx');

# --- what is installed -------------------------------------------------------

sub installed {
    my (@variables) = @_;
    my @command = ('make', '-s', "BUILD=$build", "DESTDIR=$root", 'PREFIX=/usr',
        'SOCKETS=' . $stack->setting('IDENTGW_SOCKETS'), @variables, 'install');
    local %ENV = map { $_ => $ENV{$_} } grep { !/^(?:MAKE|MFLAGS)/ } keys %ENV;
    open my $out, '-|', join(' ', map { "'$_'" } @command) . ' 2>&1' or die;
    local $/;
    my $said = <$out> // '';
    close $out;
    return ($?, $said);
}

my ($status, $said) = installed();
is($status, 0, 'make install succeeds') or BAIL_OUT($said);
my @files = split /\n/, `cd '$root' && find . -type f | LC_ALL=C sort`;
is_deeply(\@files, [
        (map { "./etc/nginx/identgw/$_.conf" }
            qw(fastcgi http public server userprofile)),
        './usr/bin/identprov', './usr/bin/userprofile',
        './usr/lib/nginx/modules/ngx_http_identgw_module.so',
        (map { "./usr/lib/systemd/system/$_" } qw(identprov.service
            identprov.socket userprofile.service userprofile.socket)),
        './usr/lib/sysusers.d/identprov.conf', './usr/lib/sysusers.d/userprofile.conf',
        './usr/share/identgw/nginx.conf.example',
        './usr/share/man/man8/identprov.8',
        './usr/share/man/man8/userprofile.8' ], 'these files');
ok(-x "$root/usr/bin/$_", "$_ can be run") for qw(identprov userprofile);

for my $name (qw(identprov userprofile)) {
    my $page = "$root/usr/share/man/man8/$name.8";
    my $text = Stack::slurp($page);
    my $help = `'$build/$name' --help`;
    my @settings = $help =~ /^  ([A-Z]+_[A-Z_]+)$/mg;
    is_deeply([ $text =~ /^\.It Ev ([A-Z_]+)$/mg ], \@settings,
        "$name(8) has each setting");
    cmp_ok(scalar(() = $text =~ /^\.It Ic /mg), '==',
        scalar(() = $help =~ /^  [a-z].*\n      /mg), '... and each command');
    SKIP: {
        skip 'there is no man', 1 if system('command -v man > /dev/null') != 0;
        is(`man --warnings -E UTF-8 -l -Tutf8 '$page' 2>&1 > /dev/null`, '',
            '... and man has nothing to say about it');
    }
    SKIP: {
        skip 'there is no mandoc', 1 if system('command -v mandoc > /dev/null') != 0;
        is(join('', grep { /: (?:WARNING|ERROR|UNSUPP)/ }
                `mandoc -T lint '$page' 2>&1`), '', '... nor has mandoc');
    }
}

# server.conf puts nothing into a server but locations and the feed.
my $server = Stack::slurp("$etc/identgw/server.conf");
is_deeply([ grep { !/^(?:location .*\{|\}|identgw_revocations .*;)$/ }
        $server =~ /^([^\s#].*)$/mg ], [],
    'server.conf sets nothing for other locations');

# --- README.md's lines -------------------------------------------------------

# An application that says what it was sent, with a header that could clash.
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64)
    or die "listen: $!";
my $application = fork // die "fork: $!";
if ($application == 0) {
    setpgrp 0, 0;
    $SIG{TERM} = 'DEFAULT';
    close STDOUT;
    while (my $peer = $listener->accept) {
        my $head = '';
        while (my $line = <$peer>) {
            last if $line eq "\r\n";
            $head .= $line;
        }
        print $peer "HTTP/1.1 200 OK\r\nConnection: close\r\n",
            "Content-Security-Policy: default-src 'self'\r\n",
            'Content-Length: ', length $head, "\r\n\r\n", $head;
        close $peer;
    }
    POSIX::_exit(0);
}
$stack->add_helper($application);

my ($readme) = Stack::slurp('README.md')
    =~ /^```nginx\n(load_module .*?)^```$/ms;
ok($readme, 'README.md has the lines');
my $port = $ENV{TEST_NGINX_PORT} + 1;
my $upstream = $listener->sockport;
my $user = $> == 0 ? 'user nobody ' . getgrgid((getpwnam 'nobody')[3]) . ';' : '';

# Where this test has things; the lines are README.md's otherwise.
sub conf {
    my ($text) = @_;
    $text =~ s/listen 80;/listen 127.0.0.1:$port;/g;
    $text =~ s/127\.0\.0\.1:3000/127.0.0.1:$upstream/g;
    my $temporary = join '', map { "${_}_temp_path $room/tmp/$_;\n" }
        qw(client_body fastcgi proxy scgi uwsgi);
    $text =~ s/^http \{\n/http {\naccess_log off;\n$temporary/m;
    return "$user\npid $room/nginx.pid;\n$text";
}

make_path("$room/tmp", "$room/nginx");
symlink "$root/usr/lib/nginx/modules", "$room/nginx/modules" or die $!;

sub test_conf {
    my ($text) = @_;
    Stack::spew("$etc/nginx.conf", conf($text));
    my $result = `'$nginx' -t -p '$room/nginx/' -c '$etc/nginx.conf' -e '$room/error.log' 2>&1`;
    return ($?, $result);
}

($status, $said) = test_conf($readme);
is($status, 0, 'nginx -t takes them') or BAIL_OUT($said);
unlike($said, qr/\[(?:warn|emerg|alert)\]/, '... without a warning');

sub start_nginx {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        setpgrp 0, 0;
        close STDOUT;
        exec $nginx, '-p', "$room/nginx/", '-c', "$etc/nginx.conf", '-e',
            "$room/error.log", '-g', 'daemon off;'
            or POSIX::_exit(127);
    }
    $stack->add_helper($pid);
    wait_for(120, 'nginx', sub { IO::Socket::INET->new("127.0.0.1:$port") });
    return $pid;
}
my $pid = start_nginx();

# The same requests, to this nginx.
my $gateway = bless { %$stack, port => $port, pid => undef, helpers => [] }, 'Stack';

my $answer = $gateway->request('GET', '/any');
is($answer->{status}, 401, 'the application is closed');
like($answer->{body}, qr/^Please go to login\.\.\./, '... and says where to go');
is_deeply([ headers($answer, 'X-Frame-Options') ], ['DENY'],
    '... with the headers that identprov sends with that');

my $id = $gateway->session('anna');
ok($id, 'register and login are there');
$answer = $gateway->request('GET', '/any?x=1',
    headers => [ JSESSIONID => $id, 'X_User' => 'admin', Cookie => 'a=b' ]);
is($answer->{status}, 200, 'with a session it is open');
like($answer->{body}, qr{^GET /any\?x=1 }, '... as asked');
is_deeply([ $answer->{body} =~ /^(X.User: .*)\r$/mig ], ['X-User: anna'],
    '... with the user, once');
like($answer->{body}, qr/^Authorization: Bearer ey/m, '... and the token');
unlike($answer->{body}, qr/\Q$id\E/, '... and without the session id');
is_deeply([ headers($answer, 'Content-Security-Policy') ], ["default-src 'self'"],
    '... and the answer has the headers of the application');
is_deeply([ grep { headers($answer, $_) } qw(X-Frame-Options Retry-After
        Cross-Origin-Opener-Policy Referrer-Policy) ], [], '... and no others');

$answer = $gateway->request('GET', '/public/x', headers => [ 'X-User' => 'admin' ]);
is($answer->{status}, 200, 'identgw off: an open location');
unlike($answer->{body}, qr/admin/, '... in which nobody says who he is');

$answer = $gateway->request('GET', '/signin');
like(header($answer, 'Content-Security-Policy'), qr/^default-src 'none'/,
    "identprov's pages have their headers");
is($gateway->request('GET', "/.identgw/$_")->{status}, 404, "$_ is internal")
    for qw(authenticate signin revocations);
$answer = $gateway->request('GET', '/authenticate', headers => [ JSESSIONID => $id ]);
is(json($answer)->{token} ? 1 : 0, 1, 'the client gets its token');
is_deeply([ headers($answer, 'X-User') ], [], '... and no identity header');

is($gateway->request('POST', '/logout', headers => [ JSESSIONID => $id ])->{status},
    204, 'logout');
is($gateway->request('GET', '/any', headers => [ JSESSIONID => $id ])->{status},
    401, '... is obeyed at once');

# --- more than README.md's lines ----------------------------------------------

# Three includes, an operator's settings around them, and a second server.
my $more = $readme =~ s{include identgw/http\.conf;}{$&
    fastcgi_intercept_errors on;
    limit_req_status 444;
    client_max_body_size 10m;
    proxy_set_header X-Own yes;}r
    =~ s{identgw on;\n}{$&
        include identgw/userprofile.conf;
        error_page 401 404 /public/error;
        add_header X-Mine yes always;
        fastcgi_read_timeout 1h;\n}r;
my ($block) = $more =~ /^(    server \{.*?^    \}\n)/ms;
my $twice = $more =~ s/\Q$block\E/$block . ($block =~ s{listen 80;}{$& server_name b.example;}r)/er;

($status, $said) = test_conf($twice);
is($status, 0, 'two servers include it, with settings of their own') or diag $said;
unlike($said, qr/\[(?:warn|emerg|alert)\]/, '... without a warning');
kill 'TERM', $pid;
waitpid $pid, 0;
$pid = start_nginx();

$id = $gateway->login('anna', "correct horse $$ battery");
$answer = $gateway->post_json('/login', { username => 'anna', password => 'wrong' });
is($answer->{status}, 401, "a wrong password is identprov's to answer");
is(json($answer)->{status}, 401, '... in spite of error_page');
is_deeply([ headers($answer, 'X-Mine') ], [], '... and of add_header');
$answer = $gateway->post_json('/userprofile', { nickname => 'x' },
    headers => [ JSESSIONID => $id ]);
is($answer->{status}, 201, 'userprofile is there');
is($gateway->request('GET', '/userprofile')->{status}, 401, '... and closed');
for my $host ("127.0.0.1:$port", 'b.example') {
    $answer = $gateway->request('GET', '/app', no_host => 1,
        headers => [ Host => $host, JSESSIONID => $id ]);
    like($answer->{body}, qr/^X-User: anna\r$/m, "the application at $host");
    is(header($answer, 'X-Mine'), 'yes', '... with its add_header');
    is($gateway->request('GET', '/app', no_host => 1,
            headers => [ Host => $host ])->{status}, 401, '... and closed');
}

# docs/operations.md, from zero.
my ($zero) = Stack::slurp('docs/operations.md')
    =~ /^       (include identgw\/http\.conf;\n.*?)\n\n   \S/ms;
ok($zero, 'docs/operations.md has a configuration');
system "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x"
    . " -days 1 -keyout '$room/key.pem' -out '$room/cert.pem' 2> '$room/openssl.log'";
$zero =~ s{/etc/ssl/\w+/app\.pem}{$room/cert.pem};
$zero =~ s{/etc/ssl/private/app\.key}{$room/key.pem};
$zero =~ s{/var/log/nginx/}{$room/};
($status, $said) = test_conf("load_module modules/ngx_http_identgw_module.so;\n"
        . "events { }\nhttp {\n$zero\n}\n");
is($status, 0, '... that nginx takes') or diag $said;
unlike($said, qr/\[(?:warn|emerg|alert)\]/, '... without a warning');

my ($feed) = $server =~ /^(identgw_revocations .*;)$/m;
for my $case ([ $feed =~ s/lease=2s/lease=3s/r, 'another lease' ],
    [ $feed =~ s/interval=250ms/interval=100ms/r, 'another interval' ],
    [ $feed =~ s{/\.identgw/revocations}{/.identgw/signin}r, 'another feed' ]) {
    my ($line, $what) = @$case;
    ($status, $said) = test_conf($readme =~ s{^    server \{}{    server {
        listen 127.0.0.1:1; $line
        include identgw/fastcgi.conf;
        location /.identgw/ { internal; fastcgi_pass identprov; } }\n$&}mr);
    isnt($status, 0, "$what in a second server is refused");
    like($said, qr/there is one "identgw_revocations" already, in \S+:\d+;/,
        '... with where the first one is');
}
($status, $said) = test_conf($readme =~ s{^        identgw on;}{$& $feed}mr);
like($said, qr/there is one "identgw_revocations" already/, '... twice in one, too');

kill 'TERM', $pid;
waitpid $pid, 0;
is(join('', grep { !/ \[(?:notice|info|debug)\] / } split /^/, Stack::slurp("$room/error.log")
            =~ s/^.*\[emerg\].*already.*\n//mgr), '', 'the error log is empty');
$stack->stops_cleanly;
done_testing;
