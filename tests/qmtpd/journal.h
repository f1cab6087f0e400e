/*
 * journal.h: the log: a line per event. {.fd = -1} keeps none.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

struct journal {
	int fd;
	int64_t start;
	struct buf lines; /* not yet written */
};

/* path NULL: no log. */
int journal_open(struct journal *j, const char *path, struct error *err);
void journal_close(struct journal *j);

/*
 * "MS conn=N EVENT bytes=N" and what fmt says ("" or " key=value ..."). Kept until
 * journal_flush().
 */
void journal_event(struct journal *j, uint64_t conn, const char *event, uint64_t bytes,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/*
 * To be called before anybody can see what follows from the events. A log that cannot
 * be written is given up.
 */
void journal_flush(struct journal *j);

#endif
