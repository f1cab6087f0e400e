#include "qmtp/options.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "qmtp/failure.h"
#include "qmtp/tls.h"

#define WINDOW_BYTES (16 * 1024 * 1024)

static const struct {
	const char *name;
	size_t at;
	int otherwise; /* for 0 */
	int most;
} numbers[] = {
	{ "port", offsetof(struct qmtp_options, port), QMTP_PORT, 65535 },
	{ "connect_timeout", offsetof(struct qmtp_options, connect_timeout), 10000,
	    INT_MAX },
	{ "send_timeout", offsetof(struct qmtp_options, send_timeout), 60000, INT_MAX },
	{ "reply_timeout", offsetof(struct qmtp_options, reply_timeout), 300000,
	    INT_MAX },
	{ "silence", offsetof(struct qmtp_options, silence), 30000, INT_MAX },
	{ "session_timeout", offsetof(struct qmtp_options, session_timeout), 3000000,
	    QMTP_SESSION_MAX },
	{ "window", offsetof(struct qmtp_options, window), 64, INT_MAX },
	{ "window_rcpts", offsetof(struct qmtp_options, window_rcpts), 1000, INT_MAX },
};

/* The strings of options.tls: there are several, and most are not set. */
static const size_t strings[] = {
	offsetof(struct qmtp_tls, name),
	offsetof(struct qmtp_tls, ca),
	offsetof(struct qmtp_tls, fingerprint),
	offsetof(struct qmtp_tls, certificate),
	offsetof(struct qmtp_tls, key),
	offsetof(struct qmtp_tls, module),
};

#define STRINGS (sizeof(strings) / sizeof(*strings))

static const char **
string(const struct qmtp_tls *tls, size_t i)
{
	return (const char **)(void *)((char *)(uintptr_t)tls + strings[i]);
}

/* In one piece of memory, the strings behind the struct. */
static struct qmtp_tls *
copy_tls(const struct qmtp_tls *from)
{
	size_t size = sizeof(*from);
	struct qmtp_tls *to;
	char *at;

	for (size_t i = 0; i < STRINGS; i++)
		if (*string(from, i) != NULL)
			size += strlen(*string(from, i)) + 1;
	to = calloc(1, size);
	if (to == NULL)
		return NULL;
	at = (char *)(to + 1);
	for (size_t i = 0; i < STRINGS; i++) {
		const char *s = *string(from, i);

		if (s == NULL)
			continue;
		size = strlen(s) + 1;
		*string(to, i) = memcpy(at, s, size);
		at += size;
	}
	return to;
}

static int
fill_in(struct qmtp_options *o, struct qmtp_error *err)
{
	if (o->port == 0 && o->tls != NULL)
		o->port = QMTP_PORT_TLS;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		int *value = (int *)(void *)((char *)o + numbers[i].at);

		if (*value < 0 || *value > numbers[i].most)
			return qmtp__fail(err, QMTP_IDLE, QMTP_INVALID,
			    "%s: out of range", numbers[i].name);
		if (*value == 0)
			*value = numbers[i].otherwise;
	}
	if (o->window_bytes == 0)
		o->window_bytes = WINDOW_BYTES;
	return 0;
}

int
qmtp__options_copy(
    struct qmtp_options *to, const struct qmtp_options *from, struct qmtp_error *err)
{
	if (from->host == NULL || *from->host == '\0')
		return qmtp__fail(
		    err, QMTP_IDLE, QMTP_INVALID, "host: no server was named");
	if (from->tls != NULL && qmtp__tls_check(from, err) < 0)
		return -1;
	*to = *from;
	if (fill_in(to, err) < 0)
		return -1;
	to->host = strdup(from->host);
	if (from->tls != NULL)
		to->tls = copy_tls(from->tls);
	if (to->host == NULL || (from->tls != NULL && to->tls == NULL)) {
		qmtp__options_free(to);
		return qmtp__fail(err, QMTP_IDLE, QMTP_MEMORY, "out of memory");
	}
	return 0;
}

void
qmtp__options_free(struct qmtp_options *o)
{
	free((void *)(uintptr_t)o->host);
	free((void *)(uintptr_t)o->tls);
}
