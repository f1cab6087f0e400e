#include "delivery/pack.h"

struct qmtp_package *
pack_make(
    const struct message *m, const struct envelope *e, const size_t *positions, size_t n)
{
	struct qmtp_package *p = qmtp_package_new();
	int failed;

	if (p == NULL)
		return NULL;
	failed = qmtp_package_sender(p, e->sender) < 0;
	for (size_t i = 0; i < n && !failed; i++)
		failed = qmtp_package_rcpt(p, e->rcpts[positions[i]].addr) < 0;
	failed = failed || qmtp_package_lend(p, m->head.data, m->head.len) < 0;
	if (m->fd < 0)
		failed =
		    failed || qmtp_package_lend(p, m->memory.data, m->memory.len) < 0;
	else
		failed = failed || qmtp_package_file(p, m->fd, m->offset, m->length) < 0;
	if (failed) {
		qmtp_package_free(p);
		return NULL;
	}
	return p;
}
