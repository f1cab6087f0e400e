/*
 * Which addresses are tried, in which order and when (RFC 8305); what becomes of those that
 * fail, and of the time.
 */
#include <sys/resource.h>
#include <sys/un.h>

#include "network.h"
#include "suite.h"

static struct qmtp_options options;
static int descriptors, threads; /* before the test */

static void
set_up(void)
{
	network_up();
	options = (struct qmtp_options){ .host = "server.example", .port = 209 };
	descriptors = count_descriptors();
	threads = count_threads();
}

static void
tear_down(void)
{
	wait_counts(descriptors, threads);
	network_down();
}

static struct qmtp_session *
begin(const char *addresses)
{
	names.addresses = addresses;
	return begin_session(&options);
}

static void
fails_with(struct qmtp_session *s, enum qmtp_phase phase, enum qmtp_cause cause,
    int errnum, const char *text)
{
	const struct qmtp_error *e = qmtp_session_error(s);

	ck_assert_int_eq(qmtp_session_state(s), QMTP_CLOSED);
	ck_assert_str_eq(e->text, text);
	ck_assert_int_eq(e->phase, phase);
	ck_assert_int_eq(e->cause, cause);
	ck_assert_int_eq(e->errnum, errnum);
	qmtp_session_free(s);
}

/* ---- order ---- */

static const struct {
	const char *given, *tried;
} orders[] = {
	{ "192.0.2.1", "192.0.2.1 " },
	{ "192.0.2.2 192.0.2.1 192.0.2.3", "192.0.2.2 192.0.2.1 192.0.2.3 " },
	{ "2001:db8::1 192.0.2.1", "2001:db8::1 192.0.2.1 " },
	{ "192.0.2.1 192.0.2.2 2001:db8::1", "192.0.2.1 2001:db8::1 192.0.2.2 " },
	{ "2001:db8::3 2001:db8::2 2001:db8::1 192.0.2.2 192.0.2.1",
	    "2001:db8::3 192.0.2.2 2001:db8::2 192.0.2.1 2001:db8::1 " },
	{ "2001:db8::1 192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::2",
	    "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 192.0.2.3 " },
};

/* RFC 8305 §4: as getaddrinfo(3) has them, but the families take turns. */
START_TEST(order)
{
	struct qmtp_session *s = begin(orders[_i].given);
	char all[sizeof(tried)];

	ck_assert_int_eq(finish(s), QMTP_CLOSED);
	get_tried(all);
	ck_assert_str_eq(all, orders[_i].tried);
	qmtp_session_free(s);
}
END_TEST

/* ---- time ---- */

START_TEST(staggered)
{
	struct qmtp_session *s;
	int64_t begun = qmtp_now();

	put_address("192.0.2.1", HOLE);
	put_address("192.0.2.2", HOLE);
	put_address("192.0.2.3", HOLE);
	s = begin("192.0.2.1 192.0.2.2 192.0.2.3");
	until_tried(s, "192.0.2.1 ");
	ck_assert_int_eq(qmtp_session_deadline(s), begun + 250);
	advance_clock(249);
	until_tried(s, "192.0.2.1 ");
	advance_clock(1);
	until_tried(s, "192.0.2.1 192.0.2.2 ");
	ck_assert_int_eq(qmtp_session_deadline(s), begun + 500);
	advance_clock(300);
	until_tried(s, "192.0.2.1 192.0.2.2 192.0.2.3 ");
	ck_assert_int_eq(qmtp_session_deadline(s), begun + 10000);
	qmtp_session_free(s);
}
END_TEST

