#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The ladder: what becomes of the words when the TPM has no room, refuses or is silent.
. test/lib.sh
. test/tools/attack.sh

skip_without jq swtpm tpm2_startup sha256sum xxd

# fresh: a TPM without our index, after a reset, and a boot with one device
fresh() {
	rule
	tpm2_nvundefine $index -C o > /dev/null 2>&1
	tpm_reset || die 'no reset'
	new_boot
	dm_add 0 tools 7 test/vectors/tools.table
	forget_commands
}

# verifies WHAT: log and TPM agree, by our own account too
verifies() {
	is "$(pcr_value $gate)" "$(expect fold "$log" pcr $gate)" "$1: the gate PCR equals the log"
	run verify
	says 0 '^verify: ok' "$1: verify"
}

tpm_start
proxy_start
tools=$(cat test/vectors/tools.words)

# --- T1: no room for another orderly index

fresh
i=0
while [ $i -lt 40 ] && tpm2_nvdefine $((0x01810000 + i)) -C o -g sha256 \
	-a 'nt=extend|authwrite|ownerread|authread|no_da|orderly|clear_stclear' \
	> /dev/null 2>&1; do
	i=$((i + 1))
done
echo "# $i orderly indices fill the TPM"
run start --oneshot
exits 0 'no orderly room: start'
is "$(nv_name)" "$(expect name $index 2a060048 $gate $zero)" \
	'no orderly room: the index is not orderly'
is "$(words | sed -n 2p | cut -d: -f5)" "$(nv_name)" 'no orderly room: and anchored so'
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'no orderly room: it is used'
is "$(jq -r '.nvpcrs[0].reason' "$root/run/veritally/manifest.json")" nv-space \
	'no orderly room: the manifest says why'
verifies 'no orderly room'
while [ $i -gt 0 ]; do
	i=$((i - 1))
	tpm2_nvundefine $((0x01810000 + i)) -C o > /dev/null 2>&1
done
tpm_reset
new_boot
forget_commands
must start --oneshot
is "$(n_commands NV_DefineSpace)" 0 'room again: the index stays as it is'
verifies 'room again'

# --- T2: no index at all

fresh
rule NV_DefineSpace rc:0x14b
run start --oneshot
says 0 'no index \(nv-space\): its words go to PCR 13' 'no room at all: start says so'
is "$(words | head -n 1)" 'nvpcr-anchor:v1:mode=pcr:nv-space' 'no room at all: the anchor says so'
is "$(records '.[-1].pcr')" $gate 'no room at all: words go to the gate PCR'
is "$(words | tail -n 1)" "$tools" 'no room at all: the same words'
isnt "$(pcr_value $gate)" $zero 'no room at all: the gate is closed'
verifies 'no room at all'
dm_add 1 more 8 test/vectors/second.table
run start --oneshot
exits 0 'no room at all: a second start goes on'
is "$(words | tail -n 1)" "$(cat test/vectors/second.words)" 'no room at all: and measures'
verifies 'no room at all, second start'
run status
says 0 'rung +pcr' 'no room at all: status shows the rung'

# Someone else's index is never touched.
fresh
echo hello > "$scratch/hello"
tpm2_nvdefine $index -C o -s 16 -a 'ownerread|ownerwrite|authread|authwrite' > /dev/null
tpm2_nvwrite $index -C o -i "$scratch/hello"
foreign=$(nv_name)
run start --oneshot
says 0 'foreign-index' 'foreign index: start says so'
is "$(nv_name)" "$foreign" 'foreign index: it is as it was'
is "$(n_commands 'NV_UndefineSpace\|NV_DefineSpace')" 0 'foreign index: nothing was tried'
is "$(words | head -n 1)" 'nvpcr-anchor:v1:mode=pcr:foreign-index' \
	'foreign index: the next rung is taken'
verifies 'foreign index'

# An owner password: a new index cannot be had, an old one is used as ever.
fresh
tpm2_changeauth -c owner secret
run start --oneshot
says 0 'owner-auth' 'owner password: start says so'
verifies 'owner password'
tpm2_changeauth -c owner -p secret
tpm_reset
new_boot
must start --oneshot
tpm2_changeauth -c owner secret
tpm_reset
new_boot
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
is "$(records '.[-1].nv_index')" $((index)) 'owner password later: the index is used'
is "$(pcr_value $gate)" "$(expect fold "$log" pcr $gate)" \
	'owner password later: the gate PCR equals the log'
