#include "mail/alias.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "mail/address.h"
#include "mail/alias_table.h"
#include "util/buf.h"
#include "util/text.h"
#include "util/xalloc.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t
add_string(struct alias_table *t, const char *s)
{
	size_t at = t->strings.len;

	buf_add(&t->strings, s, strlen(s) + 1);
	return at;
}

const char *
alias_string(const struct alias_table *t, size_t at)
{
	return t->strings.data + at;
}

/* FNV-1a of the folded name. */
static size_t
hash(const char *name, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)lower(name[i])) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

static bool
is_name(const struct alias_table *t, const struct alias *e, const char *name, size_t len)
{
	const char *s = alias_string(t, e->name);

	for (size_t i = 0; i < len; i++)
		if (s[i] != lower(name[i])) /* the end of s too: name has no NUL */
			return false;
	return s[len] == '\0';
}

struct alias *
alias_find(const struct alias_table *t, const char *name, size_t len)
{
	if (t->slots == 0)
		return NULL;
	for (size_t i = hash(name, len);; i++) {
		size_t slot = t->index[i & (t->slots - 1)];

		if (slot == 0)
			return NULL;
		if (is_name(t, &t->v[slot - 1], name, len))
			return &t->v[slot - 1];
	}
}

static void
put_index(struct alias_table *t, size_t position)
{
	const char *name = alias_string(t, t->v[position].name);
	size_t i = hash(name, strlen(name));

	while (t->index[i & (t->slots - 1)] != 0)
		i++;
	t->index[i & (t->slots - 1)] = position + 1;
}

struct alias *
alias_new(struct alias_table *t, const char *name, unsigned line)
{
	struct alias *e;

	t->v = xgrow(t->v, t->n, &t->cap, sizeof(*t->v));
	e = &t->v[t->n++];
	*e = (struct alias){
		.name = add_string(t, name), .line = line, .first = t->ntargets
	};
	for (char *s = t->strings.data + e->name; *s != '\0'; s++)
		*s = lower(*s);
	if (t->n * 2 > t->slots) {
		t->slots = t->slots == 0 ? 64 : t->slots * 2;
		free(t->index);
		t->index = xcalloc(t->slots, sizeof(*t->index));
		for (size_t i = 0; i < t->n; i++)
			put_index(t, i);
	} else {
		put_index(t, t->n - 1);
	}
	return e;
}

void
alias_add_target(struct alias_table *t, struct alias *e, const char *addr, bool literal)
{
	t->targets = xgrow(t->targets, t->ntargets, &t->targets_cap, sizeof(*t->targets));
	t->targets[t->ntargets++] = (struct alias_target){ add_string(t, addr), literal };
	e->n++;
}

void
alias_hostname(struct alias_table *table, const char *hostname)
{
	free(table->hostname);
	table->hostname = hostname != NULL ? xstrdup(hostname) : NULL;
}

size_t
alias_count(const struct alias_table *table)
{
	return table->n;
}

struct expansion {
	struct alias_table *table;
	alias_add_fn *add;
	void *arg;
	unsigned depth;
};

static bool
is_localhost(const char *addr)
{
	return address_in_domain(addr, "localhost") ||
	    address_in_domain(addr, "localhost.localdomain");
}

/* Bytes of addr that are a name of this host; 0 if it is somewhere else. */
static size_t
local_length(const struct alias_table *t, const char *addr)
{
	if (!address_has_domain(addr))
		return strlen(addr);
	if (is_localhost(addr) ||
	    (t->hostname != NULL && address_in_domain(addr, t->hostname)))
		return (size_t)(strrchr(addr, '@') - addr);
	return 0;
}

static int
add_itself(const struct expansion *x, const char *addr, struct error *err)
{
	char *bare;
	int rc;

	if (!address_has_domain(addr) || !is_localhost(addr))
		return x->add(x->arg, addr, err);
	bare = xstrndup(addr, (size_t)(strrchr(addr, '@') - addr));
	rc = x->add(x->arg, bare, err);
	free(bare);
	return rc;
}

static struct alias *
lookup(const struct alias_table *t, const char *name, size_t len)
{
	struct alias *e = alias_find(t, name, len);

	return e != NULL && e->n > 0 ? e : NULL;
}

static int
expand(struct expansion *x, const char *addr, struct error *err)
{
	struct alias_table *t = x->table;
	size_t len = local_length(t, addr);
	struct alias *e = len > 0 ? lookup(t, addr, len) : NULL;
	int rc = 0;

	if (e == NULL && len > 0)
		e = lookup(t, "default", strlen("default"));
	if (e == NULL || (e->round == t->round && e->open))
		return add_itself(x, addr, err);
	if (e->round == t->round)
		return 0;
	if (x->depth == ALIAS_DEPTH) {
		char *shown = text_cleaned(addr, strlen(addr), TEXT_LOG_MAX);

		error_set(
		    err, EX_DATAERR, "%s: more than %d aliases deep", shown, ALIAS_DEPTH);
		free(shown);
		return -1;
	}
	e->round = t->round;
	e->open = true;
	x->depth++;
	for (size_t i = e->first; i < e->first + e->n && rc == 0; i++) {
		const char *target = alias_string(t, t->targets[i].addr);

		rc = t->targets[i].literal ? add_itself(x, target, err)
					   : expand(x, target, err);
	}
	x->depth--;
	e->open = false;
	return rc;
}

int
alias_expand(struct alias_table *table, const char *addr, alias_add_fn *add, void *arg,
    struct error *err)
{
	struct expansion x = { .table = table, .add = add, .arg = arg };

	table->round++;
	return expand(&x, addr, err);
}

void
alias_free(struct alias_table *table)
{
	if (table == NULL)
		return;
	buf_free(&table->strings);
	free(table->targets);
	free(table->v);
	free(table->index);
	free(table->hostname);
	free(table);
}
