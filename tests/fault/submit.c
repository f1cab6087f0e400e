/* The submit path: the command, and the helper behind it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "scene.h"
#include "story.h"
#include "util/xalloc.h"

#define WORDS 32

struct submit_case {
	const char *const *server; /* options of the server it meets */
	const char *words;         /* arguments of the command, */
	const char
	    *rcpts; /* and recipients: k.. is accepted there, z.. put off, d.. refused */
};

struct submit {
	struct scene scene;
	const struct story *story;
	const struct submit_case *of;
	const char *words[WORDS];
	char *line;
	unsigned faults; /* each may make one more copy of a mail */
};

static const char *const up[] = { "--rule", "z*=Zlater", "--rule", "d*=Dno such user",
	NULL };
static const char *const down[] = { "--refuse", NULL };
static const char *const deaf[] = { "--close-after-byte", "last", NULL };
static const char *const after[] = { "--rule", "d*=Dno such user", NULL };

static const struct submit_case cases[] = {
	{ up, "-i", "k1@x" },
	{ up, "-i", "k1@x k2@x k3@x" },
	{ down, "-i", "k1@x" },
	{ down, "-i", "k1@x k2@x k3@x" },
	{ up, "-i", "z1@x" },
	{ up, "-i", "k1@x z1@x k2@x" },
	{ up, "-i", "k1@x z1@x d1@x" },
	{ deaf, "-i", "k1@x k2@x k3@x" },
	{ up, "-i -odq", "k1@x" },
	{ up, "-i -odq", "k1@x z1@x d1@x" },
};

static void
add_words(struct submit *s, size_t *n, char *text)
{
	for (char *p = strtok(text, " "); p != NULL; p = strtok(NULL, " "))
		s->words[(*n)++] = p;
}

static void *
submit_begin(const struct story *story, const char *name)
{
	struct submit *s = xcalloc(1, sizeof(*s));
	struct buf line = { 0 };
	size_t n = 0;

	s->story = story;
	s->of = story->of;
	scene_begin(&s->scene, name);
	scene_serve(&s->scene, "a", s->of->server);
	scene_serve(&s->scene, "after", after);
	buf_printf(&line, "%s -- %s", s->of->words, s->of->rcpts);
	s->line = buf_detach(&line);
	s->words[n++] = scene_program(SENDMAIL);
	add_words(s, &n, s->line);
	return s;
}

static void
submit_end(void *world)
{
	struct submit *s = world;

	scene_end(&s->scene);
	free(s->line);
	free(s);
}

static void
submit_run(void *world, struct trace *t)
{
	struct submit *s = world;

	scene_clean(&s->scene);
	scene_configure(&s->scene, "a", NULL);
	t->argv = s->words;
	t->dir = s->scene.dir;
	t->in = "in";
	t->out = "out";
	if (trace_run(t) < 0)
		scene_die("tracing", s->words[0]);
	scene_settle(&s->scene);
	s->faults = t->reached && t->deed != TRACE_GO;
}

/* Whom f is asked about: every recipient of the case. false as soon as one is wrong. */
static bool
each(const struct submit *s, struct look *l, struct buf *why,
    bool (*f)(const struct submit *s, const struct look_name *it, struct buf *why))
{
	char *list = xstrdup(s->of->rcpts), *save = NULL;
	bool good = true;

	for (char *p = strtok_r(list, " ", &save); p != NULL;
	     p = strtok_r(NULL, " ", &save))
		good = f(s, look_name(l, p), why) && good;
	free(list);
	return good;
}

static bool
is_safe(const struct submit *s, const struct look_name *it, struct buf *why)
{
	/* What a server took without a word is in doubt. */
	unsigned accepted = s->of->server == deaf ? 0 : it->accepted;

	(void)why;
	return accepted + it->waiting + it->bounced + it->bouncing > 0;
}

static bool
not_too_many(const struct submit *s, const struct look_name *it, struct buf *why)
{
	unsigned lost = s->of->server == deaf; /* an answer */

	if (it->accepted + it->waiting <= 1 + s->faults + lost &&
	    it->bounced + it->bouncing <= 1 + s->faults)
		return true;
	buf_printf(why, "too many copies for <%s>\n", it->addr);
	return false;
}

static bool
has_arrived(const struct submit *s, const struct look_name *it, struct buf *why)
{
	(void)s;
	if (it->accepted > 0 || it->bounced > 0)
		return true;
	buf_printf(why, "<%s> has nothing after all\n", it->addr);
	return false;
}

static void
judge_look(struct submit *s, struct look *l, struct verdict *v, struct buf *why)
{
	v->good = each(s, l, why, not_too_many);
	v->safe = each(s, l, why, is_safe);
	if (v->ended && v->code == 0 && !v->safe) {
		buf_str(why, "exit 0, and somebody's mail is nowhere\n");
		v->good = false;
	}
	if (l->wrong.len > 0 || l->aside > 0) {
		buf_str(why, "damage in the spool\n");
		v->good = false;
	}
}

/* The end of the story: what is in the queue is delivered. */
static void
judge_end(struct submit *s, struct verdict *v, struct buf *why)
{
	struct look l = { 0 };

	scene_configure(&s->scene, "after", NULL);
	v->good = scene_flush(&s->scene, why);
	scene_look(&s->scene, &l);
	if (v->ended && v->code == 0)
		v->good = each(s, &l, why, has_arrived) && v->good;
	v->good = each(s, &l, why, not_too_many) && v->good && l.wrong.len == 0;
	if (!v->good)
		look_tell(&l, why);
	look_free(&l);
}

static struct verdict
submit_judge(void *world, const struct trace *t, struct buf *why)
{
	struct submit *s = world;
	struct verdict v = { .ended = WIFEXITED(t->status) };
	struct look l = { 0 };
	bool queued;

	v.code = v.ended ? WEXITSTATUS(t->status) : WTERMSIG(t->status);
	scene_look(&s->scene, &l);
	judge_look(s, &l, &v, why);
	if (!v.good)
		look_tell(&l, why);
	queued = l.entries > 0;
	look_free(&l);
	if (v.good && queued)
		judge_end(s, &v, why);
	return v;
}

#define STORY(title, brief, n)                                                   \
	{                                                                        \
		title, brief, &cases[n], submit_begin, submit_run, submit_judge, \
		    submit_end                                                   \
	}

const struct story submit_stories[] = {
	STORY("server up, 1 recipient", true, 0),
	STORY("server up, 3 recipients", false, 1),
	STORY("server down, 1 recipient", true, 2),
	STORY("server down, 3 recipients", false, 3),
	STORY("server half (later), 1 recipient", true, 4),
	STORY("server half, 3 recipients", false, 5),
	STORY("server half (refused), 3 recipients", false, 6),
	STORY("no answer, 3 recipients", false, 7),
	STORY("spool first, 1 recipient", true, 8),
	STORY("spool first, 3 recipients", false, 9),
	{ 0 },
};
