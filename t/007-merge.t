# Where a directive counts: what http says, a server, a location, one nested in
# it and an "if", and what holds when nobody says anything. The zone's and the
# feed's are elsewhere.
use strict;
use warnings;
use lib 't/lib';
use Client qw(field);
use Gateway;
use ModuleTest;
use Test::More;

my $CONF = $ENV{TEST_NGINX_CONF};
my @LETTERS = qw(a b c d);
my @SESSION = ('JSESSIONID', 'ok-alice');

# What http, a server, a location and a nested one say; what holds without;
# and what is in force at a path, found out by requests.
my %DIRECTIVES = (
    identgw => {
        values => [qw(on optional off optional)],
        default => 'off',
        seen => sub {
            my $answer = $_[0]->get($_[1]);
            return $answer->{status} == 401 ? 'on'
                : field($answer, 'Reason') ? 'optional' : 'off';
        },
    },
    identgw_authenticate => {
        values => [ map { "/ask-$_" } @LETTERS ],
        default => '/.identgw/authenticate',
        seen => sub {
            my $user = line_of($_[0]->get($_[1], @SESSION), 'HTTP_X_USER');
            return $user eq 'alice' ? '/.identgw/authenticate' : "/ask-$user";
        },
    },
    identgw_signin => {
        values => [ map { "/sign-$_" } @LETTERS ],
        default => '/.identgw/signin',
        seen => sub {
            my $text = $_[0]->get($_[1])->{body};
            return $text =~ /^Please go/ ? '/.identgw/signin' : $text;
        },
    },
    'identgw_signin ... redirect' => {
        values => [ '/page-a', '/page-b', '/page-c', 'off' ],
        default => 'off',
        seen => sub {
            my $answer = $_[0]->get($_[1], 'Accept', 'text/html');
            my $location = field($answer, 'Location') // 'off?';
            return $location =~ m{^(?:http://[^/]+)?(.*?)\?} ? $1 : $location;
        },
    },
    identgw_session_name => {
        values => [ map { "Session-$_" } @LETTERS ],
        default => 'JSESSIONID',
        seen => sub {
            my ($client, $path) = @_;
            return join ' ', grep {
                field($client->get($path, $_, 'nobody'), 'Identgw-Reason')
                    ne 'no_session'
            } 'JSESSIONID', map { "Session-$_" } @LETTERS;
        },
    },
    identgw_pass_session => {
        values => [qw(on off on off)],
        default => 'off',
        seen => sub {
            return $_[0]->get($_[1], @SESSION)->{body} =~ /^HTTP_JSESSIONID=/m
                ? 'on' : 'off';
        },
    },
    identgw_csrf => {
        values => [ (map { "https://$_.example" } qw(a b c)), 'off' ],
        default => 'on',
        seen => sub {
            my ($client, $path) = @_;
            my @let_in = grep {
                $client->ask('POST', $path, [ 'Origin', $_, 'Cookie',
                    'JSESSIONID=ok-alice' ], '')->{status} == 200
            } map { "https://$_.example" } @LETTERS;
            return @let_in == 0 ? 'on' : @let_in == @LETTERS ? 'off' : "@let_in";
        },
    });

sub line_of {
    my ($answer, $name) = @_;
    return $answer->{body} =~ /^$name=(.*)$/m ? $1 : "$answer->{status}";
}

# --- configuration ------------------------------------------------------------

sub directive {
    my ($name, $value) = @_;
    return $name =~ /^(\S+) \.\.\. (\S+)/ ? "$1 $value $2;" : "$name $value;";
}

sub path_of {
    my ($name) = @_;
    return $name =~ s/ \.\.\. /_/r;
}

sub locations_of {
    my ($name) = @_;
    my $path = path_of($name);
    my $mode = $name eq 'identgw' ? '' : 'identgw on;';
    my ($own, $nested) = map { directive($name, $DIRECTIVES{$name}{values}[$_]) }
        2, 3;
    my $pass = "include $CONF/echo.conf;";
    return <<"END";
location /$path { $mode $pass }
location /$path/if { $mode if (\$uri) { set \$a 1; } $pass }
location /$path/own { $mode $own $pass
    location /$path/own/none { $pass }
    location /$path/own/if { if (\$uri) { set \$a 1; } $pass }
    location /$path/own/nested { $nested $pass }
}
END
}

my $INTERNAL = "include $CONF/idp.conf;\n" . join '', map { <<"END" } @LETTERS;
location = /ask-$_ {
    internal;
    identgw off;
    fastcgi_param REQUEST_METHOD GET;
    fastcgi_param PEER_ROLE authenticate;
    fastcgi_param PEER_SESSION ID;
    fastcgi_param ID ok-$_;
    include $CONF/peer.conf;
}
location = /sign-$_ { internal; identgw off; return 200 /sign-$_; }
location = /page-$_ { identgw off; }
END
my $REQUIRE = <<"END";
location /require { identgw on; include $CONF/echo.conf; }
location /require/own { identgw on; identgw_require \$arg_c;
    include $CONF/echo.conf;
    location /require/own/none { include $CONF/echo.conf; }
    location /require/own/nested { identgw_require \$arg_d;
        include $CONF/echo.conf; }
}
END
my $LOCATIONS = "add_header Reason \$identgw_reason always;\n" . $INTERNAL
    . $REQUIRE . join '', map { locations_of($_) } sort keys %DIRECTIVES;

# --- what counts --------------------------------------------------------------

# How it is at each of a directive's locations, where $outer holds around them.
sub check {
    my ($gateway, $socket, $name, $outer) = @_;
    my %is = %{ $DIRECTIVES{$name} };
    my $path = '/' . path_of($name);
    my %expected = ('' => $outer, '/if' => $outer, '/own' => $is{values}[2],
        '/own/none' => $is{values}[2], '/own/if' => $is{values}[2],
        '/own/nested' => $is{values}[3]);
    my %seen = map {
        my $client = Client->new($gateway->room . "/$socket");
        ($_ => $is{seen}->($client, "$path$_"));
    } keys %expected;
    is_deeply(\%seen, \%expected, "$name in $outer");
}

# The identity headers that the application finds.
sub identity_at {
    my ($gateway, $socket) = @_;
    my $answer = Client->new($gateway->room . "/$socket")->get('/require',
        @SESSION);
    return join ' ', $answer->{body} =~ /^HTTP_(X_\w+)=/mg;
}

for my $name (sort keys %DIRECTIVES) {
    my ($outer, $own) = @{ $DIRECTIVES{$name}{values} };
    my $gateway = Gateway->start(server => 'identgw off;',
        http => directive($name, $outer) . <<"END");
server { listen unix:ROOM/outer; $LOCATIONS }
server { listen unix:ROOM/own; @{[ directive($name, $own) ]} $LOCATIONS }
END
    check($gateway, 'outer', $name, $outer);
    check($gateway, 'own', $name, $own);
    $gateway->is_clean;
}

my $gateway = Gateway->start(server => $LOCATIONS, http => <<"END");
server { listen unix:ROOM/outer; $LOCATIONS }
END
check($gateway, 'http', $_, $DIRECTIVES{$_}{default})
    for sort keys %DIRECTIVES;
is(identity_at($gateway, 'http'), 'X_EMAIL X_FIRST_NAME X_USER',
    'identity headers that nobody chose');
$gateway->stop;

$gateway = Gateway->start(server => $LOCATIONS, http => <<"END");
identgw_identity_headers Authorization X-User;
server { listen unix:ROOM/own; $LOCATIONS
    identgw_identity_headers Authorization X-User X-Email; }
END
is(identity_at($gateway, 'http'), 'X_USER', '... of http');
is(identity_at($gateway, 'own'), 'X_EMAIL X_USER', '... of a server');

my %required;
for my $path (qw(/require /require/own /require/own/none /require/own/nested)) {
    $required{$path} = join ' ', map {
        $gateway->get("$path?$_", @SESSION)->{status};
    } qw(c=0 c=1 d=1 c=1&d=1);
}
is_deeply(\%required, {
        '/require' => '200 200 200 200',
        '/require/own' => '403 200 403 200',
        '/require/own/none' => '403 200 403 200',
        '/require/own/nested' => '403 403 200 200',
    }, 'identgw_require goes down, but not beside another');
$gateway->is_clean;
done_testing;
