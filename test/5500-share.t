#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# systemd's NvPCR: initialised for it without a key, or left alone.
. test/lib.sh

skip_without jq swtpm tpm2_startup tpm2_nvdefine sha256sum xxd python3

theirs=$root/run/log/systemd/tpm2-measure.log
auth=$root/run/systemd/nvpcr/verity.auth
handle=0x1d10202
first=f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b

# share_boot: another boot of a machine on which systemd would need help
share_boot() {
	rule
	tpm2_nvundefine $handle -C o > /dev/null 2>&1
	tpm_reset || die 'no reset'
	new_boot
	mkdir -p "$root/run/systemd/system" "$root/usr/lib/nvpcr"
	rm -rf "$root/.extra"
	printf '{"name":"verity","nvIndex":%d,"priority":300}\n' $((handle)) \
		> "$root/usr/lib/nvpcr/verity.nvpcr"
}

# left_alone REASON WHAT: the start that was made did nothing to systemd's index
left_alone() {
	is "$(words | grep ^share:)" "share:v1:none:$1" "$2: is left alone, and that is said"
	is "$(n_commands "NV_UndefineSpace\|NV_DefineSpace")" 0 "$2: nothing is tried"
	[ "$1" = initialised ] || [ ! -e "$auth" ]
	ok $? "$2: nor is systemd told anything"
	run verify
	says 0 '^verify: ok' "$2: verify"
	run status
	says 0 "its NvPCR is its own affair \($1\)" "$2: status"
}

value() {
	tpm2_nvread $handle -C o 2> /dev/null | xxd -p -c 256
}

extend_as_systemd() {
	test/tools/systemd-extend.py "$port" $handle "$auth" "$1" > "$out" 2>&1
}

tpm_start
proxy_start
mkdir -p "$root/etc"
echo systemd=share > "$root/etc/veritally.conf"

# --- nobody else can

share_boot
must start --oneshot
is "$(value)" $first 'the first value is the constant that systemd has'
name=$(tpm2_nvreadpublic $handle | sed -n 's/^ *name: *//p')
tpm2_nvreadpublic $handle > "$scratch/public"
like "$scratch/public" 'value: 0x2C060048' 'its attributes are those of systemd'
is "$(cat "$auth")" "$(test/tools/expect.py branch $gate $zero)" \
	'systemd is told the digest of our policy'
is "$(stat -c %a "$root/run/systemd/nvpcr")" 755 'in a folder like its own'
is "$(words | grep ^share:)" "share:v1:0x01d10202:$name:$first" 'the log says what was done'
test/tools/systemd-log.py check "$theirs" > "$scratch/theirs"
is "$(grep -c "^9 nvpcr-init nvpcr-init:verity:0x1d10202:$name$" "$scratch/theirs")" 1 \
	"the record is in systemd's log"
is "$(expect fold "$theirs" pcr 9)" "$(pcr_value 9)" 'and in PCR 9, in every bank'
is "$(expect fold "$theirs" pcr 9 "$(printf %0128d 0)" sha512)" "$(pcr_value 9 sha512)" 'sha512 too'
is "$(grep -c '"recnum"' "$theirs")" "$(words | wc -l)" 'and is no copy of ours'
run verify
says 0 '^verify: ok' 'verify'
run status
says 0 'verity was initialised for it at 0x01d10202' 'status'

extend_as_systemd 'verity:loop0p1-8-verity:3b3b:'
is "$?" 0 'the commands that systemd 262 sends succeed'
is "$(wc -l < "$out")" 14 'all fourteen of them'
is "$(value)" "$(expect extend $first 'verity:loop0p1-8-verity:3b3b:')" 'and extend the index'
run verify
says 0 '^verify: ok' 'which verify does not mind'
test/tools/systemd-log.py append "$theirs" nvpcr-separator
dm_add 0 tools 7 test/vectors/tools.table
must start --oneshot
is "$(n_words ^share:)" 1 'the next writer does nothing of the kind again'
test/tools/systemd-log.py check "$theirs" > "$scratch/theirs"
is "$(tail -n 1 "$scratch/theirs" | cut -d' ' -f3)" "$(cat test/vectors/tools.words)" \
	'and the copy goes on'

# Nobody begins its history anew: the gate is closed.
tpm2_nvundefine $handle -C o
test/tools/expect.py policy $gate $zero | xxd -r -p > "$scratch/policy"
tpm2_nvdefine $handle -C o -g sha256 -L "$scratch/policy" -a \
	'policywrite|ownerread|authread|clear_stclear|orderly|nt=extend' > /dev/null 2>&1
