#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# fetch.sh NAME - put the tarball that deps.lock names for NAME into $DL.
#
# A tarball that lies there already is left alone, so a folder filled by hand
# builds offline.  The others come out of Debian's source archive, found
# through this machine's own apt sources.  apt gets private directories below
# $APT_DIR, so neither root nor a change to /etc is needed.  Debian rotates its
# revisions away but keeps the upstream tarball, so the tarball is what is
# pinned, and only its checksum (see build.sh) decides what is built.
set -eu

suite=trixie
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
here=$(dirname "$0")
name=$1

die() {
	echo "fetch: $*" >&2
	exit 1
}

# The archive's address, out of whatever form of apt source this machine has.
archive_uris() {
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' |
		awk -v codename="$codename" '
			$2 == "main" && ($1 == codename || $1 ~ /^(old)?stable$/) && !seen[$3]++ {
				printf "%s ", $3
			}'
}

private_apt() {
	apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$APT_DIR/parts" \
		-o Dir::State::Lists="$APT_DIR/lists" -o Dir::Cache="$APT_DIR/cache" \
		-o APT::Sandbox::User="$(id -un)" "$@"
}

apt_prepare() {
	[ ! -e "$APT_DIR/ready" ] || return 0
	uris=$(archive_uris)
	[ -n "$uris" ] || die "no Debian archive among this machine's apt sources;" \
		"put the tarballs of src/deps/deps.lock into $DL by hand"
	mkdir -p "$APT_DIR/parts" "$APT_DIR/lists/partial" "$APT_DIR/cache/archives/partial"
	printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' \
		"$uris" "$suite" "$keyring" > "$APT_DIR/parts/source.sources"
	private_apt update
	: > "$APT_DIR/ready"
}

# shellcheck disable=SC2034 # the checksum is build.sh's business
read -r _ tarball sha256 source <<-END
	$(grep "^$name " "$here/deps.lock")
END
[ -n "$source" ] || die "no '$name' in deps.lock"
[ ! -e "$DL/$tarball" ] || exit 0

mkdir -p "$DL" "$APT_DIR"
exec 9> "$APT_DIR/lock"
flock 9
apt_prepare
scratch=$(mktemp -d "$DL/.fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && private_apt source --download-only --tar-only "$source")
[ -e "$scratch/$tarball" ] ||
	die "the archive has no $tarball any more; put it into $DL by hand"
mv "$scratch/$tarball" "$DL/$tarball"
