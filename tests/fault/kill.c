#include <stdio.h>
#include <stdlib.h>

#include "places.h"
#include "submit.h"
#include "util/xalloc.h"
#include "work.h"

#define SOME 40 /* places of a case in the short form */

enum { KILLED, UNREACHED };

struct plan {
	const struct submit_case *of;
	struct places places;
	bool both; /* kill one at each place, then all of them */
};

static enum trace_deed
note_place(void *arg, const struct trace_call *call, int *error)
{
	(void)error;
	places_add(arg, "", call);
	return TRACE_GO;
}

/* All places of the case, from a run in which nothing happens. */
static bool
measure(struct plan *p, struct buf *why)
{
	struct trace t = { .hook = note_place, .arg = &p->places };
	struct submit s;
	bool safe, good;

	submit_begin(&s, p->of, "m");
	submit_run(&s, &t);
	good = submit_judge(&s, &t, why, &safe) && s.ended && s.code == 0;
	if (s.code != 0)
		buf_printf(why, "without any fault the code is %d\n", s.code);
	free(t.path);
	submit_end(&s);
	return good;
}

static void *
begin(const void *arg, const char *name)
{
	const struct plan *p = arg;
	struct submit *s = xcalloc(1, sizeof(*s) + sizeof(p));

	submit_begin(s, p->of, name);
	*(const struct plan **)(s + 1) = p;
	return s;
}

static bool
one(void *world, size_t i, struct buf *why, unsigned counts[WORK_COUNTS])
{
	struct submit *s = world;
	const struct plan *p = *(const struct plan **)(s + 1);
	struct trace t = { .at = p->places.at[i % p->places.n],
		.deed = i < p->places.n ? TRACE_KILL : TRACE_KILL_ALL };
	bool safe, good;

	submit_run(s, &t);
	good = submit_judge(s, &t, why, &safe);
	counts[t.reached ? KILLED : UNREACHED]++;
	free(t.path);
	return good;
}

static void
end(void *world)
{
	submit_end(world);
	free(world);
}

void
kill_submit(bool all)
{
	unsigned number = 0;

	for (const struct submit_case *c = submit_cases; c->title != NULL; c++) {
		struct plan p = { .of = c, .both = all };
		struct work w = { .begin = begin, .one = one, .end = end, .arg = &p };
		struct work_result r = { 0 };
		struct buf why = { 0 };
		bool good = measure(&p, &why);

		work_tell(good, why.data, "%s: %zu system calls, nothing happens: exit 0",
		    c->title, p.places.n);
		if (!all)
			places_thin(&p.places, SOME, number++);
		w.n = p.places.n * (p.both ? 2 : 1);
		if (good)
			work_do(&w, &r);
		work_tell(good && r.failed == 0 && r.done == w.n, r.why,
		    "%s: killed at %u places (%u not reached): nothing lost", c->title,
		    r.counts[KILLED], r.counts[UNREACHED]);
		buf_free(&why);
		places_free(&p.places);
	}
}
