# shellcheck shell=sh
# lib.sh: what the integration scripts share. They begin with
#
#	. "${srcdir:-.}/tests/integration/lib.sh"
#
# and end with done_testing. TAP on standard output. $T is a directory of their own. Whatever was
# started with start_server, or named to at_end, is ended by its id when the script ends, however it ends.

set -u
LC_ALL=C
export LC_ALL
umask 022

top_srcdir=$(cd "${srcdir:-.}" && pwd) || exit 99
top_builddir=$(cd "${top_builddir:-.}" && pwd) || exit 99
QMTPD=${QMTPD:-$top_builddir/tests/qmtpd/qmtpd}
RAWTALK=${RAWTALK:-$top_builddir/tests/qmtpd/rawtalk}
SENDMAIL=${SENDMAIL:-$top_builddir/tests/bin/sendmail}
STAGE=${STAGE:-$top_builddir/tests/integration/stage}
export top_srcdir top_builddir

T=$(mktemp -d "${TMPDIR:-/tmp}/qmtp-sendmail.XXXXXX") || exit 99
PORT='' PID='' JOB=''
lib_count=0 lib_failed=0 lib_servers=0 lib_pids=''

lib_cleanup() {
	trap '' HUP INT TERM
	trap - EXIT
	for lib_pid in $lib_pids; do
		kill "$lib_pid" 2>/dev/null && wait "$lib_pid" 2>/dev/null
	done
	chmod -R u+rwx "$T" 2>/dev/null
	rm -rf "$T"
	exit "$1"
}
trap 'lib_cleanup $?' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# at_end PID: end that process when the script ends.
at_end() {
	lib_pids="$lib_pids $1"
}

# ---- results

# ok WHAT
ok() {
	lib_count=$((lib_count + 1))
	printf 'ok %d - %s\n' "$lib_count" "$1"
}

# not_ok WHAT [DETAIL ...]: every DETAIL, of any number of lines, is shown as a comment.
not_ok() {
	lib_count=$((lib_count + 1))
	lib_failed=$((lib_failed + 1))
	printf 'not ok %d - %s\n' "$lib_count" "$1"
	shift
	for lib_detail in "$@"; do
		printf '%s\n' "$lib_detail" | sed 's/^/#   /'
	done
}

# skip WHAT REASON
skip() {
	lib_count=$((lib_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$lib_count" "$1" "$2"
}

# skip_all REASON: nothing here can be tested.
skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$lib_count"
	[ "$lib_failed" -eq 0 ]
	exit
}

# quietly COMMAND ...: its output is shown if it fails, which ends everything.
quietly() {
	if ! "$@" >"$T/said" 2>&1; then
		tail -n 40 "$T/said" | sed 's/^/# /'
		echo "Bail out! failed: $*"
		exit 99
	fi
}

# check WHAT COMMAND ...: the command succeeds.
check() {
	lib_what=$1
	shift
	if lib_out=$("$@" 2>&1); then
		ok "$lib_what"
	else
		not_ok "$lib_what" "failed: $*" "$lib_out"
	fi
}

# is WHAT GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got:    $2" "wanted: $3"
	fi
}

# like WHAT GOT PATTERN: a pattern of the shell.
like() {
	# shellcheck disable=SC2254 # a pattern is what it is
	case $2 in
	$3) ok "$1" ;;
	*) not_ok "$1" "got:    $2" "wanted: $3" ;;
	esac
}

# same WHAT FILE WANTED-FILE: byte for byte.
same() {
	if cmp -s "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1" "$(cmp "$2" "$3" 2>&1)" "got:" "$(od -c "$2" 2>&1 | head -20)" \
		    "wanted:" "$(od -c "$3" 2>&1 | head -20)"
	fi
}

# ---- waiting, never for ever: 10 seconds unless a number of seconds is given

# wait_for COMMAND ...: until the command succeeds.
wait_for() {
	lib_tries=0
	until "$@" >/dev/null 2>&1; do
		lib_tries=$((lib_tries + 1))
		[ "$lib_tries" -le $((${WAIT:-10} * 50)) ] || return 1
		sleep 0.02
	done
}

# wait_for_file FILE
wait_for_file() {
	wait_for test -e "$1"
}

# wait_for_line FILE PATTERN: grep finds it.
wait_for_line() {
	wait_for grep -q -e "$2" "$1"
}

# ---- servers

# start_server [OPTION ...]: a tests/qmtpd on a free port. Sets PORT and PID; its messages are in $T/server.N.err. Not in a subshell.
start_server() {
	lib_servers=$((lib_servers + 1))
	rm -f "$T/server.port"
	"$QMTPD" --parent --lifetime 300 --port-file "$T/server.port" "$@" \
	    </dev/null >/dev/null 2>"$T/server.$lib_servers.err" &
	PID=$!
	at_end "$PID"
	if ! wait_for_file "$T/server.port"; then
		echo "Bail out! the server did not start: $(cat "$T/server.$lib_servers.err")"
		exit 99
	fi
	PORT=$(cat "$T/server.port")
}

