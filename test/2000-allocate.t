#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Allocation in every state that a TPM can be found in, and what it costs.
. test/lib.sh
. test/tools/attack.sh

skip_without jq swtpm tpm2_startup sha256sum xxd

ours=0e060048			# attributes as defined: orderly, not written yet
written=2e060048

# A boot from nothing; $1 says more about it.
boot() {
	new_boot
	forget_commands
	run start --oneshot
	exits 0 "$1: start"
}

# all_agrees WHAT: everything that can be recomputed has the value it must have
all_agrees() {
	is "$(expect check "$log")" '' "$1: the log is well-formed"
	is "$(nv_value)" "$(expect fold "$log" nv_index $index)" "$1: index equals the log"
	for bank in sha1 sha256 sha384 sha512; do
		is "$(pcr_value $gate $bank)" \
			"$(expect fold "$log" pcr $gate "${gate_before:-}" $bank)" \
			"$1: gate PCR equals the log, bank $bank"
	done
	run verify
	says 0 '^verify: ok' "$1: verify"
}

tpm_start
proxy_start

# --- nothing there: the first boot of a machine

boot 'first boot'
at_most "$(n_commands)" 11 'first boot: TPM commands'
is "$(n_commands NV_DefineSpace)" 1 'first boot: one of them defines'
is "$(words | wc -l)" 2 'first boot: two records'
is "$(words | head -n 1)" $genesis 'the first is the genesis'
is "$(records '.[0].nv_index')" $((index)) 'of our index'
is "$(records '.[0].content.nvIndexName')" verity 'by its name'
name=$(expect name $index $written $gate $zero)
is "$(words | tail -n 1)" "nvpcr-anchor:v1:1:$index:$name:$(expect genesis)" \
	'the second is the anchor, which names the index'
is "$(records '.[1].pcr')" $gate 'and goes to the gate PCR'
is "$(records '.[1].digests | map(.hashAlg) | join(" ")')" 'sha1 sha256 sha384 sha512' \
	'in every bank'
is "$(records '.[].content.bootId' | uniq)" \
	"$(tr -d - < "$root/proc/sys/kernel/random/boot_id")" 'records name the boot'
is "$(nv_name)" "$name" 'the TPM says the same Name'
is "$(nv_value)" "$(expect genesis)" 'and the value after the genesis'
tpm2_nvreadpublic $index > "$out"
like "$out" "value: *0x2E060048" 'attributes are as documented'
is "$(sed -n 's/^ *authorization policy: *//p' "$out" | tr A-F a-f)" \
	"$(expect policy $gate $zero)" 'and so is the policy'
all_agrees 'first boot'

# --- the same boot again

forget_commands
cp "$log" "$scratch/before"
run start --oneshot
says 0 'going on with the log' 'a second start in one boot goes on'
cmp -s "$log" "$scratch/before"
ok $? 'and adds nothing'
is "$(n_commands 'NV_Extend\|PCR_Extend\|NV_DefineSpace')" 0 'and changes nothing in the TPM'
all_agrees 'second start'

# --- every further boot: never a definition, whatever power cycle it was

for cycle in reset restart; do
	tpm_$cycle || die "no $cycle"
	boot "after TPM $cycle"
	at_most "$(n_commands)" 8 "after TPM $cycle: TPM commands"
	is "$(n_commands 'NV_DefineSpace\|NV_UndefineSpace')" 0 \
		"after TPM $cycle: nothing is defined"
	is "$(nv_name)" "$name" "after TPM $cycle: the Name is a constant"
	all_agrees "after TPM $cycle"
done

# Suspend to RAM is no boot: index, log and gate go on.
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
tpm_resume
all_agrees 'after TPM resume'
dm_add 1 more 8 test/vectors/second.table
forget_commands
run sync
exits 0 'after TPM resume: sync'
all_agrees 'after TPM resume and a measurement'

# --- each measured word costs four commands

tpm_reset
new_boot
forget_commands
must start --oneshot
base=$(n_commands)
for n in 1 2 5; do
	tpm_reset
	new_boot
	forget_commands
	i=0
	while [ $i -lt $n ]; do
		dm_add $i "tools$i" $((i + 1)) test/vectors/tools.table
		i=$((i + 1))
	done
	must start --oneshot
	is "$(n_commands)" $((base + 4 * n)) "$n measured words: four commands each"
done
all_agrees 'five words'

