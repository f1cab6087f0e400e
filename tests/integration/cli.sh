#!/bin/sh
# The command line of the real program: modes, names, exit codes, and callers that leave it in odd surroundings.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

bob=bob@example.net carol=carol@example.net

# sendmail [ARGUMENT ...]: without -C: with the configuration of the directory it is run in; no message
sendmail() {
	: >"$D/none"
	(cd "$D" && exec "$SENDMAIL" "$@" <"$D/none" >"$D/out" 2>"$D/err")
	CODE=$?
}

# prints CODE STDOUT STDERR: patterns
prints() {
	is "$CASE: exit code" "$CODE" "$1"
	like "$CASE: stdout" "$(cat "$D/out")" "$2"
	like "$CASE: stderr" "$(cat "$D/err")" "$3"
}

# usual: the configuration where the program looks for it
usual() {
	ln -s conf "$D/qmtp-sendmail.conf"
}

# ---- modes that send nothing

begin '--help'
sendmail --help
prints 0 'usage: sendmail *sendmail(8)*' ''
for option in --version -bV -d0.1; do
	begin "$option"
	sendmail $option
	prints 0 'qmtp-sendmail [0-9]*
configuration qmtp-sendmail.conf
spool spool
spool helper ./qmtp-queue
spool socket queue.sock
TLS module */qmtp-tls.so
transports qmtp*' ''
done
for option in --check -bC; do
	begin "$option"
	usual
	serve a ''
	sendmail $option
	prints 0 '' ''
	sendmail -C conf $option
	prints 0 '' ''
	configure 'server "b" { port = 0 }'
	sendmail $option
	prints 78 '' "sendmail: qmtp-sendmail.conf:*: port: '0' is not between 1 and 65535"
	sendmail -C conf $option
	prints 78 '' "sendmail: conf:*: port: '0' is not between 1 and 65535"
	sendmail -C missing $option
	prints 78 '' 'sendmail: missing: No such file or directory *'
	came a 0 0 0
done
begin '--probe'
usual
serve a ''
serve b '' --refuse
serve c 'tls = true'
serve d '' --early 'connect=220 d ESMTP'
sendmail --probe
prints 0 'SERVER * ADDRESS * TIME  RESULT
a * 127.0.0.1:[0-9]* ms  ok
b * 127.0.0.1:[0-9]* ms  Connection refused while connecting to 127.0.0.1
c * ms  *TLS*
d * ms  the server spoke out of turn while *: 220 d ESMTP' ''
sendmail --probe --json
prints 0 '{"server":"a","host":"127.0.0.1","port":[0-9]*,"address":"127.0.0.1","milliseconds":[0-9]*,"ok":true,"error":null,"security":null}
{"server":"b","host":"127.0.0.1","port":[0-9]*,"address":"127.0.0.1","milliseconds":[0-9]*,"ok":false,"error":"Connection refused while connecting to 127.0.0.1","security":null}
{"server":"c","host":"127.0.0.1","port":[0-9]*,"address":*,"milliseconds":[0-9]*,"ok":false,"error":"*TLS*","security":null}
{"server":"d",*"ok":false,"error":"the server spoke out of turn while *: 220 d ESMTP","security":null}' ''
came a 2 0 0
offered c
begin '--probe: none stands'
usual
serve a '' --refuse
sendmail --probe
prints 69 'SERVER *
a * Connection refused *' ''
begin '-bv'
usual
serve a ''
sendmail -bv alice "Bob <$bob>, carol"
prints 0 'alice... deliverable: mailer qmtp, host a, user alice@lab.example
Bob <bob@example.net>, carol... deliverable: mailer qmtp, host a, user bob@example.net
Bob <bob@example.net>, carol... deliverable: mailer qmtp, host a, user carol@lab.example' ''
sendmail -bv "$bob" 'a@@b'
prints 67 "$bob... deliverable: *" 'sendmail: *a@@b*'
sendmail -bv
prints 64 '' 'sendmail: *'
came a 0 0 0

