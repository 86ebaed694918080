# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# matrix.sh - kernels and configurations: which way of measuring is taken, and what it promises

# shellcheck disable=SC2154 # judge.sh and common.sh set these

# The rows: name, kernel, CPUs, preempt=, bpf among the security modules, lockdown=, dm-verity
# loaded before the hook is armed or after; then the ways that have to be taken, and when an
# activation is measured by it: when it returns, at the first use of the device, or later.
# Each two values of different columns occur together in some row.
matrix() {
	cat <<-'END'
	m-use		6.12	1	voluntary	bpf	none		before	lsm-use		use
	m-full		6.12	1	full		bpf	confidentiality	after	lsm		return
	m-fmod		6.12	2	voluntary	without	confidentiality	before	fmod_ret	return
	m-old-use	6.1	1	voluntary	bpf	confidentiality	after	uevent		later
	m-old-gate	6.1	1	voluntary	bpf	none		before	fentry-use	use
	m-old		6.1	2	full		bpf	integrity	before	fentry		return
	m-async		6.12	1	voluntary	without	integrity	after	fmod_ret-async	later
	m-smp		6.12	2	voluntary	bpf	confidentiality	after	lsm-use		use
	m-old-fmod	6.1	2	full		without	none		after	uevent,fentry	return
	END
}

# matrix_machines - the rows, for "machines"
matrix_machines() {
	matrix | while read -r name kernel cpus preempt lsm lockdown dm _; do
		[ "$lsm" = bpf ] && lsm='' || lsm=lsm=landlock
		[ "$dm" = before ] && dm='' || dm=test.late
		echo "$name $name mini none 'scenario=matrix test.kernel=$kernel test.cpus=$cpus" \
			"preempt=$preempt lockdown=$lockdown $lsm $dm test.delay=20" \
			"ima_policy=critical_data'"
	done
}

# pairs - are there two columns with values that never occur together?
pairs() {
	matrix | awk '
		{
			for (i = 2; i <= 7; i++) {
				values[i, $i]
				for (j = i + 1; j <= 7; j++)
					together[i, $i, j, $j]
			}
		}
		END {
			for (a in values)
				for (b in values) {
					split(a, x, SUBSEP)
					split(b, y, SUBSEP)
					if (x[1] >= y[1] || (x[1], x[2], y[1], y[2]) in together)
						continue
					print x[2] " and " y[2] " never meet"
					missing = 1
				}
			exit missing
		}'
}

# judge_moments NAME SUFFIX - the activations of the scenario were measured at these moments
judge_moments() {
	ok "$1: veritysetup open$2: measured" held "open$2" "$(predicted editor)" dmName=editor
	ok "$1: dmsetup create, load, resume$2: measured" held "resume$2" "$(predicted docs)" \
		dmName=raw
	ok "$1: suspend, load, resume$2: measured" held "reload$2" "$(predicted manual)" \
		dmName=raw
}

# judge_row NAME WAY WHEN - one row
judge_row() {
	note "$1"
	ok "$1: the guest comes to its end" delivered
	judge_log "$1"
	ok "$1: the log names the way: $2" same \
		"$(words hook:v1: | sed 's/hook:v1:\(.*\):[0-9a-f-]*$/\1/' | paste -sd,)" "$2"
	case $3 in
	return) judge_moments "$1" '' ;;
	use) judge_moments "$1" -use ;;
	esac
	ok "$1: each activation is measured" same "$(words dm-verity:v1:1: dmName=.* | sort)" \
		"$(predicted editor docs manual)"
	ok "$1: nothing is missing" count 0 lost:v1:
	ok "$1: so IMA says" python3 "$here/ima.py" "$r/ima.out" "$r/measure.log"
}

judge_matrix() {
	ok 'each two values of the matrix meet' pairs
	for row in $(matrix | awk '{ print $1 }'); do
		# shellcheck disable=SC2046 # three words
		judge_row $(matrix | awk -v row="$row" '$1 == row { print $1, $8, $9 }')
	done
}
