/*
 * A session of qmtp/qmtp.h, and all that can happen to it, in an order that the input says:
 * packages are submitted at any time, the system takes as many bytes as it likes, a server
 * says anything in any pieces, closes, resets, is silent; time passes up to the last
 * millisecond of a deadline and beyond it; the caller gives a package up, or closes.
 *
 * Socket and clock are played here, below the C library's functions; model.h knows what
 * the session must do. At the end nothing happens any more but the passing of time, and
 * the session must come to an end by itself. First byte: the options. The rest: events.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "model.h"

#define BORN 1000000
#define PACKAGES_MAX 24
#define STEPS_MAX 2000 /* at the end, until it must have come to one */

enum { WINDOW = 3, ANSWERS_ONE = 4, NARROW = 8, READS = 16, TRACES = 32 };

enum event { STEP, SUBMIT, ROOM, SAY, ANSWER, PASS, TROUBLE, CALLER };

/* The socket and the clock. */
static struct {
	bool on;
	int fd; /* a descriptor of something else */
	int64_t now;
	size_t room;      /* bytes that the system would take */
	struct buf words; /* of the server */
	size_t read;      /* of them */
	bool ended;       /* it has closed, or: */
	int read_error, write_error;
	unsigned interrupts;
	bool just_read; /* bytes, and no more since then */
	bool moved;     /* something has happened */
	int closed;
} world;

static struct model model;
static struct qmtp_session *session;
static struct qmtp_package *packages[PACKAGES_MAX];
static size_t npackages;
static bool say_no;

static const char *const addrs[] = { "bob@example.com", "carol@example.net",
	"bob@example.com", "d" };

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	if (!world.on || id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, ts);
	ts->tv_sec = world.now / 1000;
	ts->tv_nsec = world.now % 1000 * 1000000;
	return 0;
}

static bool
interrupted(void)
{
	if (world.interrupts == 0)
		return false;
	world.interrupts--;
	errno = EINTR;
	return true;
}

ssize_t
recv(int fd, void *data, size_t n, int flags)
{
	size_t left = world.words.len - world.read;

	if (!world.on || fd != world.fd)
		return (ssize_t)syscall(SYS_recvfrom, fd, data, n, flags, NULL, NULL);
	must((flags & MSG_DONTWAIT) != 0, "nobody waits");
	if (interrupted())
		return -1;
	world.just_read = left > 0;
	if (left > 0) {
		if (n > left)
			n = left;
		memcpy(data, world.words.data + world.read, n);
		world.read += n;
		world.moved = true;
		model_heard(&model, data, n);
		return (ssize_t)n;
	}
	if (world.read_error != 0) {
		errno = world.read_error;
		model_read_failed(&model, errno);
		return -1;
	}
	if (world.ended) {
		model_ended(&model);
		return 0;
	}
	errno = EAGAIN;
	return -1;
}

static bool
quiet(void)
{
	bool end = world.ended || world.read_error != 0;

	return world.read == world.words.len && (!end || world.just_read);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	size_t n = 0;

	if (!world.on || fd != world.fd)
		return (ssize_t)syscall(SYS_sendmsg, fd, msg, flags);
	must((flags & (MSG_DONTWAIT | MSG_NOSIGNAL)) == (MSG_DONTWAIT | MSG_NOSIGNAL),
	    "nobody waits, and there is no signal");
	model_offer(&model, msg->msg_iov, msg->msg_iovlen, quiet());
	if (interrupted())
		return -1;
	if (world.write_error != 0) {
		errno = world.write_error;
		model_write_failed(&model, errno);
		return -1;
	}
	for (size_t i = 0; i < msg->msg_iovlen; i++)
		n += msg->msg_iov[i].iov_len;
	if (n > world.room)
		n = world.room;
	model_took(&model, n);
	world.room -= n;
	if (n > 0) {
		world.moved = true;
		world.just_read = false;
		return (ssize_t)n;
	}
	errno = EAGAIN;
	return -1;
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
	if (!world.on || fd != world.fd)
		return (int)syscall(SYS_setsockopt, fd, level, name, value, n);
	return 0;
}

