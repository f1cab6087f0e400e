#!/bin/sh
# enter.sh ROOT COMMAND ...: runs it as root in the system in that directory, which has this one's devices and
# network, and nothing else of it. In a mount and a pid namespace.
set -eu
root=$1
shift
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs shm "$root/dev/shm"
mount -t tmpfs -o mode=755 run "$root/run"
mkdir -p "$root/mnt/old"
cd "$root"
pivot_root . mnt/old
cd /
umount -l /mnt/old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root VERBOSE=1 CI="${CI-}" \
    ${http_proxy:+"http_proxy=$http_proxy"} "$@" </dev/null
