package Echo;

# A stack with an application behind it that says what it received.
use strict;
use warnings;
use Exporter qw(import);
use FastCGI;
use Stack;
use Test::More ();

our @EXPORT_OK = qw(echo_of identity is_identity values_of);

my $CONF = join '', map {
    my ($target, @directives) = @$_;
    join "\n", "location = $target {", 'client_max_body_size 2m;',
        @directives, "fastcgi_pass echo;\n}\n";
} (
    [ '/echo', 'identgw on;' ],
    [ '/echo/unbuffered', 'identgw on;', 'fastcgi_request_buffering off;' ],
    [ '/echo/optional', 'identgw optional;' ],
    [ '/echo/off', 'identgw off;' ],
    [ '/echo/session', 'identgw on;', 'identgw_pass_session on;' ]);

# Two users are there already: $stack->{user}{anna}, {boris}, each { id, first }.
sub start {
    my ($class, $more) = @_;
    my $stack = Stack->start(conf => $CONF . ($more // ''), http => <<'HTTP');
upstream echo {
    server unix:@VAR@/echo.sock;
    keepalive 4;
}
HTTP
    $stack->add_helper(FastCGI::echo("$stack->{var}/echo.sock"));
    for my $name (qw(anna boris)) {
        $stack->{user}{$name} = { id => $stack->session($name),
            first => ucfirst $name };
    }
    return $stack;
}

# POSTs to the echo: { status, params => { name => [values] }, body }.
sub echo_of {
    my ($stack, $target, %with) = @_;
    my $answer = $stack->request($with{method} // 'POST', $target, %with);
    return { %$answer, params => {} } if $answer->{status} != 200;
    my ($head, $body) = split /\n\n/, $answer->{body}, 2;
    my %params;
    for my $line (split /\n/, $head) {
        my ($name, $value) = split /=/, $line, 2;
        push @{ $params{$name} }, $value;
    }
    return { status => 200, params => \%params, body => $body };
}

sub values_of {
    my ($got) = @_;
    return join '|', map { @$_ } values %{ $got->{params} };
}

sub identity {
    my ($got) = @_;
    my $params = $got->{params};
    return { map { $_ => $params->{$_} } grep { exists $params->{$_} }
            qw(HTTP_AUTHORIZATION HTTP_X_USER HTTP_X_EMAIL
                HTTP_X_FIRST_NAME) };
}

sub is_identity {
    my ($got, $name, $what) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $identity = identity($got);
    my $token = delete $identity->{HTTP_AUTHORIZATION} || [];
    my $is_token = @$token == 1
        && $token->[0] =~ /^Bearer [\w-]+\.[\w-]+\.[\w-]{86}$/;
    Test::More::is_deeply([ $is_token ? 1 : $token, $identity ], [ 1, {
                HTTP_X_USER => [ $name ],
                HTTP_X_EMAIL => [ "$name\@example.org" ],
                HTTP_X_FIRST_NAME => [ ucfirst $name ] } ], $what);
    return;
}

1;
