#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The attestation key, and evidence: what the product makes is judged by other programs.
. test/lib.sh

skip_without jq swtpm tpm2_startup tpm2_checkquote tpm2_makecredential openssl python3 sha256sum

evidence=$scratch/evidence
pem=$scratch/ak.pem
schema=src/data/veritally-evidence.schema.json
nonce=00112233445566778899aabbccddeeff

look() {
	test/tools/evidence-check.py "$@" || echo "evidence-check.py failed"
}

# good WHAT: evidence.py, openssl and tpm2-tools find nothing wrong with the evidence
good() {
	exits 0 "$1: attest"
	is "$(look "$evidence" problems "$pem")" '' "$1: the evidence is good"
	look "$evidence" take quote.attest > "$scratch/quote"
	look "$evidence" take quote.signature > "$scratch/signature"
	tpm2_checkquote -u "$pem" -m "$scratch/quote" -s "$scratch/signature" \
		-q "$(head -c 65536 "$evidence" | head -n 1 | tr -d '\036' | jq -r .nonce)" \
		> "$scratch/checked" 2>&1
	ok $? "$1: tpm2_checkquote" || diag "$scratch/checked"
}

# member FILTER: of the header
member() {
	head -n 1 "$evidence" | tr -d '\036' | jq -r "$1"
}

fits_schema() {
	if /usr/bin/python3 -c 'import jsonschema' 2> /dev/null; then
		is "$(look "$evidence" schema $schema)" '' "$1"
		sed '1s/"0":"[0-9a-f]*"/"0":"00"/; 1s/"public":"A/"public":"-/' "$evidence" \
			> "$scratch/other"
		is "$(look "$scratch/other" schema $schema | wc -l)" 2 "$1, and not otherwise"
	else
		ok 0 "$1 # SKIP python3-jsonschema is not installed"
	fi
}

show_pem() {
	run ak show "$@"
	sed -n '/BEGIN PUBLIC/,/END PUBLIC/p' "$out" > "$pem"
}

# --- without what is needed

new_boot
run ak create
says 1 'there is no TPM: configured' 'no TPM: no key'
run attest --nonce=$nonce
says 1 'there is no TPM: configured' 'no TPM: no evidence'
tpm_start
run attest --nonce=$nonce
says 1 'nothing was measured in this boot' 'no log: no evidence'
firmware_event 'a shim'
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
must sync
run attest --nonce=$nonce -o "$evidence"
says 1 "no attestation key at 0x81015645; 'veritally ak create'" 'no key: no evidence'
run ak show
says 1 'there is no attestation key' 'no key to show'
[ ! -e "$evidence" ]
ok $? 'nothing is left behind'

# --- the key

run ak create
says 0 'is at 0x81015645 now' 'ak create'
show_pem
name=$(sed -n 's/^name *//p' "$out")
says 0 'no certificate of its endorsement key' 'ak show'
tpm2_readpublic -c 0x81015645 -f pem -o "$scratch/other.pem" > "$scratch/public"
cmp -s "$pem" "$scratch/other.pem"
ok $? 'the same PEM as from tpm2_readpublic'
like "$scratch/public" "^name: $name" 'and the same Name'
like "$scratch/public" 'raw: 0x50472' 'restricted, signs, never leaves the TPM'
run ak create
says 0 'is at 0x81015645 already' 'ak create again does nothing'
run ak create --type=rsa
says 1 'of another type' 'a key of another type is not replaced'
run ak create --type=rsa --handle=0x81015646
exits 0 'it can have another handle'
tpm2_createprimary -C o -c "$scratch/foreign" > /dev/null
tpm2_evictcontrol -C o -c "$scratch/foreign" 0x81015647 > /dev/null
tpm2_flushcontext -t
for verb in 'ak create' 'ak show' "attest --nonce=$nonce"; do
	# shellcheck disable=SC2086 # words
	run $verb --handle=0x81015647
	says 1 '0x81015647 is no attestation key of ours' "$verb: a key of somebody else is left alone"
done
# Of our template, but a child of the owner hierarchy.
tpm2_createprimary -C o -c "$scratch/foreign" -G ecc256:ecdsa-sha256:null -a \
	'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign' > /dev/null
tpm2_evictcontrol -C o -c "$scratch/foreign" 0x81015648 > /dev/null
tpm2_flushcontext -t
run ak show --handle=0x81015648
says 1 'no attestation key of ours' 'a key of another hierarchy is not taken for ours'
is "$(tpm2_getcap handles-transient)$(tpm2_getcap handles-loaded-session)" '' 'nothing stays loaded'

