#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Definitions of NvPCRs: which count, what becomes of them, and cleaning up.
. test/lib.sh

skip_without jq swtpm tpm2_startup tpm2_nvdefine sha256sum xxd

lib=usr/lib/veritally/nvpcr.d

# def NAME HANDLE [MEMBERS]: a definition file
def() {
	mkdir -p "$root/$lib"
	printf '{"name":"%s","nvIndex":%d%s}\n' "$1" "$2" "${3:+,$3}" > "$root/$lib/$1.nvpcr"
}

# row NAME MEMBER: what `nvpcr list` says
row() {
	jq -r --arg name "$1" --arg member "$2" \
		'.[] | select(.name == $name) | if has($member) then .[$member] else "none" end' \
		"$out"
}

# rungs RUNG: how many NvPCRs are on it
rungs() {
	jq -r --arg rung "$1" '[.[] | select(.rung == $rung)] | length' "$out"
}

# folds WHAT: every index holds what the log folds to, by our own account
folds() {
	for handle in $(records '[.[] | select(.content.eventType == "nvpcr-genesis") |
		.nv_index] | .[]'); do
		alg=$(records "[.[] | select(.nv_index == $handle)][0].digests[0].hashAlg")
		[ "$(tpm2_nvread "$handle" -C o 2> /dev/null | xxd -p -c 256)" = \
			"$(expect fold "$log" nv_index "$handle" '' "$alg")" ] ||
			echo "index $handle differs"
	done > "$scratch/folds"
	is "$(cat "$scratch/folds")" '' "$1: every index equals the log"
	run verify
	says 0 '^verify: ok' "$1: verify"
}

# --- definitions alone

new_boot
run nvpcr list --json
exits 0 'without files: list'
is "$(row verity file)" 'built in' 'activations have a definition all the same'
is "$(row verity rung)" none 'and no rung before anything was measured'
def apps $((0x01805700)) '"priority":10'
def long $((0x01805701)) '"algorithm":"sha384","orderly":false'
run nvpcr check
exits 0 'good files: check'
run nvpcr list --json
is "$(jq -r 'map(.name) | join(" ")' "$out")" 'apps verity long' \
	'they are listed in the order of their allocation'
is "$(row long algorithm) $(row long orderly)" 'sha384 false' 'with what they ask for'
is "$(row apps file)" "/$lib/apps.nvpcr" 'and their file'
run nvpcr show apps
says 0 'handle +0x01805700' 'show'
run nvpcr show nothing
says 1 "no NvPCR 'nothing'" 'show what is not there'
run nvpcr
exits 2 'an action is needed'
run nvpcr destroy
exits 2 'and a known one'

# Each of these is refused, and the reason said.
def zz $((0x01805700))
run nvpcr check
says 3 "zz.nvpcr: 'nvIndex' is used by another definition" 'a clash of handles'
run nvpcr list --json
is "$(row zz name)" '' 'the file that sorts last loses'
mkdir -p "$scratch/defs"
mv "$root/$lib/zz.nvpcr" "$scratch/defs"
run nvpcr check "$scratch/defs/zz.nvpcr"
says 3 'used by another definition' 'the same before it is installed'
for clash in $((0x01d10202)):systemd $((0x01d1020f)):systemd $((0x01d10225)):Linux \
	$((0x01000001)):TPM $((0x01500432)):another $((0x01c00002)):certificates; do
	def zz "${clash%:*}"
	mv "$root/$lib/zz.nvpcr" "$scratch/defs"
	run nvpcr check "$scratch/defs/zz.nvpcr"
	says 3 "zz.nvpcr: 'nvIndex' .*${clash#*:}" "handle ${clash%:*} is refused"
done
def zz $((0x01805703))
mv "$root/$lib/zz.nvpcr" "$scratch/defs"
cp "$scratch/defs/zz.nvpcr" "$scratch/defs/other.nvpcr"
run nvpcr check "$scratch/defs/zz.nvpcr"
exits 0 'a good one'
run nvpcr check "$scratch/defs/zz.nvpcr" "$scratch/defs/other.nvpcr"
says 3 "other.nvpcr: 'name' is not the name" 'two of which one is bad'
run nvpcr check "$scratch/defs/missing.nvpcr"
exits 1 'a file that is not there'
echo '{"name":"zz","nvIndex":0x01805703}' > "$scratch/defs/zz.nvpcr"
run nvpcr check "$scratch/defs/zz.nvpcr"
says 3 'zz.nvpcr: is not a JSON object, where numbers are decimal' 'a number that is not JSON'
echo '{"name":"zz","nvIndex":"0x01805703"}' > "$scratch/defs/zz.nvpcr"
run nvpcr check "$scratch/defs/zz.nvpcr"
says 3 "'nvIndex' is not a decimal number" 'nor as a text'

