#include "queue/receive.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "qmtp/qmtp.h"
#include "spool/entry.h"
#include "spool/store.h"
#include "util/file.h"

#define READ_SIZE 65536

struct receiving {
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
}

static void
check_room(struct receiving *r, const struct spool *spool, uint64_t size)
{
	struct statvfs fs;

	if (fstatvfs(spool->tmp, &fs) < 0) {
		error_sys(&r->error, EX_CANTCREAT, "spool", "asking for its room");
		r->failed = true;
		return;
	}
	if (fs.f_bavail * fs.f_frsize < size + RECEIVE_FREE_MIN ||
	    (fs.f_files > 0 && fs.f_favail < RECEIVE_INODES_MIN)) {
		error_set(&r->error, EX_CANTCREAT,
		    "spool: no room left while storing a message");
		r->failed = true;
	}
}

/* Control characters, NUL among them: no address has them, and lists have a line for each. */
static bool
has_control(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f)
			return true;
	return false;
}

static void
check_address(struct receiving *r, const struct qmtp_piece *piece, bool rcpt)
{
	r->addr += piece->len;
	if (r->addr > ENTRY_ADDR_MAX || has_control(piece->data, piece->len))
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
look(struct receiving *r, const struct spool *spool, const char *data, size_t n)
{
	const char *in = data;
	size_t left = n;

	while (!r->whole) {
		struct qmtp_piece piece;

		switch (qmtp_reader_next(&r->reader, &in, &left, &piece)) {
		case QMTP_BEGIN:
			if (piece.size > RECEIVE_SIZE_MAX)
				refuse(r, "a message that is too large");
			else
				check_room(r, spool, piece.size);
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

static int
read_package(struct receiving *r, const struct spool *spool, int in)
{
	static char data[READ_SIZE];

	while (!r->whole) {
		ssize_t n = read(in, data, sizeof(data));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return EX_IOERR;
		n = n == 0 ? -1 : look(r, spool, data, (size_t)n);
		if (n < 0)
			return EX_DATAERR;
		if (r->refused == NULL && !r->failed &&
		    store_write(&r->store, data, (size_t)n, &r->error) < 0)
			r->failed = true;
	}
	return EX_OK;
}

static void
ignore_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &ignore, NULL); /* those that cannot be are not */
}

/* The same answer for every recipient. */
static int
answer(size_t n, int out, char letter, const char *text)
{
	struct buf one = { 0 }, all = { 0 };
	int code = letter == 'K' ? EX_OK : letter == 'Z' ? EX_TEMPFAIL : EX_DATAERR;

	buf_printf(&one, "%zu:%c%s,", strlen(text) + 1, letter, text);
	while (n > 0 && code != EX_IOERR) {
		buf_clear(&all);
		for (; n > 0 && all.len < READ_SIZE; n--)
			buf_add(&all, one.data, one.len);
		if (file_write(out, all.data, all.len) < 0)
			code = EX_IOERR;
	}
	buf_free(&one);
	buf_free(&all);
	return code;
}

static int
finish(struct receiving *r, int out, char state)
{
	char id[SPOOL_ID], text[SPOOL_ID + 16];
	time_t now = time(NULL);

	if (r->refused != NULL)
		return answer(r->rcpts, out, 'D', r->refused);
	if (r->failed || store_slots(&r->store, r->rcpts, state, now, &r->error) < 0 ||
	    store_commit(&r->store, now, id, &r->error) < 0)
		return answer(r->rcpts, out, 'Z', r->error.text);
	snprintf(text, sizeof(text), "queued as %s", id);
	return answer(r->rcpts, out, 'K', text);
}

int
receive(const struct spool *spool, int in, int out, char state)
{
	struct receiving r = { .store = { .fd = -1 } };
	int code;

	qmtp_reader_init(&r.reader);
	r.failed = store_begin(&r.store, spool, &r.error) < 0;
	code = read_package(&r, spool, in);
	if (code == EX_OK) {
		ignore_signals();
		code = finish(&r, out, state);
	}
	store_abort(&r.store);
	return code;
}
