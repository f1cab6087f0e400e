/*
 * Command lines and the text behind DATA: every small text, cut at every pair of places,
 * against a slow and simple model; then the edges: 64 KiB, ends of input, time.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sendmail/smtp_input.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/xalloc.h"

#include "suite.h"

#define LENGTH 6

/*
 * A pipe would have the test write and read at once. This is the read(2) of the program:
 * one piece for each call.
 */
static struct {
	const char *piece[3];
	size_t n[3];
	int next;
	int error; /* behind the last piece; 0: the end of input */
	int eintr; /* so many calls are interrupted first */
} source;

static ssize_t
scripted_read(char *data, size_t len)
{
	size_t n;

	if (source.eintr > 0) {
		source.eintr--;
		errno = source.eintr % 2 == 0 ? EINTR : EAGAIN;
		return -1;
	}
	while (source.next < 3 && source.n[source.next] == 0)
		source.next++;
	if (source.next == 3) {
		errno = source.error;
		return source.error != 0 ? -1 : 0;
	}
	n = source.n[source.next] < len ? source.n[source.next] : len;
	memcpy(data, source.piece[source.next], n);
	source.piece[source.next] += n;
	source.n[source.next] -= n;
	return (ssize_t)n;
}

static int scripted = -1;

ssize_t
read(int fd, void *data, size_t len)
{
	if (fd == scripted)
		return scripted_read(data, len);
	return (ssize_t)syscall(SYS_read, fd, data, len);
}

static void
open_source(struct smtp_input *in, const char *data, size_t n, size_t one, size_t two)
{
	memset(&source, 0, sizeof(source));
	source.piece[0] = data;
	source.n[0] = one;
	source.piece[1] = data + one;
	source.n[1] = two - one;
	source.piece[2] = data + two;
	source.n[2] = n - two;
	scripted = open("/dev/null", O_RDONLY);
	ck_assert_int_ge(scripted, 0);
	smtp_input_init(in, scripted, 0);
}

static void
close_source(struct smtp_input *in)
{
	close(scripted);
	scripted = -1;
	smtp_input_free(in);
}

/*
 * The rules of RFC 5321 §4.5.2, line by line, for lines that end as the client's do. The
 * bytes used, or 0 when the end is not there.
 */
static size_t
model(const char *in, size_t n, bool crlf, struct buf *out)
{
	size_t i = 0;

	while (i < n) {
		size_t end = i;

		while (end < n &&
		    !(in[end] == '\n' && (!crlf || (end > i && in[end - 1] == '\r'))))
			end++;
		if (end == n)
			return 0;
		end++;
		if (in[i] == '.') {
			size_t len = end - i;

			if ((len == 3 && in[i + 1] == '\r') || (len == 2 && !crlf))
				return end;
			i++;
		}
		buf_add(out, in + i, end - i);
		i = end;
	}
	return 0;
}

/* The text, read in pieces of so many bytes; whether its end came. */
static bool
take_text(struct smtp_input *in, struct buf *out, size_t len)
{
	char data[64];

	for (;;) {
		ssize_t n = smtp_input_text(in, data, len);

		if (n <= 0)
			return n == 0;
		ck_assert_uint_le((size_t)n, len);
		buf_add(out, data, (size_t)n);
	}
}

static void
check_cut(const char *text, size_t n, size_t one, size_t two, bool crlf, size_t len)
{
	struct smtp_input in;
	struct buf want = { 0 }, got = { 0 };
	size_t used = model(text, n, crlf, &want);

	open_source(&in, text, n, one, two);
	in.crlf = crlf;
	smtp_input_begin_text(&in);
	ck_assert_int_eq(take_text(&in, &got, len), used > 0);
	if (used > 0) {
		ck_assert_uint_eq(got.len, want.len);
		ck_assert(want.len == 0 || memcmp(got.data, want.data, want.len) == 0);
		/* what stands behind it was left alone */
		ck_assert_uint_eq(
		    in.end - in.begin + source.n[0] + source.n[1] + source.n[2],
		    n - used);
		ck_assert_uint_eq(in.text, want.len);
		ck_assert_int_eq(smtp_input_text(&in, (char *)&in, 1), 0);
	} else {
		ck_assert_int_eq(errno, EPIPE);
		ck_assert(in.ended);
	}
	close_source(&in);
	buf_free(&want);
	buf_free(&got);
}

