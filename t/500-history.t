#!/usr/bin/perl
# The checker of histories finds each kind of violation, and nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use History;
use Test::More;
use Verdicts;

$Verdicts::checker = 'History';

my $login = "login 1 2 a s ivan 200\nlogin 1 2 b t petr 200\n";
my $logout = "${login}logout 10 11 a s - 204\n";

holds('requests of a live session, on both nodes', $login . <<'END_OF_HISTORY');
get 3 4 a s ivan 200
get 3 4 b s ivan 200
get 3 4 b t petr 200
END_OF_HISTORY

holds('requests refused after a logout', $logout . <<'END_OF_HISTORY');
get 12 13 a s - 401
get 14 15 b s - 401
END_OF_HISTORY

holds('requests that a logout overtakes', $logout . <<'END_OF_HISTORY');
get 9 20 a s ivan 200
get 10.5 20 a s ivan 200
get 11 20 b s ivan 200
get 10.5 12 b s - 401
END_OF_HISTORY

holds('within the lease, on another node', $logout . 'get 13 14 b s ivan 200');

holds('errors, and no answer', $logout . <<'END_OF_HISTORY');
get 3 4 a s - 503
get 30 40 a s - 0
get 30 40 b s - 503
END_OF_HISTORY

holds('either way after a logout of unknown outcome', $login
    . <<'END_OF_HISTORY');
logout 10 11 a s - 503
logout 12 13 a s - 0
get 20 21 a s ivan 200
get 20 21 b s - 401
END_OF_HISTORY

holds('another session of the same node', $logout . 'get 20 21 a t petr 200');

holds('401 before the login was answered', <<'END_OF_HISTORY');
login 1 5 a s ivan 200
get 2 3 a s - 401
END_OF_HISTORY

holds('401 for a session that is none', 'get 2 3 a nobody - 401');

finds('on the node of the logout', qr/on the node of the logout/,
    $logout . 'get 11.001 12 a s ivan 200');

finds('on another node', qr/in 2\.001 s after a logout/,
    $logout . 'get 13.001 14 b s ivan 200');

finds('long after', qr/in 989\.000 s after a logout/,
    $logout . 'get 1000 1001 b s ivan 200');

finds('as somebody else', qr/in as another than ivan/,
    $login . 'get 3 4 a s petr 200');

finds('as nobody', qr/in as another than ivan/, $login . 'get 3 4 a s - 200');

finds('with a session that was never given', qr/in without a session/,
    $login . 'get 3 4 a nobody ivan 200');

finds('a live session refused', qr/401 for a session that was live/,
    $login . 'get 3 4 a s - 401');

finds('a live session refused just before the logout',
    qr/401 for a session that was live/, $logout . 'get 8 9 b s - 401');

finds('a second logout does not hide the first', qr/in 9\.000 s after/,
    $logout . "logout 19 22 a s - 204\nget 20 21 b s ivan 200");

# --- changes -------------------------------------------------------------------

my $change = "${login}change 10 11 a - ivan 1 done\n";

holds('a change seen at once, or within the lease, or as it is made',
    $change . <<'END_OF_HISTORY');
saw 11 12 a s ivan 1
saw 12 13 b s ivan 0
saw 13.5 14 b s ivan 1
saw 10.5 12 b s ivan 1
END_OF_HISTORY

finds('what was before a change', qr/was before change 1/,
    $change . 'saw 13.001 14 b s ivan 0');

finds('what will be', qr/from the future/, $change . 'saw 5 9 b s ivan 1');

holds('a change of unknown outcome', <<"END_OF_HISTORY");
${login}change 10 11 a - ivan 1 unknown
saw 20 21 a s ivan 0
saw 30 31 a s ivan 1
END_OF_HISTORY

# --- what is no history ----------------------------------------------------------

for my $text ('get 1 2 a s ivan', 'get 2 1 a s ivan 200', 'get x 1 a s i 200',
    "login 1 2 a s ivan 200\nlogin 3 4 a s ivan 200") {
    ok(!eval { violations($text); 1 }, "no history: $text");
}

done_testing();
