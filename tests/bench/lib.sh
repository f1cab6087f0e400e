# lib.sh: what bench.sh and spool.sh begin with. Run in the build directory; from here on in $work,
# a directory of its own in which the programs of tests/bin find their files. BENCH_DIR: make it there,
# on another disk.
# shellcheck shell=sh disable=SC2034 # most of it is for those that read this

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
QUEUE=${QUEUE:-$build/tests/bin/qmtp-queue}
FLUSH=${FLUSH:-$build/tests/bin/qmtp-flush}
FROM=alice@example.org
TO=bob@example.net

mkdir -p "$bin" || exit 99
work=$(mktemp -d "${BENCH_DIR:-$bin}/work.XXXXXX") || exit 99
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

# over_link FAR MILLISECONDS TITLE [run's arguments]: a table whose programs find, behind a line that
# takes so long each way, a server at 10.9.0.2 port 209: what the script FAR starts, which writes that
# port into the file far. In another network the names of sockets are the same.
over_link() {
	far_end=$1 ms=$2 title=$3
	shift 3
	rm -f far
	[ -z "$title" ] || printf '\n%s\n' "$title"
	if [ "$(id -u)" -ne 0 ]; then
		echo 'skipped: needs root'
		return 77
	fi
	: >errors
	# shellcheck disable=SC2016 # the inner shell's variables
	"$bin/delaylink" "$ms" sh -c "$far_end" -- \
	    sh -c 'until [ -e far ]; do sleep 0.02; done; exec "$@"' sh "$RUN" -e errors "$@"
	status=$?
	if [ "$status" -eq 77 ]; then
		echo "skipped: no such line can be made here: $(head -1 errors)"
	elif [ "$status" -ne 0 ]; then
		failed=1
		echo 'FAILED:'
		sort errors | uniq -c | head -5
	fi
	return "$status"
}

# first NAME <TABLE: the first number of that line of a table of run's
first() {
	awk -v name="$1" 'substr($0, 1, 30) == sprintf("%-30s", name) { print substr($0, 31) + 0 }'
}