/* Of "\r\n.a", all texts of this many bytes. */
START_TEST(test_every_text)
{
	static const char alphabet[] = "\r\n.a";
	size_t n = (size_t)_i, many = (size_t)1 << (2 * n);
	char text[LENGTH + 1];

	for (size_t number = 0; number < many; number++) {
		for (size_t i = 0; i < n; i++)
			text[i] = alphabet[number >> (2 * i) & 3];
		for (size_t one = 0; one <= n; one++) {
			check_cut(text, n, one, n, true, 1 + number % 3);
			check_cut(text, n, one, n, false, 1 + number % 3);
		}
		check_cut(text, n, n / 3, n - n / 3, true, 64);
		check_cut(text, n, n / 3, n - n / 3, false, 64);
	}
}
END_TEST

static const struct text {
	bool crlf;
	const char *in;
	const char *out; /* NULL: it does not end */
	const char *rest;
} texts[] = {
	{ true, ".\r\n", "", "" },
	{ false, ".\n", "", "" },
	{ false, ".\r\n", "", "" },
	{ true, "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n" },
	{ false, "a\n.\nQUIT\n", "a\n", "QUIT\n" },
	{ true, "..\r\n.a\r\n...\r\n.\r\n", ".\r\na\r\n..\r\n", "" },
	/* a command in the message stays in the message */
	{ true, "a\n.\nMAIL FROM:<>\r\n.\r\n", "a\n.\nMAIL FROM:<>\r\n", "" },
	{ true, "a\n.\r\nMAIL FROM:<>\r\n.\r\n", "a\n.\r\nMAIL FROM:<>\r\n", "" },
	{ true, "a\r\n.\nMAIL FROM:<>\r\n.\r\n", "a\r\n\nMAIL FROM:<>\r\n", "" },
	{ true, "a\r.\rMAIL FROM:<>\r\n.\r\n", "a\r.\rMAIL FROM:<>\r\n", "" },
	{ true, "a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", "" },
	{ true, "a\r\n.\r.\r\n.\r\n", "a\r\n\r.\r\n", "" },
	{ true, "\r\n.\r\n", "\r\n", "" },
	{ true, "a.\r\n.\r\n", "a.\r\n", "" },
	{ true, "", NULL, "" },
	{ true, ".", NULL, "" },
	{ true, ".\r", NULL, "" },
	{ true, "a\r\n.\n", NULL, "" },
	{ false, "a\n.\r", NULL, "" },
};

START_TEST(test_text)
{
	const struct text *t = &texts[_i];
	size_t n = strlen(t->in);

	for (size_t one = 0; one <= n; one++)
		for (size_t two = one; two <= n; two++) {
			struct smtp_input in;
			struct buf got = { 0 };

			open_source(&in, t->in, n, one, two);
			source.eintr = (int)(two % 3);
			in.crlf = t->crlf;
			smtp_input_begin_text(&in);
			ck_assert_int_eq(take_text(&in, &got, 5), t->out != NULL);
			if (t->out != NULL) {
				const char *line;
				size_t len;

				buf_byte(&got, '|');
				ck_assert_int_eq(
				    strncmp(got.data, t->out, strlen(t->out)), 0);
				ck_assert_uint_eq(got.len, strlen(t->out) + 1);
				ck_assert_int_eq(smtp_input_line(&in, &line, &len),
				    *t->rest != '\0' ? SMTP_LINE : SMTP_LINE_END);
			}
			buf_free(&got);
			close_source(&in);
		}
}
END_TEST

