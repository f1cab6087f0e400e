/*
 * Every byte of a dialogue of two packages as the place where the server closes, resets or
 * is silent, over TCP. Of the client's bytes the system takes N, the server says M, then it
 * happens. What every recipient must be after that is worked out here from N and M alone, as
 * spec and delivery/verdict.h have it; fuzz/model.h watches the socket and knows what the
 * session must say of its end. Time is played; nothing waits for it.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "delivery/verdict.h"
#include "qmtp/qmtp.h"
#include "util/buf.h"

#include "suite.h"
#include "wire.h"

/* The two packages, what they are sent as, and what is answered. */
static const struct manner {
	const char *name;
	size_t rcpts[2];
	bool answers_one;
	int window;
	bool waits; /* the second one is not begun before the first is answered */
	const char *answers[2];
} manners[] = {
	{ "pipelined", { 1, 2 }, false, 64, false, { "3:Kok,", "2:Dn,2:Zl," } },
	{ "several first", { 2, 1 }, false, 64, true, { "2:Kk,3:Dno,", "2:Zl," } },
	{ "answers one", { 1, 2 }, true, 64, false, { "3:Zno,", "3:Dno," } },
	{ "window 1", { 1, 2 }, false, 1, true, { "3:Dno,", "2:Kk,2:Kl," } },
};

enum deed { CLOSES, SHUTS, RESETS, LEAVES_UNREAD, STALLS, DEEDS };

static const char *const deeds[] = { "closes", "ends what it says", "resets",
	"closes with bytes unread", "is silent" };

/* One place. */
static struct place {
	const struct manner *manner;
	size_t sent, said; /* N and M */
	size_t extra;      /* of said: bytes that nobody has asked for */
	bool heard;        /* before the deed */
	enum deed deed;
} at;

static struct qmtp_package *packages[2];
static size_t ends[2];   /* of the packages, in the client's bytes */
static struct buf words; /* of the server */

/* When the model breaks off, the log has where that was. */
static char place_name[200];
static size_t place_len;

static void
say_place(int number)
{
	if (write(STDERR_FILENO, place_name, place_len) < 0)
		_exit(3);
	signal(number, SIG_DFL);
}

static void
name_place(void)
{
	snprintf(place_name, sizeof(place_name),
	    "# %s: after %zu bytes, having said %zu (%zu too many, %s), the server %s\n",
	    at.manner->name, at.sent, at.said, at.extra, at.heard ? "heard" : "unheard",
	    deeds[at.deed]);
	place_len = strlen(place_name);
}

static void
dial(int listener, int port)
{
	struct qmtp_options o = {
		.connect_timeout = 60000,
		.send_timeout = 60000,
		.reply_timeout = 300000,
		.silence = 30000,
		.session_timeout = 3000000,
		.answers_one = at.manner->answers_one,
		.window = at.manner->window,
		.window_rcpts = 1000,
		.window_bytes = 16 << 20,
	};

	wire_dial(listener, port, &o);
}

static void
submit_both(void)
{
	static const char *const addrs[] = { "r@x.y", "q@x.y" };
	static char text[] = "abc\n";
	struct buf body = { .data = text, .len = 4 };
	struct qmtp_error err;

	for (int i = 0; i < 2; i++) {
		struct qmtp_package *p = packages[i] = qmtp_package_new();

		ck_assert_ptr_nonnull(p);
		ck_assert_int_eq(qmtp_package_sender(p, "s@x.y"), 0);
		for (size_t k = 0; k < at.manner->rcpts[i] && k < 2; k++)
			ck_assert_int_eq(qmtp_package_rcpt(p, addrs[k]), 0);
		ck_assert_int_eq(qmtp_package_lend(p, text, 4), 0);
		ck_assert_int_eq(qmtp_session_submit(wire.session, p, &err), 0);
		model_submit(&wire.model, p, &body, "s@x.y", addrs);
		ends[i] = wire.model.v[i].end;
	}
}

/* The server says its words from one place to another. The client may know of it, or not. */
static void
say(size_t from, size_t to, bool heard)
{
	if (from == to)
		return;
	wire_say(words.data + from, to - from);
	wire_await_client(to - from);
	if (heard)
		wire_step();
}

static void
come_to_it(void)
{
	size_t first = strlen(at.manner->answers[0]), said = 0, taken = 0;

	wire.may_send = at.sent;
	if (at.sent > 0) /* else it meets the server as the deed left it */
		wire_step();
	if (at.manner->waits && at.sent > ends[0]) {
		wire_take(ends[0]);
		taken = ends[0];
		say(0, first, true);
		said = first;
	}
	wire_await_server(at.sent - taken);
	if (at.deed != LEAVES_UNREAD)
		wire_take(at.sent - taken);
	say(said, at.said, at.heard);
}

static void
act(void)
{
	struct linger none = { .l_onoff = 1 };

	if (at.deed == STALLS)
		return;
	if (at.deed == SHUTS) {
		ck_assert_int_eq(shutdown(wire.server, SHUT_WR), 0);
	} else {
		if (at.deed == RESETS)
			ck_assert_int_eq(setsockopt(wire.server, SOL_SOCKET, SO_LINGER,
					     &none, sizeof(none)),
			    0);
		close(wire.server);
		wire.server = -1;
	}
	wire_await_end();
}

