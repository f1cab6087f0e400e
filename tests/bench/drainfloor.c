/*
 * drainfloor: the least a program can do to empty a queue. For benchmarks.
 *
 *	drainfloor ADDRESS PORT SPOOL
 *
 * Every file of SPOOL/queue is a package for one recipient and SLOTS more bytes. They are
 * read and sent one behind the other on one connection, as many at once as it takes; each
 * K removes the oldest; the directory is synced once, in the end. Nothing is checked,
 * nothing is kept in order. Exit 0 when each was answered with K, 2 when not.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS 20 /* bytes behind the package: one recipient's and the message's */
#define OUTPUT_SIZE (256 * 1024)
#define FILE_MAX (64 * 1024)

static struct {
	int dir, socket;
	char **names;
	size_t n, sent, done;
	char out[OUTPUT_SIZE];
	size_t begin, end; /* of what is in out */
	char in[65536];
	size_t have;
} d;

static _Noreturn void
broken(const char *what)
{
	perror(what);
	exit(2);
}

static void
list(const char *spool)
{
	char path[4096];
	DIR *dir;
	const struct dirent *e;
	size_t cap = 0;

	snprintf(path, sizeof(path), "%s/queue", spool);
	dir = opendir(path);
	if (dir == NULL)
		broken(path);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (d.n == cap) {
			cap = cap * 2 + 1024;
			d.names = realloc(d.names, cap * sizeof(*d.names));
		}
		if (d.names == NULL || (d.names[d.n++] = strdup(e->d_name)) == NULL)
			broken("memory");
	}
	d.dir = dirfd(dir);
}

static void
dial(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	int on = 1;

	d.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d.socket < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(d.socket, (const struct sockaddr *)&to, sizeof(to)) < 0)
		broken(address);
	setsockopt(d.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	fcntl(d.socket, F_SETFL, O_NONBLOCK);
}

static void
fill(void)
{
	while (d.sent < d.n && d.end < sizeof(d.out) - FILE_MAX) {
		int fd = openat(d.dir, d.names[d.sent], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, d.out + d.end, FILE_MAX);

		if (n < SLOTS)
			broken(d.names[d.sent]);
		close(fd);
		d.end += (size_t)n - SLOTS;
		d.sent++;
	}
}

static void
send_some(void)
{
	ssize_t n = send(d.socket, d.out + d.begin, d.end - d.begin, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN)
		broken("sending");
	if (n > 0)
		d.begin += (size_t)n;
	if (d.begin > sizeof(d.out) / 2 || d.begin == d.end) {
		memmove(d.out, d.out + d.begin, d.end - d.begin);
		d.end -= d.begin;
		d.begin = 0;
	}
}

static void
take_answers(void)
{
	ssize_t n = recv(d.socket, d.in + d.have, sizeof(d.in) - d.have, 0);
	size_t used = 0;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		broken("reading the answers");
	d.have += (size_t)n;
	for (;;) {
		size_t at = used, len = 0;

		while (at < d.have && d.in[at] >= '0' && d.in[at] <= '9' &&
		    len < sizeof(d.in))
			len = len * 10 + (size_t)(d.in[at++] - '0');
		if (at + len + 2 > d.have)
			break;
		if (d.in[at + 1] != 'K' || unlinkat(d.dir, d.names[d.done++], 0) < 0)
			broken("an answer");
		used = at + len + 2;
	}
	memmove(d.in, d.in + used, d.have - used);
	d.have -= used;
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: drainfloor ADDRESS PORT SPOOL\n", stderr);
		return 64;
	}
	list(argv[3]);
	dial(argv[1], argv[2]);
	while (d.done < d.n) {
		struct pollfd p = { .fd = d.socket, .events = POLLIN };

		fill();
		if (d.end > d.begin)
			p.events |= POLLOUT;
		if (poll(&p, 1, -1) < 0)
			broken("poll");
		if (p.revents & POLLOUT)
			send_some();
		if (p.revents & (POLLIN | POLLHUP | POLLERR))
			take_answers();
	}
	if (fsync(d.dir) < 0)
		broken("fsync");
	return 0;
}
