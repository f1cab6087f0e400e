#include "qmtp/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "qmtp/failure.h"

#define STACK (512 * 1024) /* bytes: resolver modules like room */

struct qmtp__lookup {
	atomic_int users; /* the session, the thread; the last one cleans up */
	int done[2]; /* a pipe: the thread writes a byte when result and list are there */
	char service[16];
	int result;
	int errnum;
	struct addrinfo *list;
	char host[];
};

static const struct addrinfo stream_hints = { .ai_socktype = SOCK_STREAM };

static int
resolver_failed(struct qmtp_error *err, int result, int errnum)
{
	if (result == EAI_SYSTEM) {
		errno = errnum;
		qmtp__fail_errno(err, QMTP_RESOLVE, "");
	} else {
		qmtp__fail(err, QMTP_RESOLVE, QMTP_RESOLVER, "%s while %s",
		    gai_strerror(result), qmtp_phase_name(QMTP_RESOLVE));
		err->errnum = result;
	}
	if (result == EAI_MEMORY)
		err->cause = QMTP_MEMORY;
	return -1;
}

void
qmtp__lookup_free(struct qmtp__lookup *l)
{
	if (l == NULL || atomic_fetch_sub(&l->users, 1) > 1)
		return;
	if (l->list != NULL)
		freeaddrinfo(l->list);
	close(l->done[0]);
	close(l->done[1]);
	free(l);
}

static void *
look_up(void *arg)
{
	struct qmtp__lookup *l = arg;
	struct addrinfo hints = stream_hints;
	ssize_t n;

	hints.ai_flags = AI_NUMERICSERV;
	l->result = getaddrinfo(l->host, l->service, &hints, &l->list);
	l->errnum = errno;
	if (l->result != 0)
		l->list = NULL;
	do
		n = write(l->done[1], "", 1);
	while (n < 0 && errno == EINTR);
	qmtp__lookup_free(l);
	return NULL;
}

static struct qmtp__lookup *
create(const char *host, const char *service)
{
	size_t len = strlen(host) + 1;
	struct qmtp__lookup *l = calloc(1, sizeof(*l) + len);

	if (l == NULL)
		return NULL;
	if (pipe2(l->done, O_CLOEXEC) < 0) {
		free(l);
		return NULL;
	}
	atomic_init(&l->users, 2);
	memcpy(l->host, host, len);
	snprintf(l->service, sizeof(l->service), "%s", service);
	return l;
}

/* The thread takes no signals: they are the program's. */
static int
start_thread(struct qmtp__lookup *l)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	int failed;

	failed = pthread_attr_init(&attr);
	if (failed != 0)
		return failed;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&thread, &attr, look_up, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return failed;
}

int
qmtp__lookup_start(struct qmtp__lookup **lookup, struct addrinfo **list, const char *host,
    int port, struct qmtp_error *err)
{
	struct addrinfo hints = stream_hints;
	struct qmtp__lookup *l;
	char service[16];
	int result;

	*lookup = NULL;
	*list = NULL;
	snprintf(service, sizeof(service), "%d", port);
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	result = getaddrinfo(host, service, &hints, list);
	if (result == 0)
		return 0;
	*list = NULL;
	if (result != EAI_NONAME)
		return resolver_failed(err, result, errno);

	l = create(host, service);
	if (l == NULL)
		return qmtp__fail_errno(err, QMTP_RESOLVE, host);
	result = start_thread(l);
	if (result != 0) {
		atomic_store(&l->users, 1);
		qmtp__lookup_free(l);
		errno = result;
		return qmtp__fail_errno(err, QMTP_RESOLVE, host);
	}
	*lookup = l;
	return 0;
}

int
qmtp__lookup_fd(const struct qmtp__lookup *l)
{
	return l->done[0];
}

int
qmtp__lookup_result(
    struct qmtp__lookup *l, struct addrinfo **list, struct qmtp_error *err)
{
	struct pollfd p = { .fd = l->done[0], .events = POLLIN };

	if (poll(&p, 1, 0) <= 0)
		return 0;
	if (l->result != 0)
		return resolver_failed(err, l->result, l->errnum);
	*list = l->list;
	l->list = NULL;
	return 1;
}