/* The same with the real clock, and the session's own loop. */
START_TEST(black_hole_first)
{
	struct qmtp_error err = { 0 };
	struct qmtp_session *s;
	int64_t begun;

	atomic_store(&clock_stands, false);
	begun = qmtp_now();
	put_address("192.0.2.1", HOLE);
	put_address("2001:db8::1", GOOD);
	s = begin("192.0.2.1 2001:db8::1");
	ck_assert_msg(qmtp_session_connect(s, &err) == 0, "%s", err.text);
	ck_assert_str_eq(qmtp_session_peer(s), "2001:db8::1");
	ck_assert_int_ge(qmtp_now() - begun, 250);
	qmtp_session_free(s);
}
END_TEST

START_TEST(next_at_once)
{
	struct qmtp_session *s;

	put_address("2001:db8::1", UNREACHABLE);
	put_address("192.0.2.1", REFUSED);
	put_address("2001:db8::2", GOOD);
	put_address("192.0.2.2", GOOD);
	s = begin("2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2");
	ck_assert_int_eq(finish(s), QMTP_OPEN);
	ck_assert_str_eq(tried, "2001:db8::1 192.0.2.1 2001:db8::2 ");
	ck_assert_str_eq(qmtp_session_peer(s), "2001:db8::2");
	qmtp_session_free(s);
}
END_TEST

/* ... also while another is under way; which may win still. */
START_TEST(next_at_once_beside_another)
{
	struct qmtp_session *s;

	put_address("192.0.2.1", HOLE);
	put_address("192.0.2.2", REFUSED);
	put_address("192.0.2.3", UNREACHABLE);
	put_address("192.0.2.4", HOLE);
	put_address("192.0.2.5", GOOD);
	s = begin("192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5");
	until_tried(s, "192.0.2.1 ");
	advance_clock(250);
	until_tried(s, "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 ");
	ck_assert_int_eq(qmtp_session_deadline(s), qmtp_now() + 250);
	/* two holes are under way and nothing else */
	ck_assert_int_eq(count_descriptors(), descriptors + 4);
	advance_clock(250);
	ck_assert_int_eq(finish(s), QMTP_OPEN);
	ck_assert_str_eq(qmtp_session_peer(s), "192.0.2.5");
	qmtp_session_free(s);
}
END_TEST

/* EINTR: the connection is being made all the same. */
START_TEST(interrupted)
{
	struct qmtp_session *s;

	put_address("192.0.2.1", INTERRUPTED);
	s = begin("192.0.2.1 192.0.2.2");
	ck_assert_int_eq(finish(s), QMTP_OPEN);
	ck_assert_str_eq(tried, "192.0.2.1 ");
	qmtp_session_free(s);
}
END_TEST

/* The winner closes the others, and lets go of the look-up. */
START_TEST(winner_alone)
{
	struct qmtp_session *s;

	put_address("192.0.2.1", HOLE);
	put_address("192.0.2.2", HOLE);
	put_address("192.0.2.3", GOOD);
	s = begin("192.0.2.1 192.0.2.2 192.0.2.3");
	until_tried(s, "192.0.2.1 ");
	advance_clock(250);
	until_tried(s, "192.0.2.1 192.0.2.2 ");
	advance_clock(250);
	ck_assert_int_eq(finish(s), QMTP_OPEN);
	wait_counts(descriptors + 1, threads);
	qmtp_session_free(s);
}
END_TEST

/* ---- failures ---- */

START_TEST(all_fail)
{
	struct qmtp_session *s;

	put_address("192.0.2.1", REFUSED);
	put_address("2001:db8::1", UNREACHABLE);
	s = begin("192.0.2.1 2001:db8::1");
	finish(s);
	ck_assert_str_eq(qmtp_session_peer(s), "2001:db8::1");
	fails_with(s, QMTP_CONNECT, QMTP_SYSTEM, ENETUNREACH,
	    "Network is unreachable while connecting to 2001:db8::1");
	s = begin("2001:db8::1 192.0.2.1");
	finish(s);
	ck_assert_str_eq(qmtp_session_peer(s), "192.0.2.1");
	fails_with(s, QMTP_CONNECT, QMTP_SYSTEM, ECONNREFUSED,
	    "Connection refused while connecting to 192.0.2.1");
}
END_TEST

