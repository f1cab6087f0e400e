#include "spool/schedule.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define BUCKETS_MIN 64
#define NOWHERE UINT32_MAX /* no place in the heap */

struct item {
	struct item *next; /* in its bucket */
	time_t when;
	uint32_t place; /* in the heap, of those that wait */
	char state;     /* W T I */
	uint8_t sweep;  /* the last sweep that saw it */
	char id[];
};

struct schedule {
	struct item **buckets;
	size_t nbuckets; /* a power of two */
	size_t known;
	size_t taken;
	struct item **heap; /* those that wait, the first due in front */
	size_t n, cap;
	uint8_t sweep;
};

/* FNV-1a */
static uint32_t
hash(const char *id)
{
	uint32_t h = 2166136261u;

	for (; *id != '\0'; id++)
		h = (h ^ (unsigned char)*id) * 16777619u;
	return h;
}

/* ---- the rule ---- */

static time_t
pause_after(const struct entry *e, time_t last)
{
	time_t pause = e->arrived < 0 || last < e->arrived ? 0 : (last - e->arrived) / 2;

	pause = pause < SCHEDULE_SOONEST ? SCHEDULE_SOONEST
	    : pause > SCHEDULE_LATEST    ? SCHEDULE_LATEST
					 : pause;
	return pause + (time_t)(hash(e->id) % (uint32_t)(pause / 10 + 1));
}

bool
schedule_touched(const struct entry *e)
{
	time_t newest = e->since;

	for (size_t i = 0; i < e->n; i++)
		if (e->rcpts[i].when > newest)
			newest = e->rcpts[i].when;
	return e->touched > newest + SCHEDULE_SLACK;
}

static bool
is_wrong(time_t when, time_t now)
{
	return when > now + SCHEDULE_LATEST + SCHEDULE_LATEST / 10;
}

bool
schedule_joins(const struct entry *e, size_t i, time_t now)
{
	const struct entry_rcpt *r = &e->rcpts[i];
	time_t end = r->when + SPOOL_DOUBT;

	return r->state == 'P' || (r->state == '?' && (end <= now || is_wrong(end, now)));
}

time_t
schedule_when(const struct entry *e, time_t now)
{
	bool touched = schedule_touched(e), pending = false;
	time_t last = e->arrived, when = SCHEDULE_NEVER;

	for (size_t i = 0; i < e->n; i++) {
		const struct entry_rcpt *r = &e->rcpts[i];
		time_t end = r->when + SPOOL_DOUBT, next;

		if (r->state == 'P') {
			pending = true;
			if (r->when != e->arrived &&
			    (last == e->arrived || r->when > last))
				last = r->when;
		}
		if (r->state != '?')
			continue;
		next = r->when == e->arrived ? end : r->when + pause_after(e, r->when);
		next = touched ? now : next < end ? end : next;
		if (when == SCHEDULE_NEVER || next < when)
			when = next;
	}
	if (pending) {
		time_t next =
		    touched || last == e->arrived ? now : last + pause_after(e, last);

		when = when == SCHEDULE_NEVER || next < when ? next : when;
	}
	return when == SCHEDULE_NEVER || is_wrong(when, now) ? now : when;
}

/* ---- the heap ---- */

static bool
before(const struct item *a, const struct item *b)
{
	return a->when != b->when ? a->when < b->when : strcmp(a->id, b->id) < 0;
}

static void
place(struct schedule *s, size_t at, struct item *item)
{
	s->heap[at] = item;
	item->place = (uint32_t)at;
}

/* Find the place of an item from a place on that is free. */
static void
settle(struct schedule *s, size_t at, struct item *item)
{
	while (at > 0 && before(item, s->heap[(at - 1) / 2])) {
		place(s, at, s->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < s->n && before(s->heap[child + 1], s->heap[child]))
			child++;
		if (child >= s->n || !before(s->heap[child], item))
			break;
		place(s, at, s->heap[child]);
		at = child;
	}
	place(s, at, item);
}

static void
leave_heap(struct schedule *s, struct item *item)
{
	size_t at = item->place;
	struct item *last;

	if (item->place == NOWHERE)
		return;
	item->place = NOWHERE;
	last = s->heap[--s->n];
	if (last != item)
		settle(s, at, last);
}

static void
enter_heap(struct schedule *s, struct item *item)
{
	s->heap = xgrow(s->heap, s->n, &s->cap, sizeof(struct item *));
	s->n++;
	settle(s, s->n - 1, item);
}

/* ---- the table ---- */

/* Where the pointer to an item is, or to the NULL behind the last of its bucket. */
static struct item **
find(const struct schedule *s, const char *id)
{
	struct item **p = &s->buckets[hash(id) & (s->nbuckets - 1)];

	while (*p != NULL && strcmp((*p)->id, id) != 0)
		p = &(*p)->next;
	return p;
}

