#!/bin/sh
# What happens when something breaks on this side: standard input (row 19), signals (22, 23), nobody
# who listens (25), the configuration (27), the caller's limits (33), and the message itself.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

bob=bob@example.net carol=carol@example.net dave=dave@example.net

# signalled SIGNAL: the command that runs in the background in $D gets it
signalled() {
	kill "-$1" "$(cat "$D/pid")"
}

# ---- two that wait 10 s run beside the others, and are looked at in the end

# later_signalled ARGUMENT ...: send_later; it gets a TERM when server a has stopped reading
later_signalled() {
	echo "$CASE" >"$D/case"
	(
		cd "$D" || exit
		begun=$(date +%s)
		"$SENDMAIL" -C conf "$@" <in >out 2>err &
		pid=$!
		wait_for_line a.log ' stall '
		kill -TERM $pid
		wait $pid
		echo $? >code.new
		echo $(($(date +%s) - begun)) >took
		mv code.new code
	) 2>/dev/null &
	at_end $!
	lib_mine=''
}

begin 'row 23: a signal after the last byte, and no answer'
serve a '' --stall-after-byte last
later_signalled $bob $carol
later_signal=$D

begin 'row 23: a signal after the last byte of a bounce, and no answer'
serve a '' --on 1 --rule 'bob@*=Dno such user' --on 2 --stall-after-byte last
later_signalled $bob $carol
later_bounce=$D

# ---- row 19: standard input cannot be read

begin 'row 19: a directory'
serve a ''
(cd "$D" && "$SENDMAIL" -C conf $bob <"$D" >out 2>err)
CODE=$?
gives 74 'sendmail: standard input: Is a directory while reading the message'
came a 0 0 0
begin 'row 19: closed'
serve a ''
(cd "$D" && "$SENDMAIL" -C conf $bob <&- >out 2>err)
CODE=$?
gives 74 'sendmail: standard input: *'
begin 'row 19: open for writing only'
serve a ''
(cd "$D" && "$SENDMAIL" -C conf $bob 0>written >out 2>err)
CODE=$?
gives 74 'sendmail: standard input: *'
came a 0 0 0

# ---- rows 22 and 23: signals

# start [STAGE-OPTION ...] -- [ARGUMENT ...]: the command in the background, with its id in $D/pid.
# SIGINT, which a shell ignores for what it starts in the background, is as usual.
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
	echo "$JOB" >"$D/pid"
}

# ended: how
ended() {
	wait "$JOB" 2>/dev/null
	CODE=$?
}

# wait_for_end: for up to 3 s; a command that does not end then gets to the end of its input
wait_for_end() {
	WAIT=3 wait_for gone
}
gone() {
	! kill -0 "$JOB" || grep -q '^State:.*zombie' "/proc/$JOB/status"
}

# sleeping: the command is running and waits
sleeping() {
	grep -q '^State:.*sleeping' "/proc/$JOB/status" && grep -q sendmail "/proc/$JOB/cmdline"
}

