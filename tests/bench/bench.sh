#!/bin/sh
# bench.sh: what qmtp-sendmail costs, beside the least a program can do (floor.c), beside others.
#
# Run in the build directory: make bench. Tables of run.c: every ratio is the median of the ratios of
# neighbouring runs to the table's first line. Nothing here fails for being slow; it fails when a
# message is not delivered. Loopback only. Other programs are fetched from Debian and unpacked, not
# installed: BENCH_PEERS=no leaves them out.

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

# calls NAME COMMAND ...: the number of system calls, stdin from the file small
calls() {
	name=$1
	shift
	if ! strace -f -c -o calls "$@" <small >/dev/null 2>&1; then
		printf '%-30s failed\n' "$name"
		failed=1
		return
	fi
	printf '%-30s %10s\n' "$name" "$(awk '$NF == "total" { print $4 }' calls)"
}

letter small 2048
letter big 25000000
letter huge 199900000
seq -f 'user%05.0f@example.net' 10000 >list
{
	echo "From: Alice <$FROM>"
	sed -e '1s/^/To: /' -e '2,$s/^/ /' -e '$!s/$/,/' list
	printf 'Subject: bench\n\nHello.\n'
} >many
seq -f 'user%03.0f@example.net' 100 >list100

server live
server refused --refuse
server blackhole --blackhole
PORT=$(cat live)
conf qmtp-sendmail.conf "$PORT"
conf after-refused.conf "$(cat refused)" "$PORT"
conf after-blackhole.conf "$(cat blackhole)" "$PORT"
"$LOGSINK" log.sock >lines &
logsink=$!
pids="$pids $logsink"
wait_for_file log.sock

to="127.0.0.1 $PORT $FROM"
memory="$FLOOR memory $to"
file="$FLOOR file $to"
direct="$FLOOR direct $to"

echo "The server alone, which is part of every time below (tests/qmtpd/load):"
printf '  2 KB, a connection each:  '
"$LOAD" -n 10000 -p 1 -w 1 -s 2048 127.0.0.1 "$PORT" || failed=1
printf '  25 MB, one connection:    '
"$LOAD" -n 40 -w 2 -s 25000000 127.0.0.1 "$PORT" || failed=1

# The words of a command are its arguments.
# shellcheck disable=SC2046,SC2086
{
	table "2 KB message, numeric address, syslog on (to reach: ratio 1.5)" -n 300 -i small \
	    -- floor $memory "$TO" -- sendmail "$SENDMAIL" "$TO" -- \
	    'sendmail -t' "$SENDMAIL" -t -- 'sendmail, floor again' $memory "$TO"

	printf '\nsystem calls, 2 KB (to reach: 110)\n'
	if strace -o /dev/null true 2>/dev/null; then
		calls floor $memory "$TO"
		calls sendmail "$SENDMAIL" "$TO"
		calls 'sendmail -t' "$SENDMAIL" -t
	elif command -v strace >/dev/null; then
		echo 'not counted: strace may not trace here'
	else
		echo 'not counted: strace is absent'
	fi

	table "25 MB from a pipe (to reach: ratio 1.5, 4096 KiB)" -n 15 -p -i big \
	    -- 'floor, temporary file' $file "$TO" -- sendmail "$SENDMAIL" "$TO"
	table "25 MB from a regular file (to reach: ratio 1.5, 4096 KiB)" -n 15 -i big \
	    -- 'floor, sendfile' $direct "$TO" -- sendmail "$SENDMAIL" "$TO" \
	    -- 'sendmail -i' "$SENDMAIL" -i "$TO"
	table "200 MB from a pipe (to reach: 4096 KiB)" -n 4 -w 0 -p -i huge \
	    -- 'floor, temporary file' $file "$TO" -- sendmail "$SENDMAIL" "$TO" \
	    -- 'sendmail, 100 recipients' "$SENDMAIL" $(cat list100)
	table "200 MB from a regular file (to reach: 4096 KiB)" -n 4 -w 0 -i huge \
	    -- 'floor, sendfile' $direct "$TO" -- sendmail "$SENDMAIL" "$TO" \
	    -- 'sendmail, 100 recipients' "$SENDMAIL" $(cat list100)

	table "10,000 recipients in one To field (to reach: ratio 2)" -n 20 -i many \
	    -- 'floor, recipients from a file' $memory @list -- 'sendmail -t' "$SENDMAIL" -t
	table "10,000 recipients as operands (to reach: ratio 2)" -n 20 -i small \
	    -- floor $memory $(cat list) -- sendmail "$SENDMAIL" $(cat list)

	table "the first server is dead (to reach: a black hole 300 ms, a refused port 5 ms)" \
	    -n 20 -i small -- 'all is well' "$SENDMAIL" "$TO" \
	    -- 'past a refused port' "$SENDMAIL" -C after-refused.conf "$TO" \
	    -- 'past a black hole' "$SENDMAIL" -C after-blackhole.conf "$TO"

	table "200 at once, all of them together (to reach: none failed)" -n 5 -w 1 -a 200 -i small \
	    -- floor $memory "$TO" -- sendmail "$SENDMAIL" "$TO"
}

export SENDMAIL RUN SMTPSINK FROM TO
if [ "${BENCH_PEERS:-yes}" = yes ]; then
	FLOOR_COMMAND="$memory" "$here/peers.sh" "$bin/peers" || failed=1
fi

kill "$logsink"
wait "$logsink" 2>/dev/null
printf '\nlines that came to syslog: %s\n' "$(cat lines)"
exit "$failed"
