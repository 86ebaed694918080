# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# table.sh - lines of figures, and the arithmetic for them

met=0
missed=0

# section TITLE
section() {
	printf '\n%s\n' "$1"
}

# figure WHAT VALUE TARGET HOW - one line. VALUE begins with a number, its unit may follow;
# TARGET is "<= N", ">= N" or "-"
figure() {
	verdict=''
	if [ "$3" != - ]; then
		if echo "$2 $3" | awk '{ exit !($(NF - 1) == "<=" ? $1 <= $NF : $1 >= $NF) }'; then
			met=$((met + 1))
		else
			missed=$((missed + 1))
			verdict=MISSED
		fi
	fi
	printf '  %-44s %16s  %-10s %-6s  %s\n' "$1" "$2" "$3" "$verdict" "$4"
}

# ratio A B [DIGITS] - A / B
ratio() {
	echo "$1 $2" | awk -v digits="${3:-1}" '{ printf "%.*f\n", digits, $1 / $2 }'
}

# ms MICROSECONDS
ms() {
	ratio "$1" 1000 2
}

# median FILE [COLUMN] - of the numbers in a column
median() {
	awk -v column="${2:-1}" '{ print $column }' "$1" | sort -n |
		awk '{ v[NR] = $1 }
			END { printf "%d\n", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
