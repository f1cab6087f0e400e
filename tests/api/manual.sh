#!/bin/sh
# The manual of libqmtp says what its headers say: every prototype, every member of a structure that
# callers see, every constant is in a page of section 3; its examples compile, and the one of qmtp.3
# sends a message; and man finds a page for every name.

# shellcheck source=tests/api/lib.sh
. "${srcdir:-.}/tests/api/lib.sh"

pages=$top_srcdir/man
headers="$top_srcdir/src/qmtp/qmtp.h $top_srcdir/src/qmtp/qmtp_reader.h"

# ---- what stands where, one a line, without a blank that does not matter

squeeze() {
	sed -e 's/[[:space:]][[:space:]]*/ /g' -e 's/ *\([*(),;{}=]\) */\1/g' -e 's/^ //' -e 's/ $//'
}

# The headers without comments and directives
# shellcheck disable=SC2086 # two files
plain=$(cat $headers | awk '
	{
		line = line $0 "\n"
	}
	END {
		while ((at = index(line, "/*")) > 0) {
			rest = substr(line, at + 2)
			line = substr(line, 1, at - 1) " " substr(rest, index(rest, "*/") + 2)
		}
		printf "%s", line
	}' | grep -v -e '^#' -e '^extern "C"' -e '^}$')

# The prototypes in the headers
declared() {
	printf '%s\n' "$plain" | tr '\n' ' ' | awk '
		{
			gsub(/[{][^{}]*[}]/, "")
			n = split($0, part, ";")
			for (i = 1; i <= n; i++)
				if (part[i] ~ /qmtp_[a-z_]* *[(]/)
					print part[i]
		}' | squeeze
}

# The members of struct NAME
members() {
	printf '%s\n' "$plain" | sed -n "/^struct $1 {/,/^};/p" | sed -e '1d' -e '$d' | tr '\n' ' ' |
	    tr ';' '\n' | squeeze | grep .
}

# synopsis FILE ...: the prototypes in pages
synopsis() {
	awk '
	# The arguments of a macro, where one in quotes is one
	function arguments(text,    out, one) {
		out = ""
		while (match(text, /^ *("[^"]*"|[^" ]+)/)) {
			one = substr(text, 1, RLENGTH)
			text = substr(text, RLENGTH + 1)
			gsub(/^ *"?|"$/, "", one)
			out = out (out == "" ? "" : ", ") one
		}
		return out
	}
	/^\.Sh/ { inside = $2 == "SYNOPSIS" }
	!inside { next }
	/^\.Ft/ { type = substr($0, 5) }
	/^\.Fn/ { name = $2; print type " " name "(" arguments(substr($0, 5 + length(name))) ")" }
	/^\.Fo/ { name = $2; list = "" }
	/^\.Fa/ && name != "" { list = list (list == "" ? "" : ", ") arguments(substr($0, 5)) }
	/^\.Fc/ { print type " " name "(" list ")"; name = "" }' "$@" | squeeze
}

# names FILE ...: the names that a page is found by
names() {
	for page in "$@"; do
		sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([a-z_]*\).*/\1/p' "$page"
	done
}

declared >"$T/declared"
synopsis "$pages"/qmtp*.3 >"$T/synopsis"
LC_ALL=C sort "$T/declared" >"$T/declared.sorted"
LC_ALL=C sort "$T/synopsis" >"$T/synopsis.sorted"
check 'the headers declare functions' test "$(grep -c . "$T/declared")" -ge 50
check 'prototypes in the manual are those of the headers' \
    diff "$T/declared.sorted" "$T/synopsis.sorted"

# ---- names

names "$pages"/qmtp*.3 | LC_ALL=C sort >"$T/names"
is 'no name is in two pages' "$(uniq -d "$T/names")" ''
for page in "$pages"/qmtp*.3; do
	synopsis "$page" | sed 's/.*\(qmtp_[a-z_]*\)(.*/\1/' | LC_ALL=C sort >"$T/functions"
	missing=$(names "$page" | LC_ALL=C sort | comm -13 - "$T/functions")
	is "${page##*/}: its functions are among its names" "$missing" ''
done
printf '%s\n' "$plain" | sed -n 's/^struct \(qmtp_[a-z_]*\) {.*/\1/p' | grep -v '^qmtp_netstring$' |
    LC_ALL=C sort >"$T/structs"
is 'structures that callers see have a page' "$(comm -23 "$T/structs" "$T/names")" ''
cat "$pages"/*.3 "$pages"/*.[158] | sed -n 's/^\.Xr \(qmtp[a-z_]*\) 3.*/\1/p' | LC_ALL=C sort -u >"$T/references"
is 'pages that are referred to exist' "$(comm -23 "$T/references" "$T/names")" ''

# ---- members and constants

members qmtp_options >"$T/members"
sed -n 's/^\.It Fa "\(.*\)"$/\1/p' "$pages/qmtp_session_new.3" | squeeze >"$T/items"
check 'options in the manual are those of the header' diff "$T/members" "$T/items"

