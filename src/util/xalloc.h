/*
 * util/xalloc.h: memory for the programs. Out of memory, or a size that overflows, ends the
 * program with EX_OSERR and one line on stderr; nothing has been promised to anybody then.
 * libqmtp does not use it: a library returns an error instead.
 */
#ifndef UTIL_XALLOC_H
#define UTIL_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *ptr, size_t size);

/* Room for count elements of size bytes; the product is checked. */
void *xreallocarray(void *ptr, size_t count, size_t size);

char *xstrdup(const char *s);

/* A terminated copy of n bytes. */
char *xstrndup(const char *s, size_t n);

/* Grow an array that grows by doubling so that one more element fits: v is its address,
   cap the room it has in elements. Returns the array. */
void *xgrow(void *v, size_t len, size_t *cap, size_t size);

#endif