# stop_server [PID]: ends it and returns its exit status.
stop_server() {
	lib_stop=${1:-$PID}
	lib_left=''
	for lib_pid in $lib_pids; do
		[ "$lib_pid" = "$lib_stop" ] || lib_left="$lib_left $lib_pid"
	done
	lib_pids=$lib_left
	kill "$lib_stop" 2>/dev/null
	wait "$lib_stop"
}

# talk STEP ...: rawtalk with the server that was started last.
talk() {
	"$RAWTALK" 127.0.0.1 "$PORT" "$@"
}

# field FILE KEY: the value of a line "KEY VALUE" of a .done or .broken file.
field() {
	sed -n "s/^$2 //p" "$1"
}

# ---- the command, case by case
#
#	begin 'row 5: the first breaks off'	an empty directory $D with a message and a configuration
#	serve a '' --close-after-byte last-1	a server in it: its options there, then those of qmtpd
#	serve b ''
#	send bob@example.net			CODE, $D/out, $D/err
#	gives 0 ''				exit code and stderr; nobody got it twice
#	got a; got b bob@example.net		who was accepted there
#	came b 1 1 0				connections, whole packages, broken ones

D='' CASE='' CODE='' lib_case=0 lib_mine=''

# begin CASE [CONNECT-DELAY]: the servers of the case before end. The delay is so long, unless given, that no
# server is started alongside another: which of them is spoken to is then no matter of speed.
begin() {
	for lib_pid in $lib_mine; do
		stop_server "$lib_pid" 2>/dev/null
	done
	lib_mine=''
	CASE=$1
	lib_case=$((lib_case + 1))
	D=$T/$lib_case
	mkdir "$D"
	configure 'hostname = "host.lab.example"' 'default-domain = "lab.example"' \
	    'envelope-from = "sender@lab.example"' 'aliases = ""' "connect-delay = ${2:-60000}"
	cat >"$D/in" <<-'END'
		Date: Sun, 22 Nov 2026 03:30:31 +0000
		From: Alice <alice@example.org>
		To: somebody@example.net
		Message-ID: <1@example.org>
		Subject: test

		hello
	END
}

# configure LINE ...: more configuration.
configure() {
	printf '%s\n' "$@" >>"$D/conf"
}

# serve NAME OPTIONS [QMTPD-OPTION ...]: a server, and its section with these options besides.
serve() {
	lib_name=$1 lib_options=$2
	shift 2
	start_server --store "$D/$lib_name" --log "$D/$lib_name.log" "$@"
	lib_mine="$lib_mine $PID"
	configure "server \"$lib_name\" {" 'host = "127.0.0.1"' "port = $PORT" "$lib_options" '}'
}

# send [ARGUMENT ...]: the command with the message $D/in, in the directory $D.
send() {
	(cd "$D" && exec "$SENDMAIL" -C "$D/conf" "$@" <"$D/in" >"$D/out" 2>"$D/err")
	CODE=$?
}

# send_later [ARGUMENT ...]: the same in the background. The servers of the case stay. $JOB is its id.
send_later() {
	lib_mine=''
	echo "$CASE" >"$D/case"
	(
		cd "$D" || exit
		"$SENDMAIL" -C "$D/conf" "$@" <"$D/in" >"$D/out" 2>"$D/err"
		echo $? >"$D/code.new"
		mv "$D/code.new" "$D/code"
	) &
	JOB=$!
	at_end "$JOB"
}

# resume DIRECTORY: the case whose $D that was, when its command has ended.
resume() {
	D=$1
	CASE=$(cat "$D/case")
	CODE='none yet'
	WAIT=60 wait_for_file "$D/code" && CODE=$(cat "$D/code")
}

# large: the message is one that no socket holds, $T/large, so that what happens before its last byte is certain
large() {
	[ -e "$T/large" ] || lib_large >"$T/large"
	ln -sf "$T/large" "$D/in"
}
lib_large() {
	cat <<-'END'
		Date: Sun, 22 Nov 2026 03:30:31 +0000
		From: Alice <alice@example.org>
		Message-ID: <2@example.org>

	END
	yes 'a line of text that is as long as lines of mail are when people write them' | head -c 16000000
	echo
}

# feed FILE: through a pipe
feed() {
	cat "$1"
}

