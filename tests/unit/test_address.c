/* mail/address: the cases of tests/data/address.txt, limits, and damage done to them. */
#include "mail/address.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "mail/address_lex.h"
#include "util/buf.h"
#include "util/xalloc.h"

#include "suite.h"

#define CASES_LEAST 110 /* more than that are in the file; fewer were read wrongly */

struct test_case {
	size_t line;     /* in the file */
	const char *key; /* "in", "sender", "write" */
	struct buf in;
	struct buf out; /* each with LF */
	struct buf at;
	struct buf error;
	bool none, has_at, has_error;
};

/* A copy of exactly n bytes: a sanitizer sees what is read behind them. */
static char *
exact_copy(const char *s, size_t n)
{
	char *copy = xmalloc(n);

	if (n > 0)
		memcpy(copy, s, n);
	return copy;
}

static void
add_unescaped(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned int c = (unsigned char)*s;

		if (c == '\\') {
			int used = 0;

			s++;
			if (*s == 'x' && sscanf(s + 1, "%2x%n", &c, &used) == 1)
				s += used;
			else if (*s == 'n')
				c = '\n';
			else if (*s == 'r')
				c = '\r';
			else if (*s == 't')
				c = '\t';
			else
				ck_assert_msg(*s == '\\', "escape \\%c", *s);
		}
		buf_byte(b, (char)c);
	}
}

/* What the list says, in the notation of "at:". */
static void
add_marked(struct buf *b, const struct test_case *c, const struct address_list *list)
{
	size_t pos = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct address *a = &list->v[i];

		ck_assert_uint_le(pos, a->begin);
		ck_assert_uint_lt(a->begin, a->end);
		ck_assert_uint_le(a->end, c->in.len);
		buf_add(b, c->in.data + pos, a->begin - pos);
		buf_byte(b, '{');
		pos = a->begin;
		if (!a->has_domain) {
			ck_assert_uint_ge(a->end, pos);
			buf_add(b, c->in.data + pos, a->end - pos);
			buf_str(b, "@D");
			pos = a->end;
		}
		buf_add(b, c->in.data + pos, a->end - pos);
		buf_byte(b, '}');
		pos = a->end;
	}
	buf_add(b, c->in.data + pos, c->in.len - pos);
}

