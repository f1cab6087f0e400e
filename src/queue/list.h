/*
 * queue/list.h: what is in the queue, in the words of spool/listing.h, behind the status
 * line "ok": one's own entries (queue/own.h) in the order they came.
 */
#ifndef QUEUE_LIST_H
#define QUEUE_LIST_H

#include "queue/peer.h"
#include "spool/spool.h"

/* Returns the exit code. Without "done N" at its end the list broke off. */
int list(const struct spool *s, struct peer *p);

#endif
