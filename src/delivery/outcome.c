#include "delivery/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/text.h"
#include "util/xalloc.h"

#define ONCE_REMARK " (one answer to %zu recipients: answers = \"one\"?)"

void
outcome_begin(struct outcome *o)
{
	o->text = (struct buf){ 0 };
	o->n = 0;
	o->positions = xcalloc(o->most, sizeof(size_t));
}

static void
tell(struct outcome *o, const char *text)
{
	struct deliver_report report = {
		.server = o->server,
		.peer = o->session != NULL ? qmtp_session_peer(o->session) : "",
		.delay = clock_ms() - o->begun,
		.state = o->state,
		.text = text,
		.rcpts = o->positions,
		.n = o->n,
	};

	if (o->report != NULL)
		o->report(o->arg, o->envelope, &report);
	o->n = 0;
}

static void
flush(struct outcome *o)
{
	if (o->n > 0)
		tell(o, o->text.data != NULL ? o->text.data : "");
}

void
outcome_end(struct outcome *o)
{
	flush(o);
	buf_free(&o->text);
	free(o->positions);
	o->positions = NULL;
}

/*
 * What is known of a recipient, for people: the words of the server that refused it or
 * may have it; of one that nobody has, those of every server so far.
 */
static void
note_words(const struct outcome *o, size_t position, enum rcpt_state state,
    const struct buf *text)
{
	struct envelope *e = o->envelope;
	const char *before = e->rcpts[position].reply;
	struct buf reply = { 0 };

	if (state == RCPT_SENT) {
		envelope_reply(e, position, NULL);
		return;
	}
	if (state == RCPT_PENDING && before != NULL && strlen(before) < TEXT_BOUNCE_MAX)
		buf_printf(&reply, "%s; ", before);
	buf_printf(&reply, "%s: %s", o->server->name, text->len > 0 ? text->data : "");
	envelope_reply(e, position, buf_detach(&reply));
}

void
outcome_enter(
    struct outcome *o, size_t position, enum rcpt_state state, const struct buf *text)
{
	o->envelope->rcpts[position].state = state;
	note_words(o, position, state, text);
	if (o->n > 0 &&
	    (o->state != state || o->text.len != text->len ||
		(text->len > 0 && memcmp(o->text.data, text->data, text->len) != 0)))
		flush(o);
	if (o->n == 0) {
		o->state = state;
		buf_clear(&o->text);
		buf_add(&o->text, text->data, text->len);
	}
	o->positions[o->n++] = position;
}

void
outcome_why(struct buf *out, const struct qmtp_session *s)
{
	size_t len;
	const char *stray = qmtp_session_stray(s, &len);

	buf_str(out, qmtp_session_error(s)->text);
	if (len > 0) {
		buf_str(out, ": ");
		text_clean(out, stray, len, TEXT_LOG_MAX);
	}
}

void
outcome_remark(struct outcome *o)
{
	struct buf text = { 0 };

	flush(o);
	o->state = RCPT_PENDING;
	outcome_why(&text, o->session);
	tell(o, text.data);
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
explain(struct buf *b, const struct outcome *o, const struct outcome_offer *offer,
    size_t i, enum verdict verdict)
{
	const struct qmtp_package *p = offer->package;
	struct qmtp_reply reply =
	    qmtp_package_reply(p, offer->policy.answers_one ? 0 : i);

	buf_clear(b);
	if (reply.code == 0 && verdict == VERDICT_LATER)
		reply = qmtp_package_reply(p, 0);
	if (reply.code != 0)
		text_clean(b, reply.text, reply.len, TEXT_BOUNCE_MAX);
	else if (offer->end == QMTP_TIMEOUT &&
	    qmtp_session_error(o->session)->cause == QMTP_OK)
		buf_str(b, "no answer in time while waiting for the answer");
	else
		outcome_why(b, o->session);
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

size_t
outcome_package(struct outcome *o, const struct outcome_offer *offer, size_t *singly)
{
	const struct qmtp_package *p = offer->package;
	bool once = verdict_answered_once(p, offer->end, &offer->policy);
	enum verdict before = VERDICT_UNDECIDED;
	struct buf text = { 0 };
	size_t again = 0;

	for (size_t i = 0; i < offer->n; i++) {
		enum verdict verdict = verdict_for(p, i, offer->end, &offer->policy);

		if (i == 0 || verdict != before || !same_words(p, i)) {
			explain(&text, o, offer, i, verdict);
			if (once)
				buf_printf(&text, ONCE_REMARK, offer->n);
		}
		before = verdict;
		outcome_enter(o, offer->positions[i], state_after(verdict), &text);
		if (verdict == VERDICT_SINGLY)
			singly[again++] = offer->positions[i];
	}
	buf_free(&text);
	return again;
}

void
outcome_name(struct buf *out, const char *addr, const char *separator)
{
	if (out->len > 0)
		buf_str(out, separator);
	buf_byte(out, '<');
	text_clean(out, addr, strlen(addr), TEXT_LOG_MAX);
	buf_byte(out, '>');
}

static const char *
status(enum rcpt_state state)
{
	switch (state) {
	case RCPT_SENT:
		return "sent";
	case RCPT_REFUSED:
		return "refused";
	case RCPT_IN_DOUBT:
		return "in-doubt";
	case RCPT_QUEUED:
		return "queued";
	case RCPT_PENDING:
		break;
	}
	return "deferred";
}

void
outcome_line(struct buf *out, const char *who, const struct envelope *e,
    const struct deliver_report *r)
{
	struct buf names = { 0 };

	for (size_t i = 0; i < r->n && i < OUTCOME_NAMES; i++)
		outcome_name(&names, e->rcpts[r->rcpts[i]].addr, ",");
	if (r->n > OUTCOME_NAMES)
		buf_printf(&names, ",.. (%zu in all)", r->n);
	buf_printf(out, "%s to=%s relay=", who, names.data != NULL ? names.data : "");
	if (r->server == NULL)
		buf_str(out, "queue");
	else
		buf_printf(out, "%s[%s]:%d", r->server->name, r->peer, r->server->port);
	buf_printf(out, " delay=%lld.%02lld status=%s (", (long long)(r->delay / 1000),
	    (long long)(r->delay % 1000 / 10), status(r->state));
	text_clean(out, r->text, strlen(r->text), TEXT_LOG_MAX);
	buf_byte(out, ')');
	buf_free(&names);
}
