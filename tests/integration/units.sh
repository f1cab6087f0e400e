#!/bin/sh
# The units of systemd, as systemd reads them: nothing in them is unknown or wrong, and what a
# program that was taken over could do stays within the marks below.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

command -v systemd-analyze >/dev/null || skip_all "no systemd-analyze here"

# The units as they are installed, but with programs that are there
units=$T/etc/systemd/system
mkdir -p "$units"
for unit in "$top_srcdir"/packaging/systemd/*.socket "$top_builddir"/packaging/systemd/*.socket \
    "$top_builddir"/packaging/systemd/*.service; do
	sed 's|^\(Exec[A-Za-z]*=-\{0,1\}\)/[^ ]*|\1/bin/sh|' "$unit" >"$units/${unit##*/}"
done
is "five units" "$(find "$units" -type f | wc -l | tr -d ' ')" 5

# verify UNIT: what systemd says of it, of the others of the package too
verify() {
	systemd-analyze verify --man=no "$units/$1" 2>&1 | grep -E "$units|qmtp-sendmail"
}

# exposed ROOT SERVICE MARK: systemd's measure of what it could do, 100 is everything: over the mark?
exposed() {
	! systemd-analyze security --offline=true --root="$1" --threshold="$3" --no-pager "$2" \
	    >"$T/said" 2>&1
}

# within SERVICE MARK
within() {
	if exposed "$T" "$1" "$2"; then
		not_ok "$1: within $2" "$(grep -v '^✓' "$T/said")"
	else
		ok "$1: within $2"
	fi
}

# counts SERVICE MARK DIRECTIVE: without it, it is not
counts() {
	mkdir -p "$T/less/etc/systemd/system"
	grep -v "^$3=" "$units/$1" >"$T/less/etc/systemd/system/$1"
	check "$1: not within $2 without $3" exposed "$T/less" "$1" "$2"
}

for unit in "$units"/*; do
	is "${unit##*/}: systemd finds nothing wrong" "$(verify "${unit##*/}")" ''
done
cp "$units/qmtp-sendmail.service" "$units/qmtp-sendmail-wrong.service"
echo 'ProtectSistem=strict' >>"$units/qmtp-sendmail-wrong.service"
like "what is wrong is found" "$(verify qmtp-sendmail-wrong.service)" \
    "*qmtp-sendmail-wrong.service:*ProtectSistem*"
rm "$units/qmtp-sendmail-wrong.service"

if systemd-analyze --help | grep -q -e --offline; then
	# What is left: the network and its sockets 0.9, the filter by address 0.2 (the servers are
	# in the configuration), no PrivateUsers 0.2, the group of the spool, the host's files, its
	# clock to read 0.1 each.
	within qmtp-sendmail.service 13
	# What is left: root that may change its ids 0.4 + 0.3 + 0.2, no PrivateUsers 0.2, the
	# host's files, its clock 0.1 each. No network at all.
	within qmtp-sendmail-queue@.service 11
	within qmtp-sendmail-smtp@.service 12
	for directive in CapabilityBoundingSet NoNewPrivileges ProtectSystem SystemCallFilter; do
		counts qmtp-sendmail.service 13 $directive
		counts qmtp-sendmail-queue@.service 11 $directive
	done
else
	skip "what the services could do" "this systemd-analyze has no --offline"
fi

done_testing
