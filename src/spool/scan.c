#include "spool/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* A directory of its own: a stream moves the offset of its descriptor. NULL with errno. */
static DIR *
open_again(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), e;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (dir == NULL && fd >= 0) {
		e = errno;
		close(fd);
		errno = e;
	}
	return dir;
}

/* The next name but "." and ".."; NULL at the end, with errno 0, or when reading fails. */
static const char *
next_name(DIR *dir)
{
	struct dirent *d;

	do {
		errno = 0;
		d = readdir(dir);
	} while (
	    d != NULL && (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0));
	return d != NULL ? d->d_name : NULL;
}

int
scan_queue(const struct spool *s, void (*f)(void *arg, const char *name), void *arg,
    struct error *err)
{
	DIR *dir = open_again(s->queue);
	const char *name;
	int r = 0;

	if (dir == NULL)
		return error_sys(err, EX_IOERR, "spool", "opening the queue");
	while ((name = next_name(dir)) != NULL)
		f(arg, name);
	if (errno != 0)
		r = error_sys(err, EX_IOERR, "spool", "reading the queue");
	closedir(dir);
	return r;
}

size_t
scan_stale(const struct spool *s, time_t now)
{
	DIR *dir = open_again(s->tmp);
	const char *name;
	size_t n = 0;

	if (dir == NULL)
		return 0;
	while ((name = next_name(dir)) != NULL) {
		struct stat sb;

		if (fstatat(s->tmp, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(sb.st_mode) && sb.st_mtim.tv_sec < now - SPOOL_STALE &&
		    unlinkat(s->tmp, name, 0) == 0)
			n++;
	}
	closedir(dir);
	return n;
}
