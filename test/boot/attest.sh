# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# attest.sh - what a verifier says of a boot that it knows by its evidence alone

# shellcheck disable=SC2154 # run, demo and common.sh set these

# policy NAME IMAGE... - $boot/predicted/NAME.json: these images have to be active, and no others
policy() {
	policy_name=$1
	shift
	"$veritally" policy from --required "$@" |
		jq '. + {pcrs: {}}' >"$boot/predicted/$policy_name.json"
}

# make_policies - one for the images as they are, one for an image of which one byte is another
make_policies() {
	images=$boot/images
	other=$boot/predicted/other
	mkdir -p "$other"
	cp "$images/docs.raw" "$other/"
	printf X | dd of="$other/docs.raw" bs=1 seek=5000 conv=notrunc 2>/dev/null
	veritysetup format --root-hash-file="$other/docs.roothash" "$other/docs.raw" \
		"$other/docs.verity" >/dev/null
	policy wanted "$images/editor.raw" "$images/compiler.raw" "$images/monitor.raw" \
		"$images/docs.raw"
	policy changed "$images/editor.raw" "$images/compiler.raw" "$images/monitor.raw" \
		"$other/docs.raw"
}

# checked POLICY - the verifier's verdict on the boot; the status is its own
checked() {
	"$veritally" --tpm=none check --evidence="$r/evidence" --policy="$boot/predicted/$1.json" \
		--nonce=6e6f6e63652d6f662d686f7374 --ak="$r/ak.out"
}

# refuses POLICY PATTERN - does the verifier say no, for this reason?
refuses() {
	checked "$1" >"$boot/verdict" && refused=0 || refused=$?
	cat "$boot/verdict"
	[ "$refused" -eq 3 ] && grep -q "$2" "$boot/verdict"
}

# judge_attested NAME - the host trusts the boot, and would not with another image
judge_attested() {
	note "$1"
	ok "$1: evidence is made" ended attest 0
	ok "$1: the host trusts it" checked wanted
	ok "$1: with one byte of an image changed it does not, and names the image" \
		refuses changed 'docs.raw'
}
