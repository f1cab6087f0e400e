/*
 * alloc.c: everything that can run out, failing once at each place, over a whole story.
 *
 *	alloc CLAIMS FILE SOCKET PORT [TLS-PORT AUTHORITY MODULE]
 *
 * At first the story ends where something failed. Then it goes on: what failed left its
 * object as it was, so the same call does it when it is made again; a session that closed is
 * connected anew and given what was not sent.
 *
 * CLAIMS: what became of each recipient, for alloc.sh to compare with what the server says.
 * FILE holds the line "D". TAP.
 */
#include <qmtp.h>

#include "failing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PACKAGES 4
#define PLACES 1000 /* there are never more */

enum what {
	SHARED,
	NEW,
	SENDER,
	RCPT,
	APPENDED, /* "A\n", and so on */
	LENT,     /* "B\n" */
	PIPE,     /* "C\n" */
	OPENED,   /* FILE, a descriptor of ours */
	NAMED,    /* FILE, by its name */
	DETECT,
	ENVELOPE,
	SESSION,
	SUBMIT,
	RUN,
	RECONNECT,
	SEND
};

struct act {
	enum what what;
	int package;
};

/* alloc.sh knows what message each package has. */
static const struct act acts[] = {
	{ SHARED, 0 },
	/* a package of all kinds of pieces, for several */
	{ NEW, 0 },
	{ SENDER, 0 },
	{ RCPT, 0 },
	{ RCPT, 0 },
	{ APPENDED, 0 },
	{ LENT, 0 },
	{ PIPE, 0 },
	{ OPENED, 0 },
	{ NAMED, 0 },
	{ DETECT, 0 },
	{ SESSION, 0 },
	{ SUBMIT, 0 },
	/* others behind it on the same connection */
	{ NEW, 1 },
	{ SENDER, 1 },
	{ RCPT, 1 },
	{ PIPE, 1 },
	{ NAMED, 1 },
	{ SUBMIT, 1 },
	{ NEW, 2 },
	{ SENDER, 2 },
	{ RCPT, 2 },
	{ LENT, 2 },
	{ SUBMIT, 2 },
	{ RUN, 0 },
	/* the message of the first to somebody else, over another connection */
	{ RECONNECT, 0 },
	{ ENVELOPE, 0 },
	{ SENDER, 0 },
	{ RCPT, 0 },
	{ SUBMIT, 0 },
	{ RUN, 0 },
	/* and all in one call */
	{ NEW, 3 },
	{ SENDER, 3 },
	{ RCPT, 3 },
	{ APPENDED, 3 },
	{ SEND, 3 },
};
#define ACTS (sizeof(acts) / sizeof(acts[0]))

struct story {
	struct qmtp_options options;
	struct qmtp_shared *shared;
	struct qmtp_session *session;
	struct qmtp_package *packages[PACKAGES];
	bool submitted[PACKAGES];
	bool go_on;
	int rcpts;           /* so far */
	int doubts;          /* recipients in doubt */
	char problem[400];   /* what is wrong with it */
	struct qmtp_error e; /* of the last act that failed */
};

static const char *piece;
static int piece_fd;
static FILE *claims;
static int runs; /* of all stories: makes recipients unique */

static int
from_pipe(struct qmtp_package *p, struct qmtp_error *err)
{
	int ends[2], r;

	if (pipe(ends) < 0)
		return -1;
	r = write(ends[1], "C\n", 2) == 2 ? 0 : -1;
	close(ends[1]);
	if (r == 0)
		r = qmtp_package_read(p, ends[0], err);
	close(ends[0]);
	return r;
}

static int
add_rcpt(struct story *st, int k)
{
	char addr[64];

	snprintf(addr, sizeof(addr), "r%d-%d-p%d@example.net", runs, st->rcpts, k);
	if (qmtp_package_rcpt(st->packages[k], addr) < 0)
		return -1;
	st->rcpts++;
	return 0;
}

/* What is said to have become of a package's recipients. */
static void
claim(struct story *st, const struct qmtp_package *p)
{
	char addr[64];

	for (size_t i = 0; i < qmtp_package_rcpts(p); i++) {
		enum qmtp_fate fate = qmtp_package_result(p, i).fate;

		if (qmtp_package_get_rcpt(p, i, addr, sizeof(addr)) < 0)
			snprintf(st->problem, sizeof(st->problem), "a recipient is gone");
		fprintf(claims, "%d %s\n", (int)fate, addr);
		st->doubts += fate == QMTP_IN_DOUBT;
		if (st->go_on && fate != QMTP_ACCEPTED && fate != QMTP_IN_DOUBT)
			snprintf(
			    st->problem, sizeof(st->problem), "%s was not sent", addr);
	}
}

static int
submit(struct story *st, int k)
{
	if (qmtp_session_submit(st->session, st->packages[k], &st->e) < 0)
		return -1;
	st->submitted[k] = true;
	return 0;
}

static int
do_session(struct story *st, const struct act *a)
{
	switch (a->what) {
	case SESSION:
		st->session = qmtp_session_new(&st->options, &st->e);
		return st->session != NULL ? 0 : -1;
	case SUBMIT:
		return submit(st, a->package);
	case RUN:
		return qmtp_session_run(st->session, qmtp_now() + 20000, &st->e);
	case RECONNECT:
		return qmtp_session_reconnect(st->session, &st->e);
	default:
		return qmtp_send(&st->options, st->packages[a->package], &st->e);
	}
}

