#include "scene.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "spool/store.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/xalloc.h"

static char base[256];
static pid_t base_owner;

void
scene_die(const char *what, const char *which)
{
	fprintf(stderr, "fault: %s: %s: %s\n", what, which, strerror(errno));
	exit(99);
}

char *
scene_path(const char *dir, const char *name)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s/%s", dir, name);
	return buf_detach(&b);
}

const char *
scene_program(enum scene_program which)
{
	static const char *const variables[] = {
		[SENDMAIL] = "SENDMAIL",
		[QUEUE] = "QUEUE",
		[FLUSH] = "FLUSH",
		[QMTPD] = "QMTPD",
		[STAGE] = "STAGE",
	};
	const char *value = getenv(variables[which]);

	if (value == NULL || access(value, X_OK) < 0)
		scene_die("no program", variables[which]);
	return value;
}

/* ---- files */

/* Everything in a directory; with_dirs: directories in it, too. */
static void
empty(const char *dir, bool with_dirs)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char *name;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		name = scene_path(dir, e->d_name);
		if (unlink(name) < 0 && with_dirs) {
			empty(name, true);
			/* A program that broke off may have left it mounted. */
			if (rmdir(name) < 0 && errno == EBUSY &&
			    umount2(name, MNT_DETACH) == 0)
				rmdir(name);
		}
		free(name);
	}
	if (d != NULL)
		closedir(d);
}

/*
 * However this program and its workers end: when the last of them has gone, somebody clears up
 * behind them.
 */
