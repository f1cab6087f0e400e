/*
 * threads.c: sixteen sessions in as many threads, for ThreadSanitizer.
 *
 *	threads PORT [TLS-PORT CA MODULE]
 *
 * Sessions and packages are made by one thread, used by another, and freed by the first.
 * The server has the name localhost; half of the sessions share its look-up, and with TLS
 * what TLS knows, all of which they begin in their threads; half have nothing in common. Exit code 0: everything was accepted.
 */
#include <qmtp.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 16
#define PACKAGES 40 /* on each connection */
#define CONNECTIONS 3

struct worker {
	pthread_t thread;
	struct qmtp_session *session;
	struct qmtp_package *packages[PACKAGES];
	const struct qmtp_options *options;
	int accepted;
	struct qmtp_error err;
};

static struct qmtp_package *
make_package(void)
{
	struct qmtp_package *p = qmtp_package_new();

	if (p == NULL || qmtp_package_sender(p, "a@example.org") < 0 ||
	    qmtp_package_rcpt(p, "b@example.net") < 0 ||
	    qmtp_package_append(p, "some\ntext\n", 10) < 0) {
		qmtp_package_free(p);
		return NULL;
	}
	return p;
}

static int
submit_all(struct worker *w)
{
	for (int i = 0; i < PACKAGES; i++)
		if (qmtp_session_submit(w->session, w->packages[i], &w->err) < 0)
			return -1;
	return 0;
}

static void
count(struct worker *w)
{
	for (int i = 0; i < PACKAGES; i++)
		w->accepted +=
		    qmtp_package_result(w->packages[i], 0).fate == QMTP_ACCEPTED;
}

/* One connection after another, and a message by qmtp_send() at last. */
static void *
work(void *arg)
{
	struct worker *w = arg;
	struct qmtp_package *p;

	for (int i = 0; i < CONNECTIONS; i++) {
		if (i > 0 && qmtp_session_reconnect(w->session, &w->err) < 0)
			return NULL;
		if (submit_all(w) < 0)
			return NULL;
		if (qmtp_session_run(w->session, qmtp_now() + 60000, &w->err) < 0)
			return NULL;
		count(w);
	}
	p = make_package();
	if (p != NULL && qmtp_send(w->options, p, &w->err) == 0)
		w->accepted += qmtp_package_reply(p, 0).code == 'K';
	qmtp_package_free(p);
	return NULL;
}

static int
start(struct worker *w, const struct qmtp_options *options)
{
	*w = (struct worker){ .options = options };
	w->session = qmtp_session_new(options, &w->err);
	for (int i = 0; i < PACKAGES; i++)
		if ((w->packages[i] = make_package()) == NULL)
			return -1;
	if (w->session == NULL)
		return -1;
	return pthread_create(&w->thread, NULL, work, w) == 0 ? 0 : -1;
}

/* Returns 0 when all of its packages were accepted. */
static int
finish(struct worker *w)
{
	pthread_join(w->thread, NULL);
	qmtp_session_free(w->session);
	for (int i = 0; i < PACKAGES; i++)
		qmtp_package_free(w->packages[i]);
	if (w->accepted == PACKAGES * CONNECTIONS + 1)
		return 0;
	fprintf(stderr, "%d accepted; %s\n", w->accepted, w->err.text);
	return 1;
}

int
main(int argc, char *argv[])
{
	static struct worker workers[THREADS];
	const struct qmtp_tls tls = { .ca = argc > 3 ? argv[3] : NULL,
		.module = argc > 4 ? argv[4] : NULL };
	struct qmtp_options shared = { .host = "localhost" }, alone;
	int bad = 0;

	if (argc != 2 && argc != 5)
		return 64;
	shared.port = (int)strtol(argv[argc == 5 ? 2 : 1], NULL, 10);
	shared.tls = argc == 5 ? &tls : NULL;
	alone = shared;
	shared.shared = qmtp_shared_new();
	shared.defer = true;
	for (int i = 0; i < THREADS; i++)
		if (start(&workers[i], i % 2 ? &alone : &shared) < 0) {
			fprintf(stderr, "thread %d: %s\n", i, workers[i].err.text);
			return 1;
		}
	for (int i = 0; i < THREADS; i++)
		bad |= finish(&workers[i]);
	qmtp_shared_free(shared.shared);
	return bad;
}
