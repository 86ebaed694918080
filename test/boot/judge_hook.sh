# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# judge_hook.sh - what the boots have to say in which the kernel hook is tried, as TAP

# shellcheck disable=SC2154 # judge.sh and common.sh set these

# judge_begin NAME HOOK - the scenario ran, log and TPM agree, the word of the hook ends so
judge_begin() {
	note "$1"
	ok "$1: the guest comes to its end" delivered
	judge_log "$1"
	ok "$1: the log names the hook" [ "$(words "hook:v1:$2\$" | wc -l)" -ge 1 ]
}

# judge_hook NAME KIND - nothing is active before it is measured
judge_hook() {
	judge_begin "$1" "$2:[0-9a-f]{16}"
	for moment in open waited create reload; do
		ok "$1: $moment: the TPM has what the log says" python3 "$here/recompute.py" \
			"$r/$moment"
	done
	ok "$1: a device does not come up before it is measured" grep -qx docs:Suspended \
		"$r/waiting.out"
	ok "$1: each activation is measured" count 5 dm-verity:v1:
	ok "$1: a reload is one" count 1 dm-verity:v1:.*:ignore_corruption:none
	ok "$1: what was measured before does not wait" same "$(cat "$r/known-info.out")" Active
	ok "$1: status counts what the hook announced, and its runs" jq -e \
		'.hook | .announced >= 5 and .known >= 1 and .longestWaitUs > 0 and .runs >= 5' \
		"$r/status.out"
	ok "$1: nothing is missing" count 0 lost:v1:
}

# refused NAME REASON - was an activation refused, and a person told why?
refused() {
	ended "$1" 4 && grep -Eq "veritally: [0-9]+ activations? w.* refused, .*: $2\$" "$r/dmesg.out"
}

judge_enforce() {
	judge_begin enforce 'lsm:[0-9a-f]{16}:enforce,guard'
	ok 'enforce: what is measured is activated' ended editor 0
	ok 'enforce: a daemon that is stopped: refused' refused stopped 'it was not measured in time'
	ok 'enforce: a daemon that is dead: refused' refused dead 'no daemon was there to measure it'
	ok 'enforce: nothing is left suspended' same "$(cat "$r/left.out")" editor:L--r
	ok 'enforce: a new daemon: activated' ended restarted 0
}

judge_signed() {
	judge_begin signed 'lsm:[0-9a-f]{16}:signed,guard'
	ok 'signed: an unsigned image is refused' refused editor \
		'the kernel verified no signature of it'
	ok 'signed: what was seen of it before that is gone' count \
		"$(words dm-verity:v1: | wc -l)" removed:v1:
	ok 'signed: nothing is left' same "$(cat "$r/left.out")" 'No devices found'
}

# judge_late - where the kernel says only later whether it verifies signatures
judge_late() {
	judge_begin late 'lsm(-use)?:[0-9a-f]{16}:signed,guard'
	for image in first second; do
		ok "late: an unsigned image is refused: $image" refused $image \
			'the kernel verified no signature of it'
	done
	ok 'late: nothing is left' same "$(cat "$r/left.out")" 'No devices found'
}

judge_full() {
	judge_begin full 'lsm(-use)?:[0-9a-f]{16}'
	lost=$(words 'lost:v1:' | sed 's/.*://')
	taken=$(words dm-verity:v1: phase=host source=hook | wc -l)
	ok 'full: the log says how many did not fit' same "$((lost + taken))" 40
	ok 'full: some did not' [ "$lost" -gt 0 ]
	ok 'full: all that is live is measured' count 41 dm-verity:v1:
}

judge_drain() {
	judge_begin drain 'lsm(-use)?:[0-9a-f]{16}'
	ok 'drain: what came before and after switch-root is measured by the host' same \
		"$(words dm-verity:v1:1 phase=host source=hook dmName=.* | sort -u)" "$(predicted docs)"
	ok 'drain: what came and went is, too' count 1 dm-verity:v1:gone: phase=host source=hook
	ok 'drain: nothing is missing' count 0 lost:v1:
}

# judge_use NAME KIND - who uses a device waits
judge_use() {
	judge_begin "$1" "$2:[0-9a-f]{16}:enforce,guard"
	ok "$1: the activation itself goes on" ended open 0
	ok "$1: who opens the device waits" [ ! -s "$r/waiting.out" ]
	ok "$1: and reads it then" ended read 0
	ok "$1: it can be mounted" ended mount 0
	ok "$1: what is not measured in time cannot be opened" grep -q 'Timer expired' "$r/late.err"
	ok "$1: nor mounted" grep -q 'Timer expired' "$r/late-mount.err"
	ok "$1: what is measured can" ended after 0
}

# judge_many NAME KIND [MODE] - as many records as activations, whatever the order
judge_many() {
	judge_begin "$1" "$2:[0-9a-f]{16}${3:-}"
	ok "$1: sync returns in time" ended sync 0
	ok "$1: each of 201 activations is measured" count 201 dm-verity:v1:
	ok "$1: nothing is missing" count 0 lost:v1:
	ok "$1: nothing is left suspended" same "$(cat "$r/left.out")" docs:L--r
}

