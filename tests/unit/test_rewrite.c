/*
 * Header blocks before and after: tests/data/rewrite.txt, whose first lines say how it is
 * written. Every case goes through message_read() first, as in life.
 */
#include <check.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mail/message.h"
#include "mail/rewrite.h"
#include "util/file.h"
#include "util/xalloc.h"

#include "suite.h"

#define NOW 1795318231 /* Sun, 22 Nov 2026 03:30:31 +0000 */

struct example {
	char *title;
	char *options;
	struct buf in;
	struct buf out;
};

static struct example *examples;
static size_t n_examples, cap_examples;

static struct passwd entry = { .pw_name = (char[]){ "alice" },
	.pw_gecos = (char[]){ "" } };

struct passwd *
getpwuid(uid_t uid)
{
	(void)uid;
	return &entry;
}

/* Append a line of the file: \\ \r \t \0 and \xHH are one byte each. */
static void
unescape(struct buf *b, const char *line)
{
	for (; *line != '\0'; line++) {
		char digits[3] = { 0 };

		if (*line != '\\') {
			buf_byte(b, *line);
			continue;
		}
		switch (*++line) {
		case 'r':
			buf_byte(b, '\r');
			break;
		case 't':
			buf_byte(b, '\t');
			break;
		case '0':
			buf_byte(b, '\0');
			break;
		case '\\':
			buf_byte(b, '\\');
			break;
		case 'x':
			memcpy(digits, line + 1, 2);
			buf_byte(b, (char)strtoul(digits, NULL, 16));
			line += 2;
			break;
		default:
			fprintf(
			    stderr, "rewrite.txt: unknown escape before \"%s\"\n", line);
			exit(EXIT_FAILURE);
		}
	}
	buf_byte(b, '\n');
}

static void
load(void)
{
	struct buf path = { 0 };
	const char *srcdir = getenv("srcdir");
	enum { BETWEEN, IN, OUT } where = BETWEEN;
	struct example *e = NULL;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	FILE *f;

	buf_printf(&path, "%s/tests/data/rewrite.txt", srcdir != NULL ? srcdir : ".");
	f = fopen(path.data, "r");
	if (f == NULL) {
		perror(path.data);
		exit(EXIT_FAILURE);
	}
	while ((n = getline(&line, &size, f)) > 0) {
		line[n - 1] = '\0';
		if (strncmp(line, "== ", 3) == 0) {
			examples =
			    xgrow(examples, n_examples, &cap_examples, sizeof(*examples));
			e = &examples[n_examples++];
			*e = (struct example){ .title = xstrdup(line + 3),
				.options = xstrdup("") };
			where = BETWEEN;
		} else if (e != NULL && strcmp(line, "-- in") == 0) {
			where = IN;
		} else if (e != NULL && strcmp(line, "-- out") == 0) {
			where = OUT;
		} else if (where == IN) {
			unescape(&e->in, line);
		} else if (where == OUT) {
			if (strcmp(line, "RECEIVED") == 0)
				buf_str(&e->out,
				    "Received: by HOST (qmtp-sendmail, from userid UID)\n"
				    "\tid TOKEN; DATE\n");
			else
				unescape(&e->out, line);
		} else if (e != NULL && line[0] != '\0') {
			free(e->options);
			e->options = xstrdup(line);
		}
	}
	free(line);
	fclose(f);
	buf_free(&path);
}

/* The value of an option, "name=value" up to a semicolon, or NULL. */
static char *
option(const struct example *e, const char *name)
{
	const char *p = e->options;
	size_t len = strlen(name);

	for (; *p != '\0'; p += strcspn(p, ";"), p += strspn(p, "; ")) {
		struct buf value = { 0 };
		char *raw;

		if (strncmp(p, name, len) != 0 || p[len] != '=')
			continue;
		raw = xstrndup(p + len + 1, strcspn(p + len + 1, ";"));
		unescape(&value, raw);
		free(raw);
		value.data[--value.len] = '\0';
		return buf_detach(&value);
	}
	return NULL;
}

/* What came out, with the placeholders of the file for what is different each time. */
static char *
replaced(const struct buf *out, const struct identity *id)
{
	char uid[40];
	const char *const words[][2] = {
		{ id->token, "TOKEN" },
		{ "Sun, 22 Nov 2026 03:30:31 +0000", "DATE" },
		{ "host.example.net", "HOST" },
		{ uid, "userid UID)" },
	};
	struct buf b = { 0 };

	snprintf(uid, sizeof(uid), "userid %lu)", (unsigned long)getuid());
	for (const char *p = out->data; *p != '\0';) {
		size_t i = 0;

		while (i < 4 && strncmp(p, words[i][0], strlen(words[i][0])) != 0)
			i++;
		if (i < 4) {
			buf_str(&b, words[i][1]);
			p += strlen(words[i][0]);
		} else {
			buf_byte(&b, *p++);
		}
	}
	return buf_detach(&b);
}

