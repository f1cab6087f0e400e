/*
 * The flusher's pools and TLS: tests/tls/tlsfront is the server.
 */
#include <check.h>
#include <stdio.h>

#include "delivery/dial.h"
#include "flush/pool.h"
#include "suite.h"
#include "tlsstage.h"

#define PATIENCE 30000 /* milliseconds, for what must happen */

/* What came back, and how. */
struct back {
	bool offered;
	int n;
};

static void
over(void *arg, struct pool *p, struct parcel *parcel, const struct pool_end *end)
{
	struct back *back = arg;

	(void)p;
	(void)parcel;
	*back = (struct back){ end->session != NULL, back->n + 1 };
}

static bool
ready(void *arg, struct pool *p, struct parcel *parcel)
{
	(void)arg;
	(void)p;
	(void)parcel;
	return true;
}

static int
commit(void *arg)
{
	(void)arg;
	return 0;
}

static struct back back;
static const struct pool_hooks hooks = { over, ready, commit, &back };
static char name[] = "a", host[] = "127.0.0.1", nothing[] = "", authority[128];

static struct server
secure(int port)
{
	snprintf(authority, sizeof(authority), "%s", tls.ca);
	back = (struct back){ 0 };
	return (struct server){
		.name = name,
		.host = host,
		.port = port,
		.tls = true,
		.tls_name = host,
		.tls_ca = authority,
		.tls_fingerprint = nothing,
		.tls_certificate = nothing,
		.tls_key = nothing,
		.tls_key_readable = true,
		.connect_timeout = 30,
		.send_timeout = 30,
		.reply_timeout = 30,
		.recipients_per_package = 1,
		.in_flight = 4,
		.connections = 1,
	};
}

static void
step(struct pool *p)
{
	struct wait w = { 0 };

	wait_begin(&w);
	wait_until(&w, qmtp_now() + 100);
	pool_wait(p, &w);
	wait_sleep(&w, NULL);
	wait_free(&w);
	pool_step(p, qmtp_now());
}

/*
 * With TLS 1.3 a client hears that its certificate is not taken when its package, last
 * byte included, has long been given away.
 */
START_TEST(test_we_are_refused)
{
	char how[200];
	struct server server;
	struct parcel parcel = { .n = 1 };
	struct pool p;
	int64_t until = qmtp_now() + PATIENCE;

	start_server("");
	snprintf(how, sizeof(how), "--ask %s --require --min 1.3", tls.ca);
	server = secure(start_front("good", how));
	new_package();
	parcel.package = package;
	pool_init(&p, &server, false, &hooks);
	pool_submit(&p, &parcel);
	while (back.n == 0 && qmtp_now() < until)
		step(&p);
	ck_assert_int_eq(back.n, 1);
	ck_assert(!back.offered); /* so nothing is held against the message */
	ck_assert(pool_is_down(&p, qmtp_now()));
	ck_assert_uint_eq(p.failures, 1);
	ck_assert(p.stale);
	pool_free(&p);
}
END_TEST

/* A connection that is up and says nothing of TLS is waited for, and not for long. */
START_TEST(test_patience)
{
	struct server server;
	struct pool p;
	int64_t begun = qmtp_now();

	start_server("");
	server = secure(start_front("good", "--stall"));
	pool_init(&p, &server, false, &hooks);
	ck_assert_int_eq(pool_patience(&p), 0);
	pool_start(&p, begun);
	while (pool_patience(&p) == 0 && qmtp_now() < begun + PATIENCE)
		step(&p);
	ck_assert(pool_connects(&p));
	ck_assert(!pool_stands(&p));
	ck_assert_int_ge(pool_patience(&p), begun + DIAL_PATIENCE);
	ck_assert_int_le(pool_patience(&p), qmtp_now() + DIAL_PATIENCE);
	pool_free(&p);
	ck_assert_int_eq(back.n, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pool_tls");
	TCase *t = tcase_create("pool_tls");
	int r;

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 100);
	tcase_add_test(t, test_we_are_refused);
	tcase_add_test(t, test_patience);
	suite_add_tcase(s, t);
	stage_make(1);
	r = run_suite(s);
	stage_remove();
	return r;
}
