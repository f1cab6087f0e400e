/*
 * queue/own.h: the entries of whoever runs this program (real user id 0: all of them):
 * show, remove, retry. Those of others, and what is no entry, are as if they were not there.
 *
 * What is told begins with a status line, "ok", "ok N" or "no CODE TEXT" (sysexits.h). All
 * functions here return that code.
 */
#ifndef QUEUE_OWN_H
#define QUEUE_OWN_H

#include <stdbool.h>

#include "queue/peer.h"
#include "spool/spool.h"

/* Whether entries of that user are one's own. */
bool own_uid(uid_t uid);

/* Whether queue/id is an entry of one's own, by its name, its kind and its owner. */
bool own_entry(const struct spool *s, const char *id);

/* "no CODE TEXT", cleaned. Returns the code, or EX_IOERR when nobody listens. */
int own_refuse(struct peer *p, int code, const char *text);

/* "ok N", then the N bytes of the message as it was stored. */
int own_show(const struct spool *s, struct peer *p, const char *id);

/* "ok": it is gone, and the queue synced. */
int own_remove(const struct spool *s, struct peer *p, const char *id);

/*
 * Its next try is now: its mtime is set, which the flusher sees. "ok"; with the id "all"
 * "ok N": so many were touched.
 */
int own_retry(const struct spool *s, struct peer *p, const char *id);

#endif
