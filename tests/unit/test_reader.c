/*
 * The strict reader of packages: what it finds, whatever pieces the input comes in, and
 * what it refuses.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qmtp/qmtp_reader.h"
#include "util/buf.h"

#include "suite.h"

/*
 * What was read, as one line: "B12 C0a T<text> S<sender> R<rcpt> E"; "!" at the end
 * when broken.
 */
static void
tell(struct buf *out, enum qmtp_item item, const struct qmtp_piece *piece, int *open)
{
	static const char letter[] = {
		[QMTP_TEXT] = 'T', [QMTP_SENDER] = 'S', [QMTP_RCPT] = 'R'
	};

	switch (item) {
	case QMTP_BEGIN:
		buf_printf(out, "B%llu ", (unsigned long long)piece->size);
		break;
	case QMTP_CODE:
		buf_printf(out, "C%02x ", (unsigned)(unsigned char)piece->data[0]);
		break;
	case QMTP_END:
		buf_str(out, "E ");
		break;
	default:
		if (!*open)
			buf_printf(out, "%c<", letter[item]);
		buf_add(out, piece->data, piece->len);
		*open = !piece->last;
		if (piece->last)
			buf_str(out, "> ");
	}
}

/* Feed input in steps of so many bytes. */
static char *
read_in_steps(const char *input, size_t len, size_t step)
{
	struct qmtp_reader r;
	struct buf out = { 0 };
	int open = 0;

	qmtp_reader_init(&r);
	for (size_t at = 0; at < len; at += step) {
		const char *in = input + at;
		size_t left = len - at < step ? len - at : step;

		for (;;) {
			struct qmtp_piece piece;
			enum qmtp_item item = qmtp_reader_next(&r, &in, &left, &piece);

			if (item == QMTP_BROKEN) {
				buf_str(&out, "!");
				return buf_detach(&out);
			}
			if (item == QMTP_MORE)
				break;
			tell(&out, item, &piece, &open);
		}
		ck_assert_uint_eq(left, 0);
	}
	if (!qmtp_reader_idle(&r))
		buf_str(&out, "...");
	return buf_detach(&out);
}

static const struct {
	const char *input;
	const char *read;
} cases[] = {
	{ "", "" },
	{ "4:\nabc,5:a@b.c,8:5:d@e.f,,", "B3 C0a T<abc> S<a@b.c> R<d@e.f> E " },
	{ "1:\n,0:,4:1:a,,", "B0 C0a T<> S<> R<a> E " },
	{ "2:\rx,1:s,10:1:a,0:,1:b,,", "B1 C0d T<x> S<s> R<a> R<> !" },
	{ "2:\rx,1:s,11:1:a,0:,1:b,,", "B1 C0d T<x> S<s> R<a> R<> R<b> E " },
	{ "1:\n,0:,0:,", "B0 C0a T<> S<> E " },
	{ "1:\n,0:,4:1:a,,1:\n,0:,4:1:b,,",
	    "B0 C0a T<> S<> R<a> E B0 C0a T<> S<> R<b> E " },
	{ "4:\na,c,3:a:b,9:6:d,e:f,,", "B3 C0a T<a,c> S<a:b> R<d,e:f,> ..." },
	{ "4:\na,c,3:a:b,8:5:d,e:f,,", "B3 C0a T<a,c> S<a:b> R<d,e:f> E " },
	/* the end is missing */
	{ "4:\nab", "B3 C0a T<ab..." },
	{ "4:\nabc,5:a@b.c,8:5:d@e.f,", "B3 C0a T<abc> S<a@b.c> R<d@e.f> ..." },
	{ "4", "..." },
	/* lengths */
	{ "0:,", "!" },
	{ "04:\nabc,", "!" },
	{ "00:", "!" },
	{ "-1:", "!" },
	{ "+1:\n,", "!" },
	{ " 1:\n,", "!" },
	{ "1 :\n,", "!" },
	{ ":", "!" },
	{ "1;\n,", "!" },
	{ "\x2f:", "!" },
	{ "1:\n,\xb1:", "B0 C0a T<> !" },
	{ "99999999999999999999:", "!" },
	{ "18446744073709551617:\n,0:,0:,", "!" },
	{ "1:\n,01:a,", "B0 C0a T<> !" },
	{ "1:\n,0:,04:1:a,,", "B0 C0a T<> S<> !" },
	{ "1:\n,0:,5:01:a,,", "B0 C0a T<> S<> !" },
	/* commas */
	{ "1:\n;", "B0 C0a T<> !" },
	{ "1:\n,1:ab", "B0 C0a T<> S<a> !" },
	{ "1:\n,0:,4:1:ab,", "B0 C0a T<> S<> R<a> !" },
	{ "1:\n,0:,4:1:a,x", "B0 C0a T<> S<> R<a> !" },
	/*
	 * a recipient that reaches beyond its list; a list that ends inside a recipient
	 */
	{ "1:\n,0:,4:2:a,,", "B0 C0a T<> S<> !" },
	{ "1:\n,0:,3:1:a,,", "B0 C0a T<> S<> !" },
	{ "1:\n,0:,1:1:a,,", "B0 C0a T<> S<> !" },
	{ "1:\n,0:,2:1:a,,", "B0 C0a T<> S<> !" },
	{ "1:\n,0:,5:1:a,,,", "B0 C0a T<> S<> R<a> !" },
	{ "1:\n,0:,7:1:a,99:", "B0 C0a T<> S<> R<a> !" },
};