int
close(int fd)
{
	if (!world.on || fd != world.fd)
		return (int)syscall(SYS_close, fd);
	world.closed++;
	return 0;
}

static int
asked(void *arg, struct qmtp_package *p)
{
	(void)arg;
	model_asked(&model, p, say_no);
	return say_no ? -1 : 0;
}

static void
traced(void *arg, enum qmtp_trace what, const void *data, size_t len)
{
	(void)arg;
	must(what <= QMTP_TRACE_GOT && data != NULL && len < 16384, "what is traced");
}

static void
submit(unsigned kind)
{
	static const size_t sizes[] = { 14, 0, 1, 100, 14, 3000, 14, 9000 };
	struct qmtp_package *p;
	struct buf body = { 0 };
	struct qmtp_error err;
	size_t rcpts = 1 + kind % 4;
	bool closed = qmtp_session_state(session) == QMTP_CLOSED;

	if (npackages == PACKAGES_MAX)
		return;
	p = qmtp_package_new();
	must(p != NULL && qmtp_package_sender(p, kind & 16 ? "" : "a@b") == 0,
	    "a package");
	for (size_t i = 0; i < rcpts; i++)
		must(qmtp_package_rcpt(p, addrs[i]) == 0, "a recipient");
	memset(
	    buf_reserve(&body, sizes[kind / 4]), (int)('a' + npackages), sizes[kind / 4]);
	body.len = sizes[kind / 4];
	must(qmtp_package_append(p, body.data, body.len / 2) == 0 &&
		qmtp_package_append(
		    p, body.data + body.len / 2, body.len - body.len / 2) == 0,
	    "a message");
	if (qmtp_session_submit(session, p, &err) == 0) {
		must(world.now - BORN < model.o.session_timeout, "not at its age");
		model_submit(&model, p, &body, kind & 16 ? "" : "a@b", addrs);
		packages[npackages++] = p;
	} else {
		must(closed || model.refused ||
			(err.cause == QMTP_AGED &&
			    world.now - BORN >= model.o.session_timeout),
		    "a package that can be sent is taken");
		must(err.text[0] != '\0', "or it is said why not");
		qmtp_package_free(p);
	}
	buf_free(&body);
}

static void
step(void)
{
	model.now = world.now;
	world.just_read = false;
	if (qmtp_session_state(session) != QMTP_CLOSED) {
		qmtp_session_step(session);
		must(!model.cut || world.read == world.words.len,
		    "the last words of a server that is gone are heard");
	}
	model_check(&model, session);
}

static void
say_answer(unsigned kind)
{
	static const size_t sizes[] = { 0, 1, 9, 10, 97, 398, 399, 400, 3000, 8191, 0 };
	size_t n = sizes[kind / 3];

	buf_printf(&world.words, "%zu:%c", n + 1, "KZD"[kind % 3]);
	memset(buf_reserve(&world.words, n + 1), ':', n);
	world.words.len += n;
	buf_byte(&world.words, ',');
}

static void
pass_time(unsigned how)
{
	int64_t until = qmtp_session_deadline(session);

	if (how < 24)
		world.now += 1 + how * how;
	else if (how < 28 && until != INT64_MAX && until > world.now)
		world.now = until - (how % 2);
	else
		world.now += 1000;
}

static void
trouble(unsigned kind)
{
	static const int errors[] = { ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH };

	if (kind < 8)
		world.ended = true;
	else if (kind < 12)
		world.read_error = errors[kind % 4];
	else if (kind < 20)
		world.write_error = errors[kind % 4];
	else if (kind < 24)
		world.read_error = world.write_error = errors[kind % 4];
	else
		world.interrupts = 1 + kind % 4;
}

