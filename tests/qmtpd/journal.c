#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/clock.h"

#define EVENT_MAX 512

int
journal_open(struct journal *j, const char *path, struct error *err)
{
	*j = (struct journal){ .fd = -1, .start = clock_ms() };
	if (path == NULL)
		return 0;
	j->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
	if (j->fd < 0)
		return error_sys(err, EX_CANTCREAT, path, "opening the log");
	return 0;
}

void
journal_close(struct journal *j)
{
	journal_flush(j);
	if (j->fd >= 0)
		close(j->fd);
	buf_free(&j->lines);
}

void
journal_event(struct journal *j, uint64_t conn, const char *event, uint64_t bytes,
    const char *fmt, ...)
{
	char text[EVENT_MAX];
	va_list ap;

	if (j->fd < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_printf(&j->lines, "%" PRId64 " conn=%" PRIu64 " %s bytes=%" PRIu64 "%s\n",
	    clock_ms() - j->start, conn, event, bytes, text);
}

void
journal_flush(struct journal *j)
{
	size_t done = 0;

	while (j->fd >= 0 && done < j->lines.len) {
		ssize_t n = write(j->fd, j->lines.data + done, j->lines.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fprintf(stderr, "qmtpd: log: %s\n", strerror(errno));
			close(j->fd);
			j->fd = -1;
			break;
		}
		done += (size_t)n;
	}
	buf_clear(&j->lines);
}
