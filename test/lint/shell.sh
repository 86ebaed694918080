#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# shell.sh - shellcheck for every script; OpenRC's are sh with its own words
#
# SC2119, SC2120: functions with optional arguments are meant to have them.
set -eu
. test/lint/files.sh

found=0
for file in $(shell_files); do
	case $(head -n1 "$file") in
	*openrc-run*) shellcheck -x -s sh -e SC2034,SC2119,SC2120 "$file" || found=1 ;;
	*) shellcheck -x -e SC2119,SC2120 "$file" || found=1 ;;
	esac
done
exit $found
