# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systemd.sh
# upgraded.sh: the newer version comes while systemd runs, mail waits, and more is sent on all three roads.

# sending NAME PROGRAM ...: mail to NAME.1@, NAME.2@, ..., by what follows, until there is $T/enough
sending() {
	road=$1 sent=0
	shift
	: >"$T/$road.codes"
	while [ ! -e "$T/enough" ]; do
		sent=$((sent + 1))
		"$@" "$road.$sent@example.net" >>"$T/$road.out" 2>&1
		echo "$? $road.$sent@example.net" >>"$T/$road.codes"
		sleep 0.05
	done
}

by_bit() {
	letter "$1" as alice
}

by_door() {
	letter "$1" confined
}

by_smtp() {
	smtp many 1 "$1" 0 127.0.0.1
}

sent_more() {
	for road in bit door smtp; do
		[ "$(wc -l <"$T/$road.codes")" -ge $(($1 + $(cat "$T/$road.before"))) ] || return 1
	done
}

sent_so_far() {
	for road in bit door smtp; do
		wc -l <"$T/$road.codes" >"$T/$road.before"
	done
}

open_since() {
	inside systemctl show -p ActiveState,ActiveEnterTimestampMonotonic qmtp-sendmail-queue.socket \
	    qmtp-sendmail-smtp.socket
}

# SMTP is switched on by the administrator meanwhile
check "SMTP is enabled" inside systemctl enable --now --quiet qmtp-sendmail-smtp.socket
queue_sums >"$T/sums"
for road in bit door smtp; do
	sending "$road" "by_$road" &
	echo $! >"$T/$road.pid"
	echo 0 >"$T/$road.before"
done
check "mail is being sent" wait_for sent_more 1
WAIT=30
if wait_for another_flusher; then
	ok "another flusher is at work"
else
	not_ok "another flusher is at work" "$(inside systemctl status --no-pager qmtp-sendmail)"
fi
flusher=$(main_pid)
open_since >"$T/since"
sent_so_far
bring "$T/debs/new"
ours "the upgrade"
open_since >"$T/since.now"
check "mail is being sent" wait_for sent_more 1
WAIT=''
: >"$T/enough"
for road in bit door smtp; do
	wait "$(cat "$T/$road.pid")"
	is "$road: each mail was taken" "$(cut -d ' ' -f 1 "$T/$road.codes" | sort | uniq -c)" \
	    "$(printf '%7d 0' "$(wc -l <"$T/$road.codes")")"
	is "$road: in silence" "$(cat "$T/$road.out")" ''
	echo "# $road: $(cat "$T/$road.before") mails before the upgrade, $(wc -l <"$T/$road.codes") in all"
done
same "the sockets were open all the time" "$T/since.now" "$T/since"
is "SMTP is still enabled" "$(inside systemctl is-enabled qmtp-sendmail-smtp.socket)" enabled
check "the flusher is the new one" another_flusher
is "nothing old is running" "$(running | grep '(deleted)')" ''
queue_sums | grep -F -f "$T/sums" >"$T/sums.now"
same "what waited is as it was" "$T/sums.now" "$T/sums"

up upgraded
check "everything is tried" inside mailq --retry all
letter_came "the first" plain@example.net
letter_came "the second" door@example.net
WAIT=30 waits "nothing waits" 0
is "each mail came, once" "$(cat "$store"/*.rcpts | sort)" \
    "$({ echo plain@example.net && echo door@example.net && sed -n 's,^0 ,,p' "$T"/*.codes; } | sort)"
stop_server
check "SMTP is disabled" inside systemctl disable --now --quiet qmtp-sendmail-smtp.socket
check "the same version once more" install_ours
is "SMTP stays off" "$(inside systemctl is-enabled qmtp-sendmail-smtp.socket) \
$(inside systemctl is-active qmtp-sendmail-smtp.socket)" 'disabled inactive'
is "nothing has failed" "$(inside systemctl --failed --no-legend --plain)" ''
