/*
 * spool/store.h: a package becomes durable.
 *
 *	store_begin		a new file in tmp/ (O_EXCL)
 *	store_write ...		the package, as it comes
 *	store_slots		its slots
 *	store_commit		fsync(file), rename to queue/ without replacing, fsync(queue/)
 *
 * Only after store_commit() has returned 0 may anybody be told that the mail is safe. A
 * file whose fsync failed is removed and never synced again: what the system has
 * dropped it would not report twice.
 */
#ifndef SPOOL_STORE_H
#define SPOOL_STORE_H

#include <stddef.h>

#include "spool/spool.h"
#include "util/buf.h"

struct store {
	const struct spool *spool;
	int fd; /* -1: nothing was begun, or it is over */
	char name[SPOOL_ID];
	struct buf pending; /* bytes that are not written yet */
};

/*
 * {0} with fd -1 is nothing. Returns 0, or -1 with err (EX_CANTCREAT); nothing to abort
 * then.
 */
int store_begin(struct store *st, const struct spool *spool, struct error *err);

/* 0, or -1 with err (EX_CANTCREAT): store_abort() it. */
int store_write(struct store *st, const void *data, size_t n, struct error *err);

/* Append n + 1 slots with the state and the time. */
int store_slots(struct store *st, size_t n, char state, time_t now, struct error *err);

/*
 * Make it durable and give it its name in queue/, which is put into id. 0, or -1 with
 * err (EX_CANTCREAT): then no file is left, or, when only the directory's fsync failed,
 * none that anybody was told of.
 */
int store_commit(struct store *st, time_t now, char id[SPOOL_ID], struct error *err);

/* Remove what was begun. Harmless when there is nothing. */
void store_abort(struct store *st);

#endif
