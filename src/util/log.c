#include "util/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/text.h"

#ifndef LOG_SOCKET
#define LOG_SOCKET "/dev/log"
#endif

#define FULL_WAIT 50     /* ms that a full log may hold the program up, once */
#define GONE_PAUSE 60000 /* ms before a log that is gone is looked for again */

static struct {
	struct buf tag; /* empty: not open */
	int facility;
	pid_t pid;
	bool connected;
	bool stream;
	int fd; /* when connected */
	bool waited;
	int64_t gone_until; /* clock_ms() */
} state;

static void
hang_up(void)
{
	if (state.connected)
		close(state.fd);
	state.connected = false;
}

/* Returns 0, or -1 with errno. */
static int
connect_as(int type)
{
	static const struct sockaddr_un to = { .sun_family = AF_UNIX,
		.sun_path = LOG_SOCKET };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int saved;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	state.fd = fd;
	state.connected = true;
	state.stream = type == SOCK_STREAM;
	return 0;
}

static bool
connected(void)
{
	int rc;

	if (state.connected)
		return true;
	if (clock_ms() < state.gone_until)
		return false;
	rc = connect_as(SOCK_DGRAM);
	if (rc < 0 && errno == EPROTOTYPE)
		rc = connect_as(SOCK_STREAM);
	if (rc < 0)
		state.gone_until = clock_ms() + GONE_PAUSE;
	return rc == 0;
}

static bool
is_full(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

static void
wait_for_room(void)
{
	int64_t deadline = clock_ms() + FULL_WAIT;
	struct pollfd p = { .fd = state.fd, .events = POLLOUT };
	int64_t left = FULL_WAIT;

	state.waited = true;
	while (left > 0 && poll(&p, 1, (int)left) < 0 && errno == EINTR)
		left = deadline - clock_ms();
}

/* Returns 0, or -1 with errno. */
static int
send_once(const struct buf *line)
{
	/* On a stream the NUL behind the line ends it, as with syslog(3). */
	size_t n = line->len + (state.stream ? 1 : 0);
	ssize_t sent;

	do
		sent = send(state.fd, line->data, n, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0 && (size_t)sent < n)
		hang_up(); /* half a line on a stream: the rest must not become the next
			      one's start */
	return sent < 0 ? -1 : 0;
}

static void
send_line(const struct buf *line)
{
	bool again = false;

	while (connected()) {
		if (send_once(line) == 0)
			return;
		if (is_full(errno)) {
			if (state.waited)
				return;
			wait_for_room();
			continue;
		}
		hang_up(); /* restarted, most likely: ECONNREFUSED, ENOTCONN, ECONNRESET,
			      EPIPE */
		if (again)
			return;
		again = true;
	}
}

void
log_open(const char *tag, int facility)
{
	log_close();
	buf_clear(&state.tag);
	text_clean(&state.tag, tag, strlen(tag), LOG_TAG_MAX);
	/* What ends the tag for those who read the line must not be in it. */
	for (size_t i = 0; i < state.tag.len; i++)
		if (strchr(" :[]", state.tag.data[i]) != NULL)
			state.tag.data[i] = '_';
	state.facility = facility;
}

/* "<22>Nov 22 03:30:31 tag[pid]: ", in local time and without the locale (RFC 3164 §4.1).
 */
static void
add_prefix(struct buf *line, int priority)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	struct tm tm = { 0 };

	if (state.pid == 0)
		state.pid = getpid();
	localtime_r(&now, &tm);
	buf_printf(line,
	    "<%d>%.3s %2d %02d:%02d:%02d %s[%ld]: ", state.facility | priority,
	    months + 3 * (tm.tm_mon % 12), tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    state.tag.data, (long)state.pid);
}

void
log_line(int priority, const char *fmt, ...)
{
	char text[LOG_LINE_MAX + 2]; /* one byte more than fits: text_clean() sees it */
	struct buf line = { 0 };
	int saved = errno;
	va_list ap;
	int n;

	if (state.tag.len == 0)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n > 0) {
		add_prefix(&line, priority & LOG_PRIMASK);
		text_clean(&line, text, strlen(text), LOG_LINE_MAX);
		send_line(&line);
		buf_free(&line);
	}
	errno = saved;
}

int
log_facility(const char *name)
{
	static const struct {
		const char *name;
		int facility;
	} known[] = {
		{ "auth", LOG_AUTH },
		{ "authpriv", LOG_AUTHPRIV },
		{ "cron", LOG_CRON },
		{ "daemon", LOG_DAEMON },
		{ "ftp", LOG_FTP },
		{ "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 },
		{ "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 },
		{ "lpr", LOG_LPR },
		{ "mail", LOG_MAIL },
		{ "news", LOG_NEWS },
		{ "syslog", LOG_SYSLOG },
		{ "user", LOG_USER },
		{ "uucp", LOG_UUCP },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(name, known[i].name) == 0)
			return known[i].facility;
	return -1;
}

void
log_close(void)
{
	hang_up();
	buf_free(&state.tag);
	state.gone_until = 0;
}
