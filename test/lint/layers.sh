#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# layers.sh - each folder of src/ includes only folders below it, and enters
# another folder only by its door, FOLDER/FOLDER.h (base/ has no door)
set -eu
. test/lint/files.sh

allowed() {
	case $1 in
	base)			echo "base" ;;
	tpm | dm | eventlog)	echo "base $1" ;;
	nvpcr)			echo "base tpm nvpcr" ;;
	verity)			echo "base dm verity" ;;
	measure)		echo "base tpm nvpcr verity eventlog measure" ;;
	attest)			echo "base tpm nvpcr eventlog attest" ;;
	cmd | main)		echo "base tpm dm eventlog nvpcr verity measure attest cmd" ;;
	esac
}

verdict "$(c_files | sed -n 's|^src/||p' | while read -r file; do
	case $file in */*) from=${file%%/*} ;; *) from=main ;; esac
	[ -n "$(allowed "$from")" ] || echo "src/$file: no layer is known for $from/"
	sed -n 's|^#include "\(.*/.*\)".*|\1|p' "src/$file" | while read -r inc; do
		to=${inc%%/*}
		case " $(allowed "$from") " in
		*" $to "*)
			[ "$to" = "$from" ] || [ "$to" = base ] ||
				[ "$inc" = "$to/$to.h" ] ||
				echo "src/$file: enter $to/ by $to/$to.h, not $inc" ;;
		*)	echo "src/$file: $from/ may not include $inc" ;;
		esac
	done
done)"
