#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What completes: it stands behind the tables that completion.c prints, and needs nothing but bash itself.
# shellcheck disable=SC2154

# _airglow_argument ARGUMENT OPTION BEGINNING: what can stand where the tables say ARGUMENT
_airglow_argument()
{
	local first='' last=$3

	case $1 in
	*'|'*) mapfile -t COMPREPLY < <(compgen -W "${1//|/ }" -- "$3") ;;
	FEED) mapfile -t COMPREPLY < <(compgen -W "$_airglow_feeds" -- "$3") ;;
	FILE*) _airglow_paths -f "$3" ;;
	DIR) _airglow_paths -d "$3" ;;
	IF*)
		[[ $3 == *,* ]] && first=${3%,*}, last=${3##*,}
		mapfile -t COMPREPLY < <(compgen -P "$first" -W "$(cd /sys/class/net && echo *)" -- "$last")
		;;
	*)
		[[ $2 == --netns && -d /run/netns ]] &&
			mapfile -t COMPREPLY < <(compgen -W "$(cd /run/netns && echo *)" -- "$3")
		;;
	esac
}

# _airglow_paths -f|-d BEGINNING
_airglow_paths()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_airglow()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
	local label name letter argument names='' operands=''

	COMPREPLY=()
	# bash takes --name=value apart: its = is a word.
	[[ $word == = ]] && word=
	[[ $before == = && $COMP_CWORD -gt 2 ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
	if [[ $COMP_CWORD -eq 1 ]]; then
		while read -r label argument; do
			names+=" $label"
		done <<<"$_airglow_operands"
		mapfile -t COMPREPLY < <(compgen -W "$names --version --help" -- "$word")
		return
	fi
	while read -r label name letter argument; do
		[[ $label == "$command" ]] || continue
		if [[ $argument != - && ($before == "$name" || ($letter != - && $before == "$letter")) ]]; then
			_airglow_argument "$argument" "$name" "$word"
			return
		fi
		names+=" $name"
	done <<<"$_airglow_options"
	while read -r label argument; do
		[[ $label == "$command" ]] && operands=$argument
	done <<<"$_airglow_operands"
	if [[ $word == -* || $operands == - ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
	else
		_airglow_argument "$operands" '' "$word"
	fi
}

complete -F _airglow airglow
