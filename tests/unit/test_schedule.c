/* spool/schedule: when an entry is tried, and the heap with its table. */
#include "spool/schedule.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "suite.h"

#define ARRIVED 1000000000

/* ---- the rule ---- */

struct slot {
	char state;
	time_t when; /* seconds after the arrival */
};

struct rule {
	const char *name;
	struct slot slots[4];
	struct slot message; /* 0: P at the arrival */
	time_t touched;      /* seconds after the arrival */
	time_t now;
	/* the result, without and with all jitter */
	time_t soonest, latest;
};

/* clang-format off */
static const struct rule rules[] = {
	{ "new", {{'P', 0}}, {0}, 0, 0, 0, 0 },
	{ "new, seen late", {{'P', 0}}, {0}, 0, 500, 500, 500 },
	{ "new, written by the mtime a second later", {{'P', 0}}, {0}, 1, 1, 1, 1 },
	{ "tried at once", {{'P', 1}}, {0}, 1, 1, 61, 67 },
	{ "tried at once, seen when it is due", {{'P', 1}}, {0}, 1, 99, 61, 67 },
	{ "young: the shortest pause", {{'P', 120}}, {0}, 120, 121, 180, 186 },
	{ "half its age", {{'P', 1000}}, {0}, 1000, 1000, 1500, 1550 },
	{ "old: the longest pause", {{'P', 90000}}, {0}, 90000, 90000, 93600, 93960 },
	{ "the newest try counts", {{'P', 100}, {'P', 1000}}, {0}, 1000, 1000, 1500, 1550 },
	{ "a lost mark does not count", {{'P', 0}, {'P', 1000}}, {0}, 1000, 1000, 1500, 1550 },
	{ "settled ones are no try of the rest", {{'K', 2000}, {'P', 1000}}, {0}, 2000, 2000,
	    1500, 1550 },
	{ "E is no try", {{'P', 1000}}, {'E', 1400}, 1400, 1400, 1500, 1550 },
	{ "W is no try", {{'P', 0}}, {'W', 1400}, 1400, 1400, 1400, 1400 },

	{ "touched by our mark", {{'P', 1000}}, {0}, 1002, 1100, 1500, 1550 },
	{ "touched", {{'P', 1000}}, {0}, 1003, 1100, 1100, 1100 },
	{ "touched by our E", {{'P', 1000}}, {'E', 1400}, 1402, 1403, 1500, 1550 },
	{ "touched after E", {{'P', 1000}}, {'E', 1400}, 1403, 1403, 1403, 1403 },
	{ "touched by our K", {{'K', 1400}, {'P', 1000}}, {0}, 1402, 1403, 1500, 1550 },
	{ "touched in the future", {{'P', 1000}}, {0}, 99999, 1100, 1100, 1100 },

	{ "handed over in doubt", {{'?', 0}}, {0}, 0, 0, 300, 300 },
	{ "in doubt, and over", {{'?', 0}}, {0}, 0, 1000, 300, 300 },
	{ "in doubt by a try", {{'?', 1}}, {0}, 1, 1, 301, 301 },
	{ "in doubt by a late try", {{'?', 1000}}, {0}, 1000, 1000, 1500, 1550 },
	{ "in doubt by an old try", {{'?', 90000}}, {0}, 90000, 90000, 93600, 93960 },
	{ "touched in doubt", {{'?', 1000}}, {0}, 1100, 1100, 1100, 1100 },
	{ "the first in doubt", {{'?', 1}, {'?', 200}}, {0}, 200, 200, 301, 301 },
	{ "pending and in doubt", {{'?', 1}, {'P', 1}}, {0}, 1, 1, 61, 67 },
	{ "in doubt before pending", {{'?', 0}, {'P', 900}}, {0}, 900, 900, 300, 300 },
	{ "new and in doubt", {{'?', 0}, {'P', 0}}, {0}, 0, 5, 5, 5 },

	{ "clock back an hour, a pause of a minute", {{'P', 100}}, {0}, 100, -3500, 160, 166 },
	{ "clock back two hours", {{'P', 100}}, {0}, 100, -7000, -7000, -7000 },
	{ "clock back, in doubt", {{'?', 0}}, {0}, 0, -7000, -7000, -7000 },
	{ "clock on a week", {{'P', 100}}, {0}, 100, 604800, 160, 166 },
	{ "tried before it arrived", {{'P', -500}}, {0}, -500, -450, -440, -434 },
	{ "nothing left", {{'K', 100}, {'D', 0}}, {0}, 100, 150, 150, 150 },
};
/* clang-format on */

