/*
 * many.c: many messages over one connection, without waiting for an answer between them.
 *
 *	cc -o many many.c $(pkg-config --cflags --libs qmtp)
 *	many host port sender recipient file ...
 *
 * Each file is a message. When the connection ends too early, what the server cannot have
 * goes over a new one, as long as each brings something to an end; what the server may
 * have does not, for it might arrive twice. Prints a line for each file. Exit code: 0 all
 * were accepted, 1 not all were, 64 wrong usage.
 */
#include <qmtp.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define AT_A_TIME 64 /* files that are open */

struct letter {
	const char *file;
	struct qmtp_package *package;
};

struct work {
	struct qmtp_session *session;
	const char *sender, *rcpt;
	char **files;           /* not begun yet, NULL behind the last */
	struct letter *letters; /* begun, and not over from first up to last */
	size_t first, last;
	int progress; /* something came to an end on this connection */
	int failed;
};

/* A message is over, one way or another. */
static void
settle(struct work *w, const struct letter *l)
{
	static const char *const words[] = {
		[QMTP_UNSENT] = "not sent",
		[QMTP_IN_DOUBT] = "sent, but not answered",
		[QMTP_ACCEPTED] = "accepted",
		[QMTP_DEFERRED] = "not now",
		[QMTP_REJECTED] = "refused",
	};
	struct qmtp_result r = qmtp_package_result(l->package, 0);

	printf("%s: %s\n", l->file, words[r.fate]);
	w->failed |= r.fate != QMTP_ACCEPTED;
	w->progress = 1;
	qmtp_package_free(l->package);
}

/* Take up the next file. A session that is closed, or too old, gets it later. */
static void
begin(struct work *w)
{
	const char *file = *w->files++;
	struct qmtp_package *p = qmtp_package_new();
	struct qmtp_error err = { .text = "out of memory" };

	if (p == NULL || qmtp_package_sender(p, w->sender) < 0 ||
	    qmtp_package_rcpt(p, w->rcpt) < 0 || qmtp_package_path(p, file, &err) < 0 ||
	    qmtp_package_check(p, &err) < 0) {
		printf("%s: not sent: %s\n", file, err.text);
		w->failed = 1;
		qmtp_package_free(p);
		return;
	}
	w->letters[w->last++] = (struct letter){ file, p };
	qmtp_session_submit(w->session, p, &err);
}

/* Over a new connection, what the server cannot have. 0, or -1: there is no hope. */
static int
start_again(struct work *w)
{
	struct qmtp_error err = *qmtp_session_error(w->session);
	size_t from = w->first, to = w->last;

	qmtp_session_close(w->session);
	w->last = w->first;
	for (size_t i = from; i < to; i++) {
		if (qmtp_package_result(w->letters[i].package, 0).fate == QMTP_UNSENT)
			w->letters[w->last++] = w->letters[i];
		else
			settle(w, &w->letters[i]);
	}
	if (!w->progress || qmtp_session_reconnect(w->session, &err) < 0) {
		fprintf(stderr, "many: %s\n", err.text);
		return -1;
	}
	w->progress = 0;
	for (size_t i = w->first; i < w->last; i++)
		qmtp_session_submit(w->session, w->letters[i].package, &err);
	return 0;
}

static void
wait_for(const struct qmtp_session *s)
{
	struct pollfd v[QMTP_POLL_MAX];
	int64_t left = qmtp_session_deadline(s) - qmtp_now();

	poll(v, (nfds_t)qmtp_session_poll(s, v),
	    left < 0             ? 0
		: left > INT_MAX ? INT_MAX
				 : (int)left);
}

static void
send_all(struct work *w)
{
	for (;;) {
		size_t before = w->first;

		while (*w->files != NULL && w->last - w->first < AT_A_TIME)
			begin(w);
		if (w->first == w->last)
			return;
		qmtp_session_step(w->session);
		while (
		    w->first < w->last && qmtp_package_done(w->letters[w->first].package))
			settle(w, &w->letters[w->first++]);
		if (w->first > before)
			continue;
		if (qmtp_session_unfinished(w->session) > 0)
			wait_for(w->session);
		else if (start_again(w) < 0)
			return;
	}
}

int
main(int argc, char *argv[])
{
	struct work w = { 0 };
	struct qmtp_options options = { 0 };
	struct qmtp_error err = { .text = "out of memory" };
	char *end = argv[0];

	if (argc > 5)
		options.port = (int)strtol(argv[2], &end, 10);
	if (argc < 6 || end == argv[2] || *end != '\0') {
		fputs("usage: many host port sender recipient file ...\n", stderr);
		return 64;
	}
	options.host = argv[1];
	w.sender = argv[3];
	w.rcpt = argv[4];
	w.files = argv + 5;
	w.letters = calloc((size_t)argc, sizeof(*w.letters));
	w.session = w.letters != NULL ? qmtp_session_new(&options, &err) : NULL;
	if (w.session == NULL) {
		fprintf(stderr, "many: %s\n", err.text);
		free(w.letters);
		return 1;
	}
	send_all(&w);
	qmtp_session_close(w.session);
	while (w.first < w.last)
		settle(&w, &w.letters[w.first++]);
	for (; *w.files != NULL; w.files++)
		printf("%s: not sent\n", *w.files);
	qmtp_session_free(w.session);
	free(w.letters);
	return fflush(stdout) != 0 || w.failed;
}
