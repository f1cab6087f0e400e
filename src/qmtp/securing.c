#include "qmtp/failure.h"
#include "qmtp/session.h"
#include "qmtp/tls.h"

#include <stdio.h>

/* What a session shares, if only with those that it reconnects to. */
static struct qmtp_shared *
shared_of(struct qmtp_session *s)
{
	if (s->options.shared != NULL)
		return s->options.shared;
	if (s->own == NULL)
		s->own = qmtp_shared_new();
	return s->own;
}

int
qmtp__secure_prepare(struct qmtp_session *s)
{
	struct qmtp_shared *shared;

	if (s->options.tls == NULL || s->prepared)
		return 0;
	shared = shared_of(s);
	if (shared == NULL)
		return qmtp__session_fail(s, QMTP_SECURE, QMTP_MEMORY, "out of memory");
	if (qmtp__tls_prepare(shared, &s->options, &s->error) < 0) {
		qmtp_session_close(s);
		return -1;
	}
	s->prepared = true;
	return 0;
}

int
qmtp__secure_start(struct qmtp_session *s)
{
	if (qmtp__secure_prepare(s) < 0)
		return -1;
	s->stream.tls = qmtp__tls_new(shared_of(s), s->stream.fd, &s->error);
	if (s->stream.tls == NULL) {
		qmtp_session_close(s);
		return -1;
	}
	s->state = QMTP_SECURING;
	return 0;
}

int
qmtp__secure_step(struct qmtp_session *s)
{
	const struct qmtp__tls *t = s->stream.tls;
	int r = t->ops->handshake(t->connection, &s->error);

	if (r < 0) {
		qmtp_session_close(s);
		return -1;
	}
	if (r == 0) {
		if (qmtp_now() < qmtp__secure_deadline(s))
			return 0;
		return qmtp__session_fail(
		    s, QMTP_SECURE, QMTP_TIMEOUT, "no answer in time");
	}
	snprintf(s->security, sizeof(s->security), "%s", t->ops->describe(t->connection));
	qmtp__session_trace(s, QMTP_TRACE_NOTE, "secured: %s", s->security);
	return 1;
}

short
qmtp__secure_events(const struct qmtp_session *s)
{
	return s->stream.tls->ops->wanted(s->stream.tls->connection);
}

int64_t
qmtp__secure_deadline(const struct qmtp_session *s)
{
	return s->begun + s->options.connect_timeout;
}

/* A server that did not take the handshake has read nothing that came behind it. */
int
qmtp__secure_broke(struct qmtp_session *s, enum qmtp_phase phase)
{
	const struct qmtp__tls *t = s->stream.tls;

	if (t->ops->refused(t->connection)) {
		phase = QMTP_SECURE;
		for (struct qmtp_package *p = s->oldest; p != NULL; p = p->next)
			p->committed = false;
	}
	return qmtp__session_fail(
	    s, phase, QMTP_TLS, "%s", t->ops->trouble(t->connection));
}

const char *
qmtp_session_security(const struct qmtp_session *s)
{
	return s->security;
}
