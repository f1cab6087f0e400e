# shellcheck shell=sh disable=SC2154,SC2034 # the variables of callers.sh and arrived.sh
# cron.sh: a real cron daemon and two jobs. It wakes up at full minutes, so it is started first
# and looked at last. sendmail -FCronDaemon -i -B8BITMIME -oem MAILTO, as the user of the job.

cron_pid='' cron_until=0 cron_later=''

cron_start() {
	[ -x /usr/sbin/cron ] || return 0
	cat >/etc/crontab <<-'END'
		* * * * * root echo from-crontab
	END
	cat >/etc/cron.d/live <<-'END'
		MAILTO=a@example.com,b@example.com
		* * * * * www-data printf 'öut\n.\n'; echo err >&2; printf 'no newline'
	END
	cat >/etc/cron.d/later <<-'END'
		MAILTO=cron@later.example
		* * * * * www-data echo later
	END
	chmod 644 /etc/crontab /etc/cron.d/*
	env LC_ALL=C.UTF-8 /usr/sbin/cron -f >"$T/cron.out" 2>&1 &
	cron_pid=$!
	at_end "$cron_pid"
	cron_until=$(($(date +%s) + 75))
}

# cron_mail RECIPIENT: the first package of cron's with that recipient
cron_mail() {
	got=''
	for done in "$T"/got/*.done; do
		base=${done%.done}
		if grep -qx "$1" "$base.rcpts" && grep -q '^X-Cron-Env: ' "$base.message"; then
			got=$base
			return 0
		fi
	done
	return 1
}

# cron_arrived WHAT SENDER RECIPIENT ...
cron_arrived() {
	what=$1 sender=$2
	shift 2
	until cron_mail "$1"; do
		if [ "$(date +%s)" -ge "$cron_until" ]; then
			not_ok "$what: arrived" "$(cat "$T/cron.out")" "$(grep -ai cron "$T/log")"
			return
		fi
		sleep 0.2
	done
	is "$what: sender" "$(cat "$got.sender")" "$sender"
	is "$what: recipients" "$(cat "$got.rcpts")" "$(printf '%s\n' "$@")"
	same_message "$got.message"
	logged "$got"
}

cron_finish() {
	if [ -z "$cron_pid" ]; then
		skip "cron" "cron is not here"
		return
	fi
	user=$web
	cron_arrived "cron, for a user, to MAILTO" \
	    www-data@lab.example a@example.com b@example.com <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		From: root@lab.example (Cron Daemon)
		To: a@example.com,b@example.com
		Subject: Cron <www-data@vm> printf 'öut\n.\n'; echo err >&2; printf 'no newline'
		MIME-Version: 1.0
		Content-Type: text/plain; charset=UTF-8
		Content-Transfer-Encoding: 8bit
		X-Cron-Env: <MAILTO=a@example.com,b@example.com>
		X-Cron-Env: <SHELL=/bin/sh>
		X-Cron-Env: <HOME=/var/www>
		X-Cron-Env: <PATH=/usr/bin:/bin>
		X-Cron-Env: <LOGNAME=www-data>

		öut
		.
		err
		no newline
	END
	user=0
	cron_arrived "cron, for root, to an alias" root@lab.example admin@lab.example <<-'END'
		Date: DATE
		Message-ID: <TOKEN@vm.lab.example>
		From: root@lab.example (Cron Daemon)
		To: root@lab.example
		Subject: Cron <root@vm> echo from-crontab
		MIME-Version: 1.0
		Content-Type: text/plain; charset=UTF-8
		Content-Transfer-Encoding: 8bit
		X-Cron-Env: <SHELL=/bin/sh>
		X-Cron-Env: <HOME=/root>
		X-Cron-Env: <PATH=/usr/bin:/bin>
		X-Cron-Env: <LOGNAME=root>

		from-crontab
	END
	what='cron, to a server that says "later"' user=$web
	queued cron@later.example
	cron_later=$entry
	stop_server "$cron_pid" 2>/dev/null
}
