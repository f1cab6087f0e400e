/* The queue's files: what store writes entry reads; what is no such file harms nobody. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/entry.h"
#include "spool/store.h"

#include "suite.h"

#define WIRE \
	"5:\nabc\n,5:s@x.y,17:6:r1@x.y,5:r2@xy,," /* the lists' lengths are right on purpose */

static char top[64];
static struct spool spool;
static struct error err;

static void
set_up(void)
{
	char path[96];

	snprintf(top, sizeof(top), "tmp-spool-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	for (const char *const *d = (const char *const[]){ "tmp", "queue", NULL };
	     *d != NULL; d++) {
		snprintf(path, sizeof(path), "%s/%s", top, *d);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
	ck_assert_int_eq(spool_open(&spool, top, &err), 0);
}

/* Count what is in a directory of the spool, and with sweep remove it. */
static size_t
files(const char *directory, bool sweep)
{
	struct dirent *d;
	char path[96];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", top, directory);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		n++;
		if (sweep)
			ck_assert_int_eq(unlinkat(dirfd(dir), d->d_name, 0), 0);
	}
	closedir(dir);
	if (sweep)
		ck_assert_int_eq(rmdir(path), 0);
	return n;
}

static void
tear_down(void)
{
	spool_close(&spool);
	files("tmp", true);
	files("queue", true);
	ck_assert_int_eq(rmdir(top), 0);
}

/* A queue file of these bytes, committed through store with slots for n recipients. */
static void
put(const char *package, size_t len, size_t n, char state, char id[SPOOL_ID])
{
	struct store st;

	ck_assert_int_eq(store_begin(&st, &spool, &err), 0);
	ck_assert_int_eq(store_write(&st, package, len, &err), 0);
	ck_assert_int_eq(store_slots(&st, n, state, 1000000000, &err), 0);
	ck_assert_msg(store_commit(&st, 1000000000, id, &err) == 0, "%s", err.text);
}

START_TEST(round_trip)
{
	struct entry e;
	char id[SPOOL_ID], message[5] = "";

	put(WIRE, strlen(WIRE), 2, 'P', id);
	ck_assert_uint_eq(files("tmp", false), 0);
	ck_assert_uint_eq(files("queue", false), 1);
	ck_assert_int_eq(strncmp(id, "3b9aca00.", 9), 0);
	ck_assert_msg(
	    entry_open(&e, &spool, id, false, &err) == ENTRY_OK, "%s", err.text);
	ck_assert_str_eq(e.sender, "s@x.y");
	ck_assert_uint_eq(e.n, 2);
	ck_assert_str_eq(e.rcpts[0].addr, "r1@x.y");
	ck_assert_str_eq(e.rcpts[1].addr, "r2@xy");
	ck_assert_int_eq(e.rcpts[1].state, 'P');
	ck_assert_int_eq(e.rcpts[1].when, 1000000000);
	ck_assert_int_eq(e.arrived, 1000000000);
	ck_assert_int_eq(e.state, 'P');
	ck_assert_uint_eq(e.length, 4);
	ck_assert_int_eq(pread(e.fd, message, 4, (off_t)e.message), 4);
	ck_assert_str_eq(message, "abc\n");
	ck_assert_uint_eq(e.slots, strlen(WIRE));
	ck_assert_int_eq(e.owner, getuid());
	entry_close(&e);
}
END_TEST

START_TEST(marks)
{
	struct entry e;
	char id[SPOOL_ID];

	put(WIRE, strlen(WIRE), 2, '?', id);
	ck_assert_int_eq(entry_open(&e, &spool, id, true, &err), ENTRY_OK);
	ck_assert_uint_eq(entry_count(&e, '?'), 2);
	ck_assert_int_eq(entry_mark(&e, 1, 'K', 1000000060, &err), 0);
	ck_assert_int_eq(entry_mark(&e, 2, 'E', 1000000070, &err), 0);
	ck_assert_int_eq(entry_sync(&e, &err), 0);
	entry_close(&e);
	ck_assert_int_eq(entry_open(&e, &spool, id, false, &err), ENTRY_OK);
	ck_assert_int_eq(e.rcpts[0].state, '?');
	ck_assert_int_eq(e.rcpts[1].state, 'K');
	ck_assert_int_eq(e.rcpts[1].when, 1000000060);
	ck_assert_int_eq(e.state, 'E');
	ck_assert_int_eq(e.since, 1000000070);
	entry_close(&e);
}
END_TEST

/* The envelope is found behind a message of any size, and the message is not read for it. */
START_TEST(large_message)
{
	static char big[300000];
	static const char tail[] = ",0:,4:1:a,,";
	struct store st;
	struct entry e;
	char id[SPOOL_ID], head[32];

	memset(big, ',', sizeof(big));
	snprintf(head, sizeof(head), "%zu:\n", sizeof(big) + 1);
	ck_assert_int_eq(store_begin(&st, &spool, &err), 0);
	ck_assert_int_eq(store_write(&st, head, strlen(head), &err), 0);
	for (size_t at = 0; at < sizeof(big); at += 1000)
		ck_assert_int_eq(store_write(&st, big + at, 1000, &err), 0);
	ck_assert_int_eq(store_write(&st, tail, strlen(tail), &err), 0);
	ck_assert_int_eq(store_slots(&st, 1, 'P', 5, &err), 0);
	ck_assert_int_eq(store_commit(&st, 5, id, &err), 0);
	ck_assert_msg(
	    entry_open(&e, &spool, id, false, &err) == ENTRY_OK, "%s", err.text);
	ck_assert_uint_eq(e.length, sizeof(big));
	ck_assert_uint_eq(e.message, strlen(head));
	ck_assert_str_eq(e.sender, "");
	ck_assert_str_eq(e.rcpts[0].addr, "a");
	entry_close(&e);
}
END_TEST

