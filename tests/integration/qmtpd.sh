#!/bin/sh
# The test server does what its switches say. Spoken to with raw bytes.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

pack='package:hello\n|alice@example.org|bob@example.net'
three='package:hello\n|alice@example.org|bob@example.net|bad@example.net|later@example.net'
ok1='5:Kok 1,' ok2='5:Kok 2,'

# fresh SWITCH ...: a fresh server, with log and store; the one before must end well.
fresh() {
	if [ -n "$PID" ] && ! stop_server "$PID"; then
		not_ok 'the server before ended badly' "$(cat "$T"/server.*.err)"
	fi
	rm -rf "$T/got" "$T/log"
	start_server --store "$T/got" --log "$T/log" "$@"
}

# says WHAT WANTED STEP ...
says() {
	what=$1 wanted=$2
	shift 2
	is "$what" "$(talk "$@")" "$wanted"
}

# logged WHAT PATTERN
logged() {
	if wait_for_line "$T/log" "$2"; then
		ok "$1"
	else
		not_ok "$1" "wanted: $2" "$(cat "$T/log")"
	fi
}

# took WHAT LEAST MOST START: milliseconds since START.
now() {
	echo $(($(date +%s%N) / 1000000))
}
took() {
	ms=$(($(now) - $4))
	if [ "$ms" -ge "$2" ] && [ "$ms" -le "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "took $ms ms, wanted $2 to $3"
	fi
}

# ---- accepting and keeping

fresh
says 'a package is accepted' "${ok1}[eof]" "$pack" read:8 shut end
printf 'hello\n' >"$T/want"
same 'the message is kept, without the encoding byte' "$T/got/000001.message" "$T/want"
printf 'alice@example.org' >"$T/want"
same 'the sender is kept' "$T/got/000001.sender" "$T/want"
printf 'bob@example.net\n' >"$T/want"
same 'the recipient is kept' "$T/got/000001.rcpts" "$T/want"
same 'and was accepted' "$T/got/000001.accepted" "$T/want"
printf 'Kok 1\n' >"$T/want"
same 'the answer is kept' "$T/got/000001.answers" "$T/want"
is 'the encoding is kept' "$(field "$T/got/000001.done" encoding)" 0a
is 'the size of the package is kept' "$(field "$T/got/000001.done" bytes)" 54
is 'and that of the message' "$(field "$T/got/000001.done" message)" 6
says 'several packages at once, several recipients' '5:Kok 2,5:Kok 3,5:Kok 3,5:Kok 3,[eof]' \
    "$pack" "$three" read:32 shut end
says 'byte by byte is the same' '5:Kok 4,[eof]' send:'2:\n' pause:20 send:'x,0:' pause:20 \
    send:',4:1:b' pause:20 send:',,' read:8 shut end
says 'CR LF encoding is accepted' '5:Kok 5,[eof]' send:'2:\rx,0:,4:1:b,,' read:8 shut end
is 'and noted' "$(field "$T/got/000005.done" encoding)" 0d
says 'bytes that are no text' '5:Kok 6,[eof]' send:'4:\n\0\xff\r,2:\0,,5:2:\n\0,,' read:8 shut end
printf '\0\377\r' >"$T/want"
same 'are kept as they came' "$T/got/000006.message" "$T/want"
printf '\0,' >"$T/want"
same 'in the sender too' "$T/got/000006.sender" "$T/want"
says 'no recipient, no answer' '[eof]' send:'2:\nx,0:,0:,' shut end
says 'a broken-off package is not answered' '[eof]' 'most:hello|a@example.org|b@example.net' shut end
wait_for_file "$T/got/000008.broken"
is 'but noted, with its bytes' "$(field "$T/got/000008.broken" bytes)" 46
is 'and the reason' "$(field "$T/got/000008.broken" why)" 'peer closed'
check 'and not as a message' test ! -e "$T/got/000008.message"
says 'a reset in the middle' '[reset]' send:'9:\nxx' pause:50 reset
wait_for_file "$T/got/000009.broken"
is 'is noted' "$(field "$T/got/000009.broken" why)" 'peer reset'
for garbage in 'GET / HTTP/1.0\r\n\r\n' '02:\nx,0:,4:1:b,,' '0:,0:,0:,' '2:\nx;0:,4:1:b,,' \
    '2:\nx,0:,4:2:b,,' '2:xx,0:,4:1:b,,' '99999999999999999999:\n'; do
	like "closed without a word: $garbage" "$(talk send:"$garbage" end)" '\[[er]*[ft]\]'
done
n=$(find "$T/got" -name '.*' -type f | wc -l)
is 'no temporary file is left' "$((n))" 0
head -c 3000000 /dev/urandom >"$T/want"
{ printf '3000001:\n'; cat "$T/want"; printf ',0:,19:15:bob@example.net,,'; } >"$T/big"
says 'a message larger than any buffer' '6:Kok 17,[eof]' file:"$T/big" read:9 shut end
same 'arrives whole' "$T/got/000017.message" "$T/want"
stop_server
is 'SIGTERM ends the server with 0' $? 0
PID=''

# ---- answers

fresh --rule 'bad@*=D#5.1.1 no = nobody' --rule 'later*=Zlater'
says 'rules pick the answers' '5:Kok 1,19:D#5.1.1 no = nobody,6:Zlater,[open]' "$three" read:40
is 'the accepted are listed' "$(cat "$T/got/000001.accepted")" bob@example.net
is 'and counted' "$(field "$T/got/000001.done" accepted)" 1
fresh --rule 'bad@*=D' --rule 'later@*=Zlater' --one-answer
says 'one answer: a refusal counts' '1:D,[timeout]' limit:600 "$three" end
is 'then nothing was accepted' "$(cat "$T/got/000001.accepted")" ''
says 'one answer: else a delay' '6:Zlater,[open]' \
    'package:x||bob@example.net|later@example.net' read:9
says 'one answer: else it is accepted' '5:Kok 3,[timeout]' limit:600 'package:x||b|c|d' end
fresh --mailfront
says 'mailfront refuses CR LF' '20:Zencoding is refused,[eof]' send:'2:\r' end
like 'mailfront answers garbage' "$(talk send:'HTTP' end)" '14:Znot a package,\[*\]'
says 'mailfront takes no recipients' '5:Kok 3,[open]' send:'2:\nx,0:,0:,' read:8
fresh --answer 'Zcome\tback\x0a\*3\0'
talk "$pack" read:17 >"$T/talk"
printf '14:Zcome\tback\n\n\n\0,[open]\n' >"$T/want"
same 'the default answer, with escapes' "$T/talk" "$T/want"
fresh --raw 'HTTP/1.0 400 K\r\n' --then close
talk "$pack" end >"$T/talk"
printf 'HTTP/1.0 400 K\r\n[eof]\n' >"$T/want"
same 'raw bytes instead' "$T/talk" "$T/want"
fresh --raw '9000:Kx\*8999,'
is 'an answer of 9000 bytes' "$(talk "$pack" read:9006 | wc -c | tr -d ' ')" 9013
fresh --extra 2
says 'more answers than recipients' "${ok1}${ok1}${ok1}[timeout]" limit:600 "$pack" end
fresh --short 1
says 'fewer answers than recipients' "${ok1}${ok1}[timeout]" limit:600 "$three" end
fresh --short 2 --then close
says 'fewer answers, then the end' "${ok1}[eof]" "$three" end
fresh --then reset
says 'an answer, then a reset' "${ok1}[reset]" "$pack" end
fresh --then hold
says 'an answer, then deafness' "${ok1}[timeout]" limit:600 "$pack" "$pack" end
logged 'which is logged' 'stall bytes=54$'
fresh --early connect=220
says 'early, at once' '220[timeout]' limit:600 end
fresh --early 5=hey
says 'early, after some bytes' 'hey[open]' send:'7:\nh' pause:50 send:i read:3
fresh --early 'last-1=5:Kyes,'
says 'early, before the last byte' '5:Kyes,5:Kok 1,[open]' 'most:x||b' read:7 send:, read:15
logged 'at the right byte' ' early bytes=14 '
says 'the same for a package in one piece' '5:Kyes,5:Kok 2,5:Kyes,5:Kok 3,[open]' \
    'send:2:\nx,0:,4:1:b,,2:\nx,0:,4:1:b,,' read:30

# ---- time

fresh --delay 600
t=$(now)
says 'late answers' "${ok1}${ok2}[open]" "$pack" "$pack" read:16
took 'wait side by side' 590 1150 "$t"
fresh --delay 200 --serial
t=$(now)
says 'a serial server' "${ok1}${ok2}[open]" "$pack" "$pack" read:16
took 'makes them wait in turn' 390 4500 "$t"
fresh --between 150
t=$(now)
says 'a pause between answers' "${ok1}${ok1}${ok1}[open]" "$three" read:24
took 'lasts as long as it was told' 290 4500 "$t"
fresh --drip 20
t=$(now)
says 'dripping answers' "${ok1}[open]" "$pack" read:8
took 'take their time' 130 4500 "$t"
fresh --connect-delay 300
t=$(now)
says 'slow to begin' "${ok1}[open]" "$pack" read:8
took 'is what it was told to be' 290 4500 "$t"

# ---- failing

fresh --close-after-byte 10
says 'close after a byte' '[eof]' send:'9999:\nabcdefgh' end
is 'after that byte' "$(field "$T/got/000001.broken" bytes)" 10
fresh --close-after-byte 10
says 'what comes after it is swallowed' '[eof]' send:'9999:\nabcd' deaf:50 send:'x\*5000' end
logged 'and counted' 'swallowed bytes=10 came='
fresh --reset-after-byte 10
says 'reset after a byte' '[reset]' send:'9999:\nabcdefgh' end
fresh --drop-after-byte 10
says 'drop after a byte' '[eof]' send:'9999:\nabcd' end
fresh --stall-after-byte 10
says 'stall after a byte' '[timeout]' limit:600 send:'9999:\nabcdefgh' end
logged 'which is logged' 'stall bytes=10$'
logged 'and its end as well' 'end bytes=10 .*why=peer closed'
fresh --reset-after-byte last-1
says 'reset before the last byte' '[reset]' 'most:x||b' end
is 'all but that byte came' "$(field "$T/got/000001.broken" bytes)" 14
is 'and who did it is noted' "$(field "$T/got/000001.broken" why)" reset
says 'also when that byte has come' '[reset]' 'package:x||b' end
is 'it counts as never read' "$(field "$T/got/000002.broken" bytes)" 14
fresh --close-after-byte last
says 'close after the last byte, no answer' '[eof]' "$pack" end
check 'the message was accepted' test -e "$T/got/000001.done"
fresh --reset-after-answer 2
says 'reset after two answers' "${ok1}${ok1}[reset]" "$three" end
fresh --close-after-answer 0
says 'close instead of an answer' '[eof]' "$three" end
fresh --close-after-answer 2
says 'answers are counted on the connection' "${ok1}${ok2}[eof]" "$pack" "$pack" "$pack" end
fresh --hold
says 'swallowed connection' '[timeout]' limit:600 "$pack" end
logged 'no byte was read' 'end bytes=0 packages=0'
fresh --rcvbuf 4096 --sndbuf 4096 --hold
like 'a held connection fills up' "$(talk limit:600 file:"$T/big" end)" '\[timeout\]'

# ---- sections

fresh --on 2 --reset-after-byte last --on 3- --answer Zlater
says 'connection 1 is healthy' "${ok1}[open]" "$pack" read:8
says 'connection 2 fails' '[reset]' "$pack" end
says 'connection 3 delays' '6:Zlater,[open]' "$pack" read:9
says 'connection 4 too' '6:Zlater,[open]' "$pack" read:9
fresh --on :2 --close-after-byte last-1
says 'package 2 of a connection fails' "${ok1}[eof]" "$pack" "$pack" "$pack" end
is 'before its last byte' "$(field "$T/got/000002.broken" bytes)" 53
fresh --on 1:2-3 --answer Dno --on :2 --close-after-answer 0
says 'the last section that matches counts' "${ok1}[eof]" "$pack" "$pack" end
fresh --rule 'bob@*=Zbase' --on 2 --rule '*=Dsection'
says 'the rules of the base' '5:Zbase,[open]' "$pack" read:8
says 'give way to those of a section' '8:Dsection,[open]' "$pack" read:11
fresh --on 1:2 --early connect=EARLY
says 'early between two packages' "${ok1}EARLY${ok2}[open]" "$pack" read:13 "$pack" read:21

# ---- where it listens

fresh --refuse
says 'refused' '[refused]' end
fresh --blackhole
says 'a black hole' '[timeout]' limit:600 "$pack" read:1
if "$QMTPD" --addr ::1 --lifetime 0 2>&1 | grep -q binding; then
	skip 'IPv6' 'no IPv6 on loopback'
else
	fresh --addr ::1
	is 'IPv6' "$("$RAWTALK" ::1 "$PORT" "$pack" read:8)" "${ok1}[open]"
fi
fresh --unix "$T/sock"
is 'a unix socket' "$("$RAWTALK" "$T/sock" - "$pack" read:8 shut end)" "${ok1}[eof]"
stop_server
is 'which ends well' $? 0
check 'and leaves no name' test ! -e "$T/sock"
PID=''
two='2:\nx,0:,4:1:b,,2:\nx,0:,4:1:b,,'
# shellcheck disable=SC2059 # for its escapes
printf "$two" >"$T/two"
is 'on a file and a pipe' "$("$QMTPD" --lifetime 5 --stdio <"$T/two" | cat)" "${ok1}$ok2"
is 'on two pipes' "$(printf '%b' "$two" | "$QMTPD" --lifetime 5 --stdio | cat)" "${ok1}$ok2"
is 'the port is printed' "$("$QMTPD" --lifetime 1 2>/dev/null | tr -d '0-9')" ''
"$QMTPD" --lifetime 1 >/dev/null 2>"$T/err"
is 'the lifetime ends it with 1' "$? $(cat "$T/err")" '1 qmtpd: 1 s are over'
start_server --once 2
talk >/dev/null
says 'once' "${ok1}[eof]" "$pack" read:8 shut end
wait "$PID"
is 'ends it with 0' $? 0
PID=''

# ---- the command line

for bad in --no-such '--port x' '--port 65536' '--answer' '--rule a@b' '--on 0 --hold' '--on' \
    '--on 1' '--on 2-1 --hold' '--then maybe' '--raw \q' '--early 5' '--close-after-byte soon' \
    'argument'; do
	# shellcheck disable=SC2086 # to be split
	"$QMTPD" --lifetime 1 $bad >/dev/null 2>"$T/err"
	is "wrong usage: $bad" $? 64
done
"$QMTPD" --help >"$T/help"
is 'help' $? 0
missing=''
sed -n 's/^  --\([a-z-]*\).*/\1/p' "$T/help" >"$T/options"
while read -r option; do
	grep -q -e "\`--$option" "$top_srcdir/tests/qmtpd/README.md" || missing="$missing $option"
done <"$T/options"
is 'every option is in the README' "$missing" ''
done_testing
