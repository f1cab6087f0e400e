# shellcheck shell=sh disable=SC2154 # the variables of systems.sh
# autopkgtest.sh: the packages' own tests, by Debian's autopkgtest. The namespaces are the container that one
# of them asks for, which autopkgtest cannot know of a mere chroot.

begin_room autopkgtest new
rm -rf "$ROOT/etc/apt/sources.list" "$ROOT/etc/apt/sources.list.d"
mkdir "$ROOT/etc/apt/sources.list.d"
quietly dpkg-source -x "$T"/debs/new/*.dsc "$T/tree"
# So it looks built: nothing is to be built here.
: >"$T/tree/debian/files"
# TMPDIR is not there in the room.
if env -u TMPDIR timeout 300 autopkgtest --quiet --output-dir "$T/autopkgtest" --no-built-binaries \
    --user alice --ignore-restrictions isolation-container "$T"/debs/new/*.deb "$T/tree/" -- \
    chroot "$ROOT" </dev/null >"$T/said" 2>&1; then
	ok "autopkgtest"
else
	not_ok "autopkgtest" "$(tail -n 60 "$T/said")"
fi
is "every test passed" "$(sed 's/  */ /g' "$T/autopkgtest/summary")" 'submit PASS
library PASS'