/* A NUL is a byte like any other, in lines and in the text. */
START_TEST(test_nul)
{
	static const char input[] = "NO\0OP\r\nDATA\r\na\0b\r\n.\r\n";
	struct smtp_input in;
	struct buf got = { 0 };
	const char *line;
	size_t len;

	open_source(&in, input, sizeof(input) - 1, 3, 16);
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE);
	ck_assert_uint_eq(len, 5);
	ck_assert_int_eq(memcmp(line, "NO\0OP", 5), 0);
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE);
	smtp_input_begin_text(&in);
	ck_assert(take_text(&in, &got, 64));
	ck_assert_uint_eq(got.len, 5);
	ck_assert_int_eq(memcmp(got.data, "a\0b\r\n", 5), 0);
	buf_free(&got);
	close_source(&in);
}
END_TEST

START_TEST(test_lines)
{
	static const char input[] = "HELO x\r\n\r\n\nNOOP\nNOOP\r\r\nNOOP\rX\r\nQUIT";
	static const struct {
		const char *line;
		bool crlf;
	} want[] = { { "HELO x", true }, { "", true }, { "", false }, { "NOOP", false },
		{ "NOOP\r", true }, { "NOOP\rX", true } };
	size_t n = sizeof(input) - 1;

	for (size_t one = 0; one <= n; one++) {
		struct smtp_input in;
		const char *line;
		size_t len;

		open_source(&in, input, n, one, n);
		source.eintr = (int)(one % 4);
		ck_assert(!smtp_input_pending(&in));
		for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
			ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE);
			ck_assert_uint_eq(len, strlen(want[i].line));
			ck_assert_int_eq(memcmp(line, want[i].line, len), 0);
			ck_assert_int_eq(in.crlf, want[i].crlf);
		}
		ck_assert(!smtp_input_pending(&in));
		ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_END);
		ck_assert(in.ended);
		close_source(&in);
	}
}
END_TEST

/* The last line that fits has SMTP_LINE_MAX bytes with its end. */
START_TEST(test_long_lines)
{
	static const struct {
		size_t len;
		enum smtp_line what;
	} cases[] = {
		{ SMTP_LINE_MAX - 2, SMTP_LINE },
		{ SMTP_LINE_MAX - 1, SMTP_LINE },
		{ SMTP_LINE_MAX, SMTP_LINE_TOO_LONG },
		{ SMTP_LINE_MAX + 1, SMTP_LINE_TOO_LONG },
		{ 2 * SMTP_LINE_MAX - 1, SMTP_LINE_TOO_LONG },
		{ 2 * SMTP_LINE_MAX, SMTP_LINE_TOO_LONG },
		{ 2 * SMTP_LINE_MAX + 1, SMTP_LINE_TOO_LONG },
		{ 10 * SMTP_LINE_MAX, SMTP_LINE_TOO_LONG },
	};
	size_t n = cases[_i].len;
	char *input = xmalloc(n + 6);
	struct smtp_input in;
	const char *line;
	size_t len;

	memset(input, 'x', n);
	memcpy(input + n, "\nNOOP\n", 6);
	for (size_t cut = n - 3; cut <= n + 2; cut++) {
		open_source(&in, input, n + 6, cut, n + 6);
		ck_assert_int_eq(smtp_input_line(&in, &line, &len), cases[_i].what);
		if (cases[_i].what == SMTP_LINE)
			ck_assert_uint_eq(len, n);
		ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE);
		ck_assert_uint_eq(len, 4);
		ck_assert_int_eq(memcmp(line, "NOOP", 4), 0);
		ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_END);
		close_source(&in);
		open_source(&in, input, n, n, n); /* and without an end */
		ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_END);
		close_source(&in);
	}
	free(input);
}
END_TEST