static void
fill(struct entry *e, struct entry_rcpt v[4], const struct rule *rule, const char *id)
{
	*e = (struct entry){ .arrived = ARRIVED, .rcpts = v, .state = 'P' };
	e->since = ARRIVED + rule->message.when;
	if (rule->message.state != 0)
		e->state = rule->message.state;
	e->touched = ARRIVED + rule->touched;
	snprintf(e->id, sizeof(e->id), "%s", id);
	for (; e->n < 4 && rule->slots[e->n].state != 0; e->n++)
		v[e->n] = (struct entry_rcpt){ .state = rule->slots[e->n].state,
			.when = ARRIVED + rule->slots[e->n].when };
}

START_TEST(the_rule)
{
	const struct rule *rule = &rules[_i];
	struct entry_rcpt v[4];
	struct entry e;
	time_t least = INT64_MAX, most = INT64_MIN;

	for (unsigned inode = 0; inode < 4000; inode++) {
		char id[SPOOL_ID];
		time_t when;

		snprintf(id, sizeof(id), "3b9aca00.%x", inode);
		fill(&e, v, rule, id);
		when = schedule_when(&e, ARRIVED + rule->now) - ARRIVED;
		least = when < least ? when : least;
		most = when > most ? when : most;
		/* the id alone decides on the jitter */
		ck_assert_int_eq(schedule_when(&e, ARRIVED + rule->now) - ARRIVED, when);
	}
	ck_assert_msg(least == rule->soonest, "%s: %lld", rule->name, (long long)least);
	ck_assert_msg(most == rule->latest, "%s: %lld", rule->name, (long long)most);
}
END_TEST

START_TEST(who_joins)
{
	static const struct rule rule = { .slots = { { 'P', 1000 }, { '?', 1000 },
					      { 'K', 0 }, { 'D', 0 } } };
	struct entry_rcpt v[4];
	struct entry e;

	fill(&e, v, &rule, "3b9aca00.1");
	ck_assert(schedule_joins(&e, 0, ARRIVED));
	ck_assert(schedule_joins(&e, 0, ARRIVED + 1000));
	ck_assert(!schedule_joins(&e, 1, ARRIVED + 1000));
	ck_assert(!schedule_joins(&e, 1, ARRIVED + 1000 + SPOOL_DOUBT - 1));
	ck_assert(schedule_joins(&e, 1, ARRIVED + 1000 + SPOOL_DOUBT));
	/* a clock that was two hours ahead */
	ck_assert(!schedule_joins(&e, 1, ARRIVED + 1300 - 3960));
	ck_assert(schedule_joins(&e, 1, ARRIVED + 1300 - 3961));
	ck_assert(!schedule_joins(&e, 2, ARRIVED + 9999));
	ck_assert(!schedule_joins(&e, 3, ARRIVED + 9999));
}
END_TEST

/* An id of hostile making has any arrival. */
START_TEST(strange_arrivals)
{
	static const time_t arrivals[] = { INT64_MIN, -1, INT64_MAX };

	for (size_t i = 0; i < sizeof(arrivals) / sizeof(*arrivals); i++) {
		struct entry_rcpt v = { .state = 'P', .when = ARRIVED };
		struct entry e = {
			.arrived = arrivals[i], .rcpts = &v, .n = 1, .since = ARRIVED
		};

		ck_assert_int_ge(schedule_when(&e, ARRIVED), ARRIVED + 60);
		ck_assert_int_le(schedule_when(&e, ARRIVED), ARRIVED + 66);
	}
}
END_TEST

/* ---- heap and table ---- */

static struct schedule *s;

static void
set_up(void)
{
	s = schedule_new();
}

static void
tear_down(void)
{
	schedule_free(s);
}

static void
expect(time_t now, const char *id)
{
	char taken[SPOOL_ID];

	ck_assert(schedule_take(s, now, taken));
	ck_assert_str_eq(taken, id);
}

START_TEST(empty)
{
	char id[SPOOL_ID];

	ck_assert(!schedule_take(s, INT64_MAX, id));
	ck_assert_int_eq(schedule_next(s), SCHEDULE_NEVER);
	ck_assert_uint_eq(schedule_count(s), 0);
	ck_assert_uint_eq(schedule_count_due(s, INT64_MAX), 0);
	ck_assert_int_eq(schedule_state(s, "3b9aca00.1"), 0);
	schedule_forget(s, "3b9aca00.1");
	schedule_seen(s, "3b9aca00.1");
	ck_assert_int_eq(schedule_state(s, "3b9aca00.1"), 0);
	schedule_free(NULL);
}
END_TEST

