# shellcheck shell=sh disable=SC2154,SC2016 # the variables of systems.sh
# policy.sh: what Debian Policy (9.2, 11.6, 12.1) asks of an MTA, and what the three packages hold.

page() {
	gzip -dc "$(inside readlink -f "/usr/share/man/man${1##*.}/$1.gz" | sed "s|^|$ROOT|")"
}

begin_room policy new
cp "$T"/debs/new/libqmtp-dev_*.deb "$ROOT/new/"
ours "the three packages"
is "an MTA like any other, and at most one" \
    "$(inside dpkg-query -W -f '${Provides}, ${Conflicts}, ${Replaces}' qmtp-sendmail)" \
    'mail-transport-agent, mail-transport-agent, mail-transport-agent'
is "Multi-Arch" "$(inside dpkg-query -W -f '${Package} ${Multi-Arch}\n' 'libqmtp*' qmtp-sendmail)" \
    'libqmtp-dev same
libqmtp0 same
qmtp-sendmail foreign'
for program in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases; do
	is "$program" "$(inside readlink -f "$program")" /usr/sbin/qmtp-sendmail
done
check "newaliases" inside newaliases
is "mailq" "$(inside mailq)" 'Mail queue is empty'
check "mail from a local name" as alice sh -c 'echo hello | /usr/sbin/sendmail -odq bob@example.net'
is "has the domain of /etc/mailname" "$(inside mailq | grep -o '[a-z]*@lab.example')" alice@lab.example

for name in $(inside dpkg -L qmtp-sendmail | sed -n 's|^/usr/bin/\(.*\)|\1.1|p; s|^/usr/sbin/\(.*\)|\1.8|p') \
    qmtp-queue.8 qmtp-sendmail.conf.5 qmtp.3 qmtp_send.3; do
	check "manual: $name" sh -c 'echo "$1" | grep -qF "$2"' sh "$(page "$name")" "${name%.*}"
done

is "the user" "$(inside getent passwd qmtpq | cut -d : -f 5-)" \
    'mail queue,,,:/var/spool/qmtp-sendmail:/usr/sbin/nologin'
is "and the groups" "$(inside id -Gn qmtpq)" 'qmtpq qmtpdrop'
is "the mode of the helper" "$(inside dpkg-statoverride --list '*qmtp*')" \
    'root qmtpdrop 2755 /usr/libexec/qmtp-sendmail/qmtp-queue'
is "set-group-id is nothing else" "$(inside dpkg -L qmtp-sendmail libqmtp0 libqmtp-dev |
    sed "s|^|$ROOT|" | xargs -I FILE find FILE -maxdepth 0 -perm /6000 -printf '%f\n')" qmtp-queue
is "files are as they were packed" "$(inside dpkg --verify qmtp-sendmail libqmtp0 libqmtp-dev)" ''
is "the configuration is ucf's" "$(inside ucfq -w /etc/qmtp-sendmail.conf)" \
    /etc/qmtp-sendmail.conf:qmtp-sendmail:Yes:No
is "what starts with the system" "$(cd "$ROOT/etc/systemd/system" && find . -name 'qmtp-*' | sort)" \
    './multi-user.target.wants/qmtp-sendmail.service
./sockets.target.wants/qmtp-sendmail-queue.socket'

examples=$ROOT/usr/share/doc/qmtp-sendmail/examples
is "examples" "$(cd "$examples" && find . -type f | sort)" './apparmor/usr.sbin.qmtp-flush
./cron/qmtp-sendmail
./openrc/qmtp-flush
./openrc/qmtp-queue'
is "in which nothing is left to fill in" "$(grep -rl '@[a-z_]*@' "$examples")" ''
check "the AppArmor profile can be loaded" apparmor_parser --skip-kernel-load --skip-cache \
    --ofile /dev/null "$examples/apparmor/usr.sbin.qmtp-flush"

mkdir "$ROOT/tmp/api"
for example in send loop many; do
	check "libqmtp-dev: $example.c" inside sh -c 'cd /tmp/api &&
	    gcc -Wall -Wextra -Werror -o "$1" "/usr/share/doc/libqmtp-dev/examples/$1.c" \
	    $(pkg-config --cflags --libs qmtp)' sh "$example"
done
up policy
printf 'Subject: a test\n\nhello\n' >"$ROOT/tmp/api/mail"
check "send sends" inside /tmp/api/send -p "$port" -f alice@lab.example -m /tmp/api/mail \
    127.0.0.1 bob@example.net
is "and the mail is there" "$(cat "$store"/*.rcpts "$store"/*.sender "$store"/*.message)" \
    "bob@example.net
alice@lab.example$(cat "$ROOT/tmp/api/mail")"
stop_server
