/*
 * mail/lines.h: the line ends of a body, and the dot that ends it, in a stream of
 * chunks.
 *
 * Every CR that stands before LF (or before the end of the message) goes, however many;
 * other CRs stay. A last line without line end gets one. With dots, a line of one "."
 * ends the message. All other bytes pass, and chunks in which nothing is to be changed
 * are only looked at with memchr(3). What cannot be decided at the end of a chunk is
 * held back: at most a "." and a number of CRs.
 *
 *	struct lines l = { .dots = true, .start = true };
 *	while (!l.ended && (n = read(...)) > 0)
 *		lines_push(&l, data, n, &out);	... use out ...
 *	if (!l.ended)
 *		lines_end(&l, &out);		... use out ...
 */
#ifndef MAIL_LINES_H
#define MAIL_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines {
	bool dots;    /* a line with one dot ends the message */
	bool start;   /* what comes next is the start of a line; true to begin with */
	bool ended;   /* the dot was met: push no more */
	bool dot;     /* held back: a dot at the start of a line, and behind it, */
	uint64_t crs; /* held back: so many CR */
};

/* What comes out, in this order. */
struct lines_out {
	bool dot;         /* a "." that was held back */
	uint64_t crs;     /* CRs that were held back */
	const char *data; /* bytes of the chunk, or a line end that was missing */
	size_t n;
	bool changed; /* data is not what came behind dot and crs: CRs went, a line end
			 came */
};

/* Put a chunk in, n > 0. It is changed in place, and out points into it. */
void lines_push(struct lines *l, char *data, size_t n, struct lines_out *out);

/* The source has ended. */
void lines_end(struct lines *l, struct lines_out *out);

#endif
