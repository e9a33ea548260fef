# What "nginx -t" refuses, with the file, the line and how to mend it. The
# zone's and the feed's part of it is elsewhere.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use ModuleTest;
use Refused;

# A paragraph with a list is one for each of its items, which go where "{}" is.
sub expanded {
    my ($paragraph) = @_;
    my @items = $paragraph =~ /^- (.*)\n/mg or return $paragraph;
    $paragraph =~ s/^- .*\n//mg;
    return map {
        my ($item, $plain) = ($_, s/^'(.*)'\z/$1/r);
        $paragraph =~ s/^(\S.*)\{\}/$1$item/mr =~ s/\{\}/$plain/gr;
    } @items;
}

no_long_string();
no_root_location();
Refused::blocks(join "\n", map { expanded("$_\n") } split /\n{2,}/,
    join '', <DATA>);
run_tests();

__DATA__

identgw maybe;
    invalid value "maybe" in "identgw", it must be "on", "optional" or "off"

identgw On;
    invalid value "On" in "identgw", it must be "on", "optional" or "off"

identgw on;
identgw off;
    "identgw" directive is duplicate

http: identgw on;
identgw on;
    "identgw" directive is duplicate

identgw on off;
    invalid number of arguments in "identgw" directive

location /app { if ($arg_a) { identgw off; } }
    "identgw" directive is not allowed here

location /app { limit_except GET { identgw off; } }
    "identgw" directive is not allowed here

identgw_authenticate {};
- authenticate
- http://a/b
- @named
- /a?b=c
- /a#b
- /a%41
- /$uri
- /a//b
- /a/../b
- ''
- '/a b'
- off
    invalid uri "{}" in "identgw_authenticate", it must be the path of an
    internal location such as "/.identgw/x", without arguments, variables and
    escapes

identgw_signin {};
- signin
- http://a/b
- @named
- /a?b=c
- /a#b
- /a%41
- /$uri
- /a//b
- /a/../b
- ''
- '/a b'
    invalid uri "{}" in "identgw_signin", it must be the path of an internal
    location such as "/.identgw/x", without arguments, variables and escapes

identgw_authenticate /a;
identgw_authenticate /b;
    "identgw_authenticate" directive is duplicate

identgw_signin /a;
identgw_signin /b;
    "identgw_signin" directive is duplicate

identgw_signin off;
identgw_signin /b;
    "identgw_signin" directive is duplicate

identgw_signin /a;
identgw_signin off;
    "identgw_signin" directive is duplicate

identgw_signin /login redirected;
    invalid parameter "redirected" in "identgw_signin", it must be "redirect"
    or left out

identgw_signin /login redirect;
identgw_signin off redirect;
    "identgw_signin" directive is duplicate

identgw_signin /login redirect;
identgw_signin /login2 redirect;
    "identgw_signin" directive is duplicate

identgw_signin {} redirect;
- https://sso.example/
- //sso.example/
- /\sso.example/
- login
- /login?$args
- /login?a#b
    invalid uri "{}" in "identgw_signin ... redirect", it must be the path of
    a page of this server such as "/login", without variables and escapes

include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login?a=1 redirect;
location / { identgw on; }
    location for identgw_signin "/login?a=1" redirect is itself protected,
    browsers would go in circles; add "identgw off" to it; it is needed by
    "identgw"

include $TEST_NGINX_CONF/idp.conf;
identgw_signin /login redirect;
identgw on;
    location for identgw_signin "/login" redirect is itself protected,
    browsers would go in circles; add "identgw off" to it; it is needed by
    "identgw"

include $TEST_NGINX_CONF/idp.conf;
identgw_signin /.identgw/signin redirect;
location /app { identgw on; }
    location for identgw_signin "/.identgw/signin" redirect is "internal",
    browsers could not ask it; name a page that they can; it is needed by
    "identgw"

identgw_pass_session maybe;
    invalid value "maybe" in "identgw_pass_session" directive, it must be "on"
    or "off"

identgw_pass_session on;
identgw_pass_session on;
    "identgw_pass_session" directive is duplicate

identgw_session_name {};
- 'a b'
- a=b
- 'a:b'
- ''
- é
    invalid session name "{}", it must be of the characters that header and
    cookie names have

identgw_session_name {};
- Cookie
- Authorization
- host
- X-Request-Id
- Sec-Fetch-Site
- X-Identgw-Reason
- Proxy
- Accept
- close
    session name "{}" is a header with a meaning of its own, choose another

identgw_session_name A;
identgw_session_name B;
    "identgw_session_name" directive is duplicate

include $TEST_NGINX_CONF/idp.conf;
identgw_identity_headers X-User;
identgw_session_name x_user;
location /app { identgw on; }
    session name "x_user" is an identity header, too, choose another by
    "identgw_session_name" where "identgw" stands

identgw_identity_headers Authorization {};
- Host
- Connection
- close
- Content-Length
- Content-Type
- Transfer-Encoding
- TE
- Trailer
- Upgrade
- Keep-Alive
- Expect
- Cookie
- Set-Cookie
- Range
- If-None-Match
- If-Modified-Since
- Proxy
- Proxy-Authorization
- X-Forwarded-For
- X-Real-IP
- Forwarded
- Via
- Referer
- Origin
- Accept
- Accept-Encoding
- User-Agent
- Date
- Sec-Fetch-Site
- HTTP2-Settings
- X-Request-Id
- X-Accel-Redirect
- content_length
    "{}" cannot be an identity header, nginx or HTTP lives by it; choose a
    name of your own, as in "X-User={}"

