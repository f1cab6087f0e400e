# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systemd.sh
# sandbox.sh: what the flusher needs passes through the sandbox of its unit. All mail goes by the queue.

certs=$T/certs

# through WHAT OPTION ...: mail reaches $store when the server has these options
through() {
	what=$1
	shift
	printf '%s\n' 'delivery = "queue"' 'server "smarthost" {' "$@" '}' >"$ROOT/etc/qmtp-sendmail.conf"
	check "$what: reload" inside systemctl reload qmtp-sendmail.service
	check "$what: mail" letter "${store##*/}@example.net" as alice
	letter_came "$what" "${store##*/}@example.net"
	# The next server would be kept waiting for as long as this one is down.
	waits "$what: nothing waits" 0
}

# on STORE [OPTION ...]: a server; sets PORT
on() {
	store=$T/$1
	shift
	start_server --store "$store" "$@"
}

# front CERTIFICATE [OPTION ...]: TLS in front of it; sets PORT
front() {
	certificate=$1
	shift
	rm -f "$T/front.port" "$T/front.log"
	"$TLSFRONT" --parent --lifetime 300 --port-file "$T/front.port" --to "$PORT" --log "$T/front.log" \
	    --cert "$certs/$certificate.pem" --key "$certs/$certificate.key" "$@" </dev/null >/dev/null 2>&1 &
	FRONT=$!
	at_end "$FRONT"
	check "TLS in front of it" wait_for_file "$T/front.port"
	PORT=$(cat "$T/front.port")
}

said() {
	journal -u qmtp-sendmail.service | grep -q -e "$1"
}

# ---- the watchdog, at work until the end of smtp.sh (NotifyAccess): until then nothing may end the flusher

mkdir -p "$ROOT/etc/systemd/system/qmtp-sendmail.service.d"
printf '[Service]\nWatchdogSec=5s\nRestartSec=100ms\n' \
    >"$ROOT/etc/systemd/system/qmtp-sendmail.service.d/test.conf"
check "a shorter watchdog" inside systemctl daemon-reload
flusher=$(main_pid)
check "restart" inside systemctl restart qmtp-sendmail.service
check "it is another one, and ready" another_flusher
flusher=$(main_pid)
alive() {
	inside systemctl show -p WatchdogTimestampMonotonic --value qmtp-sendmail.service
}
first_sign=$(alive)

# ---- addresses, names, paths (RestrictAddressFamilies, ProtectSystem, ProcSubset, SystemCallFilter)

on ipv4
through "IPv4" 'host = "127.0.0.1"' "port = $PORT"
stop_server
if [ -s /proc/net/if_inet6 ]; then
	on ipv6 --addr ::1
	through "IPv6" 'host = "::1"' "port = $PORT"
	stop_server
else
	echo "# not tried: IPv6, which this kernel does not have"
fi
on socket --unix "$ROOT/srv/qmtp.sock"
chmod 666 "$ROOT/srv/qmtp.sock"
through "a socket with a path" 'host = "/srv/qmtp.sock"'
stop_server
echo '127.0.0.1 hosts.example.org' >>"$ROOT/etc/hosts"
on hosts
through "a name in /etc/hosts" 'host = "hosts.example.org"' "port = $PORT"
stop_server
echo 'nameserver 127.0.0.1' >"$ROOT/etc/resolv.conf"
"$STAGE" dns 127.0.0.1 53 "$T/dns.there" dns.example.org 127.0.0.1 &
dns=$!
at_end "$dns"
check "a name server" wait_for_file "$T/dns.there"
on dns
through "a name in DNS" 'host = "dns.example.org"' "port = $PORT"
stop_server

# ---- TLS (MemoryDenyWriteExecute, the files of /etc)

sh "$top_srcdir/tests/tls/certs.sh" "$certs" || not_ok "certificates"
cp "$certs/ca.pem" "$ROOT/etc/ssl/certs/$(basename "$certs"/ca.d/*.0)"
cp "$certs/client.pem" "$certs/client.key" "$ROOT/etc/ssl/"
inside chgrp qmtpq /etc/ssl/client.key
chmod 640 "$ROOT/etc/ssl/client.key"
on tls
front good
through "TLS, an authority of the system's" 'host = "localhost"' "port = $PORT" 'tls = true'
is "with TLS 1.3" "$(cut -d ' ' -f 2-3 "$T/front.log" | grep handshake)" 'handshake TLSv1.3'
stop_server "$FRONT" 2>/dev/null
stop_server
on client
front good --ask "$certs/ca.pem" --require
through "a certificate of our own" 'host = "dns.example.org"' "port = $PORT" 'tls = true' \
    'tls-name = "good.example"' 'tls-certificate = "/etc/ssl/client.pem"' 'tls-key = "/etc/ssl/client.key"'
