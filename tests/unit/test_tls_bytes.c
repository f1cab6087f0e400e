/*
 * QMTPS once it stands: what closes, breaks and dribbles, and whether the library knows at
 * each place what the server can have.
 */
#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "suite.h"
#include "tlsstage.h"

#define ANSWER 8 /* bytes of 5:Kok 1, */
#define LARGE 5000000

/* How many packages the server has taken. */
static size_t
stored(void)
{
	size_t n = 0;

	for (const char *p = content(at("qmtpd.log"));
	     (p = strstr(p, " package bytes=")) != NULL; p++)
		n++;
	return n;
}

static void
fails_late(enum qmtp_cause cause, const char *text)
{
	ck_assert_int_eq(deliver(), -1);
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.phase, QMTP_REPLY);
	ck_assert_int_eq(err.cause, cause);
	ck_assert(qmtp_package_committed(package));
	ck_assert_uint_eq(qmtp_package_answers(package), 0);
	ck_assert_int_eq(qmtp_package_result(package, 0).fate, QMTP_IN_DOUBT);
}

/* ---- ends ---- */

static const struct {
	const char *how, *text;
	enum qmtp_cause cause;
} ends[] = {
	{ "close",
	    "the server closed the connection without close_notify while waiting for the "
	    "answer",
	    QMTP_EOF },
	{ "notify", "the server closed the connection while waiting for the answer",
	    QMTP_EOF },
	{ "reset", "Connection reset by peer while waiting for the answer", QMTP_SYSTEM },
};

/* After each byte of the answer, each in a record of its own. */
START_TEST(ends_in_the_answer)
{
	char how[100];

	start_server("");
	for (int n = 0; n < ANSWER; n++) {
		snprintf(
		    how, sizeof(how), "--record 1 --out %d --then %s", n, ends[_i].how);
		options.port = start_front("good", how);
		fails_late(ends[_i].cause, ends[_i].text);
	}
}
END_TEST

/* The last byte is there: what comes then is no matter. */
START_TEST(ends_behind_the_answer)
{
	char how[100];

	start_server("");
	snprintf(how, sizeof(how), "--record 1 --out %d --then %s", ANSWER, ends[_i].how);
	options.port = start_front("good", how);
	delivers();
}
END_TEST

/* A line that breaks after every few bytes of what the server says, its hello included. */
START_TEST(truncated)
{
	size_t committed = 0, before = 0;
	int front, r, ok = 0;

	start_server("");
	front = start_front("good", _i == 0 ? "--max 1.2" : "");
	options.port = start_cutter(front, 1, 37);
	for (int n = 0; n < 200 && !ok; n++) {
		r = deliver();
		ok = r == 0;
		if (ok)
			break;
		ck_assert_int_eq(err.cause, QMTP_EOF);
		if (qmtp_package_committed(package)) {
			ck_assert_int_eq(err.phase, QMTP_REPLY);
			committed++;
		} else {
			before++;
		}
		ck_assert_uint_le(stored(), committed);
	}
	ck_assert(ok);
	ck_assert_uint_gt(before, 10);
	ck_assert_uint_gt(committed, 0);
}
END_TEST

/* The server has not read it all, and says so in no way. */
START_TEST(ends_in_the_package)
{
	char how[100];

	start_server("");
	for (int n = 0; n < 26; n += 5) {
		snprintf(how, sizeof(how), "--in %d --then reset", n);
		options.port = start_front("good", how);
		ck_assert_int_eq(deliver(), -1);
		ck_assert_uint_eq(stored(), 0);
	}
}
END_TEST

/* ---- what may come between ---- */

START_TEST(keys_change)
{
	static const char *const how[] = { "--update 0", "--update 5", "--update 26",
		"--update 27" };

	start_server("");
	options.port = start_front("good", how[_i]);
	delivers();
}
END_TEST

/* New keys and an answer in one read: what OpenSSL holds, poll(2) does not tell. */
START_TEST(nothing_stays_behind)
{
	struct qmtp_session *s;

	start_server("");
	options.port = start_front("good", "--update 27 --out 8 --then stall");
	s = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_connect(s, &err), 0);
	new_package();
	ck_assert_int_eq(qmtp_session_submit(s, package, &err), 0);
	qmtp_session_step(s);
	await(at("front.log"), "in=27 out=8");
	qmtp_session_step(s);
	ck_assert(qmtp_package_done(package));
	qmtp_session_free(s);
}
END_TEST

