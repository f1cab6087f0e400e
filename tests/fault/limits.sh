#!/bin/sh
# limits.sh: disks that are full, out of inodes, over quota, read-only, not there; helpers that may
# not gain their group; callers with hardly anything open or allowed. The right code, nothing
# half-stored. As root: it mounts file systems of its own, where nobody else sees them.

# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
# shellcheck source=tests/fault/room.sh
. "${srcdir:-.}/tests/fault/room.sh"

[ "$(id -u)" -eq 0 ] || skip_all "needs root, to mount file systems"
if [ "${IN_NAMESPACE-}" != yes ]; then
	rm -rf "$T"
	IN_NAMESPACE=yes
	export IN_NAMESPACE
	exec unshare -m --propagation private -- sh "$0"
fi

# Nobody listens there: all that is sent is for the spool.
write_conf() {
	printf '%s\n' 'hostname = "host.lab.example"' 'default-domain = "lab.example"' \
	    'aliases = ""' 'server "down" { host = "127.0.0.1"' 'port = 1 }' \
	    >"$R/qmtp-sendmail.conf"
	chmod 644 "$R/qmtp-sendmail.conf"
}

printf 'Subject: test\n\nhello\n' >"$T/in"

# submit [STAGE-OPTION ...]: the command as a user; CODE, $T/err
submit() {
	in_room setpriv --reuid "$VICTIM" --regid "$VICTIM" --clear-groups -- \
	    "$R/stage" run "$@" ./sendmail -f alice@example.org bob@example.net \
	    <"$T/in" >"$T/out" 2>"$T/err"
	CODE=$?
}

# stored: how many complete entries there are
stored() {
	in_room ./qmtp-queue list | grep -c '^entry '
}

# leaves N: so many complete entries, nothing else in the queue, nothing in tmp
leaves() {
	is "$CASE: complete entries" "$(stored)" "$1"
	is "$CASE: files in the queue" "$(entries | grep -c .)" "$1"
	is "$CASE: nothing in tmp" "$(ls -A "$R/spool/tmp")" ''
}

# refuses CODE PATTERN: that exit code, an error line that fits, and no entry
refuses() {
	is "$CASE: exit code" "$CODE" "$1"
	like "$CASE: stderr" "$(cat "$T/err")" "$2"
	leaves 0
}

