/*
 * conf/option.h: every option there is, as data, and the forms that their values have.
 *
 * Names, ranges and defaults are those of qmtp-sendmail.conf(5), in its order. Knows
 * nothing of libconfuse: a value is the text between the quotes.
 */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct option;

/* Check value and store it in field. Returns 0, or -1 with err, field untouched. */
typedef int option_set_fn(
    const struct option *o, const char *value, void *field, struct error *err);

struct option {
	const char *name; /* NULL ends a table */
	option_set_fn *set;
	size_t field;    /* its offset in struct conf or struct server */
	const char *def; /* as the file would have it; NULL: 0, conf.c knows better */
	int64_t min;     /* of a number or a duration, in its unit */
	int64_t max;
};

extern const struct option option_global[]; /* into a struct conf */
extern const struct option option_server[]; /* into a struct server */

/* The option of that name; NULL if the table has none. */
const struct option *option_find(const struct option *table, const char *name);

/*
 * Store a value in the struct at base; a string that was there is freed. Returns 0, or -1
 * with err (EX_CONFIG): "NAME: 'VALUE' is not ...".
 */
int option_set(const struct option *o, void *base, const char *value, struct error *err);

/* Store all defaults of a table. The struct's strings must be NULL, or strings to free.
 */
void option_defaults(const struct option *table, void *base);

#endif
