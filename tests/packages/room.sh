# shellcheck shell=sh disable=SC2154 # the variables of lib.sh
# room.sh: small systems of Debian's own making, to install packages in. With tests/integration/lib.sh.
#
# bare		makes a system with apt and no more, once, in the build tree: $bare/root
# base		and of that the system that all rooms begin as: the programs that send mail, no MTA, and what is
#		installed later as files of apt; both need what sources of packages apt has
# packages TREE DIR [VARIABLE=VALUE ...]	builds those of the last commit of a tree
# room NAME [LOWER]	a room, over the base or other layers: $ROOT is its root directory. In namespaces of one's
#		own: what is written stays in memory
# terminals	the room has some
# inside PROGRAM ...	runs it there, in the world of $INIT if that is its process 1 (booted.sh)
# start_inside PROGRAM ...	in the background, its id is $JOB
# as USER PROGRAM ...	runs it there as that user
# apt COMMAND ...	apt-get, with nothing but those files

bare=$top_builddir/tests/packages/bare
base=${PACKAGES_BASE:-$top_builddir/tests/packages/base}
base_installed='adduser apt-utils bsdutils cron gcc libbsd0 libc6-dev libconfuse2 liblockfile1 netbase openssl'
base_installed="$base_installed php-cli pkg-config rpm ucf"
base_files='bsd-mailx,nullmailer postfix systemd-sysv,dbus ca-certificates'
ROOT='' ROOM=${ROOM:-} INIT=''

base_wanted() {
	echo "$base_installed $base_files"
	sed -n '/^Build-Depends:/,/^[^ ]*:/p' "$top_srcdir/packaging/debian/control"
}

bare_make() {
	# shellcheck source=/dev/null
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mirror=$(apt-get indextargets --format "\$(RELEASE) \$(REPO_URI)" 'Identifier: Packages' |
	    awk -v suite="$suite" '$1 == suite { print $2; exit }')
	[ -n "$mirror" ] || { echo "apt has no source of $suite" && return 1; }
	rm -rf "$bare" && mkdir -p "$bare" || return 1
	proxy=''
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	env ${proxy:+"http_proxy=$proxy"} debootstrap --variant=minbase "$suite" "$bare/root" "$mirror" || return 1
	rm -rf "$bare/root/etc/apt"
	cp -R /etc/apt "$bare/root/etc/apt" || return 1
	cp /etc/resolv.conf "$bare/root/etc/resolv.conf" || return 1
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$bare/root/etc/hosts"
	: >"$bare/made"
}

bare() {
	[ -e "$bare/made" ] || quietly bare_make
}

base_make() {
	rm -rf "$base" && mkdir -p "$base" && cp -a "$bare/root" "$base/root" && mkdir "$base/root/source" &&
	    cp -R "$top_srcdir/packaging/debian" "$base/root/source/debian" || return 1
	unshare --mount --pid --fork --kill-child sh "$top_srcdir/tests/packages/base.sh" \
	    "$base/root" "$base_installed" "$base_files" || return 1
	base_wanted >"$base/made"
}

base() {
	bare
	[ "$(cat "$base/made" 2>/dev/null)" = "$(base_wanted)" ] || quietly base_make
}

packages() {
	tree=$1 dir=$2
	shift 2
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC -u srcdir -u top_builddir "$@" \
	    "$tree/packaging/build-deb" "$dir"
}

room() {
	ROOT=$ROOM/$1/root
	mkdir -p "$ROOT" "$ROOM/$1/new" "$ROOM/$1/work"
	quietly mount -t overlay \
	    -o "lowerdir=${2:-$base/root},upperdir=$ROOM/$1/new,workdir=$ROOM/$1/work" overlay "$ROOT"
	quietly mount -t proc proc "$ROOT/proc"
	quietly mount -t tmpfs -o mode=755 run "$ROOT/run"
	mkdir -m 1777 "$ROOT/run/lock"
	echo vm >"$ROOT/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 vm.lab.example vm\n' >"$ROOT/etc/hosts"
}

terminals() {
	mkdir -p "$ROOT/dev/pts"
	quietly mount -t devpts -o newinstance,ptmxmode=666 devpts "$ROOT/dev/pts"
	ln -sf pts/ptmx "$ROOT/dev/ptmx"
}

inside() {
	set -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TZ=UTC LC_ALL=C.UTF-8 \
	    DEBIAN_FRONTEND=noninteractive "$@"
	if [ -n "$INIT" ]; then
		nsenter --target "$INIT" --mount --pid --uts --ipc --cgroup --root --wd "$@"
	else
		chroot "$ROOT" "$@"
	fi
}

start_inside() {
	(exec chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TZ=UTC \
	    LC_ALL=C.UTF-8 "$@" </dev/null >"$T/job.out" 2>&1) &
	JOB=$!
	at_end "$JOB"
}

as() {
	as_user=$1
	shift
	as_home=$(inside getent passwd "$as_user" | cut -d : -f 6)
	inside setpriv --reuid "$as_user" --regid "$as_user" --init-groups \
	    env HOME="$as_home" USER="$as_user" LOGNAME="$as_user" PATH=/usr/bin:/bin "$@"
}

apt() {
	inside apt-get -qq -y --no-install-recommends -o Dir::Cache::archives=/debs \
	    -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# answer PACKAGE QUESTION TYPE VALUE: what debconf is to know
answer() {
	echo "$*" | inside debconf-set-selections
}

# bring DIR: the packages of that directory, to be installed from /new
bring() {
	rm -rf "$ROOT/new"
	mkdir "$ROOT/new"
	cp "$1"/qmtp-sendmail_*.deb "$1"/libqmtp0_*.deb "$ROOT/new/"
}
