#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trace.h"

struct known {
	long nr;
	char kind;
	const char *name;
};

#define CALL(kind, name)                \
	{                               \
		SYS_##name, kind, #name \
	}

#if defined __x86_64__ || defined __aarch64__
static const struct known known[] = {
	CALL('f', openat),
	CALL('f', read),
	CALL('f', write),
	CALL('f', readv),
	CALL('f', writev),
	CALL('f', pread64),
	CALL('f', pwrite64),
	CALL('f', close),
	CALL('f', close_range),
	CALL('f', fsync),
	CALL('f', fdatasync),
	CALL('f', renameat2),
	CALL('f', renameat),
	CALL('f', linkat),
	CALL('f', unlinkat),
	CALL('f', mkdirat),
	CALL('f', fstat),
#ifdef SYS_newfstatat
	CALL('f', newfstatat),
#endif
	CALL('f', statx),
	CALL('f', statfs),
	CALL('f', fstatfs),
	CALL('f', lseek),
	CALL('f', ftruncate),
	CALL('f', fallocate),
	CALL('f', fchmod),
	CALL('f', fchown),
	CALL('f', utimensat),
	CALL('f', flock),
	CALL('f', fcntl),
	CALL('f', dup),
	CALL('f', dup3),
	CALL('f', pipe2),
	CALL('f', getdents64),
	CALL('f', readlinkat),
	CALL('f', faccessat),
	CALL('f', memfd_create),
	CALL('f', chdir),
	CALL('f', fchdir),
	CALL('f', ioctl),
	CALL('f', inotify_init1),
	CALL('f', inotify_add_watch),
	CALL('f', copy_file_range),
#ifdef SYS_open
	CALL('f', open),
	CALL('f', stat),
	CALL('f', lstat),
	CALL('f', access),
	CALL('f', rename),
	CALL('f', link),
	CALL('f', unlink),
	CALL('f', mkdir),
	CALL('f', readlink),
	CALL('f', dup2),
	CALL('f', pipe),
#endif
	CALL('n', socket),
	CALL('n', socketpair),
	CALL('n', bind),
	CALL('n', connect),
	CALL('n', sendto),
	CALL('n', sendmsg),
	CALL('n', sendmmsg),
	CALL('n', recvfrom),
	CALL('n', recvmsg),
	CALL('n', getsockopt),
	CALL('n', setsockopt),
	CALL('n', getsockname),
	CALL('n', getpeername),
	CALL('n', shutdown),
	CALL('n', sendfile),
	CALL('n', splice),
	CALL('n', ppoll),
	CALL('n', pselect6),
	CALL('n', epoll_create1),
	CALL('n', epoll_ctl),
	CALL('n', epoll_pwait),
	CALL('n', timerfd_create),
	CALL('n', timerfd_settime),
	CALL('n', eventfd2),
	CALL('n', signalfd4),
#ifdef SYS_poll
	CALL('n', poll),
	CALL('n', select),
	CALL('n', epoll_wait),
#endif
	CALL('p', clone),
#ifdef SYS_clone3
	CALL('p', clone3),
#endif
#ifdef SYS_fork
	CALL('p', fork),
	CALL('p', vfork),
#endif
	CALL('p', execve),
	CALL('p', wait4),
	CALL('p', waitid),
	CALL('p', kill),
	CALL('p', setpgid),
	CALL('p', setgid),
	CALL('p', setresgid),
	CALL('p', setresuid),
	CALL('p', exit_group),
	CALL('p', exit),
	CALL('m', mmap),
	CALL('m', munmap),
	CALL('m', mprotect),
	CALL('m', brk),
	CALL('m', mremap),
	CALL('m', madvise),
	CALL('-', rt_sigaction),
	CALL('-', rt_sigprocmask),
	CALL('-', futex),
	CALL('-', getrandom),
	CALL('-', uname),
	CALL('-', umask),
	CALL('-', prlimit64),
};
#else
static const struct known known[] = { { -1, '-', "" } }; /* see trace_possible() */
#endif

static const struct known *
find(long nr)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (known[i].nr == nr)
			return &known[i];
	return NULL;
}

const char *
trace_name(long nr)
{
	static char number[32];
	const struct known *k = find(nr);

	if (k != NULL)
		return k->name;
	snprintf(number, sizeof(number), "call %ld", nr);
	return number;
}

char
trace_kind(long nr)
{
	const struct known *k = find(nr);

	return k == NULL ? '-' : k->kind;
}

bool
trace_is_answer(const struct trace_call *call)
{
	return strcmp(call->program, "qmtp-queue") == 0 &&
	    (call->nr == SYS_write || call->nr == SYS_sendto ||
		call->nr == SYS_sendmsg) &&
	    call->args[0] == STDOUT_FILENO;
}
