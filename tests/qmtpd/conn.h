/*
 * conn.h: one connection: reads packages, follows its script, keeps record and journal.
 */
#ifndef CONN_H
#define CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "answer.h"
#include "frame.h"
#include "journal.h"
#include "qmtp/qmtp_reader.h"
#include "script.h"
#include "store.h"
#include "util/buf.h"
#include "util/error.h"
#include "wire.h"

/* What all connections share. */
struct world {
	const struct scripts *scripts;
	struct store store;
	struct journal journal;
	uint64_t packages; /* ended so far: the last number given */
	bool failed;       /* the store cannot be written: stop, err says why */
	struct error err;
};

struct conn {
	struct conn *next; /* for the server's list */
	bool over;
	unsigned interest; /* for the server: the epoll events asked for */

	struct world *world;
	const struct script *script;
	struct wire wire;
	uint64_t id;
	int64_t start; /* read nothing before this */
	bool begun, eof, stalled;
	const char *why; /* it ended */

	struct qmtp_reader reader;
	struct frame frame;
	struct buf input;       /* read, not yet looked at */
	uint64_t received;      /* bytes looked at */
	uint64_t package;       /* number of the package that comes or will come */
	uint64_t package_start; /* bytes received before it */
	uint64_t size;          /* of its message */
	char code;              /* its encoding byte */
	bool early_done;
	struct buf addr; /* the address that is being read */
	struct record record;

	struct answers *coming;       /* for the package that is being read */
	struct answers *first, *last; /* of complete packages, not all made yet */
	size_t waiting;
	uint64_t answered; /* answers made so far, on the connection */
	struct buf scratch;
};

/* The descriptors are the connection's from now on; they are non-blocking. */
struct conn *conn_new(struct world *world, uint64_t id, int in, int out, int64_t now);

/* Note the end of a connection that is not over yet: why. */
void conn_abandon(struct conn *c, const char *why);

void conn_free(struct conn *c);

/* Do all that can be done without waiting; sets over. */
void conn_step(struct conn *c, int64_t now);

/* The descriptor has hung up although nothing is being read or written. */
void conn_hangup(struct conn *c);

/* When to call conn_step() without an event. */
int64_t conn_deadline(const struct conn *c);

bool conn_wants_in(const struct conn *c);

/*
 * For the other parts of a connection (package.c, reply.c): nothing is read or
 * answered any more; the words that the journal says about it.
 */
void conn_conclude(struct conn *c, const char *why);

/* For them too: the script says that this happens now, or that it speaks early now. */
void conn_act(struct conn *c, enum action action, int64_t now);
void conn_speak_early(struct conn *c);

#endif
