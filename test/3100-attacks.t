#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What root can do to the index with plain tools, and that verify sees it.
#
# Each protection is also taken away once, to see that the same attack would work then:
# otherwise the test could not tell a protection from an attack that is done wrong.
. test/lib.sh
. test/tools/attack.sh

skip_without jq swtpm tpm2_startup sha256sum xxd

tools=$(sha256 "$(cat test/vectors/tools.words)")
evil=$(sha256 "$(cat test/vectors/second.words)")

# boot: a fresh boot that measured two devices; the second is the one to be hidden
boot() {
	tpm_reset || die 'no reset'
	new_boot
	dm_add 0 tools 7 test/vectors/tools.table
	dm_add 1 evil 8 test/vectors/second.table
	must start --oneshot
	is "$(n_words "^nvpcr-anchor:v1:1:$index:")" 1 "$1: an index is anchored"
	run verify
	says 0 '^verify: ok' "$1: before"
}

# seen PATTERN WHAT: verify sees it; also if the log is made to fit what the attacker
# would like to be true
seen() {
	run verify
	says 3 "$1" "$2: seen"
	test/tools/edit-log.py "$log" drop 3
	run verify
	says 3 "$1" "$2: seen, with a log to suit it"
}

denied() {
	[ "$1" -ne 0 ]
	ok $? "$2: denied" && like "$scratch/attack.err" "$3" "$2: for the right reason"
}

tpm_start
make_policies
is "$(xxd -p -c 256 "$scratch/or.pol")" "$(expect policy $gate $zero)" \
	'the TPM computes the policy that we compute'

# --- what the policy session allows

boot 'other commands'
name=$(nv_name)
value=$(nv_value)
head -c 32 /dev/zero > "$scratch/zeros"
for command in "nvwrite $index -i $scratch/zeros" "nvwritelock $index"; do
	session written
	# shellcheck disable=SC2086 # a command and its arguments
	tpm2_$command -C $index -P "session:$scratch/s" > "$scratch/attack.err" 2>&1
	denied $? "${command%% *} by the policy" '0x2C7|0x282|0x12F|0x149|ERROR'
	tpm2_flushcontext "$scratch/s" > /dev/null
done
printf x | tpm2_nvextend $index -C $index -i - 2> "$scratch/attack.err"
denied $? 'extend with the empty password' 0x12F
printf x | tpm2_nvextend $index -C o -i - 2> "$scratch/attack.err"
denied $? 'extend with owner authorization' 0x149
first_write "$evil"
denied $? 'a first write after the anchor' 0x1C4
is "$(nv_name) $(nv_value)" "$name $value" 'the index is as it was'
run verify
says 0 '^verify: ok' 'other commands: nothing happened'

# What is allowed is to extend, by anybody; then it is not what the log says.
next_write "$evil"
is $? 0 'anybody can append'
run verify
says 3 'the log gives .*, the TPM holds' 'but the log does not say so'

# --- undefine, define the very same, replay without the evil one

boot 'defined anew'
tpm2_nvundefine $index -C o
seen 'the TPM has no such index' 'index deleted'
boot 'defined anew'
tpm2_nvundefine $index -C o
define_as "$attributes" "$scratch/or.pol"
is $? 0 'defined anew: the definition itself cannot be prevented'
first_write "$(sha256 $genesis)"
denied $? 'defined anew: genesis' 0x1C4
next_write "$tools"
denied $? 'defined anew: append' 0x99D
seen 'not written in this boot' 'defined anew'

# Without the anchor, the same commands forge the history.
tpm_reset
new_boot
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools" && next_write "$evil"
is $? 0 'gate open: a history with the evil one'
name=$(nv_name)
tpm2_nvundefine $index -C o
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools"
is $? 0 'gate open: defined anew and replayed without it'
is "$(nv_name)" "$name" 'gate open: the same Name, so nobody would see it'
is "$(nv_value)" "$(expect extend $zero $genesis "$(cat test/vectors/tools.words)")" \
	'gate open: and the value of a history that was not'
tpm2_nvundefine $index -C o

