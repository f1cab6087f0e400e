#include "sendmail/handover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "delivery/pack.h"
#include "delivery/wait.h"
#include "sendmail/helper.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/text.h"
#include "util/xalloc.h"

#define NAME "queue"
#define TOTAL (5 * (int64_t)HELPER_PATIENCE) /* milliseconds for one attempt */

/* What is known of a package after an attempt. */
enum outcome {
	KEPT,
	LATER,     /* Z: it is not stored, */
	REFUSED,   /* D: nor will it be */
	NOT_TAKEN, /* nobody read its last byte: it is not stored there */
	ABSENT,    /* the same, since there is no such way */
	STUCK,     /* the same, and whoever it was has stopped listening */
	UNKNOWN    /* a copy may be stored */
};

enum road { HELPER, SOCKET };

/* One package on its way. */
struct handing {
	const struct handover *handover;
	const struct message *message;
	struct envelope *envelope;
	const char *verb;
	const size_t *positions;
	size_t n;
	struct buf why; /* what was said, or what went wrong; clean */
	bool failed;    /* the message cannot be read any more: */
	struct error error;
};

static void
explain(struct handing *v, const char *text)
{
	buf_clear(&v->why);
	buf_str(&v->why, text);
}

static int
on_commit(void *arg, struct qmtp_package *p)
{
	struct handing *v = arg;

	(void)p;
	if (message_unchanged(v->message, &v->error) < 0) {
		v->failed = true;
		return -1;
	}
	v->handover->commit(v->handover->arg);
	return 0;
}

static void
on_trace(void *arg, enum qmtp_trace what, const void *data, size_t len)
{
	const struct handing *v = arg;

	v->handover->trace(v->handover->arg, NAME, what, data, len);
}

/*
 * Whether the other side went away without having read the last byte: a unix socket says so,
 * by refusing to be written to, or by a reset when bytes were left unread.
 */
static bool
unread(const struct qmtp_package *p, const struct qmtp_error *end)
{
	return !qmtp_package_committed(p) ||
	    (end->cause == QMTP_SYSTEM &&
		(end->errnum == EPIPE || end->errnum == ECONNRESET));
}

/* The letter that all answers have, or 0: they have not all come, or differ. */
static char
one_letter(const struct qmtp_package *p)
{
	char letter = qmtp_package_reply(p, 0).code;

	for (size_t i = 1; i < qmtp_package_rcpts(p); i++)
		if (qmtp_package_reply(p, i).code != letter)
			return 0;
	return letter;
}

static enum outcome
judge(struct handing *v, const struct qmtp_package *p, const struct qmtp_session *s)
{
	const struct qmtp_error *end = qmtp_session_error(s);
	struct qmtp_reply first = qmtp_package_reply(p, 0);
	char letter = one_letter(p);

	if (letter != 0) {
		buf_clear(&v->why);
		text_clean(&v->why, first.text, first.len, TEXT_LOG_MAX);
		return letter == 'K' ? KEPT : letter == 'Z' ? LATER : REFUSED;
	}
	explain(v,
	    qmtp_package_done(p)        ? "answers that differ"
		: end->cause == QMTP_OK ? "no end of it in time"
					: end->text);
	if (qmtp_package_answers(p) > 0 || !unread(p, end))
		return UNKNOWN;
	return end->cause == QMTP_OK || end->cause == QMTP_TIMEOUT ? STUCK : NOT_TAKEN;
}

/* Send the package and wait for its answers, as long as the session's limits allow. */
static void
run(const struct handing *v, struct qmtp_session *s)
{
	int64_t deadline = clock_ms() + TOTAL;
	struct wait w = { 0 };

	qmtp_session_step(s);
	while (qmtp_session_state(s) == QMTP_OPEN && qmtp_session_unfinished(s) > 0 &&
	    clock_ms() < deadline) {
		wait_begin(&w);
		wait_until(&w, deadline);
		wait_session(&w, s);
		wait_sleep(&w, v->handover->sigmask);
		qmtp_session_step(s);
	}
	wait_free(&w);
}

/* The package through a helper that listens. */
static enum outcome
talk(struct handing *v, struct helper *h)
{
	const struct qmtp_options options = {
		.host = NAME,
		.send_timeout = HELPER_PATIENCE,
		.reply_timeout = HELPER_PATIENCE,
		.commit = on_commit,
		.trace = v->handover->trace != NULL ? on_trace : NULL,
		.arg = v,
	};
	struct qmtp_error error = { .text = "out of memory" };
	struct qmtp_package *p = pack_make(v->message, v->envelope, v->positions, v->n);
	struct qmtp_session *s =
	    p != NULL ? qmtp_session_adopt(h->fd, &options, &error) : NULL;
	enum outcome outcome = NOT_TAKEN;

	if (s != NULL)
		h->fd = -1;
	if (s == NULL || qmtp_session_submit(s, p, &error) < 0) {
		explain(v, error.text);
	} else {
		run(v, s);
		outcome = judge(v, p, s);
		if (qmtp_session_error(s)->cause == QMTP_SOURCE && !v->failed) {
			v->failed = true;
			error_set(&v->error, EX_IOERR, "message: %s",
			    qmtp_session_error(s)->text);
		}
	}
	qmtp_session_free(s);
	qmtp_package_free(p);
	return outcome;
}

