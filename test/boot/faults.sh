# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# faults.sh - what the modes do where something fails or lacks: in "measure" all goes on, in
# "enforce" what cannot be measured is refused, in "signed" also what the kernel verified no
# signature of

# shellcheck disable=SC2154 # judge.sh and common.sh set these

# faults_machines - for "machines"
faults_machines() {
	cat <<-'END'
	keyring		keyring		mini	none	'scenario=keyring preempt=full test.firmware=uefi'
	faults-measure	faults-measure	mini	none	'scenario=faults preempt=full rd.veritally.ring=4 rd.veritally.wait=1000'
	faults-enforce	faults-enforce	mini	none	'scenario=faults preempt=full rd.veritally.ring=4 rd.veritally.wait=1000 rd.veritally.mode=enforce'
	slow-wait	slow-wait	mini	none	'scenario=tpm preempt=full test.delay=700 rd.veritally.wait=15000 rd.veritally.mode=enforce'
	slow-measure	slow-measure	mini	none	'scenario=tpm preempt=full test.delay=700 rd.veritally.wait=1000'
	slow-enforce	slow-enforce	mini	none	'scenario=tpm preempt=full test.delay=700 rd.veritally.wait=1000 rd.veritally.mode=enforce'
	absent-measure	none		mini	none	'scenario=tpm preempt=full'
	absent-enforce	none		mini	none	'scenario=tpm preempt=full rd.veritally.mode=enforce'
	END
}

# said NAME TEXT - did the captured command say this?
said() {
	grep -q "$2" "$r/$1.err" || {
		cat "$r/$1.err"
		return 1
	}
}

# told REASON - was a person told why something was refused?
told() {
	cat "$r/dmesg.out" "$r/journal.out" 2>/dev/null | grep -E \
		"veritally: [0-9]+ activations? w(as|ere) refused, .*: $1\$" || {
		grep veritally: "$r/dmesg.out"
		return 1
	}
}

# judge_refused NAME COMMAND ERROR REASON - an activation was refused
judge_refused() {
	ok "$1: $2: refused" ended "$2" 1
	ok "$1: $2: the tool says: $3" said "$2" "$3"
	ok "$1: $2: the kernel's log says: $4" told "$4"
}

# judge_common NAME MODE - what both modes have in common; of MODE what the hook's word says
judge_common() {
	judge_begin "$1" "lsm:[0-9a-f]{16}$2"
	ok "$1: with a daemon: activated" ended first 0
	ok "$1: with a new one: activated" ended after 0
	ok "$1: sync returns in time" ended sync 0
	ok "$1: and again" ended sync-again 0
}

judge_faults_measure() {
	judge_common faults-measure ''
	for command in stopped crowd dead; do
		ok "faults-measure: $command: activated" ended "$command" 0
	done
	ok 'faults-measure: so are all of the crowd' same \
		"$(sort "$r/crowd.statuses" | uniq -c | xargs)" '40 0'
	ok 'faults-measure: all that is live is measured' count 44 dm-verity:v1:1:
	ok 'faults-measure: the log says what did not fit' [ "$(lost)" -gt 0 ]
	ok 'faults-measure: and no more than that' [ "$(lost)" -lt 41 ]
}

judge_faults_enforce() {
	judge_common faults-enforce :enforce,guard
	# one message for all that was refused meanwhile
	judge_refused faults-enforce stopped 'Timer expired' \
		'(it was not measured in time|too many activations are not measured yet)'
	ok 'faults-enforce: so are all of the crowd' same \
		"$(sort "$r/crowd.statuses" | uniq -c | xargs)" '40 1'
	ok 'faults-enforce: those that do not fit too' said crowd 'No buffer space available'
	judge_refused faults-enforce dead 'Operation not permitted' \
		'no daemon was there to measure it'
	ok 'faults-enforce: nothing else is left' same "$(cat "$r/devices.out")" editor:Active
}

# judge_slow NAME MODE - a TPM that takes 700 ms for each command
judge_slow() {
	judge_begin "$1" "lsm:[0-9a-f]{16}$2"
	ok "$1: sync returns in time" ended sync 0
	ok "$1: it is measured" same "$(words dm-verity:v1:1: | sort -u)" "$(predicted docs)"
}

judge_tpm() {
	judge_slow slow-wait :enforce,guard
	ok 'slow-wait: activated' ended open 0
	ok 'slow-wait: after it was measured' held open "$(predicted docs)" dmName=docs
	judge_slow slow-measure ''
	ok 'slow-measure: activated' ended open 0
	judge_slow slow-enforce :enforce,guard
	ok 'slow-enforce: refused' refused open 'it was not measured in time'
	ok 'slow-enforce: activated once it is measured' ended retry 0

	for mode in measure enforce; do
		note "absent-$mode"
		ok "$vm: the guest comes to its end" delivered
		ok "$vm: verify cannot tell" ended verify 1
		ok "$vm: the log says that there is no TPM" count 1 nvpcr-anchor:v1:mode=none:
	done
	ok 'absent-enforce: refused' refused open 'it could not be measured'
	note absent-measure
	ok 'absent-measure: activated' ended open 0
	ok 'absent-measure: it is in the log' same "$(words dm-verity:v1:1:)" "$(predicted docs)"
}

# judge_keyring - what the kernel verified is told apart, and demanded in the mode "signed"
judge_keyring() {
	judge_begin keyring 'lsm:[0-9a-f]{16}:signed'
	ok 'keyring: a signature by a key of the firmware: activated' ended known 0
	ok 'keyring: by one that the kernel has not: no' ended measure-test 4
	ok 'keyring: without: activated' ended measure-fallback 0
	ok 'keyring: signed: with the signature: activated' ended again 0
	ok 'keyring: signed: by one that the kernel has not: no' ended signed-test 4
	ok 'keyring: signed: without, as a tool may try then: refused' refused signed-fallback \
		'the kernel verified no signature of it'
	ok 'keyring: signed: another image without: refused' refused editor \
		'the kernel verified no signature of it'
	word=$(predicted docs)
	ok 'keyring: the words say what the kernel verified' same \
		"$(words dm-verity:v1:1 'dmName=known|again|measure-.*')" \
		"$(printf '%s\n' "${word%none}kernel" "$word" "${word%none}kernel")"
}

judge_faults() {
	judge_keyring
	judge_faults_measure
	judge_faults_enforce
	judge_tpm
}