/* The last to fail is not the last in the list. */
START_TEST(late_failure)
{
	struct pollfd v[QMTP_POLL_MAX];
	struct qmtp_session *s;

	put_address("192.0.2.1", HOLE);
	s = begin("192.0.2.1 192.0.2.2");
	until_tried(s, "192.0.2.1 ");
	advance_clock(250);
	until_tried(s, "192.0.2.1 192.0.2.2 ");
	while (qmtp_session_poll(s, v) > 1)
		qmtp_session_step(s);
	fates[0].fate = UNREACHABLE;
	qmtp_session_step(s);
	fails_with(s, QMTP_CONNECT, QMTP_SYSTEM, ENETUNREACH,
	    "Network is unreachable while connecting to 192.0.2.1");
}
END_TEST

START_TEST(no_descriptors)
{
	struct rlimit before, none;
	struct qmtp_error err;
	struct qmtp_session *s;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	options.host = "192.0.2.1";
	s = begin_session(&options);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	qmtp_session_step(s);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	fails_with(s, QMTP_CONNECT, QMTP_SYSTEM, EMFILE,
	    "Too many open files while connecting to 192.0.2.1");

	options.host = "server.example";
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	s = qmtp_session_new(&options, &err);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	fails_with(s, QMTP_RESOLVE, QMTP_SYSTEM, EMFILE,
	    "Too many open files while looking up the name server.example");
	ck_assert_int_eq(lookups(), 0);
}
END_TEST

/* ---- the deadline ---- */

START_TEST(deadline_looking_up)
{
	struct qmtp_session *s;

	set_names(false);
	s = begin("192.0.2.1");
	ck_assert_int_eq(qmtp_session_deadline(s), qmtp_now() + 10000);
	advance_clock(9999);
	ck_assert_int_eq(qmtp_session_step(s), QMTP_CONNECTING);
	advance_clock(1);
	qmtp_session_step(s);
	fails_with(s, QMTP_RESOLVE, QMTP_TIMEOUT, 0,
	    "no answer in time while looking up the name");
	set_names(true);
}
END_TEST

START_TEST(deadline_at_the_answer)
{
	struct qmtp_session *s = begin("192.0.2.1");
	struct pollfd v[QMTP_POLL_MAX];

	ck_assert_int_eq(qmtp_session_poll(s, v), 1);
	ck_assert_int_eq(poll(v, 1, PATIENCE), 1);
	advance_clock(10000);
	qmtp_session_step(s);
	fails_with(s, QMTP_RESOLVE, QMTP_TIMEOUT, 0,
	    "no answer in time while looking up the name");
	ck_assert_str_eq(tried, "");
}
END_TEST

START_TEST(deadline_connecting)
{
	struct qmtp_session *s;

	put_address("192.0.2.1", HOLE);
	put_address("192.0.2.2", HOLE);
	options.connect_timeout = 600;
	s = begin("192.0.2.1 192.0.2.2 192.0.2.3");
	until_tried(s, "192.0.2.1 ");
	advance_clock(250);
	until_tried(s, "192.0.2.1 192.0.2.2 ");
	/* nothing is begun when the time is over */
	advance_clock(350);
	qmtp_session_step(s);
	ck_assert_str_eq(tried, "192.0.2.1 192.0.2.2 ");
	fails_with(s, QMTP_CONNECT, QMTP_TIMEOUT, 0,
	    "no answer in time while connecting to 192.0.2.2");
}
END_TEST

/* ---- long lists ---- */

static char list[4096];
static char each[100][32];

/* n addresses that do as they are told. */
static void
put_many(int n, enum fate fate)
{
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		snprintf(each[i], sizeof(each[i]), "198.51.100.%d", i + 1);
		put_address(each[i], fate);
		len += (size_t)snprintf(
		    list + len, sizeof(list) - len, "%s%s", i > 0 ? " " : "", each[i]);
	}
}

