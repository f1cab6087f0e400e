# shellcheck shell=sh disable=SC2154,SC2034 # the variables of callers.sh and arrived.sh
# queue.sh: the spool as it is installed. What is in it by now (php.sh, libraries.sh, cron.sh)
# and what comes here, with every server down, goes when a server is back.

# rights PATH: type, owner and mode
rights() {
	stat -c '%F, %U:%G %a' "$1" 2>&1
}

installed_cases() {
	what=$1
	is "$what: the helper" "$(rights /usr/libexec/qmtp-sendmail/qmtp-queue)" \
	    'regular file, root:qmtpdrop 2755'
	is "$what: the command" "$(rights /usr/sbin/qmtp-sendmail)" 'regular file, root:root 755'
	is "$what: the flusher" "$(rights /usr/sbin/qmtp-flush)" 'regular file, root:root 755'
	is "$what: the spool" "$(rights "$spool")" 'directory, root:qmtpdrop 710'
	for name in tmp queue; do
		is "$what: $name" "$(rights "$spool/$name")" 'directory, qmtpq:qmtpq 3777'
	done
	for name in failed corrupt; do
		is "$what: $name" "$(rights "$spool/$name")" 'directory, qmtpq:qmtpq 700'
	done
	is "$what: lock" "$(rights "$spool/lock")" 'regular empty file, qmtpq:qmtpq 600'
	is "$what: groups" "$(id -Gn qmtpq)" 'qmtpq qmtpdrop'
}

# servers LINE ...: the configuration has these servers.
servers() {
	{
		sed '/^[[:space:]]*server /d' /etc/qmtp-sendmail.conf
		printf '%s\n' "$@"
	} >"$T/conf"
	cat "$T/conf" >/etc/qmtp-sendmail.conf
}

# as_flusher COMMAND ...: what qmtp-sendmail.service gives the flusher, and no more
as_flusher() {
	exec setpriv --reuid qmtpq --regid qmtpq --init-groups --no-new-privs --bounding-set=-all "$@"
}

# Not by trying: that would lock it.
locked() {
	grep -q ":$(stat -c %i "$spool/lock") " /proc/locks
}

nothing_waits() {
	[ -z "$(ls "$spool/queue")" ]
}

