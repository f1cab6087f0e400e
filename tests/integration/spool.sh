#!/bin/sh
# What no server takes is stored in the spool, byte for byte, and by whichever road leads there; what
# cannot be stored is never said to be. The rows are those of failures.sh, this time with a spool.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

bob=bob@example.net carol=carol@example.net dave=dave@example.net
sender=sender@lab.example

# ---- a spool, and what is in it

# spool: in the directory of the case, with the helper
spool() {
	mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue" "$D/spool/failed" "$D/spool/corrupt"
	ln -s "$QUEUE" "$D/qmtp-queue"
}

# with_spool CASE [CONNECT-DELAY]
with_spool() {
	begin "$@"
	spool
}

# helper LINE ...: a helper of our own: a shell script. $D/qmtpd is a server that plays it.
helper() {
	rm -f "$D/qmtp-queue"
	printf '%s\n' '#!/bin/sh' "$@" >"$D/qmtp-queue"
	chmod +x "$D/qmtp-queue"
}

# player [QMTPD-OPTION ...]: a helper that gives these answers; what the last one got is in $D/helper
player() {
	lib_words=''
	for lib_word; do
		lib_words="$lib_words '$lib_word'"
	done
	helper 'echo x >>starts' "exec '$QMTPD' --stdio --lifetime 60 --store '$D/helper' --log '$D/helper.log' $lib_words"
}

# started N: so often
started() {
	is "$CASE: the helper was started $1 times" "$(wc -l <"$D/starts" | tr -d ' ')" "$1"
}

# door PROGRAM [ARGUMENT ...]: the socket; behind it the program, and what was asked for
door() {
	(cd "$D" && exec "$STAGE" door queue.sock "$@") &
	lib_mine="$lib_mine $!"
	at_end $!
	wait_for test -S "$D/queue.sock"
}

# kept N: so many entries, and nothing that is half written
kept() {
	is "$CASE: $1 in the queue" \
	    "$(find "$D/spool/queue" -type f | wc -l | tr -d ' ') $(find "$D/spool/tmp" -type f | wc -l | tr -d ' ')" \
	    "$1 0"
}

