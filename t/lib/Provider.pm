package Provider;

# An identity provider over FastCGI that does whatever a test wants: the session
# id "NAME-ARGUMENT" runs the act of that name, and whoever is "ok-..." is let
# in. It writes down which sessions it was asked about.
use strict;
use warnings;
use Exporter qw(import);
use FastCGI;

our @EXPORT_OK = qw(answer cgi end_of_request identity stdout);

my ($owner, $pid, $log) = ($$);

# $act{NAME}->($socket, $argument, $n) plays the $n-th request of a connection
# and returns whether the connection stays.
sub start {
    my ($path, $file, %act) = @_;
    $log = $file;
    $act{ok} = sub { answer($_[0], identity($_[1])) };
    $pid = FastCGI::serve($path, sub { serve($_[0], \%act) });
    return;
}

END {
    if ($$ == $owner && $pid) {
        my $status = $?;
        kill TERM => -$pid, $pid;
        waitpid $pid, 0;
        $? = $status;
    }
}

# How often the provider was asked about a session so far, without a body.
sub questions_about {
    my ($id) = @_;
    open my $in, '<', $log or return 0;
    return scalar grep { $_ eq "$id\n" } <$in>;
}

sub serve {
    my ($socket, $act) = @_;
    my ($bytes, $n) = ('', 0);
    while (sysread $socket, $bytes, 1 << 16, length $bytes) {
        while (my $request = FastCGI::take_request(\$bytes)) {
            my %param = @{ $request->{params} };
            my $id = $param{HTTP_JSESSIONID} // '';
            open my $out, '>>', $log or return;
            syswrite $out, length $request->{body}
                ? "$id and a body\n" : "$id\n";
            my ($name, $argument) = split /-/, $id, 2;
            my $play = $act->{ $name // '' } // sub {
                answer($_[0], "Status: 401\r\n") };
            $play->($socket, $argument // '', ++$n) or return;
        }
    }
    return;
}

# --- what an answer is made of ------------------------------------------------

sub stdout {
    my ($text) = @_;
    return FastCGI::stream(FastCGI::OUTPUT, $text);
}

sub end_of_request {
    return FastCGI::record(FastCGI::END_REQUEST, "\0" x 8);
}

# The identity headers of a user, but those that %other gives, which has undef
# for none.
sub identity {
    my ($user, %other) = @_;
    my %header = (
        'Authorization' => "Bearer token.of.$user",
        'X-User' => $user,
        'X-Email' => "$user\@example.org",
        'X-First-Name' => "First $user",
        %other);
    return join '', map { "$_: $header{$_}\r\n" }
        grep { defined $header{$_} } sort keys %header;
}

# Header lines, and a body, as CGI has it.
sub cgi {
    my ($lines, $body) = @_;
    return "${lines}Content-Type: text/plain\r\n\r\n"
        . ($body // "THE BODY OF AUTHENTICATE\n");
}

sub answer {
    my ($socket, $lines, $body) = @_;
    return FastCGI::write_all($socket, stdout(cgi($lines, $body))
            . end_of_request());
}

1;