/* No second handshake: the front gives up when it is told so. */
START_TEST(renegotiation)
{
	struct pollfd v[QMTP_POLL_MAX];
	struct qmtp_session *s;

	start_server("");
	options.port = start_front("good", "--max 1.2 --renegotiate 0");
	s = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_connect(s, &err), 0);
	while (qmtp_session_step(s) == QMTP_OPEN)
		ck_assert_int_eq(poll(v, (nfds_t)qmtp_session_poll(s, v), 20000), 1);
	ck_assert_str_eq(qmtp_session_error(s)->text,
	    "the server's alert: handshake failure while sending the message");
	ck_assert_int_eq(qmtp_session_error(s)->cause, QMTP_TLS);
	qmtp_session_free(s);
	await(at("front.log"), "client=reset");
	ck_assert_ptr_null(
	    strstr(strstr(content(at("front.log")), "handshake") + 1, "handshake"));
}
END_TEST

/* The tickets of TLS 1.3 are no bytes; what was said before anybody asked are. */
START_TEST(early_bytes)
{
	struct qmtp_session *s;
	struct pollfd v[QMTP_POLL_MAX];
	size_t len;

	start_server("");
	options.port = start_front("good", "");
	s = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_connect(s, &err), 0);
	ck_assert_uint_eq(qmtp_session_poll(s, v), 1);
	ck_assert_int_eq(poll(v, 1, 10000), 1); /* the tickets */
	ck_assert_int_eq(qmtp_session_step(s), QMTP_OPEN);
	new_package();
	ck_assert_int_eq(qmtp_session_submit(s, package, &err), 0);
	ck_assert_int_eq(qmtp_session_run(s, INT64_MAX, &err), 0);
	qmtp_session_free(s);

	start_server("--early connect=220\\040x\\r\\n");
	options.port = start_front("good", "--no-tickets");
	s = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_connect(s, &err), 0);
	qmtp_session_poll(s, v);
	ck_assert_int_eq(poll(v, 1, 10000), 1);
	new_package();
	ck_assert_int_eq(qmtp_session_submit(s, package, &err), 0);
	ck_assert_int_eq(qmtp_session_run(s, INT64_MAX, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_EARLY);
	ck_assert(!qmtp_package_committed(package));
	ck_assert_mem_eq(qmtp_session_stray(s, &len), "220 x\r\n", 7);
	qmtp_session_free(s);
}
END_TEST

/* ---- resumption ---- */

static const struct {
	const char *how, *first, *second;
} resumptions[] = {
	{ "--max 1.2", "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384",
	    "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384, resumed" },
	{ "--max 1.3", "TLSv1.3, TLS_AES_256_GCM_SHA384",
	    "TLSv1.3, TLS_AES_256_GCM_SHA384, resumed" },
	{ "--max 1.2 --no-tickets", "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384",
	    "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384" },
	{ "--max 1.3 --no-tickets", "TLSv1.3, TLS_AES_256_GCM_SHA384",
	    "TLSv1.3, TLS_AES_256_GCM_SHA384" },
	/* nobody says goodbye */
	{ "--max 1.2 --out 8 --then close", "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384",
	    "TLSv1.2, ECDHE-ECDSA-AES256-GCM-SHA384, resumed" },
	{ "--max 1.3 --out 8 --then close", "TLSv1.3, TLS_AES_256_GCM_SHA384",
	    "TLSv1.3, TLS_AES_256_GCM_SHA384, resumed" },
};

START_TEST(resumed)
{
	options.shared = qmtp_shared_new();
	start_server("");
	options.port = start_front("good", resumptions[_i].how);
	delivers();
	ck_assert_str_eq(security, resumptions[_i].first);
	for (int n = 0; n < 3; n++) {
		delivers();
		ck_assert_str_eq(security, resumptions[_i].second);
	}
	qmtp_shared_free(options.shared);
}
END_TEST

