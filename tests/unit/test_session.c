/*
 * Sessions against a peer that this program plays itself, on the other end of a socket
 * pair: exact bytes out, exact bytes in, and every way in which it can end.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "qmtp/qmtp.h"
#include "qmtp/qmtp_reader.h"
#include "util/buf.h"

#include "suite.h"

#define WIRE "5:\nabc\n,5:s@x.y,8:5:r@x.y,,"

static struct qmtp_session *session;
static int peer; /* the server's end */
static struct qmtp_options options;
static struct qmtp_package *packages[8];
static size_t npackages;

static void
begin(void)
{
	int fds[2];
	struct qmtp_error err;

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	peer = fds[1];
	if (options.host == NULL)
		options.host = "peer";
	session = qmtp_session_adopt(fds[0], &options, &err);
	ck_assert_ptr_nonnull(session);
}

static void
set_up(void)
{
	options = (struct qmtp_options){ 0 };
	npackages = 0;
	peer = -1;
	session = NULL;
}

static void
tear_down(void)
{
	qmtp_session_free(session);
	for (size_t i = 0; i < npackages; i++)
		qmtp_package_free(packages[i]);
	if (peer >= 0)
		close(peer);
}

/* A package "abc\n" from s@x.y to n recipients. */
static struct qmtp_package *
package(size_t n)
{
	struct qmtp_package *p = qmtp_package_new();
	char addr[32];

	ck_assert_ptr_nonnull(p);
	packages[npackages++] = p;
	ck_assert_int_eq(qmtp_package_sender(p, "s@x.y"), 0);
	for (size_t i = 0; i < n; i++) {
		if (n == 1)
			snprintf(addr, sizeof(addr), "r@x.y");
		else
			snprintf(addr, sizeof(addr), "r%zu@x.y", i);
		ck_assert_int_eq(qmtp_package_rcpt(p, addr), 0);
	}
	ck_assert_int_eq(qmtp_package_append(p, "ab", 2), 0);
	ck_assert_int_eq(qmtp_package_lend(p, "c\n", 2), 0);
	return p;
}

static struct qmtp_package *
submit(size_t n)
{
	struct qmtp_package *p = package(n);
	struct qmtp_error err;

	ck_assert_int_eq(qmtp_session_submit(session, p, &err), 0);
	return p;
}

/* What the server has received so far. */
static const char *
received(void)
{
	static char got[1 << 20];
	size_t len = 0;
	ssize_t n;

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

static void
ends(enum qmtp_phase phase, enum qmtp_cause cause)
{
	const struct qmtp_error *e = qmtp_session_error(session);

	ck_assert_int_eq(qmtp_session_state(session), QMTP_CLOSED);
	ck_assert_msg(e->cause == cause && e->phase == phase, "%s (cause %d, phase %d)",
	    e->text, (int)e->cause, (int)e->phase);
	ck_assert_uint_eq(qmtp_session_unfinished(session), 0);
}

START_TEST(one_message)
{
	struct qmtp_package *p;
	struct qmtp_reply r;

	begin();
	p = submit(1);
	ck_assert(!qmtp_package_committed(p));
	ck_assert_int_eq(qmtp_session_step(session), QMTP_OPEN);
	ck_assert_str_eq(received(), WIRE);
	ck_assert(qmtp_package_committed(p));
	ck_assert(!qmtp_package_done(p));
	answer("11:Kok 1234567,");
	ck_assert(qmtp_package_done(p));
	r = qmtp_package_reply(p, 0);
	ck_assert_int_eq(r.code, 'K');
	ck_assert_uint_eq(r.len, 10);
	ck_assert_mem_eq(r.text, "ok 1234567", 10);
	ck_assert_int_eq(qmtp_package_reply(p, 1).code, 0);
	ck_assert_uint_eq(qmtp_session_unfinished(session), 0);
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
}
END_TEST

START_TEST(null_sender_and_crlf)
{
	struct qmtp_package *p;
	struct qmtp_error err;

	begin();
	p = package(1);
	qmtp_package_sender(p, "");
	qmtp_package_encoding(p, QMTP_CRLF);
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), 0);
	qmtp_session_step(session);
	ck_assert_str_eq(received(), "5:\rabc\n,0:,8:5:r@x.y,,");
}
END_TEST

