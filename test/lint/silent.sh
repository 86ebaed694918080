#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# silent.sh - only cmd/, main.c and base/msg.c print, and only cmd/, main.c and
# measure/, for its watch loop, have anything to say through msg_*()
set -eu
. test/lint/files.sh

prints='\<\(printf\|fprintf\|vprintf\|vfprintf\|puts\|putchar\|fputs\|perror\) *('
verdict "$(c_files | grep '^src/' | grep -v '_test\.c$' | while read -r file; do
	case $file in
	src/main.c | src/cmd/* | src/base/msg.[ch]) continue ;;
	esac
	grep -Hn -e "$prints" "$file" | grep -v '^[^:]*:[^:]*:[[:space:]]*\(/\?\*\)' || :
	case $file in
	src/measure/*) ;;
	*) grep -Hn '\<msg_[a-z]* *(' "$file" || : ;;
	esac
done)"
