#include "qmtp/lookup.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmtp/failure.h"

#define STACK (512 * 1024) /* bytes: resolver modules like room */

struct qmtp__lookup {
	atomic_int users; /* references, and the thread; the last one cleans up */
	atomic_bool done; /* set by the thread: from here on nothing below changes */
	int wake[2];      /* a pipe: the thread writes a byte when it is done */
	int result;
	int errnum;
	struct addrinfo *list; /* of getaddrinfo(3); NULL: none, or the path */
	struct addrinfo local; /* the path of a unix socket, as an address */
	struct sockaddr_un path;
	int port;
	char service[16];
	char host[];
};

static const struct addrinfo stream_hints = { .ai_socktype = SOCK_STREAM };

/* In the C locale, as all texts are; gai_strerror(3) speaks the user's language. */
static const char *
reason(int result)
{
	switch (result) {
	case EAI_NONAME:
		return "no such host";
#ifdef EAI_NODATA
	case EAI_NODATA:
		return "the host has no address";
#endif
	case EAI_AGAIN:
		return "the name servers do not answer";
	case EAI_FAIL:
		return "the name servers failed";
	case EAI_MEMORY:
		return "out of memory";
	default:
		return "the resolver failed";
	}
}

static int
resolver_failed(struct qmtp_error *err, int result, int errnum)
{
	if (result == EAI_SYSTEM && errnum != 0) {
		errno = errnum;
		return qmtp__fail_errno(err, QMTP_RESOLVE, "");
	}
	qmtp__fail(err, QMTP_RESOLVE, result == EAI_MEMORY ? QMTP_MEMORY : QMTP_RESOLVER,
	    "%s while %s", reason(result), qmtp_phase_name(QMTP_RESOLVE));
	err->errnum = result;
	return -1;
}

/*
 * RFC 8305 §4: behind an address of one family comes the next of the other. Only the
 * order of the links changes, which freeaddrinfo(3) does not mind.
 */
static void
interleave(struct addrinfo *a)
{
	for (; a->ai_next != NULL; a = a->ai_next) {
		struct addrinfo **from = &a->ai_next, *other;

		while (*from != NULL && (*from)->ai_family == a->ai_family)
			from = &(*from)->ai_next;
		other = *from;
		if (other == NULL)
			return;
		*from = other->ai_next;
		other->ai_next = a->ai_next;
		a->ai_next = other;
	}
}

struct qmtp__lookup *
qmtp__lookup_share(struct qmtp__lookup *l)
{
	atomic_fetch_add(&l->users, 1);
	return l;
}

void
qmtp__lookup_free(struct qmtp__lookup *l)
{
	if (l == NULL || atomic_fetch_sub(&l->users, 1) > 1)
		return;
	if (l->list != NULL)
		freeaddrinfo(l->list);
	if (l->wake[0] >= 0) {
		close(l->wake[0]);
		close(l->wake[1]);
	}
	free(l);
}

/*
 * AI_ADDRCONFIG is not set: it does not count the addresses of the loopback interface, so
 * a host without a network would not find a server of its own. Without it an address that
 * no route leads to fails at once, and comes last (RFC 6724 rule 1).
 */
