#include "queue/list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "queue/own.h"
#include "spool/entry.h"
#include "spool/listing.h"
#include "spool/scan.h"
#include "util/xalloc.h"

#define FIRST 512 /* bytes of a message in which its Received field says the token */

struct name {
	char id[SPOOL_ID];
};

struct listed {
	const struct spool *spool;
	bool all; /* of everybody: for root */
	struct name *names;
	size_t n, cap;
	size_t told;
};

/* Whether p begins with the text; then it moves behind it. */
static bool
skip(const char **p, const char *end, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(end - *p) < n || memcmp(*p, text, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool
is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_base32(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
}

/* Bytes of a kind: at most n of them. Returns how many; p moves behind them. */
static size_t
span(const char **p, const char *end, bool (*is_one)(char), size_t n)
{
	const char *begin = *p;

	while (*p < end && (size_t)(*p - begin) < n && is_one(**p))
		(*p)++;
	return (size_t)(*p - begin);
}

/*
 * The token of a message that begins as mail/rewrite.c has it begin:
 * "Received: by HOST (qmtp-sendmail, from userid N)\n\tid TOKEN; ..."
 */
static void
find_token(const char *p, size_t n, char token[LISTING_TOKEN_MAX + 1])
{
	const char *end = p + n;
	size_t len;

	token[0] = '\0';
	if (!skip(&p, end, "Received: by ") || span(&p, end, is_visible, 255) == 0 ||
	    !skip(&p, end, " (qmtp-sendmail, from userid ") ||
	    span(&p, end, is_digit, 10) == 0 || !skip(&p, end, ")\n\tid "))
		return;
	len = span(&p, end, is_base32, LISTING_TOKEN_MAX);
	if (p == end || *p != ';')
		return;
	memcpy(token, p - len, len);
	token[len] = '\0';
}

static void
note(void *arg, const char *name)
{
	struct listed *l = arg;

	/* For root the look at the open file says all there is to know. */
	if (l->all ? !spool_is_id(name) : !own_entry(l->spool, name))
		return;
	l->names = xgrow(l->names, l->n, &l->cap, sizeof(*l->names));
	memcpy(l->names[l->n++].id, name, strlen(name) + 1);
}

static int
compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->id, y->id);
}

/* One entry; one that went meanwhile, is no entry, or may not be read, is left out. */
static void
tell(struct listed *l, const char *id, struct buf *out)
{
	char first[FIRST], token[LISTING_TOKEN_MAX + 1];
	struct error err;
	struct entry e;
	size_t n;

	switch (entry_peek(&e, l->spool, id, false, first, sizeof(first), &n, &err)) {
	case ENTRY_OK:
		if (l->all || own_uid(e.owner)) {
			find_token(first, n, token);
			listing_write(out, &e, token);
			l->told++;
		}
		entry_close(&e);
		return;
	case ENTRY_FAILED:
		if (errno == EACCES)
			return;
		/* fallthrough */
	case ENTRY_DAMAGED:
		listing_write_damaged(out, id);
		l->told++;
		return;
	default:
		return;
	}
}

static int
tell_all(struct listed *l, struct peer *p)
{
	struct buf out = { 0 };
	int code = EX_OK;

	buf_str(&out, "ok\n");
	for (size_t i = 0; i < l->n && code == EX_OK; i++) {
		tell(l, l->names[i].id, &out);
		if (out.len < PEER_BLOCK)
			continue;
		if (peer_write(p, out.data, out.len) < 0)
			code = EX_IOERR;
		buf_clear(&out);
	}
	listing_write_done(&out, l->told);
	if (code == EX_OK && peer_write(p, out.data, out.len) < 0)
		code = EX_IOERR;
	buf_free(&out);
	return code;
}

int
list(const struct spool *s, struct peer *p)
{
	struct listed l = { .spool = s, .all = getuid() == 0 };
	struct error err;
	int code;

	if (scan_queue(s, note, &l, &err) < 0) {
		code = own_refuse(p, err.code, err.text);
	} else {
		if (l.n > 0)
			qsort(l.names, l.n, sizeof(*l.names), compare);
		code = tell_all(&l, p);
	}
	free(l.names);
	return code;
}