judge_tamper() {
	judge_begin tamper 'lsm:[0-9a-f]{16}'
	ok 'tamper: the loss of the hook is a measured word' count 1 'hook:v1:lost-lsm:[0-9a-f]{16}$'
	# shellcheck disable=SC2016 # awk's fields
	ok 'tamper: within two seconds' awk '{ exit $2 - $1 > 2 }' "$r/noticed"
	ok 'tamper: uevents take its place' count 1 hook:v1:uevent:-
	ok 'tamper: what comes then is measured' count 1 dm-verity:v1: dmName=docs source=uevent
}

judge_unsigned() {
	judge_begin unsigned 'fentry-use:[0-9a-f]{16}:signed,guard'
	ok 'unsigned: what cannot be refused is activated' ended open 0
	ok 'unsigned: it cannot be opened' grep -q 'Key was rejected' "$r/read.err"
	ok 'unsigned: a person is told why' grep -q \
		'refused, .*: the kernel verified no signature of it$' "$r/dmesg.out"
}

# all STATUS NAME... - did all these captured commands end so?
all() {
	status=$1
	shift
	for name; do
		ended "$name" "$status" || return 1
	done
}

# attempts NAME - what attempt() captures
attempts() {
	for kind in get-shared get-ring get-measured get-guard maps links programs trace; do
		echo "$1-$kind"
	done
}

# judge_naked - without a guard root can do all this, and the log says so afterwards
judge_naked() {
	judge_begin naked 'lsm:[0-9a-f]{16}'
	# shellcheck disable=SC2046 # words
	ok 'naked: maps, links, programs and the daemon are open to root' all 0 $(attempts before)
	ok 'naked: an acknowledgement can be faked' all 0 ack lied
	ok 'naked: the device is recorded when the daemon goes on' count 1 dm-verity:v1: dmName=docs
	ok 'naked: tracing can be stopped, by an older descriptor, too' all 0 stop ftrace
	ok 'naked: names of the hook can be renamed, removed, unmounted' all 0 mv mv-folder rm \
		umount
	ok 'naked: the hook is there until then' grep -q '^[1-9]' "$r/links.out"
	ok 'naked: it ends with what its file system is mounted below' ended umount-parent 0
	ok 'naked: and is gone' same "$(cat "$r/links-after.out")" '0 0'
	ok 'naked: the daemon can be killed' ended after-kill 0
	ok 'naked: both losses of the hook are measured words' count 2 \
		'hook:v1:lost-lsm:[0-9a-f]{16}$'
	ok 'naked: a hook that is back, and missed a call, too' same \
		"$(words hook:v1: | sed 's/:[0-9a-f]*$//' | tr '\n' ' ')" \
		'hook:v1:lsm hook:v1:lost-lsm hook:v1:lsm hook:v1:lost-lsm hook:v1:uevent:- '
}

# judge_guard NAME KIND - with a guard root can do nothing of it, and measuring goes on
judge_guard() {
	judge_begin "$1" "$2:[0-9a-f]{16}:guard"
	for moment in initrd host; do
		# shellcheck disable=SC2046 # words
		ok "$1: $moment: maps, links, programs and the daemon are closed to root" all 1 \
			$(attempts $moment) $moment-kill
	done
	for moment in initrd between moved host; do
		for attempt in rm mv mv-folder umount umount-parent ftrace; do
			ok "$1: $moment: $attempt is not permitted" grep -q 'Operation not permitted' \
				"$r/$moment-$attempt.err"
		done
	done
	ok "$1: no link at all can be opened" same "$(cut -d' ' -f1 "$r/initrd-links.out" \
		"$r/host-links.out" | xargs)" '0 0'
	ok "$1: tracing cannot be stopped by a descriptor from before" all 1 initrd-stop \
		host-stop after-stop
	ok "$1: the manifest says so" grep -q '"sysctlGuarded":true' "$r/manifest-host.json"
	ok "$1: how others have mounted cgroups stays" grep -q '^cgroup.*nsdelegate' "$r/mounts.out"
	ok "$1: each activation is measured" count 4 dm-verity:v1:
	ok "$1: and the hook had announced it" grep -q '"announced":3,' "$r/manifest-host.json"
	ok "$1: so does the new one" grep -q '"announced":1,' "$r/manifest.json"
	ok "$1: nothing is missing" count 0 lost:v1:
	ok "$1: a daemon that nobody has heard of could be the next" ended stranger 0
	ok "$1: and that is a measured word" same \
		"$(words hook:v1: | sed 's/:[0-9a-f]*:guard$//' | tr '\n' ' ')" \
		"hook:v1:$2 hook:v1:$2 hook:v1:lost-$2 hook:v1:$2 "
}
