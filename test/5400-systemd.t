#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The copy of our log in systemd's: whole, by systemd's protocol, and in nobody's way.
. test/lib.sh

skip_without jq swtpm tpm2_startup sha256sum xxd python3 flock

theirs=$root/run/log/systemd/tpm2-measure.log

# systemd_boot: another boot, of a system that systemd runs
systemd_boot() {
	rule
	tpm_reset || die 'no reset'
	new_boot
	mkdir -p "$root/run/systemd/system"
	dm_add 0 tools 7 test/vectors/tools.table
}

# copied WHAT: all our records are there, in their order, and every reader can read them
copied() {
	test/tools/systemd-log.py check "$theirs" > "$scratch/theirs"
	is "$(cut -d' ' -f3- "$scratch/theirs" | grep -v '^theirs-')" "$(words)" \
		"$1: our records are in systemd's log, once each"
}

# mode WANTED DESCRIPTION: of systemd's log
mode() {
	is "$(stat -c %a "$theirs")" "$1" "$2"
}

# shellcheck disable=SC2317 # called by await
all_copied() {
	[ "$(test/tools/systemd-log.py check "$theirs" | cut -d' ' -f3-)" = "$(words)" ]
}

tpm_start
proxy_start

# --- when

new_boot
must start --oneshot
[ ! -e "$root/run/log/systemd" ]
ok $? 'without systemd nothing is written'
run status
says 0 '^systemd +not taken notice of' 'and status says so'
mkdir -p "$root/etc" "$root/run/systemd/system"
echo systemd=off > "$root/etc/veritally.conf"
must start --oneshot
[ ! -e "$root/run/log/systemd" ]
ok $? 'nor with systemd=off'
rm -r "$root/run/systemd"
echo systemd=own > "$root/etc/veritally.conf"
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
copied 'systemd=own without systemd, and later than the rest'
rm "$root/etc/veritally.conf"
systemd_boot
must start --oneshot
copied 'systemd runs'
mode 600 'its mode is what systemd wants'
is "$(stat -c %a "$root/run/log/systemd")" 755 'and that of its folder'
is "$(sed -n 1p "$scratch/theirs" | cut -d' ' -f1,2)" "$((index)) dm-verity" \
	'a type that its readers do not know is none of them there'
is "$(grep -c nvpcr-genesis "$theirs")" 1 'and is kept'
is "$(tr -d '\036' < "$theirs" | jq -r 'select(.content.annotations.eventType ==
	"nvpcr-genesis") | .content.string')" $genesis 'as an annotation'
run status
says 0 '^systemd +3 records are in its log, 0 are missing there$' 'status tells'

# --- next to systemd's own records, from the initramfs on

systemd_boot
test/tools/systemd-log.py append "$theirs" theirs-first
must start
test/tools/systemd-log.py append "$theirs" theirs-second
dm_add 1 more 8 test/vectors/second.table
uevent add 1 8
await 10 has_words 2 ^dm-verity
must leave
copied 'leave'
test/tools/systemd-log.py append "$theirs" theirs-third
begin_watch
must extend verity --word='a "quoted" \ word'
must extend pcr:15 --word=fifteen
must sync
dm_remove 1
must sync
copied 'watch'
is "$(cut -d' ' -f3 "$scratch/theirs" | grep -c '^theirs-')" 3 "and systemd's own records too"
is "$(expect fold "$theirs" pcr $gate)" "$(pcr_value $gate)" 'it folds to the gate PCR'
is "$(expect fold "$theirs" nv_index $index)" "$(nv_value)" 'and to the index'
mode 600 'and it is not marked'

# --- somebody holds its lock and does not let go

exec 9< "$theirs"
flock -x 9
dm_add 2 stuck 9 test/vectors/fec.table
uevent add 2 9
await 4 has_words 3 ^dm-verity
ok $? 'its lock is held: an activation is measured all the same'
await 5 grep -q 'another process holds its lock' "$scratch/watch.err"
ok $? 'and that is said'
began=$(date +%s)
for i in 1 2 3 4 5 6 7 8 9 10; do
	must extend verity --word="number $i"
done
at_most $(($(date +%s) - began)) 5 'it is not waited for each time'
run status
says 0 '^systemd .* 11 are missing there$' 'status counts what is missing'
exec 9<&-
await 10 all_copied
copied 'lock free again'
await 10 grep -q 'all records are in .* again' "$scratch/watch.err"
ok $? 'which is said, too'
kill_writer
copied 'the end'
run verify
says 0 '^verify: ok' 'verify'

# --- a writer that dies half-way

systemd_boot
must start --oneshot
cp "$theirs" "$scratch/before"
rule NV_Extend hang
"$VERITALLY" --sysroot="$root" --tpm="$tpm" extend verity --word=cut 2> /dev/null &
cut=$!
pids="$pids $cut"
await 10 has_words 1 'text:cut$'
await 10 grep -q hang "$commands"
mode 1600 'while something is extended its mode says so'
kill -KILL $cut
wait $cut 2> /dev/null
rule
mode 1600 'a writer that dies leaves it so'
cmp -s "$theirs" "$scratch/before"
ok $? 'and no piece of a record'
must start --oneshot
copied 'the next writer'
mode 1600 'who does not take the mark of another away'
run status
says 0 'marked as incomplete' 'status tells'

# --- what the TPM has not got is not there

systemd_boot
must start --oneshot
dm_add 1 more 8 test/vectors/second.table
rule NV_Extend rc:0x149
must start --oneshot
rule
copied 'an extension that was refused'
mode 600 'is no reason for a mark'
is "$(expect fold "$theirs" pcr $gate)" "$(pcr_value $gate)" 'it folds to the gate PCR'
echo timeout=1 > "$root/etc/veritally.conf"
dm_add 2 fec 9 test/vectors/fec.table
rule PCR_Extend hang
must start --oneshot
rule
dm_add 3 old 10 test/vectors/old.table
must start --oneshot
is "$(expect fold "$theirs" pcr $gate)" "$(pcr_value $gate)" \
	'nor is what was recorded when the TPM was lost'
mode 1600 'but for a mark'
rm "$root/etc/veritally.conf"
tpm_before=$tpm
systemd_boot
tpm=none
must start --oneshot
[ ! -e "$theirs" ]
ok $? 'without a TPM nothing is'
run status
says 0 '^systemd .* 0 are missing there$' 'and nothing is missed'
tpm=$tpm_before

# --- files that are none

systemd_boot
must start --oneshot
printf '\036{"pcr":13}\n' >> "$log"
must sync
test/tools/systemd-log.py check "$theirs" > "$scratch/theirs"
is "$(tail -n 1 "$scratch/theirs" | cut -d' ' -f3 | cut -d: -f1,2)" set:v1 \
	'what is no record of ours in our log is left out'
systemd_boot
mkdir -p "$root/run/log/systemd"
echo precious > "$root/run/precious"
ln -s ../../precious "$theirs"
run start --oneshot
says 0 'not copied to .*(levels of symbolic links|Symbolic link loop)' 'a link is not followed, and said'
is "$(cat "$root/run/precious")" precious 'nor written to'
run verify
says 0 '^verify: ok' 'and measuring goes on'

done_testing
