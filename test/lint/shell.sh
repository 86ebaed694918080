#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shell.sh - shellcheck for every script; OpenRC's are sh with its own words
set -eu
. test/lint/files.sh

found=0
for file in $(shell_files); do
	case $(head -n1 "$file") in
	*openrc-run*) shellcheck -x -s sh -e SC2034 "$file" || found=1 ;;
	*) shellcheck -x "$file" || found=1 ;;
	esac
done
exit $found
