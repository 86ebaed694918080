# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Making and checking evidence; sourced after lib.sh.
# shellcheck disable=SC2034,SC2154 # the names are those of lib.sh and of the tests

nonce=00112233445566778899aabbccddeeff
evidence=$scratch/evidence
policy=$scratch/policy
ak=$scratch/ak.pem

# make_ak [TYPE]: the attestation key that is known to the verifier
make_ak() {
	test/tools/evidence.py ak "$port" "${1:-ecc}" > "$ak" || die 'no attestation key'
}

# make_evidence [NAME=VALUE...]: see tools/evidence.py
make_evidence() {
	test/tools/evidence.py make "$port" "$evidence" $nonce "$log" "$@"
}

must_make_evidence() {
	make_evidence "$@" || die 'no evidence'
}

edit_evidence() {
	test/tools/evidence-edit.py "$evidence" "$@" || die "evidence-edit.py $*"
}

# make_policy [FILTER]: allows the images of test/vectors that are named tools and second,
# and whatever boot chain
make_policy() {
	jq -n --rawfile tools test/vectors/tools.words \
		--rawfile second test/vectors/second.words \
		'{"veritally-policy": 1, pcrs: {}, images: {
			"tools.raw": [$tools | rtrimstr("\n")],
			"second.raw": [$second | rtrimstr("\n")]}}' > "$policy"
	[ $# -eq 0 ] || edit_policy "$@"
}

# edit_policy FILTER...: with the arguments of jq
edit_policy() {
	jq "$@" "$policy" > "$policy.new" || die "jq $*"
	mv "$policy.new" "$policy"
}

check() {
	run check --evidence="$evidence" --policy="$policy" --nonce=$nonce --ak="$ak" "$@"
}

# trusted DESCRIPTION
trusted() {
	check
	says 0 '^check: trusted' "$1"
}

# refused CONDITION PATTERN DESCRIPTION: the condition is reported, whatever else is
refused() {
	check
	[ "$status" -eq 3 ] && grep -Eq -- "^$1: expected .*$2" "$out"
	ok $? "$3" || { echo "# status $status, or no '$1' with: $2"; said; }
}
