# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# libbpf: loads the kernel hook.  Its kernel headers are its own, newer ones.

# What the hook cannot need stays out of the binary: programs that are not attached by the
# kernel's type information; making a loader out of an object; messages, which nobody
# sees; a packed kernel configuration, and with that zlib.
sed -i -e '/^\tSEC_DEF("/{/attach_trace\|attach_lsm/!d}' \
	-e '/obj->gen_loader = gen;/d' -e 's/[a-z>-]*obj->gen_loader/(struct bpf_gen *)0/' \
	-e '/zlib\.h/d' -e 's/gzFile /FILE */' -e 's/gzgets(file, \(.*\)))/fgets(\1, file))/' \
	-e 's/gzopen(/fopen(/' -e 's/gzclose(/fclose(/' src/libbpf.c
sed -i '/^#define __pr(/,/^} while/s/^do {/do if (0) {/' src/libbpf_internal.h

build -C src BUILD_STATIC_ONLY=1 NO_PKG_CONFIG=1 PREFIX="$PREFIX" LIBDIR="$PREFIX/lib" \
	EXTRA_CFLAGS="-I$PREFIX/include" install
