#!/bin/sh
# qmtp-queue list, show, remove and retry: one's own entries, exactly; nothing else is touched.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

TAB='	'

# fresh CASE: an empty spool, in which anybody may have entries
fresh() {
	begin "$1"
	chmod 755 "$T" "$D"
	mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue"
	chmod 1777 "$D/spool/tmp" "$D/spool/queue"
}

# store MESSAGE [VERB [USER]]: an entry of s@x.y for r@x.y and q@x.y; its id is $ID
store() {
	printf '%b' "$1" >"$D/message"
	lib_n=$(($(wc -c <"$D/message") + 1))
	{
		printf '%d:\n' "$lib_n"
		cat "$D/message"
		printf ',5:s@x.y,16:5:r@x.y,5:q@x.y,,'
	} >"$D/package"
	run_as "${3:-}" "${2:-store}" <"$D/package"
	ID=$(sed -n 's/.*:Kqueued as \([0-9a-f.]*\),.*/\1/p' "$D/out")
	if [ -z "$ID" ]; then
		echo "Bail out! nothing was stored: $(cat "$D/out" "$D/err")"
		exit 99
	fi
}

# run_as USER [WORD ...]: qmtp-queue, as another user who has the spool's group all the same; "" is oneself
run_as() {
	lib_user=$1
	shift
	if [ -n "$lib_user" ]; then
		set -- setpriv --reuid "$lib_user" --regid "$(stat -c %g "$D/spool")" --clear-groups "$QUEUE" "$@"
	else
		set -- "$QUEUE" "$@"
	fi
	(cd "$D" && exec "$@" >out 2>err)
	CODE=$?
}

# says WORDS CODE OUTPUT: a pattern
says() {
	# shellcheck disable=SC2086
	run_as "${AS:-}" $1
	is "$CASE: $1: exit code" "$CODE" "$2"
	# shellcheck disable=SC2254
	like "$CASE: $1" "$(cat "$D/out")" "$3"
	is "$CASE: $1: stderr" "$(cat "$D/err")" ''
}

queue() {
	(cd "$D/spool/queue" && echo *)
}

# listed ID UID STATE [TOKEN]: that entry in a list, its times replaced
listed() {
	printf 'entry %s\nuid %s\nsize %s\narrived T\ntried T\nstate P T\n' "$1" "$2" "$3"
	[ -z "${5:-}" ] || echo "token $5"
	printf 'sender s@x.y\nrcpt %s T r@x.y\nrcpt %s T q@x.y\nend\n' "$4" "$4"
}

untimed() {
	sed 's/^\(arrived\|tried\|state .\|rcpt .\) [0-9]*/\1 T/' "$D/out"
}

fresh 'an empty queue'
says list 0 "ok
done 0"
says 'retry all' 0 'ok 0'

fresh 'two entries'
store 'Received: by host.lab.example (qmtp-sendmail, from userid 1000)\n\tid abcdefgh234567xy; now\n\nhello\n'
first=$ID
store 'hello\n' doubt
second=$ID
run_as '' list
is "$CASE: exit code" "$CODE" 0
untimed >"$D/got"
{
	echo ok
	for id in $(printf '%s\n' "$first" "$second" | sort); do
		if [ "$id" = "$first" ]; then
			listed "$id" "$(id -u)" 97 P abcdefgh234567xy
		else
			listed "$id" "$(id -u)" 6 '?'
		fi
	done
	echo 'done 2'
} >"$D/wanted"
same "$CASE: list" "$D/got" "$D/wanted"
is "$CASE: the time of arrival" "$(sed -n 's/^arrived //p' "$D/out" | head -n 1)" \
    "$(printf '%d' "0x${first%.*}")"
is "$CASE: the time of the last change" "$(sed -n 's/^tried //p' "$D/out" | head -n 1)" \
    "$(stat -c %Y "$D/spool/queue/$(printf '%s\n' "$first" "$second" | sort | head -n 1)")"

run_as '' show "$second"
is "$CASE: show" "$(cat "$D/out")" "ok 6
hello"
says "show $first" 0 'ok 97
Received: by *hello'
cp "$D/out" "$D/shown"
tail -n +2 "$D/shown" >"$D/got"
head -c 101 "$D/spool/queue/$first" | tail -c 97 >"$D/wanted"
same "$CASE: every byte of it" "$D/got" "$D/wanted"

