#include "flush/parcels.h"

#include <stddef.h>

void
parcels_add(struct parcels *list, struct parcel *parcel)
{
	parcel->next = NULL;
	if (list->last != NULL)
		list->last->next = parcel;
	else
		list->first = parcel;
	list->last = parcel;
	list->n++;
}

struct parcel *
parcels_take(struct parcels *list)
{
	struct parcel *parcel = list->first;

	if (parcel == NULL)
		return NULL;
	list->first = parcel->next;
	if (list->first == NULL)
		list->last = NULL;
	list->n--;
	return parcel;
}

void
parcels_put_back(struct parcels *list, struct parcels *front)
{
	if (front->n == 0)
		return;
	front->last->next = list->first;
	if (list->last == NULL)
		list->last = front->last;
	list->first = front->first;
	list->n += front->n;
}
