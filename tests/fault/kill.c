/* Killed, at every place. */
#include <stdio.h>
#include <stdlib.h>

#include "places.h"
#include "story.h"
#include "util/xalloc.h"
#include "work.h"

#define SOME 40 /* places of a story in the short form */

enum { KILLED, UNREACHED };

struct plan {
	const struct story *story;
	struct places places;
};

struct world {
	const struct plan *plan;
	void *of;
};

static enum trace_deed
note_place(void *arg, const struct trace_call *call, int *error)
{
	(void)error;
	places_add(arg, "", call);
	return TRACE_GO;
}

/* All places of the story, from a run in which nothing happens. */
static bool
measure(struct plan *p, struct buf *why)
{
	struct trace t = { .hook = note_place, .arg = &p->places };
	void *world = p->story->begin(p->story, "m");
	struct verdict v;

	p->story->run(world, &t);
	v = p->story->judge(world, &t, why);
	p->story->end(world);
	if (!v.good || !v.ended || v.code != 0)
		story_tell(p->story, &t, why);
	free(t.path);
	return v.good && v.ended && v.code == 0;
}

static void *
begin(const void *arg, const char *name)
{
	struct world *w = xmalloc(sizeof(*w));

	w->plan = arg;
	w->of = w->plan->story->begin(w->plan->story, name);
	return w;
}

/* First one of them is killed at each place, then all of them. */
static bool
one(void *world, size_t i, struct buf *why, unsigned counts[WORK_COUNTS])
{
	struct world *w = world;
	const struct places *p = &w->plan->places;
	const struct story *story = w->plan->story;
	struct trace t = { .at = p->at[i % p->n],
		.deed = i < p->n ? TRACE_KILL : TRACE_KILL_ALL };
	struct verdict v;

	story->run(w->of, &t);
	v = story->judge(w->of, &t, why);
	if (!v.good || t.hung || t.crash != 0)
		story_tell(story, &t, why);
	counts[t.reached ? KILLED : UNREACHED]++;
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
kill_stories(const struct story *stories, bool all)
{
	unsigned number = 0;

	for (const struct story *story = stories; story->title != NULL; story++) {
		struct plan p = { .story = story };
		struct work w = { .begin = begin, .one = one, .end = end, .arg = &p };
		struct work_result r = { 0 };
		struct buf why = { 0 };
		bool good = measure(&p, &why);

		work_tell(good, why.data, "%s: %zu system calls, nothing happens: exit 0",
		    story->title, p.places.n);
		if (!all)
			places_thin(&p.places, SOME, number++);
		w.n = p.places.n * (all && !story->brief ? 2 : 1);
		if (good)
			work_do(&w, &r);
		work_tell(good && r.failed == 0 && r.done == w.n, r.why,
		    "%s: killed at %u places (%u not reached): nothing lost",
		    story->title, r.counts[KILLED], r.counts[UNREACHED]);
		buf_free(&why);
		places_free(&p.places);
	}
}
