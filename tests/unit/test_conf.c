#include "conf/conf.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/option.h"
#include "util/file.h"
#include "util/xalloc.h"

#include "suite.h"

#define CASES_MAX 400
#define ONE_SERVER "server \"mail.example.net\" {}\n"

/* A block of tests/data/conf/NAME.cases: "=== NAME", the file, "--- loads" or "--- fails", and
   the lines of dump() that must be there, or the error with FILE for the path. */
struct sample {
	char *name;
	char *file;
	char *expected;
	bool loads;
};

static struct sample samples[CASES_MAX];
static int nsamples;

static char dir[] = "/tmp/test_conf.XXXXXX";
static char path[sizeof(dir) + 16];
static struct error err;

static char *
source_path(const char *name)
{
	const char *srcdir = getenv("srcdir");
	struct buf b = { 0 };

	buf_printf(&b, "%s/%s", srcdir != NULL ? srcdir : ".", name);
	return buf_detach(&b);
}

static char *
slurp(const char *name)
{
	struct buf b = { 0 };
	int fd = open(name, O_RDONLY);

	if (fd < 0 || file_read(fd, &b, 1 << 20) < 0) {
		perror(name);
		exit(99);
	}
	close(fd);
	return buf_detach(&b);
}

static void
put(const char *to, const void *data, size_t n, mode_t mode)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(file_write(fd, data, n), 0);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static int
load_text(struct conf *c, const char *text)
{
	put(path, text, strlen(text), 0644);
	return conf_load(c, path, &err);
}

/* text must fail with FILE:expected */
static void
ck_fails(const char *text, const char *expected)
{
	struct conf c;

	ck_assert_int_eq(load_text(&c, text), -1);
	ck_assert_int_eq(err.code, EX_CONFIG);
	ck_assert_int_eq(strncmp(err.text, path, strlen(path)), 0);
	ck_assert_str_eq(err.text + strlen(path), expected);
}

static void
dump_server(struct buf *b, const char *prefix, const struct server *s)
{
	buf_printf(b, "%s.name=%s\n%s.host=%s\n", prefix, s->name, prefix, s->host);
	buf_printf(
	    b, "%s.port=%d\n%s.priority=%d\n", prefix, s->port, prefix, s->priority);
	buf_printf(b, "%s.tls=%d\n%s.tls-name=%s\n", prefix, s->tls, prefix, s->tls_name);
	buf_printf(b, "%s.tls-ca=%s\n", prefix, s->tls_ca);
	buf_printf(b, "%s.tls-fingerprint=%s\n", prefix, s->tls_fingerprint);
	buf_printf(b, "%s.tls-certificate=%s\n", prefix, s->tls_certificate);
	buf_printf(b, "%s.tls-key=%s\n", prefix, s->tls_key);
	buf_printf(b, "%s.tls-key-readable=%d\n", prefix, s->tls_key_readable);
	buf_printf(b, "%s.connect-timeout=%d\n", prefix, s->connect_timeout);
	buf_printf(b, "%s.send-timeout=%d\n", prefix, s->send_timeout);
	buf_printf(b, "%s.reply-timeout=%d\n", prefix, s->reply_timeout);
	buf_printf(b, "%s.answers-one=%d\n", prefix, s->answers_one);
	buf_printf(
	    b, "%s.recipients-per-package=%d\n", prefix, s->recipients_per_package);
	buf_printf(b, "%s.in-flight=%d\n", prefix, s->in_flight);
	buf_printf(b, "%s.connections=%d\n", prefix, s->connections);
}

