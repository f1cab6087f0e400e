#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static int
buffers(int fd, const struct settings *settings, struct error *err)
{
	int rcvbuf = (int)settings->rcvbuf, sndbuf = (int)settings->sndbuf;

	/* accepted connections inherit them */
	if (rcvbuf > 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf)) < 0)
		return error_sys(err, EX_OSERR, "--rcvbuf", "setting a socket up");
	if (sndbuf > 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf)) < 0)
		return error_sys(err, EX_OSERR, "--sndbuf", "setting a socket up");
	return 0;
}

static int
bind_inet(struct listener *l, const struct settings *settings, struct error *err)
{
	struct addrinfo hints = { .ai_flags =
				      AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *ai;
	char port[8];
	int on = 1, result = 0, rc;

	snprintf(port, sizeof(port), "%u", (unsigned)settings->port);
	rc = getaddrinfo(settings->addr, port, &hints, &ai);
	if (rc != 0)
		return error_set(
		    err, EX_USAGE, "%s: %s", settings->addr, gai_strerror(rc));
	l->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0 ||
	    setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(l->fd, ai->ai_addr, ai->ai_addrlen) < 0)
		result = error_sys(err, EX_OSERR, settings->addr, "binding");
	freeaddrinfo(ai);
	return result;
}

/* Bound under another name, so that whoever sees the right one can connect. */
static int
bind_unix(struct listener *l, const char *path, union address *a, struct error *err)
{
	struct stat st;
	int n;

	*a = (union address){ .un = { .sun_family = AF_UNIX } };
	n = snprintf(a->un.sun_path, sizeof(a->un.sun_path), "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof(a->un.sun_path))
		return error_set(err, EX_USAGE, "%s: too long for a socket", path);
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return error_set(err, EX_CANTCREAT, "%s: exists and is no socket", path);
	unlink(path);
	unlink(a->un.sun_path);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || bind(l->fd, &a->any, sizeof(a->un)) < 0)
		return error_sys(err, EX_OSERR, path, "binding");
	return 0;
}

static void
fill_backlog(struct listener *l, const union address *a, socklen_t len)
{
	for (int i = 0; i < LISTEN_FILL; i++) {
		l->fill[i] = socket(
		    a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (l->fill[i] >= 0 && connect(l->fill[i], &a->any, len) < 0 &&
		    errno != EINPROGRESS) { /* a unix socket says so when it is full */
			close(l->fill[i]);
			l->fill[i] = -1;
		}
	}
}

/* Say which port it became. */
static int
announce(const struct settings *settings, unsigned port, struct error *err)
{
	char name[4096];
	FILE *f;
	int n;

	if (settings->port_file == NULL) {
		if (settings->unix_path == NULL &&
		    (printf("%u\n", port) < 0 || fflush(stdout) != 0))
			return error_sys(
			    err, EX_IOERR, "standard output", "printing the port");
		return 0;
	}
	n = snprintf(name, sizeof(name), "%s.new", settings->port_file);
	if (n < 0 || (size_t)n >= sizeof(name))
		return error_set(err, EX_USAGE, "%s: too long", settings->port_file);
	f = fopen(name, "we");
	if (f == NULL)
		return error_sys(err, EX_CANTCREAT, name, "writing the port");
	n = fprintf(f, "%u\n", port);
	if (fclose(f) != 0 || n < 0 || rename(name, settings->port_file) < 0)
		return error_sys(err, EX_IOERR, settings->port_file, "writing the port");
	return 0;
}

int
listener_open(struct listener *l, const struct settings *settings, char *where,
    size_t where_size, struct error *err)
{
	union address a = { .any = { .sa_family = AF_UNSPEC } };
	socklen_t len = sizeof(a);
	unsigned port = 0;

	*l = (struct listener){ .fd = -1, .path = settings->unix_path };
	for (int i = 0; i < LISTEN_FILL; i++)
		l->fill[i] = -1;
	l->accepts = !settings->refuse && !settings->blackhole;
	if ((l->path != NULL ? bind_unix(l, l->path, &a, err)
			     : bind_inet(l, settings, err)) < 0 ||
	    buffers(l->fd, settings, err) < 0)
		return -1;
	if (!settings->refuse &&
	    listen(l->fd, settings->blackhole ? 0 : (int)settings->backlog) < 0)
		return error_sys(err, EX_OSERR, settings->addr, "listening");
	if (l->path == NULL) {
		if (getsockname(l->fd, &a.any, &len) < 0)
			return error_sys(
			    err, EX_OSERR, settings->addr, "asking for the port");
		port =
		    ntohs(a.any.sa_family == AF_INET6 ? a.in6.sin6_port : a.in.sin_port);
		snprintf(where, where_size, " addr=%s port=%u", settings->addr, port);
	} else {
		len = sizeof(a.un);
		snprintf(where, where_size, " path=%s", l->path);
	}
	if (settings->blackhole)
		fill_backlog(l, &a, len);
	if (l->path != NULL && rename(a.un.sun_path, l->path) < 0)
		return error_sys(err, EX_OSERR, l->path, "naming the socket");
	return announce(settings, port, err);
}

void
listener_close(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	for (int i = 0; i < LISTEN_FILL; i++)
		if (l->fill[i] >= 0)
			close(l->fill[i]);
	if (l->path != NULL && l->fd >= 0)
		unlink(l->path);
}
