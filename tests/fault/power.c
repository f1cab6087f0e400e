/*
 * Power cuts: the spool is on a disk of its own, whose bytes are taken before every system
 * call; each time they are what a machine would find when it comes up again.
 */
#include "power.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "moment.h"
#include "util/xalloc.h"
#include "work.h"

static const char *const up[] = { "--rule", "z*=Zlater", "--rule", "d*=Dno such user",
	NULL };
static const char *const later[] = { "--answer", "Zlater", NULL };
static const char *const down[] = { "--refuse", NULL };
static const char *const deaf[] = { "--close-after-byte", "last", NULL };
static const char *const after[] = { "--rule", "d*=Dno such user", NULL };

/* ---- while it happens */

static void
note_moment(struct power *p, const struct trace_call *call, bool over)
{
	struct moment *m;

	if (disk_copy(p->image, p->last)) {
		char *disk = moment_disk(p, p->disks++);

		unlink(disk);
		disk_copy(p->last, disk);
		free(disk);
	}
	p->moments = xgrow(p->moments, p->n, &p->cap, sizeof(*p->moments));
	m = &p->moments[p->n++];
	*m = (struct moment){
		.disk = p->disks - 1, .promises = p->promises, .over = over
	};
	if (call != NULL)
		m->call = *call;
	look_store(&m->server, p->scene.servers[0].store);
}

static enum trace_deed
at_call(void *arg, const struct trace_call *call, int *error)
{
	struct power *p = arg;

	if (!call->leaving) {
		note_moment(p, call, false);
		if (p->of->sabotage == NULL || !p->of->sabotage(call))
			return TRACE_GO;
		*error = 0;
		return TRACE_FAIL;
	}
	if (trace_is_answer(call) && call->result > 0 && p->promises < PROMISES) {
		look_spool(&p->promised[p->promises++], p->scene.spool);
		note_moment(p, call, false);
	}
	return TRACE_GO;
}

/* ---- a case */

/* A fresh disk, with a spool. */
static void
prepare_disk(struct power *p)
{
	unlink(p->image);
	unlink(p->last);
	unlink(p->cut);
	disk_make(p->image);
	disk_mount(p->image, p->scene.spool);
	scene_make_spool(p->scene.spool);
	for (size_t i = 0;
	     i < ENTRIES && p->of->words == NULL && p->of->entries[i] != NULL; i++)
		scene_put(&p->scene, SENDER, p->of->entries[i]);
	disk_unmount(p->scene.spool);
	disk_mount(p->image, p->scene.spool);
}

