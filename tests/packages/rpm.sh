# shellcheck shell=sh disable=SC2154,SC2034,SC2016 # the variables of systems.sh
# rpm.sh: the RPM packages, with Debian's rpm and an empty database of packages in a room. One thing is
# pretended: update-alternatives is called alternatives, too.

# rpms TREE DIR FLAGS [VARIABLE=VALUE ...] [COMMAND ...]: builds those of the last commit of a tree
rpms() {
	tree=$1 dir=$2 flags=$3
	shift 3
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC -u srcdir -u top_builddir \
	    RPM_BUILD_FLAGS="--nodeps $flags" "$@" "$tree/packaging/build-rpm" "$dir"
}

build_rpms() {
	quietly mount -t tmpfs tmpfs /var/tmp
	check "RPM packages are built, with their tests" rpms "$top_srcdir" "$T/debs/rpm/new" ''
	check "and once more, otherwise" rpms "$top_srcdir" "$T/debs/rpm/again" --nocheck \
	    TZ=Asia/Tokyo LC_ALL=C.UTF-8 sh -c 'umask 077; exec "$@"' sh
	for file in "$T"/debs/rpm/new/*.rpm; do
		name=${file##*/}
		is "$name is the same bit for bit" "$(sha256sum <"$file")" \
		    "$(sha256sum <"$T/debs/rpm/again/$name")"
	done
	older
	check "an older version is built" rpms "$T/old" "$T/debs/rpm/old" --nocheck
}

# package NAME: its file
package() {
	find "$T/debs/rpm/new" -name "qmtp-sendmail$1-[0-9]*.rpm" ! -name '*.src.rpm'
}

# plainly: without what comes with the system it was built on, and rpm's own
plainly() {
	sed -E 's/^lib(c|crypto|ssl)\.so\.[0-9]+\(.*/lib\1/; /^(rpmlib|rtld)\(/d' | sort -u
}

provides() {
	rpm -qp --provides "$(package "$1")" | plainly
}

requires() {
	rpm -qp --requires "$(package "$1")" | plainly
}

# bring_rpms WHICH
bring_rpms() {
	rm -rf "$ROOT/new"
	mkdir "$ROOT/new"
	cp "$T/debs/rpm/$1"/*.rpm "$ROOT/new/"
	rm "$ROOT"/new/*.src.rpm "$ROOT"/new/*-devel-*
}

rpm_there() {
	inside rpm "$@" </dev/null
}

install_rpms() {
	# shellcheck disable=SC2046 # one word for each file
	rpm_there -U --force-debian --nodeps "$@" $(inside find /new -name '*.rpm')
}

# another_mta NAME PRIORITY: it knows of fewer names, and none of them is a file of a package.
another_mta() {
	printf '#!/bin/sh\necho %s\n' "$1" >"$ROOT/usr/sbin/sendmail.$1"
	chmod 755 "$ROOT/usr/sbin/sendmail.$1"
	inside alternatives --install /usr/sbin/sendmail mta "/usr/sbin/sendmail.$1" "$2" \
	    --slave /usr/lib/sendmail mta-sendmail "/usr/sbin/sendmail.$1" \
	    --slave /usr/bin/mailq mta-mailq "/usr/sbin/sendmail.$1"
}

# links: the names of the group mta that are there, and where they end
links() {
	inside sh -c 'for link in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases \
	    /usr/bin/runq /usr/share/man/man8/sendmail.8.gz /usr/share/man/man1/mailq.1.gz \
	    /usr/share/man/man1/newaliases.1.gz; do
		[ ! -L $link ] || echo "$link $(readlink -e $link)"
	done'
}

links_of_another="/usr/sbin/sendmail /usr/sbin/sendmail.NAME
/usr/lib/sendmail /usr/sbin/sendmail.NAME
/usr/bin/mailq /usr/sbin/sendmail.NAME"
our_programs="/usr/sbin/sendmail /usr/sbin/qmtp-sendmail
/usr/lib/sendmail /usr/sbin/qmtp-sendmail
/usr/bin/mailq /usr/sbin/qmtp-sendmail
/usr/bin/newaliases /usr/sbin/qmtp-sendmail
/usr/bin/runq /usr/sbin/qmtp-sendmail"
our_links="$our_programs
/usr/share/man/man8/sendmail.8.gz /usr/share/man/man8/qmtp-sendmail.8.gz
/usr/share/man/man1/mailq.1.gz /usr/share/man/man1/qmtp-mailq.1.gz
/usr/share/man/man1/newaliases.1.gz /usr/share/man/man8/qmtp-sendmail.8.gz"

# links_are WHAT LINKS [NAME]
links_are() {
	is "$1" "$(links)" "$(echo "$2" | sed "s/NAME/${3:-}/")"
}

# left: what the system has besides, or has lost, since $T/before
left() {
	diff "$T/before" "$T/after" | sed -nE 's|/[0-9a-f]+\.[0-9a-f]+ f |/ID f |
	    s/^> (\.[^ ]+) . ([0-7]+ [0-9]+ [0-9]+) .*/\1 \2/p
	    s/^> [0-9]+ [0-9]+ (.*)/changed: \1/p
	    s/^< (\..*)/lost: \1/p' | LC_ALL=C sort
}