static struct message
read_example(const struct example *e)
{
	struct message_source source = { .max_header = 1 << 20, .max_size = 1 << 20 };
	struct message m;
	struct error err = { .text = "?" };

	source.fd = file_temporary(NULL, &err);
	ck_assert_int_eq(file_write(source.fd, e->in.data, e->in.len), 0);
	ck_assert_int_eq(lseek(source.fd, 0, SEEK_SET), 0);
	if (message_read(&m, &source, &err) < 0)
		ck_abort_msg("%s", err.text);
	close(source.fd);
	return m;
}

START_TEST(rewritten)
{
	const struct example *e = &examples[_i];
	char *sender = option(e, "sender"), *from = option(e, "from");
	char *name = option(e, "name"), *gateway = option(e, "gateway");
	struct identity id;
	struct rewrite how = { .identity = &id, .now = NOW };
	struct message m = read_example(e);
	struct error err;
	char *got;

	ck_assert_int_eq(
	    identity_init(&id, "host.example.net", "example.org", name, &err), 0);
	how.sender = sender != NULL ? sender : "alice@example.org";
	how.gateway = gateway != NULL;
	if (from != NULL)
		how.from = strcmp(from, "always") == 0 ? REWRITE_FROM_ALWAYS
						       : REWRITE_FROM_MISSING;
	rewrite_finish(&m.header, &how, &m.head);
	ck_assert_uint_eq(strlen(m.head.data), m.head.len);
	got = replaced(&m.head, &id);
	if (strcmp(got, e->out.data) != 0)
		ck_abort_msg("%s:\n%s, but should be\n%s", e->title, got, e->out.data);
	free(got);
	free(sender);
	free(from);
	free(name);
	free(gateway);
	message_free(&m);
	identity_free(&id);
}
END_TEST

static const struct {
	const char *zone;
	time_t now;
	const char *want;
} dates[] = {
	{ "UTC0", NOW, "Sun, 22 Nov 2026 03:30:31 +0000" },
	{ "UTC0", 0, "Thu, 01 Jan 1970 00:00:00 +0000" },
	{ "UTC0", 951782400, "Tue, 29 Feb 2000 00:00:00 +0000" },
	{ "UTC0", 4102444799, "Thu, 31 Dec 2099 23:59:59 +0000" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", NOW, "Sun, 22 Nov 2026 04:30:31 +0100" },
	{ "CET-1CEST,M3.5.0,M10.5.0/3", 1783000000, "Thu, 02 Jul 2026 15:46:40 +0200" },
	{ "NST3:30", NOW, "Sun, 22 Nov 2026 00:00:31 -0330" },
	{ "XXX0:30", NOW, "Sun, 22 Nov 2026 03:00:31 -0030" },
	{ "IST-5:30", NOW, "Sun, 22 Nov 2026 09:00:31 +0530" },
	{ "PST8", NOW, "Sat, 21 Nov 2026 19:30:31 -0800" },
	{ "LINT-14", NOW, "Sun, 22 Nov 2026 17:30:31 +1400" },
};

START_TEST(date)
{
	struct buf b = { 0 };

	setenv("TZ", dates[_i].zone, 1);
	tzset();
	rewrite_date(&b, dates[_i].now);
	ck_assert_str_eq(b.data, dates[_i].want);
	buf_free(&b);
}
END_TEST

/* A time that has no date must not take the program down. */
START_TEST(no_date)
{
	struct buf b = { 0 };

	rewrite_date(&b, (time_t)INT64_MAX);
	ck_assert_str_eq(b.data, "Thu, 01 Jan 1970 00:00:00 +0000");
	buf_free(&b);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("rewrite");
	TCase *tc = tcase_create("rewrite");
	int failed;

	setenv("TZ", "UTC0", 1);
	load();
	tcase_add_loop_test(tc, rewritten, 0, (int)n_examples);
	tcase_add_loop_test(tc, date, 0, sizeof(dates) / sizeof(dates[0]));
	tcase_add_test(tc, no_date);
	suite_add_tcase(suite, tc);
	failed = run_suite(suite);
	for (size_t i = 0; i < n_examples; i++) {
		free(examples[i].title);
		free(examples[i].options);
		buf_free(&examples[i].in);
		buf_free(&examples[i].out);
	}
	free(examples);
	return failed != 0 || n_examples < 40;
}
