#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# spelling.sh - codespell, but for words that are names here
set -eu
. test/lint/files.sh

files | tr '\n' '\0' | xargs -0 codespell --ignore-words-list=anid,te,fo,daa,iif,isnt
