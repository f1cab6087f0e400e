/*
 * mail/dsn. The bounces must be, byte for byte, the files tests/data/dsn/NAME.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mail/dsn.h"
#include "mail/envelope.h"
#include "mail/identity.h"
#include "util/buf.h"
#include "util/xalloc.h"

#include "suite.h"

struct refusal {
	const char *addr;
	const char *reply;
};

/*
 * News of a kind about these recipients, and none about three others; to may be NULL.
 * DSN_DELAYED: every other one is in doubt.
 */
static void
news(struct buf *out, enum dsn_kind kind, const char *sender, const char *to,
    const struct refusal *refused, size_t n, const char *head)
{
	static const enum rcpt_state states[][3] = {
		[DSN_FAILED] = { RCPT_SENT, RCPT_IN_DOUBT, RCPT_PENDING },
		[DSN_EXPIRED] = { RCPT_SENT, RCPT_IN_DOUBT, RCPT_PENDING },
		[DSN_DELAYED] = { RCPT_SENT, RCPT_REFUSED, RCPT_QUEUED },
	};
	static const char *const names[] = { "sent@example.net", "doubt@example.net",
		"pending@example.net" };
	struct identity id = { 0 };
	struct envelope e = { 0 };
	struct buf original = { 0 };
	struct error err;
	struct dsn dsn = {
		.kind = kind,
		.until = 1795318231 + 5 * 86400,
		.identity = &id,
		.envelope = &e,
		.to = to,
		.head = &original,
		.now = 1795318231,
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	ck_assert_int_eq(
	    identity_init(&id, "host.example.org", "example.org", NULL, &err), 0);
	id.uid = 1000;
	memcpy(id.token, "abcdefgh23456777", IDENTITY_TOKEN);
	e.sender = xstrdup(sender);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(envelope_add(&e, refused[i].addr, n, &err), 0);
		e.rcpts[i].state = kind != DSN_DELAYED ? RCPT_REFUSED
		    : i % 2 == 0                       ? RCPT_PENDING
						       : RCPT_IN_DOUBT;
		if (refused[i].reply != NULL)
			envelope_reply(&e, i, xstrdup(refused[i].reply));
	}
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(envelope_add(&e, names[i], n + 3, &err), 0);
		e.rcpts[n + i].state = states[kind][i];
	}
	buf_str(&original, head);
	dsn_write(out, &dsn);
	buf_free(&original);
	envelope_free(&e);
	identity_free(&id);
}

static void
bounce(struct buf *out, const char *sender, const struct refusal *refused, size_t n,
    const char *head)
{
	news(out, DSN_FAILED, sender, NULL, refused, n, head);
}

static void
assert_file(const struct buf *actual, const char *name)
{
	const char *srcdir = getenv("srcdir");
	struct buf path = { 0 };
	struct buf expected = { 0 };
	ssize_t n;
	int fd;

	buf_printf(&path, "%s/tests/data/dsn/%s", srcdir != NULL ? srcdir : ".", name);
	fd = open(path.data, O_RDONLY);
	ck_assert_msg(fd >= 0, "%s is missing", path.data);
	while ((n = read(fd, buf_reserve(&expected, 4096), 4096)) > 0)
		expected.len += (size_t)n;
	close(fd);
	buf_add(&expected, "", 0);
	ck_assert_str_eq(actual->data, expected.data);
	ck_assert_uint_eq(actual->len, expected.len);
	buf_free(&expected);
	buf_free(&path);
}

static void
assert_lines(const struct buf *b, long max)
{
	const char *s = b->data;
	const char *lf;

	for (; (lf = strchr(s, '\n')) != NULL; s = lf + 1)
		ck_assert_msg(lf - s <= max, "a line of %d bytes", (int)(lf - s));
	ck_assert_str_eq(s, "");
	ck_assert_uint_eq(strlen(b->data), b->len);
	ck_assert_ptr_null(strchr(b->data, '\r'));
}

