#!/bin/sh
# qmtp-flush: what waits in the spool reaches a server, once, whatever servers and people do
# meanwhile.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
QUEUE=${QUEUE:-$top_builddir/tests/bin/qmtp-queue}
FLUSH=${FLUSH:-$top_builddir/tests/bin/qmtp-flush}

bob=bob@example.net carol=carol@example.net dave=dave@example.net

# ---- the spool

# fresh CASE: an empty spool, a log, a configuration without servers
fresh() {
	begin "$@"
	mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue" "$D/spool/failed" "$D/spool/corrupt"
	logging
}

# package MESSAGE-FILE SENDER RCPT ...
package() {
	printf '%d:\n' $(($(wc -c <"$1") + 1))
	cat "$1"
	printf ',%d:%s,' ${#2} "$2"
	shift 2
	for rcpt in "$@"; do printf '%d:%s,' ${#rcpt} "$rcpt"; done >"$D/rcpts"
	printf '%d:' "$(wc -c <"$D/rcpts" | tr -d ' ')"
	cat "$D/rcpts"
	printf ','
}

# queue VERB RCPT ...: the message $D/in goes into the spool. Sets ID; remembers the package's size.
queue() {
	verb=$1
	shift
	package "$D/in" "${SENDER-sender@lab.example}" "$@" >"$D/package"
	(cd "$D" && exec "$QUEUE" "$verb" <package >answer) || not_ok "$CASE: queued" "$(cat "$D/answer")"
	ID=$(sed -n 's/^[0-9]*:Kqueued as \([0-9a-f.]*\),.*/\1/p' "$D/answer")
	wc -c <"$D/package" >"$D/size.${ID#*.}"
}

# slots ID: their letters, and the times behind them
slots() {
	[ -e "$D/spool/queue/$1" ] || return
	dd if="$D/spool/queue/$1" bs=1 skip="$(cat "$D/size.${1#*.}")" 2>/dev/null |
	    grep -a '^[P?KDWE][0-9a-f]\{8\}$' | tr '\n' ' '
}

letters() {
	slots "$1" | sed 's/[0-9a-f]\{8\} //g'
}

# slots_are LETTERS: of $ID
slots_are() {
	is "$CASE: slots of the entry" "$(letters "$ID")" "$1"
}

# older ID SECONDS [LETTERS]: as if all that is recorded had happened so long ago. Sets ID.
older() {
	then=$(($(date +%s) - $2))
	at=$(cat "$D/size.${1#*.}")
	: >"$D/slots"
	for letter in $(echo "${3:-$(letters "$1")}" | sed 's/./& /g'); do
		printf '%s%08x\n' "$letter" "$then" >>"$D/slots"
	done
	dd if="$D/slots" of="$D/spool/queue/$1" bs=1 seek="$at" conv=notrunc 2>/dev/null
	touch -d "@$then" "$D/spool/queue/$1"
	ID=$(printf '%08x' "$then").${1#*.}
	mv "$D/spool/queue/$1" "$D/spool/queue/$ID"
}

# ask ID: for a try now
ask() {
	(cd "$D" && "$QUEUE" retry "$1" >/dev/null)
}

# left N: names in the queue
in_queue() {
	find "$D/spool/queue" -mindepth 1 | wc -l | tr -d ' '
}
left() {
	is "$CASE: left in the queue" "$(in_queue)" "$1"
}

is_empty() {
	[ "$(in_queue)" = 0 ]
}

# ---- the flusher

# once: it runs, in silence, and ends
once() {
	(cd "$D" && exec timeout 60 "$FLUSH" -C conf --once >out 2>err)
	is "$CASE: exit code" $? 0
	is "$CASE: not a word" "$(cat "$D/out" "$D/err")" ''
}

# resident: it stays. Sets JOB.
resident() {
	rm -f "$D/notified"
	"$STAGE" log "$D/notify" "$D/notified" &
	lib_mine="$lib_mine $!"
	at_end $!
	wait_for_file "$D/notify"
	(cd "$D" && NOTIFY_SOCKET=$D/notify exec "$FLUSH" -C conf >out 2>err) &
	JOB=$!
	at_end "$JOB"
	wait_for_line "$D/notified" READY=1 || not_ok "$CASE: it is ready" "$(cat "$D/err" "$D/syslog")"
}

# ends: the resident one, told to, in silence
ends() {
	stop_server "$JOB"
	is "$CASE: exit code after SIGTERM" $? 0
	is "$CASE: not a word" "$(cat "$D/out" "$D/err")" ''
}

# emptied: the queue empties itself
emptied() {
	check "$CASE: the queue is empty" wait_for is_empty
}

# ---- delivery

fresh 'one recipient'
serve a ''
queue store $bob
once
got a $bob
left 0
same "$CASE: every byte" "$(message_of a 1).message" "$D/in"
is "$CASE: the sender" "$(cat "$(message_of a 1).sender")" sender@lab.example
logged "qmtp-flush\[[0-9]*\]: $ID: to=<$bob> relay=a\[127.0.0.1\]:$PORT delay=[0-9.]* status=sent (ok 1)"
came a 1 1 0

fresh 'no recipient is the same as another'
serve a ''
queue store $bob $carol $bob
once
offered a $bob $carol $bob
left 0

fresh '2500 recipients'
serve a ''
seq 1 2500 | sed 's/$/@example.net/' >"$D/many"
# shellcheck disable=SC2046 # words are meant
queue store $(cat "$D/many")
once
left 0
cat "$D/a"/*.accepted | sort >"$D/accepted"
sort "$D/many" >"$D/sorted"
same "$CASE: each once" "$D/accepted" "$D/sorted"
came a 1 3 0

fresh 'a large message'
large
serve a ''
queue store $bob $carol
once
got a $bob $carol
cmp -s "$(message_of a 1).message" "$T/large"
is "$CASE: every byte" $? 0
left 0

fresh 'null sender, empty message'
serve a ''
: >"$D/in"
SENDER='' queue store $bob
once
got a $bob
is "$CASE: bytes" "$(cat "$(message_of a 1).message" "$(message_of a 1).sender" | wc -c | tr -d ' ')" 0

fresh 'many entries over few connections'
serve a 'connections = 2'
for i in $(seq 1 150); do queue store "$i@example.net"; done
once
left 0
is "$CASE: each once" "$(cat "$D/a"/*.accepted | sort -u | wc -l | tr -d ' ')" 150
check "$CASE: at most two connections" [ "$(grep -c ' connect ' "$D/a.log")" -le 2 ]

# ---- answers

fresh 'Z: later, and not at once'
serve a '' --answer 'Zbusy'
queue store $bob
older "$ID" 1000
once
slots_are PP
once
came a 1 1 0
ask "$ID"
once
came a 2 2 0
logged "$ID: to=<$bob> relay=a.* status=deferred (busy)"

fresh 'Z, then K'
serve a '' --on 1 --answer 'Zbusy'
queue store $bob $carol
once
left 1
older "$ID" 7200
once
got a $bob $carol
left 0

fresh 'Z: the next server, for those only'
serve a '' --rule 'carol@*=Zbusy'
serve b ''
queue store $bob $carol $dave
once
got a $bob $dave
got b $carol
offered b $carol
left 0

fresh 'Z everywhere'
serve a '' --answer 'Zbusy'
serve b '' --answer 'Zbusy, too'
queue store $bob
once
came a 1 1 0
came b 1 1 0
slots_are PP

fresh 'D: the sender hears of it'
serve a '' --rule 'bob@*=Dno such user'
queue store $bob
once
left 0
got a sender@lab.example
is "$CASE: from nobody" "$(cat "$(message_of a 2).sender")" ''
check "$CASE: why" grep -q 'no such user' "$(message_of a 2).message"
logged "$ID: to=<$bob> relay=a.* status=refused (no such user)"

fresh 'K, D and Z in one message'
serve a '' --rule 'bob@*=Dno such user' --rule 'carol@*=Zbusy'
queue store $bob $carol $dave
once
slots_are DPKP
got a $dave sender@lab.example
older "$ID" 7200
once
offered a $bob $carol $dave sender@lab.example $carol
slots_are DPKP

fresh 'soft-bounce'
configure 'soft-bounce = true'
serve a '' --answer 'Dno'
queue store $bob
once
slots_are PP
came a 1 1 0

# ---- in doubt

fresh 'no answer: in doubt, for five minutes, and with nobody else'
serve a '' --close-after-byte last
serve b ''
queue store $bob
once
slots_are '?P'
once
came a 1 1 0
came b 0 0 0
ask "$ID"
once
came a 2 2 0
logged "$ID: to=<$bob> relay=a.* status=in-doubt (the server closed the connection"

fresh 'handed over in doubt'
serve a ''
queue doubt $bob
once
slots_are '?P'
came a 0 0 0
older "$ID" 301
once
got a $bob
left 0

fresh 'one answer of two'
serve a '' --close-after-answer 1
queue store $bob $carol
once
slots_are 'K?P'

fresh 'in doubt beside pending'
serve a '' --rule 'bob@*=Zlater' --close-after-answer 1
serve b ''
queue store $bob $carol
once
got b $bob
slots_are 'K?P'

# ---- servers that are not there, or not quite

fresh 'nobody is there: nothing is written'
configure 'server "a" { host = "127.0.0.1" port = 1 }'
queue store $bob
older "$ID" 3000
cp "$D/spool/queue/$ID" "$D/before"
once
same "$CASE: the entry" "$D/spool/queue/$ID" "$D/before"
is "$CASE: its time" "$(stat -c %Y "$D/spool/queue/$ID")" "$then"
logged 'relay=a\[127.0.0.1\]:1: Connection refused while connecting to 127.0.0.1; next attempt in 5 s'

fresh 'the next server, when the first is not there'
configure 'server "x" { host = "127.0.0.1" port = 1 }'
serve b ''
queue store $bob $carol
once
got b $bob $carol
left 0

fresh 'the next server, when the first hangs' 100
serve a '' --blackhole
serve b ''
queue store $bob
once
got b $bob
left 0

fresh 'the last byte never went'
serve a '' --close-after-byte 1000
serve b ''
large
queue store $bob
once
got b $bob
came a 1 0 1
left 0

fresh 'a server that hangs up at once'
serve a '' --drop-after-byte connect
large
queue store $bob
once
left 1
slots_are PP
came a 1 0 0

fresh 'a connection that ends between packages'
serve a 'connections = 1' --on 1 --close-after-answer 1
large
queue store $bob
queue store $carol
once
left 0
got a $bob $carol
came a 2 2 0

fresh 'a message that a server cannot stand'
serve a 'connections = 1' --on :2 --close-after-byte 1000 --on 2- --close-after-byte 1000
large
queue store $bob
queue store $carol
once
left 1
came a 2 1 2
older "$(ls "$D/spool/queue")" 7200 || :
is "$CASE: it was tried" "$(letters "$ID")" PP

fresh 'one connection and no more'
serve a 'connections = 2
in-flight = 2' --on 2- --drop-after-byte connect
for i in 1 2 3 4 5 6 7 8; do queue store "$i@example.net"; done
once
is "$CASE: who was not in doubt was served" "$(cat "$D/a"/*.accepted | sort -u | wc -l | tr -d ' ')" \
    "$((8 - $(in_queue)))"
check "$CASE: it is not asked for again and again" [ "$(grep -c ' connect ' "$D/a.log")" -le 3 ]

fresh 'no TLS: never plain instead'
serve a 'tls = true'
queue store $bob
once
left 1
slots_are PP
offered a
logged "qmtp-flush\[[0-9]*\]: relay=a\[127.0.0.1\]:$PORT: .*TLS.*; next attempt in 5 s"

fresh 'past its lifetime, and nobody there: two failed tries an hour apart'
configure 'server "a" { host = "127.0.0.1" port = 1 }'
queue store $bob
older "$ID" 500000
once
slots_are PE
once
slots_are PE
left 1
older "$ID" 500000 PE
once
left 1
check "$CASE: the sender is told" grep -aq '8:MAILER-\|17:sender@lab.example\|18:sender@lab.example' "$D/spool/queue"/*
check "$CASE: the entry is over" [ ! -e "$D/spool/queue/$ID" ]

fresh 'late: the sender is told once'
configure 'delay-warning = "4h"' 'server "a" { host = "127.0.0.1" port = 1 }'
queue store $bob
older "$ID" 20000
once
slots_are PW
left 2
once
left 2

# ---- servers that answer once per package

fresh 'answers = "one": every mix'
serve a 'answers = "one"' --mailfront --rule 'bad@*=Dno such user'
queue store good@example.net bad@example.net
queue store $bob
queue store $carol $dave
queue store bad@example.net
once
left 0
is "$CASE: who got it" "$(cat "$D/a"/*.accepted | sort | tr '\n' ' ')" \
    "$bob $carol $dave good@example.net sender@lab.example sender@lab.example "

# The silence takes 30 s: it is waited for in the end.
fresh 'one answer, and nobody had said so'
serve a '' --mailfront --rule 'bad@*=Dno such user'
queue store good@example.net bad@example.net
queue store $bob
queue store $carol $dave
queue store bad@example.net
(cd "$D" && exec timeout 120 "$FLUSH" -C conf --once >out 2>err) &
once_pid=$!
at_end "$once_pid"
once_dir=$D
lib_mine=''

# ---- the flusher stays

fresh 'SIGTERM, and the answer never comes'
serve a '' --delay 60000
resident
queue store $bob
check "$CASE: sent" wait_for_line "$D/a.log" ' package=1 '
kill "$JOB"
hanging=$D hanging_id=$ID hanging_pid=$JOB
lib_mine=''

fresh 'woken by what arrives'
serve a ''
resident
for i in 1 2 3; do
	queue store "$i@example.net"
	emptied
done
is "$CASE: each once" "$(cat "$D/a"/*.accepted | sort | tr '\n' ' ')" "1@example.net 2@example.net 3@example.net "
ends
is "$CASE: what the manager was told" "$(grep -v STATUS= "$D/notified" | grep "=" | sort | tr '\n' ' ')" 'READY=1 STOPPING=1 '

fresh 'asked for'
serve a '' --on 1:1 --answer 'Zbusy' --on 1:2 --close-after-byte last
resident
queue store $bob
check "$CASE: later" wait_for_line "$D/syslog" "$ID: .*status=deferred"
ask "$ID"
check "$CASE: in doubt" wait_for_line "$D/syslog" "$ID: .*status=in-doubt"
ask "$ID"
emptied
got a $bob $bob
ends

fresh 'removed while it waits'
serve a '' --answer 'Zbusy'
resident
queue store $bob
check "$CASE: later" wait_for_line "$D/syslog" "$ID: .*status=deferred"
rm "$D/spool/queue/$ID"
queue store $carol
check "$CASE: the other one is tried" wait_for_line "$D/syslog" "$ID: .*status=deferred"
ends

fresh 'the server comes back: all goes at once'
start_server
stop_server
configure 'server "a" { host = "127.0.0.1"' "port = $PORT }"
for i in 1 2 3 4 5; do queue store "$i@example.net"; done
resident
check "$CASE: it is not there" wait_for_line "$D/syslog" 'Connection refused'
start_server --port "$PORT" --store "$D/a" --log "$D/a.log"
lib_mine="$lib_mine $PID"
emptied
is "$CASE: each once" "$(cat "$D/a"/*.accepted | sort -u | wc -l | tr -d ' ')" 5
ends

fresh 'the first server comes back and gets the work'
start_server
stop_server
configure 'server "a" { host = "127.0.0.1"' "port = $PORT }"
back=$PORT
serve b ''
resident
queue store $bob
emptied
got b $bob
start_server --port "$back" --store "$D/a" --log "$D/a.log"
lib_mine="$lib_mine $PID"
until [ -e "$D/a/000001.accepted" ] || [ $((tries = ${tries:-0} + 1)) -gt 100 ]; do
	queue store $carol
	wait_for is_empty
	sleep 0.1
done
check "$CASE: it did" [ -e "$D/a/000001.accepted" ]
ends

fresh 'SIGTERM: what is owed is heard'
serve a 'connections = 1' --delay 700
resident
queue store $bob
queue store $carol
check "$CASE: sent" wait_for_line "$D/a.log" ' package=2 '
ends
left 0
got a $bob $carol

fresh 'SIGHUP: another configuration'
serve a ''
resident
queue store $bob
emptied
cp "$D/conf" "$D/conf.a"
sed -i '/^server/,$d' "$D/conf"
serve b ''
kill -HUP "$JOB"
check "$CASE: read" wait_for_line "$D/syslog" 'conf: read again'
queue store $carol
emptied
got a $bob
got b $carol
echo 'nonsense = 1' >>"$D/conf"
kill -HUP "$JOB"
check "$CASE: a wrong one is not taken" wait_for_line "$D/syslog" "conf:[0-9]*: .*: the configuration stays as it was"
queue store $dave
emptied
got b $carol $dave
check "$CASE: the manager heard" [ "$(grep -c RELOADING=1 "$D/notified")" -eq 2 ]
ends

fresh 'a second one'
serve a ''
resident
(cd "$D" && exec timeout 60 "$FLUSH" -C conf --once >out2 2>err2)
is "$CASE: --once: exit code" $? 0
is "$CASE: --once: not a word" "$(cat "$D/err2")" ''
(cd "$D" && exec timeout 60 "$FLUSH" -C conf >out2 2>err2)
is "$CASE: exit code" $? 0
is "$CASE: what it says" "$(cat "$D/err2")" 'qmtp-flush: another one is at work'
logged 'another qmtp-flush is at work'
ends

# ---- what does not belong there

fresh 'strange files'
serve a ''
cd "$D/spool/queue" || exit
named() { # NAME: by the inode
	mv "$1" "6a000000.$(printf '%x' "$(stat -c %i "$1")")"
}
echo 'not a package' >x
named x
echo '5:' >x
named x
: >x
named x
printf '5:\nabc\n,0:,5:2:a@,,P00000000\n' >x # a slot is missing
named x
ln -s /etc/passwd 6a000000.1
mkfifo x
named x
mkdir x
named x
echo 'two names' >x
ln x "$D/second"
named x
echo >"6a000000.ffffffff" # another inode's name
echo >README
echo >"$(printf 'a\tb')"
cd "$top_builddir" || exit
queue store $bob
WAIT=30
once
got a $bob
left 7
is "$CASE: set aside" "$(find "$D/spool/corrupt" -type f | wc -l | tr -d ' ')" 4
is "$CASE: the target of a symlink" "$(head -c 4 /etc/passwd)" "$(head -c 4 /etc/passwd)"
logged 'moved to corrupt'
logged 'a file whose name is no id: left alone'
WAIT=''

fresh 'settled, and not removed before a crash'
serve a ''
queue store $bob $carol
older "$ID" 60 KDP
once
left 0
came a 0 0 0

# ---- what it cannot do without

fresh 'no configuration'
queue store $bob
rm "$D/conf"
(cd "$D" && exec timeout 60 "$FLUSH" -C conf --once >out 2>err)
is "$CASE: exit code" $? 78
like "$CASE: what it says" "$(cat "$D/err")" 'qmtp-flush: conf: *'
left 1
fresh 'a wrong configuration'
echo 'server "a" { port = 0 }' >>"$D/conf"
(cd "$D" && exec timeout 60 "$FLUSH" -C conf >out 2>err)
is "$CASE: exit code" $? 78
like "$CASE: what it says" "$(cat "$D/err")" 'qmtp-flush: conf:6: *'
fresh 'no spool'
serve a ''
rm -r "$D/spool"
(cd "$D" && exec timeout 60 "$FLUSH" -C conf >out 2>err)
is "$CASE: exit code" $? 73
fresh 'wrong usage'
for words in '--twice' '--once --once' '-C' '--once -C conf'; do
	# shellcheck disable=SC2086 # words are meant
	(cd "$D" && exec timeout 60 "$FLUSH" $words >out 2>err)
	is "$CASE: '$words'" $? 64
done

# ---- what took its time

D=$hanging CASE='SIGTERM, and the answer never comes' ID=$hanging_id
wait "$hanging_pid"
is "$CASE: exit code" $? 0
slots_are '?P'

D=$once_dir
CASE='one answer, and nobody had said so'
wait "$once_pid"
is "$CASE: exit code" $? 0
is "$CASE: who got it" "$(cat "$D/a"/*.accepted | sort | tr '\n' ' ')" \
    "$bob $carol $dave good@example.net sender@lab.example sender@lab.example "
# Of those that came within a second the smaller inode goes first.
logged ': .* (one answer to 2 recipients: answers = "one"?)'

done_testing
