/* mail/header: the cases of tests/data/header.txt, and what is too large for them. */
#include "mail/header.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/xalloc.h"

#include "suite.h"

#define CASES_LEAST 60

static const char *const ids[HEADER_IDS] = { "-", "bcc", "cc", "content-length", "date",
	"from", "message-id", "reply-to", "resent-bcc", "resent-cc", "resent-date",
	"resent-from", "resent-message-id", "resent-reply-to", "resent-sender",
	"resent-to", "return-path", "sender", "to" };

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

/* Push a copy of exactly len bytes: a sanitizer sees what is read behind them. */
static enum header_line
push(struct header *h, const char *line, size_t len)
{
	char *copy = xmalloc(len);
	enum header_line result;

	if (len > 0)
		memcpy(copy, line, len);
	result = header_push(h, copy, len);
	free(copy);
	return result;
}

/* The index as the file writes it, one field a line. */
static void
add_fields(struct buf *b, const struct header *h)
{
	size_t count[HEADER_IDS] = { 0 };
	size_t end = 0;

	for (size_t i = 0; i < h->n; i++) {
		size_t len;
		const char *body = header_body(h, &h->v[i], &len);

		ck_assert_uint_eq(h->v[i].begin, end);
		end = h->v[i].end;
		ck_assert_int_eq(h->text.data[end - 1], '\n');
		ck_assert_int_eq(body[-1], ':');
		buf_printf(b, "%s|", ids[h->v[i].id]);
		buf_add(b, body, len);
		buf_byte(b, '\n');
		count[h->v[i].id]++;
	}
	ck_assert_uint_eq(h->text.len, end);
	ck_assert_mem_eq(h->count, count, sizeof(count));
	for (int id = 0; id < HEADER_IDS; id++) {
		const struct header_field *f = header_find(h, (enum header_id)id);

		ck_assert_int_eq(f != NULL, count[id] > 0);
		if (f != NULL)
			ck_assert_int_eq((int)f->id, id);
		while (f != NULL && f-- != h->v)
			ck_assert_int_ne((int)f->id, id);
	}
}

struct test_case {
	size_t line; /* in the file */
	struct header header;
	enum header_line result;
	struct buf same;   /* what was pushed and taken */
	struct buf out;    /* what should be kept */
	struct buf fields; /* what the index should say */
	const char *end;
	bool is_same;
	bool any;
};

static void
begin_line(struct test_case *c, const char *escaped, size_t line)
{
	struct buf b = { 0 };

	ck_assert_msg(
	    !c->any || c->result == HEADER_TAKEN, "line %zu: ended before", line);
	if (!c->any)
		c->line = line;
	c->any = true;
	add_unescaped(&b, escaped);
	c->result = push(&c->header, b.data, b.len);
	if (c->result == HEADER_TAKEN) {
		buf_add(&c->same, b.data, b.len);
		buf_byte(&c->same, '\n');
	}
	buf_free(&b);
}

static void
end_case(struct test_case *c)
{
	static const char *const ends[] = { "more", "empty", "body" };
	const struct buf *expected = c->is_same ? &c->same : &c->out;
	struct buf fields = { 0 };

	ck_assert_msg(c->end != NULL && strcmp(ends[c->result], c->end) == 0,
	    "line %zu: %s", c->line, ends[c->result]);
	ck_assert_msg(c->header.text.len == expected->len &&
		memcmp(c->header.text.data, expected->len > 0 ? expected->data : "",
		    expected->len) == 0,
	    "line %zu: kept \"%s\"", c->line, c->header.text.data);
	add_fields(&fields, &c->header);
	ck_assert_msg(fields.len == c->fields.len &&
		(fields.len == 0 || memcmp(fields.data, c->fields.data, fields.len) == 0),
	    "line %zu: fields \"%s\"", c->line, fields.len > 0 ? fields.data : "");
	buf_free(&fields);
	buf_free(&c->same);
	buf_free(&c->out);
	buf_free(&c->fields);
	header_free(&c->header);
	*c = (struct test_case){ 0 };
}

static void
read_line(struct test_case *c, const char *text, size_t line)
{
	if (strncmp(text, "in: ", 4) == 0) {
		begin_line(c, text + 4, line);
	} else if (strncmp(text, "out: ", 5) == 0) {
		add_unescaped(&c->out, text + 5);
		buf_byte(&c->out, '\n');
	} else if (strncmp(text, "field: ", 7) == 0) {
		add_unescaped(&c->fields, text + 7);
		buf_byte(&c->fields, '\n');
	} else if (strcmp(text, "same") == 0) {
		c->is_same = true;
	} else if (strcmp(text, "end: more") == 0) {
		c->end = "more";
	} else if (strcmp(text, "end: empty") == 0) {
		c->end = "empty";
	} else if (strcmp(text, "end: body") == 0) {
		c->end = "body";
	} else {
		ck_assert_msg(strcmp(text, "none") == 0, "line %zu", line);
	}
}

