# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# util-linux: libuuid for cryptsetup, libblkid to find an image's partitions.

# libblkid drags in every prober it knows.  Of an image only a partition table of the
# type GPT matters here, so leave it that, and one prober of each other kind.
sed -i '/^[[:blank:]]*&.*_idinfo\>/{/verity_hash_\|gpt_pt_\|sysfs_tp_/!d}' \
	libblkid/src/superblocks/superblocks.c libblkid/src/partitions/partitions.c \
	libblkid/src/topology/topology.c

configure --disable-all-programs --enable-libuuid --enable-libblkid --disable-nls \
	--disable-asciidoc --disable-bash-completion --without-ncurses --without-ncursesw \
	--without-python --without-systemd --without-udev --without-econf \
	--without-tinfo --without-util --without-selinux --without-audit
build libuuid.la libblkid.la libuuid/uuid.pc libblkid/blkid.pc
cp .libs/libuuid.a .libs/libblkid.a "$PREFIX/lib/"
mkdir -p "$PREFIX/include/uuid" "$PREFIX/include/blkid"
cp libuuid/src/uuid.h "$PREFIX/include/uuid/"
cp libblkid/src/blkid.h "$PREFIX/include/blkid/"
cp libuuid/uuid.pc libblkid/blkid.pc "$PREFIX/lib/pkgconfig/"
