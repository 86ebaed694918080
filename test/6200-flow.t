#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# From a machine to its verifier: what attest writes, check believes, and what root does to
# TPM or log is refused.  The rows of the attack table are in 6100.
. test/lib.sh
. test/tools/attack.sh
. test/tools/evidence.sh

skip_without jq swtpm tpm2_startup sha256sum xxd

# attested: evidence by the product
attested() {
	must attest --nonce=$nonce -o "$evidence"
}

boot() {
	tpm_reset
	new_boot
	firmware_event 'a shim'
	printf version > "$scratch/version"
	tpm2_pcrevent 0 "$scratch/version" > /dev/null	# tools/firmware-log.py logs it too
	dm_add 0 tools 7 test/vectors/tools.table
	dm_add 1 second 8 test/vectors/second.table
	make_policies
	must start --oneshot
	must sync
	# shellcheck disable=SC2016 # jq expands it
	edit_policy --arg v "$(records '.[] | select(.pcr) |
		.content.annotations["gate-sha256"]')" '.gate = [$v]'
}

tpm_start
make_policy
boot
for type in ecc rsa; do
	must ak create --type=$type
	must ak show --pem
	cp "$out" "$ak"
	attested
	trusted "$type: the whole way"
	tpm2_evictcontrol -C o -c 0x81015645 > /dev/null
done
must ak create
must ak show --pem
cp "$out" "$ak"

must extend verity --word=hello
attested
refused word 'user:v1:command:0:-:text:hello' 'a word that nobody allowed'
edit_policy '.user = ["user:v1:command:"]'
trusted 'the same, allowed'
dm_add 2 more 9 test/vectors/fec.table
must sync
attested
refused image 'fec|tools|second|dm-verity' 'an image that nobody allowed'

boot
attested
trusted 'another boot'
tpm2_changeauth -c owner secret
attested
trusted 'an owner with a password'
tpm2_changeauth -c owner -p secret

# Root takes a record out of log and index, as far as the TPM lets him.
attested
test/tools/edit-log.py "$log" drop 3
test/tools/edit-log.py "$log" renumber
attested
refused value . 'a record less in the log'
boot
tpm2_nvundefine $index -C o
attested
refused certified 'found none' 'the index is gone'
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" && diag "$scratch/attack.err"
attested
refused certified 'found none' 'the index is defined anew, and cannot be written'
tpm2_nvundefine $index -C o
make_policies
define_as "$attributes" "$scratch/or.pol"
first_write "$(sha256 $genesis)" || diag "$scratch/attack.err"
records '.[] | select(.nv_index) | .digests[0].digest' | sed 1d | while read -r digest; do
	next_write "$digest"
done
attested
refused name . 'the index is defined anew with another gate, and has the same value'

# The gate PCR alone.
tpm_reset
new_boot
tpm2_nvundefine $index -C o
dm_add 0 tools 7 test/vectors/tools.table
proxy_start
rule NV_DefineSpace rc:14b
must start --oneshot
rule
edit_policy 'del(.gate) | .degraded = "allow"'
attested
trusted 'no room for an index: the gate PCR vouches for the log'
tpm2_pcrextend "$gate:sha256=$(sha256 x)"
attested
refused value 'PCR 13' 'and not for what somebody else extends'

done_testing
