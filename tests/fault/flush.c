/* The flusher: what waits in the queue, and servers that answer in every way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "scene.h"
#include "story.h"
#include "util/xalloc.h"

struct flush_case {
	const char *const *a, *const *b; /* options of two servers */
	const char
	    *before; /* the servers of a run before, which is not disturbed; or NULL */
	const char *order;      /* and of the one that is */
	const char *entries[3]; /* recipients of each: d.. are refused by all */
	unsigned unanswered;    /* packages that a server takes without a word */
};

struct flush {
	struct scene scene;
	const struct story *story;
	const struct flush_case *of;
	unsigned faults;
};

static const char *const fine[] = { "--rule", "d*=Dno such user", NULL };
static const char *const later[] = { "--answer", "Zlater", NULL };
static const char *const mixed[] = { "--rule", "z*=Zlater", "--rule", "d*=Dno such user",
	NULL };
static const char *const down[] = { "--refuse", NULL };
static const char *const short_of_it[] = { "--close-after-byte", "last-1", NULL };
static const char *const deaf[] = { "--close-after-byte", "last", NULL };

static const struct flush_case cases[] = {
	{ fine, fine, NULL, "a", { "k1@x", "k2@x" }, 0 },
	{ later, fine, NULL, "a", { "k1@x" }, 0 },
	{ mixed, fine, "a", "b", { "k1@x z1@x", "z2@x z3@x" }, 0 },
	{ fine, fine, NULL, "a", { "d1@x" }, 0 },
	{ mixed, fine, NULL, "a", { "k1@x z1@x d1@x", "k2@x d2@x k3@x" }, 0 },
	{ deaf, fine, NULL, "a", { "k1@x k2@x" }, 1 },
	{ down, fine, NULL, "a b", { "k1@x", "d1@x k2@x" }, 0 },
	{ short_of_it, fine, NULL, "a b", { "k1@x k2@x" }, 0 },
};

static void *
flush_begin(const struct story *story, const char *name)
{
	struct flush *f = xcalloc(1, sizeof(*f));

	f->story = story;
	f->of = story->of;
	scene_begin(&f->scene, name);
	scene_serve(&f->scene, "a", f->of->a);
	scene_serve(&f->scene, "b", f->of->b);
	scene_serve(&f->scene, "after", fine);
	return f;
}

static void
flush_end(void *world)
{
	struct flush *f = world;

	scene_end(&f->scene);
	free(f);
}

static void
flush_run(void *world, struct trace *t)
{
	const char *const argv[] = { scene_program(FLUSH), "--once", NULL };
	struct flush *f = world;

	scene_clean(&f->scene);
	for (size_t i = 0; i < 3 && f->of->entries[i] != NULL; i++)
		scene_put(&f->scene, SENDER, f->of->entries[i]);
	if (f->of->before != NULL) {
		scene_configure(&f->scene, f->of->before, NULL);
		scene_run(&f->scene, argv, NULL, "flush.err");
		look_age(f->scene.spool, 4000);
	}
	scene_configure(&f->scene, f->of->order, NULL);
	t->argv = argv;
	t->dir = f->scene.dir;
	t->in = NULL;
	t->out = "out";
	if (trace_run(t) < 0)
		scene_die("tracing", argv[0]);
	scene_settle(&f->scene);
	f->faults = t->reached && t->deed != TRACE_GO;
}

static bool
is_there(const struct flush *f, const struct look_name *it, struct buf *why)
{
	/* Taken without a word, it is in doubt until somebody says more. */
	unsigned accepted = f->of->unanswered > 0 ? 0 : it->accepted;

	if (accepted + it->waiting + it->bounced + it->bouncing > 0)
		return true;
	buf_printf(why, "<%s> is nowhere\n", it->addr);
	return false;
}

static bool
bounce_first(const struct flush *f, const struct look_name *it, struct buf *why)
{
	(void)f;
	if (it->refused == 0 || it->bounced + it->bouncing > 0)
		return true;
	buf_printf(why, "<%s> is settled without a bounce\n", it->addr);
	return false;
}

static bool
not_too_many(const struct flush *f, const struct look_name *it, struct buf *why)
{
	if (it->accepted + it->waiting <= 1 + f->faults + f->of->unanswered &&
	    it->bounced + it->bouncing <= 1 + f->faults)
		return true;
	buf_printf(why, "too many copies for <%s>\n", it->addr);
	return false;
}

static bool
has_arrived(const struct flush *f, const struct look_name *it, struct buf *why)
{
	(void)f;
	if (it->addr[0] == 'd' ? it->bounced > 0 : it->accepted > 0 && it->bounced == 0)
		return true;
	buf_printf(why, "<%s> has nothing, or a bounce, after all\n", it->addr);
	return false;
}

/* For every recipient of the case. */
static bool
each(const struct flush *f, struct look *l, struct buf *why,
    bool (*is)(const struct flush *f, const struct look_name *it, struct buf *why))
{
	bool good = true;

	for (size_t i = 0; i < 3 && f->of->entries[i] != NULL; i++) {
		char *list = xstrdup(f->of->entries[i]), *save = NULL;

		for (char *p = strtok_r(list, " ", &save); p != NULL;
		     p = strtok_r(NULL, " ", &save))
			good = is(f, look_name(l, p), why) && good;
		free(list);
	}
	return good;
}

static bool
look_now(struct flush *f, struct buf *why)
{
	struct look l = { 0 };
	bool good;

	scene_look(&f->scene, &l);
	good = each(f, &l, why, is_there);
	good = each(f, &l, why, bounce_first) && good;
	good = each(f, &l, why, not_too_many) && good;
	if (l.wrong.len > 0 || l.aside > 0) {
		buf_str(why, "damage in the spool\n");
		good = false;
	}
	if (!good)
		look_tell(&l, why);
	look_free(&l);
	return good;
}

static struct verdict
flush_judge(void *world, const struct trace *t, struct buf *why)
{
	struct flush *f = world;
	struct verdict v = { .ended = WIFEXITED(t->status) };
	struct look l = { 0 };

	v.code = v.ended ? WEXITSTATUS(t->status) : WTERMSIG(t->status);
	v.good = look_now(f, why);
	if (!v.good)
		return v;
	scene_configure(&f->scene, "after", NULL);
	v.good = scene_flush(&f->scene, why);
	scene_look(&f->scene, &l);
	v.good = each(f, &l, why, has_arrived) && v.good;
	v.good = each(f, &l, why, not_too_many) && v.good;
	if (!v.good)
		look_tell(&l, why);
	look_free(&l);
	return v;
}

#define STORY(title, brief, n)                                                          \
	{                                                                               \
		title, brief, &cases[n], flush_begin, flush_run, flush_judge, flush_end \
	}

const struct story flush_stories[] = {
	STORY("flusher, K", true, 0),
	STORY("flusher, Z", true, 1),
	STORY("flusher, Z and then K", false, 2),
	STORY("flusher, D", true, 3),
	STORY("flusher, K, Z and D of three", false, 4),
	STORY("flusher, no answer", false, 5),
	STORY("flusher, the first of two servers is down", false, 6),
	STORY("flusher, the first of two servers breaks off", false, 7),
	{ 0 },
};
