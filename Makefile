# mailhaul: make deps all check unit e2e lint fuzz soak demo bench install clean
# Knobs: FLAVOR=debug|asan|release CC CFLAGS LDFLAGS PREFIX DESTDIR O T SEED V=1
VERSION := 0.1.0
FLAVOR  ?= debug
O       ?= build/$(FLAVOR)$(if $(findstring clang,$(CC)),-clang)
T       ?= 60
PREFIX  ?= /usr/local
PYTHON  ?= /usr/bin/python3
JOBS    := $(shell nproc)

PKGS := libevent libevent_pthreads openssl libconfuse sqlite3 libgsasl \
	libseccomp jansson expat nettle
DEBS := gcc clang libclang-rt-dev make pkg-config libevent-dev libssl-dev \
	libconfuse-dev libsqlite3-dev libgsasl-dev libseccomp-dev \
	libjansson-dev libcurl4-openssl-dev libcurl4 libqrencode-dev \
	libexpat1-dev nettle-dev libgssapi-krb5-2 \
	libcmocka-dev python3 python3-pytest python3-pytest-xdist \
	python3-prometheus-client python3-openssl python3-cryptography \
	dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-gssapi \
	exim4-daemon-light \
	procmail maildrop iproute2 openssl mandoc clang-format clang-tidy cppcheck
# servers that conflict with Dovecot, unpacked beside it
SERVERS     := /var/cache/mailhaul-tests
SERVER_DEBS := cyrus-common cyrus-imapd cyrus-pop3d \
	courier-base courier-imap courier-pop \
	krb5-kdc krb5-admin-server krb5-user \
	sasl2-bin libsasl2-modules libsasl2-modules-gssapi-mit
# asked once, and not before "make deps" has installed pkg-config
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $(shell pkg-config --libs $(PKGS)) -lpthread)$(PKG_LIBS)

WARN := -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wcast-qual \
	-Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wconversion -Wsign-conversion -Wnull-dereference
SANITIZE     := -fsanitize=address,undefined -fno-sanitize-recover=all
MODE_debug   := -O1 -g -Werror -DMAILHAUL_CRASH_POINTS
MODE_asan    := $(MODE_debug) $(SANITIZE) -fno-omit-frame-pointer
MODE_fuzz    := $(MODE_asan) -fsanitize=fuzzer-no-link
MODE_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LINK_asan    := $(SANITIZE)
LINK_fuzz    := $(SANITIZE)
LINK_release := -pie -Wl,-z,relro,-z,now

# what the user adds comes last
OUR_CFLAGS  = -std=c11 -D_GNU_SOURCE -Isrc -pthread $(WARN) $(MODE_$(FLAVOR)) \
	-DMAILHAUL_VERSION='"$(VERSION)"'
ALL_CFLAGS  = $(OUR_CFLAGS) $(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LINK_$(FLAVOR)) $(LDFLAGS)

