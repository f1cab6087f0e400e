/*
 * Sessions that wait, end and begin again, and what a package knows of how it ended; on
 * sockets on which this program is the server too, so that it answers when it likes.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmtp/qmtp.h"

#include "suite.h"

#define SIZE(a) (sizeof(a) / sizeof(*(a)))
#define WIRE "5:\nabc\n,5:s@x.y,8:5:r@x.y,,"
#define PATIENCE 10000 /* milliseconds for what happens at once */

static struct qmtp_options options;
static struct qmtp_session *session;
static struct qmtp_error err;
static struct qmtp_package *packages[8];
static size_t npackages;
static int listener, peer; /* -1: none */
static char path[64];

static void
set_up(void)
{
	options = (struct qmtp_options){ .host = path, .connect_timeout = PATIENCE };
	session = NULL;
	npackages = 0;
	listener = peer = -1;
	snprintf(path, sizeof(path), "/tmp/qmtp-reconnect-%ld", (long)getpid());
	unlink(path);
	err = (struct qmtp_error){ 0 };
}

static void
tear_down(void)
{
	qmtp_session_free(session);
	for (size_t i = 0; i < npackages; i++)
		qmtp_package_free(packages[i]);
	if (peer >= 0)
		close(peer);
	if (listener >= 0)
		close(listener);
	unlink(path);
}

static void
serve(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
}

static void
hang_up(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
}

static void
stop_serving(void)
{
	close(listener);
	listener = -1;
	unlink(path);
}

/* The server's end of the connection that was made last. */
static void
meet(void)
{
	hang_up();
	peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	ck_assert_int_ge(peer, 0);
}

static bool
nobody_came(void)
{
	return accept(listener, NULL, NULL) < 0 && errno == EAGAIN;
}

static void
begin(void)
{
	serve();
	session = qmtp_session_new(&options, &err);
	ck_assert_ptr_nonnull(session);
	ck_assert_int_eq(qmtp_session_connect(session, &err), 0);
	meet();
}

static struct qmtp_package *
package(size_t n)
{
	struct qmtp_package *p = qmtp_package_new();
	char addr[32] = "r@x.y";

	ck_assert_ptr_nonnull(p);
	packages[npackages++] = p;
	qmtp_package_sender(p, "s@x.y");
	for (size_t i = 0; i < n; i++) {
		if (n > 1)
			snprintf(addr, sizeof(addr), "r%zu@x.y", i);
		qmtp_package_rcpt(p, addr);
	}
	qmtp_package_append(p, "abc\n", 4);
	return p;
}

static void
submit_it(struct qmtp_package *p)
{
	ck_assert_msg(qmtp_session_submit(session, p, &err) == 0, "%s", err.text);
}

static struct qmtp_package *
submit(size_t n)
{
	struct qmtp_package *p = package(n);

	submit_it(p);
	return p;
}

