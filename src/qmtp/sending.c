#include "qmtp/failure.h"
#include "qmtp/session.h"
#include "qmtp/stream.h"

#include <errno.h>
#include <stddef.h>

#define VECTOR 16          /* runs in one write */
#define LITTLE (32 * 1024) /* of a file in one write: read, it shares it with others */
#define WRITES \
	64 /* in one step, so that one session cannot starve the others of a program */

/* What goes in one write. */
struct batch {
	struct iovec v[VECTOR];
	size_t n;
	bool whole; /* nothing of the package is missing but its last byte */
	size_t used;
	char little[LITTLE];
};

/* Too old to begin another package (QMTP §2). */
static bool
aged(const struct qmtp_session *s)
{
	return qmtp_now() - s->begun >= s->options.session_timeout;
}

/*
 * Whether a package may be begun behind those in flight. It may be so while the window is
 * full: its last byte then waits for a place, and shares a write with what follows.
 */
static bool
may_begin(const struct qmtp_session *s, const struct qmtp_package *p)
{
	size_t window = (size_t)s->options.window;

	if (aged(s))
		return false;
	if (s->packages == 0)
		return true;
	return s->packages < window + (window > 1) &&
	    s->rcpts + p->rcpts <= (size_t)s->options.window_rcpts &&
	    s->bytes + p->size <= s->options.window_bytes &&
	    (s->several == 0 || s->proven);
}

/* All of the present package is out but its last byte, which was not approved yet. */
static bool
at_last_byte(const struct qmtp_session *s)
{
	return !s->approved && s->run == qmtp__package_runs(s->sending) - 1;
}

static bool
window_full(const struct qmtp_session *s)
{
	return s->packages > (size_t)s->options.window;
}

bool
qmtp__send_wanted(const struct qmtp_session *s)
{
	if (s->sending == NULL || s->ending)
		return false;
	if (!s->underway) /* with nothing in flight it is begun, or the session closes */
		return s->packages == 0 || may_begin(s, s->sending);
	return !at_last_byte(s) || !window_full(s);
}

static void
begin(struct qmtp_session *s)
{
	const struct qmtp_package *p = s->sending;
	const char *addr;
	size_t at = 0, len;

	s->progress = qmtp_now();
	s->underway = true;
	s->approved = false;
	s->run = 0;
	s->sent = 0;
	s->packages++;
	s->rcpts += p->rcpts;
	s->bytes += p->size;
	s->several += p->owed > 1;
	if (s->options.trace == NULL)
		return;
	qmtp__session_trace(
	    s, QMTP_TRACE_SENT, "message of %llu bytes", (unsigned long long)p->size);
	qmtp__session_trace(s, QMTP_TRACE_SENT, "sender <%s>", p->sender);
	while ((addr = qmtp__package_next(p, &at, &len)) != NULL)
		qmtp__session_trace(
		    s, QMTP_TRACE_SENT, "recipient <%.*s>", (int)len, addr);
}

/*
 * All but the last byte is out: hear whether the server has something to say, unless that
 * was just done, then ask whether to go on. 1: yes; 0: no, or not yet; -1: closed.
 */
static int
approve(struct qmtp_session *s)
{
	if (window_full(s))
		return 0;
	if (!s->heard && qmtp__receive(s) < 0)
		return -1;
	if (s->options.commit != NULL &&
	    s->options.commit(s->options.arg, s->sending) < 0)
		return qmtp__session_give_up(s, QMTP_REFUSED, "given up");
	s->approved = true;
	s->progress = qmtp_now(); /* it may have waited for a place in the window */
	return 1;
}

/*
 * What is left of a run in a file, if it is so little that reading it is cheaper than a
 * write of its own. NULL: it is not, or cannot be read, which sending it will tell.
 */
static const char *
read_little(struct batch *b, const struct qmtp__run *run, uint64_t skip)
{
	char *data = b->little + b->used;
	uint64_t len = run->len - skip;

	if (len > LITTLE - b->used ||
	    qmtp__stream_load(run->fd, data, (size_t)len, run->offset + skip) < 0)
		return NULL;
	b->used += (size_t)len;
	return data;
}

/*
 * Add a package's runs from the k-th on, of that one without its first bytes, up to one
 * that must be sent from its file, or to the last byte, which does not go yet.
 */
static void
gather_from(struct batch *b, const struct qmtp_package *p, size_t k, uint64_t skip)
{
	size_t last = qmtp__package_runs(p) - 1;

	for (; k < last && b->n < VECTOR; k++, skip = 0) {
		struct qmtp__run run = qmtp__package_run(p, k);
		const char *data =
		    run.data != NULL ? run.data + skip : read_little(b, &run, skip);

		if (data == NULL)
			break;
		b->v[b->n++] =
		    (struct iovec){ (void *)(uintptr_t)data, (size_t)(run.len - skip) };
	}
	b->whole = k == last;
}

