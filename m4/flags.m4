# Compiler and linker options, each taken only if this compiler and linker know it.
# -Werror in the trial: clang merely warns of an option that it does not know.

# QMTP_TRY_CFLAGS(VARIABLE, OPTIONS)
AC_DEFUN([QMTP_TRY_CFLAGS], [
for flag in $2; do
	AC_MSG_CHECKING([whether $CC takes $flag])
	qmtp_saved="$CFLAGS"
	CFLAGS="$CFLAGS $flag -Werror"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
	    [AC_MSG_RESULT([yes]); $1="$$1 $flag"],
	    [AC_MSG_RESULT([no])])
	CFLAGS="$qmtp_saved"
done
])

# QMTP_TRY_LDFLAGS(VARIABLE, OPTIONS)
AC_DEFUN([QMTP_TRY_LDFLAGS], [
for flag in $2; do
	AC_MSG_CHECKING([whether the linker takes $flag])
	qmtp_saved="$LDFLAGS"
	qmtp_saved_cflags="$CFLAGS"
	CFLAGS="$CFLAGS $QMTP_CFLAGS -Werror"
	LDFLAGS="$LDFLAGS $flag"
	AC_LINK_IFELSE([AC_LANG_PROGRAM()],
	    [AC_MSG_RESULT([yes]); $1="$$1 $flag"],
	    [AC_MSG_RESULT([no])])
	CFLAGS="$qmtp_saved_cflags"
	LDFLAGS="$qmtp_saved"
done
])
