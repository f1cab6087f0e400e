/*
 * flush/flusher.h: the inside of the flusher, shared by the files that make it up: flush.c
 * (its life, its one place to sleep), intake.c (entries become jobs), results.c (what became
 * of them goes back to the spool).
 *
 *	schedule --intake--> running --hooks--> finished --results--> gone, schedule or held
 */
#ifndef FLUSH_FLUSHER_H
#define FLUSH_FLUSHER_H

#include "flush/account.h"
#include "flush/flush.h"
#include "flush/job.h"
#include "flush/watch.h"
#include "mail/identity.h"
#include "spool/removal.h"
#include "spool/schedule.h"

#define FLUSHER_ASKED \
	256 /* wishes that are remembered; of more, by what the mtime says */

/* A list of jobs. {0} is empty. */
struct jobs {
	struct job *first, *last;
	size_t n;
};

struct flusher {
	const struct flush_setup *setup;
	struct schedule *schedule;
	struct removal removal;
	struct identity identity;
	struct account account;
	struct watch watch;

	struct pool_hooks hooks;
	struct fleet *fleet; /* of the present configuration */
	struct fleet *old;   /* of earlier ones, which still have jobs */

	struct jobs running, finished, held;
	char asked[FLUSHER_ASKED]
		  [SPOOL_ID]; /* entries that somebody wants tried now: a ring */
	size_t nasked;        /* wishes so far */
	size_t most;          /* jobs at a time */
	size_t rcpts;         /* of all jobs together */
	int64_t held_at;      /* when to try those again */
	int64_t look_at;      /* when to look at the whole queue again */
	int64_t stale_at;     /* ... and for what was left in tmp/ */
	int64_t skew;         /* between the two clocks, milliseconds */
	bool due;             /* an entry is known to be due, though no server has room */
	bool anew;            /* that look enters everything as due; */
	int64_t anew_at;      /* without a watch, when it should */
	size_t strangers;     /* files in queue/ whose names are no ids: then, */
	size_t counted;       /* and in the look under way */

	int64_t
	    older_at; /* when old entries may be looked at again, while servers are down */

	bool stopping;
	int64_t stop_at; /* answers are waited for until then */
	int code;        /* to exit with */
};

void jobs_add(struct jobs *list, struct job *j);
void jobs_remove(struct jobs *list, struct job *j);

/* From now on nothing more is committed; code is what to exit with. */
void flusher_stop(struct flusher *f, int code);

/* Sync the removals if they are due, or must be. 0, or -1: it stops. */
int flusher_sync(struct flusher *f, bool now);

/* ---- intake.c ---- */

/* Open the watch, and look at the whole queue. */
void intake_begin(struct flusher *f);

/* Hear what happened in the queue; look at all of it when it is time to. */
void intake_listen(struct flusher *f, int64_t now);

/*
 * While no server has room: open what should be due until one is found that is. Entries
 * of which nothing is known yet are reason enough to look, not to connect. What is settled
 * needs no server and is finished.
 */
void intake_check(struct flusher *f);

/* Whether anything is due, as far as is known. */
bool intake_is_due(const struct flusher *f);

/* Make jobs of entries that are due while a server has room. */
void intake_take(struct flusher *f);

/* Whether that would make any. */
bool intake_has_work(const struct flusher *f);

/* ---- results.c ---- */

/* Account for the finished jobs, and try the held ones again. */
void results_settle(struct flusher *f, int64_t now);

/*
 * All servers are down: entries that are past their lifetime, or whose senders are to be
 * warned, are judged by that.
 */
void results_of_probe(struct flusher *f, int64_t now);

#endif