/* What the server has received since it looked last. */
static const char *
received(void)
{
	static char got[1 << 16];
	size_t len = 0;
	ssize_t n;

	qmtp_session_step(session);
	while ((n = read(peer, got + len, sizeof(got) - 1 - len)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	return got;
}

static enum qmtp_state
answer(const char *bytes)
{
	ck_assert_int_eq(write(peer, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	return qmtp_session_step(session);
}

/* A result; text NULL: any. */
static void
is(const struct qmtp_package *p, size_t position, enum qmtp_fate fate,
    enum qmtp_phase phase, enum qmtp_cause cause, const char *text)
{
	struct qmtp_result r = qmtp_package_result(p, position);

	ck_assert_msg(r.fate == fate && r.phase == phase && r.cause == cause,
	    "%zu: fate %d phase %d cause %d: %.*s", position, (int)r.fate, (int)r.phase,
	    (int)r.cause, (int)r.len, r.text);
	if (text == NULL)
		return;
	ck_assert_uint_eq(r.len, strlen(text));
	ck_assert_mem_eq(r.text, text, r.len);
}

/* ---- waiting ---- */

START_TEST(names)
{
	struct qmtp_tls tls = { .name = "mail.example.net" };

	options.defer = true;
	session = qmtp_session_new(&options, &err);
	ck_assert_str_eq(qmtp_session_host(session), path);
	ck_assert_int_eq(qmtp_session_port(session), QMTP_PORT);
	ck_assert_str_eq(qmtp_session_peer(session), "");
	qmtp_session_free(session);
	options.tls = &tls;
	session = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_port(session), QMTP_PORT_TLS);
	qmtp_session_free(session);
	options.port = 2525;
	session = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_port(session), 2525);
}
END_TEST

START_TEST(deferred)
{
	struct pollfd v[QMTP_POLL_MAX];

	serve();
	options.defer = true;
	session = qmtp_session_new(&options, &err);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(qmtp_session_step(session), QMTP_WAITING);
		ck_assert_uint_eq(qmtp_session_poll(session, v), 0);
		ck_assert_int_eq(qmtp_session_deadline(session), INT64_MAX);
	}
	ck_assert_int_eq(qmtp_session_run(session, INT64_MAX, &err), 0);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_WAITING);
	ck_assert(nobody_came());
	qmtp_session_close(session);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_CLOSED);
	ck_assert_int_eq(qmtp_session_error(session)->cause, QMTP_OK);
	ck_assert(nobody_came());
}
END_TEST

START_TEST(deferred_until_a_package)
{
	struct qmtp_package *p, *bad = package(0);

	serve();
	options.defer = true;
	session = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_submit(session, bad, &err), -1);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_WAITING);
	ck_assert(nobody_came());
	p = submit(1);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_CONNECTING);
	qmtp_session_step(session);
	meet();
	ck_assert_str_eq(received(), WIRE);
	answer("3:Kok,");
	is(p, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "ok");
}
END_TEST

START_TEST(deferred_until_connect)
{
	serve();
	options.defer = true;
	session = qmtp_session_new(&options, &err);
	ck_assert_int_eq(qmtp_session_connect(session, &err), 0);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
	meet();
	ck_assert_int_eq(qmtp_session_connect(session, &err), 0);
	ck_assert(nobody_came());
}
END_TEST

/* Nobody is there: the package that began it is let go, and the session stays closed. */
START_TEST(deferred_and_refused)
{
	struct qmtp_package *p = package(1);

	options.defer = true;
	session = qmtp_session_new(&options, &err);
	submit_it(p);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_CLOSED);
	err = *qmtp_session_error(session);
	ck_assert_int_eq(err.phase, QMTP_CONNECT);
	ck_assert_int_eq(err.errnum, ENOENT);
	is(p, 0, QMTP_UNSENT, QMTP_CONNECT, QMTP_SYSTEM, err.text);
	ck_assert_int_eq(qmtp_package_rcpt(p, "q@x.y"), 0);
	err = (struct qmtp_error){ 0 };
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), -1);
	ck_assert_int_eq(err.errnum, ENOENT); /* the session's reason, again */
}
END_TEST

/* The hour begins with the connection. */
START_TEST(hour)
{
	struct qmtp_package *p;

	serve();
	options.defer = true;
	options.session_timeout = 1000;
	session = qmtp_session_new(&options, &err);
	usleep(1050000);
	p = submit(1);
	qmtp_session_step(session);
	meet();
	ck_assert_str_eq(received(), WIRE);
	answer("1:K,");
	usleep(1050000);
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_AGED);
	ck_assert_int_eq(qmtp_package_reply(p, 0).code, 'K');
	ck_assert_int_eq(qmtp_session_reconnect(session, &err), 0);
	submit_it(p);
	qmtp_session_step(session);
	meet();
	ck_assert_str_eq(received(), WIRE);
}
END_TEST