# aliases TEXT: an alias file, and the configuration that names it
aliases() {
	printf '%s\n' "$@" >"$D/aliases"
	sed "s|^aliases = .*|aliases = \"$D/aliases\"|" "$D/conf" >"$D/conf.new" && mv "$D/conf.new" "$D/conf"
}
begin 'aliases'
usual
aliases "root: alice, $carol" 'alice: Alice A <alice@example.org>' 'junk: |/bin/false'
serve a ''
sendmail -bi
prints 65 '' "sendmail: *aliases:3: *"
sendmail -bv root
prints 0 'root... deliverable: mailer qmtp, host a, user alice@example.org
root... deliverable: mailer qmtp, host a, user carol@example.net' ''
sendmail -n -bv root
prints 0 'root... deliverable: mailer qmtp, host a, user root@lab.example' ''
send --dry-run root@localhost
prints 0 "sender <sender@lab.example>
recipient <alice@example.org>
recipient <carol@example.net>*" ''
send root $carol
gives 0 ''
offered a alice@example.org $carol
send -n root
gives 0 ''
is "$CASE: not with -n" "$(cat "$(message_of a 2).rcpts")" root@lab.example
aliases "root: $carol"
sendmail -bi
prints 0 '' ''
sendmail -I
prints 0 '' ''
rm "$D/aliases"
sendmail -bi
prints 0 '' ''

begin '--dry-run'
usual
serve a ''
send --dry-run -t -i "$bob"
normal_of_dry_run() {
	sed '1,/^$/d' "$D/out" >"$D/dry"
	normal "$D/dry"
}
normal_of_dry_run >"$D/normal"
{
	printf 'Received: by host.lab.example (qmtp-sendmail, from userid UID)\n\tid TOKEN; DATE\n'
	cat "$D/in"
} >"$D/want"
same "$CASE: the message" "$D/normal" "$D/want"
is "$CASE: the envelope" "$(sed '/^$/,$d' "$D/out")" "sender <sender@lab.example>
recipient <$bob>
recipient <somebody@example.net>"
is "$CASE: exit code" "$CODE" 0
printf 'To: x\r\nBcc: hidden\r\n\r\na\r\n.\r\nb' >"$D/in"
send --dry-run -f '' -F 'Jos\303\251' -t
normal_of_dry_run | sed 's/^\(From: .*\) <.*@/\1 <LOGIN@/' >"$D/normal"
printf '%s\n' 'Received: by host.lab.example (qmtp-sendmail, from userid UID)' '	id TOKEN; DATE' 'Date: DATE' \
    "From: $(printf '%s' '"Jos\\303\\251"') <LOGIN@lab.example>" 'Message-ID: <TOKEN@host.lab.example>' \
    'To: x@lab.example' '' 'a' >"$D/want"
same "$CASE: CR LF, Bcc, a dot, a name" "$D/normal" "$D/want"
is "$CASE: the null sender" "$(sed '/^$/,$d' "$D/out")" 'sender <>
recipient <x@lab.example>
recipient <hidden@lab.example>'
if [ -c /dev/full ]; then
	(cd "$D" && exec "$SENDMAIL" --dry-run "$bob" <in >/dev/full 2>err)
	is "$CASE: nowhere to print it" $? 74
fi
came a 0 0 0

# ---- what needs a spool, where there is none; and names

for option in -bp -bP -q -qf -qSroot; do
	begin "$option"
	sendmail $option
	prints 69 '' 'sendmail: no spool: *'
done
for option in --show --remove --retry; do
	begin "$option"
	sendmail $option 6921abcd.1
	prints 64 '' "sendmail: $option: only as mailq, or with -bp"
done
for option in -bh -bH -q15m; do
	begin "$option"
	sendmail $option
	prints 0 '' ''
done
for option in -bd -bD -bl -bt -bz -bS -bq -b -Q -S -4 -6 -a -Z --no-such; do
	begin "$option"
	sendmail $option
	prints 64 '' "sendmail: $option: *"
done

begin 'names'
usual
serve a ''
while IFS='|' read -r name code err; do
	[ -e "$D/$name" ] || ln -s "$SENDMAIL" "$D/$name"
	CASE="called $name"
	(cd "$D" && "./$name" <"$D/in" >out 2>err)
	CODE=$?
	prints "$code" '' "$err"
