/*
 * delivery/pack.h: a message, its sender and some of its recipients as a package.
 */
#ifndef DELIVERY_PACK_H
#define DELIVERY_PACK_H

#include <stddef.h>

#include "mail/envelope.h"
#include "mail/message.h"
#include "qmtp/qmtp.h"

/*
 * A package for the recipients at the n positions of the envelope, in that order. The
 * message is lent: it must stay until the package is freed. NULL when there is no memory.
 */
struct qmtp_package *pack_make(
    const struct message *m, const struct envelope *e, const size_t *positions, size_t n);

#endif