static void *
look_up(void *arg)
{
	struct qmtp__lookup *l = arg;
	struct addrinfo hints = stream_hints, *list = NULL;
	ssize_t n;

	hints.ai_flags = AI_NUMERICSERV;
	l->result = getaddrinfo(l->host, l->service, &hints, &list);
	l->errnum = errno;
	if (l->result == 0 && list == NULL)
		l->result = EAI_NONAME;
	if (l->result == 0) {
		interleave(list);
		l->list = list;
	}
	atomic_store(&l->done, true);
	do
		n = write(l->wake[1], "", 1);
	while (n < 0 && errno == EINTR);
	qmtp__lookup_free(l);
	return NULL;
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
	qmtp__lookup_share(l);
	failed = pthread_create(&thread, &attr, look_up, l);
	if (failed != 0)
		atomic_fetch_sub(&l->users, 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return failed;
}

/* What was known at once, or an error: 1 or -1; 0: a name, which is not. */
static int
literal(struct qmtp__lookup *l, struct qmtp_error *err)
{
	struct addrinfo hints = stream_hints;
	const char *scope = strchr(l->host, '%');
	const struct sockaddr_in6 *sin6;
	int result;

	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	result = getaddrinfo(l->host, l->service, &hints, &l->list);
	if (result != 0)
		l->list = NULL;
	if (result != 0 && result != EAI_NONAME)
		return resolver_failed(err, result, errno);
	if (result != 0 && strchr(l->host, ':') == NULL)
		return 0;
	if (result != 0)
		return qmtp__fail(err, QMTP_RESOLVE, QMTP_RESOLVER, "%s while %s",
		    scope != NULL ? "no IPv6 address with a scope that is known here"
				  : "no IPv6 address",
		    qmtp_phase_name(QMTP_RESOLVE));
	sin6 = (const void *)l->list->ai_addr;
	if (l->list->ai_family == AF_INET6 && sin6->sin6_scope_id == 0 &&
	    IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr))
		return qmtp__fail(err, QMTP_RESOLVE, QMTP_RESOLVER,
		    "a link-local address needs a scope, like %%eth0, while %s",
		    qmtp_phase_name(QMTP_RESOLVE));
	return 1;
}

static int
path(struct qmtp__lookup *l, struct qmtp_error *err)
{
	size_t len = strlen(l->host);

	if (len >= sizeof(l->path.sun_path))
		return qmtp__fail(
		    err, QMTP_CONNECT, QMTP_INVALID, "the socket's path is too long");
	l->path.sun_family = AF_UNIX;
	memcpy(l->path.sun_path, l->host, len + 1);
	l->local.ai_family = AF_UNIX;
	l->local.ai_addr = (struct sockaddr *)&l->path;
	l->local.ai_addrlen = sizeof(l->path);
	return 1;
}

static int
name(struct qmtp__lookup *l, struct qmtp_error *err)
{
	int failed;

	if (pipe2(l->wake, O_CLOEXEC) < 0) {
		l->wake[0] = -1;
		return qmtp__fail_errno(err, QMTP_RESOLVE, l->host);
	}
	failed = start_thread(l);
	if (failed == 0)
		return 0;
	errno = failed;
	return qmtp__fail_errno(err, QMTP_RESOLVE, l->host);
}

struct qmtp__lookup *
qmtp__lookup_new(const char *host, int port, struct qmtp_error *err)
{
	size_t len = strlen(host) + 1;
	struct qmtp__lookup *l = calloc(1, sizeof(*l) + len);
	int known;

	if (l == NULL) {
		qmtp__fail_errno(err, QMTP_RESOLVE, host);
		return NULL;
	}
	atomic_init(&l->users, 1);
	l->wake[0] = -1;
	l->port = port;
	snprintf(l->service, sizeof(l->service), "%d", port);
	memcpy(l->host, host, len);
	known = host[0] == '/' ? path(l, err) : literal(l, err);
	if (known > 0)
		atomic_init(&l->done, true);
	else if (known < 0 || name(l, err) < 0) {
		qmtp__lookup_free(l);
		return NULL;
	}
	return l;
}

bool
qmtp__lookup_ended(const struct qmtp__lookup *l)
{
	return atomic_load(&l->done);
}

bool
qmtp__lookup_pending(const struct qmtp__lookup *l, const char *host, int port)
{
	return l != NULL && !qmtp__lookup_ended(l) && l->port == port &&
	    strcmp(l->host, host) == 0;
}

int
qmtp__lookup_fd(const struct qmtp__lookup *l)
{
	return l->wake[0];
}

int
qmtp__lookup_result(
    const struct qmtp__lookup *l, const struct addrinfo **list, struct qmtp_error *err)
{
	if (!qmtp__lookup_ended(l))
		return 0;
	if (l->result != 0)
		return resolver_failed(err, l->result, l->errnum);
	*list = l->list != NULL ? l->list : &l->local;
	return 1;
}