/* Cut off at any byte before its slots are whole, it is damage; what stands behind them is nobody's business. */
START_TEST(cut_anywhere)
{
	struct entry e;
	char id[SPOOL_ID], path[128];
	size_t whole = strlen(WIRE) + 3 * SPOOL_SLOT;

	put(WIRE "", strlen(WIRE), 2, 'P', id);
	snprintf(path, sizeof(path), "%s/queue/%s", top, id);
	ck_assert_int_eq(truncate(path, (off_t)whole + 3), 0);
	ck_assert_int_eq(entry_open(&e, &spool, id, false, &err), ENTRY_OK);
	entry_close(&e);
	for (size_t len = whole; len-- > 0;) {
		ck_assert_int_eq(truncate(path, (off_t)len), 0);
		ck_assert_msg(entry_open(&e, &spool, id, false, &err) == ENTRY_DAMAGED,
		    "%zu bytes", len);
	}
}
END_TEST

static const char *const damaged[] = {
	"",
	"x",
	"0:,",
	"1:\r,0:,4:1:a,,",
	"1:\n,0:,0:,",
	"1:\n,0:,3:0:,,",
	"1:\n,0:,4:1:a,;",
	"9999:\n,0:,4:1:a,,",
	"1:\n,0:,5:2:a\x01",
	"99999999999999999999:\n",
};

START_TEST(damage)
{
	struct entry e;
	char id[SPOOL_ID];

	put(damaged[_i], strlen(damaged[_i]), 1, 'P', id);
	ck_assert_int_eq(entry_open(&e, &spool, id, false, &err), ENTRY_DAMAGED);
	ck_assert_int_eq(e.fd, -1);
}
END_TEST

START_TEST(damaged_slots)
{
	static const char *const slots[] = { "X3b9aca00\n", "P3B9ACA00\n", "P3b9aca0\n\n",
		"P3b9aca00 ", "E3b9aca00\n" };

	for (size_t i = 0; i < sizeof(slots) / sizeof(*slots); i++) {
		struct entry e;
		char id[SPOOL_ID], path[128];
		int fd;

		put(WIRE, strlen(WIRE), 2, 'P', id);
		snprintf(path, sizeof(path), "%s/queue/%s", top, id);
		fd = open(path, O_WRONLY);
		ck_assert_int_eq(
		    pwrite(fd, slots[i], SPOOL_SLOT, (off_t)strlen(WIRE)), SPOOL_SLOT);
		close(fd);
		ck_assert_int_eq(entry_open(&e, &spool, id, false, &err), ENTRY_DAMAGED);
	}
}
END_TEST

START_TEST(not_ours)
{
	struct entry e;
	char id[SPOOL_ID], path[128], other[128];

	ck_assert_int_eq(entry_open(&e, &spool, "../tmp", false, &err), ENTRY_SKIPPED);
	ck_assert_int_eq(entry_open(&e, &spool, "3b9aca00.", false, &err), ENTRY_SKIPPED);
	ck_assert_int_eq(entry_open(&e, &spool, "3b9aca00.1", false, &err), ENTRY_GONE);

	put(WIRE, strlen(WIRE), 2, 'P', id);
	snprintf(path, sizeof(path), "%s/queue/%s", top, id);
	snprintf(other, sizeof(other), "%s/queue/3b9aca00.1", top);
	ck_assert_int_eq(symlink("/etc/passwd", other), 0);
	ck_assert_int_eq(
	    entry_open(&e, &spool, "3b9aca00.1", false, &err), ENTRY_SKIPPED);
	unlink(other);
	ck_assert_int_eq(mkfifo(other, 0600), 0);
	ck_assert_int_eq(
	    entry_open(&e, &spool, "3b9aca00.1", false, &err), ENTRY_SKIPPED);
	unlink(other);
	ck_assert_int_eq(link(path, other), 0);
	ck_assert_int_eq(entry_open(&e, &spool, id, false, &err), ENTRY_SKIPPED);
	unlink(other);
	ck_assert_int_eq(rename(path, other), 0); /* another name than its inode's */
	ck_assert_int_eq(
	    entry_open(&e, &spool, "3b9aca00.1", false, &err), ENTRY_SKIPPED);
}
END_TEST

START_TEST(aborted)
{
	struct store st;

	ck_assert_int_eq(store_begin(&st, &spool, &err), 0);
	ck_assert_uint_eq(files("tmp", false), 1);
	ck_assert_int_eq(store_write(&st, "x", 1, &err), 0);
	store_abort(&st);
	store_abort(&st);
	ck_assert_uint_eq(files("tmp", false), 0);
	ck_assert_uint_eq(files("queue", false), 0);
}
END_TEST

START_TEST(no_spool)
{
	struct spool s;

	ck_assert_int_eq(spool_open(&s, "/nonexistent", &err), -1);
	ck_assert_str_eq(
	    err.text, "/nonexistent: No such file or directory while opening the spool");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("spool");
	TCase *t = tcase_create("spool");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, round_trip);
	tcase_add_test(t, marks);
	tcase_add_test(t, large_message);
	tcase_add_test(t, cut_anywhere);
	tcase_add_loop_test(t, damage, 0, (int)(sizeof(damaged) / sizeof(*damaged)));
	tcase_add_test(t, damaged_slots);
	tcase_add_test(t, not_ours);
	tcase_add_test(t, aborted);
	tcase_add_test(t, no_spool);
	suite_add_tcase(s, t);
	return run_suite(s);
}
