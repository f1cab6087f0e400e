/*
 * mail/rewrite.h and mail/recipients.h. First byte: how. The rest: a header block.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "fuzz.h"
#include "mail/address.h"
#include "mail/recipients.h"
#include "mail/rewrite.h"
#include "util/xalloc.h"

#define DOMAIN "example.org"
#define SENDER "sender@example.com"
#define NOW 1795318231 /* Sun, 22 Nov 2026 03:30:31 +0000 */

enum { FROM = 3, GATEWAY = 4, NULL_SENDER = 8, NAME = 16, LONG_NAME = 32 };

/* Push lines until the header ends; returns what its last line was. */
static enum header_line
push_all(struct header *h, const char *text, size_t n)
{
	enum header_line what = HEADER_TAKEN;

	while (n > 0 && what == HEADER_TAKEN) {
		const char *lf = memchr(text, '\n', n);
		size_t len = lf != NULL ? (size_t)(lf - text) : n;

		what = header_push(h, text, len);
		text += len + (lf != NULL);
		n -= len + (lf != NULL);
	}
	return what;
}

static bool
is_removed(enum header_id id)
{
	return id == HEADER_BCC || id == HEADER_RESENT_BCC || id == HEADER_RETURN_PATH ||
	    id == HEADER_CONTENT_LENGTH;
}

static bool
has_addresses(enum header_id id)
{
	return id == HEADER_FROM || id == HEADER_SENDER || id == HEADER_REPLY_TO ||
	    id == HEADER_TO || id == HEADER_CC || id == HEADER_RESENT_FROM ||
	    id == HEADER_RESENT_SENDER || id == HEADER_RESENT_REPLY_TO ||
	    id == HEADER_RESENT_TO || id == HEADER_RESENT_CC;
}

/* The body of a field with the addresses in it, read before and after. */
struct body {
	const char *text;
	size_t len;
	struct address_list list;
	int result;
};

static struct body
read_body(const struct header *h, const struct header_field *f)
{
	struct body b = { 0 };
	struct error err;

	b.text = header_body(h, f, &b.len);
	b.result = address_parse(b.text, b.len, &b.list, &err);
	return b;
}

/* All bytes outside the addresses are those that came, and all addresses are whole. */
static void
check_addresses(const struct body *old, const struct body *new, bool replaced)
{
	size_t i, from = 0, to = 0;

	must(new->result == 0 && new->list.n == old->list.n,
	    "as many addresses as before");
	for (i = 0; i < old->list.n; i++) {
		const struct address *a = &old->list.v[i], *b = &new->list.v[i];
		size_t n = a->begin - from;

		must(b->begin - to == n &&
			memcmp(old->text + from, new->text + to, n) == 0,
		    "the text between addresses stays");
		must(b->has_domain, "every address has a domain");
		from = a->end;
		to = b->end;
		if (replaced && i == 0) {
			must(strcmp(b->addr, SENDER) == 0, "the sender in From");
			continue;
		}
		must(a->local == b->local && memcmp(a->addr, b->addr, a->local) == 0,
		    "the local part stays");
		must(strcmp(b->addr + b->local + 1,
			 a->has_domain ? a->addr + a->local + 1 : DOMAIN) == 0,
		    "a domain stays, or is the default");
	}
	must(old->len - from ==
		new->len - to &&memcmp(old->text + from, new->text + to, new->len - to) ==
		0,
	    "the text behind the addresses stays");
}

static bool
too_long_with_domain(const struct body *b)
{
	for (size_t i = 0; i < b->list.n; i++)
		if (!b->list.v[i].has_domain &&
		    b->list.v[i].local + strlen("@" DOMAIN) > ADDRESS_MAX)
			return true;
	return false;
}

static void
check_field(const struct header *h, const struct header_field *f,
    const struct header *out, const struct header_field *g, bool always)
{
	struct body old = read_body(h, f), new = read_body(out, g);
	size_t name = f->body - f->begin;

	must(f->id == g->id && name == g->body - g->begin &&
		memcmp(h->text.data + f->begin, out->text.data + g->begin, name) == 0,
	    "the name of a field stays");
	if (!has_addresses(f->id) || old.result < 0)
		must(old.len == new.len &&memcmp(old.text, new.text, old.len) == 0,
		    "a field without addresses stays");
	else if (!too_long_with_domain(&old))
		check_addresses(&old, &new, always && f->id == HEADER_FROM);
	address_list_free(&old.list);
	address_list_free(&new.list);
}

