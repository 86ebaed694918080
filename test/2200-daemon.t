#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The daemon: what is announced is measured, once, and what goes away is recorded.
. test/lib.sh

skip_without jq swtpm tpm2_startup sha256sum

word() {
	cat "test/vectors/$1.words"
}

# count WORD: how many records have exactly this one
count() {
	words | grep -Fxc -- "$1"
}

# measured WORD NUMBER: for await
# shellcheck disable=SC2317 # called by it
measured() {
	[ "$(count "$1")" -ge "${2:-1}" ]
}

# synced WHAT: everything announced so far is measured, and the set's word is right
synced() {
	run sync --phase=test
	exits 0 "$1: sync"
	for word_device in "$root"/sys/block/dm-*; do
		[ ! -e "$word_device" ] ||
			cat "$root/dev/mapper/$(cat "$word_device/dm/name")"
	done | test/tools/expect.py words | test/tools/expect.py set test > "$scratch/set"
	is "$(words | tail -n 1)" "$(cat "$scratch/set")" "$1: the set's word is right"
	run verify
	says 0 '^verify: ok' "$1: verify"
}

tpm_start
new_boot
run start
exits 0 'start becomes a daemon'
has_writer
ok $? 'which runs'
is "$(words | tail -n 1)" 'hook:v1:uevent:-' 'its source is a measured word'
synced 'nothing active'

# --- activations

loop_add 0 /var/lib/extensions/tools.sysext.raw
dm_add 0 tools 7 test/vectors/tools.table
uevent add 0 7
uevent change 0 7
await 10 measured "$(word tools)"
ok $? 'an announced activation is measured without asking'
is "$(records '.[-1].content.source')" uevent 'its record says how we learned of it'
is "$(records '.[-1].content.phase')" initrd 'and when'
is "$(records '.[-1].content.eventType')" dm-verity 'and what it is'
is "$(records '.[-1].content.annotations | .dmName + " " + .dmUuid + " " + .dev + " " + (.diskseq | tostring)')" \
	'tools CRYPT-VERITY-tools 253:0 7' 'the device is annotated'
is "$(records '.[-1].content.annotations | .backingFile + " " + .image')" \
	'/var/lib/extensions/tools.sysext.raw tools' 'and the image'
uevent change 0 7
uevent add 0 7
uevent change 0 7
synced 'the same announced again'
is "$(count "$(word tools)")" 1 'an activation is measured once'

dm_add 1 linear 8 test/vectors/linear.table
uevent change 1 8
dm_add 2 second 9 test/vectors/second.table
uevent change 2 9
dm_add 3 two 10 test/vectors/two.table
uevent change 3 10
dm_add 4 signed 11 test/vectors/signed.table
uevent change 4 11
dm_add 5 fec 12 test/vectors/fec.table
uevent change 5 12
dm_add 6 old 13 test/vectors/old.table
uevent change 6 13
synced 'all kinds of tables'
for table in second two signed fec old; do
	while read -r line; do
		is "$(count "$line")" 1 "$table: its word is measured"
	done < "test/vectors/$table.words"
done
is "$(n_words '^dm-verity:')" 7 'and nothing else is'

# The same image once more is another activation.
dm_add 7 tools-again 14 test/vectors/tools.table
uevent change 7 14
synced 'the same image twice'
is "$(count "$(word tools)")" 2 'the same image on another device is another activation'

# --- reloads

dm_table tools test/vectors/tools-2.table
uevent change 0 7
await 10 measured "removed:v1:$(word tools)"
ok $? 'a reload to another hash removes the old one'
is "$(words | tail -n 2)" "$(word tools-2; echo "removed:v1:$(word tools)")" \
	'after the new one is measured'
dm_table tools test/vectors/tools.table
uevent change 0 7
synced 'a reload back'
is "$(count "$(word tools)")" 3 'a reload back is an activation again'
dm_table tools test/vectors/tools-ignoring.table
uevent change 0 7
synced 'a reload that switches checking off'
is "$(count "$(word tools-ignoring)")" 1 'the same hash without checking measures otherwise'
dm_table tools test/vectors/linear.table
uevent change 0 7
synced 'a reload to another target'
is "$(count "removed:v1:$(word tools-ignoring)")" 1 'is a removal'

# --- removals

dm_remove 2
uevent remove 2 9
await 10 measured "removed:v1:$(word second)"
ok $? 'a removal is recorded'
is "$(records '.[-1].content.eventType')" dm-verity-removed 'as what it is'
uevent remove 2 9
uevent remove 1 8
synced 'removals'
is "$(n_words '^removed:v1:.*16367aacb67a')" 1 'once'

# The number is given to a new device before its old one's removal is announced.
dm_remove 5
dm_add 5 second 20 test/vectors/second.table
uevent change 5 20
uevent remove 5 12
synced 'a number used again'
is "$(count "$(word second)")" 2 'a number used again: the new device is measured'
is "$(count "removed:v1:$(word fec)")" 1 'a number used again: the old one is removed'
is "$(count "removed:v1:$(word second)")" 1 'a number used again: the new one is not'

# Nothing is announced, but sync looks.
dm_remove 6
dm_add 6 fec 21 test/vectors/fec.table
synced 'nothing announced'
is "$(records '.[-2].content.source')" sweep 'nothing announced: the sweep finds it'
is "$(count "$(word fec)")" 2 'nothing announced: and it is measured'
is "$(count "removed:v1:$(word old)")" 1 'nothing announced: and the old one is removed'

