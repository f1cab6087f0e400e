/*
 * promises.c: what qmtp.h promises to programs with a loop of their own.
 *
 *	promises SOCKET PORT SLOW-PORT
 *
 * At SOCKET and PORT are servers that accept everything, at SLOW-PORT one that waits half a
 * second before it does. TAP.
 */
#include <qmtp.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count, bad;

static void
ok(bool good, const char *what)
{
	printf("%s %d - %s\n", good ? "ok" : "not ok", ++count, what);
	bad |= !good;
}

static struct qmtp_package *
make_package(void)
{
	struct qmtp_package *p = qmtp_package_new();

	if (p == NULL || qmtp_package_sender(p, "a@example.org") < 0 ||
	    qmtp_package_rcpt(p, "b@example.net") < 0 ||
	    qmtp_package_lend(p, "text\n", 5) < 0)
		exit(99);
	return p;
}

static struct qmtp_session *
make_session(const struct qmtp_options *o)
{
	struct qmtp_error err;
	struct qmtp_session *s = qmtp_session_new(o, &err);

	if (s == NULL)
		exit(99);
	return s;
}

/* What a session asks a loop to wait for makes sense. */
static bool
sensible(const struct qmtp_session *s, const struct pollfd *v, size_t n)
{
	if (n > QMTP_POLL_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i].fd < 0 || v[i].events == 0)
			return false;
	return n > 0 || qmtp_session_deadline(s) != INT64_MAX ||
	    qmtp_session_state(s) == QMTP_CLOSED;
}

/* Wait as a session asks for. Returns how often that was, until all is done; -1: it erred. */
static int
drive(struct qmtp_session *s)
{
	int rounds = 0;

	while (qmtp_session_step(s) != QMTP_CLOSED && qmtp_session_unfinished(s) > 0) {
		struct pollfd v[QMTP_POLL_MAX];
		size_t n = qmtp_session_poll(s, v);
		int64_t left = qmtp_session_deadline(s) - qmtp_now();

		if (!sensible(s, v, n) || rounds++ > 1000)
			return -1;
		poll(v, n, left < 0 ? 0 : left > 20000 ? 20000 : (int)left);
	}
	return rounds;
}

static void
waiting(int port)
{
	const struct qmtp_options o = {
		.host = "localhost", .port = port, .defer = true
	};
	struct qmtp_session *s = make_session(&o);
	struct qmtp_package *p = make_package();
	struct qmtp_error err;
	struct pollfd v[QMTP_POLL_MAX];

	ok(qmtp_session_step(s) == QMTP_WAITING && qmtp_session_poll(s, v) == 0 &&
		qmtp_session_deadline(s) == INT64_MAX && *qmtp_session_peer(s) == '\0',
	    "a session that waits for a package has nothing to wait for");
	ok(qmtp_session_submit(s, p, &err) == 0 && drive(s) >= 0 &&
		qmtp_package_result(p, 0).fate == QMTP_ACCEPTED,
	    "... and gets on with one");
	ok(qmtp_session_poll(s, v) == 1 && v[0].events == POLLIN &&
		qmtp_session_deadline(s) == INT64_MAX,
	    "an idle session waits for the server to close, and for no time");
	qmtp_session_close(s);
	ok(qmtp_session_poll(s, v) == 0 && qmtp_session_deadline(s) == INT64_MAX &&
		qmtp_session_step(s) == QMTP_CLOSED &&
		qmtp_session_error(s)->cause == QMTP_OK,
	    "a closed one waits for nothing");
	qmtp_session_free(s);
	qmtp_package_free(p);
}

/* A loop turns when there is a reason: by name, with many packages, a slow server. */
static void
no_busy_loop(int slow)
{
	const struct qmtp_options o = { .host = "localhost", .port = slow };
	struct qmtp_session *s = make_session(&o);
	struct qmtp_package *p[20];
	struct qmtp_error err;
	int64_t now = qmtp_now();
	int rounds;
	bool fine = qmtp_session_deadline(s) <= now + 10000;

	for (int i = 0; i < 20; i++) {
		p[i] = make_package();
		fine = fine && qmtp_session_submit(s, p[i], &err) == 0;
	}
	rounds = drive(s);
	for (int i = 0; i < 20; i++) {
		fine = fine && qmtp_package_result(p[i], 0).fate == QMTP_ACCEPTED;
		qmtp_package_free(p[i]);
	}
	printf("# %d rounds\n", rounds);
	ok(fine && rounds > 0 && rounds <= 60,
	    "a loop turns only when there is a reason");
	qmtp_session_free(s);
}

