# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# libbpf: loads the kernel hook.  Its kernel headers are its own, newer ones.
build -C src BUILD_STATIC_ONLY=1 NO_PKG_CONFIG=1 PREFIX="$PREFIX" LIBDIR="$PREFIX/lib" \
	EXTRA_CFLAGS="-I$PREFIX/include" install