static const struct {
	const char *name;
	struct qmtp_options options;
} ranges[] = {
	{ "port: ", { .host = "x", .port = -1 } },
	{ "port: ", { .host = "x", .port = 65536 } },
	{ "connect_timeout: ", { .host = "x", .connect_timeout = -1 } },
	{ "send_timeout: ", { .host = "x", .send_timeout = -1 } },
	{ "reply_timeout: ", { .host = "x", .reply_timeout = -1 } },
	{ "silence: ", { .host = "x", .silence = -1 } },
	{ "session_timeout: ", { .host = "x", .session_timeout = -1 } },
	{ "session_timeout: ", { .host = "x", .session_timeout = QMTP_SESSION_MAX + 1 } },
	{ "window: ", { .host = "x", .window = -1 } },
	{ "window_rcpts: ", { .host = "x", .window_rcpts = -1 } },
	{ "host: ", { .host = "" } },
	{ "host: ", { .host = NULL } },
};

START_TEST(out_of_range)
{
	char text[100];

	ck_assert_ptr_null(qmtp_session_new(&ranges[_i].options, &err));
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_int_eq(err.phase, QMTP_IDLE);
	snprintf(text, sizeof(text), "%s%s", ranges[_i].name,
	    *ranges[_i].name == 'h' ? "no server was named" : "out of range");
	ck_assert_str_eq(err.text, text);
}
END_TEST

/* ---- the same session again ---- */

/* The server goes away, is not there, and comes back. */
START_TEST(comes_back)
{
	struct qmtp_package *a, *b;
	size_t len;

	begin();
	a = submit(2);
	received();
	answer("1:K,1:K,");
	ck_assert(qmtp_session_proven(session));
	submit_it(a);
	b = submit(1);
	received();
	answer("1:Z,oops");
	is(a, 0, QMTP_DEFERRED, QMTP_REPLY, QMTP_OK, "");
	is(a, 1, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_GARBAGE,
	    qmtp_session_error(session)->text);
	is(b, 0, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_GARBAGE, NULL);
	qmtp_session_stray(session, &len);
	ck_assert_uint_eq(len, 4);

	stop_serving();
	ck_assert_int_eq(qmtp_session_reconnect(session, &err), 0);
	ck_assert_int_eq(qmtp_session_connect(session, &err), -1);
	ck_assert_int_eq(err.errnum, ENOENT);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_CLOSED);
	ck_assert_int_eq(qmtp_session_error(session)->errnum, ENOENT);
	is(b, 0, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_GARBAGE, NULL);

	serve();
	ck_assert_int_eq(qmtp_session_reconnect(session, &err), 0);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_CONNECTING);
	ck_assert_int_eq(qmtp_session_error(session)->cause, QMTP_OK);
	ck_assert_uint_eq(qmtp_session_unfinished(session), 0);
	ck_assert(!qmtp_session_proven(session));
	qmtp_session_stray(session, &len);
	ck_assert_uint_eq(len, 0);
	submit_it(a);
	submit_it(b);
	ck_assert(!qmtp_package_committed(a));
	is(a, 0, QMTP_UNSENT, QMTP_IDLE, QMTP_OK, "");
	ck_assert_int_eq(qmtp_session_connect(session, &err), 0);
	ck_assert_str_eq(qmtp_session_peer(session), path);
	meet();
	/* what it had proven it must prove again */
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,18:6:r0@x.y,6:r1@x.y,,");
	answer("1:K,1:D,");
	ck_assert_str_eq(received(), WIRE);
	answer("1:K,");
	is(a, 1, QMTP_REJECTED, QMTP_REPLY, QMTP_OK, "");
	is(b, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "");
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
}
END_TEST

