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
