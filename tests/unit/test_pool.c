#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static char name[] = "a", host[] = "/no/such/socket", loopback[] = "127.0.0.1";
static char nothing[] = "";

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

static struct qmtp_package *
package(void)
{
	struct qmtp_package *p = qmtp_package_new();

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(qmtp_package_sender(p, "secret@example.org"), 0);
	ck_assert_int_eq(qmtp_package_rcpt(p, "secret@example.net"), 0);
	ck_assert_int_eq(qmtp_package_lend(p, "secret\n", 7), 0);
	return p;
}

static void
run_until_back(struct pool *p, const struct back *back)
{
	struct wait w = { 0 };

	while (back->n == 0) {
		wait_begin(&w);
		pool_wait(p, &w);
		wait_sleep(&w, NULL);
		pool_step(p, qmtp_now());
	}
	wait_free(&w);
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

/* A server that wants TLS and does not speak it. */
START_TEST(test_tls)
{
	struct server server = nowhere();
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t size = sizeof(sin);
	struct back back = { 0 };
	const struct pool_hooks hooks = { over, ready, commit, &back };
	struct parcel parcel = { .n = 1 };
	struct pool p;
	char got[4096];
	ssize_t n = 0;
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sin, size), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&sin, &size), 0);
	server.host = server.tls_name = loopback;
	server.port = ntohs(sin.sin_port);
	server.tls = true;
	server.tls_ca = server.tls_fingerprint = nothing;
	server.tls_certificate = server.tls_key = nothing;

	pool_init(&p, &server, false, &hooks);
	ck_assert(!pool_is_down(&p, qmtp_now()));
	parcel.package = package();
	pool_submit(&p, &parcel);
	pool_step(&p, qmtp_now());
	pool_step(&p, qmtp_now());
	fd = accept(listener, NULL, NULL);
	ck_assert_int_eq(send(fd, "hello", 5, 0), 5);
	run_until_back(&p, &back);
	ck_assert(!back.offered); /* so nothing is held against the message */
	ck_assert(pool_is_down(&p, qmtp_now()));
	ck_assert(!pool_is_down(&p, qmtp_now() + POOL_SOONEST));
	ck_assert_uint_eq(p.failures, 1);
	ck_assert(p.stale);
	while ((n = recv(fd, got, sizeof(got), 0)) > 0)
		ck_assert_ptr_null(memmem(got, (size_t)n, "secret", 6));
	pool_free(&p);
	qmtp_package_free(parcel.package);
	close(fd);
	close(listener);
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
