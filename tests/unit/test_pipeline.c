/*
 * Packages one behind the other: what goes in which write, and what each package is when
 * the dialogue breaks off at any of its bytes. The sendmsg() of this program lets so many
 * bytes pass and then does as it is told; the server, on the other end of a socket pair,
 * answers what it has got in the same moment.
 */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "qmtp/qmtp.h"
#include "util/buf.h"

#include "suite.h"

#define PART "5:\nabc\n,5:s@x.y,8:5:r@x.y,"
#define WIRE PART ","
#define ONE (sizeof(WIRE) - 1)
#define PACKAGES 3

static struct {
	size_t room;   /* bytes that still pass */
	int refusal;   /* errno when no more do */
	bool answers;  /* the server answers */
	size_t passed; /* bytes that did */
	/* those that did, and behind each '+' if more was said to follow, else '|'; and '!'
	   where the system was told to wait no longer */
	struct buf writes;
} wire;

static struct qmtp_session *session;
static int peer; /* the server's end */
static struct qmtp_options options;
static struct qmtp_package *packages[8];
static size_t npackages;
static struct buf got; /* by the server */
static size_t answered;

/* The server takes what there is and answers each whole package. */
static void
serve(void)
{
	char data[4096];
	ssize_t n;

	while ((n = recv(peer, data, sizeof(data), MSG_DONTWAIT)) > 0)
		buf_add(&got, data, (size_t)n);
	for (; wire.answers && answered < got.len / ONE; answered++)
		ck_assert_int_eq(send(peer, "2:Kx,", 5, MSG_DONTWAIT), 5);
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct iovec v[32];
	struct msghdr cut = *msg;
	size_t left = wire.room;
	ssize_t n;

	if (left == 0) {
		errno = wire.refusal;
		return -1;
	}
	ck_assert_uint_le(msg->msg_iovlen, 32);
	cut.msg_iov = v;
	cut.msg_iovlen = 0;
	for (size_t i = 0; i < msg->msg_iovlen && left > 0; i++) {
		struct iovec *to = &v[cut.msg_iovlen++];

		*to = msg->msg_iov[i];
		if (to->iov_len > left)
			to->iov_len = left;
		left -= to->iov_len;
	}
	n = syscall(SYS_sendmsg, fd, &cut, flags);
	ck_assert_int_ge(n, 0);
	wire.room -= (size_t)n;
	wire.passed += (size_t)n;
	for (size_t i = 0; i < cut.msg_iovlen; i++)
		buf_add(&wire.writes, v[i].iov_base, v[i].iov_len);
	buf_byte(&wire.writes, (flags & MSG_MORE) != 0 ? '+' : '|');
	serve();
	return n;
}

int
setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	ck_assert(level == IPPROTO_TCP && name == TCP_NODELAY);
	buf_byte(&wire.writes, '!');
	return (int)syscall(SYS_setsockopt, fd, level, name, value, len);
}

/* The clock, which a test may set forward. */
static time_t ahead;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, id, ts);

	ts->tv_sec += ahead;
	return r;
}

static void
set_up(void)
{
	ahead = 0;
	options = (struct qmtp_options){ .host = "peer" };
	wire.room = SIZE_MAX;
	wire.refusal = EAGAIN;
	wire.answers = false;
	wire.passed = answered = npackages = 0;
	buf_clear(&wire.writes);
	buf_clear(&got);
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
	buf_free(&wire.writes);
	buf_free(&got);
}

static void
begin(void)
{
	struct qmtp_error err;
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
	peer = ends[1];
	session = qmtp_session_adopt(ends[0], &options, &err);
	ck_assert_ptr_nonnull(session);
}

static struct qmtp_package *
package(size_t rcpts)
{
	struct qmtp_package *p = qmtp_package_new();

	ck_assert_ptr_nonnull(p);
	packages[npackages++] = p;
	ck_assert_int_eq(qmtp_package_sender(p, "s@x.y"), 0);
	while (rcpts-- > 0)
		ck_assert_int_eq(qmtp_package_rcpt(p, "r@x.y"), 0);
	return p;
}

static void
submit(struct qmtp_package *p)
{
	struct qmtp_error err;

	ck_assert_int_eq(qmtp_session_submit(session, p, &err), 0);
}