extend_as_systemd 'again'
isnt $? 0 'an index that was defined anew cannot be written'
run verify
says 3 "systemd's NvPCR is not the index any more" 'and verify sees it'

# A normal boot: the index is there, and is used as it is.
tpm_reset
new_boot
mkdir -p "$root/run/systemd/system"
forget_commands
must start --oneshot
is "$(n_commands NV_DefineSpace)" 0 'the next boot defines nothing'
is "$(value)" $first 'and begins again'
extend_as_systemd 'again'
is $? 0 'and systemd can extend'
run undefine --all
says 1 '0x01d10202 of systemd is in use' 'undefine keeps it while it is in use'
tpm_reset
run undefine --all
says 0 '0x01d10202 of systemd is deleted' 'and deletes it later'
is "$(tpm2_getcap handles-nv-index | wc -l)" 0 'nothing leaks'
new_boot
must start --oneshot

# --- somebody else did, or can, or does not want it

for key in .extra run/systemd etc/systemd; do
	share_boot
	forget_commands
	mkdir -p "$root/$key"
	echo key > "$root/$key/tpm2-pcr-public-key.pem"
	must start --oneshot
	left_alone systemd-key "a key in /$key"
	rm "$root/$key/tpm2-pcr-public-key.pem"
done
share_boot
forget_commands
mkdir -p "$root/run/systemd/nvpcr"
echo 00 > "$auth"
must start --oneshot
left_alone initialised 'initialised already'
is "$(cat "$auth")" 00 'initialised already: the file is as it was'

printf '%032d' 0 > "$scratch/other"
share_boot
tpm2_nvdefine $handle -C o -g sha256 -L "$scratch/other" -a \
	'policywrite|ownerread|authread|clear_stclear|orderly|nt=extend' > /dev/null
forget_commands
must start --oneshot
left_alone other-policy 'an index of systemd'
run undefine --all --force
exits 0 'undefine'
is "$(tpm2_getcap handles-nv-index | grep -ci ${handle#0x})" 1 'undefine keeps it'
tpm_reset
new_boot
must start --oneshot
share_boot
echo data > "$scratch/data"
tpm2_nvdefine $handle -C o -s 8 -a 'ownerread|ownerwrite' > /dev/null
forget_commands
must start --oneshot
left_alone foreign-index 'an index of somebody else'

share_boot
forget_commands
ln -sf /dev/null "$root/usr/lib/nvpcr/verity.nvpcr"
must start --oneshot
left_alone no-definition 'a masked definition'
rm "$root/usr/lib/nvpcr/verity.nvpcr"
for bad in '{"name":"verity","nvIndex":25187909}' 'x' \
	'{"name":"verity","nvIndex":30474754,"algorithm":"sha384"}'; do
	share_boot
	forget_commands
	echo "$bad" > "$root/usr/lib/nvpcr/verity.nvpcr"
	must start --oneshot
	left_alone bad-definition "definition $bad"
done
share_boot
rm -r "$root/run/systemd"
forget_commands
must start --oneshot
left_alone no-systemd 'another init'
share_boot
forget_commands
begin_watch
kill_writer
left_alone not-initrd 'too late'
share_boot
forget_commands
mkdir -p "$root/run/log/systemd"
: > "$theirs"
exec 9< "$theirs"
flock -x 9
must start --oneshot
exec 9<&-
is "$(words | grep ^share:)" share:v1:none:log-busy 'a log that is locked'
[ ! -e "$auth" ]
ok $? 'systemd is not told of what is not in its log'
run verify
says 0 '^verify: ok' 'verify'
share_boot
echo gate_pcr=9 >> "$root/etc/veritally.conf"
gate=9
must start --oneshot
is "$(words | grep ^share:)" share:v1:none:gate-pcr-9 'a gate that systemd extends, too'
run verify
says 0 '^verify: ok' 'verify'
gate=13

# --- the TPM does not

echo systemd=share > "$root/etc/veritally.conf"
echo timeout=1 >> "$root/etc/veritally.conf"
share_boot
rule NV_DefineSpace rc:0x14b
must start --oneshot
is "$(words | grep ^share:)" share:v1:none:nv-space 'no room'
run verify
says 0 '^verify: ok' 'no room: verify'
for command in NV_DefineSpace NV_Extend; do
	share_boot
	rule $command hang
	must start --oneshot
	rule
	is "$(words | grep ^share:)" share:v1:none:no-tpm "silent at $command: the boot goes on"
	[ ! -e "$auth" ]
	ok $? "silent at $command: systemd is not told anything"
done
share_boot
tpm=none
must start --oneshot
is "$(words | grep ^share:)" share:v1:none:no-tpm 'no TPM'

done_testing