/* In the middle of everything: an answer half read, a package half sent. */
START_TEST(in_the_middle)
{
	static char large[4 << 20];
	struct qmtp_package *a, *b, *c;

	begin();
	a = submit(1);
	b = submit(1);
	c = package(1);
	qmtp_package_lend(c, large, sizeof(large));
	submit_it(c);
	qmtp_session_step(session);
	answer("2:Z1,9:Kha");
	ck_assert_uint_eq(qmtp_session_unfinished(session), 2);
	ck_assert_int_eq(qmtp_session_reconnect(session, &err), 0);
	ck_assert_uint_eq(qmtp_session_unfinished(session), 0);
	is(a, 0, QMTP_DEFERRED, QMTP_REPLY, QMTP_OK, "1");
	is(b, 0, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_REFUSED,
	    "the session was closed while waiting for the answer");
	is(c, 0, QMTP_UNSENT, QMTP_SEND, QMTP_REFUSED,
	    "the session was closed while sending the message");
	submit_it(b);
	qmtp_session_step(session);
	meet();
	ck_assert_str_eq(received(), WIRE);
	answer("3:Kok,");
	is(b, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "ok");
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
}
END_TEST

START_TEST(reconnect_at_once)
{
	struct qmtp_package *p;

	serve();
	session = qmtp_session_new(&options, &err);
	p = submit(1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(qmtp_session_reconnect(session, &err), 0);
		is(p, 0, QMTP_UNSENT, QMTP_CONNECT, QMTP_REFUSED,
		    "the session was closed while connecting");
		submit_it(p);
	}
	ck_assert_int_eq(qmtp_session_connect(session, &err), 0);
	meet();
	ck_assert(nobody_came()); /* nothing was begun but by the last */
	ck_assert_str_eq(received(), WIRE);
}
END_TEST

START_TEST(not_adopted_ones)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	session = qmtp_session_adopt(fds[0], &options, &err);
	peer = fds[1];
	ck_assert_int_eq(qmtp_session_reconnect(session, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
	submit(1);
	ck_assert_str_eq(received(), WIRE);
}
END_TEST

START_TEST(closed_by_caller)
{
	struct qmtp_package *a, *b, *c;

	options.window = 1;
	begin();
	a = submit(1);
	b = submit(2);
	c = submit(1);
	received();
	answer("3:Dno,");
	received();
	qmtp_session_close(session);
	qmtp_session_close(session);
	is(a, 0, QMTP_REJECTED, QMTP_REPLY, QMTP_OK, "no");
	is(b, 1, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_REFUSED,
	    "the session was closed while waiting for the answer");
	is(c, 0, QMTP_UNSENT, QMTP_SEND, QMTP_REFUSED,
	    "the session was closed while sending the message");
	ck_assert_int_eq(qmtp_session_submit(session, c, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_str_eq(err.text, "the session is closed");
}
END_TEST

START_TEST(new_envelopes)
{
	struct qmtp_package *p = package(1);
	char addr[20], expected[60];

	begin();
	for (int i = 0; i < 3; i++) {
		qmtp_package_new_envelope(p);
		snprintf(addr, sizeof(addr), "%d@x.y", i);
		qmtp_package_sender(p, "");
		qmtp_package_rcpt(p, addr);
		submit_it(p);
		snprintf(expected, sizeof(expected), "5:\nabc\n,0:,8:5:%s,,", addr);
		ck_assert_str_eq(received(), expected);
		answer("3:Kok,");
		ck_assert(qmtp_package_done(p));
	}
	ck_assert(nobody_came());
}
END_TEST

START_TEST(new_messages)
{
	struct qmtp_package *p = package(1);
	char expected[60], text[4];

	begin();
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), "m%d\n", i);
		qmtp_package_new_message(p);
		qmtp_package_append(p, text, 3);
		submit_it(p);
		snprintf(expected, sizeof(expected), "4:\n%s,5:s@x.y,8:5:r@x.y,,", text);
		ck_assert_str_eq(received(), expected);
		answer("3:Zno,");
		is(p, 0, QMTP_DEFERRED, QMTP_REPLY, QMTP_OK, "no");
	}
	ck_assert(nobody_came());
}
END_TEST

