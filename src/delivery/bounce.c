#include "delivery/bounce.h"

#include <sysexits.h>

#include "mail/dsn.h"
#include "util/xalloc.h"

static bool
is_kept(const struct rcpt *r)
{
	return r->state == RCPT_SENT || r->state == RCPT_QUEUED;
}

/* The sender has it, or will; or, a double bounce, whoever looks after the host. */
static bool
is_safe(const struct envelope *e)
{
	if (is_kept(&e->rcpts[0]))
		return true;
	return e->n > 1 && e->rcpts[0].state == RCPT_REFUSED && is_kept(&e->rcpts[1]);
}

int
bounce_send(const struct deliver *d, const struct bounce *b, struct error *err)
{
	struct envelope e = { 0 };
	struct message m = { .fd = -1 };
	struct dsn dsn = {
		.identity = b->identity,
		.envelope = b->envelope,
		.head = b->head,
		.now = b->now,
	};
	struct error inner;
	int r = -1;

	if (*b->envelope->sender == '\0')
		return error_set(
		    err, EX_UNAVAILABLE, "bounce: none is sent to the null sender");
	if (identity_new_token(b->identity, err) < 0)
		return -1;
	dsn_write(&m.head, &dsn);
	e.sender = xstrdup("");
	if (envelope_add(&e, b->envelope->sender, 2, &inner) < 0 ||
	    (*b->postmaster != '\0' && envelope_add(&e, b->postmaster, 2, &inner) < 0) ||
	    deliver(d, &m, &e, &inner) < 0)
		error_set(err, EX_UNAVAILABLE, "bounce: %s", inner.text);
	else if (is_safe(&e))
		r = 0;
	else
		error_set(err, EX_UNAVAILABLE, "bounce to %s: %s", b->envelope->sender,
		    e.rcpts[0].reply != NULL ? e.rcpts[0].reply : "no server took it");
	envelope_free(&e);
	message_free(&m);
	return r;
}
