/*
 * flush/notice.h: a mail of our own goes into the queue: a bounce, the news of an expiry, a
 * delay warning, a report to the postmaster.
 */
#ifndef FLUSH_NOTICE_H
#define FLUSH_NOTICE_H

#include "mail/dsn.h"
#include "spool/entry.h"
#include "spool/store.h"

#define NOTICE_HEAD_MAX (1024 * 1024) /* bytes of the original's header that are read */

struct notice {
	const struct spool *spool;
	const struct entry *entry; /* the original, open: its header is read from there */
	struct dsn dsn;            /* all but head and to is filled in */
	const char *to;            /* who gets it; "" = the original's sender */
	const char *copy;          /* who gets it, too; "" = nobody */
};

/*
 * Write it, durable (store_commit()), from the null sender, its recipients pending, its id
 * into id. The identity gets a new token. 0, or -1 with err: nothing of it is there, or
 * nothing that anybody was told of. For the null sender as the one who gets it: -1
 * (EX_SOFTWARE).
 */
int notice_store(struct notice *n, char id[SPOOL_ID], struct error *err);

#endif