static char *
dump_global(const struct conf *c)
{
	struct buf b = { 0 };

	buf_printf(&b, "hostname=%s\n", c->hostname);
	buf_printf(&b, "default-domain=%s\n", c->default_domain);
	buf_printf(&b, "envelope-from=%s\n", c->envelope_from);
	buf_printf(&b, "allow-from-override=%d\n", c->allow_from_override);
	buf_printf(&b, "rewrite-from=%d\n", (int)c->rewrite_from);
	buf_printf(&b, "aliases=%s\n", c->aliases);
	buf_printf(&b, "delivery=%s\n", c->delivery == CONF_QUEUE ? "queue" : "direct");
	buf_printf(&b, "ignore-dots=%d\n", c->ignore_dots);
	buf_printf(
	    &b, "max-message-size=%llu\n", (unsigned long long)c->max_message_size);
	buf_printf(&b, "max-header-size=%zu\n", c->max_header_size);
	buf_printf(&b, "max-recipients=%zu\n", c->max_recipients);
	buf_printf(&b, "connect-delay=%d\n", c->connect_delay);
	buf_printf(&b, "direct-timeout=%d\n", c->direct_timeout);
	buf_printf(&b, "soft-bounce=%d\n", c->soft_bounce);
	buf_printf(&b, "queue-lifetime=%lld\n", (long long)c->queue_lifetime);
	buf_printf(&b, "delay-warning=%lld\n", (long long)c->delay_warning);
	buf_printf(&b, "postmaster=%s\n", c->postmaster);
	buf_printf(&b, "syslog-facility=%d\n", c->syslog_facility >> 3);
	return buf_detach(&b);
}

/* All of it, one line each, and a newline before the first */
static char *
dump(const struct conf *c)
{
	struct buf b = { 0 };
	char *global = dump_global(c);

	buf_printf(&b, "\n%sservers=%zu\n", global, c->nservers);
	for (size_t i = 0; i < c->nservers; i++) {
		char prefix[24];

		snprintf(prefix, sizeof(prefix), "%zu", i);
		dump_server(&b, prefix, &c->servers[i]);
	}
	free(global);
	return buf_detach(&b);
}

static void
ck_lines(const struct sample *s, const char *all)
{
	const char *line = s->expected;

	ck_assert_msg(*line != '\0', "%s: nothing is expected", s->name);
	while (*line != '\0') {
		size_t n = strcspn(line, "\n") + 1;
		struct buf want = { 0 };

		buf_byte(&want, '\n');
		buf_add(&want, line, n);
		ck_assert_msg(strstr(all, want.data) != NULL, "%s: no line%sin%s",
		    s->name, want.data, all);
		buf_free(&want);
		line += n;
	}
}

START_TEST(test_sample)
{
	const struct sample *s = &samples[_i];
	struct conf c;
	int rc = load_text(&c, s->file);
	struct buf got = { 0 };
	char *all;

	if (s->loads) {
		ck_assert_msg(rc == 0, "%s: %s", s->name, err.text);
		ck_assert_str_eq(c.path, path);
		all = dump(&c);
		ck_lines(s, all);
		free(all);
		conf_free(&c);
		return;
	}
	ck_assert_msg(rc == -1, "%s: it loads", s->name);
	ck_assert_int_eq(err.code, EX_CONFIG);
	ck_assert_int_eq(strncmp(err.text, path, strlen(path)), 0);
	buf_printf(&got, "FILE%s\n", err.text + strlen(path));
	ck_assert_msg(strcmp(got.data, s->expected) == 0, "%s: %s", s->name, got.data);
	buf_free(&got);
}
END_TEST

/* The file itself */

START_TEST(test_missing)
{
	struct conf c;
	struct buf want = { 0 };

	buf_printf(
	    &want, "%s/none: %s while opening the configuration", dir, strerror(ENOENT));
	snprintf(path, sizeof(path), "%s/none", dir);
	ck_assert_int_eq(conf_load(&c, path, &err), -1);
	ck_assert_int_eq(err.code, EX_CONFIG);
	ck_assert_str_eq(err.text, want.data);
	buf_free(&want);
}
END_TEST

START_TEST(test_unreadable)
{
	struct conf c;

	if (geteuid() == 0)
		return; /* root reads everything */
	put(path, ONE_SERVER, strlen(ONE_SERVER), 0);
	ck_assert_int_eq(conf_load(&c, path, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, strerror(EACCES)));
}
END_TEST

