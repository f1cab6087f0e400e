#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define BUFFER_MAX 65536
#define NAME_SIZE 64

static const char *const part_names[PARTS] = { "message", "sender", "rcpts", "accepted",
	"answers" };

int
store_open(struct store *s, const char *dir, const char *ledger, struct error *err)
{
	*s = (struct store){ -1, -1 };
	if (ledger != NULL) {
		s->ledger = open(ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
		if (s->ledger < 0)
			return error_sys(err, EX_CANTCREAT, ledger, "opening the ledger");
	}
	if (dir == NULL)
		return 0;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		return error_sys(err, EX_CANTCREAT, dir, "making the store");
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return error_sys(err, EX_CANTCREAT, dir, "opening the store");
	return 0;
}

void
store_close(struct store *s)
{
	if (s->dir >= 0)
		close(s->dir);
	if (s->ledger >= 0)
		close(s->ledger);
	*s = (struct store){ -1, -1 };
}

bool
store_keeps(const struct store *s)
{
	return s->dir >= 0 || s->ledger >= 0;
}

static void
temporary(const struct record *r, const char *part, char *name)
{
	snprintf(name, NAME_SIZE, ".%" PRIu64 ".%s", r->conn, part);
}

static int
write_all(int fd, const char *data, size_t len, const char *name, struct error *err)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_sys(err, EX_IOERR, name, "writing to the store");
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
part_flush(const struct store *s, struct record *r, enum part part, struct error *err)
{
	char name[NAME_SIZE];

	if (s->dir < 0)
		return error_set(err, EX_DATAERR,
		    "%s: too large while writing to the ledger", part_names[part]);
	temporary(r, part_names[part], name);
	if (!r->part[part].begun) {
		int fd =
		    openat(s->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

		if (fd < 0)
			return error_sys(err, EX_CANTCREAT, name, "writing to the store");
		r->part[part].fd = fd;
		r->part[part].begun = true;
	}
	if (write_all(r->part[part].fd, r->part[part].buf.data, r->part[part].buf.len,
		name, err) < 0)
		return -1;
	buf_clear(&r->part[part].buf);
	return 0;
}

int
record_add(const struct store *s, struct record *r, enum part part, const void *data,
    size_t len, struct error *err)
{
	struct buf *b = &r->part[part].buf;

	if (!store_keeps(s))
		return 0;
	buf_add(b, data, len);
	return b->len < BUFFER_MAX ? 0 : part_flush(s, r, part, err);
}

int
record_clear(struct record *r, enum part part, struct error *err)
{
	buf_clear(&r->part[part].buf);
	if (!r->part[part].begun)
		return 0;
	if (ftruncate(r->part[part].fd, 0) < 0 ||
	    lseek(r->part[part].fd, 0, SEEK_SET) < 0)
		return error_sys(
		    err, EX_IOERR, part_names[part], "clearing a file of the store");
	return 0;
}

/* A small file that is complete when its name appears. */
static int
put(const struct store *s, const struct record *r, uint64_t number, const char *kind,
    const char *text, struct error *err)
{
	char name[NAME_SIZE], final[NAME_SIZE];
	int fd, result;

	temporary(r, kind, name);
	snprintf(final, sizeof(final), "%06" PRIu64 ".%s", number, kind);
	fd = openat(s->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_sys(err, EX_CANTCREAT, name, "writing to the store");
	result = write_all(fd, text, strlen(text), name, err);
	close(fd);
	if (result == 0 && renameat(s->dir, name, s->dir, final) < 0)
		result = error_sys(err, EX_IOERR, final, "naming a file of the store");
	return result;
}

static int
part_commit(const struct store *s, struct record *r, enum part part, uint64_t number,
    struct error *err)
{
	char name[NAME_SIZE], final[NAME_SIZE];

	if (part_flush(s, r, part, err) < 0)
		return -1;
	temporary(r, part_names[part], name);
	snprintf(final, sizeof(final), "%06" PRIu64 ".%s", number, part_names[part]);
	if (renameat(s->dir, name, s->dir, final) < 0)
		return error_sys(err, EX_IOERR, final, "naming a file of the store");
	close(r->part[part].fd);
	r->part[part].begun = false;
	return 0;
}

static int
ledger_write(const struct store *s, struct record *r, struct error *err)
{
	struct buf *all = &r->part[PART_ACCEPTED].buf;

	if (all->len == 0)
		return 0;
	buf_add(all, r->part[PART_MESSAGE].buf.data, r->part[PART_MESSAGE].buf.len);
	return write_all(s->ledger, all->data, all->len, "ledger", err);
}

int
record_commit(const struct store *s, struct record *r, uint64_t number, const char *done,
    struct error *err)
{
	int result = 0;

	if (s->ledger >= 0)
		result = ledger_write(s, r, err);
	for (enum part part = 0; part < PARTS && result == 0 && s->dir >= 0; part++)
		result = part_commit(s, r, part, number, err);
	if (result == 0 && s->dir >= 0)
		result = put(s, r, number, "done", done, err);
	record_drop(s, r);
	return result;
}

int
record_break(const struct store *s, struct record *r, uint64_t number, const char *broken,
    struct error *err)
{
	record_drop(s, r);
	if (s->dir < 0)
		return 0;
	return put(s, r, number, "broken", broken, err);
}

void
record_drop(const struct store *s, struct record *r)
{
	char name[NAME_SIZE];

	for (enum part part = 0; part < PARTS; part++) {
		if (r->part[part].begun) {
			temporary(r, part_names[part], name);
			unlinkat(s->dir, name, 0);
			close(r->part[part].fd);
			r->part[part].begun = false;
		}
		buf_free(&r->part[part].buf);
	}
}