/* n packages that are WIRE. */
static void
submit_all(size_t n)
{
	while (n-- > 0) {
		struct qmtp_package *p = package(1);

		ck_assert_int_eq(qmtp_package_lend(p, "abc\n", 4), 0);
		submit(p);
	}
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

/* How many packages are committed, and how many answered: always the first ones. */
static void
are(size_t committed, size_t done)
{
	for (size_t i = 0; i < npackages; i++) {
		ck_assert_msg(qmtp_package_committed(packages[i]) == (i < committed),
		    "package %zu of %zu committed", i, committed);
		ck_assert_msg(qmtp_package_done(packages[i]) == (i < done),
		    "package %zu of %zu done", i, done);
	}
}

static void
writes(const char *all)
{
	buf_byte(&wire.writes, '\0');
	ck_assert_str_eq(wire.writes.data, all);
	buf_clear(&wire.writes);
}

/* What has come is the beginning of the dialogue, so many bytes of it. */
static void
came(size_t bytes)
{
	serve();
	ck_assert_uint_eq(got.len, bytes);
	for (size_t i = 0; i < bytes; i++)
		ck_assert_int_eq(got.data[i], WIRE[i % ONE]);
}

/* A last byte shares its write with the next package, never with its own. */
START_TEST(one_write_each)
{
	wire.answers = true;
	begin();
	submit_all(PACKAGES);
	qmtp_session_step(session);
	writes(PART "|," PART "+," PART "+,|");
	qmtp_session_step(session);
	are(PACKAGES, PACKAGES);
	submit_all(2);
	qmtp_session_step(session);
	writes(PART "|," PART "+,|");
}
END_TEST

/* What the system was told to hold for more is not held when no more can be written. */
START_TEST(nothing_is_held)
{
	wire.room = 2 * ONE - 1;
	begin();
	submit_all(PACKAGES);
	qmtp_session_step(session);
	writes(PART "|," PART "+!");
	are(1, 0);
	wire.room = SIZE_MAX;
	qmtp_session_step(session);
	writes("," PART "+,|");
}
END_TEST

START_TEST(nothing_behind_several)
{
	struct qmtp_package *p;

	begin();
	submit_all(1);
	p = package(2);
	qmtp_package_lend(p, "abc\n", 4);
	submit(p);
	submit_all(1);
	qmtp_session_step(session);
	writes(PART "|,5:\nabc\n,5:s@x.y,16:5:r@x.y,5:r@x.y,+,|");
	ck_assert_int_eq(write(peer, "1:K,1:K,1:K,", 12), 12);
	qmtp_session_step(session);
	writes(PART "|,|");
	are(3, 2);
	submit(package(2));
	submit_all(1);
	qmtp_session_step(session); /* proven */
	writes("1:\n,5:s@x.y,16:5:r@x.y,5:r@x.y,|," PART "+,|");
}
END_TEST

/*
 * The beginning of the next one is out when a place in the window is free, and waits
 * for it however long that takes.
 */
START_TEST(full_window)
{
	options.window = 2;
	options.send_timeout = 20;
	begin();
	submit_all(5);
	qmtp_session_step(session);
	writes(PART "|," PART "+," PART "|");
	are(2, 0);
	usleep(40000);
	ck_assert_int_gt(qmtp_session_deadline(session), qmtp_now() + 60000);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_OPEN);
	writes("");
	wire.refusal = EAGAIN;
	wire.room = 0;
	ck_assert_int_eq(write(peer, "1:K,", 4), 4);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_OPEN);
	are(2, 1);
	wire.room = SIZE_MAX;
	qmtp_session_step(session);
	writes("," PART "|");
	are(3, 1);
	ck_assert_int_eq(write(peer, "1:K,1:K,", 8), 8);
	qmtp_session_step(session);
	writes("," PART "+,|");
	are(5, 3);
}
END_TEST

START_TEST(window_of_one)
{
	options.window = 1;
	begin();
	submit_all(2);
	qmtp_session_step(session);
	writes(PART "|,|");
	ck_assert_int_eq(write(peer, "1:K,", 4), 4);
	qmtp_session_step(session);
	writes(PART "|,|");
}
END_TEST

/* Files: a small one goes along, a large one by itself. */
START_TEST(files)
{
	static char large[100000];
	FILE *f = tmpfile();
	struct qmtp_package *p;

	ck_assert_ptr_nonnull(f);
	memset(large, 'x', sizeof(large));
	ck_assert_uint_eq(fwrite("__abc\n", 1, 6, f), 6);
	ck_assert_uint_eq(fwrite(large, 1, sizeof(large), f), sizeof(large));
	ck_assert_int_eq(fflush(f), 0);
	begin();
	submit_all(1);
	p = package(1);
	ck_assert_int_eq(qmtp_package_file(p, fileno(f), 2, 4), 0);
	submit(p);
	p = package(1);
	ck_assert_int_eq(qmtp_package_lend(p, "abc\n", 4), 0);
	ck_assert_int_eq(qmtp_package_file(p, fileno(f), 6, sizeof(large)), 0);
	submit(p);
	submit_all(1);
	for (int i = 0; i < 20; i++) {
		qmtp_session_step(session);
		serve();
	}
	writes(PART "|," PART "+,100005:\nabc\n+,5:s@x.y,8:5:r@x.y,|," PART "+,|");
	ck_assert_uint_eq(got.len, 4 * ONE + strlen("10000") + sizeof(large));
	are(4, 0);
	fclose(f);
}
END_TEST