static void
ck_refused(const char *file, const char *why)
{
	struct conf c;

	ck_assert_int_eq(conf_load(&c, file, &err), -1);
	ck_assert_int_eq(err.code, EX_CONFIG);
	ck_assert_int_eq(strncmp(err.text, file, strlen(file)), 0);
	ck_assert_str_eq(err.text + strlen(file), why);
}

START_TEST(test_no_regular_file)
{
	ck_refused(dir, ": not a regular file");
	ck_refused("/dev/zero", ": not a regular file");
	ck_refused("/dev/null", ": not a regular file");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_refused(path, ": not a regular file");
}
END_TEST

START_TEST(test_symlink)
{
	char target[sizeof(path) + 8];
	struct conf c;

	snprintf(target, sizeof(target), "%s/target", dir);
	put(target, ONE_SERVER, strlen(ONE_SERVER), 0644);
	ck_assert_int_eq(symlink("target", path), 0);
	ck_assert_msg(conf_load(&c, path, &err) == 0, "%s", err.text);
	ck_assert_str_eq(c.path, path);
	conf_free(&c);
}
END_TEST

START_TEST(test_mode)
{
	static const mode_t unsafe[] = { 0666, 0664, 0646, 0620, 0602 };
	static const mode_t safe[] = { 0644, 0640, 0600, 0400, 0755 };
	struct conf c;

	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++) {
		put(path, ONE_SERVER, strlen(ONE_SERVER), unsafe[i]);
		ck_refused(path, ": others than its owner can write to it");
		unlink(path);
	}
	for (size_t i = 0; i < sizeof(safe) / sizeof(safe[0]); i++) {
		put(path, ONE_SERVER, strlen(ONE_SERVER), safe[i]);
		ck_assert_msg(conf_load(&c, path, &err) == 0, "%s", err.text);
		conf_free(&c);
		unlink(path);
	}
}
END_TEST

START_TEST(test_owner)
{
	struct conf c;

	if (geteuid() != 0)
		return; /* only root gives files away */
	put(path, ONE_SERVER, strlen(ONE_SERVER), 0644);
	if (chown(path, 65534, 0) < 0)
		return; /* a user namespace of one user */
	ck_assert_msg(conf_load(&c, path, &err) == 0, "%s", err.text);
	conf_free(&c);
	ck_assert_int_eq(chown(path, 12345, 0), 0);
	ck_refused(path, ": owned neither by root nor by you");
}
END_TEST

/* A file of n bytes: spaces, and a server at the end */
static void
put_padded(size_t n)
{
	struct buf b = { 0 };

	buf_printf(&b, "%*s", (int)n, ONE_SERVER);
	ck_assert_uint_eq(b.len, n);
	put(path, b.data, b.len, 0644);
	buf_free(&b);
}

START_TEST(test_size)
{
	struct conf c;

	put_padded(CONF_FILE_MAX);
	ck_assert_msg(conf_load(&c, path, &err) == 0, "%s", err.text);
	conf_free(&c);
	put_padded(CONF_FILE_MAX + 1);
	ck_refused(path, ": too large");
	put(path, "", 0, 0644);
	ck_refused(path, ": no server is given");
}
END_TEST

START_TEST(test_nul)
{
	put(path, ONE_SERVER "\n\0", strlen(ONE_SERVER) + 2, 0644);
	ck_refused(path, ":3: byte 0x00 has no place outside a string");
	put(path, "hostname = \"a\0b\"\n" ONE_SERVER, 17 + strlen(ONE_SERVER), 0644);
	ck_refused(path, ":1: byte 0x00 has no place in a string");
	put(path, "#\0\n" ONE_SERVER, 3 + strlen(ONE_SERVER), 0644);
	ck_refused(path, ":1: byte 0x00 has no place in a comment");
	put(path, "/*\n\0*/\n" ONE_SERVER, 7 + strlen(ONE_SERVER), 0644);
	ck_refused(path, ":2: byte 0x00 has no place in a comment");
}
END_TEST

/* Big things within the limits */

