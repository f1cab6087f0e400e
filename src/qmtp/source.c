#include "qmtp/package.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qmtp/failure.h"

#define READ_SIZE 16384
#define SHOWN_MAX 120 /* bytes of a file's name in a text */

/* A source of pieces: a descriptor, and its name where it has one. */
struct source {
	int fd;
	const char *name;
	bool opened; /* the descriptor is the package's, once a piece refers to it */
};

/* errno, as "Is a directory while reading /tmp": in one line whatever the name is. */
static int
unreadable(const struct source *f, struct qmtp_error *err)
{
	char shown[SHOWN_MAX];
	size_t n = 0;

	for (; n < sizeof(shown) - 1 && f->name[n] != '\0'; n++)
		shown[n] = (unsigned char)f->name[n] < ' ' || f->name[n] == 127
		    ? '?'
		    : f->name[n];
	shown[n] = '\0';
	return qmtp__fail_system(err, QMTP_IDLE, "reading", shown);
}

static int
out_of_memory(struct qmtp_error *err)
{
	return qmtp__fail(err, QMTP_IDLE, QMTP_MEMORY, "out of memory");
}

static int
too_long(struct qmtp_error *err)
{
	return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
	    "the message is longer than %d bytes", QMTP_MESSAGE_MAX);
}

/* read(2), or pread(2) unless at is negative; waits where the descriptor would not. */
static ssize_t
read_some(int fd, char *data, size_t len, off_t at)
{
	for (;;) {
		struct pollfd v = { .fd = fd, .events = POLLIN };
		ssize_t n = at < 0 ? read(fd, data, len) : pread(fd, data, len, at);

		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
		if (errno == EAGAIN && poll(&v, 1, -1) < 0 && errno != EINTR)
			return -1;
	}
}

/* All that comes, into memory, as one piece. */
static int
add_stream(
    struct qmtp_package *p, const struct source *f, off_t at, struct qmtp_error *err)
{
	uint64_t most = QMTP_MESSAGE_MAX - p->size;
	char *data = NULL, *less;
	size_t len = 0, room = 0;
	int r = -1;

	for (;;) {
		ssize_t n;

		if (qmtp__grow(&data, &room, len, READ_SIZE) < 0) {
			out_of_memory(err);
			goto out;
		}
		n = read_some(
		    f->fd, data + len, room - len, at < 0 ? at : at + (off_t)len);
		if (n < 0) {
			unreadable(f, err);
			goto out;
		}
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > most) {
			too_long(err);
			goto out;
		}
	}
	r = 0;
	if (len > 0) {
		less = realloc(data, len);
		r = qmtp__message_copy(
		    p, less != NULL ? less : data, len, less != NULL ? len : room);
		data = NULL;
		if (r < 0)
			out_of_memory(err);
	}
out:
	free(data);
	return r;
}

/*
 * 1: the source is regular, and now part of the package; 0: its bytes are, or there are
 * none; -1 with err. A file that says it is empty is asked: those of /proc do.
 */
static int
add_source(struct qmtp_package *p, const struct source *f, struct qmtp_error *err)
{
	struct stat st;
	off_t at;

	if (qmtp__package_idle(p, err) < 0)
		return -1;
	if (fstat(f->fd, &st) < 0)
		return unreadable(f, err);
	if (p->size > QMTP_MESSAGE_MAX)
		return too_long(err);
	if (!S_ISREG(st.st_mode))
		return add_stream(p, f, -1, err);
	at = lseek(f->fd, 0, SEEK_CUR);
	if (at < 0)
		return unreadable(f, err);
	if (at >= st.st_size)
		return add_stream(p, f, at, err);
	if ((uint64_t)(st.st_size - at) > QMTP_MESSAGE_MAX - p->size)
		return too_long(err);
	if (qmtp__message_file(
		p, f->fd, (uint64_t)at, (uint64_t)(st.st_size - at), f->opened) < 0)
		return out_of_memory(err);
	return 1;
}

int
qmtp_package_read(struct qmtp_package *p, int fd, struct qmtp_error *err)
{
	struct source f = { .fd = fd, .name = "the descriptor" };

	return add_source(p, &f, err) < 0 ? -1 : 0;
}

int
qmtp_package_path(struct qmtp_package *p, const char *path, struct qmtp_error *err)
{
	struct source f = { .name = path, .opened = true };
	int r;

	do
		f.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (f.fd < 0 && errno == EINTR);
	if (f.fd < 0)
		return unreadable(&f, err);
	r = add_source(p, &f, err);
	if (r != 1)
		close(f.fd);
	return r < 0 ? -1 : 0;
}
