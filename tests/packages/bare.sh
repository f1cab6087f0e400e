#!/bin/sh
# make check-bare: ./bootstrap demo and ./bootstrap check of the last commit, each on a system with apt and no
# more. As root only; installs, in there, what packaging/packages lists. The second one's results are left in
# tests/packages/bare-check/src/build.
# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"
# shellcheck source=tests/packages/room.sh
. "$top_srcdir/tests/packages/room.sh"

[ "$(id -u)" -eq 0 ] || skip_all "needs root, for systems of its own"
for tool in debootstrap git; do
	command -v "$tool" >/dev/null || skip_all "$tool is not here"
done
unshare --mount --pid --fork --kill-child true 2>/dev/null || skip_all "no namespaces here"
git -C "$top_srcdir" rev-parse --verify -q HEAD >/dev/null || skip_all "not a clone with git"

bare_run=''
trap 'kill -KILL "$bare_run" 2>/dev/null; exit 143' HUP INT TERM

# bootstrap GOAL: in a clone on a bare system; what it says is in $T/GOAL
bootstrap() {
	system=$top_builddir/tests/packages/bare-$1
	rm -rf "$system"
	quietly cp -a "$bare/root" "$system"
	quietly git clone -q "$top_srcdir" "$system/src"
	unshare --mount --pid --fork --kill-child sh "$top_srcdir/tests/packages/enter.sh" "$system" \
	    /src/bootstrap "$1" >"$T/$1" 2>&1 &
	bare_run=$!
	if wait "$bare_run"; then
		ok "./bootstrap $1"
	else
		not_ok "./bootstrap $1" "$(grep -vE '^(PASS:|ok |  [A-Z]+ |rm |make)' "$T/$1" | tail -n 100)"
	fi
}

bare
bootstrap demo
is "nothing waits at the end of the demonstration" "$(grep -v '^$' "$T/demo" | tail -n 1)" \
    '    Mail queue is empty'
rm -rf "$system"
bootstrap check
done_testing
