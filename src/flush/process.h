/*
 * flush/process.h: from whatever surroundings the flusher was started in to its own.
 */
#ifndef FLUSH_PROCESS_H
#define FLUSH_PROCESS_H

#include <signal.h>

#include "spool/spool.h"
#include "util/error.h"

extern volatile sig_atomic_t process_stop, process_reload; /* SIGTERM, SIGINT; SIGHUP */
extern sigset_t process_sleepmask;

/*
 * Descriptors 0 to 2 open and no others, SIGPIPE, SIGXFSZ and SIGCHLD ignored, SIGTERM,
 * SIGINT and SIGHUP set the flags and are blocked but where process_sleepmask is used, files
 * are its user's alone, as many descriptors as the system allows, environment emptied but
 * for TZ.
 * Started by root it becomes user, with all of its groups, for good; verified. Returns 0,
 * or -1 with err (EX_OSERR; EX_NOPERM: it would have to go on as root).
 */
int process_begin(const char *user, struct error *err);

/*
 * Take the lock of the spool, which is held until the process ends. 1: taken; 0: another
 * flusher has it; -1 with err (EX_CANTCREAT).
 */
int process_lock(const struct spool *s, struct error *err);

#endif
