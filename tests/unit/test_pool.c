#include <check.h>
#include <stdint.h>

#include "flush/pool.h"
#include "suite.h"

START_TEST(test_backoff)
{
	ck_assert_int_eq(pool_backoff(1), 5000);
	ck_assert_int_eq(pool_backoff(2), 10000);
	ck_assert_int_eq(pool_backoff(3), 20000);
	ck_assert_int_eq(pool_backoff(6), 160000);
	ck_assert_int_eq(pool_backoff(7), 300000);
	ck_assert_int_eq(pool_backoff(8), 300000);
	ck_assert_int_eq(pool_backoff(4000000000u), 300000);
}
END_TEST

START_TEST(test_parcels)
{
	struct parcels list = { 0 };
	struct parcel a = { 0 }, b = { 0 };

	ck_assert_ptr_null(parcels_take(&list));
	parcels_add(&list, &a);
	parcels_add(&list, &b);
	ck_assert_uint_eq(list.n, 2);
	ck_assert_ptr_eq(parcels_take(&list), &a);
	parcels_add(&list, &a);
	ck_assert_ptr_eq(parcels_take(&list), &b);
	ck_assert_ptr_eq(parcels_take(&list), &a);
	ck_assert_ptr_null(parcels_take(&list));
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

/* What came back, and how. */
struct back {
	struct parcel *parcel;
	bool offered;
	int n;
};

static void
over(void *arg, struct pool *p, struct parcel *parcel, const struct pool_end *end)
{
	struct back *back = arg;

	(void)p;
	*back = (struct back){ parcel, end->session != NULL, back->n + 1 };
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

static char name[] = "a", host[] = "/no/such/socket";

static struct server
nowhere(void)
{
	return (struct server){
		.name = name,
		.host = host,
		.connect_timeout = 1,
		.send_timeout = 1,
		.reply_timeout = 1,
		.recipients_per_package = 1,
		.in_flight = 4,
		.connections = 2,
	};
}

START_TEST(test_unreachable)
{
	struct server server = nowhere();
	struct back back = { 0 };
	const struct pool_hooks hooks = { over, ready, commit, &back };
	struct parcel parcel = { .n = 1 };
	struct pool p;
	int64_t now = qmtp_now();

	pool_init(&p, &server, false, &hooks);
	ck_assert(!pool_is_down(&p, now));
	ck_assert(pool_has_room(&p));
	pool_submit(&p, &parcel);
	pool_step(&p, now); /* it begins to connect */
	pool_step(&p, now); /* and hears that it cannot */
	ck_assert_int_eq(back.n, 1);
	ck_assert_ptr_eq(back.parcel, &parcel);
	ck_assert(!back.offered);
	ck_assert(pool_is_down(&p, qmtp_now()));
	ck_assert(!pool_is_down(&p, qmtp_now() + POOL_SOONEST));
	ck_assert_uint_eq(p.failures, 1);

	/* while it is down everything comes back at once */
	pool_submit(&p, &parcel);
	pool_step(&p, now);
	ck_assert_int_eq(back.n, 2);
	ck_assert_uint_eq(p.failures, 1);
	pool_free(&p);
	ck_assert_int_eq(back.n, 2);
}
END_TEST

START_TEST(test_tls)
{
	struct server server = nowhere();
	struct back back = { 0 };
	const struct pool_hooks hooks = { over, ready, commit, &back };
	struct parcel parcel = { .n = 1 };
	struct pool p;

	server.tls = true;
	pool_init(&p, &server, false, &hooks);
	ck_assert(pool_is_down(&p, INT64_MAX - 1));
	pool_start(&p, 0);
	ck_assert(!pool_connects(&p));
	pool_submit(&p, &parcel);
	pool_step(&p, 0);
	ck_assert_int_eq(back.n, 1);
	ck_assert(!back.offered);
	pool_free(&p);
}
END_TEST

START_TEST(test_recall)
{
	struct server server = nowhere();
	struct back back = { 0 };
	const struct pool_hooks hooks = { over, ready, commit, &back };
	struct parcel parcel = { .n = 1 };
	struct pool p;

	pool_init(&p, &server, false, &hooks);
	pool_submit(&p, &parcel);
	pool_close(&p);
	pool_step(&p, qmtp_now());
	ck_assert_int_eq(back.n, 0);
	pool_recall(&p);
	ck_assert_int_eq(back.n, 1);
	ck_assert(!back.offered);
	pool_free(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pool");
	TCase *t = tcase_create("pool");

	tcase_add_test(t, test_backoff);
	tcase_add_test(t, test_parcels);
	tcase_add_test(t, test_unreachable);
	tcase_add_test(t, test_tls);
	tcase_add_test(t, test_recall);
	suite_add_tcase(s, t);
	return run_suite(s);
}
