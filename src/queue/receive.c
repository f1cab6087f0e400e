#include "queue/receive.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sysexits.h>

#include "qmtp/qmtp.h"
#include "qmtp/qmtp_reader.h"
#include "queue/signals.h"
#include "spool/entry.h"
#include "spool/store.h"

struct receiving {
	const struct spool *spool;
	struct peer *peer;
	struct qmtp_reader reader;
	struct store store;
	const char *refused; /* why it is not one of ours; the first reason */
	bool failed;         /* it cannot be stored: */
	struct error error;
	size_t addr; /* bytes of the present address */
	size_t rcpts;
	bool whole; /* the last byte of the package was read */
};

static void
refuse(struct receiving *r, const char *why)
{
	if (r->refused == NULL)
		r->refused = why;
	store_abort(&r->store);
}

static void
fail(struct receiving *r)
{
	r->failed = true;
	store_abort(&r->store); /* its room is somebody else's now */
}

/* Whether there is room for so many bytes more, and what is to be left free behind them. */
static void
check_room(struct receiving *r, uint64_t size)
{
	struct statvfs fs;

	if (fstatvfs(r->spool->tmp, &fs) < 0) {
		error_sys(&r->error, EX_CANTCREAT, "spool", "asking for its room");
		fail(r);
	} else if (fs.f_frsize == 0 || fs.f_bavail <= (size + MIN_FREE) / fs.f_frsize ||
	    (fs.f_files > 0 && fs.f_favail < MIN_INODES)) {
		error_set(&r->error, EX_CANTCREAT,
		    "spool: no room left while storing a message");
		fail(r);
	}
}

static void
check_address(struct receiving *r, const struct qmtp_piece *piece, bool rcpt)
{
	r->addr += piece->len;
	if (r->addr > ENTRY_ADDR_MAX || entry_has_control(piece->data, piece->len))
		refuse(r, "an address that cannot be sent");
	if (!piece->last)
		return;
	if (rcpt && r->addr == 0)
		refuse(r, "an empty recipient");
	r->addr = 0;
	r->rcpts += rcpt;
	if (r->rcpts > ENTRY_RCPTS_MAX)
		refuse(r, "too many recipients");
}

/*
 * Look at one chunk of input. Returns how many of its bytes belong to the package, or
 * -1: it is none.
 */
static ssize_t
look(struct receiving *r, const char *data, size_t n)
{
	const char *in = data;
	size_t left = n;

	while (!r->whole) {
		struct qmtp_piece piece;

		switch (qmtp_reader_next(&r->reader, &in, &left, &piece)) {
		case QMTP_BEGIN:
			if (piece.size >= MAX_ENTRY) /* its encoding byte counts */
				refuse(r, "a message that is too large");
			else if (!r->failed)
				check_room(r, piece.size);
			break;
		case QMTP_CODE:
			if (piece.data[0] != QMTP_LF)
				refuse(r, "lines that do not end with LF alone");
			break;
		case QMTP_SENDER:
			check_address(r, &piece, false);
			break;
		case QMTP_RCPT:
			check_address(r, &piece, true);
			break;
		case QMTP_END:
			r->whole = true;
			break;
		case QMTP_TEXT:
			break;
		case QMTP_BROKEN:
			return -1;
		case QMTP_MORE:
			return (ssize_t)n;
		}
	}
	if (left > 0)
		refuse(r, "bytes behind the package");
	if (r->rcpts == 0)
		refuse(r, "no recipients");
	return in - data;
}

/* One block of input. */
static int
read_block(struct receiving *r)
{
	const char *data;
	ssize_t n = peer_read(r->peer, &data);

	if (n < 0)
		return EX_IOERR;
	n = n == 0 ? -1 : look(r, data, (size_t)n);
	if (n < 0)
		return EX_DATAERR;
	if (r->refused == NULL && !r->failed &&
	    store_write(&r->store, data, (size_t)n, &r->error) < 0)
		fail(r);
	peer_take(r->peer, (size_t)n);
	return EX_OK;
}

/* The same answer for every recipient. No memory is asked for: it must not be missing now. */
static int
answer(struct receiving *r, char letter, const char *text)
{
	char one[ERROR_TEXT_MAX + 32], all[8 * sizeof(one)];
	size_t size = (size_t)snprintf(
	    one, sizeof(one), "%zu:%c%s,", strlen(text) + 1, letter, text);

	for (size_t left = r->rcpts; left > 0;) {
		size_t n = 0;

		for (; left > 0 && size <= sizeof(all) - n; left--, n += size)
			memcpy(all + n, one, size);
		if (peer_write(r->peer, all, n) < 0)
			return EX_IOERR;
	}
	return letter == 'K' ? EX_OK : letter == 'Z' ? EX_TEMPFAIL : EX_DATAERR;
}

static int
finish(struct receiving *r, char state)
{
	char id[SPOOL_ID], text[SPOOL_ID + 16];
	time_t now = time(NULL);

	if (r->refused != NULL)
		return answer(r, 'D', r->refused);
	if (!r->failed)
		check_room(r, 0); /* others have written, too */
	if (r->failed || store_slots(&r->store, r->rcpts, state, now, &r->error) < 0 ||
	    store_commit(&r->store, now, id, &r->error) < 0)
		return answer(r, 'Z', r->error.text);
	snprintf(text, sizeof(text), "queued as %s", id);
	return answer(r, 'K', text);
}

int
receive(const struct spool *spool, struct peer *peer, char state)
{
	struct receiving r = { .spool = spool, .peer = peer, .store = { .fd = -1 } };
	int code = EX_OK;

	signals_hold();
	qmtp_reader_init(&r.reader);
	r.failed = store_begin(&r.store, spool, &r.error) < 0;
	while (code == EX_OK && !r.whole)
		code = read_block(&r);
	if (code == EX_OK) {
		signals_ignore();
		peer_phase(peer);
		code = finish(&r, state);
	}
	store_abort(&r.store);
	return code;
}