/* Lines of text may be of any length; what is read ahead is a client's next command. */
START_TEST(test_long_text)
{
	size_t n = 3 * SMTP_LINE_MAX;
	char *input = xmalloc(n);
	struct smtp_input in;
	struct buf got = { 0 };
	const char *line;
	size_t len;

	memset(input, '.', n);
	memcpy(input + n - 13, "\r\n.\r\nNOOP\r\nQ", 13);
	open_source(&in, input, n, SMTP_LINE_MAX - 1, 2 * SMTP_LINE_MAX);
	in.crlf = true;
	smtp_input_begin_text(&in);
	ck_assert(take_text(&in, &got, 64));
	ck_assert_uint_eq(got.len, n - 11 - 1);
	ck_assert_uint_eq(in.text, got.len);
	ck_assert(smtp_input_pending(&in));
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE);
	ck_assert(!smtp_input_pending(&in));
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_END);
	buf_free(&got);
	close_source(&in);
	free(input);
}
END_TEST

START_TEST(test_errors)
{
	struct smtp_input in;
	const char *line;
	size_t len;
	char c;

	open_source(&in, "NOOP", 4, 4, 4);
	source.error = EIO;
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_FAILED);
	ck_assert_int_eq(errno, EIO);
	smtp_input_begin_text(&in);
	in.begin = in.end;
	ck_assert_int_eq(smtp_input_text(&in, &c, 1), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert(!in.ended);
	source.error = ECONNRESET; /* hung up, without a word */
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_END);
	ck_assert(in.ended);
	close_source(&in);
}
END_TEST

/* The time of a command is that of all of it, not of each byte. */
START_TEST(test_late)
{
	struct smtp_input in;
	const char *line;
	size_t len;
	int pair[2];
	int64_t begun = clock_ms();
	char c;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	smtp_input_init(&in, pair[0], 100);
	ck_assert_int_eq(file_write(pair[1], "NOOP\r\nNO", 8), 0);
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE);
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_LATE);
	ck_assert_int_ge(clock_ms() - begun, 99);
	ck_assert(in.late && !in.ended);
	ck_assert_int_eq(file_write(pair[1], "OP\r\n", 4), 0);
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE);
	smtp_input_begin_text(&in);
	ck_assert_int_eq(smtp_input_text(&in, &c, 1), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert(in.late);
	close(pair[1]);
	ck_assert_int_eq(smtp_input_line(&in, &line, &len), SMTP_LINE_END);
	ck_assert(!in.late && in.ended);
	smtp_input_free(&in);
	close(pair[0]);
}
END_TEST

/* Text has its time for each 64 KiB, and not anew for each byte. */
START_TEST(test_drip)
{
	static const char piece[SMTP_LINE_MAX / 2] = { 'x' };
	struct smtp_input in;
	int pair[2];
	char data[SMTP_LINE_MAX];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	smtp_input_init(&in, pair[0], 1000);
	smtp_input_begin_text(&in);
	for (int i = 0; i < 8; i++) {
		int64_t deadline = in.deadline;
		size_t n = 0;

		if (i == 4)
			usleep(20000);
		ck_assert_int_eq(file_write(pair[1], piece, sizeof(piece)), 0);
		while (n < sizeof(piece))
			n += (size_t)smtp_input_text(&in, data, sizeof(data));
		ck_assert_int_ge(in.deadline, deadline);
		if (i % 2 == 1)
			ck_assert_int_eq(in.deadline, deadline);
		if (i == 4)
			ck_assert_int_ge(in.deadline, deadline + 20);
	}
	close(pair[0]);
	close(pair[1]);
	smtp_input_free(&in);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp_input");
	TCase *tc = tcase_create("smtp_input");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_every_text, 0, LENGTH + 1);
	tcase_add_loop_test(tc, test_text, 0, (int)(sizeof(texts) / sizeof(*texts)));
	tcase_add_test(tc, test_nul);
	tcase_add_test(tc, test_lines);
	tcase_add_loop_test(tc, test_long_lines, 0, 8);
	tcase_add_test(tc, test_long_text);
	tcase_add_test(tc, test_errors);
	tcase_add_test(tc, test_late);
	tcase_add_test(tc, test_drip);
	return run_suite(s);
}