static void
act(enum event what, unsigned arg, const uint8_t **at, const uint8_t *end)
{
	size_t n = (size_t)(end - *at);

	switch (what) {
	case STEP:
		step();
		break;
	case SUBMIT:
		submit(arg);
		break;
	case ROOM:
		world.room += arg < 24 ? arg : 1000 * (arg - 23);
		break;
	case SAY:
		if (n > arg + 1)
			n = arg + 1;
		if (world.ended || world.read_error != 0)
			break;
		buf_add(&world.words, *at, n);
		*at += n;
		break;
	case ANSWER:
		if (!world.ended && world.read_error == 0)
			say_answer(arg);
		break;
	case PASS:
		pass_time(arg);
		break;
	case TROUBLE:
		trouble(arg);
		break;
	case CALLER:
		if (arg == 0) {
			model_closed(&model);
			qmtp_session_close(session);
			model_check(&model, session);
		}
		say_no = arg == 1;
		break;
	}
}

/* What poll(2) would wake the caller for. */
static bool
is_ready(void)
{
	struct pollfd v[QMTP_POLL_MAX];
	bool in = world.read < world.words.len || world.ended || world.read_error != 0;
	bool out = world.room > 0 || world.write_error != 0;
	bool wanted = model_wants_to_send(&model);

	must(qmtp_session_poll(session, v) == 1 && v[0].fd == world.fd &&
		v[0].events == (wanted ? POLLIN | POLLOUT : POLLIN),
	    "it waits for what there is to do");
	return in || (out && wanted);
}

/* A caller's loop, while nothing comes from outside any more. */
static void
come_to_an_end(bool reads)
{
	world.interrupts = 0;
	if (reads)
		world.room = SIZE_MAX;
	for (int i = 0; qmtp_session_state(session) != QMTP_CLOSED; i++) {
		int64_t until = qmtp_session_deadline(session);

		must(i < STEPS_MAX, "it comes to an end");
		model.now = world.now;
		if (is_ready()) {
			size_t tried = model.tried;

			world.moved = false;
			step();
			must(world.moved || model.tried > tried ||
				qmtp_session_state(session) == QMTP_CLOSED,
			    "no call for nothing");
			continue;
		}
		if (qmtp_session_unfinished(session) == 0)
			return;
		must(until != INT64_MAX, "nobody waits for ever");
		if (until > world.now)
			world.now = until;
		step();
	}
}

static void
set_up(unsigned flags)
{
	static const int windows[] = { 64, 1, 2, 3 };
	struct qmtp_options o = {
		.host = "server.example.net",
		.port = QMTP_PORT,
		.connect_timeout = 1,
		.send_timeout = 200,
		.reply_timeout = 500,
		.silence = 60,
		.session_timeout = 3000,
		.answers_one = flags & ANSWERS_ONE,
		.window = windows[flags & WINDOW],
		.window_rcpts = flags & NARROW ? 5 : 1000,
		.window_bytes = flags & NARROW ? 3100 : 16 << 20,
		.commit = asked,
		.trace = flags & TRACES ? traced : NULL,
	};
	struct qmtp_error err;

	if (world.fd == 0)
		world.fd = open("/dev/null", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	world.on = true;
	world.now = BORN;
	world.room = 0;
	buf_clear(&world.words);
	world.read = 0;
	world.ended = false;
	world.read_error = world.write_error = world.closed = 0;
	world.interrupts = 0;
	npackages = 0;
	say_no = false;
	model_init(&model, &o, world.now);
	session = qmtp_session_adopt(world.fd, &o, &err);
	must(session != NULL, "a session");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *at = data + 1, *end = data + size;

	if (size == 0)
		return 0;
	set_up(data[0]);
	while (at < end) {
		uint8_t what = *at++;

		act(what % 8, what / 8, &at, end);
	}
	come_to_an_end(data[0] & READS);
	qmtp_session_free(session);
	must(world.closed == 1, "the socket is closed once");
	world.on = false;
	for (size_t i = 0; i < npackages; i++)
		qmtp_package_free(packages[i]);
	model_free(&model);
	buf_free(&world.words);
	world.words = (struct buf){ 0 };
	return 0;
}