# --- evidence

proxy_start
run attest --nonce=$nonce -o "$evidence"
good 'ECC'
at_most "$(n_commands)" 12 'TPM commands'
fits_schema 'the header is as the schema says'
is "$(stat -c %a "$evidence")" 600 'it is for root only'
is "$(find "$scratch" -name "evidence*" | wc -l)" 1 'no temporary file is left'
look "$evidence" log | cmp -s - "$log"
ok $? 'the log is in it byte for byte'
look "$evidence" take firmware_log |
	cmp -s - "$root/sys/kernel/security/tpm0/binary_bios_measurements"
ok $? 'the log of the firmware too'
is "$(member .nonce) $(member .boot_id)" \
	"$nonce $(tr -d - < "$root/proc/sys/kernel/random/boot_id")" 'nonce and boot'
is "$(member '.pcrs.sha256 | keys_unsorted | join(" ")')" '0 1 2 3 4 5 6 7 8 9 11 12 13 14' \
	'the PCRs of the boot and the gate'
is "$(member '.nvpcrs[0].name + " " + .nvpcrs[0].auth')" 'verity owner' 'the NvPCR'
run attest --nonce=$nonce
cp "$out" "$evidence"
good 'standard output'
run attest --nonce="$zero" -o - --handle=0x81015646
cp "$out" "$evidence"
show_pem --handle=0x81015646
good 'RSA, longest nonce'
run attest --nonce=$nonce -o "$scratch/nowhere/evidence"
says 1 'cannot write the evidence to .*nowhere' 'a folder that is not there'
"$VERITALLY" --sysroot="$root" --tpm="$tpm" attest --nonce=$nonce > /dev/full 2> "$err"
is $? 1 'a full disk'

# The checker is not blind: each of these is seen.
for part in quote audit; do
	{ head -n 1 "$evidence" | sed "s/$zero/$nonce/"; sed 1d "$evidence"; } > "$scratch/other"
	is "$(look "$scratch/other" problems "$pem" | grep -c "^$part: nonce")" 1 \
		"another nonce is seen in $part"
done
sed '$d' "$evidence" > "$scratch/other"
is "$(look "$scratch/other" problems "$pem")" 'verity: fold of the log' 'a missing record is seen'

# --- exclusive

show_pem
rule StartAuthSession rc:121 0 3
run -v attest --nonce=$nonce -o "$evidence"
says 0 'in 4 tries' 'somebody else in three tries: a fourth one'
rule 0x184 rc:121
run attest --nonce=$nonce -o "$scratch/never"
says 1 'other programs used the TPM in each of 20 tries' 'in all of them: said'
[ ! -e "$scratch/never" ]
ok $? 'without evidence'
rule 0x158 rc:9a2
run attest --nonce=$nonce
says 1 'cannot quote the PCRs' 'a quote that is refused'
rule
# Another command between quote and certify, in earnest: the TPM sees it.
rule 0x158 intrude 0 1
run -v attest --nonce=$nonce -o "$evidence"
says 0 'in 2 tries' 'a command in between: tried again'
good 'a command in between'
rule 0x184 intrude 0 1
run -v attest --nonce=$nonce -o "$evidence"
says 0 'in 2 tries' 'a command before the digest of the session: tried again'
good 'a command before the digest'
rule
is "$(tpm2_getcap handles-transient)$(tpm2_getcap handles-loaded-session)" '' 'nothing stays loaded'

# --- a writer between log and TPM

# shellcheck disable=SC2317 # await calls it
waits_for_lock() {
	grep -q -- "-> FLOCK.* $1 " /proc/locks
}

rule NV_Extend wait 0 1
"$VERITALLY" --sysroot="$root" --tpm="$tpm" extend verity --word='in the log first' &
writing=$!
await 10 has_words 1 'in the log first'
ok $? 'a record is in the log and not in the TPM'
"$VERITALLY" --sysroot="$root" --tpm="$tpm" attest --nonce=$nonce -o "$evidence" 2> "$err" &
attesting=$!
await 10 waits_for_lock $attesting
ok $? 'attest waits for its writer'
rule
wait $writing
wait $attesting
status=$?
good 'a writer between log and TPM'
is "$(look "$evidence" log | grep -c 'in the log first')" 1 'with its record'

