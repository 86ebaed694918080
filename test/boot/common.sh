# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# common.sh - what every script of the boot tests begins with
#
# Everything these scripts build lies under $boot. A thing is built again only when its stamp, a
# digest over all that went into it, has changed.

set -eu
umask 022
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
boot=${BOOT_DIR:-$top/build/boot}
export stage="$boot/stage"
mkdir -p "$boot"

# say WORD... - progress, for the person who waits
say() {
	echo "# $*" >&2
}

# die WORD... - give up
die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# digest PATH... - one digest over the content, names and modes of files and directories
digest() {
	for path; do
		find "$path" \( -type f -o -type l \) -printf '%P %m %l\n' | sort
		find "$path" -type f -print0 | sort -z | xargs -0r sha256sum | cut -d' ' -f1
	done | sha256sum | cut -d' ' -f1
}

# versions PACKAGE... - the installed versions of packages, as part of a stamp
versions() {
	dpkg-query -W -f '${Package}=${Version} ' "$@"
}

# fresh TARGET STAMP - was TARGET built from just what STAMP says?
fresh() {
	[ -e "$1" ] && [ "$(cat "$1.stamp" 2>/dev/null)" = "$2" ]
}

# keep TARGET STAMP - TARGET.new is complete: put it in place
keep() {
	rm -rf "$1"
	mv "$1.new" "$1"
	echo "$2" >"$1.stamp"
}
