#include "qmtp/session.h"

/* The deadline that comes first, and what it means when it has passed. */
struct limit {
	int64_t at;
	enum qmtp_phase phase;
	enum qmtp_cause cause;
};

static void
tighten(struct limit *l, int64_t at, enum qmtp_phase phase, enum qmtp_cause cause)
{
	if (at < l->at)
		*l = (struct limit){ at, phase, cause };
}

static struct limit
first_limit(const struct qmtp_session *s)
{
	struct limit l = { INT64_MAX, QMTP_IDLE, QMTP_OK };
	const struct qmtp_package *p = s->oldest;

	if (qmtp__send_wanted(s))
		tighten(&l, s->progress + s->options.send_timeout,
		    s->approved ? QMTP_COMMIT : QMTP_SEND, QMTP_TIMEOUT);
	if (p != NULL && p->committed) {
		tighten(
		    &l, s->waiting + s->options.reply_timeout, QMTP_REPLY, QMTP_TIMEOUT);
		if (p->owed > 1 && p->answers == 1 && !s->proven)
			tighten(&l, s->answered + s->options.silence, QMTP_REPLY,
			    QMTP_SILENCE);
	}
	return l;
}

int64_t
qmtp_session_deadline(const struct qmtp_session *s)
{
	if (s->state == QMTP_CONNECTING)
		return qmtp__connect_deadline(&s->connect);
	if (s->state == QMTP_SECURING)
		return qmtp__secure_deadline(s);
	if (s->state == QMTP_WAITING || s->state == QMTP_CLOSED)
		return INT64_MAX;
	return first_limit(s).at;
}

void
qmtp__keep_time(struct qmtp_session *s)
{
	struct limit l = first_limit(s);

	if (l.at == INT64_MAX || qmtp_now() < l.at)
		return;
	if (l.cause == QMTP_SILENCE)
		qmtp__session_fail(s, l.phase, l.cause,
		    "one answer to several recipients, then silence");
	else if (l.phase == QMTP_REPLY)
		qmtp__session_fail(s, l.phase, l.cause, "no answer in time");
	else
		qmtp__session_fail(s, l.phase, l.cause, "the server stopped reading");
}
