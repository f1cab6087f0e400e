#include "mail/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/file.h"
#include "util/xalloc.h"

#define COPY_SIZE 65536

static int
write_out(int fd, const char *data, size_t n, struct error *err)
{
	if (file_write(fd, data, n) < 0)
		return error_sys(err, EX_OSERR, "temporary file", "writing the message");
	return 0;
}

/* Copy the body, which was borrowed, from the source. */
static int
copy_borrowed(const struct message *m, int to, struct error *err)
{
	char *data = xmalloc(COPY_SIZE);
	uint64_t left = m->length;
	int rc = 0;

	while (rc == 0 && left > 0) {
		size_t want = left < COPY_SIZE ? (size_t)left : COPY_SIZE;
		ssize_t n =
		    pread(m->fd, data, want, (off_t)(m->offset + m->length - left));

		if (n > 0) {
			rc = write_out(to, data, (size_t)n, err);
			left -= (size_t)n;
		} else if (n == 0) {
			rc = error_set(err, EX_IOERR,
			    "standard input: file changed while reading the message");
		} else if (errno != EINTR) {
			rc = error_sys(
			    err, EX_IOERR, "standard input", "reading the message");
		}
	}
	free(data);
	return rc;
}

static int
move_to_file(struct message *m, const char *tmpdir, struct error *err)
{
	int fd = file_temporary(tmpdir, err);
	int rc;

	if (fd < 0)
		return -1;
	if (m->borrowed)
		rc = copy_borrowed(m, fd, err);
	else
		rc = write_out(fd, m->memory.data, m->memory.len, err);
	if (rc < 0) {
		close(fd);
		return -1;
	}
	buf_free(&m->memory);
	m->fd = fd;
	m->offset = 0;
	m->borrowed = false;
	return 0;
}

/* Make sure that n more bytes may go to where the body is, or move it to where they may.
 */
static int
choose_place(struct body *b, size_t n, struct error *err)
{
	struct message *m = b->m;

	if (m->fd < 0 && m->length + n <= MESSAGE_MEMORY)
		return 0;
	if (m->fd >= 0 && (!m->borrowed || b->same))
		return 0;
	if (!b->same)
		return move_to_file(m, b->source->tmpdir, err);
	buf_free(&m->memory);
	m->fd = b->source->fd;
	m->offset = b->start;
	m->borrowed = b->borrowed = true;
	return 0;
}

static int
add(struct body *b, const char *data, size_t n, struct error *err)
{
	struct message *m = b->m;
	uint64_t room = b->source->max_size;

	if (n == 0)
		return 0;
	room -= room < m->header.text.len ? room : m->header.text.len;
	if (m->length > room || n > room - m->length)
		return error_set(err, EX_DATAERR,
		    "message: larger than %llu bytes while reading it",
		    (unsigned long long)b->source->max_size);
	if (choose_place(b, n, err) < 0)
		return -1;
	if (m->fd < 0)
		buf_add(&m->memory, data, n);
	else if (!m->borrowed && write_out(m->fd, data, n, err) < 0)
		return -1;
	m->length += n;
	return 0;
}

int
body_add(struct body *b, const struct lines_out *out, struct error *err)
{
	char crs[64];
	uint64_t left = out->crs;

	memset(crs, '\r', sizeof(crs));
	if (out->dot && add(b, ".", 1, err) < 0)
		return -1;
	while (left > 0) {
		size_t n = left < sizeof(crs) ? (size_t)left : sizeof(crs);

		if (add(b, crs, n, err) < 0)
			return -1;
		left -= n;
	}
	if (out->changed && out->n > 0)
		b->same = false;
	return add(b, out->data, out->n, err);
}
