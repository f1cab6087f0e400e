#include "wire.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "util/clock.h"

#define LINGER_MS 2000 /* to swallow what a client still sends */
#define ARRIVE_MS 1000 /* for our last bytes to be acknowledged before a reset */
#define SWALLOW_MAX 65536

void
wire_init(struct wire *w, int in, int out)
{
	*w = (struct wire){ .in = in, .out = out };
}

void
wire_free(struct wire *w)
{
	close(w->in);
	if (w->out != w->in)
		close(w->out);
	buf_free(&w->output);
}

ssize_t
wire_read(const struct wire *w, char *to, size_t len)
{
	ssize_t n;

	do {
		n = read(w->in, to, len);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EWOULDBLOCK ? WIRE_AGAIN : WIRE_RESET;
}

size_t
wire_waiting(const struct wire *w)
{
	return w->output.len - w->sent;
}

void
wire_add(struct wire *w, const void *data, size_t len, uint64_t drip)
{
	buf_add(&w->output, data, len);
	w->drip = drip;
}

void
wire_flush(struct wire *w, int64_t now)
{
	while (wire_waiting(w) > 0 && !w->gone) {
		size_t len = w->drip > 0 ? 1 : wire_waiting(w);
		ssize_t n;

		if (w->drip > 0 && now < w->drip_due)
			return;
		n = write(w->out, w->output.data + w->sent, len); /* SIGPIPE is ignored */
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			w->gone = true;
			break;
		}
		w->sent += (size_t)n;
		w->drip_due = now + (int64_t)w->drip;
	}
	buf_clear(&w->output);
	w->sent = 0;
}

void
wire_end(struct wire *w, enum action action, int64_t now)
{
	if (w->ending == ACT_NONE) {
		w->ending = action;
		w->until = now + (action == ACT_RESET ? ARRIVE_MS : LINGER_MS);
	}
}

/* End of file was sent: read until the other side has had enough too. */
static bool
swallowed(struct wire *w, int64_t now)
{
	char bytes[SWALLOW_MAX];
	ssize_t n = wire_read(w, bytes, sizeof(bytes));

	if (n > 0)
		w->swallowed += (uint64_t)n;
	return n == WIRE_EOF || n == WIRE_RESET || now >= w->until;
}

bool
wire_ended(struct wire *w, int64_t now)
{
	struct linger at_once = { .l_onoff = 1 };
	int unacknowledged = 0;

	wire_flush(w, now);
	if (w->gone)
		return true;
	if (wire_waiting(w) > 0)
		return false;
	if (w->ending == ACT_RESET) {
		if (ioctl(w->out, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0 &&
		    now < w->until) {
			w->drip_due = now + 1;
			return false;
		}
		setsockopt(w->out, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		return true;
	}
	if (w->ending != ACT_CLOSE)
		return true;
	if (!w->shut) {
		if (shutdown(w->out, SHUT_WR) < 0)
			return true; /* no socket, or its other end has gone */
		w->shut = true;
		w->until = now + LINGER_MS;
	}
	return swallowed(w, now);
}

int64_t
wire_deadline(const struct wire *w)
{
	if (wire_waiting(w) > 0)
		return w->drip > 0 ? w->drip_due : CLOCK_NEVER;
	if (w->ending == ACT_RESET)
		return w->drip_due;
	return w->ending != ACT_NONE ? w->until : CLOCK_NEVER;
}

bool
wire_wants_out(const struct wire *w)
{
	return wire_waiting(w) > 0 && w->drip == 0 && !w->gone;
}
