# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What root can do to an index with plain tools; sourced after lib.sh.
# shellcheck disable=SC2034,SC2154 # the names are those of lib.sh and of the tests

attributes='nt=extend|policywrite|ownerread|authread|no_da|orderly|clear_stclear'

# Makes the files a.pol, b.pol and or.pol for a gate that has the value it has now: the
# two branches and the whole policy, as the TPM itself computes them.
make_policies() {
	tpm2_startauthsession -S "$scratch/s" &&
		tpm2_policypcr -S "$scratch/s" -l "sha256:$gate" -L "$scratch/a.pol" > /dev/null
	tpm2_flushcontext "$scratch/s"
	tpm2_startauthsession -S "$scratch/s" &&
		tpm2_policynvwritten -S "$scratch/s" s -L "$scratch/b.pol" > /dev/null
	tpm2_flushcontext "$scratch/s"
	tpm2_startauthsession -S "$scratch/s" &&
		tpm2_policyor -S "$scratch/s" -L "$scratch/or.pol" \
			"sha256:$scratch/a.pol,$scratch/b.pol" > /dev/null
	tpm2_flushcontext "$scratch/s"
} 2> /dev/null

# session BRANCH: a policy session that has gone as far as it gets
session() {
	tpm2_startauthsession --policy-session -S "$scratch/s" || return
	case $1 in
	pcr) tpm2_policypcr -S "$scratch/s" -l "sha256:$gate" ;;
	written) tpm2_policynvwritten -S "$scratch/s" s ;;
	esac > /dev/null
	tpm2_policyor -S "$scratch/s" "sha256:$scratch/a.pol,$scratch/b.pol" > /dev/null
}

# extend_by BRANCH DIGEST
extend_by() {
	session "$1" && printf %s "$2" | xxd -r -p |
		tpm2_nvextend "$index" -C "$index" -P "session:$scratch/s" -i -
	extend_status=$?
	tpm2_flushcontext "$scratch/s" > /dev/null
	return $extend_status
}

first_write() {
	extend_by pcr "$1" 2> "$scratch/attack.err"
}

next_write() {
	extend_by written "$1" 2> "$scratch/attack.err"
}

# define_as ATTRIBUTES POLICY-FILE
define_as() {
	tpm2_nvdefine "$index" -C o -g sha256 -a "$1" ${2:+-L "$2"} > /dev/null 2> "$scratch/attack.err"
}

# measured WORD: a word that root puts into log and TPM, as the product would
measured() {
	test/tools/edit-log.py "$log" append "$1" || die "cannot append $1"
	next_write "$(sha256 "$1")" || die "cannot measure $1"
}
