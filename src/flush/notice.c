#include "flush/notice.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/header.h"
#include "util/buf.h"

/* The first bytes of the original, as many as a header block may have. */
static int
read_beginning(const struct entry *e, struct buf *b, struct error *err)
{
	size_t size = e->length < NOTICE_HEAD_MAX ? e->length : NOTICE_HEAD_MAX;
	char *data = buf_reserve(b, size);

	while (b->len < size) {
		ssize_t n = pread(
		    e->fd, data + b->len, size - b->len, (off_t)(e->message + b->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, EX_IOERR, e->id, "reading its header");
		if (n == 0)
			return error_set(
			    err, EX_IOERR, "%s: cut off while reading its header", e->id);
		b->len += (size_t)n;
	}
	return 0;
}

/*
 * Its header, line by line: whoever puts something else than a message into the queue
 * gets back what looks like one.
 */
static int
read_head(const struct entry *e, struct header *h, struct error *err)
{
	struct buf b = { 0 };
	const char *s, *end, *lf;
	int r = read_beginning(e, &b, err);

	s = b.data;
	end = b.data + b.len;
	while (r == 0 && s < end && h->n < HEADER_FIELDS_MAX &&
	    (lf = memchr(s, '\n', (size_t)(end - s))) != NULL) {
		if (header_push(h, s, (size_t)(lf - s)) != HEADER_TAKEN)
			break;
		s = lf + 1;
	}
	buf_free(&b);
	return r;
}

static void
add_netstring(struct buf *out, const char *s, size_t n)
{
	buf_printf(out, "%zu:", n);
	buf_add(out, s, n);
	buf_byte(out, ',');
}

static int
store_package(const struct notice *n, const struct buf *message, char id[SPOOL_ID],
    struct error *err)
{
	struct store st = { .fd = -1 };
	struct buf head = { 0 }, rcpts = { 0 }, tail = { 0 };
	bool copied = *n->copy != '\0' && !envelope_same_address(n->copy, n->to);
	int r = -1;

	buf_printf(&head, "%zu:\n", message->len + 1);
	add_netstring(&rcpts, n->to, strlen(n->to));
	if (copied)
		add_netstring(&rcpts, n->copy, strlen(n->copy));
	buf_str(&tail, ",0:,");
	add_netstring(&tail, rcpts.data, rcpts.len);
	if (store_begin(&st, n->spool, err) == 0 &&
	    store_write(&st, head.data, head.len, err) == 0 &&
	    store_write(&st, message->data, message->len, err) == 0 &&
	    store_write(&st, tail.data, tail.len, err) == 0 &&
	    store_slots(&st, copied ? 2 : 1, 'P', n->dsn.now, err) == 0)
		r = store_commit(&st, n->dsn.now, id, err);
	store_abort(&st);
	buf_free(&head);
	buf_free(&rcpts);
	buf_free(&tail);
	return r;
}

int
notice_store(struct notice *n, char id[SPOOL_ID], struct error *err)
{
	struct header original = { 0 };
	struct buf message = { 0 };
	int r = -1;

	n->dsn.to = *n->to != '\0' ? n->to : NULL;
	if (*n->to == '\0')
		n->to = n->entry->sender;
	if (*n->to == '\0')
		return error_set(err, EX_SOFTWARE,
		    "%s: nothing is sent to the null sender", n->entry->id);
	if (read_head(n->entry, &original, err) == 0 &&
	    identity_new_token(n->dsn.identity, err) == 0) {
		n->dsn.head = &original.text;
		dsn_write(&message, &n->dsn);
		n->dsn.head = NULL;
		r = store_package(n, &message, id, err);
	}
	header_free(&original);
	buf_free(&message);
	return r;
}
