/* What the queue says of its entries: the tail of a file, and the lines of a list. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool/listing.h"
#include "spool/words.h"

#include "suite.h"

#define SLOTS 100 /* where the slots of the entry of these tests begin */

static struct entry_rcpt rcpts[3];
static struct entry entry;
static struct buf seen;

/* An entry of three recipients, whose file has nothing but what is behind its slots. */
static void
set_up(void)
{
	char name[] = "tmp-listing-XXXXXX";

	rcpts[0] = (struct entry_rcpt){ (char *)(uintptr_t) "a@x.y", 'P', 1000000001 };
	rcpts[1] = (struct entry_rcpt){ (char *)(uintptr_t) "b c@x.y", '?', 1000000002 };
	rcpts[2] = (struct entry_rcpt){ (char *)(uintptr_t) "\303\244@x.y", 'K', 3 };
	entry = (struct entry){ .id = "3b9aca00.1f",
		.owner = 1000,
		.arrived = 1000000000,
		.touched = 1000000007,
		.length = 12345,
		.rcpts = rcpts,
		.n = 3,
		.slots = SLOTS,
		.state = 'W',
		.since = 1000000005,
		.sender = (char *)(uintptr_t) "s@x.y" };
	entry.fd = mkstemp(name);
	ck_assert_int_ge(entry.fd, 0);
	unlink(name);
	ck_assert_int_eq(ftruncate(entry.fd, SLOTS + 4 * SPOOL_SLOT), 0);
	entry.size = SLOTS + 4 * SPOOL_SLOT;
}

static void
tear_down(void)
{
	close(entry.fd);
	buf_free(&seen);
}

static void
note(void *arg, size_t from, size_t to, const char *text, time_t when)
{
	ck_assert_ptr_eq(arg, &seen);
	buf_printf(&seen, "%zu-%zu %s @%lld\n", from, to, text, (long long)when);
}

/* The tail, in whatever form, as it is read. */
static const char *
words_of(const char *tail, size_t len)
{
	ck_assert_int_eq(
	    pwrite(entry.fd, tail, len, SLOTS + 4 * SPOOL_SLOT), (ssize_t)len);
	entry.size = SLOTS + 4 * SPOOL_SLOT + len;
	buf_clear(&seen);
	words_read(&entry, note, &seen);
	return seen.data != NULL ? seen.data : "";
}

START_TEST(words_round_trip)
{
	struct buf lines = { 0 };

	words_add(&lines, 0, 1, "mx: later\nforged", 1000000010);
	words_add(&lines, 2, 2, "", 1000000011);
	ck_assert_str_eq(lines.data, "3b9aca0a 0 1 mx: later?forged\n3b9aca0b 2 2 \n");
	words_write(&entry, &lines);
	entry.size += lines.len;
	words_read(&entry, note, &seen);
	ck_assert_str_eq(
	    seen.data, "0-1 mx: later?forged @1000000010\n2-2  @1000000011\n");

	/* What is written replaces all of what was there. */
	buf_clear(&lines);
	words_add(&lines, 0, 0, "new", 1);
	words_write(&entry, &lines);
	ck_assert_int_eq(
	    lseek(entry.fd, 0, SEEK_END), SLOTS + 4 * SPOOL_SLOT + (off_t)lines.len);
	buf_clear(&seen);
	words_read(&entry, note, &seen);
	ck_assert_str_eq(seen.data, "0-0 new @1\n");
	buf_free(&lines);
}
END_TEST

START_TEST(words_bounds)
{
	char *text = malloc(1000);
	struct buf lines = { 0 };

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', 999);
	text[999] = '\0';
	words_add(&lines, 0, 0, text, 1);
	ck_assert_uint_eq(lines.len, strlen("00000001 0 0 ") + 400 + 1);
	for (int i = 0; i < 1000; i++)
		words_add(&lines, 0, 0, text, 1);
	ck_assert_uint_eq(lines.len, WORDS_MAX / 414 * 414);
	words_write(&entry, &lines);
	entry.size += lines.len;
	words_read(&entry, note, &seen);
	ck_assert_uint_gt(seen.len, WORDS_MAX / 414 * 400);
	buf_free(&lines);
	free(text);
}
END_TEST

START_TEST(words_damaged)
{
	static const struct {
		const char *tail, *read;
	} cases[] = {
		{ "", "" },
		{ "0000000a 0 0 cut off", "" },
		{ "0000000a 0 0 cut off\n0000000b 1 2 x", "0-0 cut off @10\n" },
		{ "0000000A 0 0 x\n0000000b 0 0 y\n", "0-0 y @11\n" },
		{ "0000000a 1 0 x\n0000000b 0 3 y\n", "" },
		{ "0000000a -1 0 x\n0000000b 0  1 y\n0000000b 0 1\n", "" },
		{ "0000000a 99999999999999999999 0 x\n", "" },
		{ "\n\n0000000a 2 2 y\n", "2-2 y @10\n" },
		{ "000000a 0 0 x\n 0 0 x\nx\n", "" },
		{ "0000000a 0 2 \033[1m\n", "0-2 ?[1m @10\n" },
	};

	ck_assert_str_eq(
	    words_of(cases[_i].tail, strlen(cases[_i].tail)), cases[_i].read);
}
END_TEST

