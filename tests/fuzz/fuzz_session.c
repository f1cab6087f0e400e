/*
 * A session of qmtp/qmtp.h with a server that says anything. First byte: what is sent and
 * when the server speaks; second byte: where its words are cut. The rest: its words.
 *
 * Answers must be those that were given, by position, to packages that were sent; and the
 * server must have got those packages as they were.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "qmtp/qmtp.h"
#include "qmtp/qmtp_reader.h"

#define PACKAGES_MAX 3
#define RCPTS_MAX 4
#define WORDS_MAX 16384 /* bytes that a socket surely takes */

enum {
	PACKAGES = 3,
	RCPTS = 12,
	ANSWERS_ONE = 16,
	EARLY = 32,
	WINDOW_ONE = 64,
	STAYS = 128
};

struct play {
	unsigned flags, cut;
	const char *words; /* of the server, still to be said */
	size_t left;
	struct qmtp_package *v[PACKAGES_MAX];
	size_t n;
	size_t rcpts;
	int server;
	struct buf got;       /* by the server */
	size_t whole;         /* packages in it */
	size_t spoken_before; /* bytes said before the first whole package was there */
};

static struct qmtp_package *
make_package(size_t rcpts)
{
	struct qmtp_package *p = qmtp_package_new();
	static const char *const addrs[RCPTS_MAX] = { "alice@example.com",
		"bob@example.com", "alice@example.com", "carol@example.net" };

	must(p != NULL && qmtp_package_sender(p, "") == 0 &&
		qmtp_package_lend(p, "Subject: a\n\nb\n", 14) == 0,
	    "a package");
	for (size_t i = 0; i < rcpts; i++)
		must(qmtp_package_rcpt(p, addrs[i]) == 0, "a recipient");
	return p;
}

/* Take what the client sent and count the whole packages in it. */
static void
listen_to_client(struct play *a)
{
	const char *at;
	size_t len;
	struct qmtp_reader r;
	struct qmtp_piece piece;
	enum qmtp_item item;
	ssize_t n;

	while ((n = recv(a->server, buf_reserve(&a->got, 4096), 4096, MSG_DONTWAIT)) > 0)
		a->got.len += (size_t)n;
	qmtp_reader_init(&r);
	a->whole = 0;
	at = a->got.data;
	len = a->got.len;
	while ((item = qmtp_reader_next(&r, &at, &len, &piece)) != QMTP_MORE) {
		must(item != QMTP_BROKEN, "the client sends packages");
		a->whole += item == QMTP_END;
	}
}

