#!/bin/sh
# boot.sh ROOT: systemd is process 1 of the system in that room, in mount, pid, uts, ipc and cgroup namespaces,
# and finds nothing there with which it could change the machine outside.
set -eu
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
umount "$root/proc" 2>/dev/null || :
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty; do
	: >"$root/dev/$node"
	mount --bind "/dev/$node" "$root/dev/$node"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tmpfs -o mode=755 run "$root/run"
mkdir -p "$root/run/systemd/system"
for unit in systemd-udevd systemd-udev-trigger systemd-sysctl systemd-modules-load systemd-random-seed \
    systemd-logind systemd-networkd systemd-timesyncd cron; do
	ln -s /dev/null "$root/run/systemd/system/$unit.service"
done
for target in getty timers remote-fs; do
	ln -s /dev/null "$root/run/systemd/system/$target.target"
done
# Here services may be started and stopped.
rm -f "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/mnt/old"
cd "$root"
pivot_root . mnt/old
cd /
umount -l /mnt/old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=qmtp-sendmail LC_ALL=C.UTF-8 \
    setpriv --bounding-set=-sys_module,-sys_boot,-sys_time,-sys_rawio,-syslog,-mac_admin,-audit_control \
    /sbin/init --unit=multi-user.target --show-status=no </dev/null
