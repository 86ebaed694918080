# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# files.sh - read by the other checks: which files are there to be checked

# Every file of the tree that git does or would keep, but for test data.
files() {
	git ls-files -co --exclude-standard -- "$@" |
		grep -v -e '^test/fuzz/corpus/' -e '^test/vectors/' |
		while read -r file; do [ ! -f "$file" ] || echo "$file"; done | sort -u
}

# The C files.
c_files() {
	files '*.c' '*.h'
}

# Shell scripts, by name or by first line.
shell_files() {
	files | while read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*.[ch1-8] | *.scd | *.md | *.py) ;;
		*) head -n1 "$file" | grep -qaE '^#!.*(sh|openrc-run)( |$)|^# shellcheck shell=' &&
			echo "$file" ;;
		esac
	done
}

# Print what was found, if anything, and fail then.
verdict() {
	[ -z "$1" ] || { printf '%s\n' "$1"; exit 1; }
}
