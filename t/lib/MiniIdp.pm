package MiniIdp;

# An identity provider with a revocation feed, over FastCGI, whose every word a
# test chooses. What it knows are files of its room, which a test writes at any
# time:
#
#   epoch     of answers and cursors
#   revoked   one hash a line; the cursor is their count
#   delay     milliseconds that an authenticate answer takes
#   answer    header lines instead of those of an authenticate answer, or
#             "close" for none
#   extra     header lines more of it
#   feed_header  lines instead of Identgw-Epoch
#   feed      "hang", "close", "delay MS", or a whole CGI answer
#
# Sessions are called "user-NAME" or "user-NAME-ANYTHING"; others are unknown.
# What it was asked stands in the files "questions" and "polls".
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FastCGI;
use File::Temp qw(tempdir);
use Provider qw(answer cgi identity);
use Time::HiRes qw(sleep time);

my @running;

sub new {
    my ($class) = @_;
    my $room = tempdir('identgw-mini.XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $room;
    my $self = bless { room => $room, owner => $$ }, $class;
    $self->put(epoch => '7001.00000001');
    $self->{pid} = FastCGI::serve("$room/socket", sub { $self->serve($_[0]) });
    push @running, $self;
    return $self;
}

sub socket { return "$_[0]{room}/socket" }

# For "http": connections are kept, for each costs it a process.
sub upstream {
    my ($self) = @_;
    return "upstream mini { server unix:$self->{room}/socket; "
        . "keepalive 32; }\n";
}

# Its locations for a gateway's server: the questions, the feed, /app and its
# like, /logout.
sub locations {
    my ($self) = @_;
    my $pass = "fastcgi_param QUERY_STRING \$query_string; "
        . "fastcgi_keep_conn on; fastcgi_buffer_size 16k; "
        . "fastcgi_buffers 8 16k; "
        . "fastcgi_pass mini;";
    return <<"END";
location = /.identgw/authenticate { internal; identgw off;
    fastcgi_param ROLE authenticate; $pass }
location = /.identgw/revocations { internal; identgw off;
    fastcgi_param ROLE feed; $pass }
location /app { identgw on; identgw_signin off; identgw_pass_session on;
    add_header X-Cache \$identgw_cache always;
    fastcgi_param ROLE echo; $pass }
location = /logout { identgw_purge on; fastcgi_param ROLE logout; $pass }
END
}

# Undef takes a file away. A reader sees the old text or the new one.
sub put {
    my ($self, %texts) = @_;
    for my $name (keys %texts) {
        my $file = "$self->{room}/$name";
        if (!defined $texts{$name}) {
            unlink $file;
            next;
        }
        open my $out, '>', "$file.new" or die "$file: $!\n";
        print $out $texts{$name};
        close $out or die "$file: $!\n";
        rename "$file.new", $file or die "$file: $!\n";
    }
    return;
}

sub get {
    my ($self, $name) = @_;
    open my $in, '<', "$self->{room}/$name" or return;
    local $/;
    return scalar <$in>;
}

sub append {
    my ($self, $name, $line) = @_;
    open my $out, '>>', "$self->{room}/$name" or die "$name: $!\n";
    syswrite $out, "$line\n";
    return;
}

sub revoke {
    my ($self, @ids) = @_;
    $self->append(revoked => join "\n", map { sha256_hex($_) } @ids);
    return;
}

sub lines {
    my ($self, $name) = @_;
    return split /\n/, $self->get($name) // '';
}

# How often it was asked about a session, or at all.
sub questions {
    my ($self, $id) = @_;
    return scalar grep { !defined $id || $_ eq $id } $self->lines('questions');
}

# What it was polled with: [time, cursor] each.
sub polls {
    my ($self) = @_;
    return map { [ split / /, $_, 2 ] } $self->lines('polls');
}

# --- its side of the sockets --------------------------------------------------

sub serve {
    my ($self, $socket) = @_;
    my $bytes = '';
    while (sysread $socket, $bytes, 1 << 16, length $bytes) {
        while (my $request = FastCGI::take_request(\$bytes)) {
            my %param = @{ $request->{params} };
            my $role = $param{ROLE} // 'authenticate';
            my $play = $self->can("play_$role") or return;
            $play->($self, $socket, \%param) or return;
        }
    }
    return;
}

sub play_authenticate {
    my ($self, $socket, $param) = @_;
    my $id = $param->{HTTP_JSESSIONID} // '';
    my $is_revoked = grep { $_ eq sha256_hex($id) } $self->lines('revoked');
    my $epoch = $self->get('epoch');
    my $given = $self->get('answer');
    $self->append(questions => $id);
    sleep(($self->get('delay') // 0) / 1000);
    return 0 if ($given // '') eq 'close';
    my $lines = $given // (
        $id =~ /^user-([^-]+)/ && !$is_revoked ? identity($1)
        : "Status: 401\r\n");
    $lines .= "Identgw-Epoch: $epoch\r\n" if length $epoch;
    return answer($socket, $lines . ($self->get('extra') // ''));
}

sub play_feed {
    my ($self, $socket, $param) = @_;
    my $query = $param->{QUERY_STRING} // '';
    my ($since) = $query =~ /^since=(.*)$/;
    $since = '' if !defined $since;
    $since =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
    $self->append(polls => join ' ', time, $since);
    my $given = $self->get('feed') // '';
    my @revoked = $self->lines('revoked');
    my $epoch = $self->get('epoch');
    sleep 1000 if $given eq 'hang';
    sleep $1 / 1000 if $given =~ /^delay (\d+)/;
    return 0 if $given eq 'close';
    return FastCGI::write_all($socket, Provider::stdout($given)
            . Provider::end_of_request()) if $given =~ /\n/;
    my ($known, $count) = $since =~ /^(.+):(\d+)$/;
    my $is_reset = !defined $known || $known ne $epoch;
    my @rows = $is_reset ? () : @revoked[ $count .. $#revoked ];
    my $header = $self->get('feed_header') // "Identgw-Epoch: $epoch\r\n";
    return answer($socket, $header, join '', map { "$_\n" }
            ($is_reset ? 'reset' : 'cursor') . " $epoch:" . @revoked, @rows,
            'end ' . @rows);
}

sub play_logout {
    my ($self, $socket, $param) = @_;
    $self->revoke($param->{HTTP_JSESSIONID} // '');
    return answer($socket, "Status: 204\r\n", '');
}

sub play_echo {
    my ($self, $socket, $param) = @_;
    return answer($socket, '', join '', map { "$_=$param->{$_}\n" }
            grep { /^HTTP_/ } sort keys %$param);
}

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill TERM => -$pid, $pid;
    waitpid $pid, 0;
    return;
}

END {
    my $status = $?;
    $_->stop for grep { $_->{owner} == $$ } @running;
    $? = $status;
}

1;