keeps() {
	is "$CASE: exit code" "$CODE" 0
	is "$CASE: stderr" "$(cat "$T/err")" ''
	leaves 1
	rm -f "$R/spool/queue"/*
}

room() {
	CASE=$1
	lib_case=$((lib_case + 1))
	make_room "room$lib_case"
	cp "$STAGE" "$R/stage"
	write_conf
}

# on TYPE OPTIONS [SOURCE]: the spool of the room is on a file system of its own
on() {
	mount -t "$1" -o "$2" "${3-none}" "$R/spool" || not_ok "$CASE: mounted"
	make_spool "$R/spool"
}

off() {
	umount "$R/spool"
}

# ---- nothing wrong

room 'all is well'
submit
keeps

# ---- disks

room 'a full disk'
on tmpfs size=20m
dd if=/dev/zero of="$R/spool/tmp/fill" bs=64k 2>/dev/null
submit
rm "$R/spool/tmp/fill"
refuses 73 '*bob@example.net*room*'
off

room 'less than the least free space'
on tmpfs size=16m
submit
refuses 73 '*bob@example.net*room*'
off

room 'a message larger than what is free'
on tmpfs size=24m
(printf 'Subject: large\n\n' && head -c 12000000 /dev/zero | tr '\0' x) >"$T/large"
cp "$T/in" "$T/small"
cp "$T/large" "$T/in"
submit
cp "$T/small" "$T/in"
refuses 73 '*bob@example.net*room*'
submit
keeps
off

room 'no inodes'
on tmpfs size=64m,nr_inodes=105
submit
refuses 73 '*bob@example.net*'
off

truncate -s 130M "$T/btrfs"
mkfs.btrfs -q "$T/btrfs" >/dev/null 2>&1
room 'over quota'
mkdir "$R/disk"
if mount -o loop "$T/btrfs" "$R/disk"; then
	btrfs quota enable "$R/disk" && btrfs subvolume create "$R/disk/spool" >/dev/null
	mount --bind "$R/disk/spool" "$R/spool"
	make_spool "$R/spool"
	submit
	keeps
	sync -f "$R/spool"
	btrfs qgroup limit 256K "$R/disk/spool"
	cp "$T/large" "$T/in"
	submit
	cp "$T/small" "$T/in"
	refuses 73 '*bob@example.net*quota*'
	off
	umount "$R/disk"
else
	not_ok "$CASE: a file system with quotas is there"
fi

room 'read-only'
on tmpfs size=64m
mount -o remount,ro "$R/spool"
submit
refuses 73 '*bob@example.net*'
off

room 'no spool'
mv "$R/spool" "$R/elsewhere"
submit
mv "$R/elsewhere" "$R/spool"
refuses 73 '*bob@example.net*'

room 'a spool without its queue'
rmdir "$R/spool/queue"
submit
make_spool "$R/spool"
refuses 73 '*bob@example.net*'

# ---- helpers

room 'a helper without its bit'
chmod g-s "$R/qmtp-queue"
submit
chmod g+s "$R/qmtp-queue"
refuses 73 '*bob@example.net*'

room 'a helper that is not executable'
chmod 2644 "$R/qmtp-queue"
submit
chmod 2755 "$R/qmtp-queue"
refuses 73 '*bob@example.net*'

room 'no helper'
mv "$R/qmtp-queue" "$R/elsewhere"
submit
mv "$R/elsewhere" "$R/qmtp-queue"
refuses 73 '*bob@example.net*'

room 'a helper on a file system without set-ids'
mkdir "$R/nosuid"
cp -p "$R/qmtp-queue" "$R/saved"
mount -t tmpfs -o nosuid none "$R/nosuid"
cp -p "$R/saved" "$R/nosuid/qmtp-queue"
rm "$R/qmtp-queue"
ln -s nosuid/qmtp-queue "$R/qmtp-queue"
submit
refuses 73 '*bob@example.net*'
umount "$R/nosuid"

room 'a caller that may gain nothing'
in_room setpriv --reuid "$VICTIM" --regid "$VICTIM" --clear-groups --no-new-privs -- \
    ./sendmail -f alice@example.org bob@example.net <"$T/in" >"$T/out" 2>"$T/err"
CODE=$?
refuses 73 '*bob@example.net*'

# ... but for the socket
(cd "$R" && exec ./qmtp-queue listen) 2>"$T/listen" &
PID=$!
at_end "$PID"
wait_for test -S "$R/queue.sock"
CASE='the same, with the socket there'
in_room setpriv --reuid "$VICTIM" --regid "$VICTIM" --clear-groups --no-new-privs -- \
    ./sendmail -f alice@example.org bob@example.net <"$T/in" >"$T/out" 2>"$T/err"
CODE=$?
is "$CASE: who sent it owns it" "$(stat -c %u:%g:%a "$R/spool/queue"/*)" "$VICTIM:$QUSER:660"
keeps
CASE='no helper, with the socket there'
mv "$R/qmtp-queue" "$R/elsewhere"
submit
mv "$R/elsewhere" "$R/qmtp-queue"
keeps
stop_server "$PID"

# ---- callers

room 'descriptors'
for closed in '0<&-' '1>&-' '2>&-' '0<&- 1>&-' '0<&- 2>&-' '1>&- 2>&-' '0<&- 1>&- 2>&-' ''; do
	CASE="closed: ${closed:-none}"
	(cd "$R" && eval "setpriv --reuid $VICTIM --regid $VICTIM --clear-groups -- ./sendmail \
	    -f alice@example.org bob@example.net <'$T/in' >'$T/out' 2>'$T/err' $closed")
	CODE=$?
	: >>"$T/err"
	case $closed in
	0*)
		is "$CASE: exit code" "$CODE" 74
		leaves 0
		;;
	*) keeps ;;
	esac
done

room 'files of hardly any size'
(cat "$T/small" && head -c 300000 /dev/zero | tr '\0' x) >"$T/in"
submit --limit fsize 100000
refuses 73 '*bob@example.net*large*'
submit --limit fsize 400000
cp "$T/small" "$T/in"
keeps

CASE='three descriptors'
submit --limit nofile 3
is "$CASE: exit code is an error" "$([ "$CODE" -ne 0 ] && echo yes)" yes
leaves 0
for n in 4 5 6 7 8; do
	CASE="$n descriptors"
	submit --limit nofile "$n"
	if [ "$CODE" -eq 0 ]; then
		keeps
	else
		case $CODE in
		# 127: the loader had none left (some are the shell's)
		71 | 73 | 127) ok "$CASE: exit code $CODE" ;;
		*) not_ok "$CASE: exit code $CODE" "$(cat "$T/err")" ;;
		esac
		leaves 0
	fi
done
CASE='sixteen descriptors'
submit --limit nofile 16
keeps

CASE='no process more'
submit --limit nproc 1
case $CODE in
71 | 73) ok "$CASE: exit code $CODE" ;;
*) not_ok "$CASE: exit code $CODE" "$(cat "$T/err")" ;;
esac
leaves 0

for kib in 500 1000 2000 3000 4000 5000 6000 8000; do
	CASE="$kib KiB of memory"
	[ "${SANITIZERS-no}" = no ] || break
	submit --limit as $((kib * 1024))
	case $CODE in
	0) keeps ;;
	71 | 73 | 127)
		ok "$CASE: exit code $CODE"
		leaves 0
		;;
	*)
		# the kernel or the loader ends what cannot even be started
		is "$CASE: exit code" "$([ "$CODE" -gt 128 ] && [ "$kib" -lt 5000 ] && echo killed)" killed
		leaves 0
		;;
	esac
done

done_testing