/* What must be true of every address: its parts fit, and it can be read again. */
static void
check_address(const char *text, const struct address *a)
{
	struct address_list again = { 0 };
	struct buf written = { 0 };
	struct error err = { 0 };

	ck_assert_uint_gt(a->local, 0);
	ck_assert_uint_le(strlen(a->addr), ADDRESS_MAX);
	ck_assert_int_eq(a->has_domain, a->addr[a->local] == '@');
	ck_assert_int_eq(a->has_domain, address_has_domain(a->addr));
	ck_assert_msg(
	    address_parse(text + a->begin, a->end - a->begin, &again, &err) == 0, "%s",
	    err.text);
	address_write(&written, a->addr);
	ck_assert_msg(
	    address_parse(written.data, written.len, &again, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(again.n, 2);
	ck_assert_str_eq(again.v[0].addr, a->addr);
	ck_assert_str_eq(again.v[1].addr, a->addr);
	ck_assert_uint_eq(again.v[1].local, a->local);
	buf_free(&written);
	address_list_free(&again);
}

static void
run_list(const struct test_case *c, struct buf *out, struct buf *error)
{
	char *text = exact_copy(c->in.data, c->in.len);
	struct address_list list = { 0 };
	struct error err = { .code = -1 };

	if (address_parse(text, c->in.len, &list, &err) != 0) {
		ck_assert_int_eq(err.code, EX_DATAERR);
		buf_str(error, err.text);
	} else {
		ck_assert_int_eq(err.code, -1);
	}
	for (size_t i = 0; i < list.n; i++) {
		check_address(text, &list.v[i]);
		buf_printf(out, "%s\n", list.v[i].addr);
	}
	if (c->has_at) {
		struct buf at = { 0 };

		add_marked(&at, c, &list);
		ck_assert_str_eq(at.data, c->at.data);
		buf_free(&at);
	}
	address_list_free(&list);
	free(text);
}

static void
run_case(struct test_case *c)
{
	struct buf out = { 0 };
	struct buf error = { 0 };

	buf_reserve(&c->in, 0)[0] = '\0';
	if (strcmp(c->key, "in") == 0) {
		run_list(c, &out, &error);
	} else if (strcmp(c->key, "write") == 0) {
		address_write(&out, c->in.data);
		buf_byte(&out, '\n');
	} else {
		struct error err = { .code = -1 };
		char *addr = NULL;

		if (address_sender(c->in.data, &addr, &err) == 0)
			buf_printf(&out, "%s\n", addr);
		else
			buf_str(&error, err.text);
		free(addr);
	}
	buf_add(&out, "", 0);
	buf_add(&error, "", 0);
	buf_add(&c->out, "", 0);
	ck_assert_msg(strcmp(out.data, c->out.data) == 0,
	    "line %zu: got \"%s\", not \"%s\" (%s)", c->line, out.data, c->out.data,
	    error.data);
	if (c->has_error)
		ck_assert_msg(error.len > 0 && strstr(error.data, c->error.data) != NULL,
		    "line %zu: error \"%s\"", c->line, error.data);
	else
		ck_assert_msg(
		    error.len == 0, "line %zu: error \"%s\"", c->line, error.data);
	ck_assert_msg(c->none + c->has_error + (c->out.len > 0) > 0, "line %zu", c->line);
	buf_free(&out);
	buf_free(&error);
}

/* Read the next case of the file; false when there is none. */
static bool
read_case(FILE *f, size_t *line, struct test_case *c)
{
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;

	*c = (struct test_case){ 0 };
	while ((len = getline(&text, &cap, f)) > 0) {
		++*line;
		text[len - 1] = '\0';
		if (text[0] == '\0' && c->key != NULL)
			break;
		if (text[0] == '\0' || text[0] == '#')
			continue;
		if (strncmp(text, "in: ", 4) == 0) {
			c->key = "in";
			c->line = *line;
			add_unescaped(&c->in, text + 4);
		} else if (strncmp(text, "sender: ", 8) == 0) {
			c->key = "sender";
			c->line = *line;
			add_unescaped(&c->in, text + 8);
		} else if (strncmp(text, "write: ", 7) == 0) {
			c->key = "write";
			c->line = *line;
			add_unescaped(&c->in, text + 7);
		} else if (strncmp(text, "out: ", 5) == 0) {
			add_unescaped(&c->out, text + 5);
			buf_byte(&c->out, '\n');
		} else if (strncmp(text, "at: ", 4) == 0) {
			c->has_at = true;
			add_unescaped(&c->at, text + 4);
		} else if (strncmp(text, "error: ", 7) == 0) {
			c->has_error = true;
			add_unescaped(&c->error, text + 7);
		} else {
			ck_assert_msg(strcmp(text, "none") == 0, "line %zu", *line);
			c->none = true;
		}
	}
	free(text);
	return c->key != NULL;
}

static size_t
for_each_case(void (*run)(struct test_case *c))
{
	const char *srcdir = getenv("srcdir");
	struct buf path = { 0 };
	struct test_case c;
	size_t line = 0;
	size_t n = 0;
	FILE *f;

	buf_printf(&path, "%s/tests/data/address.txt", srcdir != NULL ? srcdir : ".");
	f = fopen(path.data, "r");
	ck_assert_msg(f != NULL, "%s", path.data);
	for (; read_case(f, &line, &c); n++) {
		run(&c);
		buf_free(&c.in);
		buf_free(&c.out);
		buf_free(&c.at);
		buf_free(&c.error);
	}
	ck_assert_int_ne(ferror(f), 1);
	fclose(f);
	buf_free(&path);
	return n;
}

START_TEST(test_cases)
{
	ck_assert_uint_ge(for_each_case(run_case), CASES_LEAST);
}
END_TEST

/* Parse and look only at what must always be true. */
static void
parse_anything(const char *text, size_t len)
{
	char *copy = exact_copy(text, len);
	struct address_list list = { 0 };
	struct error err = { .code = -1 };

	if (address_parse(copy, len, &list, &err) != 0) {
		ck_assert_int_eq(err.code, EX_DATAERR);
		ck_assert_ptr_nonnull(strstr(err.text, ": "));
	}
	for (size_t i = 0; i < list.n; i++)
		check_address(copy, &list.v[i]);
	address_list_free(&list);
	free(copy);
}

static void
parse_damaged(struct test_case *c)
{
	static const char damage[] =
	    "()<>[]:;@\\,.\" \n\xc3=?"; /* its NUL is one of them */

	for (size_t cut = 0; cut <= c->in.len; cut++)
		parse_anything(c->in.data, cut);
	for (size_t i = 0; i < c->in.len; i++) {
		char was = c->in.data[i];

		for (size_t k = 0; k < 4; k++) {
			c->in.data[i] = damage[(c->line + i * 4 + k) % sizeof(damage)];
			parse_anything(c->in.data, c->in.len);
		}
		c->in.data[i] = was;
	}
}

START_TEST(test_damage)
{
	for_each_case(parse_damaged);
}
END_TEST

START_TEST(test_append)
{
	struct address_list list = { 0 };
	struct error err = { 0 };

	ck_assert_int_eq(address_parse("alice, bob", 10, &list, &err), 0);
	ck_assert_int_eq(address_parse("carol, @, dave", 14, &list, &err), -1);
	ck_assert_int_eq(address_parse(NULL, 0, &list, &err), 0);
	ck_assert_uint_eq(list.n, 3);
	ck_assert_str_eq(list.v[2].addr, "carol");
	address_list_free(&list);
	ck_assert_ptr_null(list.v);
	ck_assert_uint_eq(list.n, 0);
}
END_TEST

/* An address of len bytes with a prefix, a run of 'a', and a suffix. */
static int
parse_long(const char *prefix, size_t len, const char *suffix, struct error *err)
{
	struct address_list list = { 0 };
	struct buf b = { 0 };
	int result;

	buf_str(&b, prefix);
	while (b.len + strlen(suffix) < len)
		buf_byte(&b, 'a');
	buf_str(&b, suffix);
	result = address_parse(b.data, b.len, &list, err);
	ck_assert_uint_eq(list.n, result == 0);
	if (list.n == 1)
		check_address(b.data, &list.v[0]);
	address_list_free(&list);
	buf_free(&b);
	return result;
}

START_TEST(test_longest)
{
	struct error err = { 0 };

	ck_assert_int_eq(parse_long("", 999, "", &err), 0);
	ck_assert_int_eq(parse_long("", 1000, "", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "...: too long"));
	ck_assert_uint_lt(strlen(err.text), 300);
	ck_assert_int_eq(parse_long("", 999, "@example.com", &err), 0);
	ck_assert_int_eq(parse_long("", 1000, "@example.com", &err), -1);
	ck_assert_int_eq(parse_long("b@", 999, "", &err), 0);
	ck_assert_int_eq(parse_long("b@", 1000, "", &err), -1);
	ck_assert_int_eq(parse_long("", 999, "@", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "nothing behind"));
	ck_assert_int_eq(parse_long("", 1000, "@", &err), -1);
	ck_assert_int_eq(parse_long("", 1000, ".", &err), -1);
	/* quotes do not count, nor do backslashes */
	ck_assert_int_eq(parse_long("\"\\a", 1002, "\"", &err), 0);
	ck_assert_int_eq(parse_long("\"\\a", 1003, "\"", &err), -1);
	/* names may have any length */
	ck_assert_int_eq(parse_long("\"", 100000, "\" <a@example.com>", &err), 0);
	ck_assert_int_eq(parse_long("", 100000, " <a@example.com>", &err), 0);
}
END_TEST

/* Senders that the grammar refuses have the same limit. */
START_TEST(test_longest_sender)
{
	struct error err = { 0 };
	struct buf b = { 0 };
	char *addr = NULL;

	while (b.len < ADDRESS_MAX - 3)
		buf_byte(&b, 'a');
	buf_str(&b, "@@c");
	ck_assert_int_eq(address_sender(b.data, &addr, &err), 0);
	ck_assert_str_eq(addr, b.data);
	free(addr);
	buf_byte(&b, 'c');
	ck_assert_int_eq(address_sender(b.data, &addr, &err), -1);
	ck_assert_int_eq(err.code, EX_DATAERR);
	buf_free(&b);
}
END_TEST

/* n times the same, around an address or before it. */
static int
parse_repeated(
    const char *open, size_t n, const char *middle, const char *close, struct error *err)
{
	struct address_list list = { 0 };
	struct buf b = { 0 };
	int result;

	for (size_t i = 0; i < n; i++)
		buf_str(&b, open);
	buf_str(&b, middle);
	for (size_t i = 0; i < n; i++)
		buf_str(&b, close);
	result = address_parse(b.data, b.len, &list, err);
	address_list_free(&list);
	buf_free(&b);
	return result;
}

START_TEST(test_deepest)
{
	struct error err = { 0 };

	ck_assert_int_eq(parse_repeated("(", ADDRESS_COMMENTS_MAX, "x", ")", &err), 0);
	ck_assert_int_eq(
	    parse_repeated("(", ADDRESS_COMMENTS_MAX + 1, "x", ")", &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "nested too deep"));
	ck_assert_int_eq(parse_repeated("<", 100000, "a@b", ">", &err), 0);
	ck_assert_int_eq(parse_repeated("<", 100000, "a@b", "", &err), -1);
}
END_TEST

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/*
 * Texts that make a careless parser read again what it has read. They take milliseconds, a second
 * under valgrind; read again and again, far more than the limit.
 */
START_TEST(test_linear)
{
	static const char *const open[] = { "(", "()", "\"", "\\", "<", "<@", "@", "[",
		"a@[", ".", "=?", "=?a?q?", "=?a?q?,", "a ", "a@b ",
		":include:", "a:", "a:;", "<a>,", "\"\" ", ",", "a.", "a@b," };

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		struct error err;
		double begin = seconds();

		parse_repeated(open[i], 200000, "", "", &err);
		ck_assert_msg(seconds() - begin < 5.0, "%s", open[i]);
	}
}
END_TEST

START_TEST(test_domains)
{
	ck_assert(address_in_domain("alice@Example.COM", "example.com"));
	ck_assert(address_in_domain("a@b@example.com", "example.com"));
	ck_assert(!address_in_domain("alice@example.com", "example.co"));
	ck_assert(!address_in_domain("alice@example.com.", "example.com"));
	ck_assert(!address_in_domain("alice@sub.example.com", "example.com"));
	ck_assert(!address_in_domain("example.com", "example.com"));
	ck_assert(!address_in_domain("", "example.com"));
	ck_assert(address_has_domain("a@b"));
	ck_assert(!address_has_domain("a@"));
	ck_assert(!address_has_domain("@b"));
	ck_assert(!address_has_domain("a"));
	ck_assert(!address_has_domain(""));
	ck_assert(!address_has_domain("@"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("address");
	TCase *tc = tcase_create("address");

	tcase_set_timeout(tc, 120); /* valgrind */
	tcase_add_test(tc, test_cases);
	tcase_add_test(tc, test_damage);
	tcase_add_test(tc, test_append);
	tcase_add_test(tc, test_longest);
	tcase_add_test(tc, test_longest_sender);
	tcase_add_test(tc, test_deepest);
	tcase_add_test(tc, test_linear);
	tcase_add_test(tc, test_domains);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