/* How the dialogue breaks off when so many bytes have passed. */
enum { STALLS, CLOSES, BREAKS, RESETS, WAYS };

static void
break_off(int how, size_t room)
{
	wire.room = room;
	wire.refusal = how == BREAKS ? EPIPE : how == RESETS ? ECONNRESET : EAGAIN;
	options.send_timeout = 30000;
	begin();
	submit_all(PACKAGES);
	qmtp_session_step(session);
	if (how == STALLS && room < PACKAGES * ONE) {
		qmtp_session_step(session);
		ahead = 31;
	} else if (how == CLOSES) {
		qmtp_session_step(session);
		shutdown(peer, SHUT_WR);
	}
	qmtp_session_step(session);
}

START_TEST(every_byte)
{
	size_t room = (size_t)_i % (PACKAGES * ONE + 1);
	int how = (int)((size_t)_i / (PACKAGES * ONE + 1) / 2);
	size_t whole = room / ONE;
	size_t last = room % ONE == ONE - 1; /* its last byte is what did not pass */
	enum qmtp_phase phase = last ? QMTP_COMMIT : QMTP_SEND;

	wire.answers = _i / (PACKAGES * ONE + 1) % 2;
	break_off(how, room);
	came(room);
	if (how == BREAKS || how == RESETS)
		are(whole + last, wire.answers ? whole : 0);
	else
		are(whole, wire.answers ? whole : 0);
	if (room == PACKAGES * ONE && how != CLOSES)
		ck_assert_int_eq(qmtp_session_state(session), QMTP_OPEN);
	else if (how == CLOSES)
		ends(whole > 0 && !wire.answers ? QMTP_REPLY : QMTP_SEND, QMTP_EOF);
	else
		ends(phase, how == STALLS ? QMTP_TIMEOUT : QMTP_SYSTEM);
}
END_TEST

/* More than was asked for: nothing of the package that is half sent is committed. */
START_TEST(early_bytes_behind_an_answer)
{
	wire.room = (size_t)_i;
	begin();
	submit_all(PACKAGES);
	qmtp_session_step(session);
	came((size_t)_i);
	wire.room = SIZE_MAX;
	ck_assert_int_eq(write(peer, "1:K,1:K,1:K,", 12), 12);
	qmtp_session_step(session);
	are((size_t)_i / ONE, (size_t)_i / ONE);
	ends(QMTP_SEND, QMTP_EARLY);
	came((size_t)_i);
}
END_TEST

/* The last byte of one does not go before the server was listened to. */
static int
speak(void *arg, struct qmtp_package *p)
{
	size_t *asked = arg;

	if (p == packages[(*asked)++] && *asked == 2)
		ck_assert_int_eq(write(peer, "1:K,1:Z,", 8), 8);
	return 0;
}

START_TEST(listens_before_each)
{
	size_t asked = 0;

	options.commit = speak;
	options.arg = &asked;
	begin();
	submit_all(PACKAGES);
	qmtp_session_step(session);
	/* what was said when the second was asked for, is heard before the third is */
	ck_assert_uint_eq(asked, 3);
	are(PACKAGES, 2);
	ck_assert_int_eq(qmtp_package_reply(packages[1], 0).code, 'Z');
}
END_TEST

static int
refuse_second(void *arg, struct qmtp_package *p)
{
	size_t *asked = arg;

	++*asked;
	return p == packages[1] ? -1 : 0;
}

/* Given up: what was committed before is answered first, and nothing more is sent. */
START_TEST(refused_behind_others)
{
	struct qmtp_error err;
	size_t asked = 0;

	options.commit = refuse_second;
	options.arg = &asked;
	begin();
	submit_all(PACKAGES);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_OPEN);
	ck_assert_int_eq(qmtp_session_error(session)->cause, QMTP_OK);
	writes(PART "|," PART "+!");
	ck_assert_int_eq(qmtp_session_step(session), QMTP_OPEN);
	ck_assert_uint_eq(qmtp_session_unfinished(session), PACKAGES);
	ck_assert_int_eq(qmtp_session_submit(session, packages[0], &err), -1);
	ck_assert_int_eq(err.cause, QMTP_REFUSED);
	ck_assert_int_eq(write(peer, "1:D,", 4), 4);
	qmtp_session_step(session);
	ends(QMTP_SEND, QMTP_REFUSED);
	are(1, 1);
	ck_assert_uint_eq(asked, 2);
	writes("");
	came(2 * ONE - 1);
}
END_TEST

