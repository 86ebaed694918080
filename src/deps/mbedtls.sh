# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# mbedtls: libmbedcrypto, the cryptography of tpm2-tss (session HMACs, names).
build -C library libmbedcrypto.a
cp library/libmbedcrypto.a "$PREFIX/lib/"
cp -r include/mbedtls include/psa "$PREFIX/include/"
cat > "$PREFIX/lib/pkgconfig/mbedcrypto.pc" <<END
Name: mbedcrypto
Description: cryptographic library
Version: 3.6.6
Libs: -L$PREFIX/lib -lmbedcrypto
Cflags: -I$PREFIX/include
END