/* A package is not tied to a session. */
START_TEST(another_server)
{
	struct qmtp_package *p;
	struct qmtp_session *first;

	begin();
	p = submit(1);
	received();
	answer("6:Zlater,");
	first = session;
	session = qmtp_session_new(&options, &err);
	submit_it(p);
	qmtp_session_step(session);
	meet();
	ck_assert_str_eq(received(), WIRE);
	answer("3:Kok,");
	is(p, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "ok");
	qmtp_session_free(first);
	is(p, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "ok");
}
END_TEST

START_TEST(same_address_twice)
{
	struct qmtp_package *p = package(0);

	begin();
	qmtp_package_rcpt(p, "r@x.y");
	qmtp_package_rcpt(p, "r@x.y");
	submit_it(p);
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,16:5:r@x.y,5:r@x.y,,");
	answer("5:Kyes,3:Dno,");
	ck_assert_int_eq(qmtp_session_state(session), QMTP_CLOSED);
	is(p, 0, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_GARBAGE, NULL);
	ck_assert_int_eq(qmtp_session_reconnect(session, &err), 0);
	submit_it(p);
	qmtp_session_step(session);
	meet();
	received();
	answer("4:Kyes,3:Dno,");
	is(p, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "yes");
	is(p, 1, QMTP_REJECTED, QMTP_REPLY, QMTP_OK, "no");
}
END_TEST

/* ---- results ---- */

static struct qmtp_result
sent_to(const char *host, int port, struct qmtp_package *p)
{
	options.host = host;
	options.port = port;
	ck_assert_int_eq(qmtp_send(&options, p, &err), -1);
	is(p, 0, QMTP_UNSENT, err.phase, err.cause, err.text);
	is(p, 1, QMTP_UNSENT, err.phase, err.cause, err.text);
	is(p, 2, QMTP_UNSENT, QMTP_IDLE, QMTP_OK, "");
	return qmtp_package_result(p, 0);
}

START_TEST(never_connected)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct qmtp_package *p = package(2);
	struct qmtp_result r;

	is(p, 0, QMTP_UNSENT, QMTP_IDLE, QMTP_OK, "");
	r = sent_to("no such name", 0, p);
	ck_assert_int_eq(r.phase, QMTP_RESOLVE);
	r = sent_to("/nonexistent/socket", 0, p);
	ck_assert_int_eq(r.phase, QMTP_CONNECT);
	ck_assert_int_eq(r.cause, QMTP_SYSTEM);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer = socket(AF_INET, SOCK_STREAM, 0); /* bound, and not listening */
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(getsockname(peer, (struct sockaddr *)&sin, &len), 0);
	r = sent_to("127.0.0.1", ntohs(sin.sin_port), p);
	ck_assert_int_eq(r.phase, QMTP_CONNECT);
	ck_assert_int_eq(err.errnum, ECONNREFUSED);
}
END_TEST

START_TEST(gone_before_the_last_byte)
{
	struct qmtp_package *a, *b;

	begin();
	a = submit(2);
	b = submit(1);
	hang_up();
	ck_assert_int_eq(qmtp_session_run(session, INT64_MAX, &err), -1);
	ck_assert_int_eq(err.errnum, EPIPE);
	is(a, 1, QMTP_UNSENT, QMTP_SEND, QMTP_SYSTEM, err.text);
	is(b, 0, QMTP_UNSENT, QMTP_SEND, QMTP_SYSTEM, err.text);
	ck_assert_int_eq(qmtp_session_error(session)->errnum, EPIPE);
}
END_TEST

static int
leave(void *arg, struct qmtp_package *p)
{
	(void)arg;
	(void)p;
	hang_up();
	return 0;
}

START_TEST(gone_at_the_last_byte)
{
	struct qmtp_package *a, *b;

	options.commit = leave;
	begin();
	a = submit(1);
	b = submit(1);
	ck_assert_int_eq(qmtp_session_run(session, INT64_MAX, &err), -1);
	is(a, 0, QMTP_IN_DOUBT, QMTP_COMMIT, QMTP_SYSTEM, err.text);
	is(b, 0, QMTP_UNSENT, QMTP_COMMIT, QMTP_SYSTEM, err.text);
}
END_TEST

