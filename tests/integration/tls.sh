#!/bin/sh
# Servers with TLS: the command and the flusher speak to them over TLS or not at all, and what is wrong with
# TLS is the server's fault, never the message's.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
QUEUE=${QUEUE:-$top_builddir/tests/bin/qmtp-queue}
FLUSH=${FLUSH:-$top_builddir/tests/bin/qmtp-flush}
TLSFRONT=${TLSFRONT:-$top_builddir/tests/tls/tlsfront}

bob=bob@example.net carol=carol@example.net
sender=sender@lab.example

C=$T/certs
if ! sh "${srcdir:-.}/tests/tls/certs.sh" "$C"; then
	echo 'Bail out! no certificates'
	exit 99
fi

# ---- servers with TLS

# front NAME CERT [TLSFRONT-OPTION ...]: TLS with this certificate in front of the port $BEHIND, on the port
# $FRONT (0: a free one). Sets FRONT and FRONT_PID.
BEHIND='' FRONT=0 FRONT_PID='' server=''
front() {
	lib_name=$1 lib_cert=$2
	shift 2
	rm -f "$D/front.port"
	"$TLSFRONT" --parent --lifetime 300 --port "$FRONT" --port-file "$D/front.port" --to "$BEHIND" \
	    --cert "$C/$lib_cert.pem" --key "$C/$lib_cert.key" --log "$D/$lib_name.tls" "$@" \
	    </dev/null >/dev/null 2>"$D/$lib_name.tls.err" &
	FRONT_PID=$!
	lib_mine="$lib_mine $FRONT_PID"
	at_end "$FRONT_PID"
	wait_for_file "$D/front.port" || not_ok "$CASE: TLS in front" "$(cat "$D/$lib_name.tls.err")"
	FRONT=$(cat "$D/front.port")
}

# secure NAME OPTIONS CERT [TLSFRONT-OPTION ...]: a server behind TLS, and its section with these options
# besides; $server are options of qmtpd
secure() {
	lib_secure=$1 lib_options=$2
	shift 2
	# shellcheck disable=SC2086 # several
	start_server --store "$D/$lib_secure" --log "$D/$lib_secure.log" $server
	lib_mine="$lib_mine $PID"
	BEHIND=$PORT FRONT=0
	front "$lib_secure" "$@"
	configure "server \"$lib_secure\" {" 'host = "127.0.0.1"' "port = $FRONT" 'tls = true' "$lib_options" '}'
}
ca="tls-ca = \"$C/ca.pem\""

# handshakes NAME: how many were completed there, and how many of them continued an earlier session
handshakes() {
	echo "$(grep -c ' handshake ' "$D/$1.tls") $(grep -c ' resumed=yes' "$D/$1.tls")"
}

# spool: in the directory of the case, with the helper and a log
spool() {
	mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue" "$D/spool/failed" "$D/spool/corrupt"
	ln -s "$QUEUE" "$D/qmtp-queue"
	logging
}

kept() {
	is "$CASE: $1 in the queue" "$(find "$D/spool/queue" -type f | wc -l | tr -d ' ')" "$1"
}

is_empty() {
	[ "$(find "$D/spool/queue" -type f | wc -l | tr -d ' ')" = 0 ]
}

# once: the flusher runs, in silence, and ends
once() {
	(cd "$D" && exec timeout 60 "$FLUSH" -C conf --once >flush.out 2>&1)
	is "$CASE: qmtp-flush --once: exit code" "$?$(cat "$D/flush.out")" 0
}

# resident: it stays. Sets JOB.
resident() {
	(cd "$D" && exec "$FLUSH" -C conf >flush.out 2>&1) &
	JOB=$!
	at_end "$JOB"
}

ends() {
	stop_server "$JOB"
	is "$CASE: qmtp-flush, after SIGTERM: exit code" "$?$(cat "$D/flush.out")" 0
}

# fingerprint CERT: as qmtp-sendmail.conf(5) says
fingerprint() {
	openssl x509 -noout -pubkey -in "$C/$1.pem" | openssl pkey -pubin -outform DER | sha256sum | cut -c 1-64
}

