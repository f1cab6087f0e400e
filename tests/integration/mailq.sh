#!/bin/sh
# mailq, sendmail -bp -bP -q, runq: what is shown of the queue, byte for byte, and what is done with it.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

FLUSH=${FLUSH:-$top_builddir/tests/bin/qmtp-flush}
QUEUE=${QUEUE:-$top_builddir/tests/bin/qmtp-queue}
TZ=UTC0
export TZ
heading='----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------'
ID=''

# scratch CASE: an empty spool, and the helper
scratch() {
	begin "$1"
	mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue" "$D/spool/failed" "$D/spool/corrupt"
	: >"$D/spool/lock"
	cp "$QUEUE" "$D/qmtp-queue"
	ln -s "$SENDMAIL" "$D/mailq"
	ln -s "$SENDMAIL" "$D/runq"
	printf 'Subject: x\n\nhello\n' >"$D/message"
}

# fake CASE: no spool, and a helper that is the script on standard input
fake() {
	begin "$1"
	ln -s "$SENDMAIL" "$D/mailq"
	{
		echo '#!/bin/sh'
		cat
	} >"$D/qmtp-queue"
	chmod +x "$D/qmtp-queue"
}

# run PROGRAM [ARGUMENT ...]: in the directory of the case
run() {
	(cd "$D" && program=./$1 && shift && exec "$program" "$@" </dev/null >out 2>err)
	CODE=$?
}

# shows CODE [STDERR]: a pattern; stdout is what stands in $D/want
shows() {
	is "$CASE: exit code" "$CODE" "$1"
	like "$CASE: stderr" "$(cat "$D/err")" "${2:-}"
	same "$CASE: stdout" "$D/out" "$D/want"
}

# says CODE STDOUT [STDERR]: patterns
says() {
	is "$CASE: exit code" "$CODE" "$1"
	like "$CASE: stdout" "$(cat "$D/out")" "$2"
	like "$CASE: stderr" "$(cat "$D/err")" "${3:-}"
}

