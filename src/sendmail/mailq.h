/*
 * sendmail/mailq.h: mailq(1): what waits in the spool, and what may be done with it. Users
 * see and touch their own entries, root all. Each function returns the exit code and
 * complains itself: EX_UNAVAILABLE when the spool cannot be reached, or what it told broke
 * off; EX_IOERR when stdout fails.
 */
#ifndef SENDMAIL_MAILQ_H
#define SENDMAIL_MAILQ_H

#include "sendmail/options.h"

/*
 * MODE_QUEUE: the list, as text or (--json) as JSON; or what o->action says with the
 * entries that the operands name: all of them, whatever becomes of one. Then the code is
 * that of the first that failed: EX_USAGE for what is no queue id, EX_NOUSER when there is
 * no such entry of the caller's.
 */
int mailq(const struct options *o);

/* MODE_QUEUE_COUNT: how many entries there are. */
int mailq_count(const struct options *o);

#endif
