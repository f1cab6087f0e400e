#include <check.h>

#include "delivery/dial.h"
#include "suite.h"

static char name[] = "a", host[] = "mail.example.net", nothing[] = "", directory[] = "/";
static char tls_name[] = "smarthost.example.net", ca[] = "/etc/ca.pem";
static char certificate[] = "/etc/c.pem", key[] = "/etc/k.pem", fingerprint[] = "00";

static struct server
plain(void)
{
	return (struct server){
		.name = name,
		.host = host,
		.port = 1209,
		.tls_name = host,
		.tls_ca = nothing,
		.tls_fingerprint = nothing,
		.tls_certificate = nothing,
		.tls_key = nothing,
		.tls_key_readable = true,
		.connect_timeout = 1,
		.send_timeout = 2,
		.reply_timeout = 3,
		.recipients_per_package = 5,
		.in_flight = 7,
		.connections = 2,
	};
}

static int
commit(void *arg, struct qmtp_package *package)
{
	(void)arg;
	(void)package;
	return 0;
}

START_TEST(test_plain)
{
	struct server server = plain();
	struct qmtp_tls tls;
	struct qmtp_options o = { .commit = commit, .arg = &server, .tls = &tls };

	dial_options(&o, &tls, &server);
	ck_assert_str_eq(o.host, "mail.example.net");
	ck_assert_int_eq(o.port, 1209);
	ck_assert_int_eq(o.connect_timeout, 1000);
	ck_assert_int_eq(o.send_timeout, 2000);
	ck_assert_int_eq(o.reply_timeout, 3000);
	ck_assert_int_eq(o.window, 7);
	ck_assert(!o.answers_one);
	ck_assert_ptr_null(o.tls);

	/* defaults of the library */
	ck_assert_int_eq(o.silence, 0);
	ck_assert_int_eq(o.session_timeout, 0);
	ck_assert_int_eq(o.window_rcpts, 0);
	ck_assert_uint_eq(o.window_bytes, 0);
	ck_assert(!o.defer);

	/* the caller's */
	ck_assert(o.commit == commit);
	ck_assert(o.trace == NULL);
	ck_assert_ptr_null(o.shared);
	ck_assert_ptr_eq(o.arg, &server);

	server.answers_one = true;
	dial_options(&o, &tls, &server);
	ck_assert(o.answers_one);
}
END_TEST

START_TEST(test_tls)
{
	struct server server = plain();
	struct qmtp_options o = { 0 };
	struct qmtp_tls tls;

	server.tls = true;
	server.tls_name = tls_name;
	dial_options(&o, &tls, &server);
	ck_assert_ptr_eq(o.tls, &tls);
	ck_assert_str_eq(tls.name, "smarthost.example.net");
	ck_assert_ptr_null(tls.ca);
	ck_assert_ptr_null(tls.fingerprint);
	ck_assert_ptr_null(tls.certificate);
	ck_assert_ptr_null(tls.key);
	ck_assert_str_eq(tls.module, TLS_MODULE);

	server.tls_ca = ca;
	server.tls_certificate = certificate;
	server.tls_key = key;
	dial_options(&o, &tls, &server);
	ck_assert_str_eq(tls.ca, "/etc/ca.pem");
	ck_assert_ptr_null(tls.fingerprint);
	ck_assert_str_eq(tls.certificate, "/etc/c.pem");
	ck_assert_str_eq(tls.key, "/etc/k.pem");

	server.tls_ca = nothing;
	server.tls_fingerprint = fingerprint;
	dial_options(&o, &tls, &server);
	ck_assert_ptr_null(tls.ca);
	ck_assert_str_eq(tls.fingerprint, "00");
}
END_TEST

START_TEST(test_dial)
{
	static const struct qmtp_options hooks;
	struct server server = plain();
	struct qmtp_error error = { 0 };
	struct qmtp_session *s;

	server.host = nothing;
	ck_assert_ptr_null(dial(&server, &hooks, &error));
	ck_assert_int_eq(error.cause, QMTP_INVALID);

	server.host = directory;
	s = dial(&server, &hooks, &error);
	ck_assert_ptr_nonnull(s);
	qmtp_session_step(s);
	ck_assert_int_eq(qmtp_session_state(s), QMTP_CLOSED);
	ck_assert_int_eq(qmtp_session_error(s)->phase, QMTP_CONNECT);
	qmtp_session_free(s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dial");
	TCase *t = tcase_create("dial");

	tcase_add_test(t, test_plain);
	tcase_add_test(t, test_tls);
	tcase_add_test(t, test_dial);
	suite_add_tcase(s, t);
	return run_suite(s);
}
