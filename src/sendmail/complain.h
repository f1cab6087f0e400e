/*
 * sendmail/complain.h: the words of the command: one line per cause on stderr, the same
 * in the log. Nothing here can hold the program up: a stderr or stdout that nobody
 * reads is given 50 ms once and then left alone.
 */
#ifndef SENDMAIL_COMPLAIN_H
#define SENDMAIL_COMPLAIN_H

#include <stddef.h>

#include "util/buf.h"

/* The name that lines begin with (lent), and whether stderr is to stay empty (-oeq). */
void complain_as(const char *program, int quiet);

/* "PROGRAM: text" on stderr, "text" in the log (LOG_ERR). The text must be clean. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Until the call with NULL: no line goes to stderr; text and newline are appended here.
 */
void complain_into(struct buf *lines);

/* A line on stdout that must not hold the program up: for -v. */
void complain_trace(const char *line, size_t len);

#endif
