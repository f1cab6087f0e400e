/*
 * sendmail/handover.h: what no server took goes to the spool, which is the last server on
 * the list: qmtp-queue(8), by either road (sendmail/helper.h).
 *
 *	PENDING		one package, stored to be sent ("store")
 *	IN_DOUBT	another, stored to be sent later: a server may have it ("doubt")
 *
 *	K for every recipient of a package	RCPT_QUEUED: it is durable
 *	Z					one new attempt with a fresh helper, then: not stored
 *	D					not stored
 *	the last byte was not read		not stored; the other road
 *	no whole answer after that		not stored as far as one knows; a copy may be
 *
 * Who was not stored stays as he was; his reply says why.
 */
#ifndef SENDMAIL_HANDOVER_H
#define SENDMAIL_HANDOVER_H

#include "delivery/deliver.h"

struct handover {
	/* Before a last byte goes. */
	void (*commit)(void *arg);
	/* As the hooks of struct deliver; server is NULL in reports, "queue" in traces. */
	void (*report)(
	    void *arg, const struct envelope *e, const struct deliver_report *r);
	void (*trace)(void *arg, const char *server, enum qmtp_trace what,
	    const char *data, size_t len); /* or NULL */
	void *arg;
	const sigset_t *sigmask; /* while sleeping */
	int64_t begun;           /* clock_ms() from which delays are counted */
};

/*
 * Hand over every recipient that is PENDING or IN_DOUBT. 0; or -1 with err (EX_IOERR) when
 * the message cannot be read any more: nothing of that package is stored.
 */
int handover(const struct handover *h, const struct message *m, struct envelope *e,
    struct error *err);

#endif