touch -d '2020-01-01 00:00:00' "$D/spool/queue/$first" "$D/spool/queue/$second"
cp -p "$D/spool/queue/$first" "$D/before"
now=$(date +%s)
says "retry $first" 0 'ok'
touched=$(stat -c %Y "$D/spool/queue/$first")
[ "$touched" -gt $((now + 2)) ] && [ "$touched" -le $(($(date +%s) + 4)) ]
is "$CASE: retry $first: touched, later than a mark of now would" $? 0
same "$CASE: retry $first: its bytes" "$D/spool/queue/$first" "$D/before"
is "$CASE: retry $first: not the other" "$(stat -c %Y "$D/spool/queue/$second")" \
    "$(date -d '2020-01-01 00:00:00' +%s)"
touch -d '2020-01-01 00:00:00' "$D/spool/queue/$first"
says 'retry all' 0 'ok 2'
for id in $first $second; do
	[ "$(stat -c %Y "$D/spool/queue/$id")" -gt 1700000000 ]
	is "$CASE: retry all: $id" $? 0
done
says "remove $first" 0 'ok'
is "$CASE: the other is still there" "$(queue)" "$second"
says "remove $first" 67 'no 67 no such entry'
says "show $first" 67 'no 67 no such entry'
says "retry $first" 67 'no 67 no such entry'

fresh 'where the Received field says no token'
while IFS='|' read -r token field; do
	store "$field"
	run_as '' list
	is "$CASE: $field" "$(sed -n 's/^token //p' "$D/out")" "$token"
	run_as '' remove "$ID"
done <<'END'
abc|Received: by h (qmtp-sendmail, from userid 0)\n\tid abc; x
|Received: by h (qmtp-sendmail, from userid 0)\n\tid abc
|Received: by h (qmtp-sendmail, from userid 0)\n\tid a\033bc; x
|Received: by h (qmtp-sendmail, from userid 0)\n\tid ; x
|Received: by h (qmtp-sendmail, from userid x)\n\tid abc; x
|Received: by h (qmtp-sendmail, from userid 0)\n id abc; x
|Received: by h h (qmtp-sendmail, from userid 0)\n\tid abc; x
|received: by h (qmtp-sendmail, from userid 0)\n\tid abc; x
|X: y\nReceived: by h (qmtp-sendmail, from userid 0)\n\tid abc; x
|Received: by h (qmtp-sendmail, from userid 0)\n\tid
|
END
store "Received: by h (qmtp-sendmail, from userid 0)\n\tid $(printf '%064d' 0 | tr 0 a); x"
run_as '' list
is "$CASE: 64 bytes" "$(sed -n 's/^token //p' "$D/out")" "$(printf '%064d' 0 | tr 0 a)"
run_as '' remove "$ID"
store "Received: by h (qmtp-sendmail, from userid 0)\n\tid $(printf '%065d' 0 | tr 0 a); x"
run_as '' list
is "$CASE: 65 bytes" "$(sed -n 's/^token //p' "$D/out")" ''

fresh 'what is no entry'
store 'hello\n'
good=$ID
ln -s "$good" "$D/spool/queue/00000001.1"
mkfifo "$D/spool/queue/00000002.2"
mkdir "$D/spool/queue/00000003.3"
echo text >"$D/spool/queue/note"
store 'linked\n'
ln "$D/spool/queue/$ID" "$D/spool/queue/00000004.4"
linked=$ID
echo text >"$D/spool/queue/x"
renamed=00000005.$(printf '%x' $(($(stat -c %i "$D/spool/queue/x") + 1)))
mv "$D/spool/queue/x" "$D/spool/queue/$renamed"
inode() {
	printf '%x' "$(stat -c %i "$1")"
}
mkfifo "$D/spool/queue/x"
fifo=00000006.$(inode "$D/spool/queue/x")
mv "$D/spool/queue/x" "$D/spool/queue/$fifo"
symlink=00000007.$(inode "$D/spool/queue/$good")
ln -s "$good" "$D/spool/queue/$symlink"
echo outside >"$D/outside"
files() {
	find "$D/spool/queue" "$D/outside" ! -name "$good" ! -name queue -printf '%p %i %s %m %u %l %T@\n' | sort
}
before=$(files)
run_as '' list
is "$CASE: list" "$(grep -e '^entry' -e '^damaged' -e '^done' "$D/out")" "entry $good
done 1"
for id in 00000001.1 00000002.2 00000003.3 00000004.4 "$linked" "$renamed" "$fifo" "$symlink" note ../outside \
    ../../outside . .. / "$D/outside" "$good/" 1.2/../../../outside "$(printf '%0100d.1' 1)"; do
	for verb in show remove retry; do
		says "$verb $id" 67 'no 67 no such entry'
	done
