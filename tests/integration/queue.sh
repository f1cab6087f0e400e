#!/bin/sh
# qmtp-queue store and doubt: what is kept, what is refused, and that nothing is half kept.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

one='5:\nabc\n,5:s@x.y,8:5:r@x.y,,'

# stores CASE WORD CODE ANSWER: a pattern; the package is $D/in
stores() {
	(cd "$D" && exec "$QUEUE" "$2" <in >out 2>err)
	is "$1: exit code" $? "$3"
	like "$1: answer" "$(cat "$D/out")" "$4"
	is "$1: stderr" "$(cat "$D/err")" ''
	is "$1: nothing is left in tmp" "$(ls "$D/spool/tmp")" ''
}

# fresh CASE [PACKAGE]: an empty spool, and the package with its escapes
fresh() {
	begin "$1"
	mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue"
	[ $# -eq 1 ] || printf '%b' "$2" >"$D/in"
}

kept() {
	is "$CASE: files in the queue" "$(find "$D/spool/queue" -type f | wc -l | tr -d ' ')" "$1"
}

# slots LETTER N: what stands behind the package, times left out
slots() {
	cat "$D/spool/queue"/* >"$D/file"
	dd if="$D/file" of="$D/package" bs=1 count="$(wc -c <"$D/in")" 2>/dev/null
	same "$CASE: the package as it came" "$D/package" "$D/in"
	is "$CASE: slots" "$(tail -c "$((($2 + 1) * 10))" "$D/file" | sed 's/[0-9a-f]\{8\}$//' | tr -d '\n')" "$3"
	is "$CASE: size" "$(wc -c <"$D/file" | tr -d ' ')" "$(($(wc -c <"$D/in") + ($2 + 1) * 10))"
}

fresh 'one recipient' "$one"
stores "$CASE" store 0 '[0-9]*:Kqueued as [0-9a-f]*.[0-9a-f]*,'
kept 1
slots P 1 PP
is "$CASE: mode" "$(stat -c %a "$D/spool/queue"/*)" 660
name=$(basename "$D/spool/queue"/*)
is "$CASE: the name has the inode" "$(printf '%d' "0x${name#*.}")" "$(stat -c %i "$D/spool/queue/$name")"

fresh 'in doubt' "$one"
stores "$CASE" doubt 0 '*:Kqueued*'
slots '?' 1 '?P'

fresh 'three recipients, null sender, empty message' '1:\n,0:,15:2:a@,3:b@c,1:d,,'
stores "$CASE" store 0 '*:Kqueued as *,*:Kqueued as *,*:Kqueued as *,'
slots P 3 PPPP

fresh 'twice the same' "$one"
stores "$CASE" store 0 '*:K*'
stores "$CASE, again" store 0 '*:K*'
kept 2

while IFS='|' read -r why package answer; do
	fresh "refused: $why" "$package"
	stores "$CASE" store 65 "$answer"
	kept 0
done <<'E2'
CR LF|5:\rabc\n,5:s@x.y,8:5:r@x.y,,|*:Dlines that do not end with LF alone,
an empty recipient|5:\nabc\n,5:s@x.y,11:0:,5:r@x.y,,|*:Dan empty recipient,*:Dan empty recipient,
NUL in a recipient|5:\nabc\n,5:s@x.y,8:5:r@\0.y,,|*:Dan address that cannot be sent,
LF in a recipient|5:\nabc\n,5:s@x.y,8:5:r@\n.y,,|*:Dan address that cannot be sent,
DEL in the sender|5:\nabc\n,5:s@\0177.y,8:5:r@x.y,,|*:Dan address that cannot be sent,
NUL in the sender|5:\nabc\n,5:s@\0.y,8:5:r@x.y,,|*:Dan address that cannot be sent,
bytes behind it|5:\nabc\n,5:s@x.y,8:5:r@x.y,,x|*:Dbytes behind the package,
a second package|5:\nabc\n,5:s@x.y,8:5:r@x.y,,5:\nabc\n,5:s@x.y,8:5:r@x.y,,|*:Dbytes behind the package,
no recipients|5:\nabc\n,5:s@x.y,0:,|
no package|HTTP/1.0|
a leading zero|05:\nabc\n,5:s@x.y,8:5:r@x.y,,|
no last byte|5:\nabc\n,5:s@x.y,8:5:r@x.y,|
nothing||
E2

fresh 'an address of 999 bytes, and one of 1000'
long=$(printf '%0999d' 7)
printf '5:\nabc\n,999:%s,1006:999:%s,,' "$long" "$long" >"$D/in"
sed -i 's/1006:/1004:/' "$D/in"
stores "$CASE" store 0 '*:K*'
printf '5:\nabc\n,0:,1006:1000:%s1,,' "$long" >"$D/in"
stores "$CASE, longer" store 65 '*:Dan address that cannot be sent,'
kept 1

fresh '10,000 recipients, and one more'
list=$(awk 'BEGIN { for (i = 0; i < 10000; i++) printf "3:a@b," }')
printf '1:\n,0:,%d:%s,' 60000 "$list" >"$D/in"
stores "$CASE" store 0 '*:Kqueued*'
is "$CASE: answers" "$(tr -cd K <"$D/out" | wc -c | tr -d ' ')" 10000
printf '1:\n,0:,%d:%s3:a@b,,' 60006 "$list" >"$D/in"
stores "$CASE, one more" store 65 '*:Dtoo many recipients*'
kept 1

fresh '5 MB'
{
	printf '5000001:\n'
	head -c 5000000 /dev/zero | tr '\0' ,
	printf ',0:,4:1:a,,'
} >"$D/in"
stores "$CASE" store 0 '*:K*'
slots P 1 PP

fresh 'too large for any server'
printf '200000001:\n' >"$D/in"
head -c 200000000 /dev/zero >>"$D/in"
printf ',0:,4:1:a,,' >>"$D/in"
stores "$CASE" store 65 '*:Da message that is too large,'
kept 0

begin 'no spool'
printf '%b' "$one" >"$D/in"
(cd "$D" && exec "$QUEUE" store <in >out 2>err)
is "$CASE: exit code" $? 77
fresh 'no queue' "$one"
rmdir "$D/spool/queue"
(cd "$D" && exec "$QUEUE" store <in >out 2>err)
is "$CASE: exit code" $? 73
is "$CASE: no answer" "$(cat "$D/out")" ''

fresh 'words' "$one"
for words in '' 'stored' 'store store' 'list x' 'show' 'retry a b'; do
	# shellcheck disable=SC2086
	(cd "$D" && exec "$QUEUE" $words <in >out 2>err)
	is "$CASE: '$words'" $? 64
done
kept 0

done_testing
