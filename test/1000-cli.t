#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line: help, misuse, exit statuses, and a system without a TPM.
. test/lib.sh

skip_without jq sha256sum

verbs='start watch leave sync status log verify predict extend nvpcr undefine ak attest
	policy check'

# --- help and version

new_boot
run --help
says 0 '^Usage: veritally' '--help is usage'
for verb in $verbs; do
	like "$out" "^  $verb " "--help lists $verb"
done
is "$(sed -n '/^Verbs:/,/^$/p' "$out" | grep -c '^  ')" "$(echo "$verbs" | wc -w)" \
	'--help lists no other verb'
run --version
says 0 '^veritally [^ ]+$' '--version is one line'
for verb in $verbs; do
	run "$verb" --help
	says 0 "^Usage: veritally $verb" "$verb --help is usage"
	[ ! -s "$err" ]
	ok $? "$verb --help says nothing else" || said
done
[ ! -e "$root/run/veritally" ] && [ ! -e "$root/run/log" ]
ok $? 'asking for help leaves nothing behind'

# --- misuse

misuse() {
	run "$@"
	says 2 'veritally' "misuse: $*"
	[ ! -s "$out" ] || said
}

misuse
misuse nonsense
misuse --nonsense status
misuse --tpm
misuse -x status
for verb in $verbs; do
	misuse "$verb" --nonsense
done
for verb in start watch leave sync status log verify; do
	misuse "$verb" argument
done
misuse predict
misuse ak
misuse ak destroy
misuse ak create argument
misuse ak create --output=file
misuse ak challenge file
misuse ak challenge --output=file
misuse ak activate
misuse ak activate one two
misuse ak create --type=dsa
misuse ak show --handle=0x01805645
misuse attest
misuse attest argument
for nonce in '' 1234 123 nonsense-nonsense 0x0011223344556677 "${zero}00"; do
	misuse attest --nonce="$nonce"
done
misuse start --ready-fd=77
misuse start --ready-fd=x
misuse sync --phase=UPPER
misuse sync --phase=
misuse sync --timeout=1s
misuse sync --timeout=-1
[ ! -e "$root/run/veritally" ] && [ ! -e "$root/run/log" ]
ok $? 'misuse leaves nothing behind'

for conf in nonsense device:relative swtpm:port=0 swtpm:port=70000 swtpm:nonsense; do
	tpm=$conf
	run start --oneshot
	says 2 "'$conf' is no TPM connection" "start --tpm=$conf is misuse"
	new_boot
done
tpm=none

"$VERITALLY" --sysroot="$scratch/nowhere" status > "$out" 2> "$err"
status=$?
says 1 'cannot open --sysroot' 'a --sysroot that is not there'
"$VERITALLY" --sysroot="$root" --tpm=none --config="$scratch/nothing" status > "$out" 2> "$err"
status=$?
run --config="$scratch/nothing" start --oneshot
says 1 'cannot read --config' 'a --config that is not there'
"$VERITALLY" --help > /dev/full 2> "$err"
status=$?
: > "$out"
says 1 'cannot write' 'a full disk under --help is an error'

# --- without a log

run status
says 0 'nothing was measured' 'status without a log'
run status --json
exits 0 'status --json without a log'
is "$(jq -c .devices "$out")" '[]' 'status --json without a log lists no devices'
run verify
says 1 'there is no log' 'verify without a log cannot tell'
run verify --json
exits 1 'verify --json without a log cannot tell'
run log
says 1 'there is no log' 'log without a log'
dm_add 3 tools 9 test/vectors/tools.table
run status
says 0 'NOT MEASURED' 'status shows a device that nobody measured'

# --- without a TPM

new_boot
dm_add 0 tools 7 test/vectors/tools.table
run start --oneshot
says 0 'kept in the log only \(configured\)' 'start without a TPM is no failure'
is "$(words | tail -n 1)" "$(cat test/vectors/tools.words)" 'it keeps a log'
is "$(words | grep -c nvpcr-genesis)" 0 'without a genesis'
is "$(words | head -n 1)" 'nvpcr-anchor:v1:mode=none:configured' 'and says so first'
is "$(expect check "$log")" '' 'the log is well-formed'
run verify
says 1 'cannot tell' 'verify without a TPM cannot tell'
like "$out" 'measured without a TPM: configured' 'and says why'
run verify --json
is "$(jq -r .verdict "$out")" 'cannot tell' 'verify --json says the same'
run log
says 0 'dm-verity:v1' 'log prints a table'
like "$out" 'UNVERIFIED' 'whose claims are marked'
like "$out" 'dmName=tools' 'and are shown'
run log --json
exits 0 'log --json'
is "$(jq length "$out")" "$(words | wc -l)" 'is one array'
is "$(jq -r '.[-1].content.string' "$out")" "$(cat test/vectors/tools.words)" \
	'of the same records'
run status
says 0 'rung +log' 'status shows the rung'
like "$out" '253:0 +record' 'and that the device has a record'
is "$(stat -c %a "$log")" 600 'the log is for root only'
is "$(stat -c %a "$root/run/log/veritally" "$root/run/veritally" | tr '\n' ' ')" '700 700 ' \
	'and so are the folders'

# A second writer goes on, also without a TPM.
dm_add 1 more 8 test/vectors/second.table
run start --oneshot
says 0 'going on with the log' 'a second start goes on'
is "$(words | tail -n 1)" "$(cat test/vectors/second.words)" 'and measures what is new'
is "$(n_words nvpcr-anchor)" 1 'without a second anchor'

tpm=auto
new_boot
run start --oneshot
says 0 'no-tpm' 'auto without a TPM costs nothing'
is "$(words)" 'nvpcr-anchor:v1:mode=none:no-tpm' 'and says why'
mkdir -p "$root/sys/class/tpm/tpm0"
new_boot
tpm=device:/dev/tpmrm0
mkdir -p "$root/etc"
echo timeout=1 > "$root/etc/veritally.conf"
began=$(date +%s)
run start --oneshot
says 0 'tpm-absent' 'a TPM that never appears is given up'
at_most $(($(date +%s) - began)) 3 'within its timeout, seconds'
rm "$root/etc/veritally.conf"
tpm=swtpm:path=$scratch/nobody
new_boot
run start --oneshot
exits 0 'a TPM that cannot be reached is no failure'
like "$log" 'mode=none:tpm-' 'and is said in the log'

# --- switched off

tpm=none
new_boot
for off in rd.veritally=0 veritally=0 'quiet rd.veritally=1 veritally=no'; do
	echo "$off" > "$root/proc/cmdline"
	for verb in start watch leave sync 'start --oneshot'; do
		# shellcheck disable=SC2086 # a verb and its option
		run $verb
		says 0 'switched off' "$verb with $off"
	done
done
[ ! -e "$root/run/veritally" ] && [ ! -e "$root/run/log" ]
ok $? 'and nothing was touched'
echo 'rd.veritally=0 rd.veritally' > "$root/proc/cmdline"
run start --oneshot
says 0 'ready' 'the last word on the command line counts'
rm "$root/proc/cmdline"

# --- the static binary

case $VERITALLY in
*/build/veritally | build/veritally)
	readelf -lW "$VERITALLY" > "$out"
	unlike "$out" 'INTERP|DYNAMIC' 'the binary has no interpreter'
	readelf -dW "$VERITALLY" > "$out"
	unlike "$out" 'NEEDED' 'and needs no library'
	at_most "$(stat -c %s "$VERITALLY")" 900000 'and is small'
	;;
esac

done_testing
