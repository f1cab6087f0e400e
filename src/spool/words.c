#include "spool/words.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "util/text.h"

#define TIME_DIGITS 8

void
words_add(struct buf *out, size_t from, size_t to, const char *text, time_t now)
{
	char slot[SPOOL_SLOT];
	struct buf line = { 0 };

	spool_slot(slot, 'P', now); /* for its time */
	buf_add(&line, slot + 1, TIME_DIGITS);
	buf_printf(&line, " %zu %zu ", from, to);
	text_clean(&line, text, strlen(text), TEXT_LOG_MAX);
	buf_byte(&line, '\n');
	if (out->len <= WORDS_MAX && line.len <= WORDS_MAX - out->len)
		buf_add(out, line.data, line.len);
	buf_free(&line);
}

static off_t
tail(const struct entry *e)
{
	return (off_t)(e->slots + (e->n + 1) * SPOOL_SLOT);
}

void
words_write(const struct entry *e, const struct buf *lines)
{
	size_t done = 0, size = lines->len < WORDS_MAX ? lines->len : WORDS_MAX;

	/* First away with the old ones: the rest of a line of theirs would be a new one. */
	if (ftruncate(e->fd, tail(e)) < 0)
		return;
	while (done < size) {
		ssize_t n =
		    pwrite(e->fd, lines->data + done, size - done, tail(e) + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

/* A decimal number up to a blank; *p moves behind that. */
static bool
take_position(const char **p, const char *end, size_t *n)
{
	const char *s = *p;

	for (*n = 0; s < end && *s >= '0' && *s <= '9' && *n < ENTRY_RCPTS_MAX; s++)
		*n = *n * 10 + (size_t)(*s - '0');
	if (s == *p || s == end || *s != ' ')
		return false;
	*p = s + 1;
	return true;
}

/* One line without its LF; a bad one is passed over. */
static void
take_line(const struct entry *e, const char *p, const char *end,
    void (*f)(void *arg, size_t from, size_t to, const char *text, time_t when),
    void *arg)
{
	char slot[SPOOL_SLOT] = "P";
	struct buf text = { 0 };
	size_t from, to;
	time_t when;

	if (end - p <= TIME_DIGITS || p[TIME_DIGITS] != ' ')
		return;
	memcpy(slot + 1, p, TIME_DIGITS);
	slot[SPOOL_SLOT - 1] = '\n';
	p += TIME_DIGITS + 1;
	if (spool_slot_read(slot, &when) == 0 || !take_position(&p, end, &from) ||
	    !take_position(&p, end, &to) || from > to || to >= e->n)
		return;
	text_clean(&text, p, (size_t)(end - p), TEXT_LOG_MAX);
	f(arg, from, to, text.data != NULL ? text.data : "", when);
	buf_free(&text);
}

void
words_read(const struct entry *e,
    void (*f)(void *arg, size_t from, size_t to, const char *text, time_t when),
    void *arg)
{
	uint64_t begin = (uint64_t)tail(e), size = e->size > begin ? e->size - begin : 0;
	const char *p, *lf;
	struct buf b = { 0 };

	if (size > WORDS_MAX)
		size = WORDS_MAX;
	while (b.len < size) {
		size_t want = (size_t)size - b.len;
		ssize_t n =
		    pread(e->fd, buf_reserve(&b, want), want, (off_t)(begin + b.len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		b.len += (size_t)n;
	}
	for (p = b.data; b.len > 0; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(b.data + b.len - p));
		if (lf == NULL)
			break;
		take_line(e, p, lf, f, arg);
	}
	buf_free(&b);
}
