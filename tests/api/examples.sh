#!/bin/sh
# The example programs, built from the installed files, shared and static, and run.

# shellcheck source=tests/api/lib.sh
. "${srcdir:-.}/tests/api/lib.sh"

install_library
strict='-std=c99 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror'
mkdir "$T/shared" "$T/static-programs"
for name in send many loop; do
	# shellcheck disable=SC2086 # options are words
	check "$name.c, with the shared library" build "$T/shared/$name" "$EXAMPLES/$name.c" $strict
	# shellcheck disable=SC2086
	check "$name.c, with the static library" \
	    build_static "$T/static-programs/$name" "$EXAMPLES/$name.c" $strict
	is "$name.c includes no header of the library but qmtp.h" \
	    "$(grep -c '#include "' "$EXAMPLES/$name.c") $(grep -c 'include <qmtp' "$EXAMPLES/$name.c")" \
	    '0 1'
done
like 'shared is shared' "$(readelf -dW "$T/shared/send")" '*libqmtp.so.0*'
is 'static is static' "$(readelf -dW "$T/static-programs/send" | grep libqmtp)" ''

printf 'Subject: one\n\nfirst\n' >"$T/one"
printf 'Subject: two\r\n\r\nsecond\r\n' >"$T/two"
printf 'no line end' >"$T/three"
: >"$T/empty"
lib_large >"$T/large"
bob=bob@example.net carol=carol@example.net

# run WHAT PROGRAM [ARGUMENT ...]: sets CODE; $T/out and $T/err. Standard input is $IN
IN=/dev/null
run() {
	RUN=$1 CODE=''
	shift
	timeout 60 "$@" <"$IN" >"$T/out" 2>"$T/err"
	CODE=$?
}

# gives CODE STDOUT STDERR: of the last run; STDERR is a pattern
gives() {
	is "$RUN: exit code" "$CODE" "$1"
	is "$RUN: standard output" "$(cat "$T/out")" "$2"
	like "$RUN: standard error" "$(cat "$T/err")" "$3"
}

# fresh [OPTION ...]: a server that keeps what it gets in $T/got
fresh() {
	[ -z "$PID" ] || stop_server 2>/dev/null
	rm -rf "$T/got"
	start_server --store "$T/got" --log "$T/log" "$@"
}

# has NUMBER MESSAGE SENDER RCPT ...: the server's package of that number, to the byte
has() {
	has_at=$(printf '%s/%06d' "$T/got" "$1")
	same "$RUN: message $1" "$has_at.message" "$2"
	is "$RUN: sender of $1" "$(cat "$has_at.sender")" "$3"
	has_what="$RUN: recipients of $1"
	shift 3
	is "$has_what" "$(cat "$has_at.rcpts")" "$(printf '%s\n' "$@")"
}

# count: packages that the server has, whole and broken
count() {
	echo "$(find "$T/got" -name '*.done' | wc -l) $(find "$T/got" -name '*.broken' | wc -l)" |
	    tr -s ' '
}

for kind in shared static-programs; do
	at=$T/$kind

	# ---- send

	fresh --rule 'carol@*=Dno such user' --rule 'later@*=Znot \001now'
	run "$kind send, a file" "$at/send" -p "$PORT" -f a@b -m "$T/one" 127.0.0.1 $bob
	gives 0 "$bob: accepted: ok 1" ''
	has 1 "$T/one" a@b $bob

	IN=$T/one
	run "$kind send, standard input" "$at/send" -p "$PORT" 127.0.0.1 $bob $carol
	gives 69 "$bob: accepted: ok 2
$carol: refused: no such user" ''
	has 2 "$T/one" '' $bob $carol
	IN=/dev/null

	feed "$T/two" | timeout 60 "$at/send" -p "$PORT" -f a@b localhost $bob >"$T/out" 2>"$T/err"
	RUN="$kind send, a pipe, CR LF" CODE=$?
	gives 0 "$bob: accepted: ok 3" ''
	has 3 "$T/two" a@b $bob
	is "$RUN: encoding" "$(field "$T/got/000003.done" encoding)" 0d

	run "$kind send, words that are not for terminals" \
	    "$at/send" -p "$PORT" -m "$T/empty" 127.0.0.1 later@example.net $carol
	gives 75 "later@example.net: not now: not ?now
$carol: refused: no such user" ''
	has 4 "$T/empty" '' later@example.net $carol
	is "$kind send: so many packages in all" "$(count)" '4 0'

	run "$kind send, no such file" "$at/send" -p "$PORT" -m "$T/none" 127.0.0.1 $bob
	gives 66 '' 'send: */none: *No such file*'
	run "$kind send, an address that is none" "$at/send" -p "$PORT" 127.0.0.1 ''
	gives 64 '' 'send: recipient 1 is empty*'
	for wrong in "-p $PORT 127.0.0.1" '-p 12x 127.0.0.1 a@b' '-z 127.0.0.1 a@b' ''; do
		# shellcheck disable=SC2086
		run "$kind send $wrong" "$at/send" $wrong
		gives 64 '' '*usage: send*'
	done
	is "$kind send: wrong usage sends nothing" "$(count)" '4 0'

	fresh --close-after-byte last
	run "$kind send, no answer" "$at/send" -p "$PORT" -m "$T/one" 127.0.0.1 $bob
	gives 75 "$bob: sent, but not answered: $(sed 's/^send: 127.0.0.1: //' "$T/err")" \
	    'send: 127.0.0.1: *closed*'
	fresh --raw '2:Kx,9:Xwhat now,'
	run "$kind send, nonsense for an answer" \
	    "$at/send" -p "$PORT" -m "$T/one" 127.0.0.1 $bob $carol
	gives 75 "$bob: accepted: x
