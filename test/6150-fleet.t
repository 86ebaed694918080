#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The example of veritally-policy(5) works as it stands there.
. test/lib.sh
. test/tools/evidence.sh

skip_without jq swtpm tpm2_startup veritysetup mkfs.erofs

# block N: the Nth example of the page's part about fleets, as a reader sees it
block() {
	sed -n '/^# A FLEET/,/^# EXAMPLE/p' src/man/veritally-policy.5.scd |
		awk -v n="$1" '/^```/ { k++; next } k == 2 * n - 1' | sed 's/\\\(.\)/\1/g'
}

# The programs that the example calls: the product on this machine, and ssh to it.
mkdir -p "$scratch/bin" "$scratch/fleet/keys" "$scratch/fleet/images" "$scratch/tree"
# shellcheck disable=SC2016 # for those scripts
{
	printf '#!/bin/sh\nexec "%s" --sysroot="%s" --tpm="$TPM" "$@"\n' "$VERITALLY" "$root" \
		> "$scratch/bin/veritally"
	printf '#!/bin/sh\nshift\nexec "$@"\n' > "$scratch/bin/ssh"
}
chmod +x "$scratch/bin/veritally" "$scratch/bin/ssh"

# example N: runs one
example() {
	{ echo set -eu; block "$1"; } > "$scratch/example"
	(cd "$scratch/fleet" && PATH=$scratch/bin:$PATH TPM=$tpm machine=one \
		sh "$scratch/example" > "$out" 2> "$err")
	status=$?
}

tpm_start
tpm_reset
new_boot
image=$scratch/fleet/images/tools
echo tools > "$scratch/tree/file"
mkfs.erofs "$image.raw" "$scratch/tree" > /dev/null 2>&1
veritysetup format "$image.raw" "$image.verity" > "$scratch/dump"
sed -n 's/^Root hash:[[:space:]]*//p' "$scratch/dump" | tr -d '\n' > "$image.roothash"
echo "0 $(($(stat -c %s "$image.raw") / 512)) verity 1 7:0 7:1 4096 4096" \
	"$(sed -n 's/^Data blocks:[^0-9]*//p' "$scratch/dump") 1 sha256" \
	"$(cat "$image.roothash") $(sed -n 's/^Salt:[^0-9a-f]*//p' "$scratch/dump")" \
	> "$scratch/tools.table"
dm_add 0 tools 7 "$scratch/tools.table"
must start --oneshot

example 1
exits 0 'enrolment'
like "$scratch/fleet/keys/one.pem" 'BEGIN PUBLIC KEY' 'keeps the key'
must attest --nonce=$nonce --output="$scratch/fleet/good.evidence"
example 2
exits 0 'a policy'
is "$(jq -c '[.required, (.pcrs | keys)]' "$scratch/fleet/policy.json")" \
	'[["tools.raw"],["0","2","4","7","9"]]' 'has images and boot chain'
example 3
exits 0 'a look at all machines'
[ ! -s "$out" ]
ok $? 'has nothing to say' || said
like "$scratch/fleet/one.verdict" '^check: trusted' 'as all are trusted'
tpm2_pcrextend "9:sha256=$(sha256 'another initramfs')"
example 3
like "$out" '^one: check: NOT TRUSTED' 'a machine that started something else is named'
working=$tpm
tpm=none
example 3
is "$(cat "$out")" 'one: no evidence' 'one that does not answer is, without an old verdict'
tpm=$working
{ block 2 | grep '^header()'; block 4; } > "$scratch/keylime"
(cd "$scratch/fleet" && sh "$scratch/keylime") > "$out"
is "$(jq -r '.["13"][0]' "$out")" "$(pcr_value $gate)" "the constant for keylime's policy"

done_testing
