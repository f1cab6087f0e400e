/*
 * mail/alias_table.h: what alias.c (look-up and expansion) and alias_file.c (reading)
 * share; nobody else includes it.
 */
#ifndef MAIL_ALIAS_TABLE_H
#define MAIL_ALIAS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/alias.h"
#include "util/buf.h"

struct alias_target {
	size_t addr; /* where its string begins in strings */
	bool literal;
};

struct alias {
	size_t name; /* where its string begins in strings; folded to lower case */
	unsigned line;
	size_t first; /* of its targets */
	size_t n;
	uint64_t round; /* the call of alias_expand() that met it last ... */
	bool open;      /* ... and whether that is still expanding it */
};

struct alias_table {
	struct buf strings; /* every name and address, each with its NUL */
	struct alias_target *targets;
	size_t ntargets;
	size_t targets_cap;
	struct alias *v;
	size_t n;
	size_t cap;
	size_t *index; /* hash table of positions in v + 1; 0 is free */
	size_t slots;  /* a power of two, or 0 */
	char *hostname;
	uint64_t round;
};

/* The string that begins at a place in strings; good until the next one is added. */
const char *alias_string(const struct alias_table *t, size_t at);

/* The entry of that name (without case, no NUL in it) or NULL. Good until alias_new(). */
struct alias *alias_find(const struct alias_table *t, const char *name, size_t len);

/* A new entry without targets; the name must not be there yet. Good until the next. */
struct alias *alias_new(struct alias_table *t, const char *name, unsigned line);

/* One more target for the newest entry. */
void alias_add_target(
    struct alias_table *t, struct alias *a, const char *addr, bool literal);

#endif
