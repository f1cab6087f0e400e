# shellcheck shell=sh disable=SC2154 # the variables of systems.sh
# leave.sh: remove and purge, with and without mail in the queue.

letter() {
	printf 'Subject: %s\n\nIt waits.\n' "$1" | as alice /usr/sbin/sendmail "$1@example.net"
}

begin_room leave new
everything >"$T/before"

ours "on a system without an MTA"
check "purge at once" apt purge qmtp-sendmail libqmtp0
everything >"$T/after"
is "purged: nothing is left" "$(diff "$T/before" "$T/after")" ''

ours "again"
is "/etc/mailname" "$(cat "$ROOT/etc/mailname")" lab.example
check "mail with no server up" letter one
is "it waits" "$(waiting)" 1
check "remove" apt remove qmtp-sendmail
is "removed: no program is left" "$(cd "$ROOT" && find usr lib -xdev -name '*qmtp*' \
    ! -path '*/libqmtp0*' ! -name 'libqmtp.so.*' ! -path '*/qmtp-*')" ''
is "removed: sendmail is gone" "$(inside sh -c 'command -v sendmail mailq newaliases')" ''
is "removed: the mail still waits" "$(waiting)" 1
check "removed: so does the configuration" test -s "$ROOT/etc/qmtp-sendmail.conf"

check "purge" apt purge qmtp-sendmail libqmtp0
is "purged: the mail is left" "$(waiting)" 1
is "purged: with its owner and mode" "$(inside find "$spool/queue" -type f -printf '%u %g %m\n')" \
    'alice qmtpq 660'
everything >"$T/after"
is "purged: nothing else is left" "$(diff "$T/before" "$T/after" | grep '^[<>]' |
    grep -v -e "^> \.$spool" -e ' etc/passwd$' -e ' etc/group$' -e ' etc/shadow$' -e ' etc/gshadow$')" ''

ours "installed again"
up leave
check "flush" inside setpriv --reuid qmtpq --regid qmtpq --groups qmtpdrop /usr/sbin/qmtp-flush --once
came "the mail that waited" alice one@example.net <<-'END'
	Date: DATE
	From: Alice <alice@lab.example>
	Message-ID: <TOKEN@vm.lab.example>
	Subject: one

	It waits.
END
stop_server
check "mail with no server up" letter two
is "it waits" "$(waiting)" 1
answer qmtp-sendmail qmtp-sendmail/purge-queue boolean true
check "purge, mail and all" apt purge qmtp-sendmail libqmtp0
everything >"$T/after"
is "purged: nothing is left, no mail either" "$(diff "$T/before" "$T/after")" ''
