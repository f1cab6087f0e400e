#include "mail/message.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/body.h"
#include "mail/lines.h"
#include "util/xalloc.h"

#define READ_SIZE 65536

/* What message_read() knows while it reads. */
struct reading {
	const struct message_source *source;
	struct message *m;
	char *data;   /* READ_SIZE bytes, */
	size_t begin; /* of which data[begin..end) are read and not yet used */
	size_t end;
	uint64_t offset; /* where data[end] stands in the source, when that is a file */
	bool eof;
	struct buf line; /* a header line, or the beginning of one, that data did not hold
			    whole */
	struct body body;
	struct lines lines;
};

/* Read up to READ_SIZE bytes, waiting for them. Returns how many, 0 at the end, or -1. */
static ssize_t
read_some(const struct message_source *source, char *data)
{
	if (source->read != NULL)
		return source->read(source->arg, data, READ_SIZE);
	for (;;) {
		struct pollfd pfd = { .fd = source->fd, .events = POLLIN };
		ssize_t n = read(source->fd, data, READ_SIZE);

		if (n >= 0)
			return n;
		if (errno == EAGAIN && poll(&pfd, 1, -1) < 0 && errno != EINTR)
			return -1;
		if (errno != EAGAIN && errno != EINTR)
			return -1;
	}
}

/* Get more, when all there was is used. At the end there is no more, and eof. */
static int
fill(struct reading *r, struct error *err)
{
	ssize_t n = r->eof ? 0 : read_some(r->source, r->data);

	if (n < 0) {
		r->eof = true; /* nothing to drain */
		return error_sys(err, EX_IOERR, "standard input", "reading the message");
	}
	r->eof = n == 0;
	r->begin = 0;
	r->end = (size_t)n;
	r->offset += (size_t)n;
	return 0;
}

/*
 * The first bytes. When they fill the buffer the message may be a large one, and only
 * then it pays to ask what the source is. A file is stepped back, so that nothing is used
 * that was read before its state was seen.
 */
static int
first_fill(struct reading *r, struct error *err)
{
	struct stat *seen = &r->m->seen;
	off_t at;

	if (fill(r, err) < 0)
		return -1;
	if (r->source->read != NULL || r->end < READ_SIZE ||
	    fstat(r->source->fd, seen) < 0 || !S_ISREG(seen->st_mode))
		return 0;
	at = lseek(r->source->fd, -(off_t)r->end, SEEK_CUR);
	if (at < 0)
		return 0;
	r->body.same = true;
	r->offset = (uint64_t)at;
	return fill(r, err);
}

/* Read the rest and throw it away. */
static void
drain(struct reading *r)
{
	while (!r->eof)
		r->eof = read_some(r->source, r->data) <= 0;
}

/* Whether a line of n bytes is too long for a header, and was given up before its end. */
static bool
broken_off(const struct reading *r, size_t n)
{
	return n > READ_SIZE && n - READ_SIZE > r->source->max_header;
}

/*
 * The next line with its line end: in data, or when it spans reads, in r->line. The last
 * one may have no line end, and none of 0 bytes stands behind it. One that is longer than
 * any header may be is broken off.
 */
static int
next_line(struct reading *r, const char **text, size_t *n, struct error *err)
{
	buf_clear(&r->line);
	for (;;) {
		const char *p = r->data + r->begin;
		const char *lf = memchr(p, '\n', r->end - r->begin);
		size_t len = lf != NULL ? (size_t)(lf - p) + 1 : r->end - r->begin;

		r->begin += len;
		*text = p;
		*n = len;
		if (lf != NULL && r->line.len == 0)
			return 0;
		buf_add(&r->line, p, len);
		*text = r->line.data;
		*n = r->line.len;
		if (lf != NULL || broken_off(r, r->line.len))
			return 0;
		if (fill(r, err) < 0)
			return -1;
		if (r->eof)
			return 0;
	}
}