static char *
repeated(const char *before, char c, size_t n, const char *after)
{
	struct buf b = { 0 };

	buf_str(&b, before);
	memset(buf_reserve(&b, n), c, n);
	b.len += n;
	buf_str(&b, after);
	return buf_detach(&b);
}

START_TEST(test_long_tokens)
{
	struct conf c;
	char *text = repeated("", 'a', 40000, " = 1\n" ONE_SERVER);

	ck_assert_int_eq(load_text(&c, text), -1);
	ck_assert_ptr_nonnull(strstr(err.text, ":1: no such option 'aaaa"));
	ck_assert_uint_lt(strlen(err.text), 600);
	free(text);

	text = repeated("port = \"", '9', 40000, "\"\n" ONE_SERVER);
	ck_fails(text, ":1: no such option 'port'");
	free(text);

	text = repeated("max-recipients = ", '9', 40000, "\n" ONE_SERVER);
	ck_assert_int_eq(load_text(&c, text), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "...' is not between 1 and 10000"));
	free(text);

	text = repeated("//", '/', 60000, "\n" ONE_SERVER);
	ck_assert_msg(load_text(&c, text) == 0, "%s", err.text);
	conf_free(&c);
	free(text);

	text = repeated("", '{', 60000, "");
	ck_assert_int_eq(load_text(&c, text), -1);
	free(text);

	text = repeated("aliases = \"/", 'x', 50000, "\"\n" ONE_SERVER);
	ck_assert_msg(load_text(&c, text) == 0, "%s", err.text);
	ck_assert_uint_eq(strlen(c.aliases), 50001);
	conf_free(&c);
	free(text);
}
END_TEST

static char *
servers(int n)
{
	struct buf b = { 0 };

	for (int i = 1; i <= n; i++)
		buf_printf(&b, "server s%d {}\n", i);
	return buf_detach(&b);
}

START_TEST(test_many_servers)
{
	struct conf c;
	char *text = servers(CONF_SERVERS_MAX);

	ck_assert_msg(load_text(&c, text) == 0, "%s", err.text);
	ck_assert_uint_eq(c.nservers, CONF_SERVERS_MAX);
	for (size_t i = 0; i < c.nservers; i++) {
		char name[24];

		snprintf(name, sizeof(name), "s%zu", i + 1);
		ck_assert_str_eq(c.servers[i].name, name);
	}
	conf_free(&c);
	free(text);
	text = servers(3000);
	ck_fails(text, ":65: more than 64 servers");
	free(text);
}
END_TEST

static int
load_socket(struct conf *c, size_t length)
{
	char *text = repeated("server x { host = \"/", 's', length - 1, "\" }\n");
	int rc = load_text(c, text);

	free(text);
	return rc;
}

START_TEST(test_socket_path)
{
	struct conf c;

	ck_assert_msg(load_socket(&c, 107) == 0, "%s", err.text);
	ck_assert_uint_eq(strlen(c.servers[0].host), 107);
	conf_free(&c);
	ck_assert_int_eq(load_socket(&c, 108), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "is too long for a unix socket"));
}
END_TEST

static int
load_name(struct conf *c, size_t length)
{
	char *text = repeated("server ", 'n', length, " { host = mail.example.net }\n");
	int rc = load_text(c, text);

	free(text);
	return rc;
}

START_TEST(test_name_length)
{
	struct conf c;

	ck_assert_msg(load_name(&c, 255) == 0, "%s", err.text);
	conf_free(&c);
	ck_assert_int_eq(load_name(&c, 256), -1);
	ck_assert_ptr_nonnull(
	    strstr(err.text, "its name is not 1 to 255 printable characters"));
}
END_TEST

/* Keys */

static int
load_key(struct conf *c, const char *key)
{
	struct buf b = { 0 };
	int rc;

	buf_printf(&b,
	    "server a {\ntls = true\ntls-certificate = /c.pem\ntls-key = '%s'\n}\n", key);
	rc = load_text(c, b.data);
	buf_free(&b);
	return rc;
}