START_TEST(from_a_file)
{
	char name[] = "session-XXXXXX";
	int fd = mkstemp(name);
	struct qmtp_package *p;
	struct qmtp_error err;

	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(write(fd, "xxabc\nyy", 8), 8);
	begin();
	p = package(1);
	qmtp_package_new_message(p);
	ck_assert_int_eq(qmtp_package_append(p, "head\n", 5), 0);
	ck_assert_int_eq(qmtp_package_file(p, fd, 2, 4), 0);
	ck_assert_int_eq(qmtp_package_append(p, "tail\n", 5), 0);
	ck_assert_uint_eq(qmtp_package_size(p), 14);
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), 0);
	qmtp_session_step(session);
	ck_assert_str_eq(received(), "15:\nhead\nabc\ntail\n,5:s@x.y,8:5:r@x.y,,");
	close(fd);
}
END_TEST

START_TEST(file_too_short)
{
	char name[] = "session-XXXXXX";
	int fd = mkstemp(name);
	struct qmtp_package *p;
	struct qmtp_error err;

	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(write(fd, "abc", 3), 3);
	begin();
	p = package(1);
	ck_assert_int_eq(qmtp_package_file(p, fd, 0, 4), 0);
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), 0);
	qmtp_session_step(session);
	ends(QMTP_SEND, QMTP_SOURCE);
	ck_assert(!qmtp_package_committed(p));
	ck_assert_str_eq(received(), "9:\nabc\nabc");
	close(fd);
}
END_TEST

/* Wrong answers: what was right before stays, this one and the rest have none. */
static const struct {
	const char *bytes;
	size_t good;
	enum qmtp_cause cause;
} wrong[] = {
	{ "HTTP/1.0 400 Bad Request\r\n", 0, QMTP_GARBAGE },
	{ "3:Kok,2:Kxx", 1, QMTP_GARBAGE },
	{ "3:Kok,03:Kok,", 1, QMTP_GARBAGE },
	{ "3:Kok,0:,", 1, QMTP_GARBAGE },
	{ "3:Kok,8193:K", 1, QMTP_GARBAGE },
	{ "3:Kok,3:Xok,", 1, QMTP_GARBAGE },
	{ "3:Kok,3:kok,", 1, QMTP_GARBAGE },
	{ "3:Kok,-1:K,", 1, QMTP_GARBAGE },
	{ "3:Kok,3:Kok;", 1, QMTP_GARBAGE },
	{ "3:Kok,3:Dno,1:X", 2, QMTP_GARBAGE },
	{ "3:Kok,3:Dno,2:Z!,,", 3, QMTP_EXTRA },
	{ "3:Kok,3:Dno,2:Z!,2:Z!,", 3, QMTP_EXTRA },
};

START_TEST(wrong_answers)
{
	struct qmtp_package *p;
	size_t len;

	begin();
	p = submit(3);
	qmtp_session_step(session);
	answer(wrong[_i].bytes);
	ends(QMTP_REPLY, wrong[_i].cause);
	ck_assert_uint_eq(qmtp_package_answers(p), wrong[_i].good);
	ck_assert(qmtp_package_committed(p));
	qmtp_session_stray(session, &len);
	ck_assert_uint_gt(len, 0);
}
END_TEST

START_TEST(wrong_answers_drip)
{
	struct qmtp_package *p;

	begin();
	p = submit(3);
	qmtp_session_step(session);
	for (const char *b = wrong[_i].bytes;
	     *b && qmtp_session_state(session) == QMTP_OPEN; b++) {
		char one[2] = { *b, '\0' };

		answer(one);
	}
	ends(QMTP_REPLY, wrong[_i].cause);
	ck_assert_uint_eq(qmtp_package_answers(p), wrong[_i].good);
}
END_TEST

START_TEST(longest_answer)
{
	static char big[QMTP_REPLY_MAX + 20];
	struct qmtp_package *p;
	size_t n = (size_t)sprintf(big, "%d:K", QMTP_REPLY_MAX);

	memset(big + n, '\xff', QMTP_REPLY_MAX - 1);
	strcpy(big + n + QMTP_REPLY_MAX - 1, ",");
	begin();
	p = submit(1);
	qmtp_session_step(session);
	answer(big);
	ck_assert(qmtp_package_done(p));
	ck_assert_uint_eq(qmtp_package_reply(p, 0).len, QMTP_REPLY_MAX - 1);
}
END_TEST

