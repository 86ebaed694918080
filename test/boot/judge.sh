# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# judge.sh - what a boot's results have to say, as TAP

# shellcheck disable=SC2154 # common.sh sets $boot and $here

points=0
failed=0
vms=$boot/vm

# ok WHAT COMMAND... - one TAP point: does the command succeed? If not, what it printed follows
ok() {
	what=$1
	shift
	points=$((points + 1))
	if "$@" >"$boot/point" 2>&1; then
		echo "ok $points - $what"
	else
		failed=$((failed + 1))
		echo "not ok $points - $what"
		sed 's/^/#   /' "$boot/point"
	fi
}

# note WORD... - what every point of a boot begins with
note() {
	vm=$1
	r=$vms/$vm/result
}

# delivered - did the guest come to its end and hand over its results?
delivered() {
	[ -e "$r/complete" ] || {
		tail -n 20 "$vms/$vm/console" "$vms/$vm/qemu.err"
		return 1
	}
}

# ended NAME STATUS - the captured command's exit status
ended() {
	[ "$(cat "$r/$1.status")" = "$2" ] || {
		head -n 20 "$r/$1.status" "$r/$1.out" "$r/$1.err"
		return 1
	}
}

# words PATTERN [KEY=VALUE...] - the words of the log that match, of records with these members
words() {
	python3 "$here/records.py" "$r/measure.log" "$@"
}

# same TEXT TEXT - are the two equal?
same() {
	[ "$1" = "$2" ] || {
		printf '%s\n' 'found:' "$1" 'expected:' "$2"
		return 1
	}
}

# count N PATTERN [KEY=VALUE...] - does the log hold N such words?
count() {
	number=$1
	shift
	same "$(words "$@" | wc -l)" "$number"
}

# tpm_commands CODE [HANDLE] - how often the TPM was given a command, by swtpm's own log
tpm_commands() {
	awk -v code="$1" -v handle="${2:-}" '
		/SWTPM_IO_Read/ {
			getline
			if ($7 $8 $9 $10 == code && (handle == "" || $11 $12 $13 $14 == handle))
				n++
		}
		END { print n + 0 }' "$vms/$vm/swtpm.log"
}

# predicted NAME... - the words that "veritally predict" gave for these images, before any boot
predicted() {
	for image; do
		grep -o 'dm-verity:v1:[^" ]*:none' "$boot/predicted/$image"
	done | sort -u
}

# held MOMENT PATTERN [KEY=VALUE...] - did the NvPCR hold such a word at that moment?
held() {
	moment=$r/$1.nv
	shift
	python3 "$here/records.py" "--held=$moment" "$r/measure.log" "$@" | grep -q . || {
		python3 "$here/records.py" "--held=$moment" "$r/measure.log" .
		return 1
	}
}

# calm - does the kernel complain of nothing, and was nothing left suspended or stuck?
calm() {
	[ -s "$r/dmesg.out" ] && [ -e "$r/left.devices" ] && [ -e "$r/left.tasks" ] &&
		! grep -aE 'BUG:|WARNING:|Oops|Call Trace|soft lockup|rcu: INFO.*stall|blocked for more' \
			"$r/dmesg.out" "$vms/$vm/console" &&
		! grep -H ':Suspended$' "$r/left.devices" && ! grep -H . "$r/left.tasks"
}

# judge_calm - the end of every machine that was booted
judge_calm() {
	for machine in "$vms"/*; do
		note "${machine##*/}"
		ok "$vm: the kernel does not complain, nothing is left suspended or stuck" calm
	done
}