START_TEST(in_order)
{
	char id[SPOOL_ID];

	schedule_put(s, "3b9aca05.1", 200);
	schedule_put(s, "3b9aca01.9", 100);
	schedule_put(s, "3b9aca00.5", 200);
	schedule_put(s, "3b9aca00.4", 300);
	ck_assert_int_eq(schedule_next(s), 100);
	ck_assert_uint_eq(schedule_count_due(s, 99), 0);
	ck_assert_uint_eq(schedule_count_due(s, 200), 3);
	ck_assert(!schedule_take(s, 99, id));
	expect(100, "3b9aca01.9");
	ck_assert(!schedule_take(s, 199, id));
	expect(1000, "3b9aca00.5");
	expect(1000, "3b9aca05.1");
	expect(1000, "3b9aca00.4");
	ck_assert(!schedule_take(s, 1000, id));
	ck_assert_int_eq(schedule_next(s), SCHEDULE_NEVER);
	ck_assert_uint_eq(schedule_count(s), 4);
}
END_TEST

START_TEST(states)
{
	char id[SPOOL_ID];

	schedule_put(s, "a.1", 100);
	ck_assert_int_eq(schedule_state(s, "a.1"), 'W');
	expect(100, "a.1");
	ck_assert_int_eq(schedule_state(s, "a.1"), 'T');
	ck_assert_uint_eq(schedule_count(s), 1);
	ck_assert_uint_eq(schedule_count_due(s, 100), 0);
	schedule_put(s, "a.1", 50); /* back from work */
	ck_assert_int_eq(schedule_state(s, "a.1"), 'W');
	ck_assert_int_eq(schedule_next(s), 50);
	ck_assert_uint_eq(schedule_count(s), 1);
	schedule_put(s, "a.1", 70); /* elsewhere */
	ck_assert_int_eq(schedule_next(s), 70);
	ck_assert_uint_eq(schedule_count(s), 1);
	schedule_ignore(s, "a.1");
	ck_assert_int_eq(schedule_state(s, "a.1"), 'I');
	ck_assert_uint_eq(schedule_count(s), 0);
	ck_assert(!schedule_take(s, 1000, id));
	schedule_put(s, "a.1", 30);
	expect(100, "a.1");
	schedule_ignore(s, "a.1");
	ck_assert_uint_eq(schedule_count(s), 0);
	schedule_put(s, "a.1", 30);
	expect(100, "a.1");
	schedule_forget(s, "a.1");
	ck_assert_int_eq(schedule_state(s, "a.1"), 0);
	ck_assert_uint_eq(schedule_count(s), 0);
	schedule_put(s, "a.1", 30);
	schedule_forget(s, "a.1");
	ck_assert_int_eq(schedule_next(s), SCHEDULE_NEVER);
}
END_TEST

/* Whatever a directory holds can be ignored, and no name is too long. */
START_TEST(names)
{
	static const char longest[] = "0123456789abcdef0123456789.abcdef0123456";
	char name[256];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	schedule_ignore(s, name);
	ck_assert_int_eq(schedule_state(s, name), 'I');
	schedule_put(s, name, 1);
	ck_assert_int_eq(schedule_state(s, name), 'I');
	ck_assert_uint_eq(strlen(longest), SPOOL_ID);
	schedule_put(s, longest + 1, 1);
	expect(1, longest + 1);
}
END_TEST

START_TEST(sweep)
{
	schedule_put(s, "a.1", 1);
	schedule_put(s, "a.2", 2);
	schedule_put(s, "a.3", 3);
	schedule_ignore(s, "ignored, seen");
	schedule_ignore(s, "ignored, gone");
	expect(1, "a.1");
	for (int i = 0; i < 3; i++) {
		schedule_sweep_begin(s);
		schedule_seen(s, "a.3");
		schedule_seen(s, "ignored, seen");
		schedule_seen(s, "a.99");
		if (i == 0)
			schedule_put(s, "a.4", 4); /* came while we looked */
		schedule_sweep_end(s);
		ck_assert_int_eq(schedule_state(s, "a.1"), 'T');
		ck_assert_int_eq(schedule_state(s, "a.2"), 0);
		ck_assert_int_eq(schedule_state(s, "a.3"), 'W');
		ck_assert_int_eq(schedule_state(s, "a.4"), i == 0 ? 'W' : 0);
		ck_assert_int_eq(schedule_state(s, "a.99"), 0);
		ck_assert_int_eq(schedule_state(s, "ignored, seen"), 'I');
		ck_assert_int_eq(schedule_state(s, "ignored, gone"), 0);
	}
	ck_assert_int_eq(schedule_next(s), 3);
	/* back from work while somebody looks: it is there */
	schedule_sweep_begin(s);
	schedule_put(s, "a.1", 1);
	schedule_sweep_end(s);
	ck_assert_int_eq(schedule_state(s, "a.1"), 'W');
	ck_assert_int_eq(schedule_state(s, "a.3"), 0);
}
END_TEST

struct told {
	char ids[200];
	char what; /* to do with it: F forget, P put */
};

static void
tell(void *arg, const char *id)
{
	struct told *told = arg;
	size_t len = strlen(told->ids);

	snprintf(told->ids + len, sizeof(told->ids) - len, " %s", id);
	if (told->what == 'F')
		schedule_forget(s, id);
	else if (told->what == 'P')
		schedule_put(s, id, 9999);
}

