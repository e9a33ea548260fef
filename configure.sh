#!/bin/sh
# Finds what identgw is built, run and tested with, says so line by line, and
# writes BUILD/config.mk. --help shows the options.
set -eu
LC_ALL=C
export LC_ALL

usage() {
    cat <<'END'
usage: ./configure.sh [option]...
  --prefix=DIR     where `make install` puts things (/usr/local)
  --with-debug     for a debugger: no optimization
  --with-asan      applications and their tests with the address and
                   undefined behavior sanitizers; with --nginx-src, nginx
                   and the module, too
  --nginx-src=DIR  builds the nginx whose source was unpacked in DIR, too
                   (1.18 to 1.30), and the module for it; tests run with it
  --again          the options above as in BUILD/config.mk
  --for=WHAT       what must be there: build (default), run, test or check;
                   each includes the ones before it; or bench, which
                   includes build and run, or model, which includes build,
                   or deb or chroots, which do, too, or valgrind, faults,
                   load or hostile, which include test
  --install-deps   installs what is missing with apt-get (Debian 12 and 13,
                   Ubuntu 24.04), as root or through sudo; nothing that it
                   installs is started or enabled as a service
  --ask            with --install-deps: asks first when there is a terminal
  --brief          only says what is missing
  --help           this text
variables: BUILD (build), CC (cc), NGINX (nginx), NGINX_SRC
  (/usr/share/nginx/src), PG_BINDIR (the newest below /usr/lib/postgresql),
  COMMON_PASSWORDS (those of python3-zxcvbn or libdata-password-zxcvbn-perl;
  or a file of your own, one on a line)
END
}

here=$(pwd)
cd "$(dirname "$0")"
build=${BUILD:-build}
what='build'
options=
again=no
do_install=no
ask=no
brief=no
prefix=/usr/local
optimize=
sanitize=
nginx_tree=
PATH=$PATH:/usr/sbin:/sbin

build_option() {
    case $1 in
    --prefix=/*) prefix=${1#*=} ;;
    --with-debug) optimize='-O0 -g3' ;;
    --with-asan)
        sanitize='-fsanitize=address,undefined -fno-omit-frame-pointer'
        optimize=${optimize:--O1 -g}
        ;;
    --nginx-src=*)
        use_nginx_tree "${1#*=}"
        options="$options --nginx-src=$nginx_tree"
        return
        ;;
    *)
        echo "configure.sh: unknown option: $1 (see --help)" >&2
        exit 2
        ;;
    esac
    options="$options $1"
}

bad_tree() {
    echo "configure.sh: --nginx-src=$1: $2" >&2
    exit 2
}

# Of nginx.h in directory $1: the number and the text of the version.
tree_version_number() {
    sed -n 's/^#define nginx_version *\([0-9]*\).*/\1/p' "$1/nginx.h"
}

tree_version() {
    sed -n 's/^#define NGINX_VERSION *"\(.*\)".*/\1/p' "$1/nginx.h"
}

use_nginx_tree() {
    nginx_tree=$(cd "$here" && cd "$1" 2> /dev/null && pwd) \
        || bad_tree "$1" 'there is no such directory'
    case $nginx_tree in
    *[!A-Za-z0-9_./+~@,:-]*)
        bad_tree "$1" 'only letters, digits and _ . / + ~ @ , : - in its path'
        ;;
    esac
    core=$nginx_tree/src/core
    [ -r "$core/nginx.h" ] \
        || bad_tree "$1" "no nginx source: there is no $core/nginx.h"
    [ -r "$core/nginx.c" ] || bad_tree "$1" \
        'only headers, no source of nginx; to build the module for them: NGINX_SRC=DIR'
    number=$(tree_version_number "$core")
    if [ "${number:-0}" -lt 1018000 ] || [ "$number" -ge 1031000 ]; then
        bad_tree "$1" \
            "nginx $(tree_version "$core") is not supported: 1.18 to 1.30 are"
    fi
}

for option; do
    case $option in
    --help) usage; exit 0 ;;
    --for=build | --for=run | --for=test | --for=check | --for=bench \
        | --for=model | --for=deb | --for=chroots | --for=valgrind | --for=faults \
        | --for=hostile | --for=load)
        what=${option#*=}
        ;;
    --again) again=yes ;;
    --install-deps) do_install=yes ;;
    --ask) ask=yes ;;
    --brief) brief=yes ;;
    --as-root=*)
        . scripts/install-packages
        install_packages "${option#*=}"
        exit
        ;;
    *) build_option "$option" ;;
    esac
