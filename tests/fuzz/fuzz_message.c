/*
 * mail/message.h and mail/header.h: reading a whole message. First byte: how. The rest:
 * the message.
 *
 * It is read from a file, and in pieces from a pipe, and must come to the same, and to
 * what a simple reader makes of it that has all of it in memory.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "fuzz.h"
#include "mail/message.h"

enum { DOTS = 1, SMALL_HEADER = 2, SMALL_SIZE = 4, FAILS = 8, HUGE_BODY = 0xe0 };

static void
check_header(const struct header *h)
{
	size_t count[HEADER_IDS] = { 0 }, end = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->v[i];

		must(f->begin == end && f->begin < f->body && f->body < f->end,
		    "field follows upon field");
		must(h->text.data[f->body - 1] == ':', "a colon behind the name");
		must(h->text.data[f->end - 1] == '\n', "a field ends with its line");
		count[f->id]++;
		end = f->end;
	}
	must(end == h->text.len, "all of the text is fields");
	must(end == 0 || memchr(h->text.data, '\0', end) == NULL, "no NUL");
	must(end == 0 || memchr(h->text.data, '\r', end) == NULL, "no CR");
	must(end == 0 || memmem(h->text.data, end, "\n\n", 2) == NULL, "no empty line");
	must(memcmp(count, h->count, sizeof(count)) == 0, "the fields are counted");
}

static void
get_body(const struct message *m, struct buf *b)
{
	if (m->fd < 0) {
		must(m->memory.len == m->length, "the length is that of the memory");
		buf_add(b, m->memory.data, m->memory.len);
		return;
	}
	must(pread(m->fd, buf_reserve(b, m->length), m->length, (off_t)m->offset) ==
		(ssize_t)m->length,
	    "the body is in the file");
	b->len += m->length;
}

/* The body as it must become, of the n bytes that stand behind the header. */
static void
make_body(const char *raw, size_t n, bool dots, struct buf *b)
{
	while (n > 0) {
		const char *lf = memchr(raw, '\n', n);
		size_t whole = lf != NULL ? (size_t)(lf - raw) + 1 : n;
		size_t len = whole - (lf != NULL);

		while (len > 0 && raw[len - 1] == '\r')
			len--;
		if (dots && len == 1 && raw[0] == '.')
			return;
		buf_add(b, raw, len);
		buf_byte(b, '\n');
		raw += whole;
		n -= whole;
	}
}

/* Header block and body as they must become. */
static void
make_message(const char *raw, size_t n, bool dots, struct header *h, struct buf *body)
{
	while (n > 0) {
		const char *lf = memchr(raw, '\n', n);
		size_t len = lf != NULL ? (size_t)(lf - raw) : n;
		enum header_line what = header_push(h, raw, len);

		if (what == HEADER_BODY)
			break;
		raw += len + (lf != NULL);
		n -= len + (lf != NULL);
		if (what == HEADER_END)
			break;
	}
	make_body(raw, n, dots, body);
}

/* Whether a message that becomes header and body is within the limits. */
static bool
fits(const struct message_source *s, const struct header *h, const struct buf *body)
{
	return h->text.len <= s->max_header && h->n <= HEADER_FIELDS_MAX &&
	    h->text.len + body->len <= s->max_size;
}

static void
check_error(const struct error *err, bool fails)
{
	must(err->text[0] != '\0' && is_clean(err->text), "an error that can be shown");
	must(err->code == EX_DATAERR || (fails && err->code == EX_IOERR),
	    "too large, or not to be read");
}

/* Read it from there: 0 with what came, or -1 with err. */
static int
take(const struct message_source *s, struct message *m, struct buf *body,
    struct error *err)
{
	if (message_read(m, s, err) < 0)
		return -1;
	check_header(&m->header);
	get_body(m, body);
	must(m->header.text.len <= s->max_header, "the limit of the header");
	must(m->header.text.len + body->len <= s->max_size, "the limit of the message");
	must(message_size(m) == body->len && message_unchanged(m, err) == 0,
	    "the size is that of the body; nothing has changed");
	return 0;
}

static void
compare(
    const struct buf *text, const struct message_source *how, unsigned cut, bool fails)
{
	struct message_source s = *how;
	struct message whole, pieces;
	struct buf one = { 0 }, other = { 0 }, wanted = { 0 };
	struct header header = { 0 };
	struct error err = { 0 }, again = { 0 };
	int file = file_open(text->data, text->len), rc;

	s.fd = file;
	make_message(text->data, text->len, s.dots, &header, &wanted);
	rc = take(&s, &whole, &one, &err);
	must((rc == 0) == fits(&s, &header, &wanted), "what is not too large is taken");
	if (rc == 0) {
		must(same_bytes(&header.text, &whole.header.text), "the header");
		must(same_bytes(&wanted, &one), "the body");
	} else {
		check_error(&err, false);
	}
	s.fd = source_open(text->data, text->len, cut, fails);
	if (take(&s, &pieces, &other, &again) == 0) {
		must(rc == 0, "in pieces as from the file");
		must(same_bytes(&whole.header.text, &pieces.header.text), "the header");
		must(same_bytes(&one, &other), "the body");
		message_free(&pieces);
	} else {
		check_error(&again, fails);
		must(fails || rc < 0, "in pieces as from the file");
	}
	source_close(s.fd);
	if (rc == 0)
		message_free(&whole);
	close(file);
	header_free(&header);
	buf_free(&one);
	buf_free(&other);
	buf_free(&wanted);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_source how = {
		.max_header = 1024 * 1024, .max_size = MESSAGE_MAX, .tmpdir = "/dev/shm"
	};
	struct buf text = { 0 };
	unsigned flags;

	if (size == 0)
		return 0;
	flags = data[0];
	how.dots = flags & DOTS;
	if (flags & SMALL_HEADER)
		how.max_header = 100;
	if (flags & SMALL_SIZE)
		how.max_size = 300;
	buf_add(&text, data + 1, (size - 1) / 2);
	if ((flags & HUGE_BODY) == HUGE_BODY) /* it leaves the memory on the way */
		for (size_t n = text.len; text.len < n + MESSAGE_MEMORY;)
			buf_str(&text, "A line of what is much more than any input.\n");
	buf_add(&text, data + 1 + (size - 1) / 2, size - 1 - (size - 1) / 2);
	compare(&text, &how, flags + 1, flags & FAILS);
	buf_free(&text);
	return 0;
}
