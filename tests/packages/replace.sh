# shellcheck shell=sh disable=SC2154,SC2034,SC2016 # the variables of systems.sh
# replace.sh: over nullmailer, with an upgrade; and over Postfix.

begin_room nullmailer old
echo lab.example >"$ROOT/etc/mailname"
answer nullmailer nullmailer/relayhost string relay.lab.example
check "nullmailer is there, and mail(1)" apt install nullmailer bsd-mailx
ours "the older version replaces nullmailer"
is "nullmailer is gone" "$(state_of nullmailer)" config-files
is "mail(1) is still there" "$(state_of bsd-mailx)" installed

up nullmailer
cron_of up
for name in alice www-data; do
	mail_of "$name" up
	mail_came "$name" up
done
WAIT=75
for name in alice www-data; do
	cron_came "$name" up
done
WAIT=''
stop_server "$JOB" 2>/dev/null
rm "$ROOT"/etc/cron.d/*_up
is "up: nothing waits" "$(waiting)" 0
stop_server

# The flusher is at work meanwhile.
flusher
flush=$JOB
cron_of down
for name in alice www-data; do
	mail_of "$name" down
done
WAIT=75
waits "down: everything waits" 6
WAIT=''
stop_server "$JOB" 2>/dev/null
rm "$ROOT"/etc/cron.d/*_down
is "down: whose it is" "$(inside find "$spool/queue" -type f -printf '%u %m\n' | sort | uniq -c |
    sed 's/^ *//')" "3 alice 660
3 www-data 660"
inside mailq >"$T/mailq"
is "down: mailq shows it to root" "$(grep -o '[a-z]*\.[a-z-]*\.down@example.net' "$T/mailq" | sort)" \
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

flusher
flush=$JOB
up back
check "back: everything is tried" inside mailq --retry all
for name in alice www-data; do
	mail_came "$name" down
	cron_came "$name" down
done
waits "back: nothing waits" 0
is "back: nothing came twice" "$(cat "$store"/*.rcpts | sort | uniq -d)" ''
stop_server "$flush" 2>/dev/null

check "nullmailer replaces it" apt install nullmailer
is "qmtp-sendmail is gone" "$(state_of qmtp-sendmail)" config-files
check "purge" apt purge qmtp-sendmail libqmtp0
is "nullmailer is still there" "$(state_of nullmailer) $(inside sh -c 'test -x /usr/sbin/sendmail && echo sendmail')" \
    'installed sendmail'
is "so is /etc/mailname" "$(cat "$ROOT/etc/mailname")" lab.example
stop_server

begin_room postfix new
answer postfix postfix/main_mailer_type select 'Satellite system'
answer postfix postfix/mailname string lab.example
answer postfix postfix/relayhost string relay.lab.example
check "Postfix is there, and mail(1)" apt install postfix bsd-mailx
ours "qmtp-sendmail replaces Postfix"
is "Postfix is gone" "$(state_of postfix)" config-files
check "and its configuration" apt purge postfix
up postfix
for name in alice www-data; do
	mail_of "$name" postfix
	mail_came "$name" postfix
done
stop_server
check "Postfix replaces it" apt install postfix
is "qmtp-sendmail is gone" "$(state_of qmtp-sendmail)" config-files
check "purge" apt purge qmtp-sendmail libqmtp0
check "Postfix's sendmail is there" inside test -x /usr/sbin/sendmail
