/*
 * fault/look.h: what became of every recipient: how often servers accepted it, and in how
 * many queue files it waits. A bounce counts for the recipient that it is about.
 */
#ifndef FAULT_LOOK_H
#define FAULT_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "util/buf.h"

#define LOOK_NAMES 1024
#define LOOK_ADDR 64

struct look_name {
	char addr[LOOK_ADDR];
	unsigned accepted; /* by servers, as they see it */
	unsigned waiting;  /* slots P and ? */
	unsigned settled;  /* slots K */
	unsigned refused;  /* slots D */
	unsigned bounced;  /* bounces of it that servers accepted, */
	unsigned bouncing; /* ... and that wait */
	unsigned bounces_settled;
};

struct look {
	struct look_name *names;
	size_t n;
	size_t entries;   /* complete ones in queue/ */
	size_t over;      /* of them all settled */
	size_t temporary; /* files in tmp/ */
	size_t aside;     /* in failed/ and corrupt/ */
	struct buf wrong; /* what nobody should find there; lines */
	struct buf text;  /* entries and states, for people */
};

void look_free(struct look *l);

/* Add a spool, strictly read; a store of tests/qmtpd. */
void look_spool(struct look *l, const char *path);
void look_store(struct look *l, const char *path);

/* Never NULL. */
const struct look_name *look_name(struct look *l, const char *addr);

/* Lines, for people. */
void look_tell(const struct look *l, struct buf *out);

/*
 * Make everything in a spool due: its slots become an age in seconds older, as if that time
 * had passed. 0, or -1 with a line on stderr.
 */
int look_age(const char *path, time_t seconds);

#endif
