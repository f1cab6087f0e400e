/*
 * delivery/deliver.h: one message, one envelope, a list of servers: every recipient is
 * offered to one server after another until one has settled it.
 *
 *	race	 the servers are started one connect-delay after the other (at once when one
 *		 fails); the first that stands gets the offer, the others are closed unused
 *	offer	 packages of at most recipients-per-package, pipelined where that is safe
 *	verdict	 accepted and refused are final; in doubt goes to no other server; the rest
 *		 races on among the servers that have not had it yet (delivery/verdict.h)
 */
#ifndef DELIVERY_DELIVER_H
#define DELIVERY_DELIVER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "qmtp/qmtp.h"
#include "util/error.h"

/*
 * What is reported: one server's word on some recipients. All in it is lent for the
 * call.
 */
struct deliver_report {
	const struct server *server; /* NULL: the spool */
	const char *peer;      /* address that was used or tried; "" if none was known */
	int64_t delay;         /* milliseconds since deliver() was called */
	enum rcpt_state state; /* of these recipients now; PENDING: deferred */
	const char *text;      /* cleaned: the server's words, or what went wrong */
	const size_t *rcpts; /* positions in the envelope; none: a remark on the server */
	size_t n;
};

struct deliver {
	const struct server *servers; /* in the order in which they are tried */
	size_t nservers;
	int connect_delay;  /* milliseconds */
	int direct_timeout; /* milliseconds for all answers, from the first commit on */
	bool soft_bounce;

	/*
	 * The last server on the list, a spool: it is given what is left, pending or in
	 * doubt, sets RCPT_QUEUED on all that it has made durable, and a reply on the
	 * others. It is asked once, and not at all when nothing is left. With keep_first it
	 * comes before the servers, which then get what it did not take. -1 with err
	 * (EX_IOERR): the message cannot be read any more. NULL: there is none.
	 */
	int (*keep)(
	    void *arg, const struct message *m, struct envelope *e, struct error *err);
	bool keep_first;

	/*
	 * Hooks; each may be NULL. commit is called once, before the first last byte
	 * goes.
	 */
	void (*commit)(void *arg);
	void (*report)(
	    void *arg, const struct envelope *e, const struct deliver_report *r);
	void (*trace)(void *arg, const char *server, enum qmtp_trace what,
	    const char *data, size_t len);
	void *arg;

	/*
	 * Once *stop is true, answers are waited for 10 s more and no other server is
	 * begun with; what is left is kept. The mask holds while sleeping. Both may be NULL.
	 */
	const volatile sig_atomic_t *stop;
	const sigset_t *sigmask;
};

/*
 * Deliver to every recipient that is RCPT_PENDING. On return each is SENT, REFUSED, QUEUED,
 * IN_DOUBT or still PENDING, and its reply says why. What servers do is no error: 0.
 * Returns -1 with err only when the message itself cannot be read any more (EX_IOERR):
 * then nothing more was committed, and what had been settled before stays so.
 */
int deliver(const struct deliver *d, const struct message *m, struct envelope *e,
    struct error *err);

#endif
