/*
 * flush/flush.h: the flusher at work: entries that are due go to the servers, and back to
 * the spool goes what became of them.
 */
#ifndef FLUSH_FLUSH_H
#define FLUSH_FLUSH_H

#include <signal.h>
#include <stdbool.h>

#include "conf/conf.h"
#include "spool/spool.h"

struct flush_setup {
	const char *conf_path;
	const char *queue_path; /* SPOOL/queue, for inotify */
	struct spool spool;     /* open, and locked */
	bool once; /* end when nothing is due any more, or no server can be reached */

	/*
	 * stop: nothing more is committed, answers that are owed are waited for, 10 s at
	 * most, and recorded; then the end. reload: read the configuration again. The mask
	 * holds while sleeping.
	 */
	const volatile sig_atomic_t *stop;
	volatile sig_atomic_t *reload;
	const sigset_t *sigmask;
};

/*
 * Work until told to stop. Takes conf over. Returns the exit code: EX_OK, or EX_IOERR when
 * the queue could not be synced, after which nothing more was sent.
 */
int flush_run(const struct flush_setup *setup, struct conf *conf);

#endif