# netstring TEXT
netstring() {
	printf '%d:%s,' ${#1} "$1"
}

# open_entry FILE: sets $E: what a server would read in it is $E.message and so on, the rest $E.slots
open_entry() {
	E=$D/entry-$(basename "$1")
	[ -e "$E.slots" ] && return
	"$QMTPD" --stdio --store "$E.d" --log /dev/null <"$1" >/dev/null
	for lib_part in message rcpts sender "done"; do
		mv "$E.d/000001.$lib_part" "$E.$lib_part"
	done
	rm -rf "$E.d"
	lib_bytes=$(field "$E.done" bytes)
	head -c "$lib_bytes" "$1" >"$E.package"
	tail -c +$((lib_bytes + 1)) "$1" >"$E.slots"
}

# states FILE: the letters of its slots, if they are slots, with the time of its name
states() {
	sed "s/^\(.\)$(basename "$1" | sed 's/\..*//')\$/\1/" "$E.slots" | tr -d '\n'
}

# entry STATE [--from SENDER] [--message FILE] RCPT ...: there is one for these recipients, all in this
# state, and it is the package that a server would be sent. Sets $E.
entry() {
	lib_wanted=$1 lib_from=$sender lib_file=$D/in
	shift
	[ "$1" != --from ] || { lib_from=$2; shift 2; }
	[ "$1" != --message ] || { lib_file=$2; shift 2; }
	lib_slots='' lib_list=''
	for lib_rcpt; do
		lib_slots=$lib_slots$lib_wanted
		lib_list=$lib_list$(netstring "$lib_rcpt")
	done
	lib_slots=${lib_slots}P
	lib_names=$(printf '%s\n' "$@")
	E=''
	for lib_entry in "$D/spool/queue"/*; do
		[ -e "$lib_entry" ] || break
		open_entry "$lib_entry"
		[ "$(states "$lib_entry") $(cat "$E.rcpts")" != "$lib_slots $lib_names" ] || break
		E=''
	done
	if [ -z "$E" ]; then
		not_ok "$CASE: an entry $lib_slots for $*" "$(head -c 2000 "$D/spool/queue"/* | od -c | tail -20)"
		return
	fi
	ok "$CASE: an entry $lib_slots for $*"
	{
		printf '%d:\n' $(($(wc -c <"$E.message") + 1))
		cat "$E.message"
		printf ',%s' "$(netstring "$lib_from")"
		netstring "$lib_list"
	} >"$D/package"
	same "$CASE: it is the package for $*" "$E.package" "$D/package"
	[ -n "$lib_file" ] || return
	like "$CASE: Received in it" "$(head -n 2 "$E.message")" \
	    "Received: by host.lab.example (qmtp-sendmail, from userid $(id -u))
	id ????????????????; ???, ?? ??? 2??? ??:??:?? [+-]????"
	tail -n +3 "$E.message" >"$D/arrived"
	same "$CASE: every byte of the message" "$D/arrived" "$lib_file"
}

# ---- those that wait run beside the others, and are looked at in the end

with_spool 'row 13: one K for several, then silence'
serve a '' --one-answer
serve b ''
send_later $bob $carol $dave
later_k=$D

with_spool 'a helper that does not read'
large
# shellcheck disable=SC2016 # for the helper
helper 'echo $$ >pid' 'exec sleep 60'
serve a '' --refuse
send_later $bob
later_deaf=$D

with_spool 'a helper that does not answer'
player --stall-after-byte last
serve a '' --refuse
send_later $bob
later_silent=$D

with_spool 'a helper that does not answer, and two packages'
player --stall-after-byte last
serve a '' --rule 'bob@*=Zlater' --close-after-answer 1
send_later $bob $carol
later_two=$D

with_spool 'a socket that hangs'
rm "$D/qmtp-queue"
# shellcheck disable=SC2016 # for the inner shell
door /bin/sh -c 'exec "$0" --stdio --lifetime 60 --stall-after-byte last --log /dev/null' "$QMTPD"
serve a '' --refuse
send_later $bob
later_socket=$D

with_spool 'a socket that takes nobody in'
rm "$D/qmtp-queue"
start_server --unix "$D/queue.sock" --blackhole
lib_mine="$lib_mine $PID"
serve a '' --refuse
send_later $bob
later_full=$D

# ---- rows 1 to 8: no server could be given the message

with_spool 'row 1: a name that does not resolve'
configure 'server "x" { host = "fe80::1%none0" }'
send $bob
gives 0 ''
kept 1
entry P $bob

with_spool 'row 2: refused'
serve a '' --refuse
serve b '' --refuse
logging
send $bob $carol $dave
gives 0 ''
kept 1
entry P $bob $carol $dave
id=$(ls "$D/spool/queue")
token=$(sed -n '2s/^	id \([a-z2-7]*\);.*/\1/p' "$E.message")
logged "^<22>.*: $token to=<$bob>,<$carol>,<$dave> relay=queue delay=[0-9]*\.[0-9][0-9] status=queued (queued as $id)$"

with_spool 'row 3: two black holes' 100
serve a 'connect-timeout = 1' --blackhole
serve b 'connect-timeout = 1' --blackhole
send $bob
gives 0 ''
kept 1
entry P $bob

with_spool 'row 4: no TLS: never plain instead'
serve a 'tls = true'
send $bob
gives 0 ''
offered a
kept 1
entry P $bob

for fault in 'close-after-byte 100000' 'reset-after-byte 100000' 'close-after-byte connect' 'early connect=hello'; do
	with_spool "rows 5, 7: $fault"
	large
	# shellcheck disable=SC2086 # an option and its value
	serve a '' --$fault
	send $bob $carol
	gives 0 ''
	kept 1
	entry P --message "$T/large" $bob $carol
done

# ---- rows 9 to 12: a server may have it

for fault in 'close-after-byte last' 'reset-after-byte last' 'raw 5:Kok' 'raw 3:Xno,' 'raw 03:Kok,'; do
	with_spool "rows 9, 11: $fault"
	# shellcheck disable=SC2086 # an option and its value
	serve a '' --$fault --then close
	serve b ''
	send $bob $carol
	gives 0 ''
	came b 0 0 0
	kept 1
	entry '?' $bob $carol
done
with_spool 'row 10: one of three answers'
serve a '' --close-after-answer 1
serve b ''
send $bob $carol $dave
gives 0 ''
kept 1
entry '?' $carol $dave
with_spool 'row 12: answers that are too slow'
configure 'direct-timeout = 1'
serve a '' --stall-after-byte last
serve b ''
send $bob
gives 0 ''
kept 1
entry '?' $bob

with_spool 'undecided and in doubt: two packages'
serve a '' --rule 'bob@*=Zlater' --close-after-answer 1
logging
send $bob $carol $dave
gives 0 ''
kept 2
entry P $bob
entry '?' $carol $dave
logged "to=<$bob> relay=queue delay=[0-9.]* status=queued (queued as "
logged "to=<$carol>,<$dave> relay=queue delay=[0-9.]* status=queued (queued as "

# ---- rows 14 to 17: answers

with_spool 'row 14: more answers than recipients'
serve a '' --extra 1
send $bob
gives 0 ''
kept 0
with_spool 'row 15: Z of all servers, for some'
serve a '' --rule 'carol@*=Zbusy'
serve b '' --answer 'Zfull'
send $bob $carol
gives 0 ''
got a $bob
offered b $carol
kept 1
entry P $carol
with_spool 'row 16: D for all'
serve a '' --answer 'D#5.1.1 no such user'
send $bob $carol
gives 67 "sendmail: <$bob>, <$carol>: refused by a: #5.1.1 no such user"
kept 0
with_spool 'row 17: D for some, the bounce goes out'
serve a '' --rule 'bob@*=Dno'
send $bob $carol
gives 0 ''
got a $carol $sender
kept 0
with_spool 'row 17: D for some, the bounce is queued'
serve a '' --rule 'bob@*=Dno' --on 2- --answer Zbusy
send $bob $carol
gives 0 ''
got a $carol
kept 1
entry P --from '' --message '' $sender
check "$CASE: it is about bob" grep -q "^Final-Recipient: rfc822; $bob" "$E.message"
with_spool 'row 17: D for some, the bounce is in doubt'
serve a '' --rule 'bob@*=Dno' --on 2- --close-after-byte last
send $bob $carol
gives 0 ''
kept 1
entry '?' --from '' --message '' $sender
with_spool 'row 17: D for some, the others are queued'
serve a '' --rule 'bob@*=Dno' --rule 'carol@*=Zlater' --on 2- --answer Zbusy
send $bob $carol $dave
gives 0 ''
kept 2
entry P $carol
entry P --from '' --message '' $sender
with_spool 'row 17: D for some, no bounce possible'
serve a '' --rule 'bob@*=Dno' --rule 'carol@*=Zlater'
send -f '' $bob $carol
gives 69 "sendmail: <$bob>: refused by a: no
sendmail: bounce: none is sent to the null sender"
kept 1
entry P --from '' $carol
with_spool 'D for some, and others cannot be stored'
player --answer 'Zspool: no room left'
serve a '' --rule 'bob@*=Dno' --rule 'carol@*=Zlater'
send $bob $carol $dave
gives 73 "sendmail: <$bob>: refused by a: no
sendmail: <$carol>: not sent: a: later; queue: spool: no room left"
got a $dave

# ---- the spool first

for how in -odq -odb -odd '-O DeliveryMode=q' configured; do
	with_spool "spool first: $how"
	serve a ''
	if [ "$how" = configured ]; then
		configure 'delivery = "queue"'
		send $bob $carol
	else
		# shellcheck disable=SC2086 # words
		send $how $bob $carol
	fi
	gives 0 ''
	came a 0 0 0
	kept 1
	entry P $bob $carol
done
with_spool 'servers first: -odi'
configure 'delivery = "queue"'
serve a ''
send -odi $bob
gives 0 ''
got a $bob
kept 0
begin 'spool first, and there is none: the servers'
serve a '' --rule 'carol@*=Zlater'
send -odq $bob
gives 0 ''
got a $bob
send -odq $carol
gives 73 "sendmail: <$carol>: not sent: queue: no spool: ./qmtp-queue: No such file or directory *; a: later"
with_spool 'spool first, and it is full: the servers, and nobody asks it again'
player --answer 'Zfull'
serve a '' --rule 'carol@*=Zlater'
send -odq $bob $carol
gives 73 "sendmail: <$carol>: not sent: queue: full; a: later"
got a $bob
started 2
with_spool 'spool first, and it refuses: the servers'
player --answer 'Dno'
serve a ''
send -odq $bob
gives 0 ''
got a $bob
started 1
with_spool 'spool first, also for the bounce'
# shellcheck disable=SC2016 # for the helper
helper 'if [ -e once ]; then exec "$0.real" "$@"; fi' ': >once' 'exit 1'
ln -s "$QUEUE" "$D/qmtp-queue.real"
serve a '' --rule 'bob@*=Dno'
send -odq $bob $carol
gives 0 ''
got a $carol
kept 1
entry P --from '' --message '' $sender

# ---- row 20: the spool cannot take it

# refusing WHAT STDERR: the end of what is said of bob
refusing() {
	serve a '' --refuse
	send $bob
	gives 73 "sendmail: <$bob>: not sent: a: Connection refused while connecting to 127.0.0.1$1"
}
with_spool 'row 20: no spool for the helper'
rm -r "$D/spool"
refusing '; queue: no spool: ./qmtp-queue: no spool there, or not its group; queue.sock: No such file*'
with_spool 'row 20: no tmp'
rmdir "$D/spool/tmp"
refusing '; queue: no spool: ./qmtp-queue: *; queue.sock: No such file *'
with_spool 'row 20: a helper that cannot be executed'
rm "$D/qmtp-queue"
: >"$D/qmtp-queue"
refusing '; queue: no spool: ./qmtp-queue: Permission denied while starting it; queue.sock: No such file *'
with_spool 'row 20: a helper that is no program'
rm "$D/qmtp-queue"
echo 'no program' >"$D/qmtp-queue"
chmod +x "$D/qmtp-queue"
refusing '; queue: no spool: ./qmtp-queue: Exec format error while starting it; queue.sock: *'
with_spool 'row 20: a socket without a program'
rm "$D/qmtp-queue"
door /bin/true
kill $!
wait $! 2>/dev/null
refusing '; queue: no spool: ./qmtp-queue: No such file *; queue.sock: Connection refused while connecting'
begin 'row 20: neither helper nor socket'
logging
refusing ''
logged "to=<$bob> relay=queue delay=[0-9.]* status=deferred (no spool: ./qmtp-queue: No such file .*; queue.sock: No such file "
if [ "$(id -u)" -eq 0 ]; then
	with_spool 'row 20: the queue cannot be written to'
	chmod 711 "$T"
	rm "$D/qmtp-queue"
	cp "$SENDMAIL" "$QUEUE" "$STAGE" "$D"
	chgrp -R 65534 "$D/spool"
	configure "server \"a\" { host = \"$D/none\" }"
	(cd "$D" && ./stage run --user 65534 ./sendmail -C conf $bob <in >out 2>err)
	CODE=$?
	gives 73 "*; queue: spool: Permission denied while creating a file"
	kept 0
else
	skip 'row 20: the queue cannot be written to' 'only root can be somebody else'
fi

# ---- what a helper may say; row 21

# says STDERR TIMES OPTION ...: it was asked so often
says() {
	with_spool "a helper: $3 ${4:-}"
	lib_end=$1 lib_times=$2
	shift 2
	player "$@"
	serve a '' --refuse
	send $bob $carol
	gives 73 "sendmail: <$bob>, <$carol>: not sent: a: Connection refused while connecting to 127.0.0.1; queue: $lib_end"
	started "$lib_times"
	offered helper $bob $carol
}
says 'busy' 2 --answer 'Zbusy'
says 'no' 1 --answer 'Dno'
says 'what\?\?' 1 --answer 'Dwhat\x01\x02'
says 'no reason given' 2 --answer 'Z'
says 'answers that differ; a copy may be queued' 1 --rule 'bob@*=Zbusy'
says 'answers that differ; a copy may be queued' 1 --rule 'bob@*=Dno'
says 'answers that differ; a copy may be queued' 1 --rule 'bob@*=Dno' --answer 'Zno'
says 'the server closed * waiting for the answer; a copy may be queued' 1 --close-after-byte last
says 'the server closed * waiting for the answer; a copy may be queued' 1 --close-after-answer 1
says 'the server closed * waiting for the answer; a copy may be queued' 1 --raw '3:Ko' --then close
says 'an answer that is no netstring *; a copy may be queued' 1 --raw 'HTTP/1.0 400'
says 'an answer of unknown kind *; a copy may be queued' 1 --raw '3:Xno,'
with_spool 'a helper that answers before it was asked'
large
player --early 'connect=3:Kok,'
refusing '; queue: no spool: ./qmtp-queue: the server spoke out of turn *; queue.sock: *'
started 1

with_spool 'row 21: Z, and then it can'
# shellcheck disable=SC2016 # for the helper
helper 'if [ -e once ]; then exec "$0.real" "$@"; fi' ': >once' "exec '$QMTPD' --stdio --answer Zlater --log x"
ln -s "$QUEUE" "$D/qmtp-queue.real"
serve a '' --refuse
send $bob $carol
gives 0 ''
kept 1
entry P $bob $carol

# how often a helper that reads nothing is started: once, and no copy is ever thought to be queued
for how in 'exit 77' 'exit 127' 'exit 1' 'kill -9 $$'; do
	with_spool "a helper that reads nothing: $how"
	helper 'echo x >>starts' "$how"
	refusing '; queue: no spool: ./qmtp-queue: *; queue.sock: No such file or directory while connecting'
	started 1
	large
	send $bob
	gives 73 '*; queue: no spool: ./qmtp-queue: *; queue.sock: No such file or directory while connecting'
done

# ---- the surroundings of the helper

with_spool 'a helper: what it is given'
# the shell itself reads its status: while it waits for another program it blocks signals
# shellcheck disable=SC2016 # for the helper
helper 'tr "\0" "\n" </proc/$$/environ >environ' \
    'while read -r k v; do case $k in SigBlk:|SigIgn:) echo "$v";; esac; done </proc/$$/status >signals' \
    'ls -l /proc/$$/fd >fds' 'echo "$*" >argv' "exec '$QMTPD' --stdio --log x"
serve a '' --refuse
mkfifo "$D/pipe"
(cd "$D" && exec "$STAGE" run --ignore 1 --ignore 17 --block 15 "$SENDMAIL" -C conf $bob <in >out 2>err 7<>pipe)
CODE=$?
gives 0 ''
is "$CASE: environment" "$(cat "$D/environ")" ''
# two signals are the C library's own
is "$CASE: signals" "$(sed 's/180000000$/000000000/' "$D/signals" | tr '\n' ' ')" \
    '0000000000000000 0000000000000000 '
is "$CASE: words" "$(cat "$D/argv")" store
check "$CASE: its 0 and 1" sh -c "[ \$(grep -c '[01] -> socket:' '$D/fds') = 2 ]"
check "$CASE: its 2" grep -q '2 -> /dev/null' "$D/fds"
check "$CASE: nothing else" sh -c "! grep -E -- '-> (pipe|socket:|/.*pipe)' '$D/fds' | grep -v '[01] -> socket:'"

for option in '--ignore 17' '--block 17'; do
	with_spool "SIGCHLD: $option"
	serve a '' --refuse
	# shellcheck disable=SC2086 # words
	(cd "$D" && "$STAGE" run $option "$SENDMAIL" -C conf $bob <in >out 2>err)
	CODE=$?
	gives 0 ''
	entry P $bob
	with_spool "SIGCHLD: $option, and no group"
	helper 'exit 77'
	door "$QUEUE"
	serve a '' --refuse
	# shellcheck disable=SC2086 # words
	(cd "$D" && "$STAGE" run $option "$SENDMAIL" -C conf $bob <in >out 2>err)
	CODE=$?
	gives 0 ''
	entry P $bob
done

for closed in '<&-' '>&-' '2>&-' '<&- >&-' '<&- 2>&-' '>&- 2>&-' '<&- >&- 2>&-' ''; do
	with_spool "descriptors: ${closed:-open}"
	serve a '' --refuse
	: >"$D/out"
	: >"$D/err"
	case $closed in
	*'<&-'*)
		(cd "$D" && eval "exec \"\$SENDMAIL\" -C conf $bob >out 2>err $closed")
		is "$CASE: exit code" $? 74
		kept 0
		;;
	*)
		(cd "$D" && feed in | eval "exec \"\$SENDMAIL\" -C conf $bob >out 2>err $closed")
		CODE=$?
		gives 0 ''
		kept 1
		entry P $bob
		;;
	esac
