/*
 * sendmail/smtp_input.h. First byte: where the input is cut, and whether its first line
 * is near the limit. The rest: what a client sends. Text follows upon every line DATA.
 *
 * It must come to what a simple reader makes of it that has all of it in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "sendmail/smtp_input.h"

enum { LONG_LINE = 0xf0 };

static void
note(struct buf *b, const char *kind, const char *data, size_t n)
{
	buf_str(b, kind);
	buf_add(b, data, n);
	buf_str(b, "\n--\n");
}

static bool
is_data(const char *line, size_t n)
{
	return n == 4 && strncasecmp(line, "DATA", 4) == 0;
}

/* The text at *at without its dots, and its end; false if there is no end. */
static bool
take_text(const char **at, size_t *n, bool crlf, struct buf *text)
{
	while (*n > 0) {
		const char *end =
		    crlf ? memmem(*at, *n, "\r\n", 2) : memchr(*at, '\n', *n);
		size_t len = end == NULL ? *n : (size_t)(end - *at) + 1 + crlf;
		const char *line = *at;

		*at += len;
		*n -= len;
		if ((len == 2 && !crlf && memcmp(line, ".\n", 2) == 0) ||
		    (len == 3 && memcmp(line, ".\r\n", 3) == 0))
			return true;
		if (line[0] == '.') {
			line++;
			len--;
		}
		buf_add(text, line, len);
	}
	return false;
}

static void
expect(const char *at, size_t n, struct buf *b)
{
	const char *lf;

	while (n > 0 && (lf = memchr(at, '\n', n)) != NULL) {
		size_t whole = (size_t)(lf - at) + 1;
		bool crlf = whole > 1 && lf[-1] == '\r';
		const char *line = at;
		struct buf text = { 0 };

		at += whole;
		n -= whole;
		if (whole > SMTP_LINE_MAX) {
			note(b, "TOO LONG", "", 0);
			continue;
		}
		note(b, "LINE ", line, whole - 1 - crlf);
		if (!is_data(line, whole - 1 - crlf))
			continue;
		if (!take_text(&at, &n, crlf, &text)) {
			note(b, "CUT", "", 0);
			buf_free(&text);
			return;
		}
		note(b, "TEXT ", text.data, text.len);
		buf_free(&text);
	}
	note(b, "END", "", 0);
}

/* Returns whether the text had an end. */
static bool
read_text(struct smtp_input *in, unsigned cut, struct buf *b)
{
	struct buf text = { 0 };
	char piece[300];
	ssize_t n;

	smtp_input_begin_text(in);
	for (;;) {
		size_t room;

		cut = cut * 1103515245 + 12345;
		room = cut == 0 ? sizeof(piece) : 1 + (cut >> 16) % sizeof(piece);
		n = smtp_input_text(in, piece, room);
		must(n <= (ssize_t)room, "no more than was asked for");
		if (n <= 0)
			break;
		buf_add(&text, piece, (size_t)n);
	}
	if (n == 0) {
		must(smtp_input_text(in, piece, sizeof(piece)) == 0, "the end stays");
		note(b, "TEXT ", text.data, text.len);
	} else {
		must(errno == EPIPE, "input that ends in the middle");
		note(b, "CUT", "", 0);
	}
	buf_free(&text);
	return n == 0;
}

static void
take(struct smtp_input *in, unsigned cut, struct buf *b)
{
	enum smtp_line what;
	const char *line;
	size_t n;

	for (;;) {
		bool pending = smtp_input_pending(in);

		what = smtp_input_line(in, &line, &n);
		must(!pending || what == SMTP_LINE, "a line that was there already");
		must(what != SMTP_LINE_FAILED, "the source can be read");
		if (what == SMTP_LINE_END)
			break;
		if (what == SMTP_LINE_TOO_LONG)
			note(b, "TOO LONG", "", 0);
		else
			note(b, "LINE ", line, n);
		if (what == SMTP_LINE && is_data(line, n) && !read_text(in, cut, b))
			return;
	}
	note(b, "END", "", 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf input = { 0 }, wanted = { 0 };
	unsigned cuts[] = { 0, 0 };

	if (size == 0)
		return 0;
	cuts[1] = data[0] + 1;
	if ((data[0] & LONG_LINE) == LONG_LINE) {
		size_t n = SMTP_LINE_MAX - 8 + data[0] % 16;

		memset(buf_reserve(&input, n), 'x', n);
		input.len = n;
	}
	buf_add(&input, data + 1, size - 1);
	expect(input.data, input.len, &wanted);
	for (size_t i = 0; i < 2; i++) {
		struct smtp_input in;
		struct buf is = { 0 };

		smtp_input_init(&in, source_open(input.data, input.len, cuts[i], false),
		    i == 0 ? 0 : 60000);
		take(&in, cuts[i], &is);
		source_close(in.fd);
		smtp_input_free(&in);
		must(same_bytes(&wanted, &is), "lines and text as they were sent");
		buf_free(&is);
	}
	buf_free(&input);
	buf_free(&wanted);
	return 0;
}
