package ApiProfiles;

# The part of ApiModel that has the profiles: who has one, what is in it, and which
# entity tag is the current one. All go through the gateway, which may serve a
# session for a lease after it was ended elsewhere.
use strict;
use warnings;
use utf8;
use Client qw(field);
use JSON::PP;
use Time::HiRes qw(time);
use Unicode::Normalize qw(NFC);

our %OPERATIONS = (get_profile => 10, post_profile => 6, put_profile => 8,
    patch_profile => 8, delete_profile => 3);

my @DOCUMENTS = ({ nickname => 'N' }, { bio => "a\nb", given_name => 'Иван' },
    { nickname => "Jose\x{301}", custom => { a => [ 1, { b => undef } ], t => 'x' } },
    { address => { country => 'FR', locality => 'Paris' }, birthdate => '2001' },
    { custom => {}, phone_number => '+33123456789', locale => 'fr-CA' }, {});
my @PATCHES = ({ nickname => 'P' }, { nickname => undef }, {},
    { custom => { a => undef, n => { x => 1, y => undef } } },
    { custom => { n => { x => undef } }, bio => 'patched' },
    { address => { country => undef } }, { address => { region => 'R' } },
    { custom => undef, address => undef }, { given_name => "Ju\x{308}rgen" });
my @FAULTS = ([ { color => 'red' }, color => 'unknown_field' ],
    [ { nickname => 'x' x 129 }, nickname => 'too_long' ],
    [ { sub => 'me' }, sub => 'read_only' ]);
my @BROKEN = ([ '{"bio":"a"', 'invalid_json' ], [ '[]', 'not_an_object' ],
    [ '{"bio":"a","bio":"b"}', 'duplicate_member' ],
    [ "{\"bio\":\"\xff\"}", 'invalid_encoding' ]);

# --- who --------------------------------------------------------------------------

# What is wrong with the refusal of who may not be in; nothing and true of who is.
sub is_refused {
    my ($self, $answer, $who, $is_cross_site) = @_;
    my $session = $who->{session};
    return (1, is_gateways($answer, 403, 'cross_site')) if $is_cross_site;
    return (0) if $session && $session->{is_live};
    my $may_serve = $session
        && time - $session->{ended} < ApiModel::LEASE_SEC() + $answer->{took};
    return (0) if $may_serve && $answer->{status} != 401;
    return (1, is_gateways($answer, 401, $session ? 'denied'
                : qr/^(?:denied|no_session|bad_session)$/),
        $answer->{body} =~ /^Please go to login/ ? () : 'no sign-in body');
}

# A refusal of the gateway's own.
sub is_gateways {
    my ($answer, $status, $reason) = @_;
    my $given = field($answer, 'Identgw-Reason') // 'none';
    return (ApiModel::is_answered($answer, $status),
        $given =~ /^$reason$/ ? () : "the reason is $given, not $reason");
}

sub ask_profile {
    my ($self, $who, $method, %with) = @_;
    my $begin = time;
    my $answer = $self->ask($method, '/userprofile', %with,
        headers => [ @{ $who->{headers} }, @{ $with{headers} || [] } ]);
    $answer->{took} = time - $begin;
    return $answer;
}

# --- conditions -------------------------------------------------------------------