done

# ---- the socket

with_spool 'the socket: no helper'
rm "$D/qmtp-queue"
door "$QUEUE"
serve a '' --refuse
logging
send $bob $carol
gives 0 ''
kept 1
entry P $bob $carol
logged 'status=queued (queued as '
for how in 'exit 77' 'exit 127' 'exit 1'; do
	for what in small large; do
		with_spool "the socket: a helper with $how, $what"
		helper "$how"
		door "$QUEUE"
		serve a '' --close-after-answer 1
		[ $what = small ] || large
		send $bob $carol
		gives 0 ''
		kept 1
		entry '?' --message "$(readlink -f "$D/in")" $carol
	done
done
with_spool 'the socket: no group there either'
rm "$D/qmtp-queue"
door /bin/sh -c 'exit 77'
refusing '; queue: no spool: ./qmtp-queue: *; *'
with_spool 'the socket: Z twice'
rm "$D/qmtp-queue"
door "$QMTPD" --stdio --answer Zfull --store "$D/helper" --log /dev/null
# what is asked for stands behind, where the server takes no words
rm "$D/queue.sock"
# shellcheck disable=SC2016 # for the inner shell
door /bin/sh -c 'echo "$1" >>asked; exec "$0" --stdio --answer Zfull --log /dev/null' "$QMTPD"
refusing '; queue: full'
is "$CASE: asked" "$(tr '\n' ' ' <"$D/asked")" 'store store '

