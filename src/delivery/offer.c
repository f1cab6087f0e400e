#include "delivery/offer.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "delivery/pack.h"
#include "delivery/verdict.h"
#include "delivery/wait.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/text.h"
#include "util/xalloc.h"

#define ONCE_REMARK " (one answer to %zu recipients: answers = \"one\"?)"
#define GRACE_AFTER_STOP 10000 /* milliseconds for answers once a signal has come */

/* One package and the positions in the envelope of its recipients. */
struct parcel {
	struct qmtp_package *package;
	const size_t *positions;
	size_t n;
};

/* Recipients that share a verdict and its words, on their way to the report. */
struct group {
	struct delivery *delivery;
	const struct runner *runner;
	enum rcpt_state state;
	struct buf text;
	size_t *positions;
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

static void
flush(struct group *g)
{
	struct deliver_report report = {
		.server = g->runner->server,
		.peer = g->runner->session != NULL ? qmtp_session_peer(g->runner->session)
						   : "",
		.delay = clock_ms() - g->delivery->begun,
		.state = g->state,
		.text = g->text.data != NULL ? g->text.data : "",
		.rcpts = g->positions,
		.n = g->n,
	};
	const struct deliver *d = g->delivery->deliver;

	if (g->n > 0 && d->report != NULL)
		d->report(d->arg, g->delivery->envelope, &report);
	g->n = 0;
}

/*
 * What is known of a recipient, for people: the words of the server that refused it or
 * may have it; of one that nobody has, those of every server so far.
 */
static void
note_words(
    struct group *g, size_t position, enum rcpt_state state, const struct buf *text)
{
	struct envelope *e = g->delivery->envelope;
	const char *before = e->rcpts[position].reply;
	struct buf reply = { 0 };

	if (state == RCPT_SENT) {
		envelope_reply(e, position, NULL);
		return;
	}
	if (state == RCPT_PENDING && before != NULL && strlen(before) < TEXT_BOUNCE_MAX)
		buf_printf(&reply, "%s; ", before);
	buf_printf(
	    &reply, "%s: %s", g->runner->server->name, text->len > 0 ? text->data : "");
	envelope_reply(e, position, buf_detach(&reply));
}

/* Set a recipient's state and words, and put it into the report. */
static void
settle(struct group *g, size_t position, enum rcpt_state state, const struct buf *text)
{
	g->delivery->envelope->rcpts[position].state = state;
	note_words(g, position, state, text);
	if (g->n > 0 &&
	    (g->state != state || g->text.len != text->len ||
		(text->len > 0 && memcmp(g->text.data, text->data, text->len) != 0)))
		flush(g);
	if (g->n == 0) {
		g->state = state;
		buf_clear(&g->text);
		buf_add(&g->text, text->data, text->len);
	}
	g->positions[g->n++] = position;
}

static struct group
group_begin(struct delivery *v, const struct runner *r)
{
	return (struct group){
		.delivery = v,
		.runner = r,
		.positions = xcalloc(v->envelope->n, sizeof(size_t)),
	};
}

static void
group_end(struct group *g)
{
	flush(g);
	buf_free(&g->text);
	free(g->positions);
}

/* Why a session ended, with the bytes of the server that made it end. */
static void
describe_end(struct buf *b, const struct qmtp_session *s)
{
	size_t len;
	const char *stray = qmtp_session_stray(s, &len);

	buf_str(b, qmtp_session_error(s)->text);
	if (len > 0) {
		buf_str(b, ": ");
		text_clean(b, stray, len, TEXT_LOG_MAX);
	}
}

static void
defer_all(struct runner *r, const struct buf *why)
{
	struct delivery *v = r->owner;
	struct group g = group_begin(v, r);

	for (size_t i = 0; i < v->envelope->n; i++)
		if (v->envelope->rcpts[i].state == RCPT_PENDING)
			settle(&g, i, RCPT_PENDING, why);
	group_end(&g);
}

void
offer_failed(struct runner *r)
{
	struct buf text = { 0 };

	describe_end(&text, r->session);
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

static enum rcpt_state
state_after(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_IN_DOUBT:
		return RCPT_IN_DOUBT;
	case VERDICT_ACCEPTED:
		return RCPT_SENT;
	case VERDICT_REFUSED:
		return RCPT_REFUSED;
	case VERDICT_UNDECIDED:
	case VERDICT_LATER:
	case VERDICT_SINGLY:
		break;
	}
	return RCPT_PENDING;
}

/* The words behind a verdict: the server's own where it has spoken for this recipient. */
static void
explain(struct buf *b, const struct qmtp_package *p, size_t i, enum verdict verdict,
    const struct runner *r, enum qmtp_cause end)
{
	struct qmtp_reply reply = qmtp_package_reply(p, r->server->answers_one ? 0 : i);

	buf_clear(b);
	if (reply.code == 0 && verdict == VERDICT_LATER)
		reply = qmtp_package_reply(p, 0);
	if (reply.code != 0)
		text_clean(b, reply.text, reply.len, TEXT_BOUNCE_MAX);
	else if (end == QMTP_TIMEOUT && qmtp_session_error(r->session)->cause == QMTP_OK)
		buf_str(b, "no answer in time while waiting for the answer");
	else
		describe_end(b, r->session);
}

/*
 * Whether the answer at a position is the one before once more: servers say the same to
 * thousands.
 */
static bool
same_words(const struct qmtp_package *p, size_t i)
{
	struct qmtp_reply a = qmtp_package_reply(p, i - 1), b = qmtp_package_reply(p, i);

	return a.code == b.code && a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
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
	struct group g = group_begin(v, r);
	struct buf text = { 0 };
	enum verdict before = VERDICT_UNDECIDED;
	size_t again = 0;

	for (size_t k = 0; k < n; k++) {
		const struct parcel *p = &parcels[k];
		bool once = verdict_answered_once(p->package, end, &policy);

		for (size_t i = 0; i < p->n; i++) {
			enum verdict verdict = verdict_for(p->package, i, end, &policy);

			if (i == 0 || verdict != before || !same_words(p->package, i)) {
				explain(&text, p->package, i, verdict, r, end);
				if (once)
					buf_printf(&text, ONCE_REMARK, p->n);
			}
			before = verdict;
			settle(&g, p->positions[i], state_after(verdict), &text);
			if (verdict == VERDICT_SINGLY)
				singly[again++] = p->positions[i];
		}
		if (once && !r->singly)
			r->singly = r->again = true;
	}
	group_end(&g);
	buf_free(&text);
	return again;
}

/* Words of a server that concern no recipient: it said more than it was asked. */
static void
remark(struct delivery *v, struct runner *r)
{
	struct deliver_report report = {
		.server = r->server,
		.peer = qmtp_session_peer(r->session),
		.delay = clock_ms() - v->begun,
		.state = RCPT_PENDING,
	};
	struct buf text = { 0 };

	describe_end(&text, r->session);
	report.text = text.data;
	if (v->deliver->report != NULL)
		v->deliver->report(v->deliver->arg, v->envelope, &report);
	buf_free(&text);
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
	if (end == QMTP_EXTRA)
		remark(v, r);
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