while read -r signal number; do
	begin "row 22: $signal while connecting"
	serve a '' --blackhole
	start -- $bob
	wait_for sleeping
	signalled "$signal"
	ended
	gives $((128 + number)) ''
	for blocked in '' "--block $number"; do
		begin "row 22: $signal while standard input is read $blocked"
		serve a ''
		rm "$D/in"
		mkfifo "$D/in"
		# shellcheck disable=SC2086 # words
		start $blocked -- $bob
		{
			printf 'Subject: half\n\nhalf a '
			wait_for sleeping
			signalled "$signal"
			wait_for_end
		} >"$D/in"
		ended
		gives $((128 + number)) ''
		came a 0 0 0
	done
	begin "row 22: $signal while sending"
	large
	serve a '' --rcvbuf 4096 --stall-after-byte 10000
	start -- $bob
	wait_for_line "$D/a.log" ' stall '
	signalled "$signal"
	ended
	gives $((128 + number)) ''
	offered a
	begin "row 22: $signal is blocked by the caller"
	serve a '' --blackhole
	start --block "$number" -- $bob
	wait_for sleeping
	signalled "$signal"
	ended
	gives $((128 + number)) ''
	begin "row 22: $signal is ignored by the caller"
	serve a '' --connect-delay 400
	large
	start --ignore "$number" -- $bob
	wait_for_line "$D/a.log" ' connect '
	signalled "$signal"
	ended
	gives 0 ''
	arrived a 1
	begin "row 23: $signal after the last byte"
	serve a '' --delay 500
	serve b ''
	start -- $bob $carol
	wait_for_line "$D/a.log" ' package '
	signalled "$signal"
	ended
	gives 0 ''
	got a $bob $carol
	begin "row 23: $signal after the last byte, and the answer is Z"
	serve a '' --delay 500 --answer Zlater
	serve b ''
	start -- $bob
	wait_for_line "$D/a.log" ' package '
	signalled "$signal"
	ended
	gives 73 "sendmail: <$bob>: not sent: a: later"
	came b 0 0 0
	begin "row 23: $signal after the last byte, ignored by the caller"
	serve a '' --delay 500 --answer Zlater
	serve b ''
	start --ignore "$number" -- $bob
	wait_for_line "$D/a.log" ' package '
	signalled "$signal"
	ended
	gives 0 ''
	got b $bob
done <<'END'
HUP 1
INT 2
TERM 15
END

# ---- row 25: nobody listens

# standard WHAT REDIRECTION: a delivery and a failure with these descriptors
standard() {
	for healthy in yes no; do
		begin "row 25: $1, a healthy server: $healthy"
		if [ $healthy = yes ]; then
			serve a ''
			want=0
		else
			serve a '' --close-after-byte last
			want=73
		fi
		(cd "$D" && eval "exec \"\$SENDMAIL\" -C conf -v $bob $2")
		is "$CASE: exit code" $? $want
		arrived a 1
	done
}
# shellcheck disable=SC2016 # for eval
{
	standard 'stdout closed' '<in >&- 2>err'
	standard 'stderr closed' '<in >out 2>&-'
	standard 'both closed' '<in >&- 2>&-'
	[ ! -c /dev/full ] || standard 'both full' '<in >/dev/full 2>/dev/full'
	mkfifo "$T/pipe"
	exec 9<>"$T/pipe"
	"$STAGE" fill >&9
	standard 'a pipe that is full' '<in >&9 2>&9'
	exec 9>&-
	standard 'open for reading only' '<in >/dev/null 2>/dev/null 1<in 2<in'
}
for closed in '<&-' '<&- >&-' '<&- 2>&-' '<&- >&- 2>&-'; do
	begin "row 25: $closed"
	serve a ''
	(cd "$D" && eval "exec \"\$SENDMAIL\" -C conf $bob >out 2>err $closed")
	is "$CASE: exit code" $? 74
	came a 0 0 0
done
for closed in '>&-' '2>&-' '>&- 2>&-'; do
	begin "row 25: $closed and a message from a pipe"
	serve a ''
	(cd "$D" && feed in | eval "exec \"\$SENDMAIL\" -C conf $bob >out 2>err $closed")
	is "$CASE: exit code" $? 0
	arrived a 1
done

begin 'row 25: no syslog'
serve a ''
send $bob
gives 0 ''
begin 'row 25: a syslog that is stuck'
"$STAGE" deaf-log "$D/log.sock" &
lib_stuck=$!
at_end $lib_stuck
wait_for_file "$D/log.sock"
sleep 0.2
serve a ''
send $bob
gives 0 ''
arrived a 1
begin 'the log'
logging
serve a '' --rule 'dave@*=Zlater'
send $bob $carol $dave
gives 73 "sendmail: <$dave>: not sent: a: later"
token=$(sed -n '2s/^	id \([a-z2-7]*\);.*/\1/p' "$(message_of a 1).message")
size=$(wc -c <"$(message_of a 1).message")
logged "^<22>... .. ..:..:.. qmtp-sendmail\[[0-9]*\]: $token from=<sender@lab.example> uid=$(id -u) \
size=$((size)) nrcpt=3 msgid=<1@example.org>$"
logged "^<22>.*: $token to=<$bob>,<$carol> relay=a\[127.0.0.1\]:$PORT delay=0\.[0-9][0-9] status=sent (ok 1)$"
logged "^<20>.*: $token to=<$dave> relay=a\[127.0.0.1\]:$PORT delay=0\.[0-9][0-9] status=deferred (later)$"
logged "^<19>.*: <$dave>: not sent: a: later$"

