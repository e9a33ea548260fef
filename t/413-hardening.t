# How what is installed was linked and compiled: what readelf says of it.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More;

my $build = $ENV{BUILD} || 'build';
open my $config, '<', "$build/config.mk" or die "config.mk: $!\n";
my ($sanitize) = map { /^SANITIZE = *(\S*)/ ? $1 : () } <$config>;
plan skip_all => 'with sanitizers nothing is hardened' if $sanitize;

sub readelf {
    my ($file, @options) = @_;
    open my $in, '-|', 'readelf', '-W', @options, $file or die "readelf: $!\n";
    local $/;
    my $text = <$in>;
    close $in or die "readelf @options $file: $?\n";
    return $text;
}

for my $name (qw(identprov userprofile ngx_http_identgw_module.so)) {
    my $file = "$build/$name";
    my $is_program = $name !~ /\.so$/;
    my $head = readelf($file, '-h', '-l');
    my $dynamic = readelf($file, '-d');
    my $symbols = readelf($file, '--dyn-syms');
    like($head, qr/^\s*Type:\s+DYN /m, "$name: may be anywhere");
    like($dynamic, qr/FLAGS_1.*\bPIE\b/, '... as a program, too')
        if $is_program;
    like($head, qr/^\s*GNU_RELRO /m, '... its tables are read-only');
    like($dynamic, qr/FLAGS_1.*\bNOW\b/, '... all of them, from the start');
    like($head, qr/^\s*GNU_STACK .* RW +0x/m, '... no code on the stack');
    unlike($head, qr/^\s*LOAD .* (?:RWE|WE) /m,
        '... nothing is both written and run');
    unlike($dynamic, qr/\b(?:TEXTREL|RPATH|RUNPATH)\b/,
        '... no code is changed, no library searched for elsewhere');
    like($symbols, qr/\b__stack_chk_fail\b/, '... the stack is watched');
    like($symbols, qr/\b__(?:snprintf|memcpy)_chk\b/, '... copies, too')
        if $is_program;
    unlike($symbols, qr/ FUNC +(?:GLOBAL|WEAK) +\w+ +\d/,
        '... no library takes a function of it for its own') if $is_program;
    unlike($symbols, qr/\b(?:gets|strcpy|strcat|sprintf|vsprintf|mktemp|system)(?:@|$)/m,
        '... nothing that cannot be used safely is called');
    unlike(readelf($file, '-s'), qr/\b(?:igw_inject|__wrap_|IGW_TEST)/,
        '... nothing of the tests is in it');
}
my $module = readelf("$build/ngx_http_identgw_module.so", '-d');
is(join(' ', grep { !/^(?:libc|ld-linux|libpthread)/ }
        $module =~ /\(NEEDED\).*\[(.*?)\]/g), '',
    'the module links no library but C\'s');

# What a library had taken for its own was called at each connection over TCP.
sub status_with_tcp {
    my ($name) = @_;
    my $database = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5)
        or die "no port: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        $ENV{uc($name) . '_DATABASE'} = 'host=127.0.0.1 user=x dbname=x port='
            . $database->sockport;
        open STDERR, '>', '/dev/null';
        exec "$build/$name", 'migrate' or POSIX::_exit(127);
    }
    my $select = IO::Select->new($database);
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        $database->accept if $select->can_read(0.1);
    }
    return $?;
}

is(status_with_tcp($_), 1 << 8,
    "$_ says so when a database over TCP leaves") for qw(identprov userprofile);
done_testing;
