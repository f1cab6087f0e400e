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
 * Who has no reply in the envelope, and is pending or was in doubt before, was not in the
 * try (no server reached, doubt not over), and stays as it is on disk.
 *
 * An entry of which a mark or a bounce cannot be written is HELD: what is known stays in
 * memory (in the envelope and in a struct account_work) and the entry is offered to
 * nobody until account_try() with the same entry, envelope and work succeeds. Steps that
 * were done are not done again: no bounce is stored twice.
 *
 * Expiry: an entry older than queue-lifetime whose try failed is marked E with the time; it
 * expires at a failed try an hour (EXPIRY_SECOND_TRY) or more after that: what is
 * unsettled is bounced and then marked D. A mark from the future, or on an entry that is
 * not that old by the present clock, is taken away. Delay warning: once an entry is older
 * than delay-warning (and not than queue-lifetime), its sender is told once, and it is
 * marked W; a warning that cannot be stored is left for the next failed try and holds
 * nothing up.
 *
 * Who is told of D and expiry (P: the postmaster of the configuration, if there is one):
 *
 *	from	to		news				if P has none, too
 *	S	anybody		bounce from <> to S, and to P
 *	<>	anybody but P	report from <> to P		failed/
 *	<>	P		failed/				failed/
 *
 * Every news comes from <>, so it is in the second or third row when it fails itself; a
 * report goes to P alone, so it is in the third. No entry leads to more than two others one
 * behind the other, whatever servers say. failed/: once all of it is settled the entry is
 * moved there and logged. Of delays only S is told. News is an entry itself (owner: this
 * process).
 */
#ifndef FLUSH_ACCOUNT_H
#define FLUSH_ACCOUNT_H

#include <stdbool.h>

#include "conf/conf.h"
#include "mail/dsn.h"
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

/*
 * What was already done about one try, of a caller who may have to repeat the call: {0}
 * for each new try. Holds no resources.
 */
struct account_work {
	bool begun;
	time_t tried;               /* now of the first call: expiry is judged by it */
	bool told[DSN_DELAYED + 1]; /* by enum dsn_kind: its news is stored */
	bool unsynced; /* marks were written that no sync has confirmed: again */
};

enum account_result {
	ACCOUNT_OVER,  /* it has left the queue */
	ACCOUNT_WAITS, /* *next is when it should be tried again */
	ACCOUNT_HELD   /* see above; err says why: try again in a while */
};

/*
 * The try of an entry, opened for marking, is over. envelope has its recipients at the same
 * positions (those settled before are SENT or REFUSED there), their states now, and the
 * replies ("server: text"). What the caller has marked itself before is synced as well.
 * The entry stays the caller's to close.
 */
enum account_result account_try(struct account *a, struct entry *e,
    const struct envelope *envelope, struct account_work *work, time_t now, time_t *next,
    struct error *err);

/*
 * All servers were probed, and none can be reached: nothing is written, but for an
 * entry past its lifetime (E, expiry) or one whose sender is to be warned. why: what the
 * probes said, "server: text". HELD: the same again, with the same work.
 */
enum account_result account_probe(struct account *a, struct entry *e, const char *why,
    struct account_work *work, time_t now, time_t *next, struct error *err);

#endif
