#include "trace.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"

#define OPTIONS                                                             \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

struct task {
	unsigned number; /* 0: none */
	pid_t tid;
	pid_t pid;     /* its process */
	bool counting; /* false until the program is there */
	bool fresh;    /* its first stop is ours */
	bool inside;   /* a call */
	bool failing;  /* the call it is in gives this: */
	int64_t give;
	struct trace_call call;
};

struct tracing {
	struct trace *t;
	struct task tasks[TRACE_TASKS + 1];
	unsigned living;
	pid_t main;
	bool killed; /* somebody, on purpose: no end is a crash any more */
};

static int
refuse(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	return -1;
}

/* ---- registers */

/* Before a call: let none be made. */
static int
make_none(pid_t tid)
{
#if defined __x86_64__
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) < 0)
		return -1;
	regs.orig_rax = ~0ULL;
	return (int)ptrace(PTRACE_SETREGS, tid, NULL, &regs);
#elif defined __aarch64__
	int none = -1;
	struct iovec iov = { &none, sizeof(none) };

	return (int)ptrace(PTRACE_SETREGSET, tid, (void *)NT_ARM_SYSTEM_CALL, &iov);
#else
	(void)tid;
	errno = ENOSYS;
	return -1;
#endif
}

/* After it: what it gave. */
static int
make_result(pid_t tid, int64_t result)
{
#if defined __x86_64__
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) < 0)
		return -1;
	regs.rax = (uint64_t)result;
	return (int)ptrace(PTRACE_SETREGS, tid, NULL, &regs);
#elif defined __aarch64__
	struct user_regs_struct regs;
	struct iovec iov = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0)
		return -1;
	regs.regs[0] = (uint64_t)result;
	return (int)ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov);
#else
	(void)tid;
	(void)result;
	errno = ENOSYS;
	return -1;
#endif
}

/* ---- what a call is about */

uint64_t
trace_inode(pid_t pid, int fd, bool *directory)
{
	char path[64];
	struct stat sb;

	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)pid, fd);
	if (stat(path, &sb) < 0)
		return 0;
	if (directory != NULL)
		*directory = S_ISDIR(sb.st_mode);
	return sb.st_ino;
}

/* Which argument of a call is a path; -1: none. */
static int
path_argument(long nr)
{
	static const char *const first[] = { "access", "execve", "lstat", "open",
		"rename", "stat", "unlink" };
	static const char *const second[] = { "faccessat", "linkat", "mkdirat",
		"newfstatat", "openat", "readlinkat", "renameat", "renameat2", "statx",
		"unlinkat" };
	const char *name = trace_name(nr);

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (strcmp(name, first[i]) == 0)
			return 0;
	for (size_t i = 0; i < sizeof(second) / sizeof(*second); i++)
		if (strcmp(name, second[i]) == 0)
			return 1;
	return -1;
}

static char *
path_of(const struct trace_call *c)
{
	int which = path_argument(c->nr);
	char text[256];
	struct iovec here = { text, sizeof(text) - 1 }, there;
	ssize_t got;

	if (which < 0)
		return NULL;
	/* To the end of its page at most: the next one may not be there. */
	there.iov_base = (void *)(uintptr_t)c->args[which];
	there.iov_len = 4096 - (c->args[which] & 4095);
	if (there.iov_len > here.iov_len)
		there.iov_len = here.iov_len;
	got = process_vm_readv(c->pid, &here, 1, &there, 1, 0);
	if (got <= 0)
		return NULL;
	text[got] = '\0';
	return strdup(text);
}

static void
name_program(struct task *k)
{
	char path[64], name[256];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%ld/exe", (long)k->pid);
	n = readlink(path, name, sizeof(name) - 1);
	if (n < 0)
		return;
	name[n] = '\0';
	base = strrchr(name, '/');
	snprintf(k->call.program, sizeof(k->call.program), "%.31s",
	    base == NULL ? name : base + 1);
}

/* ---- tasks */

