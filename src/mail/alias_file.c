#include "mail/alias_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/address.h"
#include "util/text.h"
#include "util/xalloc.h"

/* The file while it is read. */
struct reader {
	struct alias_table *table;
	const char *path;
	alias_problem_fn *problem;
	void *arg;
	const char *at; /* the next line */
	const char *end;
	unsigned line;    /* number of the line before it */
	struct buf entry; /* one entry: its lines as one, without comments */
	unsigned first;   /* number of its first line */
	bool too_long;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* "FILE:LINE: SUBJECT: what"; subject may be empty. */
static void __attribute__((format(printf, 4, 5)))
report(const struct reader *r, const char *subject, size_t len, const char *fmt, ...)
{
	char what[ERROR_TEXT_MAX];
	struct buf text = { 0 };
	va_list ap;

	if (r->problem == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	text_clean(&text, r->path, strlen(r->path), TEXT_LOG_MAX);
	buf_printf(&text, ":%u: ", r->first);
	if (len > 0) {
		text_clean(&text, subject, len, TEXT_LOG_MAX);
		buf_str(&text, ": ");
	}
	buf_str(&text, what);
	r->problem(r->arg, text.data);
	buf_free(&text);
}

/*
 * Append a line to the entry, without a comment at its end and without a backslash that
 * joins it to the next one; *quoted tells whether a quoted string is open, before and
 * after. Returns whether there was such a backslash.
 */
static bool
add_line(struct reader *r, const char *line, size_t len, bool *quoted)
{
	bool joined;
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] == '\\' && i + 1 < len)
			i++;
		else if (line[i] == '"')
			*quoted = !*quoted;
		else if (line[i] == '#' && !*quoted && i > 0 && is_space(line[i - 1]))
			break;
	}
	joined = i == len && line[len - 1] == '\\';
	if (joined)
		i--;
	if (i > ALIAS_LINE_MAX - r->entry.len)
		r->too_long = true;
	else
		buf_add(&r->entry, line, i);
	return joined;
}

/* The next line that is neither empty nor a comment, without its end; false if none. */
static bool
next_line(struct reader *r, const char **line, size_t *len)
{
	while (r->at < r->end) {
		const char *lf = memchr(r->at, '\n', (size_t)(r->end - r->at));
		const char *stop = lf != NULL ? lf : r->end;
		const char *s = r->at;

		*line = s;
		r->at = lf != NULL ? lf + 1 : r->end;
		r->line++;
		while (stop > s && is_space(stop[-1]))
			stop--;
		*len = (size_t)(stop - s);
		while (s < stop && is_space(*s))
			s++;
		if (s < stop && *s != '#')
			return true;
	}
	return false;
}

/* Gather the next entry with all that continues it. False at the end of the file. */
static bool
next_entry(struct reader *r)
{
	bool quoted = false;
	bool joined = false;
	bool any = false;
	const char *line;
	size_t len;

	buf_clear(&r->entry);
	r->too_long = false;
	for (;;) {
		const char *before = r->at;
		unsigned number = r->line;

		if (!next_line(r, &line, &len))
			return any;
		if (any && !joined && !is_space(*line)) {
			r->at = before; /* the next entry */
			r->line = number;
			return true;
		}
		if (!any)
			r->first = r->line;
		any = true;
		joined = add_line(r, line, len, &quoted);
	}
}

/* What addresses that are no addresses begin with; NULL for the others. */
static const char *
special(char first)
{
	switch (first) {
	case '|':
		return "skipped: pipes are not supported, nothing is run";
	case '/':
		return "skipped: files are not supported, nothing is written";
	case ':':
		return "skipped: includes are not supported, nothing is read";
	default:
		return NULL;
	}
}

/*
 * One target as it is written, neither empty nor with white space around it. What begins
 * like a pipe or file is one unless it is an address with a domain:
 * "/c=us/"@gateway.example. A domain within the quotes does not count: "|cmd
 * user@example.org".
 */
static void
read_target(const struct reader *r, struct alias *a, const char *s, size_t n)
{
	struct address_list list = { 0 };
	bool literal = n > 1 && *s == '\\';
	const char *why = special(n > 1 && *s == '"' ? s[1] : *s);
	const char *text = literal ? s + 1 : s;
	struct error err;

	if (*s == '|' || *s == ':') {
		report(r, s, n, "%s", why);
		return;
	}
	if (address_parse(text, literal ? n - 1 : n, &list, &err) < 0)
		report(r, s, why != NULL ? n : 0, "%s", why != NULL ? why : err.text);
	for (size_t i = 0; i < list.n; i++) {
		const struct address *v = &list.v[i];

		why = v->has_domain && text[v->end - 1] != '"' ? NULL : special(*v->addr);
		if (why != NULL)
			report(r, v->addr, strlen(v->addr), "%s", why);
		else
			alias_add_target(r->table, a, v->addr, literal);
	}
	address_list_free(&list);
}

/*
 * Bytes of the target at s: up to the comma that ends it, which is not one in a quoted
 * string, a comment or angle brackets (a route). Groups fall apart into their members.
 */