# --- the gate has another value than when the index was defined

tpm_reset
new_boot
firmware_event 'a shim'
gate_before=$(pcr_value $gate)
isnt "$gate_before" $zero 'the firmware extended the gate PCR'
forget_commands
must start --oneshot
is "$(n_commands NV_UndefineSpace) $(n_commands NV_DefineSpace)" '1 1' \
	'another gate value: the stale index is replaced'
name=$(expect name $index $written $gate "$gate_before")
is "$(nv_name)" "$name" 'by one with the right policy'
is "$(records '.[1].content.annotations["gate-sha256"]')" "$gate_before" \
	'the anchor says what the gate was'
is "$(pcr_value $gate)" "$(expect fold "$log" pcr $gate "$gate_before")" \
	'the gate goes on from there'
run verify
says 0 'verify: ok' 'and it verifies'
rm -r "$root/sys/kernel/security"
run verify
says 1 'does not explain the value before the anchor' 'unless nobody explains the gate'
tpm_reset
new_boot
firmware_event 'a shim'
forget_commands
must start --oneshot
is "$(n_commands 'NV_DefineSpace\|NV_UndefineSpace')" 0 'the same gate value again: nothing is defined'

# systemd closes the firmware's part with a separator, which no firmware log has.
tpm_reset
new_boot
printf os-separator > "$scratch/event"
tpm2_pcrevent $gate "$scratch/event" > /dev/null
must start --oneshot
run verify
says 0 'verify: ok' 'a gate PCR with a separator in it verifies'

gate_before=

# --- written before us in this boot, gate still open

tpm_reset
tpm2_nvundefine $index -C o
expect policy $gate $zero | xxd -r -p > "$scratch/policy"
define_as "$attributes" "$scratch/policy"
is "$(nv_name)" "$(expect name $index $ours $gate $zero)" 'an index like ours, by hand'
make_policies
first_write "$(sha256 evil)"
is $? 0 'somebody writes it while the gate is open'
boot 'written, gate open'
is "$(n_commands NV_UndefineSpace) $(n_commands NV_DefineSpace)" '1 1' \
	'written, gate open: it is defined anew'
all_agrees 'written, gate open'

# --- the log is lost in the middle of a boot: nothing may be destroyed

before=$(nv_value)
new_boot
forget_commands
run start --oneshot
says 0 'index-written' 'a written index behind a closed gate is left alone'
is "$(n_commands 'NV_UndefineSpace\|NV_DefineSpace')" 0 'nothing is defined anew'
is "$(nv_value)" "$before" 'and its value is untouched'
run verify
says 1 'this may be a second log of this boot' 'verify does not take it for the first log'

# --- a start that was killed before the anchor begins again

tpm_reset
new_boot
rule PCR_Extend hang
forget_commands
mkdir -p "$root/etc"
echo timeout=60 > "$root/etc/veritally.conf"
"$VERITALLY" --sysroot="$root" --tpm="$tpm" start --oneshot > "$out" 2>&1 &
victim=$!
await 10 grep -q 'PCR_Extend hang' "$commands" || die 'no anchor'
kill -KILL $victim
await 10 is_gone $victim
rm "$root/etc/veritally.conf"
rule
is "$(n_words nvpcr-anchor)" 1 'killed in the anchor: it is in the log'
is "$(pcr_value $gate)" $zero 'and not in the TPM'
must start --oneshot
is "$(n_words nvpcr-anchor)" 1 'the next start makes no second anchor'
all_agrees 'it completes the anchor'

# --- a definition that takes our handle

tpm_reset || die 'no reset'
new_boot
mkdir -p "$root/etc/veritally/nvpcr.d"
printf '{"name":"other","nvIndex":%d}\n' $((index)) \
	> "$root/etc/veritally/nvpcr.d/other.nvpcr"
run start --oneshot
exits 0 'our handle defined by another: start'
is "$(n_words "^nvpcr-anchor:v1:1:$index:")" 1 'our handle defined by another: anchored once'
all_agrees 'our handle defined by another'
rm -r "$root/etc/veritally"

# --- two writers

must start
first=$(writer)
run start --oneshot
says 1 "process $first is measuring already" 'a second writer is told who is the first'
run start
says 1 "process $first is measuring already" 'also if it would become a daemon'
run watch
says 1 "process $first is measuring already" 'and so is the real root'\''s'
kill_writer
all_agrees 'after the daemon'

done_testing
