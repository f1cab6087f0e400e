/*
 * Names, and what is none; a resolver that hangs, and sessions that share the look-up they
 * wait for.
 */
#include <net/if.h>

#include "network.h"
#include "suite.h"

static struct qmtp_options options;
static int descriptors, threads; /* before the test */

static void
set_up(void)
{
	network_up();
	options = (struct qmtp_options){ .host = "server.example" };
	put_address("192.0.2.1", GOOD);
	put_address("192.0.2.2", GOOD);
	names.addresses = "192.0.2.1";
	descriptors = count_descriptors();
	threads = count_threads();
}

static void
tear_down(void)
{
	wait_counts(descriptors, threads);
	network_down();
}

/* Free it once it is connected. */
static void
connects(struct qmtp_session *s, const char *peer)
{
	ck_assert_msg(
	    finish(s) == QMTP_OPEN, "not open: %s", qmtp_session_error(s)->text);
	ck_assert_str_eq(qmtp_session_peer(s), peer);
	qmtp_session_free(s);
}

/* ---- what the resolver says ---- */

static const struct {
	int result, errnum;
	enum qmtp_cause cause;
	int errnum_told;
	const char *text;
} answers[] = {
	{ EAI_NONAME, 0, QMTP_RESOLVER, EAI_NONAME, "no such host" },
	{ EAI_AGAIN, ECONNREFUSED, QMTP_RESOLVER, EAI_AGAIN,
	    "the name servers do not answer" },
	{ EAI_FAIL, 0, QMTP_RESOLVER, EAI_FAIL, "the name servers failed" },
#ifdef EAI_NODATA
	{ EAI_NODATA, 0, QMTP_RESOLVER, EAI_NODATA, "the host has no address" },
#endif
	{ EAI_MEMORY, ENOMEM, QMTP_MEMORY, EAI_MEMORY, "out of memory" },
	{ EAI_FAMILY, 0, QMTP_RESOLVER, EAI_FAMILY, "the resolver failed" },
	{ EAI_SYSTEM, EMFILE, QMTP_SYSTEM, EMFILE, "Too many open files" },
	{ EAI_SYSTEM, 0, QMTP_RESOLVER, EAI_SYSTEM, "the resolver failed" },
	{ 0, 0, QMTP_RESOLVER, EAI_NONAME, "no such host" }, /* an empty list */
};

START_TEST(refusals)
{
	const struct qmtp_error *e;
	struct qmtp_session *s;
	char text[200];

	names.result = answers[_i].result;
	names.errnum = answers[_i].errnum;
	names.addresses = "";
	snprintf(text, sizeof(text), "%s while looking up the name", answers[_i].text);
	s = begin_session(&options);
	ck_assert_int_eq(finish(s), QMTP_CLOSED);
	e = qmtp_session_error(s);
	ck_assert_str_eq(e->text, text);
	ck_assert_int_eq(e->phase, QMTP_RESOLVE);
	ck_assert_int_eq(e->cause, answers[_i].cause);
	ck_assert_int_eq(e->errnum, answers[_i].errnum_told);
	ck_assert_str_eq(qmtp_session_peer(s), "");
	qmtp_session_free(s);
}
END_TEST

/* Signals are the program's: the thread takes none, and the program's mask is as it was. */
START_TEST(no_signals)
{
	sigset_t before, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	connects(begin_session(&options), "192.0.2.1");
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	ck_assert(names.masked);
	ck_assert_int_eq(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}
END_TEST

/* ---- what is no name ---- */

static const struct {
	const char *host, *peer;
} literals[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "127.1", "127.0.0.1" },
	{ "::1", "::1" },
	{ "2001:DB8:0:0::1", "2001:db8::1" },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
};

START_TEST(numbers)
{
	put_address(literals[_i].peer, GOOD);
	options.host = literals[_i].host;
	connects(begin_session(&options), literals[_i].peer);
	ck_assert_int_eq(lookups(), 0);
}
END_TEST

/* The first interface is lo, by name or by number. */
START_TEST(scopes)
{
	char name[IF_NAMESIZE], by_name[64];

	ck_assert_ptr_nonnull(if_indextoname(1, name));
	snprintf(by_name, sizeof(by_name), "fe80::1%%%s", name);
	put_address(by_name, GOOD);
	options.host = by_name;
	connects(begin_session(&options), by_name);
	options.host = "fe80::1%1";
	connects(begin_session(&options), by_name);
	ck_assert_int_eq(lookups(), 0);
}
END_TEST

static const struct {
	const char *host, *text;
} bad_literals[] = {
	{ "fe80::1%none0", "no IPv6 address with a scope that is known here" },
	{ "fe80::1%", "no IPv6 address with a scope that is known here" },
	{ "2001:db8::1%none0", "no IPv6 address with a scope that is known here" },
	{ "fe80::1", "a link-local address needs a scope, like %eth0," },
	{ "2001:db8::g", "no IPv6 address" },
	{ "192.0.2.1:209", "no IPv6 address" },
	{ "[::1]", "no IPv6 address" },
};