identgw_identity_headers Host=X-User;
    "Host" cannot be an identity header, nginx or HTTP lives by it; choose a
    name of your own, as in "X-User=Host"

identgw_identity_headers {};
- =X-User
- X-User=
- 'X User'
- X-User=a=b
- X-User:
- ''
    invalid identity header "{}", it must be a name such as "X-User", or
    "Remote-User=X-User" for one that the answer calls otherwise

identgw_identity_headers X-User X_USER;
    identity headers "X-User" and "X_USER" are the same to a CGI application,
    leave one out

identgw_identity_headers X-User;
identgw_identity_headers X-User;
    "identgw_identity_headers" directive is duplicate

location /a { identgw_identity_headers X-User; }
    "identgw_identity_headers" directive is not allowed here

identgw_identity_headers;
    invalid number of arguments in "identgw_identity_headers" directive

identgw_csrf {};
- https://app.example/
- app.example
- ftp://app.example
- https://
- https://:443
- https://app.example:
- https://app.example:65536
- https://*.app.example
- https://user@app.example
- null
- https://[::1
- https://$host
    invalid origin "{}", it must be what browsers send, such as
    "https://app.example:8443", without a path

identgw_csrf on https://app.example;
    invalid origin "on", it must be what browsers send, such as
    "https://app.example:8443", without a path

identgw_csrf on;
identgw_csrf off;
    "identgw_csrf" directive is duplicate

identgw_csrf;
    invalid number of arguments in "identgw_csrf" directive

location / { if ($arg_a) { identgw_csrf off; } }
    "identgw_csrf" directive is not allowed here

location /app { identgw_require $arg_a; }
    "identgw_require" has no effect under "identgw off", add "identgw on" or
    "identgw optional" to its location

location /app {
identgw_require $arg_a; # here
identgw_require $arg_b;
}
    "identgw_require" has no effect under "identgw off", add "identgw on" or
    "identgw optional" to its location

identgw_require;
    "identgw_require" directive is not allowed here

location /app { identgw on; identgw_require; }
    invalid number of arguments in "identgw_require" directive

http: identgw_require $arg_a;
    "identgw_require" directive is not allowed here

location /app { identgw on; if ($arg_a) { identgw_require $arg_a; } }
    "identgw_require" directive is not allowed here

location = /status { identgw_status xml; }
    invalid format "xml" in "identgw_status", it must be "prometheus" or "json"

location = /status { identgw_status prometheus json; }
    invalid number of arguments in "identgw_status" directive

location = /status {
identgw_status;
identgw_status json; # here
}
    "identgw_status" directive is duplicate

identgw_status;
    "identgw_status" directive is not allowed here

location = /status { if ($arg_x) { identgw_status; } }
    "identgw_status" directive is not allowed here

location /app { identgw on; }
    location for identgw_authenticate "/.identgw/authenticate" does not exist,
    add it with "internal"; it is needed by "identgw"

location /app { identgw optional; }
    location for identgw_authenticate "/.identgw/authenticate" does not exist,
    add it with "internal"; it is needed by "identgw"

http: identgw on;
    location for identgw_authenticate "/.identgw/authenticate" does not exist,
    add it with "internal"; it is needed by "identgw"

location = /.identgw/authenticate { internal; }
location /app { identgw on; }
    location for identgw_signin "/.identgw/signin" does not exist, add it with
    "internal"; it is needed by "identgw"

location = /.identgw/authenticate { return 204; }
location /app { identgw on; }
    location for identgw_authenticate "/.identgw/authenticate" is not
    "internal", add it, or clients could ask it themselves; it is needed by
    "identgw"

location /.identgw/ { return 204; }
location /app { identgw on; }
    location for identgw_authenticate "/.identgw/authenticate" is not
    "internal", add it, or clients could ask it themselves; it is needed by
    "identgw"

location /.identgw/ { internal; }
location ~ authenticate$ { return 204; }
location /app { identgw on; }
    location for identgw_authenticate "/.identgw/authenticate" is not
    "internal", add it, or clients could ask it themselves; it is needed by
    "identgw"

location = /.identgw/authenticate { internal; }
location /.identgw/signin { return 200; }
location /app { identgw on; }
    location for identgw_signin "/.identgw/signin" is not "internal", add it,
    or clients could ask it themselves; it is needed by "identgw"

location /.identgw/ { internal; location /.identgw/auth { identgw on; } }
    location for identgw_authenticate "/.identgw/authenticate" is itself
    protected, add "identgw off" to it; it is needed by "identgw"

location /.identgw/ { internal; location ~ auth { identgw on; } }
    location for identgw_authenticate "/.identgw/authenticate" is itself
    protected, add "identgw off" to it; it is needed by "identgw"

identgw on; # here
location /.identgw/ { internal; }
    location for identgw_authenticate "/.identgw/authenticate" is itself
    protected, add "identgw off" to it; it is needed by "identgw"

location = /.identgw/authenticate { internal; }
location = /.identgw/signin { internal; identgw optional; } # here
location /app { identgw on; }
    location for identgw_signin "/.identgw/signin" is itself protected, add
    "identgw off" to it; it is needed by "identgw"