START_TEST(each_older)
{
	struct told told = { .what = ' ' };

	schedule_put(s, "64.1", 50);  /* arrived at 100, due */
	schedule_put(s, "64.2", 500); /* not due */
	schedule_put(s, "c8.3", 50);  /* arrived at 200 */
	schedule_ignore(s, "64.4");
	schedule_put(s, "64.5", 1);
	expect(1, "64.5"); /* taken */
	schedule_each_older(s, 100, 200, tell, &told);
	ck_assert_str_eq(told.ids, " 64.1");
	told = (struct told){ .what = 'P' };
	schedule_each_older(s, 50, 101, tell, &told);
	ck_assert_str_eq(told.ids, " 64.1");
	told = (struct told){ .what = 'F' };
	schedule_each_older(s, 100, 200, tell, &told);
	ck_assert_str_eq(told.ids, "");
	schedule_each_older(s, 100, 201, tell, &told);
	ck_assert_str_eq(told.ids, " c8.3");
	ck_assert_int_eq(schedule_state(s, "c8.3"), 0);
	ck_assert_int_eq(schedule_next(s), 500);
}
END_TEST

/* Against a table of all there is, which is searched from end to end. */
START_TEST(at_random)
{
	enum { IDS = 300 };
	static struct {
		char id[SPOOL_ID];
		char state;
		time_t when;
	} all[IDS];
	uint32_t seed = 1;

	for (unsigned i = 0; i < IDS; i++)
		snprintf(all[i].id, sizeof(all[i].id), "%08x.%x", i / 3, i);
	for (unsigned step = 0; step < 60000; step++) {
		unsigned i, what;
		size_t due = 0, first = IDS, held = 0;
		char id[SPOOL_ID];

		seed = seed * 1664525u + 1013904223u;
		i = (seed >> 8) % IDS;
		what = (seed >> 20) % 16;
		for (size_t j = 0; j < IDS; j++) {
			held += all[j].state == 'W' || all[j].state == 'T';
			if (all[j].state != 'W' || all[j].when > 50)
				continue;
			due++;
			if (first == IDS || all[j].when < all[first].when)
				first = j;
		}
		ck_assert_uint_eq(schedule_count_due(s, 50), due);
		ck_assert_uint_eq(schedule_count(s), held);
		ck_assert_int_eq(schedule_state(s, all[i].id), all[i].state);
		if (what < 8) {
			all[i].when = (time_t)(seed >> 24) % 100;
			all[i].state = 'W';
			schedule_put(s, all[i].id, all[i].when);
		} else if (what < 13) {
			ck_assert_int_eq(schedule_take(s, 50, id), due > 0);
			if (due > 0) {
				ck_assert_str_eq(id, all[first].id);
				all[first].state = 'T';
			}
		} else if (what < 15) {
			schedule_forget(s, all[i].id);
			all[i].state = 0;
		} else {
			schedule_ignore(s, all[i].id);
			all[i].state = 'I';
		}
	}
}
END_TEST

START_TEST(many)
{
	size_t n = 100000;
#ifdef __GLIBC__
	size_t before = mallinfo2().uordblks;
#endif
	char id[SPOOL_ID], last[SPOOL_ID] = "";

	for (size_t i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "3b9a%04zx.%06zx", i / 50, i);
		schedule_put(s, id, (time_t)(i * 7919 % 1000));
	}
#ifdef __GLIBC__
	/* Another malloc(), a sanitizer's, says nothing. */
	if (mallinfo2().uordblks > before)
		ck_assert_uint_le((mallinfo2().uordblks - before) / n, 72);
#endif
	for (size_t i = 0; i < n; i++) {
		ck_assert(schedule_take(s, 1000, id));
		if (i % 100 != 0)
			ck_assert_str_lt(last, id);
		memcpy(last, id, sizeof(id));
	}
	ck_assert(!schedule_take(s, 1000, id));
	ck_assert_uint_eq(schedule_count(s), n);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("schedule");
	TCase *rule = tcase_create("rule"), *t = tcase_create("schedule");

	tcase_add_loop_test(rule, the_rule, 0, (int)(sizeof(rules) / sizeof(*rules)));
	tcase_add_test(rule, who_joins);
	tcase_add_test(rule, strange_arrivals);
	suite_add_tcase(suite, rule);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, empty);
	tcase_add_test(t, in_order);
	tcase_add_test(t, states);
	tcase_add_test(t, names);
	tcase_add_test(t, sweep);
	tcase_add_test(t, each_older);
	tcase_add_test(t, at_random);
	tcase_add_test(t, many);
	suite_add_tcase(suite, t);
	return run_suite(suite);
}
