/*
 * qmtp/connect.h: a host name, an address or a path becomes a connected socket that
 * does not block.
 *
 * Every address of a name is tried, each started 250 ms after the one before, at once
 * when that one fails (RFC 8305 §5); the first that answers wins and the others are
 * closed. One absolute deadline stands over looking up and connecting.
 */
#ifndef QMTP_CONNECT_H
#define QMTP_CONNECT_H

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

#include "qmtp/lookup.h"
#include "qmtp/qmtp.h"

#define QMTP__PEER_MAX 128 /* bytes of an address in words, or of a socket's path */

struct qmtp__attempt {
	int fd;
	/* NULL: a unix socket, which is connected at once or never */
	const struct addrinfo *addr;
	char peer[QMTP__PEER_MAX];
};

struct qmtp__connect {
	struct qmtp__lookup *lookup;
	struct addrinfo *list;
	const struct addrinfo *next; /* not started yet */
	struct qmtp__attempt attempts[QMTP_POLL_MAX];
	size_t n;
	int64_t deadline;
	int64_t next_at; /* when to start the next although others are under way */
	char peer[QMTP__PEER_MAX]; /* the address that won, or was tried last */
	struct qmtp_error error;   /* of the last attempt */
};

/* Begin; host that starts with '/' is the path of a unix socket. 0, or -1 with err. */
int qmtp__connect_start(struct qmtp__connect *c, const char *host, int port,
    int64_t deadline, struct qmtp_error *err);

/*
 * Go on: 1 when *fd is connected and the caller's; 0 when there is more to wait for; -1
 * with err.
 */
int qmtp__connect_step(struct qmtp__connect *c, int *fd, struct qmtp_error *err);

size_t qmtp__connect_poll(const struct qmtp__connect *c, struct pollfd *v);
int64_t qmtp__connect_deadline(const struct qmtp__connect *c);

/* Close all that is under way. Harmless when nothing is. */
void qmtp__connect_cancel(struct qmtp__connect *c);

#endif
