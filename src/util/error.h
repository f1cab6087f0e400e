/*
 * util/error.h: what went wrong on this side, in words a person can act on.
 *
 * A function that can fail takes a struct error as its last argument, returns 0 or -1,
 * and fills the error only when it returns -1:
 *
 *	if (fd < 0)
 *		return error_sys(err, EX_CONFIG, path, "opening the configuration");
 *
 * The text reads "what: reason while doing what", without a final full stop or newline.
 * Strings from outside must have been through text_clean() first.
 */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

#define ERROR_TEXT_MAX 1024

struct error {
	int code; /* what a program that gives up over it exits with, sysexits.h */
	char text[ERROR_TEXT_MAX]; /* never empty, cut to fit */
};

/* Fill err and return -1. */
int error_set(struct error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "WHAT: <strerror(errno)> while DOING"; errno is left as it was. Returns -1. */
int error_sys(struct error *err, int code, const char *what, const char *doing);

#endif
