#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# dracut module of the boot tests: activates images before switch-root, reports an emergency

# check - only when asked for
check() {
	return 255
}

# depends - veritysetup waits for udev's rules for device-mapper
depends() {
	echo base dm
}

# installkernel - what the images need
installkernel() {
	hostonly='' instmods virtio_blk dm_verity loop squashfs erofs overlay
}

# install - tools, library of the guest scripts, hooks
install() {
	inst_multiple veritysetup losetup blkid tr cat grep sync touch
	# shellcheck disable=SC2154 # dracut sets moddir
	inst_simple "$moddir/lib.sh" /usr/libexec/veritally-test/lib.sh
	inst_hook cmdline 01 "$moddir/begin.sh"
	inst_hook pre-pivot 50 "$moddir/activate.sh"
	inst_hook emergency 01 "$moddir/emergency.sh"
}