# package SENDER RCPT ...: the package of $D/message in $D/package
package() {
	{
		printf '%d:\n' $(($(wc -c <"$D/message") + 1))
		cat "$D/message"
		printf ',%d:%s,' ${#1} "$1"
		shift
		for rcpt in "$@"; do
			printf '%d:%s,' ${#rcpt} "$rcpt"
		done >"$D/rcpts"
		printf '%d:' "$(wc -c <"$D/rcpts")"
		cat "$D/rcpts"
		printf ,
	} >"$D/package"
}

# entry SECONDS SLOTS [WORDS]: a queue file of $D/package that came at that time (hex). Sets ID.
entry() {
	{
		cat "$D/package"
		# shellcheck disable=SC2086 # each is a slot
		printf '%s\n' $2
		printf '%b' "${3:-}"
	} >"$D/spool/queue/new"
	chmod 660 "$D/spool/queue/new"
	touch -d "@$(printf %d "0x$1")" "$D/spool/queue/new"
	ID=$1.$(printf %x "$(stat -c %i "$D/spool/queue/new")")
	mv "$D/spool/queue/new" "$D/spool/queue/$ID"
}

# row ID SIZE TIME SENDER, reason TEXT, rcpt ADDRESS: lines that are wanted
row() {
	printf '%-17s %8s %s %s\n' "$@"
}
reason() {
	printf '%*s(%s)\n' $((76 - ${#1})) '' "$1"
}
rcpt() {
	printf '                                               %s\n' "$1"
}

# in_queue ID: exit code
in_queue() {
	[ -e "$D/spool/queue/$1" ]
}

# touched ID: whether its time was set to now
touched() {
	[ $(($(date +%s) - $(stat -c %Y "$D/spool/queue/$1"))) -lt 100 ]
}
untouched() {
	! touched "$1"
}

# ---- the list

scratch 'empty'
run mailq
echo 'Mail queue is empty' >"$D/want"
shows 0
run mailq -v
shows 0
: >"$D/want"
run mailq --json
shows 0
echo 0 >"$D/want"
ln -s "$SENDMAIL" "$D/sendmail"
run sendmail -bP
shows 0
: >"$D/want"
run sendmail -q
shows 0
run runq
shows 0
run runq -qf
shows 0
run runq -qSroot
shows 0

scratch 'one'
package alice@example.org bob@example.net
entry 6921abcd 'P6921abcd P6921abcd'
run mailq
{
	echo "$heading"
	row "$ID" 18 'Sat Nov 22 12:25:49' alice@example.org
	rcpt bob@example.net
	echo
	echo '-- 0 Kbytes in 1 Request.'
} >"$D/want"
shows 0
cp "$D/want" "$D/one"
(cd "$D" && exec "$SENDMAIL" -bp </dev/null >out 2>err)
CODE=$? CASE='one, as sendmail -bp'
shows 0
CASE='one, in New York'
sed 's/ 12:25:49 / 07:25:49 /' "$D/one" >"$D/want"
TZ=EST5 run mailq
shows 0
CASE='one, -v'
run mailq -v
sed 's/next try [A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 1-3][0-9] [0-2][0-9]:[0-5][0-9]:[0-6][0-9])$/next try THEN)/' "$D/out" \
    >"$D/normal"
{
	sed 2q "$D/one"
	reason "uid $(id -u), next try Sat Nov 22 12:25:49" | sed 's/next try .*/next try THEN)/'
	sed 1,2d "$D/one"
} >"$D/want"
same "$CASE" "$D/normal" "$D/want"
CASE='one, --json'
run mailq --json
printf '%s' '{"queue_name":"incoming","queue_id":"'"$ID"'","arrival_time":1763814349,"message_size":18,' \
    '"sender":"alice@example.org","recipients":[{"address":"bob@example.net","state":"pending",' \
    '"state_time":1763814349}],"token":null,"uid":'"$(id -u)"',"state":"pending","state_time":1763814349,' \
    '"accepted":0,"refused":0,"next_try":N}
' >"$D/want"
sed 's/"next_try":[0-9]*}/"next_try":N}/' "$D/out" >"$D/normal"
same "$CASE" "$D/normal" "$D/want"

scratch 'many'
cat >"$D/message" <<'END'
Received: by host.lab.example (qmtp-sendmail, from userid 0)
	id abcdefghijklmnop; Sun, 22 Nov 2026 03:30:31 +0000
Subject: y

END
head -c 5000 /dev/zero | tr '\0' x >>"$D/message"
size=$(wc -c <"$D/message" | tr -d ' ')
package '' bob@example.net carol@example.net 'da ve@example.net' erin@example.net frank@example.net
entry 6921abcd 'K6921abd0 P6921abd0 ?6921abd1 D6921abd2 P6921abd0 W6921abd3' \
    '6921abd0 0 1 one: old words\n6921abd0 1 1 one: 450 later\n6921abd0 4 4 one: 450 later\n'
first=$ID
package "$(printf 'J\303\274rgen@example.org')" 'x,"y@example.net' "$(printf 'bad\377\302\233@example.net')" \
    "$(printf 'rtl\342\200\256@example.net')" '(c)@example.net' 'nodomain' '"<>"@example.net'
entry 6921abce 'P6921abce P6921abce P6921abce P6921abce P6921abce P6921abce P6921abce' \
    "6921abd0 0 0 $(printf 'two: \\033[31mred\\377 (text) %%s')\nno words\n6921abd0 1 1 \n6921abd0 2 3 "'\0342\0202\0254\n'
second=$ID
printf 'no package' >"$D/spool/queue/6921abcf.1"
mv "$D/spool/queue/6921abcf.1" "$D/spool/queue/6921abcf.$(printf %x "$(stat -c %i "$D/spool/queue/6921abcf.1")")"
third=$(basename "$D"/spool/queue/6921abcf.*)
package "$(printf '%0999d' 0)" "$(printf '%0990d' 0)@x.yy"
entry 6921abd0 'P6921abd0 E6921abd0'
fourth=$ID
cat >"$D/first" <<END
$(row "$first" "$size" 'Sat Nov 22 12:25:49' MAILER-DAEMON)
$(reason 'one: 450 later')
$(rcpt carol@example.net)
$(reason 'reason unavailable')
$(rcpt '"da ve"@example.net')
$(reason 'one: 450 later')
$(rcpt frank@example.net)
END
cat >"$D/second" <<END
$(row "$second" "$size" 'Sat Nov 22 12:25:50' "$(printf 'J\303\274rgen@example.org')")
$(reason 'two: ?[31mred? (text) %s')
$(rcpt '"x,\"y"@example.net')
$(reason 'reason unavailable')
$(rcpt 'bad???@example.net')
$(reason 'EUR' | sed "s/EUR/$(printf '\342\202\254')/")
$(rcpt 'rtl???@example.net')
$(rcpt '"(c)"@example.net')
$(reason 'reason unavailable')
$(rcpt nodomain)
$(rcpt '"\"<>\""@example.net')
END
cat >"$D/third" <<END
$(row "$third" 0 'Sat Nov 22 12:25:51' '(damaged)')
$(reason 'no message with its recipients; the flusher moves it to corrupt/')
END
cat >"$D/fourth" <<END
$(row "$fourth" "$size" 'Sat Nov 22 12:25:52' "$(printf '%0999d' 0)")
$(rcpt "$(printf '%0990d' 0)@x.yy")
END
{
	echo "$heading"
	cat "$D/first"
	echo
	cat "$D/second"
	echo
	cat "$D/third"
	echo
	cat "$D/fourth"
	echo
	echo "-- $((3 * size / 1024)) Kbytes in 4 Requests."
} >"$D/want"
run mailq
shows 0
run mailq some operands
shows 0
CASE='many, -bP'
echo 4 >"$D/want"
(cd "$D" && exec "$SENDMAIL" -bP </dev/null >out 2>err)
CODE=$?
shows 0
CASE='many, -v'
run mailq -v
is "$CASE: the token" "$(grep -c '^  *(abcdefghijklmnop, uid [0-9]*, next try [A-Z][a-z][a-z] [A-Z][a-z][a-z] [ 1-3][0-9] [0-9:]*)$' "$D/out")" 3
CASE='many, --json'
run mailq --json
is "$CASE: exit code" "$CODE" 0
sed 's/"next_try":[0-9]*}/"next_try":N}/' "$D/out" >"$D/normal"
own=",\"uid\":$(id -u)"
{
	printf '%s' '{"queue_name":"deferred","queue_id":"'"$first"'","arrival_time":1763814349,"message_size":'"$size," \
	    '"sender":"MAILER-DAEMON","recipients":[' \
	    '{"address":"carol@example.net","delay_reason":"one: 450 later","state":"pending","state_time":1763814352},' \
	    '{"address":"\"da ve\"@example.net","state":"in doubt","state_time":1763814353},' \
	    '{"address":"frank@example.net","delay_reason":"one: 450 later","state":"pending","state_time":1763814352}],' \
	    '"token":"abcdefghijklmnop"'"$own"',"state":"warned","state_time":1763814355,"accepted":1,"refused":1,"next_try":N}
'
	printf '%s' '{"queue_name":"deferred","queue_id":"'"$second"'","arrival_time":1763814350,"message_size":'"$size," \
	    '"sender":"J' "$(printf '\303\274')" 'rgen@example.org","recipients":[' \
	    '{"address":"\"x,\\\"y\"@example.net","delay_reason":"two: ?[31mred? (text) %s","state":"pending","state_time":1763814350},' \
	    '{"address":"bad???@example.net","state":"pending","state_time":1763814350},' \
	    '{"address":"rtl???@example.net","delay_reason":"' "$(printf '\342\202\254')" '","state":"pending","state_time":1763814350},' \
	    '{"address":"\"(c)\"@example.net","delay_reason":"' "$(printf '\342\202\254')" '","state":"pending","state_time":1763814350},' \
	    '{"address":"nodomain","state":"pending","state_time":1763814350},' \
	    '{"address":"\"\\\"<>\\\"\"@example.net","state":"pending","state_time":1763814350}],' \
	    '"token":"abcdefghijklmnop"'"$own"',"state":"pending","state_time":1763814350,"accepted":0,"refused":0,"next_try":N}
'
	printf '%s\n' '{"queue_name":"corrupt","queue_id":"'"$third"'","arrival_time":1763814351,"message_size":0,"sender":"","recipients":[]}'
	printf '%s' '{"queue_name":"incoming","queue_id":"'"$fourth"'","arrival_time":1763814352,"message_size":'"$size," \
	    '"sender":"'"$(printf '%0999d' 0)"'","recipients":[{"address":"'"$(printf '%0990d' 0)@x.yy"'","state":"pending",' \
	    '"state_time":1763814352}],' \
	    '"token":"abcdefghijklmnop"'"$own"',"state":"expiring","state_time":1763814352,"accepted":0,"refused":0,"next_try":N}
'
} >"$D/want"
same "$CASE" "$D/normal" "$D/want"

many=$D
scratch 'what sendmail keeps'
logging
configure 'server "away" {' 'host = "127.0.0.1"' 'port = 1' '}'
send -odq -f alice@example.org bob@example.net carol@example.net
is "$CASE: exit code" "$CODE" 0
run mailq --json
is "$CASE: sender, recipients, token, as the log has it" \
    "$(sed 's/.*\("sender".*\),"uid".*/\1/; s/"state_time":[0-9]*/"state_time":N/g' "$D/out")" \
    '"sender":"alice@example.org","recipients":[{"address":"bob@example.net","state":"pending","state_time":N},'"\
"'{"address":"carol@example.net","state":"pending","state_time":N}],"token":"'"\
$(sed -n 's/.*: \([a-z2-7]*\) from=.*/\1/p' "$D/syslog")"'"'
cp "$D/out" "$D/json"
run mailq --show "$(sed 's/.*"queue_id":"\([^"]*\)".*/\1/' "$D/json")"
is "$CASE: --show has its bytes" "$(wc -c <"$D/out" | tr -d ' ')" "$(sed 's/.*"message_size":\([0-9]*\).*/\1/' "$D/json")"
tail -n +3 "$D/out" >"$D/shown"
same "$CASE: --show has the message" "$D/shown" "$D/in"

# what listens may close the pipe, or be full
CASE='nobody reads'
D=$many
(cd "$D" && { ./mailq 2>err; echo $? >code; } | :)
is "$CASE: stderr" "$(cat "$D/err")" ''
if [ -c /dev/full ]; then
	CASE='nowhere to print it'
	(cd "$D" && exec ./mailq >/dev/full 2>err)
	is "$CASE: exit code" $? 74
	is "$CASE: stderr" "$(cat "$D/err")" 'mailq: standard output: No space left on device while writing to it'
fi

# ---- what monitoring programs do with it

CASE='monitoring'
run mailq
is "$CASE: the last line of the Nagios plugins" \
    "$(sed -n '$s/^-- [0-9]* [a-zA-Z]* in \([0-9]*\) Requests*\.$/\1/p' "$D/out")" 4
is "$CASE: lines that begin with an id" "$(grep -c '^[A-F0-9]' "$D/out")" 4
is "$CASE: the fifth word of the last line" "$(tail -n 1 "$D/out" | awk '{ print $5 }')" 4
is "$CASE: senders" "$(awk '/^[0-9]/ { print $7 }' "$D/out" | head -n 1)" MAILER-DAEMON

# ---- filters

filtered() {
	CASE="filters: $1"
	# shellcheck disable=SC2086
	run mailq --json $1
	is "$CASE" "$(sed 's/.*"queue_id":"\([^"]*\)".*/\1/' "$D/out" | tr '\n' ' ')" "$2"
}
filtered '-qSmailer-daemon' "$first "
filtered '-qSEXAMPLE.ORG' "$second "
filtered '-qRcarol@EXAMPLE' "$first "
filtered '-qRbob@example.net' '' # is settled
filtered '-qRerin' ''
filtered '-q!Rexample.net' "$third $fourth "
filtered "-qI$third" "$third "
filtered '-qI6921ABCD' ''
filtered '-qI6921abcd -qI6921abce' "$first $second "
filtered '-qI6921abcd -qI6921abce -qRfrank' "$first "
filtered '-q!S0' "$first $second $third "
filtered '-qSnobody' ''
run mailq -qSnobody
echo '-- 0 Kbytes in 0 Requests.' >"$D/want"
shows 0
CASE='filters: count'
(cd "$D" && exec "$SENDMAIL" -bP -q!S0 </dev/null >out 2>err)
CODE=$?
echo 3 >"$D/want"
shows 0

# ---- lists that are none

fake 'a helper that does not clean' <<'END'
printf 'ok\nentry 6921abcd.1\nuid 0\nsize 18\narrived 1763814349\ntried 1763814349\nstate P 1763814349\n'
printf 'sender a\302\2331m@b\nrcpt P 1763814349 \342\200\256c@d\nwords 0 0 \302\23331mred\377\nend\ndone 1\n'
END
{
	echo "$heading"
	row 6921abcd.1 18 'Sat Nov 22 12:25:49' 'a??1m@b'
	reason '??31mred?'
	rcpt '???c@d'
	echo
	echo '-- 0 Kbytes in 1 Request.'
} >"$D/want"
run mailq
shows 0
run mailq --json
is "$CASE: JSON" "$(sed 's/.*\("sender.*\),"state":"pending","state_time":1763814349}\].*/\1/' "$D/out")" \
    '"sender":"a??1m@b","recipients":[{"address":"???c@d","delay_reason":"??31mred?"'

fake 'half a list' <<'END'
printf 'ok\nentry 6921abcd.1\nuid 0\nsize 18\narrived 1763814349\ntried 1763814349\nstate P 1763814349\n'
printf 'sender a@b\nrcpt P 1763814349 c@d\nend\nentry 6921abce.2\nuid 0\n'
END
{
	echo "$heading"
	row 6921abcd.1 18 'Sat Nov 22 12:25:49' a@b
	rcpt c@d
} >"$D/want"
run mailq
shows 69 'mailq: queue: its list broke off and is not complete'
CASE='half a list, -bP'
: >"$D/want"
(cd "$D" && exec "$SENDMAIL" -bP </dev/null >out 2>err)
CODE=$?
shows 69 'sendmail: queue: its list broke off and is not complete'

while IFS='|' read -r why script err; do
	fake "bad list: $why" <<-END
		$script
	END
	: >"$D/want"
	run mailq
	shows 69 "mailq: $err"
done <<'END'
no end|printf 'ok\n'|queue: its list broke off and is not complete
nothing|exit 0|queue: *
cannot|exit 74|queue: *
killed|kill -9 $$|queue: *
another word|printf 'ok\nwhat 1\ndone 0\n'|queue: its list makes no sense and is not complete
a wrong number|printf 'ok\ndone 1\n'|queue: its list makes no sense and is not complete
more behind it|printf 'ok\ndone 0\ndone 0\n'|queue: its list makes no sense and is not complete
a long line|printf 'ok\n%05000d' 0|queue: its list makes no sense and is not complete
no status|printf 'entry 6921abcd.1\n'|queue: *
cannot be read|printf 'no 74 queue: Input/output error\n'; exit 74|queue: Input/output error
END

fake 'a refusal' <<'END'
printf 'no 71 \033[31mqueue: no memory\n'
exit 71
END
: >"$D/want"
run mailq
shows 71 'mailq: ?\[31mqueue: no memory'

# ---- no spool

begin 'no helper, no socket'
ln -s "$SENDMAIL" "$D/mailq"
: >"$D/want"
run mailq
shows 69 'mailq: no spool: ./qmtp-queue: No such file or directory*'
ln -s "$SENDMAIL" "$D/sendmail"
for option in -bP -q -qSroot; do
	CASE="no helper, no socket: $option"
	run sendmail $option
	shows 69 'sendmail: no spool: *'
done
for option in --show --remove --retry; do
	CASE="no helper, no socket: $option"
	run mailq $option 6921abcd.1
	shows 69 'mailq: no spool: *'
done

scratch 'the helper has not got the group'
chmod 0 "$D/spool"
rm -r "$D/spool" 2>/dev/null || chmod 755 "$D/spool"
rm -rf "$D/spool"
: >"$D/want"
run mailq
shows 69 'mailq: no spool: ./qmtp-queue: *; queue.sock: No such file or directory while connecting'

# ---- show

scratch 'show'
{
	printf 'Subject: binary\n\n\000\001\033[31m\r\n\377\376'
	head -c 300000 /dev/urandom
} >"$D/message"
package alice@example.org bob@example.net
entry 6921abcd 'P6921abcd P6921abcd'
run mailq --show "$ID"
cp "$D/message" "$D/want"
shows 0
first=$ID
CASE='show: several, some not there'
printf 'second\n' >"$D/message"
package alice@example.org bob@example.net
entry 6921abce 'P6921abce P6921abce'
cat "$D/want" "$D/message" >"$D/both"
mv "$D/both" "$D/want"
run mailq --show "$first" 6921abcd.1 "$ID" 6921abcd.2
shows 67 'mailq: 6921abcd.1: no such entry
mailq: 6921abcd.2: no such entry'
CASE='show: what failed first decides'
run mailq --show 6921abcd.1 x
is "$CASE" "$CODE" 67
run mailq --show x 6921abcd.1 "$ID"
is "$CASE" "$CODE" 64
CASE='show: no id'
: >"$D/want"
for id in all x ../lock "$first/" ' ' '' "6921abcd.1
list"; do
	run mailq --show "$id"
	shows 64 "mailq: *: no queue id"
done
CASE='show: damaged'
printf 'no package' >"$D/spool/queue/6921abcf.1"
id=6921abcf.$(printf %x "$(stat -c %i "$D/spool/queue/6921abcf.1")")
mv "$D/spool/queue/6921abcf.1" "$D/spool/queue/$id"
run mailq --show "$id"
like "$CASE: exit code" "$CODE" '6[0-9]'
like "$CASE: stderr" "$(cat "$D/err")" 'mailq: *'

fake 'show: broken off' <<'END'
printf 'ok 100\nSubject: x\n'
END
echo 'Subject: x' >"$D/want"
run mailq --show 6921abcd.1
shows 69 'mailq: 6921abcd.1: its message broke off'

# ---- remove and retry

scratch 'remove'
package alice@example.org bob@example.net
entry 6921abcd 'P6921abcd P6921abcd'
first=$ID
entry 6921abce 'P6921abce P6921abce'
second=$ID
entry 6921abcf 'P6921abcf P6921abcf'
: >"$D/want"
run mailq --remove "$first" "$ID"
shows 0
is "$CASE: what is left" "$(ls "$D/spool/queue")" "$second"
run mailq --remove "$first"
shows 67 "mailq: $first: no such entry"
run mailq --remove all
shows 64 'mailq: all: no queue id'
check "$CASE: still there" in_queue "$second"

scratch 'retry'
package alice@example.org bob@example.net
entry 6921abcd 'P6921abcd P6921abcd'
first=$ID
entry 6921abce 'P6921abce P6921abce'
second=$ID
: >"$D/want"
run mailq --retry "$second"
shows 0
check "$CASE: it is due" touched "$second"
check "$CASE: the other one is not" untouched "$first"
run mailq --retry all
shows 0
check "$CASE: now it is, too" touched "$first"
run mailq --retry 6921abcd.1
shows 67 'mailq: 6921abcd.1: no such entry'

# ---- -q

# flusher CODE: a flusher that notes how it was called
flusher() {
	cat >"$D/qmtp-flush" <<-END
		#!/bin/sh
		echo "\$@" >>flushed
		exit $1
	END
	chmod +x "$D/qmtp-flush"
}

if [ "$(id -u)" -eq 0 ]; then
	started='--once'
else
	started=''
fi
# flushed: how the flusher was started since the last time, if it was
flushed() {
	is "$CASE: started" "$(cat "$D/flushed" 2>/dev/null)" "$1"
	rm -f "$D/flushed"
}

scratch '-q'
flusher 0
ln -s "$SENDMAIL" "$D/sendmail"
: >"$D/want"
run sendmail -q
shows 0
flushed ''
package alice@example.org bob@example.net
entry 6921abcd 'P6921abcd P6921abcd'
first=$ID
package '' carol@example.com dave@example.net
entry 6921abce 'P6921abce K6921abce P6921abce'
second=$ID
run sendmail -q15m
shows 0
check "$CASE: an interval is the flusher's business" untouched "$first"
run sendmail -qSnobody
shows 0
run sendmail -qRdave
shows 0
check "$CASE: -qR leaves out settled recipients" untouched "$second"
flushed ''
run sendmail -qR@EXAMPLE.COM
shows 0
check "$CASE: -qR" touched "$second"
check "$CASE: -qR leaves the others" untouched "$first"
flushed "$started"
run sendmail -q!SMAILER
shows 0
check "$CASE: -q!S" touched "$first"
flushed "$started"
for how in 'sendmail -q' 'sendmail -qf' 'runq' 'runq -v'; do
	CASE=$how
	touch -d @1763814349 "$D/spool/queue"/*
	# shellcheck disable=SC2086
	run $how
	shows 0
	check "$CASE: all" touched "$first"
	check "$CASE: all" touched "$second"
	flushed "$started"
done

CASE='-q: another configuration'
run sendmail -C other.conf -q
shows 0
flushed "${started:+-C other.conf $started}"

if [ "$(id -u)" -eq 0 ]; then
	CASE='-q: the flusher fails'
	flusher 78
	run runq
	shows 78
	flushed --once
	printf '#!/bin/sh\nkill -9 $$\n' >"$D/qmtp-flush"
	run runq
	shows 69 'runq: ./qmtp-flush: ended by signal 9'
	rm "$D/qmtp-flush"
	run runq
	shows 69 'runq: ./qmtp-flush: No such file or directory while starting it'
	CASE='-q: SIGCHLD ignored by the caller'
	flusher 78
	(cd "$D" && exec "$STAGE" run --ignore 17 --argv0 runq ./runq >out 2>err)
	CODE=$?
	shows 78
else
	skip '-q: the flusher' 'needs root'
fi

# ---- -q and the real flusher

if [ "$(id -u)" -eq 0 ]; then
	scratch 'runq and the flusher'
	ln -s "$FLUSH" "$D/qmtp-flush"
	serve a ''
	cp "$D/conf" "$D/qmtp-sendmail.conf"
	CASE='runq, another flusher runs'
	package alice@example.org bob@example.net
	entry 6921abcd 'P6921abcd P6921abcd'
	: >"$D/want"
	flock "$D/spool/lock" sh -c "cd '$D' && exec ./runq >out 2>err"
	CODE=$?
	shows 0
	check "$CASE: it is that one's to try" touched "$ID"
	got a
	CASE='runq, no flusher runs'
	run runq
	shows 0
	got a bob@example.net
	is "$CASE: the queue" "$(ls "$D/spool/queue")" ''
	echo 'Mail queue is empty' >"$D/want"
	run mailq
	shows 0

	scratch 'runq, and the server defers'
	ln -s "$FLUSH" "$D/qmtp-flush"
	serve a '' --rule 'bob@*=Z4.2.0 greylisted'
	cp "$D/conf" "$D/qmtp-sendmail.conf"
	package alice@example.org bob@example.net carol@example.net
	entry 6921abcd 'P6921abcd P6921abcd P6921abcd'
	: >"$D/want"
	run runq
	shows 0
	{
		echo "$heading"
		row "$ID" 18 'Sat Nov 22 12:25:49' alice@example.org
		reason 'a: 4.2.0 greylisted'
		rcpt bob@example.net
		echo
		echo '-- 0 Kbytes in 1 Request.'
	} >"$D/want"
	run mailq
	shows 0
	run mailq --json
	like "$CASE: --json" "$(cat "$D/out")" '*"queue_name":"deferred",*"delay_reason":"a: 4.2.0 greylisted","state":"pending"*"accepted":1,"refused":0,*'
else
	skip 'runq and the flusher' 'needs root'
fi

# ---- users

if [ "$(id -u)" -eq 0 ]; then
	scratch 'users'
	chmod 755 "$T" "$D"
	chgrp 12345 "$D/spool" "$D/qmtp-queue"
	chmod 2755 "$D/qmtp-queue"
	chmod 3777 "$D/spool/tmp" "$D/spool/queue"
	chmod 710 "$D/spool"
	printf 'mine\n' >"$D/message"
	package mine@example.org bob@example.net
	entry 6921abcd 'P6921abcd P6921abcd'
	first=$ID
	chown 12346:12347 "$D/spool/queue/$ID"
	package theirs@example.org bob@example.net
	entry 6921abce 'P6921abce P6921abce'
	second=$ID
	chown 12348:12347 "$D/spool/queue/$ID"
	chmod 777 "$D"
	as() {
		(cd "$D" && exec "$STAGE" run --user "$@" </dev/null >out 2>err)
		CODE=$?
	}
	{
		echo "$heading"
		row "$first" 5 'Sat Nov 22 12:25:49' mine@example.org
		rcpt bob@example.net
		echo
		echo '-- 0 Kbytes in 1 Request.'
	} >"$D/want"
	as 12346 ./mailq
	shows 0
	CASE='users: nothing of theirs'
	echo 'Mail queue is empty' >"$D/want"
	as 12349 ./mailq
	shows 0
	CASE="users: others' entries"
	: >"$D/want"
	for option in --show --remove --retry; do
		as 12346 ./mailq $option "$second"
		shows 67 "mailq: $second: no such entry"
	done
	check "$CASE: it is there" in_queue "$second"
	CASE='users: retry all'
	as 12346 ./mailq --retry all
	shows 0
	check "$CASE: their own" touched "$first"
	check "$CASE: not the other" untouched "$second"
	CASE='users: runq does not start the flusher'
	flusher 1
	touch -d @1763814349 "$D/spool/queue"/*
	as 12348 ./runq
	shows 0
	check "$CASE: their own" touched "$second"
	check "$CASE: not the other" untouched "$first"
	flushed ''
	CASE='users: show and remove'
	echo mine >"$D/want"
	as 12346 ./mailq --show "$first"
	shows 0
	: >"$D/want"
	as 12346 ./mailq --remove "$first"
	shows 0
	is "$CASE: what is left" "$(ls "$D/spool/queue")" "$second"
	CASE='users: no group, no socket'
	chmod 755 "$D/qmtp-queue"
	: >"$D/want"
	as 12348 ./mailq
	shows 69 'mailq: no spool: ./qmtp-queue: *; queue.sock: No such file or directory while connecting'
	CASE='users: no group, a socket'
	(cd "$D" && exec ./qmtp-queue listen </dev/null >/dev/null 2>&1) &
	at_end $!
	wait_for test -S "$D/queue.sock"
	{
		echo "$heading"
		row "$second" 5 'Sat Nov 22 12:25:50' theirs@example.org
		rcpt bob@example.net
		echo
		echo '-- 0 Kbytes in 1 Request.'
	} >"$D/want"
	as 12348 ./mailq
	shows 0
	echo 'Mail queue is empty' >"$D/want"
	as 12346 ./mailq
	shows 0
	echo mine >"$D/want"
	as 12348 ./mailq --show "$second"
	shows 0
	: >"$D/want"
	touch -d @1763814349 "$D/spool/queue"/*
	as 12348 ./runq
	shows 0
	check "$CASE: runq" touched "$second"
	touch -d @1763814349 "$D/spool/queue"/*
	as 12348 ./mailq --retry all
	shows 0
	check "$CASE: --retry" touched "$second"
	for option in --show --remove --retry; do
		as 12346 ./mailq $option "$second"
		shows 67 "mailq: $second: no such entry"
	done
	as 12348 ./mailq --remove "$second"
	shows 0
	is "$CASE: --remove" "$(ls "$D/spool/queue")" ''
else
	skip 'users' 'needs root'
fi

done_testing
