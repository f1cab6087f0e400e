#include "places.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void
places_add(struct places *p, const char *kinds, const struct trace_call *call)
{
	if (call->leaving ||
	    (*kinds != '\0' && strchr(kinds, trace_kind(call->nr)) == NULL))
		return;
	p->at = xgrow(p->at, p->n, &p->cap, sizeof(*p->at));
	p->at[p->n++] = call->place;
}

void
places_thin(struct places *p, size_t most, unsigned number)
{
	size_t step = (p->n + most - 1) / most, n = 0;

	if (step <= 1)
		return;
	for (size_t i = number % step; i < p->n; i += step)
		p->at[n++] = p->at[i];
	p->n = n;
}

void
places_free(struct places *p)
{
	free(p->at);
	*p = (struct places){ 0 };
}