static const char head[] =
    "Received: by host.example.org (qmtp-sendmail, from userid 1000)\n"
    "\tid zzzzzzzzzzzzzzzz; Sun, 22 Nov 2026 03:30:31 +0000\n"
    "Date: Sun, 22 Nov 2026 03:30:31 +0000\n"
    "From: Alice <alice@example.org>\n"
    "To: bob@example.net, carol@example.com,\n"
    " sent@example.net\n"
    "Subject: Lunch\n"
    "Message-ID: <20261122033031.1@example.org>\n"
    "\n";

START_TEST(two_refused)
{
	static const struct refusal refused[] = {
		{ "bob@example.net",
		    "mx1.example.net: Sorry, no mailbox here by that name. (#5.1.1)" },
		{ "carol@example.com",
		    "mx2.example.com:209: The mailbox of this user is full and has been "
		    "full "
		    "for a long time, so nothing is accepted for it any more; please "
		    "tell "
		    "carol by telephone. #5.2.2" },
		{ "dave@example.com", NULL },
	};
	struct buf out = { 0 };

	bounce(&out, "alice@example.org", refused, 3, head);
	assert_lines(&out, 998);
	assert_file(&out, "two-refused");
	buf_free(&out);
}
END_TEST

static const struct refusal unreached[] = {
	{ "bob@example.net", "mx1.example.net: mailbox full (#4.2.2), not 5.2.2" },
	{ "carol@example.com", "mx2.example.com:209: 550 5.7.1 your fault" },
	{ "dave@example.com", "mx1.example.net: Connection refused while connecting" },
	{ "erin@example.com", NULL },
};

START_TEST(expired)
{
	struct buf out = { 0 };

	news(&out, DSN_EXPIRED, "alice@example.org", NULL, unreached, 4, head);
	assert_lines(&out, 76);
	assert_file(&out, "expired");
	buf_free(&out);
}
END_TEST

START_TEST(delayed)
{
	struct buf out = { 0 };

	news(&out, DSN_DELAYED, "alice@example.org", NULL, unreached, 4, head);
	assert_lines(&out, 76);
	assert_file(&out, "delayed");
	buf_free(&out);
}
END_TEST

/* What had no sender is told of to somebody whose mail it was not. */
START_TEST(orphan)
{
	struct buf out = { 0 };

	news(&out, DSN_FAILED, "", "postmaster@example.org", unreached, 2, head);
	assert_lines(&out, 76);
	assert_file(&out, "orphan");
	buf_free(&out);
	news(&out, DSN_EXPIRED, "", "postmaster@example.org", unreached, 2, head);
	assert_lines(&out, 76);
	assert_file(&out, "orphan-expired");
	buf_free(&out);
}
END_TEST

/* With very many recipients each has less to say. */
START_TEST(many)
{
	for (size_t n = 97; n <= 98; n++) {
		static struct refusal refused[98];
		static char addrs[98][32], reply[3000];
		struct buf out = { 0 };
		size_t xs = 0;

		memset(reply, 'x', sizeof(reply) - 1);
		for (size_t i = 0; i < n; i++) {
			snprintf(addrs[i], sizeof(addrs[i]), "r%zu@example.net", i);
			refused[i] = (struct refusal){ addrs[i], reply };
		}
		bounce(&out, "alice@example.org", refused, n, "Subject: a\n\n");
		assert_lines(&out, 998);
		for (size_t i = 0; i < out.len; i++)
			xs += out.data[i] == 'x';
		ck_assert_uint_ge(xs, n * 2 * (n == 97 ? 1990 : 390));
		ck_assert_uint_lt(xs, n * 2 * (n == 97 ? 2010 : 410));
		buf_free(&out);
	}
}
END_TEST

START_TEST(no_message_id)
{
	static const struct refusal refused[] = { { "bob@example.net",
	    "192.0.2.1: no" } };
	struct buf out = { 0 };

	bounce(&out, "alice@example.org", refused, 1, "Subject: Lunch\n\n");
	assert_lines(&out, 998);
	assert_file(&out, "no-message-id");
	buf_free(&out);
}
END_TEST

