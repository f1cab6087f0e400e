#include "failing.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE 10000 /* milliseconds for a thread to end */

static atomic_long fail_at, calls;
static atomic_int failed, living;

void *fail_malloc(size_t size);
void *fail_calloc(size_t n, size_t size);
void *fail_realloc(void *old, size_t size);
char *fail_strdup(const char *s);
char *fail_strndup(const char *s, size_t n);
void fail_free(void *p);
int fail_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **list);
void fail_freeaddrinfo(struct addrinfo *list);
int fail_pthread_create(
    pthread_t *thread, const pthread_attr_t *attr, void *(*f)(void *), void *arg);

void
failing_start(long place)
{
	atomic_store(&fail_at, place);
	atomic_store(&calls, 0);
	atomic_store(&living, 0);
	atomic_store(&failed, FAILED_NOTHING);
}

enum failure
failing_failed(void)
{
	return (enum failure)atomic_load(&failed);
}

int
failing_living(void)
{
	for (int i = 0; i < PATIENCE && atomic_load(&living) > 0; i++)
		poll(NULL, 0, 1);
	return atomic_load(&living);
}

static bool
fails(enum failure how)
{
	if (atomic_fetch_add(&calls, 1) + 1 != atomic_load(&fail_at))
		return false;
	atomic_store(&failed, (int)how);
	errno = how == FAILED_MEMORY ? ENOMEM : EAGAIN;
	return true;
}

static void *
given(void *p)
{
	if (p != NULL)
		atomic_fetch_add(&living, 1);
	return p;
}

void *
fail_malloc(size_t size)
{
	return fails(FAILED_MEMORY) ? NULL : given(malloc(size));
}

void *
fail_calloc(size_t n, size_t size)
{
	return fails(FAILED_MEMORY) ? NULL : given(calloc(n, size));
}

void *
fail_realloc(void *old, size_t size)
{
	if (fails(FAILED_MEMORY))
		return NULL;
	return old == NULL ? given(malloc(size)) : realloc(old, size);
}

char *
fail_strdup(const char *s)
{
	return fails(FAILED_MEMORY) ? NULL : given(strdup(s));
}

char *
fail_strndup(const char *s, size_t n)
{
	return fails(FAILED_MEMORY) ? NULL : given(strndup(s, n));
}

void
fail_free(void *p)
{
	free(p);
	if (p != NULL)
		atomic_fetch_sub(&living, 1);
}

int
fail_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
    struct addrinfo **list)
{
	int r;

	if (fails(FAILED_MEMORY))
		return EAI_MEMORY;
	r = getaddrinfo(host, service, hints, list);
	if (r == 0)
		atomic_fetch_add(&living, 1);
	return r;
}

void
fail_freeaddrinfo(struct addrinfo *list)
{
	freeaddrinfo(list);
	atomic_fetch_sub(&living, 1);
}

int
fail_pthread_create(
    pthread_t *thread, const pthread_attr_t *attr, void *(*f)(void *), void *arg)
{
	return fails(FAILED_THREAD) ? EAGAIN : pthread_create(thread, attr, f, arg);
}
