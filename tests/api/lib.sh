# shellcheck shell=sh
# lib.sh: what the tests of the installed library share, besides tests/integration/lib.sh. $CC,
# $MAKE and $PKG_CONFIG are those of the build; $CFLAGS and all of its Makefile stay out of it.

# shellcheck source=tests/integration/lib.sh
. "${srcdir:-.}/tests/integration/lib.sh"

CC=${CC:-cc}
PKG_CONFIG=${PKG_CONFIG:-pkg-config}
# A sanitized library needs a sanitized program.
api_flags=''
[ "${SANITIZERS-}" != yes ] || api_flags='-fsanitize=address,undefined -fno-sanitize-recover=all'

# run_make TARGET ...: in the build tree, the library's parts alone
run_make() {
	(cd "$top_builddir" && unset MAKEFLAGS MFLAGS MAKELEVEL &&
	    ${MAKE:-make} -s DESTDIR="$ROOT" "$@" >"$T/make.log" 2>&1) ||
	    { cat "$T/make.log" && return 1; }
}

# parts install|uninstall: the targets of the library
parts() {
	printf "$1-%s " libLTLIBRARIES includeHEADERS pkgconfigDATA dist_exampleDATA
	! has_tls || echo "$1-moduleLTLIBRARIES"
}

# has_tls: the library comes with its module for TLS
has_tls() {
	[ -n "${MODULES-}" ]
}

# install_library: into $ROOT, nobody's system. $INCLUDE, $LIB and $EXAMPLES are places there.
# shellcheck disable=SC2034 # for the scripts
install_library() {
	ROOT=$T/root
	# shellcheck disable=SC2046 # targets are words
	if ! run_make $(parts install); then
		echo "Bail out! the library cannot be installed"
		exit 99
	fi
	PC=$(find "$ROOT" -name qmtp.pc)
	LIB=${PC%/pkgconfig/qmtp.pc}
	INCLUDE=$(dirname "$(find "$ROOT" -name qmtp.h)")
	EXAMPLES=$(dirname "$(find "$ROOT" -name send.c)")
}

# pc OPTION ...: pkg-config knows what is in $ROOT, and nothing else
pc() {
	PKG_CONFIG_SYSROOT_DIR=$ROOT PKG_CONFIG_LIBDIR=$LIB/pkgconfig PKG_CONFIG_PATH='' \
	    PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 "$PKG_CONFIG" "$@" qmtp
}

# build OUTPUT SOURCE [OPTION ...]: a program with the shared library
build() {
	api_out=$1
	shift
	# shellcheck disable=SC2046,SC2086 # options are words
	$CC $api_flags -o "$api_out" "$@" $(pc --cflags --libs) "-Wl,-rpath,$LIB"
}

# compile OUTPUT SOURCE [OPTION ...]: an object file, against the installed headers
compile() {
	api_out=$1
	shift
	# shellcheck disable=SC2046,SC2086
	$CC $api_flags -c -o "$api_out" "$@" $(pc --cflags)
}

# build_static OUTPUT SOURCE [OPTION ...]: with the static one, where there is no other
build_static() {
	api_out=$1
	shift
	if [ ! -d "$T/static" ]; then
		cp -R "$ROOT" "$T/static" && find "$T/static" -name 'libqmtp.so*' -exec rm {} +
	fi
	# shellcheck disable=SC2046,SC2086
	$CC $api_flags -o "$api_out" "$@" \
	    $(pc --static --cflags --libs | sed "s|$ROOT|$T/static|g")
}

# start_front PORT: TLS in front of that server, with $T/certs (tests/tls/certs.sh). Sets TLS_PORT.
# shellcheck disable=SC2034 # for the scripts
start_front() {
	[ -d "$T/certs" ] || sh "$top_srcdir/tests/tls/certs.sh" "$T/certs" >/dev/null || exit 99
	"$TLSFRONT" --parent --lifetime 300 --cert "$T/certs/good.pem" --key "$T/certs/good.key" \
	    --to "$1" --port-file "$T/front.port" </dev/null >/dev/null 2>"$T/front.err" &
	at_end $!
	if ! wait_for_file "$T/front.port"; then
		echo "Bail out! no TLS: $(cat "$T/front.err")"
		exit 99
	fi
	TLS_PORT=$(cat "$T/front.port")
}

# tap_of FILE: the cases of a program as cases of ours
tap_of() {
	while IFS= read -r api_line; do
		case $api_line in
		ok*) ok "${api_line#*- }" ;;
		not*) not_ok "${api_line#*- }" ;;
		'#'*) printf '%s\n' "$api_line" ;;
		esac
	done <"$1"
}
