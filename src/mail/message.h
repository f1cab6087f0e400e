/*
 * mail/message.h: one message, read from a descriptor, ready to be sent.
 *
 * The header block is in memory; the body is in memory while it is small
 * (MESSAGE_MEMORY), else in a temporary file without a name; or, when it came from a
 * regular file and needs no change, where it already is. Memory does not grow with the
 * message. Everything is read before message_read() returns.
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "mail/header.h"
#include "util/buf.h"
#include "util/error.h"

#define MESSAGE_MEMORY (512 * 1024) /* bytes of body kept in memory */
/* Bytes of a finished message, its encoding byte included: what every server takes. */
#define MESSAGE_MAX 200000000

struct message_source {
	int fd; /* -1 when there is a read */
	/* as read(2), waiting for bytes: where they come from when that is no descriptor */
	ssize_t (*read)(void *arg, char *data, size_t len);
	void *arg;
	bool dots;         /* a line with one dot ends the message (no -i) */
	size_t max_header; /* bytes of header block; more: EX_DATAERR */
	uint64_t max_size; /* bytes of header block and body; more: EX_DATAERR */
	/* where a temporary file goes first; NULL = the usual places */
	const char *tmpdir;
};

struct message {
	struct header header; /* as read */
	struct buf head;      /* the finished header block; rewrite_finish() makes it */

	struct buf memory; /* the body, when fd is -1 */
	int fd;            /* the descriptor with the body, or -1 */
	uint64_t offset;   /* where in fd the body begins */
	uint64_t length;   /* bytes of the body, however it is kept */

	bool borrowed; /* fd is the source's: not closed, not trusted to stay as it is */
	struct stat seen; /* of a borrowed fd, when it was read */
};

/*
 * Read a message to its end: end of file, or the dot. What stands behind the dot, and
 * after any error that is not a read error, is read and thrown away (a caller that is
 * still writing would die of SIGPIPE), except behind a dot typed on a terminal.
 *
 * Line ends become LF: every CR that stands before LF goes, others in the body stay. A
 * last line without line end gets one. The body is otherwise byte for byte what came. A
 * regular file is read from its current offset. A source that does not block is waited
 * for.
 *
 * Returns 0, or -1 with err: EX_IOERR (the source cannot be read, or changed while it was
 * read), EX_DATAERR (too large), EX_OSERR (nowhere to keep it). m need not be
 * initialised; after -1 there is nothing to free.
 */
int message_read(
    struct message *m, const struct message_source *source, struct error *err);

/* Bytes of the finished message: head and body. */
uint64_t message_size(const struct message *m);

/*
 * Whether a borrowed source is still what was read: 0, or -1 with err (EX_IOERR). Else
 * 0.
 */
int message_unchanged(const struct message *m, struct error *err);

void message_free(struct message *m);

#endif
