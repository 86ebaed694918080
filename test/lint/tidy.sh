#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# tidy.sh - clang-tidy with the checks of .clang-tidy
#
# One file at a time: given several, clang-tidy 14 takes va_list for uninitialized
# in all but the first.  Programs for the kernel are of another kind of machine.
set -eu
. test/lint/files.sh

# shellcheck disable=SC2016 # the inner shell's
files 'src/*.c' 'test/*.c' | grep -v '^test/bench/' |
	tr '\n' '\0' | xargs -0 -n1 -P"$(nproc)" sh -c '
		case $1 in *.bpf.c) flags=$BPF_FLAGS ;; *) flags= ;; esac
		clang-tidy --quiet --warnings-as-errors="*" "$1" -- '"$CHECK_FLAGS"' $flags \
			2>/dev/null' tidy
