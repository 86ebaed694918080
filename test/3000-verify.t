#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# verify says no to every log that is not the one the TPM has seen.
. test/lib.sh

skip_without jq swtpm tpm2_startup sha256sum

tpm_start
new_boot
firmware_event 'a shim'

# A log of an earlier boot, with one device.
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
must sync
cp "$log" "$scratch/earlier"

# This boot's: 0 genesis, 1 anchor, 2-4 activations, 5 set.
tpm_reset
new_boot
firmware_event 'a shim'
dm_add 0 tools 7 test/vectors/tools.table
dm_add 1 second 8 test/vectors/second.table
dm_add 2 fec 9 test/vectors/fec.table
must start --oneshot
must sync
cp "$log" "$scratch/good"
good() {
	cp "$scratch/good" "$log"
}

edit() {
	test/tools/edit-log.py "$log" "$@" || die "edit-log.py $*"
}

# refused PATTERN DESCRIPTION: the altered log is not believed, and the good one is
refused() {
	run verify
	says 3 "$1" "$2: mismatch"
	good
	run verify
	says 0 '^verify: ok' "$2: undone"
}

run verify
says 0 '^verify: ok \(6 records, 3 activations\)$' 'the good log'
[ ! -s "$err" ]
ok $? 'nothing else to say about it' || said
is "$(run verify --json; jq -c '[.verdict, .records, .activations, .surplus, .findings]' "$out")" \
	'["ok",6,3,false,[]]' 'in JSON too'

# --- one octet

edit replace 3 '"string":"dm-verity:v1:1' '"string":"dm-verity:v1:0'
refused 'record 3 has a digest that is not that of its word' 'a word is altered'
digest=$(records '.[3].digests[0].digest')
edit replace 3 "$digest" "$(echo "$digest" | tr 0-9a-f 1-9a-f0)"
refused 'record 3 has a digest that is not that of its word' 'a digest is altered'
edit replace 3 '"recnum":3' '"recnum":4'
refused 'record 3 is missing or not in its place' 'a number is altered'
edit replace 3 $((index)) $((index + 1))
refused 'the log gives .*, the TPM holds' 'the index of a record is altered'
edit replace 3 "$(records '.[3].content.bootId')" ffffffffffffffffffffffffffffffff
refused 'record 3 is of another boot' 'the boot of a record is altered'
edit replace 3 '"content_type":"systemd"' '"content_type":"systemb"'
refused 'record 3 cannot be read' 'a record is made unreadable'
gate_value=$(records '.[1].content.annotations["gate-sha256"]')
edit claim gate-sha256 $zero
refused 'Name' 'the gate before the anchor is altered'
edit claim gate-sha1 "$(echo $zero | sed 's/0/1/g' | cut -c1-40)"
refused 'gate PCR 13, bank sha1' 'the gate in another bank is altered'
isnt "$gate_value" $zero 'the gate was not zero'

for claim in dmName dmUuid; do
	edit claim $claim forged
	run verify
	says 0 '^verify: ok' "$claim is a claim: altering it is not noticed, and it is marked"
done
run log
like "$out" 'dmName=forged' 'the forged claim is shown'
like "$out" '^ +# .*UNVERIFIED' 'below a title that says what it is worth'
good

test/tools/edit-log.py "$log" flip 17 "$VERITALLY" --sysroot="$root" --tpm="$tpm" verify \
	> "$scratch/flips"
is "$(sed '$d' "$scratch/flips")" '' 'a flipped bit anywhere in what is verified is noticed'
[ "$(tail -n 1 "$scratch/flips")" -gt 200 ]
ok $? "in $(tail -n 1 "$scratch/flips") places"
run verify
says 0 '^verify: ok' 'undone'

# --- whole records

for n in 0 1 2 3 4; do
	edit drop $n
	refused "record $n is missing or not in its place|has 0 anchors" "record $n is dropped"
	edit drop $n
	edit renumber
	refused . "record $n is dropped, the others renumbered"
done
edit drop 5
refused 'the log gives .*, the TPM holds' 'the last record is dropped'
for n in 2 3; do
	edit swap $n $((n + 1))
	refused "record $n is missing or not in its place" "records $n and $((n + 1)) are swapped"
	edit swap $n $((n + 1))
	edit renumber
	refused 'the log gives .*, the TPM holds' "records $n and $((n + 1)) are swapped and renumbered"
done
edit again 3
refused 'record 4 is missing or not in its place' 'a record comes twice'
edit again 3
edit renumber
refused 'the log gives .*, the TPM holds' 'a record comes twice, renumbered'
# What nobody compares with a TPM could be said by anybody.
for other in "pcr 14" "pcr 7 sha256" "nv_index 0x01805646" "nv_index $index sha1"; do
	# shellcheck disable=SC2086 # words
	edit elsewhere 3 $other
	edit renumber
	refused 'which its anchor does not cover' "a record comes once more, for $other"