# letter SUBJECT [PROGRAM]: by alice, to an address of its own
letter() {
	printf 'Subject: %s\n\nIt waits.\n' "$1" | as alice "${2:-/usr/sbin/sendmail}" "$1@example.net"
}

# letter_came SUBJECT
letter_came() {
	came "$1" alice "$1@example.net" <<-END
		Date: DATE
		From: Alice <alice@lab.example>
		Message-ID: <TOKEN@vm.lab.example>
		Subject: $1

		It waits.
	END
}

# ---- the packages

[ -d "$T/debs/rpm" ] || build_rpms
version=$(rpm -qp --qf '%{VERSION}' "$(package '')")
isa=$(rpm --eval '%{?_isa}')
is "rpmlint has nothing to say" "$(rpmlint -r "$top_srcdir/packaging/rpm/rpmlintrc" "$T/debs/rpm/new" 2>&1 |
    sed -n '/badness/s/;[^;]*$//p; /: [EW]: /p')" \
    ' 4 packages and 0 specfiles checked; 0 errors, 0 warnings, 0 badness'
is "what it provides" "$(provides '')" "MTA
config(qmtp-sendmail) = $version-1
qmtp-sendmail = $version-1
qmtp-sendmail$isa = $version-1
smtpdaemon"
is "what it requires" "$(requires '')" "/bin/sh
/usr/sbin/alternatives
config(qmtp-sendmail) = $version-1
coreutils
libc
libconfuse.so.2()(64bit)
qmtp-sendmail-libs$isa = $version-1
shadow-utils"
is "what the library provides" "$(provides -libs)" "libqmtp.so.0()(64bit)
libqmtp.so.0(QMTP_0)(64bit)
qmtp-sendmail-libs = $version-1
qmtp-sendmail-libs$isa = $version-1"
is "what the library requires" "$(requires -libs)" 'libc
libcrypto
libssl'
is "what -devel provides" "$(provides -devel)" "pkgconfig(qmtp) = $version
qmtp-sendmail-devel = $version-1
qmtp-sendmail-devel$isa = $version-1"
is "what -devel requires" "$(requires -devel)" "/usr/bin/pkg-config
qmtp-sendmail-libs$isa = $version-1"

# ---- a system with another MTA

begin_room rpm
quietly apt install systemd-sysv
mkdir -p "$ROOT/etc/systemd/system-preset"
echo 'enable qmtp-sendmail*' >"$ROOT/etc/systemd/system-preset/50.preset"
ln -s ../bin/update-alternatives "$ROOT/usr/sbin/alternatives"
# Where rpm is at home, other packages have these, and the loader looks there by itself.
mkdir -p "$ROOT/usr/lib64/pkgconfig" "$ROOT/usr/share/licenses"
echo /usr/lib64 >"$ROOT/etc/ld.so.conf.d/lib64.conf"
quietly inside ldconfig
quietly rpm_there --initdb
quietly another_mta lower 90
links_are "another MTA" "$links_of_another" lower
everything >"$T/before"

bring_rpms old
is "unmet: what is not rpm's here, and no more" "$(rpm_there -U --force-debian --test /new/*.rpm 2>&1 |
    sed -n 's/^	\(.*\) is needed by .*/\1/p' | plainly)" '/bin/sh
/usr/sbin/alternatives
coreutils
libc
libconfuse.so.2()(64bit)
libcrypto
libssl
shadow-utils'
check "the older version is installed" install_rpms
is "rpm -V has nothing to say" "$(rpm_there -V --nodeps qmtp-sendmail qmtp-sendmail-libs)" ''
links_are "it is the MTA now" "$our_links"
is "its units" "$(inside systemctl is-enabled qmtp-sendmail.service qmtp-sendmail-queue.socket \
    qmtp-sendmail-smtp.socket 2>&1)" 'enabled
enabled
disabled'
cp "$ROOT/etc/qmtp-sendmail.conf" "$T/example"
cat >>"$ROOT/etc/qmtp-sendmail.conf" <<END
server "127.0.0.1" { port = $port }
default-domain = "lab.example"
END
in_place

up rpm
check "up: sendmail" letter up
letter_came up
check "up: PHP" as alice php -n -r 'exit(mail("php@example.net", "a mail", "text") ? 0 : 1);'
came "up: PHP" alice php@example.net <<-'END'
	Date: DATE
	From: Alice <alice@lab.example>
	Message-ID: <TOKEN@vm.lab.example>
	To: php@example.net
	Subject: a mail

	text
END
stop_server
check "down: /usr/lib/sendmail" letter down /usr/lib/sendmail
is "down: it waits" "$(waiting)" 1
is "down: whose it is" "$(inside find "$spool/queue" -type f -printf '%u %g %m\n')" 'alice qmtpq 660'
like "down: mailq shows it" "$(as alice mailq)" '*down@example.net*'

