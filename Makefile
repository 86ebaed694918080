# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make              build/veritally: one static binary, libraries from source
# make check        every test; installs the tools it lacks (as root)
# make demo         boot a virtual machine and show what was measured in it
# make lint         layers, lengths, SPDX, man pages, and the usual checkers
# make fuzz         the fuzzers (clang); FUZZ_SECONDS=60 also runs each that long
# make bench        the figures that README quotes
# make install      everything; or install-bin, -data, -dracut, -systemd, -openrc,
#                   -hooks, -man, -completion; and, never by itself, for another
#                   generator: install-initramfs-tools, -mkinitcpio, -mkinitfs
# make clean        remove what was built, but for the libraries (distclean: all)
#
# check consists of check-unit, check-fuzz, check-cli and check-boot.
#
# SYSTEM=1          link the distribution's shared libraries: build/system/veritally
# SAN=1             the same with ASan and UBSan: build/san
# CC=clang          another compiler          WERROR=1    warnings are errors
# PREFIX= DESTDIR=  as usual; other folders: see "Where things go" below
# LTO=0             a quicker link            V=1         show the commands
# DL=DIR            where the libraries' tarballs are put, or already lie
#
# Tests run in the top folder; $VERITALLY is the binary under test.

VERSION := 0.1.0
PREFIX ?= /usr
SYSCONFDIR ?= /etc
SBINDIR ?= $(PREFIX)/sbin
LIBDIR := /usr/lib/veritally
MANDIR ?= $(PREFIX)/share/man
LTO ?= 1

ifneq ($(words $(CURDIR)),1)
$(error make cannot work in a folder whose path has a blank: $(CURDIR))
endif

ifneq ($(V),1)
Q := @
msg = @printf '  %-5s %s\n' $1 $(@:$(CURDIR)/%=%);
endif

# The ways to build: static is the product; fuzz is for the fuzzers only.
MODE := $(or $(MODE),$(if $(SAN),san,$(if $(SYSTEM),system,static)))
O := build/$(MODE)
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

BINARY := $(if $(filter static,$(MODE)),build/veritally,$O/veritally)
all: $(BINARY)

ifeq ($(MODE),static)
include src/deps/deps.mk
endif

comma := ,
comp := $(if $(filter default,$(origin CC)),gcc,$(CC))
CFLAGS ?= $(if $(filter static,$(MODE)),-Os,-O2) -g
PKG_CONFIG ?= pkg-config
PACKAGES := tss2-esys tss2-mu libcryptsetup devmapper json-c blkid nettle libbpf

CPPFLAGS_ALL := -Isrc -D_GNU_SOURCE -DVERITALLY_VERSION=\"$(VERSION)\" $(CPPFLAGS)
CFLAGS_ALL := -std=gnu11 -Wall -Wextra -Wshadow -Wvla -Wundef -Wmissing-prototypes \
	-Wstrict-prototypes -Wpointer-arith $(if $(WERROR),-Werror) \
	-fstack-protector-strong -ffunction-sections -fdata-sections -MMD -MP
LDFLAGS_ALL := -Wl,--gc-sections,-O1,-z,noexecstack,-z,relro,-z,now

ifeq ($(MODE),static)
# clang compiles against musl's headers, but musl-gcc links in either case.
DEPS_READY := $(DEPS_STAMPS)
LINK := musl-gcc
ifneq ($(findstring clang,$(comp)),)
compile := $(comp) --target=$(ARCH)-linux-musl -nostdlibinc \
	-isystem /usr/include/$(ARCH)-linux-musl
LINK += $(if $(filter 0,$(LTO)),-fno-lto,-flto=auto)
else
compile := $(if $(filter gcc,$(comp)),musl-gcc,$(comp))
lto := $(if $(filter 0,$(LTO)),-fno-lto,-flto=auto -ffat-lto-objects)
endif
CPPFLAGS_ALL += -isystem $(DEPS)/include -idirafter $(KERNEL_HEADERS)
BPF_INCLUDE := -isystem $(DEPS)/include -idirafter $(KERNEL_HEADERS)
CFLAGS_ALL += -fno-pie -fno-asynchronous-unwind-tables -fno-unwind-tables $(lto)
LDFLAGS_ALL += -static -no-pie -Wl,--build-id=none -L$(DEPS)/lib
LDLIBS_ALL := -Wl,--start-group $(DEPS_LIBS) -Wl,--end-group $(LDLIBS)
else
compile := $(comp)
LINK := $(comp)
CPPFLAGS_ALL += $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
BPF_INCLUDE := $(shell $(PKG_CONFIG) --cflags libbpf) \
	-idirafter /usr/include/$(shell gcc -dumpmachine)
