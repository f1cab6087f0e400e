#include "spool/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/file.h"

#define ATTEMPTS 100     /* at a name that nobody has */
#define WRITE_SIZE 65536 /* bytes in one write */

int
store_begin(struct store *st, const struct spool *spool, struct error *err)
{
	struct timespec now;

	*st = (struct store){ .spool = spool, .fd = -1 };
	/* Memory that is missing ends the program: before there is a file. */
	buf_reserve(&st->pending, WRITE_SIZE);
	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		snprintf(st->name, sizeof(st->name), "%lx.%lx.%x",
		    (unsigned long)getpid(), (unsigned long)now.tv_nsec, i);
		st->fd = openat(spool->tmp, st->name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
		if (st->fd >= 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	error_sys(err, EX_CANTCREAT, "spool", "creating a file");
	buf_free(&st->pending);
	return -1;
}

static int
write_pending(struct store *st, struct error *err)
{
	if (file_write(st->fd, st->pending.data, st->pending.len) < 0)
		return error_sys(err, EX_CANTCREAT, "spool", "writing the message");
	buf_clear(&st->pending);
	return 0;
}

int
store_write(struct store *st, const void *data, size_t n, struct error *err)
{
	if (st->pending.len > 0 && n > WRITE_SIZE - st->pending.len &&
	    write_pending(st, err) < 0)
		return -1;
	if (n < WRITE_SIZE) {
		buf_add(&st->pending, data, n);
		return 0;
	}
	if (file_write(st->fd, data, n) < 0)
		return error_sys(err, EX_CANTCREAT, "spool", "writing the message");
	return 0;
}

int
store_slots(struct store *st, size_t n, char state, time_t now, struct error *err)
{
	char slot[SPOOL_SLOT];

	spool_slot(slot, state, now);
	for (size_t i = 0; i < n; i++)
		if (store_write(st, slot, sizeof(slot), err) < 0)
			return -1;
	spool_slot(slot, 'P', now);
	return store_write(st, slot, sizeof(slot), err);
}

static int
fail(struct store *st, struct error *err, const char *doing)
{
	error_sys(err, EX_CANTCREAT, "spool", doing);
	store_abort(st);
	return -1;
}

int
store_commit(struct store *st, time_t now, char id[SPOOL_ID], struct error *err)
{
	struct stat sb;

	if (write_pending(st, err) < 0) {
		store_abort(st);
		return -1;
	}
	if (fsync(st->fd) < 0)
		return fail(st, err, "syncing the message");
	if (fstat(st->fd, &sb) < 0)
		return fail(st, err, "asking for the file's number");
	snprintf(id, SPOOL_ID, "%08llx.%llx", (unsigned long long)now,
	    (unsigned long long)sb.st_ino);
	if (spool_rename(st->spool->tmp, st->name, st->spool->queue, id) < 0)
		return fail(st, err, "naming the message");
	close(st->fd);
	st->fd = -1;
	buf_free(&st->pending);
	if (fsync(st->spool->queue) < 0) {
		error_sys(err, EX_CANTCREAT, "spool", "syncing the queue");
		unlinkat(st->spool->queue, id, 0);
		return -1;
	}
	return 0;
}

void
store_abort(struct store *st)
{
	buf_free(&st->pending);
	if (st->fd < 0)
		return;
	unlinkat(st->spool->tmp, st->name, 0);
	close(st->fd);
	st->fd = -1;
}
