package Received;

# What an upstream should receive, byte for byte: worked out from what the
# client sent, nginx's own rules for header names, and the gateway's contract.
use strict;
use warnings;
use Exporter qw(import);

our @EXPORT_OK = qw(expected_head fold locations pass_directives);

# How nginx treats header names that are not of letters, digits and "-".
our %CARES = (
    careful => '',
    underscores => 'underscores_in_headers on;',
    careless => 'underscores_in_headers on; ignore_invalid_headers off;');

my %IS_IDENTITY = map { $_ => 1 } qw(x_user x_email x_first_name);
my @SET_BY_HTTP = qw(host connection content-length transfer-encoding te
    upgrade keep-alive);
my ($VERSION) = `$ENV{TEST_NGINX_BINARY} -v 2>&1` =~ m{nginx/1\.(\d+)\.};

# --- configuration ------------------------------------------------------------

my %PARAMS = (
    REQUEST_METHOD => '$request_method',
    REQUEST_URI => '$request_uri',
    REMOTE_USER => '$remote_user if_not_empty',
    HTTP_HOST => '$host');
my @PARAMS = qw(REQUEST_METHOD REQUEST_URI REMOTE_USER HTTP_HOST);

# The directives that pass a request to the application of that kind.
sub pass_directives {
    my ($kind, $room) = @_;
    if ($kind eq 'proxy') {
        return "proxy_http_version 1.1;\nproxy_set_header Host \$host;\n"
            . "proxy_set_header Connection \$http_connection;\n"
            . "proxy_pass http://echo_http;\n";
    }
    return "grpc_pass grpc://echo_grpc;\n" if $kind eq 'grpc';
    my $length = $kind eq 'scgi' ? ''
        : "${kind}_param CONTENT_LENGTH \$content_length if_not_empty;\n";
    my $params = join '', map { "${kind}_param $_ $PARAMS{$_};\n" } @PARAMS;
    return "fastcgi_keep_conn on;\n$params$length"
        . "fastcgi_pass echo_fastcgi;\n" if $kind eq 'fastcgi';
    return "$params$length${kind}_pass unix:$room/$kind.sock;\n";
}

# --- the oracle ---------------------------------------------------------------

# A name as CGI and its like fold it.
sub fold {
    my ($name) = @_;
    return lc($name) =~ s/[^a-z0-9]/_/gr;
}

sub is_let_in {
    my ($name, $care) = @_;
    return 1 if $care eq 'careless';
    return $name =~ ($care eq 'careful' ? qr/^[A-Za-z0-9-]+\z/
        : qr/^[A-Za-z0-9_-]+\z/);
}

# The head that an application of that kind should receive:
#   care       a name of %CARES
#   mode       on, optional, off
#   user       who the session belongs to, or undef
#   pass       whether identgw_pass_session is on
#   method, target, headers (a flat list), is_http2
#   remote_user   what REMOTE_USER should be, or undef
sub expected_head {
    my ($kind, %is) = @_;
    my @lines = client_lines(%is);
    @lines = gateway_lines(\@lines, %is);
    return head_of_proxy(\@lines, %is) if $kind eq 'proxy';
    return head_of_grpc(\@lines, %is) if $kind eq 'grpc';
    return head_of_cgi($kind, \@lines, %is);
}

# The client's header lines, as [name, value], that nginx keeps.
sub client_lines {
    my (%is) = @_;
    my @pairs = @{ $is{headers} };
    my (@lines, @crumbs);
    while (my ($name, $value) = splice @pairs, 0, 2) {
        next if !is_let_in($name, $is{care});
        $value =~ s/^[ \t]+|[ \t]+$//g if !$is{is_http2};
        if ($is{is_http2} && $name eq 'cookie') {
            push @crumbs, $value;
            next;
        }
        push @lines, [ $name, $value ];
    }
    push @lines, [ 'cookie', join '; ', @crumbs ] if @crumbs;
    return @lines;
}