done
edit elsewhere 0 pcr $gate
edit renumber
refused 'a measurement before the anchor' 'a genesis of the gate PCR'
for n in 2 3 4; do
	edit reword $n "$(cat test/vectors/tools-2.words)"
	refused 'the log gives .*, the TPM holds' "record $n has another word and its digest"
done
edit reword 5 "$(cat test/vectors/tools-2.words)"
refused 'the log gives .*, the TPM holds' 'the last record has another word and its digest'
edit append 'user:v1:one'
run verify
says 0 'the last record is not in the TPM' 'one record may be ahead of the TPM, and that is said'
edit append 'user:v1:two'
refused 'record 6 is the first that the TPM has not seen' 'two may not'
for n in 1 2 3 4 5; do
	edit keep $n
	refused . "only the first $n records are there"
done
: > "$log"
run verify
exits 3 'an empty log'
good

# --- octets cut off, or put in between

for octets in 1 2 50; do
	edit cut $octets
	refused 'record 5 is cut off in the middle' "the last $octets octets are cut off"
done
printf nonsense >> "$log"
refused 'record 6 cannot be read' 'there is something behind the last record'
{ printf 'nonsense'; cat "$scratch/good"; } > "$log"
refused 'record 0 cannot be read' 'there is something before the first record'

# --- logs of other times

cp "$scratch/earlier" "$log"
refused 'the log is of boot [0-9a-f]{32}, this is boot [0-9a-f]{32}' 'the log of an earlier boot'
sed "s/\"bootId\":\"[0-9a-f]*\"/\"bootId\":\"$(tr -d - < \
	"$root/proc/sys/kernel/random/boot_id")\"/" "$scratch/earlier" > "$log"
refused 'the log gives .*, the TPM holds' 'the same, made to look like one of this boot'
rm "$log"
run verify
says 1 'there is no log' 'no log: verify cannot tell'
good
ln -s "$scratch/good" "$log.link"
mv "$log.link" "$log"
run verify
exits 1 'a symbolic link in place of the log is not followed'
rm "$log"
good

# --- anchors

anchor=$(records '.[1].content.string')
edit again 1
edit renumber
refused 'the log has 2 anchors' 'two anchors'
edit drop 1
edit renumber
refused 'the log has 0 anchors' 'no anchor'
edit swap 1 2
edit renumber
refused 'measurement before the anchor' 'a measurement before the anchor'
for word in "$(echo "$anchor" | sed 's/:000b./:000bx/')" "${anchor}0" \
	"$(echo "$anchor" | tr a-f A-F)" nvpcr-anchor:v1:nonsense nvpcr-anchor:v1:0; do
	edit reword 1 "$word"
	refused 'anchor' "an anchor that reads $(echo "$word" | cut -c1-30)..."
done
for mode in pcr none; do
	edit reword 1 "nvpcr-anchor:v1:mode=$mode:no-tpm"
	run verify
	isnt "$status" 0 "an anchor that says there was nothing to anchor (mode=$mode)"
	good
done

# --- another log of the same boot, consistent in itself, begun when the first was gone

rm "$log"
run start --oneshot
exits 0 'a second log of one boot can be made'
run verify
says 1 'this may be a second log of this boot' 'but verify does not say that it is good'
good

# --- the TPM

tpm2_pcrextend $gate:sha1=1111111111111111111111111111111111111111
run verify
says 3 'gate PCR 13, bank sha1: the log gives' 'somebody extended one bank of the gate PCR'
tpm2_pcrextend $gate:sha256="$(sha256 x)"
run verify
says 3 'gate PCR 13, bank sha256' 'and another one'
unlike "$out" 'NvPCR' 'while the index is as it was'
tpm=none
run verify
says 1 'there is no TPM to ask: configured' 'no TPM: verify cannot tell'
edit replace 3 '"string":"dm-verity:v1:1' '"string":"dm-verity:v1:0'
run verify
says 3 'record 3 has a digest' 'no TPM: but what the log itself gives away counts'
good
tpm=swtpm:host=127.0.0.1,port=$port
kill "$tpm_pid"
await 10 is_gone "$tpm_pid"
run verify
says 1 'there is no TPM to ask' 'a TPM that is gone: verify cannot tell'

# --- the other readers of a log that somebody spoiled

printf nonsense >> "$log"
run log
says 1 'no record of ours' 'log prints what it can read, and says what not'
like "$out" 'set:v1' 'all of it'
printf '\033[31m' > "$scratch/escape"
good
sed "s/\"dmName\":\"second\"/\"dmName\":\"\\\\u001b[2J\\\\u009b3J\"/" "$scratch/good" > "$log"
run log
exits 0 'a claim with a terminal escape'
like "$out" 'dmName=\?\[2J\?3J' 'is shown without it'
unlike "$out" "$(printf '\033')" 'and no escape comes through'
unlike "$out" "$(printf '\302\233')" 'nor one beyond ASCII'

done_testing
