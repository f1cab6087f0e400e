#!/bin/sh
# What happens when a server or the way to it breaks, row by row: who is served by which server, who
# is told, and nobody is served twice. Without a spool what could not be sent is exit code 73.
#
#	before the last byte of a package: the next server, at once	rows 1 to 7
#	after it, without a whole answer: nobody else			rows 8 to 13
#	answers: K and D are final, Z goes to the next server		rows 14 to 17
#
# tests/integration/trouble.sh has the rest.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

bob=bob@example.net carol=carol@example.net dave=dave@example.net

# ---- those that take their time run beside the others, and are looked at in the end

begin 'row 13: one K for several, then silence'
serve a '' --one-answer --rule 'dave@*=Dno'
serve b ''
logging
send_later $bob $carol
later_k=$D

begin 'row 13: one Z for several, then silence'
serve a '' --one-answer --answer 'Zbusy'
serve b ''
send_later $bob $carol
later_z=$D

begin 'row 13: one D for several, then silence: the next server'
serve a '' --one-answer --rule 'bob@*=Dno such user'
serve b ''
send_later $bob $carol
later_d=$D

begin 'row 13: one D for several, then silence: no other server'
serve a 'recipients-per-package = 2' --one-answer --rule 'bob@*=Dno such user'
send_later $bob $carol $dave
later_alone=$D

# ---- row 1: the name does not resolve

begin 'row 1: a name that does not resolve'
configure 'server "x" { host = "fe80::1%none0" }'
serve b ''
send $bob
gives 0 ''
arrived b 1
begin 'row 1: nothing else'
configure 'server "x" { host = "fe80::1%none0" }'
send $bob
gives 73 "sendmail: <$bob>: not sent: x: * while looking up the name"

begin 'row 1: a resolver that hangs' 100
namespace='-mn'
[ "$(id -u)" -eq 0 ] || namespace='-rmn'
if ! unshare $namespace true 2>/dev/null; then
	skip "$CASE" 'no private name space here'
else
	mkdir "$D/etc"
	echo 'nameserver 127.0.0.1' >"$D/etc/resolv.conf"
	echo 'hosts: dns' >"$D/etc/nsswitch.conf"
	configure 'server "x" { host = "mail.example.net" }'
	# shellcheck disable=SC2016 # for the inner shell
	QMTPD=$QMTPD STAGE=$STAGE SENDMAIL=$SENDMAIL D=$D unshare $namespace sh -c '
		mount --bind "$D/etc" /etc || exit 90
		"$STAGE" loopback || exit 91
		"$STAGE" deaf-udp 127.0.0.1 53 "$D/hole" & hole=$!
		"$QMTPD" --parent --port-file "$D/port" --store "$D/b" --log "$D/b.log" & server=$!
		for try in 1 2 3 4 5 6 7 8 9 10; do
			[ -e "$D/hole" ] && [ -e "$D/port" ] && break
			sleep 0.1
		done
		echo "server \"b\" { host = \"127.0.0.1\" port = $(cat "$D/port") }" >>"$D/conf"
		cd "$D"
		"$SENDMAIL" -C "$D/conf" bob@example.net <in >out 2>err
		code=$?
		sed "/server \"b\"/d; s/mail.example.net\"/& connect-timeout = 1/" "$D/conf" >"$D/conf2"
		"$SENDMAIL" -C "$D/conf2" bob@example.net <in >out 2>err2
		echo $? >code2
		kill $hole $server
		exit $code'
	CODE=$?
	gives 0 ''
	got b $bob
	is "$CASE, and nothing else: exit code 73" "$(cat "$D/code2" "$D/err2")" \
	    "73
sendmail: <$bob>: not sent: x: no answer in time while looking up the name"
fi

# ---- rows 2 to 4: no connection

begin 'row 2: refused'
serve a '' --refuse
serve b ''
send $bob
gives 0 ''
arrived b 1
begin 'row 2: unreachable'
configure 'server "x" { host = "255.255.255.255" }' "server \"y\" { host = \"$D/no.socket\" }"
serve b ''
send $bob
gives 0 ''
arrived b 1
begin 'row 2: no server at all'
serve a '' --refuse
serve b '' --refuse
send $bob $carol
gives 73 "sendmail: <$bob>, <$carol>: not sent: a: Connection refused while connecting to 127.0.0.1; b: Connection refused while connecting*"

