/* util/text: what may be shown, and where it is cut. */
#include "util/text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#include "suite.h"

/* The cleaned text of exactly n bytes: a sanitizer sees what is read behind them. */
static char *
clean(const char *s, size_t n, size_t max)
{
	char *copy = xmalloc(n);
	char *out;

	if (n > 0)
		memcpy(copy, s, n);
	out = text_cleaned(copy, n, max);
	free(copy);
	return out;
}

static const struct {
	const char *in, *out;
} cases[] = {
	{ "", "" },
	{ "plain ASCII ~!@#$%^&*()_+`'\"\\", "plain ASCII ~!@#$%^&*()_+`'\"\\" },
	{ "two\nlines\r\n", "two?lines??" },
	{ "tab\tbell\a esc\x1b[31m del\x7f", "tab?bell? esc?[31m del?" },
	{ "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80",
	    "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "Latin-1 J\xfcrgen", "Latin-1 J?rgen" },
	/* C1 controls: a terminal may take U+009B for the beginning of a sequence */
	{ "\xc2\x9b"
	  "31m \xc2\x80\xc2\xa0",
	    "??31m ??\xc2\xa0" },
	{ "lone \x80\xbf\xc0\xc1\xf5\xff", "lone ??????" },
	{ "overlong \xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf \xc1\x8a",
	    "overlong ?? ??? ???? ??" },
	{ "least \xe0\xa0\x80 \xf0\x90\x80\x80", "least \xe0\xa0\x80 \xf0\x90\x80\x80" },
	{ "surrogates \xed\xa0\x80 \xed\xbf\xbf \xed\x9f\xbf",
	    "surrogates ??? ??? \xed\x9f\xbf" },
	{ "beyond \xf4\x90\x80\x80 \xf4\x8f\xbf\xbd", "beyond ???? \xf4\x8f\xbf\xbd" },
	{ "no characters \xef\xbf\xbe \xef\xbf\xbf \xf0\x9f\xbf\xbf",
	    "no characters ??? ??? ????" },
	{ "cut short \xe2\x82", "cut short ??" },
	{ "cut short \xe2\x82z\xf0\x9f\x98", "cut short ??z???" },
	{ "\xe2\x80\xae"
	  "reversed\xe2\x80\xac \xe2\x81\xa6 \xd8\x9c",
	    "???reversed??? ??? ??" },
	{ "hidden\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa0", "hidden?????????" },
	{ "lines\xe2\x80\xa8\xe2\x80\xa9", "lines??????" },
	{ "tag \xf3\xa0\x81\x81", "tag ????" },
	{ "quote\xe2\x80\x99s dash \xe2\x80\x94",
	    "quote\xe2\x80\x99s dash \xe2\x80\x94" },
};

START_TEST(test_cases)
{
	char *out = clean(cases[_i].in, strlen(cases[_i].in), TEXT_LOG_MAX);

	ck_assert_str_eq(out, cases[_i].out);
	free(out);
}
END_TEST

START_TEST(test_nul)
{
	char *out = clean("a\0b\0", 4, TEXT_LOG_MAX);

	ck_assert_str_eq(out, "a?b?");
	free(out);
}
END_TEST

static const struct {
	const char *in;
	size_t max;
	const char *out;
} cuts[] = {
	{ "12345678", 9, "12345678" },
	{ "12345678", 8, "12345678" },
	{ "12345678", 7, "1234..." },
	{ "12345678", 4, "1..." },
	{ "12345678", 3, "..." },
	{ "12345678", 2, ".." },
	{ "12345678", 1, "." },
	{ "12345678", 0, "" },
	{ "", 0, "" },
	/* not through a character */
	{ "ab\xe2\x82\xac"
	  "defgh",
	    8, "ab\xe2\x82\xac..." },
	{ "ab\xe2\x82\xac"
	  "defgh",
	    7, "ab..." },
	{ "ab\xe2\x82\xac"
	  "defgh",
	    6, "ab..." },
	{ "ab\xe2\x82\xac"
	  "defgh",
	    5, "ab..." },
	/* but through bytes that are none */
	{ "ab\xe2\x82"
	  "defgh",
	    6, "ab?..." },
	{ "ab\xe2\x82\xac", 5, "ab\xe2\x82\xac" },
	{ "ab\xe2\x82\xac", 4, "a..." },
};

START_TEST(test_cuts)
{
	char *out = clean(cuts[_i].in, strlen(cuts[_i].in), cuts[_i].max);

	ck_assert_str_eq(out, cuts[_i].out);
	free(out);
}
END_TEST

START_TEST(test_append)
{
	struct buf b = { 0 };

	text_clean(&b, NULL, 0, 10);
	ck_assert_uint_eq(b.len, 0);
	text_clean(&b, "a\n", 2, 10);
	text_clean(&b, "123456", 6, 5);
	ck_assert_str_eq(b.data, "a?12...");
	ck_assert_uint_eq(b.len, 7);
	buf_free(&b);
}
END_TEST

/* Every pair of bytes, some before a third: as long as before, no control characters. */
START_TEST(test_pairs)
{
	for (unsigned int i = 0; i < 0x10000; i++) {
		char in[3] = { (char)(i >> 8), (char)i, '\x80' };
		char *out = clean(in, 2 + (i & 1), 3);

		ck_assert_uint_eq(strlen(out), 2 + (i & 1));
		for (const char *s = out; *s != '\0'; s++)
			ck_assert((unsigned char)*s >= ' ' && *s != 0x7f);
		free(out);
	}
}
END_TEST

START_TEST(test_json)
{
	struct buf b = { 0 };

	text_json(&b, "a\"b\\c/\n\x1f\xc3\xa9");
	text_json(&b, "");
	text_json(&b, NULL);
	ck_assert_str_eq(b.data, "\"a\\\"b\\\\c/\\u000a\\u001f\xc3\xa9\"\"\"null");
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("text");
	TCase *tc = tcase_create("text");

	tcase_set_timeout(tc, 120); /* valgrind */
	tcase_add_loop_test(tc, test_cases, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(tc, test_nul);
	tcase_add_loop_test(tc, test_cuts, 0, sizeof(cuts) / sizeof(cuts[0]));
	tcase_add_test(tc, test_append);
	tcase_add_test(tc, test_json);
	tcase_add_test(tc, test_pairs);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
