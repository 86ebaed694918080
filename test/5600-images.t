#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What goes into an initramfs: also the definitions and drop-ins of other packages.
. test/lib.sh

skip_without bash

system=$scratch/system		# stands for "/" of the machine that the image is made on
image=$scratch/image
mkdir -p "$system/usr/lib/veritally/nvpcr.d" "$system/etc/veritally/nvpcr.d" \
	"$system/usr/lib/veritally.conf.d" "$system/etc/veritally.conf.d"
touch "$system/usr/lib/veritally/veritally.conf" \
	"$system/usr/lib/veritally/nvpcr.d/verity.nvpcr" \
	"$system/usr/lib/veritally/nvpcr.d/other-package.nvpcr" \
	"$system/usr/lib/veritally/nvpcr.d/unwanted.nvpcr" \
	"$system/etc/veritally/nvpcr.d/mine.nvpcr" "$system/etc/veritally.conf" \
	"$system/usr/lib/veritally.conf.d/10-other-package.conf" \
	"$system/etc/veritally.conf.d/50-mine.conf" \
	"$system/usr/lib/veritally/nvpcr.d/leftover.nvpcr~"
ln -s /dev/null "$system/etc/veritally/nvpcr.d/unwanted.nvpcr"

# Functions that the generators have, as far as the image's files go.
cat > "$scratch/functions" <<'END'
put() { mkdir -p "$image${1%/*}" && cp -P "$system$1" "$image$1"; }
inst_multiple() { for file; do put "$file"; done; }
copy_exec() { :; }
copy_file() { put "${2#"$system"}"; }
manual_add_modules() { :; }
copy_modules_dir() { :; }
map() { :; }
add_module() { :; }
add_checked_modules() { :; }
add_binary() { :; }
add_runscript() { :; }
add_file() { [ ! -e "$system${1#"$system"}" ] || put "${1#"$system"}"; }
add_symlink() { file=${1#"$system"}; mkdir -p "$image${file%/*}"; ln -s "$2" "$image$file"; }
END

# all_there GENERATOR: everything is in the image
all_there() {
	is "$(cd "$image" && find . -type f | LC_ALL=C sort)" \
		"$(cd "$system" && find . -type f ! -name '*~' | LC_ALL=C sort)" \
		"$1: all definitions and drop-ins are in the image"
	is "$(readlink "$image/etc/veritally/nvpcr.d/unwanted.nvpcr")" /dev/null \
		"$1: what is masked stays so"
	rm -rf "$image"
	mkdir "$image"
}

# on_system FILE: the same file, with the folders of that machine
on_system() {
	sed "s#^\. /usr/share/initramfs-tools/hook-functions#. '$scratch/functions'#
		s#\([[:blank:]{]\)/\(usr/lib\|etc\|{usr/lib,etc}\)/\(veritally\)#\1$system/\2/\3#g" "$1"
}

mkdir "$image"
export system image functions="$scratch/functions"
bash -c 'initdir=$image dracutsysrootdir=$system; . "$functions"
	. dracut-module/50veritally/module-setup.sh; install_config' \
	> "$out" 2>&1 || said
all_there dracut

on_system hook/initramfs-tools/hooks/veritally > "$scratch/hook"
DESTDIR=$image sh "$scratch/hook" > "$out" 2>&1 || said
cp -a "$image$system/." "$image" && rm -rf "${image:?}$system"
all_there initramfs-tools

on_system hook/mkinitcpio/install/veritally > "$scratch/hook"
bash -c '. "$functions"; . "$1"; build' - "$scratch/hook" > "$out" 2>&1 || said
rm -f "$image/usr/lib/veritally/veritally-hook"
all_there mkinitcpio

# mkinitfs takes a list of patterns.
mkdir -p "$image"
grep '^/' hook/mkinitfs/veritally.files | while read -r pattern; do
	for file in "$system"$pattern; do
		file=${file#"$system"}
		[ ! -e "$system$file" ] && [ ! -h "$system$file" ] && continue
		mkdir -p "$image${file%/*}"
		cp -P "$system$file" "$image$file"
	done
done
all_there mkinitfs

done_testing
