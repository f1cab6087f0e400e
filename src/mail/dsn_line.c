#include "mail/dsn_line.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define COLUMNS 76 /* where lines are folded when there is a space */

bool
dsn_concerns(const struct dsn *dsn, size_t i)
{
	enum rcpt_state state = dsn->envelope->rcpts[i].state;

	if (dsn->kind == DSN_DELAYED)
		return state == RCPT_PENDING || state == RCPT_IN_DOUBT;
	return state == RCPT_REFUSED;
}

char *
dsn_reply(const struct dsn *dsn, size_t i)
{
	const char *reply = dsn->envelope->rcpts[i].reply;

	return text_cleaned(reply != NULL ? reply : "", reply != NULL ? strlen(reply) : 0,
	    dsn->envelope->n > DSN_DETAILED_MAX ? TEXT_LOG_MAX : TEXT_BOUNCE_MAX);
}

bool
dsn_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
dsn_is_alnum(char c)
{
	return dsn_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
dsn_is_wide(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] >= 0x80)
			return true;
	return false;
}

size_t
dsn_whole_chars(const char *s, size_t n, size_t max)
{
	size_t len = n < max ? n : max;

	while (len > 0 && len < n && ((unsigned char)s[len] & 0xc0) == 0x80)
		len--;
	return len > 0 ? len : (n < max ? n : max);
}

void
dsn_fold(struct buf *out, size_t column, const char *indent, const char *s)
{
	bool first = true;

	for (;;) {
		size_t word;

		s += strspn(s, " ");
		if (*s == '\0')
			return;
		word = strcspn(s, " ");
		word = dsn_whole_chars(s, word, DSN_WORD_MAX);
		if (!first && column + 1 + word > COLUMNS) {
			buf_byte(out, '\n');
			buf_str(out, indent);
			column = strlen(indent);
		} else if (!first) {
			buf_byte(out, ' ');
			column++;
		}
		buf_add(out, s, word);
		column += word;
		s += word;
		first = false;
	}
}

bool
dsn_fits_header(const char *addr, const struct buf *written)
{
	const char *domain = strrchr(addr, '@');
	char *cleaned = text_cleaned(addr, strlen(addr), strlen(addr));
	bool ok = strcmp(cleaned, addr) == 0 && written->len > 0 &&
	    written->len <= DSN_WORD_MAX;

	free(cleaned);
	for (; ok && domain != NULL && *++domain != '\0';)
		ok = dsn_is_alnum(*domain) || strchr("-._[]:", *domain) != NULL ||
		    (unsigned char)*domain >= 0x80;
	return ok;
}
