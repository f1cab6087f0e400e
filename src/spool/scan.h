/*
 * spool/scan.h: a full look at the spool.
 */
#ifndef SPOOL_SCAN_H
#define SPOOL_SCAN_H

#include "spool/spool.h"

/*
 * Call f for every name in queue/ but "." and "..", ids and others, in no order. 0, or -1
 * with err (EX_IOERR): then some may be missing. f may remove or rename what it is told.
 */
int scan_queue(const struct spool *s, void (*f)(void *arg, const char *name), void *arg,
    struct error *err);

/*
 * Remove regular files from tmp/ that nobody has changed for SPOOL_STALE seconds: what a
 * crash or a kill left. Others are left alone. Best effort; returns how many went.
 */
size_t scan_stale(const struct spool *s, time_t now);

#endif