START_TEST(stray_bytes_are_kept)
{
	const char *stray;
	size_t len;

	begin();
	submit(1);
	qmtp_session_step(session);
	answer("HTTP/1.0");
	stray = qmtp_session_stray(session, &len);
	ck_assert_uint_eq(len, 8);
	ck_assert_mem_eq(stray, "HTTP/1.0", 8);
}
END_TEST

/* A greeting, as SMTP servers send one: nothing is committed. */
START_TEST(early_bytes)
{
	struct qmtp_package *p;

	begin();
	p = submit(1);
	answer("220 mail ESMTP\r\n");
	ends(QMTP_SEND, QMTP_EARLY);
	ck_assert(!qmtp_package_committed(p));
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,8:5:r@x.y,");
}
END_TEST

START_TEST(early_answer_to_the_next)
{
	struct qmtp_package *a, *b;

	begin();
	a = submit(2);
	b = submit(1);
	qmtp_session_step(session); /* b waits: a has two recipients */
	answer("1:K,1:K,1:K,");
	ck_assert(qmtp_package_done(a));
	ck_assert(!qmtp_package_committed(b));
	ends(QMTP_REPLY, QMTP_EXTRA);
}
END_TEST

START_TEST(eof_before_the_last_byte)
{
	struct qmtp_package *p;

	begin();
	p = submit(1);
	shutdown(peer, SHUT_WR);
	qmtp_session_step(session);
	ends(QMTP_SEND, QMTP_EOF);
	ck_assert(!qmtp_package_committed(p));
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,8:5:r@x.y,");
}
END_TEST

START_TEST(eof_after_k_answers)
{
	struct qmtp_package *p;

	begin();
	p = submit(3);
	qmtp_session_step(session);
	received();
	answer("1:K,1:Z,2:D");
	close(peer);
	peer = -1;
	qmtp_session_step(session);
	ends(QMTP_REPLY, QMTP_EOF);
	ck_assert(qmtp_package_committed(p));
	ck_assert_uint_eq(qmtp_package_answers(p), 2);
	ck_assert_int_eq(qmtp_package_reply(p, 0).code, 'K');
	ck_assert_int_eq(qmtp_package_reply(p, 1).code, 'Z');
	ck_assert_int_eq(qmtp_package_reply(p, 2).code, 0);
}
END_TEST

START_TEST(peer_gone_while_sending)
{
	struct qmtp_package *p;

	begin();
	p = submit(1);
	close(peer);
	peer = -1;
	qmtp_session_step(session); /* no SIGPIPE */
	ends(QMTP_SEND, QMTP_SYSTEM);
	ck_assert(!qmtp_package_committed(p));
}
END_TEST

static int
say_no(void *arg, struct qmtp_package *p)
{
	size_t *asked = arg;

	ck_assert(!qmtp_package_committed(p));
	(*asked)++;
	return -1;
}

START_TEST(commit_refused)
{
	struct qmtp_package *p;
	size_t asked = 0;

	options.commit = say_no;
	options.arg = &asked;
	begin();
	p = submit(1);
	qmtp_session_step(session);
	ends(QMTP_SEND, QMTP_REFUSED);
	ck_assert_uint_eq(asked, 1);
	ck_assert(!qmtp_package_committed(p));
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,8:5:r@x.y,");
}
END_TEST

/*
 * Positions: a package with several recipients is alone until the server has shown that
 * it answers each.
 */
