#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# lengths.sh - functions of at most 60 lines, files of 500, lines of 100 columns
# (90 is the aim); a test may be one long table
set -eu
. test/lint/files.sh

verdict "$(
	# shellcheck disable=SC2046 # names without blanks
	ctags -x --c-kinds=f --fields=+e --_xformat='%F %n %{end} %N' $(c_files) |
		awk '$1 !~ /_test\.c$/ && $3 - $2 + 1 > 60 {
			printf "%s:%d: %s() has %d lines\n", $1, $2, $4, $3 - $2 + 1
		}'
	{ c_files; shell_files; } | sort -u | while read -r file; do
		lines=$(wc -l < "$file")
		[ "$lines" -le 500 ] || echo "$file: has $lines lines"
	done
	c_files | while read -r file; do
		expand "$file" | LC_ALL=C.UTF-8 awk -v file="$file" 'length > 100 {
			printf "%s:%d: has %d columns\n", file, FNR, length
		}'
	done
)"