/* Said at once, and not asked of the name servers. */
START_TEST(bad_numbers)
{
	struct qmtp_session *s;
	char text[200];

	options.host = bad_literals[_i].host;
	s = begin_session(&options);
	ck_assert_int_eq(qmtp_session_state(s), QMTP_CLOSED);
	snprintf(
	    text, sizeof(text), "%s while looking up the name", bad_literals[_i].text);
	ck_assert_str_eq(qmtp_session_error(s)->text, text);
	ck_assert_int_eq(qmtp_session_error(s)->phase, QMTP_RESOLVE);
	ck_assert_int_eq(qmtp_session_error(s)->cause, QMTP_RESOLVER);
	ck_assert_int_eq(lookups(), 0);
	qmtp_session_free(s);
}
END_TEST

/* ---- a resolver that hangs ---- */

/* Each try costs time and nothing else: one thread, however many there are. */
START_TEST(one_thread)
{
	options.shared = qmtp_shared_new();
	set_names(false);
	for (int i = 0; i < 20; i++) {
		struct qmtp_session *s = begin_session(&options);

		wait_lookups(1);
		advance_clock(10000);
		ck_assert_int_eq(qmtp_session_step(s), QMTP_CLOSED);
		ck_assert_int_eq(qmtp_session_error(s)->cause, QMTP_TIMEOUT);
		qmtp_session_free(s);
		ck_assert_int_eq(count_threads(), threads + 1);
		ck_assert_int_eq(count_descriptors(), descriptors + 2);
	}
	ck_assert_int_eq(lookups(), 1);

	/* it comes back: who waits then has its answer, who comes later asks anew */
	struct qmtp_session *s = begin_session(&options);

	set_names(true);
	connects(s, "192.0.2.1");
	ck_assert_int_eq(lookups(), 1);
	wait_counts(descriptors, threads);
	names.addresses = "192.0.2.2";
	connects(begin_session(&options), "192.0.2.2");
	ck_assert_int_eq(lookups(), 2);
	qmtp_shared_free(options.shared);
}
END_TEST

/* It comes back when nobody waits: what it said then is not what it says now. */
START_TEST(late_answer)
{
	static const char *const hosts[] = { "server.example", "192.0.2.2" };

	options.shared = qmtp_shared_new();
	set_names(false);
	qmtp_session_free(begin_session(&options));
	set_names(true);
	for (int i = 0; i < PATIENCE && count_threads() > threads; i++)
		usleep(1000);
	names.addresses = "192.0.2.2";
	options.host = hosts[_i];
	connects(begin_session(&options), "192.0.2.2");
	ck_assert_int_eq(lookups(), 2 - _i);
	/* ... and it is let go of, also by a look-up that is over as soon as it begins */
	wait_counts(descriptors, threads);
	qmtp_shared_free(options.shared);
}
END_TEST

/* The thread cleans up behind itself, alone in the world. */
START_TEST(left_behind)
{
	for (int i = 0; i < 4; i++) {
		struct qmtp_session *s;

		options.shared = i % 2 ? qmtp_shared_new() : NULL;
		set_names(false);
		s = begin_session(&options);
		wait_lookups(i + 1);
		qmtp_session_step(s);
		qmtp_session_free(s);
		qmtp_shared_free(options.shared);
		ck_assert_int_eq(count_threads(), threads + 1);
		set_names(true);
		wait_counts(descriptors, threads);
	}
}
END_TEST

/* A session that shares nothing waits for nobody else's. */
START_TEST(alone)
{
	struct qmtp_session *s[3];

	set_names(false);
	for (int i = 0; i < 3; i++)
		s[i] = begin_session(&options);
	wait_lookups(3);
	set_names(true);
	for (int i = 0; i < 3; i++)
		connects(s[i], "192.0.2.1");
}
END_TEST

/* One for another server, or another port, is not joined. */
START_TEST(another_server)
{
	struct qmtp_session *s[4];

	options.shared = qmtp_shared_new();
	set_names(false);
	for (int i = 0; i < 4; i++) {
		options.host = i == 1 ? "other.example" : "server.example";
		options.port = i == 3 ? 6209 : 209;
		s[i] = begin_session(&options);
		wait_lookups(i + 1);
	}
	set_names(true);
	for (int i = 0; i < 4; i++)
		connects(s[i], "192.0.2.1");
	qmtp_shared_free(options.shared);
}
END_TEST

/* ---- joining ---- */

static const int turns[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
	{ 2, 0, 1 }, { 2, 1, 0 } };

/*
 * Three sessions wait for one answer, and use its addresses for as long as each needs,
 * in whatever order they end, before the answer or with attempts under way.
 */