# twice: the recipients that more than one server, or one server more than once, has accepted.
twice() {
	cat "$D"/*/*.accepted 2>/dev/null | sort | uniq -d
}

# gives CODE STDERR: a pattern for stderr, '' for silence. Whatever comes: nothing on stdout, nobody gets it twice.
gives() {
	lib_err=$(cat "$D/err")
	lib_wrong=''
	[ "$CODE" = "$1" ] || lib_wrong="exit code $CODE, wanted $1"
	# shellcheck disable=SC2254 # a pattern is what it is
	case $lib_err in
	$2) ;;
	*) lib_wrong="$lib_wrong
stderr, wanted: $2" ;;
	esac
	[ -z "$(cat "$D/out")" ] || lib_wrong="$lib_wrong
stdout: $(cat "$D/out")"
	[ -z "$(twice)" ] || lib_wrong="$lib_wrong
more than once: $(twice)"
	if [ -z "$lib_wrong" ]; then
		ok "$CASE: exit code $1"
	else
		not_ok "$CASE: exit code $1" "$lib_wrong" "stderr: $lib_err"
	fi
}

# got NAME [RCPT ...]: who was accepted there, in any order.
got() {
	lib_name=$1
	shift
	lib_wanted=$([ $# -eq 0 ] || printf '%s\n' "$@" | sort)
	lib_got=$(cat "$D/$lib_name"/*.accepted 2>/dev/null | sort)
	is "$CASE: server $lib_name accepted ${*:-nobody}" "$lib_got" "$lib_wanted"
}

# offered NAME [RCPT ...]: the recipients of every whole package, in the order they came.
offered() {
	lib_name=$1
	shift
	is "$CASE: server $lib_name was offered ${*:-nothing}" \
	    "$(cat "$D/$lib_name"/*.rcpts 2>/dev/null | tr '\n' ' ')" "$([ $# -eq 0 ] || echo "$* ")"
}

lib_files() {
	find "$D/$1" -name "*.$2" 2>/dev/null | wc -l | tr -d ' '
}

lib_came() {
	[ "$(grep -c ' connect ' "$D/$1.log") $(lib_files "$1" 'done') $(lib_files "$1" broken)" = "$2" ]
}

# came NAME CONNECTIONS WHOLE BROKEN: what reached the server: connections, whole packages, broken-off ones.
came() {
	lib_name=$1
	shift
	if WAIT=3 wait_for lib_came "$lib_name" "$*"; then
		ok "$CASE: server $lib_name saw $1 connections, $2 packages, $3 broken off"
	else
		not_ok "$CASE: server $lib_name saw $1 connections, $2 packages, $3 broken off" \
		    "$(cat "$D/$lib_name.log")"
	fi
}

# message_of NAME NUMBER: the whole package with this number, as a path without suffix.
message_of() {
	printf '%s/%s/%06d' "$D" "$1" "$2"
}

# arrived NAME NUMBER [FILE]: the message is FILE ($D/in) behind one Received field.
arrived() {
	lib_file=$(message_of "$1" "$2").message
	head -n 2 "$lib_file" >"$D/received" 2>&1
	like "$CASE: server $1: Received" "$(cat "$D/received")" \
	    "Received: by host.lab.example (qmtp-sendmail, from userid $(id -u))
	id ????????????????; ???, ?? ??? 2??? ??:??:?? [+-]????"
	tail -n +3 "$lib_file" >"$D/arrived" 2>&1
	same "$CASE: server $1: every byte of the message" "$D/arrived" "${3:-$D/in}"
}

# logging: from now on the command of this case has a syslog, $D/syslog.
logging() {
	"$STAGE" log "$D/log.sock" "$D/syslog" &
	lib_mine="$lib_mine $!"
	at_end $!
	wait_for_file "$D/log.sock"
}

# logged PATTERN: grep finds a line in that syslog.
logged() {
	if WAIT=3 wait_for_line "$D/syslog" "$1"; then
		ok "$CASE: the log says $1"
	else
		not_ok "$CASE: the log says $1" "$(cat "$D/syslog")"
	fi
}

# normal FILE: a finished message with what differs each time replaced: TOKEN and DATE as Received has them, the
# caller's UID there.
normal() {
	lib_token=$(sed -n '2s/^	id \([a-z2-7]\{16\}\); .*/\1/p' "$1")
	lib_date=$(sed -n '2s/^	id [^;]*; \([A-Z][a-z][a-z], .* [+-][0-9]\{4\}\)$/\1/p' "$1")
	sed "1s/(qmtp-sendmail, from userid $(id -u))/(qmtp-sendmail, from userid UID)/
	    s/${lib_token:-no token}/TOKEN/
	    /^[^ ]*Date: /s/${lib_date:-no date}/DATE/
	    2s/${lib_date:-no date}/DATE/" "$1"
}
