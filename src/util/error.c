#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

int
error_sys(struct error *err, int code, const char *what, const char *doing)
{
	int saved = errno;

	error_set(err, code, "%s: %s while %s", what, strerror(saved), doing);
	errno = saved;
	return -1;
}
