/*
 * wire.h: the descriptors of a connection: bytes in, bytes out (at once or dripping), and
 * the ways in which a connection ends. Nothing here blocks.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "script.h"
#include "util/buf.h"

struct wire {
	int in, out; /* the same for a socket */
	bool gone;   /* the other side takes nothing any more */

	struct buf output;
	size_t sent; /* of output */
	uint64_t drip;
	int64_t drip_due; /* the next byte, or the next look whether a reset may come */

	enum action ending;
	bool shut;          /* ACT_CLOSE: it has seen its end of file */
	int64_t until;      /* how long to wait for the other side's end */
	uint64_t swallowed; /* bytes that came after ours */
};

void wire_init(struct wire *w, int in, int out);

/* Close the descriptors. */
void wire_free(struct wire *w);

enum { WIRE_EOF = 0, WIRE_AGAIN = -1, WIRE_RESET = -2 };

/* Bytes read, or one of those. */
ssize_t wire_read(const struct wire *w, char *to, size_t len);

/* Bytes that wait to be sent. */
size_t wire_waiting(const struct wire *w);

/* Queue bytes; drip: one byte every so many milliseconds from now on. */
void wire_add(struct wire *w, const void *data, size_t len, uint64_t drip);

/* Send what can be sent. */
void wire_flush(struct wire *w, int64_t now);

/* End the connection once all that was queued is sent. */
void wire_end(struct wire *w, enum action action, int64_t now);

/* Go on with it. Returns whether it has ended. */
bool wire_ended(struct wire *w, int64_t now);

/* When to flush or to ask wire_ended() again, descriptors aside. */
int64_t wire_deadline(const struct wire *w);

/* Whether wire_flush() waits for the descriptor. */
bool wire_wants_out(const struct wire *w);

#endif
