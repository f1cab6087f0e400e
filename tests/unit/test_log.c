/*
 * util/log against real sockets. log.c is compiled for this test with
 * LOG_SOCKET "log.sock"; each test makes a directory of its own.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/log.h"

#include "suite.h"

#ifndef LOG_SOCKET
#error "compile this test and log.c with -DLOG_SOCKET='\"log.sock\"'"
#endif

static time_t clock_says; /* what time(2) answers, when not 0 */

time_t
time(time_t *t)
{
	struct timespec now = { .tv_sec = clock_says };

	if (clock_says == 0)
		clock_gettime(CLOCK_REALTIME, &now);
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}

static char dir[32];
static int home = -1;

static void
setup(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	home = open(".", O_RDONLY | O_DIRECTORY);
	snprintf(dir, sizeof(dir), "tmp-log-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void
teardown(void)
{
	log_close();
	unlink(LOG_SOCKET);
	ck_assert_int_eq(fchdir(home), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	close(home);
}

/* The system's log: a bound socket. */
static int
listener(int type)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = LOG_SOCKET };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlink(LOG_SOCKET);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

/* What came next, as a string; "" if nothing did. */
static const char *
next(int fd)
{
	static char got[4096];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

/* The line begins with priority, the present time, tag and process; returns the rest. */
static const char *
rest_of(const char *line, int priority, const char *tag)
{
	static char prefix[128];
	time_t now = time(NULL);

	for (int ago = 0; ago < 5; ago++) {
		time_t then = now - ago;
		char when[32];

		strftime(when, sizeof(when), "%b %e %H:%M:%S", localtime(&then));
		snprintf(prefix, sizeof(prefix), "<%d>%s %s[%d]: ", priority, when, tag,
		    (int)getpid());
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			return line + strlen(prefix);
	}
	ck_abort_msg("\"%s\" does not begin with \"%s\"", line, prefix);
	return "";
}

START_TEST(a_line)
{
	int fd = listener(SOCK_DGRAM);

	log_open("qmtp-sendmail", LOG_MAIL);
	log_line(LOG_INFO, "%s to=<%s> status=%d", "abc", "bob@example.net", 250);
	ck_assert_str_eq(rest_of(next(fd), 22, "qmtp-sendmail"),
	    "abc to=<bob@example.net> status=250");
	log_line(LOG_ERR, "second");
	ck_assert_str_eq(rest_of(next(fd), 19, "qmtp-sendmail"), "second");
	log_line(LOG_LOCAL7 | LOG_ERR, "the facility is log_open's");
	ck_assert_str_eq(
	    rest_of(next(fd), 19, "qmtp-sendmail"), "the facility is log_open's");
	ck_assert_str_eq(next(fd), "");
	close(fd);
}
END_TEST

START_TEST(local_time)
{
	int fd = listener(SOCK_DGRAM);

	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	log_open("x", LOG_LOCAL0);
	log_line(LOG_DEBUG, "here");
	ck_assert_str_eq(rest_of(next(fd), 135, "x"), "here");
	close(fd);
}
END_TEST

START_TEST(every_month)
{
	static const char *const days[] = { "Jan  1", "Feb 28", "Mar  9", "Apr 10",
		"May 31", "Jun  2", "Jul  3", "Aug  4", "Sep  5", "Oct 16", "Nov 17",
		"Dec 31" };
	int fd = listener(SOCK_DGRAM);

	log_open("x", LOG_MAIL);
	for (int i = 0; i < 12; i++) {
		struct tm tm = {
			.tm_year = 126, .tm_mon = i, .tm_hour = 23, .tm_min = 1
		};
		char expected[64];

		tm.tm_mday = (int)strtol(days[i] + 4, NULL, 10);
		clock_says = timegm(&tm);
		log_line(LOG_INFO, "text");
		snprintf(expected, sizeof(expected), "<22>%s 23:01:00 x[%d]: text",
		    days[i], (int)getpid());
		ck_assert_str_eq(next(fd), expected);
	}
	clock_says = 0;
	close(fd);
}
END_TEST

START_TEST(not_open)
{
	int fd = listener(SOCK_DGRAM);

	log_line(LOG_INFO, "nobody asked");
	log_open("x", LOG_MAIL);
	log_close();
	log_line(LOG_INFO, "nobody asks any more");
	log_open("", LOG_MAIL);
	log_line(LOG_INFO, "no tag, no line");
	ck_assert_str_eq(next(fd), "");
	close(fd);
}
END_TEST

START_TEST(hostile_text)
{
	int fd = listener(SOCK_DGRAM);

	log_open("x", LOG_MAIL);
	log_line(LOG_INFO, "a\nb\rc\033[1m\177d %s", "gr\xc3\xbcn \xfc %n");
	ck_assert_str_eq(rest_of(next(fd), 22, "x"), "a?b?c?[1m?d gr\xc3\xbcn ? %n");
	close(fd);
}
END_TEST

START_TEST(hostile_tag)
{
	int fd = listener(SOCK_DGRAM);

	log_open("su[1]: a\nb", LOG_MAIL);
	log_line(LOG_INFO, "text");
	ck_assert_str_eq(rest_of(next(fd), 22, "su_1___a?b"), "text");
	log_open("0123456789012345678901234567890123456789", LOG_MAIL);
	log_line(LOG_INFO, "text");
	ck_assert_str_eq(
	    rest_of(next(fd), 22, "01234567890123456789012345678..."), "text");
	close(fd);
}
END_TEST

START_TEST(long_line)
{
	static char text[3000];
	int fd = listener(SOCK_DGRAM);
	const char *got;

	memset(text, 'x', LOG_LINE_MAX);
	log_open("x", LOG_MAIL);
	log_line(LOG_INFO, "%s", text);
	ck_assert_str_eq(rest_of(next(fd), 22, "x"), text);
	memset(text, 'x', sizeof(text) - 1);
	log_line(LOG_INFO, "%s", text);
	got = rest_of(next(fd), 22, "x");
	ck_assert_uint_eq(strlen(got), LOG_LINE_MAX);
	ck_assert_str_eq(got + LOG_LINE_MAX - 4, "x...");
	close(fd);
}
END_TEST

START_TEST(missing)
{
	int64_t begin = clock_ms();
	int fd;

	log_open("x", LOG_MAIL);
	errno = EDOM;
	for (int i = 0; i < 1000; i++)
		log_line(LOG_INFO, "nobody there");
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_lt(clock_ms() - begin, 1000);
	/* It is not looked for again at every line ... */
	fd = listener(SOCK_DGRAM);
	log_line(LOG_INFO, "too early");
	ck_assert_str_eq(next(fd), "");
	/* ... but by a program that begins anew. */
	log_open("x", LOG_MAIL);
	log_line(LOG_INFO, "here");
	ck_assert_str_eq(rest_of(next(fd), 22, "x"), "here");
	close(fd);
}
END_TEST

/* A socket that nobody reads any more, and a file that is no socket. */
START_TEST(stale)
{
	int fd = listener(SOCK_DGRAM);

	close(fd);
	log_open("x", LOG_MAIL);
	log_line(LOG_INFO, "nobody there");
	unlink(LOG_SOCKET);
	fd = open(LOG_SOCKET, O_WRONLY | O_CREAT, 0600);
	log_open("x", LOG_MAIL);
	log_line(LOG_INFO, "nobody there");
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}
END_TEST

START_TEST(restarted)
{
	int fd = listener(SOCK_DGRAM);

	log_open("x", LOG_MAIL);
	log_line(LOG_INFO, "before");
	ck_assert_str_eq(rest_of(next(fd), 22, "x"), "before");
	close(fd);
	fd = listener(SOCK_DGRAM);
	errno = EDOM;
	log_line(LOG_INFO, "after");
	ck_assert_int_eq(errno, EDOM);
	ck_assert_str_eq(rest_of(next(fd), 22, "x"), "after");
	close(fd);
	log_line(LOG_INFO, "gone");
	fd = listener(SOCK_DGRAM);
	log_line(LOG_INFO, "still gone for a minute");
	ck_assert_str_eq(next(fd), "");
	close(fd);
}
END_TEST

/* 50 ms once; then lines are dropped at once until there is room again. */
START_TEST(full)
{
	int fd = listener(SOCK_DGRAM);
	int64_t begin = clock_ms();
	int64_t took;
	int taken = 0;

	log_open("x", LOG_MAIL);
	for (int i = 0; i < 500; i++)
		log_line(LOG_INFO, "line %d", i);
	took = clock_ms() - begin;
	ck_assert_int_ge(took, 49);
	ck_assert_int_lt(took, 10000);
	for (const char *line; *(line = next(fd)) != '\0'; taken++) {
		char text[32];

		snprintf(text, sizeof(text), "line %d", taken);
		ck_assert_str_eq(rest_of(line, 22, "x"), text);
	}
	ck_assert_int_gt(taken, 0);
	ck_assert_int_lt(taken, 500);
	log_line(LOG_INFO, "room again");
	ck_assert_str_eq(rest_of(next(fd), 22, "x"), "room again");
	close(fd);
}
END_TEST

START_TEST(stream)
{
	int fd = listener(SOCK_STREAM);
	char got[4096];
	ssize_t n;
	int peer;

	log_open("x", LOG_MAIL);
	log_line(LOG_INFO, "first");
	log_line(LOG_INFO, "second");
	peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	n = recv(peer, got, sizeof(got), MSG_DONTWAIT);
	ck_assert_str_eq(rest_of(got, 22, "x"), "first");
	ck_assert_str_eq(rest_of(got + strlen(got) + 1, 22, "x"), "second");
	ck_assert_int_eq(
	    n, (ssize_t)(2 * strlen(got) + strlen("second") - strlen("first") + 2));
	/* Its reader goes away: no SIGPIPE, a new connection. */
	close(peer);
	log_line(LOG_INFO, "third");
	peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	recv(peer, got, sizeof(got), MSG_DONTWAIT);
	ck_assert_str_eq(rest_of(got, 22, "x"), "third");
	close(peer);
	close(fd);
}
END_TEST

/* Nobody reads the stream: lines are dropped whole, none is begun and not ended. */
START_TEST(full_stream)
{
	int fd = listener(SOCK_STREAM);
	int64_t begin = clock_ms();
	static char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	log_open("x", LOG_MAIL);
	for (int i = 0; i < 500; i++)
		log_line(LOG_INFO, "%s", text);
	ck_assert_int_lt(clock_ms() - begin, 10000);
	close(fd);
}
END_TEST

START_TEST(facilities)
{
	static const struct {
		const char *name;
		int facility;
	} known[] = { { "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV },
		{ "cron", LOG_CRON }, { "daemon", LOG_DAEMON }, { "ftp", LOG_FTP },
		{ "lpr", LOG_LPR }, { "mail", LOG_MAIL }, { "MAIL", LOG_MAIL },
		{ "news", LOG_NEWS }, { "syslog", LOG_SYSLOG }, { "user", LOG_USER },
		{ "uucp", LOG_UUCP }, { "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 },
		{ "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 }, { "Local7", LOG_LOCAL7 }, { "local8", -1 },
		{ "kern", -1 }, { "", -1 }, { "mail ", -1 }, { "LOG_MAIL", -1 },
		{ "2", -1 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_msg(log_facility(known[i].name) == known[i].facility, "%s: %d",
		    known[i].name, log_facility(known[i].name));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("log");
	TCase *c = tcase_create("log");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_line);
	tcase_add_test(c, local_time);
	tcase_add_test(c, every_month);
	tcase_add_test(c, not_open);
	tcase_add_test(c, hostile_text);
	tcase_add_test(c, hostile_tag);
	tcase_add_test(c, long_line);
	tcase_add_test(c, missing);
	tcase_add_test(c, stale);
	tcase_add_test(c, restarted);
	tcase_add_test(c, full);
	tcase_add_test(c, stream);
	tcase_add_test(c, full_stream);
	tcase_add_test(c, facilities);
	suite_add_tcase(s, c);
	return run_suite(s);
}
