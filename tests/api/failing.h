/*
 * failing.h: what the library gets from the system, counted, and one of it refused. The
 * library's calls of malloc() and its like come here under other names: fail_malloc(), ...
 * (alloc.sh renames them).
 */
#ifndef API_FAILING_H
#define API_FAILING_H

enum failure {
	FAILED_NOTHING,
	FAILED_MEMORY, /* malloc, calloc, realloc, strdup; getaddrinfo: EAI_MEMORY */
	FAILED_THREAD  /* pthread_create: EAGAIN */
};

/* From now on the place-th call fails, counted from 1; 0: none does. */
void failing_start(long place);

/* What failed since then. */
enum failure failing_failed(void);

/* How many things were given and not taken back: none is 0. Waits for threads to end. */
int failing_living(void);

#endif