static size_t
target_length(const char *s, size_t n)
{
	bool quoted = false;
	bool angle = false;
	size_t comments = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '\\')
			i++;
		else if (quoted)
			quoted = c != '"';
		else if (c == '(')
			comments++;
		else if (c == ')' && comments > 0)
			comments--;
		else if (comments > 0)
			continue;
		else if (c == '"')
			quoted = true;
		else if (c == '<' || c == '>')
			angle = c == '<';
		else if (c == ',' && !angle)
			return i;
	}
	return n;
}

/* The colon behind the name, or n. */
static size_t
name_length(const char *s, size_t n)
{
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] == ':' && !quoted)
			return i;
	}
	return n;
}

static void
read_targets(const struct reader *r, struct alias *a, const char *s, size_t n)
{
	bool any = false;

	while (n > 0) {
		size_t len;
		size_t trimmed;

		if (is_space(*s) || *s == ',') {
			s++;
			n--;
			continue;
		}
		len = target_length(s, n);
		for (trimmed = len; is_space(s[trimmed - 1]); trimmed--)
			continue;
		read_target(r, a, s, trimmed);
		any = true;
		s += len;
		n -= len;
	}
	if (!any)
		report(r, alias_string(r->table, a->name),
		    strlen(alias_string(r->table, a->name)), "stands for nothing");
}

/* The name of an entry into the table. Returns its place, or NULL after a report. */
static struct alias *
read_name(const struct reader *r, const char *s, size_t n)
{
	struct address_list list = { 0 };
	struct alias *a = NULL;
	struct error err;

	while (n > 0 && is_space(s[n - 1]))
		n--;
	if (address_parse(s, n, &list, &err) < 0)
		report(r, "", 0, "%s", err.text);
	else if (list.n != 1 || list.v[0].has_domain)
		report(r, s, n, "not the name of one local user");
	else if ((a = alias_find(r->table, list.v[0].addr, strlen(list.v[0].addr))) ==
	    NULL)
		a = alias_new(r->table, list.v[0].addr, r->first);
	else {
		report(r, s, n, "already in line %u, which holds", a->line);
		a = NULL;
	}
	address_list_free(&list);
	return a;
}

static void
read_entry(const struct reader *r)
{
	const char *s = r->entry.data;
	size_t n = r->entry.len;
	size_t colon;
	struct alias *a;

	if (r->too_long) {
		report(r, "", 0, "longer than %d bytes, skipped", ALIAS_LINE_MAX);
	} else if (is_space(*s)) {
		report(r, "", 0, "begins with white space, but continues nothing");
	} else if (memchr(s, '\0', n) != NULL) {
		report(r, "", 0, "NUL in it, skipped");
	} else if ((colon = name_length(s, n)) == n) {
		report(r, s, n, "no colon behind the name");
	} else {
		a = read_name(r, s, colon);
		if (a != NULL)
			read_targets(r, a, s + colon + 1, n - colon - 1);
	}
}

/* The whole file into b. Returns 0, or -1 with err. */
static int
slurp(int fd, const char *shown, struct buf *b, struct error *err)
{
	struct stat st;
	size_t room;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return error_sys(err, EX_OSFILE, shown, "reading the aliases");
	if (!S_ISREG(st.st_mode))
		return error_set(err, EX_OSFILE, "%s: not a regular file", shown);
	do {
		/* One byte more than the file has: the end is seen without a second read.
		 */
		room = (uintmax_t)st.st_size > b->len ? (size_t)(st.st_size) - b->len + 1
						      : 4096;
		if (b->len > ALIAS_FILE_MAX || st.st_size > ALIAS_FILE_MAX)
			return error_set(err, EX_OSFILE, "%s: more than %d bytes", shown,
			    ALIAS_FILE_MAX);
		do
			n = read(fd, buf_reserve(b, room), room);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return error_sys(err, EX_OSFILE, shown, "reading the aliases");
		b->len += (size_t)n;
	} while (n > 0 && ((size_t)n == room || b->len != (uintmax_t)st.st_size));
	return 0;
}

/* The bytes of the file at path; none if it does not exist. */
static int
read_file(const char *path, struct buf *b, struct error *err)
{
	char *shown = text_cleaned(path, strlen(path), TEXT_LOG_MAX);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	int rc = 0;

	if (fd >= 0) {
		rc = slurp(fd, shown, b, err);
		close(fd);
	} else if (errno != ENOENT) {
		rc = error_sys(err, EX_OSFILE, shown, "opening the aliases");
	}
	free(shown);
	return rc;
}

int
alias_read(struct alias_table **table, const char *path, alias_problem_fn *problem,
    void *arg, struct error *err)
{
	struct reader r = { .path = path, .problem = problem, .arg = arg };
	struct buf file = { 0 };
	int rc;

	rc = read_file(path, &file, err);
	if (rc == 0) {
		r.table = xcalloc(1, sizeof(*r.table));
		r.at = file.data;
		r.end = file.len > 0 ? file.data + file.len : file.data;
		if (file.len >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
			r.at += 3; /* a byte order mark */
		while (next_entry(&r))
			read_entry(&r);
		*table = r.table;
	}
	buf_free(&r.entry);
	buf_free(&file);
	return rc;
}
