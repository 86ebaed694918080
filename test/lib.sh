# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For the tests of this folder: TAP, a scratch folder, a software TPM, a recorded
# system.  Source it from the top folder, and end with done_testing.
#
# Nothing here waits for a time to pass: await polls for what a test needs, and
# fails the test when its deadline is over.
set -u

VERITALLY=${VERITALLY:-$PWD/build/veritally}
export TSS2_LOG=all+NONE
export LC_ALL=C

scratch=$(mktemp -d) || exit 1
root=$scratch/root		# stands for "/"
log=$root/run/log/veritally/measure.log
tests=0
failures=0
pids=
tpm=none			# what --tpm says
out=$scratch/out
err=$scratch/err
status=

# Names that tests use for what the product is made of.
# shellcheck disable=SC2034 # used by the tests
{
index=0x01805645
gate=13
zero=0000000000000000000000000000000000000000000000000000000000000000
genesis=nvpcr-genesis:v1
}

cleanup() {
	[ ! -s "$root/run/veritally/lock" ] || kill_writer KILL
	for pid in $pids; do
		kill -CONT "$pid" 2> /dev/null
		kill "$pid" 2> /dev/null
	done
	rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# --- TAP -------------------------------------------------------------------

diag() {
	sed 's/^/# /' "$@"
}

# ok STATUS DESCRIPTION
ok() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return 0
	fi
	echo "not ok $tests - $2"
	failures=$((failures + 1))
	return 1
}

# is GOT WANTED DESCRIPTION
is() {
	[ "$1" = "$2" ]
	ok $? "$3" || printf '# got:    %s\n# wanted: %s\n' "$1" "$2"
}

isnt() {
	[ "$1" != "$2" ]
	ok $? "$3" || printf '# got: %s, which it must not be\n' "$1"
}

# at_most GOT MAXIMUM DESCRIPTION
at_most() {
	[ "${1:-999999}" -le "$2" ]
	ok $? "$3 ($1 of at most $2)"
}

# like FILE PATTERN DESCRIPTION
like() {
	grep -Eq -- "$2" "$1"
	ok $? "$3" || { echo "# nothing like: $2"; diag "$1"; }
}

unlike() {
	! grep -Eq -- "$2" "$1"
	ok $? "$3" || { echo "# there is: $2"; diag "$1"; }
}

# says STATUS PATTERN DESCRIPTION: of the last run
says() {
	[ "$status" -eq "$1" ] && cat "$out" "$err" | grep -Eq -- "$2"
	ok $? "$3" || { echo "# status $status, not $1; or nothing like: $2"; said; }
}

# exits STATUS DESCRIPTION
exits() {
	[ "$status" -eq "$1" ]
	ok $? "$2" || { echo "# status $status, not $1"; said; }
}

said() {
	diag "$out" "$err"
}

done_testing() {
	echo "1..$tests"
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}

# skip_without TOOL...: all tests of this file, if one is not there
skip_without() {
	for tool; do
		command -v "$tool" > /dev/null && continue
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	done
}

# die TEXT: what a test is built on does not work
die() {
	echo "Bail out! $*"
	exit 1
}

# --- processes ---------------------------------------------------------------

# await SECONDS COMMAND...: until it succeeds
await() {
	await_until=$(($(date +%s) + $1 + 1))
	shift
	until "$@" > /dev/null 2>&1; do
		[ "$(date +%s)" -lt "$await_until" ] || return 1
		sleep 0.02
	done
}

# run ARGUMENT...: the binary; leaves $status, $out and $err.  Nothing takes a minute.
run() {
	timeout -k 5 60 "$VERITALLY" --sysroot="$root" --tpm="$tpm" "$@" > "$out" 2> "$err"
	status=$?
}

# must ARGUMENT...: what a test needs before it can begin
must() {
	run "$@"
	[ "$status" -eq 0 ] || { said; die "veritally $*: status $status"; }
}

writer() {
	cat "$root/run/veritally/lock"
}

is_gone() {
	! kill -0 "$1" 2> /dev/null || grep -q '^State:	Z' "/proc/$1/status" 2> /dev/null
}

# Ends the writer by a signal and waits until it is gone.
kill_writer() {
	killed=$(writer)
	kill "-${1:-TERM}" "$killed" 2> /dev/null || return 0
	await 10 is_gone "$killed"
}

has_writer() {
	writer_pid=$(writer 2> /dev/null) && [ -n "$writer_pid" ] && kill -0 "$writer_pid"
}

# begin_watch: `watch` stays in the foreground, so it is put in the background here
begin_watch() {
	rm -f "$scratch/ready"
	"$VERITALLY" --sysroot="$root" --tpm="$tpm" watch --ready-fd=3 \
		> "$scratch/watch.out" 2> "$scratch/watch.err" 3> "$scratch/ready" &
	pids="$pids $!"
	await 10 test -s "$scratch/ready" || {
		diag "$scratch/watch.err"
		die "watch does not get ready"
	}
}

# --- a recorded system --------------------------------------------------------

# new_boot: another boot of the same machine; what is in /run is gone
new_boot() {
	rm -rf "${root:?}/run" "$root/sys" "${root:?}/dev"
	mkdir -p "$root/proc/sys/kernel/random" "$root/run" "$root/sys/block" \
		"$root/sys/dev/block" "$root/dev/mapper"
	cp /proc/sys/kernel/random/uuid "$root/proc/sys/kernel/random/boot_id"
}