# --- a boot with them

tpm_start
must start --oneshot
run nvpcr list --json
is "$(row apps rung) $(row verity rung) $(row long rung)" 'nv-orderly nv-orderly nv' \
	'all three got an index'
is "$(row long reason)" none 'as defined'
tpm2_nvreadpublic $((0x01805701)) > "$scratch/public"
like "$scratch/public" 'value: 0xC' 'the index for sha384 is of sha384'
is "$(n_words '^nvpcr-anchor:v1:3:')" 1 'the anchor names three'
folds 'three definitions'

def late $((0x01805702))
run nvpcr list
says 0 'late .*waits for the next boot' 'a definition after the anchor waits'
must start --oneshot
run nvpcr list --json
is "$(row late rung)" none 'a second start does not change that'
rm "$root/$lib/long.nvpcr"
run nvpcr list --json
is "$(row long rung) $(row long file)" 'nv none' 'one without its file is still shown'
folds 'definitions changed meanwhile'

# --- cleaning up

run undefine
exits 2 'undefine: what?'
run undefine apps
says 1 'in use in this boot' 'an index in use is kept'
tpm2_nvdefine $((0x01805702)) -C o -s 8 -a 'ownerread|ownerwrite' > /dev/null
run undefine late
says 1 'not ours: it looks like ordinary data, in the range of a program' \
	'an index of somebody else is kept'
run undefine --force late
exits 1 'even by force'
tpm_reset
run undefine nothing
says 1 "no NvPCR 'nothing' is defined" 'a name that nobody knows'
run undefine long
says 0 'is deleted' 'one that only the log knows'
run undefine apps
says 0 'is deleted' 'after a reset an index is not in use'
run undefine apps
says 0 'there is no index' 'to delete it again is no error'
tpm2_nvdefine $((0x01805709)) -C o -g sha256 -s 32 -a \
	'nt=extend|authwrite|ownerread|authread|no_da|orderly|clear_stclear' > /dev/null
run undefine --all
exits 0 'all'
is "$(tpm2_getcap handles-nv-index | grep -c 0x18057)" 2 'what is not ours is left'
is "$(tpm2_getcap handles-nv-index | grep -c '0x1805645\|0x1805701')" 0 'what is ours is gone'
new_boot
must start --oneshot
run undefine --all --force
says 0 'is deleted' 'by force even what is in use'
run verify
says 3 'the TPM has no such index' 'and verify sees that'

# --- 30 definitions, and room for 11

tpm_reset
tpm2_nvundefine $((0x01805702)) -C o
tpm2_nvundefine $((0x01805709)) -C o
rm -r "${root:?}/usr"
new_boot
i=0
while [ $i -lt 29 ]; do
	def "n$i" $((0x01805700 + i)) "\"priority\":$((2000 - i))"
	i=$((i + 1))
done
must start --oneshot
run nvpcr list --json
is "$(jq length "$out")" 30 '30 definitions'
is "$(rungs nv-orderly)" 11 '11 have room in RAM'
is "$(rungs nv)" 19 'the others are indices all the same'
is "$(row verity rung) $(row n28 rung) $(row n18 rung)" 'nv-orderly nv-orderly nv' \
	'those of the best priority got the room'
folds '30 definitions'
run undefine --all
exits 1 'all of them are in use'
tpm_reset
run undefine --all
exits 0 'after a reset'
is "$(tpm2_getcap handles-nv-index | wc -l)" 0 'nothing leaks'

# Room for 11 and no more: the rest goes into the gate PCR.
proxy_start
new_boot
rule NV_DefineSpace rc:14b 11
must start --oneshot
rule
run nvpcr list --json
is "$(rungs nv-orderly) $(rungs pcr)" '11 19' 'a full TPM: 19 NvPCRs share the gate PCR'
is "$(row n0 reason)" nv-space 'each says why'
is "$(n_words '^degraded:v1:pcr:nv-space:')" 19 'and so does the log'
folds 'a full TPM'
must start --oneshot
run nvpcr list --json
is "$(rungs nv-orderly) $(rungs pcr)" '11 19' 'the next writer knows them'

# None has room.
tpm_reset
tpm2_getcap handles-nv-index | sed 's/^- //' | while read -r handle; do
	tpm2_nvundefine "$handle" -C o
done
new_boot
rule NV_DefineSpace rc:14b
must start --oneshot
rule
run nvpcr list --json
is "$(rungs pcr)" 30 'no room at all: all share the gate PCR'
folds 'no room at all'
tpm=none
new_boot
must start --oneshot
must start --oneshot
run nvpcr list --json
is "$(rungs log)" 30 'no TPM: all are in the log only'

done_testing
