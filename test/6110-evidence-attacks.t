#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What root can do to a machine that has to give evidence: each attack is made with plain
# tools, evidence is made after it as its author would like it to be, and check refuses it
# for the right reason.
# shellcheck disable=SC2016 # jq expands these
. test/lib.sh
. test/tools/attack.sh
. test/tools/evidence.sh

skip_without jq swtpm tpm2_startup sha256sum xxd

tools=$(sha256 "$(cat test/vectors/tools.words)")
evil=$(sha256 "$(cat test/vectors/second.words)")

# boot: a fresh boot that measured two devices; the policy does not allow the second, which
# is the one to be hidden
boot() {
	tpm_reset || die 'no reset'
	new_boot
	dm_add 0 tools 7 test/vectors/tools.table
	dm_add 1 evil 8 test/vectors/second.table
	must start --oneshot
	must_make_evidence
	cp "$evidence" "$scratch/before"
	check
	is "$status $(cut -d: -f1 "$out" | sort -u | tr '\n' ' ')" '3 check image ' \
		"$1: without the attack, evil is all that is wrong"
}

# without_evil: a log to suit the attacker
without_evil() {
	test/tools/edit-log.py "$log" drop 3
}

# forged CONDITION PATTERN WHAT: evidence with a log to suit is refused, and evil is gone
# from it, so that nothing else would have been found
forged() {
	refused "$1" "$2" "$3"
	unlike "$out" '^image:' "$3: evil itself is not seen any more"
}

tpm_start
tpm_reset
make_policies
make_ak
make_policy 'del(.images["second.raw"])'

# --- the log alone

boot 'log edited'
without_evil
must_make_evidence
forged value 'in index' 'log edited: a record is gone'
test/tools/edit-log.py "$log" append "$(cat test/vectors/tools.words)"
must_make_evidence
forged value 'in index' 'log edited: and another one in its place'

# --- undefine, define the very same, replay

boot 'defined anew'
tpm2_nvundefine $index -C o
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)"
like "$scratch/attack.err" 0x1C4 'defined anew: no genesis after the anchor'
without_evil
! make_evidence 2> "$scratch/attack.err" && like "$scratch/attack.err" 0x14a \
	'defined anew: an index that is not written is not certified'
edit_evidence log "$log"
forged value 'in index' 'defined anew: the statement of before, with a log to suit'
edit_evidence set nvpcrs '[]'
forged certified 'found none' 'defined anew: no statement about the index'
refused audit-digest '' 'defined anew: and the session shows that there was one'
test/tools/evidence.py make "$port" "$evidence" $nonce "$log" skip=yes
forged certified 'found none' 'defined anew: a session without the index'
unlike "$out" '^audit-digest' 'defined anew: which is in order by itself'

# The attack on an initramfs: a gate that stays open while extensions are activated.  The
# same commands as above, before the anchor.
tpm_reset
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools" && next_write "$evil"
is $? 0 'gate left open: a history with evil'
before=$(test/tools/evidence.py naive "$port" $index)
tpm2_nvundefine $index -C o
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools"
is $? 0 'gate left open: evil begins it anew, without itself'
after=$(test/tools/evidence.py naive "$port" $index)
is "${after% *}" "${before% *}" 'gate left open: the certified Name is the same'
is "${after#* }" "$(expect extend $zero $genesis "$(cat test/vectors/tools.words)")" \
	'gate left open: and certified is a history that was not'
tpm2_nvundefine $index -C o

# --- the naive index is fooled by it at any time