# listens: who really stands behind the socket
listens() {
	(cd "$D" && exec "$QUEUE" listen) &
	lib_mine="$lib_mine $!"
	at_end $!
	wait_for test -S "$D/queue.sock"
}
with_spool 'the socket: qmtp-queue listen'
listens
helper 'exit 77'
serve a '' --rule 'bob@*=Zlater' --close-after-answer 1
send $bob $carol $dave
gives 0 ''
kept 2
entry P $bob
entry '?' $carol $dave
with_spool 'the socket: qmtp-queue listen, and a large message'
listens
rm "$D/qmtp-queue"
large
serve a '' --refuse
send $bob
gives 0 ''
kept 1
entry P --message "$T/large" $bob
with_spool 'the socket: qmtp-queue listen, and no spool'
listens
rm -r "$D/qmtp-queue" "$D/spool"
# root finds that out before it reads anything; others may have taken in the package by then
refusing '; queue: *'
[ "$(id -u)" -ne 0 ] || like "$CASE: stderr" "$(cat "$D/err")" \
    '*; queue: no spool: ./qmtp-queue: No such file *; queue.sock: * while *'

# ---- the group, gained and not gained

# bit: the helper has its bit, the spool its group, and the caller is somebody else
bit() {
	chmod 711 "$T"
	rm "$D/qmtp-queue"
	cp "$SENDMAIL" "$QUEUE" "$STAGE" "$D"
	chgrp 65533 "$D/qmtp-queue" "$D/spool"
	chmod 2755 "$D/qmtp-queue"
	chmod 710 "$D/spool"
	chmod 3777 "$D/spool/tmp" "$D/spool/queue"
	configure "server \"a\" { host = \"$D/none\" }"
}