# ---- row 27: the configuration

# misconfigured WHAT STDERR: with $D/bad as configuration; a writer of more than a pipe holds is not harmed
misconfigured() {
	CASE="row 27: $1"
	head -c 300000 /dev/zero >"$D/zero"
	: >"$D/out"
	(
		trap - PIPE
		cat "$D/zero"
		echo $? >"$D/writer"
	) | (cd "$D" && "$SENDMAIL" -C bad $bob >out 2>err)
	CODE=$?
	gives 78 "$2"
	is "$CASE: the writer" "$(cat "$D/writer")" 0
	came a 0 0 0
	rm -rf "$D/bad"
}
begin 'row 27'
serve a ''
misconfigured 'missing' 'sendmail: bad: No such file or directory*'
mkdir "$D/bad"
misconfigured 'a directory' 'sendmail: bad: not a regular file'
mkfifo "$D/bad"
misconfigured 'a FIFO' 'sendmail: bad: not a regular file'
ln -s /dev/null "$D/bad"
misconfigured 'a device' 'sendmail: bad: not a regular file'
{ cat "$D/conf"; printf '\n#\0\n'; } >"$D/bad"
misconfigured 'NUL in it' 'sendmail: bad:12: byte 0x00 *'
{ cat "$D/conf"; echo 'colour = "red"'; } >"$D/bad"
misconfigured 'an unknown key' "sendmail: bad:11: no such option 'colour'"
{ cat "$D/conf"; echo 'soft-bounce = maybe'; } >"$D/bad"
misconfigured 'a bad value' "sendmail: bad:11: soft-bounce: 'maybe' is neither true nor false"
{ cat "$D/conf"; echo 'hostname = "again.example"'; } >"$D/bad"
misconfigured 'a key twice' 'sendmail: bad:11: hostname: given twice'
head -n 5 "$D/conf" >"$D/bad"
misconfigured 'no server' 'sendmail: bad: *server*'
cp "$D/conf" "$D/bad"
chmod g+w "$D/bad"
misconfigured 'the group may write' 'sendmail: bad: *'
cp "$D/conf" "$D/bad"
chmod o+w "$D/bad"
misconfigured 'others may write' 'sendmail: bad: *'
if [ "$(id -u)" -eq 0 ]; then
	cp "$D/conf" "$D/bad"
	chown 12345 "$D/bad"
	misconfigured 'of somebody else' 'sendmail: bad: *'
else
	skip 'row 27: of somebody else' 'only root can give a file away'
fi

# ---- row 33: the caller's limits

begin 'row 33: no file may grow: a message from a pipe'
serve a ''
feed "$T/large" | (cd "$D" && "$STAGE" run --limit fsize 4096 "$SENDMAIL" -C conf $bob >out 2>err)
CODE=$?
gives 71 'sendmail: temporary file: File too large while writing the message'
came a 0 0 0
begin 'row 33: no file may grow: a small message, and a file'
serve a ''
(cd "$D" && "$STAGE" run --limit fsize 0 "$SENDMAIL" -C conf $bob <in >out 2>err)
CODE=$?
gives 0 ''
large
(cd "$D" && "$STAGE" run --limit fsize 0 "$SENDMAIL" -C conf $bob <in >out 2>err)
is "$CASE: exit code" $? 0
arrived a 2

# limited WHAT N ...: either it goes, or there is a code and nothing was sent
limited() {
	what=$1
	shift
	for n in "$@"; do
		begin "row 33: $what $n"
		serve a ''
		feed "$T/large" | (cd "$D" && "$STAGE" run --limit "$what" "$n" "$SENDMAIL" -C conf $bob >out 2>err)
		CODE=$?
		if [ $CODE -eq 0 ]; then
			arrived a 1 "$T/large"
			continue
		fi
		like "$CASE: exit code $CODE" " 71 73 74 78 127 139 " "* $CODE *"
		got a
		[ $CODE -gt 78 ] || like "$CASE: stderr" "$(cat "$D/err")" '*sendmail: *'
	done
}
limited nofile 3 4 5 6 7 8 9
if [ "${SANITIZERS:-no}" = yes ]; then
	limited as 100000000000000
