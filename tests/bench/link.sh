#!/bin/sh
# link.sh: what a slow line costs: the round trips of one message, and how full a queue and libqmtp
# alone keep the line.
#
# Run in the build directory: make bench, or make bench-link for this alone, as root (delaylink.c).
# The queue is in memory where there is /dev/shm: on a disk it is the disk that is measured, which
# make bench-spool does.

if [ -z "${BENCH_DIR:-}" ] && [ -w /dev/shm ]; then
	BENCH_DIR=/dev/shm
fi
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

drain=$bin/drainfloor
fill=$bin/fill
pipeline=$bin/pipeline
far="exec '$QMTPD' --parent --lifetime 3600 --port-file far --addr 10.9.0.2 --port 209"
to="10.9.0.2 209 $FROM"

# trips NAME: of the tables at.25 and at.50, in which a round trip is 50 ms and 100 ms: what the one
# costs more than the other is round trips, and nothing else. The best times: what other programs
# do at the same time is not wanted here.
trips() {
	short=$(first "$1" <at.25) long=$(first "$1" <at.50)
	[ -n "$short" ] && [ -n "$long" ] || return
	awk -v name="$1" -v short="$short" -v long="$long" 'BEGIN {
		printf "%-30s %10.2f %10.2f %10.3f\n", name, short, long, (long - short) / 50 }'
}

letter small 2048
"$LOGSINK" log.sock >lines &
pids="$pids $!"
wait_for_file log.sock
ln -s "$FLUSH" qmtp-flush
cat >qmtp-sendmail.conf <<'END'
default-domain = "lab.example"
server "far" { host = "10.9.0.2" }
END

# round_trips TITLE FAR [run's arguments]: the two tables, in words
round_trips() {
	title=$1 script=$2
	shift 2
	printf '\n%s\n' "$title"
	for ms in 25 50; do
		over_link "$script" "$ms" '' -q -b -n 15 -i small "$@" >"at.$ms" && continue
		cat "at.$ms"
		return 1
	done
	printf '%-30s %10s %10s %10s\n' '' 'at 50 ms' 'at 100 ms' 'trips'
}

# The words of a command are its arguments.
# shellcheck disable=SC2086
if round_trips 'round trips of a 2 KB message, plain (to reach: 2.000)' "$far" \
    -- floor "$FLOOR" memory $to "$TO" -- sendmail "$SENDMAIL" "$TO"; then
	trips floor
	trips sendmail
fi

if [ "${TLS:-no}" = yes ] && command -v openssl >/dev/null; then
	"$here/../tls/certs.sh" certs
	"$QMTPD" --parent --lifetime 3600 --unix plain.sock >/dev/null 2>&1 &
	pids="$pids $!"
	wait_for_file plain.sock
	front="exec '$TLSFRONT' --parent --lifetime 3600 --addr 10.9.0.2 --port 209"
	front="$front --cert certs/good.pem --key certs/good.key --to plain.sock --port-file far"
	cat >tls.conf <<END
default-domain = "lab.example"
server "far" { host = "10.9.0.2" port = 209 tls = true tls-name = "good.example" tls-ca = "$work/certs/ca.d" }
END
	if round_trips 'round trips of a 2 KB message, TLS 1.3 (3: TCP, TLS, package)' "$front" \
	    -- 'floor, TLS' "$bin/tlsfloor" 10.9.0.2 209 good.example certs/ca.d "$FROM" "$TO" \
	    -- sendmail "$SENDMAIL" -C tls.conf "$TO"; then
		trips 'floor, TLS'
		trips sendmail
	fi
fi

# What is on its way in 50 ms at full speed is more than 2 x 64 packages.
cat >qmtp-sendmail.conf <<'END'
default-domain = "lab.example"
server "far" { host = "10.9.0.2" in-flight = 1000 }
END
over_link "$far" 25 \
    '10,000 x 2 KB leave the spool, 50 ms away, in-flight = 1000 (to reach: ratio 1.05)' -n 9 -w 1 \
    -s "'$fill' spool 10000 2000" -- 'floor, pipelined' "$drain" 10.9.0.2 209 spool \
    -- 'qmtp-flush --once' "$FLUSH" --once -- 'floor again' "$drain" 10.9.0.2 209 spool
rm -rf spool
over_link "$far" 25 '10,000 x 2 KB on one connection, 50 ms away, 1000 in flight' -n 9 -w 1 \
    -- 'tests/qmtpd/load' "$LOAD" -n 10000 -s 2000 -w 1000 10.9.0.2 209 \
    -- 'libqmtp, memory' "$pipeline" memory 10.9.0.2 209 10000 2000 1000 \
    -- 'libqmtp, file' "$pipeline" small 10.9.0.2 209 10000 2000 1000 \
    -- 'load again' "$LOAD" -n 10000 -s 2000 -w 1000 10.9.0.2 209
exit "$failed"