# A writer waits two seconds for us, and then goes on without the lock.
echo timeout=30 > "$scratch/patient.conf"
forget_commands
rule 0x158 wait 0 1
"$VERITALLY" -v --config="$scratch/patient.conf" --sysroot="$root" --tpm="$tpm" attest \
	--nonce=$nonce -o "$evidence" 2> "$err" &
attesting=$!
await 10 grep -q 0x158 "$commands"
"$VERITALLY" --sysroot="$root" --tpm="$TPM2TOOLS_TCTI" extend verity --word='while it takes long'
ok $? 'a slow quote does not hold a writer up for long'
rule
wait $attesting
status=$?
good 'a slow quote'
says 0 'in 2 tries' 'a slow quote: tried again'

# --- many at once, and the daemon goes on

tpm=$TPM2TOOLS_TCTI
begin_watch
jobs=
for i in $(seq 16); do
	"$VERITALLY" --sysroot="$root" --tpm="$tpm" attest --nonce="$nonce$(printf %02x "$i")" \
		-o "$evidence.$i" 2> "$scratch/attest.$i" &
	jobs="$jobs $!"
done
for i in $(seq 20); do
	run extend verity --word="while evidence is made $i"
	[ "$status" -eq 0 ] || break
done
exits 0 'the daemon measures meanwhile'
failed=0
for job in $jobs; do
	wait "$job" || failed=$((failed + 1))
done
is $failed 0 '16 at once'
[ $failed -eq 0 ] || diag "$scratch"/attest.*
for i in $(seq 16); do
	look "$evidence.$i" problems "$pem"
	echo
done | sort -u > "$scratch/problems"
is "$(cat "$scratch/problems")" '' 'all of them are good'
kill_writer

# --- an owner with a password, an index that is gone, other boots

tpm2_changeauth -c owner secret
run attest --nonce=$nonce -o "$evidence"
good 'an owner with a password'
is "$(member '.nvpcrs[0].auth')" index 'by the authorization of the index'
tpm2_changeauth -c owner -p secret

printf '\036{"recnum":' >> "$log"
run attest --nonce=$nonce -o "$evidence"
good 'a torn end of the log'

tpm2_nvundefine $index -C o
run attest --nonce=$nonce -o "$evidence"
says 0 "no index 0x01805645 of NvPCR 'verity'.* not in the evidence" 'an index that is gone is said'
is "$(member '.nvpcrs | length')" 0 'and is not in the evidence'
tpm2_nvdefine $index -C o -g sha256 -s 32 -a 'nt=extend|policywrite|ownerread|authread' \
	-L "$scratch/quote" > /dev/null 2>&1
run attest --nonce=$nonce -o "$evidence"
says 0 'was written in this boot' 'so is one that was defined anew and not written'
tpm2_nvundefine $index -C o 2> /dev/null

tpm_reset
new_boot
show_pem
is "$(sed -n 's/^name *//p' "$out")" "$name" 'the key is there after a power cycle'
must start --oneshot
run attest --nonce=$nonce -o "$evidence"
good 'another boot'

tpm_reset
new_boot
tpm=swtpm:path=$scratch/proxy
tpm2_nvundefine $index -C o
rule NV_DefineSpace rc:14b
must start --oneshot
rule
run attest --nonce=$nonce -o "$evidence"
good 'the gate PCR alone'
is "$(member '.nvpcrs | length')" 0 'without an index'
tpm_reset
new_boot
must --tpm=none start --oneshot
run attest --nonce=$nonce -o "$evidence"
exits 0 'a boot without a TPM has evidence too'
: > "$log"
run attest --nonce=$nonce -o "$evidence"
says 1 'the log has no anchor' 'an empty log'

# --- binding the key to the TPM