else
	limited as 2000000 3000000 4000000 5000000 6000000 7000000 8000000 9000000 10000000 20000000
fi
begin 'row 33: no thread may be started'
ASAN_OPTIONS=detect_leaks=0 # it would need one itself
export ASAN_OPTIONS
configure 'server "x" { host = "localhost" }'
serve a ''
if [ "$(id -u)" -eq 0 ]; then
	chmod 711 "$T"
	cp "$SENDMAIL" "$STAGE" "$T"
	(cd "$D" && "$T/stage" run --user 65534 --limit nproc 1 "$T/sendmail" -C conf $bob <in >out 2>err)
else
	(cd "$D" && "$STAGE" run --limit nproc 1 "$SENDMAIL" -C conf $bob <in >out 2>err)
fi
CODE=$?
gives 0 ''
got a $bob
unset ASAN_OPTIONS

# ---- More rows

begin 'a file that is changed while it is sent'
cp "$T/large" "$D/in"
serve a '' --connect-delay 1000
serve b ''
start -- $bob
wait_for_line "$D/a.log" ' connect '
printf 'x' | dd of="$D/in" bs=1 seek=5000000 conv=notrunc 2>/dev/null
ended
gives 74 'sendmail: standard input: file changed*'
came a 1 0 1
came b 0 0 0
begin 'a file that is cut while it is sent'
cp "$T/large" "$D/in"
serve a '' --connect-delay 1000
serve b ''
start -- $bob
wait_for_line "$D/a.log" ' connect '
: >"$D/in"
ended
gives 74 'sendmail: *'
came a 1 0 1
came b 0 0 0
begin 'a file is read from where it stands'
serve a ''
{ printf 'not of the message\n'; cat "$D/in"; } >"$D/longer"
(cd "$D" && { read -r _; exec "$SENDMAIL" -C conf $bob >out 2>err; } <longer)
CODE=$?
gives 0 ''
arrived a 1
begin 'a large file is read from where it stands'
serve a ''
{ printf 'not of the message\n'; cat "$T/large"; } >"$D/longer"
(cd "$D" && { read -r _; exec "$SENDMAIL" -C conf $bob >out 2>err; } <longer)
CODE=$?
gives 0 ''
arrived a 1 "$T/large"
begin 'a temporary file where TMPDIR does not exist'
serve a ''
feed "$T/large" | (cd "$D" && TMPDIR=/nonexistent "$SENDMAIL" -C conf $bob >out 2>err)
CODE=$?
gives 0 ''
arrived a 1 "$T/large"
for how in '-odq' '-odb' '-O DeliveryMode=d'; do
	begin "no spool yet: $how"
	serve a ''
	# shellcheck disable=SC2086 # words
	send $how $bob
	gives 0 ''
	got a $bob
done
begin 'no spool yet: delivery = "queue"'
configure 'delivery = "queue"'
serve a ''
send $bob
gives 0 ''
begin 'over max-message-size'
configure 'max-message-size = 1000'
serve a ''
{ cat "$D/in"; head -c 1000 /dev/zero; } >"$D/more"
mv "$D/more" "$D/in"
send $bob
gives 65 'sendmail: message: larger than 1000 bytes*'
came a 0 0 0

# ---- what was begun at the start

resume "$later_signal"
gives 73 "sendmail: <$bob>, <$carol>: may have been sent, no answer from a: no answer in time*"
came a 1 1 0
check "$CASE: within 10 s" test "$(cat "$D/took")" -lt 20
resume "$later_bounce"
gives 69 "sendmail: <$bob>: refused by a: no such user
sendmail: bounce to sender@lab.example: *no answer in time*"
check "$CASE: within 10 s" test "$(cat "$D/took")" -lt 20
done_testing
