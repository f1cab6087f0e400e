/* sendmail/options: tests/data/options.txt, and the table against man/sendmail.8. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sendmail/options.h"
#include "util/buf.h"
#include "util/text.h"

#include "suite.h"

#define WORDS_MAX 32

static FILE *
open_data(const char *name)
{
	const char *dir = getenv("srcdir");
	struct buf path = { 0 };
	FILE *f;

	buf_printf(&path, "%s/%s", dir != NULL ? dir : ".", name);
	f = fopen(path.data, "r");
	ck_assert_msg(f != NULL, "%s cannot be opened", path.data);
	buf_free(&path);
	return f;
}

/* One byte of a word outside '...': itself, \c or \xHH. */
static const char *
unescape(const char *s, struct buf *word)
{
	char hex[3] = { 0 };

	if (s[0] == '\\' && s[1] == 'x') {
		ck_assert(s[2] != '\0' && s[3] != '\0');
		memcpy(hex, s + 2, 2);
		buf_byte(word, (char)strtoul(hex, NULL, 16));
		return s + 4;
	}
	if (s[0] == '\\' && s[1] != '\0')
		s++;
	buf_byte(word, *s);
	return s + 1;
}

/* The words of a line, each of which the caller frees. */
static int
split(const char *s, char **argv)
{
	int argc = 0;

	for (s += strspn(s, " "); *s != '\0'; s += strspn(s, " ")) {
		struct buf word = { 0 };
		bool quoted = false;

		while (*s != '\0' && (quoted || *s != ' ')) {
			if (*s == '\'') {
				quoted = !quoted;
				s++;
			} else if (quoted) {
				buf_byte(&word, *s++);
			} else {
				s = unescape(s, &word);
			}
		}
		ck_assert(!quoted && argc < WORDS_MAX - 1);
		argv[argc++] = buf_detach(&word);
	}
	argv[argc] = NULL;
	return argc;
}

static void
free_words(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		free(argv[i]);
}

static void
put_word(struct buf *b, const char *word)
{
	buf_byte(b, '[');
	for (; *word != '\0'; word++) {
		if ((unsigned char)*word < ' ' || *word == 0x7f)
			buf_printf(b, "\\x%02x", (unsigned)*word);
		else
			buf_byte(b, *word);
	}
	buf_byte(b, ']');
}

static void
put_string(struct buf *b, const char *field, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(b, " %s=", field);
	put_word(b, value);
}

static void
put_flag(struct buf *b, const char *field, bool value)
{
	if (value)
		buf_printf(b, " %s", field);
}

/* The fields that are not those of a bare "sendmail", each behind a blank. */
static void
put_options(struct buf *b, const struct options *o)
{
	static const char *const modes[] = { "message", "smtp", "queue", "queue-count",
		"queue-run", "verify", "aliases", "check", "version", "help", "probe",
		"nothing" };
	static const char *const deliveries[] = { "default", "direct", "queue" };
	static const char *const actions[] = { "list", "show", "remove", "retry" };

	if (strcmp(o->program, "sendmail") != 0)
		put_string(b, "program", o->program);
	if (o->mode != MODE_MESSAGE)
		buf_printf(b, " mode=%s", modes[o->mode]);
	put_flag(b, "from_header", o->from_header);
	if (o->dots_given)
		buf_str(b, o->ignore_dots ? " ignore_dots" : " ignore_dots=false");
	else
		ck_assert(!o->ignore_dots);
	put_flag(b, "quiet", o->quiet);
	put_flag(b, "no_aliases", o->no_aliases);
	put_flag(b, "gateway", o->gateway);
	put_flag(b, "verbose", o->verbose);
	put_flag(b, "dry_run", o->dry_run);
	put_flag(b, "json", o->json);
	if (o->delivery != DELIVERY_DEFAULT)
		buf_printf(b, " delivery=%s", deliveries[o->delivery]);
	if (o->action != ACTION_LIST)
		buf_printf(b, " action=%s", actions[o->action]);
	for (size_t i = 0; i < o->nfilters; i++) {
		buf_printf(
		    b, " %c%s", o->filters[i].field, o->filters[i].negated ? "!=" : "=");
		put_word(b, o->filters[i].part);
	}
	put_string(b, "sender", o->sender);
	put_string(b, "name", o->name);
	put_string(b, "conf_path", o->conf_path);
	put_string(b, "tag", o->tag);
	if (o->noperands > 0)
		buf_str(b, " operands=");
	for (size_t i = 0; i < o->noperands; i++)
		put_word(b, o->operands[i]);
}

static void
check_line(const char *line, const char *expected)
{
	char *argv[WORDS_MAX];
	int argc = split(line, argv);
	struct options o;
	struct error err = { 0 };
	struct buf got = { 0 }, fields = { 0 };

	if (options_parse(&o, argc, argv, &err) < 0) {
		buf_printf(&got, "%d %s", err.code, err.text);
		put_options(&fields, &o);
		if (fields.len > 0)
			buf_printf(&got, " +%s", fields.data);
	} else {
		ck_assert_int_eq(err.code, 0);
		put_options(&fields, &o);
		buf_str(&got, fields.len > 0 ? fields.data + 1 : "-");
	}
	ck_assert_msg(strcmp(got.data, expected) == 0, "$ %s\n got      %s\n expected %s",
	    line, got.data, expected);
	buf_free(&got);
	buf_free(&fields);
	free_words(argc, argv);
}

