/*
 * sendmail/startup.h: from whatever surroundings the caller left to ones that can be
 * worked in.
 */
#ifndef SENDMAIL_STARTUP_H
#define SENDMAIL_STARTUP_H

#include <signal.h>
#include <stdbool.h>

#include "util/error.h"

/* What is kept of the environment: copies, NULL when it was not set. TZ stays set. */
struct startup {
	char *name;   /* NAME: the caller's full name */
	char *tmpdir; /* TMPDIR */
};

/*
 * Privileges dropped to the real ids (verified), descriptors 0 to 2 open and no others,
 * no signal blocked, SIGPIPE and SIGXFSZ ignored, environment emptied but for TZ.
 * Returns 0, or -1 with err (EX_OSERR).
 */
int startup(struct startup *s, struct error *err);

/*
 * From here on SIGHUP, SIGINT and SIGTERM (those that the caller does not ignore) do
 * not kill: they set *startup_signal. They are blocked but where startup_sleepmask is
 * used. Before this call they kill, which is right as long as no last byte was sent. A
 * second call changes nothing.
 */
void startup_hold_signals(void);

/*
 * The other way: they kill again, at once if one came meanwhile. For a program that
 * goes on to another message.
 */
void startup_release_signals(void);

extern volatile sig_atomic_t startup_signal;
extern sigset_t startup_sleepmask;

#endif
