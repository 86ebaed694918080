#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Evidence in which anything is altered is not trusted: every octet of every structure,
# every member taken from other evidence, the log longer or shorter by one.
# shellcheck disable=SC2016 # jq expands these
. test/lib.sh
. test/tools/attack.sh
. test/tools/evidence.sh

skip_without jq swtpm tpm2_startup

# none_trusted WHAT COMMAND...: what an edit prints, the last line being the number of runs
none_trusted() {
	none_what=$1
	shift
	test/tools/evidence-edit.py "$evidence" "$@" "$VERITALLY" check --evidence="$evidence" \
		--policy="$policy" --nonce=$nonce --ak="$ak" > "$scratch/runs"
	is "$(sed '$d' "$scratch/runs")" '' "$none_what: refused"
	[ "$(tail -n 1 "$scratch/runs")" -gt 5 ]
	ok $? "$none_what: $(tail -n 1 "$scratch/runs") times"
	trusted "$none_what: undone"
}

tpm_start
make_ak
make_policy

# Boot k and boot k + 1, which are the same but for what the TPM counts.
for boot in one two; do
	tpm_reset
	new_boot
	dm_add 0 tools 7 test/vectors/tools.table
	dm_add 1 second 8 test/vectors/second.table
	must start --oneshot
	must sync
	must_make_evidence
	cp "$evidence" "$scratch/$boot"
done
must_make_evidence
cp "$evidence" "$scratch/again"
make_ak rsa
test/tools/evidence.py make "$port" "$scratch/rsa" $nonce "$log" type=rsa
make_ak
cp "$scratch/two" "$evidence"

none_trusted 'an octet of a structure altered' fields
none_trusted 'a bit of the file flipped' flip 11
none_trusted 'members of the boot before' swap "$scratch/one"
none_trusted 'members of another answer' swap "$scratch/again"
none_trusted 'members of another key' swap "$scratch/rsa"
cp "$scratch/rsa" "$evidence"
make_ak rsa
none_trusted 'a bit of evidence by an RSA key flipped' flip 29
make_ak
cp "$scratch/two" "$evidence"

# Quote and certificate of different boots, all of them genuine.
for member in quote nvpcrs audit; do
	edit_evidence take $member "$scratch/one"
	refused clock 'reset' "$member of boot k, the rest of boot k + 1"
	cp "$scratch/two" "$evidence"
done

# edited CONDITION WHAT EDIT...: evidence with an edited log
edited() {
	edited_condition=$1
	edited_what=$2
	shift 2
	cp "$log" "$scratch/log"
	for edit; do
		# shellcheck disable=SC2086 # words
		test/tools/edit-log.py "$log" $edit || die "edit-log.py $edit"
	done
	edit_evidence log "$log"
	refused "$edited_condition" '' "$edited_what"
	cp "$scratch/log" "$log"
}

n=$(records length)
for i in $(seq 0 $((n - 2))); do
	edited log "record $i is gone" "drop $i"
	edited 'log|value|anchor' "record $i is gone and the others renumbered" "drop $i" renumber
	edited 'log|value|anchor' "record $i twice" "again $i" renumber
done
edited value 'the last record is gone' "drop $((n - 1))"
edited value 'one record too many, which verify would take' 'append user:v1:x:0:-:text:x'
edited 'word' 'and which the policy does not know' 'append user:v1:x:0:-:text:x'
edited value 'one activation too many' "append $(cat test/vectors/tools.words)"
edited log 'the last record is cut off' 'cut 9'
edited log 'two records are swapped' 'swap 2 3'
edited value 'and renumbered' 'swap 2 3' renumber
edited covered 'a record for an index that is not there' 'elsewhere 3 nv_index 0x01805646' renumber
edited covered 'a record for a PCR that is not quoted' 'elsewhere 3 pcr 15' renumber
edited value 'a record for a PCR that is quoted' 'elsewhere 3 pcr 14' renumber
edited covered 'a record for the gate in another bank' "elsewhere 3 pcr $gate sha1" renumber
edited gate-start 'another value before the anchor' "claim gate-sha256 $(sha256 x)"
edit_evidence log /dev/null
refused anchor 'found 0' 'no log'
cp "$scratch/two" "$evidence"
edit_evidence add nvpcrs "$scratch/two"
refused certified '2 statements for 1' 'an index twice'
refused audit-digest '' 'which the session does not show'
cp "$scratch/two" "$evidence"

# The firmware's log: its digests are what counts.
tpm_reset
new_boot
dm_add 0 tools 7 test/vectors/tools.table
printf version > "$scratch/version"
tpm2_pcrevent 0 "$scratch/version" > /dev/null
printf 'an initramfs' > "$scratch/initramfs"
tpm2_pcrevent 9 "$scratch/initramfs" > /dev/null
test/tools/firmware-log.py 9 "$scratch/initramfs" > "$scratch/firmware"
must start --oneshot
must_make_evidence firmware="$scratch/firmware"
trusted "evidence with a firmware's log"
initramfs=$(sha256 'an initramfs')
edit_policy '.events = {"9": ["'"$initramfs"'"]}'
trusted 'an initramfs that the policy names'
cp "$evidence" "$scratch/firmware-evidence"
size=$(wc -c < "$scratch/firmware")
offset=$((size - 4 - 12 - 64 - 2 - 48 - 2 - 1))		# last octet of the SHA-256 digest
edit_evidence twist firmware_log "$offset"
refused firmware-log 'in PCR 9' 'a digest of an event altered'
refused event "in PCR 9" 'so that it is none that the policy names'
cp "$scratch/firmware-evidence" "$evidence"
edit_policy '.events = {"9": ["'"$zero"'"]}'
refused event "found $initramfs in PCR 9" 'another initramfs than the policy names'
edit_evidence drop firmware_log
refused firmware-log 'found none' 'no log of the firmware, where the policy wants one'
edit_policy '.events = {"9": ["'"$initramfs"'"], "15": []}'
cp "$scratch/firmware-evidence" "$evidence"
refused event 'none of PCR 15' 'events of a PCR that is not quoted'

# Root extends the PCR by the digest of the initramfs that should have been started.
tpm_reset
new_boot
printf 'an evil initramfs' > "$scratch/evil"
tpm2_pcrevent 9 "$scratch/evil" > /dev/null
tpm2_pcrevent 9 "$scratch/initramfs" > /dev/null
{ test/tools/firmware-log.py 9 "$scratch/evil"
	test/tools/firmware-log.py 9 "$scratch/initramfs" | tail -c $((12 + 22 + 34 + 50 + 66 + 4 + 12)); } \
	> "$scratch/firmware"
tpm2_pcrevent 0 "$scratch/version" > /dev/null
must start --oneshot
must_make_evidence firmware="$scratch/firmware"
edit_policy '.events = {"9": ["'"$initramfs"'"]}'
refused event "found $(sha256 'an evil initramfs') in PCR 9" \
	'an initramfs that is not wanted, with the wanted one after it'
unlike "$out" '^firmware-log' 'although the log of the firmware is as it should be'

# Values of PCRs.
value=$(pcr_value 9)
make_policy --arg v "$value" '.pcrs = {"9": ["'"$zero"'", $v], "7": ["'"$zero"'"]}'
trusted 'PCRs have values that the policy names'
make_policy '.pcrs = {"9": ["'"$zero"'"]}'
refused pcr "found $value in PCR 9" 'a PCR has another value'
make_policy '.pcrs = {"15": ["'"$zero"'"]}'
refused pcr 'found no value in PCR 15' 'a PCR that is not quoted'

done_testing
