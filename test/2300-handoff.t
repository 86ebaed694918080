#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# From the initramfs into the real root, and from a writer that was killed to the next.
. test/lib.sh

skip_without jq swtpm tpm2_startup sha256sum

word() {
	cat "test/vectors/$1.words"
}

# announced WORD: for await
announced() {
	words | grep -Fxq -- "$1"
}

# all_well WHAT: log and TPM agree, by our account too; one anchor
all_well() {
	is "$(expect check "$log")" '' "$1: the log is well-formed"
	is "$(nv_value)" "$(expect fold "$log" nv_index $index)" "$1: index equals the log"
	is "$(n_words '^nvpcr-anchor')" 1 "$1: one anchor"
	run verify
	says 0 '^verify: ok' "$1: verify"
}

# set_of PHASE VECTOR...: the word of that set
set_of() {
	phase=$1
	shift
	for vector; do
		word "$vector"
	done | test/tools/expect.py set "$phase"
}

fresh() {
	tpm_reset || die 'no reset'
	new_boot
}

tpm_start
proxy_start

# --- an init without a console

new_boot
dm_add 0 tools 7 test/vectors/tools.table
"$VERITALLY" --sysroot="$root" --tpm="$tpm" start <&- >&- 2>&-
is $? 0 'no standard descriptors: start'
dm_add 1 second 8 test/vectors/second.table
uevent change 1 8
await 10 announced "$(word second)"
ok $? 'no standard descriptors: the daemon measures'
run leave
exits 0 'no standard descriptors: leave'
all_well 'no standard descriptors'
fresh

# --- a log whose anchor somebody spoiled

new_boot
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
sed -i 's/nvpcr-anchor:v1/nvpcr-ancho?:v1/' "$log"
cp "$log" "$scratch/spoiled"
run start --oneshot
exits 0 'a spoiled anchor: start goes on'
cmp -s "$scratch/spoiled" "$log".*
ok $? 'a spoiled anchor: the log is kept'
run verify
says 1 'second log' 'a spoiled anchor: verify does not say that the new one is good'
fresh

# --- a manifest that cannot be written

new_boot
must start
initrd=$(writer)
mkdir "$root/run/veritally/manifest.json.new"
run leave
says 1 'could not do it' 'no manifest: leave says so'
await 10 is_gone "$initrd"
ok $? 'no manifest: who does not listen any more ends all the same'
is "$(words | tail -n 1)" 'hook:v1:none:-' 'no manifest: the end is in the log'
all_well 'no manifest'
fresh

# --- the usual way

new_boot
dm_add 0 tools 7 test/vectors/tools.table
must start
initrd=$(writer)
is "$(records '.[-1].content.source')" coldplug 'what was active before is found'
dm_add 1 second 8 test/vectors/second.table
uevent change 1 8
dm_add 2 fec 9 test/vectors/fec.table
run leave
exits 0 'leave'
await 10 is_gone "$initrd"
ok $? 'ends the daemon'
like "$log" 'string":"set:v1:leave-initrd:3:' 'the set is measured'
is "$(words | grep '^set:')" "$(set_of leave-initrd tools second fec)" 'and is right'
is "$(jq -r .bootId "$root/run/veritally/manifest.json")" \
	"$(tr -d - < "$root/proc/sys/kernel/random/boot_id")" 'a manifest is left'
is "$(jq -r '.nvpcrs[0] | .name + " " + .rung + " " + .tpmName' "$root/run/veritally/manifest.json")" \
	"verity nv-orderly $(nv_name)" 'which says what was allocated'
all_well 'after leave'

# In the gap one is activated, and one goes away.
dm_add 3 signed 10 test/vectors/signed.table
dm_remove 1
begin_watch
is "$(records '.[-1].content.source')" coldplug 'watch finds what happened in the gap'
announced "$(word signed)"
ok $? 'what was activated is measured'
is "$(records '[.[] | select(.content.eventType == "dm-verity")][-1].content |
	.source + " " + .phase')" 'coldplug host' 'its record says that we came late'
announced "removed:v1:$(word second)"
ok $? 'what went away is recorded'
is "$(n_words '^dm-verity:')" 4 'what was measured before is not measured again'
dm_add 4 old 11 test/vectors/old.table
uevent change 4 11
await 10 announced "$(word old)"
ok $? 'watch measures on'
run sync
exits 0 'sync'
is "$(words | tail -n 1)" "$(set_of host-ready tools fec signed old)" 'its set is right'
all_well 'in the real root'
run leave
exits 0 'a second leave is no failure'
all_well 'after a second leave'