START_TEST(pipelining)
{
	struct qmtp_package *a, *b, *c, *d, *e;

	begin();
	a = submit(1);
	b = submit(1);
	c = submit(2);
	d = submit(1);
	qmtp_session_step(session);
	ck_assert(qmtp_package_committed(a) && qmtp_package_committed(b));
	ck_assert(qmtp_package_committed(c));
	ck_assert_str_eq(
	    received(), WIRE WIRE "5:\nabc\n,5:s@x.y,18:6:r0@x.y,6:r1@x.y,,");
	answer("1:K,1:D,1:Z,");
	ck_assert(qmtp_package_done(a) && qmtp_package_done(b) && !qmtp_package_done(c));
	ck_assert_int_eq(qmtp_package_reply(b, 0).code, 'D');
	ck_assert_str_eq(received(), "");
	answer("1:K,");
	ck_assert(qmtp_package_done(c));
	ck_assert_str_eq(received(), WIRE);
	e = submit(2);
	submit(1);
	qmtp_session_step(session);
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,18:6:r0@x.y,6:r1@x.y,," WIRE);
	answer("1:K,1:K,1:D,1:K,");
	ck_assert(qmtp_package_done(d) && qmtp_package_done(e));
	ck_assert_int_eq(qmtp_package_reply(e, 1).code, 'D');
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
}
END_TEST

START_TEST(window_by_count)
{
	options.window = 3;
	begin();
	for (int i = 0; i < 5; i++)
		submit(1);
	qmtp_session_step(session);
	ck_assert_str_eq(received(), WIRE WIRE WIRE "5:\nabc\n,5:s@x.y,8:5:r@x.y,");
	answer("1:K,");
	ck_assert_str_eq(received(),
	    ","
	    "5:\nabc\n,5:s@x.y,8:5:r@x.y,");
	ck_assert_uint_eq(qmtp_session_unfinished(session), 4);
}
END_TEST

START_TEST(answers_one)
{
	struct qmtp_package *a, *b;

	options.answers_one = true;
	begin();
	a = submit(3);
	b = submit(2);
	qmtp_session_step(session);
	answer("1:K,2:Zx,");
	ck_assert(qmtp_package_done(a) && qmtp_package_done(b));
	ck_assert_int_eq(qmtp_package_reply(b, 0).code, 'Z');
	ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
}
END_TEST

/* Wait for the session's own deadline. */
static int64_t
run_out(void)
{
	int64_t begun = qmtp_now();
	struct qmtp_error err;

	ck_assert_int_eq(qmtp_session_run(session, begun + 5000, &err), -1);
	return qmtp_now() - begun;
}

START_TEST(reply_timeout)
{
	struct qmtp_package *p;

	options.reply_timeout = 120;
	begin();
	p = submit(2);
	ck_assert_int_ge(run_out(), 100);
	ends(QMTP_REPLY, QMTP_TIMEOUT);
	ck_assert(qmtp_package_committed(p));
}
END_TEST

/* One deadline for all answers: one that drips in does not move it. */
START_TEST(reply_timeout_drip)
{
	int64_t begun = qmtp_now();

	options.reply_timeout = 200;
	begin();
	submit(100);
	qmtp_session_step(session);
	while (qmtp_session_state(session) == QMTP_OPEN && qmtp_now() < begun + 5000) {
		ck_assert_int_eq(write(peer, "1:K,", 4), 4);
		usleep(20000);
		qmtp_session_step(session);
	}
	ends(QMTP_REPLY, QMTP_TIMEOUT);
	ck_assert_int_lt(qmtp_now() - begun, 1500);
}
END_TEST

START_TEST(silence)
{
	struct qmtp_package *p;

	options.silence = 100;
	begin();
	p = submit(3);
	qmtp_session_step(session);
	answer("1:D,");
	run_out();
	ends(QMTP_REPLY, QMTP_SILENCE);
	ck_assert_uint_eq(qmtp_package_answers(p), 1);
}
END_TEST

/* Two answers have come: this server answers each, and has all its time. */
START_TEST(no_silence_after_two)
{
	options.silence = 50;
	options.reply_timeout = 300;
	begin();
	submit(3);
	qmtp_session_step(session);
	answer("1:D,1:K,");
	run_out();
	ends(QMTP_REPLY, QMTP_TIMEOUT);
}
END_TEST

START_TEST(no_silence_once_proven)
{
	options.silence = 50;
	options.reply_timeout = 300;
	begin();
	submit(2);
	qmtp_session_step(session);
	answer("1:K,1:K,");
	submit(2);
	qmtp_session_step(session);
	answer("1:D,");
	run_out();
	ends(QMTP_REPLY, QMTP_TIMEOUT);
	ck_assert(qmtp_session_proven(session));
}
END_TEST

