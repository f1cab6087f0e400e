#include "queue/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/serve.h"
#include "queue/signals.h"
#include "util/clock.h"

#define BACKLOG 128
#define BREATH 1000 /* milliseconds to wait when the system has no more of something */
#define SOCKET_MODE 0666

static const struct sockaddr_un name = { .sun_family = AF_UNIX,
	.sun_path = QUEUE_SOCKET };

static int
make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Make the name free: a socket that nobody answers behind is one that was left. */
static int
clear_name(void)
{
	struct stat sb;
	int fd, refused;

	if (lstat(QUEUE_SOCKET, &sb) < 0)
		return errno == ENOENT ? EX_OK : EX_CANTCREAT;
	if (!S_ISSOCK(sb.st_mode))
		return EX_CANTCREAT;
	fd = make_socket();
	if (fd < 0)
		return EX_OSERR;
	refused = connect(fd, (const struct sockaddr *)&name, sizeof(name)) < 0 &&
	    errno == ECONNREFUSED;
	close(fd);
	if (!refused)
		return EX_UNAVAILABLE;
	return unlink(QUEUE_SOCKET) < 0 ? EX_CANTCREAT : EX_OK;
}

/* What stands at our name, in *sb; whether it is ours is seen by that later. */
static int
open_name(int fd, struct stat *sb)
{
	int bound;

	umask(~SOCKET_MODE & 0777);
	bound = bind(fd, (const struct sockaddr *)&name, sizeof(name));
	umask(0);
	if (bound < 0)
		return EX_CANTCREAT;
	if (lstat(QUEUE_SOCKET, sb) < 0 || listen(fd, BACKLOG) < 0) {
		unlink(QUEUE_SOCKET);
		return EX_CANTCREAT;
	}
	return EX_OK;
}

static void
remove_name(const struct stat *ours)
{
	struct stat sb;

	if (lstat(QUEUE_SOCKET, &sb) == 0 && sb.st_dev == ours->st_dev &&
	    sb.st_ino == ours->st_ino)
		unlink(QUEUE_SOCKET);
}

static void
reap(unsigned *children)
{
	while (*children > 0 && waitpid(-1, NULL, WNOHANG) > 0)
		--*children;
}

static void
breathe(void)
{
	signals_poll(NULL, 0, clock_ms() + BREATH);
}

/* A child for this connection. Whoever is let in waits for it, as long as he likes to. */
static void
hand_on(struct peer *p, int fd, int connection, unsigned *children)
{
	pid_t pid;

	while ((pid = fork()) < 0 && !signals_caught()) {
		reap(children);
		breathe();
	}
	if (pid > 0)
		++*children;
	if (pid != 0)
		return;
	close(fd);
	setpgid(0, 0);
	signals_release();
	_exit(serve(p, connection));
}

static void
work(struct peer *p, int fd)
{
	unsigned children = 0;

	while (!signals_caught()) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int connection;

		reap(&children);
		if (children >= LISTENER_CHILDREN)
			pfd.fd = -1; /* one of them must end first */
		if (signals_poll(&pfd, 1, CLOCK_NEVER) <= 0)
			continue;
		connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (connection >= 0) {
			hand_on(p, fd, connection, &children);
			close(connection);
		} else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			breathe();
		}
	}
}

int
listener_run(struct peer *p)
{
	struct stat ours;
	int fd, code;

	signals_hold_children();
	code = clear_name();
	if (code != EX_OK)
		return code;
	fd = make_socket();
	if (fd < 0)
		return EX_OSERR;
	code = open_name(fd, &ours);
	if (code == EX_OK) {
		work(p, fd);
		remove_name(&ours);
	}
	close(fd);
	return code;
}
