# docs/openapi.yaml describes what both applications really answer: every route,
# and the errors that a client can cause.
use strict;
use warnings;
use lib 't/lib';
use FastCGI;
use JSON::PP;
use Stack qw(header json);
use Test::More;

my $stack = Stack->start;
my @answers;

# Straight to the applications: what the gateway adds is not theirs.
sub ask {
    my ($method, $path, %with) = @_;
    my $app = $path =~ m{^/userprofile} ? 'userprofile' : 'identprov';
    my $body = $with{body} // '';
    my @params = (REQUEST_METHOD => $method, SCRIPT_NAME => '',
        PATH_INFO => $path, QUERY_STRING => $with{query} // '',
        REQUEST_ID => '0' x 32, REMOTE_ADDR => '127.0.0.1',
        CONTENT_TYPE => $with{type} // ($body eq '' ? '' : 'application/json'),
        CONTENT_LENGTH => length $body, @{ $with{params} || [] });
    my $answer = FastCGI::ask($stack->socket($app), \@params, $body);
    push @answers, { method => $method, path => $with{as} // $path,
        status => $answer->{status} + 0, body => $answer->{body},
        type => header($answer, 'Content-Type') };
    is($answer->{status}, $with{status}, "$method $path: $with{status}")
        or diag($answer->{body});
    return $answer;
}

sub user {
    my ($name) = @_;
    return encode_json({ username => $name, password => 'correct horse 7',
            email => "$name\@example.org", first_name => 'Eva' });
}

my @internal = (params => [ IDENTGW_INTERNAL => 1 ]);
ask(POST => '/register', status => 201, body => user('eva'));
ask(POST => '/register', status => 409, body => user('eva'));
ask(POST => '/register', status => 422, body => '{"no":1}');
ask(POST => '/register', status => 400, body => '{');
ask(POST => '/register', status => 415, body => '{}', type => 'text/plain');
my $login = '{"username":"eva","password":"correct horse 7"}';
ask(POST => '/login', status => 401,
    body => '{"username":"eva","password":"wrong horse 8"}');
my $id = header(ask(POST => '/login', status => 200, body => $login),
    'JSESSIONID');
my $other = header(ask(POST => '/login', status => 200, body => $login),
    'JSESSIONID');
my @session = (params => [ HTTP_JSESSIONID => $id ]);
my $got = ask(GET => '/authenticate', status => 200, @session);
ask(GET => '/authenticate', status => 401);
ask(GET => '/account', status => 200, @session);
ask(GET => '/account', status => 401);
ask(PATCH => '/account', status => 200, @session, body => '{"last_name":"Roe"}');
ask(PATCH => '/account', status => 422, @session, body => '{"id":"x"}');
my $list = ask(GET => '/sessions', status => 200, @session);
my ($sid) = map { $_->{id} } grep { !$_->{current} } @{ json($list)->{sessions} };
my @one = (as => '/sessions/{id}', @session);
ask(DELETE => "/sessions/$sid", status => 204, @one);
ask(DELETE => "/sessions/$sid", status => 404, @one);
ask(DELETE => '/sessions', status => 204, @session);
ask(POST => '/password', status => 422, @session,
    body => '{"current":"wrong horse 8","new":"correct horse 9"}');
ask(POST => '/password', status => 204, @session,
    body => '{"current":"correct horse 7","new":"correct horse 9"}');
ask(GET => '/signin', status => 200);
ask(GET => '/.well-known/jwks.json', status => 200);
ask(GET => '/revocations', status => 200, @internal);
ask(GET => '/revocations', status => 404);
ask(GET => '/metrics', status => 200, @internal);
ask(GET => '/healthz', status => 200);
ask(GET => '/readyz', status => 200);

my @token = (params => [ HTTP_X_USER => 'eva',
        HTTP_AUTHORIZATION => header($got, 'Authorization') ]);
ask(GET => '/userprofile', status => 401);
ask(GET => '/userprofile', status => 404, @token);
ask(PUT => '/userprofile', status => 404, @token, body => '{}');
ask(POST => '/userprofile', status => 201, @token, body => '{"nickname":"E",'
        . '"address":{"country":"DE"},"custom":{"a":[1]}}');
ask(POST => '/userprofile', status => 409, @token, body => '{}');
my $profile = ask(GET => '/userprofile', status => 200, @token);
ask(PUT => '/userprofile', status => 200, @token, body => '{"bio":"x"}');
ask(PUT => '/userprofile', status => 422, @token, body => '{"sub":"x"}');
ask(PATCH => '/userprofile', status => 200, @token, body => '{"bio":"y"}',
    type => 'application/merge-patch+json');
push @{ $token[1] }, HTTP_IF_MATCH => header($profile, 'ETag');
ask(PUT => '/userprofile', status => 412, @token, body => '{}');
splice @{ $token[1] }, -2;
ask(DELETE => '/userprofile', status => 204, @token);

ask(DELETE => '/account', status => 422, @session, body => '{"password":"no"}');
ask(DELETE => '/account', status => 204, @session,
    body => '{"password":"correct horse 9"}');
ask(POST => '/logout', status => 204);

Stack::spew("$stack->{var}/answers", encode_json(\@answers));
my $python = $ENV{PYTHON} || '/usr/bin/python3';
my $text = qx('$python' t/lib/openapi.py docs/openapi.yaml \\
    < '$stack->{var}/answers');
is($?, 0, 'they are judged');
my $wrong = decode_json($text || '["nothing"]');
is(scalar @$wrong, 0, 'every answer is as docs/openapi.yaml says')
    or diag(join "\n", @$wrong);
$stack->stops_cleanly;
done_testing;
