#include "qmtp/shared.h"

#include <stdlib.h>

struct qmtp_shared *
qmtp_shared_new(void)
{
	struct qmtp_shared *shared = calloc(1, sizeof(*shared));

	if (shared == NULL)
		return NULL;
	if (pthread_mutex_init(&shared->mutex, NULL) != 0) {
		free(shared);
		return NULL;
	}
	return shared;
}

void
qmtp_shared_free(struct qmtp_shared *shared)
{
	if (shared == NULL)
		return;
	qmtp__lookup_free(shared->lookup);
	if (shared->tls != NULL)
		shared->tls_ops->context_free(shared->tls);
	pthread_mutex_destroy(&shared->mutex);
	free(shared);
}

struct qmtp__lookup *
qmtp__shared_lookup(
    struct qmtp_shared *shared, const char *host, int port, struct qmtp_error *err)
{
	struct qmtp__lookup *l;

	if (shared == NULL)
		return qmtp__lookup_new(host, port, err);
	pthread_mutex_lock(&shared->mutex);
	if (qmtp__lookup_pending(shared->lookup, host, port)) {
		l = qmtp__lookup_share(shared->lookup);
	} else {
		qmtp__lookup_free(shared->lookup);
		shared->lookup = NULL;
		l = qmtp__lookup_new(host, port, err);
		if (qmtp__lookup_pending(l, host, port))
			shared->lookup = qmtp__lookup_share(l);
	}
	pthread_mutex_unlock(&shared->mutex);
	return l;
}

void
qmtp__shared_forget(struct qmtp_shared *shared, const struct qmtp__lookup *l)
{
	if (shared == NULL || l == NULL)
		return;
	pthread_mutex_lock(&shared->mutex);
	if (shared->lookup == l && qmtp__lookup_ended(l)) {
		qmtp__lookup_free(shared->lookup);
		shared->lookup = NULL;
	}
	pthread_mutex_unlock(&shared->mutex);
}