static enum outcome
attempt(struct handing *v, enum road road)
{
	const char *name = road == HELPER ? QUEUE_HELPER : QUEUE_SOCKET;
	struct helper h;
	struct error error;
	enum helper_result result = road == HELPER
	    ? helper_start(&h, v->verb, NULL, &error)
	    : helper_connect(&h, v->verb, NULL, clock_ms() + HELPER_CONNECT, &error);
	enum outcome outcome;

	if (result != HELPER_OK) {
		explain(v, error.text);
		return result == HELPER_ABSENT ? ABSENT : NOT_TAKEN;
	}
	outcome = talk(v, &h);
	if (outcome == NOT_TAKEN)
		error_set(&error, EX_UNAVAILABLE, "%s: %s", name, v->why.data);
	if (helper_finish(&h, outcome == UNKNOWN, &error) == HELPER_UNABLE &&
	    outcome == UNKNOWN)
		outcome = NOT_TAKEN;
	if (outcome == NOT_TAKEN)
		explain(v, error.text);
	return outcome;
}

/* By one road; what could not be stored is tried once more, in a new file. */
static enum outcome
try_road(struct handing *v, enum road road)
{
	enum outcome outcome = attempt(v, road);

	if (outcome == LATER && !v->failed)
		outcome = attempt(v, road);
	if (outcome != KEPT && v->handover->trace != NULL)
		on_trace(v, QMTP_TRACE_NOTE, v->why.data, v->why.len);
	return outcome;
}

static enum outcome
try_roads(struct handing *v)
{
	enum outcome outcome = try_road(v, HELPER), other;
	struct buf first = { 0 };

	if ((outcome != NOT_TAKEN && outcome != ABSENT) || v->failed)
		return outcome;
	buf_str(&first, v->why.data);
	other = try_road(v, SOCKET);
	if ((other == NOT_TAKEN || other == ABSENT) && !v->failed) {
		buf_printf(&first, "; %s", v->why.data);
		buf_clear(&v->why);
		buf_printf(&v->why, "no spool: %s", first.data);
	}
	buf_free(&first);
	return other == ABSENT ? outcome : other;
}

/* Behind what is known of a recipient already. */
static void
note(struct rcpt *r, const char *text)
{
	struct buf reply = { 0 };

	if (r->reply != NULL)
		buf_printf(&reply, "%s; ", r->reply);
	buf_printf(&reply, NAME ": %s", text);
	free(r->reply);
	r->reply = buf_detach(&reply);
}

/*
 * A host that has no spool at all is told so in the log. Its users hear from the servers
 * why their mail was not sent.
 */
static void
settle(struct handing *v, enum rcpt_state state, enum outcome outcome)
{
	struct envelope *e = v->envelope;
	struct deliver_report report = {
		.peer = "",
		.delay = clock_ms() - v->handover->begun,
		.state = outcome == KEPT ? RCPT_QUEUED : state,
		.rcpts = v->positions,
		.n = v->n,
	};

	if (v->why.len == 0)
		explain(v, outcome == KEPT ? "queued" : "no reason given");
	if (outcome == UNKNOWN)
		buf_str(&v->why, "; a copy may be queued");
	report.text = v->why.data;
	for (size_t i = 0; i < v->n; i++) {
		struct rcpt *r = &e->rcpts[v->positions[i]];

		r->state = report.state;
		if (outcome == KEPT)
			envelope_reply(e, v->positions[i], xstrdup(v->why.data));
		else if (outcome != ABSENT || r->reply == NULL)
			note(r, v->why.data);
	}
	v->handover->report(v->handover->arg, e, &report);
}

/*
 * All recipients in a state, as one package. *outcome is that of the package before: from a
 * spool that did not answer nobody waits for an answer twice.
 */
static int
hand(const struct handover *h, const struct message *m, struct envelope *e,
    enum rcpt_state state, enum outcome *outcome, struct error *err)
{
	size_t *positions = xcalloc(e->n, sizeof(*positions)), n = 0;
	struct handing v = {
		.handover = h,
		.message = m,
		.envelope = e,
		.verb = state == RCPT_PENDING ? "store" : "doubt",
		.positions = positions,
	};

	for (size_t i = 0; i < e->n; i++)
		if (e->rcpts[i].state == state)
			positions[n++] = i;
	v.n = n;
	if (n > 0 && (*outcome == STUCK || *outcome == UNKNOWN)) {
		*outcome = STUCK;
		explain(&v, "not tried, since it does not answer");
	} else if (n > 0) {
		*outcome = try_roads(&v);
	}
	if (n > 0 && !v.failed)
		settle(&v, state, *outcome);
	buf_free(&v.why);
	free(positions);
	if (!v.failed)
		return 0;
	*err = v.error;
	return -1;
}

int
handover(const struct handover *h, const struct message *m, struct envelope *e,
    struct error *err)
{
	enum outcome outcome = KEPT;

	if (hand(h, m, e, RCPT_PENDING, &outcome, err) < 0)
		return -1;
	return hand(h, m, e, RCPT_IN_DOUBT, &outcome, err);
}
