#include "qmtp/session.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "qmtp/failure.h"
#include "qmtp/options.h"

int64_t
qmtp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct qmtp_session *
create(const struct qmtp_options *options, struct qmtp_error *err)
{
	struct qmtp_session *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		qmtp__fail(err, QMTP_IDLE, QMTP_MEMORY, "out of memory");
		return NULL;
	}
	if (qmtp__options_copy(&s->options, options, err) < 0) {
		free(s);
		return NULL;
	}
	s->stream.fd = -1;
	return s;
}

static void
start(struct qmtp_session *s)
{
	s->begun = qmtp_now();
	s->state = QMTP_CONNECTING;
	qmtp__session_trace(s, QMTP_TRACE_NOTE, "connecting to %s port %d",
	    s->options.host, s->options.port);
	if (qmtp__connect_start(&s->connect, s->options.shared, s->options.host,
		s->options.port, s->begun + s->options.connect_timeout, &s->error) < 0)
		qmtp_session_close(s);
}

struct qmtp_session *
qmtp_session_new(const struct qmtp_options *options, struct qmtp_error *err)
{
	struct qmtp_session *s = create(options, err);

	if (s == NULL)
		return NULL;
	s->state = QMTP_WAITING;
	if (!options->defer)
		start(s);
	return s;
}

void
qmtp__session_start(struct qmtp_session *s)
{
	if (s->state == QMTP_WAITING)
		start(s);
}

struct qmtp_session *
qmtp_session_adopt(int fd, const struct qmtp_options *options, struct qmtp_error *err)
{
	struct qmtp_session *s;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 ||
	    (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)) {
		qmtp__fail_errno(err, QMTP_IDLE, "the socket");
		return NULL;
	}
	s = create(options, err);
	if (s == NULL)
		return NULL;
	s->adopted = true;
	s->begun = qmtp_now();
	s->state = QMTP_OPEN;
	s->stream.fd = fd;
	snprintf(s->peer, sizeof(s->peer), "%s", s->options.host);
	if (s->options.tls != NULL)
		qmtp__secure_start(s);
	return s;
}

/* Where a package stands that its session lets go of at the caller's wish. */
static enum qmtp_phase
phase_of(const struct qmtp_session *s, const struct qmtp_package *p)
{
	if (s->state == QMTP_CONNECTING)
		return QMTP_CONNECT;
	if (s->state == QMTP_SECURING)
		return QMTP_SECURE;
	return p->committed ? QMTP_REPLY : QMTP_SEND;
}

static void
let_go(struct qmtp_session *s)
{
	struct qmtp_package *p, *next;
	struct qmtp_error err = s->error;

	for (p = s->oldest; p != NULL; p = next) {
		next = p->next;
		if (s->error.cause == QMTP_OK) {
			enum qmtp_phase phase = phase_of(s, p);

			qmtp__fail(&err, phase, QMTP_REFUSED,
			    "the session was closed while %s", qmtp_phase_name(phase));
		}
		qmtp__package_leave(p, &err);
	}
	s->abandoned = s->oldest != NULL;
	s->oldest = s->sending = s->newest = NULL;
	s->unfinished = 0;
}

void
qmtp_session_close(struct qmtp_session *s)
{
	if (s->state == QMTP_CLOSED)
		return;
	let_go(s);
	s->state = QMTP_CLOSED;
	if (s->connect.peer[0] != '\0' && s->peer[0] == '\0')
		memcpy(s->peer, s->connect.peer, sizeof(s->peer));
	qmtp__connect_cancel(&s->connect);
	qmtp__stream_close(&s->stream);
	if (s->error.cause != QMTP_OK)
		qmtp__session_trace(s, QMTP_TRACE_NOTE, "closed: %s", s->error.text);
	else
		qmtp__session_trace(s, QMTP_TRACE_NOTE, "closed");
}

void
qmtp_session_free(struct qmtp_session *s)
{
	if (s == NULL)
		return;
	qmtp_session_close(s);
	qmtp__options_free(&s->options);
	qmtp_shared_free(s->own);
	free(s);
}

int
qmtp_session_reconnect(struct qmtp_session *s, struct qmtp_error *err)
{
	size_t kept = offsetof(struct qmtp_session, state);

	if (s->adopted)
		return qmtp__fail(
		    err, QMTP_IDLE, QMTP_INVALID, "an adopted session cannot connect");
	qmtp_session_close(s);
	memset((char *)s + kept, 0, sizeof(*s) - kept);
	s->stream.fd = -1;
	start(s);
	if (s->state != QMTP_CLOSED)
		return 0;
	*err = s->error;
	return -1;
}

