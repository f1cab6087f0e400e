#include "util/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * How many bytes the well-formed UTF-8 character at s has (Unicode table 3-7: nothing
 * overlong, no surrogates, nothing above U+10FFFF), and which it is; 0 if there is none.
 */
static size_t
utf8_decode(const unsigned char *s, size_t n, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;

	if (s[0] < 0x80)
		len = 1;
	else if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > n)
		return 0;
	*c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least[len] || (*c >= 0xd800 && *c <= 0xdfff) || *c > 0x10ffff)
		return 0;
	return len;
}

/*
 * Besides the control characters proper, those that reorder or hide the text around them
 * go: a log line must read as what it is.
 */
static bool
is_printable(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} hidden[] = {
		{ 0x0000, 0x001f }, /* C0 */
		{ 0x007f, 0x009f }, /* DEL and C1 */
		{ 0x061c, 0x061c }, /* Arabic letter mark */
		{ 0x200b, 0x200f }, /* zero width, marks of direction */
		{ 0x2028,
		    0x202e }, /* line and paragraph separator, embedding and override */
		{ 0x2060, 0x206f },   /* invisible operators, isolates */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff9, 0xfffb },   /* interlinear annotation */
		{ 0xe0000, 0xe0fff }, /* tags */
	};

	if ((c & 0xfffe) == 0xfffe)
		return false; /* U+FFFE, U+FFFF and their like in each plane are no
				 characters */
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return false;
	return true;
}

/* How many bytes at s are printable ASCII, which most text is. */
static size_t
plain_run(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] <= '~')
		i++;
	return i;
}

void
text_clean(struct buf *b, const char *s, size_t n, size_t max)
{
	static const char dots[] = "...";
	size_t ndots = max < 3 ? max : 3;
	size_t room = n <= max ? n : max - ndots;
	size_t i = 0;

	/* One byte comes out for each that goes in, so that n alone says whether it fits.
	 */
	while (i < room) {
		uint32_t c = 0;
		size_t len = plain_run(s + i, room - i);

		if (len > 0) {
			buf_add(b, s + i, len);
			i += len;
			continue;
		}
		len = utf8_decode((const unsigned char *)s + i, n - i, &c);
		if (len > room - i)
			break; /* the cut would go through a character */
		if (len > 0 && is_printable(c)) {
			buf_add(b, s + i, len);
		} else {
			buf_byte(b, '?');
			len = 1;
		}
		i += len;
	}
	if (n > max)
		buf_add(b, dots, ndots);
}

char *
text_cleaned(const char *s, size_t n, size_t max)
{
	struct buf b = { 0 };

	text_clean(&b, s, n, max);
	return buf_detach(&b);
}

void
text_json(struct buf *b, const char *s)
{
	if (s == NULL) {
		buf_str(b, "null");
		return;
	}
	buf_byte(b, '"');
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_byte(b, '\\');
		if (c < ' ')
			buf_printf(b, "\\u%04x", c);
		else
			buf_byte(b, *s);
	}
	buf_byte(b, '"');
}