static struct task *
task_find(struct tracing *g, pid_t tid)
{
	for (unsigned i = 1; i <= g->t->tasks; i++)
		if (g->tasks[i].number != 0 && g->tasks[i].tid == tid)
			return &g->tasks[i];
	return NULL;
}

static struct task *
task_new(struct tracing *g, pid_t tid)
{
	struct task *k;

	if (g->t->tasks == TRACE_TASKS) {
		kill(tid, SIGKILL);
		return NULL;
	}
	k = &g->tasks[++g->t->tasks];
	*k =
	    (struct task){ .number = g->t->tasks, .tid = tid, .pid = tid, .fresh = true };
	g->living++;
	return k;
}

static void
task_end(struct tracing *g, struct task *k, int status)
{
	struct trace *t = g->t;

	if (k->tid == g->main)
		t->status = status;
	if (WIFSIGNALED(status) && !g->killed && t->crash == 0)
		t->crash = WTERMSIG(status);
	k->number = 0;
	g->living--;
}

static void
kill_all(struct tracing *g)
{
	g->killed = true;
	for (unsigned i = 1; i <= g->t->tasks; i++)
		if (g->tasks[i].number != 0)
			kill(g->tasks[i].pid, SIGKILL);
}

/* ---- stops */

static void
do_deed(struct tracing *g, struct task *k, enum trace_deed deed, int error)
{
	switch (deed) {
	case TRACE_GO:
		return;
	case TRACE_KILL:
		g->killed = true;
		kill(k->pid, SIGKILL);
		return;
	case TRACE_KILL_ALL:
		kill_all(g);
		return;
	case TRACE_FAIL:
		if (make_none(k->tid) < 0)
			return;
		k->failing = true;
		k->give = -error;
		return;
	}
}

static void
on_enter(struct tracing *g, struct task *k, const struct __ptrace_syscall_info *info)
{
	struct trace *t = g->t;
	struct trace_call *c = &k->call;
	int error = 0;

	c->place = (struct trace_place){ k->number, ++t->calls[k->number] };
	c->pid = k->pid;
	c->nr = (long)info->entry.nr;
	for (int i = 0; i < 6; i++)
		c->args[i] = info->entry.args[i];
	c->leaving = false;
	k->inside = true;
	if (t->hook != NULL) {
		enum trace_deed deed = t->hook(t->arg, c, &error);

		do_deed(g, k, deed, error);
	}
	if (t->at.task != k->number || t->at.call != c->place.call ||
	    (t->kinds != NULL && strchr(t->kinds, trace_kind(c->nr)) == NULL))
		return;
	t->reached = true;
	t->what = *c;
	t->path = path_of(c);
	if (!t->after)
		do_deed(g, k, t->deed, t->error);
}

static void
on_leave(struct tracing *g, struct task *k, const struct __ptrace_syscall_info *info)
{
	struct trace *t = g->t;
	struct trace_call *c = &k->call;
	int error = 0;

	c->leaving = true;
	c->result = info->exit.rval;
	k->inside = false;
	if (k->failing) {
		make_result(k->tid, k->give);
		c->result = k->give;
		k->failing = false;
	}
	if (t->hook != NULL)
		t->hook(t->arg, c, &error);
	if (t->after && t->at.task == k->number && t->at.call == c->place.call)
		do_deed(g, k, t->deed, 0);
}

static void
on_call(struct tracing *g, struct task *k)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, k->tid, sizeof(info), &info) <= 0)
		return; /* it was killed a moment ago */
	if (!k->counting)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		on_enter(g, k, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && k->inside)
		on_leave(g, k, &info);
}