/* NUL and a line that never ends. */
START_TEST(words_hostile)
{
	static char tail[WORDS_MAX + 100];

	ck_assert_str_eq(words_of("0000000a 0 0 a\0b\n", 17), "0-0 a?b @10\n");
	memset(tail, 'x', sizeof(tail));
	ck_assert_str_eq(words_of(tail, sizeof(tail)), "");
	memcpy(tail, "0000000a 0 0 first\n", 19);
	memcpy(tail + WORDS_MAX + 1, "\n0000000a 0 0 beyond\n", 21);
	ck_assert_str_eq(words_of(tail, sizeof(tail)), "0-0 first @10\n");
}
END_TEST

static const char told[] = "entry 3b9aca00.1f\n"
			   "uid 1000\n"
			   "size 12345\n"
			   "arrived 1000000000\n"
			   "tried 1000000007\n"
			   "state W 1000000005\n"
			   "token abcdefgh234567xy\n"
			   "sender s@x.y\n"
			   "rcpt P 1000000001 a@x.y\n"
			   "rcpt ? 1000000002 b c@x.y\n"
			   "rcpt K 3 \303\244@x.y\n"
			   "words 0 1 mx: later\n"
			   "end\n";

START_TEST(written)
{
	struct buf out = { 0 }, lines = { 0 };

	words_add(&lines, 0, 1, "mx: later", 9);
	words_write(&entry, &lines);
	entry.size += lines.len;
	listing_write(&out, &entry, "abcdefgh234567xy");
	ck_assert_str_eq(out.data, told);
	buf_clear(&out);
	entry.size -= lines.len;
	entry.sender = (char *)(uintptr_t) "";
	entry.n = 1;
	entry.arrived = -1;
	listing_write(&out, &entry, "");
	ck_assert_str_eq(out.data,
	    "entry 3b9aca00.1f\nuid 1000\nsize 12345\narrived 0\ntried 1000000007\n"
	    "state W 1000000005\nsender \nrcpt P 1000000001 a@x.y\nend\n");
	buf_clear(&out);
	listing_write_damaged(&out, "1.2");
	listing_write_done(&out, 10);
	ck_assert_str_eq(out.data, "damaged 1.2\ndone 10\n");
	buf_free(&out);
	buf_free(&lines);
}
END_TEST

/* Read lines; returns what the last of them came to. */
static enum listing_line
read_lines(struct listing *l, const char *text)
{
	enum listing_line result = LISTING_MORE;

	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		ck_assert_int_eq(result, LISTING_MORE);
		result = listing_read(l, text, n);
		text += n + (text[n] == '\n');
	}
	return result;
}

START_TEST(read_back)
{
	struct listing l = { 0 };

	ck_assert_int_eq(read_lines(&l, told), LISTING_ENTRY);
	ck_assert_str_eq(l.id, "3b9aca00.1f");
	ck_assert(!l.damaged);
	ck_assert_uint_eq(l.uid, 1000);
	ck_assert_uint_eq(l.size, 12345);
	ck_assert_int_eq(l.arrived, 1000000000);
	ck_assert_int_eq(l.tried, 1000000007);
	ck_assert_int_eq(l.state, 'W');
	ck_assert_int_eq(l.since, 1000000005);
	ck_assert_str_eq(l.token, "abcdefgh234567xy");
	ck_assert_str_eq(l.sender, "s@x.y");
	ck_assert_uint_eq(l.n, 3);
	ck_assert_str_eq(l.rcpts[1].addr, "b c@x.y");
	ck_assert_int_eq(l.rcpts[1].state, '?');
	ck_assert_int_eq(l.rcpts[2].when, 3);
	ck_assert_uint_eq(l.nwords, 1);
	ck_assert_uint_eq(l.words[0].from, 0);
	ck_assert_uint_eq(l.words[0].to, 1);
	ck_assert_str_eq(l.words[0].text, "mx: later");

	ck_assert_int_eq(read_lines(&l, "damaged 1.2\n"), LISTING_ENTRY);
	ck_assert(l.damaged);
	ck_assert_str_eq(l.id, "1.2");
	ck_assert_uint_eq(l.n, 0);
	ck_assert_str_eq(l.token, "");

	ck_assert_int_eq(read_lines(&l,
			     "entry 1.3\nuid 0\nsize 0\narrived 1\ntried 1\nstate P "
			     "1\nsender \nrcpt P 1 a\nend"),
	    LISTING_ENTRY);
	ck_assert(!l.damaged);
	ck_assert_str_eq(l.sender, "");
	ck_assert_int_eq(read_lines(&l, "done 3"), LISTING_DONE);
	ck_assert_int_eq(read_lines(&l, "done 3"), LISTING_BAD);
	listing_free(&l);

	ck_assert_int_eq(read_lines(&l, "done 0"), LISTING_DONE);
	listing_free(&l);
}
END_TEST

