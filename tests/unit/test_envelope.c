#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "mail/envelope.h"
#include "util/xalloc.h"

#include "suite.h"

#define MANY 10000

/* Which addresses are the same. */
static const struct {
	const char *one;
	const char *two;
	int n;
} pairs[] = {
	{ "alice@example.com", "alice@example.com", 1 },
	{ "alice@example.com", "alice@EXAMPLE.Com", 1 },
	{ "alice@example.com", "Alice@example.com", 2 },
	{ "alice@example.com", "alice@example.org", 2 },
	{ "alice@example.com", "alice@example.com.", 2 },
	{ "alice", "alice", 1 },
	{ "alice", "ALICE", 2 },
	{ "alice", "alice@example.com", 2 },
	/* the last @ begins the domain */
	{ "a@B@example.com", "a@B@EXAMPLE.COM", 1 },
	{ "a@B@example.com", "a@b@example.com", 2 },
	{ "list-@host-@[]", "list-@HOST-@[]", 2 },
	{ "m\xc3\xbcller@example.com", "m\xc3\xbcller@example.com", 1 },
	{ "a@m\xc3\xbcller.example", "a@m\xc3\x9cller.example", 2 },
};

START_TEST(same_or_not)
{
	struct envelope e = { 0 };
	struct error err;

	ck_assert_int_eq(envelope_add(&e, pairs[_i].one, 10, &err), 0);
	ck_assert_int_eq(envelope_add(&e, pairs[_i].two, 10, &err), 0);
	ck_assert_int_eq(e.n, pairs[_i].n);
	ck_assert_str_eq(e.rcpts[0].addr, pairs[_i].one);
	ck_assert_int_eq(e.rcpts[0].state, RCPT_PENDING);
	ck_assert_ptr_null(e.rcpts[0].reply);
	if (e.n == 2)
		ck_assert_str_eq(e.rcpts[1].addr, pairs[_i].two);
	envelope_free(&e);
}
END_TEST

START_TEST(the_maximum)
{
	struct envelope e = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(envelope_add(&e, "a@example.com", 2, &err), 0);
	ck_assert_int_eq(envelope_add(&e, "b@example.com", 2, &err), 0);
	ck_assert_int_eq(envelope_add(&e, "a@example.com", 2, &err), 0);
	ck_assert_int_eq(err.code, 0);
	ck_assert_int_eq(envelope_add(&e, "c@example.com", 2, &err), -1);
	ck_assert_int_eq(err.code, EX_DATAERR);
	ck_assert_str_eq(err.text, "recipients: more than 2 while collecting them");
	ck_assert_uint_eq(e.n, 2);
	envelope_free(&e);
}
END_TEST

START_TEST(states_and_replies)
{
	struct envelope e = { .sender = xstrdup("bounce@example.com") };
	struct error err;

	envelope_add(&e, "a@example.com", 10, &err);
	envelope_add(&e, "b@example.com", 10, &err);
	envelope_add(&e, "c@example.com", 10, &err);
	e.rcpts[1].state = RCPT_SENT;
	envelope_reply(&e, 1, xstrdup("first: kok"));
	envelope_reply(&e, 1, xstrdup("second: kok"));
	ck_assert_str_eq(e.rcpts[1].reply, "second: kok");
	ck_assert_uint_eq(envelope_count(&e, RCPT_PENDING), 2);
	ck_assert_uint_eq(envelope_count(&e, RCPT_SENT), 1);
	ck_assert_uint_eq(envelope_count(&e, RCPT_REFUSED), 0);
	envelope_reply(&e, 1, NULL);
	ck_assert_ptr_null(e.rcpts[1].reply);
	envelope_free(&e);
	ck_assert_uint_eq(e.n, 0);
	ck_assert_ptr_null(e.sender);
}
END_TEST

/* Twice each, the domain in other letters; in order, and not in quadratic time. */
START_TEST(many)
{
	struct envelope e = { 0 };
	struct error err;
	struct timespec begin, end;
	char addr[64];
	int wrong = 0;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (int i = 0; i < 2 * MANY; i++) {
		snprintf(addr, sizeof(addr), "user%d@example%d.com", i, i % 7);
		if (i >= MANY)
			snprintf(addr, sizeof(addr), "user%d@EXAMPLE%d.Com", i % MANY,
			    i % MANY % 7);
		wrong |= envelope_add(&e, addr, MANY, &err);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	ck_assert_int_eq(wrong, 0);
	ck_assert_uint_eq(e.n, MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(addr, sizeof(addr), "user%d@example%d.com", i, i % 7);
		wrong |= strcmp(addr, e.rcpts[i].addr);
	}
	ck_assert_int_eq(wrong, 0);
	ck_assert_int_le(end.tv_sec - begin.tv_sec, 2); /* it takes milliseconds */
	envelope_free(&e);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("envelope");
	TCase *tc = tcase_create("envelope");

	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, same_or_not, 0, sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_test(tc, the_maximum);
	tcase_add_test(tc, states_and_replies);
	tcase_add_test(tc, many);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
