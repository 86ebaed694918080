#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Measuring on request: with a daemon and without one, into NvPCRs and PCRs.
. test/lib.sh
. test/tools/attack.sh

skip_without jq swtpm tpm2_startup tpm2_pcrevent sha256sum xxd

apps=0x01805700

def() {
	mkdir -p "$root/etc/veritally/nvpcr.d"
	printf '{"name":"%s","nvIndex":%d%s}\n' "$1" "$2" "${3:+,$3}" \
		> "$root/etc/veritally/nvpcr.d/$1.nvpcr"
}

# agrees WHAT [VERIFY-STATUS]: TPM and log, by our own account too
agrees() {
	is "$(nv_value)" "$(expect fold "$log" nv_index $index)" "$1: verity equals the log"
	is "$(tpm2_nvread $apps -C o 2> /dev/null | xxd -p -c 256)" \
		"$(expect fold "$log" nv_index $apps)" "$1: apps equals the log"
	run verify
	says 0 '^verify: ok' "$1: verify"
}

# last WANTED DESCRIPTION: the last word of the log
last() {
	is "$(words | tail -n 1)" "$1" "$2"
}

tpm_start
proxy_start
new_boot
def apps $((apps))
def wide $((0x01805701)) '"algorithm":"sha384"'

run extend apps --word=early
says 1 'veritally was not started' 'where nothing was started nothing is begun'
[ ! -e "$log" ]
ok $? 'no index, no log'
for how in daemon nobody; do
	if [ $how = daemon ]; then
		must start
		must extend apps --word='first word'
		forget_commands
	else
		kill_writer
	fi
	run extend apps --word='hello: 100% world'
	exits 0 "$how: a text"
	[ $how = nobody ] || is "$(n_commands .)" 4 'it costs four commands'
	last 'user:v1:command:0:-:text:hello: 100%25 world' "$how: its word"
	is "$(records '.[-1] | .nv_index, .content.nvIndexName, .content.source' | xargs)" \
		"$((apps)) apps user" "$how: its record"
	printf 'abc' | "$VERITALLY" --sysroot="$root" --tpm="$tpm" extend apps -
	is $? 0 "$how: standard input"
	last "user:v1:command:0:-:data:3:$(sha256 abc)" "$how: its word"
	printf 'some\0data' > "$scratch/file"
	run extend --file="$scratch/file" wide
	exits 0 "$how: a file"
	last "user:v1:command:0:-:data:9:$(sha256sum < "$scratch/file" | cut -d' ' -f1)" \
		"$how: its word"
	is "$(records '.[-1].digests[0].hashAlg')" sha384 "$how: by the NvPCR's algorithm"
	is "$(tpm2_nvread $((0x01805701)) -C o 2> /dev/null | xxd -p -c 256)" \
		"$(expect fold "$log" nv_index $((0x01805701)) '' sha384)" "$how: it equals the log"
	run extend verity --word='dm-verity:v1:forged'
	exits 0 "$how: into verity"
	last 'user:v1:command:0:-:text:dm-verity:v1:forged' "$how: cannot pass for an activation"
	is "$(n_words '^dm-verity:')" 0 "$how: nor does it"
	agrees "$how"

	# --- a PCR that others extend too
	before=$(n_words '^pcr:v1:15:')
	run extend pcr:15 --word=one
	exits 0 "$how: PCR 15"
	is "$(n_words '^pcr:v1:15:')" $((before + (before == 0))) \
		"$how: what the log explains needs no word"
	run extend pcr:15 --word=two
	exits 0 "$how: PCR 15 again"
	is "$(records '.[-1] | [.pcr, (.digests | map(.hashAlg) | join(" "))] | join(" ")')" \
		'15 sha1 sha256 sha384 sha512' "$how: in every bank"
	agrees "$how, PCR 15"
done
is "$(pcr_value 15)" "$(expect fold "$log" pcr 15)" 'PCR 15 equals the log'
is "$(words | grep -m 1 '^pcr:v1:15:' | cut -d: -f7,8,9)" "sha256:-:$zero" \
	'and the log says where it began'
printf 'somebody' > "$scratch/event"
tpm2_pcrevent 15 "$scratch/event" > /dev/null
run verify
says 1 'PCR 15, bank sha.*others extended it too, or the log was changed' \
	'somebody else extends it: verify cannot tell'
begin_watch
run extend pcr:15 --word=three
exits 0 'it can be extended all the same'
is "$(n_words '^pcr:v1:15:')" 2 'from a value that is measured'
agrees 'after somebody else'
run extend pcr:14 --word=other
exits 0 'PCR 14'
agrees 'two PCRs'

for pcr in 0 7 10 11 12 13 16 17 22 23 24; do
	run extend pcr:$pcr --word=x
	exits 1 "PCR $pcr is refused"
