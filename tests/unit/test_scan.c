/* spool/scan: every name in queue/, and what is too old in tmp/. */
#include "spool/scan.h"

#include "spooldir.h"
#include "suite.h"

struct names {
	char v[8][32];
	size_t n;
	bool removing;
};

static void
remember(void *arg, const char *name)
{
	struct names *names = arg;

	ck_assert_uint_lt(names->n, 8);
	snprintf(names->v[names->n++], sizeof(names->v[0]), "%s", name);
	if (names->removing)
		ck_assert_int_eq(unlinkat(spool.queue, name, 0), 0);
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(every_name)
{
	struct names names = { 0 };

	spooldir_file("queue", "3b9aca00.1", "");
	spooldir_file("queue", ".hidden", "");
	spooldir_file("queue", "no id", "");
	ck_assert_int_eq(symlink("/etc/passwd", spooldir_path("queue", "link")), 0);
	ck_assert_int_eq(scan_queue(&spool, remember, &names, &err), 0);
	ck_assert_uint_eq(names.n, 4);
	qsort(names.v, names.n, sizeof(names.v[0]), compare);
	ck_assert_str_eq(names.v[0], ".hidden");
	ck_assert_str_eq(names.v[1], "3b9aca00.1");
	ck_assert_str_eq(names.v[2], "link");
	ck_assert_str_eq(names.v[3], "no id");
}
END_TEST

/* Each look begins at the beginning, and what it is told may go. */
START_TEST(again)
{
	struct names first = { 0 }, second = { .removing = true }, third = { 0 };

	spooldir_file("queue", "3b9aca00.1", "");
	spooldir_file("queue", "3b9aca00.2", "");
	ck_assert_int_eq(scan_queue(&spool, remember, &first, &err), 0);
	ck_assert_int_eq(scan_queue(&spool, remember, &second, &err), 0);
	ck_assert_int_eq(scan_queue(&spool, remember, &third, &err), 0);
	ck_assert_uint_eq(first.n, 2);
	ck_assert_uint_eq(second.n, 2);
	ck_assert_uint_eq(third.n, 0);
}
END_TEST

START_TEST(unreadable)
{
	struct spool closed = { .top = -1, .tmp = -1, .queue = -1 };
	struct names names = { 0 };

	ck_assert_int_eq(scan_queue(&closed, remember, &names, &err), -1);
	ck_assert_str_eq(err.text, "spool: Bad file descriptor while opening the queue");
	ck_assert_int_eq(err.code, 74);
	ck_assert_uint_eq(scan_stale(&closed, 1 << 30), 0);
}
END_TEST

static void
age(const char *name, time_t seconds)
{
	struct timespec t[2] = { { seconds, 0 }, { seconds, 0 } };

	ck_assert_int_eq(utimensat(spool.tmp, name, t, AT_SYMLINK_NOFOLLOW), 0);
}

START_TEST(stale)
{
	char last[300];
	time_t now = 1000000000;

	spooldir_file("tmp", "old", "");
	spooldir_file("tmp", "just", "");
	ck_assert_int_eq(mkdir(spooldir_path("tmp", "directory"), 0700), 0);
	ck_assert_int_eq(symlink("old", spooldir_path("tmp", "link")), 0);
	age("old", now - SPOOL_STALE - 1);
	age("just", now - SPOOL_STALE);
	age("directory", now - SPOOL_STALE - 1);
	age("link", now - SPOOL_STALE - 1);
	ck_assert_uint_eq(scan_stale(&spool, now), 1);
	ck_assert_uint_eq(spooldir_count("tmp"), 3);
	ck_assert_int_eq(access(spooldir_path("tmp", "old"), F_OK), -1);
	ck_assert_uint_eq(scan_stale(&spool, now + 1), 1);
	ck_assert_uint_eq(spooldir_list("tmp", last, false), 2);
	ck_assert_int_eq(access(spooldir_path("tmp", "just"), F_OK), -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("scan");
	TCase *t = tcase_create("scan");

	tcase_add_checked_fixture(t, spooldir_set_up, spooldir_tear_down);
	tcase_add_test(t, every_name);
	tcase_add_test(t, again);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, stale);
	suite_add_tcase(s, t);
	return run_suite(s);
}
