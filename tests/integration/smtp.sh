#!/bin/sh
# sendmail -bs: conversations, byte for byte.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
DIALOGUE=${DIALOGUE:-$top_builddir/tests/integration/dialogue}

bob=bob@example.net carol=carol@example.net
ehlo='< 250-host.lab.example
< 250-8BITMIME
< 250-ENHANCEDSTATUSCODES
< 250-PIPELINING
< 250-SIZE 200000000
< 250 SMTPUTF8'
go='< 354 go on; a line with one dot ends it'
taken='< 250 2.0.0 ok TOKEN'
bye='> QUIT
< 221 2.0.0 bye
exit 0'

# holds [OPTION ...]: the conversation on standard input (tests/integration/dialogue.c; the greeting is its
# first line already) goes as it is written, and nothing is on stderr. OPTION: of dialogue, then, behind --, of sendmail.
holds() {
	lib_options=''
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		lib_options="$lib_options $1"
		shift
	done
	[ $# -eq 0 ] || shift
	{ echo '< 220 host.lab.example ESMTP'; cat; } >"$D/steps"
	grep -q '^server' "$D/conf" || nowhere
	# shellcheck disable=SC2086 # words
	if (cd "$D" && "$DIALOGUE" $lib_options "$SENDMAIL" -C "$D/conf" -bs "$@" <steps >said 2>err) &&
	    [ ! -s "$D/err" ]; then
		ok "$CASE"
	else
		not_ok "$CASE" "$(cat "$D/said")" "stderr: $(cat "$D/err")"
	fi
}

# nowhere: a server that is not there
nowhere() {
	configure "server \"nowhere\" { host = \"$D/socket\" }"
}

# stored NUMBER: the message of that package of server a, without Received, in $D/stored
stored() {
	tail -n +3 "$(message_of a "$1").message" >"$D/stored"
}

# a message: steps that send it, with the given line as its text
message() {
	printf '> %s\n' 'Date: Sun, 22 Nov 2026 03:30:31 +0000' 'From: Alice <alice@example.org>' \
	    'Message-ID: <1@example.org>' '' "$1" .
}

# what of it is stored
wanted() {
	printf '%s\n' 'Date: Sun, 22 Nov 2026 03:30:31 +0000' 'From: Alice <alice@example.org>' \
	    'Message-ID: <1@example.org>' '' "$1" >"$D/want"
}

# ---- commands

begin 'every command'
serve a ''
holds <<END
> EHLO client.example
$ehlo
> HELO client.example
< 250 host.lab.example
> NOOP
< 250 2.0.0 ok
> NOOP whatever it says
< 250 2.0.0 ok
> RSET
< 250 2.0.0 ok
> HELP
< 214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT HELP VRFY
> HELP MAIL
< 214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP QUIT HELP VRFY
> VRFY bob
< 252 2.0.0 send to it and see
> EXPN staff
< 502 5.5.1 not here
> STARTTLS
< 502 5.5.1 not here
> AUTH PLAIN AGEAYg==
< 502 5.5.1 not here
> BDAT 10 LAST
< 502 5.5.1 not here
> ETRN example.net
< 502 5.5.1 not here
> VERB ON
< 500 5.5.2 unknown command
> 
< 500 5.5.2 unknown command
> NOOPE
< 500 5.5.2 unknown command
$bye
END
came a 0 0 0
begin 'case, blanks, line ends'
holds <<END
> ehlo client.example
$ehlo
> Helo  client.example  
< 250 host.lab.example
>  NOOP
< 500 5.5.2 unknown command
> rSeT \t 
< 250 2.0.0 ok
> NOOP\t
< 250 2.0.0 ok
> NOOP\r\r
< 250 2.0.0 ok
>> NOOP\n
< 250 2.0.0 ok
> mail from:<alice@example.org>  
< 250 2.1.0 ok
> RSET
< 250 2.0.0 ok
> MAIL From : <alice@example.org>
< 250 2.1.0 ok
> rcpt\tto:bob@example.net
< 250 2.1.5 ok
> data   
$go
> .
< 451 4.3.0 <bob@example.net>: not sent: nowhere: No such file or directory while connecting to $D/socket
> quit 
< 221 2.0.0 bye
exit 0
END
begin 'commands in the wrong order, and wrong ones'
holds <<END
> RCPT TO:<$bob>
< 503 5.5.1 MAIL comes first
> DATA
< 503 5.5.1 MAIL comes first
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> DATA
< 503 5.5.1 RCPT comes first
> MAIL FROM:<alice@example.org>
< 503 5.5.1 a message was begun already
> RCPT TO:<$bob>
< 250 2.1.5 ok
> RSET
< 250 2.0.0 ok
> DATA
< 503 5.5.1 MAIL comes first
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> HELO client.example
< 250 host.lab.example
> RCPT TO:<$bob>
< 503 5.5.1 MAIL comes first
> HELO
< 501 5.5.4 your name is missing
> EHLO 
< 501 5.5.4 your name is missing
> DATA now
< 501 5.5.4 DATA stands alone
> RSET now
< 501 5.5.4 RSET stands alone
> QUIT now
< 501 5.5.4 QUIT stands alone
> VRFY
< 501 5.5.4 VRFY whom?
$bye
END
begin 'lines that are none'
holds <<END
> NO\0OP
< 500 5.5.2 control characters in the line
> NOOP \x1b[31m
< 500 5.5.2 control characters in the line
> NO\rOP
< 500 5.5.2 control characters in the line
fill 65536
< 500 5.5.2 unknown command
< 500 5.5.2 unknown command
$(yes '< 500 5.5.2 unknown command' | head -n 1022)
$bye
END
begin 'a line of 64 KiB, and a longer one'
long=$(head -c 65529 /dev/zero | tr '\0' x)
holds <<END
> NOOP $long
< 250 2.0.0 ok
> NOOP x$long
< 500 5.5.6 the line is too long
> NOOP $long$long$long
< 500 5.5.6 the line is too long
> NOOP
< 250 2.0.0 ok
$bye
END
begin 'a web client'
holds <<'END'
>> POST / HTTP/1.1\r\nHost: localhost:25\r\n\r\nMAIL FROM:<a@example.org>\r\n
< 421 4.7.0 this is SMTP
exit 0
END

# ---- envelopes

begin 'senders'
holds <<END
> MAIL
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL TO:<alice@example.org>
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL FROM:
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL FROM:<alice@example.org
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL FROM:<alice@example.org>SIZE=1
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL FROM:Alice <alice@example.org>
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL FROM:<alice@example.org> SIZE=
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL FROM:<alice@example.org> SIZE=1k
< 501 5.5.4 MAIL FROM:<address> is wanted
> MAIL FROM:<alice@example.org> SIZE=200000001
< 552 5.3.4 a message may not be that large
> MAIL FROM:<alice@example.org> SIZE=99999999999999999999999999
< 552 5.3.4 a message may not be that large
> MAIL FROM:<a@example.org, b@example.org>
< 553 5.1.7 bad address <a@example.org: '<' without '>'
> MAIL FROM:a@example.org,b@example.org
< 553 5.1.7 bad sender a@example.org,b@example.org: 2 addresses in it
> MAIL FROM:<alice@example.org> BODY=8BITMIME SIZE=200000000 RET=HDRS ENVID=x+20y X-NEW SMTPUTF8
< 250 2.1.0 ok
$bye
END
begin 'recipients'
serve a ''
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<>
< 553 5.1.3 bad address <>: empty address
> RCPT TO:<a@example.net, b@example.net>
< 553 5.1.3 bad address <a@example.net: '<' without '>'
> RCPT TO:a@example.net,b@example.net
< 553 5.1.3 one address is wanted
> RCPT TO:undisclosed-recipients:;
< 553 5.1.3 one address is wanted
> RCPT TO:Bob <bob@example.net>
< 501 5.5.4 RCPT TO:<address> is wanted
> RCPT TO:<two words@example.net>
< 553 5.1.3 bad address <two words@example.net>: two words without ',' or '<' between them
> RCPT TO:<Postmaster>
< 250 2.1.5 ok
> RCPT TO:<@relay.example:bob@example.net> NOTIFY=NEVER ORCPT=rfc822;bob@example.net
< 250 2.1.5 ok
> RCPT TO:<"a > b"@example.net>
< 250 2.1.5 ok
> RCPT TO:<bob@EXAMPLE.net>
< 250 2.1.5 ok
> DATA
$go
> .
$taken
$bye
END
offered a Postmaster@lab.example $bob 'a > b@example.net'
is "$CASE: the null sender" "$(cat "$(message_of a 1).sender")" ''
begin 'UTF-8, announced or not'
serve a '' --answer 'D#5.1.1 \303\251: no such user'
holds <<END
> MAIL FROM:<jos\xc3\xa9@example.org> SMTPUTF8
< 250 2.1.0 ok
> RCPT TO:<zo\xc3\xab@b\xc3\xbccher.example>
< 250 2.1.5 ok
> DATA
$go
> .
< 554 5.1.1 <zo??@b??cher.example>: refused by a: #5.1.1 ??: no such user
> MAIL FROM:<jos\xc3\xa9@example.org>
< 250 2.1.0 ok
$bye
END
is "$CASE: the sender" "$(cat "$(message_of a 1).sender")" "$(printf 'jos\303\251@example.org')"
is "$CASE: the recipient" "$(cat "$(message_of a 1).rcpts")" "$(printf 'zo\303\253@b\303\274cher.example')"
begin 'allow-from-override = false'
configure 'allow-from-override = false'
serve a ''
holds <<END
> MAIL FROM:<root@bank.example>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> .
$taken
$bye
END
is "$CASE" "$(cat "$(message_of a 1).sender")" sender@lab.example
begin 'aliases, and none with -n'
cat >"$D/aliases" <<END
staff: $bob, $carol, localname
deep: staff
END
sed "s|aliases = \"\"|aliases = \"$D/aliases\"|" "$D/conf" >"$D/conf.new" && mv "$D/conf.new" "$D/conf"
serve a ''
steps="> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<deep>
< 250 2.1.5 ok
> RCPT TO:<STAFF@localhost>
< 250 2.1.5 ok
> RCPT TO:<dave@host.lab.example>
< 250 2.1.5 ok
> DATA
$go
> .
$taken
$bye"
holds <<END
$steps
END
offered a $bob $carol localname@lab.example dave@host.lab.example
holds -- -n <<END
$steps
END
is "$CASE: without" "$(tr '\n' ' ' <"$(message_of a 2).rcpts")" \
    'deep@lab.example STAFF@lab.example dave@host.lab.example '
begin 'max-recipients: all of an alias or nothing of it'
printf 'staff: %s, %s\n' $bob $carol >"$D/aliases"
sed "s|aliases = \"\"|aliases = \"$D/aliases\"|" "$D/conf" >"$D/conf.new" && mv "$D/conf.new" "$D/conf"
configure 'max-recipients = 2'
serve a ''
holds <<END
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<dave@example.net>
< 250 2.1.5 ok
> RCPT TO:<staff>
< 452 4.5.3 recipients: more than 2 with these
> RCPT TO:<erin@example.net>
< 250 2.1.5 ok
> RCPT TO:<erin@example.net>
< 250 2.1.5 ok
> RCPT TO:<frank@example.net>
< 452 4.5.3 recipients: more than 2 while collecting them
> DATA
$go
> .
$taken
$bye
END
offered a dave@example.net erin@example.net
begin 'an alias file that cannot be read'
mkdir "$D/aliases"
sed "s|aliases = \"\"|aliases = \"$D/aliases\"|" "$D/conf" >"$D/conf.new" && mv "$D/conf.new" "$D/conf"
serve a ''
printf 'MAIL FROM:<>\r\nRCPT TO:<staff>\r\nRCPT TO:<%s>\r\n' $bob >"$D/in"
send -bs
like "$CASE" "$(tr -d '\r' <"$D/out")" "220 host.lab.example ESMTP
250 2.1.0 ok
451 4.3.0 *
250 2.1.5 ok"

# ---- messages

begin 'several messages in one session, one envelope each'
serve a ''
holds <<END
> EHLO client.example
$ehlo
> MAIL FROM:<one@example.org>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
$(message 'the first')
$taken
> MAIL FROM:<two@example.org>
< 250 2.1.0 ok
> RCPT TO:<$carol>
< 250 2.1.5 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
$(message 'the second')
$taken
> DATA
< 503 5.5.1 MAIL comes first
$bye
END
came a 2 2 0
for number in 1 2; do
	stored $number
	wanted "the $(echo first second | cut -d ' ' -f $number)"
	same "$CASE: message $number" "$D/stored" "$D/want"
done
is "$CASE: the envelopes" "$(cat "$(message_of a 1).sender" "$(message_of a 1).rcpts" "$(message_of a 2).sender" \
    "$(message_of a 2).rcpts")" "one@example.org$bob
two@example.org$carol
$bob"
begin 'dots'
serve a ''
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> Date: Sun, 22 Nov 2026 03:30:31 +0000
> From: Alice <alice@example.org>
> Message-ID: <1@example.org>
> 
> ..
> ...and
>> .\n.\nlone line feeds\n
>> .
pause 20
>> .\r
pause 20
>> \n.\r
pause 20
>> \n
$taken
$bye
END
{ wanted .; printf '..and\n\n.\nlone line feeds\n..\n' >>"$D/want"; }
stored 1
same "$CASE" "$D/stored" "$D/want"
begin 'a client that ends lines with LF'
serve a ''
{
	printf '%s\n' 'HELO x' 'MAIL FROM:<>' "RCPT TO:<$bob>" DATA
	cat "$D/in"
	printf '%s\n' ..dot . QUIT
} >"$D/talk"
{ cat "$D/in"; echo .dot; } >"$D/want"
mv "$D/talk" "$D/in"
send -bs
is "$CASE: exit code" "$CODE" 0
is "$CASE: the last words" "$(tail -n 1 "$D/out" | tr -d '\r')" '221 2.0.0 bye'
arrived a 1 "$D/want"
begin 'a client that pipelines'
serve a ''
{
	printf '%s\r\n' 'EHLO x' 'MAIL FROM:<> SIZE=10' "RCPT TO:<$bob>" 'RCPT TO:<a b>' DATA
	sed 's/$/\r/' "$D/in"
	printf '%s\r\n' . 'MAIL FROM:<>' "RCPT TO:<$carol>" DATA . QUIT 'MAIL FROM:<>'
} >"$D/talk"
cp "$D/in" "$D/want"
mv "$D/talk" "$D/in"
send -bs
is "$CASE: exit code" "$CODE" 0
sed 's/ok [a-z2-7]\{16\}/ok TOKEN/' "$D/out" >"$D/said"
printf '%s\r\n' '220 host.lab.example ESMTP' '250-host.lab.example' 250-8BITMIME 250-ENHANCEDSTATUSCODES \
    250-PIPELINING '250-SIZE 200000000' '250 SMTPUTF8' '250 2.1.0 ok' '250 2.1.5 ok' \
    "553 5.1.3 bad address <a b>: two words without ',' or '<' between them" '354 go on; a line with one dot ends it' \
    '250 2.0.0 ok TOKEN' '250 2.1.0 ok' '250 2.1.5 ok' '354 go on; a line with one dot ends it' \
    '250 2.0.0 ok TOKEN' '221 2.0.0 bye' >"$D/replies"
same "$CASE: every reply" "$D/said" "$D/replies"
is "$CASE: nothing on stderr" "$(cat "$D/err")" ''
arrived a 1 "$D/want"
offered a $bob $carol
begin 'Symfony Mailer: it waits for every reply'
serve a '' --rule 'nobody@*=D#5.1.1 no such user'
holds <<END
silence
> HELO [127.0.0.1]
< 250 host.lab.example
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
>> Date: Sun, 22 Nov 2026 03:30:31 +0000\r\nFrom: Alice <alice@example.org>\r\nMessage-ID: <1@example.org>\r\n\r\nhello\r\n..dot
>> \r\n.\r\n
$taken
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<nobody@example.net>
< 250 2.1.5 ok
> DATA
$go
>> Subject: x\r\n\r\nx
>> \r\n.\r\n
< 554 5.1.1 <nobody@example.net>: refused by a: #5.1.1 no such user
> RSET
< 250 2.0.0 ok
> NOOP
< 250 2.0.0 ok
$bye
END
stored 1
{ wanted hello; echo .dot >>"$D/want"; }
same "$CASE: the message" "$D/stored" "$D/want"
begin 'Alpine'
serve a ''
holds <<END
> EHLO localhost
$ehlo
> VERB ON
< 500 5.5.2 unknown command
> RSET
< 250 2.0.0 ok
> MAIL FROM:<alice@example.org> BODY=8BITMIME
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
$(message 'caf\xc3\xa9')
$taken
$bye
END
stored 1
wanted "$(printf 'caf\303\251')"
same "$CASE: the message" "$D/stored" "$D/want"

# ---- verdicts

begin 'accepted, later, refused'
serve a '' --rule 'later@*=Zcome back' --rule 'nobody@*=D#5.1.1 no such user' --rule 'no@*=Dwe do not like you'
for verdict in 'later 451 4.3.0 <later@example.net>: not sent: a: come back' \
    'nobody 554 5.1.1 <nobody@example.net>: refused by a: #5.1.1 no such user' \
    'no 554 5.0.0 <no@example.net>: refused by a: we do not like you' 'bob 250 2.0.0 ok TOKEN'; do
	cat <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<${verdict%% *}@example.net>
< 250 2.1.5 ok
> DATA
$go
> .
< ${verdict#* }
END
done >"$D/talk"
echo "$bye" >>"$D/talk"
holds <"$D/talk"
begin 'some refused: a bounce, and 250'
serve a '' --rule 'nobody@*=D#5.1.1 no such user'
logging
holds <<END
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> RCPT TO:<nobody@example.net>
< 250 2.1.5 ok
> DATA
$go
$(message hello)
$taken
$bye
END
got a $bob alice@example.org
logged 'bounce='
begin 'some refused, and no bounce'
serve a '' --rule 'nobody@*=D#5.1.1 no such user'
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> RCPT TO:<nobody@example.net>
< 250 2.1.5 ok
> DATA
$go
$(message hello)
< 554-5.0.0 <nobody@example.net>: refused by a: #5.1.1 no such user
< 554 5.0.0 bounce: none is sent to the null sender
$bye
END
begin 'many refused: more than one line can hold'
serve a '' --answer 'D#5.1.1 no such user'
{
	echo 'MAIL FROM:<>'
	seq 1 30 | sed "s/.*/RCPT TO:<somebody-with-a-long-name-&@example.net>/"
	printf '%s\n' DATA . QUIT
} >"$D/in"
send -bs
is "$CASE: no line over 512 bytes" "$(awk 'length > 511' "$D/out")" ''
is "$CASE: all are named" "$(grep -o 'long-name-[0-9]*' "$D/out" | sort -u | wc -l | tr -d ' ')" 30
is "$CASE: one reply" "$(grep -c '^554 ' "$D/out")" 1
begin 'no server'
serve a '' --refuse
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> .
< 451 4.3.0 <$bob>: not sent: a: Connection refused while connecting to 127.0.0.1
> NOOP
< 250 2.0.0 ok
$bye
END

# ---- sizes

begin 'SIZE, announced and enforced; the session goes on'
configure 'max-message-size = 100000'
serve a ''
holds <<END
> EHLO x
< 250-host.lab.example
< 250-8BITMIME
< 250-ENHANCEDSTATUSCODES
< 250-PIPELINING
< 250-SIZE 100000
< 250 SMTPUTF8
> MAIL FROM:<> SIZE=100001
< 552 5.3.4 a message may not be that large
> RCPT TO:<$bob>
< 503 5.5.1 MAIL comes first
> MAIL FROM:<> SIZE=100000
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> Subject: large
> 
fill 1000000
> .
< 552 5.3.4 message: larger than 100000 bytes while reading it
> DATA
< 503 5.5.1 MAIL comes first
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> Subject: small
> 
fill 64000
> .
$taken
$bye
END
came a 1 1 0
begin 'a header that is too large'
configure 'max-header-size = 65536'
serve a ''
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> X: $long$long
> .
< 554 5.6.0 message: header of more than 65536 bytes while reading it
$bye
END
came a 0 0 0
begin '30 MB'
serve a ''
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
>> \r\n
remember
fill 30000000
$([ "${SANITIZERS-}" = yes ] || echo grown 2048)
> .
$taken
$bye
END
is "$CASE: all of it" "$(sed '1,/^$/d' "$(message_of a 1).message" | wc -c | tr -d ' ')" \
    29062500
begin '1,000 messages in one session'
serve a ''
one="> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
$(message hello)
$taken"
{
	seq 100 | while read -r _; do echo "$one"; done >"$D/hundred"
	cat "$D/hundred"
	echo remember
	seq 9 | while read -r _; do cat "$D/hundred"; done
	[ "${SANITIZERS-}" = yes ] || echo grown 256
	echo "$bye"
} >"$D/talk"
holds <"$D/talk"
is "$CASE: all there" "$(lib_files a 'done')" 1000

# ---- ends

for text in '' '>> Subject: x' '> Subject: x' '>> Subject: x\r\n\r\nhello\r\n' '>> Subject: x\r\n\r\nhello\r\n.' \
    '>> Subject: x\r\n\r\nhello\r\n.\r' '>> \r\n.\n' '>> x\r\n.x\r\n'; do
	begin "end of input in the text: $text"
	serve a ''
	{
		printf '%s\n' '> MAIL FROM:<>' '< 250 2.1.0 ok' "> RCPT TO:<$bob>" '< 250 2.1.5 ok' '> DATA' "$go"
		[ -z "$text" ] || printf '%s\n' "$text"
		printf '%s\n' close 'exit 0'
	} >"$D/talk"
	holds <"$D/talk"
	came a 0 0 0
done
for text in 'pause 1' '>> NOOP' '>> QUIT\r' '>> MAIL FROM:<>\r'; do
	begin "end of input between commands: $text"
	holds <<END
> NOOP
< 250 2.0.0 ok
$text
close
exit 0
END
done
begin 'nobody reads the replies'
holds <<'END'
deaf
> NOOP
exit 74
END
begin 'standard output is closed'
serve a ''
printf '%s\r\n' 'MAIL FROM:<>' "RCPT TO:<$bob>" DATA hello . QUIT >"$D/in"
(cd "$D" && exec "$SENDMAIL" -C conf -bs <in >&- 2>err)
is "$CASE: exit code" $? 0
is "$CASE: nothing on stderr" "$(cat "$D/err")" ''
got a $bob
begin 'standard input is closed'
nowhere
(cd "$D" && exec "$SENDMAIL" -C conf -bs <&- >out 2>err)
is "$CASE: exit code" $? 74
begin 'nobody reads any more when the text is to come: nothing is sent'
serve a ''
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
deaf
>> DATA\r\nhello\r\n.\r\n
exit 74
END
came a 0 0 0
begin '-v and -f do not talk into it'
serve a ''
holds -- -v -f other@example.org -oi -t <<END
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> .
$taken
$bye
END
is "$CASE: the sender" "$(cat "$(message_of a 1).sender")" alice@example.org
begin '--dry-run'
serve a ''
holds -- --dry-run <<END
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> .
$taken
$bye
END
came a 0 0 0
begin 'a wrong configuration'
configure 'no-such-option = 1'
send -bs </dev/null
is "$CASE: exit code" "$CODE" 78
is "$CASE: no greeting" "$(cat "$D/out")" ''

# ---- signals

begin 'SIGTERM between messages'
holds <<'END'
> NOOP
< 250 2.0.0 ok
kill 15
exit 143
END
begin 'SIGTERM in the text: nothing is sent'
serve a ''
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> hello
pause 50
kill 15
exit 143
END
came a 0 0 0
# Twice: what the first message changed is changed back.
begin 'SIGTERM behind the last byte: the answer is heard, told, and then it ends'
serve a '' --on 2 --delay 600
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> hello
> .
$taken
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$carol>
< 250 2.1.5 ok
> DATA
$go
> hello
> .
await $D/a/000002.done
kill 15
$taken
exit 143
END
got a $bob $carol
begin 'SIGTERM between messages, after one was sent'
serve a ''
holds <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> .
$taken
pause 50
kill 15
exit 143
END

# ---- on a socket

begin 'a socket'
serve a ''
holds --socket <<END
> EHLO client.example
$ehlo
> MAIL FROM:<alice@example.org>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
$(message hello)
$taken
$bye
END
stored 1
wanted hello
same "$CASE: the message" "$D/stored" "$D/want"
begin 'a socket: whoever says nothing is sent away'
holds --socket <<'END'
pause 500
> NOOP
< 250 2.0.0 ok
>> NOO
< 421 4.4.2 waited too long for a command
exit 0
END
begin 'a socket: or stops in the text; nothing is sent'
serve a ''
holds --socket <<END
> MAIL FROM:<>
< 250 2.1.0 ok
> RCPT TO:<$bob>
< 250 2.1.5 ok
> DATA
$go
> hello
< 421 4.4.2 waited too long for the message
exit 0
END
came a 0 0 0
begin 'a socket: the client is gone'
holds --socket <<'END'
> NOOP
< 250 2.0.0 ok
close
exit 0
END
begin 'a pipe: may be silent for as long as it likes'
holds <<END
pause 2500
> NOOP
< 250 2.0.0 ok
$bye
END
done_testing
