#include "flush/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

#define STATUS_MAX 160
#define STATUS_EVERY 1000 /* milliseconds between two of them, at least */

static struct {
	struct sockaddr_un to;
	socklen_t len; /* 0: nobody is to be told */
	int64_t every; /* milliseconds between signs of life; 0: none */
	int64_t next;
	char status[STATUS_MAX];
	int64_t status_at; /* when it was told */
} state;

/* A path, or, with an @ for its NUL, an abstract name. */
static void
take_address(const char *name)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(state.to.sun_path))
		return;
	state.to.sun_family = AF_UNIX;
	memcpy(state.to.sun_path, name, n);
	if (name[0] == '@')
		state.to.sun_path[0] = '\0';
	state.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

/* A decimal number; 0 if it is none. */
static long long
number(const char *s)
{
	char *end;
	long long n;

	if (s == NULL || *s < '0' || *s > '9')
		return 0;
	errno = 0;
	n = strtoll(s, &end, 10);
	return errno == 0 && *end == '\0' ? n : 0;
}

void
notify_init(void)
{
	const char *name = getenv("NOTIFY_SOCKET"), *pid = getenv("WATCHDOG_PID");
	long long usec = number(getenv("WATCHDOG_USEC"));

	if (name != NULL)
		take_address(name);
	if (usec > 0 && (pid == NULL || number(pid) == (long long)getpid())) {
		state.every = usec / 1000 / 2 > 0 ? usec / 1000 / 2 : 1;
		state.next = clock_ms();
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
}

static void
tell(const char *text)
{
	int fd;

	if (state.len == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&state.to,
	    state.len);
	close(fd);
}

void
notify_ready(void)
{
	tell("READY=1\n");
}

void
notify_reloading(void)
{
	struct timespec now;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	tell(text);
}

void
notify_stopping(void)
{
	tell("STOPPING=1\n");
}

void
notify_status(const char *fmt, ...)
{
	char line[STATUS_MAX] = "STATUS=";
	size_t at = strlen(line);
	va_list ap;

	if (state.len == 0 || clock_ms() < state.status_at + STATUS_EVERY)
		return;
	va_start(ap, fmt);
	vsnprintf(line + at, sizeof(line) - at, fmt, ap);
	va_end(ap);
	if (strcmp(line, state.status) == 0)
		return;
	state.status_at = clock_ms();
	memcpy(state.status, line, sizeof(line));
	tell(line);
}

void
notify_alive(void)
{
	if (state.every == 0 || clock_ms() < state.next)
		return;
	state.next = clock_ms() + state.every;
	tell("WATCHDOG=1\n");
}

int64_t
notify_deadline(void)
{
	return state.every == 0 ? CLOCK_NEVER : state.next;
}
