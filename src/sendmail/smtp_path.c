#include "sendmail/smtp_path.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/xalloc.h"

#define BLANKS " \t"

/*
 * Behind the '>' that closes the path at p, which begins with '<'; NULL without one.
 * Quoted ones do not count.
 */
static const char *
path_end(const char *p)
{
	bool quoted = false;

	for (; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '>' && !quoted)
			return p + 1;
	}
	return NULL;
}

static int
parse_size(const char *digits, size_t len, uint64_t *size)
{
	*size = 0;
	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(digits[i] - '0');

		if (digits[i] < '0' || digits[i] > '9')
			return -1;
		if (*size > (UINT64_MAX - digit) / 10)
			*size = UINT64_MAX;
		else
			*size = *size * 10 + digit;
	}
	return 0;
}

/*
 * Bytes of the keyword a parameter begins with (RFC 5321 §4.1.2, esmtp-keyword); 0 when
 * it is none: "Bob <bob@example.com>" has no parameters.
 */
static size_t
keyword_length(const char *p, size_t len)
{
	size_t n = 0;

	while (n < len &&
	    ((p[n] >= 'A' && p[n] <= 'Z') || (p[n] >= 'a' && p[n] <= 'z') ||
		(p[n] >= '0' && p[n] <= '9') || (p[n] == '-' && n > 0)))
		n++;
	return n == len || p[n] == '=' ? n : 0;
}

static int
parse_parameters(const char *p, struct smtp_path *path)
{
	while (*(p += strspn(p, BLANKS)) != '\0') {
		size_t len = strcspn(p, BLANKS);

		if (keyword_length(p, len) == 0)
			return -1;
		if (len >= 5 && strncasecmp(p, "SIZE=", 5) == 0) {
			if (parse_size(p + 5, len - 5, &path->size) < 0)
				return -1;
			path->size_given = true;
		}
		p += len;
	}
	return 0;
}

static bool
ends_path(char c)
{
	return c == '\0' || strchr(BLANKS, c) != NULL;
}

int
smtp_path_parse(const char *argument, const char *keyword, struct smtp_path *path)
{
	size_t word = strlen(keyword) - 1; /* without the colon */
	const char *p = argument + word, *end;

	*path = (struct smtp_path){ 0 };
	if (strncasecmp(argument, keyword, word) != 0)
		return -1;
	p += strspn(p, BLANKS);
	if (*p++ != ':')
		return -1;
	p += strspn(p, BLANKS);
	end = *p == '<' ? path_end(p) : p + strcspn(p, BLANKS);
	if (end == NULL || end == p || !ends_path(*end) ||
	    parse_parameters(end, path) < 0)
		return -1;
	path->address = xstrndup(p, (size_t)(end - p));
	return 0;
}

void
smtp_path_free(struct smtp_path *path)
{
	free(path->address);
	path->address = NULL;
}
