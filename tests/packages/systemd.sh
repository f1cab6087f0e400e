# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systems.sh
# systemd.sh: the units under systemd as process 1, in one room from the first installation to the purge:
# upgraded.sh, sandbox.sh, smtp.sh, stopped.sh, gone.sh.
# shellcheck source=tests/packages/booted.sh
. "$top_srcdir/tests/packages/booted.sh"

# confined PROGRAM ...: as alice, and no set-group-id bit helps
confined() {
	as alice setpriv --no-new-privs "$@"
}

# letter RECIPIENT PROGRAM ...: sent by what follows, "as alice"
letter() {
	letter_to=$1
	shift
	printf 'Subject: a letter\n\nIt waits.\n' | "$@" /usr/sbin/sendmail "$letter_to"
}

# letter_came WHAT RECIPIENT
letter_came() {
	came "$1" alice "$2" <<-'END'
		Date: DATE
		From: Alice <alice@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: a letter

		It waits.
	END
}

# smtp WORD ...: smtp.php as alice
smtp() {
	as alice php -n -- "$@" <"$top_srcdir/tests/packages/smtp.php"
}

# configured LINE ...: with these lines and the server of the rooms
configured() {
	printf '%s\n' "$@" "server \"127.0.0.1\" { port = $port }" >"$ROOT/etc/qmtp-sendmail.conf"
}

# settled: what is not of systemd's own at /etc/systemd and what it remembers of packages
settled() {
	(cd "$ROOT" && find etc/systemd var/lib/systemd ! -path '*/journal/*' -printf '%p %l\n' | sort)
}

# in_seconds COMMAND ...: sets TOOK
in_seconds() {
	TOOK=$(date +%s)
	"$@"
	TOOK=$(($(date +%s) - TOOK))
}

# units OPTION ...: those of ours
units() {
	inside systemctl list-units --no-legend --plain "$@" 'qmtp-*'
}

# comes WHAT RECIPIENT: sets got. Not by check, which is a subshell.
comes() {
	if wait_for package_to "$2"; then
		ok "$1"
	else
		not_ok "$1" "$(ls "$store")"
	fi
}

systemd_cases() {
	for unit in qmtp-sendmail.service qmtp-sendmail-queue.socket; do
		check "$unit is active" active "$unit"
	done
	is "SMTP is off" "$(inside systemctl is-enabled qmtp-sendmail-smtp.socket)" disabled
	check "mail with no server up" letter plain@example.net as alice
	check "mail of a caller with NoNewPrivileges" letter door@example.net confined
	waits "both wait" 2
	is "whose they are" "$(inside find "$spool/queue" -type f -printf '%u %m\n' | sort -u)" 'alice 660'
	is "one came through the door" "$(journal | grep -c 'Started qmtp-sendmail-queue@')" 1

	# Another one comes after ten seconds
	flusher=$(main_pid)
	check "the flusher is killed" inside systemctl kill -s KILL --kill-who=main qmtp-sendmail.service
	# shellcheck source=tests/packages/upgraded.sh
	. "$top_srcdir/tests/packages/upgraded.sh"
	# shellcheck source=tests/packages/sandbox.sh
	. "$top_srcdir/tests/packages/sandbox.sh"
	# shellcheck source=tests/packages/smtp.sh
	. "$top_srcdir/tests/packages/smtp.sh"
	# shellcheck source=tests/packages/stopped.sh
	. "$top_srcdir/tests/packages/stopped.sh"
	# shellcheck source=tests/packages/gone.sh
	. "$top_srcdir/tests/packages/gone.sh"
}

begin_room systemd old
quietly apt install systemd-sysv dbus
settled >"$T/settled"
ours "qmtp-sendmail where systemd is not running yet"
umount "$ROOT/dev/log" 2>/dev/null
systemd_failed=$lib_failed
boot
case $? in
0)
	ok "systemd is PID 1"
	systemd_cases
	[ "$lib_failed" -eq "$systemd_failed" ] || journal -b -o short-monotonic -n 300 | sed 's/^/# /'
	power_cut
	;;
1) not_ok "systemd is PID 1" "$(cat "$T/boot.out")" ;;
2) skip "systemd" "no control groups for it: $(cat "$T/boot.out")" ;;
esac