begin 'row 3: a black hole, and a server' 100
serve a '' --blackhole
serve b ''
send $bob
gives 0 ''
came b 1 1 0
came a 0 0 0
arrived b 1
begin 'row 3: two black holes' 100
serve a 'connect-timeout = 1' --blackhole
serve b 'connect-timeout = 1' --blackhole
send $bob
gives 73 "sendmail: <$bob>: not sent: [ab]: no answer in time while connecting*"

begin 'row 4: no TLS there: never plain instead'
serve a 'tls = true' --early 'connect=hello'
serve b ''
send $bob
gives 0 ''
offered a
is "$CASE: server a saw no package" "$(grep ' begin ' "$D/a.log")" ''
arrived b 1
begin 'row 4: nothing else'
serve a 'tls = true'
send $bob
gives 73 "sendmail: <$bob>: not sent: a: *TLS*"
offered a
is "$CASE: server a saw no package" "$(grep ' begin ' "$D/a.log")" ''

# ---- rows 5 to 8: before the last byte

for fault in 'close-after-byte 100000' 'reset-after-byte 100000' 'drop-after-byte 100000' \
    'close-after-byte connect' 'reset-after-byte connect'; do
	broken=1
	[ "$fault" = "${fault%connect}" ] || broken=0
	begin "row 5: $fault"
	large
	# shellcheck disable=SC2086 # an option and its value
	serve a '' --$fault
	serve b ''
	send $bob $carol
	gives 0 ''
	came a 1 0 $broken
	got b $bob $carol
	arrived b 1
	begin "row 5: $fault, and nothing else"
	large
	# shellcheck disable=SC2086 # an option and its value
	serve a '' --$fault
	send $bob $carol
	gives 73 "sendmail: <$bob>, <$carol>: not sent: a: * while *ing*"
done

begin 'row 6: a server that stops reading'
large
serve a 'send-timeout = 1' --rcvbuf 4096 --stall-after-byte 10000
serve b ''
send $bob
gives 0 ''
offered a
arrived b 1
begin 'row 6: nothing else'
large
serve a 'send-timeout = 1' --rcvbuf 4096 --stall-after-byte 10000
send $bob
gives 73 "sendmail: <$bob>: not sent: a: the server stopped reading while sending the message"

begin 'row 7: a server that speaks SMTP'
large
serve a '' --early 'connect=220 mail.example.net ESMTP\r\n'
serve b ''
send $bob
gives 0 ''
came a 1 0 1
arrived b 1
begin 'row 7: nothing else'
large
serve a '' --early 'connect=220 mail.example.net ESMTP\r\n'
send $bob
gives 73 "sendmail: <$bob>: not sent: a: *: 220 mail.example.net ESMTP*"
begin 'row 7: what looks like an answer before the last byte is none'
large
serve a '' --early '100000=2:K1,'
serve b ''
send $bob
gives 0 ''
came a 1 0 1
arrived b 1

# ---- rows 8 to 12: after the last byte nobody else may have it

for fault in 'close-after-byte last' 'reset-after-byte last' 'drop-after-byte last' \
    'close-after-answer 0' 'reset-after-answer 0'; do
	begin "rows 8 and 9: $fault"
	# shellcheck disable=SC2086 # an option and its value
	serve a '' --$fault
	serve b ''
	send $bob $carol
	gives 73 "sendmail: <$bob>, <$carol>: may have been sent, no answer from a: *"
	came b 0 0 0
done

for how in close reset drop; do
	begin "row 10: $how after two of four answers"
	serve a '' --rule 'carol@*=Dno such user' --$how-after-answer 2
	serve b ''
	send $bob $carol $dave erin@example.net
	gives 73 "sendmail: <$carol>: refused by a: no such user
sendmail: <$dave>, <erin@example.net>: may have been sent, no answer from a: *"
	came a 1 1 0
	came b 0 0 0
done
begin 'row 10: K is settled'
serve a '' --close-after-answer 1
serve b ''
send $bob $carol
gives 73 "sendmail: <$carol>: may have been sent, no answer from a: *"
came b 0 0 0