# as_somebody [STAGE-OPTION ...]
as_somebody() {
	(cd "$D" && ./stage run "$@" --user 65534 ./sendmail -C conf $bob <in >out 2>err)
	CODE=$?
}
if [ "$(id -u)" -ne 0 ]; then
	skip 'the group is gained' 'only root can give files away'
elif findmnt -no OPTIONS -T "$T" | grep -q nosuid; then
	skip 'the group is gained' 'set-group-id bits do nothing here'
else
	with_spool 'the group is gained'
	bit
	as_somebody
	gives 0 ''
	kept 1
	entry P --message '' $bob
	is "$CASE: whose it is" "$(stat -c '%u %a' "$D/spool/queue"/*)" '65534 660'
	with_spool 'the group is not gained: no new privileges'
	bit
	as_somebody --no-new-privs
	gives 73 '*; queue: no spool: ./qmtp-queue: no spool there, or not its group; queue.sock: No such file *'
	kept 0
	with_spool 'the group is not gained, and there is a socket'
	bit
	chmod 777 "$D"
	door "$STAGE" run --user 65533 "$D/qmtp-queue"
	chmod 777 "$D/queue.sock"
	as_somebody --no-new-privs
	gives 0 ''
	kept 1
	entry P --message '' $bob
	with_spool 'the group is not gained, and there is qmtp-queue listen'
	bit
	listens
	as_somebody --no-new-privs
	gives 0 ''
	kept 1
	entry P --message '' $bob
	is "$CASE: whose it is" "$(stat -c '%u %a' "$D/spool/queue"/*)" '65534 660'
