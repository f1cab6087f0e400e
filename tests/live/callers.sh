#!/bin/sh
# Inside the namespaces of live.sh: the server, the log, and every caller in turn. TAP.

TMPDIR=/run
# shellcheck source=tests/live/room.sh
. "${srcdir:-.}/tests/live/room.sh"
top_srcdir=$(pwd)
furnish || { echo "1..0 # SKIP no private file systems here" && exit 0; }
install_here || { echo "Bail out! cannot install" && exit 99; }

# shellcheck source=tests/integration/lib.sh
. "$top_srcdir/tests/integration/lib.sh"
# shellcheck source=tests/live/arrived.sh
. "$top_srcdir/tests/live/arrived.sh"
chmod 755 "$T"
live=$top_srcdir/tests/live

# Two servers: the first one is down.
start_server --refuse
dead=$PORT
start_server --store "$T/got" --log "$T/server.log" \
    --rule '*@refused.example=Dno such user here (#5.1.1)' \
    --rule '*@later.example=Zcome back later (#4.3.0)'
cat >/etc/qmtp-sendmail.conf <<-END
	hostname       = "vm.lab.example"
	default-domain = "lab.example"
	server "mail1" { host = "127.0.0.1" port = $dead }
	server "mail2" { host = "127.0.0.1" port = $PORT }
END
chmod 644 /etc/qmtp-sendmail.conf
"$LOGSINK" /dev/log "$T/log" &
at_end $!
wait_for test -S /dev/log

# shellcheck source=tests/live/cron.sh
. "$live/cron.sh"
cron_start

check "/usr/sbin/sendmail is ours" /usr/sbin/sendmail --version
check "/etc/qmtp-sendmail.conf is right" /usr/sbin/sendmail --check
check "newaliases" newaliases

# shellcheck source=tests/live/php.sh
. "$live/php.sh"
# shellcheck source=tests/live/mailers.sh
. "$live/mailers.sh"
# shellcheck source=tests/live/libraries.sh
. "$live/libraries.sh"
# shellcheck source=tests/live/system.sh
. "$live/system.sh"
cron_finish

is "no hidden recipient is in a message" \
    "$(grep -rl hidden.example "$T/got" --include='*.message')" ''
is "nothing was refused or broken off by the server" "$(find "$T/got" -name '*.broken')" ''
is "the log has nothing else" "$(grep -a qmtp-sendmail "$T/log" |
    grep -avE ' (from=<.*msgid=<|to=<.*relay=(mail[12]|queue).*status=)' |
    grep -avE ': (<no@|-C: counts|no recipients |To: bad address )')" ''

# shellcheck source=tests/live/queue.sh
. "$live/queue.sh"
done_testing
