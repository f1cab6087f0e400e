/*
 * The table of delivery/verdict.h: packages whose offers ended in every way, made with
 * real sessions on a socket pair.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delivery/verdict.h"

#include "suite.h"

/*
 * After the answers the server is silent, or closes (whether or not the last byte was
 * let go).
 */
enum ending { SILENT, CLOSES, CLOSES_EARLY };

/*
 * Verdicts by letter: U undecided, I in doubt, A accepted, L later, R refused, S
 * singly.
 */
static const struct {
	const char *what;
	size_t rcpts;
	const char *answers;
	enum ending ending;
	bool proven;
	bool answers_one;
	bool soft_bounce;
	const char *verdicts;
} cases[] = {
	{ "nothing was committed", 2, "", CLOSES_EARLY, false, false, false, "UU" },
	{ "no answer", 2, "", CLOSES, false, false, false, "II" },
	{ "no answer in time", 2, "", SILENT, false, false, false, "II" },
	{ "k of n", 3, "1:K,1:Z,", CLOSES, false, false, false, "ALI" },
	{ "k of n in time", 3, "1:K,1:D,", SILENT, false, false, false, "ARI" },
	{ "part of an answer", 2, "1:K,9:Kxx", CLOSES, false, false, false, "AI" },
	{ "garbage", 3, "1:D,1:X,", CLOSES, false, false, false, "RII" },
	{ "all three", 3, "1:K,1:Z,1:D,", CLOSES, false, false, false, "ALR" },
	{ "soft bounce", 3, "1:K,1:Z,1:D,", CLOSES, false, false, true, "ALL" },
	{ "more than asked", 2, "1:K,1:D,1:K,", CLOSES, false, false, false, "AR" },
	{ "one K, then silence", 3, "1:K,", SILENT, false, false, false, "AII" },
	{ "one Z, then silence", 3, "1:Z,", SILENT, false, false, false, "LLL" },
	{ "one D, then silence", 3, "1:D,", SILENT, false, false, false, "LLL" },
	{ "one D, then the end", 3, "1:D,", CLOSES, false, false, false, "RII" },
	{ "one D, then silence, proven", 3, "1:D,", SILENT, true, false, false, "RII" },
	{ "one K, then silence, proven", 3, "1:K,", SILENT, true, false, false, "AII" },
	{ "one recipient, no answer", 1, "", SILENT, false, false, false, "I" },
	{ "one recipient refused", 1, "1:D,", SILENT, false, false, false, "R" },
	{ "answers one: K", 3, "1:K,", CLOSES, false, true, false, "AAA" },
	{ "answers one: Z", 3, "1:Z,", CLOSES, false, true, false, "LLL" },
	{ "answers one: D", 3, "1:D,", CLOSES, false, true, false, "SSS" },
	{ "answers one: D, soft", 2, "1:D,", CLOSES, false, true, true, "SS" },
	{ "answers one: D, single", 1, "1:D,", CLOSES, false, true, false, "R" },
	{ "answers one: D, single, soft", 1, "1:D,", CLOSES, false, true, true, "L" },
	{ "answers one: nothing", 2, "", SILENT, false, true, false, "II" },
	{ "answers one: not committed", 2, "", CLOSES_EARLY, false, true, false, "UU" },
};

static struct qmtp_package *
package(size_t rcpts)
{
	struct qmtp_package *p = qmtp_package_new();

	ck_assert_int_eq(qmtp_package_sender(p, ""), 0);
	for (size_t i = 0; i < rcpts; i++)
		ck_assert_int_eq(qmtp_package_rcpt(p, "a@b.c"), 0);
	return p;
}

static int
refuse(void *arg, struct qmtp_package *p)
{
	(void)arg;
	(void)p;
	return -1;
}

static void
say(int fd, const char *bytes)
{
	ck_assert_int_eq(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

START_TEST(table)
{
	struct qmtp_options options = {
		.host = "peer", .reply_timeout = 30, .silence = 20
	};
	struct verdict_policy policy = { .answers_one = cases[_i].answers_one,
		.soft_bounce = cases[_i].soft_bounce };
	struct qmtp_package *first = package(2), *p = package(cases[_i].rcpts);
	struct qmtp_session *s;
	struct qmtp_error err;
	char got[8] = { 0 };
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	options.answers_one = cases[_i].answers_one;
	if (cases[_i].ending == CLOSES_EARLY)
		options.commit = refuse;
	s = qmtp_session_adopt(fds[0], &options, &err);
	if (cases[_i].proven) {
		ck_assert_int_eq(qmtp_session_submit(s, first, &err), 0);
		qmtp_session_step(s);
		say(fds[1], "1:K,1:K,");
		qmtp_session_step(s);
	}
	ck_assert_int_eq(qmtp_session_submit(s, p, &err), 0);
	qmtp_session_step(s);
	if (*cases[_i].answers != '\0')
		say(fds[1], cases[_i].answers);
	if (cases[_i].ending != SILENT)
		shutdown(fds[1], SHUT_WR);
	qmtp_session_run(s, qmtp_now() + 5000, &err);
	policy.proven = qmtp_session_proven(s);
	for (size_t i = 0; i < cases[_i].rcpts; i++)
		got[i] =
		    "UIALRS"[verdict_for(p, i, qmtp_session_error(s)->cause, &policy)];
	ck_assert_msg(strcmp(got, cases[_i].verdicts) == 0, "%s: %s, not %s",
	    cases[_i].what, got, cases[_i].verdicts);
	qmtp_session_free(s);
	qmtp_package_free(first);
	qmtp_package_free(p);
	close(fds[1]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("verdict");
	TCase *t = tcase_create("verdict");

	tcase_add_loop_test(t, table, 0, (int)(sizeof(cases) / sizeof(*cases)));
	suite_add_tcase(s, t);
	return run_suite(s);
}
