/*
 * A failing fsync: what the system has dropped it would not report twice. So never a second
 * one on the same file; one new attempt, in a new file.
 */
#include "sync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"
#include "trace.h"
#include "work.h"

#define FDS 256

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

/* A descriptor of the helper, as it was opened. */
struct opened {
	unsigned serial; /* 0: not by openat(2) */
	bool directory;
	bool new;
	bool synced;
};

struct syncs {
	const struct sync_case *of;
	struct opened fds[FDS];
	unsigned opens;
	unsigned n, failed; /* files synced; calls that failed */
	unsigned twice,
	    old; /* syncs of a file that had one; of one that was there before */
};

static void
note_open(struct syncs *s, const struct trace_call *call)
{
	if (call->result < 0 || call->result >= FDS)
		return;
	s->fds[call->result] = (struct opened){
		.serial = ++s->opens,
		.directory = (call->args[2] & O_DIRECTORY) != 0,
		.new = (call->args[2] & O_EXCL) != 0,
	};
}

/* What the calls say is enough: nobody but root may look into the helper. */
static enum trace_deed
at_sync(void *arg, const struct trace_call *call, int *error)
{
	struct syncs *s = arg;
	struct opened *fd;

	if (strcmp(call->program, "qmtp-queue") != 0)
		return TRACE_GO;
	if (call->leaving && call->nr == SYS_openat)
		note_open(s, call);
	if (call->leaving || (call->nr != SYS_fsync && call->nr != SYS_fdatasync) ||
	    call->args[0] >= FDS)
		return TRACE_GO;
	fd = &s->fds[call->args[0]];
	if (!fd->directory) {
		s->n++;
		s->twice += fd->synced;
		s->old += !fd->new;
	}
	fd->synced = true;
	if (fd->directory != s->of->directories || (s->failed > 0 && !s->of->always))
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
	    s.n == c->files && s.twice == 0 && s.old == 0 && l.entries == c->entries &&
	    l.temporary == 0 && l.wrong.len == 0;
	look_tell(&l, &why);
	buf_printf(&why,
	    "status %x, %u files synced, %u again, %u old, %u failed, %zu in tmp\n",
	    (unsigned)t.status, s.n, s.twice, s.old, s.failed, l.temporary);
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
