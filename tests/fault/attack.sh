#!/bin/sh
# attack.sh: nobody reads, changes, removes or replaces the mail of others in the spool, not even
# with the helper's group; and what they put into the queue harms nobody. As root.

# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
# shellcheck source=tests/fault/room.sh
. "${srcdir:-.}/tests/fault/room.sh"

[ "$(id -u)" -eq 0 ] || skip_all "needs root, to be several users"

ATTACK=${ATTACK:-$top_builddir/tests/fault/attack}

# held WHAT FILE: every attempt is on the list, and none was successful
held() {
	is "$1: every attempt is refused" "$(grep -v '^held ' "$2")" ''
	is "$1: all of them were made" "$(grep -c '^held ' "$2")" 28
}

make_room room
cp "$ATTACK" "$R/attack"
cp "$ATTACK" "$R/taken-over"
chown "root:$DROP" "$R/taken-over"
chmod 2755 "$R/taken-over"

# ---- an entry of somebody else's

victims=$(store "$VICTIM" alice@example.org bob@example.net 'Subject: private

secret')
[ -n "$victims" ] || not_ok "the victim's mail is stored"
is "its owner is who sent it, its group the flusher's" \
    "$(stat -c '%u:%g %a %h' "$R/spool/queue/$victims")" "$VICTIM:$QUSER 660 1"
cp -p "$R/spool/queue/$victims" "$T/before"

as "$MALLORY" ./attack entry spool "$victims" >"$T/plain"
held "without the group" "$T/plain"
as "$MALLORY" ./taken-over entry spool "$victims" >"$T/taken"
held "with the helper's group" "$T/taken"
like "a reading is refused by its mode, not by chance" "$(grep read_it "$T/taken")" '*Permission denied'
same "the entry is what it was" "$R/spool/queue/$victims" "$T/before"
is "it has its owner, mode, name and time" \
    "$(stat -c '%u:%g %a %h %Y' "$R/spool/queue/$victims")" \
    "$(stat -c '%u:%g %a %h %Y' "$T/before")"
is "the queue holds nothing else" "$(entries)" "$victims"
is "nothing is left in tmp" "$(ls -A "$R/spool/tmp")" ''

as "$MALLORY" ./qmtp-queue show "$victims" >"$T/out" 2>&1
is "the helper does not show it to others" "$?" 67
as "$MALLORY" ./qmtp-queue remove "$victims" >"$T/out" 2>&1
is "nor remove it" "$?" 67
as "$MALLORY" ./qmtp-queue retry "$victims" >"$T/out" 2>&1
is "nor let them hurry it" "$?" 67
as "$MALLORY" ./qmtp-queue list >"$T/out" 2>&1
is "nor list it" "$(grep -c "$victims" "$T/out")" 0
as "$VICTIM" ./qmtp-queue list >"$T/out" 2>&1
is "its owner sees it" "$(grep -c "^entry $victims" "$T/out")" 1

# the same attempts on an entry that is open to all do come through: they can
cp -p "$R/spool/queue/$victims" "$T/kept"
chmod 666 "$R/spool/queue/$victims"
as "$MALLORY" ./taken-over entry spool "$victims" >"$T/open"
is "on an open file the attempts succeed" \
    "$(grep -c -e 'BROKEN read_it' -e 'BROKEN write_it' -e 'BROKEN empty_it' "$T/open")" 3
rm -f "$R/spool/tmp"/*
cat "$T/kept" >"$R/spool/queue/$victims"
chmod 660 "$R/spool/queue/$victims"
touch -r "$T/kept" "$R/spool/queue/$victims"

# ---- what is planted in the queue

secret=$T/secret
echo 'root:x:0:0' >"$secret"
chmod 600 "$secret"
echo 'no package at all' >"$R/garbage"
chmod 644 "$R/garbage"
# An inode number in hex is part of an id: these are names that look right.
as "$MALLORY" ./taken-over plant spool symlink 60000000.1 "$secret" >"$T/out"
is "a symlink can be planted" "$?" 0
as "$MALLORY" ./taken-over plant spool symlink 60000000.2 "$victims" >"$T/out"
as "$MALLORY" ./taken-over plant spool fifo 60000000.3 >"$T/out"
is "a FIFO can be planted" "$?" 0
as "$MALLORY" ./taken-over plant spool directory 60000000.4 >"$T/out"
is "a directory can be planted" "$?" 0
as "$MALLORY" ./taken-over plant spool socket 60000000.5 >"$T/out"
as "$MALLORY" ./taken-over plant spool file 60000000.6 garbage >"$T/out"
is "a file whose name says another inode can be planted" "$?" 0
as "$MALLORY" ./taken-over plant spool file '-rf' garbage >"$T/out"
as "$MALLORY" ./taken-over plant spool file "$(printf 'a\nb')" garbage >"$T/out"
own=$(store "$MALLORY" mallory@example.org bob@example.net 'two names')
as "$MALLORY" ./taken-over plant spool link 60000000.7 "spool/queue/$own" >"$T/out"
is "a second name of one's own entry can be planted" "$?" 0
short=$(store "$MALLORY" mallory@example.org bob@example.net 'cut short')
as "$MALLORY" ./taken-over entry spool "$short" >"$T/short"
is "one's own entry may be spoilt" "$(grep -c 'BROKEN empty_it' "$T/short")" 1
own_again=$(store "$MALLORY" mallory@example.org bob@example.net 'emptied')

begin 'planted'
serve a ''
cp "$D/conf" "$R/qmtp-sendmail.conf"
chmod 644 "$R/qmtp-sendmail.conf"
"$STAGE" log "$R/log.sock" "$T/log" &
at_end $!
wait_for test -S "$R/log.sock"
chmod 666 "$R/log.sock"

as_flusher timeout 60 ./qmtp-flush --once >"$T/flush" 2>&1
is "the flusher does its work beside all that" "$?:$(cat "$T/flush")" '0:'
is "the victim's mail arrives, whole" \
    "$(cat "$D"/a/*.message | grep -c "^secret")" 1
is "and is gone from the queue" "$(entries | grep -c "^$victims\$")" 0
is "others' entries in order arrive, too" "$(cat "$D"/a/*.message | grep -c emptied)" 1
is "nothing was sent for what is no entry" "$(cat "$D"/a/*.message | grep -c -e root:x -e 'no package')" 0
is "what a symlink points to is untouched" "$(stat -c '%u %a' "$secret") $(cat "$secret")" '0 600 root:x:0:0'
for name in 60000000.1 60000000.3 60000000.4 60000000.7; do
	check "$name is left where it is" test -e "$R/spool/queue/$name" -o -L "$R/spool/queue/$name"
done
check "the log tells of the symlink" grep -q 60000000.1 "$T/log"
is "no line of the log is broken by a name" "$(grep -c '^b' "$T/log")" 0
[ -n "$own_again" ] || not_ok "an entry between two attacks is stored"

done_testing