START_TEST(command_lines)
{
	FILE *f = open_data("tests/data/options.txt");
	char line[1024], expected[1024];
	int cases = 0;

	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		ck_assert_msg(line[0] == '$', "not a command line: %s", line);
		ck_assert(fgets(expected, sizeof(expected), f) != NULL);
		expected[strcspn(expected, "\n")] = '\0';
		check_line(line + 1, expected);
		cases++;
	}
	fclose(f);
	ck_assert_int_ge(cases, 200);
}
END_TEST

/* A call without any words, as execve(2) allows: the vector may hold nothing but its end.
 */
START_TEST(no_words)
{
	char *empty[] = { NULL };
	struct options o;
	struct error err;

	ck_assert_int_eq(options_parse(&o, 0, empty, &err), 0);
	ck_assert_str_eq(o.program, "sendmail");
	ck_assert_uint_eq(o.noperands, 0);
	ck_assert_int_eq(options_parse(&o, 0, NULL, &err), 0);
	ck_assert_str_eq(o.program, "sendmail");
}
END_TEST

START_TEST(strings_are_lent)
{
	char *argv[WORDS_MAX];
	int argc = split("sendmail -fa@lab.example -F Name bob@example.com", argv);
	struct options o;
	struct error err;

	ck_assert_int_eq(options_parse(&o, argc, argv, &err), 0);
	ck_assert_ptr_eq(o.sender, argv[1] + 2);
	ck_assert_ptr_eq(o.name, argv[3]);
	ck_assert_ptr_eq(o.operands, argv + 4);
	ck_assert_uint_eq(o.noperands, 1);
	free_words(argc, argv);
}
END_TEST

/* What 100 KB of one word do before which option: nothing is cut, and errors stay short.
 */
START_TEST(long_words)
{
	static const struct {
		const char *head;
		bool good;
	} cases[] = { { "-f", true }, { "-X", true }, { "-O", true }, { "-o", true },
		{ "-d", true }, { "-b", false }, { "-q", false }, { "-N", false },
		{ "-Z", false }, { "--", false }, { "-t", true } };
	char program[] = "sendmail";
	size_t n = 100 * 1024;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf word = { 0 };
		struct options o;
		struct error err;
		int rc;

		buf_str(&word, cases[i].head);
		memset(buf_reserve(&word, n), 't', n);
		word.len += n;
		buf_byte(&word, 't');
		rc = options_parse(&o, 2, (char *[]){ program, word.data, NULL }, &err);
		ck_assert_int_eq(rc, cases[i].good ? 0 : -1);
		if (rc < 0) {
			ck_assert_int_eq(err.code, EX_USAGE);
			ck_assert_int_eq(strncmp(err.text, cases[i].head, 2), 0);
			ck_assert_uint_le(strlen(err.text), TEXT_LOG_MAX + 80);
		}
		if (i == 0)
			ck_assert_uint_eq(strlen(o.sender), n + 1);
		buf_free(&word);
	}
}
END_TEST

START_TEST(long_program_name)
{
	struct buf name = { 0 };
	struct options o;
	struct error err;

	for (int i = 0; i < 10000; i++)
		buf_str(&name, i % 2 == 0 ? "\xc3\xa9" : "\x1b");
	ck_assert_int_eq(options_parse(&o, 1, (char *[]){ name.data, NULL }, &err), 0);
	ck_assert_uint_lt(strlen(o.program), OPTIONS_PROGRAM_MAX);
	ck_assert_ptr_null(strchr(o.program, 0x1b));
	buf_free(&name);
}
END_TEST

START_TEST(help_fits_a_screen)
{
	int lines = 0;

	for (const char *s = options_help(); *s != '\0'; lines++) {
		size_t n = strcspn(s, "\n");

		ck_assert_uint_le(n, 79);
		ck_assert(s[n] == '\n');
		s += n + 1;
	}
	ck_assert_int_ge(lines, 10);
	ck_assert_int_le(lines, 23);
}
END_TEST

START_TEST(rows_are_unique)
{
	const struct option_row *table = options_table();

	for (const struct option_row *a = table; a->name != NULL; a++)
		for (const struct option_row *b = table; b < a; b++)
			ck_assert_msg(
			    strcmp(a->name, b->name) != 0, "twice: %s", a->name);
}
END_TEST

/*
 * Each row on a command line of its own, with a value that suits all: refused or not, and
 * the next word is its argument or an operand.
 */
