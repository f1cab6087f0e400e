#include "qmtp/failure.h"
#include "qmtp/session.h"
#include "qmtp/stream.h"

#include <errno.h>

#define READ_SIZE 16384

/* The oldest package has all its answers: the session is done with it. */
static void
retire(struct qmtp_session *s)
{
	struct qmtp_package *p = s->oldest;

	if (p->owed > 1)
		s->proven = true;
	s->packages--;
	s->rcpts -= p->rcpts;
	s->bytes -= p->size;
	s->several -= p->owed > 1;
	s->unfinished--;
	s->oldest = p->next;
	qmtp__package_leave(p, NULL);
	if (s->oldest == NULL)
		s->newest = NULL;
	s->waiting = s->answered;
}

static int
note_answer(struct qmtp_session *s, int64_t now)
{
	const struct qmtp__response *r = &s->response;

	if (s->options.trace != NULL)
		s->options.trace(s->options.arg, QMTP_TRACE_GOT, r->content, r->len);
	if (qmtp__package_answer(s->oldest, r->content, r->len) < 0)
		return qmtp__session_fail(s, QMTP_REPLY, QMTP_MEMORY, "out of memory");
	s->answered = now;
	if (s->oldest->answers == s->oldest->owed)
		retire(s);
	return 0;
}

/* Bytes that no package has asked for. */
static int
unasked(struct qmtp_session *s, const char *data, size_t len)
{
	bool extra = s->answered != 0 && !s->underway;

	qmtp__response_keep(&s->response, data, len);
	if (extra)
		return qmtp__session_fail(
		    s, QMTP_REPLY, QMTP_EXTRA, "more answers than recipients");
	return qmtp__session_fail(
	    s, QMTP_SEND, QMTP_EARLY, "the server spoke out of turn");
}

static int
garbage(struct qmtp_session *s, enum qmtp__response_item item)
{
	const char *what = "an answer that is no netstring";

	if (item == QMTP__RESPONSE_BAD_LENGTH)
		what = "an answer of impossible length";
	else if (item == QMTP__RESPONSE_BAD_KIND)
		what = "an answer of unknown kind";
	return qmtp__session_fail(s, QMTP_REPLY, QMTP_GARBAGE, "%s", what);
}

static int
take_in(struct qmtp_session *s, const char *in, size_t len)
{
	int64_t now = qmtp_now();

	while (len > 0) {
		enum qmtp__response_item item;

		if (s->oldest == NULL || !s->oldest->committed)
			return unasked(s, in, len);
		item = qmtp__response_next(&s->response, &in, &len);
		if (item == QMTP__RESPONSE_WHOLE && note_answer(s, now) < 0)
			return -1;
		if (item != QMTP__RESPONSE_WHOLE && item != QMTP__RESPONSE_MORE)
			return garbage(s, item);
	}
	return 0;
}

static enum qmtp_phase
phase_of(const struct qmtp_session *s)
{
	return s->oldest != NULL && s->oldest->committed ? QMTP_REPLY : QMTP_SEND;
}

static int
ended(struct qmtp_session *s)
{
	const char *how = qmtp__stream_trouble(&s->stream);

	return qmtp__session_fail(s, phase_of(s), QMTP_EOF,
	    "the server closed the connection%s%s", *how != '\0' ? " " : "", how);
}

static bool
would_block(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* A read without bytes. 0: there is nothing to hear, or no more; -1: the session closed. */
static int
no_bytes(struct qmtp_session *s, ssize_t n)
{
	if (would_block(n))
		return 0;
	if (n < 0 && errno == EPROTO && s->stream.tls != NULL)
		return qmtp__secure_broke(s, phase_of(s));
	if (s->broken)
		return 0;
	if (n == 0)
		return ended(s);
	return qmtp__session_fail_errno(s, phase_of(s));
}

/*
 * Bytes that TLS has read already are nothing that poll(2) would tell: it is read until it
 * has none. Where that meets the end behind the last answer, the next call tells.
 */
int
qmtp__receive(struct qmtp_session *s)
{
	bool tls = s->stream.tls != NULL, some = false;
	char data[READ_SIZE];
	ssize_t n;

	do {
		n = qmtp__stream_read(&s->stream, data, sizeof(data));
		if (n <= 0 && some && s->unfinished == 0 && !would_block(n))
			return 0;
		if (n <= 0 && no_bytes(s, n) < 0)
			return -1;
		if (n > 0 && take_in(s, data, (size_t)n) < 0)
			return -1;
		some = true;
	} while (n > 0 && (tls || (size_t)n == sizeof(data)));
	s->heard = true;
	return 0;
}
