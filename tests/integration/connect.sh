#!/bin/sh
# Servers of which nothing is to be had, in every order: a name whose look-up hangs (dead), a listener that
# does not answer (hole), a port where nobody listens (refused), and one that is well but takes its time
# (slow). The message arrives, once, and what that took beside a server that is well is shown: 100 ms of
# connect-delay for each silent server ahead of it. Milliseconds are printed and not judged: the machine may
# be busy.
if [ "${1-}" != inside ]; then
	namespace='-mn'
	[ "$(id -u)" -eq 0 ] || namespace='-rmn'
	if ! unshare $namespace true 2>/dev/null; then
		echo '1..0 # SKIP no private name space here'
		exit 0
	fi
	exec unshare $namespace sh "$0" inside
fi
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
FLUSH=${FLUSH:-$top_builddir/tests/bin/qmtp-flush}

bob=bob@example.net
most=5000 # milliseconds of a run, on the busiest of machines

# ---- the place: a resolver that does not answer

mkdir "$T/etc"
echo 'nameserver 127.0.0.1' >"$T/etc/resolv.conf"
echo 'hosts: files dns' >"$T/etc/nsswitch.conf"
echo '127.0.0.1 localhost' >"$T/etc/hosts"
echo 'root:x:0:0::/:/bin/sh' >"$T/etc/passwd" # whom the flusher of the tests works as
echo 'root:x:0:' >"$T/etc/group"
if ! mount --bind "$T/etc" /etc || ! "$STAGE" loopback; then
	echo 'Bail out! no /etc or no loopback of our own'
	exit 99
fi
"$STAGE" deaf-udp 127.0.0.1 53 "$T/deaf" &
at_end $!
wait_for_file "$T/deaf"

# ---- the servers

# server NAME [QMTPD-OPTION ...]: remembers its port in $T/NAME.port
server() {
	name=$1
	shift
	start_server --store "$T/$name" --log "$T/$name.log" "$@"
	echo "$PORT" >"$T/$name.port"
}
server good
server slow --connect-delay 20 --delay 30
server hole --blackhole
server refused --refuse

# section KIND: as it stands in the configuration
section() {
	case $1 in
	dead) echo "server \"$1\" { host = \"mail.example.net\" }" ;;
	*) echo "server \"$1\" { host = \"127.0.0.1\" port = $(cat "$T/$1.port") }" ;;
	esac
}

# accepted NAME: how many packages
accepted() {
	find "$T/$1" -name '*.accepted' 2>/dev/null | wc -l | tr -d ' '
}

now() {
	date +%s%N | sed 's/......$//'
}

# run [KIND ...]: the message to these servers, in this order. Sets CODE and TOOK.
run() {
	begin "$*" 100
	for kind in "$@"; do
		section "$kind" >>"$D/conf"
	done
	before=$(now)
	send $bob
	TOOK=$(($(now) - before))
}

# ---- in every order

healthy=999999
for _ in 1 2 3 4 5; do
	run good
	[ "$CODE" -eq 0 ] || not_ok 'a server that is well' "$(cat "$D/err")"
	[ "$TOOK" -ge "$healthy" ] || healthy=$TOOK
done
echo "# $healthy ms: good"
worst=0

# try TAKER KIND ...: TAKER gets it and nobody else
try() {
	taker=$1
	shift
	good=$(accepted good) slow=$(accepted slow)
	run "$@"
	echo "# $((TOOK - healthy)) ms more: $*"
	[ $((TOOK - healthy)) -le "$worst" ] || worst=$((TOOK - healthy))
	gives 0 ''
	good=$(($(accepted good) - good)) slow=$(($(accepted slow) - slow))
	case $taker in
	good) is "$CASE: it arrived, once" "good $good, slow $slow" 'good 1, slow 0' ;;
	slow) is "$CASE: it arrived, once" "good $good, slow $slow" 'good 0, slow 1' ;;
	esac
	check "$CASE: in $TOOK ms" [ "$TOOK" -lt "$most" ]
}

for a in dead hole refused slow; do
	for b in dead hole refused slow; do
		for c in dead hole refused slow; do
			if [ $a = $b ] || [ $b = $c ] || [ $a = $c ]; then
				continue
			fi
			case $a$b$c in
			*slow*) try slow $a $b $c ;;
			*) try good $a $b $c good ;;
			esac
		done
	done
done
echo "# $worst ms more at most"

# ---- none of them: resolving and connecting have an end

begin 'silence on all sides' 300
section dead | sed 's/host/connect-timeout = 1 &/' >>"$D/conf"
for name in one two; do
	section hole | sed "s/hole/$name/; s/host/connect-timeout = 1 &/" >>"$D/conf"
done
before=$(now)
send $bob
TOOK=$(($(now) - before))
gives 73 "sendmail: <$bob>: not sent: *: no answer in time while *"
echo "# $TOOK ms: $CASE; the longest connect-timeout and two times the connect-delay are 1600"
check "$CASE: it ends, in $TOOK ms" [ "$TOOK" -lt "$most" ]
check "$CASE: not before its time" [ "$TOOK" -ge 1590 ]

# ---- the flusher

begin 'qmtp-flush --once' 100
mkdir "$D/spool" "$D/spool/tmp" "$D/spool/queue" "$D/spool/failed" "$D/spool/corrupt"
ln -s "${QUEUE:-$top_builddir/tests/bin/qmtp-queue}" "$D/qmtp-queue"
logging
for kind in dead hole refused good; do
	section $kind >>"$D/conf"
done
good=$(accepted good)
send -odq $bob
gives 0 ''
is "$CASE: nobody has it yet" "$(accepted good)" "$good"
before=$(now)
(cd "$D" && exec "$FLUSH" -C "$D/conf" --once) || not_ok "$CASE: exit code"
TOOK=$(($(now) - before))
echo "# $TOOK ms: $CASE: dead hole refused good"
is "$CASE: it arrived, once" "$(accepted good)" $((good + 1))
is "$CASE: nothing is left" "$(ls "$D/spool/queue")" ''
check "$CASE: in $TOOK ms" [ "$TOOK" -lt "$most" ]

done_testing