fi

# ---- rows 22 to 24: signals

# start [STAGE-OPTION ...] -- [ARGUMENT ...]: in the background, as in trouble.sh
start() {
	options=''
	while [ "$1" != -- ]; do
		options="$options $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words
	(cd "$D" && exec "$STAGE" run --default 1 --default 2 --default 15 $options "$SENDMAIL" -C conf "$@" \
	    <in >out 2>err) &
	JOB=$!
	at_end "$JOB"
}

ended() {
	wait "$JOB" 2>/dev/null
	CODE=$?
}

with_spool 'row 22: a signal while it is handed over'
large
player --stall-after-byte 10000
serve a '' --refuse
start -- $bob
wait_for_line "$D/helper.log" ' stall '
kill -TERM "$JOB"
ended
gives 143 ''
with_spool 'row 22: the same, ignored'
player --delay 300
serve a '' --refuse
start --ignore 15 -- $bob
wait_for_line "$D/helper.log" ' package '
kill -TERM "$JOB"
ended
gives 0 ''
with_spool 'row 23: a signal when the last byte was handed over'
player --delay 500
serve a '' --refuse
start -- $bob
wait_for_line "$D/helper.log" ' package '
kill -TERM "$JOB"
ended
gives 0 ''
got helper $bob
with_spool 'row 23: a signal, and the server does not answer'
serve a '' --delay 800 --then close --raw ''
start -- $bob $carol
wait_for_line "$D/a.log" ' package '
kill -INT "$JOB"
ended
gives 0 ''
kept 1
entry '?' $bob $carol
with_spool 'row 23: a signal, and the answer is Z'
serve a '' --delay 500 --answer Zlater
serve b ''
start -- $bob
wait_for_line "$D/a.log" ' package '
kill -HUP "$JOB"
ended
gives 0 ''
came b 0 0 0
kept 1
entry P $bob
with_spool 'row 24: killed before the last byte'
large
# shellcheck disable=SC2016 # for the helper
helper 'echo $$ >pid' 'while [ ! -e go ]; do sleep 0.02; done' 'exec "$0.real" "$@"'
ln -s "$QUEUE" "$D/qmtp-queue.real"
serve a '' --refuse
start -- $bob
wait_for_file "$D/pid"
kill -KILL "$JOB"
ended
: >"$D/go"
wait_for sh -c "! kill -0 $(cat "$D/pid")"
kept 0
with_spool 'row 24: killed after the last byte'
# shellcheck disable=SC2016 # for the helper
helper 'echo $$ >pid' 'while [ ! -e go ]; do sleep 0.02; done' 'exec "$0.real" "$@"'
ln -s "$QUEUE" "$D/qmtp-queue.real"
serve a '' --refuse
start -- $bob
wait_for_file "$D/pid"
sleep 0.1 # the whole package is in the socket by then; if it is not, nothing may be kept
kill -KILL "$JOB"
ended
: >"$D/go"
wait_for sh -c "! kill -0 $(cat "$D/pid")"
if [ -n "$(ls "$D/spool/queue")" ]; then
	kept 1
	entry P $bob
