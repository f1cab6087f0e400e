/*
 * unit/wire.h: a session over TCP on loopback, with every byte of it watched by fuzz/model.h,
 * a server's end that the program plays itself, and a clock that does not go by itself.
 */
#ifndef UNIT_WIRE_H
#define UNIT_WIRE_H

#include <stdbool.h>

#include "../fuzz/model.h"
#include "qmtp/qmtp.h"

struct wire {
	struct model model;
	struct qmtp_session *session;
	int client;      /* its descriptor; -1: closed */
	int server;      /* the other end; -1: closed */
	size_t may_send; /* bytes of the client that the system takes; then it is full */
	int64_t now;     /* qmtp_now(); 0: what it is */
};

/* There is one. */
extern struct wire wire;

/* A listener on a port of its own. */
int wire_listen(int *port);

/* Connect: options but host, port and commit, with all numbers filled in. */
void wire_dial(int listener, int port, const struct qmtp_options *options);

/* Free the session, close the server's end. */
void wire_close(void);

/* A step of the session, if it is open; it must be what the model says. */
void wire_step(void);

/* Wait until so many bytes are there for the server; for the client. */
void wire_await_server(size_t n);
void wire_await_client(size_t n);

/* The server takes so many bytes; says so many. */
void wire_take(size_t n);
void wire_say(const char *data, size_t n);

/* Wait until the session could see the end of the connection. */
void wire_await_end(void);

#endif
