/*
 * qmtp/tls_module.h: between libqmtp and the module that knows OpenSSL. The module is a
 * shared object with one symbol, QMTP__TLS_SYMBOL, a struct qmtp__tls_ops. It is loaded
 * by the first session that wants TLS, and stays: what it brings along cannot be unloaded
 * safely.
 *
 * The module waits for nothing, prints nothing, raises no SIGPIPE, and asks nobody for a
 * password.
 */
#ifndef QMTP_TLS_MODULE_H
#define QMTP_TLS_MODULE_H

#include <sys/types.h>
#include <sys/uio.h>

#include "qmtp/qmtp.h"

#define QMTP__TLS_SYMBOL "qmtp__tls_module"
#define QMTP__TLS_VERSION 1 /* of this interface */

/* Settings for one server: trust, one's own key, the session to resume. */
struct qmtp__tls_context;

/* TLS on one connection. */
struct qmtp__tls_connection;

struct qmtp__tls_ops {
	unsigned version; /* QMTP__TLS_VERSION */

	/*
	 * Read the files. options->name is set, and "" only with a fingerprint. NULL with err: phase QMTP_SECURE, cause
	 * QMTP_TLS or QMTP_MEMORY. May be used by several connections at a time, from
	 * several threads.
	 */
	struct qmtp__tls_context *(*context)(
	    const struct qmtp_tls *options, struct qmtp_error *err);
	void (*context_free)(struct qmtp__tls_context *context);

	/* On a connected socket that stays the caller's. NULL with err. */
	struct qmtp__tls_connection *(*connection)(
	    struct qmtp__tls_context *context, int fd, struct qmtp_error *err);
	void (*connection_free)(struct qmtp__tls_connection *c);

	/* 1: it stands and the server is verified; 0: wait; -1 with err. */
	int (*handshake)(struct qmtp__tls_connection *c, struct qmtp_error *err);

	/*
	 * As read(2) and writev(2) on a socket that does not block: -1 with errno EAGAIN
	 * to wait, EPROTO when TLS broke (trouble() says how), or that of the socket; 0
	 * on reading when the server has closed, with a close_notify or without. A write
	 * that had to wait is repeated by the next one, which begins with the same bytes;
	 * what it returns counts from there.
	 */
	ssize_t (*read)(struct qmtp__tls_connection *c, void *data, size_t len);
	ssize_t (*write)(struct qmtp__tls_connection *c, const struct iovec *v, size_t n);

	/* POLLIN, POLLOUT or both: what the last call that returned "wait" waits for. */
	short (*wanted)(const struct qmtp__tls_connection *c);

	/* Tell the server that nothing more comes, if the socket takes it at once. */
	void (*farewell)(struct qmtp__tls_connection *c);

	/* After EPROTO, and when the end of file came without close_notify; else "". */
	const char *(*trouble)(const struct qmtp__tls_connection *c);

	/*
	 * After EPROTO: the server did not accept this side's handshake (its certificate,
	 * for instance), so it has not read any of what was sent since.
	 */
	bool (*refused)(const struct qmtp__tls_connection *c);

	/* As qmtp_session_security(). */
	const char *(*describe)(struct qmtp__tls_connection *c);
};

#endif
