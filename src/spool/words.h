/*
 * spool/words.h: the tail of a queue file: what servers said last, for people. Best
 * effort: it is not synced, a full disk leaves it out, and whoever submitted the entry may
 * have changed it; nothing is decided by it.
 *
 *	<8 hex digits of time> <from> <to> <text> LF
 *
 * from and to are positions of recipients (decimal, both included).
 */
#ifndef SPOOL_WORDS_H
#define SPOOL_WORDS_H

#include "spool/entry.h"
#include "util/buf.h"

#define WORDS_MAX (64 * 1024) /* bytes of the tail that are written, and read */

/* Append a line to out (cleaned, cut at TEXT_LOG_MAX), unless it would pass WORDS_MAX. */
void words_add(struct buf *out, size_t from, size_t to, const char *text, time_t now);

/* Replace the tail of an entry opened for marking by these lines. Says nothing of success. */
void words_write(const struct entry *e, const struct buf *lines);

/*
 * Call f for each line of the tail that is one, in order, with cleaned text; the last one
 * for a position is the one that counts. The tail as it was when the entry was opened.
 */
void words_read(const struct entry *e,
    void (*f)(void *arg, size_t from, size_t to, const char *text, time_t when),
    void *arg);

#endif
