/*
 * qmtp/tls.h: TLS for sessions. What knows OpenSSL is loaded when it is needed first and
 * spoken to through tls_module.h.
 */
#ifndef QMTP_TLS_H
#define QMTP_TLS_H

#include "qmtp/shared.h"
#include "qmtp/tls_module.h"

/* TLS on the connection of one session. */
struct qmtp__tls {
	const struct qmtp__tls_ops *ops;
	struct qmtp__tls_connection *connection;
	short reads, writes; /* what the last of each waits for, or 0 */
};

/*
 * The module at this path, or the installed one (NULL). NULL with err; it stays loaded
 * for good.
 */
const struct qmtp__tls_ops *qmtp__tls_load(const char *path, struct qmtp_error *err);

/* Whether options->tls makes sense. 0, or -1 with err. */
int qmtp__tls_check(const struct qmtp_options *options, struct qmtp_error *err);

/*
 * Have the module, and its context for options->tls, in shared; done once. 0, or -1 with
 * err.
 */
int qmtp__tls_prepare(struct qmtp_shared *shared, const struct qmtp_options *options,
    struct qmtp_error *err);

/* On a connected socket, once shared is prepared. NULL with err. */
struct qmtp__tls *qmtp__tls_new(
    const struct qmtp_shared *shared, int fd, struct qmtp_error *err);

/* Says goodbye, if that does not take time. NULL is allowed. */
void qmtp__tls_free(struct qmtp__tls *t);

/* As in tls_module.h. */
ssize_t qmtp__tls_read(struct qmtp__tls *t, void *data, size_t len);
ssize_t qmtp__tls_write(struct qmtp__tls *t, const struct iovec *v, size_t n);

#endif