# ---- an upgrade

cp "$ROOT/etc/qmtp-sendmail.conf" "$T/conf"
queue_sums >"$T/sums"
bring_rpms new
check "an upgrade" install_rpms
is "the new version is installed" "$(rpm_there -q --qf '%{VERSION}' qmtp-sendmail)" "$version"
queue_sums >"$T/sums.now"
same "the mail that waits is as it was" "$T/sums.now" "$T/sums"
same "the configuration is as it was" "$ROOT/etc/qmtp-sendmail.conf" "$T/conf"
same "the new example is beside it" "$ROOT/etc/qmtp-sendmail.conf.rpmnew" \
    "$top_srcdir/conf/qmtp-sendmail.conf"
is "rpm -V names the configuration alone" "$(rpm_there -V --nodeps qmtp-sendmail qmtp-sendmail-libs)" \
    'S.5....T.  c /etc/qmtp-sendmail.conf'
links_are "it is still the MTA" "$our_links"
in_place
up rpm.back
check "back: the flusher" inside setpriv --reuid qmtpq --regid qmtpq --groups qmtpdrop \
    /usr/sbin/qmtp-flush --once
letter_came down
is "back: nothing waits" "$(waiting)" 0

# ---- a program with the library

cp "$(package -devel)" "$ROOT/new/"
check "-devel is installed" rpm_there -U --force-debian --nodeps /new/"$(basename "$(package -devel)")"
is "rpm -V has nothing to say of it" "$(rpm_there -V --nodeps qmtp-sendmail-devel)" ''
quietly inside ldconfig
example=$(rpm_there -ql qmtp-sendmail-devel | grep '/send\.c$')
check "an example is compiled" env PKG_CONFIG_SYSROOT_DIR="$ROOT" \
    PKG_CONFIG_LIBDIR="$ROOT/usr/lib64/pkgconfig" \
    sh -c '${CC:-cc} -o "$1" "$2" $(pkg-config --cflags --libs qmtp)' sh "$ROOT/tmp/send" "$ROOT$example"
printf 'Subject: library\n\nline\n' >"$ROOT/tmp/message"
is "and sends" "$(as alice /tmp/send -p "$port" -f alice@lab.example -m /tmp/message 127.0.0.1 \
    library@example.net | sed 's/: accepted: .*/: accepted/')" 'library@example.net: accepted'
package_to library@example.net
same "what came" "$got.message" "$ROOT/tmp/message"
rm "$ROOT/tmp/send" "$ROOT/tmp/message"
stop_server
check "-devel is removed" rpm_there -e qmtp-sendmail-devel
rm "$ROOT"/new/*-devel-*

# ---- another MTA that comes, goes, and stays

quietly another_mta higher 110
links_are "one of higher priority" "$links_of_another" higher
check "which is removed" inside alternatives --remove mta /usr/sbin/sendmail.higher
rm "$ROOT/usr/sbin/sendmail.higher"
links_are "and this one is the MTA again" "$our_links"

check "mail with no server up" letter left
is "it waits" "$(waiting)" 1
quietly inside systemctl enable qmtp-sendmail-smtp.socket
check "removed" rpm_there -e qmtp-sendmail qmtp-sendmail-libs
links_are "the other MTA has its names again" "$links_of_another" lower
quietly inside ldconfig
everything >"$T/after"
queue_user=$(inside id -u qmtpq)
queue_group=$(inside id -g qmtpq)
is "what is left" "$(left)" "./etc/qmtp-sendmail.conf.rpmnew 644 0 0
./etc/qmtp-sendmail.conf.rpmsave 644 0 0
.$spool 710 0 $(inside getent group qmtpdrop | cut -d : -f 3)
.$spool/queue 3777 $queue_user $queue_group
.$spool/queue/ID 660 $(inside id -u alice) $queue_group
changed: etc/group
changed: etc/gshadow
changed: etc/passwd
changed: etc/qmtp-sendmail.conf.rpmnew
changed: etc/qmtp-sendmail.conf.rpmsave
changed: etc/shadow"
is "the accounts are two groups and a user" "$(inside cat /etc/passwd /etc/group | grep -c '^qmtp')" 3
same "the configuration under another name" "$ROOT/etc/qmtp-sendmail.conf.rpmsave" "$T/conf"

# ---- again, without documentation

check "installed again" install_rpms --excludedocs
is "no link is tried that leads nowhere" "$(echo "$lib_out" | grep warning)" ''
links_are "no links to pages" "$our_programs"
mv "$ROOT/etc/qmtp-sendmail.conf.rpmsave" "$ROOT/etc/qmtp-sendmail.conf"
in_place
up rpm.again
check "the flusher" inside setpriv --reuid qmtpq --regid qmtpq --groups qmtpdrop /usr/sbin/qmtp-flush --once
letter_came left
stop_server
cp "$T/example" "$ROOT/etc/qmtp-sendmail.conf"
check "removed" rpm_there -e qmtp-sendmail qmtp-sendmail-libs
check "no spool is left" test ! -e "$ROOT$spool"
