/*
 * delivery/bounce.h: the sender hears of recipients that were refused while others were
 * not.
 */
#ifndef DELIVERY_BOUNCE_H
#define DELIVERY_BOUNCE_H

#include "delivery/deliver.h"
#include "mail/identity.h"

struct bounce {
	struct identity *identity;       /* gets a new token */
	const struct envelope *envelope; /* of the original: refused recipients, sender */
	const struct buf *head;          /* its finished header block */
	const char *postmaster;          /* hears of it too; "" = nobody */
	time_t now;
};

/*
 * Make the bounce and deliver it from the null sender. Returns 0 when a server has
 * accepted it for the sender, or it was kept (deliver.keep) for the sender; or when the
 * sender was refused and that is so for the postmaster.
 * Else -1 with err (EX_UNAVAILABLE): also when the original came from the null sender,
 * to whom nothing is ever bounced.
 */
int bounce_send(const struct deliver *d, const struct bounce *b, struct error *err);

#endif
