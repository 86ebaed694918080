#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# dracut 059 and dracut-ng.  With systemd in the initramfs a unit does the work,
# since a process that a hook leaves behind dies with the hook's service; else
# hooks run the same veritally-hook as every other generator.

# Needs the binary only.  An image made for this one machine leaves it out when
# the machine has no TPM, unless it is asked for.
check() {
	require_binaries veritally || return 1
	# shellcheck disable=SC2154
	if [[ $hostonly ]]; then
		compgen -G "/sys/class/tpmrm/*" > /dev/null || return 255
	fi
	return 0
}

# Raw device-mapper and TPM calls from one binary: nothing else is needed.
depends() {
	return 0
}

# An extension may be for any machine, so these are wanted in every image.
installkernel() {
	hostonly='' instmods dm_mod dm-verity loop erofs squashfs overlay \
		'=drivers/char/tpm'
}

# Configuration and NvPCR definitions; a link to /dev/null masks one and has to
# stay a link.
install_config() {
	local root="${dracutsysrootdir-}" file

	for file in "$root"/usr/lib/veritally/veritally.conf \
		"$root"/etc/veritally.conf \
		"$root"/{usr/lib,etc}/veritally.conf.d/*.conf \
		"$root"/{usr/lib,etc}/veritally/nvpcr.d/*.nvpcr; do
		if [[ $(readlink "$file") == /dev/null ]]; then
			file=${file#"$root"}
			# shellcheck disable=SC2154
			mkdir -p "$initdir${file%/*}"
			ln -sfn /dev/null "$initdir$file"
		elif [[ -e $file ]]; then
			inst_multiple "${file#"$root"}"
		fi
	done
}

install_unit() {
	inst_multiple modprobe
	# shellcheck disable=SC2154
	inst_multiple "$systemdsystemunitdir/veritally-initrd.service"
	$SYSTEMCTL -q --root "$initdir" add-wants initrd.target \
		veritally-initrd.service
}

# dracut-ng's init moves /run by itself, that of 059 leaves it to switch_root.
install_hooks() {
	inst_multiple modprobe readlink mount mv ln \
		/usr/lib/veritally/veritally-hook
	# shellcheck disable=SC2154
	inst_hook pre-trigger 05 "$moddir/veritally-start.sh"
	inst_hook pre-pivot 99 "$moddir/veritally-leave.sh"
	# shellcheck disable=SC2154
	grep -qs 'move /run ' "$dracutbasedir"/modules.d/*/init.sh ||
		inst_hook cleanup 90 "$moddir/veritally-keep-run.sh"
}

install() {
	# the unit and the hook know one place, whatever the prefix here
	inst "$(find_binary veritally)" /usr/sbin/veritally
	install_config
	if dracut_module_included systemd; then
		install_unit
	else
		install_hooks
	fi
}
