/*
 * A failing fsync: what the system has dropped it would not report twice. So never a second
 * one on the same file; one new attempt, in a new file.
 */
#include "sync.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "trace.h"
#include "work.h"

#define SYNCS 16

struct sync_case {
	const char *title;
	bool directories; /* their fsync fails, else that of files */
	bool always;      /* ... every time, else the first time */
	int error;
	int code;         /* of the command */
	unsigned files;   /* how many are synced, or should be */
	unsigned entries; /* in the queue afterwards */
};

static const struct sync_case cases[] = {
	{ "the file's fsync fails once", false, false, EIO, 0, 2, 1 },
	{ "... with ENOSPC", false, false, ENOSPC, 0, 2, 1 },
	{ "... with EDQUOT", false, false, EDQUOT, 0, 2, 1 },
	{ "the file's fsync fails every time", false, true, EIO, 73, 2, 0 },
	{ "the directory's fsync fails once", true, false, EIO, 0, 2, 1 },
	{ "the directory's fsync fails every time", true, true, EIO, 73, 2, 0 },
};

struct syncs {
	const struct sync_case *of;
	char files[SYNCS][256]; /* their names in tmp/, which nobody uses twice */
	unsigned n, failed;
	unsigned twice;
};

static void
note_file(struct syncs *s, const struct trace_call *call)
{
	char link[64], name[256];
	ssize_t n;

	snprintf(
	    link, sizeof(link), "/proc/%ld/fd/%d", (long)call->pid, (int)call->args[0]);
	n = readlink(link, name, sizeof(name) - 1);
	if (n < 0 || s->n == SYNCS)
		return;
	name[n] = '\0';
	for (unsigned i = 0; i < s->n; i++)
		s->twice += strcmp(s->files[i], name) == 0;
	memcpy(s->files[s->n++], name, (size_t)n + 1);
}

static enum trace_deed
at_sync(void *arg, const struct trace_call *call, int *error)
{
	struct syncs *s = arg;
	bool directory = false;

	if (call->leaving || (call->nr != SYS_fsync && call->nr != SYS_fdatasync) ||
	    trace_inode(call->pid, (int)call->args[0], &directory) == 0)
		return TRACE_GO;
	if (!directory)
		note_file(s, call);
	if (directory != s->of->directories || (s->failed > 0 && !s->of->always))
		return TRACE_GO;
	s->failed++;
	*error = s->of->error;
	return TRACE_FAIL;
}

static void
try(struct scene *scene, const struct sync_case *c)
{
	const char *const argv[] = { scene_program(SENDMAIL), "-i", "--", "k1@x", NULL };
	struct syncs s = { .of = c };
	struct trace t = { .argv = argv,
		.dir = scene->dir,
		.in = "in",
		.out = "out",
		.hook = at_sync,
		.arg = &s };
	struct look l = { 0 };
	struct buf why = { 0 };
	bool good;

	scene_clean(scene);
	if (trace_run(&t) < 0)
		scene_die("tracing", argv[0]);
	scene_look(scene, &l);
	good = WIFEXITED(t.status) && WEXITSTATUS(t.status) == c->code && s.failed > 0 &&
	    s.n == c->files && s.twice == 0 && l.entries == c->entries &&
	    l.temporary == 0 && l.wrong.len == 0;
	look_tell(&l, &why);
	buf_printf(&why, "status %x, %u files synced, %u again, %u failed, %zu in tmp\n",
	    (unsigned)t.status, s.n, s.twice, s.failed, l.temporary);
	work_tell(good, good ? NULL : why.data,
	    "%s: exit %d, %u files synced, none of them twice, %u in the queue", c->title,
	    c->code, c->files, c->entries);
	buf_free(&why);
	look_free(&l);
}

void
sync_submit(bool all)
{
	static const char *const down[] = { "--refuse", NULL };
	struct scene scene;

	(void)all;
	scene_begin(&scene, "sync");
	scene_serve(&scene, "a", down);
	scene_configure(&scene, "a", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		try(&scene, &cases[i]);
	scene_end(&scene);
}
