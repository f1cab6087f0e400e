/*
 * queue/request.h: what is wanted, in words of the command line or in a line through the
 * socket:
 *
 *	store, doubt		queue/receive.h
 *	list			queue/list.h
 *	show ID, remove ID	queue/own.h
 *	retry ID, retry all
 */
#ifndef QUEUE_REQUEST_H
#define QUEUE_REQUEST_H

#include <stdbool.h>

#include "queue/peer.h"

enum request_verb {
	REQUEST_STORE,
	REQUEST_DOUBT,
	REQUEST_LIST,
	REQUEST_SHOW,
	REQUEST_REMOVE,
	REQUEST_RETRY
};

struct request {
	enum request_verb verb;
	const char *id; /* lent; NULL where none belongs. Any text: see queue/own.h */
};

/* arg may be NULL. Returns whether there is such a verb, with or without an argument. */
bool request_parse(struct request *r, const char *verb, const char *arg);

/*
 * Do it. Returns the exit code: EX_NOPERM, before anything is read, when this process has
 * not got the group of the spool.
 */
int request_serve(const struct request *r, struct peer *p);

#endif
