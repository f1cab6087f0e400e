#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flush/watch.h"
#include "suite.h"
#include "util/buf.h"

static char directory[] = "/tmp/test_watch.XXXXXX";
static struct buf said;

static void
note(void *arg, enum watch_event event, const char *name)
{
	ck_assert_ptr_eq(arg, &said);
	buf_printf(&said, "%c%s ", "+*-"[event], name);
}

static void
make(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void
heard(struct watch *w, const char *what)
{
	buf_clear(&said);
	ck_assert_int_eq(watch_read(w, note, &said), 0);
	ck_assert_str_eq(said.len > 0 ? said.data : "", what);
}

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("queue", 0700), 0);
	ck_assert_int_eq(mkdir("aside", 0700), 0);
}

static void
teardown(void)
{
	ck_assert_int_eq(rmdir("aside"), 0);
	ck_assert_int_eq(rmdir("queue"), 0);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(directory), 0);
	buf_free(&said);
}

START_TEST(test_events)
{
	struct watch w;
	struct error err;
	int fd;

	ck_assert_int_eq(watch_open(&w, "queue", &err), 0);
	heard(&w, "");
	make("aside/1");
	ck_assert_int_eq(rename("aside/1", "queue/1"), 0);
	heard(&w, "+1 ");

	/* what the flusher does itself is no wish: marks, syncs, reads */
	fd = open("queue/1", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "K", 1), 1);
	ck_assert_int_eq(fdatasync(fd), 0);
	heard(&w, "");
	ck_assert_int_eq(futimens(fd, NULL), 0);
	heard(&w, "*1 ");
	ck_assert_int_eq(unlink("queue/1"), 0);
	close(fd);
	heard(&w, "-1 ");

	make("queue/2");
	ck_assert_int_eq(rename("queue/2", "aside/2"), 0);
	heard(&w, "+2 -2 ");
	ck_assert_int_eq(unlink("aside/2"), 0);
	watch_close(&w);
	watch_close(&w);
}
END_TEST

/* More than one read of them, in their order. */
START_TEST(test_many)
{
	struct watch w;
	struct error err;
	struct buf want = { 0 };
	char name[40];

	ck_assert_int_eq(watch_open(&w, "queue", &err), 0);
	for (int i = 0; i < 4000; i++) {
		snprintf(name, sizeof(name), "queue/%d", i);
		make(name);
		ck_assert_int_eq(unlink(name), 0);
		buf_printf(&want, "+%d -%d ", i, i);
	}
	heard(&w, want.data);
	heard(&w, "");
	watch_close(&w);
	buf_free(&want);
}
END_TEST

START_TEST(test_lost)
{
	struct watch w;
	struct error err;

	ck_assert_int_eq(watch_open(&w, "nowhere", &err), -1);
	ck_assert_int_eq(w.fd, -1);
	ck_assert_int_eq(watch_read(&w, note, &said), 0);

	ck_assert_int_eq(mkdir("gone", 0700), 0);
	ck_assert_int_eq(watch_open(&w, "gone", &err), 0);
	ck_assert_int_eq(rmdir("gone"), 0);
	ck_assert_int_eq(watch_read(&w, note, &said), -1);
	ck_assert_int_eq(w.fd, -1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("watch");
	TCase *t = tcase_create("watch");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_events);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_lost);
	suite_add_tcase(s, t);
	return run_suite(s);
}
