# A client's body must never be read as FastCGI records. The attack is made
# twice: against a build of the server without its defence
# (igw_echo_undefended), where it has to succeed, and against the server.
use strict;
use warnings;
use EchoServer;
use FastCGI;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use Test::More;

my $LIMIT = 1000;    # the servers' body_max

# A whole request inside a body, with parameters of the client's choosing.
my $smuggled = EchoServer::get('/echo', HTTP_X_USER => 'SMUGGLED');

sub smuggled_count {
    my ($server) = @_;
    return scalar grep { ($_->{user} // '') eq 'SMUGGLED' }
        $server->events('handled');
}

# As a web server would send it, the body in two pieces: the second one, which
# the server has not yet seen when it refuses the first, is the attack.
sub attack_directly {
    my ($server) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $socket = $server->connect_to;
    my $content = 'x' x 40000 . $smuggled;
    my $bytes = FastCGI::record(1, pack 'nCx5', 1, 1)
        . FastCGI::stream(4, FastCGI::encode_params(REQUEST_METHOD => 'POST',
            PATH_INFO => '/echo', CONTENT_LENGTH => length $content))
        . pack('CCnnCx', 1, 5, 1, length $content, 0);
    FastCGI::write_all($socket, $bytes . 'x' x 40000);
    select undef, undef, undef, 0.2;
    FastCGI::write_all($socket, $smuggled . FastCGI::record(5, ''));
    my @answers;
    while (my $answer = EchoServer::answer($socket)) {
        push @answers, $answer->{status};
        last if @answers == 2 || $answers[-1] == 200;
        # Whether there is more is known when the next one is answered.
        FastCGI::write_all($socket, EchoServer::get('/echo')) or last;
    }
    return @answers;
}

sub start_nginx {
    my ($server) = @_;
    my $dir = tempdir(CLEANUP => 1);
    mkdir "$dir/logs";
    open my $conf, '>', "$dir/nginx.conf" or die;
    print $conf <<"END";
daemon off;
master_process off;
error_log $dir/error.log;
pid $dir/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    client_max_body_size 1m;
    client_body_buffer_size 1m;
    upstream app {
        server unix:$server->{socket};
        keepalive 4;
    }
    server {
        listen unix:$dir/http.sock;
        location / {
            fastcgi_pass app;
            fastcgi_keep_conn on;
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_param PATH_INFO \$uri;
            fastcgi_param CONTENT_LENGTH \$content_length;
            fastcgi_param REQUEST_ID \$request_id;
        }
    }
}
END
    close $conf;
    my $nginx = $ENV{TEST_NGINX_BINARY} || '/usr/sbin/nginx';
    defined(my $pid = fork) or die;
    if (!$pid) {
        open STDERR, '>', "$dir/stderr" or die;
        open STDOUT, '>&', \*STDERR or die;
        exec $nginx, '-p', $dir, '-c', "$dir/nginx.conf", '-e', "$dir/error.log"
            or POSIX::_exit(127);
    }
    EchoServer::wait_until(sub { IO::Socket::UNIX->new("$dir/http.sock") })
        or die "nginx does not start\n";
    return { pid => $pid, socket => "$dir/http.sock" };
}

sub http {
    my ($nginx, $method, $body) = @_;
    my $socket = IO::Socket::UNIX->new($nginx->{socket}) or return '';
    FastCGI::write_all($socket, "$method /echo HTTP/1.1\r\nHost: h\r\n"
            . "Connection: close\r\nContent-Length: " . length($body)
            . "\r\n\r\n$body");
    local $/;
    my $answer = <$socket> // '';
    return $answer =~ m{^HTTP/1\.1 (\d+)} ? $1 : '';
}

# Every alignment of the requests in the body; after each, another client.
# What the two clients got, a count for each pair of statuses.
sub attack_through_nginx {
    my ($server, $rounds) = @_;
    my $nginx = start_nginx($server);
    my %seen;
    for my $try (1 .. $rounds * length $smuggled) {
        my $body = 'x' x ($try % length $smuggled) . $smuggled x 1500;
        my $attacker = http($nginx, 'POST', $body);
        $seen{"$attacker " . http($nginx, 'GET', '')}++;
        last if $rounds > 1 && smuggled_count($server);
    }
    kill 'TERM', $nginx->{pid};
    waitpid $nginx->{pid}, 0;
    return \%seen;
}

subtest 'without the defence the attack succeeds' => sub {
    my $server = EchoServer::start(program => 'igw_echo_undefended',
        body_max => $LIMIT);
    attack_directly($server);
    cmp_ok(smuggled_count($server), '>', 0, 'by a hand-made connection');
    is($server->stop, 0, 'stopped');

    $server = EchoServer::start(program => 'igw_echo_undefended',
        body_max => $LIMIT);
    my $seen = attack_through_nginx($server, 5);
    cmp_ok(smuggled_count($server), '>', 0, 'by a POST through nginx');
    is($server->stop, 0, 'stopped');
    note explain $seen;
};

subtest 'with it nothing gets through' => sub {
    my $server = EchoServer::start(body_max => $LIMIT);
    is_deeply([attack_directly($server)], [413, 200],
        'by a hand-made connection: 413, and the next request is in step');
    is(smuggled_count($server), 0, 'nothing smuggled');

    my $tries = length $smuggled;
    my $seen = attack_through_nginx($server, 1);
    is_deeply($seen, { '413 200' => $tries },
        "$tries POSTs through nginx: each 413, each next client 200");
    is(smuggled_count($server), 0, 'nothing smuggled');
    is($server->events('connection_refused'), 0, 'no connection was lost');
    is($server->stop, 0, 'stopped');
};

done_testing();
