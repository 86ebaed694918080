#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the build promises: one static binary, and libraries that are the pinned ones.
set -u

number=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# ok NAME COMMAND... - one test: did the command succeed?
ok() {
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then echo "ok $number - $name"; else echo "not ok $number - $name"; fi
}

needs_no_interpreter() {
	! readelf -lW "$VERITALLY" | grep -q INTERP
}

needs_no_library() {
	! readelf -dW "$VERITALLY" | grep -q NEEDED
}

is_small() {
	size=$(stat -c %s "$VERITALLY")
	echo "# $size bytes"
	[ "$size" -le 700000 ]
}

# build.sh, with a folder of tarballs in which json-c's has one byte too many
build_tampered() {
	mkdir -p "$scratch/dl"
	cp "$DL/$tarball" "$scratch/dl/$tarball" 2> /dev/null || : > "$scratch/dl/$tarball"
	echo x >> "$scratch/dl/$tarball"
	PREFIX=$scratch/prefix DL=$scratch/dl APT_DIR=$scratch/apt LOG_DIR=$scratch/log \
		HOST=x CC=cc CFLAGS='' \
		src/deps/build.sh json-c "$scratch/stamp/json-c" 2> "$scratch/err"
}

tampered_stops_the_build() {
	! build_tampered && [ ! -e "$scratch/stamp/json-c" ] && [ ! -e "$scratch/prefix" ]
}

message_names_file_and_sums() {
	grep -qF "$scratch/dl/$tarball" "$scratch/err" &&
		grep -q "$(sha256sum "$scratch/dl/$tarball" | cut -d' ' -f1)" "$scratch/err" &&
		grep -q "$(awk '$1 == "json-c" { print $3 }' src/deps/deps.lock)" "$scratch/err"
}

# A tarball that is there is used: no apt is run, here because there is none.
present_tarball_is_not_fetched() {
	printf '#!/bin/sh\nexit 99\n' > "$scratch/apt-get"
	chmod +x "$scratch/apt-get"
	PATH=$scratch:$PATH DL=$scratch/dl APT_DIR=$scratch/apt src/deps/fetch.sh json-c
}

DL=${DL:-${XDG_CACHE_HOME:-$HOME/.cache}/veritally}
tarball=$(awk '$1 == "json-c" { print $2 }' src/deps/deps.lock)

case $VERITALLY in
*/build/veritally)
	ok 'the binary needs no interpreter' needs_no_interpreter
	ok 'the binary needs no library' needs_no_library
	ok 'the binary has at most 700 kB' is_small
	;;
esac
ok 'a tarball with a wrong checksum stops the build' tampered_stops_the_build
ok 'the message names the file and both checksums' message_names_file_and_sums
ok 'a tarball that lies there is not fetched' present_tarball_is_not_fetched
echo "1..$number"
