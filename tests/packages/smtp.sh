# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systemd.sh
# smtp.sh: SMTP on localhost: no server is up, one is, more clients come than there is room for. Meanwhile the
# flusher stands still, and the watchdog finds out.

hosts='127.0.0.1'
[ ! -s /proc/net/if_inet6 ] || hosts='127.0.0.1 ::1'

# by_smtp_came NUMBER RECIPIENT BYTES
by_smtp_came() {
	comes "$2 came" "$2"
	is "$2: sender" "$(cat "$got.sender")" alice@lab.example
	like "$2: Received" "$(head -n 1 "$got.message")" \
	    'Received: by vm.lab.example (qmtp-sendmail, from userid 6[0-9][0-9][0-9][0-9])'
	tail -n +3 "$got.message" >"$T/have"
	smtp text "$1" "$2" "$3" >"$T/want"
	same "$2: every byte" "$T/have" "$T/want"
}

no_client() {
	[ -z "$(inside systemctl list-units --all --no-legend --plain 'qmtp-sendmail-smtp@*')" ]
}

check "the flusher stands still" inside systemctl kill -s STOP --kill-who=main qmtp-sendmail.service
check "SMTP is enabled" inside systemctl enable --now --quiet qmtp-sendmail-smtp.socket
# shellcheck disable=SC2086 # several
check "six clients with no server up" smtp many 6 down@example.net 3000000 $hosts
waits "all wait" 6
check "a client of its own user" [ -z "$(inside find "$spool/queue" -type f ! -uid +61183)" ]
wait_for no_client
is "there is room for 64 clients" "$(smtp full)" "64
room"
wait_for no_client
if WAIT=20 wait_for another_flusher; then
	ok "the watchdog has started another flusher"
else
	not_ok "the watchdog has started another flusher" "$(journal -u qmtp-sendmail.service -n 20)"
fi
up smtp
check "everything is tried" inside mailq --retry all
for number in 1 2 3 4 5 6; do
	by_smtp_came "$number" "$number.down@example.net" "$([ $number -gt 1 ] || echo 300)0000"
done
waits "nothing waits" 0
stop_server

# The sandbox of those that serve the clients
on smtp-tls
front good
printf 'server "dns.example.org" { port = %s tls = true tls-name = "good.example" }\n' "$PORT" \
    >"$ROOT/etc/qmtp-sendmail.conf"
# shellcheck disable=SC2086 # several
check "six clients with a server by name and TLS" smtp many 6 up@example.net 3000000 $hosts
is "nothing waits" "$(waiting)" 0
for number in 1 2 3 4 5 6; do
	by_smtp_came "$number" "$number.up@example.net" "$([ $number -gt 1 ] || echo 300)0000"
done
stop_server "$FRONT" 2>/dev/null
stop_server
stop_server "$dns" 2>/dev/null
rm -r "$ROOT/etc/systemd/system/qmtp-sendmail.service.d"
check "the watchdog as it was" inside systemctl daemon-reload
check "SMTP is disabled" inside systemctl disable --now --quiet qmtp-sendmail-smtp.socket
is "nobody listens" "$(smtp full 2>&1)" 'smtp.php: 127.0.0.1: Connection refused'
