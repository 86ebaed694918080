#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The measuring service: systemd's interface, hostile clients, and many at once.
. test/lib.sh

skip_without jq swtpm tpm2_startup sha256sum xxd python3 setpriv

apps=0x01805700
socket=$root/run/veritally/io.systemd.PCRExtend
extend=io.systemd.PCRExtend.Extend

# call METHOD PARAMETERS: leaves the reply in $out
call() {
	test/tools/varlink.py "$socket" call "$1" "$2" > "$out" 2> "$err"
	status=$?
}

# succeeds DESCRIPTION: the last call did
succeeds() {
	is "$(cat "$out")" '{"parameters": {}}' "$1"
}

# fails ERROR [PARAMETER] DESCRIPTION
fails() {
	is "$(jq -r '[.error] + (.parameters | map(tostring)) | join(" ")' "$out")" "$1" "$2"
}

last() {
	is "$(words | tail -n 1)" "$1" "$2"
}

agrees() {
	is "$(tpm2_nvread $apps -C o 2> /dev/null | xxd -p -c 256)" \
		"$(expect fold "$log" nv_index $apps)" "$1: apps equals the log"
	run verify
	says 0 '^verify: ok' "$1: verify"
}

tpm_start
proxy_start
new_boot
mkdir -p "$root/etc/veritally/nvpcr.d"
printf '{"name":"apps","nvIndex":%d}' $((apps)) > "$root/etc/veritally/nvpcr.d/apps.nvpcr"
begin_watch
is "$(stat -c %a "$socket")" 600 'the socket is for root'

# --- the interface

call org.varlink.service.GetInfo '{}'
is "$(jq -r '.parameters.interfaces | join(" ")' "$out")" \
	'org.varlink.service io.systemd.PCRExtend' 'GetInfo'
call org.varlink.service.GetInterfaceDescription '{"interface":"io.systemd.PCRExtend"}'
is "$(jq -r .parameters.description "$out" | grep -c '^method Extend(pcr: ?int, nvpcr: ?string')" \
	1 'GetInterfaceDescription'
call org.varlink.service.GetInterfaceDescription '{"interface":"a.b"}'
fails 'org.varlink.service.InterfaceNotFound a.b' 'of an interface that is not there'

call $extend '{"nvpcr":"apps","text":"hello","eventType":"machine_id"}'
succeeds 'a text'
last 'user:v1:varlink:0:machine-id:text:hello' 'its word'
is "$(records '.[-1].content.eventType')" machine-id 'its type as the log spells it'
forget_commands
call $extend '{"nvpcr":"apps","data":"AAECAw=="}'
succeeds 'data'
is "$(n_commands .)" 4 'it costs four commands'
last "user:v1:varlink:0:-:data:4:$(printf '\0\1\2\3' | sha256sum | cut -d' ' -f1)" 'its word'
call $extend '{"pcr":15,"text":"one"}'
succeeds 'a PCR'
is "$(records '.[-1].pcr')" 15 'is extended'
call $extend '{"nvpcr":"verity","text":"dm-verity:v1:x","secret":null}'
succeeds 'into verity'
is "$(n_words '^dm-verity:')" 0 'nothing passes for an activation'
agrees 'calls'

before=$(words | wc -l)
for bad in '{}:pcr' '{"nvpcr":"apps"}:text' '{"text":"a"}:pcr' \
	'{"pcr":1,"nvpcr":"apps","text":"a"}:nvpcr' '{"nvpcr":"apps","text":""}:text' \
	'{"nvpcr":"apps","text":"a","data":"YQ=="}:data' '{"nvpcr":"apps","data":"YQ="}:data' \
	'{"nvpcr":"apps","data":"YR=="}:data' '{"nvpcr":"apps","data":"!!!!"}:data' \
	'{"pcr":24,"text":"a"}:pcr' '{"pcr":-1,"text":"a"}:pcr' '{"pcr":"15","text":"a"}:pcr' \
	'{"nvpcr":"pcr:13","text":"a"}:nvpcr' '{"nvpcr":7,"text":"a"}:nvpcr' \
	'{"nvpcr":"apps","text":7}:text' '{"nvpcr":"apps","text":"a","eventType":"x"}:eventType' \
	'{"nvpcr":"apps","text":"a","secret":"YQ=="}:secret'; do
	call $extend "${bad%:*}"
	fails "org.varlink.service.InvalidParameter ${bad##*:}" "refused: ${bad%:*}"
done
call $extend '{"nvpcr":"other","text":"a"}'
fails 'io.systemd.PCRExtend.NoSuchNvPCR' 'an NvPCR that is not there'
call $extend '{"pcr":13,"text":"a"}'
is "$(jq -r .error "$out")" org.varlink.service.PermissionDenied 'the gate PCR'
call io.systemd.PCRExtend.Reset '{}'
fails 'org.varlink.service.MethodNotFound io.systemd.PCRExtend.Reset' 'another method'
call io.systemd.Other.Extend '{}'
fails 'org.varlink.service.InterfaceNotFound io.systemd.Other' 'another interface'
is "$(words | wc -l)" "$before" 'none of them left a record'

# --- hostile clients

for text in '{' '{"method":"io.systemd.PCRExtend.Extend","parameters":{"nvpcr":"apps"' ''; do
	is "$(test/tools/varlink.py "$socket" raw "$text")" '' "half a message: $text"
done
at_most "$(test/tools/varlink.py "$socket" fill)" 1000000 'an endless message is cut off'
for garbage in 'null' '[]' '"x"' '{"method":7}' '{"method":"a.b","parameters":[]}' \
	'{} trailing' '[[[[[[[[[[[[[[]]]]]]]]]]]]]]'; do
	call "$garbage" '{}' 2> /dev/null
	printf '%s\0' "$garbage" | timeout 10 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
