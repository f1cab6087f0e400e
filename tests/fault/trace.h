/*
 * fault/trace.h: runs a program and all its descendants under ptrace(2), counts their
 * system calls, and lets something happen at one of them.
 *
 * Tasks (processes and threads) are numbered from 1 in the order they come to be, and
 * each counts its own calls from 1: however two of them run side by side, the n-th call
 * of one of them is the same call next time. What depends on time (poll, retries) may
 * still vary: a place that is never reached is no error, see trace.reached.
 */
#ifndef FAULT_TRACE_H
#define FAULT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TRACE_TASKS 64    /* of one run, at most */
#define TRACE_PATIENCE 20 /* seconds for one run, unless given: then it hangs */

struct trace_place {
	unsigned task;
	unsigned call;
};

struct trace_call {
	struct trace_place place;
	pid_t pid;        /* the process it is in */
	char program[32]; /* what that runs: the last part of its name */
	long nr;          /* SYS_... */
	uint64_t args[6];
	bool leaving; /* it is over, and this is what it gave: */
	int64_t result;
};

enum trace_deed {
	TRACE_GO,
	TRACE_KILL,     /* SIGKILL to the process that makes it */
	TRACE_KILL_ALL, /* to all of them */
	TRACE_FAIL /* it is not made, and gives -error; 0: success, and nothing done */
};

struct trace {
	/* What to run: */
	const char *const *argv; /* a path, and arguments */
	const char *dir;         /* where, */
	const char *in;          /* standard input; files in dir; NULL is /dev/null */
	const char *out;         /* standard output and error */
	int patience;            /* seconds; 0: TRACE_PATIENCE */

	/* What to do, and where: task 0 is nowhere. */
	struct trace_place at;
	enum trace_deed deed;
	bool after;        /* kill when the call has been made, not before */
	int error;         /* an errno */
	const char *kinds; /* only if the call is one of these, trace_kind(); NULL: all */

	/*
	 * Called before and after every call (the task stands still meanwhile, others may
	 * run); before it, the deed that is returned is done (with *error). May be NULL.
	 */
	enum trace_deed (*hook)(void *arg, const struct trace_call *call, int *error);
	void *arg;

	/* What came of it: */
	int status;             /* of the program itself, as waitpid(2) tells */
	bool hung;              /* it took too long, and was killed */
	bool reached;           /* the place, */
	struct trace_call what; /* and the call that was there */
	char *path;             /* ... with the path it names, if it does */
	int crash;              /* a descendant ended by this signal, which nobody sent */
	unsigned tasks;         /* how many there were, */
	unsigned calls[TRACE_TASKS + 1];    /* what each has called; */
	char programs[TRACE_TASKS + 1][32]; /* what they ran at last */
};

/* Whether it can be done here; if not, why is a reason for people. */
bool trace_possible(const char **why);

/*
 * 0, or -1 with a line on stderr: it cannot be done here. t->path is the caller's to free.
 */
int trace_run(struct trace *t);

/* The name of a call: "fsync"; its number when it is none of those that matter here. */
const char *trace_name(long nr);

/* To what it belongs: 'f' files, 'n' the network, 'p' processes, 'm' memory, '-' else. */
char trace_kind(long nr);

/* Whether it is the helper that tells its caller something. */
bool trace_is_answer(const struct trace_call *call);

/* The inode behind a descriptor of a traced process; 0: none. *directory may be NULL. */
uint64_t trace_inode(pid_t pid, int fd, bool *directory);

#endif
