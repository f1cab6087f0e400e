/*
 * flush/pool.h: one server and the connections to it.
 *
 *	idle	   no connection; one is made when there is something to send
 *	connecting
 *	stands	   at least one connection is up
 *	down	   it could not be reached, or hung up before it had answered anything: no
 *		   connection is tried before a time, POOL_SOONEST after the first failure,
 *		   twice as long after each further one, POOL_LATEST at most, until it answers
 *
 * Parcels (flush/parcels.h) are given to a pool, wait there, are sent over one of its
 * connections, and come back exactly once, by pool_hooks.over.
 */
#ifndef FLUSH_POOL_H
#define FLUSH_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "delivery/verdict.h"
#include "delivery/wait.h"
#include "flush/parcels.h"
#include "qmtp/qmtp.h"
#include "util/buf.h"

#define POOL_SOONEST 5000 /* milliseconds to the next attempt after a failure */
#define POOL_LATEST 300000
#define POOL_MORE 60000 /* to the next further connection, when one was not to be had */
#define POOL_IDLE 5000  /* milliseconds after which a connection without work is closed */

struct pool;

/* How a parcel comes back. */
struct pool_end {
	const struct qmtp_session *session; /* NULL: it was not offered to the server; */
	const char *why;                    /* then: why */
	enum qmtp_cause cause;              /* as verdict_for() has it */
	struct verdict_policy policy;
};

/*
 * No hook is called while another runs, but for what pool_submit() does. arg is the
 * first argument of all.
 */
struct pool_hooks {
	/* The offer is over: the parcel is the callee's, who may submit others. */
	void (*over)(
	    void *arg, struct pool *p, struct parcel *parcel, const struct pool_end *end);
	/* It is to be sent now: false when the callee has taken it back. */
	bool (*ready)(void *arg, struct pool *p, struct parcel *parcel);
	/* All but a last byte was sent: 0, or -1 to give up this and what follows it. */
	int (*commit)(void *arg);
	void *arg;
};

struct link;

/* {0} before pool_init(). */
struct pool {
	const struct server *server;
	const struct pool_hooks *hooks;
	bool soft_bounce;
	bool closed;                /* nothing more is sent */
	bool singly;                /* it has shown that it answers once per package */
	struct link *links;         /* server->connections of them */
	struct qmtp_shared *shared; /* of all its sessions; NULL: no memory */
	bool stale; /* what TLS has read is not to be used for another connection */
	struct parcels waiting;
	size_t sent;       /* parcels that a connection has */
	int64_t started;   /* when it was last begun to connect, clock_ms() */
	int64_t securing;  /* since when TLS of its last connection has been under way */
	int64_t until;     /* no connection is begun before that, */
	int64_t more;      /* and none beside one that stands before that */
	unsigned failures; /* without an answer since */
	struct buf why;    /* the last one: clean */
};

/* Everything is lent. */
void pool_init(struct pool *p, const struct server *server, bool soft_bounce,
    const struct pool_hooks *hooks);

/* Send nothing that was not begun. What is waiting stays until pool_recall(). */
void pool_close(struct pool *p);

/* Close all connections: everything comes back; what was committed, in doubt. */
void pool_recall(struct pool *p);

/* pool_recall(), and free what is the pool's own. */
void pool_free(struct pool *p);

bool pool_stands(const struct pool *p);
bool pool_connects(const struct pool *p);

/*
 * Until when one that connects is waited for because its TLS is under way: in the past or 0
 * when it is not, or has had DIAL_PATIENCE.
 */
int64_t pool_patience(const struct pool *p);

bool pool_is_down(const struct pool *p, int64_t now);

/* Whether it can make use of another parcel now: a window more than is on its way. */
bool pool_has_room(const struct pool *p);

/* Whether answers are owed to what was committed. */
bool pool_is_owed(const struct pool *p);

/* Begin to connect, if it is idle. */
void pool_start(struct pool *p, int64_t now);

/* Give it a parcel. It connects if need be; one that is down gives it back at the next step. */
void pool_submit(struct pool *p, struct parcel *parcel);

/* Do all that can be done without waiting. */
void pool_step(struct pool *p, int64_t now);

/* What to wait for before the next step. */
void pool_wait(const struct pool *p, struct wait *w);

/* Milliseconds to wait after so many failures (1 and more). */
int64_t pool_backoff(unsigned failures);

#endif
