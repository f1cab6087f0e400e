/*
 * queue/listener.h: the socket, where no systemd has it: QUEUE_SOCKET, for everybody (mode
 * 0666; what may be done is decided by who connects). A child serves each connection
 * (queue/serve.h), at most LISTENER_CHILDREN at a time: more wait.
 */
#ifndef QUEUE_LISTENER_H
#define QUEUE_LISTENER_H

#include "queue/peer.h"

#define LISTENER_CHILDREN 64

/*
 * Until SIGTERM or one of its like: then the socket is removed, and children that are at
 * work end by themselves. In a socket's place another one is put when nobody listens there;
 * anything else is left alone. Returns the exit code: EX_OK at the end, EX_UNAVAILABLE when
 * somebody listens already, EX_CANTCREAT when the socket cannot be made.
 */
int listener_run(struct peer *p);

#endif
