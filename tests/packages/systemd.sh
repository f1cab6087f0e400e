# shellcheck shell=sh disable=SC2154,SC2034,SC2016 # the variables of systems.sh
# systemd.sh: the units under systemd.

# A control group that systemd can have for its own
cgroup=$T/cgroup/${T##*/}
init=''

booted_end() {
	kill -KILL "$boot" 2>/dev/null
	wait "$boot" 2>/dev/null
	cg_tries=0
	while [ -d "$cgroup" ] && [ "$cg_tries" -lt 100 ]; do
		find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
		cg_tries=$((cg_tries + 1))
		sleep 0.05
	done
	umount "$T/cgroup"
}

init_is_there() {
	init=$(awk -v parent="$boot" '$4 == parent { print $1; exit }' /proc/[0-9]*/stat 2>/dev/null)
	[ -n "$init" ] && [ "$(cat "/proc/$init/comm")" = systemd ]
}

# booted PROGRAM ...: there
booted() {
	nsenter --target "$init" --mount --pid --uts --ipc --cgroup --root --wd=/ \
	    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TZ=UTC LC_ALL=C.UTF-8 "$@" </dev/null
}

active() {
	[ "$(booted systemctl is-active "$1")" = active ]
}

main_pid() {
	booted systemctl show -p MainPID --value qmtp-sendmail.service
}

another_flusher() {
	active qmtp-sendmail.service && [ "$(main_pid)" != "$flusher" ] && [ "$(main_pid)" != 0 ]
}

# letter [OPTION OF SETPRIV]: to $to, as alice
letter() {
	printf 'Subject: a letter\n\nIt waits.\n' >"$ROOT/tmp/letter"
	booted setpriv --reuid alice --regid alice --init-groups "$@" \
	    sh -c 'exec /usr/sbin/sendmail "$1" </tmp/letter' sh "$to"
}

# letter_came WHAT
letter_came() {
	came "$1" alice "$to" <<-'END'
		Date: DATE
		From: Alice <alice@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: a letter

		It waits.
	END
}

begin_room systemd new
quietly apt install systemd-sysv dbus
ours "qmtp-sendmail where systemd is not running yet"
umount "$ROOT/dev/log" 2>/dev/null
mkdir "$T/cgroup"
if ! mount -t cgroup2 cgroup2 "$T/cgroup" || ! mkdir "$cgroup"; then
	skip "systemd" "no control groups here"
else
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$cgroup" \
	    unshare --mount --pid --uts --ipc --cgroup --fork --kill-child=SIGKILL \
	    sh "$top_srcdir/tests/packages/boot.sh" "$ROOT" </dev/null >"$T/boot.out" 2>&1 &
	boot=$!
	at_end "$boot"
	if ! WAIT=30 wait_for init_is_there; then
		not_ok "systemd is PID 1" "$(cat "$T/boot.out")"
	else
		ok "systemd is PID 1"
		WAIT=10
		wait_for active multi-user.target
		for unit in qmtp-sendmail.service qmtp-sendmail-queue.socket; do
			if wait_for active "$unit"; then
				ok "$unit is active"
			else
				not_ok "$unit is active" "$(booted systemctl status --no-pager "$unit" 2>&1)" \
				    "$(booted journalctl --no-pager -b -n 60)" "$(tail -n 40 "$T/boot.out")"
			fi
		done
		is "SMTP is off" "$(booted systemctl is-enabled qmtp-sendmail-smtp.socket)" disabled
		: >"$T/log"
		to=plain@example.net
		check "mail with no server up" letter
		to=door@example.net
		check "mail of a caller with NoNewPrivileges" letter --no-new-privs
		waits "both wait" 2
		is "whose they are" "$(inside find "$spool/queue" -type f -printf '%u %m\n' | sort -u)" \
		    'alice 660'
		is "one came through the door" "$(booted journalctl --no-pager -o cat |
		    grep -c 'Started qmtp-sendmail-queue@')" 1

		flusher=$(main_pid)
		check "the flusher is killed" booted sh -c "kill -KILL $flusher"
		if wait_for another_flusher; then
			ok "and another one is at work"
		else
			not_ok "and another one is at work" "$(booted systemctl status --no-pager qmtp-sendmail)"
		fi
		up systemd
		check "everything is tried" booted mailq --retry all
		to=plain@example.net
		letter_came "the first"
		to=door@example.net
		letter_came "the second"
		waits "nothing waits" 0
		stop_server
		is "nothing has failed" "$(booted systemctl --failed --no-legend --plain)" ''
		check "removed" booted env DEBIAN_FRONTEND=noninteractive dpkg --purge qmtp-sendmail
		is "no unit is left" "$(booted systemctl list-units --all --no-legend --plain 'qmtp-*')" ''
		WAIT=''
	fi
	booted_end
fi