LDLIBS_ALL := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lmbedcrypto $(LDLIBS)
endif
sanitizers := $(if $(filter san,$(MODE)),address$(comma)undefined)
sanitizers += $(if $(filter fuzz,$(MODE)),fuzzer-no-link$(comma)address$(comma)undefined)
ifneq ($(strip $(sanitizers)),)
CFLAGS_ALL += -fsanitize=$(strip $(sanitizers)) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
LDFLAGS_ALL += -fsanitize=$(strip $(sanitizers))
endif
CFLAGS_ALL += $(CFLAGS)
LDFLAGS_ALL += $(LDFLAGS)

# Sources are whatever lies in src/ and one folder below.  The stand-in for the
# TCTI loader is for the static binary: the system's libraries bring their own.
TEST_SRC := $(wildcard src/*/*_test.c)
BPF_SRC := $(wildcard src/*/*.bpf.c)
SRC := $(filter-out $(TEST_SRC) $(BPF_SRC) $(if $(filter static,$(MODE)),,src/tpm/tctildr.c), \
	$(wildcard src/*.c src/*/*.c))
BPF_OBJ := $(BPF_SRC:%.c=$O/%.o)
OBJ := $(SRC:%.c=$O/%.o) $(BPF_SRC:%.bpf.c=$O/%_object.o)
CMD_OBJ := $(filter $O/src/cmd/%,$(OBJ))
LIB_OBJ := $(filter-out $O/src/main.o $(CMD_OBJ),$(OBJ))
TESTS := $(TEST_SRC:%.c=$O/%)
FUZZ_SRC := $(wildcard test/fuzz/*_fuzz.c)
REPLAYS := $(FUZZ_SRC:%_fuzz.c=$O/%_replay)
FUZZERS := $(FUZZ_SRC:%.c=$O/%)
CLI_TESTS := $(sort $(wildcard test/*.t))
BENCHES := $(patsubst %.c,$O/%,$(wildcard test/bench/*.c))

build/veritally: $O/veritally
	$(call msg,STRIP)strip -s -o $@ $<

# LTO judges the libraries' code again, with false alarms: -w.
$O/veritally: $(OBJ) $O/link-flags
	$(call msg,LD)$(LINK) $(CFLAGS_ALL) $(if $(filter static,$(MODE)),-w) $(LDFLAGS_ALL) -o $@ $(OBJ) $(LDLIBS_ALL)

$O/%.o: %.c $O/compile-flags $(DEPS_READY)
	$(call msg,CC)mkdir -p $(@D) && \
		$(compile) $(CPPFLAGS_ALL) -Itest $(CFLAGS_ALL) -c -o $@ $<

# Programs for the kernel, whatever compiler makes the rest, are part of the binary.  The
# kernel needs the types, but not the lines of the source, which clang looks for below /.
$(BPF_OBJ): $O/%.bpf.o: %.bpf.c $O/compile-flags $(DEPS_READY)
	$(call msg,BPF)mkdir -p $(@D) && clang -std=gnu11 -target bpf -mcpu=v3 -Os -g -Wall \
		-Wextra -Wno-unused-parameter $(WERROR:%=-Werror) -MMD -MP -Isrc \
		-fdebug-compilation-dir=/ $(BPF_INCLUDE) -c -o $@ $< && \
		llvm-strip -g --wildcard --strip-symbol='LBB*' -R .llvm_addrsig \
		-R .rel.BTF -R .rel.BTF.ext $@

$O/%_object.o: %_object.S $O/%.bpf.o
	$(call msg,AS)$(compile) -c -I$(@D) -o $@ $<

# Test programs hold all of the product but main(), and are linked without LTO.
$(TESTS) $(BENCHES): $O/%: $O/%.o $(LIB_OBJ) $O/link-flags
	$(call msg,LD)$(LINK) $(CFLAGS_ALL) -fno-lto $(LDFLAGS_ALL) -o $@ \
		$(filter %.o,$^) $(LDLIBS_ALL)

$(filter $O/src/cmd/%,$(TESTS)): $(CMD_OBJ)

$(REPLAYS): %_replay: %_fuzz.o $O/test/fuzz/replay.o $(LIB_OBJ) $O/link-flags
	$(call msg,LD)$(LINK) $(CFLAGS_ALL) -fno-lto $(LDFLAGS_ALL) -o $@ \
		$(filter %.o,$^) $(LDLIBS_ALL)

$(FUZZERS): %: %.o $(LIB_OBJ) $O/link-flags
	$(call msg,LD)$(LINK) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ \
		$(filter %.o,$^) $(LDLIBS_ALL)

$(addprefix $O/test/fuzz/config_,replay fuzz): $(CMD_OBJ)

$O/test/fuzz/%.o: CFLAGS_ALL += -Wno-missing-prototypes

# Flags are kept in files, which are touched only when they change.
$O/compile-flags: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(compile) $(CPPFLAGS_ALL) $(CFLAGS_ALL)' > $@.new; \
		if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$O/link-flags: FORCE
	@mkdir -p $(@D); echo '$(LINK) $(LDFLAGS_ALL) $(LDLIBS_ALL) $(OBJ)' > $@.new; \
		if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# A virtual machine boots the static binary, so the other builds leave that out.
run-tests = @VERITALLY='$(CURDIR)/$(BINARY)' $(if $(DL),DL='$(DL)') test/tap $(if $(STRICT),-s)
replays := $(REPLAYS:$O/%=build/san/%)
boot-tests := $(if $(filter static,$(MODE)),-v test/boot/run)

check:
	@test/setup build system check $(if $(boot-tests),boot)
	@+$(MAKE) --no-print-directory check-all

check-all: $(BINARY) $(TESTS) $(replays)
	$(run-tests) $(TESTS) $(replays) $(CLI_TESTS) $(boot-tests)

check-unit: $(TESTS)
	$(run-tests) $(TESTS)

check-fuzz: $(replays)
	$(run-tests) $(replays)

check-cli: $(BINARY)
	$(run-tests) $(CLI_TESTS)

check-boot: $(BINARY)
	$(run-tests) -v test/boot/run

# The corpus is always replayed under the sanitizers.
ifneq ($(MODE),san)
$(replays): san-replays
	@:
san-replays:
	@+$(MAKE) --no-print-directory SAN=1 $(replays)
.PHONY: san-replays
endif

demo:
	@test/setup build check boot
	@+$(MAKE) --no-print-directory $(BINARY)
	@VERITALLY='$(CURDIR)/$(BINARY)' test/boot/demo

bench:
	@test/setup build check boot bench
	@+$(MAKE) --no-print-directory run-bench

# FIGURES="size log" measures these only.
run-bench: $(BINARY) $(BENCHES)
	@VERITALLY='$(CURDIR)/$(BINARY)' BENCH='$(CURDIR)/$O/test/bench' \
		test/bench/run $(FIGURES)

lint:
	@test/setup build system lint
	@+$(MAKE) --no-print-directory SYSTEM=1 run-lint

# CHECKS="layers tidy" runs these checks only.
run-lint: $(BINARY)
	@VERITALLY='$(CURDIR)/$<' CHECK_FLAGS='$(CPPFLAGS_ALL) -Itest -std=gnu11' \
		BPF_FLAGS='--target=bpf $(BPF_INCLUDE)' \
		test/lint/run $(CHECKS)

fuzz:
	@test/setup system fuzz
	@+$(MAKE) --no-print-directory MODE=fuzz CC=clang CFLAGS='-O1 -g' run-fuzzers

run-fuzzers: $(FUZZERS)
	@$(if $(FUZZ_SECONDS),for fuzzer in $(FUZZERS); do \
		test/fuzz/run "$$fuzzer" $(FUZZ_SECONDS) || exit; done,:)

# Where things go: $(call pc-dir,PACKAGE,VARIABLE,ELSE) asks pkg-config.  An answer
# below /lib, as some systemd.pc give it, means PREFIX/lib: /lib is a link to that.
pc-dir = $(patsubst /lib/%,$(PREFIX)/lib/%,$(or $(shell $(PKG_CONFIG) \
	--define-variable=prefix=$(PREFIX) --variable=$2 $1 2>/dev/null),$3))
DRACUTMODULESDIR ?= $(call pc-dir,dracut,dracutmodulesdir,$(PREFIX)/lib/dracut/modules.d)
SYSTEMDSYSTEMUNITDIR ?= $(call pc-dir,systemd,systemdsystemunitdir,/lib/systemd/system)
SYSTEMDPRESETDIR ?= $(call pc-dir,systemd,systemdsystempresetdir,/lib/systemd/system-preset)
BASHCOMPDIR ?= $(call pc-dir,bash-completion,completionsdir,$(PREFIX)/share/bash-completion/completions)
INITRAMFSTOOLSDIR ?= $(PREFIX)/share/initramfs-tools
INITCPIODIR ?= $(PREFIX)/lib/initcpio

# What calls the binary in the real root names its place; in an initramfs that is always
# /usr/sbin, and data is always looked for in LIBDIR.
SET_SBINDIR = sed -i 's|/usr/sbin/veritally|$(SBINDIR)/veritally|g'

INSTALL_FILE := install -D -m 644
INSTALL_PROGRAM := install -D -m 755

INSTALLS := $(addprefix install-,bin data dracut systemd openrc hooks man completion)

install: $(INSTALLS)

install-bin: $(BINARY)
	$(INSTALL_PROGRAM) $< '$(DESTDIR)$(SBINDIR)/veritally'

install-data:
	$(INSTALL_FILE) -t '$(DESTDIR)$(LIBDIR)' src/data/veritally.conf
	$(INSTALL_FILE) -t '$(DESTDIR)$(LIBDIR)/nvpcr.d' $(wildcard src/data/*.nvpcr)
	$(INSTALL_FILE) -t '$(DESTDIR)$(PREFIX)/share/veritally' \
		$(wildcard src/data/*.schema.json)

install-dracut: install-hooks
	$(INSTALL_PROGRAM) -t '$(DESTDIR)$(DRACUTMODULESDIR)/50veritally' \
		$(wildcard dracut-module/50veritally/*)

install-systemd:
	$(INSTALL_FILE) -t '$(DESTDIR)$(SYSTEMDSYSTEMUNITDIR)' $(wildcard systemd/*.service)
	$(SET_SBINDIR) '$(DESTDIR)$(SYSTEMDSYSTEMUNITDIR)'/veritally.service \
		'$(DESTDIR)$(SYSTEMDSYSTEMUNITDIR)'/veritally-sync.service
	$(INSTALL_FILE) -t '$(DESTDIR)$(SYSTEMDPRESETDIR)' $(wildcard systemd/*.preset)

install-openrc:
	for file in $(wildcard openrc/*.initd); do $(INSTALL_PROGRAM) $$file \
		'$(DESTDIR)$(SYSCONFDIR)'/init.d/$$(basename $$file .initd) || exit; done
	$(SET_SBINDIR) '$(DESTDIR)$(SYSCONFDIR)'/init.d/veritally*
	for file in $(wildcard openrc/*.confd); do $(INSTALL_FILE) $$file \
		'$(DESTDIR)$(SYSCONFDIR)'/conf.d/$$(basename $$file .confd) || exit; done

install-hooks:
	$(INSTALL_PROGRAM) -t '$(DESTDIR)$(LIBDIR)' hook/veritally-hook hook/rdinit/veritally-init

# The adapters for one generator each are for those who have that generator.
install-initramfs-tools: install-hooks
	cd hook/initramfs-tools && find . -type f | while read -r file; do \
		$(INSTALL_PROGRAM) "$$file" '$(DESTDIR)$(INITRAMFSTOOLSDIR)/'"$$file" || exit; done

install-mkinitcpio: install-hooks
	$(INSTALL_FILE) -t '$(DESTDIR)$(INITCPIODIR)/hooks' hook/mkinitcpio/hooks/veritally
	$(INSTALL_FILE) -t '$(DESTDIR)$(INITCPIODIR)/install' hook/mkinitcpio/install/veritally

install-mkinitfs: install-hooks
	$(INSTALL_FILE) -t '$(DESTDIR)$(SYSCONFDIR)/mkinitfs/features.d' $(wildcard hook/mkinitfs/*)

MAN_PAGES := $(patsubst src/man/%.scd,build/man/%,$(wildcard src/man/*.scd))

man: $(MAN_PAGES)

build/man/%: src/man/%.scd
	$(call msg,MAN)mkdir -p $(@D) && scdoc < $< > $@

# Without scdoc there are no man pages, which is no reason to install nothing.
install-man: $(if $(shell command -v scdoc),$(MAN_PAGES))
	$(if $^,,@echo '  MAN   left out: scdoc is missing (test/setup doc)')
	for page in $^; do $(INSTALL_FILE) -t \
		'$(DESTDIR)$(MANDIR)'/man$${page##*.} $$page || exit; done

install-completion:
	$(INSTALL_FILE) src/completion/veritally.bash '$(DESTDIR)$(BASHCOMPDIR)/veritally'

help:
	@sed -n '/^# make/,/^$$/s/^# \{0,1\}//p' Makefile

clean:
	rm -rf $(filter-out build/deps,$(wildcard build/*))

distclean:
	rm -rf build

FORCE:
.PHONY: install $(INSTALLS) install-initramfs-tools install-mkinitcpio install-mkinitfs man
.PHONY: all check check-all check-unit check-fuzz check-cli check-boot demo bench run-bench \
	lint fuzz run-fuzzers run-lint help clean distclean FORCE
.DELETE_ON_ERROR:
.SECONDARY:
-include $(patsubst %.o,%.d,$(OBJ) $(BPF_OBJ) $(TEST_SRC:%.c=$O/%.o) $(FUZZ_SRC:%.c=$O/%.o) \
	$(BENCHES:=.o))
