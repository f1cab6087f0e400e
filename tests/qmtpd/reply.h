/*
 * reply.h: the answers of a connection that are due now or later, in order.
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdint.h>

#include "conn.h"

#define REPLY_OUTPUT_MAX 65536 /* bytes that may wait for the client to read them */

/* The coming answers are decided: hand them on, or keep them until they are due. */
void reply_add(struct conn *c, int64_t now);

/* Hand on all that is due. */
void reply_make(struct conn *c, int64_t now);

/* Forget all that wait. */
void reply_drop(struct conn *c);

#endif
