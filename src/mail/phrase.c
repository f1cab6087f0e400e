#include "mail/phrase.h"

#include <stdbool.h>
#include <string.h>

#define LINE_MAX_ENCODED 76 /* bytes of a line with encoded words, RFC 2047 §2 */
#define WORD_MAX 75         /* of an encoded word */

static const char hex[] = "0123456789ABCDEF";
static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* RFC 5322 §3.2.3 */
static bool
is_atext(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Bytes that stand for themselves in the "Q" encoding of a phrase, RFC 2047 §5 (3). */
static bool
is_q_safe(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!*+-/", c) != NULL);
}

/* How many bytes the UTF-8 character at s has (RFC 3629 §4), 0 if it is none. */
static size_t
utf8_length(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = u[0] < 0x80 ? 1
	    : u[0] < 0xc2      ? 0
	    : u[0] < 0xe0      ? 2
	    : u[0] < 0xf0      ? 3
			       : 4;

	if (n == 0 || u[0] > 0xf4)
		return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80) /* the final NUL as well */
			return 0;
	return n;
}

/* How a name is encoded. */
struct coding {
	const char *begin; /* "=?CHARSET?X?" */
	bool utf8;         /* characters must stay whole */
	bool base64;
};

static struct coding
choose_coding(const char *name)
{
	static const char *const begin[2][2] = {
		{ "=?unknown-8bit?Q?", "=?unknown-8bit?B?" },
		{ "=?UTF-8?Q?", "=?UTF-8?B?" },
	};
	struct coding c = { .utf8 = true };
	size_t n = strlen(name), plain = 0;

	for (size_t i = 0, len; c.utf8 && i < n; i += len) {
		len = utf8_length(name + i);
		c.utf8 = len > 0;
	}
	for (size_t i = 0; i < n; i++)
		if (is_q_safe(name[i]) || name[i] == ' ')
			plain++;
	c.base64 = n - plain > n / 2; /* people can read the other one, more or less */
	c.begin = begin[c.utf8][c.base64];
	return c;
}

static size_t
encoded_size(const struct coding *c, const char *s, size_t n)
{
	size_t size = 0;

	if (c->base64)
		return (n + 2) / 3 * 4;
	for (size_t i = 0; i < n; i++)
		size += is_q_safe(s[i]) || s[i] == ' ' ? 1 : 3;
	return size;
}

static void
encode(struct buf *b, const struct coding *c, const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;

	if (!c->base64) {
		for (size_t i = 0; i < n; i++) {
			if (is_q_safe(s[i]) || s[i] == ' ') {
				buf_byte(b, s[i] == ' ' ? '_' : s[i]);
			} else {
				buf_byte(b, '=');
				buf_byte(b, hex[u[i] >> 4]);
				buf_byte(b, hex[u[i] & 15]);
			}
		}
		return;
	}
	for (size_t i = 0; i < n; i += 3) {
		unsigned one = u[i], two = i + 1 < n ? u[i + 1] : 0;
		unsigned three = i + 2 < n ? u[i + 2] : 0;

		buf_byte(b, base64[one >> 2]);
		buf_byte(b, base64[(one & 3) << 4 | two >> 4]);
		buf_byte(b, i + 1 < n ? base64[(two & 15) << 2 | three >> 6] : '=');
		buf_byte(b, i + 2 < n ? base64[three & 63] : '=');
	}
}

/* Encoded words, one on each line. */
static size_t
write_encoded(struct buf *b, const char *name, size_t column)
{
	struct coding c = choose_coding(name);
	size_t frame = strlen(c.begin) + 2; /* and "?=" */

	if (column > LINE_MAX_ENCODED / 2) {
		buf_str(b, "\n ");
		column = 1;
	}
	for (;;) {
		size_t room = LINE_MAX_ENCODED - column;
		size_t n = 0;

		if (room > WORD_MAX)
			room = WORD_MAX;
		while (name[n] != '\0') {
			size_t len = c.utf8 ? utf8_length(name + n) : 1;

			if (frame + encoded_size(&c, name, n + len) > room)
				break;
			n += len;
		}
		buf_str(b, c.begin);
		encode(b, &c, name, n);
		buf_str(b, "?=");
		column += frame + encoded_size(&c, name, n);
		name += n;
		if (name[0] == '\0')
			return column;
		buf_str(b, "\n ");
		column = 1;
	}
}

static size_t
write_quoted(struct buf *b, const char *name)
{
	size_t before = b->len;

	buf_byte(b, '"');
	for (; *name != '\0'; name++) {
		if (*name == '"' || *name == '\\')
			buf_byte(b, '\\');
		buf_byte(b, *name);
	}
	buf_byte(b, '"');
	return b->len - before;
}

size_t
phrase_write(struct buf *b, const char *name, size_t column)
{
	size_t n = strlen(name);
	size_t quotes = 2; /* bytes that quoting adds */
	bool atoms = true, ascii = true;

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)name[i] >= 0x80)
			ascii = false;
		if (name[i] == '"' || name[i] == '\\')
			quotes++;
		if (name[i] == ' ')
			atoms =
			    atoms && i > 0 && name[i - 1] != ' ' && name[i + 1] != '\0';
		else
			atoms = atoms && is_atext(name[i]);
	}
	if (!ascii || column + n + (atoms ? 0 : quotes) > LINE_MAX_ENCODED)
		return write_encoded(b, name, column);
	if (!atoms)
		return column + write_quoted(b, name);
	buf_add(b, name, n);
	return column + n;
}
