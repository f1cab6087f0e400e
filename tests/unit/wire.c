#include "wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 20000 /* milliseconds, for what the kernel does at once */
#define BORN 1000000
#define IOV_MOST 64

struct wire wire = { .client = -1, .server = -1 };

static bool just_read;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (wire.now == 0 || id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = wire.now / 1000;
	ts->tv_nsec = wire.now % 1000 * 1000000;
	return 0;
}

/* Wait for what has no reason not to come. */
static short
await(int fd, short events)
{
	struct pollfd v = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&v, 1, PATIENCE);
	while (n < 0 && errno == EINTR);
	ck_assert_int_eq(n, 1);
	return v.revents;
}

static size_t
unread(int fd)
{
	int n = 0;

	ck_assert_int_eq(ioctl(fd, FIONREAD, &n), 0);
	return (size_t)n;
}

ssize_t
recv(int fd, void *data, size_t n, int flags)
{
	ssize_t r = (ssize_t)syscall(SYS_recvfrom, fd, data, n, flags, NULL, NULL);

	if (fd != wire.client || wire.client < 0)
		return r;
	just_read = r > 0;
	if (r > 0)
		model_heard(&wire.model, data, (size_t)r);
	else if (r == 0)
		model_ended(&wire.model);
	else if (errno != EAGAIN && errno != EINTR)
		model_read_failed(&wire.model, errno);
	return r;
}

/* Whether there is nothing that the session could have heard. */
static bool
quiet(void)
{
	struct pollfd v = { .fd = wire.client, .events = POLLIN | POLLRDHUP };
	int n = poll(&v, 1, 0);

	return n == 0 || (just_read && unread(wire.client) == 0);
}

/* As much as may go, to the byte. */
ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec v[IOV_MOST];
	struct msghdr part = *msg;
	size_t left = wire.may_send;
	ssize_t r;

	if (fd != wire.client || wire.client < 0)
		return (ssize_t)syscall(SYS_sendmsg, fd, msg, flags);
	model_offer(&wire.model, msg->msg_iov, msg->msg_iovlen, quiet());
	part.msg_iov = v;
	part.msg_iovlen = 0;
	for (size_t i = 0; i < msg->msg_iovlen && left > 0; i++) {
		struct iovec *to = &v[part.msg_iovlen++];

		*to = msg->msg_iov[i];
		if (to->iov_len > left)
			to->iov_len = left;
		left -= to->iov_len;
	}
	if (part.msg_iovlen == 0) {
		errno = EAGAIN;
		return -1;
	}
	r = (ssize_t)syscall(SYS_sendmsg, fd, &part, flags & ~MSG_MORE);
	if (r > 0) {
		model_took(&wire.model, (size_t)r);
		wire.may_send -= (size_t)r;
		just_read = false;
	} else if (errno != EAGAIN && errno != EINTR) {
		model_write_failed(&wire.model, errno);
	}
	return r;
}

static int
asked(void *arg, struct qmtp_package *p)
{
	(void)arg;
	model_asked(&wire.model, p, false);
	return 0;
}

void
wire_step(void)
{
	wire.model.now = wire.now;
	just_read = false;
	if (qmtp_session_state(wire.session) != QMTP_CLOSED)
		qmtp_session_step(wire.session);
	if (qmtp_session_state(wire.session) == QMTP_CLOSED)
		wire.client = -1;
	model_check(&wire.model, wire.session);
}

int
wire_listen(int *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

void
wire_dial(int listener, int port, const struct qmtp_options *options)
{
	struct qmtp_options o = *options;
	struct qmtp_error err;
	struct pollfd v[QMTP_POLL_MAX];

	o.host = "127.0.0.1";
	o.port = port;
	o.commit = asked;
	wire.now = BORN;
	wire.client = -1;
	wire.session = qmtp_session_new(&o, &err);
	ck_assert_ptr_nonnull(wire.session);
	while (qmtp_session_step(wire.session) == QMTP_CONNECTING)
		ck_assert_int_ge(
		    poll(v, qmtp_session_poll(wire.session, v), PATIENCE), 0);
	ck_assert_int_eq(qmtp_session_state(wire.session), QMTP_OPEN);
	ck_assert_uint_eq(qmtp_session_poll(wire.session, v), 1);
	wire.client = v[0].fd;
	wire.server = accept(listener, NULL, NULL);
	ck_assert_int_ge(wire.server, 0);
	model_init(&wire.model, &o, wire.now);
}

void
wire_close(void)
{
	qmtp_session_free(wire.session);
	wire.client = -1;
	if (wire.server >= 0)
		close(wire.server);
	wire.server = -1;
	model_free(&wire.model);
	wire.now = 0; /* Check has an eye on the clock, too */
}

void
wire_await_server(size_t n)
{
	while (unread(wire.server) < n)
		await(wire.server, POLLIN);
}

void
wire_await_client(size_t n)
{
	while (unread(wire.client) < n)
		await(wire.client, POLLIN);
}

void
wire_take(size_t n)
{
	char data[512];

	while (n > 0) {
		ssize_t r = recv(wire.server, data, n < 512 ? n : 512, 0);

		ck_assert_int_gt(r, 0);
		n -= (size_t)r;
	}
}

void
wire_say(const char *data, size_t n)
{
	ck_assert_int_eq(send(wire.server, data, n, MSG_NOSIGNAL), (ssize_t)n);
}

void
wire_await_end(void)
{
	if (wire.client >= 0)
		await(wire.client, POLLRDHUP);
}
