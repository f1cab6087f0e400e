/*
 * mail/body.h: where the body of a message is put while it is read; a part of
 * mail/message.c.
 *
 * It begins in memory. One that grows over MESSAGE_MEMORY stays in the source when that
 * is a file that has the same bytes, and goes to a temporary file when not.
 */
#ifndef MAIL_BODY_H
#define MAIL_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/lines.h"
#include "mail/message.h"
#include "util/error.h"

struct body {
	struct message *m; /* memory, fd, offset, length and borrowed are kept here */
	const struct message_source *source;
	uint64_t start; /* where it begins in the source, when that is a file */
	bool same;      /* the body so far stands there byte for byte */
	bool borrowed;  /* once the body was borrowed: the source had better not have
			   changed */
};

/* Add what came out of the lines. Returns 0, or -1 with err as message_read() has them.
 */
int body_add(struct body *b, const struct lines_out *out, struct error *err);

#endif
