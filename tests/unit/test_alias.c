/*
 * mail/alias. Most cases are files: tests/data/alias/NAME.aliases, and in NAME.expected
 * what must come of it: the problems, how many names, and "RECIPIENT -> what is sent" for
 * those asked for.
 */
#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/alias.h"
#include "util/buf.h"
#include "util/clock.h"

#include "suite.h"

static const char *const files[] = { "blank", "bom", "comments", "continuation", "crlf",
	"debian", "default", "defaultroot", "empty", "errors", "fedora", "freebsd",
	"latin1", "loops", "nul", "quoting", "special", "utf8" };

static void
note_problem(void *arg, const char *text)
{
	buf_str(arg, text);
	buf_byte(arg, '\n');
}

static int
note_address(void *arg, const char *addr, struct error *err)
{
	(void)err;
	buf_byte(arg, ' ');
	buf_str(arg, addr);
	return 0;
}

static void
slurp(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	ck_assert_msg(fd >= 0, "%s is missing", path);
	while ((n = read(fd, buf_reserve(b, 4096), 4096)) > 0)
		b->len += (size_t)n;
	ck_assert_int_eq(n, 0);
	buf_byte(b, '\0');
	b->len--;
	close(fd);
}

static int home = -1; /* where the test was started */

static void
go_home(void)
{
	ck_assert_int_eq(fchdir(home), 0);
	close(home);
}

static void
into_data(void)
{
	const char *srcdir = getenv("srcdir");
	struct buf path = { 0 };

	home = open(".", O_RDONLY | O_DIRECTORY);
	buf_printf(&path, "%s/tests/data/alias", srcdir != NULL ? srcdir : ".");
	ck_assert_msg(chdir(path.data) == 0, "no %s", path.data);
	buf_free(&path);
}

START_TEST(case_file)
{
	struct alias_table *t;
	struct buf expected = { 0 };
	struct buf actual = { 0 };
	struct buf path = { 0 };
	struct error err;

	buf_printf(&path, "%s.expected", files[_i]);
	slurp(path.data, &expected);
	buf_clear(&path);
	buf_printf(&path, "%s.aliases", files[_i]);
	ck_assert_int_eq(alias_read(&t, path.data, note_problem, &actual, &err), 0);
	alias_hostname(t, "host.example.org");
	buf_printf(&actual, "%zu names\n", alias_count(t));
	for (char *line = expected.data; *line != '\0'; line = strchr(line, '\n') + 1) {
		char *lf = strchr(line, '\n');
		char *arrow;

		*lf = '\0';
		arrow = strstr(line, " -> ");
		if (arrow != NULL) {
			*arrow = '\0';
			buf_printf(&actual, "%s ->", line);
			ck_assert_int_eq(
			    alias_expand(t, line, note_address, &actual, &err), 0);
			buf_byte(&actual, '\n');
			*arrow = ' ';
		}
		*lf = '\n';
	}
	ck_assert_str_eq(actual.data, expected.data);
	alias_free(t);
	buf_free(&path);
	buf_free(&actual);
	buf_free(&expected);
}
END_TEST

/* ---- files that are made here, in a directory of their own ---- */

static char dir[32];

