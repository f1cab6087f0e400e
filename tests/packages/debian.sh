#!/bin/sh
# make check-packages: the packages are built, and replace the MTAs of Debian systems, which are
# made with debootstrap. As root only. What needs the network (once: the base, see room.sh) comes
# first; all else happens in namespaces with nothing but a loopback interface, and in memory.
#
# PACKAGES=DIR: takes the packages in DIR/new and DIR/old (RPM: DIR/rpm/new and DIR/rpm/old), and builds none.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
# shellcheck source=tests/packages/room.sh
. "$top_srcdir/tests/packages/room.sh"

[ "$(id -u)" -eq 0 ] || skip_all "needs root, for namespaces of its own"
for tool in apparmor_parser autopkgtest debootstrap dpkg-buildpackage dh lintian git rpmbuild rpmlint; do
	command -v "$tool" >/dev/null || skip_all "$tool is not here"
done
# They end with this process, however it ends.
set -- setpriv --pdeathsig KILL unshare --mount --uts --ipc --net --pid --fork --kill-child --mount-proc
"$@" true 2>/dev/null || skip_all "no namespaces here"
git -C "$top_srcdir" rev-parse --verify -q HEAD >/dev/null || skip_all "not a clone with git"

base
mkdir "$T/rooms"
chmod 755 "$T"
# GROUP: the control group of what is started below systemd
export ROOM="$T/rooms" TMPDIR="$T" GROUP="${T##*/}" QMTPD STAGE TLSFRONT
cd "$top_srcdir" || exit 99

# Whatever ends them, nothing is left: their directory is below this one's, their control group goes here.
end_rooms() {
	kill -KILL "$rooms" 2>/dev/null
	wait "$rooms" 2>/dev/null
	unshare --mount sh "$top_srcdir/tests/packages/cgroup.sh" "$ROOM" "$GROUP" 2>/dev/null
}
"$@" sh "$top_srcdir/tests/packages/systems.sh" &
rooms=$!
# unshare(1) does not listen to anything else
trap 'end_rooms; exit 143' HUP INT TERM
wait "$rooms"
status=$?
end_rooms
exit $status