else
	kept 0
fi

# ---- standard input is a file, and does not stay as it is

for how in changed cut; do
	with_spool "a file that is $how while it is handed over"
	large
	cp --remove-destination "$T/large" "$D/in"
	# shellcheck disable=SC2016 # for the helper
	helper ': >begun' 'while [ ! -e go ]; do sleep 0.02; done' 'exec "$0.real" "$@"'
	ln -s "$QUEUE" "$D/qmtp-queue.real"
	door "$QUEUE"
	serve a '' --refuse
	start -- $bob
	wait_for_file "$D/begun"
	if [ $how = changed ]; then
		printf 'x' | dd of="$D/in" bs=1 seek=5000000 conv=notrunc 2>/dev/null
	else
		: >"$D/in"
	fi
	: >"$D/go"
	ended
	gives 74 'sendmail: *'
	kept 0
done

# ---- row 33: the caller's limits

with_spool 'row 33: no file may grow'
serve a '' --refuse
(cd "$D" && "$STAGE" run --limit fsize 300 "$SENDMAIL" -C conf $bob <in >out 2>err)
CODE=$?
gives 73 "*; queue: spool: File too large while writing the message"
kept 0
for n in 4 5 6 7 8 9 10; do
	with_spool "row 33: nofile $n"
	configure "server \"a\" { host = \"$D/none\" }"
	(cd "$D" && "$STAGE" run --limit nofile $n "$SENDMAIL" -C conf $bob <in >out 2>err)
	CODE=$?
	if [ $CODE -eq 0 ]; then
		gives 0 ''
		kept 1
		entry P $bob
	else
		like "$CASE: exit code $CODE" ' 71 73 78 127 ' "* $CODE *"
		kept 0
	fi
done
ASAN_OPTIONS=detect_leaks=0 # it would need a process itself
export ASAN_OPTIONS
for way in 'and no socket' 'and a socket'; do
	with_spool "row 33: no process can be made, $way"
	[ "$way" = 'and no socket' ] || door "$QUEUE"
	configure "server \"a\" { host = \"$D/none\" }"
	if [ "$(id -u)" -eq 0 ]; then
		chmod 711 "$T"
		cp "$SENDMAIL" "$STAGE" "$D"
		[ ! -e "$D/queue.sock" ] || chmod 777 "$D/queue.sock"
		(cd "$D" && ./stage run --limit nproc 1 --user 65533 ./sendmail -C conf $bob <in >out 2>err)
	else
		(cd "$D" && "$STAGE" run --limit nproc 1 "$SENDMAIL" -C conf $bob <in >out 2>err)
	fi
	CODE=$?
	if [ "$way" = 'and no socket' ]; then
		gives 73 "*; queue: no spool: ./qmtp-queue: Resource temporarily unavailable while starting it; *"
		kept 0
	else
		gives 0 ''
		kept 1
		[ "$(id -u)" -eq 0 ] || entry P $bob
	fi
done
unset ASAN_OPTIONS

# ---- SMTP