# ---- the command

begin 'the command, over TLS'
secure a "$ca" good
logging
send -v $bob $carol
is "$CASE: exit code" "$CODE" 0
like "$CASE: -v says how" "$(cat "$D/out" "$D/err")" '*TLSv1.3, TLS_*'
got a $bob $carol
arrived a 1
is "$CASE: the sender" "$(cat "$(message_of a 1).sender")" "$sender"
came a 1 1 0
logged "to=<$bob>,<$carol> relay=a\[127.0.0.1\]:$FRONT delay=[0-9.]* status=sent (ok 1)"
begin 'a large message, over TLS 1.2'
secure a "$ca" rsa --max 1.2
large
send $bob
gives 0 ''
arrived a 1
is "$CASE: TLS 1.2" "$(grep -c 'handshake TLSv1.2 ' "$D/a.tls")" 1
begin 'packages one behind the other'
secure a "$ca
recipients-per-package = 1" good
send $bob $carol dave@example.net
gives 0 ''
got a $bob $carol dave@example.net
came a 1 3 0
begin 'a directory of authorities, and another name'
secure a "tls-ca = \"$C/ca.d\"
tls-name = \"mail.wild.example\"" wild
send $bob
gives 0 ''
got a $bob
is "$CASE: the name is asked for" "$(grep -c 'hello name=mail.wild.example' "$D/a.tls")" 1

begin '--probe'
secure a "$ca" good
secure b "$ca" expired
serve c ''
(cd "$D" && "$SENDMAIL" -C conf --probe >out 2>err)
like "$CASE: the table" "$? $(cat "$D/out" "$D/err")" '0 SERVER *
a * ms  ok, TLSv1.3, TLS_*
b * ms  *expired*
c * ms  ok'
(cd "$D" && "$SENDMAIL" -C conf --probe --json >out 2>err)
like "$CASE: JSON" "$? $(cat "$D/out" "$D/err")" '0 {"server":"a",*"ok":true,"error":null,"security":"TLSv1.3, TLS_*"}
{"server":"b",*"ok":false,"error":"*expired*","security":null}
{"server":"c",*"ok":true,"error":null,"security":null}'
begin '--version'
(cd "$D" && "$SENDMAIL" --version >out 2>err)
like "$CASE: what it speaks" "$(cat "$D/out")" '*
transports qmtp qmtps'

# ---- row 4: the next server, at once, and never plain

# refused NAME REASON: the server had nothing of it, and b had it instead; the log says why
refused() {
	gives 0 ''
	got b $bob
	arrived b 1
	is "$CASE: not a byte behind TLS" "$(grep ' connect \| begin ' "$D/$1.log" | grep -v 'bytes=0')" ''
	logged "to=<$bob> relay=$1\[127.0.0.1\]:[0-9]* delay=[0-9.]* status=deferred (.*$2"
}
for bad in 'expired expired on' 'wrongname is for wrong.example' 'unknown not trusted' 'selfsigned self-signed' 'badsignature wrong signature'; do
	begin "row 4: a certificate: ${bad%% *}"
	logging
	secure a "$ca" "${bad%% *}"
	serve b ''
	send $bob
	refused a "${bad#* }"
done
begin 'row 4: the system does not know the authority'
logging
secure a '' good
serve b ''
send $bob
refused a ''
begin 'row 4: a file that is not there'
logging
secure a "tls-ca = \"$D/none.pem\"" good
serve b ''
send $bob
refused a 'none.pem'
begin 'row 4: the server does not speak TLS'
logging
serve a "tls = true
$ca"
FRONT=$PORT
serve b ''
send $bob
gives 0 ''
arrived b 1
came a 1 0 1
check "$CASE: what came was no package" grep -q 'why=not a package' "$D/a.log"
logged "relay=a\[127.0.0.1\]:$FRONT delay=[0-9.]* status=deferred (the server .* TLS while starting TLS)"
begin 'row 4: never plain, with nobody else'
spool
serve a "tls = true
$ca"
serve b "tls = true
$ca" --early 'connect=hello'
send $bob
gives 0 ''
came a 1 0 1
came b 1 0 1
kept 1
once
kept 1
came a 2 0 2
came b 2 0 2
is "$CASE: nobody has it" "$(find "$D/a" "$D/b" -name '*.message')" ''
begin 'row 4: broken TLS, and no spool'
secure a "$ca" expired
send $bob
gives 73 "sendmail: <$bob>: not sent: a: *expired*"

