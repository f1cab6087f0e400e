/* Every call on files and on the network fails, in every way. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "places.h"
#include "story.h"
#include "util/xalloc.h"
#include "work.h"

#define KINDS "fn"
#define SOME 40  /* injections of a story in the short form, */
#define MORE 150 /* and of one that is much the same as another in the long form */

enum { FAILED, UNREACHED, UNHEARD };

static const int errors[] = { EIO, ENOSPC, EDQUOT, EMFILE, ENOMEM, EINTR, EAGAIN,
	EACCES };

#define ERRORS (sizeof(errors) / sizeof(*errors))

struct plan {
	const struct story *story;
	struct places places;
	size_t step; /* in the short form not every one */
	size_t first;
};

struct world {
	const struct plan *plan;
	void *of;
};

static enum trace_deed
note_place(void *arg, const struct trace_call *call, int *error)
{
	(void)error;
	places_add(arg, KINDS, call);
	return TRACE_GO;
}

static bool
measure(struct plan *p, struct buf *why)
{
	struct trace t = { .hook = note_place, .arg = &p->places };
	void *world = p->story->begin(p->story, "m");
	struct verdict v;

	p->story->run(world, &t);
	v = p->story->judge(world, &t, why);
	p->story->end(world);
	return v.good;
}

static void *
begin(const void *arg, const char *name)
{
	struct world *w = xmalloc(sizeof(*w));

	w->plan = arg;
	w->of = w->plan->story->begin(w->plan->story, name);
	return w;
}

/*
 * All can be safe and the code not 0 when it is the helper's answer that does not get
 * through: written by the one, read by the other.
 */
static bool
is_answer(const struct trace_call *c)
{
	if (strcmp(c->program, "qmtp-queue") == 0)
		return trace_is_answer(c);
	return c->nr == SYS_recvfrom || c->nr == SYS_read;
}

static bool
one(void *world, size_t i, struct buf *why, unsigned counts[WORK_COUNTS])
{
	struct world *w = world;
	const struct plan *p = w->plan;
	struct trace t = { .deed = TRACE_FAIL, .kinds = KINDS };
	struct verdict v;

	i = p->first + i * p->step;
	t.at = p->places.at[i / ERRORS];
	t.error = errors[i % ERRORS];
	p->story->run(w->of, &t);
	v = p->story->judge(w->of, &t, why);
	if (v.ended && v.code != 0 && v.safe) {
		counts[UNHEARD]++;
		if (!is_answer(&t.what)) {
			buf_printf(why, "exit code %d, and all is safe\n", v.code);
			v.good = false;
		}
	}
	if (!v.good || t.hung || t.crash != 0)
		story_tell(p->story, &t, why);
	counts[t.reached ? FAILED : UNREACHED]++;
	free(t.path);
	return v.good && !t.hung && t.crash == 0;
}

static void
end(void *world)
{
	struct world *w = world;

	w->plan->story->end(w->of);
	free(w);
}

void
error_stories(const struct story *stories, bool all)
{
	unsigned number = 0;

	for (const struct story *story = stories; story->title != NULL; story++) {
		struct plan p = { .story = story, .step = 1 };
		struct work w = { .begin = begin, .one = one, .end = end, .arg = &p };
		struct work_result r = { 0 };
		struct buf why = { 0 };
		bool good = measure(&p, &why);
		size_t most;

		w.n = p.places.n * ERRORS;
		most = !all ? SOME : story->brief ? MORE : w.n;
		if (w.n > most) {
			/* One with no divisor in common: all calls, all errors get a turn. */
			p.step = (w.n / most) | 1;
			p.first = number++ % p.step;
			w.n = (w.n - p.first - 1) / p.step + 1;
		}
		if (good)
			work_do(&w, &r);
		buf_str(&why, r.why);
		work_tell(good && r.failed == 0 && r.done == w.n, why.data,
		    "%s: %u calls failed (%u not reached): nothing lost, "
		    "%u answers unheard",
		    story->title, r.counts[FAILED], r.counts[UNREACHED],
		    r.counts[UNHEARD]);
		buf_free(&why);
		places_free(&p.places);
	}
}
