#!/bin/sh
# bench.sh: what qmtp-sendmail costs, beside the least a program can do (floor.c), beside others.
#
# Run in the build directory: make bench. Tables of run.c: every ratio is the median of the ratios of
# neighbouring runs to the table's first line. Nothing here fails for being slow; it fails when a
# message is not delivered. Loopback only. Other programs are fetched from Debian and unpacked, not
# installed: BENCH_PEERS=no leaves them out.

set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd) || exit 99
build=$PWD
bin=$build/tests/bench
SENDMAIL=${SENDMAIL:-$build/tests/bin/sendmail}
QMTPD=${QMTPD:-$build/tests/qmtpd/qmtpd}
LOAD=${LOAD:-$build/tests/qmtpd/load}
FLOOR=${FLOOR:-$bin/floor}
RUN=${RUN:-$bin/run}
LOGSINK=${LOGSINK:-$bin/logsink}
SMTPSINK=${SMTPSINK:-$bin/smtpsink}
FROM=alice@example.org
TO=bob@example.net

mkdir -p "$bin" || exit 99
work=$(mktemp -d "$bin/work.XXXXXX") || exit 99
pids='' failed=0

trap 'kill $pids 2>/dev/null; wait; rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The configuration and the log socket of tests/bin/sendmail are in the directory it is run in.
cd "$work" || exit 99

wait_for_file() {
	tries=0
	until [ -e "$1" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 250 ] || { echo "bench: $1 did not appear" >&2; exit 99; }
		sleep 0.02
	done
}

# server NAME [OPTION ...]: a tests/qmtpd; its port is in the file NAME.
server() {
	name=$1
	shift
	"$QMTPD" --parent --lifetime 3600 --port-file "$name" "$@" >/dev/null 2>&1 &
	pids="$pids $!"
	wait_for_file "$name"
}

# table TITLE [run's arguments]
table() {
	printf '\n%s\n' "$1"
	shift
	: >errors
	"$RUN" -e errors "$@" || {
		failed=1
		echo 'FAILED:'
		sort errors | uniq -c | head -5
	}
}

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

# letter FILE BYTES: a message of so many bytes of ordinary text
letter() {
	{
		printf 'From: Alice <%s>\nTo: %s\nSubject: bench\n\n' "$FROM" "$TO"
		yes 'All work and no play makes Jack a dull boy, said the writer, and again:'
	} | head -c "$(($2 - 1))" >"$1"
	echo >>"$1"
}

# conf FILE PORT ...: servers in this order
conf() {
	file=$1
	shift
	echo 'default-domain = "lab.example"' >"$file"
	for port in "$@"; do
		echo "server \"s$port\" { host = \"127.0.0.1\" port = $port }" >>"$file"
	done
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
