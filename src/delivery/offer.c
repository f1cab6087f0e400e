#include "delivery/offer.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "delivery/outcome.h"
#include "delivery/pack.h"
#include "delivery/verdict.h"
#include "delivery/wait.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define GRACE_AFTER_STOP 10000 /* milliseconds for answers once a signal has come */

/* One package and the positions in the envelope of its recipients. */
struct parcel {
	struct qmtp_package *package;
	const size_t *positions;
	size_t n;
};

int
offer_commit(void *runner, struct qmtp_package *p)
{
	struct runner *r = runner;
	struct delivery *v = r->owner;

	(void)p;
	if (message_unchanged(v->message, &v->error) < 0) {
		v->failed = true;
		return -1;
	}
	if (!v->committed) {
		v->committed = true;
		v->until = clock_ms() + v->deliver->direct_timeout;
		if (v->deliver->commit != NULL)
			v->deliver->commit(v->deliver->arg);
	}
	return 0;
}

void
offer_trace(void *runner, enum qmtp_trace what, const void *data, size_t len)
{
	struct runner *r = runner;
	struct delivery *v = r->owner;

	v->deliver->trace(v->deliver->arg, r->server->name, what, data, len);
}

static struct outcome
outcome_of(struct delivery *v, const struct runner *r)
{
	struct outcome o = {
		.server = r->server,
		.session = r->session,
		.envelope = v->envelope,
		.most = v->envelope->n,
		.begun = v->begun,
		.report = v->deliver->report,
		.arg = v->deliver->arg,
	};

	outcome_begin(&o);
	return o;
}

static void
defer_all(struct runner *r, const struct buf *why)
{
	struct delivery *v = r->owner;
	struct outcome o = outcome_of(v, r);

	for (size_t i = 0; i < v->envelope->n; i++)
		if (v->envelope->rcpts[i].state == RCPT_PENDING)
			outcome_enter(&o, i, RCPT_PENDING, why);
	outcome_end(&o);
}

void
offer_failed(struct runner *r, const struct qmtp_error *why)
{
	struct buf text = { 0 };

	if (r->session != NULL)
		outcome_why(&text, r->session);
	else
		buf_str(&text, why->text);
	defer_all(r, &text);
	buf_free(&text);
}

void
offer_declined(struct runner *r, const char *why)
{
	struct buf text = { 0 };

	buf_str(&text, why);
	defer_all(r, &text);
	buf_free(&text);
}

/*
 * Settle the recipients of all parcels. Those that want the same server again, one by
 * one, are put into singly; returns how many they are.
 */
static size_t
judge(struct delivery *v, struct runner *r, const struct parcel *parcels, size_t n,
    enum qmtp_cause end, size_t *singly)
{
	struct verdict_policy policy = {
		.answers_one = r->server->answers_one,
		.proven = qmtp_session_proven(r->session),
		.soft_bounce = v->deliver->soft_bounce,
	};
	struct outcome o = outcome_of(v, r);
	size_t again = 0;

	for (size_t k = 0; k < n; k++) {
		const struct outcome_offer offer = {
			.package = parcels[k].package,
			.positions = parcels[k].positions,
			.n = parcels[k].n,
			.end = end,
			.policy = policy,
		};

		again += outcome_package(&o, &offer, singly + again);
		if (verdict_answered_once(offer.package, end, &policy) && !r->singly)
			r->singly = r->again = true;
	}
	if (end == QMTP_EXTRA)
		outcome_remark(&o);
	outcome_end(&o);
	return again;
}

/* Recipients that may share a package. */
static size_t
per_package(const struct runner *r)
{
	return r->singly ? 1 : (size_t)r->server->recipients_per_package;
}

/* Pack and submit as much as memory allows. Returns the number of parcels. */
static size_t
submit(const struct delivery *v, const struct runner *r, const size_t *positions,
    size_t n, struct parcel *parcels)
{
	size_t most = per_package(r);
	size_t count = 0;
	struct qmtp_error error;

	for (size_t at = 0; at < n; at += most) {
		size_t k = n - at < most ? n - at : most;
		struct qmtp_package *p =
		    pack_make(v->message, v->envelope, positions + at, k);

		if (p == NULL || qmtp_session_submit(r->session, p, &error) < 0) {
			qmtp_package_free(p);
			break;
		}
		parcels[count++] = (struct parcel){ p, positions + at, k };
	}
	return count;
}

/*
 * Wait for the answers; the cause of the end, QMTP_OK when all came and the session
 * still stands.
 */
static enum qmtp_cause
run(struct delivery *v, struct qmtp_session *s)
{
	const struct deliver *d = v->deliver;
	struct wait w = { 0 };
	bool stopped = false;
	enum qmtp_cause cause = QMTP_OK;

	qmtp_session_step(s);
	while (qmtp_session_state(s) == QMTP_OPEN && qmtp_session_unfinished(s) > 0) {
		if (d->stop != NULL && *d->stop && !stopped) {
			stopped = true;
			v->until = clock_earlier(v->until, clock_ms() + GRACE_AFTER_STOP);
		}
		if (clock_ms() >= v->until) {
			qmtp_session_close(s);
			cause = QMTP_TIMEOUT;
			break;
		}
		wait_begin(&w);
		wait_until(&w, v->until);
		wait_session(&w, s);
		wait_sleep(&w, d->sigmask);
		qmtp_session_step(s);
	}
	wait_free(&w);
	return cause != QMTP_OK ? cause : qmtp_session_error(s)->cause;
}

/*
 * One round of packages for the n given positions; they are replaced by those that
 * judge() found.
 */
static size_t
offer_round(struct delivery *v, struct runner *r, size_t *positions, size_t n)
{
	struct parcel *parcels = xcalloc(n / per_package(r) + 1, sizeof(*parcels));
	size_t *singly = xcalloc(n, sizeof(*singly));
	size_t count = submit(v, r, positions, n, parcels), again;
	enum qmtp_cause end = run(v, r->session);

	if (end == QMTP_SOURCE && !v->failed) {
		v->failed = true;
		error_set(&v->error, EX_IOERR, "message: %s",
		    qmtp_session_error(r->session)->text);
	}
	if (end == QMTP_AGED && count > 0 && qmtp_package_committed(parcels[0].package))
		r->out = false;
	again = judge(v, r, parcels, count, end, singly);
	memcpy(positions, singly, again * sizeof(*positions));
	for (size_t i = 0; i < count; i++)
		qmtp_package_free(parcels[i].package);
	free(singly);
	free(parcels);
	return again;
}

static size_t
pending(const struct envelope *e, size_t *positions)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++)
		if (e->rcpts[i].state == RCPT_PENDING)
			positions[n++] = i;
	return n;
}

void
offer_make(struct delivery *v, struct runner *r)
{
	size_t *positions = xcalloc(v->envelope->n, sizeof(*positions));
	size_t n = pending(v->envelope, positions);

	r->out = true;
	n = offer_round(v, r, positions, n);
	if (n > 0) { /* D of several from a server that answers once: each is asked for by
			itself */
		r->singly = true;
		if (qmtp_session_state(r->session) == QMTP_OPEN)
			offer_round(v, r, positions, n);
		else
			r->again = true;
	}
	qmtp_session_free(r->session);
	r->session = NULL;
	free(positions);
}