START_TEST(utf8)
{
	static const struct refusal refused[] = {
		{ "j\xc3\xbcrgen+x@example.net",
		    "mx1.example.net: Postfach gel\xc3\xb6scht" },
		{ "\xe2\x82\xac\xf0\x9f\x90\xb1@example.net",
		    "mx1.example.net: 550 5.6.7 no" },
	};
	struct buf out = { 0 };

	bounce(&out, "andr\xc3\xa9@example.org", refused, 2,
	    "From: Andr\xc3\xa9 <andr\xc3\xa9@example.org>\nSubject: \xc3\xa0 midi\n\n");
	assert_lines(&out, 998);
	assert_file(&out, "utf8");
	buf_free(&out);
}
END_TEST

/* Everything that comes from outside tries to be something else. */
START_TEST(hostile)
{
	static const struct refusal refused[] = {
		{ "a>, <victim@example.com",
		    "mx1.example.net: ok\r\n\r\n--=_abcdefgh23456777--\r\nBcc: "
		    "victim@example.com" },
		{ "x\nAction: delivered\n@example.net", "evil\nStatus: 2.0.0" },
		{ "quo\"te\\d  user@example.net", "Action: delivered (5.7.1)" },
		{ "latin\xfc@example.net", "[2001:db8::1]:209: \xff\xfe" },
	};
	struct buf out = { 0 };

	bounce(&out, "a@b>,<victim@example.com>,<c", refused, 4,
	    "From: a\nMessage-ID: <a b@example.org>\nX: --=_abcdefgh23456777-\n\n");
	assert_lines(&out, 998);
	assert_file(&out, "hostile");
	buf_free(&out);
}
END_TEST

/* A Message-ID that is not one could become something else in the bounce. */
START_TEST(bad_message_ids)
{
	static const char *const bad[] = { "", "a@b", "<a@b", "a@b>", "<>", "<a b@c>",
		"<a@b> <c@d>", "<a@b>\n\t<c@d>", "<a\x80@b>", "<a\x7f@b>" };
	static const struct refusal refused[] = { { "bob@example.net", "mx: no" } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf original = { 0 };
		struct buf out = { 0 };

		buf_printf(&original, "Message-ID: %s\n\n", bad[i]);
		bounce(&out, "alice@example.org", refused, 1, original.data);
		ck_assert_msg(strstr(out.data, "In-Reply-To:") == NULL, "%s", bad[i]);
		ck_assert_msg(strstr(out.data, "References:") == NULL, "%s", bad[i]);
		buf_free(&original);
		buf_free(&out);
	}
}
END_TEST

START_TEST(folded_message_id)
{
	static const struct refusal refused[] = { { "bob@example.net", "mx: no" } };
	struct buf out = { 0 };

	bounce(&out, "alice@example.org", refused, 1, "message-id:\n \t<a@b>\t\n\n");
	ck_assert_ptr_nonnull(
	    strstr(out.data, "\nIn-Reply-To: <a@b>\nReferences: <a@b>\n"));
	buf_free(&out);
}
END_TEST

/* Addresses, replies and header lines as long as they may be: no line is over 998. */
START_TEST(longest)
{
	static const char *const of[] = { "x", "\"", "\xc3\xbc", "+", "\xe2\x82\xac" };

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct buf addr = { 0 };
		struct buf text = { 0 };
		struct buf original = { 0 };
		struct buf out = { 0 };
		struct refusal refused;

		while (addr.len + strlen(of[i]) + 12 <= 999)
			buf_str(&addr, of[i]);
		buf_str(&addr, "@example.net");
		buf_str(&text, "mx1.example.net: ");
		buf_str(&original, "Subject: ");
		while (text.len < 5000)
			buf_str(&text, of[i]);
		while (original.len < 5000)
			buf_str(&original, of[i]);
		buf_str(&original, "\n\n");
		refused = (struct refusal){ addr.data, text.data };
		bounce(&out, addr.data, &refused, 1, original.data);
		assert_lines(&out, 998);
		ck_assert_ptr_nonnull(
		    strstr(out.data, "\nTo: undisclosed-recipients:;\n"));
		buf_free(&addr);
		buf_free(&text);
		buf_free(&original);
		buf_free(&out);
	}
}
END_TEST