/* The oldest attempt makes room for the next. */
START_TEST(many_holes)
{
	struct pollfd v[QMTP_POLL_MAX];
	struct qmtp_session *s;

	put_many(30, HOLE);
	fates[29].fate = GOOD;
	s = begin(list);
	until_tried(s, "198.51.100.1 ");
	for (int i = 2; i <= 29; i++) {
		advance_clock(250);
		ck_assert_int_eq(qmtp_session_step(s), QMTP_CONNECTING);
		ck_assert_uint_eq(qmtp_session_poll(s, v), i < 8 ? i : 8);
		ck_assert_int_eq(qmtp_session_deadline(s), qmtp_now() + 250);
	}
	ck_assert_int_eq(count_descriptors(), descriptors + 8 + 2);
	advance_clock(250);
	ck_assert_int_eq(finish(s), QMTP_OPEN);
	ck_assert_str_eq(qmtp_session_peer(s), "198.51.100.30");
	qmtp_session_free(s);
}
END_TEST

/* The latest eight stay until they fail, or the deadline. */
START_TEST(oldest_of_eight)
{
	struct pollfd v[QMTP_POLL_MAX];
	struct qmtp_session *s;

	put_many(9, HOLE);
	s = begin(list);
	until_tried(s, "198.51.100.1 ");
	for (int i = 2; i <= 9; i++) {
		advance_clock(250);
		ck_assert_int_eq(qmtp_session_step(s), QMTP_CONNECTING);
	}
	ck_assert_int_gt(qmtp_session_deadline(s), qmtp_now() + 250);
	/* the first is given up, the second is not */
	fates[0].fate = fates[1].fate = UNREACHABLE;
	ck_assert_uint_eq(qmtp_session_poll(s, v), 8);
	ck_assert_int_eq(qmtp_session_step(s), QMTP_CONNECTING);
	ck_assert_uint_eq(qmtp_session_poll(s, v), 7);
	advance_clock(5000);
	ck_assert_int_eq(qmtp_session_step(s), QMTP_CONNECTING);
	advance_clock(5000);
	qmtp_session_step(s);
	fails_with(s, QMTP_CONNECT, QMTP_TIMEOUT, 0,
	    "no answer in time while connecting to 198.51.100.9");
}
END_TEST

START_TEST(too_many)
{
	struct qmtp_session *s;
	int n = 0;

	put_many(100, UNREACHABLE);
	s = begin(list);
	ck_assert_int_eq(finish(s), QMTP_CLOSED);
	for (const char *at = tried; (at = strchr(at, ' ')) != NULL; at++)
		n++;
	ck_assert_int_eq(n, 64);
	fails_with(s, QMTP_CONNECT, QMTP_SYSTEM, ENETUNREACH,
	    "Network is unreachable while connecting to 198.51.100.64");
}
END_TEST

/* ---- giving up ---- */

/* At every stage: nothing stays. tear_down() counts. */
START_TEST(cancelled)
{
	put_many(10, HOLE);
	names.addresses = list;
	for (int stage = 0; stage < 14; stage++) {
		struct qmtp_session *s;

		set_names(stage > 1);
		s = begin_session(&options);
		if (stage > 2)
			while (qmtp_session_deadline(s) > qmtp_now() + 250)
				qmtp_session_step(s);
		for (int i = 3; i < stage; i++) {
			advance_clock(250);
			qmtp_session_step(s);
		}
		if (stage % 2)
			qmtp_session_close(s);
		qmtp_session_free(s);
		set_names(true);
		wait_counts(descriptors, threads);
	}
}
END_TEST

/* ---- unix sockets ---- */

static char path[64];

