/*
 * flush/account.h: after every try, each recipient of the entry is accounted for, on disk,
 * in this order:
 *
 *	K		marked; synced with the others
 *	in doubt	marked '?', synced
 *	later		marked P with the time of the try (no sync: lost, it is tried sooner)
 *	D		its bounce is in the queue, durable; then marked D, synced
 *	all settled	unlinked (nothing is marked when one try settles all with K)
 *
 * An entry of which a mark or a bounce cannot be written is HELD: what is known stays in
 * memory (in the envelope) and the entry is offered to nobody until account_try() with
 * the same entry and envelope succeeds.
 *
 * Expiry: an entry older than queue-lifetime whose try failed is marked E with the time; it
 * expires at a failed try an hour (EXPIRY_SECOND_TRY) or more after that: what is
 * unsettled is bounced and then marked D. A mark from the future, or on an entry that is
 * not that old by the present clock, is taken away. Delay warning: once an entry is older
 * than delay-warning, its sender is told once, and it is marked W.
 *
 * Bounces come from the null sender and are entries themselves (owner: this process).
 * What came from the null sender is reported to the postmaster, if there is one; what came
 * to the postmaster from the null sender, or has no postmaster, is moved to failed/ once all of it
 * is settled, and logged. No bounce is ever made for such a report.
 */
#ifndef FLUSH_ACCOUNT_H
#define FLUSH_ACCOUNT_H

#include "conf/conf.h"
#include "mail/envelope.h"
#include "mail/identity.h"
#include "spool/entry.h"
#include "spool/removal.h"

#define EXPIRY_SECOND_TRY 3600 /* seconds between the two failed tries that end it */

struct account {
	const struct conf *conf; /* replaced when the configuration is read again */
	const struct spool *spool;
	struct removal *removal;
	struct identity *identity; /* for bounces */
};

enum account_result {
	ACCOUNT_OVER,  /* it has left the queue */
	ACCOUNT_WAITS, /* *next is when it should be tried again */
	ACCOUNT_HELD   /* see above; err says why: try again in a while */
};

/*
 * The try of an entry, opened for marking, is over. envelope has its recipients at the same
 * positions (those settled before are SENT or REFUSED there), their states now, and the
 * replies ("server: text"). The entry stays the caller's to close.
 */
enum account_result account_try(struct account *a, struct entry *e,
    const struct envelope *envelope, time_t now, time_t *next, struct error *err);

/*
 * All servers were probed, and none can be reached: nothing is written, but for an
 * entry past its lifetime (E, expiry) or one whose sender is to be warned. why: what the
 * probes said, "server: text".
 */
enum account_result account_probe(struct account *a, struct entry *e, const char *why,
    time_t now, time_t *next, struct error *err);

#endif