# smtp LINE ...: a conversation in one go
smtp() {
	(cd "$D" && printf '%s\r\n' "$@" | "$SENDMAIL" -C conf -bs >smtp 2>err)
	CODE=$?
	tr -d '\r' <"$D/smtp" >"$D/replies"
	: >"$D/out"
}
with_spool 'SMTP: queued, and once more'
serve a '' --refuse
smtp 'HELO x' "MAIL FROM:<$sender>" "RCPT TO:<$bob>" DATA 'Subject: 1' '' one . \
    "MAIL FROM:<$sender>" "RCPT TO:<$carol>" "RCPT TO:<$dave>" DATA 'Subject: 2' '' two . QUIT
gives 0 ''
for text in "$(sed -n 6p "$D/replies")" "$(sed -n 11p "$D/replies")"; do
	like "$CASE: reply" "$text" '250 2.0.0 ok ???????????????? queued as [0-9a-f]*.[0-9a-f]*'
	check "$CASE: so it is" test -e "$D/spool/queue/${text##* }"
done
kept 2
with_spool 'SMTP: not queued'
player --answer 'Zfull'
serve a '' --refuse
smtp 'HELO x' "MAIL FROM:<$sender>" "RCPT TO:<$bob>" DATA 'Subject: 1' '' one . QUIT
gives 0 ''
like "$CASE: reply" "$(sed -n 6p "$D/replies")" \
    "451 4.3.0 <$bob>: not sent: a: Connection refused while connecting to 127.0.0.1; queue: full"
with_spool 'SMTP: no child is left'
serve a '' --refuse
mkfifo "$D/words"
(cd "$D" && exec "$SENDMAIL" -C conf -bs <words >smtp 2>err) &
JOB=$!
at_end "$JOB"
exec 8>"$D/words"
for n in 1 2; do
	printf '%s\r\n' 'HELO x' "MAIL FROM:<$sender>" "RCPT TO:<$bob>" DATA 'Subject: 1' '' one . >&8
	wait_for sh -c "[ \$(grep -c 'queued as' '$D/smtp') = $n ]"
done
is "$CASE" "$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v job="$JOB" '{ sub(/.*\) /, ""); if ($2 == job) print }')" ''
exec 8>&-
wait "$JOB"

# ---- what is said of it; how large it may get

with_spool '-v'
serve a '' --refuse
send -v $bob
is "$CASE: exit code" $CODE 0
like "$CASE: the hand-over" "$(cat "$D/out")" "*
queue > message of * bytes
queue > sender <$sender>
queue > recipient <$bob>
queue \* last byte sent
queue < Kqueued as *
queue \* closed"

if [ "${SANITIZERS:-no}" = no ]; then # which have a memory of their own
	with_spool 'memory'
	serve a '' --refuse
	(cd "$D" && "$STAGE" peak small "$SENDMAIL" -C conf $bob <in)
	{ cat "$D/in"; yes 'a line of text that is as long as lines of mail are when people write them' |
	    head -c 199000000; echo; } >"$D/huge"
	(cd "$D" && feed huge | "$STAGE" peak piped "$SENDMAIL" -C conf $bob)
	is "$CASE: exit code" $? 0
	kept 2
	check "$CASE: a pipe of 199 MB, $(cat "$D/small") and $(cat "$D/piped") KiB" \
	    test "$(cat "$D/piped")" -lt $(($(cat "$D/small") + 3000))
	is "$CASE: every byte" \
	    "$(find "$D/spool/queue" -size +100000k -exec cat {} + | tail -c +$((11 + 2)) | wc -c | tr -d ' ')" \
	    "$(find "$D/spool/queue" -size +100000k -exec stat -c %s {} + | awk '{ print $1 - 12 }')"
	rm -rf "$D/spool" "$D/huge"
fi

# ---- in the end: those that waited

resume "$later_deaf"
gives 73 "*; queue: the server stopped reading while sending the message"
check "$CASE: it was ended" sh -c "! kill -0 $(cat "$D/pid")"
resume "$later_silent"
gives 73 "*; queue: no answer in time while waiting for the answer; a copy may be queued"
resume "$later_two"
gives 73 "sendmail: <$carol>: may have been sent, no answer from a: *; queue: not tried, since it does not answer
sendmail: <$bob>: not sent: a: later; queue: no answer in time while waiting for the answer; a copy may be queued"
started 1
resume "$later_socket"
gives 73 "*; queue: no answer in time while waiting for the answer; a copy may be queued"
resume "$later_full"
gives 73 "*; queue: no spool: ./qmtp-queue: *; queue.sock: Connection timed out while connecting"
resume "$later_k"
gives 0 ''
kept 1
entry '?' $carol $dave
done_testing