static void
resize(struct schedule *s, size_t nbuckets)
{
	struct item **old = s->buckets;
	size_t n = s->nbuckets;

	s->buckets = xcalloc(nbuckets, sizeof(struct item *));
	s->nbuckets = nbuckets;
	for (size_t i = 0; i < n; i++) {
		struct item *next;

		for (struct item *item = old[i]; item != NULL; item = next) {
			struct item **p = &s->buckets[hash(item->id) & (nbuckets - 1)];

			next = item->next;
			item->next = *p;
			*p = item;
		}
	}
	free(old);
}

/* Take the item at *p out of everything. */
static void
drop(struct schedule *s, struct item **p)
{
	struct item *item = *p;

	leave_heap(s, item);
	s->taken -= item->state == 'T';
	s->known--;
	*p = item->next;
	free(item);
}

/* The item of an id, made if need be, in a state; it is in no heap. */
static struct item *
enter(struct schedule *s, const char *id, char state)
{
	struct item *item = *find(s, id);

	if (item == NULL) {
		size_t len = strlen(id) + 1;
		struct item **p;

		if (s->known >= s->nbuckets)
			resize(s, s->nbuckets * 2);
		p = find(s, id);
		item = xmalloc(sizeof(*item) + len);
		*item = (struct item){ .place = NOWHERE };
		memcpy(item->id, id, len);
		*p = item;
		s->known++;
	}
	leave_heap(s, item);
	s->taken -= item->state == 'T';
	s->taken += state == 'T';
	item->state = state;
	item->sweep = s->sweep; /* it is there, whatever a look at the directory missed */
	return item;
}

struct schedule *
schedule_new(void)
{
	struct schedule *s = xcalloc(1, sizeof(*s));

	resize(s, BUCKETS_MIN);
	return s;
}

void
schedule_free(struct schedule *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nbuckets; i++)
		while (s->buckets[i] != NULL)
			drop(s, &s->buckets[i]);
	free(s->buckets);
	free(s->heap);
	free(s);
}

void
schedule_put(struct schedule *s, const char *id, time_t when)
{
	struct item *item;

	if (strlen(id) >= SPOOL_ID) {
		schedule_ignore(s, id);
		return;
	}
	item = enter(s, id, 'W');
	item->when = when;
	enter_heap(s, item);
}

bool
schedule_take(struct schedule *s, time_t now, char id[SPOOL_ID])
{
	struct item *item;

	if (s->n == 0 || s->heap[0]->when > now)
		return false;
	item = s->heap[0];
	memcpy(id, item->id, strlen(item->id) + 1);
	leave_heap(s, item);
	item->state = 'T';
	s->taken++;
	return true;
}

void
schedule_ignore(struct schedule *s, const char *id)
{
	enter(s, id, 'I');
}

void
schedule_forget(struct schedule *s, const char *id)
{
	struct item **p = find(s, id);

	if (*p != NULL)
		drop(s, p);
}

char
schedule_state(const struct schedule *s, const char *id)
{
	const struct item *item = *find(s, id);

	return item != NULL ? item->state : 0;
}

time_t
schedule_next(const struct schedule *s)
{
	return s->n > 0 ? s->heap[0]->when : SCHEDULE_NEVER;
}

size_t
schedule_count(const struct schedule *s)
{
	return s->n + s->taken;
}

/* In the part of the heap below a place; its depth is that of the heap. */
static size_t
count_due(const struct schedule *s, size_t at, time_t now)
{
	if (at >= s->n || s->heap[at]->when > now)
		return 0;
	return 1 + count_due(s, 2 * at + 1, now) + count_due(s, 2 * at + 2, now);
}

size_t
schedule_count_due(const struct schedule *s, time_t now)
{
	return count_due(s, 0, now);
}

void
schedule_each_older(struct schedule *s, time_t now, time_t arrived_before,
    void (*f)(void *arg, const char *id), void *arg)
{
	for (size_t i = 0; i < s->nbuckets; i++) {
		struct item *next;

		for (struct item *item = s->buckets[i]; item != NULL; item = next) {
			next = item->next;
			if (item->state == 'W' && item->when <= now &&
			    (time_t)strtoull(item->id, NULL, 16) < arrived_before)
				f(arg, item->id);
		}
	}
}

void
schedule_sweep_begin(struct schedule *s)
{
	s->sweep ^= 1;
}

void
schedule_seen(struct schedule *s, const char *id)
{
	struct item *item = *find(s, id);

	if (item != NULL)
		item->sweep = s->sweep;
}

void
schedule_sweep_end(struct schedule *s)
{
	for (size_t i = 0; i < s->nbuckets; i++)
		for (struct item **p = &s->buckets[i]; *p != NULL;) {
			if ((*p)->sweep != s->sweep && (*p)->state != 'T')
				drop(s, p);
			else
				p = &(*p)->next;
		}
}
