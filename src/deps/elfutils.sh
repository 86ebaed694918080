# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# elfutils: libelf alone, for libbpf.  configure wants what its other parts need
# and musl does not have; libelf does without, hence the cache variables.
export ac_cv_search_argp_parse='none required' ac_cv_search_fts_close='none required' \
	ac_cv_search__obstack_free='none required' ac_cv_search_gzdirect='none required'

# The one object that is read has no compressed section, so zlib is not needed.
sed -i 's/\<elf_compress\.\(c\|[$](OBJEXT)\)//' libelf/Makefile.in
sed -i 's/__libelf_decompress_elf (.*);/NULL;/' libelf/elf_strptr.c

configure --disable-debuginfod --disable-libdebuginfod --disable-demangler \
	--without-bzlib --without-lzma --without-zstd --disable-nls --disable-symbol-versioning
build -C libelf libelf.a
build -C lib eu-search.o
$AR rs libelf/libelf.a lib/eu-search.o
cp libelf/libelf.a "$PREFIX/lib/"
cp libelf/libelf.h libelf/gelf.h "$PREFIX/include/"
