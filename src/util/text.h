/*
 * util/text.h: the one place where strings from outside are made fit to be shown, in a
 * log, on a terminal or in a bounce.
 */
#ifndef UTIL_TEXT_H
#define UTIL_TEXT_H

#include <stddef.h>

#include "util/buf.h"

#define TEXT_LOG_MAX 400     /* bytes of foreign text in a log line or an error */
#define TEXT_BOUNCE_MAX 2000 /* bytes of foreign text in a bounce */

/*
 * Append at most max bytes for the n bytes of s to b. Printable ASCII and well-formed
 * UTF-8 of printable characters pass. Every other byte becomes a '?': control characters,
 * CR and LF included, bytes that are no UTF-8, and the characters that hide or reorder
 * text. What is longer than max ends in "..." (within max), not in the middle of a
 * character. n = 0 appends nothing.
 */
void text_clean(struct buf *b, const char *s, size_t n, size_t max);

/* The same as a string that the caller frees. */
char *text_cleaned(const char *s, size_t n, size_t max);

/* Append s as a JSON string (RFC 8259 §7), quotes included; null for NULL. */
void text_json(struct buf *b, const char *s);

#endif
