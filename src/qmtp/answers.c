#include "qmtp/failure.h"
#include "qmtp/session.h"
#include "qmtp/stream.h"

#include <errno.h>
#include <string.h>

#define READ_SIZE 16384

/*
 * Keep the raw bytes of the present answer, for the log, in case it turns out to be
 * none.
 */
static void
remember(struct qmtp_session *s, const char *from, const char *to)
{
	size_t n = (size_t)(to - from), room = sizeof(s->stray) - s->stray_len;

	if (n > room)
		n = room;
	memcpy(s->stray + s->stray_len, from, n);
	s->stray_len += n;
}

static int
garbage(struct qmtp_session *s, const char *what, const char *from, const char *to)
{
	remember(s, from, to);
	return qmtp__session_fail(s, QMTP_REPLY, QMTP_GARBAGE, "%s", what);
}

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
	if (s->oldest == NULL)
		s->newest = NULL;
	s->waiting = s->answered;
}

static int
note_answer(struct qmtp_session *s, int64_t now)
{
	if (s->options.trace != NULL)
		s->options.trace(
		    s->options.arg, QMTP_TRACE_GOT, s->answer, s->answer_len);
	if (qmtp__package_answer(s->oldest, s->answer, s->answer_len) < 0)
		return qmtp__session_fail(s, QMTP_REPLY, QMTP_MEMORY, "out of memory");
	s->answered = now;
	s->answer_len = 0;
	s->stray_len = 0;
	if (s->oldest->answers == s->oldest->owed)
		retire(s);
	return 0;
}

/* Bytes that no package has asked for. */
static int
unasked(struct qmtp_session *s, const char *from, const char *to)
{
	bool extra = s->answered != 0 && !s->underway;

	remember(s, from, to);
	if (extra)
		return qmtp__session_fail(
		    s, QMTP_REPLY, QMTP_EXTRA, "more answers than recipients");
	return qmtp__session_fail(
	    s, QMTP_SEND, QMTP_EARLY, "the server spoke out of turn");
}

/* Take what there is of the answer's content; -1 when its letter is none. */
static int
take_content(struct qmtp_session *s, const char **in, size_t *len)
{
	const char *data;
	size_t n = qmtp__netstring_content(&s->netstring, in, len, &data);

	memcpy(s->answer + s->answer_len, data, n);
	if (s->answer_len == 0 && n > 0 && data[0] != 'K' && data[0] != 'Z' &&
	    data[0] != 'D')
		return -1;
	s->answer_len += n;
	return 0;
}

/*
 * One answer, as far as the input goes: 1 when it is complete, 0 when more must come,
 * -1: closed.
 */
static int
read_answer(struct qmtp_session *s, const char **in, size_t *len)
{
	const char *begin = *in, *end = *in + *len;
	enum qmtp__progress p;

	if (s->netstring.state != QMTP__CONTENT) {
		p = qmtp__netstring_length(&s->netstring, in, len);
		if (p == QMTP__WANT_MORE) {
			remember(s, begin, *in);
			return 0;
		}
		if (p == QMTP__WRONG)
			return garbage(s, "an answer that is no netstring", begin, end);
		if (s->netstring.left == 0 || s->netstring.left > QMTP_REPLY_MAX)
			return garbage(s, "an answer of impossible length", begin, end);
	}
	if (take_content(s, in, len) < 0)
		return garbage(s, "an answer of unknown kind", begin, end);
	p = s->netstring.left > 0 ? QMTP__WANT_MORE
				  : qmtp__netstring_comma(&s->netstring, in, len);
	if (p == QMTP__WRONG)
		return garbage(s, "an answer that is no netstring", begin, end);
	remember(s, begin, *in);
	return p == QMTP__COMPLETE;
}

static int
take_in(struct qmtp_session *s, const char *in, size_t len)
{
	int64_t now = qmtp_now();

	while (len > 0) {
		int r;

		if (s->oldest == NULL || !s->oldest->committed)
			return unasked(s, in, in + len);
		r = read_answer(s, &in, &len);
		if (r < 0 || (r == 1 && note_answer(s, now) < 0))
			return -1;
	}
	return 0;
}

static int
ended(struct qmtp_session *s)
{
	enum qmtp_phase phase =
	    s->oldest != NULL && s->oldest->committed ? QMTP_REPLY : QMTP_SEND;

	return qmtp__session_fail(s, phase, QMTP_EOF, "the server closed the connection");
}

int
qmtp__receive(struct qmtp_session *s)
{
	char data[READ_SIZE];
	ssize_t n;

	do {
		n = qmtp__stream_read(&s->stream, data, sizeof(data));
		if (n == 0)
			return ended(s);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0)
			return qmtp__session_fail_errno(s,
			    s->oldest != NULL && s->oldest->committed ? QMTP_REPLY
								      : QMTP_SEND);
		if (take_in(s, data, (size_t)n) < 0)
			return -1;
	} while ((size_t)n == sizeof(data));
	s->heard = true;
	return 0;
}