static void
speak(struct play *a, size_t n)
{
	if (n > a->left)
		n = a->left;
	if (n == 0)
		return;
	/* a client that is gone hears nothing */
	if (send(a->server, a->words, n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		must(errno == EPIPE || errno == ECONNRESET, "the socket takes it");
	if (a->whole == 0)
		a->spoken_before += n;
	a->words += n;
	a->left -= n;
}

/* The answer in the server's words at *at, or false: there is no whole one. */
static bool
next_answer(const char **at, size_t *len, struct qmtp_reply *reply)
{
	size_t n = 0, i = 0;

	while (i < *len && (*at)[i] >= '0' && (*at)[i] <= '9' && n <= QMTP_REPLY_MAX)
		n = n * 10 + (size_t)((*at)[i++] - '0');
	if (i == 0 || (*at)[0] == '0' || n > QMTP_REPLY_MAX || *len - i < n + 2 ||
	    (*at)[i] != ':' || (*at)[i + 1 + n] != ',')
		return false;
	*reply = (struct qmtp_reply){ (*at)[i + 1], *at + i + 2, n - 1 };
	*at += i + n + 2;
	*len -= i + n + 2;
	return strchr("KZD", reply->code) != NULL && reply->code != '\0';
}

/* Every reply in a package was said, in this order. */
static void
check_replies(const struct play *a, const char *words, size_t len)
{
	bool all = true; /* the packages so far */

	for (size_t i = 0; i < a->n; i++) {
		const struct qmtp_package *p = a->v[i];
		size_t answers = qmtp_package_answers(p);
		size_t owed = a->flags & ANSWERS_ONE ? 1 : qmtp_package_rcpts(p);

		must(answers <= owed && qmtp_package_done(p) == (answers == owed),
		    "as many answers as are owed");
		must(answers == 0 || (all && qmtp_package_committed(p)),
		    "answers to what was sent, in order");
		all = answers == owed;
		must(!qmtp_package_committed(p) || i == 0 ||
			qmtp_package_committed(a->v[i - 1]),
		    "packages go one behind the other");
		for (size_t k = 0; k < a->rcpts; k++) {
			struct qmtp_reply is = qmtp_package_reply(p, k), was = { 0 };

			must((is.code != 0) == (k < answers), "code 0: no answer");
			if (is.code == 0)
				continue;
			must(next_answer(&words, &len, &was), "an answer that was given");
			must(is.code == was.code && is.len == was.len &&
				memcmp(is.text, was.text, is.len) == 0,
			    "the answer as it was given");
		}
	}
}

static void
check_session(const struct play *a, const struct qmtp_session *s)
{
	const struct qmtp_error *err = qmtp_session_error(s);
	size_t len, committed = 0;

	qmtp_session_stray(s, &len);
	must(len <= 400, "at most 400 stray bytes");
	if (qmtp_session_state(s) == QMTP_CLOSED)
		must(err->cause != QMTP_OK && is_clean(err->text) && err->text[0] != '\0',
		    "a session that closed says why");
	for (size_t i = 0; i < a->n; i++)
		committed += qmtp_package_committed(a->v[i]);
	must(a->whole <= committed, "no last byte without committing");
	must(a->spoken_before == 0 || a->whole == 0,
	    "a server that speaks out of turn gets no whole package");
}

static void
perform(struct play *a, struct qmtp_session *s)
{
	size_t before = a->flags & EARLY ? a->cut % 8 : 0;
	unsigned idle = 0;

	speak(a, before);
	while (qmtp_session_state(s) != QMTP_CLOSED) {
		bool said = a->left > 0;

		must(said || ++idle < 10, "it comes to an end");
		qmtp_session_step(s);
		listen_to_client(a);
		if (qmtp_session_unfinished(s) == 0 && a->left == 0)
			break;
		a->cut = a->cut * 1103515245 + 12345;
		speak(a, 1 + (a->cut >> 16) % 64);
		if (a->left > 0 || said)
			continue;
		if (a->flags & STAYS) /* it has nothing to say, and would for ever */
			break;
		shutdown(a->server, SHUT_RDWR);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmtp_options o = { .host = "server.example.net" };
	struct play a = { 0 };
	struct qmtp_session *s;
	struct qmtp_error err;
	int ends[2];

	if (size < 2 || size > WORDS_MAX)
		return 0;
	a.flags = data[0];
	a.cut = data[1];
	a.words = (const char *)data + 2;
	a.left = size - 2;
	a.n = 1 + (a.flags & PACKAGES) % PACKAGES_MAX;
	a.rcpts = 1 + (a.flags & RCPTS) / 4;
	o.answers_one = a.flags & ANSWERS_ONE;
	o.window = a.flags & WINDOW_ONE ? 1 : 0;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0,
	    "a socket pair");
	a.server = ends[1];
	s = qmtp_session_adopt(ends[0], &o, &err);
	must(s != NULL, "a session");
	for (size_t i = 0; i < a.n; i++) {
		a.v[i] = make_package(a.rcpts);
		must(qmtp_session_submit(s, a.v[i], &err) == 0, "submitting");
	}
	perform(&a, s);
	listen_to_client(&a);
	check_session(&a, s);
	check_replies(&a, (const char *)data + 2, size - 2);
	qmtp_session_free(s);
	for (size_t i = 0; i < a.n; i++)
		qmtp_package_free(a.v[i]);
	buf_free(&a.got);
	close(a.server);
	return 0;
}