# Kernels before 5.15 say no diskseq.
dm_add 8 tools-3 22 test/vectors/tools-2.table
rm "$root/sys/devices/virtual/block/dm-8/diskseq"
uevent change 8 -
await 10 measured "$(word tools-2)" 2
ok $? 'without a diskseq an activation is measured'
dm_remove 8
uevent remove 8 -
synced 'without a diskseq'
is "$(count "removed:v1:$(word tools-2)")" 2 'without a diskseq a removal is recorded'

# --- announcements that are none

n=$(words | wc -l)
dm_add 9 tools-9 23 test/vectors/tools-2.table
uevent change 9 23 65534
uevent raw 'add@/devices/virtual/net/lo|ACTION=add|DEVPATH=/devices/virtual/net/lo|SUBSYSTEM=net|'
uevent change 1 8
# The linear device's is read after the others, so it is done when a word after it is.
dm_add 10 tools-10 24 test/vectors/tools.table
uevent change 10 24
await 10 measured "$(word tools)" 4
is "$(words | wc -l)" $((n + 1)) 'what a user without privileges sends is not heard'
is "$(count "$(word tools-2)")" 2 'nor is the device looked at'
uevent change 9 23
await 10 measured "$(word tools-2)" 3
ok $? 'until the kernel announces it'

# One that cannot be read may have been about anything: everything is looked at.
dm_remove 9
uevent raw 'remove@/devices/virtual/block/dm-9|ACTION=remove|DEVPATH=/devices/virtual/block/dm-8|'
await 10 measured "removed:v1:$(word tools-2)" 3
ok $? 'an announcement that cannot be read makes us look at everything'
is "$(n_words '^lost:v1:')" 1 'and is said in the log'

# --- tables that are none

# A verity target in a form that we do not know is measured as the text it is.
dm_add 11 strange 25 test/vectors/strange.table
uevent change 11 25
await 10 measured "$(word strange)"
ok $? 'a table in an unknown form is measured all the same'
synced 'a table in an unknown form'

# What device-mapper cannot tell hides no other, and sync does not say that all is well.
echo nonsense > "$scratch/broken"
dm_table strange "$scratch/broken"
dm_add 12 tools-12 26 test/vectors/tools.table
uevent change 12 26
await 10 measured "$(word tools)" 5
ok $? 'a device that cannot be asked hides no other'
run sync --phase=test
exits 1 'but sync fails'
dm_remove 11
synced 'it is gone'
is "$(count "$(word tools)")" 5 'nothing was measured twice meanwhile'

# What failed once is tried again, although what was announced since went well.
dm_add 13 late 27 "$scratch/broken"
uevent change 13 27
for n in 6 7; do
	dm_add $((n + 8)) "tools-$n" $((n + 22)) test/vectors/tools.table
	uevent change $((n + 8)) $((n + 22))
	await 10 measured "$(word tools)" $n
	ok $? "another device that cannot be asked: the next one is measured ($n)"
done
n=$(count "$(word second)")
dm_table late test/vectors/second.table
await 10 measured "$(word second)" $((n + 1))
ok $? 'another device that cannot be asked: it is looked at again without a reason'
synced 'another device that cannot be asked'

# --- many at once, and somebody who verifies meanwhile

before=$(n_words '^dm-verity:')
(
	i=20
	while [ $i -lt 80 ]; do
		dm_add $i "many-$i" $((i + 100)) test/vectors/tools.table
		uevent add $i $((i + 100))
		uevent change $i $((i + 100))
		i=$((i + 1))
	done
) &
storm=$!
pids="$pids $storm"
worst=0
while ! is_gone $storm; do
	run verify
	[ "$status" -eq 0 ] || { worst=$status; said; }
	run log
	[ "$status" -eq 0 ] || { worst=$status; said; }
done
is $worst 0 'verify and log never see half a measurement'
synced 'many at once'
is "$(n_words '^dm-verity:')" $((before + 60)) 'each of them is measured once'
i=20
while [ $i -lt 80 ]; do
	dm_remove $i
	i=$((i + 1))
done
synced 'all of them gone'

# --- the barrier's own ways to fail

run sync
exits 0 'sync'
is "$(words | tail -n 1 | cut -d: -f1-3)" 'set:v1:host-ready' 'the usual phase is host-ready'
pid=$(writer)
kill -STOP "$pid"
run sync --timeout=1
says 1 "measuring.*$pid" 'a daemon that does not answer: sync gives up and names it'
kill -CONT "$pid"
synced 'the daemon goes on'
run status
says 0 "process $pid" 'status names the daemon'
unlike "$out" 'NOT MEASURED' 'every device has a record'

# --- ends

kill_writer TERM
is "$(words | tail -n 1)" 'hook:v1:none:-' 'the end of the source is a measured word'
[ ! -e "$root/run/veritally/control" ]
ok $? 'the control socket is gone'
run verify
says 0 '^verify: ok' 'after the end: verify'
synced 'without a daemon'
is "$(expect check "$log")" '' 'the log is well-formed'
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'and the index equals it'

# --- a number that is given away before anybody looked, and whose next holder is seen

tpm_reset
new_boot
must start
dm_add 0 gone1 7 test/vectors/tools.table
kill -STOP "$(writer)"
uevent change 0 7
dm_remove 0
uevent remove 0 7
dm_add 0 gone2 8 test/vectors/tools.table
kill -CONT "$(writer)"
await 10 has_words 1 '^dm-verity'
dm_remove 0
uevent change 0 8
uevent remove 0 8
must sync --phase=test
is "$(n_words '^lost:v1:1$')" 1 'what nobody could see is counted, what was recorded is not'
is "$(n_words '^lost')" 1 'and nothing else'
run verify
exits 0 'after a number was given away: verify'
kill_writer

done_testing
