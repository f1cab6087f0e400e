/*
 * store.h: what arrived, in files (README.md says which). A message of any size goes
 * through a small buffer to its file. A store without a directory keeps nothing and costs
 * nothing.
 *
 * A ledger is the other way to keep: one file, to which the accepted recipients of a
 * package and its message are appended in one write. For very many small messages.
 *
 * A record is the package that a connection is sending. Its files have temporary names
 * until record_commit(); the file .done comes last.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/error.h"

struct store {
	int dir;    /* -1: no files of their own for packages */
	int ledger; /* -1: none */
};

/* Makes the directory, or opens the ledger; both NULL: nothing is kept. Not both. */
int store_open(struct store *s, const char *dir, const char *ledger, struct error *err);
bool store_keeps(const struct store *s);
void store_close(struct store *s);

enum part { PART_MESSAGE, PART_SENDER, PART_RCPTS, PART_ACCEPTED, PART_ANSWERS, PARTS };

struct record {
	uint64_t conn; /* names the temporary files */
	struct {
		struct buf buf;
		int fd; /* valid if begun */
		bool begun;
	} part[PARTS];
};

/* Bytes behind what a part has so far. */
int record_add(const struct store *s, struct record *r, enum part part, const void *data,
    size_t len, struct error *err);

/* Forget what a part has so far. */
int record_clear(struct record *r, enum part part, struct error *err);

/*
 * Give all parts and .done, of that text, their names. The record is empty afterwards,
 * also on failure.
 */
int record_commit(const struct store *s, struct record *r, uint64_t number,
    const char *done, struct error *err);

/* Remove the parts, leave .broken with that text instead. */
int record_break(const struct store *s, struct record *r, uint64_t number,
    const char *broken, struct error *err);

/* Remove the parts. */
void record_drop(const struct store *s, struct record *r);

#endif
