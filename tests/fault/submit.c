#include "submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "util/xalloc.h"

static const char *const up[] = { "--rule", "z*=Zlater", "--rule", "d*=Dno such user",
	NULL };
static const char *const down[] = { "--refuse", NULL };
static const char *const deaf[] = { "--close-after-byte", "last", NULL };
static const char *const after[] = { "--rule", "d*=Dno such user", NULL };

const struct submit_case submit_cases[] = {
	{ "server up, 1 recipient", up, "-i", "k1@x" },
	{ "server up, 3 recipients", up, "-i", "k1@x k2@x k3@x" },
	{ "server down, 1 recipient", down, "-i", "k1@x" },
	{ "server down, 3 recipients", down, "-i", "k1@x k2@x k3@x" },
	{ "server half (later), 1 recipient", up, "-i", "z1@x" },
	{ "server half, 3 recipients", up, "-i", "k1@x z1@x k2@x" },
	{ "server half (refused), 3 recipients", up, "-i", "k1@x z1@x d1@x" },
	{ "no answer, 3 recipients", deaf, "-i", "k1@x k2@x k3@x" },
	{ "spool first, 1 recipient", up, "-i -odq", "k1@x" },
	{ "spool first, 3 recipients", up, "-i -odq", "k1@x z1@x d1@x" },
	{ NULL, NULL, NULL, NULL },
};

static void
add_words(struct submit *s, size_t *n, char *text)
{
	for (char *p = strtok(text, " "); p != NULL; p = strtok(NULL, " "))
		s->words[(*n)++] = p;
}

void
submit_begin(struct submit *s, const struct submit_case *c, const char *name)
{
	struct buf line = { 0 };
	size_t n = 0;

	*s = (struct submit){ .of = c };
	scene_begin(&s->scene, name);
	scene_serve(&s->scene, "a", c->server);
	scene_serve(&s->scene, "after", after);
	buf_printf(&line, "%s -- %s", c->words, c->rcpts);
	s->line = buf_detach(&line);
	s->words[n++] = scene_program(SENDMAIL);
	add_words(s, &n, s->line);
}

void
submit_end(struct submit *s)
{
	scene_end(&s->scene);
	free(s->line);
}

void
submit_run(struct submit *s, struct trace *t)
{
	scene_clean(&s->scene);
	scene_configure(&s->scene, "a", NULL);
	t->argv = s->words;
	t->dir = s->scene.dir;
	t->in = "in";
	t->out = "out";
	if (trace_run(t) < 0)
		scene_die("tracing", s->words[0]);
	scene_settle(&s->scene);
	s->ended = WIFEXITED(t->status);
	s->code = s->ended ? WEXITSTATUS(t->status) : -1;
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
	(void)s;
	(void)why;
	return it->accepted + it->waiting + it->bounced + it->bouncing > 0;
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

static bool
judge_look(struct submit *s, struct look *l, struct buf *why, bool *safe)
{
	bool good = each(s, l, why, not_too_many);

	*safe = each(s, l, why, is_safe);
	if (s->ended && s->code == 0 && !*safe) {
		buf_str(why, "exit 0, and somebody's mail is nowhere\n");
		good = false;
	}
	if (l->wrong.len > 0 || l->aside > 0) {
		buf_str(why, "damage in the spool\n");
		good = false;
	}
	return good;
}

/* The end of the story: what is in the queue is delivered. */
static bool
judge_end(struct submit *s, struct buf *why, bool acknowledged)
{
	struct look l = { 0 };
	bool good;

	scene_configure(&s->scene, "after", NULL);
	good = scene_flush(&s->scene, why);
	scene_look(&s->scene, &l);
	if (acknowledged)
		good = each(s, &l, why, has_arrived) && good;
	good = each(s, &l, why, not_too_many) && good && l.wrong.len == 0;
	if (!good)
		look_tell(&l, why);
	look_free(&l);
	return good;
}

bool
submit_judge(struct submit *s, struct trace *t, struct buf *why, bool *safe)
{
	struct look l = { 0 };
	bool good, queued;

	scene_look(&s->scene, &l);
	good = judge_look(s, &l, why, safe);
	if (t->hung) {
		buf_str(why, "it hangs\n");
		good = false;
	}
	if (t->crash != 0) {
		buf_printf(why, "somebody ended by signal %d\n", t->crash);
		good = false;
	}
	if (!good)
		look_tell(&l, why);
	queued = l.entries > 0;
	look_free(&l);
	if (good && queued)
		good = judge_end(s, why, s->ended && s->code == 0);
	if (!good) {
		buf_printf(why, "%s: task %u (%s), call %u (%s %s)%s: ", s->of->title,
		    t->at.task, t->what.program, t->at.call,
		    t->reached ? trace_name(t->what.nr) : "not reached",
		    t->path == NULL ? "" : t->path, t->after ? ", after it" : "");
		buf_printf(why, "%s %d\n", s->ended ? "exit code" : "killed", s->code);
	}
	return good;
}