static void
make_dir(void)
{
	home = open(".", O_RDONLY | O_DIRECTORY);
	snprintf(dir, sizeof(dir), "tmp-alias-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static void
remove_dir(void)
{
	unlink("aliases");
	rmdir("aliases");
	go_home();
	ck_assert_int_eq(rmdir(dir), 0);
}

static void
write_file(const struct buf *b)
{
	int fd = open("aliases", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, b->data, b->len), (ssize_t)b->len);
	close(fd);
}

static struct alias_table *
read_table(struct buf *b, struct buf *problems)
{
	struct alias_table *t = NULL;
	struct error err;

	write_file(b);
	ck_assert_int_eq(alias_read(&t, "aliases", problems != NULL ? note_problem : NULL,
			     problems, &err),
	    0);
	buf_free(b);
	return t;
}

START_TEST(missing_is_empty)
{
	struct alias_table *t;
	struct buf out = { 0 };
	struct error err;

	ck_assert_int_eq(alias_read(&t, "aliases", NULL, NULL, &err), 0);
	ck_assert_uint_eq(alias_count(t), 0);
	ck_assert_int_eq(alias_expand(t, "root", note_address, &out, &err), 0);
	ck_assert_str_eq(out.data, " root");
	alias_free(t);
	alias_free(NULL);
	buf_free(&out);
}
END_TEST

static void
assert_refused(const char *text)
{
	struct alias_table *t = NULL;
	struct error err;

	ck_assert_int_eq(alias_read(&t, "aliases", NULL, NULL, &err), -1);
	ck_assert_int_eq(err.code, EX_OSFILE);
	ck_assert_str_eq(err.text, text);
	ck_assert_ptr_null(t);
}

START_TEST(directory)
{
	ck_assert_int_eq(mkdir("aliases", 0700), 0);
	assert_refused("aliases: not a regular file");
}
END_TEST

START_TEST(fifo)
{
	ck_assert_int_eq(mkfifo("aliases", 0600), 0);
	assert_refused("aliases: not a regular file");
}
END_TEST

START_TEST(symlink_loop)
{
	ck_assert_int_eq(symlink("aliases", "aliases"), 0);
	assert_refused(
	    "aliases: Too many levels of symbolic links while opening the aliases");
}
END_TEST

START_TEST(no_permission)
{
	struct buf b = { 0 };

	if (geteuid() == 0)
		return; /* root may read everything */
	buf_str(&b, "root: alice\n");
	write_file(&b);
	buf_free(&b);
	ck_assert_int_eq(chmod("aliases", 0), 0);
	assert_refused("aliases: Permission denied while opening the aliases");
}
END_TEST

START_TEST(largest_file)
{
	struct alias_table *t = NULL;
	struct buf b = { 0 };
	struct error err;

	buf_str(&b, "root: alice\n");
	write_file(&b);
	buf_free(&b);
	ck_assert_int_eq(truncate("aliases", ALIAS_FILE_MAX), 0);
	ck_assert_int_eq(alias_read(&t, "aliases", NULL, NULL, &err), 0);
	ck_assert_uint_eq(alias_count(t), 1);
	alias_free(t);
	ck_assert_int_eq(truncate("aliases", ALIAS_FILE_MAX + 1), 0);
	assert_refused("aliases: more than 16777216 bytes");
}
END_TEST

/* A list of exactly ALIAS_LINE_MAX bytes, and one byte more; the next entry is whole. */
START_TEST(longest_line)
{
	for (size_t more = 0; more < 2; more++) {
		struct buf b = { 0 };
		struct buf out = { 0 };
		struct buf problems = { 0 };
		struct alias_table *t;
		struct error err;

		buf_str(&b, "list: a");
		while (b.len < ALIAS_LINE_MAX + more)
			buf_byte(&b, ',');
		buf_str(&b, "\n\t# more\nlast: z\n");
		t = read_table(&b, &problems);
		ck_assert_str_eq(problems.len > 0 ? problems.data : "",
		    more == 0 ? "" : "aliases:1: longer than 1048576 bytes, skipped\n");
		alias_expand(t, "list", note_address, &out, &err);
		alias_expand(t, "last", note_address, &out, &err);
		ck_assert_str_eq(out.data, more == 0 ? " a z" : " list z");
		alias_free(t);
		buf_free(&out);
		buf_free(&problems);
	}
}
END_TEST

/* a1 to a50 are 50 aliases deep; a0 is one too many. */
START_TEST(depth)
{
	struct buf b = { 0 };
	struct buf out = { 0 };
	struct alias_table *t;
	struct error err;

	for (int i = 0; i < ALIAS_DEPTH; i++)
		buf_printf(&b, "a%d: a%d\n", i, i + 1);
	buf_str(&b, "a50: end@example.org\n");
	t = read_table(&b, NULL);
	ck_assert_int_eq(alias_expand(t, "a1", note_address, &out, &err), 0);
	ck_assert_str_eq(out.data, " end@example.org");
	buf_clear(&out);
	ck_assert_int_eq(alias_expand(t, "a0", note_address, &out, &err), -1);
	ck_assert_int_eq(err.code, EX_DATAERR);
	ck_assert_str_eq(err.text, "a50: more than 50 aliases deep");
	ck_assert_uint_eq(out.len, 0);
	ck_assert_int_eq(alias_expand(t, "a1", note_address, &out, &err), 0);
	ck_assert_str_eq(out.data, " end@example.org");
	alias_free(t);
	buf_free(&out);
}
END_TEST

/* Many aliases beside each other are not deep. */
START_TEST(width)
{
	struct buf b = { 0 };
	struct buf out = { 0 };
	struct alias_table *t;
	struct error err;

	buf_str(&b, "list: a0");
	for (int i = 1; i < 2 * ALIAS_DEPTH; i++)
		buf_printf(&b, ", a%d", i);
	for (int i = 0; i < 2 * ALIAS_DEPTH; i++)
		buf_printf(&b, "\na%d: x", i);
	t = read_table(&b, NULL);
	ck_assert_int_eq(alias_expand(t, "list", note_address, &out, &err), 0);
	ck_assert_uint_eq(out.len, 2 * 2 * ALIAS_DEPTH);
	alias_free(t);
	buf_free(&out);
}
END_TEST

/* Each name is there twice in the one before: 2^40 without the memory of what was met. */
START_TEST(no_explosion)
{
	struct buf b = { 0 };
	struct buf out = { 0 };
	struct alias_table *t;
	struct error err;

	for (int i = 0; i < 40; i++)
		buf_printf(&b, "a%d: a%d, a%d\n", i, i + 1, i + 1);
	t = read_table(&b, NULL);
	ck_assert_int_eq(alias_expand(t, "a0", note_address, &out, &err), 0);
	ck_assert_str_eq(out.data, " a40 a40");
	alias_free(t);
	buf_free(&out);
}
END_TEST

static int
refuse_third(void *arg, const char *addr, struct error *err)
{
	int *n = arg;

	if (++*n == 3)
		return error_set(err, EX_DATAERR, "no more: %s", addr);
	return 0;
}

START_TEST(add_stops)
{
	struct buf b = { 0 };
	struct alias_table *t;
	struct error err;
	int n = 0;

	buf_str(&b, "list: a, sub, e\nsub: b, c, d\n");
	t = read_table(&b, NULL);
	ck_assert_int_eq(alias_expand(t, "list", refuse_third, &n, &err), -1);
	ck_assert_int_eq(n, 3);
	ck_assert_str_eq(err.text, "no more: c");
	alias_free(t);
}
END_TEST

START_TEST(hostname_is_forgotten)
{
	struct buf b = { 0 };
	struct buf out = { 0 };
	struct alias_table *t;
	struct error err;

	buf_str(&b, "root: alice\n");
	t = read_table(&b, NULL);
	alias_expand(t, "root@host.example.org", note_address, &out, &err);
	alias_hostname(t, "host.example.org");
	alias_hostname(t, "other.example.org");
	alias_expand(t, "root@host.example.org", note_address, &out, &err);
	alias_expand(t, "root@other.example.org", note_address, &out, &err);
	alias_hostname(t, NULL);
	alias_expand(t, "root@other.example.org", note_address, &out, &err);
	ck_assert_str_eq(out.data,
	    " root@host.example.org root@host.example.org alice root@other.example.org");
	alias_free(t);
	buf_free(&out);
}
END_TEST

START_TEST(many_names)
{
	struct buf b = { 0 };
	struct buf out = { 0 };
	struct alias_table *t;
	struct error err;
	int64_t begin;

	for (int i = 0; i < 20000; i++)
		buf_printf(&b, "user%d: user%d@example.org\n", i, i);
	begin = clock_ms();
	t = read_table(&b, NULL);
	for (int i = 0; i < 20000; i += 1000) {
		struct buf name = { 0 };

		buf_printf(&name, "USER%d", i);
		buf_clear(&out);
		ck_assert_int_eq(alias_expand(t, name.data, note_address, &out, &err), 0);
		buf_clear(&name);
		buf_printf(&name, " user%d@example.org", i);
		ck_assert_str_eq(out.data, name.data);
		buf_free(&name);
	}
	ck_assert_uint_eq(alias_count(t), 20000);
	ck_assert_msg(clock_ms() - begin < 20000, "slow: is it still a hash table?");
	alias_free(t);
	buf_free(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("alias");
	TCase *c = tcase_create("files");
	TCase *made = tcase_create("made");

	tcase_add_checked_fixture(c, into_data, go_home);
	tcase_add_loop_test(c, case_file, 0, sizeof(files) / sizeof(files[0]));
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(made, make_dir, remove_dir);
	tcase_set_timeout(made, 60);
	tcase_add_test(made, missing_is_empty);
	tcase_add_test(made, directory);
	tcase_add_test(made, fifo);
	tcase_add_test(made, symlink_loop);
	tcase_add_test(made, no_permission);
	tcase_add_test(made, largest_file);
	tcase_add_test(made, longest_line);
	tcase_add_test(made, depth);
	tcase_add_test(made, width);
	tcase_add_test(made, no_explosion);
	tcase_add_test(made, add_stops);
	tcase_add_test(made, hostname_is_forgotten);
	tcase_add_test(made, many_names);
	suite_add_tcase(s, made);
	return run_suite(s);
}
