#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# spdx.sh - every source file names its licence within its first three lines
set -eu
. test/lint/files.sh

verdict "$(files | while read -r file; do
	case $file in
	*.md | LICENSES/* | COPYING* | .gitignore | *.json | *.nvpcr | */.shellcheckrc) continue ;;
	# A comment before a manual page's first section would be an empty paragraph.
	*.scd) lines=1000 ;;
	*) lines=3 ;;
	esac
	head -n "$lines" "$file" | grep -qa 'SPDX-License-Identifier: [A-Z]' ||
		echo "$file: no SPDX-License-Identifier in its first lines"
done)"