# And without the gate they do so at any time.
naive=${attributes%policywrite*}authwrite${attributes#*policywrite}
naive_write() {
	printf %s "$1" | xxd -r -p | tpm2_nvextend $index -C $index -i - 2> "$scratch/attack.err"
}
define_as "$naive" ''
naive_write "$(sha256 $genesis)" && naive_write "$tools" && naive_write "$evil"
is $? 0 'naive index: a history with the evil one'
name=$(nv_name)
tpm2_nvundefine $index -C o
define_as "$naive" ''
naive_write "$(sha256 $genesis)" && naive_write "$tools"
is "$(nv_name) $(nv_value)" \
	"$name $(expect extend $zero $genesis "$(cat test/vectors/tools.words)")" \
	'naive index: forged, with the same Name'
tpm2_nvundefine $index -C o

# --- an index that can be written, and has the value wished for

boot 'weaker policy'
name=$(nv_name)
tpm2_nvundefine $index -C o
define_as "$naive" ''
naive_write "$(sha256 $genesis)" && naive_write "$tools" && naive_write "$evil"
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'weaker policy: the value can be forged'
isnt "$(nv_name)" "$name" 'weaker policy: the Name cannot'
run verify
says 3 'its Name is not the anchored one' 'weaker policy: seen, although the value is right'
tpm2_nvundefine $index -C o
define_as "$naive" ''
naive_write "$(sha256 $genesis)" && naive_write "$tools"
seen 'its Name is not the anchored one' 'weaker policy'

# A log that anchors the forged Name does not fit the gate.
word=$(words | sed -n 2p | sed "s/$name/$(nv_name)/")
test/tools/edit-log.py "$log" reword 1 "$word"
run verify
says 3 'with its gate it must be' 'weaker policy: seen, with an anchor to suit it'
tpm2_nvundefine $index -C o

boot 'gate of now'
name=$(nv_name)
cp "$scratch/a.pol" "$scratch/a.kept"
cp "$scratch/or.pol" "$scratch/or.kept"
make_policies
tpm2_nvundefine $index -C o
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && next_write "$tools"
is $? 0 'gate of now: an index bound to the value after the anchor can be written'
isnt "$(nv_name)" "$name" 'gate of now: it has another Name'
seen 'its Name is not the anchored one' 'gate of now'
cp "$scratch/a.kept" "$scratch/a.pol"
cp "$scratch/or.kept" "$scratch/or.pol"

# Started again by the product itself, that index is anchored: a second log, which starts
# from where the first one ended.
rm -r "$root/run/log"
dm_remove 1
must start --oneshot
run verify
says 1 'this may be a second log of this boot' 'gate of now, by veritally itself: seen'

# --- the TPM as a whole

boot 'TPM2_Clear'
tpm2_clear 2> "$scratch/attack.err"
is $? 0 'TPM2_Clear: cannot be prevented'
seen 'the TPM has no such index' 'TPM2_Clear'
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)"
denied $? 'TPM2_Clear: genesis' 0x1C4

boot 'suspend'
tpm2_nvundefine $index -C o
tpm_resume
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)"
denied $? 'suspend: genesis' 0x1C4
seen 'not written in this boot' 'suspend'

# A reset opens the gate, but the log of before is gone with it; kept, it does not fit.
boot 'reset'
tpm_reset
run verify
says 3 'not written in this boot' 'reset of the TPM alone: seen'

# Only one bank of the gate PCR is extended: the others must close the gate too.
boot 'banks'
for bank in sha1 sha256 sha384 sha512; do
	isnt "$(pcr_value $gate $bank | tr -d 0)" '' "the anchor closes bank $bank"
done

# An index of the right form with a password that only somebody else knows.
tpm_reset
tpm2_nvundefine $index -C o
tpm2_nvdefine $index -C o -g sha256 -a "$attributes" -L "$scratch/or.pol" -p secret > /dev/null
new_boot
dm_add 0 tools 7 test/vectors/tools.table
run start --oneshot
exits 0 'password on the index: start'
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'password on the index: it is used'
run verify
says 0 '^verify: ok' 'password on the index: verify'

done_testing
