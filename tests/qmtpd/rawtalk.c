/*
 * rawtalk: speaks bytes to a server, step by step, and prints what comes back as it
 * comes, with one word in brackets behind it that says how it ended. It always reads while
 * it writes.
 *
 *	rawtalk ADDRESS PORT STEP ...        ADDRESS numeric, or /path - for a unix socket
 *	rawtalk 127.0.0.1 2090 'package:hello\n|from@example.org|to@example.net' end
 *	7:Kok 1,[timeout]
 *
 * [eof] [reset] [refused] [timeout] [open: the steps are done] [failed: anything else]
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "script.h"
#include "util/buf.h"
#include "util/clock.h"

static const char usage[] =
    "usage: rawtalk ADDRESS PORT STEP ...    or    rawtalk /SOCKET - STEP ...\n"
    "  send:BYTES    with C escapes\n"
    "  file:PATH     the bytes of a file\n"
    "  package:MESSAGE|SENDER|RCPT|...   a QMTP package, LF\n"
    "  most:MESSAGE|SENDER|RCPT|...      the same without its last byte\n"
    "  pause:MS      read meanwhile\n"
    "  deaf:MS       do not read meanwhile\n"
    "  read:N        wait until N bytes have come in all\n"
    "  shut          no more will be sent\n"
    "  reset         reset the connection\n"
    "  end           wait for the end of the connection\n"
    "  limit:MS      for the steps from here on (5000)\n";

struct talk {
	struct scripts scripts; /* keeps the texts */
	int fd;
	size_t came;
	const char *over; /* how it ended */
	int64_t deadline;
};

/* Begin to connect. */
static int
connect_any(const struct sockaddr *sa, socklen_t len)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd >= 0 && connect(fd, sa, len) < 0 && errno != EINPROGRESS) {
		saved = errno;
		close(fd);
		errno = saved;
		fd = -1;
	}
	return fd;
}

static int
connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct addrinfo *ai;
	int fd;

	if (host[0] == '/') {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", host);
		return connect_any((struct sockaddr *)&un, sizeof(un));
	}
	if (getaddrinfo(host, port, &hints, &ai) != 0) {
		errno = EINVAL;
		return -1;
	}
	fd = connect_any(ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(ai);
	return fd;
}

static void
finish(struct talk *t, int errnum)
{
	if (t->over == NULL)
		t->over = errnum == 0        ? "eof"
		    : errnum == ECONNREFUSED ? "refused"
		    : errnum == EAGAIN       ? "timeout"
					     : /* a unix socket's backlog */
                    errnum == ECONNRESET ? "reset"
					       : "failed";
}

static void
take(struct talk *t)
{
	static char bytes[65536];
	ssize_t n = read(t->fd, bytes, sizeof(bytes));

	if (n > 0) {
		fwrite(bytes, 1, (size_t)n, stdout);
		t->came += (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		finish(t, n == 0 ? 0 : errno);
	}
}

/*
 * Send what is left of b, read if that is wanted, until there is nothing to send,
 * until is past, or enough bytes came.
 */
static void
go_on(struct talk *t, struct buf *b, bool reading, int64_t until, size_t enough)
{
	size_t sent = 0;

	while (t->over == NULL) {
		bool writing = sent < b->len;
		int64_t now = clock_ms(), when = clock_earlier(until, t->deadline);
		struct pollfd p = { .fd = t->fd,
			.events =
			    (short)((reading ? POLLIN : 0) | (writing ? POLLOUT : 0)) };

		if ((!writing && now >= until) || (enough > 0 && t->came >= enough))
			break;
		if (now >= t->deadline) {
			t->over = "timeout";
			break;
		}
		if (writing)
			when = t->deadline;
		poll(&p, reading || writing ? 1 : 0, (int)(when - now));
		if (writing &&
		    p.revents & POLLOUT) { /* first: what comes may be the end */
			ssize_t n =
			    send(t->fd, b->data + sent, b->len - sent, MSG_NOSIGNAL);

			if (n > 0)
				sent += (size_t)n;
			else if (errno == EPIPE || errno == ECONNRESET)
				sent = b->len; /* go on reading: that says how it ended */
		}
		if (reading && p.revents & (POLLIN | POLLERR | POLLHUP))
			take(t);
	}
}

static void
package(const char *text, size_t len, struct buf *b)
{
	struct buf list = { 0 };
	const char *at = text, *end = text + len;

	for (int field = 0; at <= end; field++) {
		const char *bar = memchr(at, '|', (size_t)(end - at));
		size_t n = (size_t)((bar != NULL ? bar : end) - at);
		struct buf *to = field < 2 ? b : &list;

		buf_printf(to, field == 0 ? "%zu:\n" : "%zu:", field == 0 ? n + 1 : n);
		buf_add(to, at, n);
		buf_byte(to, ',');
		at += n + 1;
	}
	buf_printf(b, "%zu:", list.len);
	buf_add(b, list.data, list.len);
	buf_byte(b, ',');
	buf_free(&list);
}

static int
read_file(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, buf_reserve(b, 65536), 65536)) > 0)
		b->len += (size_t)n;
	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* What a step sends. */