run verify
says 0 '^verify: ok' 'owner password later: verify'
tpm2_changeauth -c owner -p secret

# A TPM that locks out whoever guesses: our indices are not its business.
fresh
tpm2_dictionarylockout -s -n 1 -t 1000 -l 1000
tpm2_nvdefine 0x01810000 -C o -s 8 -p right -a 'authread|authwrite|ownerwrite' > /dev/null
tpm2_nvwrite 0x01810000 -C o -i "$scratch/hello" > /dev/null 2>&1
for guess in wrong1 wrong2; do
	tpm2_nvread 0x01810000 -C 0x01810000 -P $guess > /dev/null 2>&1
done
is "$(tpm2_getcap properties-variable | sed -n 's/^ *inLockout: *//p')" 1 'lockout: the TPM is in it'
run start --oneshot
exits 0 'lockout: start'
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'lockout: the index is in use'
is "$(records '.[-1].nv_index')" $((index)) 'lockout: words go to it'
verifies lockout
tpm2_dictionarylockout -c
tpm2_nvundefine 0x01810000 -C o > /dev/null

# A TPM that lacks a command.
for command in NV_Extend PolicyNvWritten PolicyOR StartAuthSession NV_DefineSpace; do
	fresh
	rule $command rc:0x143
	run start --oneshot
	exits 0 "no $command: start"
	is "$(records '.[-1].pcr')" $gate "no $command: the next rung is taken"
	is "$(words | tail -n 1)" "$tools" "no $command: words are measured"
	rule
	verifies "no $command"
done

# A firmware that hangs at an index in RAM.
fresh
rule 'GetCapability maker:STM
NV_DefineSpace orderly:hang'
run start --oneshot
exits 0 'ST33: start'
is "$(nv_name)" "$(expect name $index 2a060048 $gate $zero)" 'ST33: the index is not orderly'
is "$(jq -r '.nvpcrs[0].reason' "$root/run/veritally/manifest.json")" st33-firmware \
	'ST33: the manifest says why'
verifies ST33

# --- refusals in the middle

# A genesis that is refused: every rung is tried, and the gate is closed.
fresh
rule NV_Extend rc:0x149
run start --oneshot
says 0 'genesis-refused' 'genesis refused: start says so'
verifies 'genesis refused'

# The TPM's state changes between policy and write: tried again, as often as it takes.
fresh
rule NV_Extend rc:0x128 0 3
run start --oneshot
exits 0 'PCR changed meanwhile: start'
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'PCR changed meanwhile: index in use'
verifies 'PCR changed meanwhile'

fresh
rule any rc:0x922 3 4
run start --oneshot
exits 0 'TPM asks to try again: start'
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'TPM asks to try again: index in use'
verifies 'TPM asks to try again'

# An append that is refused: its record is withdrawn, and the NvPCR falls to the gate PCR.
fresh
must start --oneshot
n=$(words | wc -l)
dm_add 1 more 8 test/vectors/second.table
rule NV_Extend rc:0x149
run start --oneshot
exits 0 'append refused: start'
is "$(words | sed -n $((n + 1))p)" 'degraded:v1:pcr:tpm-rc-0x149:verity' \
	'append refused: the fall is recorded'
is "$(words | tail -n 1)" "$(cat test/vectors/second.words)" 'append refused: then the word'
is "$(records '.[-1].pcr')" $gate 'append refused: in the gate PCR'
rule
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'append refused: the index is as logged'
verifies 'append refused'
dm_add 2 fec 9 test/vectors/fec.table
must start --oneshot
is "$(records '.[-1].pcr')" $gate 'append refused: the next writer stays there'
verifies 'append refused, next writer'

# Root deletes the index under us.
fresh
must start --oneshot
tpm2_nvundefine $index -C o
dm_add 1 more 8 test/vectors/second.table
run start --oneshot
exits 0 'index deleted: start'
like "$log" 'degraded:v1:pcr:' 'index deleted: the fall is recorded'
is "$(pcr_value $gate)" "$(expect fold "$log" pcr $gate)" 'index deleted: the gate PCR equals the log'
run verify
says 3 'the TPM has no such index' 'index deleted: verify says so'

# --- T4: a TPM that does not answer

mkdir -p "$root/etc"
echo timeout=1 > "$root/etc/veritally.conf"