START_TEST(test_key)
{
	struct buf remarks = { 0 };
	char key[sizeof(path) + 8];
	struct conf c;

	snprintf(key, sizeof(key), "%s/key.pem", dir);
	put(key, "key\n", 4, 0640);
	ck_assert_msg(load_key(&c, key) == 0, "%s", err.text);
	ck_assert(c.servers[0].tls_key_readable);
	conf_remarks(&c, &remarks);
	ck_assert_uint_eq(remarks.len, 0);
	conf_free(&c);

	ck_assert_int_eq(chmod(key, 0644), 0);
	ck_assert_int_eq(load_key(&c, key), -1);
	ck_assert_int_eq(err.code, EX_CONFIG);
	ck_assert_str_eq(
	    err.text + strlen(path), ":5: server 'a': tls-key: everybody can read it");

	if (geteuid() != 0) {
		ck_assert_int_eq(chmod(key, 0), 0);
		ck_assert_msg(load_key(&c, key) == 0, "%s", err.text);
		ck_assert(!c.servers[0].tls_key_readable);
		conf_free(&c);
	}
}
END_TEST

START_TEST(test_key_missing)
{
	struct buf remarks = { 0 };
	struct conf c;

	ck_assert_msg(load_key(&c, "/nonexistent/key.pem") == 0, "%s", err.text);
	ck_assert(!c.servers[0].tls_key_readable);
	conf_remarks(&c, &remarks);
	ck_assert_str_eq(remarks.data,
	    "server 'a': tls-key /nonexistent/key.pem cannot be read by this user: "
	    "No such file or directory: left to qmtp-flush\n");
	buf_free(&remarks);
	conf_free(&c);
}
END_TEST

/* The environment is nobody's business, and each error leaves the next load as it was. */
START_TEST(test_environment)
{
	struct conf c;

	setenv("HOSTNAME", "mail.example.org", 1);
	ck_fails("hostname = \"${HOSTNAME}\"\n", ":1: '$' has no place in a string");
	ck_fails("hostname = ${HOSTNAME}\n", ":1: '$' has no place outside a string");
	ck_fails("server \"x\n", ":1: a string without its end");
	ck_assert_msg(load_text(&c, "# ${HOSTNAME}\n" ONE_SERVER) == 0, "%s", err.text);
	ck_assert_str_eq(c.hostname, "");
	conf_free(&c);
}
END_TEST

START_TEST(test_hostile_path)
{
	struct conf c;

	ck_assert_int_eq(conf_load(&c, "/nonexistent/\033[2J\n", &err), -1);
	ck_assert_ptr_null(strpbrk(err.text, "\033\n"));
}
END_TEST

/* The installed example, the manual page and the table */

/* The example with its options taken out of the comments */
static char *
uncommented(void)
{
	char *name = source_path("conf/qmtp-sendmail.conf");
	char *text = slurp(name);
	struct buf b = { 0 };

	for (const char *line = text; *line != '\0';) {
		size_t n = strcspn(line, "\n") + 1;

		if (line[0] == '#' && line[1] != ' ')
			buf_add(&b, line + 1, n - 1);
		else
			buf_add(&b, line, n);
		line += n;
	}
	free(text);
	free(name);
	return buf_detach(&b);
}

START_TEST(test_example_as_it_is)
{
	char *name = source_path("conf/qmtp-sendmail.conf");
	char *text = slurp(name);

	ck_fails(text, ": no server is given");
	free(text);
	free(name);
}
END_TEST

START_TEST(test_example_is_the_defaults)
{
	char *text = uncommented();
	struct conf c;
	struct conf bare;
	struct buf third = { 0 };
	struct buf first = { 0 };
	char *got;
	char *want;

	ck_assert_msg(load_text(&c, text) == 0, "%s", err.text);
	ck_assert_msg(
	    load_text(&bare, "server \"mail3.example.net\" {}\n") == 0, "%s", err.text);
	got = dump_global(&c);
	want = dump_global(&bare);
	ck_assert_str_eq(got, want);
	ck_assert_uint_eq(c.nservers, 3);
	dump_server(&third, "", &c.servers[2]);
	dump_server(&first, "", &bare.servers[0]);
	ck_assert_str_eq(third.data, first.data);
	buf_free(&third);
	buf_free(&first);
	free(got);
	free(want);
	free(text);
	conf_free(&c);
	conf_free(&bare);
}
END_TEST

