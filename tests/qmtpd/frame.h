/*
 * frame.h: where the last byte of a package is, so that the server can act when only that
 * byte is missing. It counts the three outer netstrings and trusts them: what is wrong in
 * them the reader finds.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
	int field;     /* 0 message, 1 sender, 2 recipients */
	bool content;  /* the length is known */
	uint64_t left; /* of the content; before that the length so far */
};

/* Only the last byte of the package is missing. */
bool frame_at_last(const struct frame *f);

/*
 * Go through input up to that point, or take the last byte alone when standing there.
 * Returns how many bytes were taken.
 */
size_t frame_run(struct frame *f, const char *data, size_t len);

#endif
