/*
 * mail/dsn_line.h: what the parts of a bounce share: whom it is about, and lines that are
 * not too long.
 */
#ifndef MAIL_DSN_LINE_H
#define MAIL_DSN_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/dsn.h"

/* Bytes without a space before a line is cut, and of an address. */
#define DSN_WORD_MAX 900

/* Whether recipient i is one that this kind of news is about. */
bool dsn_concerns(const struct dsn *dsn, size_t i);

/*
 * What was said last on recipient i, cleaned and cut: to TEXT_BOUNCE_MAX, or, with more
 * than DSN_DETAILED_MAX recipients in the envelope, to TEXT_LOG_MAX. Never NULL, ""
 * for nothing. A string of the caller's.
 */
#define DSN_DETAILED_MAX 100
char *dsn_reply(const struct dsn *dsn, size_t i);

/* ASCII, whatever the locale. */
bool dsn_is_digit(char c);
bool dsn_is_alnum(char c);

/* Whether there is anything but ASCII in it. */
bool dsn_is_wide(const char *s, size_t n);

/* The most bytes, up to max, that do not end within a UTF-8 character. */
size_t dsn_whole_chars(const char *s, size_t n, size_t max);

/*
 * Append the words of s, as many to a line as fit (76 columns); column is how much of the
 * first line is taken, and every other one begins with indent. Words that no line could
 * hold are cut.
 */
void dsn_fold(struct buf *out, size_t column, const char *indent, const char *s);

/*
 * Whether an address can stand in a header field: nothing in it that would be another
 * character there, or end the address, or make the line too long. written is its form in
 * a header (address_write()).
 */
bool dsn_fits_header(const char *addr, const struct buf *written);

#endif