# dm_add MINOR NAME DISKSEQ TABLE: a mapped device; the table is a file
dm_add() {
	dm_dir=$root/sys/devices/virtual/block/dm-$1
	mkdir -p "$dm_dir/dm"
	echo "253:$1" > "$dm_dir/dev"
	echo "$3" > "$dm_dir/diskseq"
	echo "$2" > "$dm_dir/dm/name"
	echo "CRYPT-VERITY-$2" > "$dm_dir/dm/uuid"
	ln -sfn "../devices/virtual/block/dm-$1" "$root/sys/block/dm-$1"
	ln -sfn "../../devices/virtual/block/dm-$1" "$root/sys/dev/block/253:$1"
	dm_table "$2" "$4"
}

# dm_table NAME TABLE: its live table is another one now
dm_table() {
	cp "$2" "$root/dev/mapper/.$1" && mv "$root/dev/mapper/.$1" "$root/dev/mapper/$1"
}

# dm_remove MINOR
dm_remove() {
	rm -f "$root/dev/mapper/$(cat "$root/sys/block/dm-$1/dm/name")" \
		"$root/sys/block/dm-$1" "$root/sys/dev/block/253:$1"
	rm -rf "$root/sys/devices/virtual/block/dm-$1"
}

# loop_add MINOR BACKING-FILE: the device below one
loop_add() {
	mkdir -p "$root/sys/devices/virtual/block/loop$1/loop"
	echo "$2" > "$root/sys/devices/virtual/block/loop$1/loop/backing_file"
	ln -sfn "../../devices/virtual/block/loop$1" "$root/sys/dev/block/7:$1"
}

# uevent ACTION MINOR DISKSEQ: as the kernel would announce it
uevent() {
	test/tools/uevent.py "$root/run/veritally/uevent" "$@" || die "cannot send a uevent"
}

# --- the log ------------------------------------------------------------------

# records FILTER: jq over all records as one array
records() {
	tr -d '\036' < "$log" | jq -r -s "$1"
}

# words: the measured words, one a line
words() {
	records '.[].content.string'
}

n_words() {
	words | grep -c -- "$1"
}

# has_words NUMBER PATTERN: for await
has_words() {
	[ "$(n_words "$2")" -ge "$1" ]
}

# --- a software TPM -------------------------------------------------------------

# With a state of its own; $tpm is its address then.
tpm_start() {
	tpm_dir=$scratch/tpm
	mkdir -p "$tpm_dir"
	for try in 1 2 3 4 5; do
		port=$(test/tools/ports.py)
		swtpm socket --tpm2 --tpmstate "dir=$tpm_dir" \
			--server "type=tcp,port=$port,bindaddr=127.0.0.1" \
			--ctrl "type=tcp,port=$((port + 1)),bindaddr=127.0.0.1" \
			--flags not-need-init,startup-clear > "$tpm_dir/log" 2>&1 &
		tpm_pid=$!
		export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$port"
		if await 3 tpm2_getcap properties-fixed; then
			pids="$pids $tpm_pid"
			tpm=$TPM2TOOLS_TCTI
			return 0
		fi
		kill "$tpm_pid" 2> /dev/null
		echo "# try $try: no TPM at port $port"
	done
	diag "$tpm_dir/log"
	die "swtpm does not start"
}

# Unclean power loss and a start: TPM Reset.
tpm_reset() {
	swtpm_ioctl --tcp "127.0.0.1:$((port + 1))" -i && tpm2_startup -c
}

# Suspend to RAM and back: TPM Resume.
tpm_resume() {
	tpm2_shutdown && swtpm_ioctl --tcp "127.0.0.1:$((port + 1))" -i && tpm2_startup
}

# Hibernate and back, as the TPM sees it: TPM Restart.
tpm_restart() {
	tpm2_shutdown && swtpm_ioctl --tcp "127.0.0.1:$((port + 1))" -i && tpm2_startup -c
}

# proxy_start: $tpm leads through it from now on, so that commands can be counted and
# spoiled: see tools/tpm-proxy.py
proxy_start() {
	rules=$scratch/rules
	commands=$scratch/commands
	: > "$rules"
	: > "$commands"
	test/tools/tpm-proxy.py "$scratch/proxy" "$port" "$rules" "$commands" &
	pids="$pids $!"
	await 10 test -S "$scratch/proxy" || die "no proxy"
	tpm=swtpm:path=$scratch/proxy
}

# rule COMMAND ACTION [SKIP [COUNT]]; without arguments: no rule any more
rule() {
	rule_number=$((${rule_number:-0} + 1))
	printf '# %s\n%s\n' "$rule_number" "$*" > "$rules.new" && mv "$rules.new" "$rules"
}

# n_commands [NAME]: how many of them were sent since forget_commands
n_commands() {
	grep -c -- "${1:-.}" "$commands"
}

forget_commands() {
	: > "$commands"
}

# firmware_event TEXT: the firmware extends the gate PCR, and logs it
firmware_event() {
	printf %s "$1" > "$scratch/event"
	mkdir -p "$root/sys/kernel/security/tpm0"
	tpm2_pcrevent $gate "$scratch/event" > /dev/null &&
		test/tools/firmware-log.py $gate "$scratch/event" \
			> "$root/sys/kernel/security/tpm0/binary_bios_measurements"
}

# What the TPM says of our index.
nv_value() {
	tpm2_nvread $index -C o 2> /dev/null | xxd -p -c 256
}

nv_name() {
	tpm2_nvreadpublic $index 2> /dev/null | sed -n 's/^ *name: *//p'
}

# pcr_value PCR [BANK]
pcr_value() {
	tpm2_pcrread "${2:-sha256}:$1" | sed -n 's/^ *[0-9]* *: 0x//p' | tr A-F a-f
}

sha256() {
	printf %s "$1" | sha256sum | cut -d' ' -f1
}

expect() {
	test/tools/expect.py "$@" || echo "expect.py failed"
}
