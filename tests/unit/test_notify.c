#include <check.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "flush/notify.h"
#include "suite.h"
#include "util/clock.h"

static char heard[256];

/* A manager that listens at a name: a path, or '@' and an abstract name. */
static int
manager(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	memcpy(to.sun_path, name, n);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	unlink(name);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&to,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
	    0);
	return fd;
}

/* What it heard next; "" if nothing. */
static const char *
hear(int fd)
{
	ssize_t n = recv(fd, heard, sizeof(heard) - 1, 0);

	if (n < 0)
		ck_assert_int_eq(errno, EAGAIN);
	heard[n > 0 ? n : 0] = '\0';
	return heard;
}

static void
speaks(const char *name)
{
	int fd = manager(name);
	long long usec;

	setenv("NOTIFY_SOCKET", name, 1);
	unsetenv("WATCHDOG_USEC");
	notify_init();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_str_eq(hear(fd), "");
	notify_ready();
	ck_assert_str_eq(hear(fd), "READY=1\n");
	notify_reloading();
	ck_assert_int_eq(sscanf(hear(fd), "RELOADING=1\nMONOTONIC_USEC=%lld", &usec), 1);
	ck_assert_int_le(llabs(usec / 1000 - clock_ms()), 60000);
	notify_stopping();
	ck_assert_str_eq(hear(fd), "STOPPING=1\n");
	notify_status("%d in the queue", 3);
	ck_assert_str_eq(hear(fd), "STATUS=3 in the queue");
	notify_status("%d in the queue", 3);
	ck_assert_str_eq(hear(fd), "");
	notify_alive();
	ck_assert_str_eq(hear(fd), "");
	ck_assert_int_eq(notify_deadline(), CLOCK_NEVER);
	close(fd);
	unlink(name);
	notify_ready(); /* nobody is there any more */
}

START_TEST(test_path)
{
	char name[64];

	snprintf(name, sizeof(name), "/tmp/test_notify.%ld", (long)getpid());
	speaks(name);
}
END_TEST

START_TEST(test_abstract)
{
	char name[64];

	snprintf(name, sizeof(name), "@test_notify.%ld", (long)getpid());
	speaks(name);
}
END_TEST

START_TEST(test_watchdog)
{
	char name[64], pid[32];
	int fd;

	snprintf(name, sizeof(name), "@test_watchdog.%ld", (long)getpid());
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	fd = manager(name);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "120000000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	notify_init();
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
	ck_assert_int_le(notify_deadline(), clock_ms());
	notify_alive();
	ck_assert_str_eq(hear(fd), "WATCHDOG=1\n");
	ck_assert_int_gt(notify_deadline(), clock_ms() + 30000);
	ck_assert_int_le(notify_deadline(), clock_ms() + 60000);
	notify_alive();
	ck_assert_str_eq(hear(fd), "");
	close(fd);
}
END_TEST

/* The watchdog of another process, numbers that are none, names that are none */
START_TEST(test_nonsense)
{
	setenv("NOTIFY_SOCKET", "relative", 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_init();
	notify_ready();
	ck_assert_int_eq(notify_deadline(), CLOCK_NEVER);
	setenv("WATCHDOG_USEC", "12x", 1);
	notify_init();
	ck_assert_int_eq(notify_deadline(), CLOCK_NEVER);
	setenv("WATCHDOG_USEC", "-5", 1);
	notify_init();
	ck_assert_int_eq(notify_deadline(), CLOCK_NEVER);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("notify");
	TCase *t = tcase_create("notify");

	tcase_add_test(t, test_path);
	tcase_add_test(t, test_abstract);
	tcase_add_test(t, test_watchdog);
	tcase_add_test(t, test_nonsense);
	suite_add_tcase(s, t);
	return run_suite(s);
}
