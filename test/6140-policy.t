#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Policies are read strictly; 'policy from' writes them from images, and what the product
# itself says about a machine is checked against them.
# shellcheck disable=SC2016 # jq expands these
. test/lib.sh
. test/tools/evidence.sh

skip_without jq swtpm tpm2_startup veritysetup mkfs.erofs

new_boot

# --- strict

printf '\036{}\n' > "$evidence"
# is_policy DESCRIPTION: it is read, so that the evidence is what is wrong
is_policy() {
	run check --evidence="$evidence" --policy="$policy"
	says 3 '^evidence: ' "$1"
}

# is_none PATTERN TEXT
is_none() {
	printf %s "$2" > "$policy"
	run check --evidence="$evidence" --policy="$policy"
	says 2 "is no policy: .*$1" "no policy: $(printf %s "$2" | cut -c1-60)"
}

echo '{"veritally-policy": 1}' > "$policy"
is_policy 'the smallest policy'
echo '{"veritally-policy": 1, "images": {"w\u00f6rter": ["x"], "schön": ["y"]}}' > "$policy"
is_policy 'names beyond ASCII'
is_none 'not JSON' ''
is_none 'not JSON' '{"veritally-policy": 1'
is_none 'not JSON' '{"veritally-policy": 1} x'
is_none 'not JSON' '{"veritally-policy": 1, }'
is_none 'not an object' '[]'
is_none "'veritally-policy' is missing" '{}'
is_none "'veritally-policy' is not 1" '{"veritally-policy": 2}'
is_none "'veritally-policy' is not 1" '{"veritally-policy": "1"}'
is_none "'requires' is not known" '{"veritally-policy": 1, "requires": []}'
# wrong PATTERN MEMBER: a member that is not what it has to be
wrong() {
	is_none "$1" "{\"veritally-policy\": 1, $2}"
}
for key in words required sets signers options gate sources modes user; do
	wrong "'$key' is not an array" "\"$key\": {}"
	wrong "'$key' has something else" "\"$key\": [7]"
	wrong "'$key' has something else" "\"$key\": [null]"
done
for key in images pcrs events; do
	wrong "'$key' is not an object" "\"$key\": []"
done
wrong "'images' is not an array" '"images": {"a": "b"}'
wrong "'images' has something else" '"images": {"a": ["sha256:00"]}'
wrong "'images' has something else" '"images": {"a": [""]}'
wrong "'words' has something else" '"words": ["a\u0000b"]'
wrong "'sets' has something else" '"sets": ["dm-verity:v1:x"]'
wrong "'user' has something else" '"user": ["user"]'
wrong "'modes' has something else" '"modes": ["enforced"]'
wrong "'pcrs' has something else than PCRs" "\"pcrs\": {\"24\": [\"$zero\"]}"
wrong "'pcrs' has something else than PCRs" "\"pcrs\": {\"x\": [\"$zero\"]}"
wrong "'pcrs' has something else than digests" '"pcrs": {"7": ["00"]}'
wrong "'events' has something else than digests" "\"events\": {\"7\": [\"x${zero#0}\"]}"
wrong "'gate' has something else" '"gate": [""]'
for pcr in 7 10 11 16 23 24 -1 '"13"' 13.0; do
	wrong "'gate_pcr' is no PCR" "\"gate_pcr\": $pcr"
done
wrong "'guard' is not true or false" '"guard": 1'
for key in removed lost degraded; do
	wrong "'$key' is neither" "\"$key\": \"yes\""
	wrong "'$key' is neither" "\"$key\": true"
done
wrong "'required' has something that is not allowed" '"required": ["tools.raw"]'
wrong "'required' has something that is not allowed" \
	'"words": ["a"], "required": ["b"]'
for pem in nonsense '-----BEGIN CERTIFICATE-----' \
	'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' \
	'-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----'; do
	wrong "'signers' has something else" "\"signers\": [\"$pem\"]"
