/*
 * answer.h: the answers to a package, made one at a time, so that a package with many
 * recipients and long texts takes little memory.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "script.h"
#include "util/buf.h"

struct answers {
	struct answers *next; /* those of the next package, that wait behind these */
	const struct script *script;
	uint64_t number;      /* of the package, over all connections */
	uint64_t package;     /* of the package, on its connection */
	struct buf verdicts;  /* a byte for each recipient */
	unsigned char chosen; /* the one for all, if there is one */
	uint64_t total, sent;
	int64_t due;
};

struct answers *answers_new(void);
void answers_free(struct answers *a);

/* Empty, to be used for another package. */
void answers_clear(struct answers *a);

/* All recipients are known: decide what will be answered. */
void answers_decide(struct answers *a, const struct script *script, uint64_t number);

/* How many recipients are accepted. */
uint64_t answers_accepted(const struct answers *a);

/*
 * Append the text of answer i, from 0: with --raw the bytes, else without the
 * netstring around it.
 */
void answers_text(const struct answers *a, uint64_t i, struct buf *b);

/* Append to b answer i as it goes out; scratch is overwritten. */
void answers_packed(
    const struct answers *a, uint64_t i, struct buf *b, struct buf *scratch);

#endif
