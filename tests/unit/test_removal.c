/* spool/removal: what leaves the queue, and when that is synced. */
#include "spool/removal.h"

#include <poll.h>

#include "util/clock.h"

#include "spooldir.h"
#include "suite.h"

static struct removal removal;

static void
set_up(void)
{
	spooldir_set_up();
	removal = (struct removal){ .spool = &spool };
}

START_TEST(unlinked)
{
	spooldir_file("queue", "3b9aca00.1", "");
	ck_assert(!removal_due(&removal));
	ck_assert_int_eq(removal_deadline(&removal), CLOCK_NEVER);
	ck_assert_int_eq(removal_unlink(&removal, "3b9aca00.1", &err), 0);
	ck_assert_uint_eq(spooldir_count("queue"), 0);
	ck_assert_uint_eq(removal.pending, 1);
	/* What is gone is as good, and would come back as well. */
	ck_assert_int_eq(removal_unlink(&removal, "3b9aca00.1", &err), 0);
	ck_assert_uint_eq(removal.pending, 2);
}
END_TEST

START_TEST(due_by_age)
{
	int64_t begun = clock_ms(), deadline;

	ck_assert_int_eq(removal_unlink(&removal, "3b9aca00.1", &err), 0);
	deadline = removal_deadline(&removal);
	ck_assert_int_ge(deadline, begun + REMOVAL_AGE);
	ck_assert_int_le(deadline, clock_ms() + REMOVAL_AGE);
	poll(NULL, 0, 2);
	ck_assert_int_eq(removal_unlink(&removal, "3b9aca00.2", &err), 0);
	ck_assert_int_eq(removal_deadline(&removal), deadline); /* of the first */
	removal.oldest = clock_ms() - REMOVAL_AGE + 60000;
	ck_assert(!removal_due(&removal));
	removal.oldest = clock_ms() - REMOVAL_AGE;
	ck_assert(removal_due(&removal));
	ck_assert_int_eq(removal_sync(&removal, &err), 0);
	ck_assert(!removal_due(&removal));
	ck_assert_int_eq(removal_deadline(&removal), CLOCK_NEVER);
}
END_TEST

START_TEST(due_by_number)
{
	removal.oldest = 0;
	for (size_t i = 0; i < REMOVAL_BATCH; i++) {
		if (i > 0) {
			removal.oldest = clock_ms() + 60000;
			ck_assert(!removal_due(&removal));
		}
		ck_assert_int_eq(removal_unlink(&removal, "3b9aca00.1", &err), 0);
	}
	removal.oldest = clock_ms();
	ck_assert(removal_due(&removal));
	ck_assert_int_le(removal_deadline(&removal), clock_ms());
	ck_assert_int_eq(removal_sync(&removal, &err), 0);
	ck_assert(!removal_due(&removal));
}
END_TEST

/* Without a removal nothing is synced: not even on a directory that cannot be. */
START_TEST(sync_fails)
{
	struct spool closed = { .top = -1, .tmp = -1, .queue = -1 };

	removal.spool = &closed;
	ck_assert_int_eq(removal_sync(&removal, &err), 0);
	removal.pending = 1;
	ck_assert_int_eq(removal_sync(&removal, &err), -1);
	ck_assert_str_eq(err.text, "spool: Bad file descriptor while syncing the queue");
	ck_assert_int_eq(err.code, 74);
	ck_assert_uint_eq(removal.pending, 1);
	ck_assert(removal_due(&removal));
}
END_TEST

START_TEST(unlink_fails)
{
	ck_assert_int_eq(mkdir(spooldir_path("queue", "3b9aca00.1"), 0700), 0);
	ck_assert_int_eq(removal_unlink(&removal, "3b9aca00.1", &err), -1);
	ck_assert_str_eq(
	    err.text, "3b9aca00.1: Is a directory while removing it from the queue");
	ck_assert_int_eq(err.code, 74);
	ck_assert_uint_eq(removal.pending, 0);
}
END_TEST

START_TEST(moved)
{
	for (int i = 0; i < 3; i++) {
		spooldir_file("queue", "3b9aca00.1", i == 0 ? "a" : i == 1 ? "b" : "c");
		ck_assert_int_eq(removal_move(&removal, "3b9aca00.1", "failed", &err), 0);
		ck_assert_uint_eq(spooldir_count("queue"), 0);
		ck_assert_uint_eq(removal.pending, (size_t)i + 1);
	}
	ck_assert_uint_eq(spooldir_count("failed"), 3);
	ck_assert_str_eq(spooldir_text("failed", "3b9aca00.1"), "a");
	ck_assert_str_eq(spooldir_text("failed", "3b9aca00.1.1"), "b");
	ck_assert_str_eq(spooldir_text("failed", "3b9aca00.1.2"), "c");
	ck_assert_uint_eq(spooldir_count("corrupt"), 0);
}
END_TEST

START_TEST(nothing_to_move)
{
	ck_assert_int_eq(removal_move(&removal, "3b9aca00.1", "corrupt", &err), 0);
	ck_assert_uint_eq(spooldir_count("corrupt"), 0);
	ck_assert_uint_eq(removal.pending, 1);
}
END_TEST

START_TEST(nowhere_to_move)
{
	spooldir_file("queue", "3b9aca00.1", "a");
	ck_assert_int_eq(removal_move(&removal, "3b9aca00.1", "nowhere", &err), -1);
	ck_assert_str_eq(
	    err.text, "nowhere: No such file or directory while opening the directory");
	ck_assert_int_eq(symlink("failed", spooldir_path(".", "aside")), 0);
	ck_assert_int_eq(removal_move(&removal, "3b9aca00.1", "aside", &err), -1);
	ck_assert_int_eq(unlink(spooldir_path(".", "aside")), 0);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	ck_assert_uint_eq(removal.pending, 0);
}
END_TEST

/* To another file system nothing can be renamed: it stays where it is. */
START_TEST(move_fails)
{
	spooldir_file("queue", "3b9aca00.1", "a");
	ck_assert_int_eq(removal_move(&removal, "3b9aca00.1", "/proc", &err), -1);
	ck_assert_str_eq(
	    err.text, "3b9aca00.1: Invalid cross-device link while moving it aside");
	ck_assert_int_eq(err.code, 74);
	ck_assert_uint_eq(spooldir_count("queue"), 1);
	ck_assert_uint_eq(removal.pending, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("removal");
	TCase *t = tcase_create("removal");

	tcase_add_checked_fixture(t, set_up, spooldir_tear_down);
	tcase_add_test(t, unlinked);
	tcase_add_test(t, due_by_age);
	tcase_add_test(t, due_by_number);
	tcase_add_test(t, sync_fails);
	tcase_add_test(t, unlink_fails);
	tcase_add_test(t, moved);
	tcase_add_test(t, nothing_to_move);
	tcase_add_test(t, nowhere_to_move);
	tcase_add_test(t, move_fails);
	suite_add_tcase(s, t);
	return run_suite(s);
}
