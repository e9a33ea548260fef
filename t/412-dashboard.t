# The dashboard and the alerts ask for metrics, and for values of labels, that there
# are: those that a stack with traffic shows.
use strict;
use warnings;
use lib 't/lib';
use JSON::PP;
use Stack ();
use Test::More;

my $params = join '', map { "fastcgi_param $_;\n" } 'REQUEST_METHOD GET',
    'PATH_INFO /metrics', 'REQUEST_ID $request_id', 'REMOTE_ADDR $remote_addr',
    'IDENTGW_INTERNAL 1';
my $stack = Stack->start(conf => <<"END");
location = /status { identgw off; identgw_status; }
location = /in/identprov { identgw off; $params fastcgi_pass identprov; }
location = /in/userprofile { identgw off; $params fastcgi_pass userprofile; }
END

my $id = $stack->session('anna');
$stack->request('GET', '/userprofile', headers => [ JSESSIONID => $id ]) for 1 .. 3;
$stack->request('GET', '/userprofile');

# name => { label => { value => 1 } }
my %real;
for my $path (qw(/status /in/identprov /in/userprofile)) {
    my $answer = $stack->request('GET', $path);
    is($answer->{status}, 200, "$path has metrics");
    for my $line (grep { !/^#/ } split /\n/, $answer->{body}) {
        my ($name, $labels) = $line =~ /^([a-z_]+)(?:\{(.*)\})? \S+$/
            or die "no sample: $line\n";
        $real{$name} ||= {};
        $real{$name}{$1}{$2} = 1 while ($labels // '') =~ /([a-z]+)="([^"]*)"/g;
    }
}

# What Prometheus itself adds.
my %added = (instance => 1, job => 1);

sub check {
    my ($expression, $where) = @_;
    my $bad = 0;
    while ($expression =~ /\b((?:identgw|identprov|userprofile)_[a-z_]+)(\{([^}]*)\})?/g) {
        my ($name, $selector) = ($1, $3 // '');
        $bad++, diag "$where: no metric $name" if !$real{$name};
        while ($selector =~ /([a-z]+)(=~|=|!=)"([^"]*)"/g) {
            my ($label, $operator, $value) = ($1, $2, $3);
            my $values = $real{$name}{$label};
            $bad++, diag "$where: $name has no label $label" if !$values;
            next if $operator eq '=~' && $value =~ /\./;
            for my $each (split /\|/, $value) {
                $bad++, diag "$where: $name has no $label=\"$each\""
                    if $values && !$values->{$each};
            }
        }
    }
    my @labels = map { split /,\s*/ } $expression =~ /\bby \(([^)]*)\)/g;
    for my $label (grep { !$added{$_} } @labels) {
        my @names = $expression =~ /\b((?:identgw|identprov|userprofile)_[a-z_]+)/g;
        $bad++, diag "$where: nothing has the label $label"
            if !grep { $real{$_}{$label} } @names;
    }
    $bad++, diag "$where: asks for nothing of ours"
        if $expression !~ /\b(?:identgw|identprov|userprofile)_/;
    is($bad, 0, "$where: $expression");
    return;
}

my $dashboard = JSON::PP->new->utf8->decode(Stack::slurp('docs/grafana/identgw.json'));
my %place;
for my $panel (@{ $dashboard->{panels} }) {
    my ($x, $y) = @{ $panel->{gridPos} }{qw(x y)};
    ok(!$place{"$x,$y"}++, "$panel->{title} has a place of its own");
    check($_->{expr}, $panel->{title}) for @{ $panel->{targets} };
}

my $python = $ENV{PYTHON} || 'python3';
my $alerts = JSON::PP->new->utf8->decode(scalar `'$python' -c 'import json, yaml
print(json.dumps(yaml.safe_load(open("docs/grafana/alerts.yml"))))'`);
my @rules = map { @{ $_->{rules} } } @{ $alerts->{groups} };
cmp_ok(scalar @rules, '>', 10, 'the alerts are YAML');
my $operations = Stack::slurp('docs/operations.md');
for my $rule (@rules) {
    check($rule->{expr}, $rule->{alert});
    like($rule->{for}, qr/^\d+m$/, '... for a while');
    like($rule->{annotations}{summary}, qr/^[A-Z].*\.$/, '... in words');
    like($operations, qr/`\Q$rule->{alert}\E`/, '... and docs/operations.md has it');
}

my @reasons = Stack::slurp('ngx_http_identgw_module/ngx_http_identgw_ctx.c')
    =~ /\{ ngx_string\("(\w+)"\), /g;
my ($table) = $operations =~ /^## When something is wrong\n(.*?)(?=^## |\z)/ms;
like($table, qr/^\| `\Q$_\E`/m, "docs/operations.md says what to do about $_")
    for grep { !/^(?:ok|anonymous)$/ } @reasons;

$stack->stops_cleanly;
done_testing;