done

if [ "$again" = yes ] && [ -r "$build/config.mk" ]; then
    # shellcheck disable=SC2013 # words
    for option in $(sed -n 's/^CONFIGURED = *//p' "$build/config.mk"); do
        build_option "$option"
    done
fi

# --- looking ---------------------------------------------------------------

say() {
    case $brief$2 in
    no* | yesMISSING*) printf '  %-22s %s\n' "$1" "$2" >&2 ;;
    esac
}

# lack WHAT PACKAGE [detail]
lack() {
    if [ "$required" = no ]; then
        say "$1" "not found, only for make $level${3:+; $3}; package $2"
        return
    fi
    say "$1" "MISSING${3:+; $3}; package $2"
    if [ "$required" = wished ]; then
        wished="$wished $2"
        return
    fi
    case " $missing " in
    *" $2 "*) ;;
    *) missing="$missing $2" ;;
    esac
}

# program LABEL PACKAGE NAME...: the first NAME that is there; its path in $found
program() {
    label=$1
    package=$2
    shift 2
    found=
    for name; do
        if found=$(command -v "$name"); then
            say "$label" "$found"
            return 0
        fi
    done
    lack "$label" "$package"
}

links() {
    # shellcheck disable=SC2086 # flags are words
    printf '%s\nint main(void) { return %s; }\n' "$1" "$2" \
        | $cc -x c - -o /dev/null $3 > /dev/null 2>&1
}

# library LABEL PACKAGE MODULE FALLBACK-LIBS INCLUDES EXPRESSION
# Flags are added to $lib_cflags and left in $lib_libs.
library() {
    flags=
    lib_libs=$4
    version=
    if command -v pkg-config > /dev/null && pkg-config --exists "$3"; then
        flags=$(pkg-config --cflags "$3")
        lib_libs=$(pkg-config --libs "$3")
        version=$(pkg-config --modversion "$3")
    elif [ "$3" = libpq ] && command -v pg_config > /dev/null; then
        flags=-I$(pg_config --includedir)
    fi
    if [ -n "$cc" ] && links "$5" "$6" "$flags $lib_libs"; then
        say "$1" "${version:-found}"
        lib_cflags="$lib_cflags $flags"
    else
        lack "$1" "$2"
    fi
}

# perl LABEL PACKAGE MODULE
perl_module() {
    if perl -M"$2" -e 1 2> /dev/null; then
        say "perl $2" found
    else
        lack "perl $2" "$1"
    fi
}

# The first python3 that has the modules $2...; its path in $found
python_with() {
    wanted=$1
    for found in "$(command -v python3)" /usr/bin/python3; do
        if "$found" -c "import $wanted" 2> /dev/null; then
            say "python3 $wanted" "$found"
            return 0
        fi
    done
    found=
    lack python3 python3
    lack 'python3 jwcrypto' python3-jwcrypto
    lack 'python3 jwt' python3-jwt
    lack 'python3 yaml' python3-yaml
}

nginx_version() {
    "$1" -v 2>&1 | sed -n 's|^nginx version: nginx/\([0-9.]*\).*|\1|p'
}

# What the nginx to be built needs besides what the module does.
look_for_nginx_tree() {
    nginx=$(mkdir -p "$build" && cd "$build" && pwd)/nginx/objs/nginx
    nginx_src=$nginx_tree
    core=$nginx_tree/src/core
    nginx_headers=$(tree_version "$core")
    say nginx "$nginx_headers, to be built ($nginx_tree)"
    library zlib zlib1g-dev zlib -lz '#include <zlib.h>' 'zlibVersion() == NULL'
    if [ "$(tree_version_number "$core")" -ge 1021005 ]; then
        library PCRE2 libpcre2-dev libpcre2-8 -lpcre2-8 '
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>' 'pcre2_config(0, NULL)'
    else
        library PCRE libpcre3-dev libpcre -lpcre \
            '#include <pcre.h>' 'pcre_version() == NULL'
    fi
}

