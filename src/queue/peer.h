/*
 * queue/peer.h: the other side: bytes from it and to it, in blocks, never for ever. It may
 * be anybody: no byte for PEER_PATIENCE, or a phase longer than PEER_LONGEST, and it is
 * over. Sockets, pipes and files will do; none of them is made non-blocking, which would
 * show on the other side.
 */
#ifndef QUEUE_PEER_H
#define QUEUE_PEER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef PEER_PATIENCE
#define PEER_PATIENCE 60000 /* milliseconds without a byte */
#endif
#ifndef PEER_LONGEST
#define PEER_LONGEST 600000 /* milliseconds in all: to read a package, to answer */
#endif
#define PEER_BLOCK 65536 /* bytes of a block */

struct peer {
	int in, out;
	int64_t until;     /* clock_ms() at which the phase is over */
	size_t begin, end; /* of the bytes that were read and not taken yet */
	char data[PEER_BLOCK];
};

/* The descriptors stay the caller's. The first phase begins. */
void peer_init(struct peer *p, int in, int out);

/* What comes now is another phase: answers behind a package. */
void peer_phase(struct peer *p);

/*
 * The bytes that have come and are not taken; waits for some when there are none. Returns
 * how many, at *data until the next call; 0 at the end; -1 with errno, ETIMEDOUT when the
 * time is over, EINTR for a signal that is held.
 */
ssize_t peer_read(struct peer *p, const char **data);

/* The first n of them are used up. */
void peer_take(struct peer *p, size_t n);

/* All n bytes. 0, or -1 with errno as above. */
int peer_write(struct peer *p, const void *data, size_t n);

#endif
