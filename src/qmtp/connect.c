#include "qmtp/connect.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmtp/failure.h"

/* milliseconds */
#define ATTEMPT_DELAY 250 /* RFC 8305 §5 */
#define FULL_DELAY 50     /* a unix socket whose queue is full says when only if asked */

static void
name_peer(struct qmtp__connect *c, const struct addrinfo *a)
{
	if (c->named == a)
		return;
	c->named = a;
	if (a->ai_family == AF_UNIX)
		snprintf(c->peer, sizeof(c->peer), "%s",
		    ((const struct sockaddr_un *)(const void *)a->ai_addr)->sun_path);
	else if (getnameinfo(a->ai_addr, a->ai_addrlen, c->peer, sizeof(c->peer), NULL, 0,
		     NI_NUMERICHOST) != 0)
		snprintf(c->peer, sizeof(c->peer), "?");
}

/* errno is why this address could not be connected to. */
static void
note_failure(struct qmtp__connect *c, const struct addrinfo *a)
{
	char what[QMTP__PEER_MAX + 4];
	int saved = errno;

	name_peer(c, a);
	snprintf(what, sizeof(what), "to %s", c->peer);
	errno = saved;
	qmtp__fail_errno(&c->error, QMTP_CONNECT, what);
}

int
qmtp__connect_start(struct qmtp__connect *c, struct qmtp_shared *shared, const char *host,
    int port, int64_t deadline, struct qmtp_error *err)
{
	*c = (struct qmtp__connect){
		.shared = shared,
		.deadline = deadline,
		.left = QMTP__ADDRESSES_MAX,
	};
	c->lookup = qmtp__shared_lookup(shared, host, port, err);
	if (c->lookup == NULL)
		return -1;
	if (qmtp__lookup_fd(c->lookup) < 0) {
		qmtp__lookup_result(c->lookup, &c->list, err);
		c->next = c->list;
	}
	return 0;
}

/*
 * Asked a second time, connect(2) tells how the first one ended. 1: well; 0: it has
 * not; -1 with errno.
 */
static int
outcome(const struct qmtp__attempt *a)
{
	if (connect(a->fd, a->addr->ai_addr, a->addr->ai_addrlen) == 0 ||
	    errno == EISCONN)
		return 1;
	return errno == EALREADY || errno == EINPROGRESS || errno == EINTR ? 0 : -1;
}

/*
 * The descriptor of the first attempt that has ended well, or -1; those that failed are
 * taken out, and the next may start.
 */
static int
harvest(struct qmtp__connect *c)
{
	size_t kept = 0;
	int won = -1;

	for (size_t i = 0; i < c->n; i++) {
		struct qmtp__attempt *a = &c->attempts[i];
		int r = won >= 0 ? 0 : outcome(a);

		if (r == 0) {
			c->attempts[kept++] = *a;
		} else if (r > 0) {
			won = a->fd;
			name_peer(c, a->addr);
		} else {
			note_failure(c, a->addr);
			close(a->fd);
			c->next_at = 0;
		}
	}
	c->n = kept;
	return won;
}

/* The next address is done with, or under way. */
static void
advance(struct qmtp__connect *c)
{
	c->next = --c->left > 0 ? c->next->ai_next : NULL;
}

static void
join_attempts(struct qmtp__connect *c, int fd)
{
	if (c->n == QMTP_POLL_MAX) {
		close(c->attempts[0].fd);
		c->n--;
		memmove(&c->attempts[0], &c->attempts[1], c->n * sizeof(c->attempts[0]));
	}
	c->attempts[c->n++] = (struct qmtp__attempt){ .fd = fd, .addr = c->next };
}

/* A descriptor that was connected at once, or -1. */
static int
start_one(struct qmtp__connect *c, int64_t now)
{
	const struct addrinfo *a = c->next;
	int fd, on = 1;

	name_peer(c, a);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		note_failure(c, a);
		advance(c);
		return -1;
	}
	/* a failure costs time, not mail */
	if (a->ai_family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
		return fd;
	if (errno == EINPROGRESS || (errno == EINTR && a->ai_family != AF_UNIX)) {
		join_attempts(c, fd);
		c->next_at = now + ATTEMPT_DELAY;
		advance(c);
		return -1;
	}
	if (a->ai_family == AF_UNIX && (errno == EAGAIN || errno == EINTR)) {
		c->next_at = now + FULL_DELAY;
	} else {
		note_failure(c, a);
		advance(c);
	}
	close(fd);
	return -1;
}

static int
start_due(struct qmtp__connect *c, int64_t now)
{
	int fd = -1;

	while (fd < 0 && c->next != NULL && now >= c->next_at)
		fd = start_one(c, now);
	return fd;
}

static int
timed_out(struct qmtp__connect *c, struct qmtp_error *err)
{
	if (c->named == NULL)
		return qmtp__fail(err, QMTP_RESOLVE, QMTP_TIMEOUT,
		    "no answer in time while %s", qmtp_phase_name(QMTP_RESOLVE));
	if (c->n > 0)
		name_peer(c, c->attempts[c->n - 1].addr);
	return qmtp__fail(err, QMTP_CONNECT, QMTP_TIMEOUT,
	    "no answer in time while %s to %s", qmtp_phase_name(QMTP_CONNECT), c->peer);
}

int
qmtp__connect_step(struct qmtp__connect *c, int *fd, struct qmtp_error *err)
{
	int64_t now = qmtp_now();

	if (c->list == NULL) {
		int found = qmtp__lookup_result(c->lookup, &c->list, err);

		if (found == 0 && now >= c->deadline)
			return timed_out(c, err);
		if (found <= 0)
			return found;
		c->next = c->list;
	}
	*fd = harvest(c);
	if (*fd < 0 && now < c->deadline)
		*fd = start_due(c, now);
	if (*fd >= 0) {
		qmtp__connect_cancel(c);
		return 1;
	}
	if (c->n == 0 && c->next == NULL) {
		*err = c->error;
		return -1;
	}
	return now >= c->deadline ? timed_out(c, err) : 0;
}

size_t
qmtp__connect_poll(const struct qmtp__connect *c, struct pollfd *v)
{
	if (c->list == NULL) {
		v[0] =
		    (struct pollfd){ .fd = qmtp__lookup_fd(c->lookup), .events = POLLIN };
		return 1;
	}
	for (size_t i = 0; i < c->n; i++)
		v[i] = (struct pollfd){ .fd = c->attempts[i].fd, .events = POLLOUT };
	return c->n;
}

int64_t
qmtp__connect_deadline(const struct qmtp__connect *c)
{
	return c->next != NULL && c->next_at < c->deadline ? c->next_at : c->deadline;
}

void
qmtp__connect_cancel(struct qmtp__connect *c)
{
	qmtp__shared_forget(c->shared, c->lookup);
	qmtp__lookup_free(c->lookup);
	for (size_t i = 0; i < c->n; i++)
		close(c->attempts[i].fd);
	c->lookup = NULL;
	c->list = NULL;
	c->next = NULL;
	c->named = NULL;
	c->n = 0;
}