/* What comes out, read again: what was added stands at the top, then what came. */
static void
check_finished(const struct header *h, const struct rewrite *how, const struct buf *text)
{
	struct header out = { 0 };
	size_t kept = 0, k;

	must(memchr(text->data, '\r', text->len) == NULL &&
		memchr(text->data, '\0', text->len) == NULL,
	    "neither CR nor NUL");
	must(push_all(&out, text->data, text->len) == HEADER_END &&
		out.text.len + 1 == text->len,
	    "one header block with its empty line");
	must(strncmp(out.text.data, "Received: ", 10) == 0, "Received comes first");
	for (size_t i = 0; i < out.n; i++)
		must(!is_removed(out.v[i].id), "what is removed is gone");
	for (size_t i = 0; i < h->n; i++)
		kept += !is_removed(h->v[i].id);
	must(out.n >= kept, "no field is lost");
	k = out.n - kept;
	must(how->gateway ? k == 1 : k <= 7, "what may be added");
	must(how->gateway ||
		(out.count[HEADER_DATE] > 0 && out.count[HEADER_FROM] > 0 &&
		    out.count[HEADER_MESSAGE_ID] > 0),
	    "what every message has");
	for (size_t i = 0; i < h->n; i++)
		if (!is_removed(h->v[i].id))
			check_field(h, &h->v[i], &out, &out.v[k++],
			    how->from == REWRITE_FROM_ALWAYS && how->sender[0] != '\0');
	header_free(&out);
}

/* Once more changes nothing but that another Received stands on top. */
static void
check_again(const struct rewrite *how, const struct buf *text)
{
	struct rewrite gateway = *how;
	struct buf again = { 0 };
	struct header h = { 0 };

	gateway.gateway = true;
	push_all(&h, text->data, text->len);
	rewrite_finish(&h, &gateway, &again);
	must(again.len >= text->len &&
		memcmp(again.data + again.len - text->len, text->data, text->len) == 0,
	    "what is finished stays as it is");
	header_free(&h);
	buf_free(&again);
}

static bool
any_too_long(const struct header *h)
{
	for (size_t i = 0; i < h->n; i++) {
		struct body b = read_body(h, &h->v[i]);
		bool too_long = has_addresses(h->v[i].id) && too_long_with_domain(&b);

		address_list_free(&b.list);
		if (too_long)
			return true;
	}
	return false;
}

static void
check_envelope(struct identity *id, struct header *h)
{
	struct recipients r = { .identity = id, .max = 100 };
	struct envelope e = { 0 };
	struct error err = { 0 };

	if (recipients_header(&r, h, &e, &err) < 0)
		must(err.code == EX_DATAERR && is_clean(err.text),
		    "bad data, and says so");
	must(e.n <= r.max, "the limit of recipients");
	for (size_t i = 0; i < e.n; i++) {
		const char *addr = e.rcpts[i].addr;

		must(strlen(addr) <= ADDRESS_MAX && is_clean(addr) && addr[0] != '\0' &&
			address_has_domain(addr),
		    "a recipient that a server takes");
		for (size_t k = 0; k < i; k++)
			must(strcmp(addr, e.rcpts[k].addr) != 0, "each recipient once");
	}
	envelope_free(&e);
	recipients_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char name[] = "Alice Lidd\xc3\xa9ll of the other side of the glass, "
				   "where the mail is read from right to left";
	unsigned flags = size > 0 ? data[0] : 0;
	struct identity id;
	struct rewrite how = { .identity = &id, .now = NOW };
	struct buf before = { 0 }, after = { 0 };
	struct header h = { 0 };
	struct error err;

	if (size == 0)
		return 0;
	must(identity_init(&id, "host.example.net", DOMAIN,
		 flags & LONG_NAME  ? name
		     : flags & NAME ? "Alice"
				    : "",
		 &err) == 0,
	    "an identity");
	id.login = xstrdup("alice"); /* the password database is nobody's to fuzz */
	id.gecos = xstrdup("");
	how.sender = flags & NULL_SENDER ? "" : SENDER;
	how.from = (flags & FROM) == 0 ? REWRITE_FROM_NO
	    : (flags & FROM) == 1      ? REWRITE_FROM_MISSING
				       : REWRITE_FROM_ALWAYS;
	how.gateway = flags & GATEWAY;
	push_all(&h, (const char *)data + 1, size - 1);

	rewrite_finish(&h, &how, &before);
	check_finished(&h, &how, &before);
	if (!any_too_long(&h))
		check_again(&how, &before);
	check_envelope(&id, &h);
	rewrite_finish(&h, &how, &after);
	must(same_bytes(&before, &after), "fields known to be whole stay as they are");
	buf_free(&before);
	buf_free(&after);
	header_free(&h);
	identity_free(&id);
	return 0;
}
