# shellcheck shell=sh disable=SC2154 # the variables of systems.sh
# logcheck.sh: logcheck's rule keeps silent about ordinary days, and about nothing else.

letter() {
	printf 'Subject: a letter\n\nhello\n' | as alice /usr/sbin/sendmail "$@"
}

# reported: what logcheck would report since it was last asked, without time, host, process, id and delay
reported() {
	# What was said before this is in the file when this is.
	inside logger --socket /dev/log 'that is all'
	wait_for_line "$T/log" 'that is all$'
	sed -E '/that is all$/d; s/^<[0-9]+>(.{15}) /\1 vm /' "$T/log" >"$T/lines"
	: >"$T/log"
	grep -v '^#' "$ROOT/etc/logcheck/ignore.d.server/qmtp-sendmail" >"$T/rules"
	grep -Evf "$T/rules" "$T/lines" | cut -c 20- |
	    sed -E 's/\[[0-9]+\]: /: /; s/: ([a-z2-7]{16}|[0-9a-f]+\.[0-9a-f]+:) /: ID /; s/delay=[0-9.]+/delay=D/'
}

# seen WORDS NUMBER: so many lines that were looked at have them.
seen() {
	is "$2 of: $1" "$(grep -c -e "$1" "$T/lines")" "$2"
}

begin_room logcheck new
ours "qmtp-sendmail"
: >"$T/log"

up logcheck.up
flusher
flush=$JOB
check "mail" letter one@example.net two@example.net
check "mail that goes to the queue first" letter -odq three@example.net
waits "nothing waits" 0
kill -HUP "$flush"
inside setpriv --reuid qmtpq --regid qmtpq --groups qmtpdrop /usr/sbin/qmtp-flush --once
wait_for_line "$T/log" 'read again$'
is "that is ordinary" "$(reported)" ''
seen 'qmtp-sendmail\[.* from=<alice@lab.example> uid=' 2
seen 'qmtp-sendmail\[.* relay=127.* status=sent ' 1
seen 'qmtp-sendmail\[.* relay=queue .* status=queued ' 1
seen 'qmtp-flush\[.* to=<three@example.net> .* status=sent ' 1
seen ' read again$' 1
seen ' another qmtp-flush is at work$' 1

relay="relay=127.0.0.1[127.0.0.1]:$port"
stop_server
check "mail with no server up" letter four@example.net
wait_for_line "$T/log" 'next attempt'
why='Connection refused while connecting to 127.0.0.1'
is "that the server is away is not" "$(reported)" \
    "qmtp-sendmail: ID to=<four@example.net> $relay delay=D status=deferred ($why)
qmtp-flush: $relay: $why; next attempt in 5 s"
up logcheck.back
check "everything is tried" inside mailq --retry all
waits "nothing waits" 0
is "that it is back is" "$(reported)" ''
seen ' it can be reached$' 1
stop_server

start_server --port "$port" --answer 'Dno such user'
letter five@example.net 2>/dev/null
is "a refusal is not" "$(reported)" \
    "qmtp-sendmail: ID to=<five@example.net> $relay delay=D status=refused (no such user)
qmtp-sendmail: <five@example.net>: refused by 127.0.0.1: no such user"
stop_server
stop_server "$flush" 2>/dev/null
sed -i '1s/^/nonsense = 1\n/' "$ROOT/etc/qmtp-sendmail.conf"
letter six@example.net 2>/dev/null
is "nor is a wrong configuration" "$(reported)" \
    "qmtp-sendmail: /etc/qmtp-sendmail.conf:1: no such option 'nonsense'"
