/*
 * listen.h: the socket that waits for clients, or that makes them wait.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>

#include "args.h"
#include "util/error.h"

#define LISTEN_FILL 8

struct listener {
	int fd;
	bool accepts;          /* somebody can come: else --refuse or --blackhole */
	int fill[LISTEN_FILL]; /* connections that keep the backlog full */
	const char *path;      /* of a unix socket, to be removed */
};

/* Open it and say where it is (standard output or --port-file). */
int listener_open(struct listener *l, const struct settings *settings, char *where,
    size_t where_size, struct error *err);
void listener_close(struct listener *l);

#endif