done
says 'retry all' 0 'ok 1'
run_as '' remove ''
is "$CASE: an empty id" "$CODE $(cat "$D/out")" '67 no 67 no such entry'
is "$CASE: all as it was" "$(files)" "$before"

fresh 'damage'
store 'hello\n'
printf X | dd of="$D/spool/queue/$ID" bs=1 seek=40 conv=notrunc 2>/dev/null
says list 0 "ok
damaged $ID
done 1"
says "show $ID" 65 "no 65 queue/$ID: *"
says "retry $ID" 0 'ok'
says "remove $ID" 0 'ok'
is "$CASE: it is gone" "$(queue)" '*'

fresh 'a line for a line: addresses that were changed on disk'
store 'hello\n'
sed -i 's/5:q@x.y/5:q\n@.y/' "$D/spool/queue/$ID"
mv "$D/spool/queue/$ID" "$D/spool/queue/${ID%.*}.$(printf '%x' "$(stat -c %i "$D/spool/queue/$ID")")"
says list 0 "ok
damaged $(queue)
done 1"

fresh 'last words'
store 'hello\n'
printf '3b9aca00 0 1 mx: 4.3.0 later\033[1m\n3b9aca00 0 7 no\n' >>"$D/spool/queue/$ID"
run_as '' list
is "$CASE: list" "$(sed -n '/^rcpt/d; /^sender/,/^end/p' "$D/out")" 'sender s@x.y
words 0 1 mx: 4.3.0 later?[1m
end'

fresh 'a message of 3 MB'
yes "a line$TAB" | head -c 3000000 >"$D/big"
{
	printf '3000001:\n'
	cat "$D/big"
	printf ',0:,4:1:a,,'
} >"$D/package"
run_as '' store <"$D/package"
is "$CASE: stored" "$CODE" 0
run_as '' show "$(queue)"
is "$CASE: show: exit code" "$CODE" 0
{
	echo 'ok 3000000'
	cat "$D/big"
} >"$D/wanted"
same "$CASE: show" "$D/out" "$D/wanted"

fresh '600 entries, in the order they came'
store 'hello\n'
# Names by their arrival, not as the directory has them
awk 'BEGIN { for (i = 0; i < 600; i++) print i * 7919 % 600 }' | while read -r i; do
	cp "$D/spool/queue/$ID" "$D/spool/tmp/$i"
done
rm "$D/spool/queue/$ID"
stat -c '%i %n' "$D/spool/tmp"/* | awk '{ n = $2; sub(/.*\//, "", n); printf "mv %s %s\n", $2, sprintf("%08x.%x", 1000000000 + n, $1) }' |
    sed "s| \([^ ]*\)\$| $D/spool/queue/\1|" | sh
run_as '' list
is "$CASE: list: exit code" "$CODE" 0
sed -n 's/^arrived //p' "$D/out" >"$D/got"
awk 'BEGIN { for (i = 0; i < 600; i++) print 1000000000 + i }' >"$D/wanted"
same "$CASE: list" "$D/got" "$D/wanted"
is "$CASE: the end" "$(tail -n 1 "$D/out")" 'done 600'
says 'retry all' 0 'ok 600'

fresh 'its own surroundings'
mkfifo "$D/fifo"
user=''
[ "$(id -u)" -ne 0 ] || user="setpriv --reuid 1234 --regid $(stat -c %g "$D/spool") --clear-groups"
# shellcheck disable=SC2086
(cd "$D" && umask 077 && exec $user "$QUEUE" store <fifo >/dev/null 2>&1 8</etc/passwd) &
helper=$!
at_end $helper
exec 9>"$D/fifo"
# It has begun: its file is there.
wait_for sh -c "ls '$D/spool/tmp' | grep -q ."
is "$CASE: a process group of its own" "$(sed 's/.*) //' "/proc/$helper/stat" | cut -d ' ' -f 3)" "$helper"
is "$CASE: descriptors of others" "$(find "/proc/$helper/fd" -lname /etc/passwd)" ''
like "$CASE: no core files" "$(grep '^Max core file size' "/proc/$helper/limits")" '* 0 * 0 *'
if [ -n "$user" ]; then
	is "$CASE: nobody looks into it" "$(stat -c %u "/proc/$helper/mem")" 0
else
	skip "$CASE: nobody looks into it" 'needs root'
fi
exec 9>&-
wait "$helper"
is "$CASE: exit code" $? 65

fresh 'nobody reads the list'
store 'hello\n'
(cd "$D" && exec "$QUEUE" list >/dev/full 2>err)
is "$CASE: exit code" $? 74

fresh 'without the group'
if [ "$(id -u)" -eq 0 ]; then
	store 'hello\n'
	chgrp 4711 "$D/spool"
	chmod 711 "$D/spool"
	for verb in list "show $ID" "remove $ID" 'retry all' store doubt; do
		# shellcheck disable=SC2086
		(cd "$D" && exec setpriv --reuid 1234 --regid 1234 --clear-groups "$QUEUE" $verb <package >out 2>err)
		is "$CASE: $verb: exit code" $? 77
		case $verb in
		store | doubt) is "$CASE: $verb" "$(cat "$D/out")" '' ;;
		*) is "$CASE: $verb" "$(cat "$D/out")" "no 77 this process has not got the spool's group" ;;
		esac
	done
	is "$CASE: nothing happened" "$(queue)" "$ID"
	says list 0 "ok
entry *"

	fresh "others' entries"
	store 'of root\n'
	roots=$ID
	store 'of one\n' store 1234
	ones=$ID
	store 'of two\n' store 1235
	twos=$ID
	is "$CASE: who has them" "$(cd "$D/spool/queue" && stat -c '%n %u %a' "$roots" "$ones" "$twos")" \
	    "$roots 0 660
$ones 1234 660
$twos 1235 660"
	before=$(ls -li --time-style=full-iso "$D/spool/queue")
	AS=1234
	for id in $roots $twos; do
		for verb in show remove retry; do
			says "$verb $id" 67 'no 67 no such entry'
		done
	done
	is "$CASE: all as it was" "$(ls -li --time-style=full-iso "$D/spool/queue")" "$before"
	run_as 1234 list
	is "$CASE: list" "$(grep -e '^entry' -e '^uid' -e '^damaged' -e '^done' "$D/out")" "entry $ones
uid 1234
done 1"
	touch -d '2020-01-01' "$D/spool/queue"/*
	says 'retry all' 0 'ok 1'
	is "$CASE: retry all: the others" "$(stat -c %Y "$D/spool/queue/$roots" "$D/spool/queue/$twos" | sort -u)" \
	    "$(date -d 2020-01-01 +%s)"
	says "show $ones" 0 'ok 7
of one'
	says "remove $ones" 0 ok
	AS=''
	run_as '' list
	is "$CASE: root sees all" "$(grep -c -e '^entry' "$D/out")" 2
	says "show $twos" 0 'ok 7
of two'
	says 'retry all' 0 'ok 2'
	says "remove $twos" 0 ok
	is "$CASE: root removes all" "$(queue)" "$roots"

	fresh 'a set-group-id spool'
	chgrp 4712 "$D/spool/tmp" "$D/spool/queue"
	chgrp 4711 "$D/spool"
	chmod 710 "$D/spool"
	chmod 3777 "$D/spool/tmp" "$D/spool/queue"
	store 'hello\n' store 1234
	is "$CASE: the file" "$(stat -c '%u:%g %a' "$D/spool/queue/$ID")" '1234:4712 660'
	store 'hello\n'
	is "$CASE: the file of root" "$(stat -c '%u:%g %a' "$D/spool/queue/$ID")" '0:4712 660'
	umask 077
	store 'hello\n' store 1234
	umask 022
	is "$CASE: no umask" "$(stat -c '%u:%g %a' "$D/spool/queue/$ID")" '1234:4712 660'
	AS=1234
	says 'retry all' 0 'ok 2'
	says "remove $ID" 0 ok
	AS=''

	# The sanitizers cannot look at such a process, and fail.
	if [ "${SANITIZERS-no}" = no ]; then
		fresh 'set-user-id'
		store 'hello\n'
		cp "$QUEUE" "$D/q"
		chown 1234 "$D/q"
		chmod 4755 "$D/q"
		(cd "$D" && exec ./q list >out)
		is "$CASE: exit code" $? 77
		is "$CASE: silence" "$(cat "$D/out")" ''
	fi
else
	skip 'without the group' 'needs root'
	skip "others' entries" 'needs root'
	skip 'a set-group-id spool' 'needs root'
	skip 'set-user-id' 'needs root'
fi

done_testing
