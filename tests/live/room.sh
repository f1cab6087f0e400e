# shellcheck shell=sh disable=SC2154 # the variables of callers.sh
# room.sh: furnishes the namespaces that live.sh made. $LIVE_TREE is installed, $UNPACKED too, and
# $ROOM is an empty directory. What is changed is changed in memory and gone with the namespaces.

# private DIR: what is written there goes to memory.
private() {
	mkdir "$ROOM/$1.new" "$ROOM/$1.work" &&
	    mount -t overlay -o "lowerdir=/$1,upperdir=$ROOM/$1.new,workdir=$ROOM/$1.work" overlay "/$1"
}

# A /dev without the system's log
private_dev() {
	mkdir "$ROOM/dev" && mount -t tmpfs -o mode=755 dev "$ROOM/dev" || return 1
	for node in null zero full random urandom tty; do
		: >"$ROOM/dev/$node"
		mount --bind "/dev/$node" "$ROOM/dev/$node" || return 1
	done
	ln -s /proc/self/fd "$ROOM/dev/fd"
	mkdir -m 1777 "$ROOM/dev/shm"
	mount --move "$ROOM/dev" /dev
}

furnish() {
	mount --make-rprivate / && mount -t tmpfs -o mode=755 room "$ROOM" &&
	    private usr && private etc && private var && mount -t tmpfs -o mode=755 run /run &&
	    private_dev && hostname vm
}

# An MTA that this system may have is out of the way first: its files may be links to it.
install_here() {
	for name in sbin/sendmail lib/sendmail bin/mailq bin/newaliases sbin/qmtp-sendmail; do
		rm -f "/usr/$name"
	done
	rm -rf /etc/qmtp-sendmail.conf /etc/mailname /etc/cron* /var/spool/cron \
	    /var/spool/qmtp-sendmail /usr/libexec/qmtp-sendmail
	cp -a "$LIVE_TREE/usr/." /usr/ && cp -a "$LIVE_TREE/etc/." /etc/ &&
	    cp -a "$UNPACKED/usr/." /usr/ && cp -a "$UNPACKED/etc/." /etc/ || return 1
	rm -rf /etc/cron*
	mkdir -p /run/lock /var/www /etc/cron.d /var/spool/cron/crontabs /run/home
	echo lab.example >/etc/mailname
	printf '127.0.0.1 localhost\n127.0.1.1 vm\n' >/etc/hosts
	cp "$top_srcdir/tests/live/aliases" /etc/aliases
	# The queue is one file system and no two, one over the other.
	mkdir /var/spool/qmtp-sendmail
	mount -t tmpfs -o mode=755 spool /var/spool/qmtp-sendmail &&
	    /usr/libexec/qmtp-sendmail/spool-setup
}
