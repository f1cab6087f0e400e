/*
 * qmtp/shared.h: what sessions with one server have in common, the inside of struct
 * qmtp_shared.
 *
 * A process that forks while another of its threads is in here must not use the object in
 * the child: the mutex may stay locked there, and the look-up's thread is not there.
 */
#ifndef QMTP_SHARED_H
#define QMTP_SHARED_H

#include <pthread.h>

#include "qmtp/lookup.h"
#include "qmtp/qmtp.h"
#include "qmtp/tls_module.h"

struct qmtp_shared {
	pthread_mutex_t mutex; /* over all that follows; nobody waits with it locked */
	/* the latest look-up that nobody has seen the end of, a reference; or NULL */
	struct qmtp__lookup *lookup;
	/*
	 * Set once, together, by the first session that needs them, and constant from then
	 * on; freed with this object.
	 */
	const struct qmtp__tls_ops *tls_ops;
	struct qmtp__tls_context *tls;
};

/*
 * A look-up to wait for, a reference: the one that another session left under way, or a
 * new one. One that has ended is not joined: names get new addresses. NULL with err.
 * Without shared (NULL): a new one.
 */
struct qmtp__lookup *qmtp__shared_lookup(
    struct qmtp_shared *shared, const char *host, int port, struct qmtp_error *err);

/* A session that has a look-up needs it no more: it is kept only while it is under way. */
void qmtp__shared_forget(struct qmtp_shared *shared, const struct qmtp__lookup *l);

#endif