/* Another server took the place: the session is no use, and no harm. */
START_TEST(not_resumed_elsewhere)
{
	options.shared = qmtp_shared_new();
	start_server("");
	options.port = start_front("good", "");
	delivers();
	options.port = start_front("direct", "");
	delivers();
	ck_assert_str_eq(security, "TLSv1.3, TLS_AES_256_GCM_SHA384");
	options.port = start_front("expired", "");
	fails(QMTP_SECURE, QMTP_UNTRUSTED,
	    "the server's certificate expired on 2021-02-03 while starting TLS");
	qmtp_shared_free(options.shared);
}
END_TEST

START_TEST(resumed_by_reconnecting)
{
	struct qmtp_session *s;

	start_server("");
	options.port = start_front("good", "");
	s = qmtp_session_new(&options, &err);
	for (int n = 0; n < 3; n++) {
		new_package();
		ck_assert_int_eq(qmtp_session_submit(s, package, &err), 0);
		ck_assert_int_eq(qmtp_session_run(s, INT64_MAX, &err), 0);
		ck_assert_str_eq(qmtp_session_security(s),
		    n == 0 ? "TLSv1.3, TLS_AES_256_GCM_SHA384"
			   : "TLSv1.3, TLS_AES_256_GCM_SHA384, resumed");
		if (n < 2)
			ck_assert_int_eq(qmtp_session_reconnect(s, &err), 0);
	}
	qmtp_session_close(s);
	ck_assert_str_eq(
	    qmtp_session_security(s), "TLSv1.3, TLS_AES_256_GCM_SHA384, resumed");
	qmtp_session_free(s);
}
END_TEST

/* ---- many bytes, and few ---- */

/* The whole answer of 300 recipients a byte at a time, in records and in segments. */
START_TEST(one_byte_records)
{
	start_server("");
	options.port =
	    start_front("good", _i == 0 ? "--record 1" : "--record 1 --drip 1");
	new_package();
	for (int n = 0; n < 299; n++)
		ck_assert_int_eq(qmtp_package_rcpt(package, "other@x.y"), 0);
	ck_assert_int_eq(qmtp_send(&options, package, &err), 0);
	for (size_t n = 0; n < 300; n++)
		ck_assert_int_eq(qmtp_package_reply(package, n).code, 'K');
}
END_TEST

static void
write_file(int fd, const char *data, size_t len)
{
	ck_assert_int_ge(fd, 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, data + done, len - done);

		ck_assert_int_gt(n, 0);
		done += (size_t)n;
	}
}

static void
same_as_stored(const char *data)
{
	FILE *f = fopen(at("store/000001.message"), "re");
	char *got = malloc(LARGE + 1);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fread(got, 1, LARGE + 1, f), LARGE);
	fclose(f);
	ck_assert(memcmp(got, data, LARGE) == 0);
	free(got);
}

/* From memory and from a file; the server's buffers are small: many writes have to wait. */
START_TEST(large)
{
	char *data = malloc(LARGE);
	FILE *f = tmpfile();

	ck_assert(data != NULL && f != NULL);
	for (size_t i = 0; i < LARGE; i++)
		data[i] = (char)(i % 71 == 70 ? '\n' : 'a' + i % 23);
	write_file(fileno(f), data, LARGE);
	start_server("");
	options.port = start_front("good", _i < 2 ? "" : "--rcvbuf 4096");
	new_package();
	qmtp_package_new_message(package);
	if (_i % 2 == 0)
		qmtp_package_lend(package, data, LARGE);
	else
		qmtp_package_file(package, fileno(f), 0, LARGE);
	ck_assert_msg(qmtp_send(&options, package, &err) == 0, "%s", err.text);
	same_as_stored(data);
	fclose(f);
	free(data);
}
END_TEST

START_TEST(pipelined)
{
	enum { MANY = 150 };
	struct qmtp_package *p[MANY];
	struct qmtp_session *s = NULL;
	char text[30];

	start_server("");
	options.port = start_front("good", _i == 0 ? "" : "--record 3 --rcvbuf 4096");
	s = qmtp_session_new(&options, &err);
	for (int n = 0; n < MANY; n++) {
		new_package();
		p[n] = package;
		package = NULL;
		ck_assert_int_eq(qmtp_session_submit(s, p[n], &err), 0);
	}
	ck_assert_msg(qmtp_session_run(s, INT64_MAX, &err) == 0, "%s", err.text);
	for (int n = 0; n < MANY; n++) {
		struct qmtp_reply r = qmtp_package_reply(p[n], 0);

		snprintf(text, sizeof(text), "ok %d", n + 1);
		ck_assert_int_eq(r.code, 'K');
		ck_assert_uint_eq(r.len, strlen(text));
		ck_assert_mem_eq(r.text, text, r.len);
	}
	qmtp_session_free(s);
	for (int n = 0; n < MANY; n++)
		qmtp_package_free(p[n]);
}
END_TEST

