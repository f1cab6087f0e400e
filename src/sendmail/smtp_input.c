#include "sendmail/smtp_input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/xalloc.h"

/* Where in the text the next byte stands. */
enum { LINE_START, DOT, DOT_CR, IN_LINE, TEXT_END };

void
smtp_input_init(struct smtp_input *in, int fd, int64_t patience)
{
	*in = (struct smtp_input){
		.fd = fd, .data = xmalloc(SMTP_LINE_MAX), .patience = patience
	};
}

void
smtp_input_free(struct smtp_input *in)
{
	free(in->data);
	in->data = NULL;
}

static void
begin_piece(struct smtp_input *in)
{
	in->deadline = clock_ms() + in->patience;
	in->piece = 0;
}

/* Until there is something to read: 0, or -1 with errno. */
static int
wait_for_input(struct smtp_input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };
	int n;

	do {
		int64_t left = in->deadline - clock_ms();

		if (in->patience == 0)
			left = -1;
		else if (left < 0)
			left = 0;
		n = poll(&p, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	in->late = n == 0;
	if (n == 0)
		errno = ETIMEDOUT;
	return n > 0 ? 0 : -1;
}

/* As read(2), waiting; who hung up without a word has ended the input, too. */
static ssize_t
read_some(struct smtp_input *in, char *data, size_t len)
{
	for (;;) {
		ssize_t n = -1;

		if (in->patience == 0 || wait_for_input(in) == 0)
			n = read(in->fd, data, len);
		if (n >= 0)
			return n;
		if (errno == ECONNRESET)
			return 0;
		if (errno != EINTR && (errno != EAGAIN || wait_for_input(in) < 0))
			return -1;
	}
}

/*
 * Read more behind what is there. 1, 0 at the end of input, -1 with errno. There is
 * room.
 */
static int
fill(struct smtp_input *in)
{
	ssize_t n;

	if (in->begin > 0) {
		memmove(in->data, in->data + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->begin = 0;
	}
	n = read_some(in, in->data + in->end, SMTP_LINE_MAX - in->end);
	if (n < 0)
		return -1;
	in->end += (size_t)n;
	in->piece += (size_t)n;
	in->ended = n == 0;
	return n > 0;
}

static const char *
line_end(const struct smtp_input *in)
{
	return memchr(in->data + in->begin, '\n', in->end - in->begin);
}

bool
smtp_input_pending(const struct smtp_input *in)
{
	return line_end(in) != NULL;
}

enum smtp_line
smtp_input_line(struct smtp_input *in, const char **line, size_t *len)
{
	bool too_long = false;
	const char *lf;

	begin_piece(in);
	while ((lf = line_end(in)) == NULL) {
		int r;

		if (in->end - in->begin == SMTP_LINE_MAX) {
			too_long = true;
			in->begin = in->end = 0;
		}
		r = fill(in);
		if (r == 0)
			return SMTP_LINE_END;
		if (r < 0)
			return in->late ? SMTP_LINE_LATE : SMTP_LINE_FAILED;
	}
	*line = in->data + in->begin;
	*len = (size_t)(lf - *line);
	in->begin += *len + 1;
	in->crlf = *len > 0 && (*line)[*len - 1] == '\r';
	*len -= in->crlf;
	return too_long ? SMTP_LINE_TOO_LONG : SMTP_LINE;
}

void
smtp_input_begin_text(struct smtp_input *in)
{
	in->state = LINE_START;
	in->cr = false;
	in->text = 0;
	begin_piece(in);
}

/* Copy text up to the end of a line, as far as there is room. */
static size_t
copy_line(struct smtp_input *in, char *out, size_t len)
{
	const char *from = in->data + in->begin;
	size_t n = in->end - in->begin < len ? in->end - in->begin : len;
	const char *lf = memchr(from, '\n', n);

	if (lf != NULL) {
		bool cr = lf > from ? lf[-1] == '\r' : in->cr;

		n = (size_t)(lf - from) + 1;
		if (cr || !in->crlf)
			in->state = LINE_START;
	}
	memcpy(out, from, n);
	in->cr = from[n - 1] == '\r';
	in->begin += n;
	return n;
}

/*
 * Look at one byte at the beginning of a line. Returns how many bytes of text that
 * gives: 0 or 1.
 */
static size_t
begin_line(struct smtp_input *in, char *out)
{
	char c = in->data[in->begin];
	int state = in->state;

	in->cr = false;
	in->state = IN_LINE;
	if (state == LINE_START && c == '.')
		in->state = DOT;
	else if (state == DOT && c == '\r')
		in->state = DOT_CR;
	else if ((state == DOT && c == '\n' && !in->crlf) ||
	    (state == DOT_CR && c == '\n'))
		in->state = TEXT_END;
	if (in->state != IN_LINE) {
		in->begin++;
		return 0;
	}
	if (state != DOT_CR)
		return 0;
	in->cr = true; /* the CR was text after all; this byte is looked at again */
	*out = '\r';
	return 1;
}

ssize_t
smtp_input_text(void *input, char *out, size_t len)
{
	struct smtp_input *in = input;
	size_t n = 0;

	while (n < len && in->state != TEXT_END) {
		if (in->begin == in->end) {
			int r;

			if (n > 0)
				break;
			if (in->piece >= SMTP_LINE_MAX)
				begin_piece(in);
			r = fill(in);
			if (r == 0)
				errno = EPIPE;
			if (r <= 0)
				return -1;
		}
		if (in->state == IN_LINE)
			n += copy_line(in, out + n, len - n);
		else
			n += begin_line(in, out + n);
	}
	in->text += n;
	return (ssize_t)n;
}
