#include "qmtp/connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmtp/failure.h"

#define ATTEMPT_DELAY 250 /* milliseconds, RFC 8305 §5 */

/* errno is why the address in c->peer could not be connected to. */
static void
note_failure(struct qmtp__connect *c)
{
	char what[QMTP__PEER_MAX + 4];

	snprintf(what, sizeof(what), "to %s", c->peer);
	qmtp__fail_errno(&c->error, QMTP_CONNECT, what);
}

static void
describe(const struct addrinfo *a, char *out, size_t size)
{
	if (getnameinfo(a->ai_addr, a->ai_addrlen, out, (socklen_t)size, NULL, 0,
		NI_NUMERICHOST) != 0)
		snprintf(out, size, "?");
}

/* A connect under way joins the attempts; one that failed at once leaves its error. */
static void
begin_attempt(struct qmtp__connect *c, const struct addrinfo *from, int family,
    const struct sockaddr *addr, socklen_t len)
{
	struct qmtp__attempt *a = &c->attempts[c->n];
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0) {
		note_failure(c);
		return;
	}
	/* a failure costs time, not mail */
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, addr, len) < 0 && errno != EINPROGRESS && errno != EINTR) {
		note_failure(c);
		close(fd);
		return;
	}
	a->fd = fd;
	a->addr = from;
	memcpy(a->peer, c->peer, sizeof(a->peer));
	c->n++;
}

static int
start_unix(struct qmtp__connect *c, const char *path, struct qmtp_error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len >= sizeof(sun.sun_path))
		return qmtp__fail(
		    err, QMTP_CONNECT, QMTP_INVALID, "the socket's path is too long");
	memcpy(sun.sun_path, path, len + 1);
	snprintf(c->peer, sizeof(c->peer), "%s", path);
	begin_attempt(c, NULL, AF_UNIX, (const struct sockaddr *)&sun, sizeof(sun));
	if (c->n == 0) {
		*err = c->error;
		return -1;
	}
	return 0;
}

int
qmtp__connect_start(struct qmtp__connect *c, const char *host, int port, int64_t deadline,
    struct qmtp_error *err)
{
	*c = (struct qmtp__connect){ .deadline = deadline };
	if (host[0] == '/')
		return start_unix(c, host, err);
	if (qmtp__lookup_start(&c->lookup, &c->list, host, port, err) < 0)
		return -1;
	c->next = c->list;
	return 0;
}

/*
 * Asked a second time, connect(2) tells how the first one ended. 1: well; 0: it has
 * not; -1 with errno.
 */
static int
outcome(const struct qmtp__attempt *a)
{
	if (a->addr == NULL ||
	    connect(a->fd, a->addr->ai_addr, a->addr->ai_addrlen) == 0 ||
	    errno == EISCONN)
		return 1;
	return errno == EALREADY || errno == EINPROGRESS || errno == EINTR ? 0 : -1;
}

/*
 * The descriptor of the first attempt that has ended well, or -1; those that failed are
 * taken out.
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
			continue;
		}
		memcpy(c->peer, a->peer, sizeof(c->peer));
		if (r > 0) {
			won = a->fd;
			continue;
		}
		note_failure(c);
		close(a->fd);
	}
	c->n = kept;
	return won;
}

static void
start_next(struct qmtp__connect *c, int64_t now)
{
	while (
	    c->next != NULL && c->n < QMTP_POLL_MAX && (c->n == 0 || now >= c->next_at)) {
		const struct addrinfo *a = c->next;

		c->next = a->ai_next;
		c->next_at = now + ATTEMPT_DELAY;
		describe(a, c->peer, sizeof(c->peer));
		begin_attempt(c, a, a->ai_family, a->ai_addr, a->ai_addrlen);
	}
}

static int
timed_out(const struct qmtp__connect *c, struct qmtp_error *err)
{
	if (c->lookup != NULL)
		return qmtp__fail(err, QMTP_RESOLVE, QMTP_TIMEOUT,
		    "no answer in time while %s", qmtp_phase_name(QMTP_RESOLVE));
	return qmtp__fail(err, QMTP_CONNECT, QMTP_TIMEOUT,
	    "no answer in time while %s to %s", qmtp_phase_name(QMTP_CONNECT), c->peer);
}

int
qmtp__connect_step(struct qmtp__connect *c, int *fd, struct qmtp_error *err)
{
	int64_t now = qmtp_now();

	if (c->lookup != NULL) {
		int found = qmtp__lookup_result(c->lookup, &c->list, err);

		if (found == 0)
			return now >= c->deadline ? timed_out(c, err) : 0;
		qmtp__lookup_free(c->lookup);
		c->lookup = NULL;
		if (found < 0)
			return -1;
		c->next = c->list;
	}
	*fd = harvest(c);
	if (*fd >= 0) {
		qmtp__connect_cancel(c);
		return 1;
	}
	if (now >= c->deadline)
		return timed_out(c, err);
	start_next(c, now);
	if (c->n > 0)
		return 0;
	*err = c->error;
	return -1;
}

size_t
qmtp__connect_poll(const struct qmtp__connect *c, struct pollfd *v)
{
	if (c->lookup != NULL) {
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
	if (c->lookup == NULL && c->next != NULL && c->n < QMTP_POLL_MAX &&
	    c->next_at < c->deadline)
		return c->next_at;
	return c->deadline;
}

void
qmtp__connect_cancel(struct qmtp__connect *c)
{
	qmtp__lookup_free(c->lookup);
	if (c->list != NULL)
		freeaddrinfo(c->list);
	for (size_t i = 0; i < c->n; i++)
		close(c->attempts[i].fd);
	c->lookup = NULL;
	c->list = NULL;
	c->next = NULL;
	c->n = 0;
}
