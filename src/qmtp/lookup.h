/*
 * qmtp/lookup.h: a host name becomes addresses, in a thread of its own: getaddrinfo(3)
 * cannot be given a deadline, so it is left behind when it takes too long.
 */
#ifndef QMTP_LOOKUP_H
#define QMTP_LOOKUP_H

#include <netdb.h>

#include "qmtp/qmtp.h"

struct qmtp__lookup;

/*
 * Numeric addresses are answered at once: *list is set and *lookup NULL. Else a thread
 * is started: *lookup is set. 0, or -1 with err.
 */
int qmtp__lookup_start(struct qmtp__lookup **lookup, struct addrinfo **list,
    const char *host, int port, struct qmtp_error *err);

/* Becomes readable when there is an answer. */
int qmtp__lookup_fd(const struct qmtp__lookup *l);

/* 1: *list is the caller's to freeaddrinfo(3). 0: no answer yet. -1 with err. */
int qmtp__lookup_result(
    struct qmtp__lookup *l, struct addrinfo **list, struct qmtp_error *err);

/* Let go of it; a thread that still runs cleans up behind itself. NULL is allowed. */
void qmtp__lookup_free(struct qmtp__lookup *l);

#endif
