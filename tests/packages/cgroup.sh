#!/bin/sh
# cgroup.sh DIR NAME: the control group of that name goes, with what is below it and whoever is still in it.
# In a mount namespace: the hierarchy is mounted on DIR unless it is there already.
set -u
group=$1/$2
mountpoint -q "$1" || mount -t cgroup2 cgroup2 "$1" || exit
[ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill"
tries=0
while [ -d "$group" ]; do
	[ "$tries" -lt 200 ] || exit 1
	find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
	tries=$((tries + 1))
	sleep 0.05
done
