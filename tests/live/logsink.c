/*
 * logsink SOCKET FILE: what syslogd does, in little. Takes datagrams at SOCKET and appends
 * each to FILE as one line; bytes that are no text become '?'. Ends with SIGTERM, with the
 * process that started it, or after ten minutes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LIFETIME 600    /* seconds */
#define LINE_BYTES 8192 /* bytes */

static int
listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	umask(0111); /* every user logs */
	return bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : fd;
}

/* Returns 0, or -1 with errno. */
static int
copy_line(int from, int to)
{
	char line[LINE_BYTES + 1];
	ssize_t n = recv(from, line, LINE_BYTES, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	line[n] = '\n';
	return write(to, line, (size_t)n + 1) == n + 1 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	time_t end = time(NULL) + LIFETIME;
	struct pollfd p = { .events = POLLIN };
	int file;

	if (argc != 3) {
		fprintf(stderr, "usage: logsink SOCKET FILE\n");
		return 64;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	file = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (file < 0) {
		perror(argv[2]);
		return 1;
	}
	p.fd = listen_at(argv[1]);
	if (p.fd < 0) {
		perror(argv[1]);
		return 1;
	}
	while (time(NULL) < end) {
		if (poll(&p, 1, 1000) > 0 && copy_line(p.fd, file) < 0) {
			perror(argv[2]);
			return 1;
		}
	}
	return 0;
}
