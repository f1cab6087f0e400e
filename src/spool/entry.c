#include "spool/entry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "qmtp/qmtp.h"
#include "qmtp/qmtp_reader.h"
#include "util/buf.h"
#include "util/xalloc.h"

/* An entry while its envelope is read. */
struct reading {
	struct entry *entry;
	struct qmtp_reader reader;
	char *data;      /* what was read last: ENTRY_PEEK bytes at most, */
	size_t n;        /* so many, */
	uint64_t from;   /* of this place in the file */
	char *first;     /* where the first bytes of the message go, */
	size_t room;     /* so many at most, */
	size_t nfirst;   /* and so many came along */
	struct buf addr; /* the present address, as far as it was read */
	size_t cap;      /* of entry->rcpts */
	bool whole;      /* the last byte of the package was read */
	struct error *err;
};

static enum entry_result
damaged(struct reading *r, const char *what)
{
	error_set(r->err, EX_DATAERR, "queue/%s: %s", r->entry->id, what);
	return ENTRY_DAMAGED;
}

static enum entry_result
failed(struct entry *e, const char *doing, struct error *err)
{
	error_sys(err, EX_IOERR, e->id, doing);
	return ENTRY_FAILED;
}

static enum entry_result
take_address(struct reading *r, const struct qmtp_piece *piece, bool sender)
{
	struct entry *e = r->entry;

	if (piece->len > ENTRY_ADDR_MAX - r->addr.len ||
	    entry_has_control(piece->data, piece->len))
		return damaged(r, "an address that cannot be sent");
	buf_add(&r->addr, piece->data, piece->len);
	if (!piece->last)
		return ENTRY_OK;
	if (sender) {
		e->sender = xstrndup(r->addr.data, r->addr.len);
	} else if (r->addr.len == 0 || e->n == ENTRY_RCPTS_MAX) {
		return damaged(r, "an empty address, or too many of them");
	} else {
		e->rcpts = xgrow(e->rcpts, e->n, &r->cap, sizeof(*e->rcpts));
		e->rcpts[e->n++] =
		    (struct entry_rcpt){ .addr = xstrndup(r->addr.data, r->addr.len) };
	}
	buf_clear(&r->addr);
	return ENTRY_OK;
}

/* Keep what has come of the message. */
static void
peek(struct reading *r, const char *data, size_t n)
{
	if (n > r->room)
		n = r->room;
	if (n > r->entry->length)
		n = (size_t)r->entry->length;
	if (n > 0)
		memcpy(r->first, data, n);
	r->nfirst = n;
}

/*
 * Use up some input, which begins at offset *at of the file; *at moves behind it, past the
 * message too.
 */
static enum entry_result
digest(struct reading *r, const char *data, size_t n, uint64_t *at)
{
	struct entry *e = r->entry;
	enum entry_result result = ENTRY_OK;
	size_t left = n;

	while (result == ENTRY_OK && !r->whole) {
		struct qmtp_piece piece;

		switch (qmtp_reader_next(&r->reader, &data, &left, &piece)) {
		case QMTP_BEGIN:
			e->length = piece.size;
			break;
		case QMTP_CODE:
			if (piece.data[0] != QMTP_LF)
				return damaged(r, "an encoding that is not kept here");
			e->message = *at + (n - left);
			if (e->length > e->size - e->message)
				return damaged(r, "shorter than its message");
			peek(r, data, left);
			qmtp_reader_skip(&r->reader, e->length);
			*at = e->message + e->length;
			return ENTRY_OK; /* the rest of the input was message, perhaps */
		case QMTP_SENDER:
			result = take_address(r, &piece, true);
			break;
		case QMTP_RCPT:
			result = take_address(r, &piece, false);
			break;
		case QMTP_END:
			r->whole = true;
			break;
		case QMTP_BROKEN:
			return damaged(r, "no package");
		case QMTP_TEXT:
			break; /* none is left */
		case QMTP_MORE:
			*at += n;
			return ENTRY_OK;
		}
	}
	*at += n - left;
	return result;
}

