#include "delivery/wait.h"

#include <stdlib.h>
#include <time.h>

#include "util/clock.h"
#include "util/xalloc.h"

void
wait_begin(struct wait *w)
{
	w->n = 0;
	w->until = CLOCK_NEVER;
}

void
wait_until(struct wait *w, int64_t deadline)
{
	w->until = clock_earlier(w->until, deadline);
}

static void
make_room(struct wait *w)
{
	if (w->cap - w->n >= QMTP_POLL_MAX)
		return;
	w->cap = w->n + 2 * QMTP_POLL_MAX;
	w->v = xreallocarray(w->v, w->cap, sizeof(*w->v));
}

void
wait_readable(struct wait *w, int fd)
{
	make_room(w);
	w->v[w->n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

void
wait_session(struct wait *w, const struct qmtp_session *s)
{
	wait_until(w, qmtp_session_deadline(s));
	make_room(w);
	w->n += qmtp_session_poll(s, w->v + w->n);
}

void
wait_sleep(struct wait *w, const sigset_t *sigmask)
{
	int64_t left = w->until - clock_ms();
	struct timespec ts;

	if (left < 0)
		left = 0;
	ts.tv_sec = (time_t)(left / 1000);
	ts.tv_nsec = (long)(left % 1000) * 1000000;
	ppoll(w->v, w->n, w->until == CLOCK_NEVER ? NULL : &ts, sigmask);
}

void
wait_free(struct wait *w)
{
	free(w->v);
	*w = (struct wait){ 0 };
}
