#include "util/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void
buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap;

	if (n >= SIZE_MAX / 2 - b->len)
		n = SIZE_MAX - b->len - 1; /* cannot be had: let xrealloc say so */
	if (b->len + n + 1 > cap) {
		cap = cap < 64 ? 64 : cap * 2;
		if (cap < b->len + n + 1)
			cap = b->len + n + 1;
		b->data = xrealloc(b->data, cap);
		b->cap = cap;
	}
	return b->data + b->len;
}

void
buf_add(struct buf *b, const void *data, size_t n)
{
	char *to = buf_reserve(b, n);

	if (n > 0)
		memcpy(to, data, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_byte(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	size_t room = 128;
	int n;

	for (;;) {
		char *to = buf_reserve(b, room);

		va_start(ap, fmt);
		n = vsnprintf(to, room + 1, fmt, ap);
		va_end(ap);
		if (n < 0)
			n = 0;
		if ((size_t)n <= room)
			break;
		room = (size_t)n;
	}
	b->len += (size_t)n;
	b->data[b->len] = '\0';
}

char *
buf_detach(struct buf *b)
{
	char *s;

	buf_reserve(b, 0);
	b->data[b->len] = '\0';
	s = b->data;
	*b = (struct buf){ 0 };
	return s;
}
