# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lib.sh - what the scripts that run inside the guest share (initramfs and real root, any sh)
# $out, set by those who capture, is where their results go.
# shellcheck disable=SC2154

PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# mark WORD... - a line on the serial console that the host looks for, with the uptime
mark() {
	read -r uptime _ </proc/uptime
	echo "@@ $* $uptime" >/dev/console
}

# power_off - at once; the disks hold nothing that anyone wants
power_off() {
	sync
	echo o >/proc/sysrq-trigger
	sleep 60
}

# fail WORD... - the test is lost: say so and end the guest
fail() {
	mark "FAIL $*"
	power_off
}

# attach FILE [OPTION] - put a file behind a loop device, say which; busybox's losetup will do
attach() {
	loop=$(losetup -f)
	losetup -r ${2:+"$2"} "$loop" "$1"
	echo "$loop"
}

# partition_uuid DEVICE - a partition's UUID as 32 hex digits
partition_uuid() {
	blkid -p -s PART_ENTRY_UUID -o value "$1" | tr -d '-'
}

# open_image FILE NAME - activate an image with dm-verity under the device-mapper name NAME
open_image() {
	if [ -e "${1%.raw}.verity" ]; then
		data=$(attach "$1")
		tree=$(attach "${1%.raw}.verity")
	else
		data=$(attach "$1" -P)
		tree=${data}p2
		data=${data}p1
	fi
	if [ -e "${1%.raw}.roothash" ]; then
		roothash=$(cat "${1%.raw}.roothash")
	else
		roothash=$(partition_uuid "$data")$(partition_uuid "$tree")
	fi
	veritysetup open "$data" "$2" "$tree" "$roothash"
}

# table_of NAME - the table that activates /images/NAME.raw, a file system without partitions
table_of() {
	data=$(attach "/images/$1.raw")
	tree=$(attach "/images/$1.verity")
	read -r start sectors target version _ _ rest <"/images/$1.dmtable"
	echo "$start $sectors $target $version $data $tree $rest"
}

# capture NAME COMMAND... - run a command; its output, errors and status become NAME.*
capture() {
	capture_name=$out/$1
	shift
	"$@" >"$capture_name.out" 2>"$capture_name.err" && capture_status=0 || capture_status=$?
	echo "$capture_status" >"$capture_name.status"
}

# wait_for SECONDS COMMAND... - until the command succeeds; fails when the time is up
wait_for() {
	read -r uptime _ </proc/uptime
	deadline=$((${uptime%.*} + $1))
	shift
	until "$@"; do
		read -r uptime _ </proc/uptime
		[ "${uptime%.*}" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# has_records N TEXT - does the measurement log hold N records with TEXT?
has_records() {
	[ "$(grep -c "$2" /run/log/veritally/measure.log)" -ge "$1" ]
}

# tpm_command BYTES - one command, written in octal, to the TPM, if there is one; its answer
tpm_command() {
	[ -c /dev/tpmrm0 ] || return 0
	exec 3<>/dev/tpmrm0
	# shellcheck disable=SC2059 # bytes in octal
	printf "$1" >&3
	cat <&3
	exec 3<&-
}

# at_return NAME - what the NvPCR holds at this very moment: the TPM's answer to NV_Read is
# NAME.nv. A tool would take so long that what should be waited for comes to pass meanwhile.
at_return() {
	tpm_command '\200\002\0\0\0\043\0\0\001\116\100\0\0\001\001\200\126\105\0\0\0\011\100\0\0\011\0\0\0\0\0\0\040\0\0' \
		>"$out/$1.nv"
}

# tpm_pace slow|quick - have a TPM with test.delay= take its time from here on, or no longer
tpm_pace() {
	case $1 in
	slow) tpm_command '\200\001\0\0\0\012\0\0\001\174' ;;	# GetTestResult
	quick) tpm_command '\200\001\0\0\0\012\0\0\001\201' ;;	# ReadClock
	esac >/dev/null
}

# stuck - are there no processes that nothing wakes? Prints those there are
stuck() {
	! for stat in /proc/[0-9]*/stat; do
		read -r line <"$stat" || continue
		case $line in
		*') D '*) echo "$line" ;;
		esac
	done 2>/dev/null | grep .
}

# remains - what must not be left behind: suspended devices, processes that wait for ever
remains() {
	dmsetup info -c --noheadings -o name,suspended >"$out/left.devices" 2>&1 || true
	for _ in 1 2 3 4 5; do
		stuck >"$out/left.tasks" && break
		sleep 0.2
	done
}

# attempt NAME - what root, but neither PID 1 nor the daemon, can do with a daemon at work
attempt() {
	worker=$(tr -dc 0-9 </run/veritally/lock)
	for map in shared ring measured guard; do
		capture "$1-get-$map" attack get $map
	done
	for kind in maps links programs; do
		capture "$1-$kind" attack $kind
	done
	capture "$1-trace" attack trace "$worker"
}

# attempt_kill NAME - what they can do to the daemon itself
attempt_kill() {
	capture "$1-kill" env kill -KILL "$(tr -dc 0-9 </run/veritally/lock)"
}

# attempt_end NAME - what root can do to end the hook
attempt_end() {
	capture "$1-rm" rm /sys/fs/bpf/veritally/link
	capture "$1-mv" mv /sys/fs/bpf/veritally/link /sys/fs/bpf/link
	capture "$1-mv-folder" mv /sys/fs/bpf/veritally /sys/fs/bpf/other
	capture "$1-umount" umount -l /sys/fs/bpf
	capture "$1-umount-parent" umount -l /sys
	capture "$1-ftrace" sh -c 'echo 0 >/proc/sys/kernel/ftrace_enabled'
}

# switch_to SCRIPT - switch to a root that holds what this one does, and run the script there
switch_to() {
	mkdir /new
	mount -t tmpfs new /new
	for dir in bin sbin lib lib64 usr images; do
		cp -a "/$dir" /new
	done
	for dir in proc sys dev run; do
		mkdir "/new/$dir"
		mount -o move "/$dir" "/new/$dir"
	done
	mkdir /new/tmp /new/etc
	exec switch_root /new "/usr/libexec/veritally-test/$1"
}

# evidence - what the TPM holds, read by tools that are not ours
evidence() {
	export TPM2TOOLS_TCTI=device:/dev/tpmrm0
	capture nv tpm2_nvread -C o 0x01805645
	capture nvpublic tpm2_nvreadpublic 0x01805645
	capture pcr tpm2_pcrread sha1:13+sha256:13+sha384:13+sha512:13
}

# attest - what the host needs to judge this boot by itself
attest() {
	capture ak-create veritally ak create
	capture ak veritally ak show --pem
	capture attest veritally attest --nonce=6e6f6e63652d6f662d686f7374 --output="$out/evidence"
}

# deliver - send the directory $out to the host through the virtio port
deliver() {
	touch "$out/complete"
	for name in /sys/class/virtio-ports/*/name; do
		[ "$(cat "$name")" = veritally.result ] || continue
		port=${name%/name}
		tar -C "$out" -cf "/dev/${port##*/}" .
		mark DELIVERED
		return
	done
	fail 'no port for the results'
}
