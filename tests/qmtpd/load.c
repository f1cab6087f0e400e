/*
 * load: sends many small QMTP packages and says how many a second were accepted.
 *
 *	load [-n MESSAGES] [-c CONNECTIONS] [-p PER_CONNECTION] [-s SIZE] [-r RCPTS]
 *	    [-w WINDOW] ADDRESS PORT
 *
 * MESSAGES in all (100000), over so many connections at a time (1), each closed after
 * PER_CONNECTION packages (0: never) and replaced, WINDOW packages in flight on each (64).
 * Exit 1 unless every answer was a K.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "script.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define LIMIT_MS 300000
#define SEND_MAX 262144

struct line {
	int fd;
	uint64_t begun, answers; /* packages begun, answers that came */
	size_t part;     /* bytes sent of the package begun last; 0: none is open */
	uint64_t length; /* of the answer that is coming */
	int state;       /* 0 length, 1 letter, 2 rest */
};

struct load {
	uint64_t messages, connections, per, size, rcpts, window;
	struct buf batch; /* many copies of the package */
	size_t package;   /* bytes of one */
	struct addrinfo *ai;
	struct line *lines;
	uint64_t begun, ended, bad, connects;
};

static void
make_package(struct load *l)
{
	struct buf list = { 0 };
	size_t copies;

	for (uint64_t i = 0; i < l->rcpts; i++)
		buf_str(&list, "15:bob@example.net,");
	buf_printf(&l->batch, "%llu:\n", (unsigned long long)l->size + 1);
	for (uint64_t i = 0; i < l->size; i++)
		buf_byte(&l->batch, i % 64 == 63 ? '\n' : 'x');
	buf_printf(&l->batch, ",17:alice@example.org,%zu:", list.len);
	buf_add(&l->batch, list.data, list.len);
	buf_byte(&l->batch, ',');
	buf_free(&list);
	l->package = l->batch.len;
	for (copies = SEND_MAX / l->package; copies > 1; copies--) {
		buf_reserve(&l->batch, l->package);
		buf_add(&l->batch, l->batch.data, l->package);
	}
}

