/*
 * sendmail/runq.h: MODE_QUEUE_RUN, "sendmail -q" and runq: the caller's entries (root: all)
 * are due now, those that the filters let through if there are any. For root qmtp-flush --once
 * tries them, unless another flusher runs, and is waited for.
 */
#ifndef SENDMAIL_RUNQ_H
#define SENDMAIL_RUNQ_H

#include "sendmail/options.h"

/*
 * Returns the exit code and complains itself: EX_OK, quietly, also for an empty queue;
 * EX_UNAVAILABLE when the spool or the flusher cannot be reached; else that of the flusher.
 */
int runq(const struct options *o);

#endif