done
says 1 'there is no such PCR' 'with the reason'
run extend pcr:7 --word=x
says 1 'PCRs 0 to 7 belong to the firmware' 'which names the PCR'
run extend pcr:13 --word=x
says 1 'it is the gate PCR' 'the gate above all'
run extend nothing --word=x
says 1 "no NvPCR '(nothing|later)' in this boot" 'an NvPCR that is not there'
def later $((0x01805702))
run extend later --word=x
says 1 "no NvPCR '(nothing|later)' in this boot" 'one that was defined after the anchor'
run extend apps
exits 2 'nothing to measure'
run extend apps --word=
exits 2 'an empty text'
run extend apps --word=a --file="$scratch/file"
exits 2 'two things at once'
run extend apps --file="$scratch/missing"
exits 1 'a file that is not there'
run extend --word=a
says 2 'name of an NvPCR, or pcr:N' 'no target'
run extend apps hello
says 2 "cannot use 'hello': a text is given as --word=TEXT" 'a text without its option'
run extend pcr15 --word=a
says 1 'a PCR is named pcr:N' 'a PCR by another name'
chmod 755 "$scratch" "$root" "$root/run"
setpriv --reuid=65534 --regid=65534 --clear-groups "$VERITALLY" --sysroot="$root" \
	--tpm="$tpm" extend apps --word=x 2> "$err"
is $? 1 'not root'
like "$err" 'only root may .* socket' 'and is told where to go'
agrees 'after what was refused'

# --- a writer is killed between record and extension: the next one completes it

kill_writer
for target in apps pcr:15; do
	must extend $target --word=known
	case $target in apps) rule NV_Extend hang ;; *) rule PCR_Extend hang ;; esac
	"$VERITALLY" --sysroot="$root" --tpm="$tpm" extend $target --word="cut-$target" 2> /dev/null &
	cut=$!
	pids="$pids $cut"
	await 10 has_words 1 "text:cut-$target$"
	kill -KILL $cut
	wait $cut 2> /dev/null
	rule
	run verify
	says 0 'last record is not in the TPM' "$target: a record that the TPM has not seen"
	must start --oneshot
	run verify
	says 0 '^verify: ok' "$target: is completed by the next writer"
	unlike "$out" 'not in the TPM' "$target: for good"
done

# --- what users had measured cannot be changed afterwards

cp "$log" "$scratch/good"
for change in s/first/other/ 's/world/there/'; do
	sed -i "$change" "$log"
	run verify
	says 3 'digest that is not that of its word' "a changed word: $change"
	cp "$scratch/good" "$log"
done
sed -i 's/text:two/text:six/; s/'"$(sha256 'user:v1:command:0:-:text:two')"'/'"$(sha256 'user:v1:command:0:-:text:six')"'/' "$log"
for alg in sha1 sha384 sha512; do
	sed -i "s/$(printf user:v1:command:0:-:text:two | ${alg}sum | cut -d' ' -f1)/$(printf \
		user:v1:command:0:-:text:six | ${alg}sum | cut -d' ' -f1)/" "$log"
done
run verify
says 3 'does not go on from where the log has its PCR' \
	'words before somebody else extended a PCR cannot be changed either'
cp "$scratch/good" "$log"
run verify
says 0 '^verify: ok' 'the log as it was'

# --- other rungs

tpm_reset
new_boot
tpm2_getcap handles-nv-index | sed 's/^- //' | while read -r handle; do
	tpm2_nvundefine "$handle" -C o
done
rule NV_DefineSpace rc:14b
must start --oneshot
rule
run extend apps --word=low
exits 0 'without an index: apps'
is "$(records '.[-1].pcr')" $gate 'goes to the gate PCR'
run verify
says 0 '^verify: ok' 'and verifies'

# --- what nobody promises: root keeps back what was measured into a PCR alone

tpm_reset
new_boot
make_policies
must start --oneshot
must extend pcr:15 --word=hidden
began=$(words | grep '^pcr:v1:15:')
word=pcr:v1:15
for alg in $(echo "$began" | grep -o 'sha[0-9]*'); do
	tpm2_pcrread "$alg:15" -o "$scratch/value" > /dev/null
	word=$word:$alg:$(echo "$began" | sed "s/.*:$alg:-:\([0-9a-f]*\).*/\1/")
	word=$word:$(xxd -p -c 256 "$scratch/value")
done
test/tools/edit-log.py "$log" drop $(($(words | wc -l) - 1))
measured "$word"
run verify
says 0 '^verify: ok' 'a record of PCR 15 less, and a word that says where the PCR is'
is "$(n_words '^user:')" 0 'so nothing tells of it any more'

tpm=none
new_boot
must start --oneshot
run extend apps --word=lowest
exits 0 'without a TPM: apps'
last 'user:v1:command:0:-:text:lowest' 'is in the log'
run extend pcr:15 --word=x
says 1 'there is no TPM' 'but a PCR is not'
run verify
says 1 'without a TPM' 'and nothing confirms it'

done_testing
