/*
 * package.h: the package that a connection is sending: read strictly, kept on record,
 * judged.
 */
#ifndef PACKAGE_H
#define PACKAGE_H

#include <stddef.h>
#include <stdint.h>

#include "conn.h"

/*
 * Read on, to the end of a package at most; a connection that sends none is ended.
 * Returns how many bytes were used; c->received has counted them.
 */
size_t package_read(struct conn *c, const char *data, size_t len, int64_t now);

/* No more will come of a package that may have begun: note that. */
void package_break(struct conn *c, const char *why);

#endif