static void
prepare_words(struct power *p)
{
	struct buf line = { 0 };
	size_t n = 0;
	char *save = NULL;

	if (p->of->words == NULL) {
		p->words[n++] = scene_program(FLUSH);
		buf_str(&line, "--once");
	} else {
		p->words[n++] = scene_program(SENDMAIL);
		buf_printf(&line, "%s -- %s", p->of->words, p->of->entries[0]);
	}
	p->line = buf_detach(&line);
	for (char *w = strtok_r(p->line, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		p->words[n++] = w;
	p->words[n] = NULL;
}

static void
run(struct power *p)
{
	struct trace t = { .argv = p->words,
		.dir = p->scene.dir,
		.out = "out",
		.in = p->of->words == NULL ? NULL : "in",
		.hook = at_call,
		.arg = p };

	prepare_disk(p);
	if (trace_run(&t) < 0)
		scene_die("tracing", p->words[0]);
	scene_settle(&p->scene);
	if (t.status != 0 || t.hung || t.crash != 0)
		buf_printf(p->why, "%s: the program ended with status %x%s\n",
		    p->of->title, (unsigned)t.status, t.hung ? ", it hung" : "");
	note_moment(p, NULL, t.status == 0);
	disk_unmount(p->scene.spool);
	for (size_t i = 0; i < p->n; i++)
		moment_cut(p, &p->moments[i], i == 0 ? NULL : &p->moments[i - 1]);
	p->counts[DISKS] += p->disks;
}

static void
forget(struct power *p)
{
	for (size_t i = 0; i < p->n; i++)
		look_free(&p->moments[i].server);
	for (unsigned i = 0; i < p->promises; i++)
		look_free(&p->promised[i]);
	free(p->moments);
	free(p->line);
	p->moments = NULL;
	p->n = p->cap = 0;
	p->promises = p->disks = 0;
}

/* ---- the cases */

static bool
no_directory_sync(const struct trace_call *call)
{
	bool directory = false;

	return call->nr == SYS_fsync &&
	    trace_inode(call->pid, (int)call->args[0], &directory) != 0 && directory;
}

static bool
no_file_sync(const struct trace_call *call)
{
	bool directory = false;

	return call->nr == SYS_fsync &&
	    trace_inode(call->pid, (int)call->args[0], &directory) != 0 && !directory;
}

static bool
no_sync(const struct trace_call *call)
{
	return no_directory_sync(call) || no_file_sync(call);
}

static const struct power_case submit_cases[] = {
	{ "server down", down, "-i", { "k1@x" }, 0, 1, NULL },
	{ "server down, 3 recipients", down, "-i", { "k1@x k2@x k3@x" }, 0, 1, NULL },
	{ "server half", up, "-i", { "k1@x z1@x d1@x" }, 0, 2, NULL },
	{ "no answer", deaf, "-i", { "k1@x k2@x" }, 1, 1, NULL },
	{ "spool first", up, "-i -odq", { "k1@x z1@x d1@x" }, 0, 1, NULL },
};

static const struct power_case submit_sabotage[] = {
	{ "without the directory's fsync", down, "-i", { "k1@x" }, 0, 1,
	    no_directory_sync },
};

static const struct power_case flush_cases[] = {
	{ "flusher, K", up, NULL, { "k1@x", "k2@x" }, 0, 1, NULL },
	{ "flusher, Z", later, NULL, { "k1@x" }, 0, 1, NULL },
	{ "flusher, D", up, NULL, { "d1@x", "d2@x" }, 0, 1, NULL },
	{ "flusher, K, Z and D", up, NULL, { "k1@x z1@x d1@x", "k2@x" }, 0, 1, NULL },
	{ "flusher, no answer", deaf, NULL, { "k1@x k2@x" }, 1, 1, NULL },
};

static const struct power_case flush_sabotage[] = {
	{ "flusher, bounces without fsync", up, NULL, { "k1@x z1@x d1@x", "k2@x" }, 0, 1,
	    no_sync },
};

static void *
begin(const void *arg, const char *name)
{
	struct power *p = xcalloc(1, sizeof(*p));
	struct buf again = { 0 };

	p->of = arg;
	scene_begin(&p->scene, name);
	buf_printf(&again, "%s-again", name);
	scene_begin(&p->again, again.data);
	scene_serve(&p->again, "after", after);
	scene_configure(&p->again, "after", NULL);
	p->image = scene_path(p->scene.dir, "disk");
	p->last = scene_path(p->scene.dir, "last");
	p->cut = scene_path(p->again.dir, "cut");
	buf_free(&again);
	return p;
}

static bool
one(void *world, size_t i, struct buf *why, unsigned counts[WORK_COUNTS])
{
	struct power *p = world;
	const struct power_case *cases = p->of;
	unsigned before = counts[LOST];

	p->of = &cases[i];
	p->counts = counts;
	p->why = why;
	scene_serve(&p->scene, "a", p->of->server);
	scene_configure(&p->scene, "a", NULL);
	prepare_words(p);
	run(p);
	forget(p);
	scene_stop(&p->scene, "a");
	p->of = cases;
	return counts[LOST] == before && why->len == 0;
}

static void
end(void *world)
{
	struct power *p = world;

	scene_end(&p->scene);
	scene_end(&p->again);
	free(p->image);
	free(p->last);
	free(p->cut);
	free(p);
}

static void
cut_all(const char *what, const struct power_case *cases, size_t n,
    const struct power_case *sabotage)
{
	struct work w = { .begin = begin, .one = one, .end = end, .arg = cases, .n = n };
	struct work_result r;

	work_do(&w, &r);
	work_tell(r.failed == 0 && r.done == n, r.why,
	    "%s: %u power cuts (%u different disks): nothing lost", what, r.counts[CUTS],
	    r.counts[DISKS]);
	w.arg = sabotage;
	w.n = 1;
	work_do(&w, &r);
	work_tell(r.counts[LOST] > 0, r.counts[LOST] > 0 ? NULL : r.why,
	    "%s: mail is lost in %u of %u power cuts, as it should be", sabotage->title,
	    r.counts[LOST], r.counts[CUTS]);
}

static bool
possible(const char *what)
{
	const char *reason;

	if (disk_possible(&reason))
		return true;
	work_skip(what, reason);
	return false;
}

void
power_submit(bool all)
{
	(void)all;
	if (possible("power cuts while mail is submitted"))
		cut_all("submitted", submit_cases,
		    sizeof(submit_cases) / sizeof(*submit_cases), submit_sabotage);
}

void
power_flush(bool all)
{
	(void)all;
	if (possible("power cuts while mail is flushed"))
		cut_all("flushed", flush_cases,
		    sizeof(flush_cases) / sizeof(*flush_cases), flush_sabotage);
}
