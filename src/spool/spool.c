#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

static const char hex[] = "0123456789abcdef";

static int
open_directory(int at, const char *name, const char *path, struct error *err)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, EX_CANTCREAT, path, "opening the spool");
	return fd;
}

int
spool_open(struct spool *s, const char *path, struct error *err)
{
	*s = (struct spool){ open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), -1, -1 };
	if (s->top < 0)
		return error_sys(err, EX_CANTCREAT, path, "opening the spool");
	s->tmp = open_directory(s->top, "tmp", path, err);
	if (s->tmp >= 0)
		s->queue = open_directory(s->top, "queue", path, err);
	if (s->queue >= 0)
		return 0;
	spool_close(s);
	return -1;
}

void
spool_close(struct spool *s)
{
	if (s->top >= 0)
		close(s->top);
	if (s->tmp >= 0)
		close(s->tmp);
	if (s->queue >= 0)
		close(s->queue);
	*s = (struct spool){ -1, -1, -1 };
}

void
spool_slot(char out[SPOOL_SLOT], char state, time_t when)
{
	uint32_t t = when < 0 ? 0 : when > UINT32_MAX ? UINT32_MAX : (uint32_t)when;

	out[0] = state;
	for (int i = 8; i > 0; i--, t >>= 4)
		out[i] = hex[t & 15];
	out[9] = '\n';
}

char
spool_slot_read(const char slot[SPOOL_SLOT], time_t *when)
{
	uint32_t t = 0;

	if (slot[0] == '\0' || strchr("P?KDWE", slot[0]) == NULL || slot[9] != '\n')
		return 0;
	for (int i = 1; i <= 8; i++) {
		char c = slot[i];

		if (c >= '0' && c <= '9')
			t = t << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			t = t << 4 | (uint32_t)(c - 'a' + 10);
		else
			return 0;
	}
	*when = (time_t)t;
	return slot[0];
}

int
spool_is_id(const char *name)
{
	size_t seconds = strspn(name, hex), inode;

	if (seconds == 0 || name[seconds] != '.')
		return 0;
	inode = strspn(name + seconds + 1, hex);
	return inode > 0 && name[seconds + 1 + inode] == '\0' &&
	    seconds + 1 + inode < SPOOL_ID;
}

int
spool_rename(int from, const char *name, int to, const char *new_name)
{
	if (syscall(SYS_renameat2, from, name, to, new_name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(from, name, to, new_name, 0) < 0)
		return -1;
	if (unlinkat(from, name, 0) == 0)
		return 0;
	unlinkat(to, new_name, 0); /* with two names nobody would touch it */
	return -1;
}
