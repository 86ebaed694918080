#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# activate.sh - hook "pre-pivot": open the images that the real root keeps for this moment

# shellcheck disable=SC2154 # dracut sets NEWROOT
(
	# shellcheck source=lib.sh
	. /usr/libexec/veritally-test/lib.sh
	! grep -q test.early=none /proc/cmdline || exit 0
	modprobe -a loop dm-verity
	for image in "$NEWROOT"/var/lib/early/*.raw; do
		name=${image##*/}
		open_image "$image" "${name%.raw}" || fail "cannot open $name"
		mark "OPENED $name"
	done
)
