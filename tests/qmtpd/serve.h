/*
 * serve.h: the loop: one thread, any number of connections.
 */
#ifndef SERVE_H
#define SERVE_H

#include "args.h"
#include "conn.h"
#include "util/error.h"

/*
 * SIGPIPE is ignored, SIGTERM and SIGINT end the loop: to be called before anybody can
 * know that the server is there.
 */
void serve_signals(void);

/*
 * Serve what comes to the socket (-1: nobody comes), or descriptors 0 and 1 with
 * settings->stdio. 0: asked to end, or --once.
 */
int serve(struct world *world, const struct settings *settings, int listen_fd,
    struct error *err);

#endif
