/*
 * fault/submit.h: the submit path: the command, and the helper behind it.
 */
#ifndef FAULT_SUBMIT_H
#define FAULT_SUBMIT_H

#include <stdbool.h>

#include "scene.h"
#include "trace.h"

struct submit_case {
	const char *title;
	const char *const *server; /* options of the server it meets */
	const char *words;         /* arguments of the command, */
	const char
	    *rcpts; /* and recipients: k.. is accepted there, z.. put off, d.. refused */
};

/* The last one has no title. */
extern const struct submit_case submit_cases[];

struct submit {
	struct scene scene;
	const struct submit_case *of;
	const char *words[32];
	char *line;
	bool ended; /* the program ended by itself, with this: */
	int code;
	unsigned faults; /* each may make one more copy of a mail */
};

void submit_begin(struct submit *s, const struct submit_case *c, const char *name);
void submit_end(struct submit *s);

/* One submission with what t says is to happen; a clean scene before it. */
void submit_run(struct submit *s, struct trace *t);

/*
 * Whether all is as it was promised: what acknowledged means, no damage, no copies that
 * nobody can account for; then the flusher, and whether all has arrived. *safe: all
 * recipients were taken care of when the program ended.
 */
bool submit_judge(struct submit *s, struct trace *t, struct buf *why, bool *safe);

/* The programs of fault. */
void kill_submit(bool all);
void errors_submit(bool all);

#endif