# bound WHAT: a machine tells of its keys, is challenged, and answers
bound() {
	run ak show --json
	cp "$out" "$scratch/enrol.json"
	run ak challenge --output="$scratch/challenge" "$scratch/enrol.json"
	exits 0 "$1: challenge"
	secret=$(cat "$out")
	run ak activate "$scratch/challenge"
	says 0 "^$secret\$" "$1: activate gives the secret"
	is ${#secret} 64 "$1: of 32 bytes"
}

# their_ek TYPE: the endorsement key as tpm2-tools make it
their_ek() {
	tpm2_createek -G "$1" -c "$scratch/ek.ctx" -u "$scratch/ek.pub" > /dev/null
	tpm2_flushcontext -t
}

tpm=$TPM2TOOLS_TCTI
bound 'no certificate'
is "$(jq -r .ek.type "$scratch/enrol.json")" ecc 'without a certificate the ECC key counts'
their_ek ecc
jq -r .ek.public "$scratch/enrol.json" | base64 -d | cmp -s - "$scratch/ek.pub"
ok $? 'which is that of tpm2_createek'

# tpm2-tools challenge, we answer.
printf 'a secret of theirs' > "$scratch/secret"
tpm2_makecredential -T none -u "$scratch/ek.pub" -s "$scratch/secret" -n "$name" \
	-o "$scratch/challenge" > /dev/null
run ak activate "$scratch/challenge"
is "$(xxd -r -p "$out")" 'a secret of theirs' 'a credential of tpm2_makecredential'
# We challenge, tpm2-tools answer.
run ak challenge --output="$scratch/challenge" "$scratch/enrol.json"
secret=$(cat "$out")
tpm2_startauthsession --policy-session -S "$scratch/session"
tpm2_policysecret -S "$scratch/session" -c e > /dev/null
tpm2_activatecredential -c 0x81015645 -C "$scratch/ek.ctx" -i "$scratch/challenge" \
	-o "$scratch/answer" -P "session:$scratch/session" > /dev/null
tpm2_flushcontext "$scratch/session"
tpm2_flushcontext -t
is "$(xxd -p -c 64 "$scratch/answer")" "$secret" 'a credential for tpm2_activatecredential'

run ak activate --handle=0x81015646 "$scratch/challenge"
says 1 'the TPM refuses' 'a credential for another key'
run ak activate "$scratch/enrol.json"
says 1 "not what 'veritally ak challenge' wrote" 'no credential at all'
head -c 40 "$scratch/challenge" > "$scratch/short"
run ak activate "$scratch/short"
says 1 'not what' 'half a credential'
run ak challenge -o "$scratch/x" "$scratch/challenge"
says 1 "not what 'veritally ak show --json' prints" 'keys that are none'
jq '.public = .ek.public' "$scratch/enrol.json" > "$scratch/other.json"
run ak challenge -o "$scratch/x" "$scratch/other.json"
says 3 'may sign what the TPM did not make' 'a key that is no attestation key'
is "$(tpm2_getcap handles-transient)$(tpm2_getcap handles-loaded-session)" '' 'nothing stays loaded'

# A certificate, as the maker of a TPM leaves it.
their_ek rsa
tpm2_print -t TPM2B_PUBLIC -f pem "$scratch/ek.pub" > "$scratch/ek.pem" 2> /dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$scratch/ca.key" -out "$scratch/ca.pem" \
	-subj /CN=maker 2> /dev/null
openssl x509 -new -force_pubkey "$scratch/ek.pem" -CAkey "$scratch/ca.key" -CA "$scratch/ca.pem" \
	-subj /CN=tpm -outform der -out "$scratch/ek.der" 2> "$scratch/openssl" ||
	diag "$scratch/openssl"
size=$(stat -c %s "$scratch/ek.der")
tpm2_nvdefine 0x01c00002 -C p -s $((size + 100)) \
	-a 'ppwrite|ppread|ownerread|authread|no_da|platformcreate' > /dev/null
tpm2_nvwrite 0x01c00002 -C p -i "$scratch/ek.der"
head -c 100 /dev/zero | tr '\0' '\377' > "$scratch/filler"
tpm2_nvwrite 0x01c00002 -C p --offset="$size" -i "$scratch/filler"
run ak show
sed -n '/BEGIN CERT/,/END CERT/p' "$out" | openssl x509 -outform der 2> /dev/null |
	cmp -s - "$scratch/ek.der"
ok $? 'ak show prints the certificate'
bound 'a certificate'
is "$(jq -r .ek.type "$scratch/enrol.json")" rsa 'with a certificate its key counts'
jq -r .ek.certificate "$scratch/enrol.json" | base64 -d | openssl x509 -inform der -noout -pubkey |
	cmp -s - "$scratch/ek.pem"
ok $? 'and is the one in the certificate'
is "$(jq -r .ek.pem "$scratch/enrol.json")" "$(cat "$scratch/ek.pem")" 'and the one that is shown'
new_boot
tpm_reset
must start --oneshot
run attest --nonce=$nonce -o "$evidence"
good 'with a certificate'
look "$evidence" take ak.ek_certificate | cmp -s - "$scratch/ek.der"
ok $? 'the certificate is in the evidence'
fits_schema 'the header with a certificate too'

done_testing