START_TEST(test_cases)
{
	const char *srcdir = getenv("srcdir");
	struct buf path = { 0 };
	struct test_case c = { 0 };
	size_t line = 0;
	size_t n = 0;
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;
	FILE *f;

	buf_printf(&path, "%s/tests/data/header.txt", srcdir != NULL ? srcdir : ".");
	f = fopen(path.data, "r");
	ck_assert_msg(f != NULL, "%s", path.data);
	while ((len = getline(&text, &cap, f)) > 0) {
		line++;
		text[len - 1] = '\0';
		if (text[0] != '\0' && text[0] != '#') {
			read_line(&c, text, line);
		} else if (text[0] == '\0' && c.any) {
			end_case(&c);
			n++;
		}
	}
	if (c.any) {
		end_case(&c);
		n++;
	}
	ck_assert_uint_ge(n, CASES_LEAST);
	fclose(f);
	free(text);
	buf_free(&path);
}
END_TEST

/* A field of 1 MiB, in one line and in many. */
START_TEST(test_long)
{
	struct header h = { 0 };
	struct buf line = { 0 };
	size_t len;

	buf_str(&line, "Subject: ");
	while (line.len < 1024 * 1024)
		buf_byte(&line, 'x');
	ck_assert_int_eq(push(&h, line.data, line.len), HEADER_TAKEN);
	ck_assert_int_eq(push(&h, "To: a,", 6), HEADER_TAKEN);
	for (size_t i = 0; i < 100000; i++)
		ck_assert_int_eq(push(&h, " b@example.com,", 15), HEADER_TAKEN);
	ck_assert_int_eq(push(&h, "", 0), HEADER_END);
	ck_assert_uint_eq(h.n, 2);
	ck_assert_uint_eq(h.text.len, line.len + 1 + 7 + 1600000);
	ck_assert_mem_eq(header_body(&h, &h.v[0], &len), line.data + 8, line.len - 8);
	ck_assert_uint_eq(len, line.len - 8);
	header_body(&h, &h.v[1], &len);
	ck_assert_uint_eq(len, 3 + 1600000);
	buf_free(&line);
	header_free(&h);
}
END_TEST

START_TEST(test_many_fields)
{
	struct header h = { 0 };

	for (size_t i = 0; i < 10000; i++)
		ck_assert_int_eq(
		    push(&h, i % 2 ? "Cc: x" : "X: y", i % 2 ? 5 : 4), HEADER_TAKEN);
	ck_assert_uint_eq(h.n, 10000);
	ck_assert_uint_eq(h.count[HEADER_CC], 5000);
	ck_assert_uint_eq(h.count[HEADER_OTHER], 5000);
	ck_assert_ptr_eq(header_find(&h, HEADER_CC), &h.v[1]);
	header_free(&h);
	ck_assert_uint_eq(h.count[HEADER_CC], 0);
	ck_assert_ptr_null(header_find(&h, HEADER_CC));
}
END_TEST

START_TEST(test_resent)
{
	for (int id = HEADER_OTHER; id < HEADER_IDS; id++) {
		struct header h = { 0 };
		struct buf line = { 0 };

		ck_assert(!header_resent(&h));
		buf_printf(
		    &line, "%s: x", id == HEADER_OTHER ? "Resent-Comment" : ids[id]);
		push(&h, line.data, line.len);
		ck_assert_int_eq((int)h.v[0].id, id);
		ck_assert_int_eq(header_resent(&h), strncmp(ids[id], "resent-", 7) == 0);
		buf_free(&line);
		header_free(&h);
	}
}
END_TEST

/* The line may be NULL when it is empty, and each byte may stand alone. */
START_TEST(test_bytes)
{
	struct header h = { 0 };

	ck_assert_int_eq(header_push(&h, NULL, 0), HEADER_END);
	for (int byte = 0; byte < 256; byte++) {
		char c = (char)byte;
		enum header_line expected = HEADER_BODY;

		if (c == '\0' || c == '\r')
			expected = HEADER_END;
		ck_assert_int_eq(push(&h, &c, 1), expected);
		ck_assert_uint_eq(h.text.len, 0);
		ck_assert_uint_eq(h.n, 0);
	}
	header_free(&h);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("header");
	TCase *tc = tcase_create("header");

	tcase_set_timeout(tc, 120); /* valgrind */
	tcase_add_test(tc, test_cases);
	tcase_add_test(tc, test_long);
	tcase_add_test(tc, test_many_fields);
	tcase_add_test(tc, test_resent);
	tcase_add_test(tc, test_bytes);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
