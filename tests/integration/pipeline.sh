#!/bin/sh
# Three packages of one recipient each, one behind the other on one connection, and the server goes
# away at a byte of the dialogue: at each one around the ends of packages, at every fifth elsewhere.
# Whatever the moment, each recipient is served once, by this server or by the next; or is in doubt, is
# named, and was offered to nobody else.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

# recipients NUMBER: three, all of one length whatever the number
recipients() {
	printf '%s.%03d@example.net ' bob "$1" carol "$1" dave "$1"
}

# The words of what it prints are recipients.
# shellcheck disable=SC2046
send_to() {
	send $(recipients "$1")
}

begin 'a whole dialogue'
serve a 'recipients-per-package = 1'
send_to 0
gives 0 ''
came a 1 3 0
ends=$(for number in 1 2 3; do field "$D/a/00000$number.done" bytes; done)

# The places: all from nine bytes before the end of a package to one behind it, every fifth elsewhere.
places=$(echo "$ends" | awk '
	{ end[NR] = end[NR - 1] + $1 }
	END {
		for (at = 1; at <= end[NR]; at++) {
			near = 0
			for (i = 1; i <= NR; i++)
				near = near || (at >= end[i] - 9 && at <= end[i] + 1)
			if (near || at % 5 == 0)
				print at
		}
	}')

# fates COUNT: of each recipient of so many runs, from the files all.a, all.b and all.err, a line each:
# the server that accepted it, "doubt", "a doubt"; other words are wrong
fates() {
	awk -v count="$1" '
		FILENAME ~ /all.a$/ { a[$0] = " a" }
		FILENAME ~ /all.b$/ { b[$0] = " b" }
		FILENAME ~ /all.err$/ && /may have been sent/ {
			while (match($0, /<[^>]*>/)) {
				doubt[substr($0, RSTART + 1, RLENGTH - 2)] = " doubt"
				$0 = substr($0, RSTART + RLENGTH)
			}
		}
		END {
			for (i = 1; i <= count; i++)
				for (k = split("bob carol dave", who, " "); k > 0; k--) {
					r = sprintf("%s.%03d@example.net", who[k], i)
					print r ":" a[r] b[r] doubt[r]
				}
		}' "$D/all.a" "$D/all.b" "$D/all.err"
}

for how in close reset drop; do
	begin "the server goes away at each byte: $how"
	set --
	n=0
	for place in $places; do
		n=$((n + 1))
		set -- "$@" --on "$n" "--$how-after-byte" "$place"
	done
	serve a 'recipients-per-package = 1' "$@"
	serve b 'recipients-per-package = 1'
	i=0 wrong=''
	: >"$D/all.err"
	while [ "$i" -lt "$n" ]; do
		i=$((i + 1))
		send_to "$i"
		cat "$D/err" >>"$D/all.err"
		case $CODE,$(grep -c 'may have been sent' "$D/err") in
		0,0 | 73,[1-3]) ;;
		*) wrong="$wrong
$i: exit code $CODE: $(cat "$D/err")" ;;
		esac
	done
	is "$CASE: $n places, exit codes" "$wrong" ''
	find "$D/a" -name '*.accepted' -exec cat {} + >"$D/all.a"
	find "$D/b" -name '*.accepted' -exec cat {} + >"$D/all.b"
	fates "$n" >"$D/fates"
	is "$CASE: each recipient was accepted once, or is in doubt" \
	    "$(grep -v -e ': a$' -e ': b$' -e ':\( a\)* doubt$' "$D/fates")" ''
	is "$CASE: nobody was served twice" "$(twice)" ''
	# How many of which is a race between the burst and the news of its end; tests/unit/test_pipeline
	# has each of them without one.
	if grep -q ': a$' "$D/fates" && grep -q -e ' doubt$' -e ': b$' "$D/fates"; then
		ok "$CASE: some were served in time, some were not"
	else
		not_ok "$CASE: some were served in time, some were not" \
		    "$(sed 's/.*://' "$D/fates" | sort | uniq -c)"
	fi
	echo "# $(sed 's/.*: //' "$D/fates" | sort | uniq -c | tr '\n' ' ')"
done
done_testing
