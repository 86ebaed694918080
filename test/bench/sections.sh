# shellcheck shell=sh disable=SC2154 # test/lib.sh and run set what is not set here
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sections.sh - the figures, one function for each section of the table

peer=test/bench/peer
tools=$scratch/tools		# the peer's folder
hook_word=dm-verity:v1:1:sha256:$zero:$zero:4096:4096:262144:-:none

# timed NAME COMMAND... - run it; its times are a line of $scratch/times/NAME
timed() {
	times=$scratch/times/$1
	shift
	mkdir -p "$scratch/times"
	"$bench/stopwatch" "$times" "$@" >"$out" 2>"$err" || {
		said >&2
		die "$* failed"
	}
}

# instructions COMMAND... - how many the command and its children execute, libraries included
instructions() {
	valgrind --trace-children=yes --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 |
		sed -n 's/.*Collected : //p' | awk '{ sum += $1 } END { printf "%d\n", sum }'
}

# new_tpm - one that was never used, instead of the last one
new_tpm() {
	if [ -n "${tpm_pid:-}" ]; then
		kill "$tpm_pid"
		await 5 is_gone "$tpm_pid"
		rm -rf "$tpm_dir"
	fi
	tpm_start
}

# undefine HANDLE... - as if they had never been
undefine() {
	for handle; do
		tpm2_nvundefine -Q -C o "$handle" 2>/dev/null || true
	done
}

measure_size() {
	section 'Binary'
	figure 'size of the static binary, bytes' "$(stat -c %s "$VERITALLY")" '<= 700000' 'stat'
	figure 'segments that need a loader' \
		"$(readelf -lW "$VERITALLY" | grep -cE 'INTERP|DYNAMIC' || true)" '<= 0' 'readelf -l'
}

measure_commands() {
	section 'TPM commands'
	new_boot
	new_tpm
	proxy_start
	must start --oneshot
	figure 'first boot' "$(n_commands)" - 'proxy before swtpm; start --oneshot'
	figure 'NV defines in it' "$(n_commands NV_DefineSpace)" '<= 1' 'same'
	tpm_reset
	new_boot
	forget_commands
	must start --oneshot
	figure 'normal boot' "$(n_commands)" '<= 8' 'same, after a power cycle'
	figure 'NV defines in it' "$(n_commands NV_DefineSpace)" '<= 0' 'same'
	must start
	forget_commands
	test/bench/feed.py "$root" 20
	await 10 extended 20
	figure 'per measurement' "$(ratio "$(n_commands)" 20)" '<= 4' \
		'20 recorded activations, played to the daemon'
	kill_writer
}

# extended N - did the TPM see as many extensions?
extended() {
	[ "$(n_commands NV_Extend)" -ge "$1" ]
}

# state - a boot begins: no log, no daemon's state
state() {
	tpm_reset
	new_boot
}

# both NAME - one boot's work, by the binary and by the tools
both() {
	timed "start-$1" "$VERITALLY" --sysroot="$root" --tpm="$tpm" start --oneshot
	timed "peer-$1" "$peer" "$tools" start
}

measure_start() {
	section 'From start to ready, directly on swtpm'
	new_tpm
	mkdir -p "$tools"
	for _ in $(seq 20); do
		state
		undefine "$index" 0x01805646
		both first
		state
		both normal
	done
	for boot in first normal; do
		compare_start "$boot" 'median of 20, alternating' "$scratch/times"
	done
}

# compare_start BOOT HOW FOLDER - what the times in the folder say
compare_start() {
	ours=$(median "$3/start-$1")
	theirs=$(median "$3/peer-$1")
	figure "$1 boot, ms" "$(ms "$ours")" - "start --oneshot; $2"
	figure "  the same by tpm2-tools, ms" "$(ms "$theirs")" - 'test/bench/peer start; same run'
	figure "  ratio" "$(ratio "$theirs" "$ours")" - 'tpm2-tools / veritally'
}

