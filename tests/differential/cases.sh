# shellcheck shell=bash disable=SC2154 # $T
# cases.sh: reads and rewrites tests/data/differential/*.txt. README.md has their format.

# unescape TEXT: \r \t \\ \xHH as printf(1) has them, and \{N*TEXT}: TEXT N times. Sets plain.
unescape() {
	local text=$1 many again='^(.*)\\\{([0-9]+)\*([^}]*)\}(.*)$'
	while [[ $text =~ $again ]]; do
		printf -v many '%*s' "${BASH_REMATCH[2]}" ''
		text=${BASH_REMATCH[1]}${many// /${BASH_REMATCH[3]}}${BASH_REMATCH[4]}
	done
	plain=$text
}

# read_cases COMMAND FILE ...: for each case its directory $T/NAME with the input and what is declared,
# and then the command, with case, dir and args set.
read_cases() {
	local command=$1 line oracle='' text word plain
	shift
	case=''
	while IFS= read -r line; do
		text=${line#*: }
		[ "$text" != "$line" ] || text=''
		case $line in
		'case: '*)
			case=$text dir=$T/$text args=(-t)
			mkdir "$dir" || give_up "case $text: there are two"
			: >"$dir/in"
			;;
		args:*)
			args=()
			for word in $text; do
				[ "$word" != "''" ] || word=''
				unescape "$word"
				printf -v word '%b' "$plain"
				args+=("$word")
			done
			;;
		in:*)
			unescape "$text"
			printf '%b\n' "$plain" >>"$dir/in"
			;;
		end:*)
			unescape "$text"
			printf '%b' "$plain" >>"$dir/in"
			;;
		'differs '*)
			oracle=${line#differs }
			oracle=${oracle%%:*}
			echo "$text" >"$dir/reason.$oracle"
			[ -n "$text" ] || give_up "case $case: $oracle: no reason"
			;;
		'  '[-+]' '*) printf '%s\n' "${line#  }" >>"$dir/declared.$oracle" ;;
		'#'*) ;;
		'')
			[ -z "$case" ] || "$command"
			case=''
			;;
		*) give_up "not understood: $line" ;;
		esac
	done < <(for file; do cat "$file" && echo; done)
}

# update_file FILE: the same with what is declared as it is now.
update_file() {
	local line
	case=''
	while IFS= read -r line; do
		case $line in
		'case: '*) case=${line#case: } ;;
		'differs '* | '  '[-+]' '*) continue ;;
		esac
		[ -n "$line" ] || update_case
		printf '%s\n' "$line"
	done <"$1"
	update_case
}

update_case() {
	local oracle reason
	[ -n "$case" ] || return 0
	for oracle in postfix msmtp nullmailer; do
		[ -s "$T/$case/diff.$oracle" ] || continue
		reason=$(cat "$T/$case/reason.$oracle" 2>/dev/null) || reason=WHY
		printf 'differs %s: %s\n' "$oracle" "$reason"
		sed 's/^/  /' "$T/$case/diff.$oracle"
	done
	case=''
}