look_for_nginx() {
    if [ -n "$nginx_tree" ]; then
        look_for_nginx_tree
        return
    fi
    program nginx nginx "${NGINX:-nginx}"
    nginx=$found
    nginx_src=${NGINX_SRC:-/usr/share/nginx/src}
    nginx_headers=
    header=$nginx_src/src/core/nginx.h
    if [ ! -r "$header" ]; then
        lack 'nginx headers' nginx-dev "no $header"
        return
    fi
    nginx_headers=$(tree_version "${header%/*}")
    if [ -z "$nginx" ]; then
        say 'nginx headers' "$nginx_headers ($nginx_src)"
    elif [ "$nginx_headers" = "$(nginx_version "$nginx")" ]; then
        say 'nginx headers' "$nginx_headers ($nginx_src), as $nginx"
    else
        lack 'nginx headers' nginx-dev \
            "$nginx_headers in $nginx_src, but $nginx is $(nginx_version "$nginx")"
    fi
}

look_for_postgresql() {
    pg_bindir=${PG_BINDIR:-}
    if [ -z "$pg_bindir" ]; then
        newest=0
        for dir in /usr/lib/postgresql/*/bin; do
            version=${dir#/usr/lib/postgresql/}
            version=${version%/bin}
            if [ -x "$dir/postgres" ] && [ "$version" -gt "$newest" ]; then
                newest=$version
                pg_bindir=$dir
            fi
        done
    fi
    if [ -x "$pg_bindir/postgres" ] && [ -x "$pg_bindir/initdb" ]; then
        say 'PostgreSQL server' "$pg_bindir"
    else
        lack 'PostgreSQL server' postgresql "${pg_bindir:+nothing in $pg_bindir}"
    fi
}

look_for_libraries() {
    lib_cflags=
    library libfcgi libfcgi-dev fcgi -lfcgi \
        '#include <fcgiapp.h>' 'FCGX_Init()'
    libs=$lib_libs
    library jansson libjansson-dev jansson -ljansson \
        '#include <jansson.h>' 'json_object() == NULL'
    libs="$libs $lib_libs"
    library libjwt libjwt-dev libjwt -ljwt \
        '#include <jwt.h>' 'jwt_get_alg(NULL) == JWT_ALG_NONE'
    libs="$libs $lib_libs"
    library OpenSSL libssl-dev libcrypto -lcrypto \
        '#include <openssl/evp.h>' 'EVP_PKEY_new() == NULL'
    libs="$libs $lib_libs"
    library libpq libpq-dev libpq '-I/usr/include/postgresql -lpq' \
        '#include <libpq-fe.h>' 'PQlibVersion()'
    libs="$libs $lib_libs"
    library utf8proc libutf8proc-dev libutf8proc -lutf8proc \
        '#include <utf8proc.h>' 'utf8proc_version() == NULL'
    libs="$libs $lib_libs"
    library libsodium libsodium-dev libsodium -lsodium \
        '#include <sodium.h>' 'sodium_init()'
    sodium_libs=$lib_libs
    library libcrypt libcrypt-dev libcrypt -lcrypt \
        '#include <crypt.h>' '!crypt("", "")'
    crypt_libs=$lib_libs
    library libcurl libcurl4-openssl-dev libcurl -lcurl \
        '#include <curl/curl.h>' 'curl_url() == NULL'
    curl_libs=$lib_libs
}

look_for_passwords() {
    for passwords in "${COMMON_PASSWORDS:-}" \
        /usr/lib/python3*/*-packages/zxcvbn/frequency_lists.py \
        /usr/share/perl5/Data/Password/zxcvbn/RankedDictionaries/Common.pm; do
        case $passwords in
        '' | *\**) ;;
        *) break ;;
        esac
    done
    if [ -r "$passwords" ]; then
        say 'common passwords' "$passwords"
    else
        # Debian 13 has no python3-zxcvbn.
        if apt-cache show python3-zxcvbn > /dev/null 2>&1; then
            lack 'common passwords' python3-zxcvbn "no $passwords"
        else
            lack 'common passwords' libdata-password-zxcvbn-perl "no $passwords"
        fi
    fi
}

look_for_build() {
    program 'C compiler' gcc "${CC:-cc}" gcc clang
    cc=$found
    if [ -z "$cc" ] || ! links '#include <stdio.h>' 0 ''; then
        lack 'C library headers' libc6-dev
    fi
    program make make make gmake
    program ar binutils ar
    program perl perl-base perl
    program bash bash bash
    look_for_libraries
    look_for_passwords
    look_for_nginx
}