for at in qmtp.3:qmtp_error qmtp_package_new.3:qmtp_reply qmtp_package_new.3:qmtp_result \
    qmtp_reader_init.3:qmtp_piece qmtp_tls.3:qmtp_tls; do
	members "${at#*:}" >"$T/members"
	sed -n "/^struct ${at#*:} {/,/^};/p" "$pages/${at%:*}" | sed -e '1d' -e '$d' -e 's/;$//' |
	    squeeze >"$T/items"
	check "struct ${at#*:} in the manual is that of the header" diff "$T/members" "$T/items"
done
for member in $(members qmtp_tls | sed 's/.*[ *]//'); do
	check "qmtp_tls.3 says what $member is" grep -qx ".It Fa $member" "$pages/qmtp_tls.3"
done

# shellcheck disable=SC2086 # two files
{
	printf '%s\n' "$plain" | tr '\n' ' ' | grep -o 'enum qmtp_[a-z]* *{[^}]*}' | grep -o 'QMTP_[A-Z_]*'
	sed -n 's/^#define \(QMTP_[A-Z_]*\) .*/\1/p' $headers
} | LC_ALL=C sort -u >"$T/constants"
check 'the headers have constants' test "$(grep -c . "$T/constants")" -ge 50
missing=''
while read -r constant; do
	grep -qE "^\.(It )?Dv (.* )?$constant( |\$)" "$pages"/qmtp*.3 || missing="$missing $constant"
done <"$T/constants"
is 'every constant is in the manual' "$missing" ''
grep -ohE '\bQMTP_[A-Z_]+' "$pages"/qmtp*.3 | LC_ALL=C sort -u >"$T/used"
grep -hE '^\.Dt ' "$pages"/qmtp*.3 | cut -d ' ' -f 2 | LC_ALL=C sort -u >"$T/titles"
is 'every constant in the manual is in the headers' \
    "$(comm -23 "$T/used" "$T/constants" | comm -23 - "$T/titles" | grep -v '_$')" ''

# causes and phases have a line of their own in qmtp.3
missing=''
for constant in $(printf '%s\n' "$plain" | tr '\n' ' ' | grep -o 'enum qmtp_\(phase\|cause\) *{[^}]*}' |
    grep -o 'QMTP_[A-Z_]*'); do
	grep -qE "^\.It Dv $constant( |\$)" "$pages/qmtp.3" || missing="$missing $constant"
done
is 'every phase and every cause is in qmtp.3' "$missing" ''

# ---- examples

# examples PAGE: each that begins with an #include becomes $T/PAGE.N.c
examples() {
	awk -v out="$T/$1" '
	/^\.Bd -literal/ { inside = 1; file = ""; next }
	/^\.Ed/ { inside = 0; next }
	inside && file == "" && /^#include/ { file = out "." ++n ".c" }
	inside && file != "" { gsub(/\\e/, "\\"); print >file }' "$pages/$1"
}

install_library
for page in "$pages"/qmtp*.3; do
	examples "${page##*/}"
done
{
	printf '#include <qmtp.h>\n#include <stdio.h>\nint main(void) {\n'
	sed -n '/^    #include <qmtp.h>/,/^    [$] cc/s/^    \([^#$]\)/\1/p' "$top_srcdir/README.md"
	echo 'return 0; }'
} >"$T/qmtp.README.c"
check 'README.md has an example' grep -q qmtp_send "$T/qmtp.README.c"
for example in "$T"/qmtp*.c; do
	check "the example ${example##*/} compiles" compile "${example%.c}.o" -std=c11 -Wall -Wextra \
	    -Wpedantic -Werror -D_POSIX_C_SOURCE=200809L "$example"
done
check 'that of qmtp.3 is linked' build "$T/example" "$T/qmtp.3.1.o"
start_server --unix "$T/sock" --store "$T/got" --rule 'bad@*=D#5.1.1 nobody'
printf 'Subject: x\n\nIt works.\n' >"$T/message"
is 'it sends a message' "$("$T/example" "$T/sock" alice@example.org bob@example.net bad@example.net \
    <"$T/message" 2>&1; echo $?)" 'bob@example.net: accepted
bad@example.net: refused
1'
same '... which arrives' "$T/got/000001.message" "$T/message"
is '... and says so' "$("$T/example" "$T/sock" alice@example.org bob@example.net <"$T/message" 2>&1; echo $?)" \
    'bob@example.net: accepted
0'
stop_server "$PID"
like 'it says why it cannot' "$("$T/example" "$T/nowhere" a@example.org b@example.net <"$T/message" 2>&1)" \
    "*nowhere: No such file or directory while connecting*b@example.net: not sent, try again"

# ---- installed

mandir=$T/man
missing=''
check 'the manual is installed' run_make install-man install-man3-links mandir="$mandir"
while read -r name; do
	grep -q "^\.Nm $name\( ,\)*\$" "$ROOT$mandir/man3/$name.3" 2>/dev/null || missing="$missing $name"
done <"$T/names"
is 'man finds every name' "$missing" ''
check '... and is uninstalled' run_make uninstall-man uninstall-man3-links mandir="$mandir"
is '... without a trace' "$(find "$ROOT$mandir" ! -type d)" ''

done_testing
