#!/bin/sh
# packaging/TROUBLE.md and the programs say the same words: what it quotes is in the sources, and what can
# go wrong in the sources is in it. TAP.

srcdir=${srcdir:-.}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
trap 'exit 99' HUP INT TERM
count=0

# strings ROOT: what stands in quotes in ROOT/src, neighbours joined. "+" before those of statements that
# report what went wrong in a running system: not wrong usage, and nothing that a file and a line explain.
strings()
{
	# shellcheck disable=SC2016 # the $ are of awk
	find "$1/src" -path '*/examples' -prune -o -name '*.c' -print | LC_ALL=C sort | xargs awk '
	function end(    i, wrong) {
		wrong = code ~ /(error_set|error_sys|log_line|qmtp__fail[a-z_]*|qmtp__session_fail|[^a-z_]bad|bad_errno|bad_content|broke) *[(]/ &&
		    code !~ /QMTP_IDLE|QMTP_INVALID|EX_USAGE|EX_CONFIG|EX_SOFTWARE|LOG_INFO/
		for (i = 1; i <= n; i++)
			print (wrong ? "+" : "-") literal[i]
		n = 0
		code = gap = ""
	}

	function outside(text) {
		code = code text
		gap = gap text
	}

	FNR == 1 {
		end()
		in_comment = 0
	}
	/^#/ { next }
	{
		rest = $0
		while (rest != "") {
			if (in_comment) {
				p = index(rest, "*/")
				if (p == 0)
					next
				rest = substr(rest, p + 2)
				in_comment = 0
			}
			if (!match(rest, /\/[*]|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047|;/)) {
				outside(rest)
				next
			}
			outside(substr(rest, 1, RSTART - 1))
			token = substr(rest, RSTART, RLENGTH)
			rest = substr(rest, RSTART + RLENGTH)
			if (token == ";") {
				end()
			} else if (token == "/*") {
				in_comment = 1
			} else if (token ~ /^"/) {
				if (n == 0 || gap !~ /^([ \t]|PRI[a-z]+[0-9]+)*$/)
					literal[++n] = ""
				literal[n] = literal[n] substr(token, 2, RLENGTH - 2)
				gap = ""
			}
		}
	}
	END { end() }'
}

# pieces: the words of each line between conversions of printf and marks, on lines of their own
pieces()
{
	sed -E -e 's/\\[nt]|%[-0-9.*]*[a-z]+|[:;"] *| while\>/\n/g' |
	    sed -e 's/^[^a-zA-Z]*//' -e 's/[^a-zA-Z]*$//' | grep -E '[a-z]{2,} [^ ]|[a-z]{9,}' | sort -u
}

# quoted ROOT: the pieces of what TROUBLE.md quotes in its tables of lines and reasons: without names and
# numbers, which are in capitals
quoted()
{
	# shellcheck disable=SC2016 # a pattern
	sed -n '/^## By line on/,/^## What is not/s/^| \(`[^|]*`\)[^`|]* |.*/\1/p' "$1/packaging/TROUBLE.md" |
	    sed -E 's/[`=<>()]|\.\.\.|\<[A-Z]+\>/\n/g' | pieces
}

# unknown ROOT: what is quoted, and said nowhere
unknown()
{
	strings "$1" >"$scratch/strings"
	quoted "$1" | while read -r piece; do
		grep -qF -e "$piece" "$scratch/strings" || echo "$piece"
	done
}

# untold ROOT: what can go wrong, and is told nowhere
untold()
{
	tr '\n' ' ' <"$1/packaging/TROUBLE.md" >"$scratch/trouble"
	strings "$1" | sed -n 's/^+//p' | pieces | while read -r piece; do
		grep -qF -e "$piece" "$scratch/trouble" || echo "$piece"
	done
}

# none WHAT LINES
none()
{
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# some WHAT LINES WANTED
some()
{
	if [ "$2" = "$3" ]; then none "$1" ''; else none "$1" "got: $2"; fi
}

echo 1..4
none "what is quoted is said" "$(unknown "$srcdir")"
none "what can go wrong is told" "$(untold "$srcdir")"

# Can this test fail?
mkdir "$scratch/tree" "$scratch/tree/packaging"
cp -R "$srcdir/src" "$scratch/tree/src"
chmod -R u+w "$scratch/tree"
sed -e 's/nobody can be told/nobody could be told/' "$srcdir/packaging/TROUBLE.md" \
    >"$scratch/tree/packaging/TROUBLE.md"
some "other words in TROUBLE.md are found" "$(unknown "$scratch/tree")" 'nobody could be told'
some "and so is what it lacks" "$(untold "$scratch/tree")" 'nobody can be told'
