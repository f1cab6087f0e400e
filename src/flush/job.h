/*
 * flush/job.h: one entry on its way: which recipients are offered to which server, and
 * what came of it.
 *
 * A try: all recipients that are pending, and those in doubt whose time is over, go to
 * the first server that stands; those that it neither took nor refused to the next in the
 * order of the configuration that is not down, each server at most once; those in doubt
 * go to none. Before the next server, or the same one a second time, what is known is on
 * disk.
 */
#ifndef FLUSH_JOB_H
#define FLUSH_JOB_H

#include "flush/account.h"
#include "flush/fleet.h"
#include "mail/envelope.h"
#include "spool/entry.h"

struct job {
	struct entry entry; /* open for marking */
	char *message;      /* all of it, when it is small; NULL: it is in the file */
	/* recipients at the same positions; its strings but the replies are the entry's */
	struct envelope envelope;
	struct fleet *fleet;
	int64_t begun;  /* clock_ms() when the mail arrived, as far as one can say */
	uint64_t tried; /* bit i: server i of the fleet */
	size_t parcels; /* that are with a pool */
	bool offered;   /* a server heard of it: the try counts */
	bool broken;    /* the message could not be read to its end */
	bool marked;    /* there are marks that are not synced */
	bool gone;      /* the entry was removed: nothing more is begun */
	bool again;     /* the entry was touched: another try at once */
	bool over;      /* the try is over */
	bool held;      /* it is, and could not be accounted for yet */
	bool probed;    /* it was not tried: all servers were down */
	struct account_work work;
	struct job *next, *prev; /* the list of whose it is */
};

/*
 * A job for an entry, which it takes over, and for its message, which may be NULL. joins says whether a recipient, pending or in
 * doubt, is in this try; one that is not is RCPT_IN_DOUBT without a reply.
 */
struct job *job_new(struct entry *e, char *message, struct fleet *f,
    bool (*joins)(void *arg, const struct entry *e, size_t i), void *arg);

/* Nothing of it may be with a pool. Closes the entry. */
void job_free(struct job *j);

/* Whether there is anybody to offer it for. */
bool job_has_work(const struct job *j);

/* Whether every recipient is settled, on disk or since. */
bool job_is_settled(const struct job *j);

/*
 * Offer it: to this pool first, which may be NULL if there is no work. Sets over when there is nothing to do, now or in one of
 * the hooks below.
 */
void job_begin(struct job *j, struct pool *p);

/* pool_hooks.over and pool_hooks.ready, without their arg, for parcels of jobs. */
void job_parcel_over(struct pool *p, struct parcel *parcel, const struct pool_end *end);
bool job_parcel_ready(struct pool *p, struct parcel *parcel);

#endif