START_TEST(send_timeout)
{
	static char big[4 << 20];
	struct qmtp_package *p;
	struct qmtp_error err;

	options.send_timeout = 120;
	begin();
	p = package(1);
	ck_assert_int_eq(qmtp_package_lend(p, big, sizeof(big)), 0);
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), 0);
	ck_assert_int_ge(run_out(), 100);
	ends(QMTP_SEND, QMTP_TIMEOUT);
	ck_assert(!qmtp_package_committed(p));
}
END_TEST

START_TEST(aged)
{
	struct qmtp_package *a, *b;

	options.session_timeout = 60;
	begin();
	a = submit(2);
	b = submit(1);
	qmtp_session_step(session);
	usleep(80000);
	answer("1:K,1:K,");
	ck_assert(qmtp_package_done(a));
	ends(QMTP_SEND, QMTP_AGED);
	ck_assert(!qmtp_package_committed(b));
	ck_assert_str_eq(received(), "5:\nabc\n,5:s@x.y,18:6:r0@x.y,6:r1@x.y,,");
}
END_TEST

/*
 * 876 packages of 300 recipients block for ever whoever does not read while it writes
 * (QMTP §2).
 */
START_TEST(no_deadlock)
{
	enum { PACKAGES = 900, RCPTS = 300 };
	static struct qmtp_package *many[PACKAGES];
	struct qmtp_error err;
	struct buf out = { 0 };
	size_t sent = 0;
	char got[65536];
	struct qmtp_reader reader;

	options.window = 1000;
	begin();
	qmtp_reader_init(&reader);
	for (size_t i = 0; i < PACKAGES; i++) {
		many[i] = package(RCPTS);
		npackages--;
		ck_assert_int_eq(qmtp_session_submit(session, many[i], &err), 0);
	}
	for (long turn = 0; turn < 2000000 && qmtp_session_unfinished(session) > 0;
	     turn++) {
		ssize_t n;

		qmtp_session_step(session);
		ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
		/* a server that reads only once its answers are out */
		while (sent < out.len) {
			n = write(peer, out.data + sent, out.len - sent);
			if (n < 0)
				break;
			sent += (size_t)n;
		}
		if (sent < out.len)
			continue;
		buf_clear(&out);
		sent = 0;
		n = read(peer, got, sizeof(got));
		for (const char *in = got; n > 0;) {
			size_t left = (size_t)n;
			struct qmtp_piece piece;
			enum qmtp_item item =
			    qmtp_reader_next(&reader, &in, &left, &piece);

			n = (ssize_t)left;
			ck_assert_int_ne(item, QMTP_BROKEN);
			if (item == QMTP_RCPT && piece.last)
				buf_str(&out, "21:Kok 1234567890 qp 123,");
		}
	}
	ck_assert_uint_eq(qmtp_session_unfinished(session), 0);
	for (size_t i = 0; i < PACKAGES; i++) {
		ck_assert(qmtp_package_done(many[i]));
		qmtp_package_free(many[i]);
	}
	buf_free(&out);
}
END_TEST

