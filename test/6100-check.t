#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# check says that evidence can be trusted if it can, and why not if not; the evidence is
# made by other means than the product.
# shellcheck disable=SC2016 # jq expands these
. test/lib.sh
. test/tools/attack.sh
. test/tools/evidence.sh

skip_without jq swtpm tpm2_startup openssl xxd

tpm_start
tpm_reset
new_boot
dm_add 0 tools 7 test/vectors/tools.table
dm_add 1 second 8 test/vectors/second.table
must start --oneshot
must sync
make_ak
make_policy
must_make_evidence
cp "$evidence" "$scratch/good"

# --- good evidence

trusted 'good evidence'
[ ! -s "$err" ] && is "$(wc -l < "$out")" 1 'nothing else to say about it'
is "$(check --json; jq -c '[.verdict, .records, .activations, .findings]' "$out")" \
	'["trusted",5,2,[]]' 'in JSON too'
is "$(jq -r .boot_id "$out")" "$(records '.[0].content.bootId')" 'and of which boot it is'
rm -rf "${root:?}/run"
trusted 'neither log nor TPM of the machine are needed'
cp -r "$scratch/good" "$evidence"
test/tools/evidence-edit.py "$scratch/good" get quote > /dev/null
tail -n +2 "$scratch/good" > "$scratch/log"
mkdir -p "$(dirname "$log")"
cp "$scratch/log" "$log"

make_ak rsa
must_make_evidence type=rsa
trusted 'an RSA key'
make_ak
must_make_evidence auth=index
trusted 'read by the authorization of the index'
must_make_evidence pcrs=13
trusted 'a quote of the gate PCR alone'
test/tools/evidence.py ak "$port" ecc | openssl pkey -pubin -outform DER > "$scratch/der" &&
	{ openssl pkey -pubin -inform DER -in "$scratch/der" | tr -d '\n'; printf '\r\n'; } > "$ak"
trusted 'another form of the same PEM'
edit_evidence get ak.public | tr -d '"' | base64 -d > "$ak"
trusted 'the key as TPM2B_PUBLIC'
make_ak
cp "$scratch/good" "$evidence"

# What the TPM signed is what other tools see in it.
for member in quote nvpcrs.0.certify audit; do
	edit_evidence get $member.attest | tr -d '"' | base64 -d > "$scratch/attest"
	edit_evidence get $member.signature | tr -d '"' | base64 -d > "$scratch/signature"
	tail -c +7 "$scratch/signature" | head -c 32 > "$scratch/r"
	{ printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\n' \
		"$(xxd -p -c 64 < "$scratch/r")"
	printf 's=INTEGER:0x%s\n' "$(tail -c 32 "$scratch/signature" | xxd -p -c 64)"; } \
		> "$scratch/asn1"
	openssl asn1parse -genconf "$scratch/asn1" -out "$scratch/der" -noout
	openssl dgst -sha256 -verify "$ak" -signature "$scratch/der" "$scratch/attest" \
		> /dev/null 2>&1
	ok $? "openssl verifies the signature of $member"
done

# --- what the verifier has to say

run check --evidence="$evidence" --policy="$policy" --nonce=$nonce
says 1 '^ak: .*without --ak' 'without the key: cannot tell'
run check --evidence="$evidence" --policy="$policy" --ak="$ak"
says 1 '^nonce: .*without --nonce' 'without the nonce: cannot tell'
check --ak="$policy"
says 1 '^ak: .*that is neither' 'a file that holds no key: cannot tell'
edit_policy 'del(.pcrs)'
check
says 1 '^boot-chain: .*any initramfs' 'without a word about the boot chain: cannot tell'
make_policy '.images = {}'
check
is "$status $(grep -c '^image: ' "$out")" '3 2' 'all that is wrong is reported, not only the first'
make_policy
for wrong in "--evidence=$scratch/none" "--policy=$scratch/none" "--ak=$scratch/none"; do
	check "$wrong"
	exits 1 "$(echo "$wrong" | sed 's/=.*//') that is not there"
done
check --evidence="$scratch"
says 1 'not a regular file' 'a folder'
for wrong in --nonce=00 --nonce=xx "--nonce=${nonce}0" --nonce=$zero$zero more; do
	check "$wrong"
	exits 2 "wrong command line: $wrong"
