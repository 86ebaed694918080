# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# cryptsetup: libcryptsetup for verity superblocks.  Its nettle backend needs no
# kernel module, unlike the kernel one.  configure wants popt though no program
# is built: the library does not use it, hence the cache variable.

# Of the formats that setup.c tells apart only verity is asked for; the others would bring
# their parsers, ciphers and key derivations along.
sed -i -e '/^static int is[A-Z0-9]*(/{/isVERITY/!{n;n;s/return .*/return 0;/}}' \
	-e 's/!requested_type || //' lib/setup.c

export ac_cv_lib_popt_poptConfigFileToString=yes
./autogen.sh
configure --with-crypto_backend=nettle --disable-kernel_crypto --disable-cryptsetup \
	--disable-veritysetup --disable-integritysetup --disable-ssh-token \
	--disable-external-tokens --disable-luks2-reencryption --disable-internal-argon2 \
	--disable-blkid --disable-udev --disable-selinux --disable-nls --disable-asciidoc \
	--disable-fips --disable-pwquality --disable-passwdqc --disable-fuzz-targets
build libcryptsetup.la
cp .libs/libcryptsetup.a "$PREFIX/lib/"
cp lib/libcryptsetup.h "$PREFIX/include/"
cp lib/libcryptsetup.pc "$PREFIX/lib/pkgconfig/"
