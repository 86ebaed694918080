#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The configuration: files, drop-ins, the kernel command line, definition files.
. test/lib.sh

skip_without jq swtpm tpm2_startup xxd

tpm_start

# gate_of: PCR that the log of a fresh boot was anchored in
gate_of() {
	new_boot
	tpm_reset || die 'no reset'
	run "$@" start --oneshot
	exits 0 "start: $describe" > "$scratch/tap" || cat "$scratch/tap"
	records '.[1].pcr'
}

gate_is() {
	describe=$3
	got=$(gate_of)
	is "$got" "$1" "$3"
	[ -z "$2" ] || like "$err" "$2" "$3: and says so"
}

mkdir -p "$root/etc/veritally.conf.d" "$root/usr/lib/veritally" \
	"$root/usr/lib/veritally.conf.d" "$root/run/veritally.conf.d" "$root/proc"
new_boot
gate_is 13 '' 'without configuration the gate is PCR 13'
echo 'gate_pcr=14' > "$root/usr/lib/veritally/veritally.conf"
gate_is 14 '' 'the file in /usr/lib counts'
printf '# a comment\n; another\n\n  gate_pcr = 9 \r\n' > "$root/etc/veritally.conf"
gate_is 9 '' 'the file in /etc takes its place'
echo 'gate_pcr=8' > "$root/usr/lib/veritally.conf.d/50-gate.conf"
gate_is 8 '' 'a drop-in counts more'
: > "$root/etc/veritally.conf.d/50-gate.conf"
gate_is 9 '' 'one of the same name in /etc hides it'
echo 'gate_pcr=14' > "$root/etc/veritally.conf.d/60-later.conf"
echo 'gate_pcr=8' > "$root/usr/lib/veritally.conf.d/55-earlier.conf"
gate_is 14 '' 'drop-ins go by their names'
echo 'root=/dev/vda rd.veritally.gate_pcr=8' > "$root/proc/cmdline"
gate_is 8 '' 'the kernel command line counts most'
echo 'veritally.gate_pcr=8 rd.veritally.gate_pcr=9' > "$root/proc/cmdline"
gate_is 9 '' 'and the last word on it'
rm "$root/proc/cmdline"
rm -r "$root/etc/veritally.conf.d" "$root/usr/lib/veritally.conf.d"

for line in gate_pcr=16 gate_pcr=23 gate_pcr=10 gate_pcr=11 gate_pcr=15 gate_pcr=0 \
	gate_pcr=13x gate_pcr= gate_pcr=-1 timeout=0 timeout=601 timeout=5s wait=15001 guard=maybe \
	ring=5 hook=kprobe mode=nonsense tpm= nonsense=1 nonsense; do
	printf 'gate_pcr=14\n%s\n' "$line" > "$root/etc/veritally.conf"
	gate_is 14 'veritally.conf: .*ignoring it' "a line that cannot be used: $line"
done
echo 'gate_pcr=15,force' > "$root/etc/veritally.conf"
gate_is 15 '' 'PCR 15 can be forced'
printf 'gate_pcr=14\0gate_pcr=8\n' > "$root/etc/veritally.conf"
gate_is 13 'holds a NUL byte' 'a file that is no text is not read'
rm "$root/etc/veritally.conf"
mkdir "$root/etc/veritally.conf"
gate_is 13 'not read' 'a folder in its place is no failure'
rmdir "$root/etc/veritally.conf"
echo gate_pcr=14 > "$scratch/own.conf"
describe='--config'
is "$(gate_of --config="$scratch/own.conf")" 14 '--config takes a file from outside'

echo mode=log > "$root/etc/veritally.conf"
new_boot
run start --oneshot
says 0 'mode-log' 'mode=log wants no TPM'
is "$(words)" 'nvpcr-anchor:v1:mode=none:mode-log' 'and says so in the log'
is "$(pcr_value "$gate")" "$zero" 'and leaves the TPM alone'
rm "$root/etc/veritally.conf"

# --- definition files

defs=$root/etc/veritally/nvpcr.d
mkdir -p "$defs" "$root/usr/lib/veritally/nvpcr.d"
cp src/data/verity.nvpcr "$root/usr/lib/veritally/nvpcr.d/"
echo '{"name":"other","nvIndex":25187920,"algorithm":"sha256","priority":10}' > "$defs/other.nvpcr"
new_boot
tpm_reset
run start --oneshot
exits 0 'start with two definitions'
is "$(n_words "$genesis")" 2 'each has its genesis'
is "$(n_words '^nvpcr-anchor:v1:2:0x01805645:.*:0x01805650:')" 1 'and one anchor has both'
run verify
says 0 'verify: ok' 'which verifies'
is "$(tpm2_nvread 0x01805650 -C o -s 32 | xxd -p -c 256)" "$(expect genesis)" \
	'the other index is written'
ln -sf /dev/null "$defs/other.nvpcr"
tpm2_nvundefine 0x01805650 -C o
new_boot
tpm_reset
run start --oneshot
is "$(n_words "$genesis")" 1 'a link to /dev/null masks a definition'
rm "$defs/other.nvpcr"
echo '{"name":"broken",' > "$defs/broken.nvpcr"
new_boot
tpm_reset
run start --oneshot
says 0 'broken.nvpcr: .*ignoring' 'a broken definition is ignored'
is "$(n_words "$genesis")" 1 'and does not hide the others'
rm "$defs/broken.nvpcr"
sed 's/25187909/25187921/' src/data/verity.nvpcr > "$defs/verity.nvpcr"
new_boot
tpm_reset
run start --oneshot
is "$(records '.[0].nv_index')" 25187921 'a definition of the same name takes the place of ours'

done_testing
