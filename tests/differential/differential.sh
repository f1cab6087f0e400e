#!/bin/sh
# make check-differential: header blocks (tests/data/differential) go through our command and through
# Debian's own postfix, msmtp and nullmailer, and what comes out is compared. As root only: the three
# are fetched and unpacked, never installed, and run in namespaces of their own (oracles.sh).
#
# What the cases look like, and how they are kept, says README.md here.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

own=$top_builddir/tests/differential
SMTPSINK=${SMTPSINK:-$top_builddir/tests/bench/smtpsink}

# fetch PACKAGE: it, and what it needs and this system does not have, into the working directory.
fetch() {
	rm -rf new && mkdir new &&
	    apt-get -s -qq --no-install-recommends --reinstall install "$1" >simulated &&
	    awk '$1 == "Inst" { print $2 }' simulated >names &&
	    (cd new && xargs apt-get -qq download <../names) && mv new/*.deb . && rm -r new
}

# fetched PACKAGE: it is in debs/PACKAGE, and stays there for the next time.
fetched() {
	mkdir -p "$own/debs/$1" && cd "$own/debs/$1" || return 1
	set -- "$1" *.deb
	[ -e "$2" ] || fetch "$1" || { apt-get -qq update && fetch "$1"; }
}

# unpacked PACKAGE: below $T/unpacked/PACKAGE; /lib and the like are in /usr.
unpacked() {
	for deb in "$own/debs/$1"/*.deb; do
		dpkg-deb -x "$deb" "$T/unpacked/$1" || return 1
	done
	cd "$T/unpacked/$1" || return 1
	for dir in bin sbin lib lib64; do
		[ ! -d "$dir" ] || { mkdir -p "usr/$dir" && cp -a "$dir/." "usr/$dir/" && rm -r "$dir"; } ||
		    return 1
	done
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root, for namespaces of its own"
grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release ||
    skip_all "needs Debian 12: other versions of the three differ elsewhere"
set -- "${1:-check}" unshare --mount --uts --ipc --pid --fork --kill-child --mount-proc
mode=$1
shift
"$@" true 2>/dev/null || skip_all "no namespaces here"

mkdir -p "$T/unpacked"
for oracle in postfix msmtp nullmailer; do
	if ! fetched "$oracle" >"$T/said" 2>&1; then
		sed 's/^/# /' "$T/said"
		skip_all "$oracle cannot be fetched"
	fi
	unpacked "$oracle" || exit 99
done
chmod 755 "$T"
mkdir "$T/room"
export SMTPSINK SENDMAIL ROOM="$T/room" UNPACKED="$T/unpacked" UPDATED="$own/updated"
cd "$top_srcdir" || exit 99
"$@" bash tests/differential/oracles.sh "$mode" &
at_end $!
wait $!
