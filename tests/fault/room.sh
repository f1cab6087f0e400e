# shellcheck shell=sh disable=SC2034 # scripts that read this use what is set here
# room.sh: a spool as an installation makes it: owners, modes, a helper with its group. As root.
#
#	. "${srcdir:-.}/tests/integration/lib.sh"
#	. "${srcdir:-.}/tests/fault/room.sh"
#	make_room room		$R is an absolute path; the programs are in it

DROP=60001   # the group of the helper,
QUSER=60002  # the flusher's user and group,
VICTIM=60003 # and two callers: one who wants their mail,
MALLORY=33   # and one who wants everybody's: www-data, on Debian

R=''

# in_room COMMAND ...: in the room's directory
in_room() {
	(cd "$R" && exec "$@")
}

# as UID COMMAND ...: in the room, as that user, without any other group
as() {
	lib_uid=$1
	shift
	in_room setpriv --reuid "$lib_uid" --regid "$lib_uid" --clear-groups -- "$@"
}

# as_flusher COMMAND ...
as_flusher() {
	in_room setpriv --reuid "$QUSER" --regid "$QUSER" --groups "$DROP" -- "$@"
}

# make_spool DIRECTORY: a spool there, in what exists already or not
make_spool() {
	mkdir -p "$1/tmp" "$1/queue" "$1/failed" "$1/corrupt"
	: >"$1/lock"
	chown "root:$DROP" "$1"
	chown "$QUSER:$QUSER" "$1/tmp" "$1/queue" "$1/failed" "$1/corrupt" "$1/lock"
	chmod 0710 "$1"
	chmod 3777 "$1/tmp" "$1/queue"
	chmod 0700 "$1/failed" "$1/corrupt"
	chmod 0600 "$1/lock"
}

# make_room NAME: $R, with its programs and a spool
make_room() {
	R=$T/$1
	chmod 0711 "$T"
	mkdir "$R"
	cp "$QUEUE" "$R/qmtp-queue"
	cp "$SENDMAIL" "$R/sendmail"
	[ ! -e "$FLUSH" ] || cp "$FLUSH" "$R/qmtp-flush"
	chown "root:$DROP" "$R/qmtp-queue"
	chmod 2755 "$R/qmtp-queue"
	make_spool "$R/spool"
}

# package SENDER RECIPIENT TEXT: on stdout
package() {
	printf '%d:\n%s,' $((${#3} + 1)) "$3"
	printf '%d:%s,' ${#1} "$1"
	lib_rcpt="${#2}:$2,"
	printf '%d:%s,' ${#lib_rcpt} "$lib_rcpt"
}

# store UID SENDER RECIPIENT TEXT: through the helper; prints the id of the entry
store() {
	lib_uid=$1
	shift
	package "$@" | as "$lib_uid" ./qmtp-queue store |
	    sed -n 's/.*queued as \([0-9a-f.]*\),.*/\1/p'
}

# entries: the names in the queue
entries() {
	ls -A "$R/spool/queue"
}
