#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# cppcheck.sh - cppcheck's warnings; a false one is suppressed where it stands
#
# memleak is off as it does not understand the cleanup attribute: ASan finds leaks.
# Fuzzers may assert() a call: they are never built with NDEBUG.
set -eu
. test/lint/files.sh

cache=build/lint/cppcheck
mkdir -p "$cache"
files 'src/*.c' 'test/fuzz/*.c' > "$cache.list"
cppcheck --quiet --error-exitcode=1 --std=c11 --language=c -j"$(nproc)" \
	--enable=warning,performance,portability --inline-suppr \
	--suppress=missingIncludeSystem --suppress=unknownMacro --suppress=memleak \
	--suppress='assertWithSideEffect:test/fuzz/*' \
	--cppcheck-build-dir="$cache" -D_GNU_SOURCE -DVERITALLY_VERSION='""' -Isrc -Itest --file-list="$cache.list"