done
run check --evidence="$evidence"
exits 2 'no policy'
: > "$scratch/empty"
for file in /dev/null "$scratch/empty" "$log" "$policy" "$VERITALLY"; do
	[ "$file" != /dev/null ] || continue
	check --evidence="$file"
	says 3 '^evidence: ' "not evidence: $(basename "$file")"
done

# --- nonce, key, key's attributes

check --nonce=ffffffffffffffff
says 3 '^nonce: expected ffffffffffffffff; found 0011' 'an old answer'
make_ak rsa
refused ak 'another machine' 'the key of another machine'
make_ak
must_make_evidence key=loose
edit_evidence get ak.public | tr -d '"' | base64 -d > "$ak"
refused ak-attributes 'signs whatever it is given' 'a key that is not restricted'
make_ak
cp "$scratch/good" "$evidence"

# --- images

edit_policy 'del(.images["second.raw"])'
refused image 'record 3: dm-verity:v1:1:sha256:16367a.*claims to be second' \
	'an image that is not allowed, and which one it claims to be'
long=$(printf '%600s' '' | sed 's, ,ä,g')
for claim in "$long" "x$long"; do
	sed "s/\"dmName\":\"second\"/\"dmName\":\"$claim\"/" "$scratch/good" > "$evidence"
	check --json
	like "$out" 'claims to be x?ää' 'a claim that is too long'
	iconv -f UTF-8 -t UTF-8 "$out" > /dev/null
	ok $? 'is cut between two characters'
done
cp "$scratch/good" "$evidence"
digest=$(sha256 "$(cat test/vectors/second.words)")
edit_policy --arg d "sha256:$digest" '.images.other = [$d]'
trusted 'an image by its digest'
make_policy '.words = [.images[][]] | del(.images)'
trusted 'words without a name'
make_policy '.required = ["tools.raw", .images["second.raw"][0]]'
trusted 'required images are there'
make_policy '.images["third.raw"] = ["dm-verity:v1:third"] | .required = ["third.raw"]'
refused required 'third.raw; found it is not live' 'a required image is not'
cp "$log" "$scratch/log"

# --- sets

set=$(records '.[4].content.string')
make_policy --arg s "$set" '.sets = ["set:v1:host-ready:1:00", $s]'
trusted 'a set, one of two for this phase'
make_policy '.sets = ["set:v1:host-ready:1:00"]'
refused set 'record 4: set:v1:host-ready' 'another set than the wanted one'
make_policy --arg s "$set" '.sets = [$s, "set:v1:leave-initrd:1:00"]'
refused set 'found no such record' 'a phase without its set'
make_policy

# --- removals, users' words, sources

new_boot
tpm_reset
dm_add 0 tools 7 test/vectors/tools.table
begin_watch
must extend verity --word=hello
kill_writer
dm_remove 0
must sync
must_make_evidence
refused word 'record .*user:v1:command:0:-:text:hello' "a user's word that nobody allowed"
edit_policy '.user = ["user:v1:varlink:"]'
refused word 'user:v1:command' 'nor is another beginning'
edit_policy '.user = ["user:v1:command:0:"]'
trusted 'one that is allowed by its beginning'
edit_policy '.removed = "refuse"'
refused removed 'record .*removed:v1:dm-verity' 'a removal, where none may be'
edit_policy '.removed = "allow" | .required = ["tools.raw"]'
refused required 'tools.raw' 'a required image that is gone again'
edit_policy 'del(.required)'
edit_policy '.sources = ["lsm", "fmod_ret"]'
refused source 'hook:v1:uevent' 'a source that is not wanted'
edit_policy '.sources = ["uevent", "none"]'
trusted 'sources that are'
edit_policy '.sources = ["none"]'
refused source '1 activations without' 'an activation before a source that is wanted'
edit_policy 'del(.sources) | .modes = ["enforce", "signed"]'
refused source 'hook:v1:uevent:-, which|hook:v1:uevent:-:' 'a mode that is not wanted'
make_policy '.user = ["user:v1:"]'

