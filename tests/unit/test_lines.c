/*
 * Line ends and the dot: every message of up to six bytes out of "\r\n.a", cut at every pair of
 * places, against a slow and simple model.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mail/lines.h"
#include "util/buf.h"

#include "suite.h"

#define LENGTH 6

/* The rules as they are written down, line by line. Whether the dot ended it. */
static bool
model(const char *in, size_t n, bool dots, struct buf *out)
{
	size_t i = 0;

	while (i < n) {
		size_t end = i, len;

		while (end < n && in[end] != '\n')
			end++;
		len = end - i;
		while (len > 0 && in[i + len - 1] == '\r')
			len--;
		if (dots && len == 1 && in[i] == '.')
			return true;
		buf_add(out, in + i, len);
		buf_byte(out, '\n');
		i = end + 1;
	}
	return false;
}

static void
take(struct buf *b, const struct lines_out *out)
{
	if (out->dot)
		buf_byte(b, '.');
	for (uint64_t i = 0; i < out->crs; i++)
		buf_byte(b, '\r');
	buf_add(b, out->data, out->n);
}

static void
push(struct lines *l, const char *data, size_t n, struct buf *b, bool *wrong)
{
	char chunk[LENGTH];
	struct lines_out out;
	size_t before = b->len + l->dot + l->crs;

	if (n == 0 || l->ended)
		return;
	memcpy(chunk, data, n);
	lines_push(l, chunk, n, &out);
	take(b, &out);
	if (!l->ended) {
		size_t gone = before + n - (b->len + l->dot + l->crs);

		*wrong |= out.changed != (gone > 0);
	}
}

static void
check_cut(const char *in, size_t n, size_t one, size_t two, bool dots)
{
	struct lines l = { .dots = dots, .start = true };
	struct lines_out out;
	struct buf want = { 0 }, got = { 0 };
	bool wrong = false;
	bool ended = model(in, n, dots, &want);

	push(&l, in, one, &got, &wrong);
	push(&l, in + one, two - one, &got, &wrong);
	push(&l, in + two, n - two, &got, &wrong);
	if (!l.ended) {
		lines_end(&l, &out);
		take(&got, &out);
		wrong |= out.changed != (out.n > 0);
	}
	/* One assertion each would be a system call each. */
	wrong |= l.ended != ended || got.len != want.len ||
	    (want.len > 0 && memcmp(got.data, want.data, want.len) != 0);
	if (wrong)
		ck_abort_msg("cut at %zu and %zu: got \"%s\", want \"%s\"", one, two,
		    got.len > 0 ? got.data : "", want.len > 0 ? want.data : "");
	buf_free(&want);
	buf_free(&got);
}

START_TEST(every_small_message)
{
	static const char bytes[4] = "\r\n.a";
	char in[LENGTH];

	for (size_t n = 0; n <= LENGTH; n++)
		for (unsigned number = 0; number < 1U << 2 * n; number++) {
			for (size_t i = 0; i < n; i++)
				in[i] = bytes[number >> 2 * i & 3];
			for (size_t one = 0; one <= n; one++)
				for (size_t two = one; two <= n; two++)
					check_cut(in, n, one, two, _i != 0);
		}
}
END_TEST

/* The dot at every place of a chunk that is looked at in larger steps than lines. */
START_TEST(dot_anywhere_in_a_chunk)
{
	/* dots, none of them alone; without and with lines that begin with one */
	static const char *const text[] = { "x.x.\n.x\n", "x.x.x..\n" };
	static char chunk[4000];
	size_t wrong = 0;

	for (size_t at = 1; at + 2 <= sizeof(chunk); at++) {
		struct lines l = { .dots = true, .start = true };
		struct lines_out out;

		for (size_t i = 0; i < sizeof(chunk); i++)
			chunk[i] = text[_i][i % 8];
		chunk[at - 1] = '\n';
		chunk[at] = '.';
		chunk[at + 1] = '\n';
		if (at > 1 && chunk[at - 2] == '.' && (at == 2 || chunk[at - 3] == '\n'))
			chunk[at - 2] = 'x';
		lines_push(&l, chunk, sizeof(chunk), &out);
		if (!l.ended || out.n != at || l.dot)
			wrong++;
	}
	ck_assert_uint_eq(wrong, 0);
}
END_TEST

START_TEST(a_long_run_of_cr)
{
	struct lines l = { .dots = true, .start = true };
	struct lines_out out;
	char chunk[1000];
	char lf[] = "\n", a[] = "a";

	for (int i = 0; i < 1000; i++) {
		memset(chunk, '\r', sizeof(chunk));
		lines_push(&l, chunk, sizeof(chunk), &out);
		ck_assert_uint_eq(out.n + out.crs, 0);
	}
	ck_assert_uint_eq(l.crs, 1000000);
	if (_i == 0) {
		lines_push(&l, lf, 1, &out);
		ck_assert_uint_eq(out.crs, 0);
		ck_assert_uint_eq(out.n, 1);
		ck_assert(out.changed);
	} else {
		lines_push(&l, a, 1, &out);
		ck_assert_uint_eq(out.crs, 1000000);
		ck_assert_uint_eq(out.n, 1);
		ck_assert(!out.changed);
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lines");
	TCase *tc = tcase_create("lines");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_small_message, 0, 2);
	tcase_add_loop_test(tc, dot_anywhere_in_a_chunk, 0, 2);
	tcase_add_loop_test(tc, a_long_run_of_cr, 0, 2);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
