/*
 * delivery/wait.h: the one place where a delivery sleeps: until a session has work, a
 * descriptor can be read, a deadline passes, or a signal comes.
 *
 *	wait_begin(&w);
 *	wait_until(&w, deadline);
 *	wait_session(&w, session);
 *	wait_readable(&w, fd);
 *	wait_sleep(&w, sigmask);
 */
#ifndef DELIVERY_WAIT_H
#define DELIVERY_WAIT_H

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "qmtp/qmtp.h"

/* {0} is ready for wait_begin(). */
struct wait {
	struct pollfd *v;
	size_t n, cap;
	int64_t until;
};

void wait_begin(struct wait *w);
void wait_until(struct wait *w, int64_t deadline);
void wait_session(struct wait *w, const struct qmtp_session *s);
void wait_readable(struct wait *w, int fd);

/* sigmask holds while it sleeps (ppoll(2)); NULL leaves the mask as it is. */
void wait_sleep(struct wait *w, const sigset_t *sigmask);

void wait_free(struct wait *w);

#endif