# daemon_instructions N - of a daemon's life in which it measures N activations
daemon_instructions() {
	state
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$VERITALLY" --sysroot="$root" --tpm="$tpm" start --foreground \
		>"$scratch/callgrind.$1" 2>&1 &
	daemon=$!
	pids="$pids $daemon"
	await 30 test -S "$root/run/veritally/control" || die 'no daemon under valgrind'
	test/bench/feed.py "$root" "$1"
	kill "$daemon"
	wait "$daemon" || die "the daemon failed under valgrind: $(cat "$scratch/callgrind.$1")"
	sed -n 's/.*Collected : //p' "$scratch/callgrind.$1"
}

# daemon_times N - microseconds from each record to the next, by the log's own timestamps
daemon_times() {
	state
	must start
	test/bench/feed.py "$root" "$1"
	kill_writer
	records '[.[] | select(.content.eventType == "dm-verity") | .content.timestamp] |
		[.[1:], .[:-1]] | transpose[] | .[0] - .[1]' >"$scratch/times/word"
}

measure_word() {
	section 'One measurement, directly on swtpm'
	new_tpm
	mkdir -p "$tools"
	"$peer" "$tools" start
	"$peer" "$tools" open
	for _ in $(seq 20); do
		timed hook "$peer" "$tools" hook "$hook_word"
		timed plain "$peer" "$tools" plain "$hook_word"
	done
	daemon_times 1000
	figure 'veritally, ms' "$(ms "$(median "$scratch/times/word")")" '<= 1.86' \
		'median of 1000, by the timestamps in the log'
	for verb in hook plain; do
		us=$(median "$scratch/times/$verb")
		figure "tpm2-tools, $verb, ms" "$(ms "$us")" - "median of 20, test/bench/peer $verb"
		figure '  ratio' "$(ratio "$us" "$(median "$scratch/times/word")")" - \
			'tpm2-tools / veritally'
	done
	measure_instructions
}

# measure_instructions - the second half of "word"
measure_instructions() {
	few=$(daemon_instructions 20)
	many=$(daemon_instructions 120)
	ours=$(((many - few) / 100))
	figure 'veritally, instructions' "$ours" '<= 4508653' \
		'callgrind, difference of daemons that measure 120 and 20'
	for verb in hook plain; do
		theirs=$(instructions "$peer" "$tools" "$verb" "$hook_word")
		figure "tpm2-tools, $verb, instructions" "$theirs" - 'callgrind, all processes'
		figure '  ratio' "$(ratio "$theirs" "$ours")" - 'tpm2-tools / veritally'
	done
}

# replay N - records/s and KiB of the library's reader
replay() {
	replayed=$("$bench/replay" "$1")
	speed=$(echo "$replayed" | sed 's/.*: \([0-9]*\) records.*/\1/')
	memory=$(echo "$replayed" | sed 's/.*memory \([0-9]*\) KiB.*/\1/')
}

# enlarge LOG N - a log of N records: those of LOG after the anchor again and again, renumbered
enlarge() {
	awk -v wanted="$2" '
		FNR <= 2 { print; n++; next }
		{ rest[kept++] = substr($0, index($0, ",")) }
		END {
			for (i = 0; n < wanted; i++)
				printf "\036{\"recnum\":%d%s\n", n++, rest[i % kept]
		}' "$1"
}

measure_log() {
	section 'Log'
	replay 10000
	small=$memory
	figure 'replay of 10 000 records, records/s' "$speed" '>= 200000' 'test/bench/replay 10000'
	figure '  peak memory, KiB' "$memory" - 'same'
	replay 1000000
	figure 'replay of 1 000 000 records, records/s' "$speed" '>= 200000' \
		'test/bench/replay 1000000'
	figure '  peak memory, KiB' "$memory" "<= $((small + 256))" 'same; flat'
	measure_verify
}

