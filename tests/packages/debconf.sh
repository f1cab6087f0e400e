# shellcheck shell=sh disable=SC2154 # the variables of systems.sh
# debconf.sh: answers of many kinds and none, and what the administrator has made or changed.

conf=etc/qmtp-sendmail.conf
helper=/usr/libexec/qmtp-sendmail/qmtp-queue

servers_of_conf() {
	grep '^server' "$ROOT/$conf"
}

helper_mode() {
	inside stat -c '%U %G %a' "$helper"
}

# typing WORDS: dpkg-reconfigure in a terminal in which that is typed. What it said is in $T/typing.
typing() {
	# shellcheck disable=SC2016 # the inner shell's
	printf '%s\n' "$1" | chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LC_ALL=C.UTF-8 \
	    timeout 60 script -qec 'dpkg-reconfigure -f readline -p low qmtp-sendmail' /dev/null >"$T/typing"
}

begin_room debconf old
terminals
everything >"$T/before"
echo lab.example >"$ROOT/etc/mailname"
answer qmtp-sendmail qmtp-sendmail/servers string \
    "mail1.lab.example mail2.lab.example/628 mail1.lab.example/6209 mail1.lab.example ::1/628 mail3/smtp"
answer qmtp-sendmail qmtp-sendmail/default-domain string other.example
check "the administrator's own mode of the helper" inside dpkg-statoverride --add root root 0755 "$helper"
check "several servers are answered" install_ours
is "each is in the configuration" "$(servers_of_conf)" 'server "mail1.lab.example" {}
server "mail2.lab.example" { port = 628 }
server "mail1.lab.example/6209" { host = "mail1.lab.example" port = 6209 }
server "::1" { port = 628 }'
check "the configuration is right" inside sendmail --check
is "/etc/mailname that was there is left" "$(cat "$ROOT/etc/mailname")" lab.example
is "the helper has the administrator's mode" "$(helper_mode)" 'root root 755'

rm "$ROOT/etc/mailname"
servers_of_conf >"$T/servers"
chmod 640 "$ROOT/$conf"
ln "$ROOT/$conf" "$ROOT/tmp/conf"
bring "$T/debs/new"
check "an upgrade, the configuration unchanged" install_ours
servers_of_conf >"$T/after"
same "the same servers" "$T/after" "$T/servers"
is "with the new example" "$(grep -v '^server' "$ROOT/$conf" | cksum)" \
    "$(cksum <"$ROOT/usr/share/qmtp-sendmail/qmtp-sendmail.conf")"
is "which is not the old one" "$(grep -c 'As it was once' "$ROOT/$conf")" 0
is "exchanged whole: who had it open has all of the old one" "$(grep -c 'As it was once' "$ROOT/tmp/conf")" 1
is "with the administrator's mode" "$(stat -c %a "$ROOT/$conf")" 640
is "the helper has the administrator's mode" "$(helper_mode)" 'root root 755'
is "/etc/mailname that was removed does not come back" "$(ls "$ROOT/etc/mailname" 2>/dev/null)" ''
check "purge" apt purge qmtp-sendmail libqmtp0
is "the administrator's override is left" "$(inside dpkg-statoverride --list "$helper")" \
    "root root 755 $helper"
inside dpkg-statoverride --remove "$helper"
everything >"$T/after"
is "and nothing else" "$(diff "$T/before" "$T/after")" ''

# Nothing is known, not even a domain.
printf '127.0.0.1 localhost\n127.0.1.1 vm\n' >"$ROOT/etc/hosts"
check "no answer" install_ours
is "no server" "$(servers_of_conf)" ''
is "/etc/mailname" "$(cat "$ROOT/etc/mailname")" vm
printf 'Subject: a test\n\n' | as alice /usr/sbin/sendmail bob@example.net 2>"$T/said"
is "mail is refused" "$?" 78
is "for want of a server" "$(cat "$T/said")" 'sendmail: /etc/qmtp-sendmail.conf: no server is given'
check "dpkg-reconfigure asks" typing mail4.lab.example
is "and there is one" "$(servers_of_conf)" 'server "mail4.lab.example" {}'
check "the configuration is right" inside sendmail --check

echo '# mine' >>"$ROOT/$conf"
chmod 600 "$ROOT/$conf"
cp "$ROOT/$conf" "$T/conf"
check "dpkg-reconfigure after a change" typing mail5.lab.example
is "asks for no server" "$(grep -c 'Servers that take' "$T/typing")" 0
same "and leaves the file" "$ROOT/$conf" "$T/conf"
is "with its mode" "$(stat -c %a "$ROOT/$conf")" 600

# An override that names the group
inside dpkg-statoverride --remove "$helper"
inside dpkg-statoverride --update --add root qmtpdrop 0755 "$helper"
check "purge" apt purge qmtp-sendmail libqmtp0
check "dpkg can go on" install_ours
is "the helper has the administrator's mode" "$(helper_mode)" 'root qmtpdrop 755'
inside dpkg-statoverride --remove "$helper"
check "purge, without it" apt purge qmtp-sendmail libqmtp0
printf '127.0.0.1 localhost\n127.0.1.1 vm.lab.example vm\n' >"$ROOT/etc/hosts"
everything >"$T/after"
is "nothing is left" "$(diff "$T/before" "$T/after")" ''
