# Sequences of requests at the whole gateway: people register, sign in, out and in
# again, change and delete accounts, sessions and profiles, with the right and the
# wrong passwords, entity tags and sessions. A model (t/lib/ApiModel.pm) says of
# each answer what it has to be: status, problem, body, claims, entity tag. The
# applications are the ones with the sanitizers. Steps come from a seed; of a
# sequence that fails the shortest one that still does is shown.
#
#   SECONDS=  new sequences for so long (make fuzz); else the same ones each time
#   SEED=     of them
#   NAMES=    of make fuzz: this is one of them, sequences
use strict;
use warnings;
use lib 't/lib';
use ApiModel;
use Client;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Sequences;
use Stack qw(slurp);
use Test::More;
use Time::HiRes qw(time);

my $SEQUENCES = 8;
my @names = split ' ', $ENV{NAMES} // '';
plan skip_all => 'not one of NAMES'
    if @names && !grep { $_ eq 'sequences' } @names;
my $seconds = $ENV{SECONDS};
my $seed = $ENV{SEED} || ($seconds ? 1 + int rand 1e9 : 1);
diag("SEED=$seed") if $seconds;

# --- a stack of the programs with the sanitizers -------------------------------------

my $build = abs_path($ENV{BUILD} || 'build');
my $room = tempdir(CLEANUP => 1);
chmod 01777, $room;
mkdir "$room/build";
for my $name ('config.mk', 'ngx_http_identgw_module.so',
    'fuzzing/inject/identprov', 'fuzzing/inject/userprofile') {
    symlink "$build/$name", "$room/build/" . $name =~ s{.*/}{}r
        or die "$name: $!\n";
}
@ENV{qw(ASAN_OPTIONS UBSAN_OPTIONS)} = map {
    "${_}log_path=$room/report:exitcode=99" } '', 'print_stacktrace=1:';
my $stack = Stack->start(env => { BUILD => "$room/build",
        IDENTPROV_HASH_MEMORY => '64k', IDENTPROV_HASH_PASSES => 1,
        IDENTPROV_HASH_MINIMUM => 'none' });
my $client = Client->new($stack->port);

sub ask {
    my ($method, $target, $headers, $body) = @_;
    # What is not read as it was sent closes the connection.
    return $client->ask($method, $target, $headers, $body)
        // do { $client = Client->new($stack->port); undef };
}

# --- runs ----------------------------------------------------------------------------

my ($round, $requests, %done) = (0, 0);

sub run {
    my ($steps, $asks) = @_;
    my $model = ApiModel->new(name => sprintf('q%d', ++$round),
        asks => sub { $requests++; ($asks || \&ask)->(@_) });
    my ($at, @faults) = (0);
    for my $step (@$steps) {
        $done{ $step->{op} }++;
        @faults = $model->take($step);
        last if @faults;
        $at++;
    }
    @faults = $model->look_at_all if !@faults;
    return if !@faults;
    return { at => $at, faults => \@faults, log => $model->{log} };
}

# With what number, as SEED; without the operations that take long if it is not
# the gateway that is tried.
sub try {
    my ($number, $asks) = @_;
    my %operations = %ApiModel::OPERATIONS;
    delete @operations{qw(many_logins wait_for_feed)} if $asks;
    my $steps = Sequences::generate($number, \%operations);
    my $found = run($steps, $asks) or return;
    return Sequences::shrink($steps, $found, sub { run($_[0], $asks) });
}

sub show {
    my ($number, $found) = @_;
    my @faults = @{ $found->{faults} };
    utf8::encode($_) for grep { utf8::is_utf8($_) } @faults;
    diag("SEED=$number: ", join('; ', @faults), " after\n",
        map { "$_\n" } @{ $found->{log} });
    return;
}

my $end = time + ($seconds // 0);
my ($number, $wrong) = ($seed, 0);
while ($seconds ? time < $end : $number < $seed + $SEQUENCES) {
    my $found = try($number);
    show($number, $found) if $found;
    last if $found && ++$wrong == 3;
    $number++;
}
is($wrong, 0, sprintf '%d sequences, %d requests, as the model says',
    $number - $seed, $requests);
is(join(' ', grep { !$done{$_} } sort keys %ApiModel::OPERATIONS), '',
    '... every operation was among them');

# --- it sees what is wrong -----------------------------------------------------------

# Of a gateway that does not do what it should: found, and in how few steps.
sub is_seen {
    my ($what, $steps, $liar) = @_;
    for my $number (1 .. 50) {
        my $found = try($number, $liar) or next;
        my $count = grep { /^# (?!look_at_all)/ } @{ $found->{log} };
        return cmp_ok($count, '<=', $steps, "$what is shown in $count steps")
            || show($number, $found);
    }
    return fail("$what is seen");
}

is_seen('a logout that ends nothing', 3, sub {
    return $_[1] eq '/logout'
        ? { status => 204, headers => [], body => '' } : ask(@_);
});
is_seen('an If-Match that is not heeded', 4, sub {
    my ($method, $target, $headers, $body) = @_;
    return ask($method, $target, [ map { /^If-Match$/ ? 'X-If' : $_ } @$headers ],
        $body);
});

is($stack->stop ? 'clean' : 'not clean', 'clean', 'all ends on SIGTERM');
is(join('', map { slurp($_) } glob "$room/report.*"), '',
    'the sanitizers have nothing to say');
done_testing;