static void
on_event(struct tracing *g, struct task *k, int event)
{
	unsigned long message = 0;
	struct task *child;

	if (ptrace(PTRACE_GETEVENTMSG, k->tid, NULL, &message) < 0)
		return;
	switch (event) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		child = task_find(g, (pid_t)message); /* it may have been seen already */
		if (child == NULL)
			child = task_new(g, (pid_t)message);
		if (child == NULL)
			return;
		child->counting = k->counting;
		memcpy(child->call.program, k->call.program, sizeof(k->call.program));
		if (event == PTRACE_EVENT_CLONE)
			child->pid = k->pid;
		return;
	case PTRACE_EVENT_EXEC:
		k->counting = true;
		name_program(k);
		memcpy(
		    g->t->programs[k->number], k->call.program, sizeof(k->call.program));
		return;
	default:
		return;
	}
}

/*
 * A child that stops before its parent has told of it waits for that: only then it is known
 * what it is.
 */
static bool
on_stop(struct tracing *g, pid_t tid, int status)
{
	struct task *k = task_find(g, tid);
	int sig = WSTOPSIG(status);

	if (k == NULL)
		k = task_new(g, tid);
	if (k == NULL)
		return false;
	if (k->fresh && sig == SIGSTOP && status >> 16 == 0) {
		k->fresh = false;
		sig = 0;
	} else if (sig == (SIGTRAP | 0x80)) {
		on_call(g, k);
		sig = 0;
	} else if (status >> 16 != 0) {
		on_event(g, k, status >> 16);
		sig = 0;
	}
	return ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(intptr_t)sig) == 0;
}

/* ---- the run */

bool
trace_possible(const char **why)
{
#if defined __x86_64__ || defined __aarch64__
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0);
	if (pid > 0)
		waitpid(pid, &status, 0);
	*why = "ptrace is not allowed here";
	return status == 0;
#else
	*why = "ptrace of this machine is not known here";
	return false;
#endif
}

static int
redirect(const char *path, int flags, int to)
{
	int fd = open(path == NULL ? "/dev/null" : path, flags, 0644);

	return fd < 0 || dup2(fd, to) < 0 ? -1 : 0;
}

static void
become(const struct trace *t)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (chdir(t->dir) < 0 || redirect(t->in, O_RDONLY, 0) < 0 ||
	    redirect(t->out, O_WRONLY | O_CREAT | O_TRUNC, 1) < 0 || dup2(1, 2) < 0 ||
	    syscall(SYS_close_range, 3, ~0U, 0) < 0 ||
	    ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0)
		_exit(126);
	execv(t->argv[0], (char *const *)(uintptr_t)t->argv);
	_exit(127);
}

/* The program, stopped before its exec. */
static int
start(struct tracing *g)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return refuse("fork");
	if (pid == 0)
		become(g->t);
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		return refuse("ptrace");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, OPTIONS) < 0 ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0) {
		refuse("ptrace");
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -1;
	}
	g->main = pid;
	task_new(g, pid)->fresh = false;
	return 0;
}

/* One thing that happened to somebody: false when nothing has until now. */
static bool
next(struct tracing *g)
{
	int status;
	pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);
	struct task *k;

	if (tid <= 0)
		return false;
	if (WIFSTOPPED(status)) {
		on_stop(g, tid, status);
		return true;
	}
	k = task_find(g, tid);
	if (k != NULL)
		task_end(g, k, status);
	return true;
}

int
trace_run(struct trace *t)
{
	struct tracing g = { .t = t };
	struct timespec tick = { .tv_nsec = 100000000 };
	int64_t deadline =
	    clock_ms() + 1000 * (t->patience > 0 ? t->patience : TRACE_PATIENCE);
	sigset_t child;

	t->hung = t->reached = false;
	t->path = NULL;
	t->crash = 0;
	t->tasks = 0;
	t->status = 0;
	memset(t->calls, 0, sizeof(t->calls));
	memset(t->programs, 0, sizeof(t->programs));
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	if (start(&g) < 0)
		return -1;
	while (g.living > 0) {
		if (next(&g))
			continue;
		if (!t->hung && clock_ms() >= deadline) {
			t->hung = true;
			kill_all(&g);
		}
		sigtimedwait(&child, NULL, &tick);
	}
	return 0;
}