START_TEST(check_refuses)
{
	struct qmtp_package *p;
	struct qmtp_error err;
	char long_addr[QMTP_ADDRESS_MAX + 2];

	begin();
	p = qmtp_package_new();
	packages[npackages++] = p;
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), -1);
	ck_assert_str_eq(err.text, "the package has no sender");
	qmtp_package_sender(p, "");
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), -1);
	ck_assert_str_eq(err.text, "the package has no recipient");
	memset(long_addr, 'a', sizeof(long_addr));
	long_addr[QMTP_ADDRESS_MAX] = '\0';
	qmtp_package_rcpt(p, long_addr);
	ck_assert_int_eq(qmtp_package_check(p, &err), 0);
	long_addr[QMTP_ADDRESS_MAX] = 'a';
	long_addr[QMTP_ADDRESS_MAX + 1] = '\0';
	qmtp_package_rcpt(p, long_addr);
	ck_assert_int_eq(qmtp_package_check(p, &err), -1);
	ck_assert_int_eq(err.cause, QMTP_INVALID);
	ck_assert_ptr_nonnull(strstr(err.text, "recipient 2"));
	qmtp_package_new_envelope(p);
	qmtp_package_sender(p, "");
	qmtp_package_rcpt(p, "");
	ck_assert_int_eq(qmtp_package_check(p, &err), -1);
	qmtp_package_new_envelope(p);
	qmtp_package_sender(p, "");
	qmtp_package_rcpt(p, "a");
	qmtp_package_file(p, 0, 0, QMTP_MESSAGE_MAX);
	ck_assert_int_eq(qmtp_package_check(p, &err), 0);
	qmtp_package_append(p, "x", 1);
	ck_assert_int_eq(qmtp_package_check(p, &err), -1);
	ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(same_package_again)
{
	struct qmtp_package *p;
	struct qmtp_error err;

	begin();
	p = submit(1);
	qmtp_session_step(session);
	answer("2:Zx,");
	received();
	qmtp_package_new_envelope(p);
	ck_assert_int_eq(qmtp_package_reply(p, 0).code, 0);
	qmtp_package_sender(p, "s@x.y");
	qmtp_package_rcpt(p, "r@x.y");
	ck_assert_int_eq(qmtp_session_submit(session, p, &err), 0);
	qmtp_session_step(session);
	ck_assert_str_eq(received(), WIRE);
	answer("1:K,");
	ck_assert_int_eq(qmtp_package_reply(p, 0).code, 'K');
}
END_TEST

/*
 * Every place where the server can go away in a dialogue of two packages; answers that
 * came stay, and what was not committed is safe to send elsewhere.
 */
START_TEST(every_byte)
{
	const char *in = "3:Kok,2:Dn,2:Zl,";
	size_t len = strlen(in);

	for (size_t cut = 0; cut <= len; cut++) {
		struct qmtp_package *a, *b;
		size_t whole = (cut >= 6) + (cut >= 11) + (cut >= 16);
		char part[20] = { 0 };

		set_up();
		begin();
		a = submit(2);
		b = submit(1);
		qmtp_session_step(session);
		memcpy(part, in, cut < 11 ? cut : 11);
		answer(part);
		if (cut > 11) {
			ck_assert(qmtp_package_committed(b));
			memset(part, 0, sizeof(part));
			memcpy(part, in + 11, cut - 11);
			answer(part);
		}
		received();
		shutdown(peer, SHUT_WR);
		qmtp_session_step(session);
		ends(cut == 16 ? QMTP_SEND : QMTP_REPLY, QMTP_EOF);
		ck_assert_uint_eq(
		    qmtp_package_answers(a) + qmtp_package_answers(b), whole);
		ck_assert(qmtp_package_committed(a));
		ck_assert_int_eq(qmtp_package_committed(b), cut >= 11);
		tear_down();
	}
	set_up();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("session");
	TCase *t = tcase_create("session");
	int n = (int)(sizeof(wrong) / sizeof(*wrong));

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, one_message);
	tcase_add_test(t, null_sender_and_crlf);
	tcase_add_test(t, from_a_file);
	tcase_add_test(t, file_too_short);
	tcase_add_loop_test(t, wrong_answers, 0, n);
	tcase_add_loop_test(t, wrong_answers_drip, 0, n);
	tcase_add_test(t, longest_answer);
	tcase_add_test(t, stray_bytes_are_kept);
	tcase_add_test(t, early_bytes);
	tcase_add_test(t, early_answer_to_the_next);
	tcase_add_test(t, eof_before_the_last_byte);
	tcase_add_test(t, eof_after_k_answers);
	tcase_add_test(t, peer_gone_while_sending);
	tcase_add_test(t, commit_refused);
	tcase_add_test(t, pipelining);
	tcase_add_test(t, window_by_count);
	tcase_add_test(t, answers_one);
	tcase_add_test(t, reply_timeout);
	tcase_add_test(t, reply_timeout_drip);
	tcase_add_test(t, silence);
	tcase_add_test(t, no_silence_after_two);
	tcase_add_test(t, no_silence_once_proven);
	tcase_add_test(t, send_timeout);
	tcase_add_test(t, aged);
	tcase_add_test(t, no_deadlock);
	tcase_add_test(t, check_refuses);
	tcase_add_test(t, same_package_again);
	tcase_add_test(t, every_byte);
	suite_add_tcase(s, t);
	return run_suite(s);
}