START_TEST(whole_and_in_steps)
{
	const char *input = cases[_i].input;
	size_t len = strlen(input);

	for (size_t step = 1; step <= len + 1; step++) {
		char *got = read_in_steps(input, len, step);

		/*
		 * how far a broken package was read may depend on the steps; that it is
		 * broken may not
		 */
		ck_assert_str_eq(got, cases[_i].read);
		free(got);
	}
}
END_TEST

START_TEST(any_byte_passes)
{
	char input[600] = "257:";
	char *got;
	size_t at = strlen(input);

	input[at++] = '\n';
	for (int c = 0; c < 256; c++)
		input[at++] = (char)c;
	at += (size_t)sprintf(input + at, ",0:,4:1:a,,");
	got = read_in_steps(input, at, 7);
	ck_assert_ptr_nonnull(memmem(got, 300, input + 5, 256) != NULL ? got : NULL);
	free(got);
}
END_TEST

/* The message taken out of the input elsewhere: by sendfile(2), or not at all. */
START_TEST(skipped)
{
	struct qmtp_reader r;
	struct qmtp_piece piece;
	const char *head = "7:\n", *tail = ",0:,4:1:a,,";
	size_t left = strlen(head);

	qmtp_reader_init(&r);
	ck_assert_int_eq(qmtp_reader_skip(&r, 0), -1);
	ck_assert_int_eq(qmtp_reader_next(&r, &head, &left, &piece), QMTP_BEGIN);
	ck_assert_int_eq(qmtp_reader_next(&r, &head, &left, &piece), QMTP_CODE);
	ck_assert_int_eq(qmtp_reader_skip(&r, 7), -1);
	ck_assert_int_eq(qmtp_reader_skip(&r, 6), 0);
	left = strlen(tail);
	ck_assert_int_eq(qmtp_reader_next(&r, &tail, &left, &piece), QMTP_TEXT);
	ck_assert_uint_eq(piece.len, 0);
	ck_assert(piece.last);
	ck_assert_int_eq(qmtp_reader_next(&r, &tail, &left, &piece), QMTP_SENDER);
	ck_assert_int_eq(qmtp_reader_next(&r, &tail, &left, &piece), QMTP_RCPT);
	ck_assert_int_eq(qmtp_reader_next(&r, &tail, &left, &piece), QMTP_END);
}
END_TEST

START_TEST(stays_broken)
{
	struct qmtp_reader r;
	struct qmtp_piece piece;
	const char *in = "x1:\n,0:,4:1:a,,";
	size_t left = strlen(in);

	qmtp_reader_init(&r);
	ck_assert_int_eq(qmtp_reader_next(&r, &in, &left, &piece), QMTP_BROKEN);
	ck_assert_int_eq(qmtp_reader_next(&r, &in, &left, &piece), QMTP_BROKEN);
	ck_assert(!qmtp_reader_idle(&r));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reader");
	TCase *t = tcase_create("reader");

	tcase_add_loop_test(
	    t, whole_and_in_steps, 0, (int)(sizeof(cases) / sizeof(*cases)));
	tcase_add_test(t, any_byte_passes);
	tcase_add_test(t, skipped);
	tcase_add_test(t, stays_broken);
	suite_add_tcase(s, t);
	return run_suite(s);
}
