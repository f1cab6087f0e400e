/*
 * fault/work.h: many small pieces of work, done by two processes, and what came of them, as
 * TAP.
 */
#ifndef FAULT_WORK_H
#define FAULT_WORK_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

#define WORK_COUNTS 4

struct work {
	/* Each worker makes a world of its own, does pieces in it, and ends it. */
	void *(*begin)(const void *arg, const char *name);
	/* false: why says in lines what is wrong; counts are added up over all of them. */
	bool (*one)(void *world, size_t i, struct buf *why, unsigned counts[WORK_COUNTS]);
	void (*end)(void *world);
	const void *arg;
	size_t n;
};

struct work_result {
	size_t done;
	size_t failed;
	unsigned counts[WORK_COUNTS];
	char why[8192]; /* of the first that failed */
};

void work_do(const struct work *w, struct work_result *r);

/* TAP: a line for a case, its details as comments; the plan. work_plan() returns the exit code. */
void work_tell(bool good, const char *details, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void work_skip(const char *what, const char *reason);
int work_plan(void);

#endif