START_TEST(gone_while_answering)
{
	struct qmtp_package *p;

	begin();
	p = submit(4);
	received();
	answer("4:Kyes,6:Zlater,3:Dno,");
	is(p, 2, QMTP_REJECTED, QMTP_REPLY, QMTP_OK, "no");
	is(p, 3, QMTP_IN_DOUBT, QMTP_IDLE, QMTP_OK, "");
	hang_up();
	ck_assert_int_eq(qmtp_session_run(session, INT64_MAX, &err), -1);
	is(p, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "yes");
	is(p, 1, QMTP_DEFERRED, QMTP_REPLY, QMTP_OK, "later");
	is(p, 2, QMTP_REJECTED, QMTP_REPLY, QMTP_OK, "no");
	is(p, 3, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_EOF,
	    "the server closed the connection while waiting for the answer");
}
END_TEST

static int
say_no(void *arg, struct qmtp_package *p)
{
	return p == *(struct qmtp_package **)arg ? -1 : 0;
}

START_TEST(given_up)
{
	struct qmtp_package *a, *b = NULL;

	options.commit = say_no;
	options.arg = &b;
	begin();
	a = submit(1);
	b = submit(1);
	received();
	ck_assert_int_eq(qmtp_session_submit(session, package(1), &err), -1);
	ck_assert_int_eq(err.cause, QMTP_REFUSED);
	ck_assert_int_eq(answer("3:Kok,"), QMTP_CLOSED);
	is(a, 0, QMTP_ACCEPTED, QMTP_REPLY, QMTP_OK, "ok");
	is(b, 0, QMTP_UNSENT, QMTP_SEND, QMTP_REFUSED,
	    "given up while sending the message");
}
END_TEST

START_TEST(one_answer_then_silence)
{
	static const struct {
		const char *answer;
		enum qmtp_fate fate;
		enum qmtp_cause cause;
		enum qmtp_fate other;
	} cases[] = {
		{ "2:Kx,", QMTP_ACCEPTED, QMTP_OK, QMTP_IN_DOUBT },
		{ "2:Zx,", QMTP_DEFERRED, QMTP_OK, QMTP_DEFERRED },
		{ "2:Dx,", QMTP_DEFERRED, QMTP_SILENCE, QMTP_DEFERRED },
	};
	struct qmtp_package *p;

	options.silence = 50;
	begin();
	p = submit(2);
	received();
	answer(cases[_i].answer);
	ck_assert_int_eq(qmtp_session_run(session, qmtp_now() + PATIENCE, &err), -1);
	is(p, 0, cases[_i].fate, QMTP_REPLY, cases[_i].cause, "x");
	is(p, 1, cases[_i].other, QMTP_REPLY, QMTP_SILENCE, err.text);
}
END_TEST

START_TEST(one_answer_for_all)
{
	struct qmtp_package *p;

	options.answers_one = true;
	begin();
	p = submit(3);
	received();
	is(p, 2, QMTP_IN_DOUBT, QMTP_IDLE, QMTP_OK, "");
	answer("3:Dno,");
	for (size_t i = 0; i < 3; i++)
		is(p, i, QMTP_REJECTED, QMTP_REPLY, QMTP_OK, "no");
	is(p, 3, QMTP_UNSENT, QMTP_IDLE, QMTP_OK, "");
	qmtp_package_rcpt(p, "added@x.y");
	is(p, 3, QMTP_UNSENT, QMTP_IDLE, QMTP_OK, "");
}
END_TEST

START_TEST(no_answer_in_time)
{
	struct qmtp_package *a, *b;

	options.reply_timeout = 50;
	options.window = 1;
	begin();
	a = submit(1);
	b = submit(1);
	ck_assert_int_eq(qmtp_session_run(session, qmtp_now() + PATIENCE, &err), -1);
	is(a, 0, QMTP_IN_DOUBT, QMTP_REPLY, QMTP_TIMEOUT, err.text);
	is(b, 0, QMTP_UNSENT, QMTP_REPLY, QMTP_TIMEOUT, err.text);
}
END_TEST

