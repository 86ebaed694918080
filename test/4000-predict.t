#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# predict: the word of an image from the image alone.
. test/lib.sh

skip_without jq veritysetup sfdisk mksquashfs openssl sha256sum

images=$scratch/images
mkdir -p "$images"
new_boot

# The x86-64 types of the Discoverable Partitions Specification.
root_types="4f68bce3-e8cd-4db1-96e7-fbcaf984b709 2c7357ed-ebd2-46d9-aec1-23d437ec2bf5 \
41092b05-9fc8-4523-994f-2def0408b176"
usr_types="8484680c-9521-48c6-9c11-b0720656f69e 77ff5f63-e7b6-4633-acf4-1565b864c0e6 \
e7bb33fb-06cf-4e81-8273-e543b413e2e2"

# uuid HEX32
uuid() {
	echo "$1" | sed 's/\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)/\1-\2-\3-\4-/'
}

# plain NAME [OPTION...]: NAME.raw with .verity and .roothash beside it, and NAME.dump
plain() {
	name=$1
	shift
	mkdir -p "$images/$name.tree"
	seq 20000 > "$images/$name.tree/$name"
	mksquashfs "$images/$name.tree" "$images/$name.raw" -quiet -no-progress -noappend \
		-all-root > /dev/null
	veritysetup format "$@" --root-hash-file="$images/$name.roothash" \
		"$images/$name.raw" "$images/$name.verity" > /dev/null || die "veritysetup $name"
	veritysetup dump "$images/$name.verity" > "$images/$name.dump"
	echo "Root hash: $(cat "$images/$name.roothash")" >> "$images/$name.dump"
}

# ddi NAME TYPES [SIGNATURE]: what plain made becomes partitions of NAME.raw
ddi() {
	name=$1
	types=$2
	hash=$(cat "$images/$name.roothash")
	start=2048
	for part in raw verity ${3:+sig}; do
		type=${types%% *}
		types=${types#* }
		sectors=$((($(stat -c %s "$images/$name.$part") + 511) / 512))
		echo "$part $start $sectors $type"
		start=$(((start + sectors + 2047) / 2048 * 2048))
	done > "$images/$name.parts"
	truncate -s $(((start + 4096) * 512)) "$images/$name.ddi"
	{
		echo 'label: gpt'
		while read -r part at sectors type; do
			case $part in
			raw) unique=,uuid=$(uuid "$(echo "$hash" | cut -c1-32)") ;;
			verity) unique=,uuid=$(uuid "$(echo "$hash" | cut -c33-64)") ;;
			*) unique= ;;
			esac
			echo "start=$at,size=$sectors,type=$type$unique"
		done < "$images/$name.parts"
	} | sfdisk -q --no-reread --no-tell-kernel "$images/$name.ddi" || die "sfdisk $name"
	while read -r part at _; do
		dd if="$images/$name.$part" of="$images/$name.ddi" bs=512 seek="$at" \
			conv=notrunc status=none
	done < "$images/$name.parts"
	mv "$images/$name.ddi" "$images/$name.raw"
	mv "$images/$name.verity" "$images/$name.hashes"
	mv "$images/$name.roothash" "$images/$name.hash"
}

predict() {
	run predict --architecture=x86-64 "$@"
}

# word_of NAME [SIGNATURE [OPTIONS]]: from what veritysetup says
word_of() {
	expect dump "${2:-none}" "${3:--}" < "$images/$1.dump"
}

# predicted NAME WHAT: one word, the right one, and its digest
predicted() {
	predict "$images/$1.raw"
	exits 0 "$2"
	is "$(sed -n 's/^ *word *//p' "$out")" "$(word_of "$1")" "$2: the word"
	is "$(sed -n 's/^ *sha256 *//p' "$out")" "$(sha256 "$(word_of "$1")")" "$2: its digest"
}

# refused PATTERN WHAT: of the image "bad"
refused() {
	predict "$images/bad.raw"
	says 1 "$1" "$2"
	[ ! -s "$out" ]
	ok $? "$2: and nothing is predicted" || said
}

# --- good ones

