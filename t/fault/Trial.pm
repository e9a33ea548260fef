package Trial;

# A stack with an application that says whom it sees, and people who use it
# (Users) while something goes wrong.
use strict;
use warnings;
use History qw(now);
use Stack qw(wait_for);
use Test::More;
use Time::HiRes qw(sleep);
use Users;

# env: of scripts/run; seed: printed.
sub start {
    my ($class, %with) = @_;
    my $seed = $ENV{SEED} || int rand 1e6;
    diag("SEED=$seed");
    srand $seed;
    my $port = ($ENV{TEST_NGINX_PORT} || 18_080) + 1;
    my $stack = Stack->start(
        env => $with{env},
        conf => "location = /whoami {\n    identgw on;\n"
            . "    proxy_pass http://127.0.0.1:$port;\n}\n",
        http => "server {\n    listen 127.0.0.1:$port;\n    access_log off;\n"
            . "    location / { return 200 \"[\$http_x_user]\"; }\n}\n");
    return bless { stack => $stack, seed => $seed, round => 0 }, $class;
}

# By NAMES=, words; all without it.
sub is_wanted {
    my ($name) = @_;
    my @names = split ' ', $ENV{NAMES} // '';
    return !@names || grep { $_ eq $name } @names;
}

sub stack { return $_[0]{stack} }

# A subtest: people, and $happens->($stack, $users) meanwhile, which returns
# since when the cause is gone. with: back, the seconds until all works again;
# may, a pattern of the violations that are meant.
sub try {
    my ($self, $name, $happens, %with) = @_;
    my $round = ++$self->{round};
    my $stack = $self->{stack};
    my $users = Users->new(at => $stack->port, name => "u$round",
        elsewhere => $stack->socket('identprov'),
        file => "$stack->{var}/history-$round");
    subtest $name => sub {
        $users->start($self->{seed} + $round);
        sleep 1.5;
        my $since = $happens->($stack, $users);
        wait_for(60, 'service', sub { $users->can_do_all });
        my $back = now() - $since;
        cmp_ok($back, '<', $with{back} // 30, 'back by itself');
        sleep 1;
        ok($users->stop, 'nobody has died of it');
        cmp_ok($users->look_at_all, '>', 2, 'people were there');
        is_right($users->verdict, $with{may});
        diag(sprintf '%s: back after %.1f s', $name, $back);
    };
    return;
}

sub is_right {
    my ($verdict, $may) = @_;
    my @violations = grep { !$may || !/$may/ } $verdict->violations;
    is(scalar @violations, 0, 'all that they were told was right');
    splice @violations, 10 if @violations > 10;
    diag($_) for @violations;
    my %count = %{ $verdict->counts };
    diag(join ', ', map { "$_: $count{$_}" } sort keys %count);
    return;
}

1;
