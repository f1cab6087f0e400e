/*
 * floor: the least a program can do to deliver what is on its stdin by QMTP. For benchmarks.
 *
 *	floor MODE ADDRESS PORT SENDER RECIPIENT...
 *	floor MODE ADDRESS PORT SENDER @FILE		recipients, one a line
 *
 * MODE says where the message waits until its length is known: memory (up to 1 MiB), file
 * (an unlinked file in /var/tmp, spliced where stdin is a pipe), direct (stdin is a regular
 * file and is sent from where it is). Numeric address. No header is looked at, nothing is
 * logged, no time-out is kept. Exit 0 when every answer was a K, 1 when one was not, 2 when
 * there was none.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MEMORY_MAX (1024 * 1024)
#define SPLICE_MOST (1024 * 1024)

struct text {
	char *data;
	size_t len, room;
};

static char memory[MEMORY_MAX];

static _Noreturn void
broken(const char *what)
{
	perror(what);
	exit(2);
}

static void
add(struct text *t, const char *data, size_t n)
{
	if (n == 0)
		return;
	if (t->data == NULL || t->len + n > t->room) {
		t->room = (t->len + n) * 2 + 256;
		t->data = realloc(t->data, t->room);
		if (t->data == NULL)
			broken("memory");
	}
	memcpy(t->data + t->len, data, n);
	t->len += n;
}

static void
add_length(struct text *t, size_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%zu:", n);

	add(t, digits, (size_t)len);
}

static void
add_netstring(struct text *t, const char *data, size_t n)
{
	add_length(t, n);
	add(t, data, n);
	add(t, ",", 1);
}

/* Returns how many they are. */
static size_t
add_file_of_recipients(struct text *t, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	size_t n = 0;

	if (f == NULL)
		broken(path);
	for (; fgets(line, sizeof(line), f) != NULL; n++)
		add_netstring(t, line, strcspn(line, "\n"));
	fclose(f);
	return n;
}

static size_t
read_to_memory(void)
{
	size_t n = 0;
	ssize_t got = 1;

	while (n < sizeof(memory) && got > 0) {
		got = read(STDIN_FILENO, memory + n, sizeof(memory) - n);
		if (got > 0)
			n += (size_t)got;
	}
	if (got != 0)
		broken("stdin");
	return n;
}

/* Returns the number of bytes. */
static size_t
read_to_file(int fd)
{
	size_t n = 0;
	ssize_t got;

	while ((got = splice(STDIN_FILENO, NULL, fd, NULL, SPLICE_MOST, 0)) > 0)
		n += (size_t)got;
	if (got < 0)
		while ((got = read(STDIN_FILENO, memory, 65536)) > 0) {
			if (write(fd, memory, (size_t)got) != got)
				broken("temporary file");
			n += (size_t)got;
		}
	if (got < 0)
		broken("stdin");
	return n;
}

static int
connect_to(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || s < 0 ||
	    connect(s, (const struct sockaddr *)&to, sizeof(to)) < 0)
		broken(address);
	setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return s;
}

static void
send_all(int s, struct iovec *v, size_t n)
{
	while (n > 0) {
		ssize_t sent = writev(s, v, (int)n);

		if (sent < 0)
			broken("sending");
		for (; n > 0 && (size_t)sent >= v->iov_len; v++, n--)
			sent -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + sent;
			v->iov_len -= (size_t)sent;
		}
	}
}

static void
send_file(int s, struct iovec *head, int fd, size_t n)
{
	off_t at = 0;

	if (send(s, head->iov_base, head->iov_len, MSG_MORE) < 0)
		broken("sending");
	while ((size_t)at < n)
		if (sendfile(s, fd, &at, n - (size_t)at) <= 0)
			broken("sending");
}

/* Read one answer for each recipient. Returns how many were not a K. */
static size_t
read_answers(int s, size_t recipients)
{
	char data[65536];
	size_t have = 0, bad = 0;

	while (recipients > 0) {
		ssize_t got = read(s, data + have, sizeof(data) - have);
		size_t used = 0;

		if (got <= 0)
			broken("reading the answers");
		have += (size_t)got;
		while (recipients > 0) {
			size_t p = used, len = 0;

			while (p < have && data[p] >= '0' && data[p] <= '9' &&
			    len < sizeof(data))
				len = len * 10 + (size_t)(data[p++] - '0');
			if (p + len + 2 > have)
				break;
			bad += data[p + 1] != 'K';
			recipients--;
			used = p + len + 2;
		}
		have -= used;
		memmove(data, data + used, have);
	}
	return bad;
}

int
main(int argc, char **argv)
{
	struct text head = { 0 }, tail = { 0 }, list = { 0 };
	size_t n, recipients = 0;
	struct iovec v[3];
	struct stat st;
	int fd = -1, s;

	if (argc < 6) {
		fputs("usage: floor memory|file|direct ADDRESS PORT SENDER "
		      "RECIPIENT...|@FILE\n",
		    stderr);
		return 64;
	}
	if (strcmp(argv[1], "memory") == 0) {
		n = read_to_memory();
	} else if (strcmp(argv[1], "direct") == 0) {
		if (fstat(STDIN_FILENO, &st) < 0)
			broken("stdin");
		fd = STDIN_FILENO;
		n = (size_t)st.st_size;
	} else {
		fd = open("/var/tmp", O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0)
			broken("/var/tmp");
		n = read_to_file(fd);
	}
	if (argv[5][0] == '@')
		recipients = add_file_of_recipients(&list, argv[5] + 1);
	else
		for (int i = 5; i < argc; i++, recipients++)
			add_netstring(&list, argv[i], strlen(argv[i]));
	s = connect_to(argv[2], argv[3]);
	add_length(&head, n + 1);
	add(&head, "\n", 1);
	add(&tail, ",", 1);
	add_netstring(&tail, argv[4], strlen(argv[4]));
	add_netstring(&tail, list.data, list.len);
	v[0] = (struct iovec){ head.data, head.len };
	v[1] = (struct iovec){ memory, fd < 0 ? n : 0 };
	v[2] = (struct iovec){ tail.data, tail.len };
	if (fd < 0) {
		send_all(s, v, 3);
	} else {
		send_file(s, v, fd, n);
		send_all(s, v + 2, 1);
	}
	return read_answers(s, recipients) > 0;
}