# what no answer may be: the bytes, why, and what is shown of them
while IFS='|' read -r raw why shown; do
	begin "row 11: $raw"
	serve a '' --raw "$raw"
	serve b ''
	send $bob
	gives 73 "sendmail: <$bob>: may have been sent, no answer from a: $why while waiting for the answer$shown"
	came a 1 1 0
	came b 0 0 0
	begin "row 11: $raw behind two good answers"
	serve a '' --raw "3:Kok,5:Dgone,$raw"
	serve b ''
	send $bob $carol $dave
	gives 73 "sendmail: <$carol>: refused by a: gone
sendmail: <$dave>: may have been sent, no answer from a: $why while waiting for the answer$shown"
	came b 0 0 0
done <<'END'
HTTP/1.0 400 Bad Request: K\r\n|*no netstring|: HTTP/1.0 400 Bad Request: K*
9:Kok,xxxxx;|*|: 9:Kok,xxxxx;
03:Kok,|*no netstring|: 03:Kok,
-3:Kok,|*no netstring|: -3:Kok,
+3:Kok,|*no netstring|: +3:Kok,
 3:Kok,|*no netstring|:  3:Kok,
3:Kok;|*|: 3:Kok;
3;Kok,|*no netstring|: 3;Kok,
:Kok,|*no netstring|: :Kok,
3:kok,|*unknown kind|: 3:kok,
3:Xok,|*unknown kind|: 3:Xok,
3:\0ok,|*unknown kind|: 3:?ok,
0:,|*impossible length|: 0:,
8193:K\*8193,|*impossible length|: 8193:KKKK*
4294967299:Kok,|*impossible length|: 4294967299:Kok,
18446744073709551619:Kok,|*|: 18446744073709551619:Kok,
99999999999999999999:K|*|: 99999999999999999999:K
\xff\xfe|*no netstring|: ?*
END
begin 'row 11: an answer of 8192 bytes is one'
serve a '' --raw '8192:K\*8192,'
send $bob
gives 0 ''

begin 'row 12: no answer in direct-timeout'
configure 'direct-timeout = 1'
serve a '' --delay 8000
serve b ''
send $bob $carol
gives 73 "sendmail: <$bob>, <$carol>: may have been sent, no answer from a: no answer in time*"
came b 0 0 0
begin 'row 12: no answer in reply-timeout'
serve a 'reply-timeout = 1' --delay 8000
serve b ''
send $bob $carol
gives 73 "sendmail: <$bob>, <$carol>: may have been sent, no answer from a: no answer in time*"
came b 0 0 0
begin 'row 12: one deadline for all answers, however they drip'
configure 'direct-timeout = 3' # answers after 1.2, 2.4 and 3.6 seconds
serve a '' --drip 170 --answer 'Kyes'
serve b ''
send $bob $carol $dave
gives 73 "sendmail: <$dave>: may have been sent, no answer from a: no answer in time*"
came b 0 0 0
begin 'row 12: one K of two in time: the other is in doubt'
serve a 'reply-timeout = 1' --answer Kyes --between 8000
serve b ''
send $bob $carol
gives 73 "sendmail: <$carol>: may have been sent, no answer from a: no answer in time*"
came a 1 1 0
came b 0 0 0
begin 'row 12: one Z of two in time: the other is in doubt'
serve a 'reply-timeout = 1' --answer Zlater --between 8000
serve b ''
send $bob $carol
gives 73 "sendmail: <$carol>: may have been sent, no answer from a: no answer in time*"
got b $bob

# ---- rows 14 to 17: the letters

begin 'row 14: more answers than recipients'
logging
serve a '' --rule 'carol@*=Dno such user' --extra 2
serve b ''
send -f '' $carol
gives 69 "sendmail: <$carol>: refused by a: no such user"
send $bob $dave
gives 0 ''
got a $bob $dave
came b 0 0 0
logged 'to= relay=a\[127.0.0.1\]:.*more answers than'

begin 'row 15: Z'
serve a '' --rule 'bob@*=Kok' --answer 'Zcome back'
serve b '' --rule 'dave@*=Znot now'
serve c ''
send $bob $carol $dave
gives 0 ''
got a $bob
offered b $carol $dave
offered c $dave
begin 'row 15: Z everywhere'
serve a '' --rule 'bob@*=Kok' --answer 'Zcome back'
serve b '' --answer 'Z#4.2.1 mail\x01box'
send $bob $carol $dave
gives 73 "sendmail: <$carol>, <$dave>: not sent: a: come back; b: #4.2.1 mail?box"
came b 1 1 0
begin 'row 15: D is not asked for again'
serve a '' --rule 'bob@*=Dno such user' --answer Zlater
serve b '' --answer Zlater
send $bob $carol
gives 73 "sendmail: <$bob>: refused by a: no such user
sendmail: <$carol>: not sent: a: later; b: later"
offered b $carol