$carol: sent, but not answered: $(sed 's/^send: 127.0.0.1: //' "$T/err")" 'send: 127.0.0.1: *unknown kind*'
	fresh --refuse
	run "$kind send, nobody there" "$at/send" -p "$PORT" -m "$T/one" 127.0.0.1 $bob
	gives 75 "$bob: not sent: $(sed 's/^send: 127.0.0.1: //' "$T/err")" 'send: 127.0.0.1: *refused*'

	# ---- many

	fresh --rule 'carol@*=Dno' --on :2 --answer Zlater --on :3 --answer 'Dno'
	run "$kind many" "$at/many" 127.0.0.1 "$PORT" a@b $bob "$T/one" "$T/two" "$T/none" \
	    "$T/three" "$T/empty"
	gives 1 "$T/none: not sent: $(sed -n "s|^$T/none: not sent: ||p" "$T/out")
$T/one: accepted
$T/two: not now
$T/three: refused
$T/empty: accepted" ''
	has 1 "$T/one" a@b $bob
	has 2 "$T/two" a@b $bob
	has 3 "$T/three" a@b $bob
	has 4 "$T/empty" a@b $bob
	is "$kind many: one connection" "$(grep -c ' connect ' "$T/log")" 1

	# Hundreds of files, and a server that ends each connection after forty
	i=0
	set --
	while [ "$i" -lt 300 ]; do
		i=$((i + 1))
		[ -e "$T/m$i" ] || echo "message $i" >"$T/m$i"
		set -- "$@" "$T/m$i"
	done
	fresh --close-after-answer 40
	run "$kind many, closed again and again" "$at/many" 127.0.0.1 "$PORT" a@b $bob "$@"
	cat "$T"/got/*.message | sort >"$T/arrived"
	is "$RUN: nothing arrived twice" "$(uniq -d "$T/arrived")" ''
	is "$RUN: a line for each" "$(sed 's/:.*//' "$T/out" | sort -u | wc -l | tr -d ' ')" 300
	is "$RUN: what was accepted arrived" \
	    "$(sed -n 's/: accepted$//p' "$T/out" | xargs cat | sort | comm -23 - "$T/arrived")" ''
	is "$RUN: what was not sent did not" "$(sed -n 's/: not sent$//p' "$T/out")" ''
	is "$RUN: nothing was said" "$(cat "$T/err")" ''

	fresh --then close
	run "$kind many, closed after each" "$at/many" 127.0.0.1 "$PORT" a@b $bob "$T/one" \
	    "$T/two" "$T/three"
	is "$RUN: a line for each" "$(sed 's/:.*//' "$T/out")" "$T/one
$T/two
$T/three"
	is "$RUN: none is not sent" "$(grep 'not sent' "$T/out")" ''
	is "$RUN: what was accepted arrived, and once" "$(count)" "$(grep -c ': accepted$' "$T/out") 0"

	# so large that its end cannot have been sent by then
	fresh --close-after-byte 100
	run "$kind many, never taken" "$at/many" 127.0.0.1 "$PORT" a@b $bob "$T/large" "$T/two"
	gives 1 "$T/large: not sent
$T/two: not sent" 'many: the server closed the connection*'
	is "$RUN: tried once" "$(grep -c ' connect ' "$T/log")" 1
	fresh --refuse
	run "$kind many, nobody there" "$at/many" 127.0.0.1 "$PORT" a@b $bob "$T/one" "$T/two"
	gives 1 "$T/one: not sent
$T/two: not sent" 'many: *refused*'
	run "$kind many, wrong usage" "$at/many" 127.0.0.1 "$PORT" a@b $bob
	gives 64 '' 'usage: many*'

	# ---- loop

	fresh --delay 200
	first=$PORT
	PID=''
	start_server --store "$T/second" --answer 'Dno' --delay 200
	second=$PORT
	PID=''
	run "$kind loop" "$at/loop" "$T/one" a@b 127.0.0.1 "$first" $bob \
	    localhost "$second" $carol /nowhere 0 $bob
	is "$RUN: exit code" "$CODE" 1
	is "$RUN: standard output" "$(sort "$T/out" | sed 's/\(not sent\): .*/\1/')" \
	    "/nowhere: not sent
127.0.0.1: accepted
localhost: refused"
	is "$RUN: standard error" "$(cat "$T/err")" ''
	has 1 "$T/one" a@b $bob
	same "$RUN: the other one, too" "$T/second/000001.message" "$T/one"
	rm -rf "$T/second"
	run "$kind loop, all is well" "$at/loop" "$T/two" '' 127.0.0.1 "$first" $bob
	gives 0 '127.0.0.1: accepted' ''
	run "$kind loop, no file" "$at/loop" "$T/none" '' 127.0.0.1 "$first" $bob
	is "$RUN: exit code" "$CODE" 1
	like "$RUN: standard output" "$(cat "$T/out")" '127.0.0.1: not sent: *No such file*'
	run "$kind loop, no port" "$at/loop" "$T/one" '' 127.0.0.1 smtp $bob
	gives 1 '127.0.0.1: not sent: smtp is no port' ''
	run "$kind loop, wrong usage" "$at/loop" "$T/one" '' 127.0.0.1 "$first"
	gives 64 '' 'usage: loop*'
done
done_testing
