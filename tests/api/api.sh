#!/bin/sh
# The installed library as others see it: headers, symbols, what it needs, how it is found.

# shellcheck source=tests/api/lib.sh
. "${srcdir:-.}/tests/api/lib.sh"

install_library
A=$LIB/libqmtp.a
# what a program is started with
SO=$(find "$LIB" -name 'libqmtp.so.?')

# ---- headers

# headers COMPILER LANGUAGE STANDARD ...
headers() {
	api_compiler=$1 api_language=$2
	shift 2
	for api_header in qmtp.h qmtp_reader.h; do
		printf '#include <%s>\n#include <%s>\n' "$api_header" "$api_header" \
		    >"$T/header.$api_language"
		for api_standard; do
			check "$api_header alone, $api_compiler -std=$api_standard" \
			    "$api_compiler" "-std=$api_standard" -Wall -Wextra -Wpedantic \
			    -Wundef -Wshadow -Werror -I"$INCLUDE" -fsyntax-only \
			    "$T/header.$api_language"
		done
	done
}

for compiler in gcc clang; do
	if command -v "$compiler" >/dev/null; then
		headers "$compiler" c c99 c11 c17
	else
		skip "the headers in $compiler" "no $compiler here"
	fi
done
for compiler in g++ clang++; do
	if command -v "$compiler" >/dev/null; then
		headers "$compiler" cc c++11 c++17
	else
		skip "the headers in $compiler" "no $compiler here"
	fi
done

# ---- a program in C++ links: the declarations are extern "C"

cat >"$T/plus.cc" <<'END'
#include <qmtp.h>
#include <qmtp_reader.h>

int
main()
{
	struct qmtp_package *p = qmtp_package_new();
	struct qmtp_reader r;

	qmtp_reader_init(&r);
	qmtp_package_free(p);
	return !qmtp_reader_idle(&r);
}
END
plus=''
for compiler in g++ clang++; do
	case $($CC --version 2>&1) in
	*clang*) [ "$compiler" = clang++ ] || continue ;;
	*) [ "$compiler" = g++ ] || continue ;;
	esac
	! command -v "$compiler" >/dev/null || plus=$compiler
done
if [ -n "$plus" ]; then
	CC=$plus check 'a program in C++' build "$T/plus" "$T/plus.cc" -std=c++11
	check '... and it runs' "$T/plus"
else
	skip 'a program in C++' 'no C++ compiler that goes with this one'
fi

# ---- symbols

# Every function that the headers declare, one a line
declared() {
	cat "$INCLUDE/qmtp.h" "$INCLUDE/qmtp_reader.h" | $CC -E -P -I"$INCLUDE" -x c - |
	    grep -o '\<qmtp_[a-z0-9_]* *(' | tr -d ' (' | LC_ALL=C sort -u
}
# Every symbol of a shared object that others can see, and its letter; its versions, which are
# absolute, are none
exported() {
	nm -D --defined-only "$1" | awk '$2 != "A" { sub("@.*", "", $3); print $3, $2 }' | LC_ALL=C sort
}

declared >"$T/declared"
exported "$SO" >"$T/exported"
if [ -s "$T/declared" ] && [ -s "$T/exported" ]; then
	ok 'there are declarations and symbols'
else
	not_ok 'there are declarations and symbols' "$(nm -D "$SO" 2>&1)"
fi
is 'declared and not exported' \
    "$(cut -d ' ' -f 1 "$T/exported" | LC_ALL=C comm -23 "$T/declared" -)" ''
is 'exported and not declared' \
    "$(cut -d ' ' -f 1 "$T/exported" | LC_ALL=C comm -13 "$T/declared" -)" ''
is 'functions only' "$(grep -v ' T$' "$T/exported")" ''
is 'the static library: no names but qmtp_ and qmtp__' \
    "$(nm -g --defined-only "$A" | awk 'NF == 3 && $3 !~ /^qmtp_/ && $3 !~ /asan|ubsan/')" ''
is 'every one of its symbols is in the version QMTP_0' \
    "$(nm -D --defined-only --with-symbol-versions "$SO" | grep -v '@@QMTP_0$' | grep -v ' A ')" ''

# ---- what it needs, what it is

# sections FILE ...: those that can be written at run time and are not empty, the linker's own
# excepted
sections() {
	readelf -SW "$@" | sed 's/^ *\[ *[0-9]*\] *//' |
	    awk '$1 ~ /^\.(data|bss|tdata|tbss|ldata|lbss)/ && $1 !~ /^\.data\.rel\.ro/ &&
		$5 !~ /^0+$/ { print $1, $5 }'
}

if [ "${SANITIZERS-}" != yes ]; then
	is 'it needs the C library and nothing else' \
	    "$(readelf -dW "$SO" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' |
		grep -vE '^(libc\.so\.6|libc\.musl-.*|libdl\.so\.2|libpthread\.so\.0|ld-.*)$')" ''
	is 'no variables, in any of its files' "$(sections "$A")" ''
	like 'the dynamic linker finds all it needs' "$(ldd -r "$SO" 2>&1)" '*libc*'
	is '... and no symbol is missing' "$(ldd -r "$SO" 2>&1 | grep -i 'undefined\|not found')" ''
fi
is 'its name for programs' "$(readelf -dW "$SO" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')" libqmtp.so.0
headers=$(readelf -lW "$SO")
like 'hardened: tables of the linker cannot be written' "$headers" '*GNU_RELRO*'
like 'hardened: no symbol is bound late' "$(readelf -dW "$SO")" '*NOW*'
is 'hardened: the stack cannot be executed' \
    "$(printf '%s\n' "$headers" | awk '$1 == "GNU_STACK" { print $7 }')" RW
is 'its code is not changed when it is loaded' "$(readelf -dW "$SO" | grep TEXTREL)" ''

# ---- the module for TLS

if has_tls; then
	module=$LIB/qmtp-0/qmtp-tls.so
	is 'the module has one symbol' "$(exported "$module" | cut -d ' ' -f 1)" qmtp__tls_module
	like 'it is hardened as well' "$(readelf -ldW "$module")" '*GNU_RELRO*NOW*'
	if [ "${SANITIZERS-}" != yes ]; then
		is 'it needs OpenSSL and the C library' \
		    "$(readelf -dW "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p' |
			grep -vE '^(lib(ssl|crypto)\.so\.|libc\.|ld-|libpthread\.)')" ''
		is 'it says all it needs' \
		    "$(ldd -r "$module" 2>&1 | grep 'undefined\|not found')" ''
	fi
fi

# ---- pkg-config

is 'pkg-config: the version' "$(pc --modversion)" \
    "$(sed -n 's/^AC_INIT(\[[^]]*\], \[\([^]]*\)\].*/\1/p' "$top_srcdir/configure.ac")"
is 'pkg-config: shared' "$(pc --cflags --libs | tr -s ' ' | sed 's/ $//')" \
    "-I$INCLUDE -L$LIB -lqmtp"
like 'pkg-config: static' "$(pc --static --libs)" "-L$LIB -lqmtp -pthread*"

# ---- and away again

# shellcheck disable=SC2046 # targets are words
check 'uninstalled' run_make $(parts uninstall)
is 'nothing is left' "$(find "$ROOT" ! -type d)" ''
done_testing
