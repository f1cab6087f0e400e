/*
 * loop.c: a message to several servers at once, from an event loop of the program's own.
 *
 *	cc -o loop loop.c $(pkg-config --cflags --libs qmtp)
 *	loop file sender host port recipient [host port recipient] ...
 *
 * The loop asks each session what it waits for, waits for all of that in one poll(2), and
 * lets each do what it can; other descriptors of the program could stand in there, too.
 * Prints a line for each server. Exit code: 0 all accepted it, 1 not all did, 64 wrong
 * usage.
 */
#include <qmtp.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVERS 16

struct delivery {
	const char *host, *rcpt;
	struct qmtp_package *package;
	struct qmtp_session *session; /* NULL: it is over */
};

/* Start to connect, the package waiting for it. 0, or -1 with err. */
static int
begin(struct delivery *d, const char *file, const char *sender, const char *port,
    struct qmtp_error *err)
{
	struct qmtp_options options = { .host = d->host };
	char *end;

	options.port = (int)strtol(port, &end, 10);
	*err = (struct qmtp_error){ .text = "out of memory" };
	d->package = qmtp_package_new();
	if (d->package == NULL || qmtp_package_sender(d->package, sender) < 0 ||
	    qmtp_package_rcpt(d->package, d->rcpt) < 0)
		return -1;
	if (end == port || *end != '\0') {
		snprintf(err->text, sizeof(err->text), "%s is no port", port);
		return -1;
	}
	if (qmtp_package_path(d->package, file, err) < 0)
		return -1;
	d->session = qmtp_session_new(&options, err);
	return d->session != NULL ? qmtp_session_submit(d->session, d->package, err) : -1;
}

/* It is over: say how. 0, or 1 when the message was not accepted. */
static int
finish(struct delivery *d, const char *error)
{
	static const char *const words[] = {
		[QMTP_UNSENT] = "not sent: ",
		[QMTP_IN_DOUBT] = "sent, but not answered: ",
		[QMTP_ACCEPTED] = "accepted",
		[QMTP_DEFERRED] = "not now",
		[QMTP_REJECTED] = "refused",
	};
	enum qmtp_fate fate = QMTP_UNSENT;

	qmtp_session_free(d->session);
	d->session = NULL;
	if (d->package != NULL)
		fate = qmtp_package_result(d->package, 0).fate;
	printf("%s: %s%s\n", d->host, words[fate], fate <= QMTP_IN_DOUBT ? error : "");
	qmtp_package_free(d->package);
	return fate != QMTP_ACCEPTED;
}

/* Until all of them are over. 0, or 1 when one was not accepted. */
static int
loop(struct delivery *d, size_t n)
{
	int failed = 0;

	for (;;) {
		struct pollfd v[SERVERS * QMTP_POLL_MAX];
		int64_t until = INT64_MAX, left;
		size_t active = 0, used = 0;

		for (size_t i = 0; i < n; i++) {
			struct qmtp_session *s = d[i].session;

			if (s == NULL)
				continue;
			qmtp_session_step(s);
			if (qmtp_session_unfinished(s) == 0) {
				struct qmtp_error err = *qmtp_session_error(s);

				failed |= finish(&d[i], err.text);
				continue;
			}
			used += qmtp_session_poll(s, v + used);
			if (qmtp_session_deadline(s) < until)
				until = qmtp_session_deadline(s);
			active++;
		}
		if (active == 0)
			return failed;
		left = until - qmtp_now();
		poll(v, (nfds_t)used,
		    left < 0             ? 0
			: left > INT_MAX ? INT_MAX
					 : (int)left);
	}
}

int
main(int argc, char *argv[])
{
	struct delivery d[SERVERS];
	size_t n = argc > 3 ? (size_t)(argc - 3) / 3 : 0;
	int failed = 0;

	if (n == 0 || n > SERVERS || argc % 3 != 0) {
		fputs("usage: loop file sender host port recipient ...\n", stderr);
		return 64;
	}
	for (size_t i = 0; i < n; i++) {
		char **words = argv + 3 + 3 * i;
		struct qmtp_error err;

		d[i] = (struct delivery){ .host = words[0], .rcpt = words[2] };
		if (begin(&d[i], argv[1], argv[2], words[1], &err) < 0)
			failed |= finish(&d[i], err.text);
	}
	failed |= loop(d, n);
	return fflush(stdout) != 0 || failed;
}