begin 'row 16: D for all'
serve a '' --answer 'D#5.7.1 no relaying'
serve b ''
send $bob $carol
gives 69 "sendmail: <$bob>, <$carol>: refused by a: #5.7.1 no relaying"
came a 1 1 0
came b 0 0 0
begin 'row 16: all are unknown users'
serve a '' --answer 'D#5.1.1 no such user'
send $bob $carol
gives 67 "sendmail: <$bob>, <$carol>: refused by a: #5.1.1 no such user"
came a 1 1 0
begin 'row 16: some are unknown users'
serve a '' --rule 'bob@*=D#5.1.1 no such user' --answer 'D#5.2.2 full'
send $bob $carol
gives 69 "sendmail: <$bob>: refused by a: #5.1.1 no such user
sendmail: <$carol>: refused by a: #5.2.2 full"
begin 'row 16: each by another server'
serve a '' --rule 'bob@*=D#5.1.1 no such user' --answer 'Zlater'
serve b '' --answer 'D#5.1.1 unknown'
send $bob $carol
gives 67 "sendmail: <$bob>: refused by a: #5.1.1 no such user
sendmail: <$carol>: refused by b: #5.1.1 unknown"
offered b $carol

# The bounce, but for what differs each time
cat >"$T/bounce" <<'END'
Received: by host.lab.example (qmtp-sendmail, from userid UID)
	id TOKEN; DATE
Date: DATE
Message-ID: <TOKEN@host.lab.example>
From: Mail Delivery System <MAILER-DAEMON@host.lab.example>
To: <sender@lab.example>
Subject: Undelivered Mail Returned to Sender
In-Reply-To: <1@example.org>
References: <1@example.org>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="=_TOKEN"
Content-Transfer-Encoding: 7bit

--=_TOKEN
Content-Type: text/plain
Content-Transfer-Encoding: 7bit

This is the mail system at host host.lab.example.

Your message could not be delivered to the recipients below. A mail server
refused it for good, so it will not be tried again. Its other recipients, if
there are any, are not affected. Please do not reply to this mail.

<bob@example.net>:
    a: #5.1.1 no such user

--=_TOKEN
Content-Type: message/delivery-status
Content-Transfer-Encoding: 7bit

Reporting-MTA: dns; host.lab.example

Final-Recipient: rfc822; bob@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: x-qmtp; #5.1.1 no such user

--=_TOKEN
Content-Type: text/rfc822-headers
Content-Transfer-Encoding: 7bit

Received: by host.lab.example (qmtp-sendmail, from userid UID)
	id ORIGINAL; DATE
Date: Sun, 22 Nov 2026 03:30:31 +0000
From: Alice <alice@example.org>
To: somebody@example.net
Message-ID: <1@example.org>
Subject: test

--=_TOKEN--
END

# bounced NAME NUMBER ORIGINAL-NAME: package NUMBER is the bounce for bob of the first package of ORIGINAL-NAME
bounced() {
	file=$(message_of "$1" "$2")
	original=$(sed -n '2s/^	id \([a-z2-7]*\);.*/\1/p' "$(message_of "$3" 1).message")
	normal "$file.message" | sed "s/$original/ORIGINAL/
	    /ORIGINAL/s/; .*/; DATE/; s/from userid $(id -u)/from userid UID/" >"$D/normal"
	same "$CASE: every byte of the bounce" "$D/normal" "$T/bounce"
	is "$CASE: it comes from the null sender" "$(cat "$file.sender")" ''
}

begin 'row 17: D for some: a bounce'
logging
serve a '' --rule 'bob@*=D#5.1.1 no such user'
serve b ''
send $bob $carol
gives 0 ''
got a $carol sender@lab.example
came a 2 2 0
came b 0 0 0
bounced a 2 a
logged 'to=<bob@example.net> relay=a\[127.0.0.1\]:.* status=refused (#5.1.1 no such user)'
logged 'bounce='
begin 'row 17: the bounce goes to the next server if need be'
serve a '' --on 1 --rule 'bob@*=D#5.1.1 no such user' --on 2- --answer Zlater
serve b ''
send $bob $carol
gives 0 ''
got a $carol
offered b sender@lab.example
bounced b 1 a
for what in 'answer Dno' 'answer Zno' 'close-after-byte last'; do
	begin "row 17: no bounce is possible: $what"
	# shellcheck disable=SC2086 # an option and its value
	serve a '' --on 1 --rule 'bob@*=Dno such user' --on 2- --${what%% *} "${what#* }"
	send $bob $carol
	gives 69 "sendmail: <$bob>: refused by a: no such user
