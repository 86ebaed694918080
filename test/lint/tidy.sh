#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tidy.sh - clang-tidy with the checks of .clang-tidy
#
# One file at a time: given several, clang-tidy 14 takes va_list for uninitialized
# in all but the first.
set -eu
. test/lint/files.sh

# shellcheck disable=SC2046 # flags
files 'src/*.c' 'test/*.c' | grep -v '^test/bench/' |
	tr '\n' '\0' | xargs -0 -n1 -P"$(nproc)" sh -c \
	'clang-tidy --quiet --warnings-as-errors="*" "$@" -- '"$CHECK_FLAGS"' 2>/dev/null' tidy
