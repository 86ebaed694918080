#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What somebody else does slowly, or a lot of, does not hold an activation up.
. test/lib.sh

skip_without jq swtpm tpm2_startup sha256sum xxd python3 flock

socket=$root/run/veritally/io.systemd.PCRExtend

# batch HOW NUMBER: so many calls on each of four connections, in the background
batch() {
	batch=
	for client in 1 2 3 4; do
		test/tools/varlink.py "$socket" "$1" '{"nvpcr":"verity","text":"busy"}' "$2" \
			> "$scratch/batch$client" 2>&1 &
		batch="$batch $!"
	done
	pids="$pids $batch"
}

# left_of_batch WORD: how many calls of the batch were done after the record of WORD
left_of_batch() {
	words | awk -v word="$1" '$0 == word { n = 0; next } /:text:busy$/ { n++ } END { print n + 0 }'
}

# batch_done DESCRIPTION
batch_done() {
	# shellcheck disable=SC2086 # a list
	wait $batch
	is "$(cat "$scratch"/batch? | grep -c '^ok')" 4 "$1"
	run verify
	says 0 '^verify: ok' "$1: verify"
}

tpm_start
proxy_start
new_boot
begin_watch
tools=$(cat test/vectors/tools.words)
second=$(cat test/vectors/second.words)

# --- a batch of calls

batch pipeline 200
await 10 has_words 20 ':text:busy$'
before=$(words | wc -l)
dm_add 0 tools 7 test/vectors/tools.table
uevent add 0 7
await 10 has_words 1 ^dm-verity
batch_done 'a batch of calls'
[ "$(left_of_batch "$tools")" -gt 0 ]
ok $? 'an activation is measured in the middle of it'
at_most $(($(words | grep -n ^dm-verity | cut -d: -f1) - before)) 400 \
	'after those alone that were done before it was announced'

# --- what is tried again each second is tried in the middle of a batch, too

rm "$root/dev/mapper/tools"
mkdir "$root/dev/mapper/tools"
uevent change 0 7
await 10 grep -q 'cannot record what was activated' "$scratch/watch.err"
ok $? 'a device cannot be looked at'
batch extend 300
await 10 has_words 820 ':text:busy$'
rmdir "$root/dev/mapper/tools"
dm_table tools test/vectors/second.table
batch_done 'another batch'
[ "$(left_of_batch "$second")" -gt 0 ] && [ "$(n_words "^dm-verity")" -eq 2 ]
ok $? 'it is looked at again in the middle of it, unasked'

# --- clients of the control socket that say nothing

mkfifo "$scratch/stdin"
python3 -c '
import socket, sys
clients = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(4)]
for client in clients:
	client.connect(sys.argv[1])
print("there", flush=True)
sys.stdin.read()' "$root/run/veritally/control" > "$scratch/silent" < "$scratch/stdin" &
pids="$pids $!"
exec 9> "$scratch/stdin"
await 10 grep -q there "$scratch/silent"
dm_add 1 silent 8 test/vectors/fec.table
uevent add 1 8
await 4 has_words 3 ^dm-verity
ok $? 'silent clients: an activation is measured all the same'
run sync --timeout=20
exits 0 'and a client behind them is served at last'
exec 9>&-

# --- a reader that holds the log's lock

exec 9< "$log"
flock -x 9
dm_add 2 held 9 test/vectors/second.table
uevent add 2 9
await 10 has_words 4 ^dm-verity
ok $? 'a stuck reader of the log: an activation is measured all the same'
exec 9<&-
run verify
says 0 '^verify: ok' 'and the log is good'

# `verify` that takes too long says nothing wrong.
rule PCR_Read slow:4 0 1
"$VERITALLY" --sysroot="$root" --tpm="$tpm" verify > "$scratch/verify" 2>&1 &
verify=$!
pids="$pids $verify"
await 10 sh -c "! flock -n -x '$log' true"
dm_add 3 meanwhile 10 test/vectors/second.table
uevent add 3 10
wait $verify
is $? 1 'a verify that takes too long cannot tell'
like "$scratch/verify" 'the log went on while it was compared' 'and says why'
await 10 has_words 5 ^dm-verity
rule
run verify
says 0 '^verify: ok' 'the next one can'

kill_writer
done_testing
