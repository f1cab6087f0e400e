/*
 * flush/watch.h: what happens in the queue while we look elsewhere (inotify(7)). A watch
 * may miss things, or not be there at all: a full scan now and then sees everything.
 */
#ifndef FLUSH_WATCH_H
#define FLUSH_WATCH_H

#include <stdbool.h>

#include "util/error.h"

enum watch_event {
	WATCH_ARRIVED, /* a file got this name */
	WATCH_TOUCHED, /* its attributes changed: "retry" sets the mtime */
	WATCH_GONE     /* it has left the queue */
};

struct watch {
	int fd; /* readable when there are events; -1: there is no watch */
};

/* Returns 0, or -1 with err (EX_OSERR) and fd -1. */
int watch_open(struct watch *w, const char *directory, struct error *err);

/*
 * Call f for all events up to now, in their order; f must not keep name. Returns 0, or
 * -1 when events may be missing: the watch goes on, or fd is -1 from now on.
 */
int watch_read(struct watch *w,
    void (*f)(void *arg, enum watch_event event, const char *name), void *arg);

void watch_close(struct watch *w);

#endif
