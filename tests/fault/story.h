/*
 * fault/story.h: something that is done again and again, each time with a fault at another
 * place, and what must be true afterwards, whatever the fault was.
 */
#ifndef FAULT_STORY_H
#define FAULT_STORY_H

#include <stdbool.h>

#include "trace.h"
#include "util/buf.h"

struct verdict {
	bool good;  /* else why says what is wrong */
	bool ended; /* the program ended by itself, with this code: */
	int code;
	bool safe; /* all recipients were taken care of when it ended */
};

struct story {
	const char *title;
	bool brief;     /* much the same as another one: some places will do */
	const void *of; /* the details */
	void *(*begin)(const struct story *story, const char *name);
	/* A clean scene; the program, with what t says; then the scene is quiet. */
	void (*run)(void *world, struct trace *t);
	struct verdict (*judge)(void *world, const struct trace *t, struct buf *why);
	void (*end)(void *world);
};

/* Lists; the last one has no title. */
extern const struct story submit_stories[];
extern const struct story flush_stories[];

/* Cases of TAP. all: every place, else some of them. */
void kill_stories(const struct story *stories, bool all);
void error_stories(const struct story *stories, bool all);

/* A line about what the fault was, for people. */
void story_tell(const struct story *story, const struct trace *t, struct buf *out);

#endif
