#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/file.h"

#define PIECE_MAX 64 /* bytes of most pieces, so that small inputs fall into many */

static struct {
	const char *data;
	size_t left;
	unsigned cut;
	bool fails;
	int fd;
} source = { .fd = -1 };

void
broken(const char *promise)
{
	fprintf(stderr, "broken: %s\n", promise);
	abort();
}

bool
is_clean(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

bool
same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* What the C library has, but for the descriptor of source_open(). */
ssize_t
read(int fd, void *data, size_t n)
{
	if (fd < 0 || fd != source.fd)
		return (ssize_t)syscall(SYS_read, fd, data, n);
	if (source.cut != 0) {
		size_t most;

		source.cut = source.cut * 1103515245 + 12345;
		if (source.cut % 11 == 0) {
			errno = source.cut % 2 == 0 ? EINTR : EAGAIN;
			return -1;
		}
		most = 1 + (source.cut >> 16) % PIECE_MAX;
		if (source.left > 4096) /* or the first of a long input are too many */
			most = source.left - 4096;
		if (n > most)
			n = most;
	}
	if (source.left == 0 && source.fails) {
		errno = EIO;
		return -1;
	}
	if (n > source.left)
		n = source.left;
	if (n > 0)
		memcpy(data, source.data, n);
	source.data += n;
	source.left -= n;
	return (ssize_t)n;
}

int
source_open(const void *data, size_t n, unsigned cut, bool fails)
{
	must(source.fd < 0, "one source at a time");
	source.data = data;
	source.left = n;
	source.cut = cut;
	source.fails = fails;
	source.fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* poll(2): always ready */
	must(source.fd >= 0, "there is /dev/null");
	return source.fd;
}

void
source_close(int fd)
{
	must(fd == source.fd, "the source is the one that is open");
	source.fd = -1;
	close(fd);
}

int
file_open(const void *data, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && fchmod(fd, 0600) == 0 && file_write(fd, data, n) == 0 &&
		lseek(fd, 0, SEEK_SET) == 0,
	    "there are files in memory");
	return fd;
}

char *
file_path(int fd)
{
	struct buf path = { 0 };

	buf_printf(&path, "/proc/self/fd/%d", fd);
	return buf_detach(&path);
}