/* The same, and the server does not answer: the reason stays what it was. */
START_TEST(refused_and_no_answer)
{
	size_t asked = 0;

	options.commit = refuse_second;
	options.arg = &asked;
	options.reply_timeout = 50;
	begin();
	submit_all(PACKAGES);
	qmtp_session_step(session);
	if (_i == 0)
		shutdown(peer, SHUT_WR);
	else
		usleep(60000);
	qmtp_session_step(session);
	ends(QMTP_SEND, QMTP_REFUSED);
	are(1, 0);
}
END_TEST

/* A file that cannot be sent harms those before it no more than a refusal. */
START_TEST(short_file_behind_others)
{
	FILE *f = tmpfile();
	struct qmtp_package *p;

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite("abc\n", 1, 4, f), 4);
	ck_assert_int_eq(fflush(f), 0);
	begin();
	submit_all(1);
	p = package(1);
	ck_assert_int_eq(qmtp_package_file(p, fileno(f), 0, 5), 0);
	submit(p);
	submit_all(1);
	ck_assert_int_eq(qmtp_session_step(session), QMTP_OPEN);
	writes(PART "|,6:\n+");
	ck_assert_int_eq(write(peer, "1:K,", 4), 4);
	qmtp_session_step(session);
	ends(QMTP_SEND, QMTP_SOURCE);
	are(1, 1);
	fclose(f);
}
END_TEST

/* Too old to begin another: the one that is half sent still goes. */
START_TEST(ages_half_way)
{
	options.session_timeout = 50;
	wire.room = ONE + 5;
	begin();
	submit_all(PACKAGES);
	qmtp_session_step(session);
	usleep(60000);
	wire.room = SIZE_MAX;
	buf_clear(&wire.writes);
	qmtp_session_step(session);
	writes("c\n,5:s@x.y,8:5:r@x.y,|,|");
	ck_assert_int_eq(write(peer, "1:K,1:K,", 8), 8);
	qmtp_session_step(session);
	are(2, 2);
	ends(QMTP_SEND, QMTP_AGED);
}
END_TEST

static void
note(void *arg, enum qmtp_trace what, const void *data, size_t len)
{
	struct buf *b = arg;

	buf_byte(b, what == QMTP_TRACE_NOTE ? '-' : what == QMTP_TRACE_SENT ? '>' : '<');
	buf_add(b, data, len);
	buf_byte(b, '\n');
}

START_TEST(trace)
{
	struct buf said = { 0 };

	options.trace = note;
	options.arg = &said;
	wire.answers = true;
	begin();
	submit_all(2);
	qmtp_session_step(session);
	qmtp_session_step(session);
	buf_byte(&said, '\0');
	ck_assert_str_eq(said.data,
	    ">message of 4 bytes\n>sender <s@x.y>\n>recipient <r@x.y>\n"
	    "-last byte sent\n"
	    ">message of 4 bytes\n>sender <s@x.y>\n>recipient <r@x.y>\n"
	    "<Kx\n"
	    "-last byte sent\n"
	    "<Kx\n");
	qmtp_session_close(session);
	buf_free(&said);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("pipeline");
	TCase *t = tcase_create("pipeline");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, one_write_each);
	tcase_add_test(t, nothing_is_held);
	tcase_add_test(t, nothing_behind_several);
	tcase_add_test(t, full_window);
	tcase_add_test(t, window_of_one);
	tcase_add_test(t, files);
	tcase_add_loop_test(t, every_byte, 0, 2 * WAYS * (PACKAGES * (int)ONE + 1));
	tcase_add_loop_test(
	    t, early_bytes_behind_an_answer, (int)ONE + 1, 2 * (int)ONE - 1);
	tcase_add_test(t, listens_before_each);
	tcase_add_test(t, refused_behind_others);
	tcase_add_loop_test(t, refused_and_no_answer, 0, 2);
	tcase_add_test(t, short_file_behind_others);
	tcase_add_test(t, ages_half_way);
	tcase_add_test(t, trace);
	suite_add_tcase(s, t);
	return run_suite(s);
}
