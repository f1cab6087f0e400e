#!/bin/sh
# Real callers, as they were caught: tests/data/callers/NAME has
#
#	argv stdin	what they gave to sendmail; a line for each word of argv
#	notes		umask, blocked and ignored signals, which are replayed too
#	envelope	what must arrive: the sender, and the recipients in order
#	message		and the message: TOKEN, DATE, UID, LOGIN stand for what differs each time
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

login=$(id -un 2>/dev/null) || login=uid$(id -u)
callers=$top_srcdir/tests/data/callers

# noted WORDS: the rest of the line of notes that begins with them
noted() {
	sed -n "s/^$1:* //p" "$dir/notes"
}

# replay: as the caller did, with -C in front
replay() (
	set --
	while IFS= read -r word; do
		set -- "$@" "$word"
	done <"$dir/argv"
	name=$1
	shift
	stage=''
	for signal in $(noted 'blocked signals'); do
		stage="$stage --block $signal"
	done
	for signal in $(noted 'ignored signals'); do
		stage="$stage --ignore $signal"
	done
	umask "$(noted 'ids and umask' | sed 's/.*umask: //')"
	NAME='Test Caller' HOME=/root LOGNAME=somebody USER=else
	export NAME HOME LOGNAME USER
	cd "$D" || exit
	# shellcheck disable=SC2086 # words
	exec "$STAGE" run $stage --argv0 "$name" "$SENDMAIL" -C "$D/conf" "$@" <"$dir/stdin" >"$D/out" 2>"$D/err"
)

for dir in "$callers"/*; do
	begin "${dir##*/}"
	sed 's/sender@/default@/' "$D/conf" >"$D/conf.new" && mv "$D/conf.new" "$D/conf"
	serve a ''
	replay
	CODE=$?
	gives 0 ''
	came a 1 1 0
	number=$(message_of a 1)
	{ printf 'sender <%s>\n' "$(cat "$number.sender")"; sed 's/.*/recipient <&>/' "$number.rcpts"; } >"$D/envelope"
	same "$CASE: the envelope" "$D/envelope" "$dir/envelope"
	like "$CASE: Received" "$(head -n 2 "$number.message")" \
	    "Received: by host.lab.example (qmtp-sendmail, from userid $(id -u))
	id ????????????????; ???, [0-9][0-9] ??? 2??? [0-9][0-9]:[0-9][0-9]:[0-9][0-9] [+-][0-9][0-9][0-9][0-9]"
	normal "$number.message" | sed "s/^From: Test Caller <$login@/From: Test Caller <LOGIN@/" >"$D/message"
	same "$CASE: every byte of the message" "$D/message" "$dir/message"
done
done_testing
