/*
 * flush/last.h: what was said last on each recipient of an entry.
 */
#ifndef FLUSH_LAST_H
#define FLUSH_LAST_H

#include "mail/envelope.h"
#include "spool/entry.h"

struct last {
	const char **words; /* one for each recipient; NULL: nothing is known */
	char **texts;       /* those that came from the queue file */
	size_t ntexts, cap;
};

/*
 * Each recipient's reply in the envelope, else what the tail of the queue file says, else
 * otherwise, which may be NULL. The envelope's strings and otherwise are lent.
 */
void last_read(struct last *l, const struct entry *e, const struct envelope *envelope,
    const char *otherwise);

/* Put the words on recipients that are not settled into the tail of the queue file. */
void last_write(const struct last *l, const struct entry *e, time_t now);

void last_free(struct last *l);

#endif