#define HEAD "entry 1.2\nuid 1\nsize 1\narrived 1\ntried 1\nstate P 1\n"
static const char *const bad[] = {
	"",
	"done",
	"done 1",
	"done 00",
	"done -0",
	"done x",
	"uid 1",
	"end",
	"ok",
	"entry",
	"entry ",
	"entry ../x",
	"damaged 1",
	"entry 1.2\nentry 1.2",
	"entry 1.2\ndone 0",
	"entry 1.2\ndamaged 1.2",
	"entry 1.2\nuid",
	"entry 1.2\nuid 4294967296",
	"entry 1.2\nuid 1\nuid 1",
	"entry 1.2\nuid 1\nsize 9223372036854775808",
	"entry 1.2\nuid 1\nsize 1 ",
	"entry 1.2\nsize 1\nuid 1",
	"entry 1.2\nuid 1\nsize 1\narrived 1\ntried 1\nstate K 1",
	"entry 1.2\nuid 1\nsize 1\narrived 1\ntried 1\nstate P 1 ",
	"entry 1.2\nuid 1\nsize 1\narrived 1\ntried 1\nsender x\nrcpt P 1 a\nend",
	HEAD "token ",
	HEAD "token 0123456789012345678901234567890123456789012345678901234567890123x",
	HEAD "sender",
	HEAD "sender \tx",
	HEAD "sender \x7f",
	HEAD "sender x\nsender x",
	HEAD "rcpt P 1 a\nsender x",
	HEAD "sender x\nend",
	HEAD "sender x\nrcpt P 1 ",
	HEAD "sender x\nrcpt E 1 a",
	HEAD "sender x\nrcpt P a",
	HEAD "sender x\nrcpt P 1 a\nend ",
	HEAD "sender x\nrcpt P 1 a\nwords 0 1 x",
	HEAD "sender x\nrcpt P 1 a\nwords 1 0 x",
	HEAD "sender x\nrcpt P 1 a\nwords 0 0",
	HEAD "sender x\nrcpt P 1 a\nwords 0 0 x\nrcpt P 1 b",
	HEAD "sender x\nrcpt P 1 a\nfurther 0",
};

START_TEST(refused)
{
	struct listing l = { 0 };

	if (*bad[_i] == '\0')
		ck_assert_int_eq(listing_read(&l, "", 0), LISTING_BAD);
	else
		ck_assert_int_eq(read_lines(&l, bad[_i]), LISTING_BAD);
	listing_free(&l);
}
END_TEST

START_TEST(long_lines)
{
	static char line[LISTING_LINE_MAX];
	struct listing l = { 0 };

	memset(line, 'x', sizeof(line));
	memcpy(line, "sender ", 7);
	ck_assert_int_eq(read_lines(&l, HEAD), LISTING_MORE);
	ck_assert_int_eq(listing_read(&l, line, sizeof(line)), LISTING_BAD);
	listing_free(&l);
	ck_assert_int_eq(read_lines(&l, HEAD), LISTING_MORE);
	ck_assert_int_eq(listing_read(&l, line, sizeof(line) - 1), LISTING_MORE);
	ck_assert_uint_eq(strlen(l.sender), sizeof(line) - 8);
	ck_assert_int_eq(listing_read(&l, "rcpt P 1 a\0b", 12), LISTING_BAD);
	listing_free(&l);
}
END_TEST

/* As many recipients as an entry may have, and not one more. */
START_TEST(many)
{
	struct listing l = { 0 };

	ck_assert_int_eq(read_lines(&l, HEAD "sender x"), LISTING_MORE);
	for (int i = 0; i < ENTRY_RCPTS_MAX; i++)
		ck_assert_int_eq(listing_read(&l, "rcpt P 1 a", 10), LISTING_MORE);
	ck_assert_int_eq(listing_read(&l, "rcpt P 1 a", 10), LISTING_BAD);
	listing_free(&l);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("listing");
	TCase *t = tcase_create("listing");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, words_round_trip);
	tcase_add_test(t, words_bounds);
	tcase_add_loop_test(t, words_damaged, 0, 10);
	tcase_add_test(t, words_hostile);
	tcase_add_test(t, written);
	tcase_add_test(t, read_back);
	tcase_add_loop_test(t, refused, 0, (int)(sizeof(bad) / sizeof(*bad)));
	tcase_add_test(t, long_lines);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	return run_suite(s);
}