naive=${attributes%policywrite*}authwrite${attributes#*policywrite}
naive_write() {
	printf %s "$1" | xxd -r -p | tpm2_nvextend $index -C $index -i - 2> "$scratch/attack.err"
}
define_as "$naive" ''
naive_write "$(sha256 $genesis)" && naive_write "$tools" && naive_write "$evil"
before=$(test/tools/evidence.py naive "$port" $index)
tpm2_nvundefine $index -C o
define_as "$naive" ''
naive_write "$(sha256 $genesis)" && naive_write "$tools"
after=$(test/tools/evidence.py naive "$port" $index)
is "$after" "${before% *} $(expect extend $zero $genesis "$(cat test/vectors/tools.words)")" \
	'naive index: forged, and certified with the same Name'
tpm2_nvundefine $index -C o

# --- an index that can be written, with the value that is wished for

boot 'weaker policy'
name=$(nv_name)
tpm2_nvundefine $index -C o
define_as "$naive" ''
naive_write "$(sha256 $genesis)" && naive_write "$tools"
without_evil
must_make_evidence
forged name 'of index' 'weaker policy: the Name is another'
unlike "$out" '^value' 'weaker policy: although the value is right'
cp "$log" "$scratch/suited"
word=$(words | sed -n 2p | sed "s/$name/$(nv_name)/")
test/tools/edit-log.py "$log" reword 1 "$word"
must_make_evidence
forged name 'of index' 'weaker policy: with an anchor to suit it'
refused value 'in PCR 13' 'weaker policy: which was not what was anchored'
tpm2_nvundefine $index -C o

boot 'gate of now'
cp "$scratch/a.pol" "$scratch/a.kept"
cp "$scratch/or.pol" "$scratch/or.kept"
make_policies
tpm2_nvundefine $index -C o
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools"
is $? 0 'gate of now: an index bound to the value after the anchor can be written'
without_evil
must_make_evidence
forged anchor-name 'of index' 'gate of now: it is not the one that was anchored'
tpm2_nvundefine $index -C o
cp "$scratch/a.kept" "$scratch/a.pol"
cp "$scratch/or.kept" "$scratch/or.pol"

# The product itself begins anew, from where its first anchor left the gate.
boot 'second log'
words | sed -n 2p | tr -d '\n' > "$scratch/anchor"
tpm2_nvundefine $index -C o
rm -r "$root/run/log"
dm_remove 1
start_value=$(pcr_value $gate)
must start --oneshot
must_make_evidence
forged gate-start "$start_value" 'second log: it does not begin where a boot does'
is "$(cut -d: -f1 "$out" | sort -u | tr '\n' ' ')" 'check gate-start ' \
	'second log: nothing else would tell'
is "$(expect extend $zero "$(cat "$scratch/anchor")")" "$start_value" \
	'second log: one event for the firmware is all that it takes to explain it'
test/tools/firmware-log.py $gate "$scratch/anchor" > "$scratch/firmware"
must_make_evidence firmware="$scratch/firmware"
forged gate-start "$start_value" \
	"second log: a firmware's log that explains it was written by root"
must_make_evidence
edit_policy --arg v "$start_value" '.gate = [$v]'
trusted 'second log: taken if the policy names that value: this is what protects'
edit_policy 'del(.gate)'
tpm2_nvundefine $index -C o

# Another PCR is as good as new.
boot 'another gate'
tpm2_nvundefine $index -C o
rm -r "$root/run/log"
dm_remove 1
mkdir -p "$root/etc"
echo 'gate_pcr=14' > "$root/etc/veritally.conf"
must start --oneshot
rm "$root/etc/veritally.conf"
must_make_evidence
forged gate-pcr 'PCR 14' 'another gate: not the one that the policy names'
is "$(cut -d: -f1 "$out" | sort -u | tr '\n' ' ')" 'check gate-pcr ' \
	'another gate: nothing else would tell'
edit_policy '.gate_pcr = 14'
trusted 'another gate: taken if the policy names it'
edit_policy 'del(.gate_pcr)'
tpm2_nvundefine $index -C o

# --- anchors

boot 'two anchors'
make_policies
tpm2_nvundefine $index -C o
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools"
without_evil
word=$(words | sed -n 2p | sed "s/:0x.*/:$index:$(nv_name):$(expect genesis)/")
tpm2_pcrextend "$gate:sha1=$(printf %s "$word" | sha1sum | cut -d' ' -f1),sha256=$(sha256 "$word"),sha384=$(printf %s "$word" | sha384sum | cut -d' ' -f1),sha512=$(printf %s "$word" | sha512sum | cut -d' ' -f1)"
test/tools/edit-log.py "$log" again 1
test/tools/edit-log.py "$log" reword 2 "$word"
test/tools/edit-log.py "$log" renumber
must_make_evidence
forged anchor 'found 2' 'two anchors: one too many'
tpm2_nvundefine $index -C o
cp "$scratch/a.kept" "$scratch/a.pol"
cp "$scratch/or.kept" "$scratch/or.pol"

# The anchor goes to another bank only: the gate stays open in the one that counts.
boot 'one bank'
cp "$log" "$scratch/log"
tpm_reset
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools"
tpm2_pcrextend "$gate:sha1=$(words | sed -n 2p | tr -d '\n' | sha1sum | cut -d' ' -f1)"
without_evil
must_make_evidence
forged value 'in PCR 13' 'one bank: the log as it would have been'
test/tools/edit-log.py "$log" bank 1 sha1
must_make_evidence
forged covered 'record 1' 'one bank: the log as it is'
tpm2_nvundefine $index -C o

# --- more is in the TPM than in the log

boot 'junk'
without_evil
next_write "$(sha256 junk)"
must_make_evidence
forged value 'in index' 'junk: what is not in the log is there'
boot 'junk in the gate'
tpm2_pcrextend "$gate:sha256=$(sha256 junk)"
must_make_evidence
refused value 'in PCR 13' 'junk in the gate PCR'

# --- statements of other times

boot 'replay'
cp "$evidence" "$scratch/earlier"
check --nonce=0011223344556677
says 3 '^nonce: ' 'replay: evidence for another nonce'
edit_evidence set nonce '"0011223344556677"'
check --nonce=0011223344556677
says 3 '^nonce: .*in the quote' 'replay: with the new nonce in the header'
boot 'another boot'
edit_evidence take nvpcrs "$scratch/earlier"
refused clock 'reset' 'another boot: the statement about the index is of the boot before'
refused audit-digest '' 'another boot: and was not made in this session'
cp "$scratch/earlier" "$evidence"
edit_evidence log "$log"
refused log 'is of another boot' 'another boot: the log of this boot, the rest of the last'

boot 'interleaved'
! make_evidence between="tpm2_pcrextend 16:sha256=$evil" 2> "$scratch/attack.err"
like "$scratch/attack.err" 0x121 'interleaved: the TPM refuses to go on'
must_make_evidence between="tpm2_pcrextend 16:sha256=$evil" exclusive=no
refused audit-exclusive 'found 0' 'interleaved: a session that does not insist is not exclusive'

# --- the TPM as a whole

boot 'TPM2_Clear'
tpm2_clear
without_evil
! make_evidence 2> /dev/null
ok $? 'TPM2_Clear: the index is gone'
test/tools/evidence.py make "$port" "$evidence" $nonce "$log" skip=yes
forged certified 'found none' 'TPM2_Clear: nothing to show instead'
boot 'reset'
tpm_reset
without_evil
! make_evidence 2> /dev/null
ok $? 'reset: the index is not written any more'
test/tools/evidence.py make "$port" "$evidence" $nonce "$log" skip=yes
forged value 'in PCR 13' 'reset: the anchor is gone'

# What cannot be prevented is to be seen as what it is: root may append.
boot 'appended'
edit_policy --rawfile w test/vectors/second.words '.images["second.raw"] = [$w | rtrimstr("\n")]'
must_make_evidence
trusted 'appended: evil is allowed now'
measured "removed:v1:$(cat test/vectors/second.words)"
must_make_evidence
trusted 'appended: root may say that it went away'
edit_policy '.required = ["second.raw"]'
refused required second.raw 'appended: but that it was there stays'
edit_policy 'del(.required, .images["second.raw"])'
refused image 'record 3' 'appended: whatever is appended'

# An index from an earlier boot whose password only root knows; an owner with a password.
tpm_reset
tpm2_nvundefine $index -C o
tpm2_nvdefine $index -C o -g sha256 -a "$attributes" -L "$scratch/or.pol" -p secret > /dev/null
tpm2_dictionarylockout --setup-parameters --max-tries=1
tpm2_nvread $index -C $index > /dev/null 2>&1
new_boot
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
must_make_evidence
trusted 'password on the index, and lockout: evidence is made all the same'
tpm2_nvundefine $index -C o
tpm_reset
new_boot
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
tpm2_changeauth -c owner secret
must_make_evidence auth=index
trusted 'password of the owner: read by the index'

done_testing
