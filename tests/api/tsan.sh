#!/bin/sh
# make tsan: sixteen sessions in sixteen threads, all of the library compiled with
# ThreadSanitizer. make sets TSAN_CPPFLAGS, TSAN_SOURCES and, where there is TLS, TSAN_MODULE and
# TSAN_LIBS.

# shellcheck source=tests/api/lib.sh
. "${srcdir:-.}/tests/api/lib.sh"

flags='-std=c11 -O1 -g -fno-omit-frame-pointer -fsanitize=thread'
# OpenSSL as the system has it counts references and fills caches by atomic operations, which are not seen: what
# it reads, writes and frees behind them would be taken for races.
printf 'called_from_lib:%s\n' libcrypto.so libssl.so >"$T/suppressions"
TSAN_OPTIONS="exitcode=66 halt_on_error=0 suppressions=$T/suppressions"
export TSAN_OPTIONS

# objects DIR SOURCE ...: compile those that are C; their names are DIR/*.o
objects() {
	mkdir "$1" || exit 99
	tsan_dir=$1
	shift
	for tsan_source; do
		case $tsan_source in *.c) ;; *) continue ;; esac
		# shellcheck disable=SC2086 # options are words
		(cd "$top_builddir" && $CC $flags -fPIC $TSAN_CPPFLAGS -U_FORTIFY_SOURCE \
		    -DTLS_MODULE='"/nowhere"' -c "$top_srcdir/$tsan_source" \
		    -o "$tsan_dir/$(basename "$tsan_source" .c).o") || return 1
	done
}

# sanitized PROGRAM [ARGUMENT ...]: some kernels have more randomness than ThreadSanitizer likes
alone=''
sanitized() {
	$alone timeout 100 "$@" >"$T/out" 2>"$T/err"
}

# ---- can it fail?

cat >"$T/race.c" <<'END'
#include <pthread.h>

static int counter;

static void *
count(void *arg)
{
	counter++;
	return arg;
}

int
main(int argc, char *argv[])
{
	pthread_t t[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&t[i], NULL, count, argv) != 0)
			return 1;
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], NULL);
		if (argc > 1)
			counter = 0;
	}
	return counter != 2;
}
END
# shellcheck disable=SC2086
check "$CC has ThreadSanitizer" $CC $flags -pthread "$T/race.c" -o "$T/race"
sanitized "$T/race"
code=$?
if [ "$code" -ne 66 ] && command -v setarch >/dev/null; then
	alone="setarch $(uname -m) -R"
	sanitized "$T/race"
	code=$?
fi
is 'it sees a race that is there' "$code" 66

# ---- and now the library

# shellcheck disable=SC2086
check 'the library compiles' objects "$T/library" $TSAN_SOURCES
# shellcheck disable=SC2086
check 'and the program' $CC $flags -I"$top_srcdir/src/qmtp" -pthread \
    "$top_srcdir/tests/api/threads.c" "$T"/library/*.o -ldl -o "$T/threads"
start_server --ledger "$T/ledger"

# story WHAT ARGUMENT ...: no race, and everything arrived
story() {
	tsan_what=$1
	shift
	: >"$T/ledger"
	sanitized "$T/threads" "$@"
	is "$tsan_what: no race" "$?" 0
	head -n 60 "$T/err" | sed 's/^/# /'
	is "$tsan_what: everything arrived" "$(grep -c '^b@' "$T/ledger")" $((16 * (3 * 40 + 1)))
}

story 'sixteen sessions in sixteen threads' "$PORT"
if has_tls; then
	# shellcheck disable=SC2086
	check 'the module compiles' objects "$T/module" $TSAN_MODULE
	# shellcheck disable=SC2086
	check '... and links' $CC $flags -shared "$T"/module/*.o $TSAN_LIBS -o "$T/qmtp-tls.so"
	start_front "$PORT"
	story 'by TLS' "$PORT" "$TLS_PORT" "$T/certs/ca.pem" "$T/qmtp-tls.so"
fi
done_testing
