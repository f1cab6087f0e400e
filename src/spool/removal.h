/*
 * spool/removal.h: entries that are over leave the queue, many to one sync. Until
 * the queue was synced a power cut brings them back; therefore nothing more may be
 * committed to a server while removal_due().
 */
#ifndef SPOOL_REMOVAL_H
#define SPOOL_REMOVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

#define REMOVAL_BATCH 256 /* removals, */
#define REMOVAL_AGE 200   /* or milliseconds since the first, to a sync */

struct removal {
	const struct spool *spool;
	size_t pending; /* removals since the last sync */
	int64_t oldest; /* clock_ms() of the first of them */
};

/*
 * unlink queue/id; one that is not there is as good. 0, or -1 with err (EX_IOERR): it is
 * still there.
 */
int removal_unlink(struct removal *r, const char *id, struct error *err);

/*
 * Move queue/id to a directory beside it ("failed", "corrupt"), under its own name, and
 * sync that one; it counts as removed. An older file of that name is never replaced:
 * ".1", ".2" ... are tried. 0, or -1 with err.
 */
int removal_move(
    struct removal *r, const char *id, const char *directory, struct error *err);

/* Whether a sync has to come first; when that will be (CLOCK_NEVER: nothing is pending). */
bool removal_due(const struct removal *r);
int64_t removal_deadline(const struct removal *r);

/*
 * fsync(queue/), if anything is pending. 0, or -1 with err (EX_IOERR): what the system
 * has dropped it would not report twice, so the caller must begin nothing more and end.
 */
int removal_sync(struct removal *r, struct error *err);

#endif