/* One call. 0, or -1 with st->e. */
static int
do_act(struct story *st, const struct act *a)
{
	struct qmtp_package *p = st->packages[a->package];

	st->e = (struct qmtp_error){ .cause = QMTP_MEMORY, .text = "no text" };
	switch (a->what) {
	case SHARED:
		st->shared = st->options.shared = qmtp_shared_new();
		return st->shared != NULL ? 0 : -1;
	case NEW:
		st->packages[a->package] = qmtp_package_new();
		return st->packages[a->package] != NULL ? 0 : -1;
	case SENDER:
		return qmtp_package_sender(p, "sender@example.org");
	case RCPT:
		return add_rcpt(st, a->package);
	case APPENDED:
		return qmtp_package_append(p, "A\n", 2);
	case LENT:
		return qmtp_package_lend(p, "B\n", 2);
	case PIPE:
		return from_pipe(p, &st->e);
	case OPENED:
		return qmtp_package_file(p, piece_fd, 0, 2);
	case NAMED:
		return qmtp_package_path(p, piece, &st->e);
	case DETECT:
		return qmtp_package_detect(p, &st->e);
	case ENVELOPE:
		claim(st, p);
		qmtp_package_new_envelope(p);
		st->submitted[a->package] = false;
		return 0;
	default:
		return do_session(st, a);
	}
}

/* The act that failed once more, when the reason is gone. */
static int
again(struct story *st, const struct act *a)
{
	/* in doubt, and so not a second time */
	if (a->what == SEND && qmtp_package_committed(st->packages[a->package]))
		return 0;
	if ((a->what == RUN || a->what == SUBMIT) &&
	    qmtp_session_state(st->session) == QMTP_CLOSED) {
		if (qmtp_session_reconnect(st->session, &st->e) < 0)
			return -1;
		for (int k = 0; k < PACKAGES; k++)
			if (st->submitted[k] &&
			    qmtp_package_result(st->packages[k], 0).fate == QMTP_UNSENT &&
			    submit(st, k) < 0)
				return -1;
	}
	return do_act(st, a);
}

/* Whether what the library said is what happened. */
static bool
honest(const struct qmtp_error *e)
{
	if (failing_failed() == FAILED_THREAD)
		return e->cause == QMTP_SYSTEM && e->errnum == EAGAIN;
	return failing_failed() == FAILED_MEMORY && e->cause == QMTP_MEMORY;
}

static void
tell(struct story *st)
{
	int excused = 0;

	for (size_t i = 0; i < ACTS && st->problem[0] == '\0'; i++) {
		if (do_act(st, &acts[i]) == 0)
			continue;
		if (!honest(&st->e) || excused++ > 0)
			snprintf(st->problem, sizeof(st->problem), "act %zu: %s", i,
			    st->e.text);
		else if (!st->go_on)
			break;
		else if (again(st, &acts[i]) < 0)
			snprintf(st->problem, sizeof(st->problem), "act %zu, again: %s",
			    i, st->e.text);
	}
	qmtp_session_free(st->session);
	for (int k = 0; k < PACKAGES; k++) {
		if (st->packages[k] != NULL)
			claim(st, st->packages[k]);
		qmtp_package_free(st->packages[k]);
	}
	qmtp_shared_free(st->shared);
}

static int
descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Every place fails once. Returns how many there are, or -1. */
static int
all_places(const struct qmtp_options *options, bool go_on)
{
	int before = descriptors();

	for (long place = 1; place <= PLACES; place++) {
		struct story st = { .options = *options, .go_on = go_on };

		runs++;
		failing_start(place);
		tell(&st);
		if (st.problem[0] == '\0' && failing_failed() == FAILED_NOTHING &&
		    st.doubts > 0)
			snprintf(st.problem, sizeof(st.problem), "answers are missing");
		if (st.problem[0] == '\0' && failing_living() != 0)
			snprintf(st.problem, sizeof(st.problem), "it keeps %d things",
			    failing_living());
		if (st.problem[0] == '\0' && descriptors() != before)
			snprintf(st.problem, sizeof(st.problem), "it keeps descriptors");
		if (st.problem[0] != '\0') {
			printf("# place %ld: %s\n", place, st.problem);
			return -1;
		}
		if (failing_failed() == FAILED_NOTHING)
			return (int)place - 1;
	}
	return -1;
}

int
main(int argc, char *argv[])
{
	const struct qmtp_tls tls = { .ca = argc > 6 ? argv[6] : NULL,
		.module = argc > 7 ? argv[7] : NULL };
	struct qmtp_options servers[] = {
		{ .host = argv[3] },
		{ .host = "127.0.0.1" },
		{ .host = "localhost" },
		{ .host = "localhost", .tls = &tls },
	};
	int count = 0, bad = 0, kinds = argc == 8 ? 4 : 3;

	if ((argc != 5 && argc != 8) || (claims = fopen(argv[1], "w")) == NULL)
		return 99;
	piece = argv[2];
	piece_fd = open(piece, O_RDONLY | O_CLOEXEC);
	servers[1].port = servers[2].port = atoi(argv[4]);
	servers[3].port = argc == 8 ? atoi(argv[5]) : 0;
	for (int go_on = 0; go_on <= 1; go_on++) {
		for (int i = 0; i < kinds; i++) {
			int n = all_places(&servers[i], go_on);

			bad |= n <= 0;
			printf("%s %d - %s%s: %d places, each %s\n",
			    n > 0 ? "ok" : "not ok", ++count,
			    i == 0 ? "a unix socket" : servers[i].host,
			    i == 3 ? " by TLS" : "", n,
			    go_on ? "failing, and the story goes on"
				  : "the end of the story");
			fflush(stdout);
		}
	}
	printf("1..%d\n", count);
	return fclose(claims) != 0 || bad;
}