# ---- a fingerprint

begin 'a fingerprint'
secure a "tls-fingerprint = \"$(fingerprint selfsigned)\"" selfsigned
send $bob
gives 0 ''
got a $bob
begin 'a fingerprint: of an expired certificate with another name'
secure a "tls-fingerprint = \"$(fingerprint expired | tr a-f A-F | sed 's/../&:/g; s/:$//')\"
tls-name = \"elsewhere.example\"" expired
send $bob
gives 0 ''
got a $bob
begin 'a fingerprint: of another key'
logging
secure a "tls-fingerprint = \"$(fingerprint selfsigned)\"" good
serve b ''
send $bob
refused a "$(fingerprint good)"

# ---- our own certificate

mine="tls-certificate = \"$C/client.pem\"
tls-key = \"$C/client.key\""
for version in 1.2 1.3; do
	begin "a certificate of our own, TLS $version"
	secure a "$ca
$mine" good --ask "$C/ca.pem" --require --max $version
	send $bob
	gives 0 ''
	got a $bob
	check "$CASE: the server knows us" grep -q 'client=CN *= *test client' "$D/a.tls"
	begin "a certificate of our own that is missing, TLS $version"
	logging
	secure a "$ca" good --ask "$C/ca.pem" --require --max $version
	serve b ''
	send $bob
	refused a ''
done

begin 'a key for others to read'
(umask 077 && cp "$C/client.key" "$T/client.key")
if [ "$(id -u)" -ne 0 ]; then
	skip "$CASE" 'only root can be somebody else'
else
	chmod 711 "$T"
	spool
	secure a "$ca
tls-certificate = \"$C/client.pem\"
tls-key = \"$T/client.key\"" good --ask "$C/ca.pem" --require
	rm "$D/qmtp-queue"
	cp "$SENDMAIL" "$QUEUE" "$STAGE" "$D"
	chgrp 65534 "$D/spool"
	chmod 3777 "$D/spool/tmp" "$D/spool/queue"
	chmod 666 "$D/log.sock"
	(cd "$D" && exec ./stage run --user 65534 ./sendmail -C conf $bob <in >out 2>err)
	CODE=$?
	gives 0 ''
	kept 1
	came a 0 0 0
	logged "to=<$bob> relay=a\[\]:$FRONT .*status=deferred (tls-key cannot be read by this user: left to qmtp-flush)"
	for option in --check --probe; do
		(cd "$D" && exec ./stage run --user 65534 ./sendmail -C conf $option >out 2>err)
		like "$CASE: $option" "$? $(cat "$D/out" "$D/err")" '[06]* tls-key *cannot be read by this user: *'
	done
	once
	kept 0
	got a $bob
	check "$CASE: the server knows the flusher" grep -q 'client=CN *= *test client' "$D/a.tls"
fi

# ---- an elder one whose TLS takes its time: it has its TCP connection, and a second

# The process in front stands still: the kernel connects, nobody speaks TLS.
slow_elder() {
	begin "$@"
	secure a "$ca" good
	kill -STOP "$FRONT_PID"
	serve b ''
	send_later $bob
}
slow_elder 'slow TLS: the elder gets its second' 50
check "$CASE: the younger one stands" wait_for_line "$D/b.log" ' connect '
kill -CONT "$FRONT_PID"
resume "$D"
gives 0 ''
got a $bob
got b
kill "$FRONT_PID"
slow_elder 'no TLS: the younger one after a second' 50
begun=$(date +%s%N)
resume "$D"
took=$((($(date +%s%N) - begun) / 1000000))
kill -CONT "$FRONT_PID"
kill "$FRONT_PID"
gives 0 ''
got a
got b $bob
check "$CASE: it took $took ms" [ "$took" -ge 900 ]

