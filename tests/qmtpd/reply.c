#include "reply.h"

#include <stddef.h>

/*
 * Hand on the answers to one package, as far as may be. Returns whether those were
 * all.
 */
static bool
hand_on(struct conn *c, struct answers *a, int64_t now)
{
	const struct script *s = a->script;

	while (now >= a->due) {
		if (s->answer_cut != ACT_NONE &&
		    s->count == (s->per_package ? a->sent : c->answered)) {
			conn_act(c, s->answer_cut, now);
			return false;
		}
		if (a->sent == a->total)
			return true;
		if (wire_waiting(&c->wire) >= REPLY_OUTPUT_MAX)
			return false;
		answers_packed(a, a->sent, &c->wire.output, &c->scratch);
		c->wire.drip = s->drip;
		a->sent++;
		c->answered++;
		if (s->between > 0 && a->sent < a->total)
			a->due = now + (int64_t)s->between;
	}
	return false;
}

/* The same, with what follows from the last one. */
static bool
finished(struct conn *c, struct answers *a, int64_t now)
{
	if (!hand_on(c, a, now))
		return false;
	journal_event(&c->world->journal, c->id, "answers", c->received,
	    " package=%llu number=%llu answers=%llu", (unsigned long long)a->package,
	    (unsigned long long)a->number, (unsigned long long)a->sent);
	return true;
}

void
reply_add(struct conn *c, int64_t now)
{
	struct answers *a = c->coming;
	enum action then = a->script->then;

	a->due = now + (int64_t)a->script->delay;
	if (c->first == NULL && finished(c, a, now)) {
		answers_clear(a); /* the common case costs no memory */
		conn_act(c, then, now);
		return;
	}
	c->coming = answers_new();
	if (c->why != NULL || c->stalled) {
		answers_free(a);
		return;
	}
	if (c->first == NULL)
		c->first = a;
	else
		c->last->next = a;
	c->last = a;
	c->waiting++;
}

void
reply_make(struct conn *c, int64_t now)
{
	while (c->first != NULL && finished(c, c->first, now)) {
		struct answers *a = c->first;
		enum action then = a->script->then;

		c->first = a->next;
		c->waiting--;
		if (c->first == NULL)
			c->last = NULL;
		answers_free(a);
		conn_act(c, then, now);
	}
}

void
reply_drop(struct conn *c)
{
	while (c->first != NULL) {
		struct answers *a = c->first;

		c->first = a->next;
		answers_free(a);
	}
	c->last = NULL;
	c->waiting = 0;
}