/*
 * The bytes of the file at an offset: *n of them at *data, which stay until the next call.
 * A small entry is read once, whatever is asked for.
 */
static enum entry_result
look_in(struct reading *r, uint64_t at, const char **data, size_t *n)
{
	struct entry *e = r->entry;

	if (at < r->from || at - r->from >= r->n) {
		ssize_t got;

		do
			got = pread(e->fd, r->data, ENTRY_PEEK, (off_t)at);
		while (got < 0 && errno == EINTR);
		if (got < 0)
			return failed(e, "reading the queue", r->err);
		r->from = at;
		r->n = (size_t)got;
	}
	*data = r->data + (at - r->from);
	*n = r->n - (size_t)(at - r->from);
	return ENTRY_OK;
}

static enum entry_result
read_envelope(struct reading *r)
{
	struct entry *e = r->entry;
	enum entry_result result = ENTRY_OK;
	uint64_t at = 0;

	qmtp_reader_init(&r->reader);
	while (result == ENTRY_OK && !r->whole) {
		const char *data;
		size_t n;

		result = look_in(r, at, &data, &n);
		if (result == ENTRY_OK && n == 0)
			return damaged(r, "its package has no end");
		if (result == ENTRY_OK)
			result = digest(r, data, n, &at);
	}
	e->slots = at;
	if (result != ENTRY_OK)
		return result;
	return e->n > 0 ? ENTRY_OK : damaged(r, "no recipients");
}

/* The slot at an offset, which may lie across the end of what was read last. */
static enum entry_result
read_slot(struct reading *r, uint64_t at, char *state, time_t *when)
{
	char slot[SPOOL_SLOT];
	size_t done = 0;

	while (done < sizeof(slot)) {
		const char *data;
		size_t n;
		enum entry_result result = look_in(r, at + done, &data, &n);

		if (result != ENTRY_OK)
			return result;
		if (n == 0)
			return damaged(r, "shorter than its slots");
		if (n > sizeof(slot) - done)
			n = sizeof(slot) - done;
		memcpy(slot + done, data, n);
		done += n;
	}
	*state = spool_slot_read(slot, when);
	return ENTRY_OK;
}

static bool
is_one_of(char state, const char *states)
{
	return state != '\0' && strchr(states, state) != NULL;
}

static enum entry_result
read_slots(struct reading *r)
{
	struct entry *e = r->entry;
	enum entry_result result = ENTRY_OK;
	uint64_t at = e->slots;

	for (size_t i = 0; i < e->n && result == ENTRY_OK; i++, at += SPOOL_SLOT) {
		struct entry_rcpt *rcpt = &e->rcpts[i];

		result = read_slot(r, at, &rcpt->state, &rcpt->when);
		if (result == ENTRY_OK && !is_one_of(rcpt->state, "P?KD"))
			result = damaged(r, "a slot that is none");
	}
	if (result == ENTRY_OK)
		result = read_slot(r, at, &e->state, &e->since);
	if (result == ENTRY_OK && !is_one_of(e->state, "PWE"))
		result = damaged(r, "a slot that is none");
	return result;
}

/* A regular file with one name, and the inode that its name says. */
static enum entry_result
look_at(struct entry *e, struct error *err)
{
	struct stat sb;

	if (fstat(e->fd, &sb) < 0)
		return failed(e, "looking at the queue", err);
	if (!S_ISREG(sb.st_mode) || sb.st_nlink != 1 ||
	    strtoull(strchr(e->id, '.') + 1, NULL, 16) != sb.st_ino) {
		error_set(
		    err, EX_DATAERR, "queue/%s: not a file of ours: left alone", e->id);
		return sb.st_nlink == 0 ? ENTRY_GONE : ENTRY_SKIPPED;
	}
	e->owner = sb.st_uid;
	e->touched = sb.st_mtim.tv_sec;
	e->size = (uint64_t)sb.st_size;
	e->arrived = (time_t)strtoull(e->id, NULL, 16);
	return ENTRY_OK;
}