START_TEST(rows_are_taken)
{
	for (const struct option_row *row = options_table(); row->name != NULL; row++) {
		const char *next = row->effect == OPTION_B ? "m"
		    : row->effect == OPTION_NOTIFY         ? "never"
		    : row->effect == OPTION_RETURN         ? "full"
							   : "q";
		struct buf line = { 0 };
		char *argv[WORDS_MAX];
		struct options o;
		struct error err;
		int argc, rc;

		buf_printf(&line, "%s %s %s",
		    row->effect == OPTION_ACTION ? "mailq" : "sendmail", row->name, next);
		argc = split(line.data, argv);
		rc = options_parse(&o, argc, argv, &err);
		ck_assert_msg(
		    (rc < 0) == (row->effect == OPTION_REFUSED), "%s", line.data);
		if (rc == 0)
			ck_assert_msg(o.noperands == (row->argument != ARGUMENT_REQUIRED),
			    "%s", line.data);
		free_words(argc, argv);
		buf_free(&line);
	}
}
END_TEST

/* --- the manual page */

/* The lists of sendmail.8 in which options stand, by their headings. */
enum list { LIST_NONE, LIST_HONOURED, LIST_IGNORED, LIST_REFUSED };

static enum list
list_of(const char *heading)
{
	if (strcmp(heading, "Modes") == 0 || strcmp(heading, "Options") == 0)
		return LIST_HONOURED;
	if (strcmp(heading, "Ignored options") == 0)
		return LIST_IGNORED;
	if (strcmp(heading, "Refused options") == 0)
		return LIST_REFUSED;
	return LIST_NONE;
}

static enum list
list_of_row(const struct option_row *row)
{
	if (row->effect == OPTION_IGNORED)
		return LIST_IGNORED;
	return row->effect == OPTION_REFUSED ? LIST_REFUSED : LIST_HONOURED;
}

/* Add the options that an ".It Fl t" or ".It Fl O Cm IgnoreDots" names, as "-t\n" and "-O
 * IgnoreDots\n". */
static void
add_items(struct buf *list, char *line)
{
	const char *flag = NULL;
	char *save = NULL;

	for (char *word = strtok_r(line, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save)) {
		if (strcmp(word, "Fl") == 0) {
			flag = strtok_r(NULL, " ", &save);
			ck_assert(flag != NULL);
			buf_printf(list, "\n-%s", flag);
		} else if (strcmp(word, "Cm") == 0) {
			word = strtok_r(NULL, " ", &save);
			ck_assert(flag != NULL && word != NULL);
			buf_printf(list, " %s", word);
		}
	}
}

static void
read_manual(struct buf lists[4])
{
	FILE *f = open_data("man/sendmail.8");
	enum list list = LIST_NONE;
	char line[1024];

	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, ".Sh ", 4) == 0 || strncmp(line, ".Ss ", 4) == 0)
			list = list_of(line + 4);
		else if (strncmp(line, ".It Fl ", 7) == 0)
			add_items(&lists[list], line + 4);
	}
	fclose(f);
	for (int i = 0; i < 4; i++)
		buf_byte(&lists[i], '\n');
}

static bool
holds(const struct buf *list, const char *name)
{
	struct buf line = { 0 };
	bool found;

	buf_printf(&line, "\n%s\n", name);
	found = strstr(list->data, line.data) != NULL;
	buf_free(&line);
	return found;
}

START_TEST(manual_has_every_option)
{
	struct buf lists[4] = { 0 };

	read_manual(lists);
	for (const struct option_row *row = options_table(); row->name != NULL; row++)
		for (int i = 0; i < 4; i++)
			ck_assert_msg(
			    holds(&lists[i], row->name) == (i == (int)list_of_row(row)),
			    "%s and list %d of sendmail.8", row->name, i);
	for (int i = 0; i < 4; i++)
		buf_free(&lists[i]);
}
END_TEST

START_TEST(manual_has_no_other)
{
	struct buf lists[4] = { 0 };
	char *save = NULL;
	size_t in_manual = 0, in_table = 0;

	read_manual(lists);
	for (const struct option_row *row = options_table(); row->name != NULL; row++)
		in_table++;
	for (int i = 0; i < 4; i++) {
		for (char *name = strtok_r(lists[i].data, "\n", &save); name != NULL;
		     name = strtok_r(NULL, "\n", &save)) {
			const struct option_row *row = options_table();

			while (row->name != NULL && strcmp(row->name, name) != 0)
				row++;
			ck_assert_msg(row->name != NULL, "sendmail.8 has %s", name);
			in_manual++;
		}
		buf_free(&lists[i]);
	}
	ck_assert_uint_eq(in_manual, in_table);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("options");
	TCase *tc = tcase_create("options");

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, command_lines);
	tcase_add_test(tc, no_words);
	tcase_add_test(tc, strings_are_lent);
	tcase_add_test(tc, long_words);
	tcase_add_test(tc, long_program_name);
	tcase_add_test(tc, help_fits_a_screen);
	tcase_add_test(tc, rows_are_unique);
	tcase_add_test(tc, rows_are_taken);
	tcase_add_test(tc, manual_has_every_option);
	tcase_add_test(tc, manual_has_no_other);
	return run_suite(suite);
}