/* A last byte that may go takes the beginning of the next package along. */
static void
gather(const struct qmtp_session *s, struct batch *b)
{
	const struct qmtp_package *p = s->sending;
	struct qmtp__run last;

	b->n = b->used = 0;
	b->whole = true;
	if (!s->approved) {
		gather_from(b, p, s->run, s->sent);
		return;
	}
	last = qmtp__package_run(p, s->run);
	b->v[b->n++] = (struct iovec){ (void *)(uintptr_t)last.data, (size_t)last.len };
	if (p->next != NULL && may_begin(s, p->next))
		gather_from(b, p->next, 0, 0);
}

static void
finish(struct qmtp_session *s)
{
	struct qmtp_package *p = s->sending;

	if (p == s->oldest)
		s->waiting = qmtp_now();
	s->underway = s->approved = false;
	s->sending = p->next;
}

/* The last byte is out. */
static void
committed(struct qmtp_session *s)
{
	s->sending->committed = true;
	finish(s);
	qmtp__session_trace(s, QMTP_TRACE_NOTE, "last byte sent");
}

static void
advance(struct qmtp_session *s, uint64_t n)
{
	s->progress = qmtp_now();
	s->heard = false;
	while (n > 0) {
		uint64_t left;

		if (!s->underway) /* these bytes are of the next one */
			begin(s);
		left = qmtp__package_run(s->sending, s->run).len - s->sent;
		if (n < left) {
			s->sent += n;
			return;
		}
		n -= left;
		s->run++;
		s->sent = 0;
		if (s->run == qmtp__package_runs(s->sending))
			committed(s);
	}
}

/* Of a peer that is gone the last words may still be there: they are heard first. */
static int
write_failed(struct qmtp_session *s)
{
	enum qmtp_phase phase = s->approved ? QMTP_COMMIT : QMTP_SEND;
	int saved = errno;

	/* of a TLS record that did not go out wholly the server has nothing */
	if (s->approved && s->stream.tls == NULL) {
		s->sending->committed = true;
		finish(s);
	}
	s->broken = true;
	if ((saved == EPIPE || saved == ECONNRESET) && qmtp__receive(s) < 0)
		return -1;
	if (saved == EPROTO && s->stream.tls != NULL)
		return qmtp__secure_broke(s, phase);
	errno = saved;
	return qmtp__session_fail_errno(s, phase);
}

/*
 * Whether other bytes follow this batch at once: of the same package; or, where one
 * package follows another, a last byte that has its place in the window. A first package
 * goes out as it is written: what it meets there is heard before its last byte.
 */
static bool
more_follows(const struct qmtp_session *s, const struct batch *b)
{
	if (!b->whole)
		return true;
	return s->approved && b->n > 1 && s->packages < (size_t)s->options.window;
}

/* One write. 1: go on; 0: the socket is full, or no more is sent; -1: closed. */
static int
write_some(struct qmtp_session *s)
{
	struct batch b;
	int source = 0;
	ssize_t n;

	gather(s, &b);
	if (b.n > 0) {
		s->held = more_follows(s, &b);
		n = qmtp__stream_write(&s->stream, b.v, b.n, s->held);
	} else {
		struct qmtp__run run = qmtp__package_run(s->sending, s->run);

		s->held = false;
		n = qmtp__stream_file(
		    &s->stream, run.fd, run.offset + s->sent, run.len - s->sent, &source);
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	if (source)
		return qmtp__session_give_up(s, QMTP_SOURCE,
		    n == 0 ? "the file ends too early" : "the file cannot be read");
	if (n < 0)
		return write_failed(s);
	advance(s, (uint64_t)n);
	return 1;
}

static int
send_all(struct qmtp_session *s)
{
	for (int writes = 0; s->sending != NULL && writes < WRITES; writes++) {
		int r = 1;

		if (s->ending)
			return qmtp__session_end(s);
		if (!s->underway) {
			if (s->packages == 0 && aged(s))
				return qmtp__session_fail(s, QMTP_SEND, QMTP_AGED,
				    "the session has lasted as long as it may");
			if (!may_begin(s, s->sending))
				return 0;
			begin(s);
		}
		if (at_last_byte(s))
			r = approve(s);
		if (r > 0)
			r = write_some(s);
		if (r <= 0)
			return r;
	}
	return 0;
}

int
qmtp__send(struct qmtp_session *s)
{
	int r = send_all(s);

	if (s->held && r == 0)
		qmtp__stream_push(&s->stream);
	s->held = false;
	return r;
}
