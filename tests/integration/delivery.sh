#!/bin/sh
# Mail that arrives: several recipients and servers, large messages, many at once, byte for byte.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

bob=bob@example.net carol=carol@example.net dave=dave@example.net

# ---- one message

begin 'one recipient'
serve a ''
send $bob
gives 0 ''
came a 1 1 0
arrived a 1
is "$CASE: the sender" "$(cat "$(message_of a 1).sender")" sender@lab.example
is "$CASE: the encoding" "$(field "$(message_of a 1).done" encoding)" 0a
begin 'the null sender'
serve a ''
send -f '<>' $bob
gives 0 ''
is "$CASE" "$(cat "$(message_of a 1).sender")" ''
begin 'a recipient twice is served once'
serve a ''
send $bob $carol bob@EXAMPLE.net "Bob <$bob>, $carol"
gives 0 ''
offered a $bob $carol
begin 'an empty message'
serve a ''
: >"$D/in"
send $bob
gives 0 ''
is "$CASE: has no body" "$(tail -n 1 "$(message_of a 1).message")" ''
begin 'any bytes'
serve a ''
{ cat "$D/in"; printf 'a\0b\377\r\nc\rd\n\n..\n'; } >"$D/more"
mv "$D/more" "$D/in"
send -i $bob
gives 0 ''
{ sed '/^hello/q' "$D/in"; printf 'a\0b\377\nc\rd\n\n..\n'; } >"$D/want"
arrived a 1 "$D/want"

# ---- packages

begin 'recipients-per-package'
serve a 'recipients-per-package = 2'
send $bob $carol $dave erin@example.net frank@example.net
gives 0 ''
offered a $bob $carol $dave erin@example.net frank@example.net
came a 1 3 0
arrived a 3
begin '10,000 recipients'
serve a ''
seq 1 10000 | sed 's/.*/user&@example.net/' >"$D/want"
# shellcheck disable=SC2046 # words
send $(cat "$D/want")
gives 0 ''
came a 1 10 0
cat "$D/a"/*.rcpts >"$D/rcpts"
same "$CASE: all, in order" "$D/rcpts" "$D/want"
arrived a 10
begin '10,000 recipients, every tenth refused, every seventh later'
serve a 'recipients-per-package = 300' --rule '*7@*=Zlater' --rule '*0@*=D#5.1.1 no such user'
serve b '' --rule '*0@*=D#5.1.1 no such user'
seq 1 10000 | sed 's/.*/user&@example.net/' >"$D/all"
# shellcheck disable=SC2046 # words
send -f '<>' $(cat "$D/all")
is "$CASE: exit code" "$CODE" 69
is "$CASE: at most 20 names in a line" "$(grep -c . "$D/err")" 51
cat "$D/a"/*.accepted "$D/b"/*.accepted | sort >"$D/accepted"
grep -v '0@' "$D/all" | sort >"$D/want"
same "$CASE: the others have it, once" "$D/accepted" "$D/want"
cat "$D/b"/*.rcpts >"$D/rcpts"
grep '7@' "$D/all" >"$D/want"
same "$CASE: b was offered what a had put off" "$D/rcpts" "$D/want"
begin 'one more than max-recipients'
serve a ''
# shellcheck disable=SC2046 # words
send $(seq 1 10001 | sed "s/.*/user&@example.net/")
gives 65 'sendmail: *10000*'
came a 0 0 0

# ---- which server

begin 'priority'
serve a 'priority = 20' --answer Zlater
serve b '' --answer Zlater
serve c 'priority = 10' --answer Zlater
serve d '' --answer Zlater
send -v $bob
is "$CASE: lower first, those without one behind, as written" \
    "$(sed -n 's/^\(.\) \* connected.*/\1/p' "$D/out" | tr '\n' ' ')" 'c a b d '
begin 'soft-bounce: D is Z'
configure 'soft-bounce = true'
serve a '' --answer 'Dno such user'
serve b '' --rule 'bob@*=Kok' --answer 'Dnobody'
send $bob $carol
gives 73 "sendmail: <$carol>: not sent: a: no such user; b: nobody"
came b 1 1 0
got b $bob
begin 'the first that stands' 50
serve a '' --blackhole
serve b '' --blackhole
serve c ''
send $bob
gives 0 ''
came c 1 1 0
begin 'all at once' 0
serve a ''
serve b ''
serve c ''
send $bob
gives 0 ''
is "$CASE: one package" "$(find "$D" -name '*.done' | wc -l | tr -d ' ')" 1

# ---- answers = "one"

