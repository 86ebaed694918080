#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# veritally-log(5) is true: every example word has the digest that stands under it, the
# anchor's Name follows from the page's formula, every word that the code can write has
# a section, and the program writes the page's examples byte by byte.

. test/lib.sh
skip_without sha256sum xxd jq swtpm tpm2_getcap

page=src/man/veritally-log.5.scd
tab=$(printf '\t')

# examples: "WORD<tab>DIGEST", one a line; the pieces of a long word are joined
examples() {
	awk '
	$1 == "word"	{ word = $2; next }
	$1 == "sha256"	{ print word "\t" $2; word = ""; next }
	word != ""	{ word = word $1 }
	' "$page"
}

# example PATTERN: the example words that match
example() {
	examples | cut -f 1 | grep -E -- "$1"
}

# sha256 HEX...: the digest of these bytes
sha256() {
	printf '%s' "$@" | xxd -r -p | sha256sum | cut -d ' ' -f 1
}

# sha256_text: the digest of standard input
sha256_text() {
	sha256sum | cut -d ' ' -f 1
}

# Kinds and versions of words, from the page and from the source.
page_kinds() {
	sed -n 's/^## \([a-z-]*:v[0-9]*\)$/\1/p' "$page" | sort -u
}

source_kinds() {
	find src -name '*.[ch]' ! -name '*_test.[ch]' -exec \
		grep -ohE '"[a-z-]+:v[0-9]+[:"]' {} + | tr -d '"' | sed 's/:$//' | sort -u
}

# --- the page alone -------------------------------------------------------------

examples > "$scratch/examples"
[ -s "$scratch/examples" ]
ok $? "the page has examples"
while IFS=$tab read -r word digest; do
	is "$digest" "$(printf '%s' "$word" | sha256_text)" "digest of $word"
done < "$scratch/examples"

for kind in $(page_kinds); do
	example "^$kind(:|\$)" > /dev/null
	ok $? "$kind has an example"
done
source_kinds | grep -q .
ok $? "the source has words"
is "$(page_kinds)" "$(source_kinds)" "the page has the words of the source and no others"

# The formulas of REPLAY, for the shipped index and a gate PCR 13 of zeros.
gate_digest=$(sha256 $zero)
a=$(sha256 $zero 0000017f 00000001 000b 03 002000 "$gate_digest")
b=$(sha256 $zero 0000018f 01)
policy=$(sha256 $zero 00000171 "$a" "$b")
name_of() {
	echo "000b$(sha256 "${index#0x}" 000b "$1" 0020 "$policy" 0020)"
}
name=$(name_of 2e060048)
value=$(sha256 $zero "$(printf '%s' "$genesis" | sha256_text)")
anchor=nvpcr-anchor:v1:1:$index:$name:$value
is "$(example '^nvpcr-anchor:v1:1:')" "$anchor" "the anchor follows from the formulas"

is "$(grep '^000b' src/man/veritally.8.scd)" "$name
$(name_of 2a060048)" "veritally(8) has the Names of both rungs"
is "$(example ^share:v1:0x)" "share:v1:0x01d10202:$(test/tools/expect.py name 0x01d10202 \
	2c060048 $gate $zero):$(sha256 $zero $zero)" "the index of systemd's follows, too"
is "$(example ^set:)" "set:v1:host-ready:2:$(example ^dm-verity:v1:1: | sort | sha256_text)" \
	"the set is that of the two activations"
is "$(example ^removed:)" "removed:v1:$(example ^dm-verity:v1:1: | head -n 1)" \
	"the removal is that of the first activation"

# --- the program ------------------------------------------------------------------

# table_of WORD: a table that the word is made of
table_of() {
	echo "$1" | {
		IFS=: read -r _ _ version alg root salt data hash blocks options signature
		list=
		[ "$options" = - ] || list=$(echo "$options" | tr , ' ')
		[ "$signature" = none ] || list="$list root_hash_sig_key_desc some:key"
		# shellcheck disable=SC2086 # a list
		set -- $list
		echo "0 8 verity $version 7:0 7:1 $data $hash $blocks 1 $alg $root $salt" \
			${1+$# "$@"}
	}
}

first=$(example ^dm-verity:v1:1: | head -n 1)
second=$(example ^dm-verity:v1:1: | tail -n 1)
table_of "$first" > "$scratch/first"
table_of "$second" > "$scratch/second"

new_boot
tpm_start words
dm_add 0 tools 7 "$scratch/first"
dm_add 1 signed 8 "$scratch/second"
begin_watch
must sync --phase=host-ready
dm_remove 0
must sync --phase=again
kill_writer
is "$(records '.[0, 1].content.string')" "$genesis
$anchor" "genesis and anchor are as on the page"
is "$(n_words '^nvpcr-')" 2 "and there is nothing else of this kind"
for pattern in ^hook:v1:uevent ^dm-verity:v1:1: ^set:v1:host-ready ^removed: ^hook:v1:none; do
	is "$(words | grep -- "$pattern")" "$(example "$pattern")" \
		"the log has the example of $pattern"
done
is "$(records '.[] | select(.content.eventType == "dm-verity") |
	[.content.string, .digests[0].digest] | join("\t")' | sort)" \
	"$(grep ^dm-verity:v1:1: "$scratch/examples" | sort)" "and the digests of the activations"
run verify
says 0 '^verify: ok' "and the TPM confirms the log"

new_boot
tpm=none
must start --oneshot
is "$(words)" "$(example '^nvpcr-anchor:v1:mode=none:')" \
	"without a TPM the anchor is as on the page"

done_testing
