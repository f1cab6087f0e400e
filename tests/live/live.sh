#!/bin/sh
# make check-live: real programs of Debian send mail through the installed command, which hands it
# to tests/qmtpd. As root only: all of it happens in namespaces of its own (room.sh), where
# /usr, /etc, /var, /run and /dev are private copies; nothing outside them changes.
#
# LIVE_TREE=DIR: takes what make install DESTDIR=DIR left there, and builds nothing.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

live=$top_srcdir/tests/live
own=$top_builddir/tests/live
LOGSINK=${LOGSINK:-$own/logsink}
LIVE_TREE=${LIVE_TREE:-} LIVE_BUILD=''

makes() {
	grep -qx "$1 = $2" "$top_builddir/Makefile"
}

# The command with the paths that it has in a package: this build, or another one beside it
build() {
	build=$top_builddir
	if ! { makes prefix /usr && makes sysconfdir /etc && makes log_socket /dev/log; }; then
		if [ -e "$top_srcdir/config.status" ]; then
			echo "Bail out! the source tree is configured: make distclean, or build with" \
			    "--prefix=/usr --sysconfdir=/etc --localstatedir=/var"
			exit 99
		fi
		build=$own/build
		mkdir -p "$build"
		cd "$build" || exit 99
		[ -e Makefile ] || quietly "$top_srcdir/configure" -q --prefix=/usr --sysconfdir=/etc \
		    --localstatedir=/var
	fi
	cd "$build" || exit 99
	LIVE_TREE=$T/tree LIVE_BUILD=$build
	# The make that runs this has its own ideas of what make is to do.
	quietly env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -j "$(getconf _NPROCESSORS_ONLN)" install \
	    DESTDIR="$LIVE_TREE"
}

# Programs whose package would bring an MTA or start a daemon here are unpacked, not installed.
unpack() {
	mkdir -p "$own/debs"
	mkdir -m 700 "$T/unpacked" # some of them are for root, and setuid
	cd "$own/debs" || exit 99
	awk '$1 == "unpack" { print $2 }' "$top_srcdir/packaging/packages" >"$T/names"
	while read -r name; do
		set -- "$name"_*.deb
		if [ ! -e "$1" ]; then
			apt-get -qq download "$name" || { apt-get -qq update && apt-get -qq download "$name"; }
		fi </dev/null >/dev/null 2>&1
		set -- "$name"_*.deb
		[ ! -e "$1" ] || quietly dpkg-deb -x "$1" "$T/unpacked"
	done <"$T/names"
}

# What must stay as it is
outside() {
	stat -c '%n %i %Z' /usr/sbin/sendmail /usr/lib/sendmail /etc/qmtp-sendmail.conf /etc/aliases \
	    /etc/mailname /etc/hosts /etc/sudoers /etc/sudoers.d /etc/at.deny /etc/crontab /etc/cron.d \
	    /var/spool/cron /run/crond.pid /run/atd.pid /usr/bin/sudo /usr/bin/at /dev/log \
	    /etc/passwd /etc/group /var/spool/qmtp-sendmail /usr/libexec/qmtp-sendmail \
	    /run/qmtp-sendmail 2>&1
	hostname
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root, for namespaces of its own"
command -v dpkg-deb >/dev/null || skip_all "needs Debian or Ubuntu"
set -- unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc
"$@" true 2>/dev/null || skip_all "no namespaces here"

unpack
[ -n "$LIVE_TREE" ] || build
chmod 755 "$T"
mkdir "$T/room"
export LOGSINK QMTPD LIVE_TREE LIVE_BUILD ROOM="$T/room" UNPACKED="$T/unpacked"
cd "$top_srcdir" || exit 99
before=$(outside)
"$@" sh "$live/callers.sh" &
at_end $!
wait $!
status=$?
if [ "$(outside)" != "$before" ]; then
	echo "Bail out! something outside has changed: $before $(outside)"
	status=99
fi
exit $status
