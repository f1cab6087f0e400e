#include "conf/scan.h"

#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

/* What the last token was; a string may only stand where a value or a title is due. */
enum token {
	TOKEN_BOUNDARY, /* a brace, or the beginning */
	TOKEN_NAME,
	TOKEN_EQUALS,
	TOKEN_VALUE
};

struct scan {
	char *p;
	char *end;
	int line;
	int opened; /* the line of the '{' that is open; 0: none */
	int depth;
	enum token last;
	const char *path;
	struct error *err;
};

static int
fail(struct scan *s, const char *what)
{
	return error_set(s->err, EX_CONFIG, "%s:%d: %s", s->path, s->line, what);
}

static int
fail_byte(struct scan *s, unsigned char c, const char *where)
{
	if (c > 0x20 && c < 0x7f)
		return error_set(s->err, EX_CONFIG, "%s:%d: '%c' has no place %s",
		    s->path, s->line, c, where);
	return error_set(s->err, EX_CONFIG, "%s:%d: byte 0x%02x has no place %s", s->path,
	    s->line, c, where);
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("._-/:@%", c) != NULL);
}

static bool
at(const struct scan *s, const char *pair)
{
	return s->end - s->p >= 2 && s->p[0] == pair[0] && s->p[1] == pair[1];
}

/* Overwrite a byte of a comment. */
static int
blank(struct scan *s)
{
	if (*s->p == '\0')
		return fail_byte(s, 0, "in a comment");
	if (*s->p == '\n')
		s->line++;
	else
		*s->p = ' ';
	s->p++;
	return 0;
}

static int
line_comment(struct scan *s)
{
	while (s->p < s->end && *s->p != '\n')
		if (blank(s) < 0)
			return -1;
	return 0;
}

static int
block_comment(struct scan *s)
{
	int line = s->line;

	memset(s->p, ' ', 2);
	for (s->p += 2; s->p < s->end && !at(s, "*/");)
		if (blank(s) < 0)
			return -1;
	if (s->p == s->end) {
		s->line = line;
		return fail(s, "a comment without its end");
	}
	memset(s->p, ' ', 2);
	s->p += 2;
	return 0;
}

static int
string(struct scan *s)
{
	char quote = *s->p++;

	if (s->last != TOKEN_EQUALS && s->last != TOKEN_NAME)
		return fail(s, "a string where the name of an option is due");
	for (; s->p < s->end && *s->p != quote; s->p++) {
		if (*s->p == '\n' || *s->p == '\r')
			break;
		if (is_control(*s->p) || *s->p == '$' || *s->p == '\\')
			return fail_byte(s, (unsigned char)*s->p, "in a string");
	}
	if (s->p == s->end || *s->p != quote)
		return fail(s, "a string without its end");
	s->p++;
	s->last = TOKEN_VALUE;
	return 0;
}

static int
brace(struct scan *s)
{
	if (*s->p++ == '{') {
		if (s->depth++ == 0)
			s->opened = s->line;
	} else if (s->depth-- == 0) {
		return fail(s, "'}' without its '{'");
	}
	s->last = TOKEN_BOUNDARY;
	return 0;
}

static int
token(struct scan *s)
{
	char c = *s->p;

	if (c == '#' || at(s, "//")) {
		return line_comment(s);
	} else if (at(s, "/*")) {
		return block_comment(s);
	} else if (c == '\n') {
		s->line++;
		s->p++;
	} else if (c == ' ' || c == '\t' || at(s, "\r\n")) {
		s->p++;
	} else if (c == '"' || c == '\'') {
		return string(s);
	} else if (c == '{' || c == '}') {
		return brace(s);
	} else if (c == '=') {
		s->last = TOKEN_EQUALS;
		s->p++;
	} else if (is_word(c)) {
		while (s->p < s->end && is_word(*s->p))
			s->p++;
		s->last = s->last == TOKEN_EQUALS ? TOKEN_VALUE : TOKEN_NAME;
	} else {
		return fail_byte(s, (unsigned char)c, "outside a string");
	}
	return 0;
}

int
scan_check(char *text, size_t n, const char *path, struct error *err)
{
	struct scan s = {
		.p = text, .end = text + n, .line = 1, .path = path, .err = err
	};

	while (s.p < s.end)
		if (token(&s) < 0)
			return -1;
	if (s.depth > 0) {
		s.line = s.opened;
		return fail(&s, "'{' without its '}'");
	}
	return 0;
}