look_for_run() {
    look_for_postgresql
    program setpriv util-linux setpriv
    program curl curl curl
    if [ -e "${TZDIR:-/usr/share/zoneinfo}/UTC" ]; then
        say 'time zones' found
    else
        lack 'time zones' tzdata
    fi
}

look_for_test() {
    library cmocka libcmocka-dev cmocka -lcmocka '
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>' 'cmocka_set_message_output == NULL'
    cmocka_libs=$lib_libs
    program prove perl prove
    program ps procps ps
    perl_module libtest-base-perl Test::Base
    perl_module libtest-longstring-perl Test::LongString
    perl_module liblist-moreutils-perl List::MoreUtils
    perl_module libtext-diff-perl Text::Diff
    perl_module libwww-perl LWP::UserAgent
    perl_module libipc-run-perl IPC::Run
    perl_module libio-socket-ssl-perl IO::Socket::SSL
    python_with 'jwcrypto, jwt, yaml'
    python=$found
    program jose jose jose
    look_for_fuzzer
    look_for_browser
}

# Debian has clang's runtime in a package with the version in its name.
look_for_fuzzer() {
    fuzz_cc=${FUZZ_CC:-clang}
    if echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' \
        | "$fuzz_cc" -x c - -o /dev/null -fsanitize=fuzzer,address \
            > /dev/null 2>&1; then
        say libFuzzer "$(command -v "$fuzz_cc")"
        return
    fi
    clang=$(apt-cache depends clang 2> /dev/null \
        | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
    lack clang clang
    lack libFuzzer "libclang-rt-${clang:-14}-dev"
}

# A browser, and what fetches its driver. Debian's alone: others have no package
# of it that runs everywhere. Nothing else needs them.
look_for_browser() {
    if [ "$required" = no ]; then
        return
    fi
    if ! grep -q '^ID=debian$' /etc/os-release 2> /dev/null; then
        say chromium 'not looked for here: make test leaves the pages in a browser out'
        return
    fi
    required=wished
    program chromium chromium chromium
    program node nodejs node
    program npm npm npm
    required=yes
}

look_for_check() {
    # Other versions of clang-format have other opinions.
    if command -v clang-format-14 > /dev/null \
        || apt-cache show clang-format-14 > /dev/null 2>&1; then
        program clang-format clang-format-14 clang-format-14
    else
        say clang-format 'no version 14 here: make check leaves it out'
    fi
    program uncrustify uncrustify uncrustify
    program shellcheck shellcheck shellcheck
    program cppcheck cppcheck cppcheck
    program clang-tidy clang-tidy clang-tidy clang-tidy-14
}

look_for_valgrind() {
    program valgrind valgrind valgrind
}

look_for_faults() {
    program faketime faketime faketime
    program etcd etcd-server etcd
    program patroni patroni patroni
}

# tool NAME PACKAGE: which not every distribution has; make test-hostile says so
tool() {
    if command -v "$1" > /dev/null || [ "$required" = no ] \
        || apt-cache show "$2" > /dev/null 2>&1; then
        program "$1" "$2" "$1"
    else
        say "$1" "no package $2 here: it is not run"
    fi
}

look_for_load() {
    program wrk wrk wrk
}

look_for_hostile() {
    tool slowhttptest slowhttptest
    tool h2load nghttp2-client
    tool sqlmap sqlmap
    tool wapiti wapiti
    tool ffuf ffuf
    tool testssl testssl.sh
}

# What bench/run compares with, where the nginx is Debian's.
nginx_lua() {
    [ -z "$nginx_tree" ] || return 0
    lua=/usr/lib/nginx/modules/ngx_http_lua_module.so
    if [ -e "$lua" ]; then
        say 'nginx lua' "$lua"
    else
        lack 'nginx lua' libnginx-mod-http-lua
    fi
}

look_for_bench() {
    look_for_load
    look_for_valgrind
    nginx_lua
    perl_module perl JSON::PP
    perl_module perl Test::More
}

look_for_model() {
    program spin spin spin
}

look_for_deb() {
    if dpkg-query -s build-essential > /dev/null 2>&1; then
        say build-essential found
    else
        lack build-essential build-essential
    fi
    program debhelper debhelper dh
    program dpkg-buildpackage dpkg-dev dpkg-buildpackage
    program lintian lintian lintian
}

look_for_chroots() {
    program debootstrap debootstrap debootstrap
    program unshare util-linux unshare
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ -e "$keyring" ]; then
        say 'keys of Debian' "$keyring"
    else
        lack 'keys of Debian' debian-archive-keyring "no $keyring"
    fi
}