/* Answers of an earlier submission are not those of a later one. */
START_TEST(send_again)
{
	struct qmtp_package *p;

	begin();
	p = submit(1);
	received();
	answer("3:Kok,");
	stop_serving();
	ck_assert_int_eq(qmtp_send(&options, p, &err), -1);
	ck_assert_int_eq(err.errnum, ENOENT);
	ck_assert(!qmtp_package_done(p));
	ck_assert(!qmtp_package_committed(p));
	is(p, 0, QMTP_UNSENT, QMTP_CONNECT, QMTP_SYSTEM, err.text);
	serve();
	submit_it(p); /* the first session still stands */
	received();
	answer("3:Kok,");
	qmtp_package_file(p, 0, 0, QMTP_MESSAGE_MAX);
	ck_assert_int_eq(qmtp_send(&options, p, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert(!qmtp_package_done(p));
}
END_TEST

/*
 * A server that closes behind its last answer: nothing is missing, so nothing failed. The
 * answers fill what is read at a time to the byte, so that the end is read with them.
 */
START_TEST(answered_and_closed)
{
	static char text[16385];
	struct qmtp_package *p;

	begin();
	p = submit(2);
	received();
	memset(text, 'x', sizeof(text));
	memcpy(text, "8192:K", 6);
	memcpy(text + 8197, ",8180:D", 7);
	memcpy(text + 16383, ",", 1);
	ck_assert_int_eq(write(peer, text, 16384), 16384);
	hang_up();
	ck_assert_int_eq(qmtp_session_run(session, INT64_MAX, &err), 0);
	ck_assert_int_eq(err.cause, QMTP_OK);
	ck_assert(qmtp_package_done(p));
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_CLOSED);
	ck_assert_int_eq(qmtp_session_run(session, INT64_MAX, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_EOF);
	ck_assert_int_eq(qmtp_session_connect(session, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_EOF);
}
END_TEST

START_TEST(closed_is_closed)
{
	struct pollfd v[QMTP_POLL_MAX];

	begin();
	qmtp_session_close(session);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_CLOSED);
	ck_assert_uint_eq(qmtp_session_poll(session, v), 0);
	ck_assert_int_eq(qmtp_session_deadline(session), INT64_MAX);
	ck_assert_int_eq(qmtp_session_run(session, INT64_MAX, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	err = (struct qmtp_error){ 0 };
	ck_assert_int_eq(qmtp_session_connect(session, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_str_eq(err.text, "the session is closed");
}
END_TEST

/* ---- windows ---- */

START_TEST(window_of_rcpts)
{
	options.window_rcpts = 2;
	begin();
	for (int i = 0; i < 4; i++)
		submit(1);
	ck_assert_str_eq(received(), WIRE WIRE);
	answer("1:K,");
	ck_assert_str_eq(received(), WIRE);
	answer("1:K,");
	ck_assert_str_eq(received(), WIRE);
	answer("1:K,1:K,");
	ck_assert_uint_eq(qmtp_session_unfinished(session), 0);
}
END_TEST

/* What is larger than the window goes alone, and nothing goes with it. */
START_TEST(more_rcpts_than_the_window)
{
	options.window_rcpts = 2;
	begin();
	submit(2);
	received();
	answer("1:K,1:K,"); /* it answers each: only the window holds anything back */
	submit(1);
	submit(3);
	submit(1);
	submit(1);
	ck_assert_str_eq(received(), WIRE);
	answer("1:K,");
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,27:6:r0@x.y,6:r1@x.y,6:r2@x.y,,");
	answer("1:K,1:K,");
	ck_assert_str_eq(received(), "");
	answer("1:K,");
	ck_assert_str_eq(received(), WIRE WIRE);
}
END_TEST

/* Messages of 4 bytes: two of them in 8, one in 7, and in 3 one all the same. */
START_TEST(window_of_bytes)
{
	static const struct {
		uint64_t bytes;
		const char *wire;
	} cases[] = {
		{ 9, WIRE WIRE },
		{ 8, WIRE WIRE },
		{ 7, WIRE },
		{ 3, WIRE },
		{ 12, WIRE WIRE WIRE },
		{ UINT64_MAX, WIRE WIRE WIRE WIRE },
		{ 0, WIRE WIRE WIRE WIRE },
	};

	options.window_bytes = cases[_i].bytes;
	begin();
	for (int i = 0; i < 4; i++)
		submit(1);
	ck_assert_str_eq(received(), cases[_i].wire);
	answer("1:K,");
	if (strcmp(cases[_i].wire, WIRE WIRE WIRE WIRE) != 0)
		ck_assert_str_eq(received(), WIRE);
}
END_TEST

/* The defaults: 1000 recipients, 16 MiB. */
START_TEST(window_by_default)
{
	struct qmtp_package *first, *large = package(0), *more = package(0);

	options.window = 2000;
	begin();
	first = submit(2);
	received();
	answer("1:K,1:K,");
	submit_it(first);
	for (int i = 0; i < 999; i++) {
		if (i < 998)
			qmtp_package_rcpt(large, "r");
		qmtp_package_rcpt(more, "r");
	}
	submit_it(large);
	received();
	ck_assert(qmtp_package_committed(large)); /* 2 + 998 */
	qmtp_session_close(session);
	ck_assert_int_eq(qmtp_session_reconnect(session, &err), 0);
	submit_it(first);
	qmtp_session_step(session);
	meet();
	received();
	answer("1:K,1:K,");
	submit_it(first);
	submit_it(more);
	received();
	ck_assert(!qmtp_package_committed(more)); /* 2 + 999 */
	answer("1:K,1:K,");
	received();
	ck_assert(qmtp_package_committed(more));
}
END_TEST

static void
add_all(TCase *t)
{
	tcase_add_test(t, names);
	tcase_add_test(t, deferred);
	tcase_add_test(t, deferred_until_a_package);
	tcase_add_test(t, deferred_until_connect);
	tcase_add_test(t, deferred_and_refused);
	tcase_add_test(t, hour);
	tcase_add_loop_test(t, out_of_range, 0, (int)SIZE(ranges));
	tcase_add_test(t, comes_back);
	tcase_add_test(t, in_the_middle);
	tcase_add_test(t, reconnect_at_once);
	tcase_add_test(t, not_adopted_ones);
	tcase_add_test(t, closed_by_caller);
	tcase_add_test(t, new_envelopes);
	tcase_add_test(t, new_messages);
	tcase_add_test(t, another_server);
	tcase_add_test(t, same_address_twice);
	tcase_add_test(t, never_connected);
	tcase_add_test(t, gone_before_the_last_byte);
	tcase_add_test(t, gone_at_the_last_byte);
	tcase_add_test(t, gone_while_answering);
	tcase_add_test(t, given_up);
	tcase_add_loop_test(t, one_answer_then_silence, 0, 3);
	tcase_add_test(t, one_answer_for_all);
	tcase_add_test(t, no_answer_in_time);
	tcase_add_test(t, send_again);
	tcase_add_test(t, answered_and_closed);
	tcase_add_test(t, closed_is_closed);
	tcase_add_test(t, window_of_rcpts);
	tcase_add_test(t, more_rcpts_than_the_window);
	tcase_add_loop_test(t, window_of_bytes, 0, 7);
	tcase_add_test(t, window_by_default);
}

int
main(void)
{
	Suite *s = suite_create("reconnect");
	TCase *t = tcase_create("reconnect");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	add_all(t);
	suite_add_tcase(s, t);
	return run_suite(s);
}