/* How often "\nNAME REST" stands in text */
static int
count_lines(const char *text, const char *before, const char *name, const char *after)
{
	struct buf line = { 0 };
	int n = 0;

	buf_printf(&line, "\n%s%s%s", before, name, after);
	for (const char *p = strstr(text, line.data); p != NULL;
	     p = strstr(p + 1, line.data))
		n++;
	buf_free(&line);
	return n;
}

/* What follows the option's heading in the page, up to the next heading */
static char *
described(const char *page, const char *name)
{
	struct buf heading = { 0 };
	const char *p;
	const char *end;
	char *text;

	buf_printf(&heading, "\n.It Ic %s\n", name);
	p = strstr(page, heading.data);
	buf_free(&heading);
	ck_assert_msg(p != NULL, "%s: not in the manual page", name);
	end = strstr(p + 1, "\n.It ");
	text = xstrndup(p, end != NULL ? (size_t)(end - p) : strlen(p));
	return text;
}

/* The page says the default as the parser has it, and the range. */
static void
ck_described(const struct option *o, const char *text)
{
	static const char *const marks[] = { "", "Cm ", "Pa " };
	const char *def = o->def == NULL ? "209, with Ic tls No 6209" : o->def;
	struct buf wanted = { 0 };
	bool found = false;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		buf_clear(&wanted);
		buf_printf(
		    &wanted, " default %s%s\n", marks[i], *def == '\0' ? "Dq" : def);
		found = found || strstr(text, wanted.data) != NULL;
	}
	ck_assert_msg(found, "%s: default", o->name);
	buf_clear(&wanted);
	if (o->max == (int64_t)365 * 24 * 60 * 60)
		buf_str(&wanted, ", 60s to 365d");
	else if (o->max > 0)
		buf_printf(
		    &wanted, ", %lld to %lld;", (long long)o->min, (long long)o->max);
	if (wanted.len > 0)
		ck_assert_msg(strstr(text, wanted.data) != NULL, "%s: range", o->name);
	buf_free(&wanted);
}

static void
ck_table(
    const struct option *table, const char *indent, const char *example, const char *page)
{
	for (const struct option *o = table; o->name != NULL; o++) {
		char *text;

		ck_assert_msg(count_lines(example, indent, o->name, " = ") == 1,
		    "%s: once in the example", o->name);
		ck_assert_msg(count_lines(page, ".It Ic ", o->name, "\n") == 1,
		    "%s: once in the manual page", o->name);
		text = described(page, o->name);
		ck_described(o, text);
		free(text);
	}
}

START_TEST(test_page_and_example)
{
	char *name = source_path("man/qmtp-sendmail.conf.5");
	char *page = slurp(name);
	char *example = uncommented();
	int options = 0;
	int headings = 0;

	ck_table(option_global, "", example, page);
	ck_table(option_server, "\t", example, page);
	for (const struct option *o = option_global; o->name != NULL; o++)
		options++;
	for (const struct option *o = option_server; o->name != NULL; o++)
		options++;
	for (const char *p = strstr(page, "\n.It Ic "); p != NULL;
	     p = strstr(p + 1, "\n.It Ic "))
		headings++;
	ck_assert_int_eq(headings, options);
	free(example);
	free(page);
	free(name);
}
END_TEST

/* Every bit of struct reader's "seen" is one option. */
START_TEST(test_tables_fit)
{
	int n = 0;

	while (option_global[n].name != NULL)
		n++;
	ck_assert_int_eq(n, 18);
	ck_assert_ptr_eq(
	    option_find(option_global, "postmaster")->name, option_global[16].name);
	ck_assert_ptr_null(option_find(option_global, "port"));
	ck_assert_ptr_null(option_find(option_server, ""));
}
END_TEST

