package ModuleTest;

# What the files t/0*.t share: the FastCGI peer, and pieces of configuration to
# be included in their blocks.
#
#   include $TEST_NGINX_CONF/http.conf;  http: the upstream "peer"
#   include $TEST_NGINX_CONF/idp.conf;   server: /.identgw/..., /questions
#   include $TEST_NGINX_CONF/echo.conf;  location: an echo of what came
#   include $TEST_NGINX_CONF/peer.conf;  location: only what reaches the peer
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Test::Nginx::Util ();

my $fixtures = $ENV{IDENTGW_FIXTURES} || ($ENV{BUILD} || 'build') . '/fixture';
my $owner = $$;
my $room = tempdir('identgw-peer.XXXXXX', TMPDIR => 1, CLEANUP => 0);
my $socket = "$room/peer";
my $peer;
my $kill_process = \&Test::Nginx::Util::kill_process;

sub write_file ($$) {
    my ($name, $text) = @_;
    open my $out, '>', "$room/$name" or die "ModuleTest: $name: $!\n";
    print $out $text;
    close $out or die "ModuleTest: $name: $!\n";
}

sub start_peer () {
    $peer = fork // die "ModuleTest: fork: $!\n";
    if ($peer == 0) {
        open STDOUT, '>', '/dev/null';
        exec "$fixtures/fcgi_peer", $socket
            or die "ModuleTest: $fixtures/fcgi_peer: $!\n";
    }
    for (1 .. 200) {
        return if IO::Socket::UNIX->new(Peer => $socket);
        select undef, undef, undef, 0.05;
    }
    die "ModuleTest: the FastCGI peer does not start\n";
}

# An nginx of one process sees a signal that comes just before it waits for
# events with the next event only. It gets another, instead of being killed
# after a while: then its unix sockets would stay behind.
sub end_nginx ($$$) {
    my ($pid, $wait, $name) = @_;
    my $signal = $ENV{TEST_NGINX_FAST_SHUTDOWN} ? 'TERM' : 'QUIT';
    my $tries = $wait && $pid ? 20 : 0;
    while ($tries-- && Test::Nginx::Util::is_running($pid)) {
        kill $signal => $pid;
        waitpid $pid, WNOHANG;
        select undef, undef, undef, 0.05;
    }
    return $kill_process->($pid, $wait, $name);
}

{
    no warnings 'redefine';
    *Test::Nginx::Util::kill_process = \&end_nginx;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        if ($peer) {
            kill TERM => $peer;
            waitpid $peer, 0;
        }
        system 'rm', '-rf', $room;
        $? = $status;
    }
}

chmod 0755, $room;

# Debian's fastcgi_params in short, REMOTE_USER not to be forgotten
write_file 'peer.conf', <<"CONF";
fastcgi_param REQUEST_URI \$request_uri;
fastcgi_param QUERY_STRING \$query_string;
fastcgi_param CONTENT_TYPE \$content_type if_not_empty;
fastcgi_param CONTENT_LENGTH \$content_length if_not_empty;
fastcgi_param REMOTE_USER \$remote_user if_not_empty;
fastcgi_param REQUEST_ID \$request_id;
fastcgi_pass unix:$socket;
CONF
write_file 'echo.conf', <<"CONF";
fastcgi_param REQUEST_METHOD \$request_method;
fastcgi_param PEER_ROLE echo;
include $room/peer.conf;
CONF
write_file 'idp.conf', <<"CONF";
location = /.identgw/authenticate {
    internal;
    identgw off;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_buffer_size 16k;
    fastcgi_buffers 4 16k;
    include $room/peer.conf;
}
location = /.identgw/signin {
    internal;
    identgw off;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE signin;
    include $room/peer.conf;
}
location = /questions {
    identgw off;
    fastcgi_param PEER_ROLE questions;
    include $room/peer.conf;
}
CONF
write_file 'http.conf', <<"CONF";
upstream peer {
    server unix:$socket;
    keepalive 2;
}
CONF

$ENV{TEST_NGINX_CONF} = $room;
$ENV{TEST_NGINX_PEER} = $socket;
start_peer;

1;
