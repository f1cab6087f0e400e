#include "mail/envelope.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "util/xalloc.h"

/* Where the part that is compared without case begins. */
static size_t
local_length(const char *addr)
{
	const char *at = strrchr(addr, '@');

	return at != NULL ? (size_t)(at - addr) : strlen(addr);
}

bool
envelope_same_address(const char *a, const char *b)
{
	size_t n = local_length(a);

	return n == local_length(b) && memcmp(a, b, n) == 0 &&
	    strcasecmp(a + n, b + n) == 0;
}

/* FNV-1a. Who makes addresses collide on purpose holds up nobody but himself. */
static uint32_t
hash_address(const char *addr)
{
	size_t local = local_length(addr);
	uint32_t h = 2166136261U;

	for (size_t i = 0; addr[i] != '\0'; i++) {
		unsigned char c = (unsigned char)addr[i];

		if (i > local && c >= 'A' && c <= 'Z')
			c = (unsigned char)(c - 'A' + 'a');
		h = (h ^ c) * 16777619U;
	}
	return h;
}

/* The slot where addr stands, or the empty one where it belongs. */
static struct envelope_slot *
find_slot(const struct envelope *e, const char *addr, uint32_t hash)
{
	size_t i = hash & (e->slots - 1);
	struct envelope_slot *s = &e->index[i];

	while (s->position != 0 &&
	    (s->hash != hash ||
		!envelope_same_address(e->rcpts[s->position - 1].addr, addr))) {
		i = (i + 1) & (e->slots - 1);
		s = &e->index[i];
	}
	return s;
}

/*
 * Make the table large enough to be at most half full with n recipients; its size is a
 * power of two.
 */
static void
grow_index(struct envelope *e, size_t n)
{
	struct envelope_slot *old = e->index;
	size_t before = e->slots;

	if (n <= e->slots / 2)
		return;
	e->slots = before == 0 ? 16 : before * 2;
	while (n > e->slots / 2)
		e->slots *= 2;
	e->index = xcalloc(e->slots, sizeof(*e->index));
	for (size_t i = 0; i < before; i++) {
		size_t k = old[i].hash & (e->slots - 1);

		if (old[i].position == 0)
			continue;
		while (e->index[k].position != 0)
			k = (k + 1) & (e->slots - 1);
		e->index[k] = old[i];
	}
	free(old);
}

void
envelope_reserve(struct envelope *e, size_t more, size_t max)
{
	size_t n = more < max && e->n < max - more ? e->n + more : max;

	grow_index(e, n);
	if (n <= e->cap)
		return;
	e->rcpts = xreallocarray(e->rcpts, n, sizeof(*e->rcpts));
	e->cap = n;
}

int
envelope_give(struct envelope *e, char *addr, size_t max, struct error *err)
{
	uint32_t hash = hash_address(addr);
	struct envelope_slot *slot;

	grow_index(e, e->n + 1);
	slot = find_slot(e, addr, hash);
	if (slot->position != 0) {
		free(addr);
		return 0;
	}
	if (e->n >= max) {
		free(addr);
		return error_set(err, EX_DATAERR,
		    "recipients: more than %zu while collecting them", max);
	}
	e->rcpts = xgrow(e->rcpts, e->n, &e->cap, sizeof(*e->rcpts));
	e->rcpts[e->n] = (struct rcpt){ .addr = addr, .state = RCPT_PENDING };
	*slot = (struct envelope_slot){ hash, (uint32_t)++e->n };
	return 0;
}

int
envelope_add(struct envelope *e, const char *addr, size_t max, struct error *err)
{
	return envelope_give(e, xstrdup(addr), max, err);
}

size_t
envelope_count(const struct envelope *e, enum rcpt_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < e->n; i++)
		if (e->rcpts[i].state == state)
			count++;
	return count;
}

void
envelope_reply(struct envelope *e, size_t i, char *reply)
{
	free(e->rcpts[i].reply);
	e->rcpts[i].reply = reply;
}

void
envelope_free(struct envelope *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->rcpts[i].addr);
		free(e->rcpts[i].reply);
	}
	free(e->rcpts);
	free(e->index);
	free(e->sender);
	*e = (struct envelope){ 0 };
}