# slow SECONDS COMMAND...: seconds it took; it must be at most so many
slow() {
	slow_max=$1
	shift
	began=$(date +%s)
	run "$@"
	at_most $(($(date +%s) - began)) "$slow_max" "$what: time, seconds"
}

for command in PCR_Read NV_ReadPublic NV_DefineSpace PolicyPCR NV_Extend NV_Read; do
	what="silent at $command"
	fresh
	rule $command hang
	slow 3 start --oneshot
	exits 0 "$what: start"
	is "$(words | head -n 1)" 'nvpcr-anchor:v1:mode=none:tpm-timeout' "$what: said in the log"
	is "$(words | tail -n 1)" "$tools" "$what: the log is kept"
	is "$(n_commands)" "$(($(grep -n hang "$commands" | head -n 1 | cut -d: -f1)))" \
		"$what: the TPM is left alone afterwards"
	rule
	run verify
	says 1 'without a TPM: tpm-timeout' "$what: verify cannot tell"
done

what='silent at the anchor'
fresh
rule PCR_Extend hang
slow 3 start --oneshot
exits 0 "$what: start"
is "$(words | sed -n 3p)" 'degraded:v1:log:anchor-failed' "$what: said in the log"
is "$(words | tail -n 1)" "$tools" "$what: the log is kept"
rule
run verify
says 1 'the TPM was lost \(anchor-failed\)' "$what: verify cannot tell"

what='silent at the second of two'
fresh
mkdir -p "$root/etc/veritally/nvpcr.d"
echo '{"name":"other","nvIndex":25187926}' > "$root/etc/veritally/nvpcr.d/other.nvpcr"
tpm2_nvdefine 25187926 -C o -s 16 -a 'ownerread|ownerwrite' > /dev/null
rule PCR_Extend hang 1
slow 3 start --oneshot
exits 0 "$what: start"
is "$(words | tail -n 2)" "$(echo degraded:v1:log:tpm-timeout; echo "$tools")" \
	"$what: the loss is said, and the log is kept"
tpm2_nvundefine 25187926 -C o > /dev/null
rm -r "$root/etc/veritally"

what='silent at a word'
fresh
must start --oneshot
dm_add 1 more 8 test/vectors/second.table
rule NV_Extend hang
slow 3 start --oneshot
exits 0 "$what: start"
is "$(words | tail -n 2)" "$(cat test/vectors/second.words; echo degraded:v1:log:tpm-timeout)" \
	"$what: the record stays, then the loss"
rule
run verify
says 1 'the TPM was lost \(tpm-timeout\)' "$what: verify cannot tell"
dm_add 2 fec 9 test/vectors/fec.table
forget_commands
must start --oneshot
is "$(n_commands NV_Extend)" 0 "$what: the next writer leaves the TPM alone"
is "$(words | tail -n 1)" "$(cat test/vectors/fec.words)" "$what: and keeps the log"

what='refused, then silent'
fresh
must start --oneshot
dm_add 1 more 8 test/vectors/second.table
rule 'NV_Extend rc:0x149
PCR_Extend hang'
slow 3 start --oneshot
exits 0 "$what: start"
is "$(words | tail -n 3)" "$(echo degraded:v1:pcr:tpm-rc-0x149:verity
	echo degraded:v1:log:tpm-timeout; cat test/vectors/second.words)" \
	"$what: the word that was withdrawn is in the log all the same"
rule
run verify
says 1 'the TPM was lost \(tpm-timeout\)' "$what: verify cannot tell"

what='answer lost'
fresh
must start --oneshot
dm_add 1 more 8 test/vectors/second.table
rule NV_Extend lose
slow 3 start --oneshot
exits 0 "$what: start"
rule
run verify
says 1 'the TPM was lost \(tpm-timeout\)' "$what: verify does not say mismatch"

what='connection cut'
fresh
rule NV_DefineSpace cut
run start --oneshot
exits 0 "$what: start"
is "$(words | head -n 1)" 'nvpcr-anchor:v1:mode=none:tpm-error' "$what: said in the log"

# What was measured without a TPM is never said to match.
rule
what='lost, then altered'
fresh
must start --oneshot
dm_add 1 more 8 test/vectors/second.table
rule NV_Extend hang
must start --oneshot
rule
sed -i '3s/253:0/253:9/; 3s/dm-verity:v1:1:sha256:f/dm-verity:v1:1:sha256:e/' "$log"
run verify
says 3 'record 2 ' "$what: what came before the loss is still checked"

done_testing
