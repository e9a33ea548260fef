package Parts;

# The processes that are measured: PostgreSQL and identprov (t/lib/Stack.pm),
# bench/constant.c, the application, and an nginx for each target.
use strict;
use warnings;
use Bench;
use Exporter qw(import);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use IO::Socket::UNIX;
use POSIX qw(WNOHANG);
use Stack qw(json slurp wait_for);

our @EXPORT = qw(start_stack stop_stack start_gateway stop pid_of stack session
    another_session);

use constant {
    STOP_SEC => 20,
    PASSWORD => 'nobody guesses this one',
    APPLICATION_THREADS => 4,
};

# To the application: all of a FastCGI request, whatever else its location says.
my $pass = join ' ', 'fastcgi_keep_conn on; fastcgi_pass application;',
    map { "fastcgi_param $_;" } 'REQUEST_METHOD $request_method', 'SCRIPT_NAME ""',
    'PATH_INFO $uri', 'QUERY_STRING $query_string', 'CONTENT_TYPE $content_type',
    'CONTENT_LENGTH $content_length', 'REMOTE_ADDR $remote_addr',
    'SERVER_NAME $server_name';

my $modules = '/usr/lib/nginx/modules';
my $stack;
my $session;   # of the user whose requests these are
my %identity;  # what the application should hear of the user
my %running;   # by name: { name, pid, and of an nginx port }
my $cache;     # a directory in memory

sub stack { return $stack }
sub session { return $session }

# The same user's; identprov has it.
sub another_session { return $stack->login('ivan', PASSWORD) }

# What a target needs that is not here, or nothing.
sub lacks {
    my ($target) = @_;
    return if ($target->{needs} // '') ne 'lua';
    return 'the nginx is not Debian\'s' if config('NGINX_TREE') ne '';
    return if -e "$modules/ngx_http_lua_module.so";
    return 'libnginx-mod-http-lua is not installed';
}

sub start_stack {
    my ($threads) = @_;
    progress("starting PostgreSQL, and identprov with $threads threads");
    $stack = Stack->start(env => { BUILD => $set{BUILD},
        IDENTPROV_THREADS => $threads });
    $session = $stack->session('ivan', password => PASSWORD);
    my $answer = $stack->request('GET', '/authenticate',
        headers => ['JSESSIONID', $session]);
    %identity = (TOKEN => json($answer)->{token}, NAME => 'ivan',
        EMAIL => 'ivan@example.org', FIRST_NAME => 'Ivan');
    start('constant', in_group(), "$set{BUILD}/bench/constant",
        "unix:$dir/constant.sock", $threads, $identity{TOKEN});
    start('application', in_group(), "$set{BUILD}/bench/constant",
        "unix:$dir/application.sock", APPLICATION_THREADS, $identity{TOKEN});
    for my $name (qw(constant application)) {
        wait_for(10, $name, sub { IO::Socket::UNIX->new(Peer => "$dir/$name.sock") });
    }
    return;
}

# setpriv's options for the group that nginx's workers are in.
sub in_group {
    return if $> != 0;
    return '--regid=' . (getpwnam 'nobody')[3], '--clear-groups';
}

sub stop_stack {
    stop($_) for values %running;
    $stack->stop or die "bench: the stack did not end as it should\n";
    return;
}

# What start_nginx() takes, and: as, a name of its own.
sub start_gateway {
    my ($target, %with) = @_;
    return start_nginx($target->{name}, "$top/bench/nginx.conf", %with);
}

# workers: how many; provider: the name; wrapper: a command that runs it;
# directives: of the main context; pool: a request's, in bytes; as: another name than the target's; ttl: of
# what is cached, in seconds; zone: its size; feed: how the feed is polled.
sub start_nginx {
    my ($name, $template, %with) = @_;
    my $as = $with{as} // $name;
    my $home = "$dir/$as";
    make_path($home, cache() . "/$as");
    my $port = free_port();
    my $provider = $with{provider} // 'identprov';
    Stack::spew("$home/nginx.conf", configuration($template, $name,
        DIR => $home, PORT => $port, WORKERS => $with{workers} // 1,
        TTL => $with{ttl} // 3600, ZONE => $with{zone} // '64m',
        FEED => $with{feed} // 'interval=250ms lease=2s',
        POOL => $with{pool} // 4096,
        CACHE => cache() . "/$as",
        PROVIDER => $provider eq 'identprov' ? $stack->socket('identprov')
            : "$dir/$provider.sock"));
    my $nginx = start($as, @{ $with{wrapper} || [] }, config('NGINX'), '-p', $home,
        '-c', "$home/nginx.conf", '-e', "$home/error.log", '-g',
        'daemon off; ' . ($with{directives} // ''));
    $nginx->{port} = $port;
    return $nginx;
}

# A directory in memory, for who keeps files.
sub cache {
    return $cache if defined $cache;
    $cache = -w '/dev/shm' ? "/dev/shm/identgw-bench-$$" : "$dir/cache";
    make_path($cache);
    chown +(getpwnam 'nobody')[2, 3], $cache if $> == 0;
    return $cache;
}

# A command, after options of setpriv.
sub start {
    my ($name, @command) = @_;
    my $pid = fork // die "bench: fork: $!\n";
    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$dir/$name.log";
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'TERM', @command or POSIX::_exit(127);
    }
    return $running{$name} = { name => $name, pid => $pid };
}

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
        or die "bench: listen: $!\n";
    return $socket->sockport;
}

sub configuration {
    my ($template, $name, %value) = @_;
    %value = (%value, %identity,
        APPLICATION => "$dir/application.sock",
        PASS => $pass,
        BENCH => "$top/bench",
        MODULE => "$set{BUILD}/ngx_http_identgw_module.so",
        MODULES => $modules,
        USER => $> == 0 ? 'user nobody ' . getgrgid((getpwnam 'nobody')[3]) . ';'
            : '');
    my $text = '';
    for my $line (split /^/, slurp($template)) {
        next if $line =~ s/ *#\@ (.*)// && !grep { $_ eq $name } split ' ', $1;
        $text .= $line =~ s/\@([A-Z_]+)\@/$value{$1}/gr;
    }
    return $text;
}

sub pid_of {
    my ($name) = @_;
    return $running{$name} ? $running{$name}{pid} : $stack->pid_of($name);
}

sub stop {
    my ($process) = @_;
    delete $running{ $process->{name} };
    # Again and again: one that comes just before nginx sleeps is missed.
    my $is_gone = eval {
        wait_for(STOP_SEC, "the end of $process->{name}", sub {
            kill 'TERM', $process->{pid};
            return waitpid($process->{pid}, WNOHANG) == $process->{pid};
        });
    };
    return if $is_gone;
    kill 'KILL', $process->{pid};
    waitpid $process->{pid}, 0;
    die $@;
}

END {
    my $status = $?;
    eval { stop($_); 1 } or print STDERR $@ for values %running;
    $stack->stop if $stack;
    remove_tree($cache) if defined $cache;
    $? = $status;
}

1;