static int
listen_unix(int backlog)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "/tmp/qmtp-test-%ld", (long)getpid());
	unlink(path);
	memcpy(sun.sun_path, path, strlen(path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	if (backlog >= 0)
		ck_assert_int_eq(listen(fd, backlog), 0);
	options.host = path;
	return fd;
}

/* connect(2) says EAGAIN, and nothing can be waited for but time. */
START_TEST(full_queue)
{
	int listener = listen_unix(0);
	struct qmtp_session *first = begin_session(&options), *s;
	struct pollfd v[QMTP_POLL_MAX];
	char text[200];

	ck_assert_int_eq(qmtp_session_step(first), QMTP_OPEN);
	ck_assert_str_eq(qmtp_session_peer(first), path);
	s = begin_session(&options);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(qmtp_session_step(s), QMTP_CONNECTING);
		ck_assert_uint_eq(qmtp_session_poll(s, v), 0);
		ck_assert_int_eq(qmtp_session_deadline(s), qmtp_now() + 50);
		advance_clock(50);
	}
	close(accept(listener, NULL, NULL));
	ck_assert_int_eq(qmtp_session_step(s), QMTP_OPEN);
	ck_assert_str_eq(qmtp_session_peer(s), path);
	qmtp_session_free(first);

	first = begin_session(&options);
	ck_assert_int_eq(qmtp_session_step(first), QMTP_CONNECTING);
	advance_clock(10000);
	qmtp_session_step(first);
	snprintf(text, sizeof(text), "no answer in time while connecting to %s", path);
	fails_with(first, QMTP_CONNECT, QMTP_TIMEOUT, 0, text);
	qmtp_session_free(s);
	close(listener);
	unlink(path);
}
END_TEST

START_TEST(no_listener)
{
	int listener = listen_unix(-1);
	struct qmtp_session *s = begin_session(&options);
	char text[200];

	snprintf(text, sizeof(text), "Connection refused while connecting to %s", path);
	qmtp_session_step(s);
	fails_with(s, QMTP_CONNECT, QMTP_SYSTEM, ECONNREFUSED, text);
	close(listener);
	unlink(path);
	snprintf(
	    text, sizeof(text), "No such file or directory while connecting to %s", path);
	s = begin_session(&options);
	qmtp_session_step(s);
	fails_with(s, QMTP_CONNECT, QMTP_SYSTEM, ENOENT, text);
}
END_TEST

/* 107 bytes fit. */
START_TEST(long_path)
{
	char longest[109];
	struct qmtp_session *s;

	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[107] = '\0';
	options.host = longest;
	s = begin_session(&options);
	qmtp_session_step(s);
	ck_assert_int_eq(qmtp_session_error(s)->errnum, ENOENT);
	ck_assert_str_eq(qmtp_session_peer(s), longest);
	qmtp_session_free(s);
	longest[107] = 'a';
	longest[108] = '\0';
	s = begin_session(&options);
	fails_with(s, QMTP_CONNECT, QMTP_INVALID, 0, "the socket's path is too long");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("connect");
	TCase *t = tcase_create("connect");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, order, 0, (int)(sizeof(orders) / sizeof(*orders)));
	tcase_add_test(t, staggered);
	tcase_add_test(t, black_hole_first);
	tcase_add_test(t, next_at_once);
	tcase_add_test(t, next_at_once_beside_another);
	tcase_add_test(t, interrupted);
	tcase_add_test(t, winner_alone);
	tcase_add_test(t, all_fail);
	tcase_add_test(t, late_failure);
	tcase_add_test(t, no_descriptors);
	tcase_add_test(t, deadline_looking_up);
	tcase_add_test(t, deadline_at_the_answer);
	tcase_add_test(t, deadline_connecting);
	tcase_add_test(t, many_holes);
	tcase_add_test(t, oldest_of_eight);
	tcase_add_test(t, too_many);
	tcase_add_test(t, cancelled);
	tcase_add_test(t, full_queue);
	tcase_add_test(t, no_listener);
	tcase_add_test(t, long_path);
	suite_add_tcase(s, t);
	return run_suite(s);
}
