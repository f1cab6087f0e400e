#!/bin/sh
# make fuzz: every target with libFuzzer, FUZZ_SECONDS each (60), FUZZ_JOBS at a time (as many
# as there are processors), or only those named in FUZZ_TARGETS. TAP. Everything is kept in
# tests/fuzz/build of the build tree: the corpus as it grows, logs, and in finds/ the inputs
# that broke something.
#
# make sets CLANG, CPPFLAGS, LIBS and SOURCES (of all floors), runs it in the build directory.

export CLANG CPPFLAGS LIBS srcdir
export FUZZ_SECONDS="${FUZZ_SECONDS:-60}"
jobs=${FUZZ_JOBS:-$(getconf _NPROCESSORS_ONLN)}
out=tests/fuzz/build
flags='-std=c11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined'
flags="$flags -fno-sanitize-recover=all"

# The script calls itself for one object file, one target, one run.
case ${1-} in
object)
	# shellcheck disable=SC2086 # flags are words
	exec "$CLANG" $flags -fsanitize=fuzzer-no-link $CPPFLAGS -U_FORTIFY_SOURCE \
	    -DCONF_FILE='"conf"' -DFLUSH_PROGRAM='"flush"' -DLOG_SOCKET='"log"' \
	    -DQUEUE_HELPER='"queue"' -DQUEUE_SOCKET='"socket"' -DSPOOL_DIR='"spool"' \
	    -DTLS_MODULE='"/module"' -c "$2" \
	    -o "$out/$(echo "${2#"$srcdir"/}" | tr / _).o"
	;;
target)
	# shellcheck disable=SC2086
	exec "$CLANG" $flags -fsanitize=fuzzer $CPPFLAGS "$srcdir/tests/fuzz/fuzz_$2.c" \
	    "$out/fuzz.a" $LIBS -o "$out/fuzz_$2"
	;;
run)
	name=$2
	set --
	[ ! -e "$srcdir/tests/fuzz/dict/$name" ] || set -- "-dict=$srcdir/tests/fuzz/dict/$name"
	mkdir -p "$out/corpus/$name" "$out/finds"
	"$out/fuzz_$name" "$@" -max_total_time="$FUZZ_SECONDS" -timeout=1 -rss_limit_mb=1024 \
	    -max_len=2048 -detect_leaks=1 -print_final_stats=1 \
	    -artifact_prefix="$out/finds/$name-" \
	    "$out/corpus/$name" "$srcdir/tests/fuzz/corpus/$name" >"$out/$name.log" 2>&1
	echo $? >"$out/$name.status"
	exit 0
	;;
esac

targets=${FUZZ_TARGETS:-$(find "$srcdir/tests/fuzz" -name 'fuzz_*.c' |
    sed 's/.*fuzz_//; s/\.c$//' | LC_ALL=C sort)}
rm -rf "$out"/*.o "$out"/*.status "$out/finds"
mkdir -p "$out"
echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return !d && n; }' >"$out/try.c"
# shellcheck disable=SC2086
if ! "$CLANG" $flags -fsanitize=fuzzer "$out/try.c" -o "$out/try" >"$out/try.log" 2>&1; then
	sed 's/^/# /' "$out/try.log"
	echo "Bail out! $CLANG cannot build for libFuzzer: install clang and its compiler-rt" \
	    "(Debian: clang, libclang-rt-dev), or name another one: make fuzz CLANG=..."
	exit 1
fi

{
	for source in $SOURCES; do
		case $source in *.c) echo "$srcdir/$source" ;; esac
	done
	for source in fuzz look model; do echo "$srcdir/tests/fuzz/$source.c"; done
} | xargs -P "$jobs" -n 1 "$0" object || exit 1
rm -f "$out/fuzz.a"
ar cr "$out/fuzz.a" "$out"/*.o || exit 1
# shellcheck disable=SC2086 # targets are words
printf '%s\n' $targets | xargs -P "$jobs" -n 1 "$0" target || exit 1
# shellcheck disable=SC2086
printf '%s\n' $targets | xargs -P "$jobs" -n 1 "$0" run

count=0
failed=0
# shellcheck disable=SC2086
echo "1..$(set -- $targets; echo $#)"
for target in $targets; do
	count=$((count + 1))
	log=$out/$target.log
	inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ "$(cat "$out/$target.status")" = 0 ] && [ "${inputs:-0}" -gt 0 ]; then
		echo "ok $count - $target: $inputs inputs"
	else
		failed=$((failed + 1))
		echo "not ok $count - $target"
		grep -av '^#[0-9]' "$log" | tail -n 60 | sed 's/^/# /'
	fi
done
[ "$failed" -eq 0 ]
