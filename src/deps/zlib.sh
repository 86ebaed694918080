# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# zlib: libelf wants it for compressed sections.  Its configure knows no --host.
CHOST=$HOST ./configure --static --prefix="$PREFIX" --libdir="$PREFIX/lib"
build libz.a
cp libz.a "$PREFIX/lib/"
cp zlib.h zconf.h "$PREFIX/include/"
cp zlib.pc "$PREFIX/lib/pkgconfig/"
