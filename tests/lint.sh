#!/bin/sh
# Everything that reads the sources and runs nothing: TAP. Run by make lint at the top of the
# source tree; BUILDDIR is where config.h is. A tool that is missing is a failure.

count=0
failed=0

# check TEXT COMMAND...: one case; says what the command said when it fails
check()
{
	text=$1
	shift
	count=$((count + 1))
	if said=$("$@" 2>&1); then
		echo "ok $count - $text"
	else
		failed=$((failed + 1))
		echo "not ok $count - $text"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
}

# many COMMAND...: COMMAND for each C file, as many at a time as there are processors
many()
{
	find src tests -name '*.c' | LC_ALL=C sort |
	    xargs -P "$(getconf _NPROCESSORS_ONLN)" -n 1 "$@"
}

tidy()
{
	# shellcheck disable=SC2016 # the $ are of the inner shell
	many sh -c 'clang-tidy --quiet "$@" -- -std=c11 -D_GNU_SOURCE -Isrc -Isrc/qmtp \
	    -include "${BUILDDIR:-.}/config.h" -I"${BUILDDIR:-.}" -DCONF_FILE=\"/etc/c\" \
	    -DFLUSH_PROGRAM=\"/flush\" -DLOG_SOCKET=\"/dev/log\" \
	    -DMAX_ENTRY=1000000 -DMIN_FREE=1000000 -DMIN_INODES=100 -DQUEUE_HELPER=\"/queue\" \
	    -DQUEUE_SOCKET=\"/run/s\" -DQUEUE_USER=\"q\" -DSPOOL_DIR=\"/spool\" \
	    -DSUBMIT_GROUP=\"d\" -DTLS_MODULE=\"/module\" 2>/dev/null' sh
}

spelling()
{
	! grep -rnE '[[:space:]]+$' src tests/*.sh tests/unit tests/qmtpd tests/include.am \
	    Makefile.am configure.ac m4 packaging bootstrap .ci man ./*.md NEWS
}

echo 1..9
check "clang-format has nothing to change" \
    sh -c "find src tests -name '*.[ch]' | xargs clang-format --dry-run -Werror"
check "cppcheck" cppcheck -q --std=c11 --error-exitcode=1 -j 2 --inline-suppr \
    --enable=warning,performance,portability --suppress=missingIncludeSystem \
    -D_GNU_SOURCE -Isrc -Isrc/qmtp src tests/qmtpd
check "clang-tidy" tidy
check "shellcheck" sh -c "find tests -name '*.sh' | xargs shellcheck -e SC2317 bootstrap .ci/run packaging/alpine/* packaging/arch/* packaging/build-* packaging/completion/qmtp-sendmail packaging/spool-setup.in"
check "shellcheck, for OpenRC" shellcheck -s sh -e SC2034 packaging/openrc/*.in
check "shellcheck, for Debian" sh -c "shellcheck -s sh packaging/debian/*.config packaging/debian/*.post* \
    packaging/debian/tests/library packaging/debian/tests/submit"
check "mandoc -T lint" mandoc -T lint -W warning man/*.[0-9]
check "no white space at the end of a line" spelling
check "the floors" sh -c '! tests/layers.sh | grep "^not ok"'
[ "$failed" -eq 0 ]
