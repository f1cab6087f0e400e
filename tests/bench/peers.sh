#!/bin/sh
# peers.sh DIR: the last table of bench.sh, a 2 KB message through other programs.
#
# They are fetched with apt-get into DIR, unpacked there, and seen where they expect to be
# through an overlay of DIR over / in a mount namespace of its own: nothing is installed. What
# cannot be had is said to be absent. smtpsink takes the mail of those that speak SMTP;
# nullmailer-inject only queues.
# From bench.sh: SENDMAIL RUN SMTPSINK FROM TO FLOOR_COMMAND; started in its working directory.

set -u
packages='msmtp libgsasl18 libntlm0 libsecret-1-0 nullmailer busybox dma'

# In the namespace. From here this script is run once more: "$0 inside PORT"
inside() {
	port=$1
	set -- -n 50 -i small -e errors -- floor
	# shellcheck disable=SC2086 # the words of a command are its arguments
	set -- "$@" $FLOOR_COMMAND "$TO" -- qmtp-sendmail "$SENDMAIL" "$TO"
	if works 'busybox sendmail' busybox sendmail -f "$FROM" -S "127.0.0.1:$port" "$TO"; then
		set -- "$@" -- 'busybox sendmail' \
		    "$program" sendmail -f "$FROM" -S "127.0.0.1:$port" "$TO"
	fi
	if works msmtp msmtp --host=127.0.0.1 "--port=$port" "--from=$FROM" "$TO"; then
		set -- "$@" -- msmtp \
		    "$program" --host=127.0.0.1 "--port=$port" "--from=$FROM" "$TO"
	fi
	if works dma dma -D -f "$FROM" "$TO"; then
		set -- "$@" -- dma "$program" -D -f "$FROM" "$TO"
	fi
	if works nullmailer-inject nullmailer-inject -f "$FROM" "$TO"; then
		set -- "$@" -- 'nullmailer-inject (queues)' "$program" -f "$FROM" "$TO"
	fi
	"$RUN" "$@"
}

# works NAME PROGRAM [ARGUMENT ...]: it is there and sends the message. Sets program.
works() {
	name=$1
	program=$(command -v "$2") || program=''
	shift 2
	if [ -z "$program" ]; then
		echo "$name: absent"
		return 1
	fi
	timeout 30 "$program" "$@" <small >answer 2>&1 && return 0
	echo "$name: absent (it does not run here: $(head -1 answer))"
	return 1
}

if [ "$1" = inside ]; then
	shift
	inside "$@"
	exit
fi

dir=$1
mkdir -p "$dir/deb" "$dir/root" || exit 1

printf '\n2 KB message, beside others\n'
for tool in apt-get dpkg unshare; do
	command -v "$tool" >/dev/null || { echo "they are absent: no $tool here"; exit 0; }
done
for package in $packages; do
	ls "$dir/deb/${package}"_*.deb >/dev/null 2>&1 ||
	    (cd "$dir/deb" && timeout 60 apt-get -qq download "$package") >/dev/null 2>&1 ||
	    echo "$package: cannot be fetched"
done
for deb in "$dir"/deb/*.deb; do
	[ ! -e "$deb" ] || dpkg -x "$deb" "$dir/root" || exit 1
done
# Where /bin is a link to /usr/bin, what a package has in /bin must not hide it.
for d in bin sbin lib lib64; do
	if [ -L "/$d" ] && [ -d "$dir/root/$d" ]; then
		mkdir -p "$dir/root/usr/$d"
		cp -R "$dir/root/$d/." "$dir/root/usr/$d/" && rm -r "${dir:?}/root/$d" || exit 1
	fi
done

rm -f smtp.port
"$SMTPSINK" smtp.port &
sink=$!
trap 'kill "$sink"; wait "$sink" 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM
tries=0
until [ -s smtp.port ] || [ "$tries" -gt 250 ]; do
	tries=$((tries + 1))
	sleep 0.02
done
port=$(cat smtp.port) || exit 1

# What the scripts of the packages would have made; the queues are on the disk, as in life.
root=$dir/root
mkdir -p "$root/etc/dma" "$root/etc/nullmailer" "$root/var/spool/dma" "$root/var/spool/nullmailer" \
    "$dir/mnt" "$dir/spool/dma" "$dir/spool/nullmailer/queue" "$dir/spool/nullmailer/tmp" || exit 1
printf 'SMARTHOST 127.0.0.1\nPORT %s\nMAILNAME lab.example\n' "$port" >"$root/etc/dma/dma.conf"
: >"$root/etc/dma/auth.conf"
echo lab.example >"$root/etc/mailname"
echo 127.0.0.1 >"$root/etc/nullmailer/remotes"
[ -e "$dir/spool/nullmailer/trigger" ] || mkfifo "$dir/spool/nullmailer/trigger"
chmod 1777 "$dir/spool/dma" "$dir/spool/nullmailer/queue" "$dir/spool/nullmailer/tmp"

map=-r
[ "$(id -u)" -ne 0 ] || map=''
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2016,SC2086 # the inner shell's variables; no word when map is empty
unshare -m $map sh -c '
	dir=$1 self=$2 port=$3 mnt=$1/mnt all=$1/mnt/all
	mount -t tmpfs tmpfs "$mnt" && mkdir "$mnt/upper" "$mnt/work" "$all" &&
	    cp -R "$dir/root" "$mnt/root" && mount -t overlay overlay \
	    -o "lowerdir=$mnt/root:/,upperdir=$mnt/upper,workdir=$mnt/work" "$all" &&
	    mount --rbind /dev "$all/dev" || exit 99
	for spool in dma nullmailer; do
		mount --bind "$dir/spool/$spool" "$all/var/spool/$spool" || exit 99
	done
	for d in "$PWD" "${SENDMAIL%/*}" "${RUN%/*}" "${self%/*}"; do
		mkdir -p "$all$d" && mount --bind "$d" "$all$d" || exit 99
	done
	exec chroot "$all" sh -c "cd \"\$1\" && exec \"\$2\" inside \"\$3\"" \
	    sh "$PWD" "$self" "$port"' sh "$dir" "$here/peers.sh" "$port"
status=$?
[ "$status" -ne 99 ] || { echo "they are absent: no overlay of / can be mounted here"; exit 0; }
exit "$status"