static int
bytes_of(struct talk *t, const char *step, const char *arg, struct buf *b)
{
	struct text text;
	struct error err;

	if (strncmp(step, "file:", 5) == 0)
		return read_file(arg, b);
	if (scripts_text(&t->scripts, arg, &text, &err) < 0)
		return -1;
	if (strncmp(step, "send:", 5) == 0) {
		buf_add(b, text.data, text.len);
		return 0;
	}
	if (strncmp(step, "package:", 8) != 0 && strncmp(step, "most:", 5) != 0)
		return -1;
	package(text.data, text.len, b);
	if (step[0] == 'm')
		b->len--;
	return 0;
}

static int
do_step(struct talk *t, const char *step)
{
	const struct linger at_once = { .l_onoff = 1 };
	const char *colon = strchr(step, ':');
	const char *arg = colon != NULL ? colon + 1 : "";
	struct buf b = { 0 };
	struct error err;
	uint64_t n;
	int result = 0;

	if (strcmp(step, "end") == 0) {
		go_on(t, &b, true, CLOCK_NEVER, 0);
	} else if (strcmp(step, "shut") == 0) {
		shutdown(t->fd, SHUT_WR);
	} else if (strcmp(step, "reset") == 0) {
		setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		t->over = "reset";
	} else if (script_number(arg, strlen(arg), 3600000, &n, &err) == 0 &&
	    strncmp(step, "send:", 5) != 0) {
		if (strncmp(step, "pause:", 6) == 0)
			go_on(t, &b, true, clock_ms() + (int64_t)n, 0);
		else if (strncmp(step, "deaf:", 5) == 0)
			go_on(t, &b, false, clock_ms() + (int64_t)n, 0);
		else if (strncmp(step, "read:", 5) == 0)
			go_on(t, &b, true, CLOCK_NEVER, n);
		else if (strncmp(step, "limit:", 6) == 0)
			t->deadline = clock_ms() + (int64_t)n;
		else
			result = -1;
	} else {
		result = bytes_of(t, step, arg, &b);
		if (result == 0)
			go_on(t, &b, true, 0, 0);
	}
	buf_free(&b);
	return result;
}

int
main(int argc, char **argv)
{
	static struct talk t;
	int status = 0;

	if (argc < 3) {
		fputs(
		    usage, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : EX_USAGE;
	}
	scripts_init(&t.scripts);
	t.deadline = clock_ms() + 5000;
	t.fd = connect_to(argv[1], argv[2]);
	if (t.fd < 0)
		finish(&t, errno);
	for (int i = 3; i < argc && t.over == NULL && status == 0; i++) {
		if (do_step(&t, argv[i]) < 0) {
			fprintf(stderr, "rawtalk: %s: bad step\n", argv[i]);
			status = EX_USAGE;
		}
	}
	if (status == 0)
		printf("[%s]\n", t.over != NULL ? t.over : "open");
	if (t.fd >= 0)
		close(t.fd);
	scripts_free(&t.scripts);
	return fflush(stdout) == 0 ? status : EX_IOERR;
}
