/*
 * spool/spool.h: the directory where mail waits, and the form of what is in it.
 *
 *	SPOOL/tmp/	being written, not acknowledged
 *	SPOOL/queue/ID	complete: acknowledged, to be delivered
 *	SPOOL/failed/ID	over, and nobody could be told: for the postmaster to look at
 *	SPOOL/corrupt/	what was found in queue/ and is no queue file
 *	SPOOL/lock	held (flock(2)) by the one flusher
 *
 * A queue file is a QMTP package as it came, followed by n + 1 slots of SPOOL_SLOT
 * bytes, one for each recipient and one for the message: a state letter, 8 hex digits
 * of time (seconds since 1970), LF; then the servers' last words, best effort, for
 * people.
 *
 *	P	pending
 *	?	in doubt: a server may have it; no try before SPOOL_DOUBT seconds are over,
 *		unless somebody asks for it
 *	K D	accepted, refused: settled
 *	W	of the message only: its sender was told at that time that it is late
 *	E	of the message only: a try after its lifetime failed at that time
 *
 * ID is "<seconds>.<inode>" in hex: it sorts by arrival, and cannot be there twice
 * while the file lives.
 *
 *	on disk				 meaning			      after a crash
 *	tmp/X				 not acknowledged		      removed after SPOOL_STALE seconds
 *	queue/ID			 complete (synced before the rename)  live
 *	queue/ID, some slots K or D	 those are settled		      the rest is live
 *	queue/ID, all slots K or D	 about to be removed		      removed
 *	queue/ID that is no such file	 damage				      moved aside, never sent
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include <stdint.h>
#include <time.h>

#include "util/error.h"

#define SPOOL_SLOT 10           /* bytes of a slot */
#define SPOOL_ID 40             /* room for an ID and its NUL */
#define SPOOL_DOUBT 300         /* seconds */
#define SPOOL_STALE (36 * 3600) /* seconds */

/* The directories, open. */
struct spool {
	int top; /* O_PATH */
	int tmp;
	int queue;
};

/* Open the spool at path. Returns 0, or -1 with err (EX_CANTCREAT). */
int spool_open(struct spool *s, const char *path, struct error *err);

void spool_close(struct spool *s);

/* Write a slot to out, without a NUL. Times outside 32 bits are cut to them. */
void spool_slot(char out[SPOOL_SLOT], char state, time_t when);

/* Read a slot. Returns its letter and sets *when, or 0: it is none. */
char spool_slot_read(const char slot[SPOOL_SLOT], time_t *when);

/* Whether a name is that of a queue file. */
int spool_is_id(const char *name);

/*
 * Rename a file from one directory of the spool to another, never over another file
 * (EEXIST). Where the system cannot do that, it has both names for a moment. 0, or -1
 * with errno.
 */
int spool_rename(int from, const char *name, int to, const char *new_name);

#endif
