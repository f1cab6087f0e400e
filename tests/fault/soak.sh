#!/bin/sh
# soak.sh: many callers, three servers that come and go, a flusher that is killed again and again:
# every message arrives. FAULT_LONG=yes (make check-fault): 16 callers with 2000 messages each;
# else, or as SOAK_CALLERS and SOAK_MESSAGES say, 4 with 50. SOAK_SEED repeats a run's order.
#
# Extra copies can only come from a kill of the flusher, or from a server that ends between
# taking a message and saying so; packages go one by one here (in-flight = 1), so each of
# these can make at most one for each sender that talks to it at that moment.

# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

SUBMITTERS=${SUBMITTERS:-$top_builddir/tests/fault/submitters}
if [ "${FAULT_LONG-}" = yes ]; then
	callers=16 messages=2000
else
	callers=4 messages=50
fi
callers=${SOAK_CALLERS:-$callers}
messages=${SOAK_MESSAGES:-$messages}
seed=${SOAK_SEED:-$(date +%s)}
echo "# $callers callers, $messages messages each, seed $seed"

# draw N: a number below N into $drawn (the generator of POSIX.1, rand(), as an example)
draw() {
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	drawn=$((seed / 65536 % $1))
}

begin 'soak' 50
cp "$QUEUE" "$D/qmtp-queue"
mkdir -p "$D/spool/tmp" "$D/spool/queue" "$D/spool/failed" "$D/spool/corrupt"

# up NAME: that server, on its port if it has had one
up() {
	at=0
	eval "at=\${port_$1-0}"
	start_server --port "$at" --ledger "$D/$1.ledger"
	eval "port_$1=$PORT pid_$1=$PID"
}

down() {
	eval "stop_server \$pid_$1; pid_$1="
}

flusher() {
	(cd "$D" && exec "$FLUSH" 2>>"$D/flush.err") &
	flusher=$!
	at_end "$flusher"
}

for name in a b c; do
	up "$name"
	configure "server \"$name\" {" 'host = "127.0.0.1"' "port = $PORT" 'in-flight = 1' \
	    'connections = 1' '}'
done
cp "$D/conf" "$D/qmtp-sendmail.conf"
flusher

(cd "$D" && "$SUBMITTERS" "$callers" "$messages" "$SENDMAIL" >"$D/failures" 2>"$D/said"
	echo $? >"$D/code.new"
	mv "$D/code.new" "$D/code") &
at_end $!

kills=0 stops=0 rounds=0
while [ ! -e "$D/code" ] && [ "$rounds" -lt 3000 ]; do
	rounds=$((rounds + 1))
	draw 400
	sleep "0.$(printf '%03d' $((drawn + 100)))"
	draw 10
	case $drawn in
	[0-4])
		kill -KILL "$flusher" 2>/dev/null
		wait "$flusher" 2>/dev/null
		flusher
		kills=$((kills + 1))
		;;
	*)
		draw 3
		name=$(echo a b c | cut -d ' ' -f $((drawn + 1)))
		eval "running=\$pid_$name"
		if [ -n "$running" ]; then
			down "$name"
			stops=$((stops + 1))
		else
			up "$name"
		fi
		;;
	esac
done
for name in a b c; do
	eval "running=\$pid_$name"
	[ -n "$running" ] || up "$name"
done
is "the callers came to their end" "$(cat "$D/code" 2>&1)" 0
is "each of them was told that all is well" "$(cat "$D/failures" "$D/said")" ''

# What is in doubt or put off need not wait here.
empty() {
	(cd "$D" && ./qmtp-queue retry all >/dev/null)
	[ -z "$(ls "$D/spool/queue")" ]
}
tries=0
until empty || [ "$tries" -ge 120 ]; do
	tries=$((tries + 1))
	sleep 1
done
is "the queue is empty in the end" "$(find "$D/spool/queue" -type f | wc -l)" 0
is "nothing failed, nothing is corrupt" \
    "$(find "$D/spool/failed" "$D/spool/corrupt" -type f)" ''
kill "$flusher"
wait "$flusher"
is "the flusher ends as it should" "$?" 0

# ---- who got what

awk -v callers="$callers" -v messages="$messages" 'BEGIN {
	for (c = 0; c < callers; c++)
		for (m = 0; m < messages; m++)
			for (r = 0; r < (m % 8 == 0 ? 3 : 1); r++)
				print "soak." c "." m "." r "@example.net"
}' | LC_ALL=C sort >"$T/wanted"
grep -h '^soak\.' "$D"/[abc].ledger | LC_ALL=C sort >"$T/got"
uniq "$T/got" >"$T/once"
is "recipients without their message" "$(comm -23 "$T/wanted" "$T/once" | head -5)" ''
is "recipients that nobody named" "$(comm -13 "$T/wanted" "$T/once" | head -5)" ''
extra=$(($(wc -l <"$T/got") - $(wc -l <"$T/once")))
echo "# $(wc -l <"$T/wanted") recipients, $kills kills, $stops servers stopped, $extra extra copies"
check "there was something to survive" test $((kills + stops)) -gt 0
check "extra copies are no more than kills and stops" test "$extra" -le $((kills + stops))
grep -h '^soak ' "$D"/[abc].ledger | LC_ALL=C sort -u >"$T/bodies"
is "every message came with its own text" "$(wc -l <"$T/bodies" | tr -d ' ')" $((callers * messages))

done_testing
