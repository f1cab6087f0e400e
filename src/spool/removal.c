#include "spool/removal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/clock.h"

#define ATTEMPTS 1000 /* at a name that nobody has */
#define NAME_ROOM 264 /* a file name, ".999", NUL */

static void
count(struct removal *r)
{
	if (r->pending++ == 0)
		r->oldest = clock_ms();
}

int
removal_unlink(struct removal *r, const char *id, struct error *err)
{
	/* One that its owner has removed would come back, too. */
	if (unlinkat(r->spool->queue, id, 0) < 0 && errno != ENOENT)
		return error_sys(err, EX_IOERR, id, "removing it from the queue");
	count(r);
	return 0;
}

/* Under its own name, or the first free one behind it, which is put into name. */
static int
rename_free(const struct spool *s, const char *id, int to, char name[NAME_ROOM])
{
	snprintf(name, NAME_ROOM, "%s", id);
	for (unsigned i = 1; spool_rename(s->queue, id, to, name) < 0; i++) {
		if (errno != EEXIST || i == ATTEMPTS)
			return -1;
		snprintf(name, NAME_ROOM, "%s.%u", id, i);
	}
	return 0;
}

int
removal_move(struct removal *r, const char *id, const char *directory, struct error *err)
{
	const struct spool *s = r->spool;
	int to =
	    openat(s->top, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char name[NAME_ROOM];
	int result = 0;

	if (to < 0)
		return error_sys(err, EX_IOERR, directory, "opening the directory");
	if (rename_free(s, id, to, name) < 0) {
		if (errno != ENOENT)
			result = error_sys(err, EX_IOERR, id, "moving it aside");
	} else if (fsync(to) < 0) {
		result = error_sys(err, EX_IOERR, directory, "syncing the directory");
		spool_rename(to, name, s->queue, id);
	}
	close(to);
	if (result == 0)
		count(r);
	return result;
}

bool
removal_due(const struct removal *r)
{
	return r->pending > 0 && clock_ms() >= removal_deadline(r);
}

int64_t
removal_deadline(const struct removal *r)
{
	if (r->pending == 0)
		return CLOCK_NEVER;
	return r->pending >= REMOVAL_BATCH ? r->oldest : r->oldest + REMOVAL_AGE;
}

int
removal_sync(struct removal *r, struct error *err)
{
	if (r->pending == 0)
		return 0;
	if (fsync(r->spool->queue) < 0)
		return error_sys(err, EX_IOERR, "spool", "syncing the queue");
	r->pending = 0;
	return 0;
}
