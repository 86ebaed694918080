# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# nettle: digests, with the assembler picked at run time (--enable-fat).
configure --enable-fat --disable-openssl --disable-documentation --disable-public-key \
	--enable-mini-gmp
build libnettle.a nettle.pc
mkdir -p "$PREFIX/include/nettle"
cp ./*.h "$PREFIX/include/nettle/"
cp libnettle.a "$PREFIX/lib/"
cp nettle.pc "$PREFIX/lib/pkgconfig/"
