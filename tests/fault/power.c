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
#include "scene.h"
#include "trace.h"
#include "util/xalloc.h"
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

static const char *const up[] = { "--rule", "z*=Zlater", "--rule", "d*=Dno such user",
	NULL };
static const char *const later[] = { "--answer", "Zlater", NULL };
static const char *const down[] = { "--refuse", NULL };
static const char *const deaf[] = { "--close-after-byte", "last", NULL };
static const char *const after[] = { "--rule", "d*=Dno such user", NULL };

static char *
disk_of(const struct power *p, unsigned n)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s/disk.%u", p->scene.dir, n);
	return buf_detach(&b);
}

static char *
file_of(const struct scene *s, const char *name)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s/%s", s->dir, name);
	return buf_detach(&b);
}

/* For every recipient of the case; false when it is for one of them. */
static bool
each(struct power *p, struct moment *m, struct look *disk, struct look *again,
    bool (*is)(const struct power *p, const struct moment *m,
	const struct look_name *disk, const struct look_name *server,
	const struct look_name *again))
{
	bool good = true;

	for (size_t i = 0; i < ENTRIES && p->of->entries[i] != NULL; i++) {
		char *list = xstrdup(p->of->entries[i]), *save = NULL;

		for (char *a = strtok_r(list, " ", &save); a != NULL;
		     a = strtok_r(NULL, " ", &save)) {
			if (is(p, m, look_name(disk, a), look_name(&m->server, a),
				look_name(again, a)))
				continue;
			buf_printf(p->why, "<%s>: ", a);
			good = false;
		}
		free(list);
	}
	return good;
}

/* Whether somebody had been told that the mail for this recipient is safe. */
static bool
was_told(const struct power *p, const struct moment *m, const struct look_name *it)
{
	bool told = m->over || p->of->words == NULL;

	for (unsigned k = 0; k < m->promises; k++)
		for (size_t i = 0; i < p->promised[k].n && !told; i++)
			told = p->promised[k].names[i].waiting > 0 &&
			    strcmp(p->promised[k].names[i].addr, it->addr) == 0;
	return told;
}

/* What somebody was told is safe, is on the disk, or a server has it. */
static bool
is_kept(const struct power *p, const struct moment *m, const struct look_name *disk,
    const struct look_name *server, const struct look_name *again)
{
	unsigned accepted = p->of->unanswered > 0 ? 0 : server->accepted;

	(void)again;
	return !was_told(p, m, disk) ||
	    accepted + server->bounced + disk->waiting + disk->bouncing > 0;
}

static bool
is_bounced_first(const struct power *p, const struct moment *m,
    const struct look_name *disk, const struct look_name *server,
    const struct look_name *again)
{
	(void)p;
	(void)m;
	(void)again;
	return disk->refused == 0 || disk->bouncing + server->bounced > 0;
}

/* In the end: everybody has it who was promised it, one copy more at most. */
static bool
is_settled(const struct power *p, const struct moment *m, const struct look_name *disk,
    const struct look_name *server, const struct look_name *again)
{
	unsigned n = server->accepted + again->accepted;
	unsigned bounces = server->bounced + again->bounced;

	return n <= 2 + p->of->unanswered && bounces <= 2 &&
	    (!was_told(p, m, disk) || n + bounces > 0);
}

/* ---- while it happens */

static void
note_moment(struct power *p, const struct trace_call *call, bool over)
{
	struct moment *m;

	if (disk_copy(p->image, p->last)) {
		char *disk = disk_of(p, p->disks++);

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

/* ---- afterwards, moment by moment */

/* The machine comes up again, and the flusher does what is left. */
static bool
come_up(struct power *p, struct moment *m, struct look *disk)
{
	struct look again = { 0 };
	bool good = true;

	if (disk->entries > 0) {
		good = scene_flush(&p->again, p->why);
		look_store(&again, p->again.servers[0].store);
		scene_empty(p->again.servers[0].store);
	}
	if (!each(p, m, disk, &again, is_settled)) {
		buf_str(p->why, "not what it should be in the end\n");
		good = false;
	}
	if (!good)
		look_tell(&again, p->why);
	look_free(&again);
	return good;
}

static bool
judge(struct power *p, struct moment *m, struct look *disk)
{
	struct look none = { 0 };
	bool good = each(p, m, disk, &none, is_kept);

	if (!good)
		buf_str(p->why, "lost\n");
	if (!each(p, m, disk, &none, is_bounced_first)) {
		buf_str(p->why, "settled without a bounce\n");
		good = false;
	}
	if (disk->wrong.len > 0 || disk->aside > 0) {
		buf_str(p->why, "damage\n");
		good = false;
	}
	look_free(&none);
	return good;
}

static void
tell_moment(struct power *p, const struct moment *m, const struct look *disk)
{
	const struct trace_call *call = &m->call;

	look_tell(disk, p->why);
	if (call->place.task == 0)
		buf_printf(p->why, "%s: power cut at the end\n", p->of->title);
	else
		buf_printf(p->why, "%s: power cut %s %u.%u (%s: %s)\n", p->of->title,
		    call->leaving ? "after" : "before", call->place.task,
		    call->place.call, call->program, trace_name(call->nr));
}

/* The flusher has its turn where there is something new. */
static void
cut_power(struct power *p, struct moment *m, const struct moment *before)
{
	bool new = before == NULL || before->disk != m->disk ||
	    before->promises != m->promises || before->over != m->over;
	char *disk = disk_of(p, m->disk);
	struct look l = { 0 };
	size_t said = p->why->len;
	bool good;

	disk_copy(disk, p->cut);
	disk_mount(p->cut, p->again.spool);
	look_spool(&l, p->again.spool);
	good = judge(p, m, &l) && (!new || come_up(p, m, &l));
	disk_unmount(p->again.spool);
	p->counts[CUTS]++;
	if (!good && p->counts[LOST]++ == 0)
		tell_moment(p, m, &l);
	else
		p->why->len = said;
	look_free(&l);
	free(disk);
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
		cut_power(p, &p->moments[i], i == 0 ? NULL : &p->moments[i - 1]);
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
	{ "server down", down, "-i", { "k1@x" }, 0, NULL },
	{ "server down, 3 recipients", down, "-i", { "k1@x k2@x k3@x" }, 0, NULL },
	{ "server half", up, "-i", { "k1@x z1@x d1@x" }, 0, NULL },
	{ "no answer", deaf, "-i", { "k1@x k2@x" }, 1, NULL },
	{ "spool first", up, "-i -odq", { "k1@x z1@x d1@x" }, 0, NULL },
};

static const struct power_case submit_sabotage[] = {
	{ "without the directory's fsync", down, "-i", { "k1@x" }, 0, no_directory_sync },
};

static const struct power_case flush_cases[] = {
	{ "flusher, K", up, NULL, { "k1@x", "k2@x" }, 0, NULL },
	{ "flusher, Z", later, NULL, { "k1@x" }, 0, NULL },
	{ "flusher, D", up, NULL, { "d1@x", "d2@x" }, 0, NULL },
	{ "flusher, K, Z and D", up, NULL, { "k1@x z1@x d1@x", "k2@x" }, 0, NULL },
	{ "flusher, no answer", deaf, NULL, { "k1@x k2@x" }, 1, NULL },
};

static const struct power_case flush_sabotage[] = {
	{ "flusher, bounces without fsync", up, NULL, { "k1@x z1@x d1@x", "k2@x" }, 0,
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
	p->image = file_of(&p->scene, "disk");
	p->last = file_of(&p->scene, "last");
	p->cut = file_of(&p->again, "cut");
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
