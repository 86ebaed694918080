# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The libraries of the static binary, built once from the pinned tarballs of
# deps.lock into build/deps/ARCH.  A library is built again when its line in
# deps.lock, its recipe or the flags change, or something it stands on.

DL ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/veritally
ARCH := $(shell uname -m)
DEPS := $(CURDIR)/build/deps/$(ARCH)
DEPS_LOCK := src/deps/deps.lock
DEPS_NAMES := $(shell awk '/^[^#]/ { print $$1 }' $(DEPS_LOCK))
DEPS_STAMPS := $(DEPS_NAMES:%=$(DEPS)/stamp/%)

# musl's own include path has no kernel headers.
KERNEL_HEADERS := $(DEPS)/kernel-headers
DEPS_CC := musl-gcc
DEPS_CFLAGS := -Os -fno-pie -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-flto -ffat-lto-objects -idirafter $(KERNEL_HEADERS)

DEPS_LIBS := -ltss2-esys -ltss2-sys -ltss2-mu \
	-lmbedcrypto -lcryptsetup -ldevmapper -lblkid -luuid -ljson-c -lnettle \
	-lbpf -lelf

deps: $(DEPS_STAMPS)
	@:

fetch:
	$(Q)for name in $(DEPS_NAMES); do \
		echo "  FETCH $$name"; \
		DL='$(DL)' APT_DIR='$(CURDIR)/build/deps/apt' src/deps/fetch.sh $$name || exit; \
	done

$(DEPS)/stamp/tpm2-tss: $(DEPS)/stamp/mbedtls
$(DEPS)/stamp/cryptsetup: $(addprefix $(DEPS)/stamp/,nettle json-c util-linux lvm2)
$(DEPS)/stamp/libbpf: $(DEPS)/stamp/elfutils

$(DEPS)/stamp/%: $(DEPS)/key/% src/deps/%.sh src/deps/build.sh | $(KERNEL_HEADERS)
	$(Q)PREFIX='$(DEPS)' DL='$(DL)' APT_DIR='$(CURDIR)/build/deps/apt' \
		LOG_DIR='$(CURDIR)/build/deps/log' HOST='$(ARCH)-linux-musl' \
		CC='$(DEPS_CC)' CFLAGS='$(DEPS_CFLAGS)' src/deps/build.sh $* $@ $^

# What a library was built from; touched only when that changes.
$(DEPS)/key/%: FORCE
	$(Q)mkdir -p $(@D); { grep '^$* ' $(DEPS_LOCK); echo '$(DEPS_CC) $(DEPS_CFLAGS)'; \
		$(DEPS_CC) -dumpfullversion; } > $@.new; \
		if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# The whole folder or none: half of it would be taken for finished.
$(KERNEL_HEADERS):
	$(Q)command -v $(DEPS_CC) gcc > /dev/null || \
		{ echo 'make: $(DEPS_CC) and gcc are missing: test/setup build' >&2; exit 1; }
	$(Q)rm -rf $@.new && mkdir -p $@.new
	$(Q)for dir in linux asm-generic mtd; do ln -sfn /usr/include/$$dir $@.new/$$dir; done
	$(Q)asm=$$(echo '#include <asm/types.h>' | gcc -M -E - | tr ' ' '\n' | \
		grep -m1 asm/types.h) && ln -sfn "$$(dirname "$$asm")" $@.new/asm
	$(Q)mv $@.new $@

.PRECIOUS: $(DEPS)/key/%
.PHONY: deps fetch
