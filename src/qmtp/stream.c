#include "qmtp/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_SYS_SENDFILE_H
#include <sys/sendfile.h>
#endif

#include "qmtp/tls.h"

#define RECORD_SIZE 16384             /* bytes that TLS takes at a time */
#define COPY_SIZE 65536               /* bytes at a time where there is no sendfile */
#define FILE_MOST ((uint64_t)1 << 30) /* bytes asked of one sendfile */

void
qmtp__stream_close(struct qmtp__stream *s)
{
	qmtp__tls_free(s->tls);
	s->tls = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

ssize_t
qmtp__stream_read(const struct qmtp__stream *s, void *data, size_t len)
{
	ssize_t n;

	if (s->tls != NULL)
		return qmtp__tls_read(s->tls, data, len);
	do
		n = recv(s->fd, data, len, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t
qmtp__stream_write(
    const struct qmtp__stream *s, const struct iovec *v, size_t n, int more)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = n };
	ssize_t done;

	if (s->tls != NULL)
		return qmtp__tls_write(s->tls, v, n);
	do
		done = sendmsg(
		    s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
	while (done < 0 && errno == EINTR);
	return done;
}

short
qmtp__stream_events(const struct qmtp__stream *s, bool sending)
{
	const struct qmtp__tls *t = s->tls;
	short events = sending ? POLLOUT : 0;

	if (t != NULL && sending && t->writes != 0)
		events = t->writes;
	return (short)(POLLIN | events | (t != NULL ? t->reads : 0));
}

const char *
qmtp__stream_trouble(const struct qmtp__stream *s)
{
	return s->tls != NULL ? s->tls->ops->trouble(s->tls->connection) : "";
}

/* To set TCP_NODELAY sends what was held back. On other sockets nothing is. */
void
qmtp__stream_push(const struct qmtp__stream *s)
{
	int on = 1;

	if (s->tls != NULL) /* it holds nothing back */
		return;
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int
qmtp__stream_load(int file, void *data, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n =
		    pread(file, (char *)data + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return 0;
}

static ssize_t
copy(const struct qmtp__stream *s, int file, uint64_t offset, uint64_t len, int *source)
{
	char data[COPY_SIZE];
	size_t most = s->tls != NULL ? RECORD_SIZE : sizeof(data);
	struct iovec v = { .iov_base = data };
	ssize_t n;

	do
		n = pread(file, data, len < most ? (size_t)len : most, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n <= 0) {
		*source = 1;
		return n;
	}
	v.iov_len = (size_t)n;
	return qmtp__stream_write(s, &v, 1, 0);
}

#ifdef HAVE_SYS_SENDFILE_H

/*
 * sendfile(2) has no MSG_NOSIGNAL: a SIGPIPE of its own is held back and taken out
 * again. It may come with a success, too: of what went before the other end did.
 */
static ssize_t
sendfile_quietly(int fd, int file, off_t *at, size_t len)
{
	const struct timespec now = { 0 };
	sigset_t pipe_only, before;
	ssize_t n;
	int saved;

	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	if (pthread_sigmask(SIG_BLOCK, &pipe_only, &before) != 0)
		return -1;
	do
		n = sendfile(fd, file, at, len);
	while (n < 0 && errno == EINTR);
	saved = errno;
	if (!sigismember(&before, SIGPIPE)) {
		if (n < 0 ? saved == EPIPE : (size_t)n < len)
			sigtimedwait(&pipe_only, NULL, &now);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	errno = saved;
	return n;
}

ssize_t
qmtp__stream_file(
    const struct qmtp__stream *s, int file, uint64_t offset, uint64_t len, int *source)
{
	off_t at = (off_t)offset;
	ssize_t n;

	*source = 0;
	if (s->tls != NULL)
		return copy(s, file, offset, len, source);
	n = sendfile_quietly(
	    s->fd, file, &at, len < FILE_MOST ? (size_t)len : (size_t)FILE_MOST);
	if (n < 0 &&
	    (errno == EINVAL || errno == ENOSYS || errno == EOVERFLOW || errno == EBADF))
		return copy(s, file, offset, len, source);
	if (n == 0 || (n < 0 && errno == EIO))
		*source = 1;
	return n;
}

#else

ssize_t
qmtp__stream_file(
    const struct qmtp__stream *s, int file, uint64_t offset, uint64_t len, int *source)
{
	*source = 0;
	return copy(s, file, offset, len, source);
}

#endif
