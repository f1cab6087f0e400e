/*
 * pipeline: many packages through one session of libqmtp, and nothing else. For benchmarks.
 *
 *	pipeline memory|FILE ADDRESS PORT MESSAGES SIZE WINDOW
 *
 * Each package has the same message of SIZE bytes, from memory or from a place in FILE (which
 * has as many), and one recipient. WINDOW of them wait for their answers. Exit 0 when each was
 * answered with K, 2 when not.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qmtp/qmtp.h"

#define AHEAD 256 /* packages submitted before there is a place for them */

static struct {
	int fd; /* -1: memory */
	char *text;
	size_t size, messages, begun, done;
	struct qmtp_package **ring; /* those that the session has, oldest first */
	size_t room;
} p = { .fd = -1 };

static _Noreturn void
broken(const char *what)
{
	fprintf(stderr, "pipeline: %s\n", what);
	exit(2);
}

static void
submit(struct qmtp_session *s)
{
	struct qmtp_package *package = qmtp_package_new();
	struct qmtp_error err;

	if (package == NULL || qmtp_package_sender(package, "alice@example.org") < 0 ||
	    qmtp_package_rcpt(package, "bob@example.net") < 0 ||
	    (p.fd < 0 ? qmtp_package_lend(package, p.text, p.size)
		      : qmtp_package_file(package, p.fd, 0, p.size)) < 0)
		broken("out of memory");
	if (qmtp_session_submit(s, package, &err) < 0)
		broken(err.text);
	p.ring[p.begun++ % p.room] = package;
}

static void
take_done(void)
{
	while (p.done < p.begun) {
		struct qmtp_package *oldest = p.ring[p.done % p.room];

		if (!qmtp_package_done(oldest))
			return;
		if (qmtp_package_reply(oldest, 0).code != 'K')
			broken("a message was not accepted");
		qmtp_package_free(oldest);
		p.done++;
	}
}

static void
drain(struct qmtp_session *s)
{
	while (p.done < p.messages) {
		struct pollfd v[QMTP_POLL_MAX];
		bool more = false;
		size_t n;

		if (qmtp_session_step(s) == QMTP_CLOSED)
			broken(qmtp_session_error(s)->text);
		take_done();
		for (; p.begun < p.messages && p.begun - p.done < p.room; more = true)
			submit(s);
		if (more || p.done == p.messages)
			continue;
		n = qmtp_session_poll(s, v);
		poll(v, (nfds_t)n, 60000);
	}
}

int
main(int argc, char **argv)
{
	struct qmtp_options o = { 0 };
	struct qmtp_session *s;
	struct qmtp_error err;

	if (argc != 7) {
		fputs("usage: pipeline memory|FILE ADDRESS PORT MESSAGES SIZE WINDOW\n",
		    stderr);
		return 64;
	}
	p.messages = strtoul(argv[4], NULL, 10);
	p.size = strtoul(argv[5], NULL, 10);
	o.host = argv[2];
	o.port = (int)strtol(argv[3], NULL, 10);
	o.window = (int)strtol(argv[6], NULL, 10);
	p.room = (size_t)o.window + AHEAD;
	p.ring = calloc(p.room, sizeof(struct qmtp_package *));
	p.text = malloc(p.size + 1);
	if (p.ring == NULL || p.text == NULL)
		broken("out of memory");
	memset(p.text, 'x', p.size);
	for (size_t i = 71; i < p.size; i += 72)
		p.text[i] = '\n';
	if (strcmp(argv[1], "memory") != 0) {
		p.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
		if (p.fd < 0)
			broken(argv[1]);
	}
	s = qmtp_session_new(&o, &err);
	if (s == NULL)
		broken(err.text);
	drain(s);
	qmtp_session_free(s);
	free(p.ring);
	free(p.text);
	return 0;
}
