#!/bin/sh
# base.sh ROOT INSTALLED FILES: what room.sh wants in a bare system, whose /source has a debian/control. In a
# mount and a pid namespace.
set -eu
root=$1

apt() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
	    ${http_proxy:+"http_proxy=$http_proxy"} apt-get -qq -y --no-install-recommends "$@"
}

[ "$(id -u)" -eq 0 ] && [ -d "$root/usr" ]
mount -t proc proc "$root/proc"
# Nothing is started here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

# download COMMAND ...: apt-get's, of all that the system has not got now
download() {
	apt -o Dir::Cache::archives=/debs "$@" --download-only
}

apt update
mkdir -p "$root/debs/partial"
# For the room that is bare, before anything is installed
download install build-essential git
download build-dep /source
# shellcheck disable=SC2086 # names are words
apt install $2
for names in $3; do
	# shellcheck disable=SC2046 # a,b: two words
	download install $(echo "$names" | tr , ' ')
done
chroot "$root" useradd -m -c Alice alice
rm -r "$root/etc/resolv.conf" "$root/source"