salt=$(sha256 salt)
plain beside --salt="$salt"
predicted beside 'image with files beside it'
plain unsalted --salt=-
predicted unsalted 'image without salt'
plain small --salt="$salt" --data-block-size=1024 --hash-block-size=2048 --hash=sha512
predicted small 'other block sizes and SHA-512'
plain original --salt="$salt" --format=0 --hash=sha1
predicted original 'the original format, SHA-1'
plain ddi --salt="$salt"
ddi ddi "$root_types"
predicted ddi 'image with partitions'
plain usr --salt="$salt"
ddi usr "$usr_types"
predicted usr 'image of /usr'

plain signed --salt="$salt"
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=test \
	-keyout "$scratch/key" -out "$scratch/certificate" 2> /dev/null
openssl smime -sign -nocerts -noattr -binary -in "$images/signed.roothash" \
	-inkey "$scratch/key" -signer "$scratch/certificate" -outform der -out "$scratch/p7s"
printf '{"rootHash":"%s","signature":"%s"}' "$(cat "$images/signed.roothash")" \
	"$(base64 -w0 "$scratch/p7s")" > "$images/signed.sig"
truncate -s 16384 "$images/signed.sig"
ddi signed "$root_types" signature
predict "$images/signed.raw"
exits 0 'image with a signature'
is "$(sed -n 's/^ *word *//p' "$out")" "$(word_of signed; word_of signed kernel)" \
	'has two words: who checks the signature decides'
cp "$scratch/p7s" "$images/beside.roothash.p7s"
predict "$images/beside.raw"
is "$(sed -n 's/^ *word *//p' "$out")" "$(word_of beside; word_of beside kernel)" \
	'and so has one with a signature beside it'
rm "$images/beside.roothash.p7s"

predict --options=ignore_corruption,check_at_most_once "$images/ddi.raw"
is "$(sed -n 's/^ *word *//p' "$out")" \
	"$(word_of ddi none check_at_most_once,ignore_corruption)" 'options, sorted'
predict --options='a b' "$images/ddi.raw"
says 2 'options' 'options that are none are misuse'
predict --json "$images/ddi.raw" "$images/signed.raw"
is "$(jq -r '.[].word' "$out")" "$(word_of ddi; word_of signed; word_of signed kernel)" \
	'--json has all words of all images'
is "$(jq -r '.[].signature' "$out" | tr '\n' ' ')" 'none none kernel ' 'and says which is which'
is "$(jq -r '.[0].sha256' "$out")" "$(sha256 "$(word_of ddi)")" 'and their digests'

# What is predicted is what will be measured.
blocks=$(word_of ddi | cut -d: -f9)
echo "0 $((blocks * 8)) verity 1 7:0 7:1 4096 4096 $blocks 1 sha256 $(cat "$images/ddi.hash") $salt" \
	> "$scratch/table"
dm_add 0 ddi 1 "$scratch/table"
must start --oneshot
predict "$images/ddi.raw"
is "$(words | tail -n 1)" "$(sed -n 's/^ *word *//p' "$out")" 'the word that is measured'

# --- ones that will not activate

predict "$images/nothing.raw"
says 1 'nothing.raw.*No such file' 'an image that is not there'
predict "$images"
exits 1 'a folder'
mkfifo "$images/fifo.raw"
predict "$images/fifo.raw"
exits 1 'a FIFO, without waiting for it'
: > "$images/empty.raw"
predict "$images/empty.raw"
exits 1 'an empty file'
run predict --architecture=pdp11 "$images/ddi.raw"
isnt "$status" 0 'an unknown architecture'
run predict --architecture=arm64 "$images/ddi.raw"
exits 1 'an image for another architecture'

bad() {
	rm -f "$images"/bad.*
	for suffix in raw verity roothash; do
		[ ! -e "$images/$1.$suffix" ] || cp "$images/$1.$suffix" "$images/bad.$suffix"
	done
}

bad beside
rm "$images/bad.verity"
refused 'neither a verity partition nor' 'no verity'
bad beside
rm "$images/bad.roothash"
refused 'nothing names its root hash' 'no root hash'
bad beside
sha256 other > "$images/bad.roothash"
refused 'hash tree does not belong' 'the root hash of another image'
bad beside
for text in nonsense '' "$(cat "$images/beside.roothash")00x" abcd; do
	printf %s "$text" > "$images/bad.roothash"
	refused 'names? its root hash' "a root hash that is none: '$(echo "$text" | cut -c1-12)'"