static void
leave_janitor(void)
{
	int ends[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t all;
	char byte;

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		scene_die("pipe", base);
	switch (fork()) {
	case -1:
		scene_die("fork", base);
	case 0:
		setsid(); /* what ends us is not meant for it */
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		close(ends[1]);
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
			;
		empty(base, true);
		rmdir(base);
		_exit(0);
	default:
		close(ends[0]);
		close(null);
	}
}

static const char *
make_base(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(base, sizeof(base), "/dev/shm/qmtp-fault.XXXXXX");
	if (mkdtemp(base) != NULL)
		return base;
	snprintf(base, sizeof(base), "%s/qmtp-fault.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(base) == NULL)
		scene_die("mkdtemp", base);
	return base;
}

const char *
scene_base(void)
{
	if (base[0] != '\0')
		return base;
	base_owner = getpid();
	make_base();
	leave_janitor();
	return base;
}

void
scene_empty(const char *dir)
{
	empty(dir, false);
}

void
scene_leave(void)
{
	if (base[0] == '\0' || base_owner != getpid())
		return;
	empty(base, true);
	rmdir(base);
	base[0] = '\0';
}

void
scene_file(const struct scene *s, const char *name, const char *text)
{
	char *file = scene_path(s->dir, name), *new = scene_path(s->dir, "new");
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || file_write(fd, text, strlen(text)) < 0 || close(fd) < 0 ||
	    rename(new, file) < 0)
		scene_die("writing", file);
	free(file);
	free(new);
}

void
scene_make_dir(const char *dir, const char *name)
{
	char *sub = scene_path(dir, name);

	if (mkdir(sub, 0755) < 0 && errno != EEXIST)
		scene_die("mkdir", sub);
	free(sub);
}

static void
make_lock(const char *dir)
{
	char *lock = scene_path(dir, "lock");
	int fd = open(lock, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || close(fd) < 0)
		scene_die("making", lock);
	free(lock);
}

void
scene_make_spool(const char *dir)
{
	scene_make_dir(dir, "tmp");
	scene_make_dir(dir, "queue");
	scene_make_dir(dir, "failed");
	scene_make_dir(dir, "corrupt");
	make_lock(dir);
}

static void
link_program(const struct scene *s, enum scene_program which, const char *name)
{
	char *here = scene_path(s->dir, name);

	unlink(here);
	if (symlink(scene_program(which), here) < 0)
		scene_die("symlink", here);
	free(here);
}

/* ---- processes */

/* Wait for a child of ours, not for ever. Its status; -1: it hung, and was killed. */
static int
await(pid_t pid)
{
	int64_t deadline = clock_ms() + SCENE_PATIENCE;
	struct timespec tick = { .tv_nsec = 100000000 };
	sigset_t child;
	int status;
	pid_t got;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && clock_ms() < deadline)
		sigtimedwait(&child, NULL, &tick);
	if (got == pid)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

pid_t
scene_start(
    const struct scene *s, const char *const *argv, const char *in, const char *out)
{
	pid_t pid = fork();
	sigset_t none;
	int fd;

	if (pid < 0)
		scene_die("fork", argv[0]);
	if (pid > 0)
		return pid;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(s->dir) < 0)
		_exit(126);
	fd = open(in == NULL ? "/dev/null" : in, O_RDONLY);
	if (fd < 0 || dup2(fd, 0) < 0)
		_exit(126);
	fd = open(out == NULL ? "/dev/null" : out, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execv(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

int
scene_run(struct scene *s, const char *const *argv, const char *in, const char *out)
{
	return await(scene_start(s, argv, in, out));
}

void
scene_await_file(const char *file)
{
	int64_t deadline = clock_ms() + SCENE_PATIENCE;

	while (access(file, F_OK) < 0) {
		if (clock_ms() >= deadline)
			scene_die("waiting for", file);
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
	}
}

void
scene_kill(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

/* ---- the scene */

void
scene_begin(struct scene *s, const char *name)
{
	sigset_t child;
	char *sock;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	*s = (struct scene){ .dir = scene_path(scene_base(), name) };
	scene_make_dir(scene_base(), name);
	scene_make_dir(s->dir, "spool");
	s->spool = scene_path(s->dir, "spool");
	scene_make_spool(s->spool);
	link_program(s, QUEUE, "qmtp-queue");
	scene_file(s, "in",
	    "Date: Sun, 22 Nov 2026 03:30:31 +0000\n"
	    "From: Alice <alice@example.org>\n"
	    "Message-ID: <1@example.org>\n"
	    "Subject: test\n"
	    "\n"
	    "hello\n");
	sock = scene_path(s->dir, "log.sock");
	s->log = scene_start(s,
	    (const char *[]){ scene_program(STAGE), "log", "log.sock", "syslog", NULL },
	    NULL, NULL);
	scene_await_file(sock);
	free(sock);
}

void
scene_end(struct scene *s)
{
	while (s->n > 0)
		scene_stop(s, s->servers[s->n - 1].name);
	scene_kill(&s->log);
	empty(s->dir, true);
	rmdir(s->dir);
	free(s->dir);
	free(s->spool);
}

void
scene_clean(struct scene *s)
{
	static const char *const parts[] = { "tmp", "queue", "failed", "corrupt" };

	for (size_t i = 0; i < 4; i++) {
		char *part = scene_path(s->spool, parts[i]);

		empty(part, true);
		free(part);
	}
	for (size_t i = 0; i < s->n; i++)
		empty(s->servers[i].store, false);
}

void
scene_put(struct scene *s, const char *sender, const char *rcpts)
{
	static const char text[] = "Subject: test\n\nhello\n";
	struct store st = { .fd = -1 };
	struct spool spool;
	struct error err;
	struct buf package = { 0 }, list = { 0 };
	char id[SPOOL_ID];
	size_t n = 0;

	while (*rcpts != '\0') {
		size_t len = strcspn(rcpts, " ");

		buf_printf(&list, "%zu:%.*s,", len, (int)len, rcpts);
		rcpts += len + (rcpts[len] == ' ');
		n++;
	}
	buf_printf(&package, "%zu:\n%s,%zu:%s,%zu:%s,", sizeof(text), text,
	    strlen(sender), sender, list.len, list.data);
	if (spool_open(&spool, s->spool, &err) < 0 ||
	    store_begin(&st, &spool, &err) < 0 ||
	    store_write(&st, package.data, package.len, &err) < 0 ||
	    store_slots(&st, n, 'P', time(NULL), &err) < 0 ||
	    store_commit(&st, time(NULL), id, &err) < 0)
		scene_die("storing", err.text);
	spool_close(&spool);
	buf_free(&package);
	buf_free(&list);
}

/* ---- what becomes of it */

bool
scene_flush(struct scene *s, struct buf *why)
{
	const char *const argv[] = { scene_program(FLUSH), "--once", NULL };
	struct look l = { 0 };
	size_t left = 1;
	int code = 0;

	for (unsigned i = 0; i < 5 && left > 0; i++) {
		if (look_age(s->spool, 4000) < 0)
			break;
		code = scene_run(s, argv, NULL, "flush.err");
		if (code != 0)
			break;
		look_spool(&l, s->spool);
		left = l.entries;
		look_free(&l);
	}
	scene_settle(s);
	if (code != 0)
		buf_printf(why, "the flusher ended with %d\n", code);
	else if (left > 0)
		buf_printf(why, "%zu entries never leave\n", left);
	return code == 0 && left == 0;
}

void
scene_look(struct scene *s, struct look *l)
{
	look_spool(l, s->spool);
	for (size_t i = 0; i < s->n; i++)
		look_store(l, s->servers[i].store);
}
