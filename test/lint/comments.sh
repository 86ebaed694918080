#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# comments.sh - no notes to oneself, no // comments, no blanks at a line's end
set -eu
. test/lint/files.sh

mark='TO''DO\|FIX''ME\|XX''X'
verdict "$(
	files '*.c' '*.h' '*.sh' '*.t' '*.mk' Makefile | while read -r file; do
		grep -Hnw "$mark" "$file" || :
		grep -Hn '[[:blank:]]$' "$file" || :
	done
	c_files | while read -r file; do
		grep -Hn '^[[:blank:]]*//\|[;{}][[:blank:]]*//' "$file" || :
	done
)"