int
qmtp__session_fail(struct qmtp_session *s, enum qmtp_phase phase, enum qmtp_cause cause,
    const char *fmt, ...)
{
	char text[sizeof(s->error.text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!s->ending)
		qmtp__fail(
		    &s->error, phase, cause, "%s while %s", text, qmtp_phase_name(phase));
	qmtp_session_close(s);
	return -1;
}

int
qmtp__session_fail_errno(struct qmtp_session *s, enum qmtp_phase phase)
{
	if (!s->ending)
		qmtp__fail_errno(&s->error, phase, "");
	qmtp_session_close(s);
	return -1;
}

int
qmtp__session_give_up(struct qmtp_session *s, enum qmtp_cause cause, const char *what)
{
	qmtp__fail(
	    &s->error, QMTP_SEND, cause, "%s while %s", what, qmtp_phase_name(QMTP_SEND));
	s->ending = true;
	return qmtp__session_end(s);
}

int
qmtp__session_end(struct qmtp_session *s)
{
	if (s->oldest != NULL && s->oldest->committed)
		return 0;
	qmtp_session_close(s);
	return -1;
}

void
qmtp__session_trace(
    const struct qmtp_session *s, enum qmtp_trace what, const char *fmt, ...)
{
	char text[QMTP_ADDRESS_MAX + 300];
	va_list ap;
	int n;

	if (s->options.trace == NULL)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	s->options.trace(s->options.arg, what, text,
	    (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

int
qmtp__session_closed(const struct qmtp_session *s, struct qmtp_error *err)
{
	if (s->error.cause == QMTP_OK)
		return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID, "the session is closed");
	*err = s->error;
	return -1;
}

int
qmtp_session_submit(
    struct qmtp_session *s, struct qmtp_package *p, struct qmtp_error *err)
{
	if (s->state == QMTP_CLOSED || s->ending)
		return qmtp__session_closed(s, err);
	if (s->state != QMTP_WAITING &&
	    qmtp_now() - s->begun >= s->options.session_timeout)
		return qmtp__fail(err, QMTP_IDLE, QMTP_AGED,
		    "the session has lasted as long as it may");
	if (qmtp_package_check(p, err) < 0 ||
	    qmtp__package_begin(p, s->options.answers_one, err) < 0)
		return -1;
	if (s->newest != NULL)
		s->newest->next = p;
	else
		s->oldest = p;
	s->newest = p;
	if (s->sending == NULL)
		s->sending = p;
	s->unfinished++;
	qmtp__session_start(s);
	return s->state == QMTP_CLOSED ? qmtp__session_closed(s, err) : 0;
}

size_t
qmtp_session_unfinished(const struct qmtp_session *s)
{
	return s->unfinished;
}

size_t
qmtp_session_poll(const struct qmtp_session *s, struct pollfd *v)
{
	if (s->state == QMTP_CONNECTING)
		return qmtp__connect_poll(&s->connect, v);
	if (s->state == QMTP_WAITING || s->state == QMTP_CLOSED)
		return 0;
	v[0] = (struct pollfd){ .fd = s->stream.fd };
	if (s->state == QMTP_SECURING)
		v[0].events = qmtp__secure_events(s);
	else
		v[0].events = qmtp__stream_events(&s->stream, qmtp__send_wanted(s));
	return 1;
}

static void
begin_sending(struct qmtp_session *s)
{
	s->state = QMTP_OPEN;
	s->progress = qmtp_now();
	qmtp__send(s);
}

static void
secure_step(struct qmtp_session *s)
{
	if (qmtp__secure_step(s) > 0)
		begin_sending(s);
}

static void
connect_step(struct qmtp_session *s)
{
	int r = qmtp__connect_step(&s->connect, &s->stream.fd, &s->error);

	if (r == 0) {
		if (s->connect.n > 0) /* there is time, while the server is thinking */
			qmtp__secure_prepare(s);
		return;
	}
	if (r < 0) {
		qmtp_session_close(s);
		return;
	}
	memcpy(s->peer, s->connect.peer, sizeof(s->peer));
	qmtp__session_trace(s, QMTP_TRACE_NOTE, "connected to %s", s->peer);
	if (s->options.tls == NULL)
		begin_sending(s);
	else if (qmtp__secure_start(s) == 0)
		secure_step(s);
}

/*
 * Before the first bytes of the first package there is no need to: sending listens
 * before it commits.
 */
static int
listen_first(struct qmtp_session *s)
{
	if (s->packages == 0 && s->sending != NULL)
		return 0;
	return qmtp__receive(s);
}

enum qmtp_state
qmtp_session_step(struct qmtp_session *s)
{
	s->heard = false;
	if (s->state == QMTP_CONNECTING)
		connect_step(s);
	else if (s->state == QMTP_SECURING)
		secure_step(s);
	else if (s->state == QMTP_OPEN && listen_first(s) == 0 && qmtp__send(s) == 0)
		qmtp__keep_time(s);
	return s->state;
}

enum qmtp_state
qmtp_session_state(const struct qmtp_session *s)
{
	return s->state;
}

const struct qmtp_error *
qmtp_session_error(const struct qmtp_session *s)
{
	static const struct qmtp_error none;

	return s->state == QMTP_CLOSED ? &s->error : &none;
}

const char *
qmtp_session_peer(const struct qmtp_session *s)
{
	return s->peer;
}

bool
qmtp_session_proven(const struct qmtp_session *s)
{
	return s->proven;
}

const char *
qmtp_session_stray(const struct qmtp_session *s, size_t *len)
{
	bool stray = s->error.cause == QMTP_EARLY || s->error.cause == QMTP_GARBAGE ||
	    s->error.cause == QMTP_EXTRA;

	*len = stray ? s->response.raw_len : 0;
	return s->response.raw;
}

const char *
qmtp_session_host(const struct qmtp_session *s)
{
	return s->options.host;
}

int
qmtp_session_port(const struct qmtp_session *s)
{
	return s->options.port;
}
