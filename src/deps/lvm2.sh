# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# lvm2: libdevmapper.  Without udev it makes its device nodes itself.

# Nobody would see its messages.
sed -i 's/^\tdm_log_with_errno(l, .*/\t(void) 0/' libdm/misc/dm-logging.h

export ac_cv_func_malloc_0_nonnull=yes ac_cv_func_realloc_0_nonnull=yes
./configure --prefix="$PREFIX" --libdir="$PREFIX/lib" --with-usrlibdir="$PREFIX/lib" \
	--with-confdir="$PREFIX/etc" --host="$HOST" --enable-static_link --enable-pkgconfig \
	--with-optimisation="" --without-blkid --disable-blkid_wiping --disable-selinux \
	--disable-readline --disable-udev_sync --disable-udev_rules --disable-dmeventd \
	--disable-systemd-journal --disable-app-machineid --disable-nls
build -C libdm ioctl/libdevmapper.a
cp libdm/ioctl/libdevmapper.a "$PREFIX/lib/"
cp libdm/libdevmapper.h "$PREFIX/include/"
cp libdm/libdevmapper.pc "$PREFIX/lib/pkgconfig/devmapper.pc"
