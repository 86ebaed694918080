# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# tpm2-tss: ESYS and what it stands on.  src/tpm/ is ESYS's TCTI by itself, so none of
# the library's is wanted; src/tpm/tctildr.c stands in for their loader.

# The tarball has no VERSION, and bootstrap asks git for it.
printf '4.1.3' > VERSION
sed -i '/^git describe/d' bootstrap

./bootstrap
configure --enable-nodl --with-crypto=mbed --with-maxloglevel=none --disable-log-file \
	--disable-fapi --disable-policy --disable-doxygen-doc --disable-defaultflags \
	--disable-unit --disable-integration --disable-weakcrypto --with-udevrulesdir=no \
	--disable-tcti-device --disable-tcti-swtpm --disable-tcti-mssim --disable-tcti-pcap \
	--disable-tcti-libtpms --disable-tcti-cmd --disable-tcti-spi-helper \
	--disable-tcti-spi-ltt2go --disable-tcti-spidev --disable-tcti-spi-ftdi \
	--disable-tcti-i2c-helper --disable-tcti-i2c-ftdi
libs="src/tss2-sys/libtss2-sys.la src/tss2-mu/libtss2-mu.la src/tss2-esys/libtss2-esys.la"
# shellcheck disable=SC2086 # a list
build $libs
for lib in $libs; do
	cp "$(dirname "$lib")/.libs/$(basename "$lib" .la).a" "$PREFIX/lib/"
done
cp -r include/tss2 "$PREFIX/include/"
