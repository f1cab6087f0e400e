/*
 * What stands behind MAIL and RCPT, as clients write it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "sendmail/smtp_path.h"

#include "suite.h"

static const struct taken {
	const char *argument;
	const char *address;
	bool size_given;
	uint64_t size;
} taken[] = {
	{ "FROM:<alice@example.org>", "<alice@example.org>", false, 0 },
	{ "from:<alice@example.org>", "<alice@example.org>", false, 0 },
	{ "FROM: <alice@example.org>", "<alice@example.org>", false, 0 },
	{ "FROM : \t<alice@example.org>\t", "<alice@example.org>", false, 0 },
	{ "FROM:<>", "<>", false, 0 },
	{ "FROM:<> ", "<>", false, 0 },
	{ "FROM:< >", "< >", false, 0 },
	{ "FROM:alice@example.org", "alice@example.org", false, 0 },
	{ "FROM:alice", "alice", false, 0 },
	{ "FROM:<\"a > b\"@example.org>", "<\"a > b\"@example.org>", false, 0 },
	{ "FROM:<\"a \\\" > b\"@example.org>", "<\"a \\\" > b\"@example.org>", false, 0 },
	{ "FROM:<a\\>b@example.org>", "<a\\>b@example.org>", false, 0 },
	{ "FROM:<two words>", "<two words>", false, 0 },
	{ "FROM:<@relay.example:bob@example.net>", "<@relay.example:bob@example.net>",
	    false, 0 },
	{ "FROM:<jos\303\251@example.org> SMTPUTF8", "<jos\303\251@example.org>", false,
	    0 },
	/* parameters */
	{ "FROM:<a@b.example> SIZE=0", "<a@b.example>", true, 0 },
	{ "FROM:<a@b.example> size=1000", "<a@b.example>", true, 1000 },
	{ "FROM:a@b.example  SIZE=7 ", "a@b.example", true, 7 },
	{ "FROM:<a@b.example> BODY=8BITMIME SIZE=12 RET=HDRS ENVID=x+20y",
	    "<a@b.example>", true, 12 },
	{ "FROM:<a@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@example.net",
	    "<a@b.example>", false, 0 },
	{ "FROM:<a@b.example> X-0 9=<>=", "<a@b.example>", false, 0 },
	{ "FROM:<a@b.example> SIZE", "<a@b.example>", false, 0 },
	{ "FROM:<a@b.example> SIZES=x", "<a@b.example>", false, 0 },
	{ "FROM:<a@b.example> SIZE=18446744073709551614", "<a@b.example>", true,
	    UINT64_MAX - 1 },
	{ "FROM:<a@b.example> SIZE=18446744073709551615", "<a@b.example>", true,
	    UINT64_MAX },
	{ "FROM:<a@b.example> SIZE=18446744073709551616", "<a@b.example>", true,
	    UINT64_MAX },
	{ "FROM:<a@b.example> SIZE=99999999999999999999999999", "<a@b.example>", true,
	    UINT64_MAX },
};

static const char *const refused[] = {
	"",
	"FROM",
	"FROM:",
	"FROM: ",
	"FROMM:<a@b.example>",
	"FRO",
	"TO:<a@b.example>",
	"<a@b.example>",
	"FROM <a@b.example>",
	"FROM:<a@b.example",
	"FROM:<\"a>",
	"FROM:<a\\>",
	"FROM:<a@b.example>x",
	"FROM:<a@b.example>>",
	"FROM:<<a@b.example>>",
	"FROM:<a@b.example>,<c@d.example>",
	"FROM:<a@b.example>SIZE=1",
	/* a name would be taken for the address, and the address for a parameter */
	"FROM:Alice <a@b.example>",
	"FROM:a b@c.example",
	"FROM:\"a b\"@c.example",
	"FROM:<a@b.example> =1",
	"FROM:<a@b.example> -X=1",
	"FROM:<a@b.example> SIZE =1",
	"FROM:<a@b.example> SIZE=",
	"FROM:<a@b.example> SIZE=-1",
	"FROM:<a@b.example> SIZE=1k",
	"FROM:<a@b.example> SIZE=0x10",
	"FROM:<a@b.example> SIZE=1 SIZE=x",
};

START_TEST(test_taken)
{
	const struct taken *t = &taken[_i];
	struct smtp_path path;

	ck_assert_msg(smtp_path_parse(t->argument, "FROM:", &path) == 0, "%s: refused",
	    t->argument);
	ck_assert_str_eq(path.address, t->address);
	ck_assert_int_eq(path.size_given, t->size_given);
	ck_assert(path.size == t->size);
	smtp_path_free(&path);
	ck_assert_ptr_null(path.address);
}
END_TEST

START_TEST(test_refused)
{
	struct smtp_path path;

	ck_assert_msg(
	    smtp_path_parse(refused[_i], "FROM:", &path) == -1, "%s: taken", refused[_i]);
}
END_TEST

/* Every beginning of a long argument, in memory that ends with it. */
START_TEST(test_beginnings)
{
	static const char whole[] =
	    "TO : <\"a \\\"> \"@b.example> SIZE=12 ORCPT=rfc822;x NOTIFY=NEVER";

	for (size_t n = 0; n < sizeof(whole); n++) {
		char *part = strndup(whole, n);
		struct smtp_path path;

		ck_assert_ptr_nonnull(part);
		if (smtp_path_parse(part, "TO:", &path) == 0) {
			ck_assert_str_eq(path.address, "<\"a \\\"> \"@b.example>");
			smtp_path_free(&path);
		}
		free(part);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("smtp_path");
	TCase *tc = tcase_create("smtp_path");

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_taken, 0, (int)(sizeof(taken) / sizeof(*taken)));
	tcase_add_loop_test(
	    tc, test_refused, 0, (int)(sizeof(refused) / sizeof(*refused)));
	tcase_add_test(tc, test_beginnings);
	return run_suite(s);
}
