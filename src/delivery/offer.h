/*
 * delivery/offer.h: one delivery under way, and its offer to one server.
 */
#ifndef DELIVERY_OFFER_H
#define DELIVERY_OFFER_H

#include "delivery/deliver.h"
#include "delivery/race.h"

struct delivery {
	const struct deliver *deliver;
	const struct message *message;
	struct envelope *envelope;
	int64_t begun;
	int64_t until; /* deadline for all answers: CLOCK_NEVER before the first commit */
	bool committed; /* a last byte may have gone out */
	bool failed;    /* the message cannot be read any more: */
	struct error error;
};

/*
 * Offer all pending recipients to a runner whose session stands, wait for the answers,
 * set every recipient's state, report. Closes the session. Afterwards the runner is out,
 * unless it should have the rest after a reconnect at once (its session was too old), or
 * again later.
 */
void offer_make(struct delivery *v, struct runner *r);

/* Report a runner that could not connect, on behalf of all pending recipients. */
void offer_failed(struct runner *r, const struct qmtp_error *why);

/* The same for one that was not tried at all; why is clean. */
void offer_declined(struct runner *r, const char *why);

/*
 * The hooks of every session of a delivery: arg is the runner, whose owner is the
 * struct delivery.
 */
int offer_commit(void *runner, struct qmtp_package *p);
void offer_trace(void *runner, enum qmtp_trace what, const void *data, size_t len);

#endif
