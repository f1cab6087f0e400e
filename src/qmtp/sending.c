#include "qmtp/failure.h"
#include "qmtp/session.h"
#include "qmtp/stream.h"

#include <errno.h>
#include <stddef.h>

#define WINDOW_RCPTS 1000
#define WINDOW_BYTES (16 * 1024 * 1024)
#define VECTOR 16 /* runs in one write */
#define WRITES \
	64 /* in one step, so that one session cannot starve the others of a program */

/* Too old to begin another package (QMTP §2). */
static bool
aged(const struct qmtp_session *s)
{
	return qmtp_now() - s->begun >= s->options.session_timeout;
}

/* Whether the next package may follow those in flight. */
static bool
may_begin(const struct qmtp_session *s)
{
	const struct qmtp_package *p = s->sending;

	if (aged(s))
		return false;
	if (s->packages == 0)
		return true;
	if (s->packages >= (size_t)s->options.window ||
	    s->rcpts + p->rcpts > WINDOW_RCPTS || s->bytes + p->size > WINDOW_BYTES)
		return false;
	if (s->proven)
		return true;
	for (const struct qmtp_package *q = s->oldest; q != p; q = q->next)
		if (q->owed > 1)
			return false;
	return true;
}

bool
qmtp__send_wanted(const struct qmtp_session *s)
{
	return s->sending != NULL && (s->underway || may_begin(s));
}

static void
begin(struct qmtp_session *s)
{
	const struct qmtp_package *p = s->sending;

	s->progress = qmtp_now();
	s->underway = true;
	s->approved = false;
	s->run = 0;
	s->sent = 0;
	s->packages++;
	s->rcpts += p->rcpts;
	s->bytes += p->size;
	if (s->options.trace == NULL)
		return;
	qmtp__session_trace(
	    s, QMTP_TRACE_SENT, "message of %llu bytes", (unsigned long long)p->size);
	qmtp__session_trace(s, QMTP_TRACE_SENT, "sender <%s>", p->sender);
	for (const char *at = p->list, *end = p->list + p->list_len; at < end;) {
		struct qmtp_netstring n = { 0 };
		size_t left = (size_t)(end - at), len;
		const char *addr;

		qmtp__netstring_length(&n, &at, &left);
		len = qmtp__netstring_content(&n, &at, &left, &addr);
		qmtp__netstring_comma(&n, &at, &left);
		qmtp__session_trace(
		    s, QMTP_TRACE_SENT, "recipient <%.*s>", (int)len, addr);
	}
}

/*
 * All but the last byte is out: hear whether the server has something to say, then ask
 * whether to go on.
 */
static int
approve(struct qmtp_session *s)
{
	if (qmtp__receive(s) < 0)
		return -1;
	if (s->options.commit != NULL &&
	    s->options.commit(s->options.arg, s->sending) < 0)
		return qmtp__session_fail(s, QMTP_SEND, QMTP_REFUSED, "given up");
	s->approved = true;
	return 0;
}

/*
 * The runs of memory that go in the next write, up to the first in a file or a last
 * byte that may not go yet.
 */
static size_t
gather(const struct qmtp_session *s, struct iovec *v, bool *more)
{
	const struct qmtp_package *p = s->sending;
	size_t runs = qmtp__package_runs(p), n = 0, k;

	*more = false;
	for (k = s->run; k < runs && n < VECTOR; k++) {
		struct qmtp__run run = qmtp__package_run(p, k);
		uint64_t skip = k == s->run ? s->sent : 0;

		if (k == runs - 1 && !s->approved)
			break;
		if (run.data == NULL) {
			*more = true;
			break;
		}
		v[n++] = (struct iovec){ (void *)(uintptr_t)(run.data + skip),
			(size_t)(run.len - skip) };
	}
	return n;
}

static void
finish(struct qmtp_session *s)
{
	struct qmtp_package *p = s->sending;

	if (p == s->oldest)
		s->waiting = qmtp_now();
	s->underway = false;
	s->sending = p->next;
}

static void
advance(struct qmtp_session *s, uint64_t n)
{
	s->progress = qmtp_now();
	while (n > 0) {
		uint64_t left = qmtp__package_run(s->sending, s->run).len - s->sent;

		if (n < left) {
			s->sent += n;
			return;
		}
		n -= left;
		s->run++;
		s->sent = 0;
	}
	if (s->run == qmtp__package_runs(s->sending)) {
		s->sending->committed = true;
		finish(s);
		qmtp__session_trace(s, QMTP_TRACE_NOTE, "last byte sent");
	}
}

/* Of a peer that is gone the last words may still be there: they are heard first. */
static int
write_failed(struct qmtp_session *s)
{
	enum qmtp_phase phase = s->approved ? QMTP_COMMIT : QMTP_SEND;
	int saved = errno;

	if (s->approved) {
		s->sending->committed = true;
		finish(s);
	}
	if ((saved == EPIPE || saved == ECONNRESET) && qmtp__receive(s) < 0 &&
	    s->error.cause != QMTP_EOF && s->error.cause != QMTP_SYSTEM)
		return -1;
	if (s->state == QMTP_CLOSED) { /* the write says more than the read */
		s->error.cause = QMTP_OK;
		errno = saved;
		qmtp__fail_errno(&s->error, phase, "");
		return -1;
	}
	errno = saved;
	return qmtp__session_fail_errno(s, phase);
}

/* One write. 1: go on; 0: the socket is full; -1: closed. */
static int
write_some(struct qmtp_session *s)
{
	struct qmtp__run run = qmtp__package_run(s->sending, s->run);
	struct iovec v[VECTOR];
	bool more = false;
	int source = 0;
	ssize_t n;

	if (run.data != NULL) {
		size_t k = gather(s, v, &more);

		n = qmtp__stream_write(s->fd, v, k, more);
	} else {
		n = qmtp__stream_file(
		    s->fd, run.fd, run.offset + s->sent, run.len - s->sent, &source);
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (source)
		return n == 0 ? qmtp__session_fail(
				    s, QMTP_SEND, QMTP_SOURCE, "the file ends too early")
			      : qmtp__session_fail(
				    s, QMTP_SEND, QMTP_SOURCE, "the file cannot be read");
	if (n < 0)
		return write_failed(s);
	advance(s, (uint64_t)n);
	return 1;
}

int
qmtp__send(struct qmtp_session *s)
{
	for (int writes = 0; s->sending != NULL && writes < WRITES; writes++) {
		int r;

		if (!s->underway) {
			if (s->packages == 0 && aged(s))
				return qmtp__session_fail(s, QMTP_SEND, QMTP_AGED,
				    "the session has lasted as long as it may");
			if (!may_begin(s))
				return 0;
			begin(s);
		}
		if (!s->approved && s->run == qmtp__package_runs(s->sending) - 1 &&
		    approve(s) < 0)
			return -1;
		r = write_some(s);
		if (r <= 0)
			return r;
	}
	return 0;
}
