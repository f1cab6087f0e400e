#include "qmtp/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qmtp/failure.h"

int
qmtp__tls_check(const struct qmtp_options *options, struct qmtp_error *err)
{
	const struct qmtp_tls *tls = options->tls;
	const char *pin = tls->fingerprint;

	if (pin != NULL &&
	    (strlen(pin) != 64 || strspn(pin, "0123456789abcdefABCDEF") != 64))
		return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
		    "tls.fingerprint: not 64 hexadecimal digits");
	if (tls->key != NULL && tls->certificate == NULL)
		return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
		    "tls.key: there is no certificate to it");
	if (pin == NULL &&
	    (tls->name != NULL ? *tls->name == '\0' : options->host[0] == '/'))
		return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
		    "tls.name: no name to look for in the certificate");
	return 0;
}

/* Of a host: without the scope of an address; a socket has none. */
static char *
name_of(const struct qmtp_options *options)
{
	const char *name =
	    options->tls->name != NULL ? options->tls->name : options->host;

	if (name[0] == '/')
		return strdup("");
	return strndup(name, strcspn(name, "%"));
}

static int
make_context(struct qmtp_shared *shared, const struct qmtp_options *options,
    struct qmtp_error *err)
{
	struct qmtp_tls tls = *options->tls;
	char *name = name_of(options);
	const struct qmtp__tls_ops *ops;

	if (name == NULL)
		return qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory");
	ops = qmtp__tls_load(tls.module, err);
	if (ops != NULL) {
		tls.name = name;
		shared->tls = ops->context(&tls, err);
		shared->tls_ops = ops;
	}
	free(name);
	return shared->tls != NULL ? 0 : -1;
}

int
qmtp__tls_prepare(struct qmtp_shared *shared, const struct qmtp_options *options,
    struct qmtp_error *err)
{
	int r;

	pthread_mutex_lock(&shared->mutex);
	r = shared->tls != NULL ? 0 : make_context(shared, options, err);
	pthread_mutex_unlock(&shared->mutex);
	return r;
}

struct qmtp__tls *
qmtp__tls_new(const struct qmtp_shared *shared, int fd, struct qmtp_error *err)
{
	struct qmtp__tls *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		qmtp__fail(err, QMTP_SECURE, QMTP_MEMORY, "out of memory");
		return NULL;
	}
	t->ops = shared->tls_ops;
	t->connection = t->ops->connection(shared->tls, fd, err);
	if (t->connection == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
qmtp__tls_free(struct qmtp__tls *t)
{
	if (t == NULL)
		return;
	t->ops->farewell(t->connection);
	t->ops->connection_free(t->connection);
	free(t);
}

/* What a call that ended with this waits for. */
static short
waits(const struct qmtp__tls *t, ssize_t n)
{
	return n < 0 && errno == EAGAIN ? t->ops->wanted(t->connection) : 0;
}

ssize_t
qmtp__tls_read(struct qmtp__tls *t, void *data, size_t len)
{
	ssize_t n = t->ops->read(t->connection, data, len);

	t->reads = waits(t, n);
	return n;
}

ssize_t
qmtp__tls_write(struct qmtp__tls *t, const struct iovec *v, size_t n)
{
	ssize_t done = t->ops->write(t->connection, v, n);

	t->writes = waits(t, done);
	return done;
}
