#include "qmtp/package.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qmtp/failure.h"
#include "qmtp/stream.h"

#define READ_SIZE 16384

void
qmtp__package_drop(struct qmtp_package *p)
{
	for (size_t i = 0; i < p->npieces; i++) {
		free(p->pieces[i].copy);
		if (p->pieces[i].opened)
			close(p->pieces[i].run.fd);
	}
	p->npieces = 0;
	p->size = 0;
}

void
qmtp_package_new_message(struct qmtp_package *p)
{
	if (!p->busy)
		qmtp__package_drop(p);
}

static int
add_piece(struct qmtp_package *p, const struct qmtp__piece *piece)
{
	if (p->busy || piece->run.len > INT64_MAX - p->size)
		return -1;
	if (p->npieces == p->room) {
		size_t room = p->room ? p->room * 2 : 4;
		struct qmtp__piece *pieces;

		if (room > SIZE_MAX / sizeof(*pieces))
			return -1;
		pieces = realloc(p->pieces, room * sizeof(*pieces));
		if (pieces == NULL)
			return -1;
		p->pieces = pieces;
		p->room = room;
	}
	p->pieces[p->npieces++] = *piece;
	p->size += piece->run.len;
	return 0;
}

int
qmtp__message_copy(struct qmtp_package *p, char *copy, size_t len, size_t room)
{
	struct qmtp__piece piece = { .copy = copy, .room = room };

	piece.run = (struct qmtp__run){ .data = copy, .fd = -1, .len = len };
	if (add_piece(p, &piece) == 0)
		return 0;
	free(copy);
	return -1;
}

/* One copy behind another is a part of it: a message may come line by line. */
static int
extend(struct qmtp_package *p, struct qmtp__piece *last, const void *data, size_t len)
{
	size_t old = (size_t)last->run.len;

	if (qmtp__grow(&last->copy, &last->room, old, len) < 0)
		return -1;
	memcpy(last->copy + old, data, len);
	last->run.data = last->copy;
	last->run.len += len;
	p->size += len;
	return 0;
}

int
qmtp_package_append(struct qmtp_package *p, const void *data, size_t len)
{
	struct qmtp__piece *last;
	char *copy;

	if (p->busy || len > INT64_MAX - p->size)
		return -1;
	if (len == 0)
		return 0;
	if (p->npieces > 0) {
		last = &p->pieces[p->npieces - 1];
		if (last->copy != NULL)
			return extend(p, last, data, len);
	}
	copy = malloc(len);
	if (copy == NULL)
		return -1;
	memcpy(copy, data, len);
	return qmtp__message_copy(p, copy, len, len);
}

int
qmtp_package_lend(struct qmtp_package *p, const void *data, size_t len)
{
	struct qmtp__piece piece = { .run = { .data = data, .fd = -1, .len = len } };

	if (len == 0)
		return p->busy ? -1 : 0;
	return add_piece(p, &piece);
}

int
qmtp__message_file(
    struct qmtp_package *p, int fd, uint64_t offset, uint64_t len, bool opened)
{
	struct qmtp__piece piece = { .run = { .fd = fd, .offset = offset, .len = len },
		.opened = opened };

	return add_piece(p, &piece);
}

int
qmtp_package_file(struct qmtp_package *p, int fd, uint64_t offset, uint64_t length)
{
	if (length == 0)
		return p->busy ? -1 : 0;
	if (length > INT64_MAX || offset > INT64_MAX - length)
		return -1;
	return qmtp__message_file(p, fd, offset, length, false);
}

void
qmtp_package_encoding(struct qmtp_package *p, enum qmtp_encoding encoding)
{
	if (!p->busy)
		p->encoding = encoding;
}

enum qmtp_encoding
qmtp_package_get_encoding(const struct qmtp_package *p)
{
	return p->encoding;
}

uint64_t
qmtp_package_size(const struct qmtp_package *p)
{
	return p->size;
}

/* Bytes of a run, wherever it is. */
static int
load(const struct qmtp__run *run, uint64_t skip, char *out, size_t len,
    struct qmtp_error *err)
{
	if (run->data != NULL)
		memcpy(out, run->data + skip, len);
	else if (qmtp__stream_load(run->fd, out, len, run->offset + skip) < 0)
		return qmtp__fail(err, QMTP_IDLE, QMTP_SOURCE,
		    "a file of the message cannot be read, or is too short");
	return 0;
}

ssize_t
qmtp_package_get_message(const struct qmtp_package *p, uint64_t offset, void *out,
    size_t size, struct qmtp_error *err)
{
	uint64_t at = 0; /* where in the message the piece is */
	size_t done = 0;

	if (size > SSIZE_MAX)
		size = SSIZE_MAX;
	for (size_t i = 0; i < p->npieces && done < size; i++) {
		const struct qmtp__run *run = &p->pieces[i].run;
		uint64_t skip = offset + done - at, n = size - done;

		at += run->len;
		if (skip >= run->len)
			continue;
		if (n > run->len - skip)
			n = run->len - skip;
		if (load(run, skip, (char *)out + done, (size_t)n, err) < 0)
			return -1;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* What is known of the lines so far. */
struct lines {
	bool some;
	bool bare;   /* an LF that no CR stands before */
	char before; /* the last byte */
};

static void
look(struct lines *l, const char *data, size_t len)
{
	const char *end = data + len, *at = data;

	while (!l->bare && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		l->some = true;
		l->bare = (at > data ? at[-1] : l->before) != '\r';
		at++;
	}
	l->before = end[-1];
}

static int
look_into(struct lines *l, const struct qmtp__run *run, struct qmtp_error *err)
{
	char data[READ_SIZE];
	uint64_t at = 0;

	if (run->data != NULL) {
		look(l, run->data, (size_t)run->len);
		return 0;
	}
	while (at < run->len && !l->bare) {
		uint64_t left = run->len - at;
		size_t n = left < sizeof(data) ? (size_t)left : sizeof(data);

		if (load(run, at, data, n, err) < 0)
			return -1;
		look(l, data, n);
		at += n;
	}
	return 0;
}

int
qmtp_package_detect(struct qmtp_package *p, struct qmtp_error *err)
{
	struct lines l = { 0 };

	if (qmtp__package_idle(p, err) < 0)
		return -1;
	for (size_t i = 0; i < p->npieces && !l.bare; i++)
		if (look_into(&l, &p->pieces[i].run, err) < 0)
			return -1;
	p->encoding = l.some && !l.bare ? QMTP_CRLF : QMTP_LF;
	return 0;
}