done <<'END'
mailq|69|mailq: no spool: *
runq|69|runq: no spool: *
newaliases|0|
hoststat|0|
purgestat|0|
smtpd|64|smtpd: smtpd: not supported under this name
send-mail|64|send-mail: no recipients
-mailq|69|mailq: no spool: *
END
# what that shell did with a name that begins with a dash
"$STAGE" run --argv0 -sendmail "$SENDMAIL" -Z <"$D/in" >"$D/out" 2>"$D/err"
CODE=$? CASE='called -sendmail'
prints 64 '' 'sendmail: -Z: *'
"$STAGE" run --argv0 "$(printf 'a\033[31mb\nc')" "$SENDMAIL" -Z <"$D/in" >"$D/out" 2>"$D/err"
CODE=$? CASE='called by control characters'
prints 64 '' 'a?\[31mb?c: -Z: *'
came a 0 0 0

# ---- errors: one line, one code, and a writer who is not harmed

head -c 1000000 /dev/zero | tr '\0' 'x' >"$T/megabyte"
# drained CODE STDERR [ARGUMENT ...]
drained() {
	want=$1 pattern=$2
	shift 2
	rm -f "$D/writer"
	(
		trap - PIPE
		cat "$D/in" "$T/megabyte"
		echo $? >"$D/writer"
	) | (cd "$D" && exec "$SENDMAIL" "$@" >out 2>err)
	CODE=$? CASE="$*"
	prints "$want" '' "$pattern"
	is "$CASE: the writer" "$(cat "$D/writer")" 0
}
begin 'errors'
usual
serve a ''
drained 64 'sendmail: -Z: *' -Z
drained 64 'sendmail: -f: argument missing' -f
drained 64 'sendmail: -C: counts only as the first argument' -t -C "$D/conf"
drained 64 'sendmail: -bd: not supported' -bd
drained 64 'sendmail: -N sometimes: *' -N sometimes $bob
drained 64 'sendmail: -R all: *' -R all $bob
drained 64 'sendmail: no recipients'
drained 65 'sendmail: *a@@b*' a@@b
drained 65 'sendmail: bad address a?b@example.org: *' -f "$(printf 'a\tb')@example.org" $bob
drained 65 'sendmail: bad address 0000*: too long' -f "$(printf '%01000d' 0)@example.org" $bob
drained 78 'sendmail: nowhere: *' -C nowhere $bob
drained 64 '' -oeq -Z
drained 65 '' -oeq a@@b
drained 65 '' -eq a@@b
drained 65 'sendmail: *' -oem a@@b
drained 65 'sendmail: *' -oeq -oep a@@b
came a 0 0 0
begin 'quiet'
serve a '' --answer Dno
send -oeq $bob
gives 69 ''
send -oep $bob
gives 69 'sendmail: *'
begin '-t and nobody there'
printf 'Subject: x\n\nbody\n' >"$D/in"
serve a ''
send -t
gives 64 'sendmail: no recipients *'
begin 'operands end the options'
serve a ''
send $bob -t --no-such
gives 0 ''
offered a $bob -t@lab.example --no-such@lab.example

# ---- ignored means ignored

begin 'no file is touched, no directory entered'
serve a ''
mkdir "$D/queue"
chmod 0 "$D/queue"
send -X "$D/trace" -oQ"$D/queue" -O QueueDirectory="$D/queue" -O LogFile="$D/trace" -oA"$D/trace" -D "$D/trace" \
    -p smtp -h 3 -M id -A m -B 8BITMIME -V env -G -m -s -U -x -n -oi -odb -oX$bob $bob
gives 0 ''
check "$CASE" test ! -e "$D/trace"
check "$CASE: nor its mode changed" test -n "$(find "$D/queue" -prune -perm 0)"
begin '-C elsewhere: the file is not opened'
usual
serve a ''
mkfifo "$D/fifo"
(cd "$D" && exec "$SENDMAIL" $bob -C fifo <in >out 2>err)
CODE=$?
is "$CASE: exit code" "$CODE" 0
offered a $bob -C@lab.example fifo@lab.example

