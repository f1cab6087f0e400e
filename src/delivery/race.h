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
	struct qmtp_shared
	    *shared;      /* of all its sessions; freed by who made the runner */
	int64_t securing; /* since when TLS has been under way; 0: it is not */
	void *owner;      /* for the hooks of its session, whose arg is the runner */
};

struct race {
	const struct deliver *deliver;
	struct runner *runners;
	size_t n;
	const struct qmtp_options *hooks; /* what all sessions share: commit and trace */
	/* A runner could not connect; its session is still there, if it came to one. */
	void (*failed)(struct runner *r, const struct qmtp_error *why);
};

/*
 * Run until one stands, all are out, or the deadline passes. A connection stands when TCP
 * and TLS are complete; of those that stand at one wake-up the eldest wins, and it waits
 * DIAL_PATIENCE for an elder one whose TLS is under way. Returns the winner, whose
 * session is open and the caller's, or NULL. Runners that fail are out; those closed
 * unused are not.
 */
struct runner *race_run(struct race *race, int64_t deadline);

#endif