# measure_verify - the second half of "log"
measure_verify() {
	new_tpm
	new_boot
	must start
	test/bench/feed.py "$root" 10000
	kill_writer
	for _ in 1 2 3 4 5; do
		timed verify "$VERITALLY" --sysroot="$root" --tpm="$tpm" verify
	done
	n=$(wc -l <"$log")
	figure "verify of $n records, records/s" "$(speed_of verify "$n")" '>= 200000' \
		'median of 5 processes; real log, swtpm agrees'
	figure '  peak memory, KiB' "$(median "$scratch/times/verify" 3)" - 'same'
	enlarge "$log" 1000000 >"$log.new"
	mv "$log.new" "$log"
	must_not_tell
	small=$(median "$scratch/times/verify" 3)
	figure 'verify of 1 000 000 records, records/s' "$(speed_of large 1000000)" '>= 200000' \
		'that log 100 times over; no TPM'
	figure '  peak memory, KiB' "$(median "$scratch/times/large" 3)" "<= $((small + 256))" \
		'same; flat'
	new_boot
}

# speed_of NAME N - records per second
speed_of() {
	ratio "${2}000000" "$(median "$scratch/times/$1")" 0
}

# must_not_tell - without a TPM the whole log is read and the status is 1
must_not_tell() {
	"$bench/stopwatch" "$scratch/times/large" "$VERITALLY" --sysroot="$root" --tpm=none verify \
		>"$out" 2>"$err" && die 'verify cannot know that'
	grep -q 'no TPM' "$out" "$err" || {
		said
		die 'verify found something else'
	}
}

measure_vm() {
	section 'From start to ready, in a virtual machine'
	BENCH=$bench test/bench/vm start "$scratch/vm" || die 'the virtual machine gave no times'
	compare_start first 'median of 3 boots, emulated CPU, swtpm' "$scratch/vm"
	compare_start normal 'the same' "$scratch/vm"
}

# measure_hook - what the kernel hook costs: by itself, where no activation waits, and with the wait
measure_hook() {
	section 'Kernel hook, in a virtual machine'
	BENCH=$bench test/bench/vm hook "$scratch/vm" || die 'the virtual machine gave no times'
	cost=$(median "$scratch/vm/async-hook")
	open=$(median "$scratch/vm/async-open")
	figure 'hook, us for each activation' "$(ratio "$cost" 1000)" - \
		'median of 40, by kernel.bpf_stats_enabled; nothing waits'
	figure '  veritysetup open, ms' "$(ms "$open")" - 'median of the same 40'
	figure '  share, percent' "$(ratio "$cost" "${open}0" 3)" '<= 1' 'TPM apart'
	figure 'hook to acknowledgement, median, ms' \
		"$(ratio "$(median "$scratch/vm/sync-hook")" 1000000 2)" - \
		'40 more that wait, mode enforce; with fsync and 4 commands to swtpm'
	figure '  largest, ms' \
		"$(ratio "$(sort -n "$scratch/vm/sync-hook" | tail -n 1 | cut -d' ' -f1)" 1000000 2)" \
		- 'of the same'
	measure_storm
}

# measure_storm - the second half of "hook"
measure_storm() {
	n=$(($(grep -c '"string":"dm-verity:v1:' "$scratch/vm/measure.log") - 40))
	figure '200 activations at once: missing' $((200 - n)) '<= 0' \
		'8 processes, 25 devices each, mode enforce'
	figure '  too many' $((n - 200)) '<= 0' 'the same'
	figure '  verify' "$(cat "$scratch/vm/verify.status")" '<= 0' \
		'order in the log = order in the TPM'
	figure '  s' "$(awk '{ print $2 - $1 }' "$scratch/vm/storm.times")" - \
		'400 processes: dmsetup create and remove'
}

measure_growth() {
	section 'Initramfs'
	test/bench/growth >"$scratch/growth" || die 'no initramfs'
	while read -r what bytes target; do
		figure "$(echo "$what" | tr _ ' ')" "$bytes" "$(echo "$target" | tr _ ' ')" \
			'dracut --no-kernel, with and without the module'
	done <"$scratch/growth"
}