# A condition, mostly none: headers, and what it comes to with the user's profile
# (as a function of the method): nothing, 412 or 304.
sub condition {
    my ($self, $user) = @_;
    my $tag = ($user // {})->{tag};
    my ($old) = grep { !defined $tag || $_ ne $tag }
        sort keys %{ ($user // {})->{tags} || {} };
    my $name = $self->choose('', '', 'If-Match', 'If-Match', 'If-None-Match');
    my $value = $self->choose($tag // '"none"', $tag // '"none"', $old // '"old"',
        '*', '"a", ' . ($tag // '"b"'), defined $tag ? "W/$tag" : 'W/"c"');
    return ([], sub { }) if $name eq '';
    my $is_weak = $value =~ /^W/;
    my $matches = defined $tag && ($value eq '*' || index($value, $tag) >= 0
        && !($is_weak && $name eq 'If-Match'));
    return ([ $name, $value ], sub {
            my ($is_read) = @_;
            return $matches ? undef : 412 if $name eq 'If-Match';
            return $matches ? $is_read ? 304 : 412 : undef;
        });
}

# --- what is there ----------------------------------------------------------------

# As RFC 7396 has it.
sub merged {
    my ($target, $patch) = @_;
    return $patch if ref $patch ne 'HASH';
    my %result = ref $target eq 'HASH' ? %$target : ();
    for my $name (keys %$patch) {
        delete $result{$name};
        $result{$name} = merged($target->{$name}, $patch->{$name})
            if defined $patch->{$name};
    }
    return \%result;
}

# As it is stored: texts in NFC but in custom, no address without a member.
sub stored {
    my ($data) = @_;
    my %result = %$data;
    for my $value (grep { !ref } values %result) {
        $value = NFC($value);
    }
    delete $result{address} if !%{ $result{address} || {} };
    return \%result;
}

# An answer with the profile; after a write its tag is one that never was.
sub is_answer_with_profile {
    my ($self, $answer, $user, $status, $is_written) = @_;
    my @faults = ApiModel::is_answered($answer, $status);
    return @faults if @faults;
    my ($data, $tag) = (ApiModel::json($answer), field($answer, 'ETag') // '');
    push @faults, 'a tag that was there before'
        if $is_written && $user->{tags}{$tag};
    push @faults, "no strong tag: $tag" if $tag !~ /^"[^"]+"$/;
    push @faults, ApiModel::differs($tag, $user->{tag}, 'tag') if !$is_written;
    $user->{tags}{$tag} = 1;
    $user->{tag} = $tag;
    my $updated = delete $data->{updated_at} // '';
    push @faults, "updated_at is $updated" if $updated !~ /^\d{10}$/;
    push @faults, ApiModel::differs($data, { %{ $user->{profile} },
            sub => $user->{id}, preferred_username => NFC($user->{name}) },
        'profile');
    return @faults;
}

sub do_get_profile {
    my ($self) = @_;
    return $self->is_profile($self->someone);
}

sub is_profile {
    my ($self, $who) = @_;
    my $user = ($who->{session} // {})->{user};
    my ($headers, $condition) = $self->condition($user);
    my $answer = $self->ask_profile($who, 'GET', headers => $headers);
    my ($is_over, @faults) = $self->is_refused($answer, $who, 0);
    return @faults if $is_over;
    return ApiModel::is_answered($answer, 404, 'no_profile')
        if !$user->{profile};
    my $status = $condition->(1);
    return ApiModel::is_answered($answer, 304) if ($status // 0) == 304;
    return ApiModel::is_answered($answer, 412, 'precondition_failed')
        if $status;
    return $self->is_answer_with_profile($answer, $user, 200, 0);
}

# --- writes -----------------------------------------------------------------------

# $data is what comes of it, a function of the profile.
sub write_profile {
    my ($self, $method, $body, $becomes, @fault) = @_;
    my $who = $self->someone;
    my $user = ($who->{session} // {})->{user};
    my $is_cross_site = $self->is_cross_site($who);
    my ($headers, $condition) = $self->condition($user);
    my $broken = $body && $self->choose((undef) x 12, @BROKEN);
    my $answer = $self->ask_profile($who, $method, headers => [ @$headers,
            $broken ? ('Content-Type', 'application/json') : () ],
        $broken ? (body => $broken->[0]) : $body ? (json => $body) : ());
    my ($is_over, @faults) = $self->is_refused($answer, $who, $is_cross_site);
    return @faults if $is_over;
    return ApiModel::is_answered($answer, 400, $broken->[1]) if $broken;
    my ($status, $code, @fields) = $self->refusal($method, $user,
        scalar @$headers, scalar $condition->(0), @fault);
    return ApiModel::is_answered($answer, $status, $code, @fields)
        if defined $status;
    $user->{profile} = $becomes->($user->{profile});
    if ($method eq 'DELETE') {
        $user->{tag} = undef;
        return ApiModel::is_answered($answer, 204);
    }
    return $self->is_answer_with_profile($answer, $user,
        $method eq 'POST' ? 201 : 200, 1);
}

# Conditions come first, then what a PATCH is to be made of (and who asks for a
# condition has it looked for, too), then the fields.
sub refusal {
    my ($self, $method, $user, $is_conditional, $failed, @fault) = @_;
    my $is_there = defined $user->{profile};
    return (412, 'precondition_failed') if $failed;
    return (404, 'no_profile') if !$is_there
        && ($method eq 'PATCH' || $method eq 'PUT' && $is_conditional);
    return (422, 'invalid_fields', @fault) if @fault;
    return (409, 'profile_exists') if $method eq 'POST' && $is_there;
    return (404, 'no_profile') if $method =~ /^(?:PUT|DELETE)$/ && !$is_there;
    return;
}

sub write_document {
    my ($self, $method) = @_;
    my ($data, @fault) = @{ $self->choose(map({ [$_] } @DOCUMENTS, @DOCUMENTS),
            @FAULTS) };
    return $self->write_profile($method, $data, sub { stored($data) }, @fault);
}

sub do_post_profile { my ($self) = @_; return $self->write_document('POST') }
sub do_put_profile { my ($self) = @_; return $self->write_document('PUT') }

sub do_patch_profile {
    my ($self) = @_;
    my ($data, @fault) = @{ $self->choose(map({ [$_] } @PATCHES, @PATCHES),
            @FAULTS) };
    return $self->write_profile('PATCH', $data,
        sub { stored(merged($_[0], $data)) }, @fault);
}

sub do_delete_profile {
    my ($self) = @_;
    return $self->write_profile('DELETE', undef, sub { undef });
}

1;