done
bad beside
cp "$images/unsalted.verity" "$images/bad.verity"
refused 'hash tree does not belong' 'the hash tree of another image'
bad ddi
sha256 other > "$images/bad.roothash"
refused 'named differently' 'a root hash beside it that its partitions contradict'
bad signed
sha256 other > "$images/bad.roothash"
refused 'named differently' 'a root hash beside it that its signature contradicts'
bad signed
printf '{"rootHash":"%s","signature":"AAAA"}' "$(sha256 other)" > "$scratch/signature"
truncate -s 16384 "$scratch/signature"
dd if="$scratch/signature" of="$images/bad.raw" bs=512 conv=notrunc status=none \
	seek="$(sed -n 's/^sig \([0-9]*\) .*/\1/p' "$images/signed.parts")"
refused 'named differently' 'a signature of another root hash'
bad ddi
sfdisk -q --part-uuid "$images/bad.raw" 1 "$(uuid "$(sha256 x | cut -c1-32)")" 2> /dev/null
refused 'hash tree does not belong' 'partitions whose UUIDs are not its root hash'
bad beside
printf 'nonsense' | dd of="$images/bad.verity" conv=notrunc status=none
refused 'superblock' 'no superblock'
bad ddi
sfdisk -q --delete "$images/bad.raw" 2 2> /dev/null
refused 'neither a verity partition nor' 'a partition table without hashes'

predict "$images/bad.raw" "$images/ddi.raw"
says 1 "$(word_of ddi)" 'a bad image does not hide the good ones, but counts'

# --- ones that somebody made to do harm

# harmless DESCRIPTION: it may be refused or, if nothing that counts is gone, predicted
# as ever; but no more than that
harmless() {
	predict "$images/bad.raw"
	case $status in
	0) grep -Fq "$expected" "$out" && return ;;
	1) [ -s "$err" ] && [ ! -s "$out" ] && return ;;
	esac
	echo "# $1: status $status"
	said
	harms=$((harms + 1))
}

for image in beside ddi; do
	expected=$(word_of $image)
	harms=0
	full=$(stat -c %s "$images/$image.raw")
	for size in 0 1 511 512 1023 1024 4096 16384 20480 1048576 1048577 $((full / 2)) \
		$((full - 1)); do
		[ "$size" -lt "$full" ] || continue
		bad $image
		truncate -s "$size" "$images/bad.raw"
		harmless "$image cut to $size octets"
	done
	is $harms 0 "$image, cut off anywhere, is refused or predicted as ever"
done
expected=$(word_of beside)
harms=0
for size in 0 1 256 511 512 4095 4096 8191; do
	bad beside
	truncate -s "$size" "$images/bad.verity"
	harmless "hashes cut to $size octets"
done
is $harms 0 'so are hashes that are cut off'

# Every field of the superblock with the largest and with odd values.
harms=0
for offset in 0 8 12 16 32 64 68 72 80 88; do
	for value in '\377\377\377\377\377\377\377\377' '\0\0\0\0\0\0\0\0' '\1\2\3\4\5\6\7\10'; do
		bad beside
		# shellcheck disable=SC2059 # octets
		printf "$value" | dd of="$images/bad.verity" bs=1 seek=$offset conv=notrunc status=none
		predict "$images/bad.raw"
		[ "$status" -le 1 ] || { said; harms=$((harms + 1)); }
	done
done
is $harms 0 'no field of a superblock does harm'

# The partition table's header and its first entries.
harms=0
for offset in 512 524 528 536 552 560 584 592 596 1024 1056 1064 1072 1184 1192; do
	bad ddi
	printf '\377\377\377\377\377\377\377\177' |
		dd of="$images/bad.raw" bs=1 seek=$offset conv=notrunc status=none
	predict "$images/bad.raw"
	[ "$status" -le 1 ] || { said; harms=$((harms + 1)); }
done
is $harms 0 'no field of a partition table does harm'

done_testing