sendmail: bounce to sender@lab.example: *"
	came a 2 2 0
done
begin 'row 17: none is sent to the null sender'
serve a '' --rule 'bob@*=Dno such user'
send -f '<>' $bob $carol
gives 69 "sendmail: <$bob>: refused by a: no such user
sendmail: bounce: none is sent to the null sender"
came a 1 1 0
begin 'row 17: postmaster hears of it too'
configure 'postmaster = "postmaster@lab.example"'
serve a '' --rule 'bob@*=Dno such user'
send $bob $carol
gives 0 ''
offered a $bob $carol sender@lab.example postmaster@lab.example
begin 'row 17: a sender who does not exist'
configure 'postmaster = "postmaster@lab.example"'
serve a '' --rule 'bob@*=Dno such user' --rule 'sender@*=Dnor this one'
send $bob $carol
gives 0 ''
got a $carol postmaster@lab.example

# ---- Mixtures

begin 'mixtures: K, Z, D: no bounce, both names'
serve a '' --rule 'bob@*=Dno such user' --rule 'carol@*=Zlater'
send $bob $carol $dave
gives 73 "sendmail: <$bob>: refused by a: no such user
sendmail: <$carol>: not sent: a: later"
came a 1 1 0
begin 'mixtures: D and nobody home'
serve a '' --rule 'bob@*=Dno such user' --rule 'carol@*=Zlater'
serve b '' --refuse
send $bob $carol
gives 73 "sendmail: <$bob>: refused by a: no such user
sendmail: <$carol>: not sent: a: later; b: Connection refused*"
begin 'mixtures: Z, then in doubt'
serve a '' --rule 'bob@*=Kok' --answer Zlater
serve b '' --close-after-byte last
serve c ''
send $bob $carol
gives 73 "sendmail: <$carol>: may have been sent, no answer from b: *"
came c 0 0 0
begin 'mixtures: in doubt, and what was never sent by another server'
serve a 'recipients-per-package = 2' --close-after-byte last
serve b ''
send $bob $carol $dave
gives 73 "sendmail: <$bob>, <$carol>: may have been sent, no answer from a: *"
came a 1 1 0
got b $dave

# ---- Pipelining and positions

# before PATTERN PATTERN: the first line of a's log that has the one stands above that with the other
before() {
	one=$(grep -n -e "$1" "$D/a.log" | head -n 1 | cut -d: -f1)
	other=$(grep -n -e "$2" "$D/a.log" | head -n 1 | cut -d: -f1)
	if [ "${one:-999}" -lt "${other:-0}" ]; then
		ok "$CASE: $1 before $2"
	else
		not_ok "$CASE: $1 before $2" "$(cat "$D/a.log")"
	fi
}

begin 'pipelining: nothing behind several recipients until they are answered'
serve a 'recipients-per-package = 2' --delay 100
send $bob $carol $dave erin@example.net frank@example.net
gives 0 ''
offered a $bob $carol $dave erin@example.net frank@example.net
came a 1 3 0
before 'answers.*package=1 ' 'begin.*package=2 '
before 'begin.*package=3 ' 'answers.*package=2 '
begin 'pipelining: one recipient per package'
serve a 'recipients-per-package = 1' --delay 100
send $bob $carol $dave
gives 0 ''
came a 1 3 0
before 'begin.*package=3 ' 'answers.*package=1 '

# ---- what was begun at the start

resume "$later_k"
gives 73 "sendmail: <$carol>: may have been sent, no answer from a: one answer to several recipients*"
got b
came a 1 1 0
logged 'answers = "one"'
resume "$later_z"
gives 0 ''
got b $bob $carol
resume "$later_d"
gives 0 ''
got b $bob $carol
resume "$later_alone"
gives 0 ''
got a $carol $dave sender@lab.example
done_testing
