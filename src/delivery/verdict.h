/*
 * delivery/verdict.h: what becomes of a recipient when an offer to a server is over.
 * The one place of this decision.
 *
 * An offer is one package on one connection; it is over when all answers are in or the
 * connection is closed, for whatever reason.
 *
 *	what happened				     recipient
 *	last byte not sent (any fault, early bytes)  undecided: any server may have it
 *	last byte sent, no whole answer for it	     in doubt: no other server
 *	K					     accepted
 *	Z					     later: another server may have it
 *	D					     refused (soft-bounce: later)
 *
 *	several recipients, one answer, then silence (QMTP_SILENCE: not just a deadline), on
 *	a connection that has not answered several before:
 *	    K					     the first accepted, the others in doubt
 *	    Z or D				     later, all of them
 *
 *	a server that is known to answer once per package:
 *	    K or Z				     accepted or later, all of them
 *	    D to several			     singly: the same server, one per package
 */
#ifndef DELIVERY_VERDICT_H
#define DELIVERY_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "qmtp/qmtp.h"

enum verdict {
	VERDICT_UNDECIDED,
	VERDICT_IN_DOUBT,
	VERDICT_ACCEPTED,
	VERDICT_LATER,
	VERDICT_REFUSED,
	VERDICT_SINGLY
};

struct verdict_policy {
	bool answers_one; /* the server is known to answer once per package */
	bool proven;      /* it has answered several, one by one, on this connection */
	bool soft_bounce; /* D counts as Z */
};

/*
 * The verdict on the recipient at a position of a package whose offer is over; end is why
 * the connection was closed (QMTP_OK: it was not; QMTP_TIMEOUT also for a deadline of the
 * caller's).
 */
enum verdict verdict_for(const struct qmtp_package *p, size_t position,
    enum qmtp_cause end, const struct verdict_policy *policy);

/*
 * Whether the offer showed that this server answers once per package: it gets one
 * recipient at a time from then on.
 */
bool verdict_answered_once(const struct qmtp_package *p, enum qmtp_cause end,
    const struct verdict_policy *policy);

#endif