# The words of a kernel hook, as it would have them measured.
tpm_reset
new_boot
make_policies
must start --oneshot
must sync
tag=b27c2f83b740c5b0
hooked() {
	measured "$1"
	must_make_evidence
}
hooked hook:v1:lsm:$tag:enforce
make_policy '.sources = ["lsm"] | .modes = ["enforce"]'
trusted 'a hook of the wanted source and mode'
edit_policy '.guard = true'
refused source "hook:v1:lsm:$tag:enforce" 'but one that does not guard itself'
hooked hook:v1:lsm:$tag:enforce,guard
edit_policy 'del(.sources, .modes)'
refused source "hook:v1:lsm:$tag:enforce" 'every one counts, not only the last'
make_policy '.modes = ["enforce", "signed"]'
hooked hook:v1:fmod_ret:$tag:signed,guard
trusted 'modes alone'
hooked hook:v1:fmod_ret:$tag:guard
refused source "hook:v1:fmod_ret:$tag:guard" 'a guard is no mode'
make_policy '.modes = ["measure", "enforce", "signed"] | .sources = ["lsm", "fmod_ret"]'
trusted 'modes and sources'
hooked hook:v1:lost-lsm:-
refused source 'none at the end of the log' 'a hook that is gone'
hooked hook:v1:lost-lsm:$tag:enforce,guard
make_policy '.modes = ["enforce"] | .guard = true'
refused source 'none at the end of the log' 'one that was lost is in no mode and guards nothing'
edit_policy '.sources = ["lsm", "fmod_ret", "lost-lsm"]'
check
unlike "$out" 'hook:v1:lost-lsm:b27c' 'unless it is named'
make_policy
hooked lost:v1:3
refused lost 'record .*lost:v1:3' 'something was lost'
edit_policy '.lost = "allow"'
trusted 'which a policy may take'
hooked checkpoint:v9:x
refused word 'checkpoint:v9:x' 'a word that the policy does not know'
edit_policy '.words = ["checkpoint:v9:x"]'
trusted 'unless it names it'
hooked "removed:v1:$(cat test/vectors/tools.words)"
refused removed 'what was not there' 'a removal of what was never there'

# Words in a PCR that others extend too.
tpm_reset
new_boot
must start --oneshot
make_policy '.user = ["user:v1:"]'
must extend pcr:14 --word=hello
must_make_evidence
trusted "a user's word in a PCR that is quoted"
tpm2_pcrextend "14:sha256=$(sha256 other)"
must_make_evidence
refused value 'in PCR 14' 'which somebody else extended afterwards'
must extend pcr:14 --word=again
must_make_evidence
trusted 'and which the log goes on from'
must extend pcr:15 --word=hello
must_make_evidence
refused covered 'which extends PCR 0xf' 'a word in a PCR that is not quoted'
must_make_evidence pcrs=13,14,15
trusted 'the same, quoted'
make_policy

# The log for other readers.
must log --cel
cp "$out" "$scratch/cel"
is "$(jq length "$scratch/cel")" "$(records length)" 'a Canonical Event Log: all records'
is "$(jq -c '[.[] | keys_unsorted - ["pcr", "nv_index"]] | unique' "$scratch/cel")" \
	'[["recnum","digests","content_type","content"]]' 'their members'
is "$(jq -c '[.[].content | keys_unsorted - ["nvIndexName"]] | unique' "$scratch/cel")" \
	'[["string","bootId","timestamp","eventType"]]' 'and those of their content'
is "$(jq -c '[.[].content.string]' "$scratch/cel")" "$(records '[.[].content.string] | tojson')" \
	'are those of the log'
run log --cel --json more
exits 2 'log: wrong command line'

# --- the TPM is not what it should be: the ladder

new_boot
tpm_reset
tpm2_nvundefine $index -C o > /dev/null
tpm2_changeauth -c owner secret
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
must_make_evidence
refused degraded 'because of owner-auth' 'a boot without an index is refused'
edit_policy '.degraded = "allow"'
trusted 'and taken where the policy says so: the gate PCR vouches for the log'
test/tools/edit-log.py "$log" drop 1
test/tools/edit-log.py "$log" renumber
edit_evidence log "$log"
refused value 'in PCR 13' 'which is what makes it so'
tpm2_changeauth -c owner -p secret
new_boot
tpm_reset
tpm=none
must start --oneshot
tpm=$TPM2TOOLS_TCTI
must_make_evidence
refused degraded 'without a TPM' 'a boot without a TPM is refused, whatever the policy says'
make_policy

# --- suspend and resume

new_boot
tpm_reset
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
tpm_resume
must_make_evidence
trusted 'after suspend to RAM'

done_testing
