#include "queue/peer.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "queue/signals.h"
#include "util/clock.h"

void
peer_init(struct peer *p, int in, int out)
{
	p->in = in;
	p->out = out;
	p->begin = p->end = 0;
	peer_phase(p);
}

void
peer_phase(struct peer *p)
{
	p->until = clock_ms() + PEER_LONGEST;
}

static int
wait_for(struct peer *p, int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ready =
	    signals_poll(&pfd, 1, clock_earlier(p->until, clock_ms() + PEER_PATIENCE));

	if (ready == 0)
		errno = ETIMEDOUT;
	return ready > 0 ? 0 : -1;
}

/* What is no socket blocks, unless poll(2) has said that there is something. */
static ssize_t
read_some(struct peer *p)
{
	ssize_t n = recv(p->in, p->data, sizeof(p->data), MSG_DONTWAIT);

	while (n < 0 && (errno == EAGAIN || errno == ENOTSOCK || errno == EINTR)) {
		int is_socket = errno != ENOTSOCK;

		if (wait_for(p, p->in, POLLIN) < 0)
			return -1;
		n = is_socket ? recv(p->in, p->data, sizeof(p->data), MSG_DONTWAIT)
			      : read(p->in, p->data, sizeof(p->data));
		if (!is_socket)
			break;
	}
	return n;
}

ssize_t
peer_read(struct peer *p, const char **data)
{
	if (p->begin == p->end) {
		ssize_t n;

		if (clock_ms() >= p->until) {
			errno = ETIMEDOUT;
			return -1;
		}
		n = read_some(p);
		if (n < 0)
			return -1;
		p->begin = 0;
		p->end = (size_t)n;
	}
	*data = p->data + p->begin;
	return (ssize_t)(p->end - p->begin);
}

void
peer_take(struct peer *p, size_t n)
{
	p->begin += n;
}

/* poll(2) promises room for PIPE_BUF bytes in a pipe, no more. */
static ssize_t
write_some(struct peer *p, const char *data, size_t n)
{
	ssize_t done = send(p->out, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done >= 0 || (errno != EAGAIN && errno != ENOTSOCK && errno != EINTR))
		return done;
	if (errno == ENOTSOCK) {
		if (wait_for(p, p->out, POLLOUT) < 0)
			return -1;
		return write(p->out, data, n < PIPE_BUF ? n : PIPE_BUF);
	}
	return wait_for(p, p->out, POLLOUT);
}

int
peer_write(struct peer *p, const void *data, size_t n)
{
	const char *from = data;

	while (n > 0) {
		ssize_t done = write_some(p, from, n);

		if (done < 0)
			return -1;
		if (clock_ms() >= p->until && (size_t)done < n) {
			errno = ETIMEDOUT;
			return -1;
		}
		from += done;
		n -= (size_t)done;
	}
	return 0;
}
