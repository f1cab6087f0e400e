/*
 * queue/serve.h: a request through the socket. Who connected is whom the kernel says, and
 * this process becomes him before it reads a byte: his user id, the spool's group, and no
 * other. Root may; whoever is not root serves himself alone.
 *
 * The first line is the request, "VERB[ ID]" as on the command line and at most
 * SERVE_LINE_MAX bytes with its LF; all behind it is as it is without a socket. What is no
 * request is told so: "no 64 TEXT".
 */
#ifndef QUEUE_SERVE_H
#define QUEUE_SERVE_H

#include "queue/peer.h"

#define SERVE_LINE_MAX 64

/*
 * Serve the connection on descriptor fd. Returns the exit code: EX_USAGE when it is no
 * connected unix stream socket, EX_NOPERM when this process cannot become who is there;
 * then nothing was read.
 */
int serve(struct peer *p, int fd);

#endif
