#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# spdx.sh - every source file names its licence within its first three lines
set -eu
. test/lint/files.sh

verdict "$(files | while read -r file; do
	case $file in
	*.md | LICENSES/* | COPYING* | .gitignore | *.json | *.nvpcr | */.shellcheckrc) continue ;;
	esac
	head -n3 "$file" | grep -qa 'SPDX-License-Identifier: [A-Z]' ||
		echo "$file: no SPDX-License-Identifier in its first lines"
done)"
