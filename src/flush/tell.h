/*
 * flush/tell.h: who hears of recipients that were refused, given up, or are late: the table
 * of flush/account.h.
 */
#ifndef FLUSH_TELL_H
#define FLUSH_TELL_H

#include "flush/account.h"
#include "flush/last.h"
#include "mail/dsn.h"

struct news {
	enum dsn_kind kind;
	const struct entry *entry;
	const bool *about;       /* for each recipient */
	const struct last *last; /* what was said on them */
	time_t now;
};

/*
 * Put the news into the queue, durable, and into the log; when there is nobody to tell,
 * nothing. DSN_DELAYED is for entries with a sender. 0, or -1 with err.
 */
int tell(const struct account *a, const struct news *n, struct error *err);

/*
 * For each recipient, whether nobody can be told of it: the entry belongs into failed/
 * when such a one is refused or given up. An array that the caller frees.
 */
bool *tell_untold(const struct account *a, const struct entry *e);

#endif