begin 'answers = "one": K'
serve a 'answers = "one"' --one-answer
serve b ''
send $bob $carol $dave
gives 0 ''
got a $bob $carol $dave
came a 1 1 0
begin 'answers = "one": Z'
serve a 'answers = "one"' --one-answer --rule 'carol@*=Zlater'
serve b ''
send $bob $carol $dave
gives 0 ''
offered b $bob $carol $dave
begin 'answers = "one": D of several: one by one'
serve a 'answers = "one"' --one-answer --rule 'carol@*=Dno such user' --rule 'dave@*=Zlater'
serve b ''
send $bob $carol $dave
gives 0 ''
offered a $bob $carol $dave $bob $carol $dave sender@lab.example
got a $bob sender@lab.example
got b $dave
begin 'answers = "one": D for all'
serve a 'answers = "one"' --one-answer --answer 'D#5.1.1 no such user'
serve b ''
send $bob $carol
gives 67 "sendmail: <$bob>, <$carol>: refused by a: #5.1.1 no such user"
came b 0 0 0
begin 'answers = "one": several packages'
serve a 'answers = "one" recipients-per-package = 2' --one-answer --on :2 --answer Zlater
serve b ''
send $bob $carol $dave erin@example.net frank@example.net
gives 0 ''
got a $bob $carol frank@example.net
got b $dave erin@example.net
begin 'answers = "one": no answer'
serve a 'answers = "one"' --close-after-byte last
serve b ''
send $bob $carol
gives 73 "sendmail: <$bob>, <$carol>: may have been sent, no answer from a: *"
came b 0 0 0
begin 'answers = "one": mailfront'
serve a 'answers = "one"' --mailfront
send $bob $carol
gives 0 ''
arrived a 1

# ---- ways to a server

begin 'a unix socket'
start_server --unix "$D/sock" --store "$D/a" --log "$D/a.log"
configure "server \"a\" { host = \"$D/sock\" }"
send $bob
gives 0 ''
arrived a 1
stop_server
begin 'IPv6'
start_server --addr ::1 --store "$D/a" --log "$D/a.log"
if [ "$("$RAWTALK" ::1 "$PORT")" = '[open]' ]; then
	configure "server \"a\" { host = \"::1\" port = $PORT }"
	send $bob
	gives 0 ''
	arrived a 1
else
	skip "$CASE" 'no IPv6 on loopback'
fi
stop_server
begin 'a name with several addresses'
if getent hosts localhost >/dev/null; then
	serve a ''
	sed 's/127\.0\.0\.1/localhost/' "$D/conf" >"$D/conf.new" && mv "$D/conf.new" "$D/conf"
	send $bob
	gives 0 ''
	arrived a 1
else
	skip "$CASE" 'localhost has no address'
fi

# ---- large ones, from a file and from a pipe

{
	printf 'Date: Sun, 22 Nov 2026 03:30:31 +0000\nFrom: a@example.org\nMessage-ID: <3@example.org>\n\n'
	head -c 31457280 /dev/urandom | tr -d '\r'
	echo
} >"$T/large"
begin '30 MB from a file'
serve a ''
ln -sf "$T/large" "$D/in"
send -i $bob
gives 0 ''
arrived a 1 "$T/large"
begin '30 MB from a pipe'
serve a ''
feed "$T/large" | (cd "$D" && "$SENDMAIL" -C conf -i $bob >out 2>err)
CODE=$?
gives 0 ''
arrived a 1 "$T/large"
begin '30 MB, a slow reader, two packages'
serve a 'recipients-per-package = 1' --rcvbuf 65536
ln -sf "$T/large" "$D/in"
send -i $bob $carol
gives 0 ''
arrived a 1 "$T/large"
arrived a 2 "$T/large"
begin '30 MB past a server that breaks off'
serve a '' --reset-after-byte 20000000
serve b ''
ln -sf "$T/large" "$D/in"
send -i $bob
gives 0 ''
came a 1 0 1
arrived b 1 "$T/large"
rm -f "$T/large"

# ---- many at once

begin '200 at once'
serve a ''
cd "$D" || exit
pids=''
i=0
while [ $i -lt 200 ]; do
	"$SENDMAIL" -C conf "user$i@example.net" <in >>out 2>>err &
	pids="$pids $!"
	i=$((i + 1))
done
CODE=0
for pid in $pids; do
	wait "$pid" || CODE=$?
done
cd "$top_srcdir" || exit
gives 0 ''
came a 200 200 0
is "$CASE: 200 have it" "$(cat "$D/a"/*.accepted | sort -u | wc -l | tr -d ' ')" 200
done_testing
