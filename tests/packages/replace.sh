# shellcheck shell=sh disable=SC2154,SC2034,SC2016 # the variables of systems.sh
# replace.sh: over other MTAs, with an upgrade while mail waits.

# all_of COMMAND STATE: for each user
all_of() {
	for name in alice www-data; do
		"$1" "$name" "$2"
	done
}

# replaces MTA
replaces() {
	begin_room "$1" old
	echo lab.example >"$ROOT/etc/mailname"
	answer nullmailer nullmailer/relayhost string relay.lab.example
	answer postfix postfix/main_mailer_type select 'Satellite system'
	answer postfix postfix/mailname string lab.example
	answer postfix postfix/relayhost string relay.lab.example
	check "$1 is there, and mail(1)" apt install "$1" bsd-mailx
	ours "the older version replaces $1"
	is "$1 is gone" "$(state_of "$1")" config-files
	is "mail(1) is still there" "$(state_of bsd-mailx)" installed
	check "$1 is purged" apt purge "$1"
	is "and left /etc/mailname" "$(cat "$ROOT/etc/mailname")" lab.example

	up "$1.up"
	cron_of up
	all_of mail_of up
	all_of mail_came up
	all_of cron_came up
	stop_server "$cron" 2>/dev/null
	is "up: nothing waits" "$(waiting)" 0
	stop_server

	# The flusher is at work meanwhile.
	flusher
	flush=$JOB
	cron_of down
	all_of mail_of down
	waits "down: everything waits" 6
	stop_server "$cron" 2>/dev/null
	is "down: whose it is" "$(inside find "$spool/queue" -type f -printf '%u %m\n' | sort | uniq -c |
	    sed 's/^ *//')" "3 alice 660
3 www-data 660"
	inside mailq >"$T/mailq"
	is "down: mailq shows it to root" \
	    "$(grep -o '[a-z]*\.[a-z-]*\.down@example.net' "$T/mailq" | sort)" \
	    "$(for p in cron mail php; do for u in alice www-data; do echo "$p.$u.down@example.net"; done; done)"
	stop_server "$flush" 2>/dev/null

	# Mail in the queue, and a configuration that was changed
	echo 'max-recipients = 99' >>"$ROOT/etc/qmtp-sendmail.conf"
	cp "$ROOT/etc/qmtp-sendmail.conf" "$T/conf"
	queue_sums >"$T/before"
	bring "$T/debs/new"
	ours "an upgrade"
	is "the new version is installed" "$(inside dpkg-query -W -f '${Version}' qmtp-sendmail)" \
	    "$(dpkg-deb -f "$T"/debs/new/qmtp-sendmail_*.deb Version)"
	queue_sums >"$T/after"
	same "the mail that waits is as it was" "$T/after" "$T/before"
	same "the configuration is as it was" "$ROOT/etc/qmtp-sendmail.conf" "$T/conf"
	check "the example, which is not, stands beside it" test -e "$ROOT/etc/qmtp-sendmail.conf.ucf-dist"

	flusher
	flush=$JOB
	up "$1.back"
	check "back: everything is tried" inside mailq --retry all
	all_of mail_came down
	all_of cron_came down
	waits "back: nothing waits" 0
	is "back: nothing came twice" "$(cat "$store"/*.rcpts | sort | uniq -d)" ''
	stop_server "$flush" 2>/dev/null
	stop_server

	check "$1 replaces it" apt install "$1"
	is "qmtp-sendmail is gone" "$(state_of qmtp-sendmail)" config-files
	check "purge" apt purge qmtp-sendmail libqmtp0
	is "$1 is still there" "$(state_of "$1") $(inside sh -c 'test -x /usr/sbin/sendmail && echo sendmail')" \
	    'installed sendmail'
	is "so is /etc/mailname" "$(cat "$ROOT/etc/mailname")" lab.example
}

replaces nullmailer
replaces postfix
