#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Images that a signer of the policy signed are trusted; signatures and certificates are
# made by openssl, as for the kernel.
# shellcheck disable=SC2016 # jq expands these
. test/lib.sh
. test/tools/attack.sh
. test/tools/evidence.sh

skip_without jq swtpm tpm2_startup openssl xxd

# signer NAME ALGORITHM...: a key and a certificate
signer() {
	signer_name=$1
	shift
	openssl req -x509 -newkey "$@" -nodes -keyout "$scratch/$signer_name.key" \
		-out "$scratch/$signer_name.crt" -subj "/CN=$signer_name" -days 2 2> /dev/null ||
		die "no signer $signer_name"
}

# sign NAME TEXT [OPTION...]: a PKCS #7 signature of a text, in $scratch/p7s
sign() {
	printf %s "$2" > "$scratch/text"
	sign_name=$1
	shift 2
	openssl smime -sign -binary -noattr -nocerts "$@" -outform der -in "$scratch/text" \
		-inkey "$scratch/$sign_name.key" -signer "$scratch/$sign_name.crt" \
		> "$scratch/p7s" || die 'no signature'
}

# with_signature: the activation brings what is in $scratch/p7s
with_signature() {
	cp "$log" "$scratch/unsigned"
	test/tools/edit-log.py "$log" annotate 2 signature "$(base64 -w0 < "$scratch/p7s")"
	edit_evidence log "$log"
	cp "$scratch/unsigned" "$log"
}

# policy_of NAME...: these signers count
policy_of() {
	make_policy '.images = {}'
	for name; do
		edit_policy --rawfile crt "$scratch/$name.crt" '.signers += [$crt]'
	done
}

tpm_start
make_ak
new_boot
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
must_make_evidence
root_hash=$(cut -d: -f5 test/vectors/tools.words)

signer rsa2048 rsa:2048
signer rsa4096 rsa:4096
signer p256 ec -pkeyopt ec_paramgen_curve:P-256
signer p384 ec -pkeyopt ec_paramgen_curve:P-384

policy_of rsa2048
refused image 'signers signed' 'no signature'
for name in rsa2048 rsa4096 p256 p384; do
	for digest in sha256 sha384 sha512; do
		sign "$name" "$root_hash" -md $digest
		with_signature
		policy_of p384 "$name"
		trusted "signed by $name with $digest"
	done
done
policy_of rsa2048 rsa4096 p256
refused image 'record 2' 'signed by somebody else'
policy_of rsa4096
sign rsa4096 "$root_hash"
cp "$scratch/p7s" "$scratch/good"
openssl smime -sign -binary -noattr -outform der -in "$scratch/text" -md sha256 \
	-inkey "$scratch/rsa4096.key" -signer "$scratch/rsa4096.crt" > "$scratch/p7s"
with_signature
trusted 'a signature that brings its certificate'
openssl smime -sign -binary -noattr -nocerts -outform der -in "$scratch/text" -md sha256 \
	-inkey "$scratch/p256.key" -signer "$scratch/p256.crt" \
	-inkey "$scratch/rsa4096.key" -signer "$scratch/rsa4096.crt" > "$scratch/p7s"
with_signature
trusted 'two signatures, one of which counts'

# --- what does not count

openssl smime -sign -binary -noattr -nocerts -nodetach -outform der -in "$scratch/text" \
	-md sha256 -inkey "$scratch/rsa4096.key" -signer "$scratch/rsa4096.crt" > "$scratch/p7s"
with_signature
refused image 'record 2' 'a signature with its content'
openssl smime -sign -binary -nocerts -outform der -in "$scratch/text" \
	-md sha256 -inkey "$scratch/rsa4096.key" -signer "$scratch/rsa4096.crt" > "$scratch/p7s"
with_signature
refused image 'record 2' 'signed attributes'
sign rsa4096 "$root_hash" -md sha1
with_signature
refused image 'record 2' 'SHA-1'
sign rsa4096 "$(cut -d: -f5 test/vectors/second.words)"
with_signature
refused image 'record 2' 'a signature of another image'
sign rsa4096 "$root_hash
"
with_signature
refused image 'record 2' 'a signature of the root hash and a line feed'
size=$(wc -c < "$scratch/good")
trusting=0
for offset in $(seq 0 9 $((size - 1))); do
	cp "$scratch/good" "$scratch/p7s"
	byte=$(xxd -s "$offset" -l 1 -p "$scratch/good")
	printf '%b' "\\0$(printf %o $((0x$byte ^ 4)))" |
		dd of="$scratch/p7s" bs=1 seek="$offset" conv=notrunc 2> /dev/null
	with_signature
	check
	# of what comes before the signature, numbers and names are not looked at
	[ "$status" -ne 0 ] || [ "$offset" -lt $((size - 512)) ] || trusting=$((trusting + 1))
	[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || die "octet $offset: status $status"
done
is "$trusting" 0 'an altered signature is none, wherever it is altered'
cp "$scratch/good" "$scratch/p7s"
for cut in 1 100 $((size - 1)); do
	head -c "$cut" "$scratch/good" > "$scratch/p7s"
	with_signature
	refused image 'record 2' "the first $cut octets of a signature"
done
{ cat "$scratch/good"; echo; } > "$scratch/p7s"
with_signature
refused image 'record 2' 'something behind a signature'

# --- options are not signed

tpm_reset
new_boot
dm_add 0 tools 7 test/vectors/tools-ignoring.table
must start --oneshot
must_make_evidence
options=$(cut -d: -f10 test/vectors/tools-ignoring.words)
cp "$scratch/good" "$scratch/p7s"
with_signature
refused image "record 2: .*$options" "a signed image that is not checked ($options)"
edit_policy --arg o "$options" '.options = ($o | split(","))'
trusted 'unless the policy takes the option'

done_testing