done
head -c 70000000 /dev/zero > "$policy"
run check --evidence="$evidence" --policy="$policy"
says 1 'too large' 'a policy that is too large'
rm "$policy"

# --- from images

mkdir "$scratch/tree"
images=$scratch/images
mkdir "$images"
for name in one two; do
	echo $name > "$scratch/tree/file"
	mkfs.erofs "$images/$name.raw" "$scratch/tree" > /dev/null 2>&1
	veritysetup format "$images/$name.raw" "$images/$name.verity" |
		sed -n 's/^Root hash:[[:space:]]*//p' | tr -d '\n' > "$images/$name.roothash"
done
run policy from "$images/one.raw" "$images/two.raw"
exits 0 'policy from two images'
is "$(jq -c '[keys, (.images | keys)]' "$out")" \
	'[["images","veritally-policy"],["one.raw","two.raw"]]' 'has both of them and no more'
cp "$out" "$scratch/from"
run predict --json "$images/one.raw" "$images/two.raw"
is "$(jq -c '[.images[][]]' "$scratch/from")" "$(jq -c '[.[].word]' "$out")" \
	'with the words that predict says'
cp "$scratch/from" "$policy"
is_policy 'it is one'
run policy --required from "$images/one.raw"
is "$(jq -c .required "$out")" '["one.raw"]' 'required images'
run policy from --options=panic_on_corruption "$images/one.raw"
is "$(jq -r '.images["one.raw"][0]' "$out" | cut -d: -f10)" panic_on_corruption 'with options'
run policy from "$images/one.raw" "$images/none.raw"
exits 1 'an image that is not there: no policy'
[ ! -s "$out" ]
ok $? 'and nothing that could be taken for one' || said
for arguments in '' from 'to x' '--options=/ from x'; do
	# shellcheck disable=SC2086 # words
	run policy $arguments
	exits 2 "wrong command line: policy $arguments"
done

# --- the product's own evidence

# table NAME: the table that an image of that name is activated with
table() {
	veritysetup dump "$images/$1.verity" > "$scratch/dump"
	echo "0 $(stat -c %s "$images/$1.raw" | awk '{ print $1 / 512 }') verity 1 7:0 7:1 4096 4096" \
		"$(sed -n 's/^Data blocks:[^0-9]*//p' "$scratch/dump") 1 sha256" \
		"$(cat "$images/$1.roothash")" \
		"$(sed -n 's/^Salt:[^0-9a-f]*//p' "$scratch/dump")" > "$scratch/$1.table"
}

tpm_start
tpm_reset
new_boot
table one
table two
dm_add 0 one 7 "$scratch/one.table"
dm_add 1 two 8 "$scratch/two.table"
must start --oneshot
must sync
must ak create
run ak show
sed -n '/^-----BEGIN/,/^-----END/p' "$out" > "$ak"
run attest --nonce=$nonce --output="$evidence"
exits 0 'the product makes evidence'
jq '. + {pcrs: {}, required: ["one.raw", "two.raw"]}' "$scratch/from" > "$policy"
trusted 'which is trusted with the policy of these images'
check --nonce=ff$nonce
says 3 '^nonce: ' 'for this nonce'
tpm_reset
new_boot
printf '\001' | dd of="$images/two.raw" bs=1 seek=2000 conv=notrunc 2> /dev/null
veritysetup format "$images/two.raw" "$images/two.verity" |
	sed -n 's/^Root hash:[[:space:]]*//p' | tr -d '\n' > "$images/two.roothash"
table two
dm_add 0 one 7 "$scratch/one.table"
dm_add 1 two 8 "$scratch/two.table"
must start --oneshot
run attest --nonce=$nonce --output="$evidence"
refused image 'record 3: .*which claims to be two' 'an image with another octet is refused, and named'
refused required 'two.raw' 'and the one that should be there is missed'

done_testing
