#!/bin/sh
# sendmail -bs behind a loopback port, as qmtp-sendmail-smtp.socket starts it, and Python's smtplib before it.
# systemd-socket-activate(1) holds the door where there is one, a few lines of Python elsewhere.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

live=$top_srcdir/tests/live

# knock: the cases of door.py, counted on from here
knock() {
	python3 "$live/door.py" client "$1" >"$D/tap" 2>&1
	while IFS= read -r line; do
		case $line in
		'ok '*) ok "$CASE: ${line#* - }" ;;
		'not ok '*) not_ok "$CASE: ${line#* - }" ;;
		'1..'*) ended=1 ;;
		*) echo "# $line" ;;
		esac
	done <"$D/tap"
	is "$CASE: to the end" "${ended-}" 1
	ended=''
	is "$CASE: Python's mail has arrived" "$(lib_files a 'done')" 26
	printf '\nIt works.\n..\n.\n' >"$D/want"
	tail -n 4 "$(message_of a 1).message" >"$D/text"
	same "$CASE: dots" "$D/text" "$D/want"
	is "$CASE: nothing on stderr" "$(cat "$D/err")" ''
}

open_case() {
	begin "$1"
	configure 'max-message-size = 2000000'
	serve a '' --rule 'nobody@*=D#5.1.1 no such user' --rule 'later@*=Zcome back'
}

open_case 'one process for each connection'
python3 "$live/door.py" serve "$D/port" "$SENDMAIL" -C "$D/conf" -bs >"$D/out" 2>"$D/err" &
at_end $!
if wait_for_file "$D/port"; then
	knock "$(cat "$D/port")"
else
	not_ok "$CASE: it listens" "$(cat "$D/err")"
fi

if command -v systemd-socket-activate >/dev/null; then
	open_case 'systemd-socket-activate --inetd'
	port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
	systemd-socket-activate --inetd -a -l "127.0.0.1:$port" "$SENDMAIL" -C "$D/conf" -bs >"$D/out" 2>"$D/said" &
	at_end $!
	: >"$D/err"
	if wait_for grep -q Listening "$D/said"; then
		knock "$port"
	else
		not_ok "$CASE: it listens" "$(cat "$D/said")"
	fi
fi
done_testing
