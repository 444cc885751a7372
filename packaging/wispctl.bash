# SPDX-License-Identifier: Apache-2.0
# Completion for wispctl in bash. What there is to complete is read from
# wispctl's own help, so a new command or option needs nothing here:
#
#   commands   `wispctl --help`: lines of two blanks, a word, two blanks
#   options    `wispctl COMMAND --help`: lines that begin with a dash
#   ids        `wispctl shims -o ids`, where the usage has an ID
#
# A command that has commands of its own lists them in the same way below a
# line "Commands:", or its usage has a line for each.

# Words that a text lists as commands.
_wispctl_commands() {
	sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' <<<"$1"
}

# Those of the command $2, out of its help.
_wispctl_own_commands() {
	sed '1,/^Commands:/d' <<<"$1"
	sed -n "/^\$/q; s/^.*wispctl $2 \([a-z][a-z-]*\).*/  \1  /p" <<<"$1"
}

# "-o, --output FORM  text": the words before the text, one option a line.
_wispctl_options() {
	sed -n 's/^ *\(-.*\)$/\1/p' <<<"$1" | sed 's/   *.*//'
}

# What an option wants: FORM; nothing if it wants nothing, or is none.
_wispctl_wants() {
	_wispctl_options "$1" | awk -v option="$2" '{
		for (i = 1; i <= NF; i++) {
			word = $i
			sub(/,$/, "", word)
			found = found || word == option
			wants = $i ~ /^[A-Z]/ ? $i : ""
		}
		if (found) {
			print wants
			exit
		}
	}'
}

# "one" or "many" if an ID is wanted by itself, not by an option.
_wispctl_takes_id() {
	sed -n '/^$/q; s/-[-a-z]* [A-Z][A-Z]*//g; p' <<<"$1" | awk '
		/(^|[^A-Z])ID\.\.\./ { many = 1 }
		/(^|[^A-Z])ID([^A-Z]|$)/ { one = 1 }
		END { if (many) print "many"; else if (one) print "one" }'
}

_wispctl() {
	local ctl=${COMP_WORDS[0]/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]}
	local prev=${COMP_WORDS[COMP_CWORD - 1]} text own words= word i=1
	local takes
	local -a path=()

	COMPREPLY=()
	text=$("$ctl" --help 2>/dev/null) || return 0
	own=$text
	for ((; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		[[ $word == -- ]] && return 0
		grep -qxF -e "$word" <(_wispctl_commands "$own") || break
		path+=("$word")
		text=$("$ctl" "${path[@]}" --help 2>/dev/null) || return 0
		own=$(_wispctl_own_commands "$text" "${path[*]}")
	done

	if [[ $cur == -* ]]; then
		words=$(_wispctl_options "$text" | grep -oE -- \
			'(^| )--?[a-zA-Z][a-z-]*')
	elif ((i == COMP_CWORD)) && [[ -n $(_wispctl_commands "$own") ]]; then
		words=$(_wispctl_commands "$own")
	elif [[ $prev == -* && -n $(_wispctl_wants "$text" "$prev") ]]; then
		case $(_wispctl_wants "$text" "$prev") in
		FORM) words='text json' ;;
		DIR) compopt -o dirnames 2>/dev/null ;;
		esac
	elif takes=$(_wispctl_takes_id "$text") && [[ -n $takes ]]; then
		words=$("$ctl" shims -o ids 2>/dev/null)
		for word in "${COMP_WORDS[@]:i:COMP_CWORD-i}"; do
			# the first is there: what follows is a command, or files
			[[ $takes == one ]] && grep -qxF -e "$word" <<<"$words" &&
				words=
		done
	fi
	[[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o default -F _wispctl wispctl