# ROOMS="util proto" builds and tests a part of the house alone
ROOMS    ?= util sys proto io conf ledger deliver session fetch sched proc
LIB_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard $(ROOMS:%=src/%/*.c)))
UNIT     := $(patsubst %.c,$(O)/%,$(wildcard $(ROOMS:%=tests/unit/%/*_test.c)))
FUZZ     := $(patsubst %.c,$(O)/%,$(wildcard tests/fuzz/*/*_fuzz.c))
PRELOAD  := $(patsubst %.c,$(O)/%.so,$(wildcard tests/e2e/*.c))

# commands are shown with V=1
Q   := $(if $(V),,@)
say  = $(if $(V),,@echo '  $(1) $@')

all: $(O)/mailhaul

$(O)/mailhaul: $(O)/src/main.o $(O)/libmailhaul.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(O)/libmailhaul.a: $(LIB_OBJS)
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcs $@ $^
$(O)/tests/%_test: $(O)/tests/%_test.o $(O)/libmailhaul.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
		$(filter %.a,$^) $(PKG_LIBS) -lcmocka
# tests of whole fetches, and of accounts that stay
STAYING := lane keeper keeper_extras keeper_learn keeper_status
RIGGED  := $(O)/tests/unit/fetch/% \
	$(patsubst %,$(O)/tests/unit/sched/%_test,account checkup $(STAYING))
$(filter $(RIGGED),$(UNIT)): $(O)/tests/unit/fetch/rig.o \
	$(O)/tests/unit/fetch/scripted.o
$(filter $(STAYING:%=$(O)/tests/unit/sched/%_test),$(UNIT)): \
	$(O)/tests/unit/sched/stay.o
$(filter $(patsubst %,$(O)/tests/unit/proc/%_test,rolls requests pulse daemon), \
	$(UNIT)): $(O)/tests/unit/proc/fake_team.o
$(O)/tests/%_fuzz: $(O)/tests/%_fuzz.o $(O)/libmailhaul.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)
$(O)/%.so: %.c | $(filter deps,$(MAKECMDGOALS))
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -Wall -Wextra -O1 -fPIC -shared -o $@ $< -ldl
$(O)/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

# other flags than last time: everything is built again
FLAGS := $(CC) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(ALL_LDFLAGS)
ifneq ($(strip $(file <$(O)/flags)),$(strip $(FLAGS)))
$(O)/flags: FORCE
endif
$(O)/flags: | $(filter deps,$(MAKECMDGOALS))
	@$(shell mkdir -p $(@D))$(file >$@,$(FLAGS)):

deps:
	@.ci/deps $(DEBS)
	@.ci/unpack $(SERVERS) $(SERVER_DEBS)
check: $(O)/mailhaul $(UNIT) $(PRELOAD)
	@O=$(O) JOBS=$(JOBS) PYTHON=$(PYTHON) E2E_ARGS="$(E2E_ARGS)" tests/check.sh all $(UNIT)
unit: $(UNIT)
	@O=$(O) JOBS=$(JOBS) tests/check.sh unit $(UNIT)
e2e: $(O)/mailhaul $(PRELOAD)
	@O=$(O) JOBS=$(JOBS) PYTHON=$(PYTHON) E2E_ARGS="$(E2E_ARGS)" tests/check.sh e2e
lint: | $(filter deps,$(MAKECMDGOALS))
	@CC="$(CC)" PKG_CFLAGS="$(PKG_CFLAGS)" JOBS=$(JOBS) tests/lint/run.sh
fuzz: | $(filter deps,$(MAKECMDGOALS))
	@+$(MAKE) --no-print-directory FLAVOR=fuzz CC=clang fuzz-run
fuzz-run: $(FUZZ)
	@O=$(O) T=$(T) JOBS=$(JOBS) tests/fuzz.sh $(FUZZ)
soak: $(O)/mailhaul
	@MAILHAUL=$(O)/mailhaul PYTHONDONTWRITEBYTECODE=1 $(PYTHON) \
		tests/soak/soak.py --seconds $(T) $(if $(SEED),--seed $(SEED))
demo: $(O)/mailhaul
	@MAILHAUL=$(O)/mailhaul PYTHON=$(PYTHON) tests/demo/run.sh
bench: | $(filter deps,$(MAKECMDGOALS))
	@+$(MAKE) --no-print-directory FLAVOR=release all
	@MAILHAUL=$${MAILHAUL:-build/release/mailhaul} PYTHON=$(PYTHON) tests/bench/run.sh
install: | $(filter deps,$(MAKECMDGOALS))
	@+$(MAKE) --no-print-directory FLAVOR=release install-files
install-files: $(O)/mailhaul
	install -D -m 755 $(O)/mailhaul $(DESTDIR)$(PREFIX)/bin/mailhaul
	install -D -m 644 man/mailhaul.1 $(DESTDIR)$(PREFIX)/share/man/man1/mailhaul.1
	install -D -m 644 man/mailhaul.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/mailhaul.conf.5
	install -D -m 644 man/mailhaul-providers.7 $(DESTDIR)$(PREFIX)/share/man/man7/mailhaul-providers.7
	install -D -m 644 etc/mailhaul.conf $(DESTDIR)$(PREFIX)/share/doc/mailhaul/mailhaul.conf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system systemd/*.service systemd/*.timer
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/systemd/user systemd/user/*
	install -D -m 644 systemd/mailhaul.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/mailhaul.conf
	install -D -m 644 systemd/mailhaul.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/mailhaul.conf
clean:
	rm -rf build
-include $(shell find $(O) -name '*.d' 2>/dev/null)
FORCE:
.PHONY: all deps check unit e2e lint fuzz fuzz-run soak demo bench install install-files clean FORCE
.SECONDARY:
