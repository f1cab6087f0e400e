#include "mail/recipients.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "mail/address.h"
#include "util/xalloc.h"

#define FEW 8 /* addresses that are not worth to make room for beforehand */

struct adding {
	struct recipients *recipients;
	struct envelope *envelope;
};

static int
add(void *arg, const char *addr, struct error *err)
{
	struct adding *a = arg;
	char *whole = identity_qualify(a->recipients->identity, addr);

	if (strlen(whole) > ADDRESS_MAX) {
		free(whole);
		return error_set(err, EX_DATAERR,
		    "an address: longer than %d bytes with its domain", ADDRESS_MAX);
	}
	return envelope_give(a->envelope, whole, a->recipients->max, err);
}

/* Somebody else on every other host. */
static bool
is_localhost(const char *domain)
{
	return strcasecmp(domain, "localhost") == 0 ||
	    strcasecmp(domain, "localhost.localdomain") == 0;
}

static bool
is_of_this_host(struct recipients *r, const struct address *a)
{
	const char *domain = a->addr + a->local + 1;

	return !a->has_domain || is_localhost(domain) ||
	    strcasecmp(domain, identity_hostname(r->identity)) == 0;
}

static int
load(struct recipients *r, struct error *err)
{
	if (alias_read(&r->table, r->aliases, r->problem, r->arg, err) < 0) {
		err->code = EX_CONFIG;
		return -1;
	}
	alias_hostname(r->table, identity_hostname(r->identity));
	return 0;
}

static int
add_name(const struct address *found, struct adding *a, struct error *err)
{
	const char *domain = found->addr + found->local + 1;
	bool cut = found->has_domain && is_localhost(domain);
	char *name = xstrndup(found->addr, cut ? found->local : strlen(found->addr));
	int result = add(a, name, err);

	free(name);
	return result;
}

static int
add_alias(struct recipients *r, const char *addr, struct adding *a, struct error *err)
{
	if (r->table == NULL && load(r, err) < 0)
		return -1;
	return alias_expand(r->table, addr, add, a, err);
}

static int
add_list(struct recipients *r, const char *text, size_t len, struct envelope *e,
    bool *whole, struct error *err)
{
	struct address_list list = { 0 };
	struct adding a = { r, e };
	int result = address_parse(text, len, &list, err);

	*whole = true;
	if (list.n > FEW)
		envelope_reserve(e, list.n, r->max);
	for (size_t i = 0; i < list.n && result == 0; i++) {
		struct address *found = &list.v[i];

		*whole &= found->has_domain;
		if (!is_of_this_host(r, found)) {
			result = envelope_give(e, found->addr, r->max, err);
			found->addr = NULL;
		} else if (r->aliases == NULL || *r->aliases == '\0') {
			result = add_name(found, &a, err);
		} else {
			result = add_alias(r, found->addr, &a, err);
		}
	}
	address_list_free(&list);
	return result;
}

int
recipients_operand(
    struct recipients *r, const char *operand, struct envelope *e, struct error *err)
{
	bool whole;

	return add_list(r, operand, strlen(operand), e, &whole, err);
}

static const char *
field_name(enum header_id id)
{
	switch (id) {
	case HEADER_TO:
		return "To";
	case HEADER_CC:
		return "Cc";
	case HEADER_BCC:
		return "Bcc";
	case HEADER_RESENT_TO:
		return "Resent-To";
	case HEADER_RESENT_CC:
		return "Resent-Cc";
	default:
		return "Resent-Bcc";
	}
}

int
recipients_header(
    struct recipients *r, struct header *h, struct envelope *e, struct error *err)
{
	static const enum header_id first[] = { HEADER_TO, HEADER_CC, HEADER_BCC };
	static const enum header_id again[] = { HEADER_RESENT_TO, HEADER_RESENT_CC,
		HEADER_RESENT_BCC };
	const enum header_id *ids = first;

	for (size_t i = 0; i < 3; i++)
		if (h->count[again[i]] > 0)
			ids = again;
	for (size_t i = 0; i < h->n; i++) {
		struct header_field *f = &h->v[i];
		struct error inner;
		const char *body;
		size_t len;

		if (f->id != ids[0] && f->id != ids[1] && f->id != ids[2])
			continue;
		body = header_body(h, f, &len);
		if (add_list(r, body, len, e, &f->whole, &inner) < 0)
			return error_set(
			    err, inner.code, "%s: %s", field_name(f->id), inner.text);
	}
	return 0;
}

void
recipients_free(struct recipients *r)
{
	alias_free(r->table);
	r->table = NULL;
}