static void
steps_for_nothing(int slow)
{
	const struct qmtp_options o = { .host = "127.0.0.1", .port = slow };
	struct qmtp_session *s = make_session(&o);
	struct qmtp_package *p = make_package();
	struct qmtp_error err, before;
	bool fine = qmtp_session_connect(s, &err) == 0;

	fine = fine && qmtp_session_submit(s, p, &err) == 0;
	for (int i = 0; i < 1000; i++)
		fine = fine && qmtp_session_step(s) == QMTP_OPEN;
	ok(fine && qmtp_package_committed(p) && !qmtp_package_done(p),
	    "a thousand steps for nothing are harmless");
	ok(qmtp_session_run(s, qmtp_now() + 20, &err) < 0 && err.cause == QMTP_TIMEOUT &&
		err.phase == QMTP_IDLE && qmtp_session_state(s) == QMTP_OPEN &&
		qmtp_session_unfinished(s) == 1,
	    "when the caller's time is up the session is as it was");
	memset(&err, 'x', sizeof(err));
	before = err;
	ok(qmtp_session_run(s, INT64_MAX, &err) == 0 && qmtp_package_done(p) &&
		memcmp(&err, &before, sizeof(err)) == 0,
	    "... goes on where it was, and leaves err alone when nothing fails");
	qmtp_session_free(s);
	qmtp_package_free(p);
}

static void
strings_are_copied(int port)
{
	char host[] = "127.0.0.1", sender[] = "a@example.org", rcpt[] = "b@example.net";
	const struct qmtp_options o = { .host = host, .port = port };
	struct qmtp_session *s = make_session(&o);
	struct qmtp_package *p = make_package();
	struct qmtp_error err;
	char copy[32] = "";

	qmtp_package_new_envelope(p);
	if (qmtp_package_sender(p, sender) < 0 || qmtp_package_rcpt(p, rcpt) < 0)
		exit(99);
	memset(host, 'x', sizeof(host) - 1);
	memset(sender, 'x', sizeof(sender) - 1);
	memset(rcpt, 'x', sizeof(rcpt) - 1);
	ok(qmtp_session_reconnect(s, &err) == 0 && qmtp_session_submit(s, p, &err) == 0 &&
		qmtp_session_run(s, INT64_MAX, &err) == 0 &&
		qmtp_package_result(p, 0).fate == QMTP_ACCEPTED &&
		strcmp(qmtp_session_host(s), "127.0.0.1") == 0 &&
		qmtp_package_get_rcpt(p, 0, copy, sizeof(copy)) == 13 &&
		strcmp(copy, "b@example.net") == 0 &&
		strcmp(qmtp_package_get_sender(p), "a@example.org") == 0,
	    "strings are copied");
	qmtp_session_free(s);
	qmtp_package_free(p);
}

static void
packages_move_on(const char *path)
{
	const struct qmtp_options nowhere = { .host = "/nowhere" },
				  there = { .host = path };
	struct qmtp_session *s = make_session(&nowhere);
	struct qmtp_package *p = make_package();
	struct qmtp_error err;
	struct qmtp_result r;

	ok(qmtp_session_step(s) == QMTP_CLOSED && qmtp_session_submit(s, p, &err) < 0 &&
		err.cause == qmtp_session_error(s)->cause &&
		strcmp(qmtp_session_peer(s), "/nowhere") == 0,
	    "a session that could not begin is closed, and says why");
	qmtp_session_free(s);
	s = make_session(&there);
	if (qmtp_session_submit(s, p, &err) < 0)
		exit(99);
	qmtp_session_free(s);
	r = qmtp_package_result(p, 0);
	ok(r.fate == QMTP_UNSENT && r.cause == QMTP_REFUSED && r.len > 0,
	    "a session that is freed lets go of its packages");
	ok(qmtp_send(&there, p, &err) == 0 && qmtp_package_reply(p, 0).code == 'K',
	    "... and another one takes them");
	ok(qmtp_package_reply(p, 7).code == 0 && qmtp_package_result(p, 7).len == 0,
	    "a position that there is not has no answer");
	qmtp_package_free(p);
	qmtp_package_free(NULL);
	qmtp_session_free(NULL);
	qmtp_shared_free(NULL);
}

int
main(int argc, char *argv[])
{
	if (argc != 4)
		return 64;
	waiting(atoi(argv[2]));
	no_busy_loop(atoi(argv[3]));
	steps_for_nothing(atoi(argv[3]));
	strings_are_copied(atoi(argv[2]));
	packages_move_on(argv[1]);
	printf("1..%d\n", count);
	return bad;
}
