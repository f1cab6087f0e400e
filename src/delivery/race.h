/*
 * delivery/race.h: which server gets the offer: the first that stands.
 */
#ifndef DELIVERY_RACE_H
#define DELIVERY_RACE_H

#include "delivery/deliver.h"

/* One server in one delivery. */
struct runner {
	const struct server *server;
	struct qmtp_session *session; /* while it runs */
	bool out;                     /* not to be tried (again) */
	bool again;  /* out, but to be tried once more when no other is left */
	bool singly; /* one recipient per package */
	void *owner; /* for the hooks of its session, whose arg is the runner */
};

struct race {
	const struct deliver *deliver;
	struct runner *runners;
	size_t n;
	const struct qmtp_options *hooks; /* what all sessions share: commit and trace */
	/* A runner could not connect; its session is still there. */
	void (*failed)(struct runner *r);
};

/*
 * Run until one stands, all are out, or the deadline passes. Returns the winner, whose
 * session is open and the caller's, or NULL. Runners that fail are out; those closed
 * unused are not.
 */
struct runner *race_run(struct race *race, int64_t deadline);

#endif