/* What open(2) says of a symlink, a socket, a device, a directory. */
static bool
is_no_file(int error)
{
	return error == ELOOP || error == ENXIO || error == ENODEV || error == EISDIR;
}

static enum entry_result
open_file(
    struct entry *e, const struct spool *s, const char *id, int flags, struct error *err)
{
	enum entry_result result;

	*e = (struct entry){ .fd = -1 };
	if (!spool_is_id(id)) {
		error_set(
		    err, EX_DATAERR, "queue: a file whose name is no id: left alone");
		return ENTRY_SKIPPED;
	}
	memcpy(e->id, id, strlen(id) + 1);
	e->fd =
	    openat(s->queue, id, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (e->fd < 0 && is_no_file(errno)) {
		error_set(
		    err, EX_DATAERR, "queue/%s: not a file of ours: left alone", id);
		return ENTRY_SKIPPED;
	}
	if (e->fd < 0) {
		result = errno == ENOENT ? ENTRY_GONE : ENTRY_FAILED;
		error_sys(err, EX_IOERR, id, "opening a queue file");
		return result;
	}
	return look_at(e, err);
}

static enum entry_result
read_file(struct reading *r)
{
	char data[ENTRY_PEEK];
	enum entry_result result;

	r->data = data;
	result = read_envelope(r);
	if (result == ENTRY_OK)
		result = read_slots(r);
	r->data = NULL;
	buf_free(&r->addr);
	return result;
}

enum entry_result
entry_open(struct entry *e, const struct spool *s, const char *id, bool marking,
    struct error *err)
{
	size_t n;

	return entry_peek(e, s, id, marking, NULL, 0, &n, err);
}

enum entry_result
entry_peek(struct entry *e, const struct spool *s, const char *id, bool marking,
    char *first, size_t size, size_t *n, struct error *err)
{
	struct reading r = { .entry = e, .first = first, .room = size, .err = err };
	enum entry_result result = open_file(e, s, id, marking ? O_RDWR : O_RDONLY, err);

	if (result == ENTRY_OK)
		result = read_file(&r);
	*n = r.nfirst;
	if (result != ENTRY_OK)
		entry_close(e);
	return result;
}

size_t
entry_count(const struct entry *e, char state)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n; i++)
		n += e->rcpts[i].state == state;
	return n;
}

int
entry_mark(struct entry *e, size_t i, char state, time_t now, struct error *err)
{
	char slot[SPOOL_SLOT];
	ssize_t n;

	spool_slot(slot, state, now);
	do
		n = pwrite(e->fd, slot, sizeof(slot), (off_t)(e->slots + i * SPOOL_SLOT));
	while (n < 0 && errno == EINTR);
	if (n >= 0 && n != SPOOL_SLOT)
		errno = EIO;
	if (n != SPOOL_SLOT)
		return error_sys(err, EX_IOERR, e->id, "marking a recipient");
	if (i == e->n) {
		e->state = state;
		e->since = now;
	} else {
		e->rcpts[i].state = state;
		e->rcpts[i].when = now;
	}
	e->touched = now;
	return 0;
}

int
entry_sync(const struct entry *e, struct error *err)
{
	if (fdatasync(e->fd) < 0)
		return error_sys(err, EX_IOERR, e->id, "syncing a mark");
	return 0;
}

bool
entry_has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return true;
	return false;
}

void
entry_close(struct entry *e)
{
	for (size_t i = 0; i < e->n; i++)
		free(e->rcpts[i].addr);
	free(e->rcpts);
	free(e->sender);
	if (e->fd >= 0)
		close(e->fd);
	e->rcpts = NULL;
	e->sender = NULL;
	e->n = 0;
	e->fd = -1;
}
