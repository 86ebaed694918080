# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# tpm2-tss: ESYS, marshalling, and the TCTIs for a device and for swtpm.  The
# TCTI loader is built but never linked: src/tpm/tctildr.c stands in for it.

# The tarball has no VERSION, and bootstrap asks git for it.
printf '4.1.3' > VERSION
sed -i '/^git describe/d' bootstrap

# Opening the device would send a TPM command to learn whether responses can be
# read in parts.  Nobody here reads in parts, so take "no" for the answer.
replace src/tss2-tcti/tcti-device.c \
	'\/\* probe if the device support partial response read \*\/' \
	'tcti_common->partial_read_supported = 0; return TSS2_RC_SUCCESS;'

# Both TCTIs define the entry point that a loader would look for.
sed -i '/^const TSS2_TCTI_INFO\*$/,/^}/d' src/tss2-tcti/tcti-device.c src/tss2-tcti/tcti-swtpm.c

./bootstrap
configure --enable-nodl --with-crypto=mbed --with-maxloglevel=none --disable-log-file \
	--disable-fapi --disable-policy --disable-doxygen-doc --disable-defaultflags \
	--disable-unit --disable-integration --disable-weakcrypto --with-udevrulesdir=no \
	--enable-tcti-device --enable-tcti-swtpm --disable-tcti-mssim --disable-tcti-pcap \
	--disable-tcti-libtpms --disable-tcti-cmd --disable-tcti-spi-helper \
	--disable-tcti-spi-ltt2go --disable-tcti-spidev --disable-tcti-spi-ftdi \
	--disable-tcti-i2c-helper --disable-tcti-i2c-ftdi
libs="src/tss2-sys/libtss2-sys.la src/tss2-mu/libtss2-mu.la src/tss2-esys/libtss2-esys.la
	src/tss2-tcti/libtss2-tcti-device.la src/tss2-tcti/libtss2-tcti-swtpm.la"
# shellcheck disable=SC2086 # a list
build $libs
for lib in $libs; do
	cp "$(dirname "$lib")/.libs/$(basename "$lib" .la).a" "$PREFIX/lib/"
done
cp -r include/tss2 "$PREFIX/include/"
