package Watch;

# Whether a stack is as it was: its processes, what they have and what they say.
# It has /whoami, which answers "[user]".
use strict;
use warnings;
use List::Util qw(max);
use Stack qw(children slurp wait_for);
use Test::More;

my @PROGRAMS = qw(identprov userprofile nginx postgres);
my $SLACK_KB = 8192; # of a process's own memory, and a quarter of what it had
my $SLACK_FILES = 16;
my $WAIT_SEC = 90;   # connections of clients and between the parts have ended

sub new {
    my ($class, $stack) = @_;
    return bless { stack => $stack, session => $stack->session('eva') }, $class;
}

sub stack { return $_[0]{stack} }
sub session { return $_[0]{session} }

# Of every process but PostgreSQL's, whose memory is its own business: kilobytes
# of its own, and open files; by program and place.
sub load {
    my ($self) = @_;
    my %load;
    for my $name (grep { $_ ne 'postgres' } @PROGRAMS) {
        my $i = 0;
        for my $pid (sort { $a <=> $b } family($self->{stack}->pid_of($name))) {
            my ($kb) = slurp("/proc/$pid/status") =~ /^RssAnon:\s*(\d+)/m;
            $load{"$name " . $i++} = { pid => $pid, kb => $kb,
                files => scalar(() = glob "/proc/$pid/fd/*") };
        }
    }
    return \%load;
}

# nginx's workers work for a master.
sub family {
    my ($pid) = @_;
    return ($pid, children($pid));
}

sub pids {
    my ($self) = @_;
    my $stack = $self->{stack};
    return join ' ', map { "$_:" . join ',', $_ eq 'postgres'
        ? $stack->pid_of($_) : family($stack->pid_of($_)) } @PROGRAMS;
}

# After something ordinary in quantity, which fills pools and caches.
sub remember {
    my ($self) = @_;
    $self->{pids} = $self->pids;
    $self->{before} = $self->load;
    return;
}

sub is_as_before {
    my ($self) = @_;
    is($self->pids, $self->{pids}, 'the same processes');
    $self->answers_right;
    is(join("\n", $self->failures), '', 'nothing has failed in the logs');
    my @more;
    eval { wait_for($WAIT_SEC, 'less', sub { !(@more = $self->more) }) };
    is(join("\n", @more), '', 'memory and open files are as before');
    return;
}

sub more {
    my ($self) = @_;
    my $now = $self->load;
    return map {
        my ($was, $is) = ($self->{before}{$_}, $now->{$_});
        my $kb = $was->{kb} + max($SLACK_KB, $was->{kb} / 4);
        (($is->{kb} > $kb ? "$_: $is->{kb} kB after $was->{kb}" : ()),
            ($is->{files} > $was->{files} + $SLACK_FILES
                ? "$_: $is->{files} files after $was->{files}" : ()))
    } sort keys %$now;
}

# Somebody new is served, somebody without a session is not.
sub answers_right {
    my ($self) = @_;
    my $stack = $self->{stack};
    my $name = 'new' . ++$self->{count};
    my $session = eval { $stack->session($name) } // diag($@);
    my @who = (headers => [ 'JSESSIONID', $session ]);
    is($stack->request('GET', '/whoami', @who)->{body}, "[$name]",
        'somebody new is who they are');
    is($stack->post_json('/userprofile', { nickname => $name },
            @who)->{status}, 201, '... has a profile');
    is($stack->request('GET', '/whoami', headers => [
                'JSESSIONID', $self->{session} ])->{body}, '[eva]',
        '... and eva is still in');
    is($stack->request('GET', '/whoami')->{status}, 401,
        'without a session nobody is');
    return;
}

# What says in the logs that something went wrong, whoever caused it; each once.
sub failures {
    my ($self) = @_;
    my %seen;
    for my $file (glob $self->{stack}->var . '/log/*') {
        my $name = $file =~ s{.*/}{}r;
        my $at = $self->{read}{$file} // 0;
        my $text = substr slurp($file), $at;
        $self->{read}{$file} = $at + length $text;
        my $is_wrong = $name eq 'access.log' ? qr/"status":"5(?!03)\d\d"/
            : qr/\[(?:alert|crit|emerg)\]|internal_error|no_answer
                |Sanitizer|runtime\serror|PANIC|FATAL/x;
        $seen{"$name: $_"} = 1 for grep { $_ =~ $is_wrong } split /\n/, $text;
    }
    my @failures = sort keys %seen;
    splice @failures, 5 if @failures > 5;
    return @failures;
}

1;