sub gateway_lines {
    my ($lines, %is) = @_;
    for my $line (grep { lc $_->[0] eq 'connection' } @$lines) {
        $line->[1] = connection_without_identity($line->[1]);
    }
    my $is_on = $is{mode} ne 'off';
    my $is_withheld = $is_on && !(defined $is{user} && $is{pass});
    my @cookies = $is_withheld ? cookies_without_session($lines) : ();
    my @kept = grep {
        my $name = fold($_->[0]);
        !$IS_IDENTITY{$name} && $name !~ /\A(?:proxy|x_groups)\z/
            && !($is_on && $name eq 'authorization')
            && !($is_withheld && $name eq 'jsessionid')
            && !(@cookies && $name eq 'cookie');
    } @$lines;
    return @kept if !$is_on;
    if (defined $is{user}) {
        push @kept, [ 'Authorization', "Bearer token.of.$is{user}" ],
            [ 'X-User', $is{user} ],
            [ 'X-Email', "$is{user}\@example.org" ],
            [ 'X-First-Name', "First $is{user}" ];
    }
    return (@kept, grep { $_->[1] ne '' } @cookies);
}

# A list that names an identity header, without it; any other as it is.
sub connection_without_identity {
    my ($value) = @_;
    my @names = grep { length } split /[ \t]*,[ \t]*/, $value;
    my @kept = grep { fold($_) ne 'authorization' && !$IS_IDENTITY{ fold($_) } }
        @names;
    return @kept == @names ? $value : join ', ', @kept;
}

# All Cookie lines, if one of them holds the session's, and without it.
sub cookies_without_session {
    my ($lines) = @_;
    my @cookies = grep { lc $_->[0] eq 'cookie' } @$lines;
    my $is_session = qr/^[ \t]*JSESSIONID[ \t]*=/;
    return () if !grep { /$is_session/ } map { split /;/, $_->[1] } @cookies;
    return map {
        my ($name, $value) = @$_;
        my @pieces = split /;/, $value, -1;
        my @kept = grep { !/$is_session/ } @pieces;
        @kept == @pieces ? [ $name, $value ]
            : [ $name, join ';', from_first($pieces[0], @kept) ];
    } @cookies;
}

# A cookie that becomes the first of its line loses the blanks around it, and
# there is no empty one before it.
sub from_first {
    my ($first, @kept) = @_;
    return @kept if @kept && $kept[0] eq $first && $first ne '';
    while (@kept) {
        $kept[0] =~ s/^[ \t]+|[ \t]+$//g;
        return @kept if $kept[0] ne '';
        shift @kept;
    }
    return;
}

sub head_of_proxy {
    my ($lines, %is) = @_;
    my %is_set = map { $_ => 1 } @SET_BY_HTTP;
    my @connection = grep { lc $_->[0] eq 'connection' } @$lines;
    my $hop = @connection ? (joined(@connection))[0][1] : '';
    return join "\r\n", "$is{method} $is{target} HTTP/1.1", 'Host: gateway',
        ($hop eq '' ? () : "Connection: $hop"),
        (map { "$_->[0]: $_->[1]" } grep { !$is_set{ lc $_->[0] } } @$lines),
        '', '';
}

sub head_of_grpc {
    my ($lines, %is) = @_;
    my %is_set = map { $_ => 1 } @SET_BY_HTTP;
    return join "\n", ":method: $is{method}", ':scheme: http',
        ":path: $is{target}", ':authority: echo_grpc',
        (map { lc($_->[0]) . ": $_->[1]" }
            grep { !$is_set{ lc $_->[0] } } @$lines), '', '';
}

sub head_of_cgi {
    my ($kind, $lines, %is) = @_;
    my @params;
    push @params, 'CONTENT_LENGTH=0' if $kind eq 'scgi';
    push @params, "REQUEST_METHOD=$is{method}", "REQUEST_URI=$is{target}";
    push @params, "REMOTE_USER=$is{remote_user}" if defined $is{remote_user};
    push @params, 'HTTP_HOST=gateway';
    for my $line (grep { lc $_->[0] ne 'host' } joined(@$lines)) {
        my ($name, $value) = @$line;
        push @params, 'HTTP_' . ($name =~ tr/a-z-/A-Z_/r) . "=$value";
    }
    return join "\n", @params, '', '';
}

# Since 1.23 lines of one name go to a CGI application as one.
sub joined {
    my (@lines) = @_;
    return @lines if $VERSION < 23;
    my (@joined, %first);
    for my $line (@lines) {
        my ($name, $value) = @$line;
        if (my $first = $first{ lc $name }) {
            $first->[1] .= (lc $name eq 'cookie' ? '; ' : ', ') . $value;
            next;
        }
        push @joined, $first{ lc $name } = [ $name, $value ];
    }
    return @joined;
}

1;