/* The cases */

static char *
block(char **p, const char *end)
{
	char *from = *p;
	char *to = strstr(from, end);

	if (to == NULL)
		return NULL;
	*p = to + strlen(end);
	return xstrndup(from, (size_t)(to - from) + 1);
}

static void
read_cases(const char *name)
{
	char *text = slurp(name);
	char *p = text;

	while (strncmp(p, "=== ", 4) == 0) {
		struct sample *s = &samples[nsamples++];
		char *fails;
		char *loads;
		char *next;

		if (nsamples == CASES_MAX)
			exit(99);
		s->name = xstrndup(p + 4, strcspn(p + 4, "\n"));
		p += strcspn(p, "\n");
		fails = strstr(p, "\n--- fails\n");
		loads = strstr(p, "\n--- loads\n");
		next = strstr(p, "\n=== ");
		s->loads = loads != NULL && (fails == NULL || loads < fails);
		s->file = block(&p, s->loads ? "\n--- loads\n" : "\n--- fails\n");
		if (s->file == NULL || (next != NULL && next < p)) {
			fprintf(stderr, "%s: case %s\n", name, s->name);
			exit(99);
		}
		memmove(s->file, s->file + 1, strlen(s->file));
		next = strstr(p, "\n=== ");
		s->expected =
		    next != NULL ? xstrndup(p, (size_t)(next + 1 - p)) : xstrdup(p);
		p += strlen(s->expected);
	}
	if (*p != '\0')
		exit(99);
	free(text);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
read_all_cases(void)
{
	char *folder = source_path("tests/data/conf");
	char *names[16];
	size_t n = 0;
	DIR *d = opendir(folder);

	for (struct dirent *e; d != NULL && n < 16 && (e = readdir(d)) != NULL;) {
		const char *dot = strrchr(e->d_name, '.');
		struct buf name = { 0 };

		if (dot == NULL || strcmp(dot, ".cases") != 0)
			continue;
		buf_printf(&name, "%s/%s", folder, e->d_name);
		names[n++] = buf_detach(&name);
	}
	if (d != NULL)
		closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		read_cases(names[i]);
		free(names[i]);
	}
	free(folder);
}

static void
free_cases(void)
{
	for (int i = 0; i < nsamples; i++) {
		free(samples[i].name);
		free(samples[i].file);
		free(samples[i].expected);
	}
}

static void
begin(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_conf.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/conf", dir);
}

static void
end(void)
{
	static const char *const files[] = { "conf", "target", "key.pem" };
	char name[sizeof(path) + 16];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", dir, files[i]);
		unlink(name);
	}
	rmdir(dir);
}

static Suite *
suite(void)
{
	Suite *s = suite_create("conf");
	TCase *t = tcase_create("conf");

	tcase_add_checked_fixture(t, begin, end);
	tcase_add_loop_test(t, test_sample, 0, nsamples);
	tcase_add_test(t, test_missing);
	tcase_add_test(t, test_unreadable);
	tcase_add_test(t, test_no_regular_file);
	tcase_add_test(t, test_symlink);
	tcase_add_test(t, test_mode);
	tcase_add_test(t, test_owner);
	tcase_add_test(t, test_size);
	tcase_add_test(t, test_nul);
	tcase_add_test(t, test_long_tokens);
	tcase_add_test(t, test_many_servers);
	tcase_add_test(t, test_socket_path);
	tcase_add_test(t, test_name_length);
	tcase_add_test(t, test_key);
	tcase_add_test(t, test_key_missing);
	tcase_add_test(t, test_environment);
	tcase_add_test(t, test_hostile_path);
	tcase_add_test(t, test_example_as_it_is);
	tcase_add_test(t, test_example_is_the_defaults);
	tcase_add_test(t, test_page_and_example);
	tcase_add_test(t, test_tables_fit);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	int failed;

	read_all_cases();
	if (nsamples < 90)
		return 99; /* the data is not there */
	failed = run_suite(suite());
	free_cases();
	return failed;
}
