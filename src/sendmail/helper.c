#include "sendmail/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/text.h"

#define NOT_EXECUTED 127 /* exit code of a child that never became the helper */
#define NAP 20           /* milliseconds between two looks where nothing wakes us */
#define STATUS_MAX 1024  /* bytes of a status line */
#define READ_SIZE 65536

static bool left_behind; /* a child was not waited for: it hung */

static void
nap(void)
{
	poll(NULL, 0, NAP);
}

static int
until(int64_t deadline)
{
	int64_t left = deadline - clock_ms();

	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* A caller that ignores SIGCHLD has its children disappear, and their exit codes. */
static void
keep_children(void)
{
	struct sigaction keep = { .sa_handler = SIG_DFL };

	sigaction(SIGCHLD, &keep, NULL);
	while (left_behind && waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Returns 0 or an errno. The helper's end of the socket becomes its 0 and 1. */
static int
set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *how, int theirs)
{
	sigset_t none, all;
	int e;

	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	e = posix_spawn_file_actions_adddup2(files, theirs, STDIN_FILENO);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(files, theirs, STDOUT_FILENO);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(
		    files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (e == 0)
		e = posix_spawnattr_setsigmask(how, &none);
	if (e == 0)
		e = posix_spawnattr_setsigdefault(how, &all);
	if (e == 0)
		e = posix_spawnattr_setflags(
		    how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	return e;
}

static int
spawn(pid_t *pid, int theirs, const char *verb, const char *arg)
{
	char *const argv[] = { (char *)(uintptr_t) "qmtp-queue", (char *)(uintptr_t)verb,
		(char *)(uintptr_t)arg, NULL };
	char *const environment[] = { NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int e = posix_spawn_file_actions_init(&files);

	if (e != 0)
		return e;
	e = posix_spawnattr_init(&how);
	if (e == 0) {
		e = set_up(&files, &how, theirs);
		if (e == 0)
			e = posix_spawn(
			    pid, QUEUE_HELPER, &files, &how, argv, environment);
		posix_spawnattr_destroy(&how);
	}
	posix_spawn_file_actions_destroy(&files);
	return e;
}

static enum helper_result
unable(struct error *err, const char *what, const char *doing)
{
	error_sys(err, EX_UNAVAILABLE, what, doing);
	return errno == ENOENT ? HELPER_ABSENT : HELPER_UNABLE;
}

enum helper_result
helper_start(struct helper *h, const char *verb, const char *arg, struct error *err)
{
	int ends[2], e;

	*h = (struct helper){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return unable(err, QUEUE_HELPER, "making a socket for it");
	keep_children();
	e = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? errno
						    : spawn(&h->pid, ends[1], verb, arg);
	close(ends[1]);
	if (e == 0) {
		h->fd = ends[0];
		return HELPER_OK;
	}
	close(ends[0]);
	errno = e;
	return unable(err, QUEUE_HELPER, "starting it");
}

static int
write_question(char line[HELPER_LINE_MAX + 1], const char *verb, const char *arg)
{
	int n = snprintf(line, HELPER_LINE_MAX + 1, "%s%s%s\n", verb,
	    arg != NULL ? " " : "", arg != NULL ? arg : "");

	return n > HELPER_LINE_MAX ? -1 : n;
}

/* Where the queue of those who wait is full, connect(2) does not wait: EAGAIN. */
static int
connect_by(int fd, const struct sockaddr_un *to, int64_t deadline)
{
	while (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		if (clock_ms() >= deadline) {
			errno = ETIMEDOUT;
			return -1;
		}
		nap();
	}
	return 0;
}

enum helper_result
helper_connect(struct helper *h, const char *verb, const char *arg, int64_t deadline,
    struct error *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char line[HELPER_LINE_MAX + 1];
	int n = write_question(line, verb, arg);
	enum helper_result r;

	_Static_assert(sizeof(QUEUE_SOCKET) <= sizeof(to.sun_path), "a name too long");
	memcpy(to.sun_path, QUEUE_SOCKET, sizeof(QUEUE_SOCKET));
	*h = (struct helper){ .fd = -1 };
	if (n < 0) {
		errno = EMSGSIZE;
		return unable(err, QUEUE_SOCKET, "asking");
	}
	h->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->fd < 0)
		return unable(err, QUEUE_SOCKET, "making a socket");
	if (connect_by(h->fd, &to, deadline) == 0 &&
	    send(h->fd, line, (size_t)n, MSG_NOSIGNAL) == n)
		return HELPER_OK;
	r = unable(err, QUEUE_SOCKET, "connecting");
	close(h->fd);
	h->fd = -1;
	return r;
}

/*
 * Wait for the child to end. A descriptor that speaks of it where the system has such; else
 * look again and again. Returns whether it has ended.
 */
static bool
reap(pid_t pid, int *status, int64_t deadline)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };
	pid_t r;

#ifdef SYS_pidfd_open
	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	while (p.fd >= 0 && poll(&p, 1, until(deadline)) < 0 && errno == EINTR)
		;
#endif
	while ((r = waitpid(pid, status, WNOHANG)) != pid && clock_ms() < deadline &&
	    !(r < 0 && errno == ECHILD))
		nap();
	if (p.fd >= 0)
		close(p.fd);
	if (r < 0) /* somebody else has its exit code */
		*status = 0;
	return r != 0;
}

enum helper_result
helper_finish(struct helper *h, bool committed, struct error *err)
{
	pid_t pid = h->pid;
	int status = 0;

	if (h->fd >= 0)
		close(h->fd);
	*h = (struct helper){ .fd = -1 };
	if (pid == 0)
		return HELPER_OK;
	if (!reap(pid, &status, clock_ms() + HELPER_PARTING)) {
		left_behind = true;
		if (!committed) {
			kill(pid, SIGKILL);
			left_behind = !reap(pid, &status, clock_ms() + HELPER_PARTING);
		}
		return HELPER_OK;
	}
	if (!WIFEXITED(status) ||
	    (WEXITSTATUS(status) != EX_NOPERM && WEXITSTATUS(status) != NOT_EXECUTED))
		return HELPER_OK;
	error_set(
	    err, EX_UNAVAILABLE, "%s: no spool there, or not its group", QUEUE_HELPER);
	return HELPER_UNABLE;
}

/* A decimal number that is all of the string. */
static bool
read_number(const char *s, uint64_t *n)
{
	char *end;
	unsigned long long value;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	value = strtoull(s, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*n = value;
	return true;
}

/* "ok", "ok N" or "no CODE TEXT". */
static int
read_status(struct helper_question *q, const char *line, struct error *err)
{
	char *text;
	long code;

	if (strcmp(line, "ok") == 0 ||
	    (strncmp(line, "ok ", 3) == 0 && read_number(line + 3, &q->n)))
		return 0;
	if (strncmp(line, "no ", 3) != 0)
		return error_set(err, EX_IOERR, "queue: words that make no sense");
	code = strtol(line + 3, &text, 10);
	if (code < EX__BASE || code > EX__MAX)
		code = EX_IOERR;
	text += *text == ' ';
	text = text_cleaned(text, strlen(text), TEXT_LOG_MAX);
	error_set(err, (int)code, "%s", *text != '\0' ? text : "queue: no");
	free(text);
	return -1;
}

/* What has come so far of the status line; done: it was read, data follows. */
struct status {
	struct buf line;
	bool done;
};

static int
take(struct helper_question *q, struct status *s, const char *data, size_t n,
    struct error *err)
{
	const char *end;
	size_t part;

	if (!s->done) {
		end = memchr(data, '\n', n);
		part = end != NULL ? (size_t)(end - data) : n;
		if (s->line.len + part > STATUS_MAX)
			return error_set(
			    err, EX_IOERR, "queue: words that make no sense");
		buf_add(&s->line, data, part);
		if (end == NULL)
			return 0;
		s->done = true;
		if (read_status(q, s->line.data, err) < 0)
			return -1;
		data += part + 1;
		n -= part + 1;
	}
	return n > 0 && q->data != NULL ? q->data(q->data_arg, data, n, err) : 0;
}

/* Listen until the other side hangs up. */
static int
converse(struct helper *h, struct helper_question *q, struct status *s, struct error *err)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	char data[READ_SIZE];
	ssize_t n;

	for (;;) {
		n = recv(h->fd, data, sizeof(data), 0);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			break;
		if (n > 0) {
			if (take(q, s, data, (size_t)n, err) < 0)
				return -1;
		} else if (errno != EAGAIN && errno != EINTR) {
			return error_sys(err, EX_IOERR, "queue", "listening to it");
		} else if (poll(&p, 1, HELPER_PATIENCE) == 0) {
			return error_set(err, EX_IOERR, "queue: no answer in time");
		}
	}
	if (!s->done)
		return error_set(err, EX_IOERR, "queue: it hung up without an answer");
	return 0;
}

/* One road to its end. HELPER_UNABLE: *r is not set. */
static enum helper_result
ask_by(struct helper *h, struct helper_question *q, int *r, struct error *err)
{
	struct status s = { 0 };
	struct error why;
	bool nothing;

	*r = converse(h, q, &s, &why);
	/* Without the group it may say so, or just end. */
	nothing = s.done ? *r < 0 && why.code == EX_NOPERM : s.line.len == 0;
	buf_free(&s.line);
	if (helper_finish(h, false, err) == HELPER_UNABLE && nothing)
		return HELPER_UNABLE;
	if (*r < 0)
		*err = why;
	return HELPER_OK;
}

int
helper_ask(struct helper_question *q, struct error *err)
{
	char line[HELPER_LINE_MAX + 1];
	struct helper h;
	struct error first, second;
	int r;

	q->n = 0;
	if (write_question(line, q->verb, q->arg) < 0)
		return error_set(err, EX_USAGE, "queue: a question that is too long");
	if (helper_start(&h, q->verb, q->arg, &first) == HELPER_OK &&
	    ask_by(&h, q, &r, &first) == HELPER_OK) {
		if (r < 0)
			*err = first;
		return r;
	}
	if (helper_connect(&h, q->verb, q->arg, clock_ms() + HELPER_CONNECT, &second) ==
	    HELPER_OK) {
		ask_by(&h, q, &r, err);
		return r;
	}
	return error_set(
	    err, EX_UNAVAILABLE, "no spool: %s; %s", first.text, second.text);
}
