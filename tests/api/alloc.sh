#!/bin/sh
# Whatever runs out, at each place: an error and no lie, no leak, no crash. With $API_VALGRIND,
# under valgrind.

# shellcheck source=tests/api/lib.sh
. "${srcdir:-.}/tests/api/lib.sh"

install_library

# The static library with its calls of malloc() and its like under other names, so that nobody
# else's are counted; and it has no other ways to memory.
ways='malloc calloc realloc strdup strndup free getaddrinfo freeaddrinfo pthread_create'
set --
for name in $ways; do
	set -- "$@" --redefine-sym "$name=fail_$name"
done
objcopy "$@" "$LIB/libqmtp.a" "$T/libqmtp-failing.a" || exit 99
is 'the library gets memory in no other way' \
    "$(nm -u "$LIB/libqmtp.a" | awk '{ print $2 }' |
	grep -E 'alloc|dup$|asprintf|mem(align|stream)|getline|getdelim|^f(d?open)|opendir|thrd_create' |
	grep -vE "^($(echo "$ways" | tr ' ' '|'))\$|asan|ubsan" | sort -u)" ''

here=$top_srcdir/tests/api
# shellcheck disable=SC2086 # options are words
if ! $CC $api_flags -std=c11 -D_GNU_SOURCE -g -Wall -Wextra -Werror -I"$INCLUDE" -o "$T/alloc" \
    "$here/alloc.c" "$here/failing.c" "$T/libqmtp-failing.a" -pthread -ldl >"$T/cc.log" 2>&1; then
	cat "$T/cc.log"
	echo 'Bail out! it does not compile'
	exit 99
fi

start_server --ledger "$T/unix.ledger" --unix "$T/socket"
start_server --ledger "$T/tcp.ledger"
echo D >"$T/piece"
set -- "$T/claims" "$T/piece" "$T/socket" "$PORT"
if has_tls; then
	start_front "$PORT"
	set -- "$@" "$TLS_PORT" "$T/certs/ca.pem" "$LIB/qmtp-0/qmtp-tls.so"
fi
# shellcheck disable=SC2086
${API_VALGRIND-} "$T/alloc" "$@" >"$T/out" 2>"$T/err"
code=$?
is 'it ends well, and says nothing' "$code $(cat "$T/err")" '0 '
tap_of "$T/out"
is 'all stories were told' "$(grep -c '^ok' "$T/out")" "$(has_tls && echo 8 || echo 6)"

# "RCPT LETTERS" for each recipient that a server has accepted, with the lines of its message
awk '
function flush() {
	for (i = 0; i < n; i++)
		print rcpts[i], letters
	n = 0
	letters = ""
}
/@/ {
	if (letters != "")
		flush()
	rcpts[n++] = $0
	next
}
{ letters = letters $0 }
END { flush() }' "$T/unix.ledger" "$T/tcp.ledger" | LC_ALL=C sort >"$T/got"

is 'nobody got anything twice' "$(cut -d ' ' -f 1 "$T/got" | uniq -d)" ''
is 'no message was any other than it should be' \
    "$(sed 's/^r[0-9]*-[0-9]*-\(p[0-9]\)@[^ ]*/\1/' "$T/got" | sort -u | tr '\n' ,)" \
    'p0 ABCDD,p1 CD,p2 B,p3 A,'
cut -d ' ' -f 1 "$T/got" >"$T/have"
# claimed FATE: those recipients
claimed() {
	sed -n "s/^$1 //p" "$T/claims" | LC_ALL=C sort
}
is 'who is said to have it has it' "$(claimed 2 | LC_ALL=C comm -23 - "$T/have")" ''
is 'who is said not to have it does not' "$(claimed 0 | LC_ALL=C comm -12 - "$T/have")" ''
is 'there is nothing else' "$(sort -u "$T/claims" | grep -v '^[012] ')" ''
is 'and there were some of each' \
    "$(cut -d ' ' -f 1 "$T/claims" | sort -u | tr '\n' ' ')" '0 1 2 '
done_testing