is "it was shown" "$(sed -n 's/.* handshake .*\(client=.*\)/\1/p' "$T/front.log")" 'client=CN=test client'
is "alice cannot read its key" "$(as alice cat /etc/ssl/client.key 2>&1)" \
    'cat: /etc/ssl/client.key: Permission denied'
stop_server "$FRONT" 2>/dev/null
stop_server

# ---- the queue: large messages, refusals, other tries (ReadWritePaths, RestrictSUIDSGID, UMask, MemoryMax)

configured 'delivery = "queue"'
check "reload" inside systemctl reload qmtp-sendmail.service
{
	printf 'Date: Sun, 22 Nov 2026 03:30:31 +0000\nFrom: Alice <alice@lab.example>\nMessage-ID: <large@x>\n\n'
	yes 'a line of text that is as long as lines of mail are when people write them' | head -c 25000000
	echo
} >"$ROOT/srv/large"
check "25 MB" as alice /usr/sbin/sendmail large.1@example.net <"$ROOT/srv/large"
check "25 MB once more" as alice /usr/sbin/sendmail large.2@example.net <"$ROOT/srv/large"
check "25 MB through the door" confined /usr/sbin/sendmail large.3@example.net <"$ROOT/srv/large"
waits "they wait" 3
store=$T/large
start_server --port "$port" --store "$store"
check "everything is tried" inside mailq --retry all
for number in 1 2 3; do
	comes "25 MB: $number came" "large.$number@example.net"
	tail -n +3 "$got.message" >"$T/have"
	same "25 MB: $number: every byte" "$T/have" "$ROOT/srv/large"
done
waits "nothing waits" 0
stop_server
rm -r "$store" "$ROOT/srv/large"

store=$T/refused
start_server --port "$port" --store "$store" --rule 'nobody@*=D#5.1.1 no such user'
check "mail that is refused" letter nobody@example.net as alice
comes "alice is told" alice@lab.example
is "by nobody" "$(cat "$got.sender" && echo fine)" fine
is "of whom and why" "$(grep -a -e '^Final-Recipient:' -e '^Status:' -e '^Diagnostic-Code:' "$got.message")" \
    'Final-Recipient: rfc822; nobody@example.net
Status: 5.1.1
Diagnostic-Code: x-qmtp; #5.1.1 no such user'
waits "nothing waits" 0
stop_server

store=$T/later
start_server --port "$port" --store "$store" --on 1 --answer 'Z#4.2.0 first' --then close \
    --on 2 --answer 'Z#4.2.0 second' --then close
check "mail that is put off" letter later@example.net as alice
shows() {
	"$@" | grep -q -F "$shown"
}
id_of() {
	as alice mailq --json | sed -n 's/.*"queue_id": *"\([^"]*\)".*/\1/p'
}
shown='#4.2.0 first'
check "alice sees why" wait_for shows as alice mailq
check "root sees why" shows inside mailq
check "so does alice through the door" shows confined mailq
like "nobody else does" "$(as www-data mailq)" '*empty*'
check "alice has it tried" as alice mailq --retry "$(id_of)"
shown='#4.2.0 second'
check "it is put off once more" wait_for shows as alice mailq
check "and tried through the door" confined mailq --retry "$(id_of)"
letter_came "at last" later@example.net
waits "nothing waits" 0
stop_server

# ---- the log, a configuration that is wrong, the watchdog (PrivateDevices)

for text in 'to=<dns@example.net> relay=smarthost.127.0.0.1.:.*status=sent' 'secured by TLSv1.3' \
    'to=<nobody@example.net>.*status=refused' 'to=<later@example.net>.*status=deferred'; do
	check "the journal has $text" said "$text"
done
echo 'nonsense = 1' >>"$ROOT/etc/qmtp-sendmail.conf"
check "reload what is wrong" inside systemctl reload qmtp-sendmail.service
check "the log says so" wait_for said 'the configuration stays as it was'
configured
check "reload what is right" inside systemctl reload qmtp-sendmail.service
is "it is the same flusher all the time" "$(main_pid)" "$flusher"
signs() {
	[ "$(alive)" != "$first_sign" ]
}
check "the watchdog hears of it" wait_for signs

# ---- what systemd thinks of the units as they are installed

units=$(inside find /lib/systemd/system -name 'qmtp-*')
# shellcheck disable=SC2086 # several
is "nothing is wrong with the units" "$(inside systemd-analyze verify --man=no $units 2>&1 | grep qmtp)" ''
for unit in qmtp-sendmail.service qmtp-sendmail-queue@1.service qmtp-sendmail-smtp@1.service; do
	echo "# $unit: $(inside systemd-analyze security --no-pager "$unit" | tail -n 1)"
done
