# identgw: the one list of verbs. `make help` shows them.
#
# Everything that is made goes to BUILD; BUILD/config.mk is configure.sh's.

VERSION = 0.1.0
BUILD ?= build

# Where `make install` puts what has a place of its own; DESTDIR= is before it.
MODULES = /usr/lib/nginx/modules
NGINX_CONF = /etc/nginx
SOCKETS = /run/identgw
MAN = $(PREFIX)/share/man
UNITS = $(PREFIX)/lib/systemd/system
SYSUSERS = $(PREFIX)/lib/sysusers.d
NGINX_GROUP = www-data

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all apps module nginx unit fuzzers injected fixture run test test-asan \
	test-attacks test-inject test-matrix test-memory test-valgrind test-storm \
	test-timing test-races test-revocation test-faults test-no-drop test-load \
	test-hostile fuzz model check bench bench-identprov bench-profile install deb \
	test-deb test-distros clean help FORCE

goals = $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out run test test-asan test-attacks test-inject test-matrix \
	test-memory test-valgrind test-storm test-timing test-races test-faults \
	test-no-drop test-load test-hostile fuzz model bench bench-identprov \
	bench-profile deb test-deb test-distros clean help,$(goals)),)
include $(BUILD)/config.mk
endif

# --- what is built ---------------------------------------------------------

