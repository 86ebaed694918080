#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# man.sh - manual pages build, and veritally(8) and the bash completion know the
# verbs and options that --help shows, and no others; so do both its exit statuses
set -eu
. test/lint/files.sh

page=src/man/veritally.8.scd
completion=src/completion/veritally.bash

options() {
	grep -oE -- '(^|[^-[:alnum:]])--[a-z][a-z-]*' | sed 's/^[^-]*//' | sort -u
}

# The verbs: what follows the line "Verbs:" of --help, one at each line's start.
verbs() {
	"$VERITALLY" --help | sed -n '/^[Vv]erbs:/,/^$/s/^  \([a-z]\{1,\}\).*/\1/p'
}

every_help() {
	"$VERITALLY" --help
	for verb in $(verbs); do
		"$VERITALLY" "$verb" --help
	done
}

compare() {
	printf '%s\n' "$2" | while read -r word; do
		printf '%s\n' "$4" | grep -qxF -e "$word" || echo "$3: $1 has $word, this has not"
	done
}

verdict "$(
	for source in src/man/*.scd; do
		scdoc < "$source" 2>&1 > /dev/null | sed "s|^|$source: |"
	done
	known=$(verbs)
	[ -n "$known" ] || echo "--help: no verbs found after a line \"Verbs:\""
	for verb in $known; do
		grep -q "^## .*\*\?$verb\|^\*$verb\*" "$page" || echo "$page: no section for $verb"
		grep -qw -- "$verb" "$completion" || echo "$completion: does not know $verb"
	done
	help=$(every_help | options)
	manual=$(sed 's/\\//g' "$page" | options)
	compare --help "$help" "$page" "$manual"
	compare "$page" "$manual" --help "$help"
	compare --help "$help" "$completion" "$(options < "$completion")"
	compare "$completion" "$(options < "$completion")" --help "$help"
	for status in 0 1 2 3; do
		sed -n '/^# EXIT STATUS/,/^# [^E]/p' "$page" | grep -qw "$status" ||
			echo "$page: EXIT STATUS does not explain $status"
	done
)"
