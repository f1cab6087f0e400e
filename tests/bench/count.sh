#!/bin/sh
# count.sh: what does not depend on the machine's other work: instructions and system calls, each
# beside what it was when this table was made. Nothing is asserted: they depend on the compiler and
# the C library.
#
# Run in the build directory: make bench, or make bench-count for this alone.

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

FEW=1000 MANY=3000

# row NAME NUMBER BEFORE
row() {
	printf '%-46s %12s %12s\n' "$1" "$2" "$3"
}

# traced COMMAND ...: system calls, stdin from the file small
traced() {
	strace -f -c -o calls "$@" <small >/dev/null 2>&1 || { failed=1; echo failed; return; }
	awk '$NF == "total" { print $4 }' calls
}

# counted COMMAND ...: instructions, stdin from the file small
counted() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" <small >report 2>&1 ||
	    { failed=1; echo failed; return; }
	sed -n 's/.*refs: *//p' report | tr -d ,
}

# each HOW COMMAND ... : by traced or counted, with FEW and with MANY as the last but two argument:
# what one message more costs
each() {
	how=$1 program=$2 from=$3 place=$4
	a=$("$how" "$program" "$from" 127.0.0.1 "$place" "$FEW" 2000 64)
	b=$("$how" "$program" "$from" 127.0.0.1 "$place" "$MANY" 2000 64)
	echo "$a $b" | awk -v n="$((MANY - FEW))" '{ printf "%.2f\n", ($2 - $1) / n }'
}

# flushed HOW: what one message more costs the flusher
flushed() {
	for n in "$FEW" "$MANY"; do
		"$bin/fill" spool "$n" 2000 || exit 99
		"$1" "$FLUSH" --once
		rm -rf spool
	done | tr '\n' ' ' | awk -v n="$((MANY - FEW))" '{ printf "%.2f\n", ($2 - $1) / n }'
}

letter small 2048
server live
PORT=$(cat live)
conf qmtp-sendmail.conf "$PORT"
"$LOGSINK" log.sock >lines &
pids="$pids $!"
wait_for_file log.sock
pipeline=$bin/pipeline

printf '\nsystem calls (one message more, where there are several)\n'
row '' now before
if strace -o /dev/null true 2>/dev/null; then
	row 'floor' "$(traced "$FLOOR" memory 127.0.0.1 "$PORT" "$FROM" "$TO")" 39
	row 'sendmail, 2 KB' "$(traced "$SENDMAIL" "$TO")" 106
	row 'sendmail -t, 2 KB' "$(traced "$SENDMAIL" -t)" 106
	row 'libqmtp, 2 KB of memory, pipelined' "$(each traced "$pipeline" memory "$PORT")" 2.03
	row 'libqmtp, 2 KB of a file, pipelined' "$(each traced "$pipeline" small "$PORT")" 3.03
	row 'qmtp-flush, 2 KB, log included' "$(flushed traced)" 8.07
else
	echo 'not counted: strace is absent, or may not trace here'
fi

printf '\ninstructions (likewise; callgrind, this side of the kernel)\n'
row '' now before
if command -v valgrind >/dev/null; then
	row 'floor' "$(counted "$FLOOR" memory 127.0.0.1 "$PORT" "$FROM" "$TO")" 151700
	row 'sendmail, 2 KB' "$(counted "$SENDMAIL" "$TO")" 517000
	row 'libqmtp, 2 KB of memory, pipelined' "$(each counted "$pipeline" memory "$PORT")" 4990
	row 'libqmtp, 2 KB of a file, pipelined' "$(each counted "$pipeline" small "$PORT")" 5030
	row 'qmtp-flush, 2 KB, log included' "$(flushed counted)" 32400
else
	echo 'not counted: valgrind is absent'
fi
exit "$failed"
