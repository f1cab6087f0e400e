/*
 * smtpsink: an SMTP server that accepts everything and keeps nothing. For benchmarks of
 * other programs, and for comparisons with them.
 *
 *	smtpsink PORT_FILE [COPY_FILE]
 *
 * Everything that clients say is appended to COPY_FILE, before it is answered.
 *
 * Listens on a free port of 127.0.0.1, which it writes to PORT_FILE; knows HELO, EHLO (with
 * PIPELINING), MAIL, RCPT, DATA, RSET, NOOP and QUIT; ends with SIGTERM, with its parent, or
 * after an hour.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 1000
#define LINE_MOST 4096
#define LIFETIME 3600 /* seconds */

struct client {
	char
	    line[LINE_MOST]; /* what came of the line, beyond LINE_MOST it is forgotten */
	size_t len;
	bool data; /* between DATA and the dot */
	int match; /* bytes of CRLF . CRLF seen, in data */
	bool ended;
};

static struct pollfd fds[CLIENTS_MAX + 1]; /* the first is the listening one */
static struct client clients[CLIENTS_MAX + 1];
static nfds_t nfds = 1;
static int copy = -1;

static const struct {
	const char *verb, *reply;
} replies[] = {
	{ "HELO", "250 sink\r\n" },
	{ "EHLO", "250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n" },
	{ "MAIL", "250 ok\r\n" },
	{ "RCPT", "250 ok\r\n" },
	{ "DATA", "354 go ahead\r\n" },
	{ "RSET", "250 ok\r\n" },
	{ "NOOP", "250 ok\r\n" },
	{ "QUIT", "221 bye\r\n" },
};

static const char *
reply_to(struct client *c)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		if (c->len < 4 || strncasecmp(c->line, replies[i].verb, 4) != 0)
			continue;
		c->data = strcmp(replies[i].verb, "DATA") == 0;
		c->match = 2; /* a dot at once ends it too */
		c->ended = strcmp(replies[i].verb, "QUIT") == 0;
		return replies[i].reply;
	}
	return "502 no\r\n";
}

/* Read the message up to its dot. Returns how many bytes that were. */
static size_t
swallow(struct client *c, const char *data, size_t n)
{
	static const char end[] = "\r\n.\r\n";

	for (size_t i = 0; i < n; i++) {
		if (c->match == 0) {
			const char *cr = memchr(data + i, '\r', n - i);
			if (cr == NULL)
				return n;
			i = (size_t)(cr - data);
		}
		if (data[i] != end[c->match])
			c->match = data[i] == '\r';
		else if (++c->match == 5)
			return c->data = false, i + 1;
	}
	return n;
}

/* Returns the length of the replies, which are no longer than three times what came and 64. */
static size_t
feed(struct client *c, const char *data, size_t n, char *out)
{
	size_t len = 0;

	for (size_t i = 0; i < n && !c->ended;) {
		const char *reply = NULL;

		if (c->data) {
			i += swallow(c, data + i, n - i);
			if (!c->data)
				reply = "250 ok\r\n";
		} else if (data[i++] == '\n') {
			reply = reply_to(c);
			c->len = 0;
		} else if (c->len < LINE_MOST) {
			c->line[c->len++] = data[i - 1];
		}
		if (reply != NULL) {
			memcpy(out + len, reply, strlen(reply));
			len += strlen(reply);
		}
	}
	return len;
}

static void
serve(nfds_t i)
{
	static char data[262144], out[sizeof(data) * 50];
	ssize_t n = recv(fds[i].fd, data, sizeof(data), 0);
	size_t len;

	if (n > 0 && copy >= 0 && write(copy, data, (size_t)n) != n)
		n = 0;
	len = n > 0 ? feed(&clients[i], data, (size_t)n, out) : 0;
	for (size_t done = 0; done < len;) {
		ssize_t sent = send(fds[i].fd, out + done, len - done, MSG_NOSIGNAL);

		if (sent < 0) {
			n = 0;
			break;
		}
		done += (size_t)sent;
	}
	if (n > 0 && !clients[i].ended)
		return;
	close(fds[i].fd);
	fds[i].fd = -1;
}

static void
welcome(void)
{
	static const char greeting[] = "220 sink ESMTP\r\n";
	int s = accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC);
	int on = 1;

	if (s < 0)
		return;
	if (nfds > CLIENTS_MAX) {
		close(s);
		return;
	}
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	send(s, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL);
	fds[nfds] = (struct pollfd){ .fd = s, .events = POLLIN };
	memset(&clients[nfds++], 0, sizeof(clients[0]));
}

static int
listen_on_loopback(const char *port_file)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *f;

	if (s < 0 || bind(s, (const struct sockaddr *)&at, len) < 0 ||
	    listen(s, 1024) < 0 || getsockname(s, (struct sockaddr *)&at, &len) < 0)
		return -1;
	f = fopen(port_file, "w");
	if (f == NULL || fprintf(f, "%d\n", ntohs(at.sin_port)) < 0 || fclose(f) != 0)
		return -1;
	return s;
}

int
main(int argc, char **argv)
{
	time_t end = time(NULL) + LIFETIME;
	int s;

	if (argc != 2 && argc != 3) {
		fputs("usage: smtpsink PORT_FILE [COPY_FILE]\n", stderr);
		return 64;
	}
	if (argc == 3) {
		copy = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (copy < 0) {
			perror(argv[2]);
			return 1;
		}
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	s = listen_on_loopback(argv[1]);
	if (s < 0) {
		perror("listening");
		return 1;
	}
	fds[0] = (struct pollfd){ .fd = s, .events = POLLIN };
	while (time(NULL) < end) {
		nfds_t n = nfds;

		if (poll(fds, n, 60000) < 0 && errno != EINTR)
			return 1;
		for (nfds_t i = 1; i < n; i++)
			if (fds[i].revents != 0)
				serve(i);
		if (fds[0].revents != 0)
			welcome();
		while (nfds > 1 && fds[nfds - 1].fd < 0)
			nfds--;
	}
	return 0;
}
