/*
 * fault/places.h: all places of a run.
 */
#ifndef FAULT_PLACES_H
#define FAULT_PLACES_H

#include <stddef.h>

#include "trace.h"

struct places {
	struct trace_place *at;
	size_t n, cap;
};

/* Every call of a run whose kind (trace_kind()) is among these; "": every one. */
void places_add(struct places *p, const char *kinds, const struct trace_call *call);

/* No more than so many, spread evenly; one more or less with the number of the case. */
void places_thin(struct places *p, size_t most, unsigned number);

void places_free(struct places *p);

#endif