look() {
    missing=
    wished=
    required=yes
    case $what in
    bench) levels='build run bench test check' ;;
    model | deb | chroots) levels="build $what run test check" ;;
    valgrind | faults | hostile | load) levels="build run test $what check" ;;
    *) levels='build run test check' ;;
    esac
    for level in $levels; do
        "look_for_$level"
        if [ "$level" = "$what" ]; then
            required=no
        fi
    done
    missing=${missing# }
    wished=${wished# }
}

# --- config.mk -------------------------------------------------------------

write_config() {
    mkdir -p "$build"
    {
        echo "# Written by configure.sh."
        echo "CONFIGURED =$options"
        echo "CC = $cc"
        echo "NGINX = $nginx"
        echo "NGINX_SRC = $nginx_src"
        echo "NGINX_VERSION = $nginx_headers"
        echo "NGINX_TREE = $nginx_tree"
        echo "PG_BINDIR = $pg_bindir"
        echo "PYTHON = $python"
        echo "COMMON_PASSWORDS = $passwords"
        echo "PREFIX = $prefix"
        echo "LIB_CFLAGS =$(words "$lib_cflags")"
        echo "LIBS =$(words "$libs")"
        echo "SODIUM_LIBS =$(words "$sodium_libs")"
        echo "CRYPT_LIBS =$(words "$crypt_libs")"
        echo "CURL_LIBS =$(words "$curl_libs")"
        echo "CMOCKA_LIBS =$(words "$cmocka_libs")"
        echo "SANITIZE = $sanitize"
        [ -z "$optimize" ] || echo "OPTIMIZE = $optimize"
    } > "$build/config.mk.$$"
    mv "$build/config.mk.$$" "$build/config.mk"
}

# The words of $1, each once, each after a blank.
words() {
    seen=
    for word in $1; do
        case "$seen " in
        *" $word "*) ;;
        *) seen="$seen $word" ;;
        esac
    done
    printf '%s' "$seen"
}

# --- installing ------------------------------------------------------------

# exit 1 with the command that would do it
tell_command() {
    echo "$1; as root:" >&2
    echo "  apt-get install --no-install-recommends $missing" >&2
    echo "or, which keeps their services from being started:" >&2
    echo "  sudo ./configure.sh$options --for=$what --install-deps" >&2
    exit 1
}

may_install() {
    if [ "$ask" = no ] || ! [ -t 0 ] || ! [ -t 2 ]; then
        return 0
    fi
    printf 'Install these packages with apt-get: %s? [Y/n] ' "$missing" >&2
    read -r answer
    case $answer in
    '' | [Yy]*) return 0 ;;
    *) return 1 ;;
    esac
}

install_missing() {
    command -v apt-get > /dev/null || tell_command 'there is no apt-get here'
    may_install || tell_command 'nothing was installed'
    if [ "$(id -u)" -eq 0 ]; then
        sh ./configure.sh --as-root="$missing"
    elif ! command -v sudo > /dev/null; then
        tell_command 'packages are missing, and there is no sudo'
    elif sudo -n true 2> /dev/null || [ -t 0 ]; then
        sudo sh ./configure.sh --as-root="$missing"
    else
        tell_command 'packages are missing, and sudo wants a password'
    fi
}

[ "$brief" = yes ] || echo "looking for what \`make $what\` needs:" >&2
look
if [ -n "$missing" ]; then
    if [ "$do_install" = no ]; then
        tell_command "packages are missing: $missing"
    fi
    install_missing >&2
    hash -r
    look
    if [ -n "$missing" ]; then
        echo "configure.sh: still missing: $missing" >&2
        exit 1
    fi
fi
if [ -n "$wished" ] && [ "$do_install" = yes ]; then
    missing=$wished
    (install_missing) >&2 \
        || echo "configure.sh: the pages in a browser are not tested" >&2
fi
write_config
