/*
 * fuzz/look.h: what an answer is (QMTP §5, §6), found by looking at all of it at once.
 */
#ifndef FUZZ_LOOK_H
#define FUZZ_LOOK_H

#include "qmtp/response.h"

/* An answer, or what is none, at the beginning of some bytes. */
struct found {
	enum qmtp__response_item item;
	size_t content, len; /* of a whole answer */
	size_t size; /* of a whole answer; or up to the first wrong byte, with it */
};

struct found look(const char *in, size_t n);

#endif