# ---- the flusher

begin 'the flusher, over TLS'
spool
secure a "$ca" good
send -odq $bob $carol
gives 0 ''
kept 1
once
kept 0
got a $bob $carol
arrived a 1
is "$CASE: the sender" "$(cat "$(message_of a 1).sender")" "$sender"
logged "qmtp-flush.*: relay=a\[127.0.0.1\]:$FRONT: secured by TLSv1.3, TLS_"

for version in 1.2 1.3; do
	begin "the flusher: a session is continued, TLS $version"
	spool
	server='--then close'
	secure a "$ca" good --max $version
	server=''
	resident
	for i in 1 2 3; do
		send -odq $i@example.net
		wait_for is_empty
	done
	kept 0
	got a 1@example.net 2@example.net 3@example.net
	is "$CASE: three times TLS, two of them short" "$(handshakes a)" '3 2'
	logged "relay=a\[127.0.0.1\]:$FRONT: secured by TLSv$version, .*, resumed"
	ends
done

begin 'the flusher: no TLS, no message'
spool
secure a "$ca" expired
send -odq $bob
entry=$(find "$D/spool/queue" -type f)
stat -c '%n %i %Y %s' "$entry" >"$D/before"
cp "$entry" "$D/entry"
once
kept 1
came a 0 0 0
logged "qmtp-flush.*: relay=a\[127.0.0.1\]:$FRONT: .*expired.*; next attempt in 5 s"
same "$CASE: nothing is written" "$entry" "$D/entry"
is "$CASE: nor is its time" "$(stat -c '%n %i %Y %s' "$entry")" "$(cat "$D/before")"
begin 'the flusher: TLS is put right'
spool
secure a "$ca" expired
send -odq $bob
resident
logged "qmtp-flush.*: relay=a\[127.0.0.1\]:$FRONT: .*expired.*; next attempt in 5 s"
stop_server "$FRONT_PID"
front a good
WAIT=30 wait_for is_empty
kept 0
logged "relay=a\[127.0.0.1\]:$FRONT: it can be reached"
got a $bob
ends
begin 'the flusher: the next server meanwhile'
spool
secure a "$ca" unknown
secure b "$ca" good
send -odq $bob
once
kept 0
came a 0 0 0
got b $bob

# A client learns that its certificate is not liked after it has begun to speak, in TLS 1.3
begin 'the flusher: our certificate is put right, and read again'
spool
cp "$C/client-other.pem" "$D/mine.pem"
cp "$C/client-other.key" "$D/mine.key"
chmod 600 "$D/mine.key"
secure a "$ca
tls-certificate = \"$D/mine.pem\"
tls-key = \"$D/mine.key\"" good --ask "$C/ca.pem" --require
send -odq $bob
entry=$(find "$D/spool/queue" -type f)
cp "$entry" "$D/entry"
resident
logged "qmtp-flush.*: relay=a\[127.0.0.1\]:$FRONT: .*; next attempt in 5 s"
same "$CASE: nothing is written" "$entry" "$D/entry"
cp "$C/client.pem" "$D/mine.pem"
cat "$C/client.key" >"$D/mine.key"
WAIT=30 wait_for is_empty
kept 0
got a $bob
came a 1 1 0
ends

begin 'the flusher: an elder one with slow TLS gets its second' 50
spool
secure a "$ca" good
serve b ''
kill -STOP "$FRONT_PID"
send -odq $bob
resident
check "$CASE: the younger one stands" wait_for_line "$D/b.log" ' connect '
kill -CONT "$FRONT_PID"
wait_for is_empty
kept 0
got a $bob
got b
ends

# ---- after the last byte

begin 'rows 9, 24: an end of TLS instead of an answer is doubt'
spool
secure a "$ca" good --out 0 --then close
serve b ''
send $bob
gives 0 ''
kept 1
is "$CASE: in doubt" "$(tail -c 400 "$D/spool/queue"/* | grep -a -c '?[0-9a-f]\{8\}$')" 1
got a $bob
got b

done_testing
