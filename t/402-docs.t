# What the pages say is what the programs have.
use strict;
use warnings;
use Test::More;

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    local $/;
    return <$in>;
}

sub sorted_unique {
    my %seen;
    return [sort grep { !$seen{$_}++ } @_];
}

my $readme = slurp('README.md');
my $directives = slurp('docs/directives.md');
my $http_api = slurp('docs/http-api.md');
my $settings = slurp('docs/settings.md');

for my $program (qw(identprov userprofile)) {
    my $table = qx{'$ENV{BUILD}/$program' --settings-markdown};
    is($?, 0, "$program prints its settings");
    ok(index($settings, $table) >= 0,
        "docs/settings.md has what $program --settings-markdown prints");
}

my @commands = slurp('ngx_http_identgw_module/ngx_http_identgw_module.c')
    =~ /\{ ngx_string\("(identgw\w*)"\),\s+NGX_HTTP_/g;
is_deeply(sorted_unique($directives =~ /^## (identgw\w*)$/mg),
    sorted_unique(@commands), 'docs/directives.md has each directive');
is_deeply(sorted_unique($readme =~ /^\| `(identgw\w*) /mg),
    sorted_unique(@commands), 'README.md has each directive');

my @variables = map { "\$$_" }
    slurp('ngx_http_identgw_module/ngx_http_identgw_variables.c')
    =~ /ngx_string\("(identgw_\w+)"\)/g;
for my $variable (grep { !/_$/ } @variables) {
    ok(index($directives, $variable) >= 0,
        "docs/directives.md has $variable");
}

my @reasons = slurp('ngx_http_identgw_module/ngx_http_identgw_ctx.c')
    =~ /\{ ngx_string\("(\w+)"\), /g;
is_deeply(sorted_unique($directives =~ /^\| `(\w+)` \| (?:\d|the upstream)/mg),
    sorted_unique(@reasons), 'docs/directives.md has each reason code');

for my $file (qw(fcgi-identprov/handlers.c fcgi-userprofile/handlers.c)) {
    for my $route (slurp($file) =~ /\{ IGW_(\w+, "[^"]+"), /g) {
        my ($method, $path) = $route =~ /(\w+), "(.*)"/;
        $path =~ s/\*$/{id}/;
        like($http_api, qr/^### .*\b$method \Q$path\E(?:,|$)/m,
            "docs/http-api.md has $method $path");
    }
}

# docs/security.md: a named file is there, and so is a named unit test.
my $security = slurp('docs/security.md');
for my $file (@{ sorted_unique($security =~ m{`(t/[^`]+)`}g) }) {
    ok(-e $file, "docs/security.md names $file");
}
while ($security =~ m{`(t/unit/\w+\.c)`: (\w+(?:, \w+)*)}g) {
    my ($file, $names) = ($1, $2);
    for my $name (grep { /_.*_/ } split /, /, $names) {
        like(slurp($file), qr/^$name\(void/m, "... and $name in it");
    }
}

# Only one file speaks to each library, as docs/security.md says.
my %speaks = ('fcgi-common/pg.c' => qr/\bPQ[a-z]\w*\(/,
    'fcgi-common/crypto.c' => qr/\b(?:EVP|RAND)_\w+\(/,
    'fcgi-common/http.c' => qr/\bFCGX_\w+\(/,
    'fcgi-common/json.c' => qr/\bjson_(?:load|dump)\w+\(/,
    'fcgi-identprov/password.c' => qr/\bcrypto_pwhash\w*\(/);
for my $file (sort keys %speaks) {
    is(join(' ', grep { slurp($_) =~ $speaks{$file} } glob 'fcgi-*/*.c'),
        $file, "$file alone has $speaks{$file}");
}

# docs/operations.md shows the files that t/fault/patroni.t starts.
for my $file (glob 'docs/patroni/*') {
    my $shown = slurp($file) =~ s/^/    /gmr =~ s/^ +$//gmr;
    ok(index(slurp('docs/operations.md'), "\n\n$shown\n") >= 0,
        "docs/operations.md shows $file");
}

my ($lines) = $readme =~ /(    location \/app\/ \{\n.*?\n    \}\n)/s;
for my $line (split /\n/, $lines) {
    $line =~ s/^    //;
    like(slurp('nginx.conf.example'), qr/^\s*#\+ \Q$line\E$/m,
        "nginx.conf.example has README.md's: $line");
}

done_testing();