/* A returned line that is too long is folded at white space, and is the same unfolded. */
START_TEST(folded_header)
{
	static const struct refusal refused[] = { { "bob@example.net", "mx: no" } };
	struct buf original = { 0 };
	struct buf unfolded = { 0 };
	struct buf out = { 0 };
	const char *s;

	buf_str(&original, "X-List:");
	for (int i = 0; i < 1000; i++)
		buf_printf(&original, " word%d", i);
	buf_str(&original, "\n\n");
	bounce(&out, "alice@example.org", refused, 1, original.data);
	assert_lines(&out, 998);
	s = strstr(out.data, "X-List:");
	ck_assert_ptr_nonnull(s);
	for (; s[0] != '\n' || s[1] == ' '; s++)
		if (*s != '\n')
			buf_byte(&unfolded, *s);
	buf_str(&unfolded, "\n\n");
	ck_assert_str_eq(unfolded.data, original.data);
	buf_free(&unfolded);
	buf_free(&original);
	buf_free(&out);
}
END_TEST

/* Words of every length: lines are filled to 76 columns and not beyond. */
START_TEST(folded_reply)
{
	for (int len = 1; len < 40; len++) {
		struct buf reply = { 0 };
		struct buf out = { 0 };
		struct refusal refused = { "bob@example.net", NULL };

		buf_str(&reply, "mx1.example.net:");
		while (reply.len < 1000)
			buf_printf(&reply, " %.*s", len,
			    "abcdefghijklmnopqrstuvwxyzabcdefghijklmn");
		refused.reply = reply.data;
		bounce(&out, "alice@example.org", &refused, 1, head);
		assert_lines(&out, 76);
		buf_free(&reply);
		buf_free(&out);
	}
}
END_TEST

/* Lines that can only be cut, around twice the longest. */
START_TEST(cut_header)
{
	static const struct refusal refused[] = { { "bob@example.net", "mx: no" } };

	for (size_t len = 1850; len < 2050; len++) {
		struct buf original = { 0 };
		struct buf out = { 0 };

		buf_str(&original, "X:");
		while (original.len < len)
			buf_byte(&original, 'a');
		buf_str(&original, "\n\n");
		bounce(&out, "alice@example.org", refused, 1, original.data);
		assert_lines(&out, 998);
		buf_free(&original);
		buf_free(&out);
	}
}
END_TEST

START_TEST(long_message_id)
{
	static const struct refusal refused[] = { { "bob@example.net", "mx: no" } };
	struct buf original = { 0 };
	struct buf out = { 0 };

	buf_str(&original, "Message-ID: <a@");
	while (original.len < 996)
		buf_byte(&original, 'b');
	buf_str(&original, ">\n\n");
	bounce(&out, "alice@example.org", refused, 1, original.data);
	assert_lines(&out, 998);
	ck_assert_ptr_null(strstr(out.data, "In-Reply-To"));
	buf_free(&original);
	buf_free(&out);
}
END_TEST

START_TEST(exactly_998)
{
	static const struct refusal refused[] = { { "bob@example.net", "mx: no" } };
	struct buf original = { 0 };
	struct buf out = { 0 };

	buf_str(&original, "\nX: y z");
	while (original.len < 1 + 998)
		buf_byte(&original, 'a');
	buf_str(&original, "\n\n");
	bounce(&out, "alice@example.org", refused, 1, original.data + 1);
	ck_assert_ptr_nonnull(strstr(out.data, original.data));
	buf_free(&original);
	buf_free(&out);
}
END_TEST