/* The caller goes on until there is nothing to wait for. */
static void
go_on(void)
{
	if (at.deed != STALLS)
		wire.may_send = SIZE_MAX;
	for (int i = 0; i < 10 && qmtp_session_state(wire.session) != QMTP_CLOSED; i++) {
		int64_t until;

		wire_step();
		until = qmtp_session_deadline(wire.session);
		if (at.deed != STALLS || until == INT64_MAX)
			continue;
		wire.now = until - 1;
		wire_step();
		wire.now = until;
	}
	ck_assert(qmtp_session_state(wire.session) == QMTP_CLOSED ||
	    (at.deed == STALLS && qmtp_session_unfinished(wire.session) == 0));
}

/*
 * The second package lacks its last byte alone, and the server's last words come together
 * with its end. The session hears the words, has no reason to look again, gives the byte
 * away and only then meets the end: in doubt, although the end was there before.
 */
static bool
meets_the_end_too_late(size_t answered_before)
{
	return at.sent == ends[1] - 1 && !at.heard && at.extra == 0 &&
	    at.said > answered_before && at.deed != STALLS;
}

/* Whole answers among the first bytes of a package's answers. */
static size_t
whole_answers(const char *answers, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n && answers[i] != '\0'; i++)
		count += answers[i] == ',';
	return count;
}

/* What became of a recipient: failures.md 5 to 17, delivery/verdict.h. */
static enum verdict
fate(bool committed, size_t position, const char *letters, size_t answers, bool silence)
{
	char letter = '\0';

	if (!committed)
		return VERDICT_UNDECIDED;
	if (at.manner->answers_one)
		position = 0;
	if (position < answers)
		letter = letters[position];
	if (silence && letters[0] != 'K')
		return VERDICT_LATER;
	if (letter == 'K')
		return VERDICT_ACCEPTED;
	if (letter == 'Z')
		return VERDICT_LATER;
	return letter == 'D' ? VERDICT_REFUSED : VERDICT_IN_DOUBT;
}

static void
check_fates(int which, bool committed, size_t said)
{
	const struct qmtp_package *p = packages[which];
	enum qmtp_cause end = qmtp_session_error(wire.session)->cause;
	struct verdict_policy policy = { .answers_one = at.manner->answers_one,
		.proven = qmtp_session_proven(wire.session) };
	const char *words_of_it = at.manner->answers[which];
	size_t rcpts = at.manner->rcpts[which], count;
	size_t owed = at.manner->answers_one ? 1 : rcpts;
	char letters[2] = { words_of_it[2], '\0' };
	bool proven = !at.manner->answers_one && at.manner->rcpts[0] > 1, silence;

	if (owed > 1)
		letters[1] = strchr(words_of_it, ',')[3];
	count = committed ? whole_answers(words_of_it, said) : 0;
	silence = at.deed == STALLS && at.extra == 0 && owed > 1 && count == 1 &&
	    !(proven && which == 1);
	ck_assert_int_eq(qmtp_package_committed(p), committed);
	ck_assert_uint_eq(qmtp_package_answers(p), count);
	for (size_t k = 0; k < rcpts; k++) {
		enum verdict v = fate(committed, k, letters, count, silence);

		if (v == VERDICT_REFUSED && at.manner->answers_one && rcpts > 1)
			v = VERDICT_SINGLY;
		ck_assert_int_eq(verdict_for(p, k, end, &policy), v);
	}
}

static void
check_all(void)
{
	size_t first = strlen(at.manner->answers[0]);
	size_t fair = at.said - at.extra;
	size_t before = at.manner->waits && at.sent > ends[0] ? first : 0;

	ck_assert_uint_eq(wire.model.heard.len, at.said); /* whatever came behind it */
	check_fates(0, at.sent >= ends[0], fair < first ? fair : first);
	check_fates(1, at.sent >= ends[1] || meets_the_end_too_late(before),
	    fair > first ? fair - first : 0);
}

static void
play(int listener, int port)
{
	name_place();
	dial(listener, port);
	submit_both();
	come_to_it();
	act();
	go_on();
	check_all();
	wire_close();
	qmtp_package_free(packages[0]);
	qmtp_package_free(packages[1]);
}

/* What the server may have said when it has so many bytes. */
static size_t
rightful(size_t sent)
{
	size_t n = 0;

	for (int i = 0; i < 2; i++)
		if (sent >= ends[i])
			n += strlen(at.manner->answers[i]);
	return n;
}

/* All deeds at one place in both directions. */
static size_t
play_deeds(int listener, int port)
{
	size_t plays = 0;

	for (at.deed = 0; at.deed < DEEDS; at.deed++)
		for (int heard = 0; heard < 2; heard++) {
			at.heard = heard;
			if (at.heard && at.said == 0)
				continue;
			play(listener, port);
			plays++;
		}
	return plays;
}

START_TEST(every_place)
{
	int port, listener = wire_listen(&port);
	size_t plays = 0;

	signal(SIGABRT, say_place);
	at = (struct place){ .manner = &manners[_i], .deed = STALLS };
	buf_clear(&words);
	buf_printf(&words, "%s%s2:Kx,", at.manner->answers[0], at.manner->answers[1]);
	play(listener, port); /* for ends[] */
	for (at.sent = 0; at.sent <= ends[1]; at.sent++) {
		size_t most = rightful(at.sent), least = 0;

		if (at.manner->waits && at.sent > ends[0])
			least = strlen(at.manner->answers[0]);
		for (at.said = least; at.said <= most + 5; at.said++) {
			at.extra = at.said > most ? at.said - most : 0;
			plays += play_deeds(listener, port);
		}
	}
	ck_assert_uint_gt(plays, 1000);
	close(listener);
	buf_free(&words);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("positions");
	TCase *t = tcase_create("positions");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, every_place, 0, (int)(sizeof(manners) / sizeof(*manners)));
	suite_add_tcase(s, t);
	return run_suite(s);
}
