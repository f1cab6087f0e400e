/*
 * mail/phrase.h: a person's name as a header field must have it (RFC 5322 §3.2.5, RFC
 * 2047).
 */
#ifndef MAIL_PHRASE_H
#define MAIL_PHRASE_H

#include <stddef.h>

#include "util/buf.h"

/*
 * Append a name: as it is when it consists of atoms with single spaces between them, else
 * in double quotes; one with other bytes than ASCII, or too long for a line, as RFC 2047
 * encoded words of UTF-8, or of charset unknown-8bit when it is not UTF-8. No line of it
 * is longer than 76 bytes; column is how many there are already on the first one. Control
 * characters must be gone. Returns the column behind it.
 */
size_t phrase_write(struct buf *b, const char *name, size_t column);

#endif
