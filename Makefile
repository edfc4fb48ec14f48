# mailhaul: make all check lint demo bench fuzz install clean deps
# Knobs: FLAVOR=debug|asan|release CC CFLAGS LDFLAGS PREFIX DESTDIR O T
FLAVOR ?= debug
O      ?= build/$(FLAVOR)$(if $(findstring clang,$(CC)),-clang)
T      ?= 60
PREFIX ?= /usr/local

PKGS   := libevent libevent_pthreads openssl libconfuse sqlite3 libgsasl libseccomp
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   := $(shell pkg-config --libs $(PKGS)) -lpthread

WARN := -Wall -Wextra -Wshadow -Wundef -Wvla -Wformat=2 -Wcast-qual \
	-Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wconversion -Wsign-conversion -Wnull-dereference
MODE_debug   := -O1 -g -Werror -DMAILHAUL_CRASH_POINTS
MODE_asan    := -O1 -g -Werror -DMAILHAUL_CRASH_POINTS \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
MODE_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LINK_debug   :=
LINK_asan    := -fsanitize=address,undefined
LINK_release := -pie -Wl,-z,relro,-z,now

ALL_CFLAGS  = -std=c11 -D_GNU_SOURCE -Isrc -pthread $(WARN) $(MODE_$(FLAVOR)) \
	$(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LINK_$(FLAVOR)) $(LDFLAGS)

# ROOMS="util proto" builds and tests a part of the house alone
ROOMS    ?= util sys proto io conf ledger deliver session fetch sched proc
LIB_OBJS := $(patsubst %.c,$(O)/%.o,$(wildcard $(ROOMS:%=src/%/*.c)))
UNIT     := $(patsubst %.c,$(O)/%,$(wildcard $(ROOMS:%=tests/unit/%/*_test.c)))

all: $(O)/mailhaul

$(O)/mailhaul: $(O)/src/main.o $(O)/libmailhaul.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)
$(O)/libmailhaul.a: $(LIB_OBJS)
	@rm -f $@
	ar rcs $@ $^
$(O)/tests/%_test: $(O)/tests/%_test.o $(O)/libmailhaul.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka
$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -c -o $@ $<

unit: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done
clean:
	rm -rf build
-include $(shell find $(O) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
.SECONDARY:
