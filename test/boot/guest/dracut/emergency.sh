#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# emergency.sh - hook "emergency": no shell, the host shall know

# shellcheck source=lib.sh
. /usr/libexec/veritally-test/lib.sh
fail 'emergency in the initramfs'
