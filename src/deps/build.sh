#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# build.sh NAME STAMP PREREQUISITE... - fetch, check, unpack and build one
# dependency into $PREFIX, and touch STAMP.  Two of these may run at once: the
# second waits, and finds the STAMP newer than the PREREQUISITEs.
#
# NAME.sh says how: it is read inside the unpacked tree, with the functions
# below at hand.  deps.mk hands over PREFIX, DL, APT_DIR, LOG_DIR, HOST, CC and
# CFLAGS.  One line is printed when all went well; the rest goes to the log.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=$1
stamp=$2
shift 2
log=$LOG_DIR/$name.log
read -r _ tarball sha256 _ <<-END
	$(grep "^$name " "$here/deps.lock")
END

# Stop with the end of the log in sight.
failed() {
	echo "deps: $name failed; the end of $log:" >&2
	tail -n 20 "$log" >&2
	exit 1
}

# What is built is what was pinned, whoever put the file there.
check_tarball() {
	sum=$(sha256sum "$DL/$tarball" | cut -d' ' -f1)
	[ "$sum" = "$sha256" ] && return
	echo "deps: wrong checksum: $DL/$tarball" >&2
	echo "deps:   is        $sum" >&2
	echo "deps:   should be $sha256 (src/deps/deps.lock)" >&2
	exit 1
}

# ./configure for a static library that runs on $HOST, whatever NAME adds.
configure() {
	./configure --prefix="$PREFIX" --libdir="$PREFIX/lib" --host="$HOST" \
		--disable-shared --enable-static "$@"
}

# Like make, with all cores and without this build's own make variables.
build() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -j"$(nproc)" "$@"
}

# The tools' settings for every configure script and Makefile of a dependency.
# PKG_CONFIG_LIBDIR, unlike _PATH, keeps this machine's libraries out.
export_tools() {
	export CC CFLAGS AR=gcc-ar RANLIB=gcc-ranlib NM=gcc-nm
	export CPPFLAGS="-I$PREFIX/include" LDFLAGS="-static -no-pie -L$PREFIX/lib"
	export PKG_CONFIG="pkg-config --static" PKG_CONFIG_LIBDIR="$PREFIX/lib/pkgconfig"
	unset PKG_CONFIG_PATH
}

# The recipe runs under a sub-shell of its own: "set -e" holds in there, which
# it would not in a function called before "||".
run_recipe() {
	tree=$PREFIX/src/$name
	rm -rf "$tree"
	mkdir -p "$tree" "$PREFIX/include" "$PREFIX/lib/pkgconfig"
	tar -xf "$DL/$tarball" -C "$tree" --strip-components=1
	cd "$tree"
	export_tools
	# shellcheck source=/dev/null
	. "$here/$name.sh"
	rm -rf "$tree"
}

mkdir -p "$LOG_DIR" "$(dirname "$stamp")"
exec 8> "$stamp.lock"
flock 8
[ ! -e "$stamp" ] || [ -n "$(find "$@" -newer "$stamp")" ] || exit 0
start=$(date +%s)
"$here/fetch.sh" "$name" > "$log" 2>&1 || failed
check_tarball
set +e
(set -ex; run_recipe) >> "$log" 2>&1
rc=$?
set -e
[ $rc -eq 0 ] || failed
touch "$stamp"
printf '  %-5s %s (%d s)\n' DEP "${tarball%.orig.tar.*}" $(($(date +%s) - start))