START_TEST(joined)
{
	struct qmtp_session *s[3];
	struct pollfd v[QMTP_POLL_MAX];
	const int *turn = turns[_i % 6];
	bool answered = _i >= 6;

	put_address("192.0.2.3", HOLE);
	put_address("192.0.2.4", HOLE);
	names.addresses = "192.0.2.3 192.0.2.4 192.0.2.1";
	options.connect_timeout = 10 * PATIENCE; /* of a clock that runs ahead */
	options.shared = qmtp_shared_new();
	set_names(false);
	for (int i = 0; i < 3; i++)
		s[i] = begin_session(&options);
	if (answered) {
		set_names(true);
		until_tried(s[0], "192.0.2.3 ");
		until_tried(s[1], "192.0.2.3 192.0.2.3 ");
		until_tried(s[2], "192.0.2.3 192.0.2.3 192.0.2.3 ");
		advance_clock(250);
	}
	qmtp_session_free(s[turn[0]]);
	qmtp_session_step(s[turn[1]]);
	qmtp_session_free(s[turn[1]]);
	set_names(true);
	while (qmtp_session_step(s[turn[2]]) == QMTP_CONNECTING) {
		poll(v, qmtp_session_poll(s[turn[2]], v), 1);
		advance_clock(10);
	}
	ck_assert_str_eq(qmtp_session_peer(s[turn[2]]), "192.0.2.1");
	qmtp_session_free(s[turn[2]]);
	ck_assert_int_eq(lookups(), 1);
	qmtp_shared_free(options.shared);
}
END_TEST

#define THREADS 8
#define ROUNDS 25

static pthread_barrier_t barrier;

/* The first failure, or NULL. */
static char *
one_session(bool wait)
{
	struct qmtp_error err = { 0 };
	struct qmtp_session *s = qmtp_session_new(&options, &err);
	bool well = s != NULL && (!wait || qmtp_session_connect(s, &err) == 0);

	qmtp_session_free(s);
	return well ? NULL : strdup(err.text);
}

static void *
waiting_thread(void *arg)
{
	struct qmtp_error err = { 0 };
	char *failed = NULL;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		struct qmtp_session *s;

		pthread_barrier_wait(&barrier);
		s = qmtp_session_new(&options, &err);
		pthread_barrier_wait(&barrier);
		if (failed == NULL && (s == NULL || qmtp_session_connect(s, &err) < 0))
			failed = strdup(err.text);
		qmtp_session_free(s);
		pthread_barrier_wait(&barrier);
	}
	return failed;
}

static void *
racing_thread(void *arg)
{
	char *failed = NULL;

	(void)arg;
	for (int i = 0; i < ROUNDS * 4 && failed == NULL; i++)
		failed = one_session(i % 3 != 0);
	return failed;
}

static void
start_threads(pthread_t *t, void *(*what)(void *))
{
	atomic_store(&clock_stands, false);
	options.shared = qmtp_shared_new();
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, what, NULL), 0);
}

static void
join_threads(pthread_t *t)
{
	for (int i = 0; i < THREADS; i++) {
		void *failed;

		pthread_join(t[i], &failed);
		ck_assert_msg(failed == NULL, "%s", (char *)failed);
	}
	qmtp_shared_free(options.shared);
}

/* Eight sessions in eight threads wait for a resolver that hangs: one look-up. */
START_TEST(waiting_in_threads)
{
	pthread_t t[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	start_threads(t, waiting_thread);
	for (int i = 0; i < ROUNDS; i++) {
		set_names(false);
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		wait_lookups(i + 1);
		ck_assert_int_eq(lookups(), i + 1);
		set_names(true);
		pthread_barrier_wait(&barrier);
	}
	join_threads(t);
	pthread_barrier_destroy(&barrier);
}
END_TEST

/* Answers come while others begin to wait, give up, or have just seen them. */
START_TEST(racing_in_threads)
{
	pthread_t t[THREADS];

	start_threads(t, racing_thread);
	join_threads(t);
	ck_assert_int_le(lookups(), THREADS * ROUNDS * 4);
}
END_TEST

START_TEST(shared_nothing)
{
	qmtp_shared_free(NULL);
	qmtp_shared_free(qmtp_shared_new());
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

int
main(void)
{
	Suite *s = suite_create("lookup");
	TCase *t = tcase_create("lookup");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, refusals, 0, COUNT(answers));
	tcase_add_test(t, no_signals);
	tcase_add_loop_test(t, numbers, 0, COUNT(literals));
	tcase_add_test(t, scopes);
	tcase_add_loop_test(t, bad_numbers, 0, COUNT(bad_literals));
	tcase_add_test(t, one_thread);
	tcase_add_loop_test(t, late_answer, 0, 2);
	tcase_add_test(t, left_behind);
	tcase_add_test(t, alone);
	tcase_add_test(t, another_server);
	tcase_add_loop_test(t, joined, 0, 12);
	tcase_add_test(t, waiting_in_threads);
	tcase_add_test(t, racing_in_threads);
	tcase_add_test(t, shared_nothing);
	suite_add_tcase(s, t);
	return run_suite(s);
}
