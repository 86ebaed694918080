#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# begin.sh - hook "cmdline": the initramfs runs

(
	# shellcheck source=lib.sh
	. /usr/libexec/veritally-test/lib.sh
	mark INITRAMFS
)