# flushed ID SENDER RECIPIENT: that entry arrived at the server that came back, and the log says so;
# the message is on standard input.
flushed() {
	line="<22>TIME qmtp-flush[PID]: $1: to=<$3> relay=back[127.0.0.1]:$PORT delay=D status=sent (ok)"
	wait_for_line "$T/log" " $1: to=<$3> relay=back"
	is "$what: the log of the flusher" "$(grep -a " $1: " "$T/log" | sed -E \
	    's/^(<[0-9]+>)[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} ([^ []+)\[[0-9]+\]: /\1TIME \2[PID]: /
	    s/ delay=[0-9]+\.[0-9]{2} / delay=D /; s/\(ok [0-9]+\)$/(ok)/')" "$line"
	token=$(grep -a " to=<$3> .*queued as $1" "$T/log" |
	    sed -n 's/.*\]: \([0-9a-z]\{16\}\) to=.*/\1/p')
	got=$(grep -l "id ${token:-none};" "$T"/back/*.message)
	got=${got%.message}
	is "$what: sender" "$(cat "$got.sender")" "$2"
	is "$what: recipient" "$(cat "$got.rcpts")" "$3"
	same_message "$got.message"
}

plain() {
	cat <<-'END'
		Date: DATE
		From: www-data <www-data@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		To: bob@example.com
		Subject: Subj

		line1
		line2
		.
		end
	END
}

installed_cases "spool-setup"
if [ -n "$LIVE_BUILD" ]; then
	chmod 700 /usr/libexec/qmtp-sendmail/qmtp-queue "$spool"
	chown root:root "$spool" "$spool/queue"
	check "make install" env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$LIVE_BUILD" install
	installed_cases "make install, again"
fi

# Every server is down.
servers "server \"mail1\" { host = \"127.0.0.1\" port = $dead }"
web_run "php: all servers down" 0 php -n "$T/mail.php" plain
queued bob@example.com
down=$entry

# The helper's group cannot be gained; and nobody is at the socket.
web_run "php: no_new_privs, no socket" 1 setpriv --no-new-privs php -n "$T/mail.php" plain
said '*bob@example.com*'
is "$what: nothing was stored" "$(find "$spool/queue" "$spool/tmp" -newer "$spool/queue/$down" -type f)" ''

socket=/run/qmtp-sendmail/queue.sock unit=''
mkdir -p "${socket%/*}"
/usr/libexec/qmtp-sendmail/qmtp-queue listen 2>"$T/listen.err" &
listener=$!
at_end $listener
wait_for test -S $socket
web_run "php: no_new_privs, by the socket" 0 setpriv --no-new-privs php -n "$T/mail.php" plain
queued bob@example.com
listen=$entry

# The same as qmtp-sendmail-queue.socket has it: a process for each connection, with no more
# power than to change its ids
if command -v systemd-socket-activate >/dev/null; then
	stop_server $listener 2>/dev/null
	rm -f $socket
	setpriv --no-new-privs --bounding-set=-all,+setuid,+setgid systemd-socket-activate --inetd -a -l $socket /usr/libexec/qmtp-sendmail/qmtp-queue serve \
	    >"$T/activate.out" 2>&1 &
	listener=$!
	at_end $listener
	wait_for test -S $socket
	chmod 666 $socket
	web_run "php: no_new_privs, by a socket of systemd" 0 \
	    setpriv --no-new-privs php -n "$T/mail.php" plain
	queued bob@example.com
	unit=$entry
fi

# Users see their own, root all.
# shellcheck disable=SC2016 # the $ are of the inner shell
in_mailq='mailq | grep -q "^$1"'
for id in "$php_later" "$symfony_later" "$cron_later" "$down" "$listen" $unit; do
	run "mailq, as root: $id" 0 sh -c "$in_mailq" sh "$id"
done
web_run "mailq: $down" 0 sh -c "$in_mailq" sh "$down"
web_run "mailq: $symfony_later, of root" 1 sh -c "$in_mailq" sh "$symfony_later"
web_run "mailq, no_new_privs: $down" 0 setpriv --no-new-privs sh -c "$in_mailq" sh "$down"

# Nobody is back: what waits stays.
waiting=5
[ -z "$unit" ] || waiting=6
line=$(sed -n 's/^\*.* qmtpq //p' "${LIVE_BUILD:-$top_builddir}/packaging/cron/qmtp-sendmail")
run "cron's line, all servers down" 0 setpriv --reuid qmtpq --regid qmtpq --init-groups sh -c "$line"
is "$what: all are there" "$(find "$spool/queue" -type f | wc -l)" "$waiting"

# A server is back.
start_server --store "$T/back" --log "$T/back.log"
servers "server \"mail1\" { host = \"127.0.0.1\" port = $dead }" \
    "server \"back\" { host = \"127.0.0.1\" port = $PORT }"
run "qmtp-flush --once, by root" 0 qmtp-flush --once
check "$what: nothing is left" nothing_waits

user=$web
plain >"$T/plain"
what="php, queued"
flushed "$down" www-data@lab.example bob@example.com <"$T/plain"
what="php, queued through the socket"
for id in "$listen" $unit; do
	flushed "$id" www-data@lab.example bob@example.com <"$T/plain"
done
what="php, queued after \"later\""
flushed "$php_later" www-data@lab.example no@later.example <<-'END'
	Date: DATE
	From: www-data <www-data@lab.example>
	Message-ID: <TOKEN@vm.lab.example>
	To: no@later.example
	Subject: Subj

	body
END
what="cron, queued"
flushed "$cron_later" www-data@lab.example cron@later.example <<-'END'
	Date: DATE
	Message-ID: <TOKEN@vm.lab.example>
	From: root@lab.example (Cron Daemon)
	To: cron@later.example
	Subject: Cron <www-data@vm> echo later
	MIME-Version: 1.0
	Content-Type: text/plain; charset=UTF-8
	Content-Transfer-Encoding: 8bit
	X-Cron-Env: <MAILTO=cron@later.example>
	X-Cron-Env: <SHELL=/bin/sh>
	X-Cron-Env: <HOME=/var/www>
	X-Cron-Env: <PATH=/usr/bin:/bin>
	X-Cron-Env: <LOGNAME=www-data>

	later
END
user=0
what="Symfony Mailer, queued"
symfony_carol 2 | sed 's/carol@example.com/no@later.example/' >"$T/later"
flushed "$symfony_later" shop@lab.example no@later.example <"$T/later"

# As a service it stays, and is woken by what comes.
as_flusher /usr/sbin/qmtp-flush >"$T/flush.out" 2>&1 &
flusher=$!
at_end $flusher
wait_for locked
user=$web
entry_before=$entry
web_run "php, to the spool first" 0 php -n "$T/mail.php" queue-first
wait_for new_entry bob@example.com
flushed "$entry" www-data@lab.example bob@example.com <"$T/plain"
wait_for nothing_waits
check "$what: nothing is left" nothing_waits
stop_server $flusher
is "qmtp-flush, ended: exit code" $? 0
is "qmtp-flush: quiet" "$(cat "$T/flush.out")" ''
stop_server $listener 2>/dev/null
