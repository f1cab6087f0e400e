/*
 * util/buf.h: a run of bytes that grows. {0} is an empty one. The bytes may hold NUL; one
 * more NUL always stands behind them once something was added, so that data is also a string.
 *
 *	struct buf b = { 0 };
 *	buf_printf(&b, "%zu:", n);
 *	buf_add(&b, bytes, n);
 *	...
 *	buf_free(&b);
 */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include <stddef.h>

struct buf {
	char *data; /* NULL until something was added or reserved */
	size_t len;
	size_t cap;
};

void buf_free(struct buf *b);

/* Forget the bytes, keep the memory. */
void buf_clear(struct buf *b);

/* Make room for n more bytes (and the NUL); returns where they go. The caller then adds to len. */
char *buf_reserve(struct buf *b, size_t n);

void buf_add(struct buf *b, const void *data, size_t n);
void buf_byte(struct buf *b, char c);
void buf_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The bytes as a string that the caller frees; the buffer is empty afterwards. Never NULL. */
char *buf_detach(struct buf *b);

#endif
