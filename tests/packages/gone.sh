# shellcheck shell=sh disable=SC2154,SC2034 # the variables of systemd.sh
# gone.sh: removed while mail waits and SMTP is enabled, installed again, purged.

check "SMTP is enabled" inside systemctl enable --now --quiet qmtp-sendmail-smtp.socket
check "mail with no server up" letter stays@example.net as alice
queue_sums >"$T/sums"
check "remove" apt remove qmtp-sendmail
is "removed: nobody listens" "$(smtp full 2>&1)" 'smtp.php: 127.0.0.1: Connection refused'
is "removed: no unit is left" "$(units)" ''
is "removed: nothing is running" "$(running)" ""
is "removed: no socket is left" "$(inside find /run/qmtp-sendmail -type s 2>&1)" ''
queue_sums >"$T/sums.now"
same "removed: the mail is as it was" "$T/sums.now" "$T/sums"

up again
ours "installed again"
letter_came "the mail that waited" stays@example.net
check "mail by SMTP, as the administrator has it" smtp many 1 smtp@example.net 0 127.0.0.1
check "mail through the door" letter door@example.net confined
letter_came "it" door@example.net
waits "nothing waits" 0
stop_server
is "nothing has failed" "$(inside systemctl --failed --no-legend --plain)" ''

check "purge" apt purge qmtp-sendmail libqmtp0
is "purged: no unit is left" "$(units --all)" ''
is "purged: nothing has failed" "$(inside systemctl --failed --no-legend --plain)" ''
settled >"$T/settled.now"
is "purged: nothing is left with systemd" "$(diff "$T/settled" "$T/settled.now")" ''
check "purged: nothing is left in the spool" [ ! -e "$ROOT$spool" ]
