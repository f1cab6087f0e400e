/*
 * flush/parcels.h: one package on its way, and queues of them.
 *
 * A parcel is one package and where its recipients stand in their envelope.
 */
#ifndef FLUSH_PARCELS_H
#define FLUSH_PARCELS_H

#include <stdbool.h>
#include <stddef.h>

#include "qmtp/qmtp.h"

struct job;

struct parcel {
	struct job *job; /* whose it is */
	struct qmtp_package *package;
	size_t *positions;
	size_t n;
	bool again; /* its connection broke once before its last byte went */
	struct parcel *next;
};

/* A queue of parcels. {0} is empty. */
struct parcels {
	struct parcel *first, *last;
	size_t n;
};

void parcels_add(struct parcels *list, struct parcel *parcel);
struct parcel *parcels_take(struct parcels *list); /* NULL: there is none */

/* Put all of front before the others. */
void parcels_put_back(struct parcels *list, struct parcels *front);

#endif