/* A server that reads no more: nothing is given away, and the record that waits is lost. */
START_TEST(stops_reading)
{
	char *data = calloc(1, LARGE);

	start_server("");
	options.port = start_front("good", "--rcvbuf 4096 --in 20000 --then stall");
	options.send_timeout = 500;
	new_package();
	qmtp_package_new_message(package);
	qmtp_package_lend(package, data, LARGE);
	ck_assert_int_eq(qmtp_send(&options, package, &err), -1);
	ck_assert_str_eq(
	    err.text, "the server stopped reading while sending the message");
	ck_assert(!qmtp_package_committed(package));
	free(data);
}
END_TEST

/* ---- other servers, other sockets ---- */

/* OpenSSL's own server on a unix socket, qmtpd behind its standard input and output. */
START_TEST(s_server)
{
	char path[100], cert[100], key[100];
	const char *argv[] = { "openssl", "s_server", "-quiet", "-unix", path, "-cert",
		cert, "-cert_chain", cert, "-key", key, _i == 0 ? "-tls1_2" : "-tls1_3",
		NULL };
	const char *qmtpd[] = { program("QMTPD", "tests/qmtpd/qmtpd"), "--stdio", NULL };
	int fds[2];

	snprintf(path, sizeof(path), "%s", at("sock"));
	snprintf(cert, sizeof(cert), "%s", at("certs/good.pem"));
	snprintf(key, sizeof(key), "%s", at("certs/good.key"));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	start(argv, fds[0]);
	start(qmtpd, fds[1]);
	close(fds[0]);
	close(fds[1]);
	for (int n = 0; n < 2000 && access(path, F_OK) < 0; n++)
		poll(NULL, 0, 5);
	options.host = path;
	tls.name = "good.example";
	for (int n = 0; n < 400 && deliver() < 0 && err.phase == QMTP_CONNECT; n++)
		poll(NULL, 0, 5);
	ck_assert_msg(qmtp_package_reply(package, 0).code == 'K', "%s", err.text);
	ck_assert_mem_eq(security, _i == 0 ? "TLSv1.2" : "TLSv1.3", 7);
}
END_TEST

START_TEST(adopted)
{
	struct qmtp_session *s;
	int fd = connect_to(start_server("") == 0 ? 0 : start_front("good", ""));

	options.host = "localhost";
	s = qmtp_session_adopt(fd, &options, &err);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(qmtp_session_state(s), QMTP_SECURING);
	new_package();
	ck_assert_int_eq(qmtp_session_submit(s, package, &err), 0);
	ck_assert_int_eq(qmtp_session_run(s, INT64_MAX, &err), 0);
	qmtp_session_free(s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("tls_bytes");
	TCase *c = tcase_create("tls_bytes");
	int r;

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_set_timeout(c, 100);
	tcase_add_loop_test(c, ends_in_the_answer, 0, 3);
	tcase_add_loop_test(c, ends_behind_the_answer, 0, 3);
	tcase_add_loop_test(c, truncated, 0, 2);
	tcase_add_test(c, ends_in_the_package);
	tcase_add_loop_test(c, keys_change, 0, 4);
	tcase_add_test(c, nothing_stays_behind);
	tcase_add_test(c, renegotiation);
	tcase_add_test(c, early_bytes);
	tcase_add_loop_test(c, resumed, 0, sizeof(resumptions) / sizeof(resumptions[0]));
	tcase_add_test(c, not_resumed_elsewhere);
	tcase_add_test(c, resumed_by_reconnecting);
	tcase_add_loop_test(c, one_byte_records, 0, 2);
	tcase_add_loop_test(c, large, 0, 4);
	tcase_add_loop_test(c, pipelined, 0, 2);
	tcase_add_test(c, stops_reading);
	tcase_add_loop_test(c, s_server, 0, 2);
	tcase_add_test(c, adopted);
	stage_make(1);
	suite_add_tcase(s, c);
	r = run_suite(s);
	stage_remove();
	return r;
}
