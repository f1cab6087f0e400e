/*
 * qmtp/lookup.h: a server's name becomes addresses, in the order to try them in: that of
 * getaddrinfo(3), which is RFC 6724's, with the families taking turns (RFC 8305 §4, First
 * Address Family Count 1).
 *
 * A host name is looked up in a thread of its own, since getaddrinfo(3) cannot be given a
 * deadline: it is left behind when it takes too long, and cleans up behind itself if it
 * ever returns. What a resolver module waits for is its own affair, so a thread may stay
 * for ever. Numeric addresses and paths take no thread and are known at once.
 *
 * Look-ups are counted: several sessions, in any threads, may wait for one and use its
 * addresses.
 */
#ifndef QMTP_LOOKUP_H
#define QMTP_LOOKUP_H

#include <netdb.h>

#include "qmtp/qmtp.h"

struct qmtp__lookup;

/* Begin; host as in struct qmtp_options. One reference, the caller's. NULL with err. */
struct qmtp__lookup *qmtp__lookup_new(const char *host, int port, struct qmtp_error *err);

/* Another reference. */
struct qmtp__lookup *qmtp__lookup_share(struct qmtp__lookup *l);

/* Let go of a reference. NULL is allowed. */
void qmtp__lookup_free(struct qmtp__lookup *l);

bool qmtp__lookup_ended(const struct qmtp__lookup *l);

/* Whether it is under way, for that host and port. NULL: false. */
bool qmtp__lookup_pending(const struct qmtp__lookup *l, const char *host, int port);

/*
 * 1: *list has the addresses, at least one, lent as long as the reference lasts. 0: no
 * answer yet. -1 with err.
 */
int qmtp__lookup_result(
    const struct qmtp__lookup *l, const struct addrinfo **list, struct qmtp_error *err);

/*
 * Becomes readable, and stays so, when there is an answer; not to be read from. -1 when
 * it was known at once.
 */
int qmtp__lookup_fd(const struct qmtp__lookup *l);

#endif
