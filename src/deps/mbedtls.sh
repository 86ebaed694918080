# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# mbedtls: libmbedcrypto, the cryptography of tpm2-tss (session HMACs, names, secrets).

# What tpm2-tss calls, and what verifies a signature by RSA or on one of the two curves
# that TPMs have; small rather than fast.
cat > include/mbedtls/mbedtls_config.h <<END
#define MBEDTLS_AES_C
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_CIPHER_MODE_CFB
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_ECDH_C
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECP_FIXED_POINT_OPTIM 0
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ENTROPY_C
#define MBEDTLS_HAVE_ASM
#define MBEDTLS_MD_C
#define MBEDTLS_OID_C
#define MBEDTLS_PKCS1_V15
#define MBEDTLS_PKCS1_V21
#define MBEDTLS_RSA_C
#define MBEDTLS_SHA1_C
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_SHA512_SMALLER
END

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