static int
check_header(const struct reading *r, bool broken, struct error *err)
{
	size_t len = r->m->header.text.len;

	if (r->m->header.n > HEADER_FIELDS_MAX)
		return error_set(err, EX_DATAERR,
		    "message: header of more than %d fields while reading it",
		    HEADER_FIELDS_MAX);
	if (broken || len > r->source->max_header)
		return error_set(err, EX_DATAERR,
		    "message: header of more than %zu bytes while reading it",
		    r->source->max_header);
	if (len > r->source->max_size)
		return error_set(err, EX_DATAERR,
		    "message: larger than %llu bytes while reading it",
		    (unsigned long long)r->source->max_size);
	return 0;
}

/*
 * Read the header block. Afterwards the body begins with the bytes in r->line, if there
 * are any, and goes on with what is left in data.
 */
static int
read_header(struct reading *r, struct error *err)
{
	enum header_line what = HEADER_TAKEN;
	const char *text;
	size_t n;

	while (what == HEADER_TAKEN) {
		if (next_line(r, &text, &n, err) < 0)
			return -1;
		if (n == 0)
			break;
		what = header_push(&r->m->header, text, n - (text[n - 1] == '\n'));
		if (what == HEADER_TAKEN && check_header(r, broken_off(r, n), err) < 0)
			return -1;
	}
	if (what == HEADER_BODY && text != r->line.data)
		r->begin -= n;
	if (what != HEADER_BODY || text != r->line.data)
		buf_free(&r->line);
	r->body.start = r->offset - (r->end - r->begin) - r->line.len;
	return 0;
}

static int
push(struct reading *r, char *data, size_t n, struct error *err)
{
	struct lines_out out;

	if (n == 0)
		return 0;
	lines_push(&r->lines, data, n, &out);
	return body_add(&r->body, &out, err);
}

static int
read_body(struct reading *r, struct error *err)
{
	struct lines_out out;

	if (push(r, r->line.data, r->line.len, err) < 0)
		return -1;
	buf_free(&r->line);
	while (!r->lines.ended) {
		if (push(r, r->data + r->begin, r->end - r->begin, err) < 0)
			return -1;
		if (r->lines.ended)
			break;
		if (fill(r, err) < 0)
			return -1;
		if (r->eof) {
			lines_end(&r->lines, &out);
			return body_add(&r->body, &out, err);
		}
	}
	return 0;
}

static int
source_unchanged(int fd, const struct stat *seen, struct error *err)
{
	struct stat now;

	if (fstat(fd, &now) < 0)
		return error_sys(err, EX_IOERR, "standard input", "looking for changes");
	if (now.st_dev != seen->st_dev || now.st_ino != seen->st_ino ||
	    now.st_size != seen->st_size || now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec ||
	    now.st_ctim.tv_sec != seen->st_ctim.tv_sec ||
	    now.st_ctim.tv_nsec != seen->st_ctim.tv_nsec)
		return error_set(err, EX_IOERR,
		    "standard input: file changed while the message was read");
	return 0;
}

int
message_read(struct message *m, const struct message_source *source, struct error *err)
{
	struct reading r = {
		.source = source,
		.m = m,
		.body = { .m = m, .source = source },
		.lines = { .dots = source->dots, .start = true },
	};
	int rc = -1;

	*m = (struct message){ .fd = -1 };
	r.data = xmalloc(READ_SIZE);
	if (first_fill(&r, err) < 0 || read_header(&r, err) < 0 || read_body(&r, err) < 0)
		goto out;
	if (r.body.borrowed && source_unchanged(source->fd, &m->seen, err) < 0)
		goto out;
	rc = 0;
out:
	if (!r.eof && (rc < 0 || !isatty(source->fd))) /* who types a dot is done */
		drain(&r);
	if (rc < 0)
		message_free(m);
	buf_free(&r.line);
	free(r.data);
	return rc;
}

uint64_t
message_size(const struct message *m)
{
	return m->head.len + m->length;
}

int
message_unchanged(const struct message *m, struct error *err)
{
	return m->borrowed ? source_unchanged(m->fd, &m->seen, err) : 0;
}

void
message_free(struct message *m)
{
	header_free(&m->header);
	buf_free(&m->head);
	buf_free(&m->memory);
	if (m->fd >= 0 && !m->borrowed)
		close(m->fd);
	*m = (struct message){ .fd = -1 };
}