START_TEST(statuses)
{
	static const char *const cases[][2] = {
		{ "mx1.example.net: no mailbox (#5.1.1)", "5.1.1" },
		{ "mx1.example.net: no mailbox #5.1.1", "5.1.1" },
		{ "mx1.example.net: 550 5.1.1 no mailbox", "5.1.1" },
		{ "mx1.example.net: 550-5.7.26 unauthenticated", "5.7.26" },
		{ "mx1.example.net: 5.1.1", "5.1.1" },
		{ "5.1.1", "5.1.1" },
		{ "mx1.example.net: 5.7.999 x", "5.7.999" },
		{ "mx1.example.net: version 5.2.3 says #5.7.1", "5.7.1" },
		{ "mx1.example.net: #5.7.1, not #5.1.1", "5.7.1" },
		{ "mx1.example.net: ends 5.2.2.", "5.2.2" },
		{ "mx1.example.net: [5.2.2]", "5.2.2" },
		{ "5.1.1.1: no", "5.0.0" },
		{ "5.1.1: no", "5.0.0" },
		{ "mx1.example.net: 15.1.1 x", "5.0.0" },
		{ "mx1.example.net: 1.5.1.1 x", "5.0.0" },
		{ "mx1.example.net: from 5.1.1.9", "5.0.0" },
		{ "mx1.example.net: 5.1.1a", "5.0.0" },
		{ "mx1.example.net: v5.1.1", "5.0.0" },
		{ "mx1.example.net: 5.1", "5.0.0" },
		{ "mx1.example.net: 5..1", "5.0.0" },
		{ "mx1.example.net: 5.1.", "5.0.0" },
		{ "mx1.example.net: 5.1.1000", "5.0.0" },
		{ "mx1.example.net: 5.1000.1", "5.0.0" },
		{ "mx1.example.net: #4.2.2 later", "5.0.0" },
		{ "mx1.example.net: 2.0.0 ok", "5.0.0" },
		{ "mx1.example.net: ", "5.0.0" },
		{ "", "5.0.0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char status[DSN_STATUS_MAX];

		dsn_status(cases[i][0], status);
		ck_assert_msg(strcmp(status, cases[i][1]) == 0, "%s: %s, not %s",
		    cases[i][0], status, cases[i][1]);
	}
}
END_TEST

START_TEST(servers)
{
	static const char *const cases[][2] = {
		{ "mx1.example.net: no", "Remote-MTA: dns; mx1.example.net\n" },
		{ "mx1.example.net:6209: no", "Remote-MTA: dns; mx1.example.net\n" },
		{ "mx1.example.net[192.0.2.1]:209: no",
		    "Remote-MTA: dns; mx1.example.net\n" },
		{ "192.0.2.1: no", "Remote-MTA: dns; [192.0.2.1]\n" },
		{ "192.0.2.1:209: no", "Remote-MTA: dns; [192.0.2.1]\n" },
		{ "primary: no", "" },
		{ "/run/qmtp.sock: no", "" },
		{ "mx1.example.net/x: no", "" },
		{ "a server: no", "" },
		{ "no", "" },
		{ ": no", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct refusal refused = { "bob@example.net", cases[i][0] };
		struct buf expected = { 0 };
		struct buf out = { 0 };

		buf_printf(&expected, "\nStatus: 5.0.0\n%sDiagnostic-Code: x-qmtp; ",
		    cases[i][1]);
		bounce(&out, "alice@example.org", &refused, 1, head);
		ck_assert_msg(strstr(out.data, expected.data) != NULL, "%s: %s",
		    cases[i][0], out.data);
		buf_free(&expected);
		buf_free(&out);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("dsn");
	TCase *c = tcase_create("dsn");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, two_refused);
	tcase_add_test(c, expired);
	tcase_add_test(c, delayed);
	tcase_add_test(c, orphan);
	tcase_add_test(c, many);
	tcase_add_test(c, no_message_id);
	tcase_add_test(c, utf8);
	tcase_add_test(c, hostile);
	tcase_add_test(c, bad_message_ids);
	tcase_add_test(c, folded_message_id);
	tcase_add_test(c, longest);
	tcase_add_test(c, folded_header);
	tcase_add_test(c, folded_reply);
	tcase_add_test(c, cut_header);
	tcase_add_test(c, long_message_id);
	tcase_add_test(c, exactly_998);
	tcase_add_test(c, statuses);
	tcase_add_test(c, servers);
	suite_add_tcase(s, c);
	return run_suite(s);
}