module_so = $(BUILD)/ngx_http_identgw_module.so
module_src = $(sort $(wildcard ngx_http_identgw_module/*))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard $(1)/*.c)))
common_obj = $(call objects,fcgi-common)
identprov_obj = $(call objects,fcgi-identprov) $(BUILD)/obj/identprov_migrations.o \
	$(BUILD)/obj/identprov_passwords.o $(BUILD)/obj/identprov_pages.o
userprofile_obj = $(call objects,fcgi-userprofile) $(BUILD)/obj/userprofile_migrations.o \
	$(BUILD)/obj/userprofile_pages.o
without_main = $(filter-out %/main.o,$(1))

programs = $(BUILD)/identprov $(BUILD)/userprofile
pages = $(programs:=.8)
includes_of_nginx = http server public fastcgi userprofile
units_of_systemd = $(foreach name,identprov userprofile,$(name).service $(name).socket)
units = $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(sort $(wildcard \
	t/unit/common_*.c t/unit/identprov_*.c t/unit/module_*.c \
	t/unit/userprofile_*.c)))
fuzzers = $(patsubst t/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard t/fuzz/*.c)))
fixtures = $(patsubst t/fixture/%.c,$(BUILD)/fixture/%,$(sort $(wildcard t/fixture/*.c))) \
	$(patsubst t/fixture/%.c,$(BUILD)/fixture/%_undefended,$(wildcard t/fixture/igw_echo.c)) \
	$(BUILD)/fixture/identprov_next $(BUILD)/fixture/malloc.so

# The module without an ingredient of the revocation protocol, as a test says.
faults_so = $(BUILD)/faults/ngx_http_identgw_module.so

all: apps module nginx
apps: $(programs)
module: $(module_so)
# with configure.sh --nginx-src
nginx: $(if $(NGINX_TREE),$(NGINX))
unit: $(units)
fuzzers: $(fuzzers)
fixture: $(fixtures) $(faults_so)

# --- flags -----------------------------------------------------------------

WARN = -Wall -Wextra -Wno-unused-parameter -Wshadow -Wmissing-prototypes \
	-Wstrict-prototypes -Wcast-qual -Wvla -Wformat=2 \
	-Wimplicit-fallthrough -Wnull-dereference
APP_WARN = $(WARN) -Wconversion -Wsign-conversion -Wwrite-strings
WERROR =

OPTIMIZE ?= -O2 -g
ifeq ($(SANITIZE),)
HARDEN = -D_FORTIFY_SOURCE=2
endif
APP_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DIGW_VERSION='"$(VERSION)"' \
	$(OPTIMIZE) -fstack-protector-strong $(HARDEN) -fPIE -fvisibility=hidden \
	-pthread $(SANITIZE) $(DEBUG) $(LIB_CFLAGS) $(APP_WARN) $(WERROR)
APP_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZE)
includes = -Ifcgi-common $(if $(filter identprov%,$(1)),-Ifcgi-identprov) \
	$(if $(filter userprofile%,$(1)),-Ifcgi-userprofile)

# What was made with other flags is made again.
flags := $(CC) $(APP_CFLAGS) $(CFLAGS) $(APP_LDFLAGS) $(LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(flags))' | cmp -s - $@ \
		|| printf '%s\n' '$(subst ','\'',$(flags))' > $@

# V=1 shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),@:,@echo '  $(1)')

compile = $(CC) $(call includes,$(1)) $(APP_CFLAGS) $(CFLAGS) -MMD -MP
link = $(CC) $(APP_LDFLAGS) $(LDFLAGS)

# --- the applications ------------------------------------------------------

$(BUILD)/obj/fcgi-common/%.o: fcgi-common/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(call compile,common) -c -o $@ $<

$(BUILD)/obj/fcgi-identprov/%.o: fcgi-identprov/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(call compile,identprov) -c -o $@ $<

$(BUILD)/obj/fcgi-userprofile/%.o: fcgi-userprofile/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(call compile,userprofile) -c -o $@ $<

$(BUILD)/obj/%_migrations.c: scripts/embed-migrations FORCE
	@mkdir -p $(@D)
	@scripts/embed-migrations fcgi-$*/migrations $*_migrations > $@.$$$$ \
		&& { cmp -s $@.$$$$ $@ || cp $@.$$$$ $@; } && rm -f $@.$$$$

$(BUILD)/obj/%_migrations.o: $(BUILD)/obj/%_migrations.c $(BUILD)/flags
	$(call say,CC $<)
	$(Q)$(call compile,common) -c -o $@ $<

$(BUILD)/obj/%_pages.c: scripts/embed-pages FORCE
	@mkdir -p $(@D)
	@scripts/embed-pages $*_pages fcgi-common/pages/* fcgi-$*/pages/* > $@.$$$$ \
		&& { cmp -s $@.$$$$ $@ || cp $@.$$$$ $@; } && rm -f $@.$$$$

$(BUILD)/obj/%_pages.o: $(BUILD)/obj/%_pages.c $(BUILD)/flags
	$(call say,CC $<)
	$(Q)$(call compile,common) -c -o $@ $<

$(BUILD)/obj/identprov_passwords.c: scripts/embed-passwords $(COMMON_PASSWORDS)
	@mkdir -p $(@D)
	@scripts/embed-passwords '$(COMMON_PASSWORDS)' > $@

$(BUILD)/obj/identprov_passwords.o: $(BUILD)/obj/identprov_passwords.c $(BUILD)/flags
	$(call say,CC $<)
	$(Q)$(call compile,identprov) -c -o $@ $<

$(BUILD)/libigw.a: $(common_obj)
	@rm -f $@
	$(call say,AR $@)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/identprov: $(identprov_obj) $(BUILD)/libigw.a
	$(call say,LD $@)
	$(Q)$(link) -o $@ $^ $(LIBS) $(SODIUM_LIBS) $(CRYPT_LIBS)

$(BUILD)/userprofile: $(userprofile_obj) $(BUILD)/libigw.a
	$(call say,LD $@)
	$(Q)$(link) -o $@ $^ $(LIBS) $(CURL_LIBS)

$(BUILD)/%.8: packaging/man/%.8.in scripts/man-page $(BUILD)/%
	@scripts/man-page $(BUILD)/$* $< > $@

# --- the module: in a copy of nginx's source -------------------------------

nginx_sanitize = $(if $(NGINX_TREE),$(SANITIZE))
nginx := $(strip $(CC) $(NGINX_SRC) $(NGINX_VERSION) $(NGINX_TREE) $(nginx_sanitize))
$(BUILD)/nginx-version: FORCE
	@mkdir -p $(@D)
	@echo '$(nginx)' | cmp -s - $@ || echo '$(nginx)' > $@

$(BUILD)/nginx/configured: $(BUILD)/nginx-version scripts/build-module \
		ngx_http_identgw_module/config
	$(call say,CONFIGURE nginx)
	$(Q)scripts/build-module configure '$(NGINX_SRC)' '$(BUILD)' '$(CC)' \
		'$(nginx_sanitize)'

MODULE_CFLAGS = $(OPTIMIZE) -fstack-protector-strong $(HARDEN) \
	$(nginx_sanitize) $(WARN) $(or $(WERROR),-Wno-error) $(CFLAGS)

$(module_so): $(BUILD)/nginx/configured $(module_src)
	$(call say,CC ngx_http_identgw_module)
	$(Q)+scripts/build-module module '$(NGINX_SRC)' '$(BUILD)' '$(CC)' \
		'$(MODULE_CFLAGS)'

# In a copy, when nothing is built there any more.
$(faults_so): $(BUILD)/nginx/configured $(module_src) | module nginx
	@rm -rf '$(@D)' && mkdir -p '$(@D)' && cp -R '$(BUILD)/nginx' '$(@D)/nginx'
	$(call say,CC ngx_http_identgw_module with faults)
	$(Q)+scripts/build-module module '$(NGINX_SRC)' '$(@D)' '$(CC)' \
		'$(MODULE_CFLAGS) -DNGX_HTTP_IDENTGW_FAULTS=1'

ifneq ($(NGINX_TREE),)
$(NGINX): $(BUILD)/nginx/configured
	$(call say,CC nginx)
	$(Q)+scripts/build-module nginx '$(NGINX_SRC)' '$(BUILD)' '$(CC)' \
		'$(if $(nginx_sanitize),-O0 -g1,$(OPTIMIZE)) -w'
endif

# --- tests -----------------------------------------------------------------

CMOCKA_LIBS ?= -lcmocka

$(BUILD)/unit/common_%: t/unit/common_%.c $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,common) -It/unit $(APP_LDFLAGS) $(LDFLAGS) -o $@ $< \
		$(BUILD)/libigw.a $(LIBS) $(CMOCKA_LIBS)

$(BUILD)/unit/identprov_%: t/unit/identprov_%.c $(identprov_obj) $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,identprov) -It/unit $(APP_LDFLAGS) $(LDFLAGS) -o $@ $< \
		$(call without_main,$(identprov_obj)) $(BUILD)/libigw.a \
		$(LIBS) $(SODIUM_LIBS) $(CRYPT_LIBS) $(CMOCKA_LIBS)

$(BUILD)/unit/userprofile_%: t/unit/userprofile_%.c $(userprofile_obj) $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,userprofile) -It/unit $(APP_LDFLAGS) $(LDFLAGS) -o $@ $< \
		$(call without_main,$(userprofile_obj)) $(BUILD)/libigw.a \
		$(LIBS) $(CURL_LIBS) $(CMOCKA_LIBS)

nginx_includes = $(addprefix -I$(BUILD)/nginx/,src/core src/event \
	src/event/modules src/event/quic src/os/unix src/http src/http/modules src/http/v2 \
	src/http/v3 objs)

# Files of the module that need little of nginx.
$(BUILD)/unit/module_%: t/unit/module_%.c $(module_src) $(BUILD)/nginx/configured
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CC) -std=gnu11 -O1 -g $(SANITIZE) $(CFLAGS) $(nginx_includes) \
		$(LDFLAGS) -o $@ $< $(CMOCKA_LIBS)

# Programs of libFuzzer, which want clang: `make fuzz` sets what they need.
fuzz_link = -fsanitize=fuzzer $(APP_LDFLAGS) $(LDFLAGS)

$(BUILD)/fuzz/common_%: t/fuzz/common_%.c $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,common) $(fuzz_link) -o $@ $< $(BUILD)/libigw.a $(LIBS)

$(BUILD)/fuzz/identprov_%: t/fuzz/identprov_%.c $(identprov_obj) $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,identprov) $(fuzz_link) -o $@ $< \
		$(call without_main,$(identprov_obj)) $(BUILD)/libigw.a \
		$(LIBS) $(SODIUM_LIBS) $(CRYPT_LIBS)

$(BUILD)/fuzz/userprofile_%: t/fuzz/userprofile_%.c $(userprofile_obj) $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,userprofile) $(fuzz_link) -o $@ $< \
		$(call without_main,$(userprofile_obj)) $(BUILD)/libigw.a \
		$(LIBS) $(CURL_LIBS)

$(BUILD)/fuzz/module_%: t/fuzz/module_%.c $(module_src) $(BUILD)/nginx/configured
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CC) -std=gnu11 -O1 -g $(SANITIZE) $(CFLAGS) $(nginx_includes) \
		-fsanitize=fuzzer $(LDFLAGS) -o $@ $<

# Programs in which the n-th call of what can fail fails, as a test says.
inject = $(shell sed -n 's/^\(FAILS\|WRAPS\)[_SL]*.\(\w*\).*/-Wl,--wrap=\2/p' \
	t/inject/inject.c)
injected: $(BUILD)/inject/identprov $(BUILD)/inject/userprofile

$(BUILD)/inject/inject.o: t/inject/inject.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(call compile,common) -Wno-missing-prototypes -c -o $@ $<

$(BUILD)/inject/identprov: $(BUILD)/inject/inject.o $(identprov_obj) $(BUILD)/libigw.a
	$(call say,LD $@)
	$(Q)$(link) $(inject) -o $@ $^ $(LIBS) $(SODIUM_LIBS) $(CRYPT_LIBS) $(CURL_LIBS)

$(BUILD)/inject/userprofile: $(BUILD)/inject/inject.o $(userprofile_obj) $(BUILD)/libigw.a
	$(call say,LD $@)
	$(Q)$(link) $(inject) -o $@ $^ $(LIBS) $(SODIUM_LIBS) $(CURL_LIBS)

# The same program without the defence against smuggled requests.
$(BUILD)/fixture/%_undefended: t/fixture/%.c $(wildcard fcgi-common/*.[ch]) $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,common) -DIGW_TEST_SMUGGLE -MF $@.d $(APP_LDFLAGS) 		$(LDFLAGS) -o $@ $< $(wildcard fcgi-common/*.c) $(LIBS)

# Preloaded into nginx, whatever that is built with.
$(BUILD)/fixture/malloc.so: t/inject/malloc.c
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -O1 -g $(WARN) $(WERROR) -fno-builtin \
		-fPIC -shared -o $@ $<

# identprov as a version with one more migration.
$(BUILD)/fixture/identprov_next: t/fixture/next.sql $(identprov_obj) $(BUILD)/libigw.a
	@rm -rf '$@.sql' && mkdir -p '$@.sql'
	@cp fcgi-identprov/migrations/*.sql '$@.sql'
	@cp t/fixture/next.sql "$@.sql/$$(printf %04d $$(($$(ls '$@.sql' | wc -l) + 1)))-next.sql"
	@scripts/embed-migrations '$@.sql' identprov_migrations > '$@.c'
	$(call say,LD $@)
	$(Q)$(call compile,common) $(APP_LDFLAGS) $(LDFLAGS) -o $@ '$@.c' \
		$(filter-out %identprov_migrations.o,$(identprov_obj)) \
		$(BUILD)/libigw.a $(LIBS) $(SODIUM_LIBS) $(CRYPT_LIBS)

$(BUILD)/fixture/%: t/fixture/%.c $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,common) $(APP_LDFLAGS) $(LDFLAGS) -o $@ $< \
		$(BUILD)/libigw.a $(LIBS)

$(BUILD)/bench/find_session: bench/find_session.c $(identprov_obj) $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,identprov) $(APP_LDFLAGS) $(LDFLAGS) -o $@ $< \
		$(call without_main,$(identprov_obj)) $(BUILD)/libigw.a \
		$(LIBS) $(SODIUM_LIBS) $(CRYPT_LIBS)

$(BUILD)/bench/%: bench/%.c $(BUILD)/libigw.a
	@mkdir -p $(@D)
	$(call say,LD $@)
	$(Q)$(call compile,common) $(APP_LDFLAGS) $(LDFLAGS) -o $@ $< \
		$(BUILD)/libigw.a $(LIBS) $(SODIUM_LIBS)

-include $(wildcard $(BUILD)/obj/*.d $(BUILD)/obj/*/*.d $(BUILD)/unit/*.d \
	$(BUILD)/inject/*.d $(BUILD)/fixture/*.d $(BUILD)/bench/*.d)

# --- verbs -----------------------------------------------------------------

$(BUILD)/config.mk: configure.sh
	@BUILD='$(BUILD)' ./configure.sh --again

# configure, install what is missing, build $(2) in parallel
prepare = BUILD='$(BUILD)' ./configure.sh --again --for=$(1) --install-deps \
	--ask --brief
rebuild = $(MAKE) --no-print-directory \
	$(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc)) BUILD='$(BUILD)'

# Everything again, by clang, in a place of its own.
build_fuzzers = $(rebuild) -s BUILD='$(BUILD)/fuzzing' CC="$${FUZZ_CC:-clang}" \
	SANITIZE='-fsanitize=address,undefined,fuzzer-no-link \
	-fno-sanitize-recover=undefined -fno-omit-frame-pointer'

run:
	@$(call prepare,run)
	@$(rebuild) all >&2
	@exec env BUILD='$(BUILD)' scripts/run

test:
	@$(call prepare,test)
	@$(rebuild) all unit fixture
	$(if $(or $(findstring fuzz,$(TESTS)),$(if $(TESTS),,all)),@$(build_fuzzers) fuzzers)
	$(if $(or $(findstring inject,$(TESTS)),$(findstring sequences,$(TESTS)),$(if $(TESTS),,all)),@$(build_fuzzers) injected)
	@exec env BUILD='$(BUILD)' scripts/prove $(TESTS)
	$(if $(TESTS),,@exec env BUILD='$(BUILD)' ASAN=module scripts/test-asan)

fuzz:
	@$(call prepare,test)
	@$(rebuild) all
	@$(build_fuzzers) fuzzers injected
	@exec env BUILD='$(BUILD)' SECONDS='$(or $(SECONDS),60)' NAMES='$(NAMES)' \
		SEED='$(SEED)' scripts/prove -v t/600-fuzz.t t/601-sequences.t

test-asan:
	@$(call prepare,test)
	@exec env BUILD='$(BUILD)' scripts/test-asan $(TESTS)

# Every operation of the applications, and every request at the gateway, with each
# of its calls failing in turn: takes some minutes (NAMES= of the former).
test-inject:
	@$(call prepare,test)
	@$(rebuild) apps module nginx fixture
	@$(build_fuzzers) injected
	@env BUILD='$(BUILD)' INJECT=all NAMES='$(NAMES)' \
		scripts/prove -v t/620-inject.t
	$(if $(NAMES),,@exec env BUILD='$(BUILD)' ASAN=module INJECT=all \
		scripts/test-asan t/059-starved.t)

test-memory:
	@$(call prepare,test)
	@$(rebuild) module nginx fixture
	@exec env BUILD='$(BUILD)' IDENTGW_REQUESTS=100000 \
		scripts/prove -v t/054-memory.t t/055-memory-cache.t

test-valgrind:
	@$(call prepare,valgrind)
	@$(rebuild) module nginx fixture
	@exec env BUILD='$(BUILD)' scripts/test-valgrind $(TESTS)

# What a storm of logins does: wants a machine that does nothing else.
test-storm:
	@$(call prepare,test)
	@$(rebuild) all '$(BUILD)/bench/storm' >&2
	@exec env BUILD='$(BUILD)' bench/storm

# Whether the time of a refused login tells why it was: takes some minutes of a
# machine that does nothing else (ATTEMPTS=1000 SEED=).
test-timing:
	@$(call prepare,test)
	@$(rebuild) apps
	@exec env BUILD='$(BUILD)' scripts/prove -v t/long/timing.t

# Logins against changes of their account (RACES=1000 SEED=).
test-races:
	@$(call prepare,test)
	@$(rebuild) apps
	@exec env BUILD='$(BUILD)' scripts/prove -v t/long/races.t

# Attacks that have worked on others.
test-attacks:
	@$(call prepare,test)
	@$(rebuild) all
	@exec env BUILD='$(BUILD)' scripts/prove -v t/attacks/*.t

# The module's tests under each nginx that it is made for: takes some minutes.
test-matrix:
	@$(call prepare,test)
	@$(rebuild) module nginx fixture
	@exec env BUILD='$(BUILD)' scripts/test-matrix $(VERSIONS)

# Two gateways under random trouble, then ones that lack an ingredient of the
# protocol: takes some minutes (SECONDS=120 SEED=).
test-revocation:
	@$(call prepare,test)
	@$(rebuild) all '$(BUILD)/faults/ngx_http_identgw_module.so'
	@exec env BUILD='$(BUILD)' scripts/prove t/long/revocation.t

# Everything that can go wrong with the whole stack while people use it: takes
# some minutes (SECONDS= at least, SEED=, NAMES='failover patroni clock').
test-faults:
	@$(call prepare,faults)
	@$(rebuild) all
	@exec env BUILD='$(BUILD)' scripts/prove --jobs=1 \
		t/fault/faults.t t/fault/clock.t t/fault/failover.t t/fault/patroni.t

# Reloads, upgrades, restarts and rotations, and requests all the while: takes
# some minutes (REQUESTS=100000 SEED=).
test-no-drop:
	@$(call prepare,test)
	@$(rebuild) all
	@exec env BUILD='$(BUILD)' scripts/prove t/fault/no-drop.t

# 10,000 clients for 10 minutes (CLIENTS=10000 ACTIVE=2000 SECONDS=600), which
# "ulimit -n" must allow.
test-load:
	@$(call prepare,load)
	@$(rebuild) all
	@exec env BUILD='$(BUILD)' scripts/prove -v t/fault/load.t

# Debian's tools of those who attack, against the whole stack: takes some
# minutes (NAMES='h2load slowhttptest sqlmap wapiti ffuf testssl').
test-hostile:
	@$(call prepare,hostile)
	@$(rebuild) all
	@exec env BUILD='$(BUILD)' scripts/prove -v t/fault/hostile.t

# The protocol of docs/protocol, every state of it: takes some minutes.
model:
	@$(call prepare,model)
	@exec scripts/model $(NAMES)

# Everything again with -Werror, then what scripts/check has to say.
check:
	@$(call prepare,check)
	@$(rebuild) BUILD='$(BUILD)/check' WERROR=-Werror all unit fixture > /dev/null
	@env BUILD='$(BUILD)' scripts/check

# Takes some minutes of a machine that does nothing else.
bench:
	@$(call prepare,bench)
	@$(rebuild) all '$(BUILD)/bench/constant' >&2
	@exec env BUILD='$(BUILD)' OUT=bench/results.md bench/run

# GET /authenticate beside its statement: SIZES='10000 1000000 10000000'.
bench-identprov:
	@$(call prepare,bench)
	@$(rebuild) all $(patsubst %,'$(BUILD)/bench/%',ask find_session token) >&2
	@exec env BUILD='$(BUILD)' OUT=bench/identprov.md bench/identprov

# GET /userprofile through the gateway beside its statement.
bench-profile:
	@$(call prepare,bench)
	@$(rebuild) all >&2
	@exec env BUILD='$(BUILD)' OUT=bench/profile.md bench/profile

# into DIRECTORY, with MODE, FILES
put = install -d '$(DESTDIR)$(1)' && install -m $(2) $(3) '$(DESTDIR)$(1)'

install: all $(pages)
	$(Q)$(call put,$(MODULES),644,$(module_so))
	$(Q)$(call put,$(PREFIX)/bin,755,$(programs))
	$(Q)$(call put,$(MAN)/man8,644,$(pages))
	$(Q)$(call put,$(PREFIX)/share/identgw,644,nginx.conf.example)
	$(Q)install -d '$(DESTDIR)$(NGINX_CONF)/identgw'
	$(Q)for name in $(includes_of_nginx); do \
		scripts/cut-conf "identgw/$$name.conf" 'SOCKETS=$(SOCKETS)' \
			> '$(DESTDIR)$(NGINX_CONF)/identgw/'"$$name.conf" || exit; \
	done
	$(Q)install -d '$(DESTDIR)$(UNITS)' '$(DESTDIR)$(SYSUSERS)'
	$(Q)for name in $(units_of_systemd); do \
		sed -e 's,@BIN@,$(PREFIX)/bin,; s,@SOCKETS@,$(SOCKETS),' \
			-e 's,@GROUP@,$(NGINX_GROUP),' "packaging/systemd/$$name" \
			> '$(DESTDIR)$(UNITS)/'"$$name" || exit; \
	done
	$(Q)for name in identprov userprofile; do \
		install -m 644 "packaging/systemd/$$name.sysusers" \
			'$(DESTDIR)$(SYSUSERS)/'"$$name.conf" || exit; \
	done

# Debian packages for the system that this is run on, in BUILD/deb.
deb:
	@$(call prepare,deb)
	@exec env BUILD='$(BUILD)' scripts/deb '$(or $(DEB_VERSION),$(VERSION))'

# As root, in systems of their own that debootstrap makes: take some minutes, and
# make test's time for each of test-distros.
test-deb:
	@$(call prepare,chroots)
	@exec env BUILD='$(BUILD)' SUITES='$(SUITES)' scripts/test-deb

test-distros:
	@$(call prepare,chroots)
	@exec env BUILD='$(BUILD)' SUITES='$(SUITES)' scripts/test-distros $(TESTS)

clean:
	rm -rf '$(BUILD)'

help:
	@echo 'make run         the whole gateway on http://127.0.0.1:8080 until Ctrl-C'
	@echo '                 (PORT=, VAR=var; its first time, installs what is missing)'
	@echo 'make test        builds everything and runs all tests (or TESTS=t/...)'
	@echo 'make test-asan   all tests with the address and undefined behavior'
	@echo '                 sanitizers, nginx too (make test: the module'"'"'s)'
	@echo 'make test-attacks  attacks that have worked on others, by class and CVE'
	@echo 'make test-inject every operation of both applications with each of its'
	@echo '                 calls of malloc, libpq, OpenSSL ... failing in turn, and every'
	@echo '                 request at the gateway with each of its allocations failing,'
	@echo '                 with the sanitizers (NAMES= of t/620-inject.t)'
	@echo 'make test-memory 100,000 requests of all kinds, and the workers'"'"' memory'
	@echo 'make test-valgrind  the module'"'"'s tests with nginx under valgrind'
	@echo 'make test-matrix the module under nginx 1.18 to 1.30, as far as the'
	@echo '                 mirror has them (VERSIONS=)'
	@echo 'make fuzz       what reads bytes from outside, and sequences of requests'
	@echo '                against a model, a minute each (SECONDS=, SEED= of sequences,'
	@echo '                NAMES= of t/fuzz, or sequences)'
	@echo 'make test-revocation  two gateways, and all that goes wrong (SECONDS=,'
	@echo '                 SEED=); gateways that lack a part of the protocol fail'
	@echo 'make test-faults the whole stack in use, and everything that goes wrong:'
	@echo '                 killed, hanging, full, cut off, failed over (SECONDS=,'
	@echo '                 SEED=, NAMES=)'
	@echo 'make test-no-drop  reloads, upgrades, restarts and rotations: of 100,000'
	@echo '                 requests none fails (REQUESTS=, SEED=)'
	@echo 'make test-load     10,000 clients for 10 minutes (CLIENTS= ACTIVE= SECONDS=)'
	@echo 'make test-hostile  slowhttptest, h2load, sqlmap, wapiti, ffuf and testssl'
	@echo '                 against the whole stack, some minutes (NAMES=)'
	@echo 'make model       searches all states of the revocation protocol'
	@echo '                 (docs/protocol) for one that lets somebody in'
	@echo 'make test-storm  what a storm of logins does to others, two minutes of a'
	@echo '                 machine that does nothing else'
	@echo 'make test-timing whether the time of a refused login tells why, some'
	@echo '                 minutes of an idle machine (ATTEMPTS=, SEED=)'
	@echo 'make test-races  1,000 logins against a new password, and as many against'
	@echo '                 disabling (RACES=, SEED=)'
	@echo 'make             builds the module and both applications in $(BUILD)/'
	@echo 'make check       builds with -Werror; format and static analysis'
	@echo 'make bench       measures the gateway beside others: bench/results.md'
	@echo 'make bench-identprov  GET /authenticate beside its statement, with many'
	@echo '                 sessions (SIZES=): bench/identprov.md'
	@echo 'make bench-profile    GET /userprofile through the gateway beside its'
	@echo '                 statement: bench/profile.md'
	@echo 'make install     programs and manual pages below PREFIX (configure.sh),'
	@echo '                 the module in MODULES, what nginx.conf includes in'
	@echo '                 NGINX_CONF/identgw, systemd units in UNITS; before all of'
	@echo '                 them DESTDIR='
	@echo 'make deb         Debian packages for this system in $(BUILD)/deb'
	@echo 'make test-deb    as root: the packages, built, installed, upgraded, removed'
	@echo '                 in fresh systems (SUITES='"'"'bookworm trixie'"'"')'
	@echo 'make test-distros  as root: make run and make test in fresh systems'
	@echo '                 (SUITES=, TESTS=)'
	@echo 'make clean       removes $(BUILD)/; the data of make run is in var/'
