/*
 * fault/moment.h: the moments of a run at which the power may go, and what a machine makes of
 * each when it comes up again.
 */
#ifndef FAULT_MOMENT_H
#define FAULT_MOMENT_H

#include <stdbool.h>

#include "scene.h"
#include "trace.h"
#include "work.h"

#define WORDS 32
#define ENTRIES 3
#define PROMISES 8

enum { CUTS, DISKS, LOST };

struct power_case {
	const char *title;
	const char *const *server;    /* options of the one it meets */
	const char *words;            /* of the command; NULL: it is the flusher, */
	const char *entries[ENTRIES]; /* and what is in the queue: recipients of each */
	unsigned unanswered;          /* packages that the server takes without a word */
	unsigned answers; /* of the helper, until all of them have been promised */
	/* Calls that only seem to succeed: then mail must get lost, or the check is none. */
	bool (*sabotage)(const struct trace_call *call);
};

/* A moment at which the power may go. */
struct moment {
	unsigned disk;      /* what it leaves: disk.N */
	unsigned promises;  /* how many had been made, */
	struct look server; /* and what servers had taken */
	bool over;          /* the program had ended with 0 */
	struct trace_call call;
};

struct power {
	const struct power_case *of;
	struct scene scene,
	    again;   /* where it happens; where the machine comes up again */
	char *image; /* the disk; */
	char *last;  /* what it was at the last moment; */
	char *cut;   /* what it was at one of them, mounted */
	const char *words[WORDS];
	char *line;
	struct look
	    promised[PROMISES]; /* what had to be safe since somebody was told so */
	unsigned promises;
	struct moment *moments;
	size_t n, cap;
	unsigned disks;
	unsigned *counts;
	struct buf *why;
};

/* The file that holds disk n; the caller frees it. */
char *moment_disk(const struct power *p, unsigned n);

/*
 * The power goes: the disk of that moment is mounted where the machine comes up again, and
 * looked at; where something is new since the moment before (or that is NULL), the flusher
 * has its turn. Counts; p->why says what is wrong with the first that is.
 */
void moment_cut(struct power *p, struct moment *m, const struct moment *before);

#endif