static int
open_line(struct load *l, struct line *line)
{
	*line = (struct line){ .fd = -1 };
	line->fd =
	    socket(l->ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (line->fd < 0)
		return -1;
	l->connects++;
	if (connect(line->fd, l->ai->ai_addr, l->ai->ai_addrlen) < 0 &&
	    errno != EINPROGRESS)
		return -1;
	return 0;
}

/* How many packages more this line may begin now. */
static uint64_t
may_begin(const struct load *l, const struct line *line)
{
	uint64_t n = l->window - (line->begun - line->answers / l->rcpts);

	if (n > l->messages - l->begun)
		n = l->messages - l->begun;
	if (l->per > 0 && n > l->per - line->begun)
		n = l->per - line->begun;
	return n;
}

static int
send_some(struct load *l, struct line *line)
{
	size_t rest = line->part > 0 ? l->package - line->part : 0;
	uint64_t want = rest + may_begin(l, line) * l->package;
	size_t len = l->batch.len - line->part;
	ssize_t n;
	uint64_t done, begun;

	if (len > want)
		len = (size_t)want;
	if (len == 0)
		return 0;
	n = send(line->fd, l->batch.data + line->part, len, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	done = line->part + (uint64_t)n; /* counted from where the open package began */
	begun = (done + l->package - 1) / l->package - (line->part > 0);
	line->begun += begun;
	l->begun += begun;
	line->part = (size_t)(done % l->package);
	return 0;
}

static int
receive(struct load *l, struct line *line)
{
	static char bytes[SEND_MAX];
	ssize_t n = read(line->fd, bytes, sizeof(bytes));

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	for (ssize_t i = 0; i < n; i++) {
		if (line->state == 0 && bytes[i] == ':') {
			line->state = 1;
		} else if (line->state == 0) {
			line->length =
			    line->length * 10 + (unsigned char)(bytes[i] - '0');
		} else if (line->state == 1) {
			l->bad += bytes[i] != 'K';
			line->state = 2;
		} else if (--line->length == 0) {
			line->state = 0;
			line->answers++;
			l->ended += line->answers % l->rcpts == 0;
		}
	}
	return 0;
}

/* One line's turn. */
static int
turn(struct load *l, struct line *line, short events)
{
	if (events & (POLLIN | POLLERR | POLLHUP) && receive(l, line) < 0)
		return -1;
	if (send_some(l, line) < 0)
		return -1;
	if (l->per == 0 || line->answers < l->per * l->rcpts)
		return 0;
	close(line->fd);
	line->fd = -1;
	return l->begun < l->messages ? open_line(l, line) : 0;
}

static int
run(struct load *l)
{
	struct pollfd *p = xcalloc(l->connections, sizeof(*p));
	int64_t deadline = clock_ms() + LIMIT_MS;
	int result = 0;

	l->lines = xcalloc(l->connections, sizeof(*l->lines));
	for (uint64_t i = 0; i < l->connections && result == 0; i++)
		result = open_line(l, &l->lines[i]);
	while (result == 0 && l->ended < l->messages && clock_ms() < deadline) {
		for (uint64_t i = 0; i < l->connections; i++) {
			const struct line *line = &l->lines[i];
			bool out = line->part > 0 || may_begin(l, line) > 0;

			p[i] = (struct pollfd){ .fd = line->fd,
				.events = (short)(POLLIN | (out ? POLLOUT : 0)) };
		}
		if (poll(p, l->connections, 1000) < 0)
			result = -1;
		for (uint64_t i = 0; i < l->connections && result == 0; i++)
			if (p[i].revents)
				result = turn(l, &l->lines[i], p[i].revents);
	}
	for (uint64_t i = 0; i < l->connections; i++)
		if (l->lines[i].fd >= 0)
			close(l->lines[i].fd);
	free(l->lines);
	free(p);
	return result == 0 && l->ended == l->messages && l->bad == 0 ? 0 : 1;
}

static int
options(struct load *l, int argc, char **argv)
{
	uint64_t *const to[] = { ['n'] = &l->messages,
		['c'] = &l->connections,
		['p'] = &l->per,
		['s'] = &l->size,
		['r'] = &l->rcpts,
		['w'] = &l->window };
	struct error err;
	int c;

	*l = (struct load){ .messages = 100000,
		.connections = 1,
		.size = 200,
		.rcpts = 1,
		.window = 64 };
	while ((c = getopt(argc, argv, "n:c:p:s:r:w:")) != -1)
		if (c == '?' ||
		    script_number(optarg, strlen(optarg), 100000000, to[c], &err) < 0)
			return -1;
	if (argc - optind != 2 || l->connections == 0 || l->rcpts == 0 || l->window == 0)
		return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct load l;
	int64_t start, took;
	int status;

	if (options(&l, argc, argv) < 0 ||
	    getaddrinfo(argv[optind], argv[optind + 1], &hints, &l.ai) != 0) {
		fputs("usage: load [-n MESSAGES] [-c CONNECTIONS] [-p PER_CONNECTION] "
		      "[-s SIZE]\n"
		      "            [-r RCPTS] [-w WINDOW] ADDRESS PORT\n",
		    stderr);
		return EX_USAGE;
	}
	make_package(&l);
	start = clock_ms();
	status = run(&l);
	took = clock_ms() - start;
	printf("messages %llu connections %llu bad %llu ms %lld per_second %lld\n",
	    (unsigned long long)l.ended, (unsigned long long)l.connects,
	    (unsigned long long)l.bad, (long long)took,
	    (long long)((int64_t)l.ended * 1000 / (took > 0 ? took : 1)));
	freeaddrinfo(l.ai);
	buf_free(&l.batch);
	return status;
}