# ---- -v, -L

begin '-v'
serve a '' --rule 'carol@*=Dno such user' --rule 'bob@*=Kok'
send -v -f '' $bob $carol
sed "s/$PORT/PORT/; s/message of [0-9]* bytes/message of N bytes/" "$D/out" >"$D/said"
cat >"$D/want" <<'END'
a * connecting to 127.0.0.1 port PORT
a * connected to 127.0.0.1
a > message of N bytes
a > sender <>
a > recipient <bob@example.net>
a > recipient <carol@example.net>
a * last byte sent
a < Kok
a < Dno such user
a * closed
END
same "$CASE: the conversation" "$D/said" "$D/want"
is "$CASE: exit code" "$CODE" 69
begin '-L'
logging
serve a ''
send -L 'my tag' $bob
gives 0 ''
logged ' my_tag\[[0-9]*\]: .* from='

# ---- odd surroundings

begin 'argc 0'
usual
serve a ''
(cd "$D" && "$STAGE" run --no-argv "$SENDMAIL" <in >out 2>err)
CODE=$?
prints 64 '' 'sendmail: no recipients'
begin 'a working directory that is gone'
serve a ''
mkdir "$D/gone"
(cd "$D/gone" && rmdir "$D/gone" && exec "$SENDMAIL" -C "$D/conf" $bob <"$D/in" >"$D/out" 2>"$D/err")
CODE=$?
gives 0 ''
arrived a 1
begin 'an odd umask, a large message'
serve a ''
{ cat "$D/in"; cat "$T/megabyte"; echo; } >"$D/more"
feed "$D/more" | (umask 777 && cd "$D" && exec "$SENDMAIL" -C conf $bob >>out 2>>err)
CODE=$?
touch "$D/out" "$D/err"
chmod 644 "$D/out" "$D/err"
gives 0 ''
arrived a 1 "$D/more"
begin 'every signal blocked, every signal ignored'
serve a ''
blocked='' ignored=''
for signal in 1 2 3 6 8 10 11 12 13 14 15 17 18 20 21 22; do
	blocked="$blocked --block $signal" ignored="$ignored --ignore $signal"
done
for stage in "$blocked" "$ignored"; do
	# shellcheck disable=SC2086 # words
	(cd "$D" && "$STAGE" run $stage "$SENDMAIL" -C conf $bob <in >out 2>err)
	is "$CASE: exit code" $? 0
done
arrived a 2
begin 'the environment of somebody else'
serve a ''
printf 'Subject: x\n\nbody\n' >"$D/in"
(cd "$D" && HOME=/nonexistent USER=mallory LOGNAME=mallory MAIL=x TZ=UTC-5:30 LC_ALL=de_DE.UTF-8 NAME='Alice
Bcc: x@example.org' LD_BIND_NOW=1 exec "$SENDMAIL" -C conf $bob <in >out 2>err)
CODE=$?
gives 0 ''
login=$(id -un 2>/dev/null) || login=uid$(id -u)
is "$CASE: no name from there" "$(grep '^From: ' "$(message_of a 1).message")" \
    "From: \"Alice Bcc: x@example.org\" <$login@lab.example>"
like "$CASE: the zone is" "$(grep '^Date: ' "$(message_of a 1).message")" 'Date: *+0530'
if [ -d "/proc/$$/fd" ]; then
	begin 'descriptors that leak in'
	serve a '' --delay 3000
	(
		cd "$D" || exit
		exec 3<in 4>leak 7<&3 9>&4
		exec "$SENDMAIL" -C conf $bob <in >out 2>err
	) &
	pid=$!
	at_end $pid
	wait_for_line "$D/a.log" ' package '
	leaked=''
	for fd in "/proc/$pid/fd"/[3-9]; do
		[ ! -f "$fd" ] || leaked="$leaked $fd"
	done
	is "$CASE are closed" "$leaked" ''
	wait $pid
	CODE=$?
	gives 0 ''
fi
done_testing
