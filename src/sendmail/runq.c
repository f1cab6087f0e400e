#include "sendmail/runq.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "sendmail/complain.h"
#include "sendmail/helper.h"
#include "sendmail/listed.h"
#include "util/buf.h"

extern char **environ;

/* The ids of entries that wait, each with its NUL. */
static int
collect(void *arg, const struct listing *l, struct error *err)
{
	struct buf *ids = arg;

	(void)err;
	for (size_t i = 0; i < l->n; i++)
		if (listed_waits(&l->rcpts[i])) {
			buf_add(ids, l->id, strlen(l->id) + 1);
			break;
		}
	return 0;
}

static int
retry(const char *id, uint64_t *n, struct error *err)
{
	struct helper_question q = { .verb = "retry", .arg = id };

	if (helper_ask(&q, err) < 0)
		return -1;
	*n += strcmp(id, "all") == 0 ? q.n : 1;
	return 0;
}

/* How many were retried goes to *n. One that has left the queue meanwhile is no loss. */
static int
retry_filtered(const struct options *o, uint64_t *n, struct error *err)
{
	struct buf ids = { 0 };
	int code = listed_each(o, collect, &ids, err);

	for (size_t at = 0; at < ids.len && code == 0; at += strlen(ids.data + at) + 1)
		if (retry(ids.data + at, n, err) < 0 && err->code != EX_NOUSER)
			code = -1;
	buf_free(&ids);
	return code;
}

/*
 * It takes the ids of the spool's user itself, and ends quietly where another one is at
 * work. Returns 0 or an errno.
 */
static int
start_flusher(const char *conf_path, pid_t *pid)
{
	char name[] = "qmtp-flush", once[] = "--once", conf[] = "-C";
	char *const plain[] = { name, once, NULL };
	char *const configured[] = { name, conf, (char *)(uintptr_t)conf_path, once,
		NULL };
	posix_spawnattr_t how;
	sigset_t defaults;
	int e = posix_spawnattr_init(&how);

	if (e != 0)
		return e;
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	e = posix_spawnattr_setsigdefault(&how, &defaults);
	if (e == 0)
		e = posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGDEF);
	if (e == 0)
		e = posix_spawn(pid, FLUSH_PROGRAM, NULL, &how,
		    conf_path != NULL ? configured : plain, environ);
	posix_spawnattr_destroy(&how);
	return e;
}

static int
flush_once(const char *conf_path)
{
	int status = 0;
	pid_t pid = -1, r;

	errno = start_flusher(conf_path, &pid);
	if (errno != 0) {
		complain("%s: %s while starting it", FLUSH_PROGRAM, strerror(errno));
		return EX_UNAVAILABLE;
	}
	/* helper_ask() has seen to it that SIGCHLD is not ignored. */
	while ((r = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	if (r == pid && WIFEXITED(status))
		return WEXITSTATUS(status);
	complain("%s: ended by signal %d", FLUSH_PROGRAM, WTERMSIG(status));
	return EX_UNAVAILABLE;
}

int
runq(const struct options *o)
{
	struct error err;
	uint64_t n = 0;
	int code;

	code = o->nfilters > 0 ? retry_filtered(o, &n, &err) : retry("all", &n, &err);
	if (code < 0) {
		complain("%s", err.text);
		return err.code == EX_IOERR ? EX_UNAVAILABLE : err.code;
	}
	return n > 0 && getuid() == 0 ? flush_once(o->conf_path) : EX_OK;
}
