#include "sendmail/complain.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "util/log.h"

#define PATIENCE 50 /* milliseconds */
#define LINE_MOST \
	4096 /* a pipe that is ready takes this much without blocking (PIPE_BUF) */

static const char *program_name = "sendmail";
static bool silent;
static struct buf *collected; /* instead of stderr */
static bool deaf[3];          /* by descriptor: nobody reads there */

void
complain_as(const char *program, int quiet)
{
	program_name = program;
	silent = quiet;
}

static void
say(int fd, const char *line, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (deaf[fd])
		return;
	if (poll(&p, 1, PATIENCE) != 1 ||
	    write(fd, line, len < LINE_MOST ? len : LINE_MOST) < 0)
		deaf[fd] = true;
}

void
complain(const char *fmt, ...)
{
	struct buf line = { 0 };
	char text[LINE_MOST];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line(LOG_ERR, "%s", text);
	if (collected != NULL)
		buf_printf(collected, "%s\n", text);
	if (silent || collected != NULL)
		return;
	buf_printf(&line, "%s: %s\n", program_name, text);
	if (line.len > LINE_MOST)
		line.data[LINE_MOST - 1] = '\n';
	say(STDERR_FILENO, line.data, line.len);
	buf_free(&line);
}

void
complain_into(struct buf *lines)
{
	collected = lines;
}

void
complain_trace(const char *line, size_t len)
{
	say(STDOUT_FILENO, line, len);
}
