#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#define CLOSE_MAX \
	65536 /* descriptors closed one by one where close_range(2) is missing */
#define READ_CHUNK 8192

int
file_sane_descriptors(void)
{
	struct pollfd standard[] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };
	long max;

	if (poll(standard, 3, 0) < 0)
		return -1;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if ((standard[fd].revents & POLLNVAL) == 0)
			continue;
		/* The lowest free number is fd: those below are open by now. */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDWR) != fd)
			return -1;
	}
#ifdef SYS_close_range
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0)
		return 0;
#endif
	max = sysconf(_SC_OPEN_MAX);
	if (max < 0 || max > CLOSE_MAX)
		max = CLOSE_MAX;
	for (int fd = STDERR_FILENO + 1; fd < max; fd++)
		close(fd);
	return 0;
}

int
file_write(int fd, const void *data, size_t n)
{
	const char *p = data;

	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (done == 0) {
			errno = EIO;
			return -1;
		} else if (errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

int
file_read(int fd, struct buf *b, size_t max)
{
	for (;;) {
		size_t want = max < READ_CHUNK ? max + 1 : READ_CHUNK;
		ssize_t n = read(fd, buf_reserve(b, want), want);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (n == 0)
			break;
		if ((size_t)n > max) {
			b->len += max;
			b->data[b->len] = '\0';
			errno = EFBIG;
			return -1;
		}
		b->len += (size_t)n;
		max -= (size_t)n;
	}
	b->data[b->len] = '\0';
	return 0;
}

static int
temporary_in(const char *dir)
{
	struct buf name = { 0 };
	int fd;

#ifdef O_TMPFILE
	fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
		return -1;
#endif
	/* Not every file system has files without a name. */
	buf_printf(&name, "%s/qmtp-sendmail.XXXXXX", dir);
	fd = mkostemp(name.data, O_CLOEXEC);
	if (fd >= 0 && unlink(name.data) < 0) {
		close(fd);
		fd = -1;
	}
	buf_free(&name);
	return fd;
}

int
file_temporary(const char *dir, struct error *err)
{
	const char *const dirs[] = { dir, "/var/tmp", "/tmp" };
	int fd;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (dirs[i] == NULL || dirs[i][0] == '\0')
			continue;
		fd = temporary_in(dirs[i]);
		if (fd >= 0)
			return fd;
	}
	fd = memfd_create("qmtp-sendmail", MFD_CLOEXEC);
	if (fd < 0)
		return error_sys(err, EX_OSERR, "temporary file", "creating it");
	return fd;
}
