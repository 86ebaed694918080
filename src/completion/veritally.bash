# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2207
#
# bash completion for veritally(8)

# The options of one verb, and of none: the global ones.
_veritally_options()
{
	case $1 in
	start) echo "--oneshot --foreground --ready-fd= --help" ;;
	watch) echo "--ready-fd= --help" ;;
	sync) echo "--phase= --timeout= --help" ;;
	extend) echo "--word= --file= --help" ;;
	undefine) echo "--all --force --help" ;;
	log) echo "--json --cel --help" ;;
	check) echo "--evidence= --policy= --nonce= --ak= --json --help" ;;
	policy) echo "--required --options= --architecture= --help" ;;
	status | verify | nvpcr) echo "--json --help" ;;
	predict) echo "--json --options= --architecture= --help" ;;
	ak) echo "--type= --handle= --output= --pem --json --help" ;;
	attest) echo "--nonce= --output= --handle= --help" ;;
	leave) echo "--help" ;;
	*) echo "--tpm= --sysroot= --config= -q --quiet -v --verbose --help \
		--version" ;;
	esac
}

# What may follow the "=" of an option.
_veritally_value()
{
	case $1 in
	--tpm) COMPREPLY=($(compgen -W \
		"auto device: swtpm:host= swtpm:path= none" -- "$2")) ;;
	--phase) COMPREPLY=($(compgen -W "host-ready" -- "$2")) ;;
	--sysroot) COMPREPLY=($(compgen -d -- "$2")) ;;
	--type) COMPREPLY=($(compgen -W "ecc rsa" -- "$2")) ;;
	--config | --file | --output | --evidence | --policy | --ak)
		COMPREPLY=($(compgen -f -- "$2")) ;;
	esac
}

_veritally()
{
	local verbs="start watch leave sync status log verify predict extend nvpcr \
		undefine ak attest policy check"
	local line=${COMP_LINE:0:COMP_POINT} cur word verb=

	cur=${line##*[[:space:]]}
	for word in ${line%"$cur"}; do
		[[ " $verbs " == *" $word "* ]] && verb=$word && break
	done
	COMPREPLY=()
	if [[ $cur == --*=* ]]; then
		_veritally_value "${cur%%=*}" "${cur#*=}"
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$(_veritally_options "$verb")" -- "$cur"))
	elif [[ -z $verb ]]; then
		COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
	elif [[ $verb == nvpcr && ${line%"$cur"} =~ nvpcr[[:space:]]+$ ]]; then
		COMPREPLY=($(compgen -W "list show check" -- "$cur"))
	elif [[ $verb == ak && ! ${line%"$cur"} =~ (challenge|activate) ]]; then
		COMPREPLY=($(compgen -W "create show challenge activate" -- "$cur"))
	elif [[ $verb == policy && ${line%"$cur"} =~ policy[[:space:]]+$ ]]; then
		COMPREPLY=($(compgen -W "from" -- "$cur"))
	elif [[ $verb == predict || $verb == nvpcr || $verb == policy || $verb == ak ]]; then
		COMPREPLY=($(compgen -f -- "$cur"))
	fi
	[[ ${COMPREPLY[0]-} == *[=:] ]] && compopt -o nospace
}

complete -F _veritally veritally
