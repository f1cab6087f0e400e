/*
 * qmtp/connect.h: a host name, an address or a path becomes a connected socket that
 * does not block.
 *
 * Every address of a name is tried, each started 250 ms after the one before, at once
 * when one fails (RFC 8305 §5); the first that answers wins and the others are closed. At
 * most QMTP_POLL_MAX are under way at a time: the oldest, two seconds old by then, makes
 * room for the next, so that a long list comes to its end. A unix socket whose queue is
 * full is tried again until it is not. One absolute deadline stands over looking up and
 * connecting.
 */
#ifndef QMTP_CONNECT_H
#define QMTP_CONNECT_H

#include <netdb.h>

#include "qmtp/lookup.h"
#include "qmtp/qmtp.h"
#include "qmtp/shared.h"

#define QMTP__PEER_MAX 128     /* bytes of an address in words, or of a socket's path */
#define QMTP__ADDRESSES_MAX 64 /* that are tried of one name */

struct qmtp__attempt {
	int fd;
	const struct addrinfo *addr;
};

struct qmtp__connect {
	struct qmtp_shared *shared; /* NULL: none */
	struct qmtp__lookup *lookup;
	const struct addrinfo *list; /* the look-up's; NULL: it is still under way */
	const struct addrinfo *next; /* to be started next */
	int64_t next_at;             /* and when, although others are under way */
	int left;                    /* addresses that may still be started */
	struct qmtp__attempt attempts[QMTP_POLL_MAX]; /* under way, the oldest first */
	size_t n;
	int64_t deadline;
	const struct addrinfo *named; /* the address that peer is of */
	char peer[QMTP__PEER_MAX];    /* the address that won, or was tried last */
	struct qmtp_error error;      /* of the last attempt that failed */
};

/*
 * Begin. host as in struct qmtp_options; shared is lent until the end, NULL for none. 0,
 * or -1 with err.
 */
int qmtp__connect_start(struct qmtp__connect *c, struct qmtp_shared *shared,
    const char *host, int port, int64_t deadline, struct qmtp_error *err);

/*
 * Go on: 1 when *fd is connected and the caller's; 0 when there is more to wait for; -1
 * with err.
 */
int qmtp__connect_step(struct qmtp__connect *c, int *fd, struct qmtp_error *err);

size_t qmtp__connect_poll(const struct qmtp__connect *c, struct pollfd *v);
int64_t qmtp__connect_deadline(const struct qmtp__connect *c);

/* Close all that is under way; peer stays. Harmless when nothing is. */
void qmtp__connect_cancel(struct qmtp__connect *c);

#endif