# --- no daemon where one is expected

fresh
dm_add 0 tools 7 test/vectors/tools.table
run leave
exits 0 'leave without start'
announced "$(word tools)"
ok $? 'measures what is active'
all_well 'leave without start'
fresh
dm_add 0 tools 7 test/vectors/tools.table
begin_watch
is "$(records '.[0].content.phase')" host 'watch without start says so in every record'
all_well 'watch without start'
kill_writer

# --- writers that are killed

fresh
must start
dm_add 0 tools 7 test/vectors/tools.table
uevent change 0 7
await 10 announced "$(word tools)"
kill_writer KILL
run verify
says 0 '^verify: ok' 'daemon killed: what it did holds'
dm_add 1 second 8 test/vectors/second.table
begin_watch
announced "$(word second)"
ok $? 'daemon killed: the next one finds what it missed'
is "$(n_words '^dm-verity:')" 2 'daemon killed: and measures nothing twice'
all_well 'daemon killed'
kill_writer

# Killed between record and extend: exactly one record is ahead.
mkdir -p "$root/etc"
echo timeout=60 > "$root/etc/veritally.conf"
for command in StartAuthSession PolicyNvWritten PolicyOR NV_Extend; do
	what="killed at $command"
	fresh
	must start
	before=$(nv_value)
	rule $command hang
	dm_add 0 tools 7 test/vectors/tools.table
	uevent change 0 7
	await 10 grep -q "$command hang" "$commands" || die "$what: not reached"
	forget_commands
	kill_writer KILL
	rule
	is "$(nv_value)" "$before" "$what: the TPM has not seen the last record"
	isnt "$(nv_value)" "$(expect fold "$log" nv_index $index)" "$what: the log is ahead"
	run verify
	says 0 'not in the TPM' "$what: verify bears it and says so"
	run verify --json
	is "$(jq -c '[.verdict, .surplus]' "$out")" '["ok",true]' "$what: in JSON too"
	must start --oneshot
	is "$(n_words '^dm-verity:')" 1 "$what: the next writer completes it"
	all_well "$what"
	unlike "$out" 'not in the TPM' "$what: nothing is ahead any more"
done

# Killed when the TPM had executed it already.
what='killed after NV_Extend'
fresh
must start
rule NV_Extend lose
dm_add 0 tools 7 test/vectors/tools.table
uevent change 0 7
await 10 grep -q 'NV_Extend lose' "$commands" || die "$what: not reached"
forget_commands
kill_writer KILL
rule
must start --oneshot
is "$(n_words '^dm-verity:')" 1 "$what: nothing is measured twice"
all_well "$what"
rm "$root/etc/veritally.conf"

# Torn tails: of every length, and with the octets that a lost write leaves.
printf '\036{"recnum":3,"nv_ind' > "$scratch/piece"
head -c 300 /dev/zero > "$scratch/zeros"
cat "$scratch/piece" "$scratch/zeros" > "$scratch/both"
printf '\036' > "$scratch/start"
for tail in piece zeros both start; do
	fresh
	dm_add 0 tools 7 test/vectors/tools.table
	must start --oneshot
	whole=$(stat -c %s "$log")
	cat "$scratch/$tail" >> "$log"
	run verify
	says 0 'is cut off in the middle' "torn tail ($tail): verify says so, and that the rest is right"
	dm_add 1 second 8 test/vectors/second.table
	must start --oneshot
	is "$(n_words '^dm-verity:')" 2 "torn tail ($tail): the next writer goes on"
	is "$(tail -c +$((whole + 1)) "$log" | head -c 12)" "$(printf '\036{"recnum":3')" \
		"torn tail ($tail): in its place"
	all_well "torn tail ($tail)"
done

# --- the log of another boot

cp "$log" "$scratch/other"
fresh
mkdir -p "$root/run/log/veritally"
cp "$scratch/other" "$log"
run verify
says 3 'the log is of boot' 'a log of another boot: verify says so'
must start --oneshot
is "$(words | head -n 1)" $genesis 'a log of another boot: a new one is begun'
is "$(find "$root/run/log/veritally" -name 'measure.log.*' | wc -l)" 1 \
	'a log of another boot: the old one is kept aside'
all_well 'a log of another boot'

done_testing
