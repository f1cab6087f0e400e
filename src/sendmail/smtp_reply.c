#include "sendmail/smtp_reply.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "util/clock.h"
#include "util/file.h"

static void
add_line(struct smtp_reply *r, const char *code, bool more, const char *status,
    const char *text, size_t len)
{
	buf_printf(&r->out, "%s%c%s%s", code, more ? '-' : ' ', status,
	    *status != '\0' ? " " : "");
	for (size_t i = 0; i < len; i++)
		buf_byte(&r->out, text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
	buf_str(&r->out, "\r\n");
}

void
smtp_reply_line(struct smtp_reply *r, const char *code, bool more, const char *status,
    const char *text)
{
	add_line(r, code, more, status, text, strnlen(text, SMTP_REPLY_TEXT));
}

/* How much of the text goes into one line: up to the end of its own, or of a word. */
static size_t
piece(const char *text)
{
	size_t len = strcspn(text, "\n");
	size_t cut = SMTP_REPLY_TEXT;

	if (len <= SMTP_REPLY_TEXT)
		return len;
	while (cut > SMTP_REPLY_TEXT / 2 && text[cut] != ' ')
		cut--;
	return text[cut] == ' ' ? cut : SMTP_REPLY_TEXT;
}

void
smtp_reply(struct smtp_reply *r, const char *code, const char *status, const char *text)
{
	bool more = true;

	for (int n = 1; more; n++) {
		size_t len = piece(text);
		const char *next = text + len;

		if (*next == ' ' || *next == '\n')
			next++;
		more = *next != '\0' && n < SMTP_REPLY_LINES;
		add_line(r, code, more, status, text, len);
		text = next;
	}
}

/* A socket is only written to when it takes something at once. */
static int
send_in_time(const struct smtp_reply *r)
{
	const char *p = r->out.data;
	size_t left = r->out.len;
	int64_t deadline = clock_ms() + r->patience;

	while (left > 0) {
		struct pollfd pfd = { .fd = r->fd, .events = POLLOUT };
		ssize_t n = send(r->fd, p, left, MSG_DONTWAIT | MSG_NOSIGNAL);
		int64_t wait = deadline - clock_ms();

		if (n >= 0) {
			p += n;
			left -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -1;
		if (wait <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (poll(&pfd, 1, (int)wait) < 0 && errno != EINTR)
			return -1;
	}
	return 0;
}

int
smtp_reply_flush(struct smtp_reply *r)
{
	int result = 0;

	if (r->out.len > 0 && r->patience > 0)
		result = send_in_time(r);
	else if (r->out.len > 0)
		result = file_write(r->fd, r->out.data, r->out.len);
	buf_clear(&r->out);
	return result;
}

void
smtp_reply_free(struct smtp_reply *r)
{
	buf_free(&r->out);
}
