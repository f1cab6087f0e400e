#!/bin/sh
# Programs with the installed library: promises to those with a loop of their own; and no
# signal, no output; and a library that is closed while the resolver hangs.

# shellcheck source=tests/api/lib.sh
. "${srcdir:-.}/tests/api/lib.sh"

install_library
for name in promises quiet; do
	check "$name.c compiles" build "$T/$name" "$top_srcdir/tests/api/$name.c" -std=c11 \
	    -D_GNU_SOURCE -g -Wall -Wextra -Werror
done

start_server --unix "$T/socket"
start_server --delay 500
slow=$PORT
start_server
timeout 100 "$T/promises" "$T/socket" "$PORT" "$slow" >"$T/out" 2>&1
code=$?
tap_of "$T/out"
is 'promises: exit code' "$code" 0
is 'promises: to the end' "$(tail -n 1 "$T/out")" "1..$(grep -c '^ok' "$T/out")"

start_server --drop-after-byte 1000 --unix "$T/dropping"
start_server --reset-after-byte 1000
reset=$PORT
start_server --refuse
lib_large >"$T/large"
# SIGPIPE as it is when nobody has touched it: the shell may have it ignored from its parent
timeout 100 env --default-signal=PIPE "$T/quiet" "$T/dropping" "$reset" "$PORT" "$T/large" \
    >"$T/out" 2>"$T/err"
is 'servers that are gone: no signal' "$?" 0
is '... and nothing said' "$(cat "$T/out" "$T/err")" ''
(
	exec <&- >&- 2>&-
	exec timeout 100 env --default-signal=PIPE "$T/quiet" "$T/dropping" "$reset" "$PORT" "$T/large"
)
is '... without the descriptors 0, 1 and 2, too' "$?" 0

# shellcheck disable=SC2046,SC2086 # options are words
check 'unload.c compiles' $CC $api_flags -std=c11 -D_GNU_SOURCE -g -Wall -Wextra -Werror \
    $(pc --cflags) -rdynamic -pthread -o "$T/unload" "$top_srcdir/tests/api/unload.c" -ldl
timeout 100 "$T/unload" "$LIB/libqmtp.so"
is 'closed while a look-up is under way' "$?" 0
done_testing