sys.exit(len(s.recv(100)))' "$socket"
	is $? 0 "garbage ends the connection: $garbage"
done
is "$(words | wc -l)" "$before" 'none of them left a record'

test/tools/varlink.py "$socket" slow > "$scratch/slow" &
slow=$!
mkfifo "$scratch/stdin"
test/tools/varlink.py "$socket" hold 1000 "$scratch/held" < "$scratch/stdin" &
pids="$pids $slow $!"
exec 9> "$scratch/stdin"
await 30 test -e "$scratch/held"
ok $? '1000 connections are opened'
at_most "$(find "/proc/$(writer)/fd" | wc -l)" 90 'few of them are kept'
dm_add 0 tools 7 test/vectors/tools.table
uevent add 0 7
await 5 has_words 1 ^dm-verity:
ok $? 'an activation is measured meanwhile'
call $extend '{"nvpcr":"apps","text":"between"}'
succeeds 'and a good client is served'
await 20 test -s "$scratch/slow"
is "$(cat "$scratch/slow")" closed 'a client that dawdles is dropped'
exec 9>&-
agrees 'hostile clients'

# --- who may: root, and a group if the configuration names one

nobody() {
	setpriv --reuid=65534 --regid="${1:-65534}" --clear-groups \
		test/tools/varlink.py "$socket" extend '{"nvpcr":"apps","text":"nobody"}' "${2:-1}" \
		> "$out" 2> "$err"
}

chmod 755 "$scratch" "$root" "$root/run"
nobody
is "$(cat "$out")" '' 'others are not let in'
kill_writer
echo 'extend_group=measurers' > "$root/etc/veritally.conf"
begin_watch
like "$scratch/watch.err" 'extend_group=measurers: there is no such group' \
	'a group that is not there is said'
is "$(stat -c %a "$socket")" 600 'and lets nobody in'
kill_writer
printf 'root:x:0:\nmeasurers:x:4242:\n' > "$root/etc/group"
begin_watch
is "$(stat -c '%a %g' "$socket" "$root/run/veritally" | xargs)" '660 4242 710 4242' \
	'a group can be let in'
nobody
is "$(cat "$out")" '' 'but not those outside of it'
nobody 4242
like "$out" '^ok' 'its members are'
last 'user:v1:varlink:65534:-:text:nobody' 'and the word says who'
is "$(stat -c %a "$root/run/veritally/control" "$root/run/veritally/lock" | xargs)" '600 600' \
	'the rest of the folder stays closed'
nobody 4242 160
at_most 2 "$(sed -n 's/^ok \([0-9]*\)\..*/\1/p' "$out")" 'others than root are paced'
nobody 4242 100 &
paced=$!
pids="$pids $paced"
before=$(n_words text:nobody)
await 10 has_words $((before + 1)) text:nobody
test/tools/varlink.py "$socket" extend '{"nvpcr":"apps","text":"root"}' 20 > "$out.root"
like "$out.root" '^ok' 'root is served'
! is_gone $paced
ok $? 'and does not wait for them'
wait $paced

# Its members cannot push root's connection out.
mkfifo "$scratch/root.in" "$scratch/nobody.in"
test/tools/varlink.py "$socket" stay '{"nvpcr":"apps","text":"still here"}' \
	"$scratch/root.ready" < "$scratch/root.in" > "$scratch/root.out" &
stay=$!
exec 8> "$scratch/root.in"
await 10 test -e "$scratch/root.ready"
chmod 777 "$scratch"
setpriv --reuid=65534 --regid=4242 --clear-groups test/tools/varlink.py "$socket" hold 200 \
	"$scratch/nobody.ready" < "$scratch/nobody.in" 8>&- &
pids="$pids $stay $!"
exec 9> "$scratch/nobody.in"
await 10 test -e "$scratch/nobody.ready"
call $extend '{"nvpcr":"apps","text":"new"}'
succeeds 'root finds a place among many others'
exec 8>&-
wait $stay
is "$(cat "$scratch/root.out")" '{"parameters": {}}' 'and keeps one it has'
exec 9>&-
agrees 'a group'

# --- 16 clients and activations at once

clients=
i=0
while [ $i -lt 16 ]; do
	how=extend
	[ $((i % 4)) -ne 0 ] || how=pipeline
	target='"nvpcr":"apps"'
	[ $((i % 5)) -ne 0 ] || target='"pcr":15'
	test/tools/varlink.py "$socket" $how "{$target,\"text\":\"client $i\"}" 40 \
		> "$scratch/client$i" &
	clients="$clients $!"
	i=$((i + 1))
done
i=10
while [ $i -lt 30 ]; do
	dm_add $i "many$i" $((i + 100)) test/vectors/second.table
	uevent add $i $((i + 100))
	i=$((i + 1))
done
await 20 has_words 21 ^dm-verity:
ok $? 'the activations are measured'
for client in $clients; do
	wait "$client"
done
is "$(cat "$scratch"/client* | grep -c ^ok)" 16 'all clients are served'
is "$(n_words ':text:client ')" 640 'every call is in the log once'
is "$(n_words ^dm-verity:)" 21 'and so is every activation'
is "$(expect check "$log")" '' 'the log is well-formed'
is "$(nv_value)" "$(expect fold "$log" nv_index $index)" 'verity equals the log'
is "$(pcr_value 15)" "$(expect fold "$log" pcr 15)" 'PCR 15 equals the log'
agrees 'all at once'

kill_writer
[ ! -e "$socket" ]
ok $? 'the socket goes with the daemon'

done_testing
