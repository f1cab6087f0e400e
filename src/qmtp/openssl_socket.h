/*
 * qmtp/openssl_socket.h: OpenSSL's way to the socket of a connection: never waits, never
 * raises SIGPIPE.
 */
#ifndef QMTP_OPENSSL_SOCKET_H
#define QMTP_OPENSSL_SOCKET_H

#include "qmtp/openssl.h"

/* A BIO whose data is the connection. NULL: no memory. */
BIO_METHOD *qmtp__openssl_socket(void);

#endif
