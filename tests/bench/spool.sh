#!/bin/sh
# spool.sh: what the spool costs: mail that goes in, mail that goes out, mail that waits, each beside
# the least a program can do (spoolfloor.c, drainfloor.c).
#
# Run in the build directory: make bench, or make bench-spool for this alone. The tables are those of
# bench.sh: ratios of times. The spool is in the build directory: what syncing costs is a matter of the
# disk under it.

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

floor=$bin/spoolfloor
drain=$bin/drainfloor
fill=$bin/fill

ln -s "$QUEUE" qmtp-queue
ln -s "$FLUSH" qmtp-flush
server live
server refused --refuse
PORT=$(cat live)
conf live.conf "$PORT"
conf refused.conf "$(cat refused)"
{
	echo 'delivery = "queue"'
	cat live.conf
} >qmtp-sendmail.conf
"$LOGSINK" log.sock >lines &
pids="$pids $!"
wait_for_file log.sock

letter small 2048
{
	printf '%d:\n' "$(($(wc -c <small) + 1))"
	cat small
	printf ',%d:%s,%d:%d:%s,,' ${#FROM} "$FROM" $((${#TO} + 4)) ${#TO} "$TO"
} >package

"$fill" spool 0 0 || exit 99
table "storing a 2 KB package, file and directory synced (to reach: ratio 1.25)" -n 300 -i package \
    -- 'floor, one program' "$floor" store spool -- 'qmtp-queue store' "$QUEUE" store \
    -- 'floor again' "$floor" store spool
rm -r spool
"$fill" spool 0 0 || exit 99
table "2 KB message into the spool, by a helper (to reach: ratio 1.33)" -n 300 -i small \
    -- 'floor, two programs' "$floor" pair spool -- 'sendmail -odq' "$SENDMAIL" -odq "$TO" \
    -- 'floor again' "$floor" pair spool
rm -r spool

cp live.conf qmtp-sendmail.conf
table "10,000 x 2 KB leave the spool, loopback (to reach: ratio 1.25)" -n 7 -w 1 \
    -s "'$fill' spool 10000 2000" -- 'floor, pipelined' "$drain" 127.0.0.1 "$PORT" spool \
    -- 'qmtp-flush --once' "$FLUSH" --once -- 'floor again' "$drain" 127.0.0.1 "$PORT" spool
rm -r spool

"$fill" spool 100000 2000 || exit 99
cp refused.conf qmtp-sendmail.conf
table "100,000 entries wait for a server (to reach: 65536 KiB)" -n 3 -w 1 \
    -- 'open and read each once' "$floor" read spool -- 'qmtp-flush --once' "$FLUSH" --once
table "100,000 entries listed (to reach: ratio 1.5)" -n 5 -w 1 -e /dev/null \
    -- 'open and read each once' "$floor" read spool -- 'sendmail -bp' "$SENDMAIL" -bp
cp live.conf qmtp-sendmail.conf
table "100,000 entries leave the spool (to reach: 65536 KiB)" -n 1 -w 0 -l 300 \
    -- 'qmtp-flush --once' "$FLUSH" --once
[ -z "$(ls spool/queue)" ] || {
	failed=1
	echo "FAILED: left in the queue: $(find spool/queue -type f | wc -l)"
}
exit "$failed"
