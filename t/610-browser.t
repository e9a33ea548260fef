# The pages in a real browser: t/browser, which prints its claims line by line.
# Screenshots go to BUILD/screenshots, for people to look at.
use strict;
use warnings;
use Cwd qw(abs_path);
use IO::Socket::INET;
use Stack;
use Test::More;
use lib 't/lib';

my $BUILD = abs_path($ENV{BUILD} || 'build');

sub in_path {
    my ($name) = @_;
    my ($path) = grep { -x } map { "$_/$name" } split /:/, $ENV{PATH};
    return $path;
}

sub why_not {
    my @missing = grep { !in_path($_) } qw(chromium node npm);
    return "not installed here: @missing" if @missing;
    my $said = `scripts/fetch-browser-driver '$BUILD/browser' 2>&1`;
    return $? ? 'npm cannot fetch playwright-core: ' . ($said =~ s/\s+/ /gr)
        : undef;
}

my $why = why_not();
plan skip_all => "the pages in a browser: $why" if defined $why;

# The same identity provider below a prefix, with pages of the operator's; and
# an origin of its own in the eyes of a browser that has no Sec-Fetch headers
# for it.
my $stack = Stack->start(conf => <<'END');
location /auth/ {
    identgw off;
    fastcgi_split_path_info ^(/auth)(/.*)$;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param SCRIPT_NAME $fastcgi_script_name;
    fastcgi_param PATH_INFO $fastcgi_path_info;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param REQUEST_ID $request_id;
    fastcgi_param REMOTE_ADDR $remote_addr;
    fastcgi_param SERVER_NAME $server_name;
    fastcgi_param IDENTGW_SESSION_NAME JSESSIONID;
    fastcgi_pass identprov;
}
location /me/ {
    fastcgi_split_path_info ^(/me)(/.*)$;
    fastcgi_param REQUEST_METHOD $request_method;
    fastcgi_param SCRIPT_NAME $fastcgi_script_name;
    fastcgi_param PATH_INFO $fastcgi_path_info;
    fastcgi_param QUERY_STRING $query_string;
    fastcgi_param CONTENT_TYPE $content_type;
    fastcgi_param CONTENT_LENGTH $content_length;
    fastcgi_param REQUEST_ID $request_id;
    fastcgi_param REMOTE_ADDR $remote_addr;
    fastcgi_pass userprofile;
}
location /app/ {
    default_type text/html;
    return 200 '<!DOCTYPE html><title>app</title><p>of $identgw_user</p>';
}
END

my $shots = "$BUILD/screenshots";
mkdir $shots;
unlink glob "$shots/*.png";
my $home = "$stack->{var}/home";
mkdir $home;
local $ENV{HOME} = $home;
my $left = 1;
open my $claims, '-|', 'timeout', '900', 'node', 't/browser/main.mjs',
    $stack->url, "$BUILD/browser", in_path('chromium'), $shots
    or die "node: $!\n";
while (my $line = <$claims>) {
    if ($line =~ /^(not )?ok (.*)/) {
        ok(!$1, $2);
    } elsif ($line =~ /^end$/) {
        $left = 0;
    } else {
        diag($line);
    }
}
ok(close($claims) && !$left, 'the browser came to the end');
cmp_ok(scalar(() = glob "$shots/*.png"), '>=', 50,
    'each page in both languages and themes is in BUILD/screenshots')
    if !$ENV{PARTS};
$stack->stops_cleanly;
done_testing;
